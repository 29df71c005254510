package simaws

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const allowAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// policies drives the policy calls of an organization of three accounts.
type policies struct {
	*testing.T
	sim  *Sim
	api  *organizations.Client
	root string
	id   string // a member account
}

func newPolicies(t *testing.T) *policies {
	s := New(Options{Accounts: 3, Empty: true})
	p := &policies{T: t, sim: s, api: organizations.NewFromConfig(sdk(s, "us-east-1")), root: s.world.rootID}
	for _, a := range s.Accounts() {
		if !a.Management {
			p.id = a.ID
		}
	}
	return p
}

func (p *policies) create(name, content string) string {
	p.Helper()
	out, err := p.api.CreatePolicy(p.Context(), &organizations.CreatePolicyInput{Name: &name, Description: aws.String(""), Type: types.PolicyTypeServiceControlPolicy, Content: &content})
	if err != nil {
		p.Fatal(err)
	}
	return *out.Policy.PolicySummary.Id
}

func (p *policies) attach(id, target string) error {
	_, err := p.api.AttachPolicy(p.Context(), &organizations.AttachPolicyInput{PolicyId: &id, TargetId: &target})
	return err
}

func (p *policies) detach(id, target string) error {
	_, err := p.api.DetachPolicy(p.Context(), &organizations.DetachPolicyInput{PolicyId: &id, TargetId: &target})
	return err
}

// may asks in the member account as its OrganizationAccountAccessRole.
func (p *policies) may(role, action, region string) decision {
	p.sim.mu.Lock()
	defer p.sim.mu.Unlock()
	return p.sim.bound(p.id, p.sim.world.accounts[p.id].roles[role], access{Action: action, Resource: "*", Context: map[string]string{"aws:requestedregion": region}}).decision
}

func (p *policies) on(target string) []string {
	p.Helper()
	out, err := p.api.ListPoliciesForTarget(p.Context(), &organizations.ListPoliciesForTargetInput{TargetId: &target, Filter: types.PolicyTypeServiceControlPolicy})
	if err != nil {
		p.Fatal(err)
	}
	var ids []string
	for _, s := range out.Policies {
		ids = append(ids, *s.Id)
	}
	return ids
}

// Every level has to allow and none may deny (user guide, "SCP evaluation").
func TestServiceControlPolicies(t *testing.T) {
	p := newPolicies(t)
	role := "OrganizationAccountAccessRole"
	if got := p.on(p.root); len(got) != 1 || got[0] != fullAccess {
		t.Fatalf("on the root: %v", got)
	}
	deny := p.create("no-rules", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"config:Put*","Resource":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:*:iam::*:role/Boss"}}}}`)
	if err := p.attach(deny, p.root); err != nil {
		t.Fatal(err)
	}
	if got := p.may(role, "config:PutConfigRule", "us-east-1"); got != decisionDeny {
		t.Errorf("a deny at the root: %v", got)
	}
	if got := p.may(role, "config:DescribeConfigRules", "us-east-1"); got != decisionAllow {
		t.Errorf("what it does not name: %v", got)
	}
	p.sim.change(p.id, func(a *account) {
		a.roles["Boss"] = &iamRole{Name: "Boss", ARN: "arn:aws:iam::" + a.ID + ":role/Boss"}
		p.sim.addServiceLinkedRole(a, "config.amazonaws.com", "") //nolint:errcheck // a new account has none
	})
	if got := p.may("Boss", "config:PutConfigRule", "us-east-1"); got != decisionAllow {
		t.Errorf("the exempt role: %v", got)
	}
	if got := p.may("AWSServiceRoleForConfig", "config:PutConfigRule", "us-east-1"); got != decisionAllow {
		t.Errorf("a service-linked role: %v", got)
	}
	if got := p.sim.controlPolicies(p.sim.world.management, access{Action: "config:PutConfigRule"}); got != decisionAllow {
		t.Errorf("the management account: %v", got)
	}
	// An allow list: FullAWSAccess goes once something else is there.
	if err := p.detach(fullAccess, p.id); code(err) != "ConstraintViolationException" {
		t.Errorf("the last policy of a target: %v", err)
	}
	list := p.create("only-ec2", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}`)
	if err := p.attach(list, p.id); err != nil {
		t.Fatal(err)
	}
	if err := p.detach(fullAccess, p.id); err != nil {
		t.Fatal(err)
	}
	if got := p.may(role, "config:DescribeConfigRules", "us-east-1"); got != decisionNone {
		t.Errorf("what no policy of the account allows: %v", got)
	}
	if got := p.may(role, "ec2:DescribeVpcs", "us-east-1"); got != decisionAllow {
		t.Errorf("what one allows: %v", got)
	}
	c := sdk(p.sim, "us-east-1")
	out, err := sts.NewFromConfig(c).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + p.id + ":role/" + role), RoleSessionName: aws.String("policies")})
	if err != nil {
		t.Fatal(err)
	}
	c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: "x", SessionToken: *out.Credentials.SessionToken}, nil
	})
	_, err = organizations.NewFromConfig(c).DescribeOrganization(t.Context(), &organizations.DescribeOrganizationInput{})
	if err == nil || !strings.Contains(err.Error(), "because no service control policy allows the organizations:DescribeOrganization action") {
		t.Errorf("an implicit deny reads %v", err)
	}
}

// A type is switched in the background: until the end of it its policies bind, or not,
// as before. Switched on again FullAWSAccess is all there is.
func TestPolicyTypeIsSwitched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPolicies(t)
		role := "OrganizationAccountAccessRole"
		deny := p.create("no-rules", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"config:Put*","Resource":"*"}}`)
		off := func() error {
			_, err := p.api.DisablePolicyType(t.Context(), &organizations.DisablePolicyTypeInput{RootId: &p.root, PolicyType: types.PolicyTypeServiceControlPolicy})
			return err
		}
		on := func() error {
			_, err := p.api.EnablePolicyType(t.Context(), &organizations.EnablePolicyTypeInput{RootId: &p.root, PolicyType: types.PolicyTypeServiceControlPolicy})
			return err
		}
		// reads holds what ListRoots says, and whether the policy binds.
		reads := func(want types.PolicyTypeStatus, may decision) {
			t.Helper()
			out, err := p.api.ListRoots(t.Context(), &organizations.ListRootsInput{})
			if err != nil {
				t.Fatal(err)
			}
			got := types.PolicyTypeStatus("")
			for _, kind := range out.Roots[0].PolicyTypes {
				got = kind.Status
			}
			if got != want {
				t.Errorf("the type is %q, want %q", got, want)
			}
			if got := p.may(role, "config:PutConfigRule", "us-east-1"); got != may {
				t.Errorf("while it is %q: %v, want %v", want, got, may)
			}
		}
		if err := p.attach(deny, p.root); err != nil {
			t.Fatal(err)
		}
		if err := off(); err != nil {
			t.Fatal(err)
		}
		reads("PENDING_DISABLE", decisionDeny)
		if err := p.attach(deny, p.id); code(err) != "PolicyTypeNotEnabledException" {
			t.Errorf("attaching while it is switched off: %v", err)
		}
		if err := on(); code(err) != "PolicyChangesInProgressException" {
			t.Errorf("switching on while it is switched off: %v", err)
		}
		time.Sleep(policyTypeSwitch)
		reads("", decisionAllow)
		if err := off(); code(err) != "PolicyTypeNotEnabledException" {
			t.Errorf("switching off what is off: %v", err)
		}
		if err := on(); err != nil {
			t.Fatal(err)
		}
		reads("PENDING_ENABLE", decisionAllow)
		if err := p.attach(deny, p.root); code(err) != "PolicyTypeNotEnabledException" {
			t.Errorf("attaching before it is on: %v", err)
		}
		time.Sleep(policyTypeSwitch)
		reads("ENABLED", decisionAllow)
		if got := p.on(p.id); len(got) != 1 || got[0] != fullAccess {
			t.Errorf("switched on again: %v", got)
		}
		if err := on(); code(err) != "PolicyTypeAlreadyEnabledException" {
			t.Errorf("switching on what is on: %v", err)
		}
	})
}

func TestPolicyCallsRefuse(t *testing.T) {
	p := newPolicies(t)
	name := "five"
	mine := p.create(name, allowAll)
	update := func(in *organizations.UpdatePolicyInput) error {
		_, err := p.api.UpdatePolicy(t.Context(), in)
		return err
	}
	remove := func(id string) error {
		_, err := p.api.DeletePolicy(t.Context(), &organizations.DeletePolicyInput{PolicyId: &id})
		return err
	}
	create := func(name, content string) error {
		_, err := p.api.CreatePolicy(t.Context(), &organizations.CreatePolicyInput{Name: &name, Description: aws.String(""), Type: types.PolicyTypeServiceControlPolicy, Content: &content})
		return err
	}
	for i, id := range []string{p.create("a", allowAll), p.create("b", allowAll), p.create("c", allowAll), p.create("d", allowAll)} {
		if err := p.attach(id, p.id); err != nil {
			t.Fatal(i, err)
		}
	}
	for what, c := range map[string]struct {
		err  error
		code string
	}{
		"a sixth policy":      {p.attach(mine, p.id), "ConstraintViolationException"},
		"attached twice":      {p.attach(fullAccess, p.id), "DuplicatePolicyAttachmentException"},
		"no such policy":      {p.attach("p-zzzzzzzz", p.id), "PolicyNotFoundException"},
		"no such target":      {p.attach(mine, "000000000000"), "TargetNotFoundException"},
		"not attached":        {p.detach(mine, p.id), "PolicyNotAttachedException"},
		"a name in use":       {create(name, allowAll), "DuplicatePolicyException"},
		"no JSON":             {create("x", "{"), "MalformedPolicyDocumentException"},
		"a principal":         {create("x", `{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}`), "MalformedPolicyDocumentException"},
		"no resource":         {create("x", `{"Statement":[{"Effect":"Deny","Action":"*"}]}`), "MalformedPolicyDocumentException"},
		"5,121 bytes":         {create("x", allowAll+strings.Repeat(" ", 5121-len(allowAll))), "ConstraintViolationException"},
		"5,120 bytes":         {create("y", allowAll+strings.Repeat(" ", 5120-len(allowAll))), ""},
		"AWS's own, changed":  {update(&organizations.UpdatePolicyInput{PolicyId: aws.String(fullAccess), Name: aws.String("mine")}), "InvalidInputException"},
		"AWS's own, deleted":  {remove(fullAccess), "InvalidInputException"},
		"renamed to another":  {update(&organizations.UpdatePolicyInput{PolicyId: &mine, Name: aws.String("a")}), "DuplicatePolicyException"},
		"another description": {update(&organizations.UpdatePolicyInput{PolicyId: &mine, Description: aws.String("why")}), ""},
		"deleted":             {remove(mine), ""},
		"deleted twice":       {remove(mine), "PolicyNotFoundException"},
	} {
		if c.code == "" && c.err != nil || c.code != "" && code(c.err) != c.code {
			t.Errorf("%s: %v, want %q", what, c.err, c.code)
		}
	}
	for _, id := range p.on(p.id) {
		if id != fullAccess && code(remove(id)) != "PolicyInUseException" {
			t.Errorf("a policy in use was deleted")
		}
	}
}
