package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// A default group that automatic remediation emptied gets its rules back from each of
// the three places, is exempt before that, and is not emptied again.
func TestRestoreOfAnEmptiedGroup(t *testing.T) {
	r := rehearse(t)
	targets := r.accounts(3, "Workloads/")
	type group struct{ id, account string }
	before := map[group][]types.IpPermission{}
	read := func(account string) []types.SecurityGroup {
		t.Helper()
		out, err := ec2.NewFromConfig(r.member(account)).DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{})
		if err != nil {
			t.Fatal(err)
		}
		return out.SecurityGroups
	}
	for _, account := range targets {
		r.sim.SetGroups(account, "us-east-1", true)
		r.sim.UseGroups(account, "us-east-1", false)
		r.sim.TagGroups(account, "us-east-1", "", "")
		for _, g := range read(account) {
			if *g.GroupName == "default" {
				before[group{*g.GroupId, account}] = append(append([]types.IpPermission{}, g.IpPermissions...), g.IpPermissionsEgress...)
			}
		}
	}
	r.rollout(exitDone, "--account", strings.Join(targets, ","), "--region", "us-east-1", "--remediation", "automatic", "--yes", "--out", t.TempDir())
	for i, from := range []string{"object", "config", "cloudtrail"} {
		account := targets[i]
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
		if stdout, _ := r.rollout(exitDone, at...); !strings.Contains(stdout, emptied) {
			t.Errorf("the list lacks %s:\n%s", emptied, stdout)
		}
		at = append(at, "--resource", emptied, "--from", from)
		if _, stderr := r.rollout(exitFailed, at...); !strings.Contains(stderr, "put back  inbound") || !strings.Contains(stderr, "nothing was changed") {
			t.Errorf("without --yes:\n%s", stderr)
		}
		stdout, _ := r.rollout(exitDone, append(at, "--yes", "--output", "json")...)
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
		r.rollout(exitDone, "report", "--account", account, "--region", "us-east-1", "--out", t.TempDir())
		check("later")
		if from == "config" { // its history has nothing that the group lacks
			if _, stderr := r.rollout(exitFailed, append(at, "--yes")...); !strings.Contains(stderr, "nothing to put back into "+emptied) {
				t.Errorf("again: %s", stderr)
			}
		} else if stdout, _ := r.rollout(exitDone, append(at, "--yes")...); !strings.Contains(stdout, "nothing to do") {
			t.Errorf("%s, again: %s", from, stdout)
		}
	}
}
