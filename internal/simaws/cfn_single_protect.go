package simaws

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
