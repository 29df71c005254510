package reports

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"rollout/templates"
)

// sourceRule is a rule of AWS Config that gives a verdict.
type sourceRule struct {
	name  string
	state types.ConfigRuleState
}

// sources finds for each rule of ours the rule in the place that gives its
// verdict: our own by its name, else an equal one. Rules without one are absent.
func (r reader) sources(ctx context.Context, rules []templates.Rule) (map[string]*sourceRule, error) {
	out := map[string]*sourceRule{}
	for part := range slices.Chunk(rules, batch) {
		named, err := r.api.DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{ConfigRuleNames: names(part)})
		switch {
		case missing(err):
			// One unknown name fails the whole call; the pages below name all.
			continue
		case err != nil:
			return nil, failed("DescribeConfigRules", err)
		}
		for _, rule := range part {
			if own := pick(rule, named.ConfigRules, false); own != nil {
				out[rule.Name] = own
			}
		}
	}
	if len(out) == len(rules) {
		return out, nil
	}
	var all []types.ConfigRule
	for pages := configservice.NewDescribeConfigRulesPaginator(r.api, &configservice.DescribeConfigRulesInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed("DescribeConfigRules", err)
		}
		for _, found := range page.ConfigRules {
			if slices.ContainsFunc(rules, func(rule templates.Rule) bool { return sameSource(rule, found) }) {
				all = append(all, found)
			}
		}
	}
	for _, rule := range rules {
		if out[rule.Name] == nil {
			if source := pick(rule, all, true); source != nil {
				out[rule.Name] = source
			}
		}
	}
	return out, nil
}

func names(rules []templates.Rule) []string {
	out := make([]string, len(rules))
	for i, r := range rules {
		out[i] = r.Name
	}
	return out
}

// pick chooses the rule that gives the verdict: our own (whatever its parameters
// are: the run may have set them), then, where equal rules count, the first by name.
func pick(rule templates.Rule, found []types.ConfigRule, equalToo bool) *sourceRule {
	var best *sourceRule
	for _, f := range found {
		if !sameSource(rule, f) || !alive(f) {
			continue
		}
		name := aws.ToString(f.ConfigRuleName)
		if name == rule.Name {
			return &sourceRule{name, f.ConfigRuleState}
		}
		if equalToo && equal(rule, f) && (best == nil || name < best.name) {
			best = &sourceRule{name, f.ConfigRuleState}
		}
	}
	return best
}

// sameSource says whether two rules check the same thing; a custom rule of ours
// is known by its name alone.
func sameSource(rule templates.Rule, f types.ConfigRule) bool {
	if rule.Identifier == "" {
		return aws.ToString(f.ConfigRuleName) == rule.Name
	}
	return f.Source != nil && f.Source.Owner == types.OwnerAws && aws.ToString(f.Source.SourceIdentifier) == rule.Identifier
}

func alive(f types.ConfigRule) bool {
	switch f.ConfigRuleState {
	case types.ConfigRuleStateDeleting, types.ConfigRuleStateDeletingResults:
		return false
	}
	return true
}

// equal says whether a rule of the same identifier gives the verdict that ours
// would: the same parameters, and a scope that covers our resource types.
func equal(rule templates.Rule, f types.ConfigRule) bool {
	parameters, err := ruleParameters(aws.ToString(f.InputParameters))
	if err != nil || !maps.Equal(parameters, orEmpty(rule.Parameters)) {
		return false
	}
	if s := f.Scope; s != nil {
		if aws.ToString(s.ComplianceResourceId) != "" || aws.ToString(s.TagKey) != "" {
			return false
		}
		if len(s.ComplianceResourceTypes) > 0 {
			if len(rule.ResourceTypes) == 0 {
				return false // ours looks at every type
			}
			for _, t := range rule.ResourceTypes {
				if !slices.Contains(s.ComplianceResourceTypes, t) {
					return false
				}
			}
		}
	}
	return true
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// ruleParameters reads a rule's InputParameters: JSON text of an object whose
// values are texts, though numbers and booleans are met as well. An empty value
// is as good as none.
func ruleParameters(text string) (map[string]string, error) {
	out := map[string]string{}
	if text == "" {
		return out, nil
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
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
