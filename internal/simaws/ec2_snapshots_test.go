package simaws

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A role that may take everybody off snapshots, and nothing else, is held to that.
func TestSnapshotsAndInstancesByPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Empty: true})
		id := s.Accounts()[4].ID
		a := s.world.accounts[id]
		r := a.region("us-east-1")
		for name, n := range map[string]*snapshot{
			"snap-00000001": {Shared: []string{"all", "444455556666"}}, "snap-00000002": {Shared: []string{"all"}, Tags: map[string]string{"rollout-exempt": "x"}},
			"snap-00000003": {Encrypted: true}, "snap-00000004": {},
		} {
			n.ID = name
			s.settings(a, r).keep(n)
		}
		narrow := entered(t, s, id, "OrganizationAccountAccessRole", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:ModifySnapshotAttribute","Resource":"arn:aws:ec2:us-east-1::snapshot/*",
			"Condition":{"StringEquals":{"ec2:Remove/group":"all"},"Null":{"aws:ResourceTag/rollout-exempt":"true","ec2:Add/group":"true","ec2:Add/userId":"true","ec2:Remove/userId":"true"}}}]}`)
		wide := entered(t, s, id, "OrganizationAccountAccessRole", "")
		const all, one = "CreateVolumePermission.%s.1.Group=all", "CreateVolumePermission.%s.1.UserId=444455556666"
		change := func(form, verb string) string { return "&" + strings.ReplaceAll(form, "%s", verb) }
		for _, step := range []struct {
			name, snapshot, members, want string
			wide                          bool
		}{
			{"the other form", "snap-00000001", "&Attribute=createVolumePermission&OperationType=remove&UserGroup.1=all", "<return>true", false},
			{"shares with an account stay", "snap-00000001", change(one, "Remove"), "UnauthorizedOperation", false},
			{"it may not share", "snap-00000004", change(all, "Add"), "UnauthorizedOperation", false},
			{"nor with an account", "snap-00000004", change(one, "Add"), "UnauthorizedOperation", false},
			{"nor touch an exempt one", "snap-00000002", change(all, "Remove"), "UnauthorizedOperation", false},
			{"both at once", "snap-00000004", change(all, "Remove") + change(one, "Add"), "InvalidParameterCombination", true},
			{"encrypted", "snap-00000003", change(all, "Add"), "InvalidParameterValue", true},
			{"another may share", "snap-00000004", change(all, "Add"), "<return>true", true},
		} {
			cfg := narrow
			if step.wide {
				cfg = wide
			}
			if got := ec2Query(t, cfg, "Action=ModifySnapshotAttribute&SnapshotId="+step.snapshot+step.members); !strings.Contains(got, step.want) {
				t.Errorf("%s: %s", step.name, got)
			}
		}
		if got := strings.Join(s.settings(a, r).snapshots["snap-00000001"].Shared, " "); got != "444455556666" {
			t.Errorf("shared with %s", got)
		}
		s.settings(a, r).sharingBlocked = "block-all-sharing"
		s.settings(a, r).snapshots["snap-00000004"].Shared = nil
		if got := ec2Query(t, wide, "Action=ModifySnapshotAttribute&SnapshotId=snap-00000004"+change(all, "Add")); !strings.Contains(got, "OperationNotPermitted") {
			t.Errorf("blocked: %s", got)
		}
		if got := ec2Query(t, wide, "Action=DescribeSnapshots&Owner.1=self&RestorableBy.1=all"); strings.Count(got, "<snapshotId>") != 1 || !strings.Contains(got, "snap-00000002") || !strings.Contains(got, "<status>completed") {
			t.Errorf("public: %s", got)
		}
	})
}

// CloudWatch knows of running instances how often they were asked without a token.
func TestMetadataNoToken(t *testing.T) {
	s := New(Options{Empty: true})
	id := s.Accounts()[4].ID
	a := s.world.accounts[id]
	r := a.region("us-east-1")
	now := time.Unix(1793000000, 0)
	for name, i := range map[string]*instance{
		"i-00000001": {State: "running", Untokened: 3}, "i-00000002": {State: "running"}, "i-00000003": {State: "stopped", Untokened: 3}, "i-00000004": {State: "running", Unseen: true},
		"i-00000005": {State: "running", Untokened: 3, Launched: now.Add(-30 * time.Hour)},
	} {
		i.ID = name
		s.settings(a, r).put(i)
	}
	for name, want := range map[string]string{"i-00000001": "7 21", "i-00000002": "7 0", "i-00000003": "0 0", "i-00000004": "0 0", "i-00000005": "1 3", "i-00000009": "0 0"} {
		out, err := metricData(s, func(string, string, map[string]string) error { return nil }, a, r, map[string]any{
			"StartTime": float64(now.Add(-7 * 24 * time.Hour).Unix()), "EndTime": float64(now.Unix()),
			"MetricDataQueries": []any{map[string]any{"Id": "q", "MetricStat": map[string]any{"Period": 86400, "Stat": "Sum", "Metric": map[string]any{
				"Namespace": "AWS/EC2", "MetricName": "MetadataNoToken", "Dimensions": []any{map[string]any{"Name": "InstanceId", "Value": name}}}}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		values := out["MetricDataResults"].([]any)[0].(map[string]any)["Values"].([]any)
		sum := 0.0
		for _, v := range values {
			sum += v.(float64)
		}
		if got := scalar(len(values)) + " " + scalar(sum); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
