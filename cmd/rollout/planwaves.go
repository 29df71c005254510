package main

import (
	"fmt"
	"io"
	"strings"

	"rollout/internal/terminal"
	"rollout/stackset"
)

// showWaves says of each set that enforces automatically which accounts are first, why
// these, and when the others follow.
func showWaves(w io.Writer, p *stackset.Plan) {
	for _, wave := range p.Waves {
		n := len(wave.First) + len(wave.Before)
		fmt.Fprintf(w, "\nFirst wave of %s: %s of %d\n", wave.StackSet, counted(n, "account"), n+len(wave.Later))
		for _, id := range wave.Before {
			fmt.Fprintf(w, "  %s, enforced since an earlier run\n", inPlan(p, id))
		}
		for _, id := range wave.First {
			much := ""
			if weight, known := wave.Weights[id]; known {
				much = fmt.Sprintf(", %s would be changed, %d of them not known to be safe", counted(weight.Resources, "resource"), weight.NotSafe)
			}
			fmt.Fprintf(w, "  %s%s\n", inPlan(p, id), much)
		}
		fmt.Fprintf(w, "  They are watched until each finding is gone, or left for a reason that is told; then the rest follows (%s), and otherwise nothing does.\n", counted(len(wave.Later), "account"))
		switch {
		case wave.First == nil:
		case len(wave.Weights) > 0:
			fmt.Fprintln(w, "  Chosen: accounts in which something would be changed, not below an OU called production, with least at risk.")
		default:
			fmt.Fprintln(w, "  Chosen: not below an OU called production, by OU and id; what would be changed in them was not read (--max-blast).")
		}
	}
}

// inPlan names an account of a plan with its place.
func inPlan(p *stackset.Plan, id string) string {
	for _, a := range p.Desired.Accounts {
		if a.ID == id {
			return terminal.Clean(strings.TrimSpace(fmt.Sprintf("%s (%s) under %s", id, a.Name, orWord(a.OUPath(), "the root"))))
		}
	}
	return id
}
