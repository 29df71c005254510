package main

import (
	"fmt"
	"io"
	"strings"

	"rollout/internal/terminal"
	"rollout/stackset"
)

// showJoining says what an account gets that joins tomorrow, OU by OU: by itself, in
// order, and by the next run.
func showJoining(w io.Writer, p *stackset.Plan) {
	if len(p.Joining) == 0 {
		return
	}
	fmt.Fprintln(w, "\nAn account that joins tomorrow")
	last := ""
	for i, row := range p.Joining {
		if i == 0 || row.OU != last {
			last = row.OU
			fmt.Fprintf(w, "  %s and below (%s)\n", terminal.Clean(orWord(row.Path, "the root")), row.OU)
		}
		how := "not by itself"
		switch {
		case row.Automatic && row.Fails == "":
			how = "by itself"
		case row.Automatic:
			how = "tried, fails"
		case row.NextRun:
			how = "by a run"
		}
		fmt.Fprintf(w, "    %-13s %s (%s): %s\n", how, row.StackSet, strings.Join(row.Regions, ", "), terminal.Clean(row.Why))
	}
}
