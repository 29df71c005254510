package simaws

import (
	"net/url"
	"strconv"
	"strings"
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

// tree gives the form as a JSON request would have it: objects, lists and texts.
func (q query) tree() map[string]any {
	root := map[string]any{}
	for _, name := range sortedKeys(q.values) {
		at, words := root, strings.Split(name, ".")
		for _, word := range words[:len(words)-1] {
			next, isObject := at[word].(map[string]any)
			if !isObject {
				next = map[string]any{}
				at[word] = next
			}
			at = next
		}
		if last := words[len(words)-1]; at[last] == nil {
			at[last] = q.values.Get(name)
		}
	}
	for name, v := range root {
		root[name] = unnumbered(v)
	}
	return root
}

// unnumbered makes lists of {"member": {"1": …, "2": …}} and maps of {"entry": {"1":
// {"key": …, "value": …}}}.
func unnumbered(v any) any {
	m, isObject := v.(map[string]any)
	if !isObject {
		return v
	}
	numbered := func(of any) (list []any, ok bool) {
		byNumber, isObject := of.(map[string]any)
		for i := 1; isObject && byNumber[strconv.Itoa(i)] != nil; i++ {
			list = append(list, unnumbered(byNumber[strconv.Itoa(i)]))
		}
		return list, isObject && len(list) == len(byNumber)
	}
	if len(m) == 1 {
		if list, ok := numbered(m["member"]); ok {
			return list
		}
		if list, ok := numbered(m["entry"]); ok {
			entries := map[string]any{}
			for _, e := range list {
				if e, isObject := e.(map[string]any); isObject {
					key, _ := e["key"].(string)
					entries[key] = e["value"]
				}
			}
			return entries
		}
	}
	for name, x := range m {
		m[name] = unnumbered(x)
	}
	return m
}
