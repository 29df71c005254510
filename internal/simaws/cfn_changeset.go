package simaws

// changeSet is a change that waits to be executed.
type changeSet struct{ want definition }

func (s *Sim) changeSetOf(c *call) (*stack, *changeSet, error) {
	return nil, nil, changeSetMissing(c.Form.str("ChangeSetName"))
}
