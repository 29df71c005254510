package simaws

import (
	"encoding/json"
	"time"
)

// cancelUpdate rolls an update back that is still under way.
func cancelUpdate(s *Sim, c *call) (any, error) {
	st := s.live(c)
	if st == nil {
		return nil, invalid("Stack [%s] does not exist", c.Form.str("StackName"))
	}
	st.own(s)
	if st.Status != "UPDATE_IN_PROGRESS" {
		return nil, validation("CancelUpdateStack cannot be called from current stack status")
	}
	if seen, err := st.useToken(c); err != nil || seen {
		return nil, err
	}
	st.to(s, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
	s.afterFailedUpdate(st)
	return nil, nil
}

// rollbackStack takes a stack that was made without rollback to where it was before.
func rollbackStack(s *Sim, c *call) (any, error) {
	st := s.live(c)
	if st == nil {
		return nil, invalid("Stack [%s] does not exist", c.Form.str("StackName"))
	}
	n := st.own(s)
	a, r := s.world.accounts[c.Caller.Account], s.regionOf(c)
	if st.Status != "CREATE_FAILED" && st.Status != "UPDATE_FAILED" {
		return nil, invalid("RollbackStack cannot be called from current stack status: %s", st.Status)
	}
	if seen, err := st.useToken(c); err != nil || seen {
		return stackAnswer{st.ID}, err
	}
	if st.Status == "CREATE_FAILED" || n.good == nil || n.good.Status == "CREATE_FAILED" {
		st.to(s, "ROLLBACK_IN_PROGRESS", "User Initiated")
		s.later(st, s.stackTakesToDelete(st), func() {
			s.removeAll(a, r, st)
			st.to(s, "ROLLBACK_COMPLETE", "")
		})
		return stackAnswer{st.ID}, nil
	}
	n.Disable, n.OnFailure = false, ""
	good := n.good
	st.Body, st.doc, st.Parameters, st.Tags, st.Description = good.Body, good.doc, good.Parameters, good.Tags, good.Description
	st.to(s, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
	s.later(st, s.stackTakes(a, r, st), func() {
		s.apply(a, r, st) //nolint:errcheck // a rollback does what it can
		st.to(s, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "")
		s.later(st, 2*time.Second, func() { st.to(s, "UPDATE_ROLLBACK_COMPLETE", "") })
	})
	return stackAnswer{st.ID}, nil
}

func updateProtection(s *Sim, c *call) (any, error) {
	on, given := c.Form.boolean("EnableTerminationProtection")
	if !given {
		return nil, validation("1 validation error detected: Value null at 'enableTerminationProtection' failed to satisfy constraint: Member must not be null")
	}
	st := s.live(c)
	if st == nil {
		return nil, invalid("Stack [%s] does not exist", c.Form.str("StackName"))
	}
	if st.Status == "DELETE_IN_PROGRESS" {
		return nil, invalid("Stack [%s] is in DELETE_IN_PROGRESS state and its termination protection cannot be changed", st.ID)
	}
	st.own(s).Protected = on
	return stackAnswer{st.ID}, nil
}

// setStackPolicy keeps a stack policy; updates do not look at it.
func setStackPolicy(s *Sim, c *call) (any, error) {
	st, err := s.stackOf(c)
	if err != nil {
		return nil, err
	}
	body := c.Form.str("StackPolicyBody")
	switch {
	case c.Form.has("StackPolicyURL"):
		return nil, validation("S3 error: Access Denied")
	case !json.Valid([]byte(body)):
		return nil, validation("Error validating stack policy: Invalid stack policy")
	}
	st.own(s).Policy = body
	return nil, nil
}

func getStackPolicy(s *Sim, c *call) (any, error) {
	st, err := s.stackOf(c)
	if err != nil {
		return nil, err
	}
	policy := ""
	if st.single != nil {
		policy = st.single.Policy
	}
	return struct {
		StackPolicyBody string `xml:",omitempty"`
	}{policy}, nil
}
