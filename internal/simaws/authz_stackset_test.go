package simaws

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// identity makes a role in an account that may do what a policy says, and enters it.
func (g *stage) identity(id, name, policy string) aws.Config {
	g.Helper()
	cfg := sdk(g.sim, "us-east-1")
	if id != g.sim.world.management {
		cfg = entered(g.T, g.sim, id, "OrganizationAccountAccessRole", "")
	}
	api := iam.NewFromConfig(cfg)
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::` + g.sim.world.management + `:root"}}]}`
	if _, err := api.CreateRole(g.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust}); err != nil {
		g.Fatal(err)
	}
	if _, err := api.PutRolePolicy(g.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("it"), PolicyDocument: &policy}); err != nil {
		g.Fatal(err)
	}
	return entered(g.T, g.sim, id, name, "")
}

func statements(list ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(list, ",") + `]}`
}

func allow(resource string, actions ...string) string {
	return `{"Effect":"Allow","Action":["cloudformation:` + strings.Join(actions, `","cloudformation:`) + `"],"Resource":"` + resource + `"}`
}

// A policy names the set, and for what changes instances the targets and the types; to
// create a set it has to allow everything.
func TestWorkOnAStackSetIsAllowedByItsResources(t *testing.T) {
	g := newStage(t, Options{})
	if err := g.create("ours", emptyTemplate); err != nil {
		t.Fatal(err)
	}
	const set, target, kind = "arn:aws:cloudformation:*:*:stackset/ours:*", "arn:aws:cloudformation:*:*:stackset-target/ours:*", "arn:aws:cloudformation:*::type/resource/*"
	deploy := func(api *cloudformation.Client) error {
		_, err := api.CreateStackInstances(t.Context(), &cloudformation.CreateStackInstancesInput{
			StackSetName: aws.String("ours"), Regions: []string{"us-east-1"},
			DeploymentTargets: &types.DeploymentTargets{OrganizationalUnitIds: []string{g.root}, Accounts: g.members()[:1], AccountFilterType: types.AccountFilterTypeIntersection},
		})
		return err
	}
	describe := func(api *cloudformation.Client) error {
		_, err := api.DescribeStackSet(t.Context(), &cloudformation.DescribeStackSetInput{StackSetName: aws.String("ours")})
		return err
	}
	make := func(tags ...types.Tag) func(*cloudformation.Client) error {
		return func(api *cloudformation.Client) error {
			_, err := api.CreateStackSet(t.Context(), &cloudformation.CreateStackSetInput{StackSetName: aws.String("oursToo"), TemplateBody: aws.String(emptyTemplate), PermissionModel: "SERVICE_MANAGED", AutoDeployment: &types.AutoDeployment{Enabled: aws.Bool(false)}, Tags: tags})
			return err
		}
	}
	tag := types.Tag{Key: aws.String("a"), Value: aws.String("b")}
	for i, c := range []struct {
		name, policy string
		call         func(*cloudformation.Client) error
		refused      string // the resource that the refusal names
	}{
		{"describe", statements(allow(set, "DescribeStackSet")), describe, ""},
		{"describe another", statements(allow("arn:aws:cloudformation:*:*:stackset/theirs:*", "DescribeStackSet")), describe, "stackset/ours:"},
		{"deploy", statements(allow(set, "CreateStackInstances"), allow(target, "CreateStackInstances"), allow(kind, "CreateStackInstances")), deploy, ""},
		{"deploy without targets", statements(allow(set, "CreateStackInstances"), allow(kind, "CreateStackInstances")), deploy, "stackset-target/ours:"},
		{"deploy to another target", statements(allow(set, "CreateStackInstances"), allow("arn:aws:cloudformation:*:*:stackset-target/ours:*/"+g.members()[1], "CreateStackInstances"), allow(kind, "CreateStackInstances")), deploy, "/" + g.root},
		{"deploy without types", statements(allow(set, "CreateStackInstances"), allow(target, "CreateStackInstances")), deploy, "type/resource/AWS-CloudFormation-WaitConditionHandle"},
		{"create by name", statements(allow("arn:aws:cloudformation:*:*:stackset/ours*", "CreateStackSet")), make(), "resource: *"},
		{"create with tags", statements(allow("*", "CreateStackSet")), make(tag), "TagResource on resource: arn:aws:cloudformation:us-east-1:" + g.sim.world.management + ":stackset/oursToo:*"},
		{"create", statements(allow("*", "CreateStackSet")), make(), ""},
	} {
		err := c.call(cloudformation.NewFromConfig(g.identity(g.sim.world.management, "identity"+string(rune('a'+i)), c.policy)))
		if c.refused == "" && err != nil || c.refused != "" && (code(err) != "AccessDenied" || !strings.Contains(err.Error(), c.refused)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.refused)
		}
	}
}

// StackSets asks Organizations as the caller whether its account is an administrator.
func TestADelegatedAdministratorHasToBeAllowedToAskWhoIsOne(t *testing.T) {
	g := newStage(t, Options{})
	delegated := ""
	for id := range g.sim.world.delegated {
		if strings.Contains(strings.Join(g.sim.world.delegated[id], " "), stackSetsPrincipal) {
			delegated = id
		}
	}
	list := func(name, policy string) error {
		_, err := cloudformation.NewFromConfig(g.identity(delegated, name, policy)).ListStackSets(t.Context(), &cloudformation.ListStackSetsInput{CallAs: types.CallAsDelegatedAdmin})
		return err
	}
	g.wantError(list("blind", statements(allow("*", "ListStackSets"))), "ValidationError", "Account used is not a delegated administrator")
	if err := list("seeing", statements(allow("*", "ListStackSets"), `{"Effect":"Allow","Action":"organizations:ListDelegatedAdministrators","Resource":"*"}`)); err != nil {
		t.Error(err)
	}
}
