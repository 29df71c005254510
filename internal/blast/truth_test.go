package blast

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"rollout/internal/simaws"
	"rollout/stackset"
	"rollout/templates"
)

const (
	day   = 24 * time.Hour
	other = "eu-west-1"
)

// stand is a resource as it stands, in as much as its remediation changes it.
func (s *rig) stand(r Resource) string {
	s.t.Helper()
	ctx, cfg := s.t.Context(), s.in(r.AccountID, r.Region)
	api := ec2.NewFromConfig(cfg)
	var out any
	var err error
	switch r.Type {
	case typeGroup:
		var found *ec2.DescribeSecurityGroupRulesOutput
		found, err = api.DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{Filters: []types.Filter{filter("group-id", r.ID)}})
		if err == nil {
			for _, rule := range found.SecurityGroupRules {
				if everybody := aws.ToString(rule.CidrIpv6); !strings.Contains(r.Rule, "ipv4") || everybody == "" { // each IP version has its own rule
					out = fmt.Sprint(out, " ", aws.ToString(rule.SecurityGroupRuleId))
				}
			}
		}
	case typeAccount:
		if strings.Contains(r.Rule, "password") {
			var found *iam.GetAccountPasswordPolicyOutput
			if found, err = iam.NewFromConfig(cfg).GetAccountPasswordPolicy(ctx, nil); err == nil {
				p := found.PasswordPolicy
				out = []any{aws.ToInt32(p.MinimumPasswordLength), aws.ToInt32(p.PasswordReusePrevention), aws.ToInt32(p.MaxPasswordAge), p.RequireSymbols, p.RequireNumbers, p.RequireLowercaseCharacters, p.RequireUppercaseCharacters}
			} else if strings.Contains(err.Error(), "NoSuchEntity") {
				out, err = "none", nil
			}
			break
		}
		var found *ec2.GetEbsEncryptionByDefaultOutput
		if found, err = api.GetEbsEncryptionByDefault(ctx, nil); err == nil {
			out = aws.ToBool(found.EbsEncryptionByDefault)
		}
	case typeVPC:
		out = len(s.sim.FlowLogs(r.AccountID, r.Region)) // each has one VPC
	case typeInstance:
		var found *ec2.DescribeInstancesOutput
		if found, err = api.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{r.ID}}); err == nil {
			out = found.Reservations[0].Instances[0].MetadataOptions.HttpTokens
		}
	case typeSnapshot:
		var found *ec2.DescribeSnapshotAttributeOutput
		if found, err = api.DescribeSnapshotAttribute(ctx, &ec2.DescribeSnapshotAttributeInput{SnapshotId: &r.ID, Attribute: types.SnapshotAttributeNameCreateVolumePermission}); err == nil {
			out = len(found.CreateVolumePermissions)
		}
	case typeUser:
		client := iam.NewFromConfig(cfg)
		users, listed := client.ListUsers(ctx, nil)
		if err = listed; err == nil {
			n := slices.IndexFunc(users.Users, func(u iamtypes.User) bool { return aws.ToString(u.UserId) == r.ID })
			var keys *iam.ListAccessKeysOutput
			if keys, err = client.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: users.Users[n].UserName}); err == nil {
				for _, k := range keys.AccessKeyMetadata {
					out = fmt.Sprint(out, " ", k.Status)
				}
			}
		}
	case typeBucket:
		client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
		_, found := client.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: &r.ID})
		out = found == nil // none of these buckets has a part of it
	default:
		s.t.Fatalf("a resource of type %s", r.Type)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprint(out)
}

// What is foretold of every resource is what its remediation then does to it, whether AWS
// Config was asked or the service alone: for every template that remediates.
func TestEveryRemediationDoesWhatIsForetold(t *testing.T) {
	type truth struct {
		template   string
		rules      []string
		parameters map[string]string
		// spoil makes resources of an account's Region, verdicts are what is foretold of
		// them: "verdict, whether it would change" and how many there are.
		spoil    func(s *simaws.Sim, id, region string)
		verdicts map[string]int
	}
	instances := func(s *simaws.Sim, id, region string) {
		s.StartInstance(id, region, "optional", 0)
		s.StartInstance(id, region, "optional", 40)
		s.StartInstance(id, region, "required", 40)
		s.TagInstance(id, region, s.StartInstance(id, region, "optional", 0), templates.ExemptTag, "x")
		s.StopInstance(id, region, s.StartInstance(id, region, "optional", 0))
	}
	users := func(s *simaws.Sim, id, region string) {
		if region != home {
			return
		}
		s.PutUser(id, "old", simaws.UserKey{Age: 200 * day, Idle: 60 * day})
		s.PutUser(id, "busy", simaws.UserKey{Age: 200 * day, Idle: 12 * time.Hour})
		s.PutUser(id, "both", simaws.UserKey{Age: 200 * day, Idle: 12 * time.Hour}, simaws.UserKey{Age: 200 * day, Idle: 99 * day})
		s.PutUser(id, "new", simaws.UserKey{Age: day})
		s.PutUser(id, "never", simaws.UserKey{Age: 200 * day})
		s.PutUser(id, "off", simaws.UserKey{Age: 200 * day, Inactive: true})
	}
	ports := func(s *simaws.Sim, id, region string) {
		s.SetGroups(id, region, false)
		if region == home {
			s.OpenPorts(id, region, "tcp", 22, 22)
			s.OpenPorts(id, region, "tcp", 443, 443)
			s.UseGroups(id, region, true)
			return
		}
		s.OpenPorts(id, region, "tcp", 0, 65535)
	}
	const ipv4, ipv6 = "rollout-vpc-sg-port-restriction-check-ipv4", "rollout-vpc-sg-port-restriction-check-ipv6"
	for _, test := range []truth{
		{"restrict-ssh-rdp", []string{ipv4, ipv6}, nil, ports, map[string]int{"not safe, true": 2, "safe, false": 2}},
		{"restrict-ssh-rdp", []string{ipv4, ipv6}, map[string]string{"WideRules": "Revoke"}, ports, map[string]int{"not safe, true": 2, "safe, true": 2}},
		{"ebs-encryption", []string{"rollout-ec2-ebs-encryption-by-default"}, nil, func(s *simaws.Sim, id, region string) { s.EncryptByDefault(id, region, region == other) }, map[string]int{"safe, true": 1}},
		{"vpc-flow-logs", []string{"rollout-vpc-flow-logs-enabled"}, nil, func(s *simaws.Sim, id, region string) {
			if s.DropFlowLogs(id, region); region == other {
				s.TagVPCs(id, region, templates.ExemptTag, "x")
			}
		}, map[string]int{"safe, true": 1, "safe, false": 1}},
		{"imds-v2", []string{"rollout-ec2-imdsv2-check"}, nil, instances, map[string]int{"safe, true": 2, "not safe, false": 2, "safe, false": 2, "unknown, false": 2}},
		{"imds-v2", []string{"rollout-ec2-imdsv2-check"}, map[string]string{"StillUsed": "Require", "Unseen": "Require"}, instances, map[string]int{"safe, true": 2, "not safe, true": 2, "safe, false": 2, "unknown, true": 2}},
		{"public-exposure", []string{"rollout-ebs-snapshot-public-restorable-check"}, nil, func(s *simaws.Sim, id, region string) {
			s.KeepSnapshot(id, region, "all", "444455556666")
			s.KeepSnapshot(id, region, "444455556666")
			s.TagSnapshot(id, region, s.KeepSnapshot(id, region, "all"), templates.ExemptTag, "x")
		}, map[string]int{"unknown, true": 2, "safe, false": 2}},
		{"access-keys", []string{"rollout-access-keys-rotated", "rollout-iam-user-unused-credentials-check"}, nil, users,
			// By age: old, both and never would change, busy is left; by use: old, both and never.
			map[string]int{"safe, true": 5, "not safe, true": 1, "not safe, false": 1}},
		{"access-keys", []string{"rollout-access-keys-rotated", "rollout-iam-user-unused-credentials-check"}, map[string]string{"IdleDays": "0"}, users,
			map[string]int{"safe, true": 5, "not safe, true": 2}},
		{"password-policy", []string{"rollout-iam-password-policy"}, nil, func(s *simaws.Sim, id, region string) {}, map[string]int{"safe, true": 1}},
		{"password-policy", []string{"rollout-iam-password-policy"}, map[string]string{"MaxPasswordAge": "90"}, func(s *simaws.Sim, id, region string) {}, map[string]int{"unknown, true": 1}},
		{"s3-encryption", []string{"rollout-s3-bucket-level-public-access-prohibited"}, nil, func(s *simaws.Sim, id, region string) {
			for name, spec := range map[string]simaws.BucketSpec{"plain": {}, "public": {Public: true}, "site": {Website: true}, "listed": {Listed: true}, "exempt": {Public: true, Exempt: true}} {
				s.PutBucket(id, region, name+"-"+region+"-"+id, spec)
			}
		}, map[string]int{"unknown, true": 2, "not safe, false": 6, "safe, false": 2}},
	} {
		t.Run(test.template+fmt.Sprint(test.parameters), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newRig(t, simaws.Options{Empty: true, Accounts: 12}, test.template, home, other)
				s.d.Accounts, s.d.Parameters = s.d.Accounts[:1], test.parameters
				id := s.d.Accounts[0].ID
				for _, region := range s.d.Regions {
					test.spoil(s.sim, id, region)
				}
				before := s.read()
				s.deploy(stackset.RemediationOff)
				time.Sleep(27 * time.Hour) // a periodic rule looks once a day
				detected := s.read()
				stands := map[string]string{}
				for name, r := range map[string]*Radius{"the service": before, "Config": detected} {
					got := map[string]int{}
					for _, one := range r.Resources {
						got[fmt.Sprintf("%s, %v", one.Verdict, one.WouldChange)]++
						stands[one.key()] = s.stand(one)
						if one.Reason == "" || (one.Verdict == NotSafe) != (len(one.Leans) > 0) {
							t.Errorf("%s: %+v", name, one)
						}
						if fromConfig := !one.Evaluated.IsZero(); fromConfig != (name == "Config") || fromConfig != strings.Contains(one.Source, "AWS Config, rule ") {
							t.Errorf("%s: %s was found by %q, evaluated %s", name, one.ID, one.Source, one.Evaluated)
						}
					}
					if fmt.Sprint(got) != fmt.Sprint(test.verdicts) || len(r.Unread) > 0 {
						t.Errorf("%s: %v, want %v; not read %v", name, got, test.verdicts, r.Unread)
						for _, one := range r.Resources {
							t.Logf("%s %s %s %v %s", one.Region, one.ID, one.Verdict, one.WouldChange, one.Reason)
						}
					}
					for _, p := range r.Places {
						if p.Evaluated != (name == "Config") {
							t.Errorf("%s: %+v", name, p)
						}
					}
				}
				s.deploy(stackset.RemediationManual)
				for _, p := range detected.Places {
					for _, rule := range test.rules {
						s.remediate(t.Context(), id, p.Region, rule)
					}
				}
				for _, r := range []*Radius{before, detected} {
					foretold := map[string]bool{}
					for _, one := range r.Resources { // two rules may find one resource
						foretold[one.key()] = foretold[one.key()] || one.WouldChange
					}
					for _, one := range r.Resources {
						if changed := stands[one.key()] != s.stand(one); changed != foretold[one.key()] {
							t.Errorf("%s in %s: foretold that it would change: %v (%s); it did: %v", one.ID, one.Region, one.WouldChange, one.Reason, changed)
						}
					}
				}
			})
		})
	}
}

// key is the same for what one remediation changes.
func (r Resource) key() string {
	which := ""
	if r.Type == typeGroup {
		which = r.Rule
	}
	return strings.Join([]string{r.AccountID, r.Region, r.Type, r.ID, which}, " ")
}
