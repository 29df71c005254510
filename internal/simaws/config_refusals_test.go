package simaws

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
)

// TestRecorderIsRefused: what PutConfigurationRecorder does not take, by AWS's
// code (API page of the call).
func TestRecorderIsRefused(t *testing.T) {
	p := newPlace(t)
	client, ctx := p.sdk(), context.Background()
	role := aws.String(p.a.roles["AWSServiceRoleForConfig"].ARN)
	group, vpc := []types.ResourceType{"AWS::EC2::SecurityGroup"}, []types.ResourceType{"AWS::EC2::VPC"}
	for _, tt := range []struct {
		name, want string
		recorder   types.ConfigurationRecorder
	}{
		{"no role", "InvalidRoleException", types.ConfigurationRecorder{}},
		{"something else as role", "InvalidRoleException", types.ConfigurationRecorder{RoleARN: aws.String("arn:aws:iam::1:user/x")}},
		{"the prefix of service-linked ones", "InvalidConfigurationRecorderNameException", types.ConfigurationRecorder{Name: aws.String("AWSConfigurationRecorderMine"), RoleARN: role}},
		{"service-linked", "UnmodifiableEntityException", types.ConfigurationRecorder{RoleARN: role, ServicePrincipal: aws.String("x.amazonaws.com")}},
		{"all and a list", "InvalidRecordingGroupException", types.ConfigurationRecorder{RoleARN: role, RecordingGroup: &types.RecordingGroup{AllSupported: true, ResourceTypes: group}}},
		{"nothing", "InvalidRecordingGroupException", types.ConfigurationRecorder{RoleARN: role, RecordingGroup: &types.RecordingGroup{}}},
		{"all and exclusions", "InvalidRecordingGroupException", types.ConfigurationRecorder{RoleARN: role, RecordingGroup: &types.RecordingGroup{AllSupported: true, ExclusionByResourceTypes: &types.ExclusionByResourceTypes{ResourceTypes: group}}}},
		{"the strategy of exclusions with a list", "InvalidRecordingGroupException", types.ConfigurationRecorder{RoleARN: role, RecordingGroup: &types.RecordingGroup{ResourceTypes: group, RecordingStrategy: &types.RecordingStrategy{UseOnly: "EXCLUSION_BY_RESOURCE_TYPES"}}}},
		{"global types beside a list", "InvalidRecordingGroupException", types.ConfigurationRecorder{RoleARN: role, RecordingGroup: &types.RecordingGroup{IncludeGlobalResourceTypes: true, ResourceTypes: group}}},
		{"a list", "", types.ConfigurationRecorder{RoleARN: role, RecordingGroup: &types.RecordingGroup{ResourceTypes: vpc, RecordingStrategy: &types.RecordingStrategy{UseOnly: "INCLUSION_BY_RESOURCE_TYPES"}}}},
		{"exclusions", "", types.ConfigurationRecorder{RoleARN: role, RecordingGroup: &types.RecordingGroup{ExclusionByResourceTypes: &types.ExclusionByResourceTypes{ResourceTypes: vpc}, RecordingStrategy: &types.RecordingStrategy{UseOnly: "EXCLUSION_BY_RESOURCE_TYPES"}}}},
		{"all", "", types.ConfigurationRecorder{RoleARN: role, RecordingGroup: &types.RecordingGroup{AllSupported: true, IncludeGlobalResourceTypes: true}}},
		{"another name", "the maximum number of configuration recorders: 1 is reached", types.ConfigurationRecorder{Name: aws.String("other"), RoleARN: role}},
	} {
		_, err := client.PutConfigurationRecorder(ctx, &configservice.PutConfigurationRecorderInput{ConfigurationRecorder: &tt.recorder})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestChannelIsRefused: PutDeliveryChannel proves that it can write.
func TestChannelIsRefused(t *testing.T) {
	policy := func(text string) policyDocument {
		doc, err := parsePolicy(strings.NewReplacer("BUCKET", testBucket).Replace(text))
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	const acl = `{"Effect":"Allow","Principal":{"Service":"config.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::BUCKET"}`
	const put = `{"Effect":"Allow","Principal":{"Service":"config.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::BUCKET/AWSLogs/*"`
	for name, tt := range map[string]struct {
		change func(p *place)
		in     types.DeliveryChannel
		want   string
	}{
		"as it should be":     {nil, types.DeliveryChannel{}, ""},
		"no name of a bucket": {nil, types.DeliveryChannel{S3BucketName: aws.String("")}, "NoSuchBucketException: Cannot find a S3 bucket with an empty bucket name."},
		"no bucket":           {nil, types.DeliveryChannel{S3BucketName: aws.String("absent")}, "NoSuchBucketException"},
		"no policy":           {func(p *place) { p.a.buckets[testBucket].HasPolicy = false }, types.DeliveryChannel{}, "unable to get s3 bucket acl"},
		"only the acl":        {func(p *place) { p.a.buckets[testBucket].Policy = policy(`{"Statement":[` + acl + `]}`) }, types.DeliveryChannel{}, "unable to write to bucket"},
		"another account's": {func(p *place) {
			p.a.buckets[testBucket].Policy = policy(`{"Statement":[` + acl + `,` + put + `,"Condition":{"StringEquals":{"aws:SourceAccount":"999999999999"}}}]}`)
		}, types.DeliveryChannel{}, "InsufficientDeliveryPolicyException"},
		"a prefix without rights": {nil, types.DeliveryChannel{S3KeyPrefix: aws.String("elsewhere")}, "provided s3 key prefix is 'elsewhere'"},
		"no role":                 {func(p *place) { delete(p.a.roles, "AWSServiceRoleForConfig") }, types.DeliveryChannel{}, "unable to assume role"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			client, ctx := p.sdk(), context.Background()
			accept(t, func() error {
				_, err := client.PutConfigurationRecorder(ctx, &configservice.PutConfigurationRecorderInput{ConfigurationRecorder: &types.ConfigurationRecorder{RoleARN: aws.String(p.a.roles["AWSServiceRoleForConfig"].ARN)}})
				return err
			})
			if tt.change != nil {
				tt.change(p)
			}
			in := tt.in
			if in.S3BucketName == nil {
				in.S3BucketName = aws.String(testBucket)
			}
			_, err := client.PutDeliveryChannel(ctx, &configservice.PutDeliveryChannelInput{DeliveryChannel: &in})
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// TestRuleIsRefused: what PutConfigRule does not take.
func TestRuleIsRefused(t *testing.T) {
	p := newPlace(t)
	p.recording()
	client, ctx := p.sdk(), context.Background()
	managed := &types.Source{Owner: "AWS", SourceIdentifier: aws.String("VPC_DEFAULT_SECURITY_GROUP_CLOSED")}
	for _, tt := range []struct {
		name, want string
		rule       types.ConfigRule
	}{
		{"unknown identifier", "The sourceIdentifier NO_SUCH_RULE is invalid", types.ConfigRule{Source: &types.Source{Owner: "AWS", SourceIdentifier: aws.String("NO_SUCH_RULE")}}},
		{"details of a managed rule", "SourceDetails should be null/empty if the Owner is AWS", types.ConfigRule{Source: &types.Source{Owner: "AWS", SourceIdentifier: managed.SourceIdentifier, SourceDetails: []types.SourceDetail{{EventSource: "aws.config"}}}}},
		{"parameters", "Unknown parameters provided in the inputParameters", types.ConfigRule{Source: managed, InputParameters: aws.String(`{"x":"y"}`)}},
		{"no JSON", "Invalid json", types.ConfigRule{Source: managed, InputParameters: aws.String(`{`)}},
		{"a function", "InsufficientPermissionsException", types.ConfigRule{Source: &types.Source{Owner: "CUSTOM_LAMBDA", SourceIdentifier: aws.String("arn:aws:lambda:eu-west-1:111122223333:function:x")}}},
		{"no function", "InvalidParameterValueException", types.ConfigRule{Source: &types.Source{Owner: "CUSTOM_LAMBDA"}}},
		{"no policy", "InvalidParameterValueException", types.ConfigRule{Source: &types.Source{Owner: "CUSTOM_POLICY"}}},
		{"a resource of no type", "InvalidParameterValueException", types.ConfigRule{Source: managed, Scope: &types.Scope{ComplianceResourceId: aws.String(testGroup)}}},
		{"a value without a key", "InvalidParameterValueException", types.ConfigRule{Source: managed, Scope: &types.Scope{TagValue: aws.String("x")}}},
		{"a scope of a periodic rule", "A scope for this rule is not allowed", types.ConfigRule{Source: &types.Source{Owner: "AWS", SourceIdentifier: aws.String("IAM_PASSWORD_POLICY")}, Scope: &types.Scope{TagKey: aws.String("x")}}},
		{"a scope of a periodic rule that is not evaluated", "A scope for this rule is not allowed", types.ConfigRule{Source: &types.Source{Owner: "AWS", SourceIdentifier: aws.String("CLOUD_TRAIL_ENABLED")}, Scope: &types.Scope{TagKey: aws.String("x")}}},
		{"a frequency of a rule of changes", "A maximum execution frequency for this rule is not allowed", types.ConfigRule{Source: managed, MaximumExecutionFrequency: types.MaximumExecutionFrequencySixHours}},
		{"a policy", "", types.ConfigRule{Source: &types.Source{Owner: "CUSTOM_POLICY", CustomPolicyDetails: &types.CustomPolicyDetails{PolicyRuntime: aws.String("guard-2.x.x"), PolicyText: aws.String("rule x {}")}}}},
	} {
		tt.rule.ConfigRuleName = aws.String("r")
		_, err := client.PutConfigRule(ctx, &configservice.PutConfigRuleInput{ConfigRule: &tt.rule})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	out, err := client.DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{ConfigRuleNames: []string{"r"}})
	if err != nil || aws.ToString(out.ConfigRules[0].Source.CustomPolicyDetails.PolicyRuntime) != "guard-2.x.x" || out.ConfigRules[0].Source.CustomPolicyDetails.PolicyText != nil {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestTriggers: what a rule is evaluated by is what the developer guide's list says.
func TestTriggers(t *testing.T) {
	for identifier, managed := range managedRules {
		kinds := triggers()[identifier]
		if managed.changes != strings.Contains(kinds, "c") || managed.periodic != strings.Contains(kinds, "p") || (managed.look != nil) != (kinds == "p") {
			t.Errorf("%s is triggered by %q; it is evaluated on changes: %v, by the clock: %v", identifier, kinds, managed.changes, managed.periodic)
		}
	}
}

// TestScopes: a rule looks at the resources of its scope only.
func TestScopes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.recording()
		tagged := p.group("sg-0000000a", "default")
		tagged.Tags = map[string]string{"env": "prod"}
		client, ctx := p.sdk(), context.Background()
		for name, scope := range map[string]*types.Scope{
			"all": nil, "one": {ComplianceResourceTypes: []string{typeSecurityGroup}, ComplianceResourceId: aws.String(testGroup)},
			"prod": {TagKey: aws.String("env"), TagValue: aws.String("prod")}, "env": {TagKey: aws.String("env")}, "test": {TagKey: aws.String("env"), TagValue: aws.String("test")},
		} {
			accept(t, func() error {
				_, err := client.PutConfigRule(ctx, &configservice.PutConfigRuleInput{ConfigRule: &types.ConfigRule{ConfigRuleName: aws.String(name), Scope: scope, Source: &types.Source{Owner: "AWS", SourceIdentifier: aws.String("VPC_DEFAULT_SECURITY_GROUP_CLOSED")}}})
				return err
			})
		}
		p.pass(3 * time.Minute)
		for name, want := range map[string]int{"all": 2, "one": 1, "prod": 1, "env": 1, "test": 0} {
			if n := len(p.r.rules[name].results); n != want {
				t.Errorf("%s: %d results, want %d", name, n, want)
			}
		}
	})
}

// TestDailyRecording: one item a day, and an override for a type.
func TestDailyRecording(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, override := range map[string][]types.RecordingModeOverride{
			"daily": nil, "continuous for groups": {{ResourceTypes: []types.ResourceType{"AWS::EC2::SecurityGroup"}, RecordingFrequency: "CONTINUOUS"}},
		} {
			p := newPlace(t)
			p.recording()
			client, ctx := p.sdk(), context.Background()
			accept(t, func() error {
				_, err := client.PutConfigurationRecorder(ctx, &configservice.PutConfigurationRecorderInput{ConfigurationRecorder: &types.ConfigurationRecorder{Name: aws.String("rollout"), RoleARN: aws.String(p.r.recorder.RoleARN),
					RecordingMode: &types.RecordingMode{RecordingFrequency: "DAILY", RecordingModeOverrides: override}}})
				return err
			})
			rule := p.rule()
			p.pass(5 * time.Minute)
			g := p.r.groups[testGroup]
			g.Ingress, g.Egress = nil, nil
			p.s.groupChanged(p.r, g)
			p.pass(10 * time.Minute)
			want := "NON_COMPLIANT"
			if override != nil {
				want = "COMPLIANT"
			}
			if got := p.s.ruleWord(p.r, rule); got != want {
				t.Errorf("%s: %s after minutes, want %s", name, got, want)
			}
			p.pass(25 * time.Hour)
			if got := p.s.ruleWord(p.r, rule); got != "COMPLIANT" {
				t.Errorf("%s: %s after a day", name, got)
			}
			out, err := client.DescribeConfigurationRecorders(ctx, &configservice.DescribeConfigurationRecordersInput{})
			if err != nil || len(out.ConfigurationRecorders[0].RecordingMode.RecordingModeOverrides) != len(override) {
				t.Errorf("%s: %+v, %v", name, out, err)
			}
		}
	})
}

// TestRemediationIsRefused: nothing of a call is put when a part of it is refused,
// and StartRemediationExecution names what it cannot start.
func TestRemediationIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.recording()
		p.rule()
		p.r.rules["theirs"] = &configRule{Name: "theirs", CreatedBy: "securityhub.amazonaws.com", results: map[string]*evaluation{}}
		client, ctx := p.sdk(), context.Background()
		good := types.RemediationConfiguration{ConfigRuleName: aws.String(testRule), TargetType: "SSM_DOCUMENT", TargetId: aws.String(closeDefaultGroup),
			Parameters: map[string]types.RemediationParameterValue{"GroupId": {ResourceValue: &types.ResourceValue{Value: "RESOURCE_ID"}},
				"AutomationAssumeRole": {StaticValue: &types.StaticValue{Values: []string{"arn:aws:iam::111122223333:role/x"}}}}}
		changed := func(change func(r *types.RemediationConfiguration)) types.RemediationConfiguration {
			r := good
			change(&r)
			return r
		}
		for want, bad := range map[string]types.RemediationConfiguration{
			"NoSuchConfigRuleException":        changed(func(r *types.RemediationConfiguration) { r.ConfigRuleName = aws.String("absent") }),
			"InsufficientPermissionsException": changed(func(r *types.RemediationConfiguration) { r.ConfigRuleName = aws.String("theirs") }),
			"does not exist in this account":   changed(func(r *types.RemediationConfiguration) { r.TargetId = aws.String("absent") }),
			"has no version 7":                 changed(func(r *types.RemediationConfiguration) { r.TargetVersion = aws.String("7") }),
			"must pass AutomationAssumeRole":   changed(func(r *types.RemediationConfiguration) { r.Automatic, r.Parameters = true, nil }),
			"invalid RemediationParameterValues": changed(func(r *types.RemediationConfiguration) {
				r.Parameters = map[string]types.RemediationParameterValue{"GroupId": {}}
			}),
		} {
			refuse(t, want, func() error {
				_, err := client.PutRemediationConfigurations(ctx, &configservice.PutRemediationConfigurationsInput{RemediationConfigurations: []types.RemediationConfiguration{good, bad}})
				return err
			})
			if p.r.rules[testRule].remediation != nil {
				t.Errorf("%s: a part of a refused call was put", want)
			}
		}
		key := func(id string) types.ResourceKey {
			return types.ResourceKey{ResourceType: types.ResourceTypeSecurityGroup, ResourceId: aws.String(id)}
		}
		start := &configservice.StartRemediationExecutionInput{ConfigRuleName: aws.String(testRule), ResourceKeys: []types.ResourceKey{key(testGroup), key("sg-none")}}
		refuse(t, "NoSuchRemediationConfigurationException", func() error { _, err := client.StartRemediationExecution(ctx, start); return err })
		accept(t, func() error {
			_, err := client.PutRemediationConfigurations(ctx, &configservice.PutRemediationConfigurationsInput{RemediationConfigurations: []types.RemediationConfiguration{good}})
			return err
		})
		p.pass(3 * time.Minute)
		for _, want := range []int{1, 2} { // the second time the first is under way
			out, err := client.StartRemediationExecution(ctx, start)
			if err != nil || len(out.FailedItems) != want || out.FailureMessage == nil {
				t.Errorf("%+v, %v, want %d failed items", out, err, want)
			}
		}
	})
}
