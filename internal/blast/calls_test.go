package blast

import (
	"fmt"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"rollout/internal/simaws"
	"rollout/stackset"
)

// What an account's Region costs in calls is what docs/blast-radius.md says: where there is
// nothing to find, where there is, and what AWS Config is asked on top where the rules are
// evaluated.
func TestCallsForAPlace(t *testing.T) {
	groups := []string{"ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroups", "ec2:DescribeVpcs", "ec2:DescribeSubnets", "ec2:DescribeNetworkInterfaces",
		"ec2:DescribeSecurityGroupReferences", "ec2:DescribeLaunchTemplateVersions", "lambda:ListFunctions", "ecs:ListClusters", "ecs:ListServices", "ecs:DescribeServices"}
	ofBucket := []string{"s3:GetPublicAccessBlock", "s3:GetBucketTagging", "s3:GetBucketPolicyStatus", "s3:GetBucketAcl", "s3:GetBucketWebsite"}
	for _, test := range []struct {
		template       string
		rules          int
		nothing, found []string
		spoil          func(s *simaws.Sim, id string)
	}{
		{"default-security-group", 1, groups[:1], groups, func(s *simaws.Sim, id string) {
			s.SetGroups(id, other, true)
			s.LeanOn(id, other, "ecs-service", "one")
			s.LeanOn(id, other, "launch-template", "two")
		}},
		{"restrict-ssh-rdp", 2, []string{"ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroups"}, []string{"ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroups", "ec2:DescribeNetworkInterfaces"},
			func(s *simaws.Sim, id string) { s.OpenPorts(id, other, "tcp", 22, 22) }},
		{"ebs-encryption", 1, []string{"ec2:GetEbsEncryptionByDefault"}, []string{"ec2:GetEbsEncryptionByDefault", "ec2:GetEbsDefaultKmsKeyId"}, func(s *simaws.Sim, id string) { s.EncryptByDefault(id, other, false) }},
		{"vpc-flow-logs", 1, nil, []string{"ec2:DescribeVpcs", "ec2:DescribeFlowLogs"}, func(s *simaws.Sim, id string) { s.DropFlowLogs(id, other) }},
		{"imds-v2", 1, []string{"ec2:DescribeInstances"}, []string{"ec2:DescribeInstances", "monitoring:GetMetricData"}, func(s *simaws.Sim, id string) {
			s.StartInstance(id, other, "optional", 0)
			s.StartInstance(id, other, "optional", 1)
		}},
		{"public-exposure", 1, []string{"ec2:DescribeSnapshots"}, []string{"ec2:DescribeSnapshots"}, func(s *simaws.Sim, id string) { s.KeepSnapshot(id, other, "all") }},
		{"password-policy", 1, nil, []string{"iam:GetAccountPasswordPolicy"}, func(*simaws.Sim, string) {}},
		{"access-keys", 2, []string{"iam:ListUsers"}, []string{"iam:ListUsers", "iam:ListAccessKeys", "iam:GetAccessKeyLastUsed", "iam:ListUserTags"},
			func(s *simaws.Sim, id string) { s.PutUser(id, "old", simaws.UserKey{Age: 200 * day}) }},
		{"s3-encryption", 1, []string{"s3:ListBuckets"}, append([]string{"s3:ListBuckets"}, ofBucket...), func(s *simaws.Sim, id string) { s.PutBucket(id, other, "plain-"+id, simaws.BucketSpec{}) }},
	} {
		t.Run(test.template, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newRig(t, simaws.Options{Empty: true, Accounts: 12}, test.template, other)
				s.d.Accounts = s.d.Accounts[:1]
				id := s.d.Accounts[0].ID
				s.sim.SetGroups(id, other, false)
				s.sim.EncryptByDefault(id, other, true)
				if test.nothing != nil {
					s.costs("nothing is found", test.nothing...)
				}
				test.spoil(s.sim, id)
				s.costs("something is found", test.found...)
				s.deploy(stackset.RemediationOff)
				time.Sleep(27 * time.Hour)
				config := []string{"config:DescribeConfigRuleEvaluationStatus"}
				for range test.rules {
					config = append(config, "config:GetComplianceDetailsByConfigRule")
				}
				found := test.found
				if test.template == "s3-encryption" {
					found = ofBucket // those that Config found need no list
				}
				s.costs("AWS Config found it", append(config, found...)...)
			})
		})
	}
}

// costs counts the calls of a read of one place.
func (s *rig) costs(when string, want ...string) {
	s.t.Helper()
	plan := s.plan()
	before := maps.Clone(s.sim.Stats().Calls)
	if _, err := Read(s.t.Context(), s.session, plan, nil); err != nil {
		s.t.Fatal(err)
	}
	got, wanted := map[string]int{}, map[string]int{}
	for name, n := range s.sim.Stats().Calls {
		if n > before[name] {
			got[name] = n - before[name]
		}
	}
	for _, name := range want {
		wanted[name]++
	}
	delete(got, "sts:AssumeRole") // one an account, and refusals of roles that are not there
	if fmt.Sprint(got) != fmt.Sprint(wanted) {
		s.t.Errorf("%s: %v\nwant %v", when, got, wanted)
	}
}
