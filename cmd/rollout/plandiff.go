package main

import (
	"fmt"
	"io"
	"strings"

	"rollout/internal/terminal"
	"rollout/stackset"
	"rollout/templates"
)

// showDiff says what an update of a set changes in each of its stacks.
func showDiff(w io.Writer, d stackset.SetDiff) {
	for _, p := range d.Parameters {
		fmt.Fprintf(w, "    parameter %s: %q → %q\n", p.Name, terminal.Clean(p.From), terminal.Clean(p.To))
	}
	for _, r := range d.Resources {
		words := ""
		switch {
		case r.Note != "":
			words = ": " + r.Note
		case r.Action == "modify":
			words = ": " + strings.Join(r.Properties, ", ")
		}
		switch r.Replacement {
		case templates.ReplacementAlways:
			words += "; REPLACED by a new one"
		case templates.ReplacementMay:
			words += "; may be replaced"
		}
		if r.Retained {
			words += "; the old one stays in the account"
		}
		fmt.Fprintf(w, "    %s %s (%s)%s, in %s\n", r.Action, terminal.Clean(r.LogicalID), terminal.Clean(r.Type), terminal.Clean(words), strings.Join(r.Regions, ", "))
	}
	if d.Unread != "" {
		fmt.Fprintf(w, "    what changes in its stacks is not known: %s\n", terminal.Clean(d.Unread))
	}
}
