package simaws

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// noUpdates is what AWS says of an update that changes nothing; the instance is
// then CURRENT.
const noUpdates = "No updates are to be performed."

// work does one instance: it is under way for a while, then done at once.
func (s *Sim) work(set *stackSet, op *operation, run *regionRun, item *opItem) {
	i := set.instances[item.target]
	item.Status, i.Detailed, item.begun = "RUNNING", "RUNNING", s.clock.Now()
	s.clock.after(s.lasts(set, op, i), func() {
		changed, err := false, error(nil)
		if op.imports != nil {
			err = s.takeIn(set, op, i)
			changed = true
		} else if op.Action == "DETECT_DRIFT" {
			err = s.detectInstance(op, i)
			item.drift = i.driftStatus()
		} else {
			changed, err = s.perform(set, op, i)
		}
		run.running--
		defer s.free(set.Region)
		item.ended = s.clock.Now()
		switch {
		case op.Action == "DETECT_DRIFT": // says nothing of the instance's own status
			item.Status, i.Detailed = "SUCCEEDED", "SUCCEEDED"
			if err != nil {
				run.failures++
				op.failed++
				item.Status, item.Reason, i.Detailed = "FAILED", reasonOf(err), "FAILED"
			}
		case err != nil:
			run.failures++
			op.failed++
			item.Status, item.Reason = "FAILED", reasonOf(err)
			i.Detailed, i.Reason, i.Status = "FAILED", item.Reason, "OUTDATED"
			switch {
			case op.Action == "DELETE":
				i.Status, i.Detailed = "INOPERABLE", "INOPERABLE"
			case op.imports != nil:
				i.Status, i.Detailed = "INOPERABLE", "FAILED_IMPORT"
			}
		case op.Action == "DELETE":
			item.Status = "SUCCEEDED"
			set.drop(item.target)
		default:
			item.Status = "SUCCEEDED"
			if !changed {
				item.Reason = noUpdates
			}
			i.Status, i.Detailed, i.Reason = "CURRENT", "SUCCEEDED", ""
		}
		s.push(set, op)
	})
}

// lasts is how long an instance takes: 15 to 35 seconds and its resources' time,
// or next to nothing for letting a stack go.
func (s *Sim) lasts(set *stackSet, op *operation, i *stackInstance) time.Duration {
	if op.Action == "DELETE" && op.Retain {
		return spread(2*time.Second, 5*time.Second, op.ID, i.account, i.region)
	}
	if op.imports != nil {
		return spread(10*time.Second, 20*time.Second, op.ID, i.account, i.region)
	}
	if op.Action == "DETECT_DRIFT" {
		return spread(10*time.Second, 25*time.Second, op.ID, i.account, i.region) + time.Duration(len(set.doc.Resources))*time.Second
	}
	d := spread(15*time.Second, 35*time.Second, op.ID, i.account, i.region)
	st := &stack{doc: set.doc, Parameters: effective(set.doc, set.Parameters, i.Overrides)}
	if p, err := s.plan(s.world.everAccount(i.account), i.region, st); err == nil {
		d += p.takes()
	}
	return d
}

func reasonOf(err error) string {
	if e, ok := err.(*apiError); ok {
		return e.Message
	}
	return err.Error()
}

// stuck are the states out of which a stack can only be deleted (status reasons of
// StackSet operations).
var stuck = []string{"CREATE_FAILED", "ROLLBACK_FAILED", "ROLLBACK_COMPLETE", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED"}

// perform creates, updates or deletes the stack of an instance; changed says
// whether there was anything to do.
func (s *Sim) perform(set *stackSet, op *operation, i *stackInstance) (changed bool, err error) {
	a := s.world.everAccount(i.account)
	r := a.region(i.region)
	st := r.stacks[i.StackName]
	if op.Action == "DELETE" && op.Retain {
		// The stack is let go as it is: nobody enters the account.
		if st != nil {
			st.StackSet = ""
		}
		return true, nil
	}
	if s.world.regionStatus(a, i.region) == "DISABLED" {
		return false, validation("STS is not activated in this region for account:" + a.ID + ". Your account administrator can activate STS in this region using the IAM Console.")
	}
	if a.State != "ACTIVE" || s.world.accounts[a.ID] == nil && !op.auto { // left, or closed since the operation began (superwerker#243)
		return false, validation("Account " + a.ID + " should have '" + s.execution(a) + "' role with trust relationship to Role 'aws-service-role/stacksets.cloudformation.amazonaws.com/AWSServiceRoleForCloudFormationStackSetsOrgAdmin'.")
	}
	action := "CreateStack"
	switch {
	case op.Action == "DELETE" && st == nil:
		return true, nil
	case op.Action == "DELETE":
		action = "DeleteStack"
	case st != nil:
		action = "UpdateStack"
	}
	resource := fmt.Sprintf("arn:%s:cloudformation:%s:%s:stack/StackSet-%s-*/*", s.world.partition, i.region, a.ID, set.Name)
	if err := s.denyExecution(a, i.region, "cloudformation:"+action, resource); err != nil {
		return false, err
	}
	if op.Action == "DELETE" {
		if st.single != nil && st.single.Protected { // "Termination protection" (user guide): the stack set's delete fails
			return false, statusReason("Stack [" + st.ID + "] cannot be deleted while TerminationProtection is enabled")
		}
		if strings.HasSuffix(st.Status, "_IN_PROGRESS") { // somebody in the account works on it
			return false, statusReason("Stack [" + st.ID + "] cannot be deleted while in status " + st.Status)
		}
		return true, s.remove(a, r, st)
	}
	if st != nil && (slices.Contains(stuck, st.Status) || strings.HasSuffix(st.Status, "_IN_PROGRESS")) {
		return false, statusReason("Stack:" + st.ID + " is in " + st.Status + " state and can not be updated.")
	}
	fresh := st == nil
	if fresh {
		if err := s.roomForStack(a, r); err != nil {
			return false, err
		}
		name := "StackSet-" + set.Name + "-" + s.ids.uuid()
		st = &stack{Name: name, Created: s.clock.Now(), StackSet: set.ID,
			ID: fmt.Sprintf("arn:%s:cloudformation:%s:%s:stack/%s/%s", s.world.partition, i.region, a.ID, name, s.ids.uuid())}
		i.StackName, i.StackID = st.Name, st.ID
		r.stacks[name] = st
	}
	before := *st
	st.Body, st.doc, st.Tags, st.Description = set.Body, set.doc, maps.Clone(set.Tags), set.doc.Description
	st.Parameters = effective(set.doc, set.Parameters, i.Overrides)
	changed, err = s.apply(a, r, st, before.Tags)
	switch {
	case err != nil && fresh && len(st.Resources) > 0:
		st.Status, st.Reason = "ROLLBACK_FAILED", "The following resource(s) failed to delete: ["+strings.Join(st.Order, ", ")+"]. "
		return false, err
	case err != nil && fresh:
		// A create that is rolled back leaves no stack behind an instance.
		delete(r.stacks, st.Name)
		i.StackName, i.StackID = "", ""
		return false, err
	case err != nil:
		st.revert(s, before, err)
		return false, err
	case fresh:
		st.Status = "CREATE_COMPLETE"
	case changed:
		st.Status, st.Reason, st.Updated = "UPDATE_COMPLETE", "", s.clock.Now()
	}
	return changed || !maps.Equal(before.Tags, st.Tags), nil
}

// revert makes a stack what it was before an update that failed, as far as its resources
// could be rolled back.
func (st *stack) revert(s *Sim, before stack, err error) {
	n := st.single
	resources, order := st.Resources, st.Order
	*st = before
	if n == nil || n.work == nil || n.unrestored == "" {
		st.Status, st.Reason = "UPDATE_ROLLBACK_COMPLETE", reasonOf(err)
		return
	}
	st.single, st.Resources, st.Order = n, resources, order
	good := before
	good.single, good.Resources = nil, nil
	n.good = &good
	st.to(s, "UPDATE_ROLLBACK_FAILED", failedTo("update", []string{n.unrestored}))
}
