package main

import (
	"context"
	"slices"

	"github.com/urfave/cli/v2"

	"rollout/templates"
)

func reportCommand(s streams) *cli.Command {
	return &cli.Command{
		Name:  "report",
		Usage: "gather compliance and write the report; changes nothing",
		Description: "Reads every account chosen (all of them unless --ou, --account or --account-tag say otherwise) in the Regions\n" +
			"given, through a role that a session policy narrows to just these reads.\n\n" + exitStatusHelp,
		Flags:  groups(whoFlags(), whichFlags(), regionFlags(), templateFlags(), reportFlags(), shapeFlags()),
		Action: func(c *cli.Context) error { return with(c, s, runReport) },
	}
}

func runReport(ctx context.Context, j *job) error {
	out := j.outFolder()
	if len(j.Regions) == 0 {
		return usageError{"--region is missing: name the Regions, a glob (eu-*) or all"}
	}
	chosen, err := j.walk(ctx, true)
	if err != nil {
		return err
	}
	r, err := j.chooseRegions(ctx, true)
	if err != nil {
		return err
	}
	d, err := j.desired(chosen, r)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(d.Templates, func(t templates.Template) bool { return len(t.Rules)+len(t.Unnamed) > 0 }) {
		return usageError{"--template " + j.Template + " has no rule to report on; rollout templates list shows which have"}
	}
	if err := checkOut(out); err != nil {
		return err
	}
	report, err := j.gather(ctx, chosen, r, r.all, d, nil)
	if err != nil {
		return err
	}
	report.Run.Remediation = "" // nothing was asked for; each cell says what was found
	return j.finish(out, report, false)
}
