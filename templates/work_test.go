package templates

import (
	"fmt"
	"slices"
	"testing"
)

func workOf(t *testing.T, name string, values map[string]string) Work {
	t.Helper()
	template, err := Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return template.WorkWith(values, nil)
}

func TestWork(t *testing.T) {
	for name, want := range map[string]string{
		"default-security-group": "[{rollout-vpc-default-security-group-closed true 0 [AWS::EC2::SecurityGroup] false}] []",
		"ebs-encryption":         "[{rollout-ec2-ebs-encryption-by-default false 24 [] false}] []",
		"vpc-flow-logs":          "[{rollout-vpc-flow-logs-enabled false 24 [AWS::EC2::VPC] false}] []",
		"open-ports":             "[{rollout-vpc-sg-open-only-to-authorized-ports true 24 [AWS::EC2::SecurityGroup] false}] []",
		"recording":              "[] []",
	} {
		w := workOf(t, name, nil)
		if got := fmt.Sprint(w.Evaluations, w.Runbooks); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	for _, template := range All() {
		w := template.WorkWith(nil, nil)
		if len(w.Evaluations) > len(template.Rules) || template.Remediates != (len(w.Runbooks) == 1) {
			t.Errorf("%s: %+v", template.Name, w)
		}
		for _, b := range w.Runbooks {
			if b.Scripts < 1 || b.Steps < 3 || b.Scripts > b.Steps {
				t.Errorf("%s: %+v", template.Name, b)
			}
		}
	}
	// What a condition keeps away costs nothing.
	without, with := workOf(t, "monitoring", nil), workOf(t, "monitoring", map[string]string{"TrailLogGroupName": "trail", "AWS::Region": "us-east-1", "HomeRegion": "us-east-1"})
	if without.Resources["AWS::CloudWatch::Alarm"] != 0 || with.Resources["AWS::CloudWatch::Alarm"] != 14 || with.Resources["AWS::Logs::MetricFilter"] != 14 {
		t.Errorf("%v and %v", without.Resources, with.Resources)
	}
}

func TestWorkOfAnyTemplate(t *testing.T) {
	template, err := FromBody("t", []byte(`
Resources:
  Hourly: {Type: AWS::Config::ConfigRule, Properties: {ConfigRuleName: hourly, MaximumExecutionFrequency: One_Hour, Source: {Owner: AWS, SourceIdentifier: ROOT_ACCOUNT_MFA_ENABLED}}}
  Custom: {Type: AWS::Config::ConfigRule, Properties: {Source: {Owner: CUSTOM_LAMBDA, SourceIdentifier: arn, SourceDetails: [{MessageType: ScheduledNotification, MaximumExecutionFrequency: Six_Hours}]}}}
  Anything: {Type: AWS::Config::ConfigRule, Properties: {ConfigRuleName: anything, Source: {Owner: CUSTOM_LAMBDA, SourceIdentifier: arn}}}
  Old: {Type: AWS::Config::ConfigRule, Properties: {ConfigRuleName: old, Source: {Owner: AWS, SourceIdentifier: EC2_IMDSV2_CHECK}}}
  Runbook: {Type: AWS::SSM::Document, Properties: {DocumentType: Automation, Content: '{"schemaVersion": "0.3", "mainSteps": [{"name": "a", "action": "aws:executeScript"}, {"name": "b", "action": "aws:sleep"}]}'}}
  Command: {Type: AWS::SSM::Document, Properties: {DocumentType: Command, Content: {mainSteps: [{action: aws:runShellScript}]}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	w := template.WorkWith(nil, func(id string) bool { return id == "Old" })
	want := "[{hourly false 1 [] false} {Custom false 6 [] false} {anything true 0 [] true}] [{2 1}]"
	if got := fmt.Sprint(w.Evaluations, w.Runbooks); got != want || w.Resources["AWS::Config::ConfigRule"] != 3 {
		t.Errorf("%s, %v", got, w.Resources)
	}
	if i := slices.IndexFunc(w.Evaluations, func(e Evaluation) bool { return e.Rule == "old" }); i >= 0 {
		t.Error("what is there already is counted")
	}
}
