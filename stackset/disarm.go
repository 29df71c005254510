package stackset

import (
	"fmt"
	"slices"

	"rollout/templates"
)

// Scope narrows what is disarmed. The zero value is everything of ours that enforces.
type Scope struct {
	// Templates are those whose enforcement is meant, by name; nil for all.
	Templates []string
	// StackSet is the name given to the set of what is enforced; "" for all.
	StackSet string
	// Accounts are ids; nil for all, also those that are not in the organization's tree.
	Accounts []string
	Regions  []string // nil for all
	// Management is the management account, whose credentials are used, where its plain
	// stacks are meant too, in the Regions that are On; else "".
	Management string
	On         []string
}

// Takes says whether a set is meant.
func (o Scope) Takes(s Set) bool {
	if o.StackSet != "" && s.Name != o.StackSet && s.Name != o.StackSet+enforceSuffix && s.Name != o.StackSet+automaticSuffix {
		return false
	}
	return o.Templates == nil || slices.Contains(o.Templates, s.Template.Name) || slices.Contains(o.Templates, s.Template.Enforces)
}

func (o Scope) has(t Target) bool {
	return (o.Accounts == nil || slices.Contains(o.Accounts, t.AccountID)) && (len(o.Regions) == 0 || slices.Contains(o.Regions, t.Region))
}

// Has says whether a set has an instance in an account, or a plain stack that stands for
// one.
func (s Set) Has(account string) bool {
	for t, one := range s.Singles {
		if one.Ours && t.AccountID == account {
			return true
		}
	}
	return len(regionsOf(s.Instances, account)) > 0
}

// Enforcing says whether a template is nothing but enforcement, so that an instance of
// it can be deleted and every rule stays. A template of another version of rollout is
// known by its body: it has a remediation and no rule.
func Enforcing(t templates.Template) bool {
	return t.Enforces != "" || t.Remediates && len(t.Rules)+len(t.Unnamed) == 0
}

// DisarmPlan deletes every instance in scope of the sets that enforce, and every plain
// stack of the management account that stands for one. Role, document
// and remediation go; rule and verdicts stay. It needs to know nothing of the accounts:
// one that is not ACTIVE is skipped by StackSets. A set whose template brings its rule
// and its remediation together cannot be disarmed so; the plan warns of it, and
// Tangled names it.
func DisarmPlan(d Desired, sets []Set, o Scope) *Plan {
	plan := &Plan{Desired: d}
	for _, s := range sets {
		if !o.Takes(s) || !Enforcing(s.Template) {
			continue
		}
		plan.Sets = append(plan.Sets, s)
		for _, t := range scoped(s, o) {
			plan.Changes = append(plan.Changes, disarmed(s, t))
		}
		for _, t := range scopedPlain(s, o) {
			plan.Changes = append(plan.Changes, disarmedPlain(s, t))
		}
	}
	plan.findComingBack()
	for _, s := range Tangled(sets, o) {
		plan.Find(Finding{Code: "tangled", StackSet: s.Name, Text: fmt.Sprintf("Stack set %s remediates by itself: its template %s brings rule and remediation together, so it is not disarmed.", s.Name, s.Template.Name),
			Remedy: fmt.Sprintf("rollout remove --template FILE --stack-set %s takes both away, where FILE is the template.", s.Name)})
	}
	plan.Hash = plan.hash(plan.Steps(ApplyOptions{}))
	return plan
}

// Tangled are the sets in scope, with instances there, that enforce by a template that
// has rules as well.
func Tangled(sets []Set, o Scope) []Set {
	var out []Set
	for _, s := range sets {
		if o.Takes(s) && s.Template.Remediates && !Enforcing(s.Template) && len(scoped(s, o))+len(scopedPlain(s, o)) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// scoped are a set's instances in scope, sorted.
func scoped(s Set, o Scope) []Target {
	var out []Target
	for t := range s.Instances {
		if o.has(t) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, Target.Compare)
	return out
}

// scopedPlain are the places of a set's plain stacks in scope, sorted.
func scopedPlain(s Set, o Scope) []Target {
	var out []Target
	for t, one := range s.Singles {
		if one.Ours && o.has(t) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, Target.Compare)
	return out
}

func disarmedPlain(s Set, t Target) Change {
	c := disarmed(s, t)
	c.Single = true
	return c
}

func disarmed(s Set, t Target) Change {
	return Change{StackSet: s.Name, Template: s.Template.Name, Target: t, Action: Delete, Reason: "disarmed: role, runbook and remediation are taken out; the rule stays"}
}
