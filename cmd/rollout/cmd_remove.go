package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"rollout/stackset"
	"rollout/templates"
)

func removeCommand(s streams) *cli.Command {
	return &cli.Command{
		Name:  "remove",
		Usage: "delete instances, the enforcement first; what others need stays unless it is named",
		Description: "Deletes the instances of --template's StackSet, and of the sets that enforce it, in the accounts chosen.\n" +
			"What it needs stays: recording and recording-base go only when --template names them. That holds for\n" +
			"--template baseline too: it takes the rest of the baseline. What needs something is deleted before it.",
		Flags: groups(whoFlags(), whichFlags(), regionFlags(), templateFlags(), preferenceFlags(), []cli.Flag{
			text(how, "retain", "auto", "`auto|true|false`: leave the stacks behind in the accounts (auto: where an instance is INOPERABLE, or data would go)"),
			maxDeletionsFlag(),
			&cli.BoolFlag{Name: "delete-set", Category: how, EnvVars: env("delete-set"), Usage: "delete the StackSet too, once it has no instance"},
			yesFlag(),
		}, shapeFlags()),
		Action: func(c *cli.Context) error {
			retain, most, deleteSet := c.String("retain"), c.String("max-deletions"), c.Bool("delete-set")
			if err := oneOf("retain", retain, "auto", "true", "false"); err != nil {
				return err
			}
			return with(c, s, func(ctx context.Context, j *job) error {
				take, stay, err := templates.LoadToRemove(j.Template)
				if err != nil {
					return err
				}
				var plan *stackset.Plan
				return j.takeOut(ctx, false, func(d stackset.Desired, found *stackset.Found) (p *stackset.Plan, err error) {
					d.Templates = take
					p, err = stackset.RemovePlan(d, found.Sets, stackset.RemoveOptions{MaxDeletions: most, Stay: stay})
					plan = p
					return p, err
				}, stackset.ApplyOptions{Retain: retain == "true", RetainAuto: retain == "auto"}, func(chosen *choice) error {
					if !deleteSet {
						return nil
					}
					return j.deleteSets(ctx, chosen, plan)
				})
			})
		},
	}
}

// takeOut plans deletions, shows and confirms them, and carries them out.
func (j *job) takeOut(ctx context.Context, all bool, planFor func(stackset.Desired, *stackset.Found) (*stackset.Plan, error), o stackset.ApplyOptions, after func(*choice) error) error {
	if _, err := j.wish(); err != nil {
		return err
	}
	chosen, r, err := j.choose(ctx, all, false)
	if err != nil {
		return err
	}
	d, found, err := j.look(ctx, chosen, r, r.all)
	if err != nil {
		return err
	}
	unread, err := stackset.ReadTargets(ctx, j.session, chosen.callAs, found.Sets)
	if err != nil {
		return err
	}
	plan, err := planFor(d, found)
	if err != nil {
		return err
	}
	for _, f := range unread {
		plan.Find(f)
	}
	if err := j.announce(plan, true); err != nil {
		return err
	}
	result, err := j.apply(ctx, chosen, plan, o)
	if err != nil {
		return err
	}
	if after != nil && !partial(result) {
		if err := after(chosen); err != nil {
			return err
		}
	}
	return j.changed(result)
}

// deleteSets deletes the sets of a removal that have no instance left.
func (j *job) deleteSets(ctx context.Context, chosen *choice, plan *stackset.Plan) error {
	for _, s := range plan.Sets {
		if !s.Exists {
			continue
		}
		deleted := 0
		for _, c := range plan.Changes {
			if c.StackSet == s.Name && c.Action == stackset.Delete {
				deleted++
			}
		}
		if left := len(s.Instances) - deleted; left > 0 {
			j.out.Warn("StackSet %s keeps %d instances outside this selection, so it is not deleted", s.Name, left)
			continue
		}
		if err := stackset.DeleteSet(ctx, j.session, chosen.callAs, s.Name); err != nil {
			return err
		}
		j.out.Line("deleted StackSet %s", s.Name)
	}
	return nil
}
