package stackset

import (
	"encoding/json"
	"fmt"
	"slices"

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
	if r.ConfigRuleState == types.ConfigRuleStateDeleting || r.ConfigRuleState == types.ConfigRuleStateDeletingResults {
		return false
	}
	if r.Source == nil || r.Source.Owner != types.OwnerAws || aws.ToString(r.Source.SourceIdentifier) != ours.Identifier {
		return false
	}
	detective := func(m types.EvaluationModeConfiguration) bool { return m.Mode == types.EvaluationModeDetective }
	if len(r.EvaluationModes) > 0 && !slices.ContainsFunc(r.EvaluationModes, detective) {
		return false
	}
	return equalParameters(ours.Parameters, aws.ToString(r.InputParameters)) && covers(r.Scope, ours.ResourceTypes)
}

// equalParameters compares our parameters with a rule's InputParameters, a JSON
// object whose values are texts, numbers or booleans; empty ones do not count.
func equalParameters(ours map[string]string, text string) bool {
	decoded := map[string]any{}
	if text != "" && json.Unmarshal([]byte(text), &decoded) != nil {
		return false
	}
	theirs := map[string]string{}
	for k, v := range decoded {
		if s := fmt.Sprint(v); v != nil && s != "" {
			theirs[k] = s
		}
	}
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

// covers says whether a rule's scope takes in resource types. No scope takes in
// every type that the managed rule supports.
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
	return true
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
