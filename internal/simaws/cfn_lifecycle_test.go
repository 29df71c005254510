package simaws

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// An instance's life: created, outdated by a change of the set, updated, deleted,
// created again.
func TestInstancesComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 12, Empty: true})
		a, b := g.members()[0], g.members()[1]
		home := []string{"us-east-1"}
		if err := g.create("s", roleTemplate); err != nil {
			t.Fatal(err)
		}
		g.deploy("s", g.only(a, b), home)
		in := g.instance("s", a, "us-east-1")
		if in.Status != "CURRENT" || in.StackInstanceStatus.DetailedStatus != "SUCCEEDED" || *in.OrganizationalUnitId != g.root ||
			!strings.HasPrefix(*in.StackId, "arn:aws:cloudformation:us-east-1:"+a+":stack/StackSet-s-") {
			t.Errorf("%+v", in)
		}
		// Again: nothing to do, and that is a success.
		for _, r := range g.results("s", g.deploy("s", g.only(a, b), home)) {
			if r.Status != "SUCCEEDED" || aws.ToString(r.StatusReason) != noUpdates || r.AccountGateResult.Status != "SKIPPED" {
				t.Errorf("%+v", r)
			}
		}
		// A canary: all become OUTDATED, one is updated.
		out, err := g.api.UpdateStackSet(t.Context(), &cloudformation.UpdateStackSetInput{
			StackSetName: aws.String("s"), UsePreviousTemplate: aws.Bool(true), Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam},
			Parameters: []types.Parameter{parameter("Note", "two")}, Regions: home, DeploymentTargets: g.only(a),
		})
		if err != nil {
			t.Fatal(err)
		}
		if op := g.wait("s", out.OperationId); op.Status != "SUCCEEDED" || op.Action != "UPDATE" {
			t.Error(op.Status)
		}
		if one, two := g.instance("s", a, "us-east-1"), g.instance("s", b, "us-east-1"); one.Status != "CURRENT" || two.Status != "OUTDATED" || two.StackInstanceStatus.DetailedStatus != "SUCCEEDED" {
			t.Error(one.Status, two.Status)
		}
		if role := g.sim.world.accounts[a].roles["worker-us-east-1"]; role.Description != "two" {
			t.Error("the role was not updated:", role.Description)
		}
		// Away with one, its stack left behind; away with the other.
		g.delete("s", g.only(a), home, true)
		if g.instance("s", a, "us-east-1") != nil || !g.sim.HasRole(a, "worker-us-east-1") || len(g.sim.world.accounts[a].region("us-east-1").stacks) != 1 {
			t.Error("a retained stack stays, its instance goes")
		}
		_, err = g.api.DeleteStackSet(t.Context(), &cloudformation.DeleteStackSetInput{StackSetName: aws.String("s")})
		g.wantError(err, "StackSetNotEmptyException", "StackSet is not empty")
		g.delete("s", g.only(b), home, false)
		if g.sim.HasRole(b, "worker-us-east-1") {
			t.Error("the role is still there")
		}
		if op := g.deploy("s", g.only(b), home); op.Status != "SUCCEEDED" || g.instance("s", b, "us-east-1").Status != "CURRENT" {
			t.Error("deploy after remove:", op.Status)
		}
		// The name that the retained stack holds is in the way now.
		if op := g.deploy("s", g.only(a), home); op.Status != "SUCCEEDED" || *op.StatusDetails.FailedStackInstancesCount != 1 {
			t.Error("an operation may succeed with instances that failed:", op.Status)
		}
		if in := g.instance("s", a, "us-east-1"); in.Status != "OUTDATED" || in.StackInstanceStatus.DetailedStatus != "FAILED" || !strings.Contains(*in.StatusReason, "HandlerErrorCode: AlreadyExists") {
			t.Errorf("%+v", in)
		}
		// The failed create left nothing, so it can be tried again once the way is free.
		g.sim.RemoveRole(a, "worker-us-east-1")
		if g.deploy("s", g.only(a), home); g.instance("s", a, "us-east-1").Status != "CURRENT" {
			t.Error("the second try fails")
		}
	})
}

// What fails to be deleted is INOPERABLE: updates pass it over, only retaining
// gets rid of it.
func TestInoperable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 12, Empty: true})
		id, home := g.members()[0], []string{"us-east-1"}
		if err := g.create("s", `{"Resources": {"B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": "data-${AWS::AccountId}"}}}}}`); err != nil {
			t.Fatal(err)
		}
		g.deploy("s", g.only(id), home)
		g.sim.change(id, func(a *account) { a.buckets["data-"+id].Objects = map[string][]byte{"x": nil} })
		op := g.delete("s", g.only(id), home, false)
		in := g.instance("s", id, "us-east-1")
		if in == nil || in.Status != "INOPERABLE" || in.StackInstanceStatus.DetailedStatus != "INOPERABLE" || !strings.Contains(*in.StatusReason, "The bucket you tried to delete is not empty") {
			t.Fatalf("%+v", in)
		}
		if g.count("s", op)["FAILED"] != 1 {
			t.Error(g.count("s", op))
		}
		out, err := g.api.UpdateStackSet(t.Context(), &cloudformation.UpdateStackSetInput{StackSetName: aws.String("s"), UsePreviousTemplate: aws.Bool(true), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}})
		if err != nil {
			t.Fatal(err)
		}
		updated := g.wait("s", out.OperationId)
		if in := g.instance("s", id, "us-east-1"); in.Status != "INOPERABLE" || len(g.results("s", updated)) != 0 {
			t.Error("an update makes it", in.Status)
		}
		g.delete("s", g.only(id), home, true)
		if g.instance("s", id, "us-east-1") != nil {
			t.Error("it is still there")
		}
	})
}

// Accounts that are not active are skipped and do not count; the management
// account is left out without a word.
func TestWhoIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 30})
		if err := g.create("s", emptyTemplate); err != nil {
			t.Fatal(err)
		}
		op := g.deploy("s", &types.DeploymentTargets{OrganizationalUnitIds: []string{g.root}}, []string{"us-east-1"}, func(in *cloudformation.CreateStackInstancesInput) {
			in.OperationPreferences = &types.StackSetOperationPreferences{MaxConcurrentPercentage: aws.Int32(100), ConcurrencyMode: "SOFT_FAILURE_TOLERANCE"}
		})
		if op.Status != "SUCCEEDED" {
			t.Error(op.Status)
		}
		skipped := 0
		for _, a := range g.sim.Accounts() {
			in := g.instance("s", a.ID, "us-east-1")
			switch {
			case a.Management && in == nil:
			case a.State == "SUSPENDED" && in != nil && in.StackInstanceStatus.DetailedStatus == "SKIPPED_SUSPENDED_ACCOUNT" && in.StackId == nil:
				skipped++
			case a.State == "ACTIVE" && in != nil && in.Status == "CURRENT":
			default:
				t.Errorf("%+v: %+v", a, in)
			}
		}
		if skipped == 0 {
			t.Error("no account is suspended")
		}
		// They are skipped by a delete too, unless their stacks are retained.
		all := &types.DeploymentTargets{OrganizationalUnitIds: []string{g.root}}
		g.delete("s", all, []string{"us-east-1"}, false)
		left := g.list(&cloudformation.ListStackInstancesInput{StackSetName: aws.String("s")})
		if len(left) != skipped || left[0].StackInstanceStatus.DetailedStatus != "SKIPPED_SUSPENDED_ACCOUNT" {
			t.Errorf("%+v", left)
		}
		g.delete("s", all, []string{"us-east-1"}, true)
		if left := g.list(&cloudformation.ListStackInstancesInput{StackSetName: aws.String("s")}); len(left) != 0 {
			t.Errorf("%+v", left)
		}
		// An OU without accounts is no error.
		g.sim.world.ous["ou-none-00000000"] = &orgUnit{ID: "ou-none-00000000", ParentID: g.root}
		op = g.deploy("s", &types.DeploymentTargets{OrganizationalUnitIds: []string{"ou-none-00000000"}}, []string{"us-east-1"})
		if op.Status != "SUCCEEDED" || len(g.results("s", op)) != 0 {
			t.Error(op.Status)
		}
	})
}

// Overrides are a list: given, it replaces all of them; not given, they stay; they
// outlive an update of the set.
func TestOverrides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 12, Empty: true})
		id, home := g.members()[0], []string{"us-east-1"}
		if err := g.create("s", roleTemplate); err != nil {
			t.Fatal(err)
		}
		show := func() string {
			var out []string
			for _, p := range g.instance("s", id, "us-east-1").ParameterOverrides {
				out = append(out, *p.ParameterKey+"="+*p.ParameterValue)
			}
			return strings.Join(out, " ")
		}
		g.deploy("s", g.only(id), home, func(in *cloudformation.CreateStackInstancesInput) {
			in.ParameterOverrides = []types.Parameter{parameter("Name", "mine"), parameter("Note", "one")}
		})
		if show() != "Name=mine Note=one" || !g.sim.HasRole(id, "mine-us-east-1") {
			t.Error(show())
		}
		for _, i := range g.list(&cloudformation.ListStackInstancesInput{StackSetName: aws.String("s")}) {
			if *i.Account == id && i.Status != "CURRENT" {
				t.Errorf("%+v", i)
			}
		}
		update := func(overrides []types.Parameter) {
			t.Helper()
			out, err := g.api.UpdateStackInstances(t.Context(), &cloudformation.UpdateStackInstancesInput{StackSetName: aws.String("s"), Regions: home, DeploymentTargets: g.only(id), ParameterOverrides: overrides})
			if err != nil {
				t.Fatal(err)
			}
			if op := g.wait("s", out.OperationId); *op.StatusDetails.FailedStackInstancesCount != 0 {
				t.Fatal(g.results("s", op))
			}
		}
		update([]types.Parameter{{ParameterKey: aws.String("Name"), UsePreviousValue: aws.Bool(true)}, parameter("Note", "two")})
		if show() != "Name=mine Note=two" {
			t.Error(show())
		}
		update(nil)
		if show() != "Name=mine Note=two" {
			t.Error("no list leaves them:", show())
		}
		out, err := g.api.UpdateStackSet(t.Context(), &cloudformation.UpdateStackSetInput{StackSetName: aws.String("s"), UsePreviousTemplate: aws.Bool(true), Parameters: []types.Parameter{parameter("Note", "set")}, Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}})
		if err != nil {
			t.Fatal(err)
		}
		g.wait("s", out.OperationId)
		if show() != "Name=mine Note=two" || g.sim.world.accounts[id].roles["mine-us-east-1"].Description != "two" {
			t.Error("an update of the set takes them away:", show())
		}
		update([]types.Parameter{})
		if show() != "" || !g.sim.HasRole(id, "worker-us-east-1") || g.sim.HasRole(id, "mine-us-east-1") {
			t.Error("an empty list takes them away:", show())
		}
		_, err = g.api.UpdateStackInstances(t.Context(), &cloudformation.UpdateStackInstancesInput{StackSetName: aws.String("s"), Regions: home, DeploymentTargets: g.only(id), ParameterOverrides: []types.Parameter{parameter("Other", "x")}})
		g.wantError(err, "ValidationError", "Parameters: [Other] do not exist in the template")
	})
}

// A failed update goes back to what was; a failed create leaves nothing, whatever
// RetainExceptOnCreate says, and leaves what says Retain.
func TestRollback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 12, Empty: true})
		id, home := g.members()[0], []string{"us-east-1"}
		role := func(name, policy string) string {
			return fmt.Sprintf("\n  %s: {Type: AWS::IAM::Role, DeletionPolicy: %s, Properties: {RoleName: %s, Description: %s, AssumeRolePolicyDocument: {Statement: []}}}", name, policy, name, "%s")
		}
		linked := "\n  Z: {Type: AWS::IAM::ServiceLinkedRole, DependsOn: [A, B, C], Properties: {AWSServiceName: config.amazonaws.com}}"
		body := func(note string) string {
			return "Resources:" + strings.ReplaceAll(role("A", "Delete")+role("B", "RetainExceptOnCreate")+role("C", "Retain"), "%s", note)
		}
		g.sim.SetServiceLinkedRole(id, "config.amazonaws.com", true)
		if err := g.create("s", body("one")+linked); err != nil {
			t.Fatal(err)
		}
		g.deploy("s", g.only(id), home)
		if g.sim.HasRole(id, "A") || g.sim.HasRole(id, "B") || !g.sim.HasRole(id, "C") {
			t.Error("after a create that was rolled back only what says Retain is left")
		}
		g.sim.RemoveRole(id, "C")
		if err := g.create("t", body("one")); err != nil {
			t.Fatal(err)
		}
		g.deploy("t", g.only(id), home)
		out, err := g.api.UpdateStackSet(t.Context(), &cloudformation.UpdateStackSetInput{StackSetName: aws.String("t"), TemplateBody: aws.String(body("two") + linked), Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}})
		if err != nil {
			t.Fatal(err)
		}
		op := g.wait("t", out.OperationId)
		if op.Status != "FAILED" || g.sim.world.accounts[id].roles["A"].Description != "one" {
			t.Error(op.Status, g.sim.world.accounts[id].roles["A"].Description)
		}
		in := g.instance("t", id, "us-east-1")
		st := g.sim.world.accounts[id].region("us-east-1").stacks[stackNameOf(*in.StackId)]
		if st.Status != "UPDATE_ROLLBACK_COMPLETE" || in.Status != "OUTDATED" {
			t.Error(st.Status, in.Status)
		}
		// The set keeps its new definition although the operation failed.
		if set, err := g.api.DescribeStackSet(t.Context(), &cloudformation.DescribeStackSetInput{StackSetName: aws.String("t")}); err != nil || !strings.Contains(*set.StackSet.TemplateBody, "Z:") {
			t.Error(err)
		}
		g.delete("t", g.only(id), home, false)
		if g.sim.HasRole(id, "A") || !g.sim.HasRole(id, "B") || !g.sim.HasRole(id, "C") {
			t.Error("on delete, what is retained stays")
		}
	})
}

// A policy that denies what a resource needs, a Region that is off and a Region
// that is denied each fail in AWS's words.
func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 12, Empty: true})
		ids := g.members()
		g.sim.DenyAction(ids[0], "iam:CreateRole")
		g.sim.DenyRegion(ids[1], "eu-south-1")
		for _, id := range ids[:4] {
			g.sim.OptIn(id, "eu-south-1", id != ids[2])
		}
		if err := g.create("s", roleTemplate); err != nil {
			t.Fatal(err)
		}
		results := g.results("s", g.deploy("s", g.only(ids[:4]...), []string{"eu-south-1"}))
		for n, want := range []string{
			"assumed-role/stacksets-exec-", "not authorized to perform: cloudformation:CreateStack on resource: arn:aws:cloudformation:eu-south-1:" + ids[1] + ":stack/StackSet-s-*/* with an explicit deny in a service control policy",
			"STS is not activated in this region for account:" + ids[2], "",
		} {
			r := results[ids[n]+"/eu-south-1"]
			if want == "" && r.Status != "SUCCEEDED" || want != "" && (r.Status != "FAILED" || !strings.Contains(*r.StatusReason, want)) {
				t.Errorf("account %d: %s %s", n, r.Status, aws.ToString(r.StatusReason))
			}
		}
		if reason := *results[ids[0]+"/eu-south-1"].StatusReason; !strings.HasPrefix(reason, "ResourceLogicalId:Role, ResourceType:AWS::IAM::Role, ResourceStatusReason:User: arn:aws:sts::"+ids[0]) || !strings.HasSuffix(reason, "with an explicit deny in a service control policy.") {
			t.Error(reason)
		}
	})
}

// An operation's time: 5 to 15 seconds to begin, some 20 to 60 for an instance.
func TestDurations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, speed := range []float64{1, 60} {
			g := newStage(t, Options{Accounts: 12, Empty: true, Speed: speed})
			if err := g.create("s", roleTemplate); err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			g.deploy("s", g.only(g.members()[0]), []string{"us-east-1"})
			if took := time.Since(begun); took < time.Duration(float64(25*time.Second)/speed) || took > time.Duration(float64(80*time.Second)/speed)+time.Second {
				t.Errorf("at speed %v an operation takes %v", speed, took)
			}
		}
	})
}
