package stackset

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollout/internal/simaws"
	"rollout/templates"
)

// iam is IAM in the stage's account, with an administrator's role.
func (s *stage) iam() *iam.Client {
	s.t.Helper()
	entry, err := s.session.Enter(s.t.Context(), s.account.ID, "")
	if err != nil {
		s.t.Fatal(err)
	}
	return iam.NewFromConfig(entry.Config(home))
}

// user gives the stage's account an IAM user.
func (s *stage) user(name string, keys ...simaws.UserKey) { s.sim.PutUser(s.account.ID, name, keys...) }

// keys are the states of users' access keys, in order.
func (s *stage) keys(users ...string) string {
	s.t.Helper()
	var states []string
	for _, name := range users {
		out, err := s.iam().ListAccessKeys(s.t.Context(), &iam.ListAccessKeysInput{UserName: &name})
		if err != nil {
			s.t.Fatal(err)
		}
		for _, k := range out.AccessKeyMetadata {
			states = append(states, string(k.Status))
		}
	}
	return strings.Join(states, " ")
}

// verdicts are the truth of a rule in the stage's account, by Region.
func (s *stage) verdicts(rule string) map[string]string {
	found := map[string]string{}
	for _, line := range s.sim.Truth([]string{home, other}) {
		if line.AccountID == s.account.ID && line.Rule == rule {
			found[line.Region] = line.Status
		}
	}
	return found
}

// What is an account's, and no Region's, is looked at in the home Region only, is mended
// there when somebody asks, and stays mended when enforcement is taken out.
func TestEnforcementInTheHomeRegion(t *testing.T) {
	for _, test := range []struct {
		template, rule string
		spoil          func(s *stage)
		mended         func(s *stage)
	}{
		{"password-policy", "rollout-iam-password-policy",
			func(s *stage) {
				_, err := s.iam().UpdateAccountPasswordPolicy(s.t.Context(), &iam.UpdateAccountPasswordPolicyInput{
					MinimumPasswordLength: aws.Int32(20), RequireNumbers: true, AllowUsersToChangePassword: true, MaxPasswordAge: aws.Int32(365)})
				if err != nil {
					s.t.Fatal(err)
				}
			},
			func(s *stage) {
				out, err := s.iam().GetAccountPasswordPolicy(s.t.Context(), &iam.GetAccountPasswordPolicyInput{})
				if err != nil {
					s.t.Fatal(err)
				}
				p := out.PasswordPolicy
				got := iamtypes.PasswordPolicy{MinimumPasswordLength: aws.Int32(20), RequireNumbers: true, RequireSymbols: true, RequireUppercaseCharacters: true, RequireLowercaseCharacters: true,
					AllowUsersToChangePassword: true, ExpirePasswords: true, MaxPasswordAge: aws.Int32(365), PasswordReusePrevention: aws.Int32(24)}
				if *p.MinimumPasswordLength != 20 || !p.RequireSymbols || !p.RequireNumbers || !p.RequireUppercaseCharacters || !p.RequireLowercaseCharacters ||
					!p.AllowUsersToChangePassword || aws.ToInt32(p.MaxPasswordAge) != 365 || aws.ToBool(p.HardExpiry) || aws.ToInt32(p.PasswordReusePrevention) != 24 {
					s.t.Errorf("the policy is %+v, want %+v", p, got)
				}
			}},
		{"password-policy", "rollout-iam-password-policy",
			func(s *stage) {
				_, err := s.iam().DeleteAccountPasswordPolicy(s.t.Context(), &iam.DeleteAccountPasswordPolicyInput{})
				if missing := new(iamtypes.NoSuchEntityException); err != nil && !errors.As(err, &missing) {
					s.t.Fatal(err)
				}
			},
			func(s *stage) {
				if _, err := s.iam().GetAccountPasswordPolicy(s.t.Context(), &iam.GetAccountPasswordPolicyInput{}); err != nil {
					s.t.Error(err)
				}
			}},
		{"access-keys", "rollout-access-keys-rotated",
			func(s *stage) {
				const day = 24 * time.Hour
				s.user("ci", simaws.UserKey{Age: 400 * day}, simaws.UserKey{Age: 10 * day, Idle: day})
				s.user("cron", simaws.UserKey{Age: 100 * day, Idle: 60 * day})
			},
			func(s *stage) {
				if got := s.keys("ci", "cron"); got != "Inactive Active Inactive" {
					s.t.Errorf("keys %s", got)
				}
			}},
		{"access-keys", "rollout-iam-user-unused-credentials-check",
			func(s *stage) {
				const day = 24 * time.Hour
				s.user("ci", simaws.UserKey{Age: 4000 * day, Idle: day})
				s.user("cron", simaws.UserKey{Age: 80 * day, Idle: 46 * day}, simaws.UserKey{Age: 50 * day, Inactive: true})
			},
			func(s *stage) {
				// The other rule finds fault with ci, whom nobody asked about.
				if got := s.keys("ci", "cron"); got != "Active Inactive Inactive" {
					s.t.Errorf("keys %s", got)
				}
			}},
	} {
		for name, regions := range map[string][]string{"home asked for": {home, other}, "home not asked for": {other}} {
			t.Run(test.rule+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newStage(t, simaws.Options{Empty: true, Accounts: 12})
					want := func(when, status string) {
						t.Helper()
						got := s.verdicts(test.rule)
						if got[home] != status || got[other] != "NOT_DEPLOYED" {
							t.Errorf("%s: %v, want %s at home only", when, got, status)
						}
					}
					test.spoil(s)
					s.apply(s.plan(s.desired(test.template, RemediationOff, regions...)))
					time.Sleep(time.Hour)
					want("detected", "NON_COMPLIANT")
					d := s.desired(test.template, RemediationManual, regions...)
					s.apply(s.plan(d))
					if again := s.plan(d); again.Pending() {
						t.Errorf("a second plan has something to do: %+v", again.Changes)
					}
					time.Sleep(26 * time.Hour)
					want("nobody asked", "NON_COMPLIANT")
					s.remediate(home, test.rule)
					time.Sleep(26 * time.Hour) // a periodic rule looks once a day
					want("remediated", "COMPLIANT")
					s.remediated(home, test.rule)
					test.mended(s)
					s.remove(test.template+"-enforce", regions...)
					want("disarmed", "COMPLIANT")
					s.remove(test.template, regions...)
					s.apply(s.plan(s.desired(test.template, RemediationOff, regions...)))
					time.Sleep(time.Hour)
					want("deployed again", "COMPLIANT")
				})
			})
		}
	}
}

// Keys that somebody uses and users that are exempt are left, and the execution says so.
// Where no Region records IAM users there is no finding at all.
func TestAccessKeysThatAreLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const day, rule = 24 * time.Hour, "rollout-access-keys-rotated"
		s := newStage(t, simaws.Options{Empty: true, Accounts: 12})
		s.user("busy", simaws.UserKey{Age: 400 * day, Idle: day})
		s.user("exempt", simaws.UserKey{Age: 400 * day})
		if _, err := s.iam().TagUser(t.Context(), &iam.TagUserInput{UserName: aws.String("exempt"), Tags: []iamtypes.Tag{{Key: aws.String(templates.ExemptTag), Value: aws.String("legacy")}}}); err != nil {
			t.Fatal(err)
		}
		s.apply(s.plan(s.desired("access-keys", RemediationManual, home)))
		time.Sleep(time.Hour)
		s.remediate(home, rule)
		time.Sleep(26 * time.Hour)
		s.remediated(home, rule)
		if got := s.verdicts(rule)[home]; got != "NON_COMPLIANT" {
			t.Errorf("the rule says %s", got)
		}
		if got := s.keys("busy", "exempt"); got != "Active Active" {
			t.Errorf("keys %s", got)
		}
		out, err := s.config(home).DescribeRemediationExecutionStatus(t.Context(), &configservice.DescribeRemediationExecutionStatusInput{ConfigRuleName: aws.String(rule)})
		if err != nil {
			t.Fatal(err)
		}
		ends := map[string]bool{}
		for _, e := range out.RemediationExecutionStatuses {
			last := ""
			for _, step := range e.StepDetails {
				if step.State == configtypes.RemediationExecutionStepStateSucceeded {
					last = *step.Name
				}
			}
			ends[last] = true
		}
		if len(ends) != 2 || !ends[templates.StepLeaveInUse] || !ends[templates.StepLeaveExempt] {
			t.Errorf("they ended in %v", ends)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, simaws.Options{Empty: true, Accounts: 12})
		s.sim.PutRecorder(s.account.ID, home, simaws.RecorderSpec{Types: []string{"AWS::EC2::SecurityGroup"}})
		s.user("old", simaws.UserKey{Age: 400 * 24 * time.Hour})
		s.apply(s.plan(s.desired("access-keys", RemediationOff, home)))
		time.Sleep(2 * time.Hour)
		if got := s.verdicts("rollout-access-keys-rotated")[home]; got != "INSUFFICIENT_DATA" {
			t.Errorf("nothing records users, and the rule says %s", got)
		}
	})
}

// The rule about support wants a role, and a template of its own makes it.
func TestSupportRole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rule = "rollout-iam-policy-in-use-support"
		s := newStage(t, simaws.Options{Empty: true, Accounts: 12})
		s.apply(s.plan(s.desired("support-role", RemediationOff, home, other)))
		time.Sleep(time.Hour)
		if got := s.verdicts(rule); got[home] != "NON_COMPLIANT" || got[other] != "NOT_DEPLOYED" {
			t.Errorf("detected %v", got)
		}
		access := s.desired("support-access", RemediationOff, home, other)
		access.Organization = s.tree.OrganizationID
		s.apply(s.plan(access))
		time.Sleep(26 * time.Hour)
		if got := s.verdicts(rule); got[home] != "COMPLIANT" {
			t.Errorf("with a role %v", got)
		}
		s.remove("support-access", home, other)
		time.Sleep(26 * time.Hour)
		if got := s.verdicts(rule); got[home] != "NON_COMPLIANT" {
			t.Errorf("without it %v", got)
		}
	})
}

// Buckets that nobody meant to be public are closed, each in its own Region, and the others
// are left with a reason. The account's setting is looked at in the home Region only.
func TestPublicBuckets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rule, account, tls = "rollout-s3-bucket-level-public-access-prohibited", "rollout-s3-account-level-public-access-blocks-periodic", "rollout-s3-bucket-ssl-requests-only"
		s := newStage(t, simaws.Options{Empty: true, Accounts: 12})
		left := map[string]simaws.BucketSpec{"downloads": {Public: true}, "pages": {Website: true}, "listed": {Listed: true}, "kept": {Exempt: true}}
		for name, spec := range left {
			s.sim.PutBucket(s.account.ID, other, name, spec)
		}
		s.sim.PutBucket(s.account.ID, home, "data-home", simaws.BucketSpec{})
		s.sim.PutBucket(s.account.ID, other, "data-other", simaws.BucketSpec{})
		s.apply(s.plan(s.desired("s3-encryption", RemediationOff, home, other)))
		time.Sleep(time.Hour)
		for name, want := range map[string][2]string{rule: {"NON_COMPLIANT", "NON_COMPLIANT"}, account: {"NON_COMPLIANT", "NOT_DEPLOYED"}, tls: {"NON_COMPLIANT", "NON_COMPLIANT"}} {
			if got := s.verdicts(name); got[home] != want[0] || got[other] != want[1] {
				t.Errorf("%s: %v, want %v", name, got, want)
			}
		}
		d := s.desired("s3-encryption", RemediationManual, home, other)
		s.apply(s.plan(d))
		if again := s.plan(d); again.Pending() {
			t.Errorf("a second plan has something to do: %+v", again.Changes)
		}
		for _, region := range []string{home, other} {
			s.remediate(region, rule)
		}
		time.Sleep(time.Hour)
		for _, region := range []string{home, other} {
			s.remediated(region, rule)
		}
		if got := s.verdicts(rule); got[home] != "COMPLIANT" || got[other] != "NON_COMPLIANT" {
			t.Errorf("remediated: %v", got)
		}
		if !s.sim.BucketBlocks(s.account.ID, "data-home") || !s.sim.BucketBlocks(s.account.ID, "data-other") {
			t.Error("a bucket that nobody meant to be public is open still")
		}
		for name := range left {
			if s.sim.BucketBlocks(s.account.ID, name) {
				t.Errorf("%s is closed", name)
			}
		}
	})
}
