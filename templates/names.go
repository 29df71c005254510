package templates

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Name is a name that a template gives to a resource, where only one may have it.
type Name struct {
	LogicalID, Type string
	// Name is "" where only a deployment knows it.
	Name string
	// Account says that it is the only one in an account, whatever the Region, or in
	// all of AWS; else in an account's Region.
	Account bool
}

// NamesWith are the names that the template gives with these values of its parameters
// (pseudo parameters too), sorted by logical id. Names that differ from stack to stack
// are none of them, since nobody else has them.
func (t Template) NamesWith(values map[string]string) []Name {
	var out []Name
	resources := resolve(Version{t.document, values})
	for _, id := range slices.Sorted(maps.Keys(resources)) {
		r := resources[id]
		kind, known := named[r.Type]
		given, has := r.Properties[kind.property]
		if !known || !has {
			continue
		}
		name, plain := plainText(given)
		if !plain {
			name = ""
			text, err := json.Marshal(given)
			if err == nil && slices.ContainsFunc(ownStack, func(own string) bool { return strings.Contains(string(text), own) }) {
				continue
			}
		}
		out = append(out, Name{id, r.Type, name, kind.reach != inRegion})
	}
	return out
}
