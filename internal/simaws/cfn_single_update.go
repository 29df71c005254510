package simaws

import (
	"strings"
)

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
	n := st.own(s)
	if token := c.Form.str("ClientRequestToken"); token != "" && n.tokens[token] == c.Action {
		return stackAnswer{st.ID}, nil
	}
	disable, _ := c.Form.boolean("DisableRollback")
	if err := st.updatable(disable); err != nil {
		return nil, err
	}
	next, err := s.readStackPolicy(c, "StackPolicy")
	if err != nil {
		return nil, err
	}
	during, err := s.readStackPolicy(c, "StackPolicyDuringUpdate")
	if err != nil {
		return nil, err
	}
	d, err := s.define(c, st)
	if err != nil {
		return nil, err
	}
	by, err := s.worker(c, st, d.role)
	if err != nil {
		return nil, err
	}
	changes, err := s.preview(s.world.accounts[c.Caller.Account], s.regionOf(c), st, d)
	if err != nil {
		return nil, err
	}
	if changes.nothing() {
		return nil, validation(noUpdates)
	}
	if _, err := st.useToken(c); err != nil {
		return nil, err
	}
	n.Disable, n.OnFailure, n.by, n.next, n.during = disable, "", by, next, during
	n.exceptOnCreate, _ = c.Form.boolean("RetainExceptOnCreate")
	n.obsolete()
	s.startUpdate(s.world.accounts[c.Caller.Account], s.regionOf(c), st, d)
	return stackAnswer{st.ID}, nil
}

// startUpdate makes a stack what a definition says, each resource in its time.
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
	p := s.inTime(a, r, st)
	p.denials = n.policy()
	p.wait(starting, func() {
		p.forward(func(err error) {
			if err != nil {
				st.fall(s, reasonOf(err)) // unless a resource has said it already
				s.afterFailedUpdate(p)
				return
			}
			st.to(s, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "")
			p.wait(settling, func() {
				p.cleanUp(func(left []string) {
					n.endUpdate()
					st.to(s, "UPDATE_COMPLETE", successful("Update", left))
				})
			})
		})
	})
}

// endUpdate puts the policy in force that came with an update that succeeded: it is not
// this update that it is about (API reference, UpdateStack, StackPolicyBody).
func (n *single) endUpdate() {
	if n.next != "" {
		n.Policy = n.next
	}
	n.next, n.during, n.work, n.good, n.unrestored = "", "", nil, nil, ""
}

// successful words the end of an update or of its rollback.
func successful(what string, left []string) string {
	if len(left) == 0 {
		return ""
	}
	return what + " successful. One or more resources could not be deleted."
}
