package stackset

import (
	"maps"

	"rollout/templates"
)

// pioneer splits off one of the recorders to make, which is made as the set is now, so
// that the set can be changed with it: UpdateStackSet wants an instance to work on, and
// without one works on all. It is for a set of which only what is recorded changes and
// whose instances are all of other runs; with any other change, what is made first would
// not be what was asked for. first is empty where there is no need of it or it cannot be.
func pioneer(s *Set, updates, creates []Change) (first, rest []Change) {
	if len(updates) > 0 || len(creates) == 0 || len(s.Instances) == 0 || s.Outdated == "" || !recordsOnly(*s) {
		return nil, creates
	}
	return creates[:1:1], creates[1:]
}

// recordsOnly says that what is recorded is all that changes about a set.
func recordsOnly(s Set) bool {
	if s.Template.Name != templates.Recording {
		return false
	}
	s.Want = maps.Clone(s.Want)
	for _, name := range []string{templates.ParameterRecordedTypes, templates.ParameterRecordedGlobalTypes} {
		s.Want[name] = s.Parameters[name]
	}
	return outdated(s) == ""
}
