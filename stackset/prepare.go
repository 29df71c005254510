package stackset

import (
	"context"
	"errors"
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
	"rollout/orgs"
	"rollout/templates"
)

// PrepareInput says what a plan is for.
type PrepareInput struct {
	Desired Desired
	CallAs  types.CallAs
	// Organization is the caller's, as far as it is known: remedies name its management
	// account.
	Organization orgs.Organization
	// Known are the Regions as the caller's account sees them: sets are looked for
	// in those that are on.
	Known []awsapi.Region
	// WithoutPreflight leaves the accounts and policies unread: for a plan that is only
	// looked at.
	WithoutPreflight bool

	quotas *Quotas // of the account that the sets live in, nil where nobody asked
}

// Prepare reads what a plan needs and works it out: trusted access, the sets that
// are there, and what each account and Region has. It changes nothing.
func Prepare(ctx context.Context, s *awsapi.Session, in PrepareInput, emit func(Event)) (*Plan, error) {
	if emit == nil {
		emit = func(Event) {}
	}
	if err := Check(in.Desired); err != nil {
		return nil, err
	}
	access, err := checkAccess(ctx, s, in)
	if err != nil {
		return nil, err
	}
	if access.none != nil {
		return planUnseen(in, access.none, emit)
	}
	found, err := Look(ctx, s, in, emit)
	var none *NotDelegatedError
	if errors.As(err, &none) {
		none.Management = in.Organization.ManagementAccount
		return planUnseen(in, none, emit)
	}
	if err != nil {
		return nil, err
	}
	unwatched, err := readTargets(ctx, s, in, found.Sets)
	if err != nil {
		return nil, err
	}
	if !in.WithoutPreflight {
		in.quotas = nearQuotas(ctx, s, in, found)
	}
	plan, err := planFor(ctx, s, in, found.Sets, emit)
	if err != nil {
		return nil, err
	}
	for _, f := range append(found.Findings, findUnderWay(ctx, s, in.CallAs, plan.Sets)...) {
		plan.Find(f, f.Places...)
	}
	for _, f := range unwatched {
		plan.Find(f)
	}
	plan.setsQuota(found.Active)
	for _, t := range templates.Together(in.Desired.Templates) {
		for _, text := range t.Warnings() {
			plan.Find(Finding{Code: "template-lint", Text: text})
		}
	}
	access.tell(plan)
	emit(Planned{plan})
	return plan, nil
}

// planFor reads what the accounts of a run have and works its plan out from that and
// from the sets that are there.
func planFor(ctx context.Context, s *awsapi.Session, in PrepareInput, sets []Set, emit func(Event)) (*Plan, error) {
	d := in.Desired
	regions := d.readRegions()
	rules := map[string][]templates.Rule{}
	base, keeps := false, map[string]string{}
	for i := range sets {
		set := &sets[i]
		set.Want = want(d, set.Template, set.Automatic)
		for _, region := range d.RegionsOf(set.Template) {
			rules[region] = append(rules[region], set.Rules(region, d.Partition)...)
		}
		base = base || set.Template.Name == templates.RecordingBase
		if k := set.Template.Keeps; k != nil && set.Template.Name != templates.RecordingBase {
			keeps[set.Template.Name] = set.Want[k.Bucket]
		}
	}
	for _, t := range templates.Together(d.Templates) {
		if err := t.Regions(len(d.Regions) > 1); err != nil {
			return nil, err
		}
	}
	if err := readBodies(ctx, s, sets); err != nil {
		return nil, err
	}
	if in.WithoutPreflight {
		return MakePlan(d, sets, &Facts{LeftOut: true})
	}
	pruned := map[string][]string{}
	if d.Prune {
		for _, o := range orphans(d, sets) {
			if o.Account != nil && o.Account.Active() {
				pruned[o.AccountID] = append(pruned[o.AccountID], o.Region)
			}
		}
	}
	facts, err := Preflight(ctx, s, PreflightInput{
		Accounts: d.Accounts, Regions: regions, Pruned: pruned, HomeRegion: d.HomeRegion, Known: in.Known, Rules: rules, Names: wantedNames(d, sets),
		Believe: believes(d, sets), Base: base, BucketPrefix: d.Parameters[templates.ParameterDeliveryBucketPrefix], Keeps: keeps,
	}, emit)
	if err != nil {
		return nil, err
	}
	if err := readGovernance(ctx, s, in.Known, facts); err != nil {
		return nil, err
	}
	if err := readReleased(ctx, s, d, sets, facts); err != nil {
		return nil, err
	}
	if facts.Overrides, err = readOverrides(ctx, s, in.CallAs, d, sets, facts); err != nil {
		return nil, err
	}
	facts.Quotas = in.quotas
	if facts.Aggregate != nil {
		facts.StackLimits = readStackLimits(ctx, s, d, len(sets), facts.Aggregate.Stacks)
	}
	facts.OptIn = map[string]bool{}
	for _, r := range in.Known {
		if r.OptIn {
			facts.OptIn[r.Name] = true
		}
	}
	var unread *Finding
	if facts.Policies, err = orgs.ReadPolicies(ctx, orgs.NewClient(s.Own(""))); err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		f := policiesUnread(facts.Policies.Unread(), sentence(awsapi.Text(err)))
		unread = &f
	}
	plan, err := MakePlan(d, sets, facts)
	if err == nil && unread != nil {
		plan.Find(*unread)
	}
	return plan, err
}

// Look finds the sets of a run, without preflight. What they want is what they have.
func Look(ctx context.Context, s *awsapi.Session, in PrepareInput, emit func(Event)) (*Found, error) {
	var on []string
	for _, r := range in.Known {
		if r.On {
			on = append(on, r.Name)
		}
	}
	found, err := Find(ctx, s, in.CallAs, on, len(in.Desired.Walked), WantedSets(in.Desired))
	if err == nil {
		err = findSingles(ctx, s, in.Desired, found.Sets, on)
	}
	if err == nil {
		for i := range found.Sets {
			set := &found.Sets[i]
			set.Want = want(in.Desired, set.Template, set.Automatic)
			maps.Copy(set.Want, set.Parameters)
		}
	}
	if err == nil && emit != nil {
		emit(SetsLooked{Regions: len(on), Sets: found.Sets})
	}
	return found, err
}
