package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
	"rollout/orgs"
	"rollout/reports"
	"rollout/stackset"
	"rollout/templates"
)

// desired turns options, accounts and Regions into what a run wants.
func (j *job) desired(chosen *choice, r *regions) (stackset.Desired, error) {
	d, err := j.wish()
	if err != nil {
		return d, err
	}
	d.Accounts, d.Organization = chosen.accounts, chosen.tree.OrganizationID
	for _, a := range chosen.accounts {
		if a.Management && chosen.callAs == types.CallAsSelf {
			d.Management = a.ID
		}
	}
	d.Walked = map[string]*orgs.Account{}
	for _, a := range chosen.tree.Accounts {
		d.Walked[a.ID] = a
	}
	if r != nil {
		d.Regions, d.RegionsOff = r.chosen, r.off
	}
	switch {
	case len(j.Selector.Accounts) > 0:
		d.NotJoining = "--account names those that it chooses"
	case len(j.Selector.AccountTags) > 0:
		d.NotJoining = "--account-tag chooses only those that carry the tags"
	}
	for _, ou := range chosen.selection.OUs {
		d.OUs = append(d.OUs, ou.ID)
	}
	for _, ou := range chosen.selection.Excluded {
		d.Excluded = append(d.Excluded, ou.ID)
	}
	return d, nil
}

// wish is what the options alone say of a run.
func (j *job) wish() (stackset.Desired, error) {
	asked, err := templates.LoadAll(j.Template)
	if err != nil {
		return stackset.Desired{}, err
	}
	for _, t := range asked {
		if t.Enforces != "" {
			return stackset.Desired{}, usageError{fmt.Sprintf("--template %s: enforcement is not deployed by itself; use --template %s with --remediation manual or automatic, and rollout disarm to take it away", t.Name, t.Enforces)}
		}
	}
	d := stackset.Desired{
		Templates: asked, StackSet: j.StackSet, Remediation: orRemediation(j.Remediation), HomeRegion: j.session.HomeRegion, Partition: j.session.Partition,
		Caller: j.session.Account, Parameters: j.Parameters, Tags: j.Tags, ReuseExisting: j.ReuseExisting, Preferences: j.Preferences, Prune: j.Prune, MaxDeletions: j.MaxDeletions, Auto: j.AutoDeploy, Prices: j.Pricing.Table,
	}
	if err := stackset.CheckName(d); err != nil {
		return d, err
	}
	if j.PermissionsBoundary == "" {
		return d, nil
	}
	if !stackset.Declared(d, templates.ParameterPermissionsBoundary) {
		return d, usageError{"--permissions-boundary: no template of this run makes a role that takes one"}
	}
	if other, given := d.Parameters[templates.ParameterPermissionsBoundary]; given && other != j.PermissionsBoundary {
		return d, usageError{fmt.Sprintf("--permissions-boundary says %s, and --parameter %s says %s", j.PermissionsBoundary, templates.ParameterPermissionsBoundary, other)}
	}
	d.Parameters = maps.Clone(d.Parameters)
	d.Parameters[templates.ParameterPermissionsBoundary] = j.PermissionsBoundary
	return d, nil
}

func orRemediation(r stackset.Remediation) stackset.Remediation {
	if r == "" {
		return stackset.RemediationOff
	}
	return r
}

// stackSetNames are the asked templates' sets.
func stackSetNames(d stackset.Desired) string {
	var names []string
	for _, t := range d.Templates {
		names = append(names, stackset.SetName(d, t))
	}
	return strings.Join(names, ", ")
}

// rulesAt are the rules of a run's asked templates and where they live, by the sets
// that bring them: a rule can have other parameters in another Region, or be in some
// Regions only.
func rulesAt(d stackset.Desired, sets []stackset.Set) []reports.RuleAt {
	var out []reports.RuleAt
	for _, s := range sets {
		if !slices.ContainsFunc(d.Templates, func(t templates.Template) bool { return t.Name == s.Template.Name }) {
			continue
		}
		for _, region := range d.RegionsOf(s.Template) {
			for _, rule := range s.Rules(region, d.Partition) {
				out = append(out, reports.RuleAt{Rule: rule, Region: region})
			}
		}
	}
	return out
}

// oncePerName are the rules of a run, each name once, sorted.
func oncePerName(list []reports.RuleAt) []templates.Rule {
	var out []templates.Rule
	for _, r := range list {
		if !slices.ContainsFunc(out, func(other templates.Rule) bool { return other.Name == r.Name }) {
			out = append(out, r.Rule)
		}
	}
	slices.SortFunc(out, func(a, b templates.Rule) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// prepare walks, chooses the Regions and works out a plan.
func (j *job) prepare(ctx context.Context) (*choice, *regions, *stackset.Plan, error) {
	if len(j.Regions) == 0 {
		return nil, nil, nil, usageError{"--region is missing: name the Regions, a glob (eu-*) or all"}
	}
	d, err := j.wish()
	if err == nil {
		err = stackset.Check(d)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	chosen, r, err := j.choose(ctx, false, true)
	if err != nil {
		return nil, nil, nil, err
	}
	d, err = j.desired(chosen, r)
	if err != nil {
		return nil, nil, nil, err
	}
	view := j.newStackView("preflight")
	defer view.done()
	plan, err := stackset.Prepare(ctx, j.session, stackset.PrepareInput{Desired: d, CallAs: chosen.callAs, Organization: chosen.organization, Known: r.all, WithoutPreflight: j.WithoutPreflight}, view.event)
	if err == nil {
		err = j.guard(ctx, plan)
	}
	if err == nil {
		j.leftOut(chosen, plan)
		if r.unasked != "" {
			plan.Find(stackset.Finding{Code: "region-unasked", Text: fmt.Sprintf("Which Regions are on in management account %s could not be asked: %s.", chosen.organization.ManagementAccount, r.unasked)})
		}
	}
	if err == nil && j.Kept != nil {
		err = stackset.Moved(j.Kept.Plan, plan.JSON())
	}
	return chosen, r, plan, err
}

// choose walks, and resolves accounts and Regions. With all every account is meant where
// none is named; needRegions refuses a run without --region.
func (j *job) choose(ctx context.Context, all, needRegions bool) (*choice, *regions, error) {
	chosen, err := j.walk(ctx, all)
	if err != nil {
		return nil, nil, err
	}
	if err := j.managementAllowed(chosen); err != nil {
		return nil, nil, err
	}
	owner := "" // of what is deployed
	if needRegions {
		owner = chosen.organization.ManagementAccount
	}
	r, err := j.chooseRegionsOf(ctx, owner, needRegions)
	return chosen, r, err
}

// managementAllowed refuses the management account where the caller acts for it only
// as a delegated administrator, and as a caller that says it is one.
func (j *job) managementAllowed(chosen *choice) error {
	for _, a := range chosen.accounts {
		if a.Management && chosen.callAs != types.CallAsSelf {
			return &stackset.DelegatedManagementError{Caller: j.session.Account, Management: a.ID}
		}
	}
	if m := chosen.organization.ManagementAccount; m == j.session.Account && chosen.callAs != types.CallAsSelf {
		return usageError{fmt.Sprintf("--call-as delegated-admin: these are credentials of management account %s, which is never a delegated administrator and calls as itself: leave --call-as out", m)}
	}
	return nil
}

// leftOut says in a plan that the management account, which the selection names, is
// left out.
func (j *job) leftOut(chosen *choice, plan *stackset.Plan) {
	for _, d := range chosen.selection.Decisions {
		if d.Account.Management && d.OnlyManagement {
			how := "--include-management takes it in, by plain stacks."
			if chosen.callAs != types.CallAsSelf {
				how = "Only its own credentials can take it in, with --include-management."
			}
			plan.Find(stackset.Finding{Code: "management-left-out", Text: "The management {places} is in the selection and left out, since StackSets never deploys to it.", Remedy: how}, stackset.In(d.Account, ""))
		}
	}
}

// look finds the sets of a run for commands that do not plan a deploy. known are the
// Regions in which sets of ours could be.
func (j *job) look(ctx context.Context, chosen *choice, r *regions, known []awsapi.Region) (stackset.Desired, *stackset.Found, error) {
	d, err := j.desired(chosen, r)
	if err != nil {
		return d, nil, err
	}
	found, err := stackset.Look(ctx, j.session, stackset.PrepareInput{Desired: d, CallAs: chosen.callAs, Known: known}, nil)
	if err == nil {
		for _, f := range found.Findings {
			j.out.Warn("%s %s", f.Text, f.Remedy)
		}
	}
	return d, found, err
}
