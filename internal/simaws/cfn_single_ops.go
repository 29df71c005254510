package simaws

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"rollout/templates"
)

// definition is what a call wants a stack to be.
type definition struct {
	body         string
	doc          *templates.Document
	parameters   map[string]string
	tags         map[string]string
	capabilities []string
	role         string
	notify       []string
}

var (
	stackNames = regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]*$`)
	tokenShape = regexp.MustCompile(`^[a-zA-Z0-9][-a-zA-Z0-9]*$`)
)

// define reads a definition; before is the stack that it changes, nil for a new one.
func (s *Sim) define(c *call, before *stack) (definition, error) {
	f := c.Form
	d := definition{capabilities: f.list("Capabilities"), role: f.str("RoleARN"), notify: f.list("NotificationARNs")}
	var err error
	var old map[string]string
	if previous, _ := f.boolean("UsePreviousTemplate"); previous {
		switch {
		case before == nil || before.doc == nil:
			return d, validation("Previous template cannot be used for a stack that does not exist")
		case f.has("TemplateBody") || f.has("TemplateURL"):
			return d, validation("You cannot specify both usePreviousTemplate and Template Body/Template URL.")
		}
		d.body, d.doc = before.Body, before.doc
	} else if d.body, d.doc, err = s.singleBody(c); err != nil {
		return d, err
	}
	if before != nil {
		old = before.Parameters
	}
	if d.parameters, err = readParameters(f, "Parameters", old); err != nil {
		return d, err
	}
	if err = checkParameters(d.doc, d.parameters); err != nil {
		return d, err
	}
	if before != nil && !f.has("Tags") && !f.sub("Tags").any() {
		d.tags = before.Tags
	} else if d.tags, err = readTags(f); err != nil {
		return d, err
	}
	for n, v := range d.capabilities {
		if !slices.Contains([]string{"CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"}, v) {
			return d, invalid("1 validation error detected: Value '[%s]' at 'capabilities' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [CAPABILITY_IAM, CAPABILITY_NAMED_IAM, CAPABILITY_AUTO_EXPAND]]", strings.Join(d.capabilities[n:], ", "))
		}
	}
	if d.role != "" && (len(d.role) < 20 || !strings.Contains(d.role, ":role/")) {
		return d, invalid("Role %s is invalid or cannot be assumed", d.role)
	}
	if len(d.notify) > 5 {
		return d, invalid("1 validation error detected: Value '[%s]' at 'notificationARNs' failed to satisfy constraint: Member must have length less than or equal to 5", strings.Join(d.notify, ", "))
	}
	return d, checkCapabilities(d.doc, d.capabilities)
}

// singleBody is body for a stack: macros need a capability, and none is known here.
func (s *Sim) singleBody(c *call) (string, *templates.Document, error) {
	text, doc, err := s.body(c)
	if e, ok := err.(*apiError); ok && strings.Contains(e.Message, "use of transforms") {
		if !slices.Contains(c.Form.list("Capabilities"), "CAPABILITY_AUTO_EXPAND") {
			return "", nil, fail(http.StatusBadRequest, "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_AUTO_EXPAND]")
		}
		return "", nil, validation("The simulated CloudFormation runs no transforms")
	}
	return text, doc, err
}

// token reads ClientRequestToken; seen says that this call was made with it before.
func (st *stack) useToken(c *call) (seen bool, err error) {
	token := c.Form.str("ClientRequestToken")
	n := st.single
	if c.Form.has("ClientRequestToken") && (len(token) > 128 || !tokenShape.MatchString(token)) {
		return false, invalid("1 validation error detected: Value '%s' at 'clientRequestToken' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9][-a-zA-Z0-9]*", token)
	}
	if token == "" {
		n.token = ""
		return false, nil
	}
	switch n.tokens[token] {
	case "":
		n.tokens[token], n.token = c.Action, token
		return false, nil
	case c.Action:
		return true, nil
	}
	return false, fail(http.StatusBadRequest, "TokenAlreadyExistsException", "Token already exists: "+token)
}

func (st *stack) define(d definition) {
	st.Body, st.doc, st.Parameters, st.Tags, st.Description = d.body, d.doc, d.parameters, maps.Clone(d.tags), d.doc.Description
	n := st.single
	n.Capabilities, n.Notify = d.capabilities, d.notify
	if d.role != "" {
		n.RoleARN = d.role
	}
}

func (s *Sim) newStack(c *call, name string) *stack {
	st := &stack{Name: name, Created: s.clock.Now(),
		ID: fmt.Sprintf("arn:%s:cloudformation:%s:%s:stack/%s/%s", s.world.partition, c.Region, c.Caller.Account, name, s.ids.uuid())}
	st.own(s)
	s.regionOf(c).stacks[name] = st
	return st
}

func (s *Sim) regionOf(c *call) *regionState {
	return s.world.accounts[c.Caller.Account].region(c.Region)
}

type stackAnswer struct{ StackId string }

// failureAction reads OnFailure (or OnStackFailure of a change set) and DisableRollback.
func failureAction(f query, member string) (string, bool, error) {
	on := f.str(member)
	disable, given := f.boolean("DisableRollback")
	if on != "" && !slices.Contains([]string{"DO_NOTHING", "ROLLBACK", "DELETE"}, on) {
		return "", false, invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy enum value set: [DO_NOTHING, ROLLBACK, DELETE]", on, lowerFirst(member))
	}
	if on != "" && given {
		return "", false, validation("You can specify either DisableRollback or OnFailure, but not both.")
	}
	return on, disable, nil
}

func createStack(s *Sim, c *call) (any, error) {
	f := c.Form
	name := f.str("StackName")
	if err := checkStackName(f, "StackName"); err != nil {
		return nil, err
	}
	on, disable, err := failureAction(f, "OnFailure")
	if err != nil {
		return nil, err
	}
	minutes, timed := f.integer("TimeoutInMinutes")
	if timed && minutes < 1 {
		return nil, invalid("1 validation error detected: Value '%d' at 'timeoutInMinutes' failed to satisfy constraint: Member must have value greater than or equal to 1", minutes)
	}
	if there := s.regionOf(c).stacks[name]; there != nil {
		if token := f.str("ClientRequestToken"); token != "" && there.single != nil && there.single.tokens[token] == "CreateStack" {
			return stackAnswer{there.ID}, nil
		}
		return nil, fail(http.StatusBadRequest, "AlreadyExistsException", "Stack ["+name+"] already exists")
	}
	d, err := s.define(c, nil)
	if err != nil {
		return nil, err
	}
	probe := &stack{Name: name, doc: d.doc, Parameters: d.parameters}
	if _, err := s.plan(s.world.accounts[c.Caller.Account], c.Region, probe); err != nil {
		return nil, err
	}
	st := s.newStack(c, name)
	if _, err := st.useToken(c); err != nil {
		delete(s.regionOf(c).stacks, name)
		return nil, err
	}
	n := st.single
	n.OnFailure, n.Disable, n.Timeout = on, disable, time.Duration(minutes)*time.Minute
	n.Protected, _ = f.boolean("EnableTerminationProtection")
	n.Policy = f.str("StackPolicyBody")
	st.define(d)
	s.startCreate(s.world.accounts[c.Caller.Account], s.regionOf(c), st)
	return stackAnswer{st.ID}, nil
}

func checkStackName(f query, member string) error {
	name := f.str(member)
	switch {
	case name == "":
		return invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", lowerFirst(member))
	case len(name) > 128:
		return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must have length less than or equal to 128", name, lowerFirst(member))
	case !stackNames.MatchString(name):
		return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*", name, lowerFirst(member))
	}
	return nil
}

// startCreate makes a stack's resources once their time has passed.
func (s *Sim) startCreate(a *account, r *regionState, st *stack) {
	n := st.single
	st.to(s, "CREATE_IN_PROGRESS", "User Initiated")
	d := s.stackTakes(a, r, st)
	if n.Timeout > 0 && n.Timeout < d {
		s.later(st, n.Timeout, func() {
			st.fall(s, "Stack creation time exceeded the specified timeout. ")
			s.afterFailedCreate(r, st)
		})
		return
	}
	s.later(st, d, func() {
		if _, err := s.apply(a, r, st); err != nil {
			st.fall(s, reasonOf(err)+". ") // unless a resource has said it already
			s.afterFailedCreate(r, st)
			return
		}
		st.to(s, "CREATE_COMPLETE", "")
	})
}

func (s *Sim) afterFailedCreate(r *regionState, st *stack) {
	switch st.Status {
	case "ROLLBACK_IN_PROGRESS":
		s.later(st, 5*time.Second, func() {
			if len(st.Resources) > 0 {
				st.to(s, "ROLLBACK_FAILED", "The following resource(s) failed to delete: ["+strings.Join(st.Order, ", ")+"]. ")
				return
			}
			st.to(s, "ROLLBACK_COMPLETE", "")
		})
	case "DELETE_IN_PROGRESS":
		s.later(st, 5*time.Second, func() { s.forget(r, st) })
	}
}

// removeAll deletes what a stack has and keeps the stack.
func (s *Sim) removeAll(a *account, r *regionState, st *stack) {
	for _, id := range slices.Backward(st.Order) {
		res := st.Resources[id]
		if res == nil || res.PhysicalID == "" || res.Status == "DELETE_COMPLETE" {
			continue
		}
		if res.DeletionPolicy == "Retain" {
			st.log(s, id, res.PhysicalID, res.Type, "DELETE_SKIPPED", "")
			continue
		}
		st.log(s, id, res.PhysicalID, res.Type, "DELETE_IN_PROGRESS", "")
		resourceTypes[res.Type].delete(s, resourceCall{Account: a, Region: r, Stack: st, LogicalID: id, PhysicalID: res.PhysicalID, Properties: res.Properties}) //nolint:errcheck // a rollback does what it can
		res.Status, res.Changed = "DELETE_COMPLETE", s.clock.Now()
		st.log(s, id, res.PhysicalID, res.Type, "DELETE_COMPLETE", "")
	}
	st.Outputs, st.exported, st.imported = nil, nil, nil
}

// stackTakes is how long creating or updating a stack lasts.
func (s *Sim) stackTakes(a *account, r *regionState, st *stack) time.Duration {
	d := 5 * time.Second
	if p, err := s.plan(a, r.name, st); err == nil {
		d += p.takes()
	}
	return d
}

// updatable says whether an update may begin where a stack stands.
func (st *stack) updatable(disable bool) error {
	switch st.Status {
	case "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE":
		return nil
	case "CREATE_FAILED", "UPDATE_FAILED":
		if disable {
			return nil
		}
		return invalid("This stack is currently in a non-terminal [%s] state. To update the stack from this state, please use the disable-rollback parameter with update-stack API. To rollback to the last known good state, use the rollback-stack API", st.Status)
	}
	return invalid("Stack:%s is in %s state and can not be updated.", st.ID, st.Status)
}

func updateStack(s *Sim, c *call) (any, error) {
	st := s.live(c)
	if st == nil {
		return nil, invalid("Stack [%s] does not exist", c.Form.str("StackName"))
	}
	st.own(s)
	if token := c.Form.str("ClientRequestToken"); token != "" && st.single.tokens[token] == c.Action {
		return stackAnswer{st.ID}, nil
	}
	disable, _ := c.Form.boolean("DisableRollback")
	if err := st.updatable(disable); err != nil {
		return nil, err
	}
	d, err := s.define(c, st)
	if err != nil {
		return nil, err
	}
	changes, other, err := s.changes(s.world.accounts[c.Caller.Account], s.regionOf(c), st, d)
	if err != nil {
		return nil, err
	}
	if len(changes) == 0 && !other {
		return nil, validation(noUpdates)
	}
	if _, err := st.useToken(c); err != nil {
		return nil, err
	}
	st.single.Disable, st.single.OnFailure = disable, ""
	if c.Form.has("StackPolicyBody") {
		st.single.Policy = c.Form.str("StackPolicyBody")
	}
	st.single.obsolete()
	s.startUpdate(s.world.accounts[c.Caller.Account], s.regionOf(c), st, d)
	return stackAnswer{st.ID}, nil
}

// startUpdate makes a stack what a definition says once that has taken its time.
func (s *Sim) startUpdate(a *account, r *regionState, st *stack, d definition) {
	n := st.single
	if !strings.HasSuffix(st.Status, "_FAILED") || n.good == nil {
		before := *st
		before.single, before.Resources = nil, nil
		n.good = &before
	}
	st.define(d)
	st.Updated = s.clock.Now()
	st.to(s, "UPDATE_IN_PROGRESS", "User Initiated")
	s.later(st, s.stackTakes(a, r, st), func() {
		if _, err := s.apply(a, r, st); err != nil {
			st.fall(s, reasonOf(err))
			s.afterFailedUpdate(st)
			return
		}
		s.later(st, 2*time.Second, func() { st.to(s, "UPDATE_COMPLETE", "") })
	})
}

// afterFailedUpdate ends a rollback: the resources are as they were already.
func (s *Sim) afterFailedUpdate(st *stack) {
	if st.Status != "UPDATE_ROLLBACK_IN_PROGRESS" {
		return
	}
	good := st.single.good
	st.Body, st.doc, st.Parameters, st.Tags, st.Description, st.Outputs = good.Body, good.doc, good.Parameters, good.Tags, good.Description, good.Outputs
	s.later(st, 5*time.Second, func() {
		st.to(s, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "")
		s.later(st, 2*time.Second, func() { st.to(s, "UPDATE_ROLLBACK_COMPLETE", "") })
	})
}

func deleteStack(s *Sim, c *call) (any, error) {
	if c.Form.str("StackName") == "" {
		return nil, validation("1 validation error detected: Value null at 'stackName' failed to satisfy constraint: Member must not be null")
	}
	st := s.live(c)
	if st == nil { // one that is gone, or never was: nothing to do
		return nil, nil
	}
	n := st.own(s)
	retain := c.Form.list("RetainResources")
	switch {
	case n.Protected:
		return nil, invalid("Stack [%s] cannot be deleted while TerminationProtection is enabled", st.ID)
	case st.Status == "DELETE_IN_PROGRESS":
		return nil, nil
	case strings.HasSuffix(st.Status, "_IN_PROGRESS") && st.Status != "CREATE_IN_PROGRESS" && st.Status != "REVIEW_IN_PROGRESS":
		return nil, invalid("Stack [%s] cannot be deleted while in status %s", st.ID, st.Status)
	case len(retain) > 0 && st.Status != "DELETE_FAILED":
		return nil, invalid("Invalid operation on stack [%s]. RetainResources can only be specified when the stack is in DELETE_FAILED state.", st.ID)
	}
	for _, id := range retain {
		if res := st.Resources[id]; res == nil || res.Status == "DELETE_COMPLETE" {
			return nil, invalid("The specified resources to retain must be in a valid state: %s", id)
		}
	}
	if seen, err := st.useToken(c); err != nil || seen {
		return nil, err
	}
	n.retain = retain
	a, r := s.world.accounts[c.Caller.Account], s.regionOf(c)
	was := st.Status
	st.to(s, "DELETE_IN_PROGRESS", "User Initiated")
	s.later(st, s.stackTakesToDelete(st), func() {
		if why := r.exportsInUse(st); why != "" {
			// Known from issues: the stack is again what it was before.
			st.to(s, was, "Delete canceled. "+why)
			return
		}
		s.remove(a, r, st) //nolint:errcheck // the stack says it
	})
	return nil, nil
}

func (s *Sim) stackTakesToDelete(st *stack) time.Duration {
	d := 5 * time.Second
	for _, res := range st.Resources {
		d += resourceTypes[res.Type].takes
	}
	return d
}

// live finds a stack that is there by name or id, nil without one.
func (s *Sim) live(c *call) *stack {
	name := c.Form.str("StackName")
	id := ""
	if strings.HasPrefix(name, "arn:") {
		id, name = name, stackNameOf(name)
	}
	st := s.regionOf(c).stacks[name]
	if st != nil && id != "" && st.ID != id {
		return nil
	}
	return st
}
