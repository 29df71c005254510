package simaws

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// operation is one StackSet operation. It runs on simulated time: a start-up, then
// a sliding window of accounts in each Region.
type operation struct {
	ID, Action, Status, Reason string
	Retain                     bool
	Created, Ended             time.Time
	prefs                      preferences
	ous                        map[string]string // account → the id it was found under
	ouIDs                      []string
	accounts                   []string
	filter                     string
	overrides                  map[string]string
	hasOverrides               bool
	wholeSet                   bool
	items                      []*opItem // in Region order, then account
	regions                    []*regionRun
	stopping                   bool
}

type opItem struct {
	target
	Status, Reason string // PENDING, RUNNING, SUCCEEDED, FAILED, CANCELLED
}

type preferences struct {
	tolerance, concurrent             int // -1: not given
	tolerancePercent, concurrentShare int
	soft, parallel                    bool
	order                             []string
}

type regionRun struct {
	name      string
	queue     []*opItem
	total     int
	running   int
	failures  int
	started   bool
	done      bool
	cancelled bool
}

func readPreferences(q query) (preferences, error) {
	p := preferences{tolerance: -1, concurrent: -1, tolerancePercent: -1, concurrentShare: -1}
	for name, into := range map[string]*int{"FailureToleranceCount": &p.tolerance, "MaxConcurrentCount": &p.concurrent, "FailureTolerancePercentage": &p.tolerancePercent, "MaxConcurrentPercentage": &p.concurrentShare} {
		if q.has(name) {
			n, ok := q.integer(name)
			if !ok || n < 0 || strings.HasPrefix(name, "Max") && n < 1 || strings.HasSuffix(name, "Percentage") && n > 100 {
				return p, validation("1 validation error detected: Value '" + q.str(name) + "' at 'operationPreferences." + name + "' failed to satisfy constraint")
			}
			*into = n
		}
	}
	if p.tolerance >= 0 && p.tolerancePercent >= 0 || p.concurrent >= 0 && p.concurrentShare >= 0 {
		return p, validation("Specify either a count or a percentage, not both, in OperationPreferences")
	}
	p.soft = q.str("ConcurrencyMode") == "SOFT_FAILURE_TOLERANCE"
	p.parallel = q.str("RegionConcurrencyType") == "PARALLEL"
	p.order = q.list("RegionOrder")
	return p, nil
}

// tolerated and window follow "Choosing the Concurrency Mode for CloudFormation
// StackSets": both count accounts in one Region, percentages round down, and the
// window never falls below one.
func (p preferences) tolerated(total int) int {
	if p.tolerance >= 0 {
		return p.tolerance
	}
	return total * max(p.tolerancePercent, 0) / 100
}

func (p preferences) window(total, failures int) int {
	size := 1
	if p.concurrent >= 0 {
		size = p.concurrent
	} else if p.concurrentShare >= 0 {
		size = total * p.concurrentShare / 100
	}
	if !p.soft {
		size = min(size, p.tolerated(total)+1-failures)
	}
	return max(size, 1)
}

// busy gives an operation that runs or waits, nil without one.
func (set *stackSet) busy() *operation {
	for _, op := range set.ops {
		if op.active() {
			return op
		}
	}
	return nil
}

func (op *operation) active() bool {
	return op.Status == "RUNNING" || op.Status == "QUEUED" || op.Status == "STOPPING"
}

func (s *Sim) inProgress(set *stackSet) *apiError {
	return fail(http.StatusConflict, "OperationInProgressException", "Another Operation on StackSet "+set.arn(s)+" is in progress")
}

type operationOutput struct{ OperationId string }

func operationAnswer(op *operation) any {
	if op == nil {
		return nil
	}
	return operationOutput{op.ID}
}

// newOperation checks what every operation checks. existing is true when the call
// repeats the id of an operation with the same action: it is answered again.
func (s *Sim) newOperation(c *call, set *stackSet, action string, ous map[string]string) (op *operation, existing bool, err error) {
	id := c.Form.str("OperationId")
	if id == "" {
		id = s.ids.uuid()
	}
	if !operationID.MatchString(id) {
		return nil, false, validation("1 validation error detected: Value '" + id + "' at 'operationId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9][-a-zA-Z0-9]*")
	}
	for _, old := range set.ops {
		if old.ID == id {
			return nil, false, fail(http.StatusConflict, "OperationIdAlreadyExistsException", "The specified operation ID already exists: "+id)
		}
	}
	if set.busy() != nil && !set.Managed {
		return nil, false, s.inProgress(set)
	}
	prefs, err := readPreferences(c.Form.sub("OperationPreferences"))
	if err != nil {
		return nil, false, err
	}
	dt := c.Form.sub("DeploymentTargets")
	op = &operation{ID: id, Action: action, Created: s.clock.Now(), prefs: prefs, ous: ous, ouIDs: dt.list("OrganizationalUnitIds"), accounts: dt.list("Accounts"), filter: dt.str("AccountFilterType")}
	return op, false, nil
}

// queue takes an operation: it starts now, or, with managed execution, waits for
// what it conflicts with.
func (s *Sim) queue(set *stackSet, op *operation, targets []target) {
	for _, t := range targets {
		op.items = append(op.items, &opItem{target: t, Status: "PENDING"})
	}
	for _, id := range op.ouIDs {
		if !slices.Contains(set.OUs, id) && op.Action == "CREATE" {
			set.OUs = append(set.OUs, id)
		}
	}
	set.ops = append(set.ops, op)
	op.Status = "QUEUED"
	s.startWaiting(set)
}

// conflicts says whether two operations cannot run side by side: they share an
// instance, or one changes the set itself.
func conflicts(a, b *operation) bool {
	if a.wholeSet || b.wholeSet {
		return true
	}
	shared := map[target]bool{}
	for _, i := range a.items {
		shared[i.target] = true
	}
	for _, i := range b.items {
		if shared[i.target] {
			return true
		}
	}
	return false
}

func (s *Sim) startWaiting(set *stackSet) {
	for i, op := range set.ops {
		if op.Status != "QUEUED" {
			continue
		}
		waits := false
		for _, earlier := range set.ops[:i] {
			waits = waits || earlier.active() && conflicts(earlier, op)
		}
		if waits {
			return // requests start in order
		}
		s.begin(set, op)
	}
}

func (s *Sim) begin(set *stackSet, op *operation) {
	op.Status = "RUNNING"
	s.clock.after(spread(5*time.Second, 15*time.Second, op.ID), func() {
		byRegion := map[string]*regionRun{}
		for _, item := range op.items {
			run := byRegion[item.region]
			if run == nil {
				run = &regionRun{name: item.region}
				byRegion[item.region] = run
				op.regions = append(op.regions, run)
			}
			run.total++
			if s.prepare(set, op, item) {
				run.queue = append(run.queue, item)
			}
		}
		slices.SortStableFunc(op.regions, func(a, b *regionRun) int {
			return slices.Index(op.prefs.order, a.name) - slices.Index(op.prefs.order, b.name)
		})
		s.push(set, op)
	})
}

// prepare makes the instance's record; false when there is nothing to do for it.
func (s *Sim) prepare(set *stackSet, op *operation, item *opItem) bool {
	i := set.instances[item.target]
	if i == nil {
		if op.Action != "CREATE" {
			return false
		}
		i = &stackInstance{target: item.target, OU: op.ous[item.account], Status: "OUTDATED", Detailed: "PENDING"}
		set.instances[item.target] = i
	}
	i.LastOperation = op.ID
	if op.hasOverrides {
		i.Overrides = op.overrides
	}
	if s.world.accounts[item.account].State != "ACTIVE" && op.Action != "DELETE" {
		i.Status, i.Detailed, i.Reason = "OUTDATED", "SKIPPED_SUSPENDED_ACCOUNT", "ACCOUNT_SUSPENDED"
		item.Status, item.Reason = "CANCELLED", "ACCOUNT_SUSPENDED"
		return false
	}
	if i.Status == "INOPERABLE" && op.Action == "UPDATE" {
		item.Status, item.Reason = "CANCELLED", "Stack instance is INOPERABLE"
		return false
	}
	i.Detailed = "PENDING"
	return true
}

// push starts what the preferences allow, and ends Regions and the operation.
func (s *Sim) push(set *stackSet, op *operation) {
	for _, run := range op.regions {
		if run.done {
			continue
		}
		run.started = true
		tolerated := op.prefs.tolerated(run.total)
		if op.stopping || run.failures > tolerated || run.cancelled {
			reason := "Cancelled since failure tolerance has exceeded"
			if op.stopping {
				reason = "User initiated operation"
			}
			for _, item := range run.queue {
				s.cancel(set, item, reason)
			}
			run.queue = nil
		}
		for len(run.queue) > 0 && run.running < op.prefs.window(run.total, run.failures) {
			item := run.queue[0]
			run.queue = run.queue[1:]
			run.running++
			s.work(set, op, run, item)
		}
		if len(run.queue) == 0 && run.running == 0 {
			run.done = true
			if run.failures > tolerated && !op.prefs.parallel {
				for _, later := range op.regions {
					later.cancelled = later.cancelled || !later.done && later != run
				}
			}
			continue
		}
		if !op.prefs.parallel {
			return // one Region after the other
		}
	}
	for _, run := range op.regions {
		if !run.done {
			return
		}
	}
	s.end(set, op)
}

func (s *Sim) cancel(set *stackSet, item *opItem, reason string) {
	item.Status, item.Reason = "CANCELLED", reason
	if i := set.instances[item.target]; i != nil {
		i.Detailed, i.Reason = "CANCELLED", reason
		if i.Status != "INOPERABLE" {
			i.Status = "OUTDATED"
		}
	}
}

func (s *Sim) end(set *stackSet, op *operation) {
	op.Status, op.Ended = "SUCCEEDED", s.clock.Now()
	for _, run := range op.regions {
		if run.failures > op.prefs.tolerated(run.total) || run.cancelled {
			op.Status = "FAILED"
		}
	}
	if op.stopping {
		op.Status = "STOPPED"
	}
	s.startWaiting(set)
}

// work does one instance: it is under way for a while, then done at once.
func (s *Sim) work(set *stackSet, op *operation, run *regionRun, item *opItem) {
	i := set.instances[item.target]
	item.Status, i.Detailed = "RUNNING", "RUNNING"
	lasts := spread(15*time.Second, 35*time.Second, op.ID, item.account, item.region)
	for _, r := range set.doc.Resources {
		lasts += resourceTypes[r.Type].takes
	}
	s.clock.after(lasts, func() {
		err := s.perform(set, op, i)
		run.running--
		if err != nil {
			run.failures++
			item.Status, item.Reason = "FAILED", reasonOf(err)
			i.Detailed, i.Reason, i.Status = "FAILED", item.Reason, "OUTDATED"
			if op.Action == "DELETE" {
				i.Status, i.Detailed = "INOPERABLE", "INOPERABLE"
			}
		} else {
			item.Status = "SUCCEEDED"
			i.Status, i.Detailed, i.Reason = "CURRENT", "SUCCEEDED", ""
			if op.Action == "DELETE" {
				delete(set.instances, item.target)
			}
		}
		s.push(set, op)
	})
}

func reasonOf(err error) string {
	if e, ok := err.(*apiError); ok {
		return e.Message
	}
	return err.Error()
}

// perform creates, updates or deletes the stack of an instance.
func (s *Sim) perform(set *stackSet, op *operation, i *stackInstance) error {
	a := s.world.accounts[i.account]
	if s.world.regionStatus(a, i.region) == "DISABLED" {
		return validation("STS is not activated in this region for account:" + a.ID + ". Your account administrator can activate STS in this region using the IAM Console.")
	}
	if op.Action == "DELETE" && a.State != "ACTIVE" && !op.Retain {
		return validation("Account " + a.ID + " should have '" + s.execution(a) + "' role with trust relationship to Role 'aws-service-role/stacksets.cloudformation.amazonaws.com/AWSServiceRoleForCloudFormationStackSetsOrgAdmin'.")
	}
	for _, action := range []string{"cloudformation:CreateStack"} {
		if s.policyDenies(a.ID, s.execution(a), action, i.region) {
			return policyRefusal{"User: arn:" + s.world.partition + ":sts::" + a.ID + ":assumed-role/" + s.execution(a) + "/" + hexOf(16, a.ID) + " is not authorized to perform: " + action + " on resource: arn:" + s.world.partition + ":cloudformation:" + i.region + ":" + a.ID + ":stack/StackSet-" + set.Name + "-*/* with an explicit deny in a service control policy"}
		}
	}
	r := a.region(i.region)
	st := r.stacks[i.StackName]
	if op.Action == "DELETE" {
		if st == nil {
			return nil
		}
		if op.Retain {
			st.StackSet = ""
			return nil
		}
		return s.remove(a, r, st)
	}
	fresh := st == nil
	if fresh {
		name := "StackSet-" + set.Name + "-" + s.ids.uuid()
		st = &stack{Name: name, Created: s.clock.Now(), StackSet: set.ID,
			ID: "arn:" + s.world.partition + ":cloudformation:" + i.region + ":" + a.ID + ":stack/" + name + "/" + s.ids.uuid()}
		i.StackName, i.StackID = st.Name, st.ID
		r.stacks[name] = st
	}
	body, doc, parameters, tags := st.Body, st.doc, st.Parameters, st.Tags
	st.Body, st.doc, st.Tags, st.Description = set.Body, set.doc, set.Tags, set.doc.Description
	st.Parameters = map[string]string{}
	for k, v := range set.Parameters {
		st.Parameters[k] = v
	}
	for k, v := range i.Overrides {
		st.Parameters[k] = v
	}
	if err := s.apply(a, r, st); err != nil {
		if fresh {
			// A create that is rolled back leaves no stack behind an instance.
			delete(r.stacks, st.Name)
			i.StackName, i.StackID = "", ""
		} else {
			st.Body, st.doc, st.Parameters, st.Tags, st.Status = body, doc, parameters, tags, "UPDATE_ROLLBACK_COMPLETE"
		}
		return err
	}
	st.Status, st.Updated = "CREATE_COMPLETE", s.clock.Now()
	if !fresh {
		st.Status = "UPDATE_COMPLETE"
	}
	return nil
}

// failed counts the instances that failed in an operation.
func (op *operation) failed() int {
	n := 0
	for _, i := range op.items {
		if i.Status == "FAILED" {
			n++
		}
	}
	return n
}
