package stackset

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"rollout/internal/cost"
	"rollout/orgs"
	"rollout/templates"
)

// Desired is what a run wants.
type Desired struct {
	// Templates are the asked ones, in deploy order. What they need and what
	// enforces them follows from them.
	Templates []templates.Template
	// StackSet names the set of the one asked template; "" means rollout-<template>.
	StackSet    string
	Remediation Remediation
	// Accounts are the chosen accounts, sorted as in the tree, inactive ones and
	// the management account included where chosen (they become skips).
	Accounts []*orgs.Account
	// OUs are the ids of the OUs (or the root) that cover the chosen accounts:
	// the deployment targets' OrganizationalUnitIds.
	OUs []string
	// Excluded are the ids of OUs below them that are left out.
	Excluded []string
	// Regions are the Regions asked for, sorted.
	Regions    []string
	HomeRegion string
	Partition  string
	// Caller is the account that deploys: what templates that let an account in
	// trust unless a parameter says otherwise.
	Caller string
	// Organization is the organization's id, for templates that let its accounts in.
	Organization string
	// Parameters go to each template of the run that declares them.
	Parameters map[string]string
	Tags       map[string]string
	// ReuseExisting spares the rule where an equal rule of another name is,
	// while nothing enforces it.
	ReuseExisting bool
	Preferences   Preferences
	// Prune deletes instances of the asked templates' sets, and of what enforces
	// them, that the selection does not cover; at most MaxDeletions of each set,
	// "N" or "P%" of those it has (default 5%).
	Prune        bool
	MaxDeletions string
	// Auto says which templates are deployed to accounts that join.
	Auto AutoDeploy
	// NotJoining says why the selection would not choose an account that joins one of OUs,
	// "" where it would.
	NotJoining string
	// RegionsOff are Regions of the run that are off in the management account.
	RegionsOff map[string]bool
	// Management is the management account's id where it is a target and the caller is
	// it: what StackSets does not do there is done by plain stacks. "" else.
	Management string
	// Prices are what the plan's cost is estimated by; nil are those of this version.
	Prices *cost.Table
	// Walked are all accounts that the walk came by, by id.
	Walked map[string]*orgs.Account
}

// RefusedError is a wish that no run can fulfil.
type RefusedError struct{ Message string }

func (e *RefusedError) Error() string { return e.Message }

// Check refuses what can be seen to be wrong without a call: a name for one of
// several sets, a remediation that nothing offers, a template for one account with
// several chosen, parameters that no template takes.
func Check(d Desired) error {
	if err := CheckName(d); err != nil {
		return err
	}
	if err := checkRemediation(d); err != nil {
		return err
	}
	for _, t := range templates.Together(d.Templates) {
		if t.Scope == templates.ScopeSingle && len(d.Accounts) > 1 {
			return &RefusedError{fmt.Sprintf("template %s goes to one account of the organization, and %d are chosen: name that one with --account", t.Name, len(d.Accounts))}
		}
	}
	if err := checkAuto(d); err != nil {
		return err
	}
	return checkParameters(d)
}

// CheckName refuses one name for the sets of several templates.
func CheckName(d Desired) error {
	if d.StackSet != "" && len(d.Templates) != 1 {
		return &RefusedError{fmt.Sprintf("--stack-set names the StackSet of one template, and %d are asked for (%s): leave it out, they are called rollout-<template>", len(d.Templates), list(names(d.Templates)))}
	}
	return nil
}

// checkRemediation refuses a --remediation that the one asked template does not
// offer, or none of several.
func checkRemediation(d Desired) error {
	if d.Remediation == RemediationOff || d.Remediation == "" {
		return nil
	}
	if len(d.Templates) == 1 {
		t := d.Templates[0]
		if modes := t.Remediation(); !slices.Contains(modes, string(d.Remediation)) {
			return &RefusedError{fmt.Sprintf("--remediation %s: template %s has no such remediation; it takes %s", d.Remediation, t.Name, strings.Join(modes, " or "))}
		}
		return nil
	}
	for _, t := range d.Templates {
		if d.Mode(t) != RemediationOff {
			return nil
		}
	}
	return &RefusedError{fmt.Sprintf("--remediation %s: none of the templates %s has a remediation", d.Remediation, list(names(d.Templates)))}
}

func names(list []templates.Template) []string {
	var out []string
	for _, t := range list {
		out = append(out, t.Name)
	}
	return out
}

// Mode is how far a run goes with what a template finds: as asked for, but by hand
// where automatic is not offered, and not at all where nothing is.
func (d Desired) Mode(t templates.Template) Remediation {
	modes := t.Remediation()
	switch {
	case d.Remediation != RemediationManual && d.Remediation != RemediationAutomatic:
	case slices.Contains(modes, string(d.Remediation)):
		return d.Remediation
	case slices.Contains(modes, string(RemediationManual)):
		return RemediationManual
	}
	return RemediationOff
}

// RegionsOf are the Regions in which a template can have an instance in a run: those
// asked for, or the home Region. Recording is in the home Region too when something
// that lives there needs it.
func (d Desired) RegionsOf(t templates.Template) []string {
	if homeOnly(t) {
		return []string{d.HomeRegion}
	}
	if t.Name == templates.Recording && d.recordsAtHome() != "" && !slices.Contains(d.Regions, d.HomeRegion) {
		return slices.Sorted(slices.Values(append(slices.Clone(d.Regions), d.HomeRegion)))
	}
	return d.Regions
}

// homeOnly says whether a template is deployed to the home Region only.
func homeOnly(t templates.Template) bool {
	return t.Scope == templates.ScopeHome || t.Scope == templates.ScopeSingle
}

// recordsAtHome names the templates of the home Region that need a recorder there,
// "" when none does.
func (d Desired) recordsAtHome() string {
	var out []string
	for _, t := range d.Templates {
		if homeOnly(t) && slices.Contains(names(t.Chain()), templates.Recording) {
			out = append(out, t.Name)
		}
	}
	return list(out)
}

// readRegions are all Regions that a run looks at, sorted.
func (d Desired) readRegions() []string {
	all := slices.Clone(d.Regions)
	for _, t := range templates.Together(d.Templates) {
		all = append(all, d.RegionsOf(t)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// WantedSets are the sets of a run in deploy order. Sets that enforce are looked for
// whatever --remediation says, since an earlier run may have made them.
func WantedSets(d Desired) []Wanted {
	var out []Wanted
	for _, t := range templates.Together(d.Templates) {
		name := SetName(d, t)
		out = append(out, Wanted{Name: name, Template: t})
		if t.Enforces != "" && slices.Contains(t.Remediation(), string(RemediationAutomatic)) {
			out = append(out, Wanted{Name: name + "-automatic", Template: t, Automatic: true})
		}
	}
	return out
}

// SetName is the name of a template's set in a run: --stack-set names the one asked
// template's, and what enforces it is called after it; needs keep theirs.
func SetName(d Desired, t templates.Template) string {
	asked := len(d.Templates) == 1 && d.StackSet != ""
	switch {
	case asked && t.Name == d.Templates[0].Name:
		return d.StackSet
	case asked && t.Enforces == d.Templates[0].Name:
		return d.StackSet + "-enforce"
	}
	return "rollout-" + t.Name
}

// Rules are the rules that a set brings to a Region with its parameter values.
func (s Set) Rules(region, partition string) []templates.Rule {
	return s.Template.RulesWith(s.values(region, partition))
}

// onlyRules says whether a set brings nothing but Config rules to a Region.
func (s Set) onlyRules(region, partition string) bool {
	return s.Template.OnlyRulesWith(s.values(region, partition))
}

func (s Set) values(region, partition string) map[string]string {
	values := maps.Clone(s.Want)
	if values == nil {
		values = map[string]string{}
	}
	values["AWS::Region"], values["AWS::Partition"] = region, partition
	return values
}
