package simaws

import "maps"

// ec2Shared serves a call of apiCalls over EC2's query protocol.
func ec2Shared(s *Sim, c *call) (any, error) {
	a := s.world.accounts[c.Caller.Account]
	who := func(x access) error { return denial(services["ec2"], s.allowed(c.Caller, x)) }
	in := ec2Members(c.Form)
	maps.Copy(in, ec2MoreMembers(c.Form))
	out, err := s.apiDo(who, a, a.region(c.Region), "ec2", c.Action, in)
	if err != nil {
		return nil, err
	}
	s.trail(a, a.region(c.Region), c.Caller.ARN, c.Action, in)
	return out, nil
}
