package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"rollout/internal/prove"
	"rollout/internal/terminal"
	"rollout/stackset"
)

// showEnforcement says of each set that the plan brings enforcement with what it
// changes, what it leaves and how it is undone, in the words of its manifest.
func showEnforcement(w io.Writer, p *stackset.Plan) {
	for _, s := range p.Sets {
		e := s.Template.Enforcement
		if s.Template.Enforces == "" || e == nil {
			continue
		}
		n := 0
		for _, c := range p.Changes {
			if c.StackSet == s.Name && (c.Action == stackset.Create || c.Action == stackset.Update || c.Action == stackset.Recreate) {
				n++
			}
		}
		if n == 0 {
			continue
		}
		mode := "manual: nothing runs until somebody starts it for a finding"
		if s.Automatic {
			mode = "automatic: AWS Config starts it for each finding"
		}
		fmt.Fprintf(w, "\nEnforcement of %s in %s, %s\n", s.Template.Enforces, counted(n, "place"), mode)
		part := func(title, text string) {
			if text == "" {
				return
			}
			for i, line := range prove.Wrap(text, 96) {
				if i > 0 {
					title = ""
				}
				fmt.Fprintf(w, "  %-7s %s\n", title, line)
			}
		}
		part("does", e.Does)
		part("leaves", e.Leaves)
		part("risks", e.BlastRadius)
		part("undo", e.Undo)
		part("with", terminal.Clean(chosenValues(s)))
	}
}

// chosenValues are the values of a set's parameters that are not the template's own
// and that a person chose: they can change what the manifest says.
func chosenValues(s stackset.Set) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(s.Want)) {
		p := s.Template.Document().Parameters[name]
		if name != "Remediation" && p.HasDefault && s.Want[name] != p.Default {
			out = append(out, fmt.Sprintf("%s=%s (default %s)", name, s.Want[name], orWord(p.Default, "none")))
		}
	}
	return strings.Join(out, ", ")
}
