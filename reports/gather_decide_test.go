package reports

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"rollout/stackset"
	"rollout/templates"
)

const scp = "User: arn:aws:sts::111111111111:assumed-role/r/s is not authorized to perform: config:DescribeConfigRules with an explicit deny in a service control policy"

// read reads a place and decides the cell of our rule.
func read(f *fakeConfig, regionOn bool, instance ...stackset.Instance) (Cell, []Finding, facts) {
	facts := reader{api: f, regionOn: regionOn}.place(context.Background(), []templates.Rule{closed})
	i := stackset.Instance{}
	if len(instance) > 0 {
		i = instance[0]
	}
	cell, findings := decide(inTests, closed, facts, i, len(instance) > 0)
	return cell, findings, facts
}

func TestEveryStatus(t *testing.T) {
	tests := map[string]struct {
		change   func(*fakeConfig)
		regionOn bool
		want     Status
		detail   string // a part of it; "" for none at all
		source   string
	}{
		"compliant": {want: Compliant, source: ourRule, change: func(f *fakeConfig) {}},
		"a word that is not known is never compliant": {want: Unreachable, detail: "FINE", change: func(f *fakeConfig) { f.words[ourRule] = "FINE" }},
		"non-compliant": {want: NonCompliant, source: ourRule, change: func(f *fakeConfig) { f.open(1) }},
		"not evaluated yet": {want: InsufficientData, source: ourRule, detail: "not evaluated yet", change: func(f *fakeConfig) {
			f.words[ourRule] = types.ComplianceTypeInsufficientData
			f.evaluations[ourRule] = types.ConfigRuleEvaluationStatus{}
		}},
		"nothing in scope": {want: InsufficientData, source: ourRule, detail: "nothing in scope", change: func(f *fakeConfig) {
			f.words[ourRule] = types.ComplianceTypeInsufficientData
			f.evaluations[ourRule] = types.ConfigRuleEvaluationStatus{FirstEvaluationStarted: true, LastSuccessfulInvocationTime: aws.Time(noon)}
		}},
		"rule error": {want: InsufficientData, source: ourRule, detail: "rule error: AccessDenied: the role of Config may not look", change: func(f *fakeConfig) {
			f.words[ourRule] = types.ComplianceTypeInsufficientData
			f.evaluations[ourRule] = types.ConfigRuleEvaluationStatus{LastFailedInvocationTime: aws.Time(noon), LastErrorCode: aws.String("AccessDenied"), LastErrorMessage: aws.String("the role of Config may not look")}
		}},
		"an error that a later success has settled": {want: InsufficientData, source: ourRule, detail: "nothing in scope", change: func(f *fakeConfig) {
			f.words[ourRule] = types.ComplianceTypeInsufficientData
			f.evaluations[ourRule] = types.ConfigRuleEvaluationStatus{FirstEvaluationStarted: true, LastFailedEvaluationTime: aws.Time(noon), LastSuccessfulEvaluationTime: aws.Time(noon.Add(time.Minute)), LastErrorCode: aws.String("AccessDenied")}
		}},
		"recorded daily": {want: InsufficientData, source: ourRule, detail: "not evaluated yet; resources are recorded once a day", change: func(f *fakeConfig) {
			f.words[ourRule] = types.ComplianceTypeInsufficientData
			f.evaluations[ourRule] = types.ConfigRuleEvaluationStatus{}
			f.recorders[0].RecordingMode = &types.RecordingMode{RecordingFrequency: types.RecordingFrequencyDaily}
		}},
		"no recorder": {want: RecorderOff, detail: "there is no configuration recorder", change: func(f *fakeConfig) { f.recorders, f.statuses = nil, nil }},
		"a service-linked recorder only": {want: RecorderOff, detail: "there is no configuration recorder", change: func(f *fakeConfig) {
			f.recorders[0].Name, f.statuses[0].Name = aws.String("AWSConfigurationRecorderForObservability"), aws.String("AWSConfigurationRecorderForObservability")
		}},
		"recorder stopped": {want: RecorderOff, detail: "default is stopped since 2026-11-24T12:00:00Z; its last error: S3: no bucket", change: func(f *fakeConfig) {
			f.statuses[0] = types.ConfigurationRecorderStatus{Name: aws.String("default"), LastStopTime: aws.Time(noon), LastErrorCode: aws.String("S3"), LastErrorMessage: aws.String("no bucket")}
		}},
		"recorder never started": {want: RecorderOff, detail: "default was never started", change: func(f *fakeConfig) { f.statuses = nil }},
		"recorder fails":         {want: Compliant, source: ourRule, detail: "reports a failure: no reason given", change: func(f *fakeConfig) { f.statuses[0].LastStatus = types.RecorderStatusFailure }},
		"type not among the recorded": {want: NotRecorded, detail: "leaves out AWS::EC2::SecurityGroup", change: func(f *fakeConfig) {
			f.recorders[0].RecordingGroup = &types.RecordingGroup{ResourceTypes: []types.ResourceType{"AWS::S3::Bucket"}}
		}},
		"type excluded": {want: NotRecorded, detail: "leaves out AWS::EC2::SecurityGroup", change: func(f *fakeConfig) {
			f.recorders[0].RecordingGroup = &types.RecordingGroup{
				RecordingStrategy:        &types.RecordingStrategy{UseOnly: types.RecordingStrategyTypeExclusionByResourceTypes},
				ExclusionByResourceTypes: &types.ExclusionByResourceTypes{ResourceTypes: []types.ResourceType{"AWS::EC2::SecurityGroup"}},
			}
		}},
		"another type excluded": {want: Compliant, source: ourRule, change: func(f *fakeConfig) {
			f.recorders[0].RecordingGroup = &types.RecordingGroup{
				RecordingStrategy:        &types.RecordingStrategy{UseOnly: types.RecordingStrategyTypeExclusionByResourceTypes},
				ExclusionByResourceTypes: &types.ExclusionByResourceTypes{ResourceTypes: []types.ResourceType{"AWS::S3::Bucket"}},
			}
		}},
		"no rule":                             {want: NotDeployed, detail: "no stack instance", change: func(f *fakeConfig) { f.rules = nil }},
		"no rule wins over recorder off":      {want: NotDeployed, detail: "no stack instance", change: func(f *fakeConfig) { f.rules, f.recorders = nil, nil }},
		"rule being deleted":                  {want: NotDeployed, detail: "no stack instance", change: func(f *fakeConfig) { f.rules[0].ConfigRuleState = types.ConfigRuleStateDeletingResults }},
		"our name, another rule":              {want: NotDeployed, detail: "no stack instance", change: func(f *fakeConfig) { f.rules[0].Source.SourceIdentifier = aws.String("INCOMING_SSH_DISABLED") }},
		"our rule with parameters of the run": {want: Compliant, source: ourRule, change: func(f *fakeConfig) { f.rules[0].InputParameters = aws.String(`{"x":"1"}`) }},
		"denied":                              {want: AccessDenied, detail: "config:DescribeConfigRules: AccessDeniedException: no", change: func(f *fakeConfig) { f.errors["DescribeConfigRules"] = apiErr("AccessDeniedException", "no") }},
		"denied half-way": {want: AccessDenied, detail: "config:DescribeComplianceByConfigRule", change: func(f *fakeConfig) {
			f.errors["DescribeComplianceByConfigRule"] = apiErr("AccessDeniedException", "no")
		}},
		"recorder denied": {want: AccessDenied, detail: "config:DescribeConfigurationRecorderStatus", change: func(f *fakeConfig) { f.errors["DescribeConfigurationRecorderStatus"] = apiErr("AccessDenied", "no") }},
		"details denied": {want: AccessDenied, detail: "config:GetComplianceDetailsByConfigRule", change: func(f *fakeConfig) {
			f.open(2)
			f.errors["GetComplianceDetailsByConfigRule"] = apiErr("AccessDenied", "no")
		}},
		"Region denied": {want: RegionDenied, detail: "service control policy", change: func(f *fakeConfig) {
			f.errors["DescribeConfigRules"] = apiErr("AccessDeniedException", scp)
			f.errors["DescribeConfigurationRecorders"] = apiErr("AccessDeniedException", scp)
		}},
		"only the first call denied by policy": {want: AccessDenied, detail: "service control policy", change: func(f *fakeConfig) { f.errors["DescribeConfigRules"] = apiErr("AccessDeniedException", scp) }},
		"one call denied by policy":            {want: AccessDenied, detail: "service control policy", change: func(f *fakeConfig) { f.errors["DescribeConfigurationRecorders"] = apiErr("AccessDeniedException", scp) }},
		"Region off":                           {want: RegionDisabled, detail: "UnrecognizedClientException", change: func(f *fakeConfig) { f.errors["DescribeConfigRules"] = apiErr("UnrecognizedClientException", "token") }},
		"Region known to be on":                {want: Unreachable, regionOn: true, detail: "UnrecognizedClientException", change: func(f *fakeConfig) { f.errors["DescribeConfigRules"] = apiErr("UnrecognizedClientException", "token") }},
		"throttled":                            {want: Unreachable, detail: "config:DescribeConfigRules: ThrottlingException: Rate exceeded, after up to 10 attempts", change: func(f *fakeConfig) { f.errors["DescribeConfigRules"] = apiErr("ThrottlingException", "Rate exceeded") }},
		"network":                              {want: Unreachable, detail: "connection reset", change: func(f *fakeConfig) { f.errors["DescribeConfigRules"] = errors.New("connection reset by peer") }},
		"credentials expired":                  {want: Unreachable, detail: "renew the credentials", change: func(f *fakeConfig) { f.errors["DescribeConfigRules"] = apiErr("ExpiredTokenException", "expired") }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := healthy()
			test.change(f)
			cell, findings, _ := read(f, test.regionOn)
			if cell.Status != test.want || cell.SourceRule != test.source {
				t.Errorf("got %s from %q (%s), want %s from %q", cell.Status, cell.SourceRule, cell.Detail, test.want, test.source)
			}
			if !strings.Contains(cell.Detail, test.detail) || test.detail == "" && cell.Detail != "" {
				t.Errorf("detail %q, want %q in it", cell.Detail, test.detail)
			}
			if !cell.Status.Verdict() && (cell.Detail == "" || !cell.LastEvaluated.IsZero() || len(findings) > 0) {
				t.Errorf("a gap with %+v and %d findings", cell, len(findings))
			}
			if cell.InstanceStatus != "NONE" {
				t.Errorf("instance status %q without an instance", cell.InstanceStatus)
			}
		})
	}
}

func TestGapsOfThePlaceWin(t *testing.T) {
	for _, why := range []obstacle{{AccountInactive, "closed"}, {RegionDisabled, "off"}, {AccessDenied, "no role"}, {RegionDenied, "scp"}, interrupted} {
		cell, _ := decide(inTests, closed, facts{blocked: why}, stackset.Instance{DetailedStatus: "SUCCEEDED"}, true)
		if cell.Status != why.status || cell.Detail != why.detail || cell.InstanceStatus != "SUCCEEDED" || cell.Remediation != "" {
			t.Errorf("got %+v for %+v", cell, why)
		}
	}
	if cell, _ := decide(inTests, closed, facts{}, stackset.Instance{}, false); cell.Status != Unreachable {
		t.Errorf("a place that was never read is %s", cell.Status)
	}
}

func TestNotDeployedTellsWhatTheInstanceSays(t *testing.T) {
	for _, test := range []struct {
		instance stackset.Instance
		want     string
	}{
		{stackset.Instance{Status: "CURRENT", DetailedStatus: "SUCCEEDED"}, "taken away outside of StackSets"},
		{stackset.Instance{Status: "OUTDATED", DetailedStatus: "FAILED", Reason: "role exists"}, "the stack instance is FAILED: role exists"},
		{stackset.Instance{Status: "OUTDATED"}, "the stack instance is OUTDATED"},
	} {
		f := healthy()
		f.rules = nil
		if cell, _, _ := read(f, false, test.instance); cell.Status != NotDeployed || !strings.Contains(cell.Detail, test.want) || cell.Remediation != "off" {
			t.Errorf("got %+v, want %q", cell, test.want)
		}
	}
}

func TestEqualRulesGiveTheVerdict(t *testing.T) {
	other := func(name string, change func(*types.ConfigRule)) types.ConfigRule {
		r := managed(name, "")
		if change != nil {
			change(&r)
		}
		return r
	}
	var many []types.ConfigRule
	for i := range 60 { // three pages
		many = append(many, types.ConfigRule{ConfigRuleName: aws.String(fmt.Sprintf("a-%02d", i)), Source: &types.Source{Owner: types.OwnerCustomLambda, SourceIdentifier: aws.String(closed.Identifier)}})
	}
	tests := map[string]struct {
		rules []types.ConfigRule
		want  string
	}{
		"ours wins over a name before it": {[]types.ConfigRule{managed("a", ""), managed(ourRule, "")}, ourRule},
		"first by name":                   {[]types.ConfigRule{managed("z", ""), managed("securityhub-x", "{}")}, "securityhub-x"},
		"on a later page":                 {append(many, managed("z", "")), "z"},
		"still evaluating":                {[]types.ConfigRule{other("a", func(r *types.ConfigRule) { r.ConfigRuleState = types.ConfigRuleStateEvaluating })}, "a"},
		"no scope covers all types":       {[]types.ConfigRule{other("a", func(r *types.ConfigRule) { r.Scope = nil })}, "a"},
		"other parameters":                {[]types.ConfigRule{managed("a", `{"x":"1"}`)}, ""},
		"parameters that cannot be read":  {[]types.ConfigRule{managed("a", `{`)}, ""},
		"another type in its scope":       {[]types.ConfigRule{other("a", func(r *types.ConfigRule) { r.Scope.ComplianceResourceTypes = []string{"AWS::EC2::VPC"} })}, ""},
		"only one resource in its scope":  {[]types.ConfigRule{other("a", func(r *types.ConfigRule) { r.Scope.ComplianceResourceId = aws.String("sg-1") })}, ""},
		"only a tag in its scope":         {[]types.ConfigRule{other("a", func(r *types.ConfigRule) { r.Scope.TagKey = aws.String("env") })}, ""},
		"being deleted":                   {[]types.ConfigRule{other("a", func(r *types.ConfigRule) { r.ConfigRuleState = types.ConfigRuleStateDeleting })}, ""},
		"a custom rule of that name":      {many, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := healthy()
			f.rules = test.rules
			for _, r := range test.rules {
				f.words[*r.ConfigRuleName] = types.ComplianceTypeCompliant
			}
			cell, _, _ := read(f, false)
			if cell.SourceRule != test.want || (test.want == "") != (cell.Status == NotDeployed) {
				t.Errorf("got %s from %q, want %q", cell.Status, cell.SourceRule, test.want)
			}
			if cell.Rule.Name != ourRule {
				t.Errorf("the row is called %q", cell.Rule.Name)
			}
		})
	}
}

func TestParametersOfAnEqualRule(t *testing.T) {
	rule := closed
	rule.Parameters = map[string]string{"ports": "22", "strict": "true"}
	for text, want := range map[string]bool{
		`{"ports":"22","strict":"true"}`: true, `{"ports":22,"strict":true,"other":""}`: true, `{"ports":22,"strict":true,"other":null}`: true,
		`{"ports":"22"}`: false, `{"ports":"23","strict":"true"}`: false, `{}`: false, ``: false, `[]`: false,
	} {
		if got := stackset.EqualRule(rule, managed("a", text)); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

func TestCountsAreExact(t *testing.T) {
	for _, n := range []int{1, 26, 100, 101, 250} {
		f := healthy().open(n)
		f.modes[ourRule] = true
		cell, findings, _ := read(f, false)
		if cell.Status != NonCompliant || cell.NonCompliantResources != n || len(findings) != n {
			t.Errorf("%d findings: got %d in the cell and %d rows (%s)", n, cell.NonCompliantResources, len(findings), cell.Detail)
		}
		if cell.Remediation != "automatic" || findings[0].RemediationStatus != "NONE" || findings[0].Status != NonCompliant {
			t.Errorf("got %+v and %+v", cell, findings[0])
		}
	}
}

func TestAVerdictThatChangesWhileItIsRead(t *testing.T) {
	f := healthy()
	f.words[ourRule] = types.ComplianceTypeNonCompliant
	f.before = func(operation string) {
		if operation == "GetComplianceDetailsByConfigRule" {
			f.words[ourRule] = types.ComplianceTypeCompliant
		}
	}
	if cell, _, _ := read(f, false); cell.Status != Compliant {
		t.Errorf("got %s (%s)", cell.Status, cell.Detail)
	}
	f = healthy().open(1)
	f.before = func(operation string) {
		if operation == "GetComplianceDetailsByConfigRule" {
			f.rules = nil
		}
	}
	if cell, _, _ := read(f, false); cell.Status != NotDeployed {
		t.Errorf("a rule deleted meanwhile is %s (%s)", cell.Status, cell.Detail)
	}
	f = healthy()
	f.words[ourRule] = types.ComplianceTypeNonCompliant
	if cell, _, _ := read(f, false); cell.Status != NonCompliant || cell.Detail == "" {
		t.Errorf("non-compliant without a resource is %s (%q)", cell.Status, cell.Detail)
	}
}

func TestManyRulesAreAskedInBatches(t *testing.T) {
	f, rules := healthy(), []templates.Rule{}
	for i := range 60 {
		rule := closed
		rule.Name = fmt.Sprintf("rollout-%02d", i)
		rules = append(rules, rule)
		if i != 30 {
			r := managed(rule.Name, `{"own":"1"}`)
			f.rules = append(f.rules, r)
			f.words[rule.Name] = types.ComplianceTypeCompliant
		}
	}
	facts := reader{api: f}.place(context.Background(), rules)
	for i, rule := range rules {
		cell, _ := decide(inTests, rule, facts, stackset.Instance{}, false)
		if want := ourRule; i == 30 {
			// ours is gone; the one of the other tests is equal
			if cell.SourceRule != want {
				t.Errorf("rule 30: got %s from %q", cell.Status, cell.SourceRule)
			}
		} else if cell.Status != Compliant || cell.SourceRule != rule.Name {
			t.Errorf("rule %d: got %s from %q (%s)", i, cell.Status, cell.SourceRule, cell.Detail)
		}
	}
}

func TestRemediationThatCannotBeReadLeavesTheVerdict(t *testing.T) {
	f := healthy().open(2)
	f.errors["DescribeRemediationConfigurations"] = apiErr("AccessDeniedException", "no")
	cell, findings, _ := read(f, false)
	if cell.Status != NonCompliant || cell.Remediation != "" || !strings.Contains(cell.Detail, "remediation could not be read") || len(findings) != 2 {
		t.Errorf("got %+v", cell)
	}
	f = healthy().open(2)
	f.modes[ourRule] = false
	f.errors["DescribeRemediationExceptions"] = apiErr("AccessDeniedException", "no")
	cell, findings, _ = read(f, false)
	if cell.Remediation != "manual" || !strings.Contains(findings[0].RemediationDetail, "could not be read") {
		t.Errorf("got %+v %+v", cell, findings[0])
	}
}

func TestNoMoreCallsThanNeeded(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*fakeConfig)
		want   int
	}{
		"compliant":                     {func(f *fakeConfig) {}, 6},
		"no rule":                       {func(f *fakeConfig) { f.rules = nil }, 2},
		"no recorder":                   {func(f *fakeConfig) { f.recorders = nil }, 3},
		"non-compliant, no remediation": {func(f *fakeConfig) { f.open(3) }, 7},
		"non-compliant, remediation":    {func(f *fakeConfig) { f.open(3); f.modes[ourRule] = true }, 9},
	} {
		f := healthy()
		test.change(f)
		read(f, false)
		if len(f.calls) != test.want {
			t.Errorf("%s: %d calls, want %d: %v", name, len(f.calls), test.want, f.calls)
		}
	}
}

func TestInterruptedWhileReading(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	f := healthy()
	f.before = func(operation string) {
		if operation == "DescribeConfigurationRecorders" {
			cancel()
			f.errors[operation] = context.Canceled
		}
	}
	facts := reader{api: f}.place(ctx, []templates.Rule{closed})
	cell, _ := decide(inTests, closed, facts, stackset.Instance{}, false)
	if cell.Status != Unreachable || cell.Detail != "interrupted" || !facts.interrupted {
		t.Errorf("got %s %q", cell.Status, cell.Detail)
	}
}

func TestReadsOfHomeRules(t *testing.T) {
	home := RuleAt{Rule: templates.Rule{Name: "z-home"}, Region: "us-east-1"}
	rules := []RuleAt{{Rule: closed}, home}
	if got := strings.Join(regionsOf([]string{"eu-west-1", "ap-south-1", "eu-west-1"}, rules), " "); got != "ap-south-1 eu-west-1 us-east-1" {
		t.Errorf("Regions %s", got)
	}
	if got := rulesIn(rules, []string{"eu-west-1"}, "us-east-1"); len(got) != 1 || got[0].Name != "z-home" {
		t.Errorf("home has %v", got)
	}
	if got := rulesIn(rules, []string{"eu-west-1", "us-east-1"}, "us-east-1"); len(got) != 2 {
		t.Errorf("home has %v", got)
	}
	if got := regionsOf([]string{"eu-west-1"}, rules[1:]); len(got) != 1 || got[0] != "us-east-1" {
		t.Errorf("Regions %v", got)
	}
}
