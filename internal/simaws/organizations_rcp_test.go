package simaws

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// newResourcePolicies switches the type on, and waits for it.
func newResourcePolicies(t *testing.T) *policies {
	p := newPolicies(t)
	if _, err := p.api.EnablePolicyType(t.Context(), &organizations.EnablePolicyTypeInput{RootId: &p.root, PolicyType: types.PolicyTypeResourceControlPolicy}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(policyTypeSwitch + time.Second)
	return p
}

func (p *policies) createResource(name, statement string) (string, error) {
	content := `{"Version":"2012-10-17","Statement":` + statement + `}`
	out, err := p.api.CreatePolicy(p.Context(), &organizations.CreatePolicyInput{Name: &name, Description: aws.String(""), Type: types.PolicyTypeResourceControlPolicy, Content: &content})
	if err != nil {
		return "", err
	}
	return *out.Policy.PolicySummary.Id, nil
}

// What a resource control policy says of a call, statement by statement (Organizations
// user guide, RCP syntax and RCP evaluation; the data perimeter examples).
func TestResourceControlPolicies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newResourcePolicies(t)
		p.sim.change(p.id, func(a *account) {
			a.roles["Boss"] = &iamRole{Name: "Boss", ARN: "arn:aws:iam::" + a.ID + ":role/Boss"}
			p.sim.addServiceLinkedRole(a, "config.amazonaws.com", "") //nolint:errcheck // a new account has none
		})
		deny := func(actions, condition string) string {
			return `{"Effect":"Deny","Principal":"*","Action":` + actions + `,"Resource":"*","Condition":{` + condition + `}}`
		}
		for name, c := range map[string]struct {
			statement, action, role string
			want                    decision
		}{
			"an action":               {deny(`"s3:CreateBucket"`, ``), "s3:CreateBucket", "Boss", decisionDeny},
			"another action":          {deny(`"s3:CreateBucket"`, ``), "s3:PutBucketPolicy", "Boss", decisionAllow},
			"a service":               {deny(`["kms:*","logs:*"]`, ``), "logs:CreateLogGroup", "Boss", decisionDeny},
			"a service without any":   {deny(`["config:*","iam:*"]`, ``), "config:PutConfigRule", "Boss", decisionAllow},
			"retiring a grant":        {deny(`"kms:*"`, ``), "kms:RetireGrant", "Boss", decisionAllow},
			"a service-linked role":   {deny(`"s3:*"`, ``), "s3:PutObject", "AWSServiceRoleForConfig", decisionAllow},
			"those of others only":    {deny(`"s3:*"`, `"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"`+p.sim.world.orgID+`"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}`), "s3:CreateBucket", "Boss", decisionAllow},
			"another organization's":  {deny(`"s3:*"`, `"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-other00000"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}`), "s3:CreateBucket", "Boss", decisionDeny},
			"services of others only": {deny(`"s3:*"`, `"StringNotEqualsIfExists":{"aws:SourceOrgID":"o-other00000"},"Null":{"aws:SourceAccount":"false"},"Bool":{"aws:PrincipalIsAWSService":"true"}`), "s3:CreateBucket", "Boss", decisionAllow},
			"a path of OUs":           {deny(`"s3:*"`, `"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"`+p.sim.world.orgID+`/*"}`), "s3:CreateBucket", "Boss", decisionDeny},
			"a variable":              {deny(`"s3:*"`, `"StringNotEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"}`), "s3:CreateBucket", "Boss", decisionAllow},
			"a variable nobody has":   {deny(`"s3:*"`, `"StringEquals":{"aws:PrincipalAccount":"${aws:SourceAccount}"}`), "s3:CreateBucket", "Boss", decisionAllow},
			"a variable with another": {deny(`"s3:*"`, `"StringEquals":{"aws:PrincipalIsAWSService":"${aws:SourceAccount, 'false'}"}`), "s3:CreateBucket", "Boss", decisionDeny},
			"an old TLS":              {deny(`"s3:*"`, `"NumericLessThan":{"s3:TlsVersion":"1.2"}`), "s3:CreateBucket", "Boss", decisionAllow},
			"a date":                  {deny(`"s3:*"`, `"DateGreaterThan":{"aws:CurrentTime":"1999-01-01"}`), "s3:CreateBucket", "Boss", decisionDeny},
			"all but one role":        {deny(`"s3:*"`, `"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/Boss"}`), "s3:CreateBucket", "Boss", decisionAllow},
		} {
			id, err := p.createResource(name, c.statement)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, target := range []string{p.root, p.id} {
				if err := p.attach(id, target); err != nil {
					t.Fatal(err)
				}
				if got := p.may(c.role, c.action, "eu-west-1"); got != c.want {
					t.Errorf("%s, attached to %s: %v, want %v", name, target, got, c.want)
				}
				if got := p.sim.resourcePolicies(p.sim.world.management, access{Action: c.action}); got {
					t.Errorf("%s binds the management account", name)
				}
				if err := p.detach(id, target); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// RCPFullAWSAccess is everywhere while the type is on, and stays; what a policy may say
// is less than in a service control policy.
func TestResourceControlPoliciesAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newResourcePolicies(t)
		for _, target := range []string{p.root, p.id} {
			out, err := p.api.ListPoliciesForTarget(t.Context(), &organizations.ListPoliciesForTargetInput{TargetId: &target, Filter: types.PolicyTypeResourceControlPolicy})
			if err != nil || len(out.Policies) != 1 || *out.Policies[0].Id != fullResourceAccess || !out.Policies[0].AwsManaged ||
				!strings.HasSuffix(*out.Policies[0].Arn, ":policy/resource_control_policy/p-RCPFullAWSAccess") {
				t.Errorf("%s has %+v, %v", target, out, err)
			}
			if err := p.detach(fullResourceAccess, target); code(err) != "ConstraintViolationException" {
				t.Errorf("RCPFullAWSAccess was detached from %s: %v", target, err)
			}
			if err := p.attach(fullResourceAccess, target); code(err) != "DuplicatePolicyAttachmentException" {
				t.Errorf("RCPFullAWSAccess was attached to %s twice: %v", target, err)
			}
		}
		for name, statement := range map[string]string{
			"it allows":          `{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}`,
			"a principal":        `{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:*","Resource":"*"}`,
			"no principal":       `{"Effect":"Deny","Action":"s3:*","Resource":"*"}`,
			"all actions":        `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}`,
			"all but an action":  `{"Effect":"Deny","Principal":"*","NotAction":"s3:*","Resource":"*"}`,
			"without a resource": `{"Effect":"Deny","Principal":"*","Action":"s3:*"}`,
		} {
			if _, err := p.createResource(name, statement); code(err) != "MalformedPolicyDocumentException" {
				t.Errorf("%s: %v", name, err)
			}
		}
		// Whoever asks to enter an account is bound by its policies, from the management
		// account too, and is told no reason (as of any role that does not trust it).
		id, err := p.createResource("stay-out", `{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Resource":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/Boss"}}}`)
		if err != nil {
			t.Fatal(err)
		}
		enter := func() error {
			_, err := sts.NewFromConfig(sdk(p.sim, "us-east-1")).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + p.id + ":role/OrganizationAccountAccessRole"), RoleSessionName: aws.String("rcp")})
			return err
		}
		if err := enter(); err != nil {
			t.Fatal(err)
		}
		if err := p.attach(id, p.id); err != nil {
			t.Fatal(err)
		}
		if err := enter(); code(err) != "AccessDenied" {
			t.Errorf("the account was entered: %v", err)
		}
	})
}

// A stack's resources are made by StackSets' role, which such a policy binds; the refusal
// names its kind.
func TestResourceControlPolicyRefusesAStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newResourcePolicies(t)
		id, err := p.createResource("no-buckets", `{"Effect":"Deny","Principal":"*","Action":"s3:CreateBucket","Resource":"*"}`)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.attach(id, p.root); err != nil {
			t.Fatal(err)
		}
		p.sim.mu.Lock()
		defer p.sim.mu.Unlock()
		a := p.sim.world.accounts[p.id]
		err = p.sim.denyExecution(a, "eu-west-1", "s3:CreateBucket", "arn:aws:s3:::b")
		if err == nil || !strings.Contains(err.Error(), "is not authorized to perform: s3:CreateBucket on resource: arn:aws:s3:::b with an explicit deny in a resource control policy") {
			t.Errorf("refused with %v", err)
		}
		if err := p.sim.denyExecution(a, "eu-west-1", "s3:DeleteBucket", "arn:aws:s3:::b"); err != nil {
			t.Errorf("what it does not name: %v", err)
		}
	})
}
