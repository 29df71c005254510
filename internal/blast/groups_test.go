package blast

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"rollout/internal/simaws"
	"rollout/stackset"
)

// leaningRegions has one Region for each kind of thing that leans on a group, and one more
// where nobody does.
var leaningRegions = []string{
	"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "eu-central-1", "eu-north-1",
	"eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2",
}

// leaningRig has in each Region one open default group that one kind of thing leans on.
func leaningRig(t *testing.T) *rig {
	t.Helper()
	kinds := simaws.Leaners()
	if len(leaningRegions) != len(kinds)+1 {
		t.Fatalf("%d kinds in %d Regions", len(kinds), len(leaningRegions))
	}
	file := "trustedAccess: [member.org.stacksets.cloudformation.amazonaws.com]\nmanagement: {name: management}\nous: [{name: Workloads, accounts: [{name: prod, defaultSecurityGroupUsers: ["
	for i, kind := range kinds {
		file += fmt.Sprintf("{region: %s, kind: %s, name: idle}, ", leaningRegions[i], kind)
	}
	organization, err := simaws.ParseOrganization("file", []byte(file+"]}]}]"))
	if err != nil {
		t.Fatal(err)
	}
	s := newRig(t, simaws.Options{Organization: organization}, "default-security-group", leaningRegions...)
	for _, region := range leaningRegions {
		s.sim.SetGroups(s.d.Accounts[0].ID, region, true)
	}
	return s
}

// rulesLeft counts the rules of a group.
func (s *rig) rulesLeft(r Resource) int {
	s.t.Helper()
	out, err := ec2.NewFromConfig(s.in(r.AccountID, r.Region)).DescribeSecurityGroups(s.t.Context(), &ec2.DescribeSecurityGroupsInput{GroupIds: []string{r.ID}})
	if err != nil {
		s.t.Fatal(err)
	}
	return len(out.SecurityGroups[0].IpPermissions) + len(out.SecurityGroups[0].IpPermissionsEgress)
}

// What is foretold of a default group is what becomes of it, whoever leans on it, whether
// Config was asked or EC2 alone.
func TestDefaultGroups(t *testing.T) {
	for _, inUse := range []string{"Skip", "Empty"} {
		t.Run(inUse, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := leaningRig(t)
				s.d.Parameters["InUse"] = inUse
				before := s.read() // nothing of ours is there
				s.deploy(stackset.RemediationOff)
				detected := s.read()
				for name, r := range map[string]*Radius{"EC2": before, "Config": detected} {
					if len(r.Unread) > 0 {
						t.Errorf("%s: %+v", name, r.Unread)
					}
					used := 0
					for _, one := range r.Resources {
						if fromConfig := strings.HasPrefix(one.Source, "AWS Config, rule rollout-"); fromConfig != (name == "Config") || fromConfig == one.Evaluated.IsZero() {
							t.Errorf("%s: found by %q, evaluated %s", name, one.Source, one.Evaluated)
						}
						if (one.Verdict == NotSafe) != (len(one.Leans) > 0) || one.Reason == "" {
							t.Errorf("%s: %+v", name, one)
						}
						if one.Verdict == NotSafe {
							used++
						}
						if one.WouldChange != (one.Verdict == Safe || inUse == "Empty") {
							t.Errorf("%s: %+v", name, one)
						}
					}
					if used != len(simaws.Leaners()) || len(r.Resources) < len(leaningRegions) {
						t.Errorf("%s: %d of %d groups are in use", name, used, len(r.Resources))
					}
					for _, p := range r.Places {
						if p.Evaluated != (name == "Config") || p.Evaluated != (p.Why == "") || p.Evaluated == p.When.IsZero() {
							t.Errorf("%s: %+v", name, p)
						}
					}
				}
				s.deploy(stackset.RemediationAutomatic)
				for _, r := range []*Radius{before, detected} {
					for _, one := range r.Resources {
						if gone := s.rulesLeft(one) == 0; gone != one.WouldChange {
							t.Errorf("%s in %s: foretold that it would change: %v (%s); it did: %v", one.ID, one.Region, one.WouldChange, one.Reason, gone)
						}
					}
				}
			})
		})
	}
}
