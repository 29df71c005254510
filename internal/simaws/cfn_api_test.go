package simaws

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Who sees a set: the management account, and a delegated administrator that says
// so on the call; from the Region where it was made only.
func TestWhoSeesAStackSet(t *testing.T) {
	g := newStage(t, Options{})
	delegated := ""
	for id, services := range g.sim.world.delegated {
		if strings.Contains(fmt.Sprint(services), stackSetsPrincipal) {
			delegated = id
		}
	}
	admin, member := g.enter(delegated), g.enter(g.enterable())
	asAdmin := types.CallAsDelegatedAdmin
	if err := g.create("s", emptyTemplate); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.CreateStackSet(t.Context(), &cloudformation.CreateStackSetInput{
		StackSetName: aws.String("by-admin"), TemplateBody: aws.String(emptyTemplate), PermissionModel: "SERVICE_MANAGED", CallAs: asAdmin, AutoDeployment: &types.AutoDeployment{Enabled: aws.Bool(false)},
	}); err != nil {
		t.Fatal(err)
	}
	abroad := cloudformation.NewFromConfig(sdk(g.sim, "eu-west-1"))
	for _, c := range []struct {
		name string
		api  *cloudformation.Client
		as   types.CallAs
		want string // "" when both sets are seen
	}{
		{"management", g.api, "", ""},
		{"management as itself", g.api, types.CallAsSelf, ""},
		{"management as an administrator", g.api, asAdmin, "ValidationError"},
		{"delegated administrator", admin, asAdmin, ""},
		{"delegated administrator that does not say so", admin, "", "StackSetNotFoundException"},
		{"member", member, "", "StackSetNotFoundException"},
		{"member as an administrator", member, asAdmin, "ValidationError"},
		{"another Region", abroad, "", "StackSetNotFoundException"},
	} {
		for _, set := range []string{"s", "by-admin"} {
			out, err := c.api.DescribeStackSet(t.Context(), &cloudformation.DescribeStackSetInput{StackSetName: &set, CallAs: c.as})
			if code(err) != c.want {
				t.Errorf("%s: %s: %v", c.name, set, err)
			}
			if err == nil && !strings.HasPrefix(*out.StackSet.StackSetARN, "arn:aws:cloudformation:us-east-1:"+g.sim.world.management+":stackset/"+set+":") {
				t.Error(*out.StackSet.StackSetARN)
			}
		}
		list, err := c.api.ListStackSets(t.Context(), &cloudformation.ListStackSetsInput{CallAs: c.as, Status: types.StackSetStatusActive})
		switch {
		case c.want == "" && (err != nil || len(list.Summaries) != 2),
			c.want == "StackSetNotFoundException" && (err != nil || len(list.Summaries) != 0),
			c.want == "ValidationError" && (code(err) != c.want || !strings.Contains(err.Error(), "Account used is not a delegated administrator")):
			t.Errorf("%s: %v %v", c.name, list, err)
		}
	}
	g.wantError(func() error {
		_, err := member.CreateStackSet(t.Context(), &cloudformation.CreateStackSetInput{StackSetName: aws.String("x"), TemplateBody: aws.String(emptyTemplate), PermissionModel: "SERVICE_MANAGED", AutoDeployment: &types.AutoDeployment{Enabled: aws.Bool(false)}})
		return err
	}(), "ValidationError", "You must be the management account or delegated admin account of an organization before operating a SERVICE_MANAGED stack set")
}

func TestCreateStackSetRefuses(t *testing.T) {
	g := newStage(t, Options{})
	if err := g.create("taken", emptyTemplate, func(in *cloudformation.CreateStackSetInput) { in.ClientRequestToken = aws.String("t") }); err != nil {
		t.Fatal(err)
	}
	with := func(list ...types.Parameter) func(*cloudformation.CreateStackSetInput) {
		return func(in *cloudformation.CreateStackSetInput) { in.Parameters = list }
	}
	declared := "Parameters: {P: {Type: String, AllowedValues: [a, b], Default: a}, N: {Type: Number, MinValue: 3, Default: 5}, L: {Type: CommaDelimitedList, AllowedValues: [x, y], Default: 'x, y'}, W: {Type: String, AllowedPattern: '[a-z]+', Default: w}}\nResources: {A: {Type: AWS::SNS::Topic}}"
	named := "Resources: {A: {Type: AWS::IAM::Role, Properties: {RoleName: x, AssumeRolePolicyDocument: {Statement: []}}}}"
	for _, c := range []struct {
		name, body, code, message string
		change                    func(*cloudformation.CreateStackSetInput)
	}{
		{"taken", emptyTemplate, "NameAlreadyExistsException", "", nil},
		{"taken", emptyTemplate, "", "", func(in *cloudformation.CreateStackSetInput) { in.ClientRequestToken = aws.String("t") }},
		{"taken", "Resources: {T: {Type: AWS::SNS::Topic}}", "CreatedButModifiedException", "exists, but has been changed", func(in *cloudformation.CreateStackSetInput) { in.ClientRequestToken = aws.String("t") }},
		{"1st", emptyTemplate, "ValidationError", "[a-zA-Z][-a-zA-Z0-9]*", nil},
		{"auto", emptyTemplate, "ValidationError", "AutoDeployment", func(in *cloudformation.CreateStackSetInput) { in.AutoDeployment = nil }},
		{"large", "Description: x\nResources: {A: {Type: AWS::SNS::Topic}}\n#" + strings.Repeat("x", 51200), "ValidationError", "less than or equal to 51200", nil},
		{"none", "Description: x", "ValidationError", "Template format error: At least one Resources member must be defined.", nil},
		{"unresolved", "Resources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: !Sub '${Nobody}-${AWS::Region}-${!Literal}'}}}", "ValidationError", "Template format error: Unresolved resource dependencies [Nobody] in the Resources block of the template", nil},
		{"outputs", "Resources: {A: {Type: AWS::SNS::Topic}}\nOutputs: {O: {Value: !Ref Nobody}}", "ValidationError", "Unresolved resource dependencies [Nobody] in the Outputs block of the template", nil},
		{"circle", "Resources: {A: {Type: AWS::SNS::Topic, DependsOn: B}, B: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref A}}}", "ValidationError", "Circular dependency between resources: [A, B]", nil},
		{"transform", "Transform: AWS::Serverless-2016-10-31\nResources: {A: {Type: AWS::SNS::Topic}}", "ValidationError", "transform", nil},
		{"named", named, "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_NAMED_IAM]", func(in *cloudformation.CreateStackSetInput) {
			in.Capabilities = []types.Capability{types.CapabilityCapabilityIam}
		}},
		{"iam", strings.Replace(named, "RoleName: x, ", "", 1), "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]", func(in *cloudformation.CreateStackSetInput) { in.Capabilities = nil }},
		{"missing", "Parameters: {P: {Type: String}, Q: {Type: String}}\nResources: {A: {Type: AWS::SNS::Topic}}", "ValidationError", "Parameters: [P, Q] must have values", nil},
		{"unknown", emptyTemplate, "ValidationError", "Parameters: [X, Y] do not exist in the template", with(parameter("Y", ""), parameter("X", ""))},
		{"allowed", declared, "ValidationError", "Parameter 'P' must be one of AllowedValues", with(parameter("P", "c"))},
		{"number", declared, "ValidationError", "Parameter 'N' must be a number not less than 3", with(parameter("N", "2"))},
		{"list", declared, "", "", with(parameter("L", "y, x"))},
		{"pattern", declared, "ValidationError", "Parameter 'W' must match pattern [a-z]+", with(parameter("W", "A"))},
		{"previous", declared, "ValidationError", "usePreviousValue", with(types.Parameter{ParameterKey: aws.String("P"), UsePreviousValue: aws.Bool(true)})},
		{"tags", emptyTemplate, "ValidationError", "aws:", func(in *cloudformation.CreateStackSetInput) {
			in.Tags = []types.Tag{{Key: aws.String("aws:x"), Value: aws.String("y")}}
		}},
	} {
		change := []func(*cloudformation.CreateStackSetInput){}
		if c.change != nil {
			change = append(change, c.change)
		}
		if err := g.create(c.name, c.body, change...); c.code == "" && err != nil || c.code != "" && (code(err) != c.code || !strings.Contains(err.Error(), c.message)) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	off := newStage(t, Options{TrustedAccessOff: true})
	off.wantError(off.create("s", emptyTemplate), "ValidationError", "You must enable organizations access to operate a service managed stack set")
	if _, err := off.api.ActivateOrganizationsAccess(t.Context(), &cloudformation.ActivateOrganizationsAccessInput{}); err != nil {
		t.Fatal(err)
	}
	if err := off.create("s", emptyTemplate); err != nil {
		t.Error(err)
	}
}

func TestTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 30, Empty: true})
		w := g.sim.world
		var prod string
		for id, ou := range w.ous {
			if ou.Name == "Prod" {
				prod = id
			}
		}
		var inside, outside []string
		for _, id := range g.members() {
			if w.under(w.accounts[id], prod) {
				inside = append(inside, id)
			} else {
				outside = append(outside, id)
			}
		}
		if err := g.create("s", emptyTemplate); err != nil {
			t.Fatal(err)
		}
		targets := func(filter types.AccountFilterType, accounts ...string) *types.DeploymentTargets {
			return &types.DeploymentTargets{OrganizationalUnitIds: []string{prod}, Accounts: accounts, AccountFilterType: filter}
		}
		for _, c := range []struct {
			name string
			to   *types.DeploymentTargets
			want int
		}{
			{"everything below the OU", targets(""), len(inside)},
			{"NONE", targets("NONE"), len(inside)},
			{"INTERSECTION", targets("INTERSECTION", inside[0], outside[0]), 1},
			{"DIFFERENCE", targets("DIFFERENCE", inside[0]), len(inside) - 1},
			{"the management account", g.only(w.management), 0},
		} {
			op := g.deploy("s", c.to, []string{"us-east-1"})
			active := 0
			for _, r := range g.results("s", op) {
				if r.Status == "SUCCEEDED" {
					active++
				}
				if *r.OrganizationalUnitId != prod && c.name != "the management account" {
					t.Errorf("%s: %s is not the id that was named", c.name, *r.OrganizationalUnitId)
				}
			}
			if active != c.want {
				t.Errorf("%s: %d accounts, not %d", c.name, active, c.want)
			}
		}
		create := func(to *types.DeploymentTargets, regions ...string) error {
			_, err := g.api.CreateStackInstances(t.Context(), &cloudformation.CreateStackInstancesInput{StackSetName: aws.String("s"), Regions: regions, DeploymentTargets: to})
			return err
		}
		many := make([]string, 51)
		for i := range many {
			many[i] = prod
		}
		for message, err := range map[string]error{
			"length less than or equal to 50":                      create(&types.DeploymentTargets{OrganizationalUnitIds: many}, "us-east-1"),
			"only have OrganizationalUnit as target":               create(&types.DeploymentTargets{Accounts: inside[:1]}, "us-east-1"),
			"UNION is not supported for CreateStackInstances":      create(targets("UNION", inside[0]), "us-east-1"),
			"AccountFilterType must be specified":                  create(targets("", inside[0]), "us-east-1"),
			"not enabled in the administrator account":             create(targets(""), "me-central-1"),
			"OrganizationalUnit ou-none-12345678 does not exist":   create(&types.DeploymentTargets{OrganizationalUnitIds: []string{"ou-none-12345678"}}, "us-east-1"),
			"Account 000000000000 does not belong":                 create(targets("INTERSECTION", "000000000000"), "us-east-1"),
			"Region us-east-1 is named twice":                      create(targets(""), "us-east-1", "us-east-1"),
			"Accounts must be specified with AccountFilterType DI": create(targets("DIFFERENCE"), "us-east-1"),
		} {
			g.wantError(err, "ValidationError", message)
		}
		// What was not deployed cannot be updated, and a delete needs an OU.
		update := func(to *types.DeploymentTargets) error {
			_, err := g.api.UpdateStackInstances(t.Context(), &cloudformation.UpdateStackInstancesInput{StackSetName: aws.String("s"), Regions: []string{"us-east-1"}, DeploymentTargets: to})
			return err
		}
		g.wantError(update(&types.DeploymentTargets{Accounts: outside[:1]}), "StackInstanceNotFoundException", "")
		for id, ou := range w.ous {
			if ou.Name == "Security" {
				g.wantError(update(&types.DeploymentTargets{OrganizationalUnitIds: []string{id}}), "ValidationError", "Organizational unit "+id+" not found in StackSet")
			}
		}
		_, err := g.api.DeleteStackInstances(t.Context(), &cloudformation.DeleteStackInstancesInput{StackSetName: aws.String("s"), Regions: []string{"us-east-1"}, DeploymentTargets: &types.DeploymentTargets{Accounts: inside[:1]}, RetainStacks: aws.Bool(false)})
		g.wantError(err, "ValidationError", "only have OrganizationalUnit as target")
		if err := update(&types.DeploymentTargets{Accounts: inside[:1]}); err != nil {
			t.Error(err)
		}
	})
}

// Lists come in pages of at most 100 and take the filters that the API has.
func TestLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 130, Empty: true})
		if err := g.create("s", emptyTemplate); err != nil {
			t.Fatal(err)
		}
		first := g.deploy("s", &types.DeploymentTargets{OrganizationalUnitIds: []string{g.root}}, []string{"us-east-1", "eu-west-1"})
		all := g.list(&cloudformation.ListStackInstancesInput{StackSetName: aws.String("s")})
		if len(all) != 2*129 || g.sim.Stats().Calls["cloudformation:ListStackInstances"] != 3 {
			t.Errorf("%d instances in %d calls", len(all), g.sim.Stats().Calls["cloudformation:ListStackInstances"])
		}
		seen := map[string]bool{}
		for _, i := range all {
			seen[*i.Account+*i.Region] = true
			if i.StackInstanceStatus == nil || *i.StackSetId == "" || i.DriftStatus != "NOT_CHECKED" {
				t.Fatalf("%+v", i)
			}
		}
		if len(seen) != len(all) {
			t.Error("an instance comes twice")
		}
		id := g.members()[0]
		again := g.deploy("s", g.only(id), []string{"us-east-1"})
		filter := func(name types.StackInstanceFilterName, value string) int {
			return len(g.list(&cloudformation.ListStackInstancesInput{StackSetName: aws.String("s"), Filters: []types.StackInstanceFilter{{Name: name, Values: &value}}}))
		}
		if n := filter("LAST_OPERATION_ID", *again.OperationId); n != 1 {
			t.Error(n)
		}
		if n := filter("LAST_OPERATION_ID", *first.OperationId); n != len(all)-1 {
			t.Error(n)
		}
		if n, m := filter("DETAILED_STATUS", "SKIPPED_SUSPENDED_ACCOUNT"), filter("DETAILED_STATUS", "SUCCEEDED"); n == 0 || n+m != len(all) {
			t.Error(n, m)
		}
		if n := len(g.list(&cloudformation.ListStackInstancesInput{StackSetName: aws.String("s"), StackInstanceAccount: &id, StackInstanceRegion: aws.String("eu-west-1")})); n != 1 {
			t.Error(n)
		}
		_, err := g.api.ListStackInstances(t.Context(), &cloudformation.ListStackInstancesInput{StackSetName: aws.String("s"), MaxResults: aws.Int32(101)})
		g.wantError(err, "ValidationError", "maxResults")
		results, err := g.api.ListStackSetOperationResults(t.Context(), &cloudformation.ListStackSetOperationResultsInput{StackSetName: aws.String("s"), OperationId: first.OperationId, Filters: []types.OperationResultFilter{{Name: "OPERATION_RESULT_STATUS", Values: aws.String("FAILED")}}})
		if err != nil || len(results.Summaries) != 0 {
			t.Error(results, err)
		}
		set, err := g.api.DescribeStackSet(t.Context(), &cloudformation.DescribeStackSetInput{StackSetName: aws.String("s")})
		if err != nil || strings.Join(set.StackSet.Regions, " ") != "eu-west-1 us-east-1" || strings.Join(set.StackSet.OrganizationalUnitIds, " ") != g.root {
			t.Errorf("%+v %v", set.StackSet, err)
		}
		op := g.operation("s", again.OperationId)
		if p := op.OperationPreferences; *p.MaxConcurrentPercentage != 100 || *p.FailureTolerancePercentage != 100 || p.ConcurrencyMode != "SOFT_FAILURE_TOLERANCE" || op.DeploymentTargets.Accounts[0] != id {
			t.Errorf("%+v", op)
		}
	})
}

// The stacks in an account are there to be looked at.
func TestStacksAreReadable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 12, Empty: true})
		id := g.enterable()
		body := "Description: d\nResources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: t}}}\nOutputs: {Arn: {Value: !Ref T}}"
		if err := g.create("s", body); err != nil {
			t.Fatal(err)
		}
		g.deploy("s", g.only(id), []string{"us-east-1"})
		api := g.enter(id)
		name := g.instance("s", id, "us-east-1").StackId
		stacks, err := api.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: name})
		if err != nil || len(stacks.Stacks) != 1 || stacks.Stacks[0].StackStatus != "CREATE_COMPLETE" || *stacks.Stacks[0].Outputs[0].OutputValue != "arn:aws:sns:us-east-1:"+id+":t" {
			t.Errorf("%+v %v", stacks, err)
		}
		resources, err := api.DescribeStackResources(t.Context(), &cloudformation.DescribeStackResourcesInput{StackName: name})
		if err != nil || len(resources.StackResources) != 1 || *resources.StackResources[0].LogicalResourceId != "T" {
			t.Errorf("%+v %v", resources, err)
		}
		if events, err := api.DescribeStackEvents(t.Context(), &cloudformation.DescribeStackEventsInput{StackName: name}); err != nil || len(events.StackEvents) != 2 {
			t.Errorf("%+v %v", events, err)
		}
		if list, err := api.ListStacks(t.Context(), &cloudformation.ListStacksInput{StackStatusFilter: []types.StackStatus{"CREATE_COMPLETE"}}); err != nil || len(list.StackSummaries) != 1 {
			t.Errorf("%+v %v", list, err)
		}
		if got, err := api.GetTemplate(t.Context(), &cloudformation.GetTemplateInput{StackName: name}); err != nil || *got.TemplateBody != body {
			t.Error(err)
		}
		_, err = api.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("none")})
		g.wantError(err, "ValidationError", "Stack with id none does not exist")
		valid, err := g.api.ValidateTemplate(t.Context(), &cloudformation.ValidateTemplateInput{TemplateBody: catalog(t, "default-security-group-enforce")})
		if err != nil || len(valid.Parameters) < 5 || valid.Capabilities[0] != "CAPABILITY_IAM" {
			t.Errorf("%+v %v", valid, err)
		}
		if known, err := g.api.DescribeType(t.Context(), &cloudformation.DescribeTypeInput{Type: "RESOURCE", TypeName: aws.String("AWS::SNS::Topic")}); err != nil || known.Visibility != "PUBLIC" {
			t.Error(err)
		}
		_, err = g.api.DescribeType(t.Context(), &cloudformation.DescribeTypeInput{Type: "RESOURCE", TypeName: aws.String("AWS::Not::There")})
		g.wantError(err, "TypeNotFoundException", "AWS::Not::There")
		summary, err := g.api.GetTemplateSummary(t.Context(), &cloudformation.GetTemplateSummaryInput{StackSetName: aws.String("s")})
		if err != nil || strings.Join(summary.ResourceTypes, " ") != "AWS::SNS::Topic" {
			t.Errorf("%+v %v", summary, err)
		}
	})
}
