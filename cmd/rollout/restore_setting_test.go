package main

import (
	"encoding/json"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollout/internal/simaws"
)

// What remediations set can be set back: a default of the Region, flow logs of a VPC,
// the password policy. Where nothing could exempt it, it has to be disarmed first.
func TestRestoreOfSettings(t *testing.T) {
	sim := simaws.New(simaws.Options{Speed: 6000})
	server := httptest.NewServer(sim)
	defer server.Close()
	environment := map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": "us-east-1", "AWS_CONFIG_FILE": filepath.Join(t.TempDir(), "none"),
		"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
	rollout := func(want int, args ...string) (string, string) {
		t.Helper()
		status, stdout, stderr := runWith(t, environment, args...)
		if status != want {
			t.Fatalf("%v: exit status %d, want %d\n%s", args, status, want, stderr)
		}
		return stdout, stderr
	}
	account := ""
	for _, a := range sim.Accounts() {
		if strings.HasPrefix(a.OUPath, "Workloads/") && a.State == "ACTIVE" && sim.HasRole(a.ID, "OrganizationAccountAccessRole") && sim.Recorder(a.ID, "us-east-1") == "" {
			account = a.ID
		}
	}
	at := []string{"--account", account, "--region", "us-east-1"}
	for k, v := range environment {
		t.Setenv(k, v)
	}
	member := memberConfig(t, account)
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
	rollout(exitDone, append([]string{"--template", "ebs-encryption,vpc-flow-logs,password-policy", "--remediation", "automatic", "--yes", "--out", t.TempDir()}, at...)...)
	// The password policy is changed by hand only.
	if _, err := configservice.NewFromConfig(member).StartRemediationExecution(t.Context(), &configservice.StartRemediationExecutionInput{
		ConfigRuleName: aws.String("rollout-iam-password-policy"), ResourceKeys: []types.ResourceKey{{ResourceType: "AWS::::Account", ResourceId: aws.String(account)}},
	}); err != nil {
		t.Fatal(err)
	}
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
	for range 100 { // the automation by hand takes its time
		if length() >= 14 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if !encrypted() || logs() == 0 || length() < 14 {
		t.Fatalf("after remediation: encrypted %t, %d flow logs, passwords of %d", encrypted(), logs(), length())
	}
	listed, _ := rollout(exitDone, append([]string{"restore", "--output", "json"}, at...)...)
	var kept []struct{ Resource string }
	if err := json.Unmarshal([]byte(listed), &kept); err != nil {
		t.Fatal(err)
	}
	for _, k := range kept {
		one := append([]string{"restore", "--yes", "--resource", k.Resource}, at...)
		if k.Resource == "ebs-encryption-by-default" {
			if _, stderr := rollout(exitFailed, one...); !strings.Contains(stderr, "rollout disarm first") {
				t.Errorf("armed: %s", stderr)
			}
			rollout(exitDone, append([]string{"disarm", "--yes", "--template", "ebs-encryption"}, at...)...)
		}
		if stdout, _ := rollout(exitDone, one...); !strings.Contains(stdout, "put back, and seen") {
			t.Errorf("%s: %s", k.Resource, stdout)
		}
		if stdout, _ := rollout(exitDone, one...); !strings.Contains(stdout, "nothing to do") {
			t.Errorf("%s, again: %s", k.Resource, stdout)
		}
	}
	if encrypted() || logs() != 0 || length() != 8 {
		t.Errorf("of %+v: encrypted %t, %d flow logs, passwords of %d", kept, encrypted(), logs(), length())
	}
}
