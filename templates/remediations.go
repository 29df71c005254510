package templates

import (
	"slices"
	"strings"
)

// Attached is a remediation that a template attaches to a Config rule.
type Attached struct {
	// Rule is the rule's name, ResourceType the type that it acts on, "" where that is
	// the account.
	Rule, ResourceType string
	// Values are the fixed values that the runbook gets.
	Values map[string]string
}

// AttachedWith are the remediations that the template brings with these values of its
// parameters, sorted by rule. What only a deployment knows is not among their values.
func (t Template) AttachedWith(values map[string]string) []Attached {
	if t.document == nil {
		return nil
	}
	e := newEvaluation(t.document, values)
	var out []Attached
	for _, id := range t.document.ResourceOrder {
		r := t.document.Resources[id]
		if r.Type != "AWS::Config::RemediationConfiguration" {
			continue
		}
		if holds, known := e.condition(r.Condition); r.Condition != "" && known && !holds {
			continue
		}
		properties, _ := e.value(r.Properties).(map[string]any)
		rule, named := properties["ConfigRuleName"].(string)
		if !named {
			continue
		}
		a := Attached{Rule: rule, Values: map[string]string{}}
		a.ResourceType, _ = properties["ResourceType"].(string)
		parameters, _ := properties["Parameters"].(map[string]any)
		for name, v := range parameters {
			if text, ok := fixed(v); ok {
				a.Values[name] = text
			}
		}
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b Attached) int { return strings.Compare(a.Rule, b.Rule) })
	return out
}

// fixed is the one static value of a remediation's parameter.
func fixed(v any) (string, bool) {
	parameter, _ := v.(map[string]any)
	static, _ := parameter["StaticValue"].(map[string]any)
	list, _ := static["Values"].([]any)
	if len(list) != 1 {
		return "", false
	}
	return plainText(list[0])
}
