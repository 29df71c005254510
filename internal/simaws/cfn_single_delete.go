package simaws

import (
	"strings"
	"time"
)

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
	if err := s.takeRole(c, st); err != nil {
		return nil, err
	}
	if seen, err := st.useToken(c); err != nil || seen {
		return nil, err
	}
	n.retain = retain
	a, r := s.world.accounts[c.Caller.Account], s.regionOf(c)
	was := st.Status
	if n.work != nil {
		n.work.stop()
	}
	p := s.inTime(a, r, st)
	st.ends(s, "DELETE_IN_PROGRESS", "User Initiated")
	p.wait(starting, func() {
		if why := r.exportsInUse(st); why != "" {
			// Known from issues: the stack is again what it was before.
			st.Deleted = time.Time{}
			st.to(s, was, "Delete canceled. "+why)
			return
		}
		p.removeAll(p.onDelete, func(failed []string) {
			if len(failed) > 0 {
				st.to(s, "DELETE_FAILED", failedTo("delete", failed))
				return
			}
			p.wait(settling, func() { s.forget(r, st) })
		})
	})
	return nil, nil
}
