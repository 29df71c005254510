package stackset

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"rollout/templates"
)

// ParameterError is a --parameter that no template of the run takes.
type ParameterError struct{ Message string }

func (e *ParameterError) Error() string { return e.Message }

// baseSwitches are the parameters of recording-base that are given at create, by what
// preflight found.
var baseSwitches = []string{"CreateConfigServiceLinkedRole", "CreateRemediationServiceLinkedRole", "CreateDeliveryBucket"}

// checkParameters refuses a parameter that no template of the run declares, one
// that rollout sets itself, and a value that the template does not take.
func checkParameters(d Desired) error {
	all := templates.Together(d.Templates)
	for _, key := range slices.Sorted(maps.Keys(d.Parameters)) {
		switch key {
		case "HomeRegion":
			return &ParameterError{"--parameter HomeRegion: --home-region says it"}
		case "Remediation":
			return &ParameterError{"--parameter Remediation: --remediation says it"}
		case templates.ParameterRecordedGlobalTypes:
			return &ParameterError{"--parameter RecordedGlobalTypes: it follows from RecordedTypes"}
		}
		if slices.Contains(baseSwitches, key) {
			return &ParameterError{"--parameter " + key + ": preflight finds out account by account what is missing"}
		}
		if slices.ContainsFunc(all, func(t templates.Template) bool { return t.Keeps != nil && t.Keeps.Switch == key }) {
			return &ParameterError{"--parameter " + key + ": preflight finds out whether the bucket is there"}
		}
		declared := false
		var known []string
		for _, t := range all {
			doc := t.Document()
			known = append(known, doc.ParameterOrder...)
			p, ok := doc.Parameters[key]
			if !ok {
				continue
			}
			declared = true
			err := p.Check(d.Parameters[key])
			if err == nil && t.Path == "" {
				err = checkEmbedded(d, p, d.Parameters[key])
			}
			if err != nil {
				value := d.Parameters[key]
				if p.NoEcho {
					value = hidden
				}
				return &ParameterError{fmt.Sprintf("--parameter %s=%s: template %s: %v", key, value, t.Name, err)}
			}
		}
		if !declared {
			slices.Sort(known)
			known = slices.Compact(known)
			hint := ""
			if near := templates.Nearest(key, known); near != "" {
				hint = "; did you mean " + near + "?"
			}
			return &ParameterError{fmt.Sprintf("--parameter %s: no template of this run has it; they have %s%s", key, strings.Join(known, ", "), hint)}
		}
	}
	if err := checkRecorded(d); err != nil {
		return err
	}
	for _, t := range all {
		if t.Enforces != "" && d.Mode(t) == RemediationOff {
			continue // looked for, not deployed
		}
		for _, name := range t.Document().ParameterOrder {
			if _, given := d.Parameters[name]; !given && !t.Document().Parameters[name].HasDefault && !filledIn(d, name) {
				return &ParameterError{fmt.Sprintf("template %s wants a value for %s: give --parameter %s=…", t.Name, name, name)}
			}
		}
	}
	return nil
}

// filledIn says whether rollout gives a parameter its value.
func filledIn(d Desired, name string) bool {
	return name == templates.ParameterHomeRegion || name == templates.ParameterTrustedAccount && d.Caller != "" || name == templates.ParameterOrganization
}

// Declared says whether a template of a run has a parameter of that name.
func Declared(d Desired, name string) bool {
	return slices.ContainsFunc(templates.Together(d.Templates), func(t templates.Template) bool {
		_, has := t.Document().Parameters[name]
		return has
	})
}

// want gives the parameter values of a set: the template's defaults, what rollout
// sets, and what was asked for. They are the same for every account.
func want(d Desired, t templates.Template, automatic bool) map[string]string {
	doc := t.Document()
	out := map[string]string{}
	for _, name := range doc.ParameterOrder {
		p := doc.Parameters[name]
		if p.HasDefault {
			out[name] = p.Default
		}
		if name == templates.ParameterTrustedAccount && d.Caller != "" {
			out[name] = d.Caller
		}
		if name == templates.ParameterOrganization && d.Organization != "" {
			out[name] = d.Organization
		}
		if v, ok := d.Parameters[name]; ok {
			out[name] = v
		}
		switch {
		case name == templates.ParameterHomeRegion:
			out[name] = d.HomeRegion
		case name == templates.ParameterRemediation && t.Enforces != "":
			out[name] = "Manual"
			if automatic {
				out[name] = "Automatic"
			}
		}
	}
	return out
}

// outdated says why a set that is there has to be updated, "" when it need not.
func outdated(s Set) string {
	if !s.Exists {
		return ""
	}
	if sha := s.Template.SHA256(); s.SHA256 != sha {
		return fmt.Sprintf("template changed (%s → %s)", orNone(short(s.SHA256)), short(sha))
	}
	if s.Template.Name == templates.Recording {
		if how := recordsOtherwise(s.Parameters, s.Want); how != "" {
			return how
		}
	}
	for _, k := range slices.Sorted(maps.Keys(s.Want)) {
		have, ok := s.Parameters[k]
		p := s.Template.Document().Parameters[k]
		if !ok && p.HasDefault {
			have = p.Default // a server may leave out what was not given
		}
		if p.NoEcho && have != s.Want[k] {
			return fmt.Sprintf("parameter %s is set anew; its value is not shown", k)
		}
		if have != s.Want[k] {
			return fmt.Sprintf("parameter %s changes from %q to %q", k, have, s.Want[k])
		}
	}
	return ""
}

func orNone(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
