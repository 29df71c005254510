package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/urfave/cli/v2"

	"rollout/internal/awsapi"
	"rollout/orgs"
	"rollout/stackset"
	"rollout/templates"
)

func disarmCommand(s streams) *cli.Command {
	return &cli.Command{
		Name:  "disarm",
		Usage: "take enforcement out of accounts at once; rules and verdicts stay",
		Description: "Finds every StackSet of rollout that enforces in the home Region, by its tag rollout:template and whatever its\n" +
			"name, stops what still puts enforcement in, and deletes the instances: role, runbook and remediation are gone\n" +
			"from the accounts. In all accounts and Regions, without walking the organization, unless --ou, --account,\n" +
			"--account-tag or --region narrow it; --template and --stack-set narrow the sets. One set or account that fails\n" +
			"stops no other. A remediation that has begun is waited for. A StackSet is seen from its own Region only: sets\n" +
			"that enforce elsewhere are named, and --home-region disarms them. The management account's plain stacks that\n" +
			"enforce go too, in every Region and with its own credentials, unless the options that choose leave it out;\n" +
			"--include-management adds nothing to that.",
		Flags:  groups(whoFlags(), whichFlags(), regionFlags(), narrowingFlags(), disarmPreferenceFlags(), []cli.Flag{yesFlag()}, shapeFlags()),
		Action: func(c *cli.Context) error { return with(c, s, runDisarm) },
	}
}

// narrowingFlags are templateFlags for commands that mean every StackSet of ours.
func narrowingFlags() []cli.Flag {
	return []cli.Flag{
		text(what, "template", "", "only the StackSets of this `TEMPLATE`, several separated by commas, or baseline (default: of all)"),
		text(what, "stack-set", "", "only those that belong to the StackSet `NAME`"),
	}
}

// disarmPreferenceFlags are preferenceFlags with a tolerance that lets no account that
// fails hold up another.
func disarmPreferenceFlags() []cli.Flag {
	flags := preferenceFlags()
	for _, f := range flags {
		if f, ok := f.(*cli.StringFlag); ok && f.Name == "failure-tolerance" {
			f.Value = "100%"
		}
	}
	return flags
}

// narrowed are the names of the templates that --template means; nil for all.
func (j *job) narrowed() ([]string, error) {
	if j.Template == "" {
		return nil, nil
	}
	asked, err := templates.LoadAll(j.Template)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, t := range asked {
		names = append(names, t.Name)
	}
	return names, nil
}

// disarmScope reads the selection. Without one, and where accounts are named by their
// ids, the organization is not walked: that can take minutes, and can fail.
func (j *job) disarmScope(ctx context.Context) (scope stackset.Scope, callAs types.CallAs, r *regions, err error) {
	if scope.Templates, err = j.narrowed(); err != nil {
		return scope, "", nil, err
	}
	scope.StackSet = j.StackSet
	// The management account is an account like any other: what enforces there does harm there.
	j.Selector.IncludeManagement = true
	sel := j.Selector
	plain := len(sel.OUs)+len(sel.ExcludeOUs)+len(sel.ExcludeAccounts)+len(sel.AccountTags) == 0 &&
		!slices.ContainsFunc(sel.Accounts, func(a string) bool { return !accountID.MatchString(a) })
	if plain {
		if callAs, err = j.callsAs(ctx); err != nil {
			return scope, "", nil, err
		}
		scope.Accounts = slices.Clone(sel.Accounts)
		if callAs == types.CallAsSelf && (scope.Accounts == nil || slices.Contains(scope.Accounts, j.session.Account)) {
			scope.Management = j.session.Account
		}
	} else {
		chosen, err := j.walk(ctx, true)
		if err != nil {
			return scope, "", nil, err
		}
		callAs, scope.Accounts = chosen.callAs, []string{}
		for _, a := range chosen.accounts {
			scope.Accounts = append(scope.Accounts, a.ID)
			if a.Management && callAs == types.CallAsSelf {
				scope.Management = a.ID
			}
		}
	}
	if r, err = j.chooseRegions(ctx, false); err != nil {
		return scope, "", nil, err
	}
	scope.Regions, scope.On = r.chosen, r.on
	return scope, callAs, r, nil
}

// callsAs finds out as whom StackSets is called, without the tree. Where Organizations
// does not answer, --call-as says it.
func (j *job) callsAs(ctx context.Context) (types.CallAs, error) {
	organization, err := orgs.Describe(ctx, orgs.NewClient(j.session.Own("")))
	switch {
	case err == nil:
		return j.callAsIn(organization)
	case ctx.Err() != nil || j.ExpectOrganization != "":
		return "", err
	case j.CallAs == "":
		return "", fmt.Errorf("%w; --call-as self (in the management account) or delegated-admin does without that answer", err)
	}
	j.out.Warn("going by --call-as %s: %s", j.CallAs, awsapi.Plain(err))
	if j.CallAs == "delegated-admin" {
		return types.CallAsDelegatedAdmin, nil
	}
	return types.CallAsSelf, nil
}

func runDisarm(ctx context.Context, j *job) error {
	scope, callAs, r, err := j.disarmScope(ctx)
	if err != nil {
		return err
	}
	found, err := stackset.FindOurs(ctx, j.session, stackset.OursOptions{CallAs: callAs, EnforcingOnly: true, Regions: r.on, Management: scope.Management})
	if err != nil {
		return err
	}
	found.Narrow(scope)
	d := stackset.Desired{HomeRegion: j.session.HomeRegion, Partition: j.session.Partition, Preferences: j.Preferences, Regions: scope.Regions}
	plan := stackset.DisarmPlan(d, found.Sets, scope)
	if len(plan.Sets) == 0 && len(found.Elsewhere) > 0 && len(found.Problems) == 0 {
		e := found.Elsewhere[0]
		return fmt.Errorf("no StackSet of rollout that enforces is in %s, and %s is in %s; nothing was changed: rollout disarm --home-region %s, with the same options, disarms there", j.session.HomeRegion, e.StackSet, e.Region, e.Region)
	}
	for _, id := range scope.Accounts {
		// An id is taken as it is, so a slip of the hand has to show.
		if !slices.ContainsFunc(plan.Sets, func(s stackset.Set) bool { return s.Has(id) }) {
			j.out.Warn("account %s has no instance of a StackSet of rollout that enforces", id)
		}
	}
	if !j.Quiet {
		if err := showDisarm(j.streams.err, plan, found); err != nil {
			return err
		}
	}
	for _, w := range append(append(plan.Advice(), found.Warnings...), elsewhereWords(found)...) {
		j.out.Warn("%s", w)
	}
	result := &stackset.Result{}
	if inTheWay(plan, found) || plan.Pending() {
		if err := j.confirm(ctx, disarmQuestion(plan, found)); err != nil {
			return err
		}
		view := j.newStackView("disarm")
		result, err = stackset.Disarm(ctx, j.session, callAs, plan, scope, stackset.ApplyOptions{Run: j.Run, Version: version()}, view.event)
		view.done()
		j.showCauses(result)
	} else {
		j.out.Line("Nothing to take out: no StackSet of rollout that enforces has an instance there (%d StackSets were looked at in %s).", found.Listed, j.session.HomeRegion)
	}
	return j.disarmed(result, err, found, stackset.Tangled(found.Sets, scope))
}

// inTheWay says whether something still puts enforcement in.
func inTheWay(plan *stackset.Plan, found *stackset.Ours) bool {
	return slices.ContainsFunc(plan.Sets, func(s stackset.Set) bool {
		return slices.ContainsFunc(found.Operations[s.Name], stackset.InTheWay)
	})
}

func disarmQuestion(plan *stackset.Plan, found *stackset.Ours) string {
	question := fmt.Sprintf("Take enforcement out of %s", counted(len(plan.Changes), "place"))
	stops := 0
	for _, s := range plan.Sets {
		for _, op := range found.Operations[s.Name] {
			if stackset.InTheWay(op) {
				stops++
			}
		}
	}
	if stops > 0 {
		question += ", and stop " + counted(stops, "operation")
	}
	return question + "?"
}

func elsewhereWords(found *stackset.Ours) []string {
	var out []string
	for _, e := range found.Elsewhere {
		out = append(out, fmt.Sprintf("StackSet %s (template %s) enforces from %s, and is not touched: rollout disarm --home-region %s disarms there", e.StackSet, e.Template, e.Region, e.Region))
	}
	return out
}
