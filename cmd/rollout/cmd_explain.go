package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/urfave/cli/v2"

	"rollout/orgs"
	"rollout/reports"
	"rollout/stackset"
	"rollout/templates"
)

func explainCommand(s streams) *cli.Command {
	return &cli.Command{
		Name:  "explain",
		Usage: "why an account is in or out, what is deployed there, what Config says", ArgsUsage: "ACCOUNT [REGION]",
		Description: "Of one account, by id or name: whether the options that choose take it in and by which of them; what each of\n" +
			"rollout's StackSets has there, with its parameters and overrides, and how the last operation ended; what automatic\n" +
			"deployment does with it; what a deploy of --template (and of what is there) would do and why; and AWS Config's\n" +
			"verdicts. It changes nothing. Without REGION it is about the Regions where something is deployed, else the home\n" +
			"Region. By id and without options that choose it takes a few calls, however large the organization is.\n\n" +
			"  rollout explain shop-prod\n" +
			"  rollout explain 111122223333 eu-west-1 --ou Workloads --output json\n\n" + exitStatusHelp,
		Flags: groups(whoFlags(), whichFlags(), templateFlags(), shapeFlags()),
		Action: func(c *cli.Context) error {
			words := c.Args().Slice()
			if len(words) == 0 || len(words) > 2 {
				return usageError{"rollout explain ACCOUNT [REGION]: name one account, by its id or name, and one Region or none"}
			}
			o, err := readOptions(c)
			if err != nil {
				return err
			}
			if len(words) == 2 {
				if words[1] == "all" || isGlob(words[1]) {
					return usageError{fmt.Sprintf("rollout explain ACCOUNT REGION: %q is no single Region; leave it out for all that have something", words[1])}
				}
				o.Regions = words[1:]
			}
			j := newJob(s, o)
			defer func() { j.close() }()
			if err := j.open(c.Context); err != nil {
				return err
			}
			return j.explain(c.Context, words[0])
		},
	}
}

// explanation is all that is known of one account.
type explanation struct {
	account  *orgs.Account
	decision orgs.Decision
	regions  []string              // those it is about, sorted
	sets     []stackset.AccountSet // in deploy order
	bare     stackset.Desired      // a run without parameters
	plan     *stackset.Plan        // nil where it could not be worked out
	cells    []reports.Cell
	findings []reports.Finding
	warnings []string
}

func (j *job) explain(ctx context.Context, word string) error {
	if _, err := j.wish(); err != nil {
		return err
	}
	chosen, e, err := j.findAccount(ctx, word)
	if err != nil {
		return err
	}
	r, err := j.chooseRegions(ctx, len(j.Regions) > 0)
	if err != nil {
		return err
	}
	var details []string
	if len(r.chosen) > 0 {
		details = append(slices.Clone(r.chosen), j.session.HomeRegion)
	}
	if e.sets, e.warnings, err = stackset.OfAccount(ctx, j.session, chosen.callAs, e.account.ID, details); err != nil {
		return err
	}
	slices.SortStableFunc(e.sets, func(a, b stackset.AccountSet) int { return cmp.Compare(deployRank(a.Template), deployRank(b.Template)) })
	e.regions = j.explainedRegions(r, e.sets)
	everywhere := e.account.Management && chosen.callAs == types.CallAsSelf && len(r.chosen) == 0
	if everywhere {
		e.regions = r.on // no set lists its plain stacks, so they may be anywhere
	}
	d, err := j.explainedRun(chosen, e)
	if err != nil {
		return err
	}
	if e.plan, err = stackset.PlanAccount(ctx, j.session, stackset.PrepareInput{Desired: d, CallAs: chosen.callAs, Organization: chosen.organization, Known: r.all}, e.sets); err != nil {
		if ctx.Err() != nil {
			return err
		}
		e.warnings = append(e.warnings, fmt.Sprintf("What a deploy would do could not be worked out: %v.", err))
	} else {
		e.warnings = append(e.warnings, e.plan.Warnings()...)
		e.addSingles()
	}
	if everywhere {
		e.narrow(j.explainedRegions(r, e.sets))
		d.Regions = e.regions
	}
	if err := j.verdicts(ctx, e, d, r); err != nil {
		return err
	}
	if err := j.result(func() error { return j.showExplanation(e) }, explanationShape(e), nil); err != nil {
		return err
	}
	if slices.ContainsFunc(e.cells, func(c reports.Cell) bool { return c.Status.Unread() }) {
		return &statusError{exitPartial, "done in part: a cell could not be read; its detail says why"}
	}
	return nil
}

// deployRank is where a template stands in the order of deployment, those that this
// program does not have at the end.
func deployRank(template string) int {
	i := slices.IndexFunc(templates.All(), func(t templates.Template) bool { return t.Name == template })
	if i < 0 {
		return len(templates.All())
	}
	return i
}

// findAccount finds the account and decides on it. An id alone needs no walk.
func (j *job) findAccount(ctx context.Context, word string) (*choice, *explanation, error) {
	api := orgs.NewClient(j.session.Own(""))
	chosen, organization, err := j.organization(ctx, api)
	if err != nil {
		return nil, nil, err
	}
	plain := j.Selector.Empty() && len(j.Selector.ExcludeOUs)+len(j.Selector.ExcludeAccounts) == 0
	if plain && accountID.MatchString(word) {
		if chosen.tree, err = orgs.Alone(ctx, api, organization, j.session.Account, word); err != nil {
			return nil, nil, err
		}
	}
	if chosen.tree == nil {
		if err := j.walkFrom(ctx, api, organization, chosen); err != nil {
			return nil, nil, err
		}
	}
	account, err := chosen.tree.Find(word)
	if err != nil {
		return nil, nil, err
	}
	if chosen.selection, err = j.Selector.Select(chosen.tree); err != nil {
		return nil, nil, err
	}
	e := &explanation{account: account}
	if plain {
		defer func() {
			if e.decision.Selected && !account.Management {
				e.decision.Reason = "no option chooses, and then every account but the management account is in"
			}
		}()
	}
	for _, d := range chosen.selection.Decisions {
		if d.Account == account {
			e.decision = d
		}
	}
	if chosen.tree.Partial != nil {
		// The OUs above an account that is out were not listed.
		alone, err := orgs.Alone(ctx, api, organization, j.session.Account, account.ID)
		if err != nil {
			return nil, nil, err
		}
		if alone != nil {
			e.account = alone.Accounts[0]
		}
	}
	chosen.accounts = []*orgs.Account{e.account}
	return chosen, e, nil
}

// addSingles puts the plain stacks of the management account beside the sets that they
// stand for.
func (e *explanation) addSingles() {
	for _, s := range e.plan.Sets {
		for _, at := range slices.SortedFunc(maps.Keys(s.Singles), stackset.Target.Compare) {
			instance, ours := s.At(at)
			if !ours {
				continue
			}
			i := slices.IndexFunc(e.sets, func(have stackset.AccountSet) bool { return have.Name == s.Name })
			if i < 0 {
				one := s.Singles[at]
				i = len(e.sets)
				e.sets = append(e.sets, stackset.AccountSet{Name: s.Name, Template: s.Template.Name, Automatic: s.Automatic, SHA256: one.SHA256, Parameters: one.Parameters})
			}
			e.sets[i].Instances = append(e.sets[i].Instances, stackset.AccountInstance{Instance: instance, Last: s.Singles[at].Last()})
		}
	}
}

// narrow leaves out what is said of other Regions, but for what an account has once.
func (e *explanation) narrow(regions []string) {
	e.regions = regions
	if e.plan == nil {
		return
	}
	e.plan.Changes = slices.DeleteFunc(e.plan.Changes, func(c stackset.Change) bool {
		t, known := embedded(c.Template)
		return !slices.Contains(regions, c.Region) && (!known || t.Scope == templates.ScopeRegional)
	})
}

// explainedRegions are the Region asked for, else those where something is, else the
// home Region.
func (j *job) explainedRegions(r *regions, sets []stackset.AccountSet) []string {
	if len(r.chosen) > 0 {
		return r.chosen
	}
	found := map[string]bool{}
	for _, s := range sets {
		for _, i := range s.Instances {
			found[i.Region] = true
		}
	}
	if len(found) == 0 {
		return []string{j.session.HomeRegion}
	}
	return slices.Sorted(maps.Keys(found))
}

// explainedRun is a run of the templates asked for and of those that are deployed in
// the account.
func (j *job) explainedRun(chosen *choice, e *explanation) (stackset.Desired, error) {
	d, err := j.desired(chosen, nil)
	if err != nil {
		return d, err
	}
	d.Regions, d.ReuseExisting = e.regions, true
	e.bare = d
	if j.StackSet != "" {
		return d, nil // it names the one template's set
	}
	wanted := map[string]bool{}
	for _, t := range d.Templates {
		wanted[t.Name] = true
	}
	for _, s := range e.sets {
		wanted[s.Template] = wanted[s.Template] || len(s.Instances) > 0
	}
	for _, t := range templates.All() {
		if wanted[t.Name] && t.Enforces == "" && !slices.ContainsFunc(d.Templates, func(other templates.Template) bool { return other.Name == t.Name }) {
			d.Templates = append(d.Templates, t)
		}
	}
	return d, nil
}

// verdicts reads what AWS Config says in the account.
func (j *job) verdicts(ctx context.Context, e *explanation, d stackset.Desired, r *regions) error {
	sets := stackset.SetsOf(d, e.sets) // with the plain stacks that were added to them
	for i := range sets {
		maps.Copy(sets[i].Want, sets[i].Parameters) // as they are, not as they would be
	}
	rules := slices.DeleteFunc(rulesAt(d, sets), func(rule reports.RuleAt) bool { return !slices.Contains(e.regions, rule.Region) })
	instances := map[string]map[stackset.Target]stackset.Instance{}
	for _, s := range sets {
		for _, region := range d.RegionsOf(s.Template) {
			for _, rule := range s.Rules(region, d.Partition) {
				instances[rule.Name] = s.Instances
			}
		}
	}
	gathered := reports.Collect(ctx, j.session, reports.GatherInput{
		Accounts: []*orgs.Account{e.account}, Regions: e.regions, Rules: rules, OptIn: r.optIn,
		Instances: func(account, region, rule string) (stackset.Instance, bool) {
			i, ok := instances[rule][stackset.Target{AccountID: account, Region: region}]
			return i, ok
		},
	}, nil)
	e.cells, e.findings = gathered.Cells, gathered.Findings
	return ctx.Err()
}
