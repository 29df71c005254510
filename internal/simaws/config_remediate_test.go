package simaws

import (
	"context"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
)

var automatic = map[string]string{"Remediation": "Automatic", "HomeRegion": testRegion}

// TestRemediationPaths runs the catalog's enforcement from an open group to what
// becomes of it.
func TestRemediationPaths(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(p *place)
		state   types.RemediationExecutionState
		ends    string // the last step that was run
		word    types.ComplianceType
		excepts bool
		failure string
	}{
		{name: "open group is emptied", state: "SUCCEEDED", ends: "Verify", word: "COMPLIANT"},
		{name: "group in use is left", state: "SUCCEEDED", ends: "LeaveInUse", word: "NON_COMPLIANT",
			prepare: func(p *place) {
				p.r.enis = append(p.r.enis, &networkInterface{ID: "eni-1", Groups: []string{testGroup}})
			}},
		{name: "exempt group is left", state: "SUCCEEDED", ends: "LeaveExempt", word: "NON_COMPLIANT",
			prepare: func(p *place) { p.r.groups[testGroup].Tags["rollout-exempt"] = "2027" }},
		{name: "bucket is gone", state: "FAILED", ends: "Empty", word: "NON_COMPLIANT", excepts: true, failure: "An error occurred (NoSuchBucket) when calling the PutObject operation",
			prepare: func(p *place) { delete(p.a.buckets, testBucket) }},
		{name: "role may not revoke", state: "FAILED", ends: "Empty", word: "NON_COMPLIANT", excepts: true, failure: "An error occurred (UnauthorizedOperation) when calling the RevokeSecurityGroupIngress operation",
			prepare: func(p *place) {
				policy := p.a.roles["Role-ABC"].Policies["default-security-group"]
				for i, st := range policy.Statement {
					if st.Sid == "Revoke" {
						policy.Statement[i].Actions = []string{"ec2:NoSuchThing"}
					}
				}
			}},
		{name: "no service-linked role where it is needed", state: "FAILED", ends: "StartAutomationExecution", word: "NON_COMPLIANT", excepts: true, failure: "AWSServiceRoleForConfigRemediation",
			prepare: func(p *place) { p.s.SetRemediation(false, true) }},
		{name: "role does not trust SSM", state: "FAILED", ends: "StartAutomationExecution", word: "NON_COMPLIANT", excepts: true, failure: "The defined assume role is unable to be assumed.",
			prepare: func(p *place) {
				p.a.roles["Role-ABC"].Trust.Statement[0].Principals["Service"] = []string{"ec2.amazonaws.com"}
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				p.recording()
				rule := p.rule()
				p.enforce(automatic)
				if tt.prepare != nil {
					tt.prepare(p)
				}
				client, ctx := p.sdk(), context.Background()
				p.pass(4 * time.Minute)
				status, err := client.DescribeRemediationExecutionStatus(ctx, &configservice.DescribeRemediationExecutionStatusInput{ConfigRuleName: aws.String(testRule)})
				if err != nil {
					t.Fatal(err)
				}
				if len(status.RemediationExecutionStatuses) != 1 {
					t.Fatalf("%d executions, want 1", len(status.RemediationExecutionStatuses))
				}
				e := status.RemediationExecutionStatuses[0]
				last := types.RemediationExecutionStep{}
				for _, step := range e.StepDetails {
					if step.State != "PENDING" {
						last = step
					}
				}
				if e.State != tt.state || aws.ToString(last.Name) != tt.ends {
					t.Errorf("execution %s at step %q: %s; want %s at %q", e.State, aws.ToString(last.Name), aws.ToString(last.ErrorMessage), tt.state, tt.ends)
				}
				if !strings.Contains(aws.ToString(last.ErrorMessage), tt.failure) {
					t.Errorf("failure %q has not %q", aws.ToString(last.ErrorMessage), tt.failure)
				}
				if tt.state == "FAILED" && e.LastUpdatedTime.Sub(*e.InvocationTime) > time.Minute {
					t.Errorf("it took %s", e.LastUpdatedTime.Sub(*e.InvocationTime))
				}
				word, err := client.DescribeComplianceByConfigRule(ctx, &configservice.DescribeComplianceByConfigRuleInput{ConfigRuleNames: []string{testRule}})
				if err != nil {
					t.Fatal(err)
				}
				if got := word.ComplianceByConfigRules[0].Compliance.ComplianceType; got != tt.word {
					t.Errorf("rule is %s, want %s", got, tt.word)
				}
				excepted, err := client.DescribeRemediationExceptions(ctx, &configservice.DescribeRemediationExceptionsInput{ConfigRuleName: aws.String(testRule)})
				if err != nil {
					t.Fatal(err)
				}
				if got := len(excepted.RemediationExceptions) == 1; got != tt.excepts {
					t.Errorf("Config's exception: %v, want %v", got, tt.excepts)
				}
				if tt.word == "COMPLIANT" {
					kept := maps.Clone(p.a.buckets[testBucket].Objects)
					delete(kept, "AWSLogs/"+testAccount+"/Config/ConfigWritabilityCheckFile")
					for key, body := range kept {
						var before map[string]any
						if !strings.HasPrefix(key, "rollout/before/"+testAccount+"/"+testRegion+"/"+testGroup+"/") || json.Unmarshal(body, &before) != nil || len(before["ip_permissions"].([]any)) != 1 {
							t.Errorf("kept %s: %s", key, body)
						}
					}
					if len(kept) != 1 || len(p.r.groups[testGroup].Ingress)+len(p.r.groups[testGroup].Egress) != 0 {
						t.Errorf("%d objects kept, group %+v", len(kept), p.r.groups[testGroup])
					}
				}
				_ = rule
			})
		})
	}
}

func TestManualRemediation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.recording()
		p.rule()
		p.enforce(map[string]string{"HomeRegion": testRegion})
		p.pass(5 * time.Minute)
		client, ctx := p.sdk(), context.Background()
		in := &configservice.StartRemediationExecutionInput{ConfigRuleName: aws.String(testRule), ResourceKeys: []types.ResourceKey{
			{ResourceId: aws.String(testGroup), ResourceType: types.ResourceTypeSecurityGroup}, {ResourceId: aws.String("sg-00000000"), ResourceType: types.ResourceTypeSecurityGroup}}}
		if n := len(p.r.rules[testRule].remediation.executions); n != 0 {
			t.Fatalf("%d executions of a manual remediation before anybody asked", n)
		}
		out, err := client.StartRemediationExecution(ctx, in)
		if err != nil || len(out.FailedItems) != 1 || aws.ToString(out.FailedItems[0].ResourceId) != "sg-00000000" {
			t.Fatalf("start: %+v, %v", out, err)
		}
		again, err := client.StartRemediationExecution(ctx, in)
		if err != nil || len(again.FailedItems) != 2 {
			t.Fatalf("start while under way: %+v, %v", again, err)
		}
		p.pass(20 * time.Second)
		if _, err := client.DeleteRemediationConfiguration(ctx, &configservice.DeleteRemediationConfigurationInput{ConfigRuleName: aws.String(testRule)}); err == nil || !strings.Contains(err.Error(), "RemediationInProgressException") {
			t.Errorf("delete while under way: %v", err)
		}
		p.pass(3 * time.Minute)
		if word := p.s.ruleWord(p.r, p.r.rules[testRule]); word != "COMPLIANT" {
			t.Errorf("rule is %s", word)
		}
		if err := p.s.deleteRule(p.r, testRule); err == nil {
			t.Error("the rule was deleted under its remediation")
		}
		p.must("delete", "RemediationConfiguration", "CloseOpenGroups", testRule, nil)
		p.must("delete", "ConfigRule", "Rule", testRule, nil)
		p.must("delete", "DeliveryChannel", "Channel", "rollout", nil)
		p.must("delete", "ConfigurationRecorder", "Recorder", "rollout", nil)
		if p.r.recorder != nil || p.r.channel != nil || len(p.r.rules) != 0 {
			t.Errorf("left: %+v %+v %v", p.r.recorder, p.r.channel, p.r.rules)
		}
		list, err := p.ask("AmazonSSM.DescribeAutomationExecutions", `{"Filters":[{"Key":"DocumentNamePrefix","Values":["Runbook"]}]}`)
		if err != nil || len(list["AutomationExecutionMetadataList"].([]any)) != 1 {
			t.Errorf("executions: %v, %v", list, err)
		}
	})
}

// TestSuccessThatChangesNothing tries both sides of what AWS does not say: does
// an automation that succeeded count as failed when the finding stays?
func TestSuccessThatChangesNothing(t *testing.T) {
	for counts, exceptions := range map[bool]int{false: 0, true: 1} {
		synctest.Test(t, func(t *testing.T) {
			p := newPlace(t)
			p.s.SetRemediation(counts, false)
			p.r.groups[testGroup].Tags["rollout-exempt"] = "yes"
			p.recording()
			rule := p.rule()
			p.enforce(automatic)
			p.pass(10 * time.Minute)
			if n := len(rule.remediation.exceptions); n != exceptions {
				t.Errorf("counts %v: %d exceptions, want %d", counts, n, exceptions)
			}
		})
	}
}

// TestAttempts: Config tries MaximumAutomaticAttempts times, then never again.
func TestAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.recording()
		rule := p.rule()
		parameters := map[string]string{"Remediation": "Automatic", "HomeRegion": testRegion, "MaximumAutomaticAttempts": "3", "RetryAttemptSeconds": "60"}
		p.enforce(parameters)
		delete(p.a.buckets, testBucket)
		p.pass(20 * time.Minute)
		if n := len(p.r.executions); n != 3 || len(rule.remediation.exceptions) != 1 {
			t.Errorf("%d automations, %d exceptions; want 3 and 1", n, len(rule.remediation.exceptions))
		}
	})
}

// TestConcurrency: ten per cent of 30 findings run at a time.
func TestConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		for i := range 29 {
			p.group("sg-1000000"+string(rune('a'+i%6))+string(rune('0'+i/6)), "default")
		}
		p.recording()
		rule := p.rule()
		p.enforce(automatic)
		most := 0
		for range 600 {
			p.pass(time.Second)
			running := 0
			for _, e := range rule.remediation.executions {
				if e.State == "IN_PROGRESS" {
					running++
				}
			}
			most = max(most, running)
		}
		if most != 3 {
			t.Errorf("%d at a time, want 3", most)
		}
		p.pass(10 * time.Minute)
		if word := p.s.ruleWord(p.r, rule); word != "COMPLIANT" {
			t.Errorf("rule is %s", word)
		}
	})
}

// TestErrorPercentage is the worked example of SsmControls: 40% of ten findings,
// so the automations stop at the fifth error.
func TestErrorPercentage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		for i := range 9 {
			p.group("sg-2000000"+string(rune('a'+i)), "default")
		}
		p.recording()
		rule := p.rule()
		p.pass(5 * time.Minute)
		p.enforce(map[string]string{"Remediation": "Automatic", "HomeRegion": testRegion, "MaximumAutomaticAttempts": "1"})
		rule.remediation.ConcurrentPercent, rule.remediation.ErrorPercent = 10, 40
		delete(p.a.buckets, testBucket)
		p.pass(20 * time.Minute)
		if n := len(p.r.executions); n != 5 || len(rule.remediation.exceptions) != 5 {
			t.Errorf("%d automations, %d exceptions; want 5 of each", n, len(rule.remediation.exceptions))
		}
		states := map[string]int{}
		for _, e := range rule.remediation.executions {
			states[e.State]++
		}
		if states["FAILED"] != 10 {
			t.Errorf("%v", states)
		}
	})
}
