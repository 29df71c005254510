package main

import (
	"context"
	"fmt"

	"rollout/internal/awsapi"
	"rollout/reports"
	"rollout/stackset"
	"rollout/templates"
)

// desired turns options, accounts and Regions into what a run wants.
func (j *job) desired(chosen *choice, r *regions) (stackset.Desired, error) {
	t, err := templates.Load(j.Template)
	if err != nil {
		return stackset.Desired{}, err
	}
	if t.Enforces != "" {
		return stackset.Desired{}, usageError{fmt.Sprintf("--template %s: enforcement is not deployed by itself; use --template %s with --remediation manual or automatic, and rollout disarm to take it away", t.Name, t.Enforces)}
	}
	d := stackset.Desired{
		Template: t, StackSet: j.StackSet, Remediation: orRemediation(j.Remediation), Accounts: chosen.accounts,
		HomeRegion: j.session.HomeRegion, Partition: j.session.Partition, Parameters: j.Parameters, Tags: j.Tags,
		ReuseExisting: j.ReuseExisting, Preferences: j.Preferences,
	}
	if r != nil {
		d.Regions = r.chosen
	}
	for _, ou := range chosen.selection.OUs {
		d.OUs = append(d.OUs, ou.ID)
	}
	return d, nil
}

func orRemediation(r stackset.Remediation) stackset.Remediation {
	if r == "" {
		return stackset.RemediationOff
	}
	return r
}

// guardAutomatic refuses automatic remediation of anything real: this version
// cannot show beforehand which resources it would change.
func (j *job) guardAutomatic() error {
	if j.Remediation != stackset.RemediationAutomatic || j.simulated {
		return nil
	}
	return usageError{"--remediation automatic is refused outside a simulation: this version cannot yet list every resource that it would change before it does (DESIGN, Safe by default). Use --remediation manual, look at the findings, and start the runbook where it is right; rehearse automatic with --sim or against rollout simulate"}
}

// stackSetName is the asked template's set.
func stackSetName(d stackset.Desired) string { return stackset.SetName(d, d.Template) }

// rulesAt are the rules of a run and where they live.
func rulesAt(d stackset.Desired) []reports.RuleAt {
	var out []reports.RuleAt
	for _, r := range d.Template.Rules {
		out = append(out, reports.RuleAt{Rule: r, HomeOnly: d.Template.Scope == templates.ScopeHome})
	}
	return out
}

// prepare walks, chooses the Regions and works out a plan.
func (j *job) prepare(ctx context.Context) (*choice, *regions, *stackset.Plan, error) {
	if err := j.guardAutomatic(); err != nil {
		return nil, nil, nil, err
	}
	if len(j.Regions) == 0 {
		return nil, nil, nil, usageError{"--region is missing: name the Regions, a glob (eu-*) or all"}
	}
	if _, err := templates.Load(j.Template); err != nil {
		return nil, nil, nil, err
	}
	chosen, err := j.walk(ctx, false)
	if err != nil {
		return nil, nil, nil, err
	}
	r, err := j.chooseRegions(ctx, true)
	if err != nil {
		return nil, nil, nil, err
	}
	d, err := j.desired(chosen, r)
	if err != nil {
		return nil, nil, nil, err
	}
	view := j.newStackView("preflight")
	defer view.done()
	plan, err := stackset.Prepare(ctx, j.session, stackset.PrepareInput{Desired: d, CallAs: chosen.callAs, Known: r.all}, view.event)
	return chosen, r, plan, err
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
		for _, w := range found.Warnings {
			j.out.Warn("%s", w)
		}
	}
	return d, found, err
}
