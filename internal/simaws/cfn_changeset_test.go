package simaws

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

func (d *desk) change(stack, name, body string, change ...func(*cloudformation.CreateChangeSetInput)) *cloudformation.DescribeChangeSetOutput {
	d.Helper()
	in := &cloudformation.CreateChangeSetInput{StackName: &stack, ChangeSetName: &name, TemplateBody: &body, Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}}
	for _, f := range change {
		f(in)
	}
	if _, err := d.api.CreateChangeSet(d.Context(), in); err != nil {
		d.Fatal(err)
	}
	d.pass()
	out, err := d.api.DescribeChangeSet(d.Context(), &cloudformation.DescribeChangeSetInput{StackName: &stack, ChangeSetName: &name, IncludePropertyValues: aws.Bool(true)})
	if err != nil {
		d.Fatal(err)
	}
	return out
}

func (d *desk) execute(stack, name string) error {
	_, err := d.api.ExecuteChangeSet(d.Context(), &cloudformation.ExecuteChangeSetInput{StackName: &stack, ChangeSetName: &name})
	return err
}

func TestChangeSets(t *testing.T) {
	d := newDesk(t)
	create := func(in *cloudformation.CreateChangeSetInput) { in.ChangeSetType = "CREATE" }
	if out := d.change("s", "first", roleTemplate, create); len(out.Changes) != 2 || out.Changes[0].ResourceChange.Action != "Add" || out.ExecutionStatus != "AVAILABLE" {
		t.Errorf("%+v", out)
	}
	d.wants("s", "REVIEW_IN_PROGRESS")
	d.change("s", "other", roleTemplate, create)
	if err := d.execute("s", "first"); err != nil {
		t.Fatal(err)
	}
	d.pass()
	d.wants("s", "CREATE_COMPLETE")
	d.refuses(d.execute("s", "other"), "ChangeSetNotFound", "ChangeSet [other] does not exist")
	none := d.change("s", "none", roleTemplate)
	if none.Status != "FAILED" || *none.StatusReason != noChanges || none.ExecutionStatus != "UNAVAILABLE" {
		t.Errorf("%+v", none)
	}
	d.refuses(d.execute("s", "none"), "InvalidChangeSetStatus", "[UNAVAILABLE]")
	with := func(key, value string) func(*cloudformation.CreateChangeSetInput) {
		return func(in *cloudformation.CreateChangeSetInput) {
			in.Parameters = []types.Parameter{parameter(key, value)}
		}
	}
	note := d.change("s", "note", roleTemplate, with("Note", "new")).Changes
	if len(note) != 1 {
		t.Fatalf("%+v", note)
	}
	r := note[0].ResourceChange
	if r.Action != "Modify" || r.Replacement != "False" || len(r.Details) != 2 || *r.Details[0].CausingEntity != "Note" || r.Details[0].ChangeSource != "ParameterReference" ||
		r.Details[1].Evaluation != "Dynamic" || *r.Details[0].Target.BeforeValue != "none" || *r.Details[0].Target.AfterValue != "new" || r.Details[0].Target.RequiresRecreation != "Never" {
		t.Errorf("%+v", r)
	}
	name := d.change("s", "name", roleTemplate, with("Name", "other")).Changes
	if r := name[0].ResourceChange; r.Replacement != "True" || r.PolicyAction != "ReplaceAndDelete" || r.Details[0].Target.RequiresRecreation != "Always" {
		t.Errorf("%+v", r)
	}
	gone := d.change("s", "gone", `{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}`).Changes
	if r := gone[0].ResourceChange; len(gone) != 1 || r.Action != "Remove" || *r.LogicalResourceId != "Role" || r.PolicyAction != "Delete" {
		t.Errorf("%+v", gone)
	}
	list, err := d.api.ListChangeSets(t.Context(), &cloudformation.ListChangeSetsInput{StackName: aws.String("s")})
	if err != nil || len(list.Summaries) != 4 {
		t.Error(list, err)
	}
	if err := d.execute("s", "name"); err != nil {
		t.Fatal(err)
	}
	d.pass()
	d.wants("s", "UPDATE_COMPLETE")
	if !d.sim.HasRole(d.sim.world.management, "other-us-east-1") || d.sim.HasRole(d.sim.world.management, "worker-us-east-1") {
		t.Error("the role was not replaced")
	}
}
