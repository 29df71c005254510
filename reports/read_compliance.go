package reports

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"rollout/templates"
)

// evaluationFacts are when a rule was last looked at, and with what error.
type evaluationFacts struct {
	// started is set once the rule has been evaluated at least once.
	started bool
	success time.Time // the last evaluation that went well
	failure time.Time // the last that did not
	problem string    // of the last failure, "" when none is standing
}

// newerThan says whether the rule has been evaluated since then. Zero means ever.
func (e evaluationFacts) newerThan(since time.Time) bool {
	return !e.success.IsZero() && e.success.After(since) || since.IsZero() && e.started
}

// evaluated is one resource that is not compliant.
type evaluated struct {
	resourceType, resourceID, annotation string
	// recorded is when Config wrote the verdict down; looked is the time of the
	// configuration item (or of the period) that it is about.
	recorded, looked time.Time
	remediation      outcome
}

func (e evaluated) key() resourceKey { return resourceKey{e.resourceType, e.resourceID} }

type resourceKey struct{ resourceType, resourceID string }

// words reads AWS Config's word on each rule and when it was last evaluated.
// A rule that has gone since it was found has no source any more.
func (r reader) words(ctx context.Context, rules []templates.Rule, f *facts) error {
	sources := map[string][]*ruleFacts{}
	var wanted []string
	for _, rule := range rules {
		rf := f.rules[rule.Name]
		if len(sources[rf.source.name]) == 0 {
			wanted = append(wanted, rf.source.name)
		}
		sources[rf.source.name] = append(sources[rf.source.name], rf)
	}
	words := map[string]Status{}
	gone, err := inBatches(wanted, func(part []string) error {
		in := &configservice.DescribeComplianceByConfigRuleInput{ConfigRuleNames: part}
		for pages := configservice.NewDescribeComplianceByConfigRulePaginator(r.api, in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return failed("DescribeComplianceByConfigRule", err)
			}
			for _, c := range page.ComplianceByConfigRules {
				if c.Compliance != nil {
					words[aws.ToString(c.ConfigRuleName)] = Status(c.Compliance.ComplianceType)
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	wanted = slices.DeleteFunc(wanted, func(name string) bool { return slices.Contains(gone, name) })
	evaluations, goneLater, err := r.evaluations(ctx, wanted)
	if err != nil {
		return err
	}
	for name, list := range sources {
		for _, rf := range list {
			if slices.Contains(gone, name) || slices.Contains(goneLater, name) {
				rf.source = nil
				continue
			}
			rf.word, rf.evaluation = words[name], evaluations[name]
		}
	}
	return nil
}

// evaluations reads when rules were evaluated, by name.
func (r reader) evaluations(ctx context.Context, names []string) (found map[string]evaluationFacts, gone []string, err error) {
	found = map[string]evaluationFacts{}
	gone, err = inBatches(names, func(part []string) error {
		in := &configservice.DescribeConfigRuleEvaluationStatusInput{ConfigRuleNames: part, Limit: 50}
		for pages := configservice.NewDescribeConfigRuleEvaluationStatusPaginator(r.api, in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return failed("DescribeConfigRuleEvaluationStatus", err)
			}
			for _, s := range page.ConfigRulesEvaluationStatus {
				found[aws.ToString(s.ConfigRuleName)] = evaluationOf(s)
			}
		}
		return nil
	})
	return found, gone, err
}

func evaluationOf(s types.ConfigRuleEvaluationStatus) evaluationFacts {
	e := evaluationFacts{
		started: s.FirstEvaluationStarted,
		success: aws.ToTime(s.LastSuccessfulEvaluationTime),
		failure: latest(aws.ToTime(s.LastFailedEvaluationTime), aws.ToTime(s.LastFailedInvocationTime)),
	}
	if e.started {
		// A rule with nothing in its scope is invoked and evaluates nothing.
		e.success = latest(e.success, aws.ToTime(s.LastSuccessfulInvocationTime))
	}
	if code := aws.ToString(s.LastErrorCode); code != "" && !e.success.After(e.failure) {
		e.problem = code
		if message := aws.ToString(s.LastErrorMessage); message != "" {
			e.problem += ": " + message
		}
	}
	return e
}

func latest(times ...time.Time) time.Time {
	var out time.Time
	for _, t := range times {
		if t.After(out) {
			out = t
		}
	}
	return out
}

// inBatches makes a call for up to 25 names at a time. One unknown name fails
// the whole call, so it is then made name by name; the unknown ones are given back.
func inBatches(names []string, call func([]string) error) (gone []string, err error) {
	for part := range slices.Chunk(names, batch) {
		err := call(part)
		if !missing(err) {
			if err != nil {
				return gone, err
			}
			continue
		}
		if len(part) == 1 {
			gone = append(gone, part...)
			continue
		}
		for _, name := range part {
			switch err := call([]string{name}); {
			case missing(err):
				gone = append(gone, name)
			case err != nil:
				return gone, err
			}
		}
	}
	return gone, nil
}

// details reads every resource that is not compliant, all pages: the count that
// comes with the rule's word stops at 25.
func (r reader) details(ctx context.Context, rule string) ([]evaluated, error) {
	var out []evaluated
	in := &configservice.GetComplianceDetailsByConfigRuleInput{
		ConfigRuleName:  aws.String(rule),
		ComplianceTypes: []types.ComplianceType{types.ComplianceTypeNonCompliant},
		Limit:           100, // the default is 10
	}
	for pages := configservice.NewGetComplianceDetailsByConfigRulePaginator(r.api, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed("GetComplianceDetailsByConfigRule", err)
		}
		for _, e := range page.EvaluationResults {
			if e.ComplianceType != types.ComplianceTypeNonCompliant || e.EvaluationResultIdentifier == nil || e.EvaluationResultIdentifier.EvaluationResultQualifier == nil {
				continue
			}
			q := e.EvaluationResultIdentifier.EvaluationResultQualifier
			out = append(out, evaluated{
				resourceType: aws.ToString(q.ResourceType), resourceID: aws.ToString(q.ResourceId), annotation: aws.ToString(e.Annotation),
				recorded: latest(aws.ToTime(e.ResultRecordedTime), aws.ToTime(e.ConfigRuleInvokedTime)),
				looked:   aws.ToTime(e.EvaluationResultIdentifier.OrderingTimestamp),
			})
		}
	}
	// A result that is replaced while the pages are read can come twice.
	slices.SortStableFunc(out, func(a, b evaluated) int {
		if c := compareText(a.resourceType, b.resourceType); c != 0 {
			return c
		}
		if c := compareText(a.resourceID, b.resourceID); c != 0 {
			return c
		}
		return b.recorded.Compare(a.recorded)
	})
	return slices.CompactFunc(out, func(a, b evaluated) bool { return a.key() == b.key() }), nil
}

// findings reads the resources that make a rule NON_COMPLIANT and what became of
// their remediation.
func (r reader) findings(ctx context.Context, rf *ruleFacts) error {
	list, err := r.details(ctx, rf.source.name)
	switch {
	case missing(err):
		rf.source = nil
		return nil
	case err != nil:
		return err
	}
	if len(list) == 0 {
		// The last resource became compliant between the two calls: ask again.
		word, err := r.word(ctx, rf.source.name)
		switch {
		case missing(err):
			rf.source = nil
			return nil
		case err != nil:
			return err
		}
		if rf.word = word; word != NonCompliant {
			return nil
		}
		if list, err = r.details(ctx, rf.source.name); err != nil {
			return err
		}
	}
	rf.findings = list
	r.outcomes(ctx, rf)
	return nil
}

func (r reader) word(ctx context.Context, rule string) (Status, error) {
	out, err := r.api.DescribeComplianceByConfigRule(ctx, &configservice.DescribeComplianceByConfigRuleInput{ConfigRuleNames: []string{rule}})
	if err != nil {
		return "", failed("DescribeComplianceByConfigRule", err)
	}
	for _, c := range out.ComplianceByConfigRules {
		if c.Compliance != nil {
			return Status(c.Compliance.ComplianceType), nil
		}
	}
	return InsufficientData, nil
}
