package simaws

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// changeSet is a change that waits to be executed.
type changeSet struct {
	Name, ID, Type, Status, Execution, Reason, Description, token string
	Created                                                       time.Time
	want                                                          definition
	changes                                                       []resourceChange
	resolved                                                      map[string]string
	onFailure                                                     string
}

var changeSetName = regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]{0,127}$`)

// noChanges is why a change set that changes nothing fails.
const noChanges = "The submitted information didn't contain changes. Submit different information to create a change set."

// changeSetOf finds the change set of a call: by id, or by name in its stack.
func (s *Sim) changeSetOf(c *call) (*stack, *changeSet, error) {
	name, stackName := c.Form.str("ChangeSetName"), c.Form.str("StackName")
	if name == "" {
		return nil, nil, validation("1 validation error detected: Value null at 'changeSetName' failed to satisfy constraint: Member must not be null")
	}
	byID := strings.HasPrefix(name, "arn:")
	if !byID && stackName == "" {
		return nil, nil, validation("StackName must be specified if ChangeSetName is not specified as an ARN.")
	}
	stacks := s.regionOf(c).stacks
	if !byID {
		st := s.stackNamed(c, stackName)
		if st == nil {
			return nil, nil, invalid("Stack [%s] does not exist", stackName)
		}
		stacks = map[string]*stack{st.Name: st}
	}
	for _, n := range sortedKeys(stacks) {
		if stacks[n].single == nil {
			continue
		}
		for _, set := range stacks[n].single.sets {
			if set.ID == name || set.Name == name {
				return stacks[n], set, nil
			}
		}
	}
	return nil, nil, changeSetMissing(name)
}

func createChangeSet(s *Sim, c *call) (any, error) {
	f := c.Form
	name, kind := f.str("ChangeSetName"), f.str("ChangeSetType")
	if !changeSetName.MatchString(name) {
		return nil, invalid("1 validation error detected: Value '%s' at 'changeSetName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*", name)
	}
	on, _, err := failureAction(f, "OnStackFailure")
	if err != nil {
		return nil, err
	}
	if kind == "" {
		kind = "UPDATE"
	}
	st := s.live(c)
	switch kind {
	case "IMPORT":
		return nil, validation("The simulated CloudFormation imports no resources")
	case "CREATE":
		if !strings.HasPrefix(f.str("StackName"), "arn:") {
			if err := checkStackName(f, "StackName"); err != nil {
				return nil, err
			}
		}
		if st != nil && st.Status != "REVIEW_IN_PROGRESS" {
			return nil, invalid("Stack [%s] already exists and cannot be created again with the changeSet [%s].", st.Name, name)
		}
	case "UPDATE":
		if st == nil {
			return nil, invalid("Stack [%s] does not exist", f.str("StackName"))
		}
		if st.Status == "REVIEW_IN_PROGRESS" {
			return nil, invalid("Stack:%s is in %s state and can not be updated.", st.ID, st.Status)
		}
		if err := st.updatable(true); err != nil {
			return nil, err
		}
	default:
		return nil, invalid("1 validation error detected: Value '%s' at 'changeSetType' failed to satisfy constraint: Member must satisfy enum value set: [IMPORT, CREATE, UPDATE]", kind)
	}
	type answer struct{ Id, StackId string }
	if st != nil {
		for _, set := range st.own(s).sets {
			if set.Name == name {
				if token := f.str("ClientToken"); token != "" && token == set.token {
					return answer{set.ID, st.ID}, nil
				}
				return nil, fail(http.StatusBadRequest, "AlreadyExistsException", "ChangeSet ["+name+"] already exists")
			}
		}
	}
	before := st
	if kind == "CREATE" {
		before = nil
	}
	want, err := s.define(c, before)
	if err != nil {
		return nil, err
	}
	if _, err := s.worker(c, before, want.role); err != nil {
		return nil, err
	}
	probe := before
	if probe == nil {
		probe = &stack{Name: stackNameIn(f.str("StackName"))}
	}
	a, r := s.world.accounts[c.Caller.Account], s.regionOf(c)
	changes, err := s.preview(a, r, probe, want)
	if err != nil {
		return nil, err
	}
	if st == nil {
		if err := s.roomForStack(a, r); err != nil {
			return nil, err
		}
		st = s.newStack(c, f.str("StackName"))
		st.to(s, "REVIEW_IN_PROGRESS", "User Initiated")
	}
	set := &changeSet{Name: name, Type: kind, Status: "CREATE_PENDING", Execution: "UNAVAILABLE", Description: f.str("Description"), token: f.str("ClientToken"),
		ID:      fmt.Sprintf("arn:%s:cloudformation:%s:%s:changeSet/%s/%s", s.world.partition, c.Region, c.Caller.Account, name, s.ids.uuid()),
		Created: s.clock.Now(), want: want, changes: changes.list, resolved: changes.resolved, onFailure: on}
	st.single.sets = append(st.single.sets, set)
	s.clock.after(time.Second, func() { set.Status = "CREATE_IN_PROGRESS" })
	s.clock.after(4*time.Second, func() {
		switch {
		case set.Execution == "OBSOLETE":
			set.Status = "CREATE_COMPLETE"
		case changes.wrong != "":
			set.Status, set.Reason = "FAILED", changes.wrong
		case changes.nothing():
			set.Status, set.Reason = "FAILED", noChanges
		default:
			set.Status, set.Execution = "CREATE_COMPLETE", "AVAILABLE"
		}
	})
	return answer{set.ID, st.ID}, nil
}

func stackNameIn(name string) string {
	if strings.HasPrefix(name, "arn:") {
		return stackNameOf(name)
	}
	return name
}

func listChangeSets(s *Sim, c *call) (any, error) {
	st, err := s.stackOf(c)
	if err != nil {
		return nil, invalid("Stack [%s] does not exist", c.Form.str("StackName"))
	}
	type summary struct {
		StackId, StackName, ChangeSetId, ChangeSetName, ExecutionStatus, Status string
		StatusReason                                                            string `xml:",omitempty"`
		CreationTime                                                            string
		Description                                                             string `xml:",omitempty"`
		IncludeNestedStacks                                                     bool
	}
	list := []summary{}
	if st.single != nil {
		for _, x := range st.single.sets {
			list = append(list, summary{st.ID, st.Name, x.ID, x.Name, x.Execution, x.Status, x.Reason, iso(x.Created), x.Description, false})
		}
	}
	page, next, err := cfnPage(c, list)
	return struct {
		Summaries []summary `xml:"Summaries>member"`
		NextToken string    `xml:",omitempty"`
	}{page, next}, err
}

// deleteChangeSet is content with one that is not there (API reference,
// DeleteChangeSet: success says that it was deleted, or is not there).
func deleteChangeSet(s *Sim, c *call) (any, error) {
	st, set, err := s.changeSetOf(c)
	if e, ok := err.(*apiError); ok && e.Code == "ChangeSetNotFound" {
		return struct{}{}, nil
	}
	if err != nil {
		return nil, err
	}
	if set.Execution == "EXECUTE_IN_PROGRESS" || set.Status == "CREATE_PENDING" || set.Status == "CREATE_IN_PROGRESS" {
		return nil, fail(http.StatusBadRequest, "InvalidChangeSetStatus", "ChangeSet ["+set.ID+"] cannot be deleted in its current status of ["+set.Status+"]")
	}
	st.single.sets = slices.DeleteFunc(st.single.sets, func(x *changeSet) bool { return x == set })
	return struct{}{}, nil
}

// executeChangeSet does what the change set says; the others of the stack go, for
// they no longer fit it (API reference, ExecuteChangeSet).
func executeChangeSet(s *Sim, c *call) (any, error) {
	st, set, err := s.changeSetOf(c)
	if err != nil {
		return nil, err
	}
	n := st.own(s)
	if token := c.Form.str("ClientRequestToken"); token != "" && n.tokens[token] == c.Action {
		return struct{}{}, nil
	}
	if set.Execution != "AVAILABLE" {
		return nil, fail(http.StatusBadRequest, "InvalidChangeSetStatus", "ChangeSet ["+set.ID+"] cannot be executed in its current execution status of ["+set.Execution+"]")
	}
	disable, given := c.Form.boolean("DisableRollback")
	if given && set.onFailure != "" {
		return nil, validation("You can specify either DisableRollback or OnStackFailure, but not both.")
	}
	disable = disable || set.onFailure == "DO_NOTHING"
	if set.Type != "CREATE" {
		if err := st.updatable(disable); err != nil {
			return nil, err
		}
	}
	by, err := s.worker(c, st, "")
	if set.want.role != "" { // it was passed when the change set was made
		by, err = s.serviceRole(s.world.accounts[c.Caller.Account], set.want.role)
	}
	if err != nil {
		return nil, err
	}
	if _, err := st.useToken(c); err != nil {
		return nil, err
	}
	n.sets, n.ChangeSet, n.by, n.next, n.during = nil, set.ID, by, "", ""
	n.exceptOnCreate, _ = c.Form.boolean("RetainExceptOnCreate")
	n.Disable, n.OnFailure = disable, ""
	a, r := s.world.accounts[c.Caller.Account], s.regionOf(c)
	if set.Type == "CREATE" {
		n.OnFailure = set.onFailure
		st.define(set.want)
		s.startCreate(a, r, st)
	} else {
		s.startUpdate(a, r, st, set.want)
	}
	return struct{}{}, nil
}

// obsolete marks the change sets that a direct update has overtaken.
func (n *single) obsolete() {
	for _, set := range n.sets {
		set.Execution = "OBSOLETE"
	}
}
