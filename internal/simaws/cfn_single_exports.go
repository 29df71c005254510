package simaws

import (
	"slices"
	"strings"
)

// export is an output that other stacks of the account and Region can import.
type export struct{ output, name, value string }

// exports are what a stack exports now.
func (st *stack) exports() (list []export) {
	for _, output := range sortedKeys(st.exported) {
		list = append(list, export{output, st.exported[output], st.Outputs[output]})
	}
	return list
}

// exportName evaluates the export of an output that is there.
func (p *planned) exportName(output string) string {
	m, _ := p.e.doc.Outputs[output].(map[string]any)
	e, _ := m["Export"].(map[string]any)
	if e == nil {
		return ""
	}
	v, err := p.e.value(e["Name"])
	if err != nil {
		return ""
	}
	return substituted(v)
}

// importers are the stacks that import a name, sorted.
func (r *regionState) importers(name string) (list []string) {
	for _, n := range sortedKeys(r.stacks) {
		if slices.Contains(r.stacks[n].imported, name) {
			list = append(list, n)
		}
	}
	return list
}

// exportsDiffer says why a stack's new outputs keep it from going on, "" when they
// do not: a name that another stack exports, or one in use that would change or go.
func (r *regionState) exportsDiffer(st *stack, outputs, names map[string]string) string {
	for _, output := range sortedKeys(names) {
		for _, other := range sortedKeys(r.stacks) {
			if other == st.Name {
				continue
			}
			for _, e := range r.stacks[other].exports() {
				if e.name == names[output] {
					return "Export with name " + e.name + " is already exported by stack " + other
				}
			}
		}
	}
	for _, old := range st.exports() {
		users := r.importers(old.name)
		if len(users) == 0 {
			continue
		}
		verb := "deleted"
		for output, name := range names {
			if name == old.name {
				verb = "updated"
				if outputs[output] == old.value {
					verb = ""
				}
			}
		}
		if verb != "" {
			return "Export " + old.name + " cannot be " + verb + " as it is in use by " + strings.Join(users, ", ")
		}
	}
	return ""
}

// exportsInUse says which export of a stack keeps it from being deleted.
func (r *regionState) exportsInUse(st *stack) string {
	for _, e := range st.exports() {
		if users := r.importers(e.name); len(users) > 0 {
			return "Cannot delete export " + e.name + " as it is in use by " + strings.Join(users, " and ") + "."
		}
	}
	return ""
}

func listExports(s *Sim, c *call) (any, error) {
	type shape struct{ ExportingStackId, Name, Value string }
	list := []shape{}
	stacks := s.regionOf(c).stacks
	for _, n := range sortedKeys(stacks) {
		for _, e := range stacks[n].exports() {
			list = append(list, shape{stacks[n].ID, e.name, e.value})
		}
	}
	slices.SortFunc(list, func(a, b shape) int { return strings.Compare(a.Name, b.Name) })
	page, next, err := cfnPage(c, list)
	return struct {
		Exports   []shape `xml:"Exports>member"`
		NextToken string  `xml:",omitempty"`
	}{page, next}, err
}

func listImports(s *Sim, c *call) (any, error) {
	name, r := c.Form.str("ExportName"), s.regionOf(c)
	if name == "" {
		return nil, validation("1 validation error detected: Value null at 'exportName' failed to satisfy constraint: Member must not be null")
	}
	users := r.importers(name)
	if len(users) == 0 {
		return nil, invalid("Export '%s' is not imported by any stack.", name)
	}
	page, next, err := cfnPage(c, users)
	return struct {
		Imports   []string `xml:"Imports>member"`
		NextToken string   `xml:",omitempty"`
	}{page, next}, err
}

// exported finds what another stack of the Region exports under a name.
func (r *regionState) exported(own, name string) (string, bool) {
	for _, other := range sortedKeys(r.stacks) {
		if other == own {
			continue
		}
		for _, e := range r.stacks[other].exports() {
			if e.name == name {
				return e.value, true
			}
		}
	}
	return "", false
}
