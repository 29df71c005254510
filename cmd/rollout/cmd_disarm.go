package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"rollout/stackset"
	"rollout/templates"
)

func disarmCommand(s streams) *cli.Command {
	return &cli.Command{
		Name:  "disarm",
		Usage: "take enforcement out of accounts at once; rules and verdicts stay",
		Description: "Deletes the instances of the sets that enforce: role, runbook and remediation are gone from the accounts.\n" +
			"In all accounts and Regions, unless --ou, --account, --account-tag or --region narrow it.",
		Flags: groups(whoFlags(), whichFlags(), regionFlags(), templateFlags(), preferenceFlags(), []cli.Flag{yesFlag()}, shapeFlags()),
		Action: func(c *cli.Context) error {
			return with(c, s, func(ctx context.Context, j *job) error {
				return j.takeOut(ctx, true, func(d stackset.Desired, found *stackset.Found) (*stackset.Plan, error) {
					return stackset.DisarmPlan(d, found.Sets), nil
				}, stackset.ApplyOptions{}, nil)
			})
		},
	}
}

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
	chosen, err := j.walk(ctx, all)
	if err != nil {
		return err
	}
	r, err := j.chooseRegions(ctx, false)
	if err != nil {
		return err
	}
	d, found, err := j.look(ctx, chosen, r, r.all)
	if err != nil {
		return err
	}
	plan, err := planFor(d, found)
	if err != nil {
		return err
	}
	if !j.Quiet {
		if err := showPlan(j.streams.err, j.out, plan, true); err != nil {
			return err
		}
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

func statusCommand(s streams) *cli.Command {
	return &cli.Command{
		Name:   "status",
		Usage:  "the StackSets' instances and operations",
		Flags:  groups(whoFlags(), templateFlags(), shapeFlags()),
		Action: func(c *cli.Context) error { return with(c, s, runStatus) },
	}
}

type statusJSON struct {
	Name       string         `json:"name"`
	Template   string         `json:"template"`
	Exists     bool           `json:"exists"`
	Region     string         `json:"region"`
	Outdated   bool           `json:"template_outdated"`
	Instances  int            `json:"instances"`
	ByStatus   map[string]int `json:"by_detailed_status"`
	Failures   []failureJSON  `json:"failures"`
	Operations []operationRow `json:"operations"`
}

type failureJSON struct {
	AccountID string `json:"account_id"`
	Region    string `json:"region"`
	Status    string `json:"detailed_status"`
	Reason    string `json:"reason"`
}

type operationRow struct {
	ID      string `json:"operation_id"`
	Action  string `json:"action"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Failed  int    `json:"failed_instances"`
	Created string `json:"created"`
	Ended   string `json:"ended"`
}

func runStatus(ctx context.Context, j *job) error {
	chosen, err := j.walkTree(ctx)
	if err != nil {
		return err
	}
	r, err := j.chooseRegions(ctx, false)
	if err != nil {
		return err
	}
	_, found, err := j.look(ctx, chosen, r, r.all)
	if err != nil {
		return err
	}
	list := []statusJSON{}
	for _, set := range found.Sets {
		row := statusJSON{Name: set.Name, Template: set.Template.Name, Exists: set.Exists, Region: j.session.HomeRegion, Instances: len(set.Instances), ByStatus: map[string]int{}, Failures: []failureJSON{}, Operations: []operationRow{}}
		row.Outdated = set.Exists && set.SHA256 != set.Template.SHA256()
		for _, i := range sortedInstances(set) {
			row.ByStatus[orWord(i.DetailedStatus, i.Status)]++
			if i.DetailedStatus != "SUCCEEDED" && i.Reason != "" {
				row.Failures = append(row.Failures, failureJSON{i.AccountID, i.Region, i.DetailedStatus, i.Reason})
			}
		}
		if set.Exists {
			ops, err := stackset.Operations(ctx, j.session, chosen.callAs, set.Name, 5)
			if err != nil {
				return err
			}
			for _, op := range ops {
				row.Operations = append(row.Operations, operationRow{op.ID, op.Action, op.Status, op.StatusReason, op.Failed, stampOf(op.Created), stampOf(op.Ended)})
			}
		}
		list = append(list, row)
	}
	return j.result(func() error { return j.showStatus(list) }, list, func() error { return writeLines(j.streams.out, list) })
}

func (j *job) showStatus(list []statusJSON) error {
	w := j.streams.out
	for _, s := range list {
		if !s.Exists {
			fmt.Fprintf(w, "%s: not there\n", s.Name)
			continue
		}
		fmt.Fprintf(w, "%s in %s: %d instances", s.Name, s.Region, s.Instances)
		if s.Outdated {
			fmt.Fprint(w, ", template older than this rollout's")
		}
		fmt.Fprintln(w)
		for _, k := range sortedNames(s.ByStatus) {
			fmt.Fprintf(w, "  %6d %s\n", s.ByStatus[k], k)
		}
		for i, f := range s.Failures {
			if i == 20 {
				fmt.Fprintf(w, "  … and %d more; --output json has them\n", len(s.Failures)-i)
				break
			}
			fmt.Fprintf(w, "  %s %s %s: %s\n", f.AccountID, f.Region, f.Status, f.Reason)
		}
		for _, op := range s.Operations {
			fmt.Fprintf(w, "  %s %-7s %-9s %d failed  %s\n", op.Created, op.Action, op.Status, op.Failed, op.ID)
		}
	}
	return nil
}
