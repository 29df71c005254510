package blast

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"rollout/stackset"
	"rollout/templates"
)

// remedy is a template's enforcement in a place.
type remedy struct {
	set   stackset.Set
	rules []ruled
}

// ruled is a remediation with what AWS Config says of its rule in a place.
type ruled struct {
	templates.Attached
	rule templates.Rule
	// source is the Config rule that gives the verdict: ours, or an equal one; "" where
	// none is evaluated, and why says why.
	source, why string
	when        time.Time
	// found are the resources that are not compliant, and when that was written down.
	found map[string]time.Time
}

// kind is the type of what the rule finds.
func (r ruled) kind() string {
	if r.ResourceType == "" {
		return typeAccount
	}
	return r.ResourceType
}

// typeAccount is AWS Config's type of a finding about the account.
const typeAccount = "AWS::::Account"

// rulesOf are a set's remediations in a Region, with the rules that they act on.
func rulesOf(plan *stackset.Plan, set stackset.Set, region string) []ruled {
	var rules []templates.Rule
	for _, s := range plan.Sets {
		if s.Template.Name == set.Template.Enforces {
			rules = s.Rules(region, plan.Desired.Partition)
		}
	}
	var out []ruled
	for _, a := range set.Remediations(region, plan.Desired.Partition) {
		r := ruled{Attached: a, rule: templates.Rule{Name: a.Rule}}
		if n := slices.IndexFunc(rules, func(rule templates.Rule) bool { return rule.Name == a.Rule }); n >= 0 {
			r.rule = rules[n]
		}
		out = append(out, r)
	}
	return out
}

// verdicts asks AWS Config when the rules were evaluated, in one call for all templates,
// and what they found, in one more for each rule that is.
func (at *site) verdicts(ctx context.Context, in inRegion) []remedy {
	api := configservice.NewFromConfig(at.cfg)
	out := make([]remedy, len(in.remedies))
	var names []string
	for i, m := range in.remedies {
		out[i] = remedy{m.set, slices.Clone(m.rules)}
		for n := range out[i].rules {
			r := &out[i].rules[n]
			if r.source, r.why = sourceOf(r.rule, in.facts); r.source != "" && !slices.Contains(names, r.source) {
				names = append(names, r.source)
			}
		}
	}
	if len(names) == 0 {
		return out
	}
	states, err := evaluations(ctx, api, names)
	for i := range out {
		for n := range out[i].rules {
			r := &out[i].rules[n]
			if r.source == "" {
				continue
			}
			if r.when, r.why = evaluationOf(r.source, states[r.source], err); r.why == "" {
				if r.found, err = findings(ctx, api, r.source); err != nil {
					r.why = "what it found could not be read: " + said(err)
				}
			}
			if r.why != "" {
				r.source = ""
			}
		}
	}
	return out
}

// sourceOf picks the rule that gives the verdict, from what preflight saw: ours, else the
// first equal one by name. One of our name that has other parameters gives another verdict.
func sourceOf(rule templates.Rule, f *stackset.RegionFacts) (name, why string) {
	switch {
	case f == nil:
		return "", "preflight did not look there"
	case f.Gap.Is():
		return "", "preflight could not read AWS Config: " + f.Gap.Text
	case f.Recorder == nil && !rule.ByClockOnly():
		return "", "there is no recorder"
	case f.Recorder != nil && !f.Recorder.Recording && !rule.ByClockOnly():
		return "", "the recorder is off"
	case f.Recorder != nil && len(f.Recorder.Group.LeavesOut(rule.ResourceTypes)) > 0:
		return "", "the recorder leaves out " + strings.Join(f.Recorder.Group.LeavesOut(rule.ResourceTypes), ", ")
	}
	why = "rule " + rule.Name + " is not there, nor an equal one"
	for _, fact := range f.Rules {
		switch {
		case fact.Rule != rule.Name:
		case fact.Own() && fact.Equal:
			return fact.Name, ""
		case fact.Own():
			why = "rule " + rule.Name + " is there with other parameters"
		case fact.Equal && (name == "" || fact.Name < name):
			name = fact.Name
		}
	}
	if name != "" {
		return name, ""
	}
	return "", why
}

// evaluations reads when rules were evaluated, by name. A rule that has gone since
// preflight fails the call, and is then as good as not evaluated.
func evaluations(ctx context.Context, api *configservice.Client, names []string) (map[string]types.ConfigRuleEvaluationStatus, error) {
	out := map[string]types.ConfigRuleEvaluationStatus{}
	for part := range slices.Chunk(names, 25) { // the model's limit
		in := &configservice.DescribeConfigRuleEvaluationStatusInput{ConfigRuleNames: part}
		for pages := configservice.NewDescribeConfigRuleEvaluationStatusPaginator(api, in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, s := range page.ConfigRulesEvaluationStatus {
				out[aws.ToString(s.ConfigRuleName)] = s
			}
		}
	}
	return out, nil
}

// evaluationOf says when a rule was evaluated, or why it counts as not evaluated.
func evaluationOf(name string, s types.ConfigRuleEvaluationStatus, err error) (when time.Time, why string) {
	if err != nil {
		return when, "when it was evaluated could not be read: " + said(err)
	}
	failed := later(aws.ToTime(s.LastFailedEvaluationTime), aws.ToTime(s.LastFailedInvocationTime))
	if when = aws.ToTime(s.LastSuccessfulEvaluationTime); s.FirstEvaluationStarted {
		// A rule with nothing in its scope is invoked and evaluates nothing.
		when = later(when, aws.ToTime(s.LastSuccessfulInvocationTime))
	}
	switch {
	case !failed.IsZero() && !when.After(failed):
		return time.Time{}, "rule " + name + " failed: " + aws.ToString(s.LastErrorCode) + ": " + aws.ToString(s.LastErrorMessage)
	case when.IsZero():
		return when, "rule " + name + " has not been evaluated yet"
	}
	return when, ""
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// findings are the resources that a rule finds not compliant.
func findings(ctx context.Context, api *configservice.Client, rule string) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	in := &configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: &rule, ComplianceTypes: []types.ComplianceType{types.ComplianceTypeNonCompliant}, Limit: 100}
	for pages := configservice.NewGetComplianceDetailsByConfigRulePaginator(api, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, e := range page.EvaluationResults {
			if e.EvaluationResultIdentifier != nil && e.EvaluationResultIdentifier.EvaluationResultQualifier != nil {
				out[aws.ToString(e.EvaluationResultIdentifier.EvaluationResultQualifier.ResourceId)] = aws.ToTime(e.ResultRecordedTime)
			}
		}
	}
	return out, nil
}

// place says of a template that its rules are not evaluated here.
func (at *site) place(m remedy, why string) Place {
	return Place{Template: m.set.Template.Name, StackSet: m.set.Name, AccountID: at.account.ID, Account: at.account, Region: at.region, Why: why}
}

// evaluated says whether all rules of a template are evaluated here.
func (at *site) evaluated(m remedy) Place {
	p := at.place(m, "")
	var why []string
	for i, r := range m.rules {
		if r.source == "" {
			if !slices.Contains(why, r.why) {
				why = append(why, r.why)
			}
			continue
		}
		if i == 0 || r.when.Before(p.When) {
			p.When = r.when
		}
	}
	if p.Why = strings.Join(why, "; "); p.Why != "" {
		p.When = time.Time{}
	}
	if len(m.rules) == 0 {
		p.Why = "the template remediates nothing in this Region"
	}
	p.Evaluated = p.Why == ""
	return p
}
