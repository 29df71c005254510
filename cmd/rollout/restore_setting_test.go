package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// What remediations set can be set back: a default of the Region, flow logs of a VPC,
// the password policy. Where nothing could exempt it, it has to be disarmed first.
func TestRestoreOfSettings(t *testing.T) {
	r := rehearse(t)
	account := r.accounts(1, "Workloads/")[0]
	at := []string{"--account", account, "--region", "us-east-1"}
	member := r.member(account)
	ec2api, iamapi := ec2.NewFromConfig(member), iam.NewFromConfig(member)
	if _, err := ec2api.DisableEbsEncryptionByDefault(t.Context(), &ec2.DisableEbsEncryptionByDefaultInput{}); err != nil {
		t.Fatal(err)
	}
	there, err := ec2api.DescribeFlowLogs(t.Context(), &ec2.DescribeFlowLogsInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range there.FlowLogs {
		if _, err := ec2api.DeleteFlowLogs(t.Context(), &ec2.DeleteFlowLogsInput{FlowLogIds: []string{*f.FlowLogId}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := iamapi.UpdateAccountPasswordPolicy(t.Context(), &iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: aws.Int32(8), RequireNumbers: true}); err != nil {
		t.Fatal(err)
	}
	r.rollout(exitDone, append([]string{"deploy", "--template", "ebs-encryption,vpc-flow-logs,password-policy", "--remediation", "automatic", "--yes"}, at...)...)
	// The password policy is changed by hand only.
	remediate(t, configservice.NewFromConfig(member), exposed{id: account, rule: "rollout-iam-password-policy", key: types.ResourceKey{ResourceType: "AWS::::Account", ResourceId: &account}})
	encrypted := func() bool {
		out, err := ec2api.GetEbsEncryptionByDefault(t.Context(), &ec2.GetEbsEncryptionByDefaultInput{})
		if err != nil {
			t.Fatal(err)
		}
		return *out.EbsEncryptionByDefault
	}
	logs := func() int {
		out, err := ec2api.DescribeFlowLogs(t.Context(), &ec2.DescribeFlowLogsInput{})
		if err != nil {
			t.Fatal(err)
		}
		return len(out.FlowLogs)
	}
	length := func() int32 {
		out, err := iamapi.GetAccountPasswordPolicy(t.Context(), &iam.GetAccountPasswordPolicyInput{})
		if err != nil {
			t.Fatal(err)
		}
		return *out.PasswordPolicy.MinimumPasswordLength
	}
	for range 400 { // evaluations and automations take their time
		if encrypted() && logs() > 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if !encrypted() || logs() == 0 || length() < 14 {
		t.Fatalf("after remediation: encrypted %t, %d flow logs, passwords of %d", encrypted(), logs(), length())
	}
	listed, _ := r.rollout(exitDone, append([]string{"restore", "--output", "json"}, at...)...)
	var kept []struct{ Resource string }
	if err := json.Unmarshal([]byte(listed), &kept); err != nil {
		t.Fatal(err)
	}
	for _, k := range kept {
		one := append([]string{"restore", "--yes", "--resource", k.Resource}, at...)
		if k.Resource == "ebs-encryption-by-default" {
			if _, stderr := r.rollout(exitFailed, one...); !strings.Contains(stderr, "rollout disarm first") {
				t.Errorf("armed: %s", stderr)
			}
			r.rollout(exitDone, append([]string{"disarm", "--yes", "--template", "ebs-encryption"}, at...)...)
		}
		if stdout, _ := r.rollout(exitDone, one...); !strings.Contains(stdout, "put back from object, and seen") {
			t.Errorf("%s: %s", k.Resource, stdout)
		}
		if stdout, _ := r.rollout(exitDone, one...); !strings.Contains(stdout, "nothing to do") {
			t.Errorf("%s, again: %s", k.Resource, stdout)
		}
	}
	if encrypted() || logs() != 0 || length() != 8 {
		t.Errorf("of %+v: encrypted %t, %d flow logs, passwords of %d", kept, encrypted(), logs(), length())
	}
}
