package simaws

import (
	"regexp"
	"slices"
	"strings"
)

// cancelUpdate rolls an update back that is still under way.
func cancelUpdate(s *Sim, c *call) (any, error) {
	st := s.live(c)
	if st == nil {
		return nil, invalid("Stack [%s] does not exist", c.Form.str("StackName"))
	}
	n := st.own(s)
	if st.Status != "UPDATE_IN_PROGRESS" {
		return nil, validation("CancelUpdateStack cannot be called from current stack status")
	}
	if seen, err := st.useToken(c); err != nil || seen {
		return nil, err
	}
	st.to(s, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
	n.work.stop()
	s.afterFailedUpdate(n.work)
	return nil, nil
}

// afterFailedUpdate takes a stack back to the last good state, unless what was done is to
// stay.
func (s *Sim) afterFailedUpdate(p *pass) {
	p.st.single.next, p.st.single.during = "", ""
	if p.st.Status == "UPDATE_ROLLBACK_IN_PROGRESS" {
		s.restore(p, nil)
	}
}

// restore undoes what a pass and those before it did. New resources go at the end, when
// nothing can fail any more: what of them cannot be deleted is left behind.
func (s *Sim) restore(p *pass, skip []string) {
	st, n := p.st, p.st.single
	if good := n.good; good != nil {
		st.Body, st.doc, st.Parameters, st.Tags, st.Description, st.Outputs = good.Body, good.doc, good.Parameters, good.Tags, good.Description, good.Outputs
		st.exported, st.imported, st.resolved = good.exported, good.imported, good.resolved
	}
	p.wait(removing, func() {
		p.rollBack(skip, func(failed string) {
			if n.unrestored = failed; failed != "" {
				st.to(s, "UPDATE_ROLLBACK_FAILED", failedTo("update", []string{failed}))
				return
			}
			st.to(s, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "")
			p.wait(settling, func() {
				p.sweep(p.extra, p.onCreate, func(left []string) {
					n.endUpdate()
					st.to(s, "UPDATE_ROLLBACK_COMPLETE", successful("Update rollback", left))
				})
			})
		})
	})
}

// rollbackStack takes a stack that was made without rollback to where it was before.
func rollbackStack(s *Sim, c *call) (any, error) {
	st := s.live(c)
	if st == nil {
		return nil, invalid("Stack [%s] does not exist", c.Form.str("StackName"))
	}
	n := st.own(s)
	if st.Status != "CREATE_FAILED" && st.Status != "UPDATE_FAILED" {
		return nil, invalid("RollbackStack cannot be called from current stack status: %s", st.Status)
	}
	if err := s.takeRole(c, st); err != nil {
		return nil, err
	}
	if seen, err := st.useToken(c); err != nil || seen {
		return stackAnswer{st.ID}, err
	}
	n.exceptOnCreate, _ = c.Form.boolean("RetainExceptOnCreate")
	p := s.inTime(s.world.accounts[c.Caller.Account], s.regionOf(c), st)
	if st.Status == "CREATE_FAILED" || n.good == nil || n.good.Status == "CREATE_FAILED" {
		st.ends(s, "ROLLBACK_IN_PROGRESS", "User Initiated")
		s.afterFailedCreate(p)
		return stackAnswer{st.ID}, nil
	}
	n.Disable, n.OnFailure = false, ""
	st.to(s, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
	s.restore(p, nil)
	return stackAnswer{st.ID}, nil
}

// takeRole reads RoleARN of a call that says nothing else of the stack.
func (s *Sim) takeRole(c *call, st *stack) error {
	by, err := s.worker(c, st, c.Form.str("RoleARN"))
	if err != nil {
		return err
	}
	st.single.by = by
	if arn := c.Form.str("RoleARN"); arn != "" {
		st.single.RoleARN = arn
	}
	return nil
}

var skippable = regexp.MustCompile(`^(?:[a-zA-Z0-9]+|[a-zA-Z][-a-zA-Z0-9]*\.[a-zA-Z0-9]+)$`)

// continueRollback goes on with a rollback that failed, with or without the resource
// that it failed on.
func continueRollback(s *Sim, c *call) (any, error) {
	if c.Form.str("StackName") == "" {
		return nil, validation("1 validation error detected: Value null at 'stackName' failed to satisfy constraint: Member must not be null")
	}
	st := s.live(c)
	if st == nil {
		return nil, invalid("Stack [%s] does not exist", c.Form.str("StackName"))
	}
	n := st.own(s)
	skip := c.Form.list("ResourcesToSkip")
	for _, id := range skip {
		if !skippable.MatchString(id) {
			return nil, invalid("1 validation error detected: Value '[%s]' at 'resourcesToSkip' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z0-9]+|[a-zA-Z][-a-zA-Z0-9]*\\.[a-zA-Z0-9]+]", strings.Join(skip, ", "))
		}
	}
	force, _ := c.Form.boolean("ForceRollback")
	if force && len(skip) > 0 {
		return nil, validation("You can specify either ForceRollback or ResourcesToSkip, but not both.")
	}
	if token := c.Form.str("ClientRequestToken"); token != "" && n.tokens[token] == c.Action {
		return struct{}{}, nil
	}
	if st.Status != "UPDATE_ROLLBACK_FAILED" {
		return nil, invalid("Stack:%s is in %s state and can not be rolled back.", st.ID, st.Status)
	}
	// Only those on which the rollback failed can be skipped (API reference).
	if n.work == nil || slices.ContainsFunc(skip, func(id string) bool { return id != n.unrestored }) {
		return nil, invalid("The following resource(s) cannot be skipped, for they are not in the UPDATE_FAILED state because a rollback failed: [%s]", strings.Join(skip, ", "))
	}
	if err := s.takeRole(c, st); err != nil {
		return nil, err
	}
	if _, err := st.useToken(c); err != nil {
		return nil, err
	}
	if force {
		skip = []string{n.unrestored}
	}
	p := s.inTime(s.world.accounts[c.Caller.Account], s.regionOf(c), st)
	st.to(s, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
	s.restore(p, skip)
	return struct{}{}, nil
}
