package templates

import (
	"maps"
	"slices"
	"strings"
)

// RulesWith are the rules that the template brings with these values of its
// parameters, sorted by name; parameters that are not given have their default.
// Pseudo parameters are given like others ("AWS::Region": "eu-west-1"). A rule whose
// condition does not hold is none of them; one whose condition depends on what is
// not given is.
func (t Template) RulesWith(values map[string]string) []Rule {
	if t.document == nil {
		return nil
	}
	rules, _ := rulesIn(newEvaluation(t.document, values), false)
	for i := range rules {
		if k := slices.IndexFunc(t.Rules, func(known Rule) bool { return known.Name == rules[i].Name }); k >= 0 {
			rules[i].Title, rules[i].Checks, rules[i].Controls = t.Rules[k].Title, t.Rules[k].Checks, t.Rules[k].Controls
		}
	}
	return rules
}

// OnlyRulesWith says whether the template makes nothing but Config rules with these
// values, so that rules that are there make it superfluous.
func (t Template) OnlyRulesWith(values map[string]string) bool {
	e := newEvaluation(t.document, values)
	for _, r := range t.document.Resources {
		holds, known := e.condition(r.Condition)
		if off := r.Condition != "" && known && !holds; r.Type != "AWS::Config::ConfigRule" && !off {
			return false
		}
	}
	return true
}

// rulesOf are all the Config rules of d with the defaults of its parameters, sorted
// by name, whatever their conditions, and the logical ids of those whose name is not
// known without a Region or an account.
func rulesOf(d *Document) (rules []Rule, unnamed []string) {
	return rulesIn(newEvaluation(d, nil), true)
}

func rulesIn(e *evaluation, every bool) (rules []Rule, unnamed []string) {
	for _, id := range e.d.ResourceOrder {
		r := e.d.Resources[id]
		if r.Type != "AWS::Config::ConfigRule" {
			continue
		}
		if holds, known := e.condition(r.Condition); r.Condition != "" && known && !holds && !every {
			continue
		}
		rule, named := e.rule(r)
		if !named {
			unnamed = append(unnamed, id)
			continue
		}
		rules = append(rules, rule)
	}
	slices.SortFunc(rules, func(a, b Rule) int { return strings.Compare(a.Name, b.Name) })
	return rules, unnamed
}

// rule reads a rule's resource; named is false where its name is not known.
func (e *evaluation) rule(r Resource) (rule Rule, named bool) {
	properties, _ := e.value(r.Properties).(map[string]any)
	rule.Name, named = properties["ConfigRuleName"].(string)
	rule.Title = rule.Name
	if s, ok := properties["Description"].(string); ok {
		rule.Title = s
	}
	source, _ := properties["Source"].(map[string]any)
	if source["Owner"] == "AWS" {
		rule.Identifier, _ = source["SourceIdentifier"].(string)
	}
	scope, _ := properties["Scope"].(map[string]any)
	types, _ := scope["ComplianceResourceTypes"].([]any)
	for _, item := range types {
		if s, ok := item.(string); ok {
			rule.ResourceTypes = append(rule.ResourceTypes, s)
		}
	}
	if properties["InputParameters"] == any(unknown{}) {
		rule.Unknown = append(rule.Unknown, "InputParameters")
	}
	input, _ := properties["InputParameters"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(input)) {
		text, known := inputText(input[name])
		if !known {
			rule.Unknown = append(rule.Unknown, name)
			continue
		}
		if rule.Parameters == nil {
			rule.Parameters = map[string]string{}
		}
		rule.Parameters[name] = text
	}
	return rule, named
}

// ByClockOnly says that AWS Config runs the rule at intervals, and not when something
// changes (developer guide, List of AWS Config Managed Rules by trigger type).
func (r Rule) ByClockOnly() bool {
	known, ok := configRules()[r.Identifier]
	return ok && known.periodic && !known.onChange
}

// IAMTypes are the IAM resource types that AWS Config records in Regions from before
// February 2022 only, wherever they are recorded at all.
var IAMTypes = []string{"AWS::IAM::Group", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::User"}

// LooksAtIAM says whether the rule reports on IAM users, groups, roles or policies, by
// its scope or by what the managed rule looks at without one.
func (r Rule) LooksAtIAM() bool {
	types := r.ResourceTypes
	if len(types) == 0 {
		types = configRules()[r.Identifier].resourceTypes
	}
	return slices.ContainsFunc(types, func(t string) bool { return slices.Contains(IAMTypes, t) })
}
