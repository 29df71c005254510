package reports

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/smithy-go"

	"rollout/orgs"
	"rollout/templates"
)

const ourRule = "rollout-vpc-default-security-group-closed"

var (
	noon    = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	closed  = templates.Rule{Name: ourRule, Identifier: "VPC_DEFAULT_SECURITY_GROUP_CLOSED", ResourceTypes: []string{"AWS::EC2::SecurityGroup"}}
	inTests = Place{Account: &orgs.Account{ID: "111111111111", State: "ACTIVE", OU: &orgs.OU{Path: "Workloads"}}, Region: "eu-west-1"}
)

// fakeConfig is AWS Config in one place, with AWS's page sizes and refusals.
type fakeConfig struct {
	rules       []types.ConfigRule
	recorders   []types.ConfigurationRecorder
	statuses    []types.ConfigurationRecorderStatus
	words       map[string]types.ComplianceType
	evaluations map[string]types.ConfigRuleEvaluationStatus
	results     map[string][]types.EvaluationResult
	modes       map[string]bool // automatic by rule
	executions  []types.RemediationExecutionStatus
	exceptions  []types.RemediationException
	errors      map[string]error // by operation
	before      func(operation string)
	calls       []string
}

func apiErr(code, message string) error { return &smithy.GenericAPIError{Code: code, Message: message} }

// healthy is a place with our rule, COMPLIANT, recorder on.
func healthy() *fakeConfig {
	return &fakeConfig{
		rules:       []types.ConfigRule{managed(ourRule, "")},
		recorders:   []types.ConfigurationRecorder{{Name: aws.String("default"), RecordingGroup: &types.RecordingGroup{AllSupported: true}}},
		statuses:    []types.ConfigurationRecorderStatus{{Name: aws.String("default"), Recording: true, LastStatus: types.RecorderStatusSuccess}},
		words:       map[string]types.ComplianceType{ourRule: types.ComplianceTypeCompliant},
		evaluations: map[string]types.ConfigRuleEvaluationStatus{ourRule: {FirstEvaluationStarted: true, LastSuccessfulEvaluationTime: aws.Time(noon)}},
		results:     map[string][]types.EvaluationResult{},
		modes:       map[string]bool{},
		errors:      map[string]error{},
	}
}

func managed(name, parameters string) types.ConfigRule {
	return types.ConfigRule{
		ConfigRuleName: aws.String(name), ConfigRuleState: types.ConfigRuleStateActive,
		Source: &types.Source{Owner: types.OwnerAws, SourceIdentifier: aws.String(closed.Identifier)},
		Scope:  &types.Scope{ComplianceResourceTypes: []string{"AWS::EC2::SecurityGroup"}}, InputParameters: aws.String(parameters),
	}
}

// open adds n groups that are not compliant.
func (f *fakeConfig) open(n int) *fakeConfig {
	f.words[ourRule] = types.ComplianceTypeNonCompliant
	for i := range n {
		f.results[ourRule] = append(f.results[ourRule], types.EvaluationResult{
			ComplianceType: types.ComplianceTypeNonCompliant, ResultRecordedTime: aws.Time(noon),
			EvaluationResultIdentifier: &types.EvaluationResultIdentifier{
				OrderingTimestamp:         aws.Time(noon.Add(-time.Minute)),
				EvaluationResultQualifier: &types.EvaluationResultQualifier{ResourceType: aws.String("AWS::EC2::SecurityGroup"), ResourceId: aws.String(fmt.Sprintf("sg-%04d", i))},
			},
		})
	}
	return f
}

func (f *fakeConfig) call(operation string) error {
	f.calls = append(f.calls, operation)
	if f.before != nil {
		f.before(operation)
	}
	return f.errors[operation]
}

func (f *fakeConfig) named(names []string) error {
	if len(names) > 25 {
		return apiErr("ValidationException", "at most 25 names")
	}
	for _, n := range names {
		if !slices.ContainsFunc(f.rules, func(r types.ConfigRule) bool { return aws.ToString(r.ConfigRuleName) == n }) {
			return apiErr("NoSuchConfigRuleException", "The ConfigRule '"+n+"' provided in the request is invalid.")
		}
	}
	return nil
}

func pageOf[T any](list []T, token *string, size int) ([]T, *string) {
	from, _ := strconv.Atoi(aws.ToString(token))
	to := min(from+size, len(list))
	if to < len(list) {
		return list[from:to], aws.String(strconv.Itoa(to))
	}
	return list[from:to], nil
}

func (f *fakeConfig) DescribeConfigRules(_ context.Context, in *configservice.DescribeConfigRulesInput, _ ...func(*configservice.Options)) (*configservice.DescribeConfigRulesOutput, error) {
	if err := f.call("DescribeConfigRules"); err != nil {
		return nil, err
	}
	if err := f.named(in.ConfigRuleNames); err != nil {
		return nil, err
	}
	var list []types.ConfigRule
	for _, r := range f.rules {
		if len(in.ConfigRuleNames) == 0 || slices.Contains(in.ConfigRuleNames, *r.ConfigRuleName) {
			list = append(list, r)
		}
	}
	page, next := pageOf(list, in.NextToken, 25)
	return &configservice.DescribeConfigRulesOutput{ConfigRules: page, NextToken: next}, nil
}

func (f *fakeConfig) DescribeConfigurationRecorders(context.Context, *configservice.DescribeConfigurationRecordersInput, ...func(*configservice.Options)) (*configservice.DescribeConfigurationRecordersOutput, error) {
	if err := f.call("DescribeConfigurationRecorders"); err != nil {
		return nil, err
	}
	return &configservice.DescribeConfigurationRecordersOutput{ConfigurationRecorders: f.recorders}, nil
}

func (f *fakeConfig) DescribeConfigurationRecorderStatus(context.Context, *configservice.DescribeConfigurationRecorderStatusInput, ...func(*configservice.Options)) (*configservice.DescribeConfigurationRecorderStatusOutput, error) {
	if err := f.call("DescribeConfigurationRecorderStatus"); err != nil {
		return nil, err
	}
	return &configservice.DescribeConfigurationRecorderStatusOutput{ConfigurationRecordersStatus: f.statuses}, nil
}

func (f *fakeConfig) DescribeComplianceByConfigRule(_ context.Context, in *configservice.DescribeComplianceByConfigRuleInput, _ ...func(*configservice.Options)) (*configservice.DescribeComplianceByConfigRuleOutput, error) {
	if err := f.call("DescribeComplianceByConfigRule"); err != nil {
		return nil, err
	}
	if err := f.named(in.ConfigRuleNames); err != nil {
		return nil, err
	}
	out := &configservice.DescribeComplianceByConfigRuleOutput{}
	for _, n := range in.ConfigRuleNames {
		// Config stops counting at 25; nobody may take it for a total.
		out.ComplianceByConfigRules = append(out.ComplianceByConfigRules, types.ComplianceByConfigRule{ConfigRuleName: aws.String(n), Compliance: &types.Compliance{
			ComplianceType: f.words[n], ComplianceContributorCount: &types.ComplianceContributorCount{CappedCount: int32(min(25, len(f.results[n]))), CapExceeded: len(f.results[n]) > 25},
		}})
	}
	return out, nil
}

func (f *fakeConfig) DescribeConfigRuleEvaluationStatus(_ context.Context, in *configservice.DescribeConfigRuleEvaluationStatusInput, _ ...func(*configservice.Options)) (*configservice.DescribeConfigRuleEvaluationStatusOutput, error) {
	if err := f.call("DescribeConfigRuleEvaluationStatus"); err != nil {
		return nil, err
	}
	if err := f.named(in.ConfigRuleNames); err != nil {
		return nil, err
	}
	out := &configservice.DescribeConfigRuleEvaluationStatusOutput{}
	for _, n := range in.ConfigRuleNames {
		s := f.evaluations[n]
		s.ConfigRuleName = aws.String(n)
		out.ConfigRulesEvaluationStatus = append(out.ConfigRulesEvaluationStatus, s)
	}
	return out, nil
}

func (f *fakeConfig) GetComplianceDetailsByConfigRule(_ context.Context, in *configservice.GetComplianceDetailsByConfigRuleInput, _ ...func(*configservice.Options)) (*configservice.GetComplianceDetailsByConfigRuleOutput, error) {
	if err := f.call("GetComplianceDetailsByConfigRule"); err != nil {
		return nil, err
	}
	if err := f.named([]string{*in.ConfigRuleName}); err != nil {
		return nil, err
	}
	size := int(in.Limit)
	if size == 0 {
		size = 10
	}
	page, next := pageOf(f.results[*in.ConfigRuleName], in.NextToken, size)
	return &configservice.GetComplianceDetailsByConfigRuleOutput{EvaluationResults: page, NextToken: next}, nil
}

func (f *fakeConfig) DescribeRemediationConfigurations(_ context.Context, in *configservice.DescribeRemediationConfigurationsInput, _ ...func(*configservice.Options)) (*configservice.DescribeRemediationConfigurationsOutput, error) {
	if err := f.call("DescribeRemediationConfigurations"); err != nil {
		return nil, err
	}
	out := &configservice.DescribeRemediationConfigurationsOutput{}
	for _, n := range in.ConfigRuleNames {
		if automatic, ok := f.modes[n]; ok {
			out.RemediationConfigurations = append(out.RemediationConfigurations, types.RemediationConfiguration{ConfigRuleName: aws.String(n), Automatic: automatic})
		}
	}
	return out, nil
}

func (f *fakeConfig) DescribeRemediationExecutionStatus(_ context.Context, in *configservice.DescribeRemediationExecutionStatusInput, _ ...func(*configservice.Options)) (*configservice.DescribeRemediationExecutionStatusOutput, error) {
	if err := f.call("DescribeRemediationExecutionStatus"); err != nil {
		return nil, err
	}
	if _, ok := f.modes[*in.ConfigRuleName]; !ok {
		return nil, apiErr("NoSuchRemediationConfigurationException", "no remediation")
	}
	if len(in.ResourceKeys) > 100 {
		return nil, apiErr("ValidationException", "at most 100 keys")
	}
	out := &configservice.DescribeRemediationExecutionStatusOutput{}
	for _, x := range f.executions {
		if slices.ContainsFunc(in.ResourceKeys, func(k types.ResourceKey) bool { return *k.ResourceId == *x.ResourceKey.ResourceId }) {
			out.RemediationExecutionStatuses = append(out.RemediationExecutionStatuses, x)
		}
	}
	return out, nil
}

func (f *fakeConfig) DescribeRemediationExceptions(_ context.Context, in *configservice.DescribeRemediationExceptionsInput, _ ...func(*configservice.Options)) (*configservice.DescribeRemediationExceptionsOutput, error) {
	if err := f.call("DescribeRemediationExceptions"); err != nil {
		return nil, err
	}
	if len(in.ResourceKeys) > 100 || len(in.ResourceKeys) > 0 && in.Limit != 0 {
		return nil, apiErr("InvalidParameterValueException", "keys and limit")
	}
	out := &configservice.DescribeRemediationExceptionsOutput{}
	for _, x := range f.exceptions {
		if slices.ContainsFunc(in.ResourceKeys, func(k types.RemediationExceptionResourceKey) bool { return *k.ResourceId == *x.ResourceId }) {
			out.RemediationExceptions = append(out.RemediationExceptions, x)
		}
	}
	return out, nil
}
