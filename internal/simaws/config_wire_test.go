package simaws

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
)

// TestRuleLife follows a rule from creation through its first evaluation to a
// change of the group, as the SDK sees it.
func TestRuleLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		client, ctx := p.sdk(), context.Background()
		group := p.group("sg-00000001", "web")
		put := &configservice.PutConfigRuleInput{ConfigRule: &types.ConfigRule{ConfigRuleName: aws.String(testRule),
			Source: &types.Source{Owner: types.OwnerAws, SourceIdentifier: aws.String("VPC_DEFAULT_SECURITY_GROUP_CLOSED")},
			Scope:  &types.Scope{ComplianceResourceTypes: []string{typeSecurityGroup}}}}
		refuse(t, "NoAvailableConfigurationRecorderException", func() error { _, err := client.PutConfigRule(ctx, put); return err })

		start := &configservice.StartConfigurationRecorderInput{ConfigurationRecorderName: aws.String("default")}
		refuse(t, "NoSuchConfigurationRecorderException", func() error { _, err := client.StartConfigurationRecorder(ctx, start); return err })
		channel := &configservice.PutDeliveryChannelInput{DeliveryChannel: &types.DeliveryChannel{S3BucketName: aws.String(testBucket)}}
		refuse(t, "NoAvailableConfigurationRecorderException", func() error { _, err := client.PutDeliveryChannel(ctx, channel); return err })
		recorder := &configservice.PutConfigurationRecorderInput{ConfigurationRecorder: &types.ConfigurationRecorder{
			RoleARN: aws.String(p.a.roles["AWSServiceRoleForConfig"].ARN), RecordingGroup: &types.RecordingGroup{AllSupported: true}}}
		accept(t, func() error { _, err := client.PutConfigurationRecorder(ctx, recorder); return err })
		refuse(t, "NoAvailableDeliveryChannelException", func() error { _, err := client.StartConfigurationRecorder(ctx, start); return err })
		recorder.ConfigurationRecorder.Name = aws.String("second")
		refuse(t, "because the maximum number of configuration recorders: 1 is reached.", func() error { _, err := client.PutConfigurationRecorder(ctx, recorder); return err })
		accept(t, func() error { _, err := client.PutDeliveryChannel(ctx, channel); return err })
		channel.DeliveryChannel.Name = aws.String("second")
		refuse(t, "because the maximum number of delivery channels: 1 is reached.", func() error { _, err := client.PutDeliveryChannel(ctx, channel); return err })
		accept(t, func() error { _, err := client.StartConfigurationRecorder(ctx, start); return err })
		accept(t, func() error { _, err := client.PutConfigRule(ctx, put); return err })
		refuse(t, "LastDeliveryChannelDeleteFailedException", func() error {
			_, err := client.DeleteDeliveryChannel(ctx, &configservice.DeleteDeliveryChannelInput{DeliveryChannelName: aws.String("default")})
			return err
		})

		word := func() types.ComplianceType {
			out, err := client.DescribeComplianceByConfigRule(ctx, &configservice.DescribeComplianceByConfigRuleInput{})
			if err != nil {
				t.Fatal(err)
			}
			return out.ComplianceByConfigRules[0].Compliance.ComplianceType
		}
		rules, err := client.DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{})
		if err != nil || rules.ConfigRules[0].ConfigRuleState != types.ConfigRuleStateEvaluating {
			t.Errorf("new rule: %+v, %v", rules, err)
		}
		evaluations := &configservice.DescribeConfigRuleEvaluationStatusInput{ConfigRuleNames: []string{testRule}}
		if out, err := client.DescribeConfigRuleEvaluationStatus(ctx, evaluations); err != nil || out.ConfigRulesEvaluationStatus[0].FirstEvaluationStarted {
			t.Errorf("evaluation of a new rule: %+v, %v", out, err)
		}
		if got := word(); got != "INSUFFICIENT_DATA" {
			t.Errorf("before the first evaluation: %s", got)
		}
		p.pass(3 * time.Minute)
		if got := word(); got != "NON_COMPLIANT" {
			t.Errorf("after the first evaluation: %s", got)
		}
		if out, err := client.DescribeConfigRuleEvaluationStatus(ctx, evaluations); err != nil || !out.ConfigRulesEvaluationStatus[0].FirstEvaluationStarted || out.ConfigRulesEvaluationStatus[0].LastSuccessfulEvaluationTime.IsZero() {
			t.Errorf("evaluation: %+v, %v", out, err)
		}
		details, err := client.GetComplianceDetailsByConfigRule(ctx, &configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: aws.String(testRule), Limit: 100})
		if err != nil || len(details.EvaluationResults) != 2 || details.EvaluationResults[0].ComplianceType != "NOT_APPLICABLE" || details.EvaluationResults[1].ComplianceType != "NON_COMPLIANT" {
			t.Errorf("details: %+v, %v", details, err)
		}
		history := &configservice.GetResourceConfigHistoryInput{ResourceType: types.ResourceTypeSecurityGroup, ResourceId: aws.String(testGroup)}
		if out, err := client.GetResourceConfigHistory(ctx, history); err != nil || !strings.Contains(aws.ToString(out.ConfigurationItems[0].Configuration), `"cidrIp":"0.0.0.0/0"`) {
			t.Errorf("history: %+v, %v", out, err)
		}

		// A change is seen after it was recorded, never before.
		open := p.r.groups[testGroup]
		open.Ingress, open.Egress = nil, nil
		p.s.groupChanged(p.r, open)
		p.pass(20 * time.Second)
		if got := word(); got != "NON_COMPLIANT" {
			t.Errorf("before the change was recorded: %s", got)
		}
		ask := &configservice.StartConfigRulesEvaluationInput{ConfigRuleNames: []string{testRule}}
		accept(t, func() error { _, err := client.StartConfigRulesEvaluation(ctx, ask); return err })
		refuse(t, "LimitExceededException", func() error { _, err := client.StartConfigRulesEvaluation(ctx, ask); return err })
		p.pass(2 * time.Minute)
		if got := word(); got != "COMPLIANT" {
			t.Errorf("after the change: %s", got)
		}
		delete(p.r.groups, group.ID)
		p.s.groupChanged(p.r, group)
		p.pass(2 * time.Minute)
		if n := len(p.r.rules[testRule].results); n != 1 {
			t.Errorf("%d results after a group was deleted, want 1", n)
		}

		// A stopped recorder keeps what was said and says nothing new.
		accept(t, func() error {
			_, err := client.StopConfigurationRecorder(ctx, &configservice.StopConfigurationRecorderInput{ConfigurationRecorderName: aws.String("default")})
			return err
		})
		open.Ingress = []map[string]any{{"IpProtocol": "-1"}}
		p.s.groupChanged(p.r, open)
		p.pass(10 * time.Minute)
		if got := word(); got != "COMPLIANT" {
			t.Errorf("with the recorder stopped: %s", got)
		}
		// A rule that was made meanwhile is evaluated when recording goes on.
		put.ConfigRule.ConfigRuleName = aws.String("another")
		accept(t, func() error { _, err := client.PutConfigRule(ctx, put); return err })
		p.pass(10 * time.Minute)
		if n := len(p.r.rules["another"].results); n != 0 {
			t.Errorf("%d results with the recorder stopped", n)
		}
		accept(t, func() error { _, err := client.StartConfigurationRecorder(ctx, start); return err })
		p.pass(2 * time.Minute)
		if got := p.s.ruleWord(p.r, p.r.rules["another"]); got != "NON_COMPLIANT" {
			t.Errorf("with the recorder started again: %s", got)
		}
	})
}

func accept(t *testing.T, f func() error) {
	t.Helper()
	if err := f(); err != nil {
		t.Fatal(err)
	}
}

func refuse(t *testing.T, want string, f func() error) {
	t.Helper()
	if err := f(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestPagesAndBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.recording()
		client, ctx := p.sdk(), context.Background()
		for i := range 60 {
			accept(t, func() error {
				_, err := p.s.putRule(p.r, ruleInput{ConfigRuleName: fmt.Sprintf("rule-%02d", i), Source: &struct {
					Owner, SourceIdentifier string
					SourceDetails           []any
					CustomPolicyDetails     map[string]any
				}{Owner: "AWS", SourceIdentifier: "IAM_PASSWORD_POLICY"}})
				return err
			})
		}
		for i := range 30 {
			p.group(fmt.Sprintf("sg-000000%02d", i), "default")
		}
		rule := p.rule()
		p.pass(3 * time.Minute)
		names := 0
		for pages := configservice.NewDescribeConfigRulesPaginator(client, &configservice.DescribeConfigRulesInput{}); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if len(page.ConfigRules) > 25 {
				t.Errorf("a page of %d rules", len(page.ConfigRules))
			}
			names += len(page.ConfigRules)
		}
		if names != 61 {
			t.Errorf("%d rules, want 61", names)
		}
		details := 0
		for pages := configservice.NewGetComplianceDetailsByConfigRulePaginator(client, &configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: &rule.Name}); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if len(page.EvaluationResults) > 10 {
				t.Errorf("a page of %d results without a limit", len(page.EvaluationResults))
			}
			details += len(page.EvaluationResults)
		}
		if details != 31 {
			t.Errorf("%d results, want 31", details)
		}
		out, err := client.DescribeComplianceByConfigRule(ctx, &configservice.DescribeComplianceByConfigRuleInput{ConfigRuleNames: []string{testRule}, ComplianceTypes: []types.ComplianceType{"NON_COMPLIANT"}})
		if err != nil {
			t.Fatal(err)
		}
		if c := out.ComplianceByConfigRules[0].Compliance.ComplianceContributorCount; c.CappedCount != 25 || !c.CapExceeded {
			t.Errorf("contributors %+v, want 25 and more", c)
		}
		refuse(t, "NoSuchConfigRuleException", func() error {
			_, err := client.DescribeComplianceByConfigRule(ctx, &configservice.DescribeComplianceByConfigRuleInput{ConfigRuleNames: []string{testRule, "absent"}})
			return err
		})
		refuse(t, "InvalidNextTokenException", func() error {
			_, err := client.DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{NextToken: aws.String("nonsense")})
			return err
		})
		refuse(t, "InvalidLimitException", func() error {
			_, err := client.GetComplianceDetailsByConfigRule(ctx, &configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: &rule.Name, Limit: 101})
			return err
		})
		configurations, err := client.DescribeRemediationConfigurations(ctx, &configservice.DescribeRemediationConfigurationsInput{ConfigRuleNames: []string{testRule, "absent"}})
		if err != nil || len(configurations.RemediationConfigurations) != 0 {
			t.Errorf("remediations: %+v, %v", configurations, err)
		}
		resources, err := client.DescribeComplianceByResource(ctx, &configservice.DescribeComplianceByResourceInput{ResourceType: aws.String(typeSecurityGroup), Limit: 100})
		if err != nil || len(resources.ComplianceByResources) != 31 {
			t.Errorf("resources: %d, %v", len(resources.ComplianceByResources), err)
		}
		byResource, err := client.GetComplianceDetailsByResource(ctx, &configservice.GetComplianceDetailsByResourceInput{ResourceType: aws.String(typeSecurityGroup), ResourceId: aws.String(testGroup)})
		if err != nil || len(byResource.EvaluationResults) != 1 {
			t.Errorf("by resource: %+v, %v", byResource, err)
		}
		discovered, err := client.ListDiscoveredResources(ctx, &configservice.ListDiscoveredResourcesInput{ResourceType: types.ResourceTypeSecurityGroup})
		if err != nil || len(discovered.ResourceIdentifiers) != 31 {
			t.Errorf("discovered: %d, %v", len(discovered.ResourceIdentifiers), err)
		}
	})
}

// TestRecorderShapes: what the SDK reads of recorders and channels, a
// service-linked recorder among them.
func TestRecorderShapes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		client, ctx := p.sdk(), context.Background()
		p.r.recorder = &configRecorder{Name: "AWSConfigurationRecorderForX", ServicePrincipal: "x.amazonaws.com", RoleARN: "arn:aws:iam::1:role/x", Recording: true, LastStatus: "Success", ResourceTypes: []string{"AWS::EC2::Instance"}}
		p.recording()
		out, err := client.DescribeConfigurationRecorders(ctx, &configservice.DescribeConfigurationRecordersInput{})
		if err != nil || len(out.ConfigurationRecorders) != 1 {
			t.Fatalf("recorders: %+v, %v", out, err)
		}
		linked, err := client.DescribeConfigurationRecorders(ctx, &configservice.DescribeConfigurationRecordersInput{ServicePrincipal: aws.String("x.amazonaws.com")})
		if err != nil || len(linked.ConfigurationRecorders) != 1 {
			t.Fatalf("recorders: %+v, %v", linked, err)
		}
		ours, theirs := out.ConfigurationRecorders[0], linked.ConfigurationRecorders[0]
		if aws.ToString(ours.Name) != "rollout" || !ours.RecordingGroup.AllSupported || ours.RecordingMode.RecordingFrequency != "CONTINUOUS" || aws.ToString(theirs.ServicePrincipal) != "x.amazonaws.com" {
			t.Errorf("recorders %+v, %+v", ours, theirs)
		}
		status, err := client.DescribeConfigurationRecorderStatus(ctx, &configservice.DescribeConfigurationRecorderStatusInput{ConfigurationRecorderNames: []string{"rollout"}})
		if err != nil || !status.ConfigurationRecordersStatus[0].Recording || status.ConfigurationRecordersStatus[0].LastStatus != "Pending" {
			t.Errorf("status: %+v, %v", status, err)
		}
		channels, err := client.DescribeDeliveryChannels(ctx, &configservice.DescribeDeliveryChannelsInput{})
		if err != nil || aws.ToString(channels.DeliveryChannels[0].S3BucketName) != testBucket {
			t.Errorf("channels: %+v, %v", channels, err)
		}
		if _, err := client.DescribeDeliveryChannelStatus(ctx, &configservice.DescribeDeliveryChannelStatusInput{}); err != nil {
			t.Error(err)
		}
		refuse(t, "NoSuchConfigurationRecorderException", func() error {
			_, err := client.DescribeConfigurationRecorderStatus(ctx, &configservice.DescribeConfigurationRecorderStatusInput{ConfigurationRecorderNames: []string{"absent"}})
			return err
		})
	})
}

// TestSeedRule: a rule from before the simulation has its results at once, and
// none where nothing was recorded.
func TestSeedRule(t *testing.T) {
	for name, tt := range map[string]struct {
		recorder *configRecorder
		want     string
	}{
		"recording": {&configRecorder{AllSupported: true, Recording: true, LastStatus: "Success"}, "NON_COMPLIANT"},
		"stopped":   {&configRecorder{AllSupported: true, LastStatus: "Success"}, "NON_COMPLIANT"},
		"subset":    {&configRecorder{ResourceTypes: []string{"AWS::IAM::Role"}, Recording: true, LastStatus: "Success"}, "INSUFFICIENT_DATA"},
		"none":      {nil, "INSUFFICIENT_DATA"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			rule := &configRule{Name: "theirs", Identifier: "VPC_DEFAULT_SECURITY_GROUP_CLOSED"}
			p.r.recorder, p.r.rules["theirs"] = tt.recorder, rule
			p.s.seedRule(p.r, rule)
			if got := p.s.ruleWord(p.r, rule); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestExceptionCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.recording()
		p.rule()
		client, ctx := p.sdk(), context.Background()
		key := []types.RemediationExceptionResourceKey{{ResourceId: aws.String(testGroup), ResourceType: aws.String(typeSecurityGroup)}}
		put := &configservice.PutRemediationExceptionsInput{ConfigRuleName: aws.String(testRule), ResourceKeys: key, Message: aws.String("ours"), ExpirationTime: aws.Time(time.Now().Add(24 * time.Hour))}
		refuse(t, "NoSuchRemediationConfigurationException", func() error { _, err := client.PutRemediationExceptions(ctx, put); return err })
		p.enforce(map[string]string{"HomeRegion": testRegion})
		none, err := client.DescribeRemediationExceptions(ctx, &configservice.DescribeRemediationExceptionsInput{ConfigRuleName: aws.String("absent")})
		if err != nil || len(none.RemediationExceptions) != 0 {
			t.Errorf("exceptions of no rule: %+v, %v", none, err)
		}
		early, err := client.PutRemediationExceptions(ctx, put)
		if err != nil || len(early.FailedBatches) != 1 {
			t.Errorf("an exception on what is not NON_COMPLIANT: %+v, %v", early, err)
		}
		p.pass(3 * time.Minute)
		if out, err := client.PutRemediationExceptions(ctx, put); err != nil || len(out.FailedBatches) != 0 {
			t.Errorf("exception: %+v, %v", out, err)
		}
		list, err := client.DescribeRemediationExceptions(ctx, &configservice.DescribeRemediationExceptionsInput{ConfigRuleName: aws.String(testRule)})
		if err != nil || aws.ToString(list.RemediationExceptions[0].Message) != "ours" || list.RemediationExceptions[0].ExpirationTime == nil {
			t.Errorf("exceptions: %+v, %v", list, err)
		}
		p.enforce(automatic)
		p.pass(10 * time.Minute)
		if n := len(p.r.executions); n != 0 {
			t.Errorf("%d automations on an excepted resource", n)
		}
		p.pass(24 * time.Hour)
		remove := &configservice.DeleteRemediationExceptionsInput{ConfigRuleName: aws.String(testRule), ResourceKeys: key}
		accept(t, func() error { _, err := client.DeleteRemediationExceptions(ctx, remove); return err })
		refuse(t, "NoSuchRemediationExceptionException", func() error { _, err := client.DeleteRemediationExceptions(ctx, remove); return err })
	})
}
