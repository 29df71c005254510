package stackset

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"rollout/templates"
)

// RuleFact is a Config rule that was found and matters to a run.
type RuleFact struct {
	// Rule is the catalog's name of our rule that it was compared with.
	Rule string
	// Name is its own name.
	Name string
	// Equal says that it checks the same thing on the same resources.
	Equal bool
}

// Own says whether the rule has our rule's name.
func (f RuleFact) Own() bool { return f.Name == f.Rule }

// EqualRule says whether a Config rule gives the same verdict as ours: the same
// managed rule with equal parameters, on at least the same resource types, and
// not narrowed to a tag or one resource. A rule that is being deleted, or that
// checks only resources that are to be made (proactive), gives no verdict.
func EqualRule(ours templates.Rule, r types.ConfigRule) bool {
	if !AliveRule(r) || !SameSource(ours, r) || ours.Identifier == "" || len(ours.Unknown) > 0 {
		return false
	}
	detective := func(m types.EvaluationModeConfiguration) bool { return m.Mode == types.EvaluationModeDetective }
	if len(r.EvaluationModes) > 0 && !slices.ContainsFunc(r.EvaluationModes, detective) {
		return false
	}
	theirs, err := ruleParameters(aws.ToString(r.InputParameters))
	return err == nil && equalParameters(ours.Parameters, theirs) && covers(r.Scope, ours.ResourceTypes)
}

// SameSource says whether a Config rule checks what ours does, with whatever
// parameters; a custom rule of ours is known by its name alone.
func SameSource(ours templates.Rule, r types.ConfigRule) bool {
	if ours.Identifier == "" {
		return aws.ToString(r.ConfigRuleName) == ours.Name
	}
	return r.Source != nil && r.Source.Owner == types.OwnerAws && aws.ToString(r.Source.SourceIdentifier) == ours.Identifier
}

// AliveRule says that a rule is not being deleted.
func AliveRule(r types.ConfigRule) bool {
	return r.ConfigRuleState != types.ConfigRuleStateDeleting && r.ConfigRuleState != types.ConfigRuleStateDeletingResults
}

// equalParameters compares parameters; empty ones do not count.
func equalParameters(ours, theirs map[string]string) bool {
	count := 0
	for k, v := range ours {
		if v == "" {
			continue
		}
		count++
		if theirs[k] != v {
			return false
		}
	}
	return count == len(theirs)
}

// ruleParameters reads a rule's InputParameters: JSON text of an object whose
// values are texts, though numbers and booleans are met as well. An empty value
// is as good as none.
func ruleParameters(text string) (map[string]string, error) {
	out := map[string]string{}
	if text == "" {
		return out, nil
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var values map[string]any
	if err := decoder.Decode(&values); err != nil {
		return nil, fmt.Errorf("read the parameters of a rule: %w", err)
	}
	for name, value := range values {
		switch v := value.(type) {
		case nil:
		case string:
			if v != "" {
				out[name] = v
			}
		case json.Number, bool:
			out[name] = fmt.Sprint(v)
		default:
			raw, err := json.Marshal(v)
			if err != nil {
				return nil, fmt.Errorf("read parameter %s of a rule: %w", name, err)
			}
			out[name] = string(raw)
		}
	}
	return out, nil
}

// covers says whether a rule's scope takes in resource types, none of which means
// every type. No scope takes in every type that the managed rule supports.
func covers(scope *types.Scope, resourceTypes []string) bool {
	if scope == nil {
		return true
	}
	if aws.ToString(scope.ComplianceResourceId) != "" || aws.ToString(scope.TagKey) != "" || aws.ToString(scope.TagValue) != "" {
		return false
	}
	if len(scope.ComplianceResourceTypes) == 0 {
		return true
	}
	for _, t := range resourceTypes {
		if !slices.Contains(scope.ComplianceResourceTypes, t) {
			return false
		}
	}
	return len(resourceTypes) > 0
}

// ruleFacts keeps the rules that matter: equal ones and those that have our name.
func ruleFacts(ours []templates.Rule, found []types.ConfigRule) []RuleFact {
	var out []RuleFact
	for _, rule := range ours {
		for _, r := range found {
			fact := RuleFact{Rule: rule.Name, Name: aws.ToString(r.ConfigRuleName), Equal: EqualRule(rule, r)}
			if fact.Equal || fact.Own() {
				out = append(out, fact)
			}
		}
	}
	return out
}
