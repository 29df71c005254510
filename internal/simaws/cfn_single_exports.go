package simaws

// exportsStop says why a stack's exports or imports keep it from going on, "" when
// they do not.
func (s *Sim) exportsStop(r *regionState, st *stack) string { return "" }

// exportsInUse says which export of a stack is in use that keep does not have.
func (s *Sim) exportsInUse(r *regionState, st *stack, keep map[string]string) string { return "" }

type export struct{ output, name string }

func (st *stack) exports() []export { return nil }
