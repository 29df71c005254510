package main

import (
	"fmt"
	"io"

	"rollout/internal/terminal"
	"rollout/stackset"
)

// showFindings writes what a plan found, worst first, each with what to do about it.
func showFindings(w io.Writer, out *terminal.Out, p *stackset.Plan) {
	if len(p.Findings) > 0 {
		fmt.Fprintln(w)
	}
	for _, f := range p.Findings {
		style := terminal.Yellow
		switch f.Severity {
		case stackset.SeverityError:
			style = terminal.Red
		case stackset.SeverityNote:
			style = terminal.Green
		}
		fmt.Fprintf(w, "%s %s\n  %s\n", out.Paint(style, string(f.Severity)+":"), terminal.Clean(f.Text), terminal.Clean(f.Remedy))
	}
}
