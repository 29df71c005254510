package reports

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"rollout/internal/awsapi"
	"rollout/templates"
)

// configAPI are the reads of AWS Config that are made in a place. Each is in
// ReadPolicy.
type configAPI interface {
	configservice.DescribeConfigRulesAPIClient
	configservice.DescribeComplianceByConfigRuleAPIClient
	configservice.DescribeConfigRuleEvaluationStatusAPIClient
	configservice.GetComplianceDetailsByConfigRuleAPIClient
	configservice.DescribeRemediationExecutionStatusAPIClient
	configservice.DescribeRemediationExceptionsAPIClient
	DescribeConfigurationRecorders(context.Context, *configservice.DescribeConfigurationRecordersInput, ...func(*configservice.Options)) (*configservice.DescribeConfigurationRecordersOutput, error)
	DescribeConfigurationRecorderStatus(context.Context, *configservice.DescribeConfigurationRecorderStatusInput, ...func(*configservice.Options)) (*configservice.DescribeConfigurationRecorderStatusOutput, error)
	DescribeRemediationConfigurations(context.Context, *configservice.DescribeRemediationConfigurationsInput, ...func(*configservice.Options)) (*configservice.DescribeRemediationConfigurationsOutput, error)
}

// batch is how many rules a call of AWS Config takes by name.
const batch = 25

// callError is what one call answered.
type callError struct {
	call string // "config:DescribeConfigRules"
	err  error
}

func (e *callError) Error() string { return e.call + ": " + awsapi.Text(e.err) }
func (e *callError) Unwrap() error { return e.err }

func failed(call string, err error) error { return &callError{"config:" + call, err} }

// missing says that AWS Config knows no rule of (one of) those names.
func missing(err error) bool { return awsapi.Code(err) == "NoSuchConfigRuleException" }

// obstacle is a gap and why. The zero value means that there is none.
type obstacle struct {
	status Status
	detail string
}

// interrupted is the gap of a place that was not read because the run was
// stopped.
var interrupted = obstacle{Unreachable, "interrupted"}

// facts are what was read in a place. What has not been reached is zero.
type facts struct {
	// blocked keeps every rule's verdict from us.
	blocked     obstacle
	interrupted bool
	recorder    recorderFacts
	rules       map[string]*ruleFacts // by the catalog's name
}

// ruleFacts are what was read about one rule.
type ruleFacts struct {
	// blocked keeps this rule's verdict from us.
	blocked obstacle
	// source is the rule whose verdict counts, nil for none.
	source      *sourceRule
	remediation remediationFacts
	word        Status // AWS Config's word on the rule
	evaluation  evaluationFacts
	findings    []evaluated
}

// reader reads one place, one call after another.
type reader struct {
	api configAPI
	// automations tells why a remediation left a resource; nil: that is not asked.
	automations ssm.DescribeAutomationExecutionsAPIClient
	// regionOn is true where the Region is known to be on in the account.
	regionOn bool
}

// place reads everything that the cells of a place need, and no more than the
// first gap leaves to know.
func (r reader) place(ctx context.Context, rules []templates.Rule) facts {
	f := facts{rules: map[string]*ruleFacts{}}
	if ctx.Err() != nil {
		f.blocked = interrupted
		return f
	}
	sources, err := r.sources(ctx, rules)
	if err != nil {
		f.blocked = r.obstacle(ctx, err, awsapi.Classify(err) == awsapi.ClassPolicyDenied && r.allDenied(ctx))
		return f
	}
	var found []templates.Rule
	for _, rule := range rules {
		f.rules[rule.Name] = &ruleFacts{source: sources[rule.Name]}
		if sources[rule.Name] != nil {
			found = append(found, rule)
		}
	}
	if len(found) == 0 {
		return f
	}
	if f.recorder, err = r.recorder(ctx); err != nil {
		return f.spoil(found, r.obstacle(ctx, err, false))
	}
	r.remediations(ctx, found, &f)
	var recorded []templates.Rule
	for _, rule := range found {
		if f.recorder.recording && len(f.recorder.leftOut(rule.ResourceTypes)) == 0 {
			recorded = append(recorded, rule)
		}
	}
	if len(recorded) == 0 {
		return f
	}
	if err := r.words(ctx, recorded, &f); err != nil {
		return f.spoil(recorded, r.obstacle(ctx, err, false))
	}
	for _, rule := range recorded {
		rf := f.rules[rule.Name]
		if rf.source == nil || rf.blocked != (obstacle{}) {
			continue
		}
		if rf.word == NonCompliant {
			if err := r.findings(ctx, rf); err != nil {
				rf.blocked = r.obstacle(ctx, err, false)
				f.interrupted = f.interrupted || rf.blocked == interrupted
			}
		}
	}
	return f
}

// spoil puts a gap on rules whose reading failed half-way; a rule that is known
// to be missing stays NOT_DEPLOYED.
func (f facts) spoil(rules []templates.Rule, why obstacle) facts {
	for _, rule := range rules {
		f.rules[rule.Name].blocked = why
	}
	f.interrupted = f.interrupted || why == interrupted
	return f
}

// allDenied asks for something else after a service control policy has denied the
// first read: a policy that denies a Region denies every read there, one that is
// about a single call lets the next one through.
func (r reader) allDenied(ctx context.Context) bool {
	_, err := r.api.DescribeConfigurationRecorders(ctx, &configservice.DescribeConfigurationRecordersInput{})
	return awsapi.Classify(err) == awsapi.ClassPolicyDenied
}

// obstacle says what a failed call means; all is true where a service control
// policy denies every read in the Region.
func (r reader) obstacle(ctx context.Context, err error, all bool) obstacle {
	if ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) || awsapi.Classify(err) == awsapi.ClassCancelled {
		return interrupted
	}
	said := clip(err.Error())
	switch awsapi.Classify(err) {
	case awsapi.ClassPolicyDenied:
		if all {
			return obstacle{RegionDenied, said + "; leave the Region out, or exempt the role from the policy"}
		}
		return obstacle{AccessDenied, said + "; exempt the role from the service control policy"}
	case awsapi.ClassDenied:
		return obstacle{AccessDenied, said + "; let the role make this call (rollout-reader may)"}
	case awsapi.ClassRegionOff:
		if !r.regionOn {
			return obstacle{RegionDisabled, said + "; the Region looks switched off in the account: switch it on there or leave it out"}
		}
	case awsapi.ClassNoCredentials:
		return obstacle{Unreachable, said + "; renew the credentials and gather again"}
	}
	return obstacle{Unreachable, fmt.Sprintf("%s, after up to %d attempts; gather again", said, awsapi.Attempts)}
}

// clip keeps what AWS said short enough for a table.
func clip(text string) string {
	const most = 400
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
