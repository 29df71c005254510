package main

import (
	"encoding/json"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"rollout/internal/simaws"
)

// A default group that automatic remediation emptied gets its rules back from each of
// the three places, is exempt before that, and is not emptied again.
func TestRestoreOfAnEmptiedGroup(t *testing.T) {
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
	var targets []simaws.AccountView
	for _, a := range sim.Accounts() {
		if strings.HasPrefix(a.OUPath, "Workloads/") && a.State == "ACTIVE" && sim.HasRole(a.ID, "OrganizationAccountAccessRole") && sim.Recorder(a.ID, "us-east-1") == "" && len(targets) < 3 {
			sim.SetGroups(a.ID, "us-east-1", true)
			sim.UseGroups(a.ID, "us-east-1", false)
			sim.TagGroups(a.ID, "us-east-1", "rollout-exempt", "")
			targets = append(targets, a)
		}
	}
	type group struct{ id, account string }
	before := map[group][]types.IpPermission{}
	read := func(account string) []types.SecurityGroup {
		t.Helper()
		for k, v := range environment {
			t.Setenv(k, v)
		}
		out, err := ec2.NewFromConfig(memberConfig(t, account)).DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{})
		if err != nil {
			t.Fatal(err)
		}
		return out.SecurityGroups
	}
	var ids []string
	for _, a := range targets {
		sim.TagGroups(a.ID, "us-east-1", "", "")
		ids = append(ids, a.ID)
		for _, g := range read(a.ID) {
			if *g.GroupName == "default" {
				before[group{*g.GroupId, a.ID}] = append(append([]types.IpPermission{}, g.IpPermissions...), g.IpPermissionsEgress...)
			}
		}
	}
	rollout(exitDone, "--account", strings.Join(ids, ","), "--region", "us-east-1", "--remediation", "automatic", "--yes", "--out", t.TempDir())
	for i, from := range []string{"object", "config", "cloudtrail"} {
		account := targets[i].ID
		var emptied string
		for _, g := range read(account) {
			if had := before[group{*g.GroupId, account}]; len(had) > 0 && len(g.IpPermissions)+len(g.IpPermissionsEgress) == 0 {
				emptied = *g.GroupId
			}
		}
		if emptied == "" {
			t.Fatalf("no group of %s was emptied", account)
		}
		at := []string{"restore", "--account", account, "--region", "us-east-1"}
		if stdout, _ := rollout(exitDone, at...); !strings.Contains(stdout, emptied) {
			t.Errorf("the list lacks %s:\n%s", emptied, stdout)
		}
		at = append(at, "--resource", emptied, "--from", from)
		if _, stderr := rollout(exitFailed, at...); !strings.Contains(stderr, "put back  inbound") || !strings.Contains(stderr, "nothing was changed") {
			t.Errorf("without --yes:\n%s", stderr)
		}
		stdout, _ := rollout(exitDone, append(at, "--yes", "--output", "json")...)
		var rows []restoredJSON
		if err := json.Unmarshal([]byte(stdout), &rows); err != nil {
			t.Fatal(err)
		}
		if len(rows) != 1 || rows[0].Source != from || !rows[0].Exempted || len(rows[0].Restored) == 0 || rows[0].Where == "" {
			t.Errorf("%s: %s", from, stdout)
		}
		check := func(when string) {
			t.Helper()
			for _, g := range read(account) {
				if *g.GroupId != emptied {
					continue
				}
				rules := len(g.IpPermissions) + len(g.IpPermissionsEgress)
				if rules != len(before[group{emptied, account}]) || len(g.Tags) == 0 {
					t.Errorf("%s, %s: %d rules of %d, tags %v", from, when, rules, len(before[group{emptied, account}]), g.Tags)
				}
			}
		}
		check("at once")
		// The remediation looks again, and leaves it.
		rollout(exitDone, "report", "--account", account, "--region", "us-east-1", "--out", t.TempDir())
		check("later")
		if from == "config" { // its history has nothing that the group lacks
			if _, stderr := rollout(exitFailed, append(at, "--yes")...); !strings.Contains(stderr, "nothing to put back into "+emptied) {
				t.Errorf("again: %s", stderr)
			}
		} else if stdout, _ := rollout(exitDone, append(at, "--yes")...); !strings.Contains(stdout, "nothing to do") {
			t.Errorf("%s, again: %s", from, stdout)
		}
	}
}
