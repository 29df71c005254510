package simaws

// evaluated is told of every verdict.
func (s *Sim) evaluated(r *regionState, rule *configRule, id string) {}
