package simaws

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
)

// two is an organization with two OUs and the accounts a and b in the first.
type two struct {
	*stage
	first, second, a, b string
}

func newTwo(t *testing.T) *two {
	g := &two{stage: newStage(t, Options{Accounts: 12, Empty: true})}
	api := organizations.NewFromConfig(sdk(g.sim, "us-east-1"))
	for name, id := range map[string]*string{"First": &g.first, "Second": &g.second} {
		out, err := api.CreateOrganizationalUnit(t.Context(), &organizations.CreateOrganizationalUnitInput{ParentId: &g.root, Name: &name})
		if err != nil {
			t.Fatal(err)
		}
		*id = *out.OrganizationalUnit.Id
	}
	g.a, g.b = g.members()[0], g.members()[1]
	g.sim.Move(g.a, g.first)
	g.sim.Move(g.b, g.first)
	time.Sleep(5 * time.Minute) // nobody learns of these any more
	return g
}

// follows makes a set that deploys automatically, in OUs.
func (g *two) follows(name string, retain bool, ous ...string) {
	g.Helper()
	if err := g.create(name, roleTemplate, func(in *cloudformation.CreateStackSetInput) {
		in.AutoDeployment = &types.AutoDeployment{Enabled: aws.Bool(true), RetainStacksOnAccountRemoval: &retain}
		in.Parameters = []types.Parameter{parameter("Name", name)}
	}); err != nil {
		g.Fatal(err)
	}
	if len(ous) > 0 {
		g.deploy(name, &types.DeploymentTargets{OrganizationalUnitIds: ous}, []string{"us-east-1", "eu-west-1"})
	}
}

// has says where an account stands with a set: "OU STATUS" of its first Region, "" without an instance.
func (g *two) has(name, account string) string {
	g.Helper()
	i := g.instance(name, account, "us-east-1")
	if i == nil {
		return ""
	}
	ou := map[string]string{g.first: "First", g.second: "Second", g.root: "Root"}[*i.OrganizationalUnitId]
	return ou + " " + string(i.StackInstanceStatus.DetailedStatus)
}

func (g *two) ops(name string) []types.StackSetOperationSummary {
	g.Helper()
	out, err := g.api.ListStackSetOperations(g.Context(), &cloudformation.ListStackSetOperationsInput{StackSetName: &name})
	if err != nil {
		g.Fatal(err)
	}
	return out.Summaries
}

func TestAutomaticDeployment(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(g *two)
	}{
		{"an account that leaves loses its stacks", func(g *two) {
			g.follows("s", false, g.first)
			g.sim.Move(g.a, g.second)
			time.Sleep(10 * time.Minute)
			if g.has("s", g.a) != "" || g.sim.HasRole(g.a, "s-us-east-1") || g.sim.HasRole(g.a, "s-eu-west-1") || g.has("s", g.b) != "First SUCCEEDED" {
				g.Error(g.has("s", g.a), g.has("s", g.b))
			}
			if op := g.ops("s")[0]; op.Action != "DELETE" || op.Status != "SUCCEEDED" {
				g.Error(op.Action, op.Status)
			}
		}},
		{"or keeps them, outside of the set", func(g *two) {
			g.follows("s", true, g.first)
			g.sim.Move(g.a, g.second)
			time.Sleep(10 * time.Minute)
			if g.has("s", g.a) != "" || !g.sim.HasRole(g.a, "s-us-east-1") {
				g.Error(g.has("s", g.a))
			}
		}},
		{"an account that comes gets the set's values, not the overrides", func(g *two) {
			g.follows("s", false)
			g.deploy("s", &types.DeploymentTargets{OrganizationalUnitIds: []string{g.first}}, []string{"us-east-1"}, func(in *cloudformation.CreateStackInstancesInput) {
				in.ParameterOverrides = []types.Parameter{parameter("Name", "other")}
			})
			c := g.members()[2]
			g.sim.Move(c, g.first)
			time.Sleep(10 * time.Minute)
			if g.has("s", c) != "First SUCCEEDED" || !g.sim.HasRole(c, "s-us-east-1") || g.sim.HasRole(c, "other-us-east-1") || !g.sim.HasRole(g.a, "other-us-east-1") {
				g.Error(g.has("s", c))
			}
		}},
		{"AWS's example: from the OU of one set to that of another", func(g *two) {
			g.follows("one", false, g.first)
			g.follows("two", false, g.second)
			g.sim.Move(g.a, g.second)
			time.Sleep(10 * time.Minute)
			if g.has("one", g.a) != "" || g.has("two", g.a) != "Second SUCCEEDED" {
				g.Error(g.has("one", g.a), g.has("two", g.a))
			}
		}},
		{"within the set it stays", func(g *two) {
			g.follows("s", false, g.first, g.second)
			before := len(g.ops("s"))
			g.sim.Move(g.a, g.second)
			time.Sleep(10 * time.Minute)
			if g.has("s", g.a) != "Second SUCCEEDED" || len(g.ops("s")) != before {
				g.Error(g.has("s", g.a), len(g.ops("s")))
			}
		}},
		{"without automatic deployment nothing happens", func(g *two) {
			if err := g.create("s", roleTemplate); err != nil {
				g.Fatal(err)
			}
			g.deploy("s", &types.DeploymentTargets{OrganizationalUnitIds: []string{g.first}}, []string{"us-east-1"})
			g.sim.Move(g.a, g.second)
			g.sim.Move(g.members()[2], g.first)
			time.Sleep(10 * time.Minute)
			if g.has("s", g.a) != "First SUCCEEDED" || g.has("s", g.members()[2]) != "" {
				g.Error(g.has("s", g.a))
			}
		}},
		{"account filters do not count", func(g *two) {
			g.follows("s", false)
			g.deploy("s", &types.DeploymentTargets{OrganizationalUnitIds: []string{g.first}, Accounts: []string{g.a}, AccountFilterType: "INTERSECTION"}, []string{"us-east-1"})
			if g.has("s", g.b) != "" {
				g.Error("b has an instance")
			}
			c := g.members()[2]
			g.sim.Move(c, g.first)
			time.Sleep(10 * time.Minute)
			if g.has("s", c) != "First SUCCEEDED" || g.has("s", g.b) != "" {
				g.Error(g.has("s", c), g.has("s", g.b))
			}
		}},
		{"a suspended account is skipped", func(g *two) {
			g.follows("s", false, g.first)
			c := g.members()[2]
			g.sim.SetState(c, "SUSPENDED")
			g.sim.Move(c, g.first)
			time.Sleep(10 * time.Minute)
			if g.has("s", c) != "First SKIPPED_SUSPENDED_ACCOUNT" {
				g.Error(g.has("s", c))
			}
		}},
		{"a new account gets what the root has, and leaves it with the organization", func(g *two) {
			g.follows("s", false, g.root)
			api := organizations.NewFromConfig(sdk(g.sim, "us-east-1"))
			asked, err := api.CreateAccount(g.Context(), &organizations.CreateAccountInput{AccountName: aws.String("new"), Email: aws.String("new@example.com")})
			if err != nil {
				g.Fatal(err)
			}
			time.Sleep(15 * time.Minute)
			done, err := api.DescribeCreateAccountStatus(g.Context(), &organizations.DescribeCreateAccountStatusInput{CreateAccountRequestId: asked.CreateAccountStatus.Id})
			if err != nil {
				g.Fatal(err)
			}
			id := *done.CreateAccountStatus.AccountId
			if g.has("s", id) != "Root SUCCEEDED" || !g.sim.HasRole(id, "s-us-east-1") {
				g.Error(g.has("s", id))
			}
			time.Sleep(5 * 24 * time.Hour)
			if _, err := api.RemoveAccountFromOrganization(g.Context(), &organizations.RemoveAccountFromOrganizationInput{AccountId: &id}); err != nil {
				g.Fatal(err)
			}
			time.Sleep(15 * time.Minute)
			if op := g.ops("s")[0]; g.has("s", id) != "" || op.Action != "DELETE" || op.Status != "SUCCEEDED" {
				g.Error(g.has("s", id), op.Action, op.Status)
			}
		}},
		{"it waits for what runs, and others are refused meanwhile", func(g *two) {
			g.follows("s", false, g.first)
			out, err := g.api.CreateStackInstances(g.Context(), &cloudformation.CreateStackInstancesInput{StackSetName: aws.String("s"), DeploymentTargets: &types.DeploymentTargets{OrganizationalUnitIds: []string{g.root}}, Regions: []string{"us-west-2"}})
			if err != nil {
				g.Fatal(err)
			}
			g.sim.Move(g.a, g.second) // out of First; us-west-2 stays, by the root
			time.Sleep(90 * time.Second)
			if op := g.ops("s")[0]; op.Status != "QUEUED" || op.Action != "DELETE" {
				g.Error(op.Status, op.Action)
			}
			g.wait("s", out.OperationId)
			time.Sleep(5 * time.Minute)
			if i := g.instance("s", g.a, "us-west-2"); g.has("s", g.a) != "" || i == nil {
				g.Error(g.has("s", g.a), i)
			}
		}},
		{"instances taken away from an OU do not come back", func(g *two) {
			g.follows("s", false, g.first)
			g.delete("s", &types.DeploymentTargets{OrganizationalUnitIds: []string{g.first}}, []string{"us-east-1"}, false)
			c := g.members()[2]
			g.sim.Move(c, g.first)
			time.Sleep(10 * time.Minute)
			if g.has("s", c) != "" || g.instance("s", c, "eu-west-1") == nil {
				g.Error(g.has("s", c))
			}
			out, err := g.api.ListStackSetAutoDeploymentTargets(g.Context(), &cloudformation.ListStackSetAutoDeploymentTargetsInput{StackSetName: aws.String("s")})
			if err != nil || len(out.Summaries) != 1 || *out.Summaries[0].OrganizationalUnitId != g.first || !slices.Equal(out.Summaries[0].Regions, []string{"eu-west-1"}) {
				g.Error(out.Summaries, err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { c.run(newTwo(t)) })
		})
	}
}

func TestDependenciesOfAutomaticDeployment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newTwo(t)
		g.follows("base", false, g.first)
		g.follows("app", false, g.first)
		arn := func(name string) string {
			out, err := g.api.DescribeStackSet(t.Context(), &cloudformation.DescribeStackSetInput{StackSetName: &name})
			if err != nil {
				t.Fatal(err)
			}
			return *out.StackSet.StackSetARN
		}
		depend := func(name string, on ...string) error {
			out, err := g.api.UpdateStackSet(t.Context(), &cloudformation.UpdateStackSetInput{StackSetName: &name, UsePreviousTemplate: aws.Bool(true),
				Parameters: []types.Parameter{{ParameterKey: aws.String("Name"), UsePreviousValue: aws.Bool(true)}}, Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam},
				AutoDeployment: &types.AutoDeployment{Enabled: aws.Bool(true), RetainStacksOnAccountRemoval: aws.Bool(false), DependsOn: on}})
			if err == nil {
				g.wait(name, out.OperationId)
			}
			return err
		}
		if err := depend("app", arn("base")); err != nil {
			t.Fatal(err)
		}
		g.wantError(depend("base", arn("app")), "ValidationError", "cycle")
		g.wantError(depend("base", "arn:aws:cloudformation:us-east-1:"+g.sim.world.management+":stackset/none:x"), "ValidationError", "does not exist")
		g.wantError(depend("base", strings.Split(strings.Repeat(arn("app")+" ", 11), " ")[:11]...), "LimitExceededException", "10")
		shown, err := g.api.DescribeStackSet(t.Context(), &cloudformation.DescribeStackSetInput{StackSetName: aws.String("app")})
		if err != nil || !slices.Equal(shown.StackSet.AutoDeployment.DependsOn, []string{arn("base")}) {
			t.Error(shown, err)
		}
		c, d := g.members()[2], g.members()[3]
		g.sim.Move(c, g.first)
		time.Sleep(20 * time.Minute)
		base, app := g.ops("base")[0], g.ops("app")[0]
		if base.Status != "SUCCEEDED" || app.Status != "SUCCEEDED" || g.begunAt("app", *app.OperationId).Before(*base.EndTimestamp) {
			t.Error("app did not wait: ", base.EndTimestamp, g.begunAt("app", *app.OperationId), app.Status)
		}
		// What the base cannot do, the app does not try.
		g.sim.change(d, func(a *account) { a.roles["base-us-east-1"] = &iamRole{Name: "base-us-east-1", Path: "/"} })
		g.sim.Move(d, g.first)
		time.Sleep(20 * time.Minute)
		if base, app := g.ops("base")[0], g.ops("app")[0]; base.Status != "FAILED" || app.Status != "FAILED" || g.has("app", d) != "" {
			t.Error(base.Status, app.Status, g.has("app", d))
		}
		// "Dependencies are removed when StackSets are deleted" (user guide).
		if err := g.create("gone", emptyTemplate); err != nil {
			t.Fatal(err)
		}
		if err := depend("app", arn("base"), arn("gone")); err != nil {
			t.Fatal(err)
		}
		if _, err := g.api.DeleteStackSet(t.Context(), &cloudformation.DeleteStackSetInput{StackSetName: aws.String("gone")}); err != nil {
			t.Fatal(err)
		}
		shown, err = g.api.DescribeStackSet(t.Context(), &cloudformation.DescribeStackSetInput{StackSetName: aws.String("app")})
		if err != nil || !slices.Equal(shown.StackSet.AutoDeployment.DependsOn, []string{arn("base")}) {
			t.Error("it depends still on the one that was deleted", err)
		}
	})
}

// begunAt is when the first instance of an operation was begun.
func (g *two) begunAt(name, id string) time.Time {
	first := time.Time{}
	for _, set := range g.sim.world.stackSets {
		for _, op := range set.ops {
			for _, i := range op.items {
				if set.Name == name && op.ID == id && (first.IsZero() || i.begun.Before(first)) {
					first = i.begun
				}
			}
		}
	}
	return first
}
