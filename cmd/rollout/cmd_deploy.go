package main

import (
	"cmp"
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"rollout/internal/blast"
	"rollout/stackset"
)

func planCommand(s streams) *cli.Command {
	return &cli.Command{
		Name:  "plan",
		Usage: "what a deploy would do, account by account, Region by Region; changes nothing",
		Flags: groups(whoFlags(), whichFlags(), regionFlags(), deployFlags(), preferenceFlags(), pruneFlags(), automaticFlags(), costFlags(), []cli.Flag{
			text(how, "save", "", "keep the plan in `FILE`, for rollout deploy --plan"),
			&cli.BoolFlag{Name: "preflight", Value: true, Category: how, EnvVars: env("preflight"),
				Usage: "look at what accounts and Regions have already; --preflight=false plans by the StackSets alone, quickly and without a session in any account"},
			toggle(how, "verbose", "every account and Region, and every call with all its targets"),
			toggle(how, "blast-radius", "list the resources that enforcement would change now, and who leans on each"),
			&cli.BoolFlag{Name: "detailed-exitcode", Category: how, EnvVars: env("detailed-exitcode"), Usage: "exit 2 when there are changes"},
		}, shapeFlags()),
		Action: func(c *cli.Context) error {
			detailed := c.Bool("detailed-exitcode")
			return with(c, s, func(ctx context.Context, j *job) error { return runPlan(ctx, j, detailed) })
		},
	}
}

func runPlan(ctx context.Context, j *job, detailed bool) error {
	if j.BlastRadius && j.WithoutPreflight {
		return usageError{"--blast-radius reads accounts, and --preflight=false enters none: leave one of them out"}
	}
	if j.Save != "" {
		if err := j.canKeep(); err != nil {
			return err
		}
	}
	chosen, _, plan, err := j.prepare(ctx)
	if err != nil {
		return err
	}
	var tooMuch *blastError
	if errors.As(j.checkBlast(plan), &tooMuch) {
		plan.Find(stackset.Finding{Code: "automatic-refused", Text: "A deploy of this plan would be refused: " + tooMuch.said() + ".", Remedy: tooMuch.Remedy()})
	}
	var radius *blast.JSONRadius
	if j.BlastRadius {
		r, err := j.blastRadius(ctx, plan)
		if err != nil {
			return err
		}
		radius = r.JSON()
	}
	dear := j.Pricing.affordable(plan)
	if j.Save != "" && dear == nil && !plan.Unseen() {
		if err := j.keepPlan(chosen, plan); err != nil {
			return err
		}
	}
	shape := planJSON{JSONPlan: plan.JSON(), BlastRadius: radius}
	err = j.result(func() error { return j.showWhole(plan) }, shape, func() error { return writeLines(j.streams.out, shape.Changes) })
	if err != nil || dear != nil {
		return cmp.Or(err, dear)
	}
	if plan.Unseen() {
		return plan.Refused()
	}
	if !plan.Pending() {
		j.out.Line("%s", nothingToDo(plan))
	} else if detailed {
		return &statusError{status: exitChanges}
	}
	return nil
}

func deployCommand(s streams) *cli.Command {
	return &cli.Command{
		Name:  "deploy",
		Usage: "plan and apply, no report",
		Flags: groups(whoFlags(), whichFlags(), regionFlags(), deployFlags(), preferenceFlags(), pruneFlags(), automaticFlags(), costFlags(), []cli.Flag{keptFlag(), yesFlag(), settleFlag()}, shapeFlags()),
		Action: func(c *cli.Context) error {
			return with(c, s, func(ctx context.Context, j *job) error {
				chosen, _, plan, err := j.prepare(ctx)
				if err != nil {
					return err
				}
				if err := j.announceRun(ctx, plan); err != nil {
					return err
				}
				result, err := j.apply(ctx, chosen, plan, stackset.ApplyOptions{})
				if err != nil {
					return err
				}
				return j.changed(result)
			})
		},
	}
}
