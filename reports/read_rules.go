package reports

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"rollout/stackset"
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
			if slices.ContainsFunc(rules, func(rule templates.Rule) bool { return stackset.SameSource(rule, found) }) {
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
		if !stackset.SameSource(rule, f) || !stackset.AliveRule(f) {
			continue
		}
		name := aws.ToString(f.ConfigRuleName)
		if name == rule.Name {
			return &sourceRule{name, f.ConfigRuleState}
		}
		if equalToo && stackset.EqualRule(rule, f) && (best == nil || name < best.name) {
			best = &sourceRule{name, f.ConfigRuleState}
		}
	}
	return best
}
