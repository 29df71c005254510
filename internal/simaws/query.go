package simaws

import (
	"net/url"
	"strconv"
)

// query is the form of a query-protocol request, or one structure inside it.
type query struct {
	values url.Values
	prefix string // "" or "DeploymentTargets."
}

// str gives a member as text, "" when it is absent.
func (q query) str(name string) string { return q.values.Get(q.prefix + name) }

// has says whether a member was sent, an empty one included.
func (q query) has(name string) bool { return q.values.Has(q.prefix + name) }

// boolean reads "true"; ok is false when the member is absent.
func (q query) boolean(name string) (value, ok bool) {
	return q.str(name) == "true", q.has(name)
}

// integer reads a number; ok is false when the member is absent or no number.
func (q query) integer(name string) (value int, ok bool) {
	n, err := strconv.Atoi(q.str(name))
	return n, err == nil
}

// sub gives a structure member.
func (q query) sub(name string) query { return query{q.values, q.prefix + name + "."} }

// list reads Name.member.1, Name.member.2 … (query) or Name.1, Name.2 … (ec2Query).
func (q query) list(name string) []string {
	var out []string
	for _, infix := range []string{".member.", "."} {
		for i := 1; q.values.Has(q.prefix + name + infix + strconv.Itoa(i)); i++ {
			out = append(out, q.values.Get(q.prefix+name+infix+strconv.Itoa(i)))
		}
		if out != nil {
			return out
		}
	}
	return nil
}

// structs reads a list of structures: Name.member.1.X, Name.member.2.X … or Name.1.X.
func (q query) structs(name string) []query {
	for _, infix := range []string{".member.", "."} {
		var out []query
		for i := 1; ; i++ {
			sub := query{q.values, q.prefix + name + infix + strconv.Itoa(i) + "."}
			if !sub.any() {
				break
			}
			out = append(out, sub)
		}
		if out != nil {
			return out
		}
	}
	return nil
}

// any says whether any member of the structure was sent.
func (q query) any() bool {
	for k := range q.values {
		if len(k) > len(q.prefix) && k[:len(q.prefix)] == q.prefix {
			return true
		}
	}
	return false
}
