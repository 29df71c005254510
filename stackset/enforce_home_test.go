package stackset

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollout/internal/simaws"
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
	} {
		for name, regions := range map[string][]string{"home asked for": {home, other}, "home not asked for": {other}} {
			t.Run(test.template+"/"+name, func(t *testing.T) {
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
