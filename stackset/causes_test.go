package stackset

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func failed(account, region, status, reason string) Outcome {
	return Outcome{StackSet: "rollout-recording", Target: Target{account, region}, Action: Create, Status: status, Reason: reason}
}

// Four hundred cancelled instances do not hide the one that failed.
func TestRootCausesOrder(t *testing.T) {
	outcomes := []Outcome{failed("111111111111", home, OutcomeSucceeded, ""), failed("111111111111", other, OutcomeRunning, ""), failed("111111111111", "x", OutcomeNotStarted, "")}
	for n := range 400 {
		outcomes = append(outcomes, failed(fmt.Sprintf("2%011d", n), home, OutcomeCancelled, "Cancelled since failure tolerance has exceeded"))
	}
	for n := range 3 {
		id := fmt.Sprintf("3%011d", n)
		outcomes = append(outcomes, failed(id, []string{home, other}[n%2], OutcomeFailed, "ResourceLogicalId:Rule, ResourceType:AWS::Config::ConfigRule, ResourceStatusReason:User: arn:aws:sts::"+id+":assumed-role/stacksets-exec-"+strings.Repeat("0f", 16)+"/x-"+id+" is not authorized to perform: config:PutConfigRule on resource: arn:aws:config:"+[]string{home, other}[n%2]+":"+id+
			":config-rule/* with an explicit deny in a service control policy (Service: Config, Status Code: 400, Request ID: 0a1b2c3d-0000-4000-8000-00000000000"+fmt.Sprint(n)+") (RequestToken: 1a1b2c3d-0000-4000-8000-00000000000"+fmt.Sprint(n)+", HandlerErrorCode: AccessDenied)."))
	}
	outcomes = append(outcomes, failed("400000000000", home, OutcomeFailed, ""), failed("300000000000", home, OutcomeSkipped, "needs recording, which did not come true in us-east-1 (failed)"))
	slices.Reverse(outcomes)
	causes := RootCauses(outcomes)
	var got []string
	for _, c := range causes {
		got = append(got, fmt.Sprint(c.Status, " ", len(c.Places)))
		if !slices.IsSortedFunc(c.Places, Target.Compare) || !slices.Equal(c.Sets, []string{"rollout-recording"}) {
			t.Errorf("%+v", c)
		}
	}
	if !slices.Equal(got, []string{"FAILED 3", "FAILED 1", "SKIPPED 1", "CANCELLED 400"}) {
		t.Fatalf("%v", got)
	}
	for _, leak := range []string{"3000", "us-east-1", "eu-west-1", "0a1b", "1a1b", "0f0f"} {
		if strings.Contains(causes[0].Reason, leak) {
			t.Errorf("%q is left in %q", leak, causes[0].Reason)
		}
	}
	if causes[1].Reason != "AWS gave no reason" {
		t.Errorf("%q", causes[1].Reason)
	}
	if RootCauses(nil) == nil || len(RootCauses(nil)) != 0 {
		t.Error("no outcomes are no causes")
	}
}

// An outcome without a Region does not break its reason up.
func TestRootCausesWithoutARegion(t *testing.T) {
	if c := RootCauses([]Outcome{failed("1", "", OutcomeFailed, "Failed to get stack status")}); c[0].Reason != "Failed to get stack status" {
		t.Errorf("%q", c[0].Reason)
	}
}

// What AWS is known to say has advice; the words are those seen in real
// operations.
func TestAdvice(t *testing.T) {
	for reason, want := range map[string]string{
		"User: arn:aws:sts::1:assumed-role/stacksets-exec-0/x is not authorized to perform: config:PutConfigRule with an explicit deny in a service control policy": "service control policy",
		"User: arn:aws:sts::1:assumed-role/stacksets-exec-0/x is not authorized to perform: config:PutConfigRule":                                                   "permission is missing",
		"Failed to put configuration recorder 'rollout' because the maximum number of configuration recorders: 1 is reached.":                                       "recorder of its own",
		"Failed to put delivery channel 'rollout' because the maximum number of delivery channels: 1 is reached.":                                                   "delivery channel of its own",
		"Service role name AWSServiceRoleForConfig has been taken in this account, please try a different suffix.":                                                  "service-linked role",
		"STS is not activated in this region for account:111111111111. Your account administrator can activate STS in this region using the IAM Console.":           "Region is off",
		"Account 111111111111 should have 'stacksets-exec-0' role with trust relationship to Role 'aws-service-role/x'.":                                            "role is missing",
		"Limit for stack has been exceeded":              "L-0485CB21",
		"Cancelled since failure tolerance has exceeded": "failure-tolerance",
		"User initiated operation":                       "stopped the operation",
		"ACCOUNT_SUSPENDED":                              "suspended",
		"rollout-config-1 already exists.":               "already",
		"needs recording, which did not come true":       "needs",
		"Failed to get stack status":                     "",
	} {
		if got := advice(reason); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q", reason, got)
		}
	}
}
