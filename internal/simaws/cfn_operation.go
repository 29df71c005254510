package simaws

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"time"
)

// operation is one StackSet operation. It runs on simulated time: a start-up, then
// a sliding window of accounts in each Region.
type operation struct {
	ID, Action, Status, Reason string
	Retain                     bool
	Created, Ended             time.Time
	dispatched                 time.Time // when the work was sent to the Regions
	prefs                      preferences
	ous                        map[string]string // account → the id it was found under
	ouIDs                      []string
	accounts, named            []string // named: the Regions of the call
	filter                     string
	accountsURL                string
	overrides                  map[string]string
	imports                    map[target]string // the stacks that an import takes in
	keepOverrides              []string          // names that stay as they are (UsePreviousValue)
	hasOverrides               bool
	wholeSet                   bool
	items                      []*opItem // in Region order, then account
	failed                     int
	sent                       query // OperationPreferences as they came
	regions                    []*regionRun
	stopping                   bool
	// auto is an automatic deployment; after are those that have to succeed first.
	auto  bool
	after []*operation
}

type opItem struct {
	target
	Status, Reason string // PENDING, RUNNING, SUCCEEDED, FAILED, CANCELLED; "" is left out
	begun, ended   time.Time
	settled        time.Time // of what is cancelled before it begins
	drift          string    // what a drift detection found
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

// busy gives an operation that runs or waits, nil without one.
func (set *stackSet) busy() *operation {
	for _, op := range set.ops {
		if op.active() {
			return op
		}
	}
	return nil
}

func (set *stackSet) queued() (n int) {
	for _, op := range set.ops {
		if op.Status == "QUEUED" {
			n++
		}
	}
	return n
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

// newOperation checks what every operation checks. An id that was used before is
// refused, whatever it was used for (OperationIdAlreadyExistsException).
func (s *Sim) newOperation(c *call, set *stackSet, action string, ous map[string]string) (*operation, error) {
	if err := s.trusted(); err != nil {
		return nil, err
	}
	id := c.Form.str("OperationId")
	if id == "" {
		id = s.ids.uuid()
	}
	if !operationID.MatchString(id) {
		return nil, validation("1 validation error detected: Value '" + id + "' at 'operationId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9][-a-zA-Z0-9]*")
	}
	for _, old := range set.ops {
		if old.ID == id {
			return nil, fail(http.StatusConflict, "OperationIdAlreadyExistsException", "The specified operation ID already exists: "+id)
		}
	}
	if set.busy() != nil && !set.Managed {
		return nil, s.inProgress(set)
	}
	if len(set.ops) >= maxQueued && set.queued() >= maxQueued {
		return nil, fail(http.StatusBadRequest, "LimitExceededException", "You have reached the limit of queued operations of a stack set: 10000.")
	}
	prefs, err := readPreferences(c.Form.sub("OperationPreferences"))
	if err != nil {
		return nil, err
	}
	dt := c.Form.sub("DeploymentTargets")
	op := &operation{sent: c.Form.sub("OperationPreferences"), ID: id, Action: action, Created: s.clock.Now(), prefs: prefs, ous: ous, ouIDs: dt.list("OrganizationalUnitIds"), accounts: dt.list("Accounts"), accountsURL: dt.str("AccountsUrl"), named: c.Form.list("Regions"), filter: dt.str("AccountFilterType")}
	return op, nil
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
	if op.Action == "CREATE" && op.imports == nil {
		set.deploysTo(op.ouIDs, op.named)
	}
	idle := set.busy() == nil && !op.auto
	set.ops = append(set.ops, op)
	op.Status = "QUEUED"
	if idle {
		s.begin(set, op)
		return
	}
	// "If there are already running or queued operations, StackSets queues all
	// incoming operations even if they are non-conflicting" (ManagedExecution).
	s.clock.after(5*time.Second, func() { s.startWaiting(set) })
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
			waits = waits || earlier.active() && (!set.Managed || conflicts(earlier, op))
		}
		for _, first := range op.after {
			waits = waits || first.active()
		}
		if waits {
			return // requests start in order
		}
		if slices.ContainsFunc(op.after, func(first *operation) bool { return first.Status != "SUCCEEDED" }) {
			s.giveUp(set, op)
			continue
		}
		s.begin(set, op)
	}
}

// giveUp ends an automatic deployment that a set it depends on has failed.
func (s *Sim) giveUp(set *stackSet, op *operation) {
	op.Status, op.Ended, op.Reason = "FAILED", s.clock.Now(), "A StackSet that this StackSet depends on was not deployed"
	for _, item := range op.items {
		item.Status, item.Reason = "CANCELLED", op.Reason
	}
}

func (s *Sim) begin(set *stackSet, op *operation) {
	op.Status = "RUNNING"
	s.clock.after(spread(5*time.Second, 15*time.Second, op.ID), func() {
		op.dispatched = s.clock.Now()
		byRegion := map[string]*regionRun{}
		for _, item := range op.items {
			run := byRegion[item.region]
			if run == nil {
				run = &regionRun{name: item.region}
				byRegion[item.region] = run
				op.regions = append(op.regions, run)
			}
			if s.prepare(set, op, item) {
				run.total++ // those that are skipped do not count for the tolerance
				run.queue = append(run.queue, item)
			}
		}
		op.items = slices.DeleteFunc(op.items, func(i *opItem) bool { return i.Status == "" })
		place := func(run *regionRun) int {
			if i := slices.Index(op.prefs.order, run.name); i >= 0 {
				return i
			}
			return len(op.prefs.order) // Regions that the order leaves out come last
		}
		slices.SortStableFunc(op.regions, func(a, b *regionRun) int { return place(a) - place(b) })
		s.push(set, op)
	})
}

// suspended is the reason of what is skipped since its account is not active.
const suspended = "ACCOUNT_SUSPENDED"

// prepare makes the instance's record; false when there is nothing to do for it.
func (s *Sim) prepare(set *stackSet, op *operation, item *opItem) bool {
	i := set.instances[item.target]
	if i == nil && op.Action == "CREATE" {
		i = &stackInstance{target: item.target, OU: op.ous[item.account], Status: "OUTDATED", Detailed: "PENDING"}
		if op.auto { // it may have moved on within the set
			i.OU = cmp.Or(s.wantedBy(set, s.world.everAccount(item.account))[item.region], i.OU)
		}
		set.add(i)
	}
	if i == nil || i.Status == "INOPERABLE" && op.Action == "UPDATE" {
		item.Status = "" // gone meanwhile, or excluded from updates: no result at all
		return false
	}
	i.LastOperation = op.ID
	if op.hasOverrides {
		i.override(op)
	}
	// Accounts that are not active are skipped (since June 2023); only retaining
	// their stacks removes them from the set.
	if s.world.everAccount(item.account).State != "ACTIVE" && !(op.Action == "DELETE" && op.Retain) {
		if op.Action != "DELETE" && op.Action != "DETECT_DRIFT" {
			i.Status = "OUTDATED"
		}
		i.Detailed, i.Reason = "SKIPPED_SUSPENDED_ACCOUNT", suspended
		item.Status, item.Reason, item.settled = "CANCELLED", suspended, s.clock.Now()
		return false
	}
	i.Detailed = "PENDING"
	return true
}

// override replaces the overrides of an instance: a parameter that the list leaves
// out goes back to the set's value (CreateStackInstances, ParameterOverrides).
func (i *stackInstance) override(op *operation) {
	values := maps.Clone(op.overrides)
	for _, name := range op.keepOverrides {
		if v, ok := i.Overrides[name]; ok {
			values[name] = v
		}
	}
	i.Overrides = values
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
				s.cancel(set, op, item, reason)
			}
			run.queue = nil
		}
		for len(run.queue) > 0 && run.running < op.prefs.window(run.total, run.failures) && s.room(set, op) {
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

func (s *Sim) cancel(set *stackSet, op *operation, item *opItem, reason string) {
	item.Status, item.Reason, item.settled = "CANCELLED", reason, s.clock.Now()
	if i := set.instances[item.target]; i != nil {
		i.Detailed, i.Reason = "CANCELLED", reason
		if i.Status != "INOPERABLE" && op.Action != "DETECT_DRIFT" {
			i.Status = "OUTDATED"
		}
	}
}

func (s *Sim) end(set *stackSet, op *operation) {
	op.Status, op.Ended = "SUCCEEDED", s.clock.Now()
	set.leaves(op, op.named)
	for _, run := range op.regions {
		if run.failures > op.prefs.tolerated(run.total) || run.cancelled {
			op.Status = "FAILED"
		}
	}
	if op.stopping {
		op.Status = "STOPPED"
	}
	s.startWaiting(set)
	if op.auto { // sets that depend on this one may wait for it
		for _, id := range sortedKeys(s.world.stackSets) {
			s.startWaiting(s.world.stackSets[id])
		}
	}
}
