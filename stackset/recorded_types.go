package stackset

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"rollout/templates"
)

// recorded is what recorders record: every type, or those by name.
type recorded struct {
	all   bool
	types map[string]bool
}

// recordedIn reads the parameters of a set or stack of recording. A body of an earlier
// release has none and records all.
func recordedIn(parameters map[string]string) recorded {
	regional, has := parameters[templates.ParameterRecordedTypes]
	if !has || regional == templates.RecordAll {
		return recorded{all: true}
	}
	r := recorded{types: map[string]bool{}}
	for _, text := range []string{regional, parameters[templates.ParameterRecordedGlobalTypes]} {
		for name := range strings.SplitSeq(text, ",") {
			if name != "" {
				r.types[name] = true
			}
		}
	}
	return r
}

// with is what two of them record together.
func (r recorded) with(other recorded) recorded {
	if r.all || other.all {
		return recorded{all: true}
	}
	out := recorded{types: maps.Clone(r.types)}
	if out.types == nil {
		out.types = map[string]bool{}
	}
	maps.Copy(out.types, other.types)
	return out
}

// beyond are the types that r records and other does not.
func (r recorded) beyond(other recorded) []string {
	if other.all {
		return nil
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(r.types)) {
		if !other.types[name] {
			out = append(out, name)
		}
	}
	return out
}

// give writes the parameters. IAM's types go to the home Region only, and nowhere where
// AWS Config does not offer them there.
func (r recorded) give(parameters map[string]string, home string) {
	if r.all {
		parameters[templates.ParameterRecordedTypes], parameters[templates.ParameterRecordedGlobalTypes] = templates.RecordAll, ""
		return
	}
	var regional, global []string
	for _, name := range slices.Sorted(maps.Keys(r.types)) {
		switch {
		case !slices.Contains(templates.IAMTypes, name):
			regional = append(regional, name)
		case slices.Contains(iamRegions, home):
			global = append(global, name)
		}
	}
	if regional == nil {
		regional = []string{templates.RecordedAnyway}
	}
	parameters[templates.ParameterRecordedTypes] = strings.Join(regional, ",")
	parameters[templates.ParameterRecordedGlobalTypes] = strings.Join(global, ",")
}

// in is what is recorded in one Region.
func (r recorded) in(region, home string) recorded {
	out := r.with(recorded{})
	if region != home {
		for _, name := range templates.IAMTypes {
			delete(out.types, name)
		}
	}
	return out
}

func (r recorded) String() string {
	if r.all {
		return "all resource types"
	}
	return some(slices.Sorted(maps.Keys(r.types)))
}

// recordedFor is what the rules of a run need recorded; rules is false where it brings
// none, and so nothing says what to record.
func recordedFor(d Desired) (need recorded, rules bool) {
	need.types = map[string]bool{}
	for _, t := range templates.Together(d.Templates) {
		if t.Enforces != "" {
			continue // its rules are another template's
		}
		s := Set{Template: t, Want: want(d, t, false)}
		for _, region := range d.RegionsOf(t) {
			types, all := t.RecordedTypes(s.values(region, d.Partition))
			need.all = need.all || all
			for _, name := range types {
				need.types[name] = true
			}
		}
		rules = rules || len(t.Rules)+len(t.Unnamed) > 0
	}
	return need, rules || need.all
}

// wantRecorded has the recorders of a run record what its rules need, and no less than
// they were made to record by earlier runs, whose rules are not known here. What the
// user says goes before both.
func wantRecorded(d Desired, s *Set) {
	if s.Template.Name != templates.Recording {
		return
	}
	if _, said := d.Parameters[templates.ParameterRecordedTypes]; said {
		recordedIn(s.Want).give(s.Want, d.HomeRegion)
		return
	}
	r, rules := recordedFor(d)
	there := false
	if s.Exists && len(s.Instances) > 0 {
		r, there = r.with(recordedIn(s.Parameters)), true
	}
	for _, one := range s.Singles {
		if one.Ours {
			r, there = r.with(recordedIn(one.Parameters)), true
		}
	}
	if !rules && !there {
		r = recorded{all: true}
	}
	r.give(s.Want, d.HomeRegion)
}

// recordsOtherwise says how what recorders record changes, "" when it does not.
func recordsOtherwise(have, want map[string]string) string {
	was, is := recordedIn(have), recordedIn(want)
	more, less := is.beyond(was), was.beyond(is)
	switch {
	case was.all && is.all:
		return ""
	case is.all:
		return "records all resource types from now on"
	case was.all:
		return fmt.Sprintf("records %s from now on, and no longer all resource types", is)
	case less != nil && more != nil:
		return fmt.Sprintf("records %s as well, and no longer %s", some(more), some(less))
	case less != nil:
		return "no longer records " + some(less)
	case more != nil:
		return "records " + some(more) + " as well"
	}
	return ""
}

// checkRecorded refuses a list of types that AWS Config does not know, or that leaves
// out what the rules of the run need.
func checkRecorded(d Desired) error {
	text, said := d.Parameters[templates.ParameterRecordedTypes]
	if !said || text == templates.RecordAll {
		return nil
	}
	refuse := func(format string, args ...any) error {
		return &ParameterError{fmt.Sprintf("--parameter %s=%s: ", templates.ParameterRecordedTypes, text) + fmt.Sprintf(format, args...)}
	}
	for name := range strings.SplitSeq(text, ",") {
		if near, ok := templates.Recordable(name); !ok {
			if near != "" {
				near = "; did you mean " + near + "?"
			}
			return refuse("AWS Config records no %s that this version knows; %s has every type%s", name, templates.RecordAll, near)
		}
	}
	given := recordedIn(map[string]string{templates.ParameterRecordedTypes: text})
	need, _ := recordedFor(d)
	switch missing := need.beyond(given); {
	case need.all:
		return refuse("a rule of this run looks at types that its template does not name, so it takes %s", templates.RecordAll)
	case missing != nil:
		return refuse("rules of this run need %s too: add it, or leave the parameter out", list(missing))
	}
	return nil
}
