package reports

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"rollout/internal/awsapi"
	"rollout/templates"
)

// remediationFacts are what would be done about a rule's findings.
type remediationFacts struct {
	mode     string // off, manual, automatic; "" when it could not be read
	document string // the automation document that it runs
	err      error  // why
}

// keysAtOnce is how many resources a call about remediations takes.
const keysAtOnce = 100

// remediations reads which of the rules have a remediation. A failure leaves the
// verdicts as they are.
func (r reader) remediations(ctx context.Context, rules []templates.Rule, f *facts) {
	for part := range slices.Chunk(rules, batch) {
		var sources []string
		for _, rule := range part {
			if name := f.rules[rule.Name].source.name; !slices.Contains(sources, name) {
				sources = append(sources, name)
			}
		}
		found, err := r.remediationConfigurations(ctx, sources)
		for _, rule := range part {
			rf := f.rules[rule.Name]
			rf.remediation = found[rf.source.name]
			rf.remediation.mode = orText(rf.remediation.mode, "off")
			if err != nil {
				rf.remediation = remediationFacts{err: err}
			}
		}
	}
}

// remediationConfigurations gives manual or automatic by rule, and what runs; a rule
// without a remediation is absent (the call names no unknown rules).
func (r reader) remediationConfigurations(ctx context.Context, rules []string) (map[string]remediationFacts, error) {
	out, err := r.api.DescribeRemediationConfigurations(ctx, &configservice.DescribeRemediationConfigurationsInput{ConfigRuleNames: rules})
	if err != nil {
		return nil, failed("DescribeRemediationConfigurations", err)
	}
	found := map[string]remediationFacts{}
	for _, c := range out.RemediationConfigurations {
		mode := "manual"
		if c.Automatic {
			mode = "automatic"
		}
		found[aws.ToString(c.ConfigRuleName)] = remediationFacts{mode: mode, document: aws.ToString(c.TargetId)}
	}
	return found, nil
}

// outcomes reads what became of the remediation of a rule's findings. A failure
// is told with each of them.
func (r reader) outcomes(ctx context.Context, rf *ruleFacts) {
	if rf.remediation.mode == "off" || len(rf.findings) == 0 {
		for i := range rf.findings {
			rf.findings[i].remediation = outcome{status: remediationNone}
		}
		return
	}
	keys := make([]resourceKey, len(rf.findings))
	for i, e := range rf.findings {
		keys[i] = e.key()
	}
	executions, err := r.executions(ctx, rf.source.name, keys)
	var exceptions map[resourceKey]*types.RemediationException
	if err == nil {
		exceptions, err = r.exceptions(ctx, rf.source.name, keys)
	}
	for i := range rf.findings {
		e := &rf.findings[i]
		if err != nil {
			e.remediation = outcome{status: remediationNone, detail: "what became of the remediation could not be read: " + clip(err.Error())}
			continue
		}
		e.remediation = remediated(*e, executions[e.key()], exceptions[e.key()])
	}
	if err == nil {
		r.reasons(ctx, rf, executions)
	}
}

// executions gives the last remediation of each resource that had one.
func (r reader) executions(ctx context.Context, rule string, keys []resourceKey) (map[resourceKey]*types.RemediationExecutionStatus, error) {
	out := map[resourceKey]*types.RemediationExecutionStatus{}
	for part := range slices.Chunk(keys, keysAtOnce) {
		in := &configservice.DescribeRemediationExecutionStatusInput{ConfigRuleName: aws.String(rule), Limit: 100}
		for _, k := range part {
			in.ResourceKeys = append(in.ResourceKeys, types.ResourceKey{ResourceId: aws.String(k.resourceID), ResourceType: types.ResourceType(k.resourceType)})
		}
		for pages := configservice.NewDescribeRemediationExecutionStatusPaginator(r.api, in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if awsapi.Code(err) == "NoSuchRemediationConfigurationException" {
				return out, nil
			}
			if err != nil {
				return nil, failed("DescribeRemediationExecutionStatus", err)
			}
			for _, e := range page.RemediationExecutionStatuses {
				if e.ResourceKey == nil {
					continue
				}
				key := resourceKey{string(e.ResourceKey.ResourceType), aws.ToString(e.ResourceKey.ResourceId)}
				if old := out[key]; old == nil || aws.ToTime(e.InvocationTime).After(aws.ToTime(old.InvocationTime)) {
					out[key] = &e
				}
			}
		}
	}
	return out, nil
}

// exceptions gives the exception that keeps a resource from remediation, whether
// somebody put it there or AWS Config did.
func (r reader) exceptions(ctx context.Context, rule string, keys []resourceKey) (map[resourceKey]*types.RemediationException, error) {
	out := map[resourceKey]*types.RemediationException{}
	for part := range slices.Chunk(keys, keysAtOnce) {
		// "Limit and next token are not applicable if you request resources in
		// batch" (API reference, DescribeRemediationExceptions).
		in := &configservice.DescribeRemediationExceptionsInput{ConfigRuleName: aws.String(rule)}
		for _, k := range part {
			in.ResourceKeys = append(in.ResourceKeys, types.RemediationExceptionResourceKey{ResourceId: aws.String(k.resourceID), ResourceType: aws.String(k.resourceType)})
		}
		for pages := configservice.NewDescribeRemediationExceptionsPaginator(r.api, in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, failed("DescribeRemediationExceptions", err)
			}
			for _, x := range page.RemediationExceptions {
				out[resourceKey{aws.ToString(x.ResourceType), aws.ToString(x.ResourceId)}] = &x
			}
		}
	}
	return out, nil
}
