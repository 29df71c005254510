package stackset

import (
	"fmt"
	"slices"
	"strings"

	"rollout/internal/awsapi"
	"rollout/orgs"
	"rollout/templates"
)

// Refused is why a plan is not carried out, nil where it is: an *AccessDisabledError, a
// *NotDelegatedError or a *NoEntryError. Each is a finding of the plan too.
func (p *Plan) Refused() error { return p.refused }

// Unseen says whether StackSets showed no set, so that nothing could be planned.
func (p *Plan) Unseen() bool { return p.Facts != nil && p.Facts.Refused != nil }

// NoEntryError says that none of several accounts could be entered: then it is the
// roles that are wrong, not an account.
type NoEntryError struct {
	Accounts int
	Said     string // what AWS said of one of them
}

func (e *NoEntryError) Error() string {
	return fmt.Sprintf("none of the %d accounts chosen could be entered: %s; nothing was changed", e.Accounts, e.Said)
}

// Remedy says what to do about it.
func (e *NoEntryError) Remedy() string {
	return "Name the role that this identity may assume in the accounts with --role-name (and --external-id where it wants one), or deploy the template rollout-reader there by itself first, which needs no look; OrganizationAccountAccessRole and AWSControlTowerExecution trust the management account only."
}

// closed is a *NoEntryError when no account of several could be entered.
func (f *Facts) closed() *NoEntryError {
	said, first := "", ""
	for id, a := range f.Accounts {
		if !a.Gap.Is() || a.Gap.Class != awsapi.ClassDenied {
			return nil
		}
		if first == "" || id < first {
			first, said = id, a.Gap.Text
		}
	}
	if len(f.Accounts) < 2 {
		return nil // one account alone does not tell a wrong role from a closed account
	}
	return &NoEntryError{len(f.Accounts), said}
}

// findNoRole says once of all accounts that none could be entered. A run that makes
// nothing but roles is carried out all the same, or there would be no way to the first.
func (p *planner) findNoRole(closed *NoEntryError) {
	then := ""
	if slices.ContainsFunc(p.plan.Sets, func(s Set) bool { return !onlyRoles(s.Template) }) {
		p.plan.refused = closed
		then = refusedUntilThen
	} else {
		then = ". A deploy goes ahead, since its templates make nothing but roles."
	}
	var places []Place
	for _, a := range p.d.Accounts {
		if p.facts.Accounts[a.ID] != nil {
			places = append(places, In(a, ""))
		}
	}
	p.find(Finding{Code: "no-role", Text: "None of {places} could be entered, so what is there is not known and recording is not planned: " + closed.Said + then, Remedy: closed.Remedy()}, places...)
}

// onlyRoles says whether a template makes nothing but IAM's roles and policies.
func onlyRoles(t templates.Template) bool {
	for _, r := range t.Document().Resources {
		if !strings.HasPrefix(r.Type, "AWS::IAM::") {
			return false
		}
	}
	return true
}

// planUnseen is a plan of somebody whom StackSets refuses: which of its instances are
// there nobody can tell, so each place is left out. The accounts are not looked into
// either, since what rollout made there would be taken for somebody else's.
func planUnseen(in PrepareInput, none *NotDelegatedError, emit func(Event)) (*Plan, error) {
	var sets []Set
	for _, w := range WantedSets(in.Desired) {
		sets = append(sets, Set{Name: w.Name, Template: w.Template, Automatic: w.Automatic})
	}
	plan, err := MakePlan(in.Desired, sets, &Facts{Refused: none})
	if err == nil {
		emit(Planned{plan})
	}
	return plan, err
}

// unseen leaves the places of an account out of a plan of which no set can be seen.
func (p *planner) unseen(a *orgs.Account) {
	for _, s := range p.plan.Sets {
		if s.Template.Enforces != "" && p.notWanted(s) {
			continue
		}
		for _, region := range p.regions[s.Template.Name] {
			p.plan.Changes = append(p.plan.Changes, Change{StackSet: s.Name, Template: s.Template.Name, Target: Target{a.ID, region}, Account: a, Action: Skip, Reason: "StackSets shows this identity no stack set of the organization"})
		}
	}
}

// findUnseen says once of all places that were left out so why they were.
func (p *planner) findUnseen() {
	f := Finding{Code: "not-delegated", Text: "What there is of {sets} in {places} cannot be seen, and nothing is planned there: " + p.facts.Refused.Error() + refusedUntilThen, Remedy: p.facts.Refused.Remedy()}
	var places []Place
	for _, c := range p.plan.Changes {
		if _, why := unfit(p.d, c.Account); why == "" {
			places = append(places, In(c.Account, c.Region))
			f.StackSets = append(f.StackSets, c.StackSet)
		}
	}
	if len(places) > 0 {
		p.find(f, places...)
	}
	p.plan.refused = p.facts.Refused
}
