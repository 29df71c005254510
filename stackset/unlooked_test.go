package stackset

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollout/templates"
)

// Whatever the role in an account may not read, the plan comes out and says of that
// account what was not looked at, in a first run and in one over what is there.
func TestWhatIsNotLookedAtIsSaid(t *testing.T) {
	var policy struct{ Statement []struct{ Action []string } }
	if err := json.Unmarshal([]byte(PreflightPolicy), &policy); err != nil {
		t.Fatal(err)
	}
	all, err := templates.LoadAll("default-security-group,testdata/named.yaml")
	if err != nil {
		t.Fatal(err)
	}
	inSim(t, 2, func(t *testing.T, s *site) {
		s.d.Templates, s.d.Remediation = all, RemediationManual
		bad := s.d.Accounts[0].ID
		plans := func(when string) {
			for _, action := range policy.Statement[0].Action {
				if action == "account:ListRegions" {
					continue // a Region that is off says so itself when it is read
				}
				if strings.HasPrefix(action, "config:DescribeDelivery") && when == "again" || strings.HasSuffix(action, "RecorderStatus") && when == "first" {
					continue // not asked where there is a recorder, or where there is none
				}
				if (action == "ssm:DescribeDocument" || action == "s3:ListBucket") && when == "again" {
					continue // does not matter for what the sets have made themselves
				}
				deny(t, s, bad, action)
				plan := s.prepared()
				if !slices.ContainsFunc(plan.Findings, func(f Finding) bool {
					return f.Severity != SeverityNote && f.AccountID == bad && (strings.Contains(f.Text, "could not be") || strings.Contains(f.Text, "cannot be"))
				}) {
					t.Errorf("%s, without %s: nothing is said of it", when, action)
				}
				explained(t, plan)
			}
			deny(t, s, bad, "none:None")
		}
		plans("first")
		if plan := s.prepared(); len(found(plan, "region-unread"))+len(found(plan, "name-unread"))+len(found(plan, "roles-unread"))+len(found(plan, "bucket-unread")) > 0 {
			t.Errorf("with all rights: %+v", plan.Findings)
		}
		s.apply(t.Context(), s.prepared())
		plans("again")
	})
}

// deny takes one action away from the role that reads an account.
func deny(t *testing.T, s *site, account, action string) {
	t.Helper()
	_, err := iam.NewFromConfig(s.inside(account, home)).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("OrganizationAccountAccessRole"), PolicyName: aws.String("less"),
		PolicyDocument: aws.String(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":%q,"Resource":"*"}]}`, action))})
	if err != nil {
		t.Fatal(err)
	}
}
