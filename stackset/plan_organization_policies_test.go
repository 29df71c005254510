package stackset

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"rollout/internal/awsapi"
)

// bind attaches a policy to an account, in a service control policy's case in the place
// of FullAWSAccess where it is to be alone.
func (s *site) bind(account string, kind types.PolicyType, statement string, alone bool) {
	s.t.Helper()
	ctx, api := s.t.Context(), organizations.NewFromConfig(s.session.Own(""))
	must := func(err error) {
		s.t.Helper()
		if err != nil {
			s.t.Fatalf("%v: %s", err, statement)
		}
	}
	if kind == types.PolicyTypeResourceControlPolicy {
		_, err := api.EnablePolicyType(ctx, &organizations.EnablePolicyTypeInput{RootId: aws.String(s.root()), PolicyType: kind})
		must(err)
		time.Sleep(10 * time.Second)
	}
	made, err := api.CreatePolicy(ctx, &organizations.CreatePolicyInput{Name: aws.String("bound"), Description: aws.String(""), Type: kind, Content: aws.String(`{"Version":"2012-10-17","Statement":` + statement + `}`)})
	must(err)
	_, err = api.AttachPolicy(ctx, &organizations.AttachPolicyInput{PolicyId: made.Policy.PolicySummary.Id, TargetId: &account})
	must(err)
	if alone {
		_, err = api.DetachPolicy(ctx, &organizations.DetachPolicyInput{PolicyId: aws.String("p-FullAWSAccess"), TargetId: &account})
		must(err)
	}
}

func (s *site) root() string {
	s.t.Helper()
	out, err := organizations.NewFromConfig(s.session.Own("")).ListRoots(s.t.Context(), &organizations.ListRootsInput{})
	if err != nil {
		s.t.Fatal(err)
	}
	return *out.Roots[0].Id
}

// What a resource control policy denies, and what service control policies that allow in
// the place of FullAWSAccess leave out, is foretold: just that fails in a deploy that
// does not heed it.
func TestResourcePoliciesAndAllowListsAreForetold(t *testing.T) {
	const scp, rcp = types.PolicyTypeServiceControlPolicy, types.PolicyTypeResourceControlPolicy
	deny := func(actions, condition string) string {
		return `{"Sid":"Keep","Effect":"Deny","Principal":"*","Action":` + actions + `,"Resource":"*","Condition":{` + condition + `}}`
	}
	allow := func(rest string) string { return `{"Effect":"Allow",` + rest + `}` }
	// What reads the account has to be allowed, or preflight sees nothing.
	const most = `"config:*","cloudformation:*","ssm:*","sts:*","iam:*","ec2:*","lambda:*","organizations:*","account:*","s3:Get*","s3:List*"`
	for name, c := range map[string]struct {
		kind      types.PolicyType
		statement string
		says      string // of what is skipped; "" where nothing is
		may       string // of what is not certain
	}{
		"a bucket":                     {rcp, deny(`"s3:CreateBucket"`, ``), "s3:CreateBucket is denied with an explicit deny in a resource control policy: bound (p-", ""},
		"a bucket's policy":            {rcp, deny(`["s3:PutBucketPolicy","kms:*"]`, ``), "s3:PutBucketPolicy is denied with an explicit deny in a resource control policy", ""},
		"all but StackSets":            {rcp, deny(`["s3:Create*","s3:Put*"]`, `"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/stacksets-exec-*"}`), "", ""},
		"principals of others":         {rcp, deny(`["s3:*","logs:*","events:*"]`, `"StringNotEqualsIfExists":{"aws:PrincipalAccount":"${aws:ResourceAccount}"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}`), "", ""},
		"services that have no policy": {rcp, deny(`["config:*","iam:*","cloudformation:*","ssm:*"]`, ``), "", ""},
		"a tag of the principal":       {rcp, deny(`"s3:CreateBucket"`, `"StringEquals":{"aws:PrincipalTag/team":"web"}`), "", "in a resource control policy: bound"},
		"an allow list with it all":    {scp, allow(`"Action":[` + most + `,"s3:*","sns:*"],"Resource":"*"`), "", ""},
		"an allow list without S3":     {scp, allow(`"Action":[` + most + `],"Resource":"*"`), "s3:CreateBucket is denied because no service control policy allows it at ", ""},
		"all but some":                 {scp, allow(`"NotAction":["ssm:CreateDocument"],"Resource":"*"`), "ssm:CreateDocument is denied because no service control policy allows it at ", ""},
		"allowed in another Region":    {scp, `[` + allow(`"NotAction":"config:Put*","Resource":"*"`) + `,` + allow(`"Action":"config:*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"`+other+`"}}`) + `]`, "config:PutConfig", ""},
		"allowed for a tag":            {scp, `[` + allow(`"NotAction":"s3:*","Resource":"*"`) + `,` + allow(`"Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalTag/team":"web"}}`) + `]`, "", "because no service control policy allows it at "},
	} {
		t.Run(name, func(t *testing.T) {
			inSim(t, 1, func(t *testing.T, s *site) {
				s.d.Remediation, s.d.Preferences.FailureTolerance = RemediationManual, "100%"
				s.bind(s.d.Accounts[0].ID, c.kind, c.statement, c.kind == scp)
				plan := s.prepare()
				foretold, said := map[string]bool{}, ""
				for _, change := range plan.Changes {
					if change.Action == Skip {
						foretold[fmt.Sprint(change.StackSet, change.Target)] = true
						said += change.Reason + "\n"
					}
				}
				if (c.says == "") != (said == "") || !strings.Contains(said, c.says) {
					t.Errorf("skipped: %q, want %q", said, c.says)
				}
				doubts := slices.DeleteFunc(slices.Clone(plan.Findings), func(f Finding) bool { return f.Code != "policy-may-deny" })
				if (c.may == "") != (len(doubts) == 0) || c.may != "" && !strings.Contains(doubts[0].Text, c.may) {
					t.Errorf("in doubt: %+v, want %q", doubts, c.may)
				}
				for _, o := range s.apply(t.Context(), s.deployment(s.sets())).Outcomes {
					if k := fmt.Sprint(o.StackSet, o.Target); (o.Status == OutcomeSucceeded) == foretold[k] {
						t.Errorf("%s: %s %s, foretold %t", k, o.Status, o.Reason, foretold[k])
					}
				}
			})
		})
	}
}

// withoutPolicies may not list service control policies.
type withoutPolicies struct{ aws.HTTPClient }

func (c withoutPolicies) Do(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ListPolicies") {
		return c.HTTPClient.Do(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(string(body), `"SERVICE_CONTROL_POLICY"`) {
		r.Body = io.NopCloser(bytes.NewReader(body))
		return c.HTTPClient.Do(r)
	}
	answer := `{"__type":"AccessDeniedException","Message":"You don't have permissions to access this resource."}`
	return &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, Body: io.NopCloser(strings.NewReader(answer)), Request: r}, nil
}

// A delegated administrator whom the organization's policy lets read one type of
// policies alone still plans, by that one, and says which it could not read.
func TestOneTypeOfPoliciesIsRead(t *testing.T) {
	inSim(t, 1, func(t *testing.T, s *site) {
		s.d.Remediation = RemediationManual
		s.bind(s.d.Accounts[0].ID, types.PolicyTypeResourceControlPolicy, `{"Effect":"Deny","Principal":"*","Action":"s3:CreateBucket","Resource":"*"}`, false)
		s.sim.DenyAction(s.d.Accounts[0].ID, "ssm:CreateDocument")
		var err error
		s.session, err = awsapi.Open(t.Context(), awsapi.Options{Static: true, HTTPClient: withoutPolicies{s.sim.Client()}, EndpointURL: "http://127.0.0.1", HomeRegion: home})
		if err != nil {
			t.Fatal(err)
		}
		plan := s.prepare()
		unread := slices.DeleteFunc(slices.Clone(plan.Findings), func(f Finding) bool { return f.Code != "policies-unread" })
		if len(unread) != 1 || !strings.HasPrefix(unread[0].Text, "The service control policies could not be read, so the plan does not foretell what they deny: AccessDenied") {
			t.Fatalf("%+v", unread)
		}
		said := ""
		for _, c := range plan.Changes {
			said += c.Reason + "\n"
		}
		if !strings.Contains(said, "s3:CreateBucket is denied with an explicit deny in a resource control policy") || strings.Contains(said, "ssm:CreateDocument") {
			t.Errorf("skipped: %s", said)
		}
	})
}
