package simaws

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Retained stacks come back by an import, with their own values as overrides; one
// whose template is another cannot.
func TestRetainedStacksAreImported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 12, Empty: true})
		a, b, home := g.members()[0], g.members()[1], []string{"us-east-1"}
		for _, name := range []string{"old", "new"} {
			if err := g.create(name, roleTemplate); err != nil {
				t.Fatal(err)
			}
		}
		if err := g.create("other", emptyTemplate); err != nil {
			t.Fatal(err)
		}
		g.deploy("old", g.only(a, b), home, func(in *cloudformation.CreateStackInstancesInput) {
			in.ParameterOverrides = []types.Parameter{parameter("Note", "mine")}
		})
		ids := []string{*g.instance("old", a, "us-east-1").StackId, *g.instance("old", b, "us-east-1").StackId}
		take := func(into string, ids ...string) (*types.StackSetOperation, error) {
			out, err := g.api.ImportStacksToStackSet(t.Context(), &cloudformation.ImportStacksToStackSetInput{StackSetName: &into, StackIds: ids, OrganizationalUnitIds: []string{g.root}, OperationPreferences: everywhere()})
			if err != nil {
				return nil, err
			}
			return g.wait(into, out.OperationId), nil
		}
		// A stack that belongs to a set cannot be taken.
		op, err := take("new", ids[0])
		if err != nil || op.Status != "SUCCEEDED" || *op.StatusDetails.FailedStackInstancesCount != 1 {
			t.Fatalf("%v %+v", err, op)
		}
		if in := g.instance("new", a, "us-east-1"); in.Status != "INOPERABLE" || in.StackInstanceStatus.DetailedStatus != types.StackInstanceDetailedStatusFailedImport {
			t.Errorf("%s %s", in.Status, in.StackInstanceStatus.DetailedStatus)
		}
		g.delete("new", g.only(a), home, true)
		g.delete("old", g.only(a, b), home, true)
		if op, err = take("new", ids...); err != nil || op.Status != "SUCCEEDED" || op.Action != "CREATE" {
			t.Fatalf("%v %+v", err, op)
		}
		in := g.instance("new", b, "us-east-1")
		if in.Status != "CURRENT" || *in.StackId != ids[1] || len(in.ParameterOverrides) != 1 || *in.ParameterOverrides[0].ParameterValue != "mine" {
			t.Errorf("%+v", in)
		}
		_, err = take("new", ids[0])
		g.wantError(err, "ValidationError", "already exists")
		_, err = take("new", "arn:aws:s3:::x")
		g.wantError(err, "ValidationError", "not an ARN of a stack")
		// It is the set's now: an update reaches it, a delete takes it away.
		out, err := g.api.UpdateStackSet(t.Context(), &cloudformation.UpdateStackSetInput{StackSetName: aws.String("new"), UsePreviousTemplate: aws.Bool(true), Parameters: []types.Parameter{parameter("Note", "theirs")},
			Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}, OperationPreferences: everywhere()})
		if err != nil {
			t.Fatal(err)
		}
		if op := g.wait("new", out.OperationId); op.Status != "SUCCEEDED" {
			t.Error(op.Status)
		}
		g.delete("new", g.only(a), home, true)
		if op, err = take("other", ids[0]); err != nil || *op.StatusDetails.FailedStackInstancesCount != 1 {
			t.Errorf("another template: %v %+v", err, op)
		}
		g.delete("new", g.only(b), home, false)
		if g.sim.HasRole(b, "worker-us-east-1") {
			t.Error("what was imported is not deleted")
		}
	})
}

// An import that failed can be tried again once its cause is gone; up to 200 stacks
// may stand in a file; a set can take its template from a stack.
func TestImportsAreRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 12, Empty: true})
		a, home := g.members()[0], []string{"us-east-1"}
		if err := g.create("old", roleTemplate); err != nil {
			t.Fatal(err)
		}
		g.deploy("old", g.only(a), home)
		id := *g.instance("old", a, "us-east-1").StackId
		if err := g.create("new", "", func(in *cloudformation.CreateStackSetInput) { in.TemplateBody, in.StackId = nil, &id }); err != nil {
			t.Fatal(err)
		}
		if set, err := g.api.DescribeStackSet(t.Context(), &cloudformation.DescribeStackSetInput{StackSetName: aws.String("new")}); err != nil || *set.StackSet.TemplateBody != roleTemplate {
			t.Error("the set has not the stack's template", err)
		}
		g.wantError(g.create("both", emptyTemplate, func(in *cloudformation.CreateStackSetInput) { in.StackId = &id }), "ValidationError", "either StackId or a template")
		g.wantError(g.create("none", "", func(in *cloudformation.CreateStackSetInput) {
			in.TemplateBody, in.StackId = nil, aws.String(id[:len(id)-1]+"x")
		}), "ValidationError", "does not exist")
		take := func(change func(*cloudformation.ImportStacksToStackSetInput)) (*types.StackSetOperation, error) {
			in := &cloudformation.ImportStacksToStackSetInput{StackSetName: aws.String("new"), OrganizationalUnitIds: []string{g.root}, OperationPreferences: everywhere()}
			change(in)
			out, err := g.api.ImportStacksToStackSet(t.Context(), in)
			if err != nil {
				return nil, err
			}
			return g.wait("new", out.OperationId), nil
		}
		byURL := func(text string) func(*cloudformation.ImportStacksToStackSetInput) {
			g.put("lists", "stacks.csv", text)
			return func(in *cloudformation.ImportStacksToStackSetInput) {
				in.StackIdsUrl = aws.String("s3://lists/stacks.csv")
			}
		}
		if op, err := take(byURL(id)); err != nil || *op.StatusDetails.FailedStackInstancesCount != 1 {
			t.Fatal("a stack of another set is taken:", err)
		}
		if in := g.instance("new", a, "us-east-1"); in.StackInstanceStatus.DetailedStatus != "FAILED_IMPORT" {
			t.Errorf("%+v", in)
		}
		g.delete("old", g.only(a), home, true)
		if op, err := take(byURL(id)); err != nil || op.Status != "SUCCEEDED" || *op.StatusDetails.FailedStackInstancesCount != 0 {
			t.Fatalf("tried again: %v %+v", err, op)
		}
		if in := g.instance("new", a, "us-east-1"); in.Status != "CURRENT" || in.StackInstanceStatus.DetailedStatus != "SUCCEEDED" || *in.StackId != id || in.StatusReason != nil {
			t.Errorf("%+v", in)
		}
		_, err := take(byURL(strings.Repeat(id+"\n", maxImportedByURL+1)))
		g.wantError(err, "LimitExceededException", "200")
		_, err = take(func(in *cloudformation.ImportStacksToStackSetInput) {
			byURL(id)(in)
			in.StackIds = []string{id}
		})
		g.wantError(err, "ValidationError", "either StackIds or StackIdsUrl")
	})
}
