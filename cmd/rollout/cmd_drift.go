package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"rollout/internal/awsapi"
	"rollout/stackset"
	"rollout/templates"
)

func driftCommand(s streams) *cli.Command {
	return &cli.Command{
		Name:  "drift",
		Usage: "detect and show what is not any more as it was deployed",
		Description: "Has CloudFormation compare what is in the accounts with what was deployed there, and shows each resource that is\n" +
			"gone or other, with the property, what is expected and what it is. It changes nothing. Without --template: of\n" +
			"every StackSet of rollout's in the home Region; with it: of that template's, of what enforces it and what it needs.\n" +
			"A StackSet is always checked whole, which takes a while and holds other operations of the set up; --ou,\n" +
			"--account and --region say what of it is shown. With --include-management the management account's plain\n" +
			"stacks are checked too. Ctrl-C leaves the detection to AWS; the same command follows it, --last shows what the\n" +
			"last one found.\n\n" +
			"CloudFormation sees no drift in what was changed through CloudFormation itself (an update of the stack in the\n" +
			"account), in properties that the template does not name, nor in types that it does not check: recorders,\n" +
			"delivery channels and remediations of AWS Config, policies of topics. A deploy does not mend drift, for its\n" +
			"template is the same: undo the change by hand, or remove and deploy there.\n\n" +
			"EXIT STATUS: 0 done, whatever drifted · 1 could not do the job · 3 an instance could not be checked · 130 interrupted",
		Flags: groups(whoFlags(), whichFlags(), regionFlags(), narrowingFlags(), disarmPreferenceFlags(), []cli.Flag{
			toggle(how, "last", "show what the last detection found, and start none"),
		}, shapeFlags()),
		Action: func(c *cli.Context) error {
			last := c.Bool("last")
			return with(c, s, func(ctx context.Context, j *job) error { return j.drift(ctx, last) })
		},
	}
}

func (j *job) drift(ctx context.Context, last bool) error {
	chosen, r, err := j.choose(ctx, true, false)
	if err != nil {
		return err
	}
	e := &driftView{names: map[string]string{}}
	inactive := map[string]string{}
	for _, a := range chosen.tree.Accounts {
		e.names[a.ID] = a.Name
		if !a.Active() {
			inactive[a.ID] = "the account is " + a.State + ": nothing can be checked there"
		}
	}
	if err := j.driftSets(ctx, chosen, r, e); err != nil {
		return err
	}
	o := stackset.DriftOptions{Run: j.Run, Last: last, Preferences: j.Preferences, Regions: r.chosen, Inactive: func(account string) string { return inactive[account] }}
	if !j.Selector.Empty() || len(j.Selector.ExcludeOUs)+len(j.Selector.ExcludeAccounts) > 0 {
		// Without a selection also what accounts have that are in no tree any more.
		o.Accounts = []string{}
		for _, a := range chosen.accounts {
			o.Accounts = append(o.Accounts, a.ID)
		}
	}
	view := j.newStackView("drift")
	e.report, err = stackset.DetectDrift(ctx, j.session, chosen.callAs, e.sets, o, view.event)
	view.done()
	if err != nil {
		return err
	}
	shape := e.shape()
	if err := j.result(func() error { return j.showDrift(shape) }, shape, func() error { return writeLines(j.streams.out, shape.Instances) }); err != nil {
		return err
	}
	if e.report.Interrupted {
		return &statusError{exitInterrupted, e.goesOn()}
	}
	return e.unchecked()
}

// driftSets are the StackSets of the run, in deploy order, and what of them could not be
// looked at.
func (j *job) driftSets(ctx context.Context, chosen *choice, r *regions, e *driftView) error {
	if j.Template != "" || j.StackSet != "" {
		j.Template = orWord(j.Template, templates.DefaultSecurityGroup)
		_, found, err := j.look(ctx, chosen, r, r.all)
		if err == nil {
			e.sets = found.Sets
		}
		return err
	}
	found, err := stackset.FindOurs(ctx, j.session, stackset.OursOptions{CallAs: chosen.callAs, Regions: r.on, Management: j.plainOf(chosen)})
	if err != nil {
		return err
	}
	e.sets = found.Sets
	slices.SortStableFunc(e.sets, func(a, b stackset.Set) int {
		return cmp.Compare(deployRank(a.Template.Name), deployRank(b.Template.Name))
	})
	for _, w := range append(found.Warnings, elsewhereDrifts(found)...) {
		j.out.Warn("%s", w)
	}
	for _, p := range found.Problems {
		e.problems = append(e.problems, fmt.Sprintf("StackSet %s could not be read: %s", p.StackSet, awsapi.Plain(p.Err)))
	}
	for _, p := range found.Plain {
		e.problems = append(e.problems, p.Error())
	}
	for _, p := range e.problems {
		j.out.Warn("%s", p)
	}
	return nil
}

// plainOf is the management account where its plain stacks are chosen, else "".
func (j *job) plainOf(chosen *choice) string {
	for _, a := range chosen.accounts {
		if a.Management {
			return a.ID
		}
	}
	return ""
}

func elsewhereDrifts(found *stackset.Ours) []string {
	var out []string
	for _, e := range found.Elsewhere {
		out = append(out, fmt.Sprintf("StackSet %s (template %s) lives in %s: rollout drift --home-region %s looks there", e.StackSet, e.Template, e.Region, e.Region))
	}
	return out
}
