package stackset

import (
	"maps"
	"slices"

	"rollout/templates"
)

// SetDiff is what an update of a set changes in each of its stacks.
type SetDiff struct {
	Parameters []ParameterChange
	Resources  []RegionalChange
	// Unread says why the template that is there could not be compared, "" when it was.
	Unread string
}

// ParameterChange is a parameter's value as it is and as it will be; either is ""
// where there is none. Values of NoEcho parameters are never in it.
type ParameterChange struct{ Name, From, To string }

// RegionalChange is a change of a resource, and the Regions in which it is so.
type RegionalChange struct {
	templates.ResourceChange
	Regions []string
}

// hidden stands for a value that must not be shown.
const hidden = "****"

// Diff compares what a set is with what the run makes of it, in the Regions of its
// instances. It is empty for a set that is new or not updated.
func (p *Plan) Diff(s Set) SetDiff {
	var out SetDiff
	if !s.Exists || s.Outdated == "" {
		return out
	}
	new := s.Template.Document()
	old, err := templates.Parse([]byte(s.Deployed))
	if err != nil {
		out.Unread = "the template that is deployed cannot be read: " + err.Error()
		old = &templates.Document{}
	}
	out.Parameters = parameterChanges(old, new, s)
	if out.Unread != "" {
		return out
	}
	regions := map[string]bool{}
	for t := range s.Instances {
		regions[t.Region] = true
	}
	if len(regions) == 0 {
		regions[p.Desired.HomeRegion] = true
	}
	for _, region := range slices.Sorted(maps.Keys(regions)) {
		values := func(given map[string]string) map[string]string {
			given = maps.Clone(given)
			if given == nil {
				given = map[string]string{}
			}
			given["AWS::Region"], given["AWS::Partition"] = region, p.Desired.Partition
			return given
		}
		for _, c := range templates.Diff(templates.Version{Document: old, Values: values(s.Parameters)}, templates.Version{Document: new, Values: values(s.Want)}) {
			if i := slices.IndexFunc(out.Resources, func(r RegionalChange) bool { return sameChange(r.ResourceChange, c) }); i >= 0 {
				out.Resources[i].Regions = append(out.Resources[i].Regions, region)
				continue
			}
			out.Resources = append(out.Resources, RegionalChange{c, []string{region}})
		}
	}
	return out
}

func sameChange(a, b templates.ResourceChange) bool {
	return a.LogicalID == b.LogicalID && a.Type == b.Type && a.Action == b.Action && a.Replacement == b.Replacement && a.Retained == b.Retained && a.Note == b.Note &&
		slices.Equal(a.Properties, b.Properties)
}

func parameterChanges(old, new *templates.Document, s Set) []ParameterChange {
	value := func(d *templates.Document, given map[string]string, name string) string {
		if v, ok := given[name]; ok {
			return v
		}
		return d.Parameters[name].Default
	}
	names := map[string]bool{}
	for _, list := range []map[string]templates.Parameter{old.Parameters, new.Parameters} {
		for name := range list {
			names[name] = true
		}
	}
	var out []ParameterChange
	for _, name := range slices.Sorted(maps.Keys(names)) {
		c := ParameterChange{name, value(old, s.Parameters, name), value(new, s.Want, name)}
		if c.From == c.To {
			continue
		}
		if old.Parameters[name].NoEcho || new.Parameters[name].NoEcho {
			c.From, c.To = hidden, hidden
		}
		out = append(out, c)
	}
	return out
}
