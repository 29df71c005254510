package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/urfave/cli/v2"

	"rollout/internal/awsapi"
	"rollout/internal/terminal"
	"rollout/orgs"
	"rollout/stackset"
	"rollout/templates"
)

func releaseCommand(s streams) *cli.Command {
	return &cli.Command{
		Name:  "release",
		Usage: "take rollout's recorder and delivery channel out of accounts, so that Control Tower can enrol them",
		Description: "Control Tower enrols no account that has a recorder or delivery channel of AWS Config. This deletes the instances of\n" +
			"the template recording in the accounts chosen, in all Regions unless --region names some, and nothing else: the\n" +
			"bucket with its history, the roles and the rules stay. Until the account is enrolled its rules have no new\n" +
			"verdicts (RECORDER_OFF). Then it looks into each Region and names what is still in the way; what is not rollout's\n" +
			"it never touches. The accounts get the tag " + stackset.TagReleased + " in Organizations, by which later runs know not to put the\n" +
			"recorder back; --undo takes it off. Do it before the OU is registered: in an OU that Control Tower governs its\n" +
			"policies keep StackSets from deleting the recorder, and the plan says so. --max-deletions does not count here:\n" +
			"the accounts are named, nothing that holds data goes, and a deploy puts back what went.",
		Flags: groups(whoFlags(), whichFlags(), regionFlags(), preferenceFlags(), []cli.Flag{
			text(what, "stack-set", "", "`NAME` of the StackSet of recording (default: rollout-recording)"),
			text(how, "for", "", "`control-tower`: what the accounts are released for"),
			toggle(how, "undo", "take the tag off again, so that a deploy puts the recorder back"),
			yesFlag(),
		}, shapeFlags()),
		Action: func(c *cli.Context) error {
			if err := oneOf("for", c.String("for"), stackset.ForTower); err != nil {
				return err
			}
			if c.Bool("include-management") {
				return usageError{"--include-management: Control Tower enrols no management account, so there is nothing to release it for"}
			}
			undo := c.Bool("undo")
			return withOptions(c, s, func(o *options) { o.Template = templates.Recording }, func(ctx context.Context, j *job) error {
				chosen, err := j.walk(ctx, false)
				if err != nil {
					return err
				}
				chosen.accounts = slices.DeleteFunc(chosen.accounts, func(a *orgs.Account) bool { return a.Management })
				if undo {
					return j.undoRelease(ctx, chosen.accounts)
				}
				return j.release(ctx, chosen)
			})
		},
	}
}

// release takes the recorders out and looks at what is left.
func (j *job) release(ctx context.Context, chosen *choice) error {
	r, err := j.chooseRegions(ctx, false)
	if err != nil {
		return err
	}
	d, found, err := j.look(ctx, chosen, r, r.all)
	if err != nil {
		return err
	}
	policies, err := orgs.ReadPolicies(ctx, orgs.NewClient(j.session.Own("")))
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		j.out.Warn("what the %s deny could not be read: %s", policies.Unread(), awsapi.Plain(err))
	}
	plan := stackset.ReleasePlan(d, found.Sets, policies)
	if err := j.announce(plan, true); err != nil {
		return err
	}
	var result *stackset.Result
	if plan.Pending() {
		if err := j.confirm(ctx, releaseQuestion(plan)); err != nil {
			return err
		}
		for _, id := range sortedIDs(j.warnUnmarked(stackset.Mark(ctx, j.session, plan.Released()))) {
			j.out.Warn("a later run puts the recorder of account %s back: leave it out with --exclude-account until it is enrolled", id)
		}
		if result, err = j.carryOut(ctx, chosen, plan, stackset.ApplyOptions{}); err != nil {
			return err
		}
	} else {
		j.out.Line("Nothing of rollout's to take out there.")
	}
	regions := r.chosen
	if len(regions) == 0 {
		for _, known := range r.all {
			regions = append(regions, known.Name)
		}
	}
	view := j.newStackView("looking")
	obstacles, err := stackset.Obstacles(ctx, j.session, chosen.accounts, regions, r.all, view.event)
	view.done()
	if err != nil {
		return err
	}
	active := 0
	for _, a := range chosen.accounts {
		if a.Active() {
			active++
		}
	}
	return j.released(result, obstacles, active, len(regions))
}

func releaseQuestion(plan *stackset.Plan) string {
	return fmt.Sprintf("Take recorder and delivery channel out of %s in %s?", counted(len(plan.Released()), "account"), counted(len(plan.Changes), "place"))
}

func (j *job) warnUnmarked(failed map[string]error) map[string]error {
	for _, id := range sortedIDs(failed) {
		j.out.Warn("account %s could not get the tag %s: %s", id, stackset.TagReleased, awsapi.Plain(failed[id]))
	}
	return failed
}

func sortedIDs(failed map[string]error) []string { return slices.Sorted(maps.Keys(failed)) }

// obstacleJSON is one thing that is still in the way.
type obstacleJSON struct {
	AccountID   string `json:"account_id"`
	AccountName string `json:"account_name"`
	Region      string `json:"region"`
	What        string `json:"what"`
	Remedy      string `json:"remedy"`
	Unread      bool   `json:"unread"`
}

// released says what came of a release, and gives the exit status: done in part when an
// instance stayed or something is in the way still.
func (j *job) released(result *stackset.Result, obstacles []stackset.Obstacle, accounts, regions int) error {
	shape := struct {
		Outcomes []outcomeJSON  `json:"outcomes"`
		InTheWay []obstacleJSON `json:"in_the_way"`
	}{outcomes(result), []obstacleJSON{}}
	blocked := map[string]bool{}
	for _, o := range obstacles {
		blocked[o.Account.ID] = true
		shape.InTheWay = append(shape.InTheWay, obstacleJSON{o.Account.ID, o.Account.Name, o.Region, o.What, o.Remedy, o.Unread})
	}
	err := j.result(func() error {
		if err := j.showOutcomes(result); err != nil {
			return err
		}
		if len(obstacles) == 0 {
			_, err := fmt.Fprintf(j.streams.out, "%s: no recorder and no delivery channel of the account's own in %s. Control Tower can enrol what it governs.\n", counted(accounts, "account"), counted(regions, "Region"))
			return err
		}
		var rows [][]string
		for _, o := range obstacles {
			rows = append(rows, []string{o.Account.ID, terminal.Clean(o.Account.Name), orWord(o.Region, "-"), terminal.Clean(o.What), terminal.Clean(o.Remedy)})
		}
		return terminal.Table(j.streams.out, []string{"ACCOUNT", "NAME", "REGION", "STILL IN THE WAY", "WHAT TO DO"}, rows)
	}, shape, func() error {
		if err := writeLines(j.streams.out, shape.Outcomes); err != nil {
			return err
		}
		return writeLines(j.streams.out, shape.InTheWay)
	})
	switch {
	case err != nil:
		return err
	case partial(result):
		return &statusError{exitPartial, "done in part: what failed is above; run the same command again once it is mended"}
	case len(blocked) > 0:
		return &statusError{exitPartial, fmt.Sprintf("done in part: %s of %d cannot be enrolled yet; what is in the way is above", counted(len(blocked), "account"), accounts)}
	}
	return nil
}

// undoRelease takes the tag off the accounts that carry it.
func (j *job) undoRelease(ctx context.Context, accounts []*orgs.Account) error {
	marked, failed := stackset.Marked(ctx, j.session, accounts)
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, id := range sortedIDs(failed) {
		j.out.Warn("the tags of account %s could not be read: %s", id, awsapi.Plain(failed[id]))
	}
	if len(marked) > 0 {
		if err := j.confirm(ctx, fmt.Sprintf("Take the tag %s off %s, so that a deploy puts the recorder back?", stackset.TagReleased, counted(len(marked), "account"))); err != nil {
			return err
		}
		maps.Copy(failed, j.warnUnmarked(stackset.Unmark(ctx, j.session, marked)))
	}
	ids := []string{}
	for _, a := range marked {
		if failed[a.ID] == nil {
			ids = append(ids, a.ID)
		}
	}
	err := j.result(func() error {
		_, err := fmt.Fprintf(j.streams.out, "%s had the tag %s, %d of %s have it no more.\n", counted(len(marked), "account"), stackset.TagReleased, len(ids), counted(len(accounts), "account"))
		return err
	}, map[string]any{"untagged": ids}, nil)
	if err == nil && len(failed) > 0 {
		return &statusError{exitPartial, "done in part: what failed is above; run the same command again once it is mended"}
	}
	return err
}
