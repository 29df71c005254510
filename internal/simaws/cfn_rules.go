package simaws

import (
	"fmt"
	"slices"
	"strings"

	"rollout/templates"
)

// ruleFunctions may stand in the Rules section, with how many arguments each takes: at
// least and at most (template reference, "Rule functions"). The one argument of RefAll and
// Ref is text.
var ruleFunctions = map[string][2]int{
	"Fn::And": {2, 10}, "Fn::Or": {2, 10}, "Fn::Not": {1, 1}, "Fn::Equals": {2, 2}, "Fn::Contains": {2, 2}, "Fn::EachMemberEquals": {2, 2},
	"Fn::EachMemberIn": {2, 2}, "Fn::ValueOf": {2, 2}, "Fn::ValueOfAll": {2, 2}, "Fn::RefAll": {}, "Ref": {},
}

// checkRules holds the Rules section to its form.
func checkRules(doc *templates.Document) error {
	if doc.Rules == nil {
		return nil
	}
	rules, ok := doc.Rules.(map[string]any)
	if !ok {
		return validation("Template format error: Rules must be an object.")
	}
	for _, name := range sortedKeys(rules) {
		rule, isObject := rules[name].(map[string]any)
		if !alphanumeric.MatchString(name) {
			return invalid("Template format error: Rule name %s is non alphanumeric.", name)
		}
		assertions, isList := rule["Assertions"].([]any)
		if !isObject || !isList || len(assertions) == 0 {
			return invalid("Template format error: Rule %s must contain a list of Assertions", name)
		}
		for _, key := range sortedKeys(rule) {
			if key != "Assertions" && key != "RuleCondition" {
				return invalid("Template format error: Invalid rule property '%s' in rule %s", key, name)
			}
		}
		conditions := []any{rule["RuleCondition"]}
		if rule["RuleCondition"] == nil {
			conditions = nil
		}
		for _, x := range assertions {
			m, _ := x.(map[string]any)
			if m["Assert"] == nil {
				return invalid("Template format error: Every Assertions member of rule %s must contain an Assert", name)
			}
			if m["AssertDescription"] != nil && !isText(m["AssertDescription"]) {
				return invalid("Template format error: AssertDescription of rule %s must be a string", name)
			}
			conditions = append(conditions, m["Assert"])
		}
		for _, x := range conditions {
			if err := checkRuleFunction(doc, name, x); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkRuleFunction(doc *templates.Document, rule string, v any) error {
	function, argument, ok := intrinsic(v)
	if !ok {
		if m, isMap := v.(map[string]any); isMap {
			return invalid("Template format error: Rule %s has an object that is no rule function: %v", rule, sortedKeys(m))
		}
		list, _ := v.([]any)
		for _, x := range list {
			if err := checkRuleFunction(doc, rule, x); err != nil {
				return err
			}
		}
		return nil
	}
	count, known := ruleFunctions[function]
	list, _ := argument.([]any)
	switch {
	case !known:
		return invalid("Template format error: Function %s cannot be used in rule %s", function, rule)
	case count[1] == 0 && !isText(argument):
		return invalid("Template format error: %s in rule %s requires a string", function, rule)
	case count[1] > 0 && (len(list) < count[0] || len(list) > count[1]):
		return invalid("Template format error: %s in rule %s has a wrong number of arguments", function, rule)
	}
	name := textOf(argument)
	if function == "Fn::ValueOf" {
		name = textOf(list[0])
	}
	if _, declared := doc.Parameters[name]; (function == "Ref" || function == "Fn::ValueOf") && !declared && !(function == "Ref" && pseudoParameters[name]) {
		return invalid("Template format error: Unresolved dependencies [%s]. Cannot reference resources in the Rules block of the template", name)
	}
	for _, x := range list {
		if err := checkRuleFunction(doc, rule, x); err != nil {
			return err
		}
	}
	return nil
}

// ruleReader evaluates the Rules section for one account and Region.
type ruleReader struct {
	e *evaluator
	s *Sim
	a *account
	r *regionState
}

// assert evaluates the rules: the first assertion that does not hold is why nothing is
// made, in its own words.
func (s *Sim) assert(a *account, region string, e *evaluator) error {
	rules, _ := e.doc.Rules.(map[string]any)
	if len(rules) == 0 {
		return nil
	}
	x := ruleReader{e, s, a, a.region(region)}
	for _, name := range sortedKeys(rules) {
		rule, _ := rules[name].(map[string]any)
		if condition := rule["RuleCondition"]; condition != nil {
			holds, err := x.truth(condition)
			if err != nil {
				return err
			}
			if !holds {
				continue
			}
		}
		assertions, _ := rule["Assertions"].([]any)
		for n, assertion := range assertions {
			m, _ := assertion.(map[string]any)
			holds, err := x.truth(m["Assert"])
			if err != nil {
				return err
			}
			if holds {
				continue
			}
			if text := textOf(m["AssertDescription"]); text != "" {
				return validation(text)
			}
			return invalid("Template error: assertion %d of rule %s does not hold", n+1, name)
		}
	}
	return nil
}

func (x ruleReader) truth(v any) (bool, error) {
	function, argument, _ := intrinsic(v)
	list, _ := argument.([]any)
	switch function {
	case "Fn::And", "Fn::Or", "Fn::Not":
		for _, y := range list {
			b, err := x.truth(y)
			switch {
			case err != nil:
				return false, err
			case function == "Fn::Not":
				return !b, nil
			case b == (function == "Fn::Or"):
				return b, nil
			}
		}
		return function == "Fn::And", nil
	case "Fn::Equals", "Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn":
		left, err := x.values(list[0])
		if err != nil {
			return false, err
		}
		right, err := x.values(list[1])
		if err != nil {
			return false, err
		}
		in := func(of []string) func(string) bool {
			return func(y string) bool { return !slices.Contains(of, y) }
		}
		switch function {
		case "Fn::Equals":
			return slices.Equal(left, right), nil
		case "Fn::Contains":
			return !slices.ContainsFunc(right, in(left)), nil
		}
		return !slices.ContainsFunc(left, in(right)), nil
	}
	values, err := x.values(v)
	return len(values) == 1 && values[0] == "true", err
}

// values evaluates what a function compares: one text, or a list of them.
func (x ruleReader) values(v any) ([]string, error) {
	function, argument, ok := intrinsic(v)
	list, _ := argument.([]any)
	switch {
	case !ok:
		elements, isList := v.([]any)
		if !isList {
			return []string{textOf(v)}, nil
		}
		var out []string
		for _, y := range elements {
			more, err := x.values(y)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
		return out, nil
	case function == "Ref":
		value, err := x.e.ref(textOf(argument))
		return texts(value), err
	case function == "Fn::RefAll":
		return x.all(textOf(argument))
	case function == "Fn::ValueOf":
		p := x.e.doc.Parameters[textOf(list[0])]
		return x.attributes(p.Type, texts(x.e.params[p.Name]), textOf(list[1]))
	case function == "Fn::ValueOfAll":
		var ids []string
		for _, name := range x.e.doc.ParameterOrder {
			if parameterKind(x.e.doc.Parameters[name].Type) == textOf(list[0]) {
				ids = append(ids, texts(x.e.params[name])...)
			}
		}
		return x.attributes(textOf(list[0]), ids, textOf(list[1]))
	}
	b, err := x.truth(v)
	return []string{fmt.Sprint(b)}, err
}

// all are the values that an AWS-specific parameter type can have.
func (x ruleReader) all(kind string) (out []string, err error) {
	switch kind {
	case "AWS::EC2::AvailabilityZone::Name":
		return texts(zones(x.r.name)), nil
	case "AWS::EC2::VPC::Id":
		for _, v := range x.r.vpcs {
			out = append(out, v.ID)
		}
		return out, nil
	case "AWS::EC2::SecurityGroup::Id":
		return sortedKeys(x.r.groups), nil
	}
	return nil, templateError("the simulated CloudFormation cannot list %s", kind)
}

// attributes are what resources of an AWS-specific type have (template reference, "Rule
// functions", supported attributes).
func (x ruleReader) attributes(kind string, ids []string, attribute string) (out []string, err error) {
	tag, tagged := strings.CutPrefix(attribute, "Tags.")
	for _, id := range ids {
		switch of := parameterKind(kind); {
		case of == "AWS::EC2::VPC::Id" && attribute == "DefaultSecurityGroup":
			for _, key := range sortedKeys(x.r.groups) {
				if g := x.r.groups[key]; g.VPC == id && g.Name == "default" {
					out = append(out, g.ID)
				}
			}
		case tagged && of == "AWS::EC2::VPC::Id":
			for _, v := range x.r.vpcs {
				if v.ID == id {
					out = append(out, v.Tags[tag])
				}
			}
		case tagged && of == "AWS::EC2::SecurityGroup::Id":
			if g := x.r.groups[id]; g != nil {
				out = append(out, g.Tags[tag])
			}
		default:
			return nil, templateError("the simulated CloudFormation cannot tell %s of %s", attribute, kind)
		}
	}
	return out, nil
}
