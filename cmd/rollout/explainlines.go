package main

import (
	"fmt"
	"io"

	"rollout/internal/terminal"
	"rollout/reports"
	"rollout/stackset"
)

// showExplainedSet writes one set: its instances, how their last operation ended, then
// parameters and what StackSets does by itself.
func showExplainedSet(w io.Writer, out *terminal.Out, s explainedSetJSON) {
	fmt.Fprintf(w, "\n%s (template %s)", out.Paint(terminal.Bold, s.StackSet), terminal.Clean(s.Template))
	if s.Outdated {
		fmt.Fprint(w, ", another template than this rollout's")
	}
	fmt.Fprintln(w)
	for _, i := range s.Instances {
		style := terminal.Green
		if i.Detailed != "SUCCEEDED" {
			style = terminal.Red
		}
		fmt.Fprintf(w, "  %-15s %s %s", i.Region, i.Status, out.Paint(style, i.Detailed))
		fmt.Fprintln(w)
		switch o := i.Operation; {
		case o.ID == "" && o.Status != "": // of a plain stack
			fmt.Fprintf(w, "                  last operation %s %s, begun %s\n", o.Action, o.Status, o.Begun)
		case o.ID == "":
		case o.Status == "":
			fmt.Fprintf(w, "                  last operation %s, which could not be read: %s\n", o.ID, terminal.Clean(o.Reason))
		default:
			fmt.Fprintf(w, "                  last operation %s %s %s, %s\n", o.Action, o.Status, o.Ended, o.ID)
		}
		if i.Reason != "" {
			fmt.Fprintf(w, "                  %s\n", terminal.Clean(i.Reason))
		}
		switch i.Drift {
		case string(stackset.DriftInSync):
			fmt.Fprintf(w, "                  no drift was found at %s\n", i.Checked)
		case string(stackset.DriftDrifted):
			fmt.Fprintf(w, "                  %s was found at %s: rollout drift --last shows it\n", out.Paint(terminal.Red, "drift"), i.Checked)
		}
		for _, o := range i.Overrides {
			fmt.Fprintf(w, "                  override %s=%s: %s\n", o.Parameter, terminal.Clean(o.Value), o.Reason)
		}
	}
	defaults := 0
	for _, p := range s.Parameters {
		if p.Reason == stackset.ReasonDefault {
			defaults++
			continue
		}
		fmt.Fprintf(w, "  %s=%s  %s\n", p.Parameter, terminal.Clean(p.Value), out.Paint(terminal.Dim, p.Reason))
	}
	if defaults > 0 {
		fmt.Fprintf(w, "  %d of %d parameters have the template's default\n", defaults, len(s.Parameters))
	}
	fmt.Fprintf(w, "  automatic deployment %s\n", s.AutoDeployment.Meaning)
}

// showExplainedCells writes what AWS Config says, and which resources it means.
func showExplainedCells(w io.Writer, cells []reports.Cell, findings []explainedFoundJSON) error {
	if len(cells) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\nAWS Config says:\n")
	var rows [][]string
	for _, c := range cells {
		detail := c.Detail
		if c.NonCompliantResources > 0 {
			detail = fmt.Sprintf("%d resources; remediation %s", c.NonCompliantResources, orWord(c.Remediation, "not known"))
		}
		if c.SourceRule != "" && c.SourceRule != c.Rule.Name {
			detail = "by the rule " + c.SourceRule + "; " + detail
		}
		rows = append(rows, []string{"  " + c.Region, c.Rule.Name, string(c.Status), stampOf(c.LastEvaluated), detail})
	}
	if err := terminal.Table(w, []string{"  REGION", "RULE", "STATUS", "EVALUATED", "DETAIL"}, rows); err != nil {
		return err
	}
	for i, f := range findings {
		if i == mostFindings {
			fmt.Fprintf(w, "  … and %d more resources; --output json has them\n", len(findings)-i)
			break
		}
		fmt.Fprintf(w, "  %s %s %s: remediation %s\n", f.Region, f.Type, terminal.Clean(f.ID), f.Remediation)
	}
	return nil
}
