package simaws

import (
	"net/url"
	"strings"
	"testing"
)

// iamCall makes an IAM call as the operator of an organization's management account.
func iamCall(t *testing.T, s *Sim, want string, form ...string) string {
	t.Helper()
	values := url.Values{}
	for i := 0; i < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	status, body := rawQuery(s, "iam", values.Encode())
	if want == "" && status != 200 || want != "" && !strings.Contains(body, "<Code>"+want+"</Code>") {
		t.Errorf("%v: %d %s, want %q", form, status, body, want)
	}
	return body
}

// A simulation says what a call would meet: policies, boundary and service control
// policies, the most restrictive of all resources on top.
func TestSimulatePrincipalPolicy(t *testing.T) {
	s := New(Options{Accounts: 3, Empty: true})
	member := s.Accounts()[1].ID
	policy := func(text string) policyDocument {
		d, err := parsePolicy(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	role := &iamRole{Name: "r", Path: "/", ARN: "arn:aws:iam::" + member + ":role/r", Policies: map[string]policyDocument{
		"p": policy(`{"Statement":[{"Effect":"Allow","Action":["config:*","s3:GetObject"],"Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::secret/*"}]}`)}}
	a := s.world.accounts[member]
	a.roles["r"] = role
	docs, sources := s.documentsOf(a, role), policySources(role)
	for _, c := range []struct {
		action    string
		resources []string
		boundary  []policyDocument
		context   map[string]string
		want      string
		places    []string
		org       bool
	}{
		{action: "config:PutConfigRule", want: "allowed", org: true},
		{action: "ec2:RunInstances", want: "implicitDeny", org: true},
		{action: "s3:GetObject", resources: []string{"arn:aws:s3:::open/a", "arn:aws:s3:::secret/a"}, want: "explicitDeny", places: []string{"allowed", "explicitDeny"}, org: true},
		{action: "config:PutConfigRule", boundary: []policyDocument{policy(`{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`)}, want: "implicitDeny", org: true},
	} {
		got := s.simulate(a, role, c.action, c.resources, c.context, docs, sources, c.boundary)
		if got.EvalDecision != c.want || got.OrganizationsDecisionDetail.AllowedByOrganizations != c.org || len(got.ResourceSpecificResults) != len(c.places) {
			t.Errorf("%s: %+v", c.action, got)
		}
		for i, want := range c.places {
			if got.ResourceSpecificResults[i].EvalResourceDecision != want {
				t.Errorf("%s on %s: %s", c.action, c.resources[i], got.ResourceSpecificResults[i].EvalResourceDecision)
			}
		}
	}
	// A service control policy with a condition counts when its key is given.
	s.DenyRegion(member, "eu-west-1")
	if got := s.simulate(a, role, "config:PutConfigRule", nil, map[string]string{"aws:requestedregion": "eu-west-1"}, docs, sources, nil); got.EvalDecision != "explicitDeny" || got.OrganizationsDecisionDetail.AllowedByOrganizations {
		t.Errorf("in a denied Region: %+v", got)
	}
	if got := s.simulate(a, role, "config:PutConfigRule", nil, map[string]string{"aws:requestedregion": "us-east-1"}, docs, sources, nil); got.EvalDecision != "allowed" {
		t.Errorf("in another: %+v", got)
	}
}

// A boundary limits what a role may do in earnest too, and a stack's own managed
// policies are policies of its roles.
func TestBoundariesAndOwnPolicies(t *testing.T) {
	b := newBench(t)
	if err := b.apply(`
Resources:
  Read: {Type: AWS::IAM::ManagedPolicy, Properties: {ManagedPolicyName: read, Roles: [!Ref Role], PolicyDocument: {Statement: [{Effect: Allow, Action: ["ec2:*", "s3:*"], Resource: "*"}]}}}
  Only: {Type: AWS::IAM::ManagedPolicy, Properties: {ManagedPolicyName: only, PolicyDocument: {Statement: [{Effect: Allow, Action: "ec2:*", Resource: "*"}]}}}
  Role: {Type: AWS::IAM::Role, Properties: {RoleName: r, PermissionsBoundary: !Sub "arn:aws:iam::ACCOUNT-ID:policy/only", AssumeRolePolicyDocument: {Statement: []}}}
`); err != nil {
		t.Fatal(err)
	}
	role := b.a.roles["r"]
	who := caller{Account: b.a.ID, Role: role, ARN: "arn:aws:sts::" + b.a.ID + ":assumed-role/r/x"}
	for action, want := range map[string]string{"ec2:DescribeVpcs": "", "s3:GetObject": "no permissions boundary allows the s3:GetObject action", "iam:GetRole": "no identity-based policy allows the iam:GetRole action"} {
		err := b.s.allowed(who, access{Action: action, Resource: "*"})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", action, err, want)
		}
	}
	// Somebody else attaches the policy elsewhere: the stack cannot take it away.
	b.a.roles["mine"] = &iamRole{Name: "mine", ARN: "arn:aws:iam::" + b.a.ID + ":role/mine", Managed: []string{"arn:aws:iam::" + b.a.ID + ":policy/read"}}
	if err := b.s.remove(b.a, b.r, b.st); err == nil || !strings.Contains(err.Error(), "Cannot delete a policy attached to entities") {
		t.Errorf("%v", err)
	}
	delete(b.a.roles, "mine")
	if err := b.s.remove(b.a, b.r, b.st); err != nil || len(b.a.managed) != 0 || b.a.roles["r"] != nil {
		t.Errorf("%v, %v left", err, b.a.managed)
	}
}

func TestRoleCallsRefuse(t *testing.T) {
	s := New(Options{Accounts: 3, Empty: true})
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	allow := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	iamCall(t, s, "", "Action", "CreateRole", "RoleName", "r", "AssumeRolePolicyDocument", trust)
	iamCall(t, s, "MalformedPolicyDocument", "Action", "CreateRole", "RoleName", "q", "AssumeRolePolicyDocument", allow)
	iamCall(t, s, "LimitExceeded", "Action", "CreateRole", "RoleName", "q", "AssumeRolePolicyDocument", strings.Replace(trust, `"Effect"`, `"Sid":"`+strings.Repeat("x", 2000)+`","Effect"`, 1))
	iamCall(t, s, "LimitExceeded", "Action", "PutRolePolicy", "RoleName", "r", "PolicyName", "p", "PolicyDocument", strings.Replace(allow, "s3:*", "s3:"+strings.Repeat("x", 10240), 1))
	for i := range 10 {
		iamCall(t, s, "", "Action", "AttachRolePolicy", "RoleName", "r", "PolicyArn", "arn:aws:iam::aws:policy/P"+textOf(i))
	}
	iamCall(t, s, "LimitExceeded", "Action", "AttachRolePolicy", "RoleName", "r", "PolicyArn", "arn:aws:iam::aws:policy/P10")
	iamCall(t, s, "", "Action", "AttachRolePolicy", "RoleName", "r", "PolicyArn", "arn:aws:iam::aws:policy/P0")
	iamCall(t, s, "InvalidInput", "Action", "TagRole", "RoleName", "r", "Tags.member.1.Key", "aws:x", "Tags.member.1.Value", "y")
	iamCall(t, s, "NoSuchEntity", "Action", "DeleteRolePermissionsBoundary", "RoleName", "r")
}
