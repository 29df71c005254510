package simaws

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
)

// TestOneAccountThroughTheWire goes through the whole server: an account that
// records, a rule put by an administrator, AWS's own runbook as remediation.
func TestOneAccountThroughTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Empty: true, Speed: 60})
		var id string
		for _, a := range s.Accounts() {
			if !a.Management && a.State == "ACTIVE" && s.HasRole(a.ID, "OrganizationAccountAccessRole") {
				id = a.ID
				break
			}
		}
		s.PutRecorder(id, "us-east-1", RecorderSpec{})
		s.SetGroups(id, "us-east-1", true)
		cfg := entered(t, s, id, "OrganizationAccountAccessRole", "")
		client, ctx := configservice.NewFromConfig(cfg), t.Context()
		name := aws.String(testRule)
		if _, err := client.PutConfigRule(ctx, &configservice.PutConfigRuleInput{ConfigRule: &types.ConfigRule{ConfigRuleName: name,
			Source: &types.Source{Owner: types.OwnerAws, SourceIdentifier: aws.String("VPC_DEFAULT_SECURITY_GROUP_CLOSED")}}}); err != nil {
			t.Fatal(err)
		}
		s.change(id, func(a *account) {
			trust, err := parsePolicy(`{"Statement":[{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)
			if err != nil {
				t.Error(err)
			}
			a.roles["fixer"] = &iamRole{Name: "fixer", ARN: "arn:aws:iam::" + id + ":role/fixer", Trust: trust, Managed: []string{"arn:aws:iam::aws:policy/AdministratorAccess"}}
		})
		put := types.RemediationConfiguration{ConfigRuleName: name, TargetType: types.RemediationTargetTypeSsmDocument, TargetId: aws.String(closeDefaultGroup), Automatic: true,
			Parameters: map[string]types.RemediationParameterValue{
				"AutomationAssumeRole": {StaticValue: &types.StaticValue{Values: []string{"arn:aws:iam::" + id + ":role/fixer"}}},
				"GroupId":              {ResourceValue: &types.ResourceValue{Value: types.ResourceValueTypeResourceId}},
			}}
		if _, err := client.PutRemediationConfigurations(ctx, &configservice.PutRemediationConfigurationsInput{RemediationConfigurations: []types.RemediationConfiguration{put}}); err != nil {
			t.Fatal(err)
		}
		var words []types.ComplianceType
		for range 30 { // ten minutes of simulated time
			time.Sleep(20 * time.Second / 60)
			out, err := client.DescribeComplianceByConfigRule(ctx, &configservice.DescribeComplianceByConfigRuleInput{ConfigRuleNames: []string{testRule}})
			if err != nil {
				t.Fatal(err)
			}
			if word := out.ComplianceByConfigRules[0].Compliance.ComplianceType; len(words) == 0 || words[len(words)-1] != word {
				words = append(words, word)
			}
		}
		if len(words) != 3 || words[0] != "INSUFFICIENT_DATA" || words[1] != "NON_COMPLIANT" || words[2] != "COMPLIANT" {
			t.Errorf("the rule said %v", words)
		}
		if out, err := client.DescribeConfigurationRecorderStatus(ctx, &configservice.DescribeConfigurationRecorderStatusInput{}); err != nil || !out.ConfigurationRecordersStatus[0].Recording {
			t.Errorf("recorder: %+v, %v", out, err)
		}
		if _, err := client.GetComplianceDetailsByConfigRule(ctx, &configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: aws.String("absent")}); code(err) != "NoSuchConfigRuleException" {
			t.Errorf("unknown rule: %v", err)
		}
	})
}
