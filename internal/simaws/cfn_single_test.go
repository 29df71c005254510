package simaws

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// desk is one account's CloudFormation with a clock that the test moves.
type desk struct {
	*testing.T
	sim *Sim
	api *cloudformation.Client
	now time.Time
}

func newDesk(t *testing.T) *desk {
	d := &desk{T: t, now: time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)}
	d.sim = New(Options{Now: func() time.Time { return d.now }})
	d.api = cloudformation.NewFromConfig(sdk(d.sim, "us-east-1"))
	return d
}

func (d *desk) pass() { d.now = d.now.Add(10 * time.Minute) }

func (d *desk) create(name, body string, change ...func(*cloudformation.CreateStackInput)) error {
	in := &cloudformation.CreateStackInput{StackName: &name, TemplateBody: &body, Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}}
	for _, f := range change {
		f(in)
	}
	_, err := d.api.CreateStack(d.Context(), in)
	return err
}

func (d *desk) update(name, body string, change ...func(*cloudformation.UpdateStackInput)) error {
	in := &cloudformation.UpdateStackInput{StackName: &name, TemplateBody: &body, Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}}
	for _, f := range change {
		f(in)
	}
	_, err := d.api.UpdateStack(d.Context(), in)
	return err
}

func (d *desk) delete(name string, retain ...string) error {
	_, err := d.api.DeleteStack(d.Context(), &cloudformation.DeleteStackInput{StackName: &name, RetainResources: retain})
	return err
}

func (d *desk) stack(name string) types.Stack {
	d.Helper()
	out, err := d.api.DescribeStacks(d.Context(), &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil {
		return types.Stack{StackStatus: types.StackStatus(code(err))}
	}
	return out.Stacks[0]
}

func (d *desk) wants(name string, want types.StackStatus) types.Stack {
	d.Helper()
	st := d.stack(name)
	if st.StackStatus != want {
		d.Errorf("%s: %s (%s), want %s", name, st.StackStatus, aws.ToString(st.StackStatusReason), want)
	}
	return st
}

// history gives the stack's own statuses, oldest first.
func (d *desk) history(name string) (list []string) {
	d.Helper()
	out, err := d.api.DescribeStackEvents(d.Context(), &cloudformation.DescribeStackEventsInput{StackName: &name})
	if err != nil {
		d.Fatal(err)
	}
	for _, e := range slices.Backward(out.StackEvents) {
		if *e.ResourceType == stackType {
			list = append(list, string(e.ResourceStatus))
		}
	}
	return list
}

func (d *desk) refuses(err error, want, message string) {
	d.Helper()
	if code(err) != want || !strings.Contains(err.Error(), message) {
		d.Errorf("%v, want %s: %s", err, want, message)
	}
}

func topic(name string) string {
	return `{"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "` + name + `"}}}, "Outputs": {"Name": {"Value": {"Fn::GetAtt": ["Topic", "TopicName"]}}}}`
}

// roles makes two roles, the second of which may be in the way.
func roles(second string) string {
	role := `{"Type": "AWS::IAM::Role", "Properties": {"RoleName": "NAME", "AssumeRolePolicyDocument": {"Statement": []}}`
	return `{"Resources": {"First": ` + strings.Replace(role, "NAME", "first-one", 1) + `}, "Second": ` + strings.Replace(role, "NAME", second, 1) + `, "DependsOn": "First"}}}`
}

func TestAStackLives(t *testing.T) {
	d := newDesk(t)
	token := func(in *cloudformation.CreateStackInput) { in.ClientRequestToken = aws.String("t") }
	if err := d.create("one", topic("a"), token); err != nil {
		t.Fatal(err)
	}
	if err := d.create("one", topic("a"), token); err != nil {
		t.Error("the same token again:", err)
	}
	d.refuses(d.create("one", topic("a")), "AlreadyExistsException", "Stack [one] already exists")
	d.wants("one", "CREATE_IN_PROGRESS")
	d.refuses(d.update("one", topic("b")), "ValidationError", "is in CREATE_IN_PROGRESS state and can not be updated.")
	d.pass()
	st := d.wants("one", "CREATE_COMPLETE")
	if *st.Outputs[0].OutputValue != "a" {
		t.Error(st.Outputs)
	}
	d.refuses(d.update("one", topic("a")), "ValidationError", noUpdates)
	if err := d.update("one", topic("b")); err != nil {
		t.Fatal(err)
	}
	d.wants("one", "UPDATE_IN_PROGRESS")
	d.refuses(d.delete("one"), "ValidationError", "cannot be deleted while in status UPDATE_IN_PROGRESS")
	d.pass()
	if st := d.wants("one", "UPDATE_COMPLETE"); *st.Outputs[0].OutputValue != "b" {
		t.Error(st.Outputs)
	}
	if err := d.update("one", topic("c")); err != nil {
		t.Fatal(err)
	}
	if _, err := d.api.CancelUpdateStack(t.Context(), &cloudformation.CancelUpdateStackInput{StackName: aws.String("one")}); err != nil {
		t.Fatal(err)
	}
	d.pass()
	if st := d.wants("one", "UPDATE_ROLLBACK_COMPLETE"); *st.Outputs[0].OutputValue != "b" {
		t.Error(st.Outputs)
	}
	protect := func(on bool) {
		if _, err := d.api.UpdateTerminationProtection(t.Context(), &cloudformation.UpdateTerminationProtectionInput{StackName: aws.String("one"), EnableTerminationProtection: &on}); err != nil {
			t.Fatal(err)
		}
	}
	protect(true)
	d.refuses(d.delete("one"), "ValidationError", "cannot be deleted while TerminationProtection is enabled")
	protect(false)
	if err := d.delete("one"); err != nil {
		t.Fatal(err)
	}
	d.pass()
	d.wants("one", "ValidationError")
	d.wants(*st.StackId, "DELETE_COMPLETE")
	want := "CREATE_IN_PROGRESS CREATE_COMPLETE UPDATE_IN_PROGRESS UPDATE_COMPLETE_CLEANUP_IN_PROGRESS UPDATE_COMPLETE UPDATE_IN_PROGRESS UPDATE_ROLLBACK_IN_PROGRESS UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS UPDATE_ROLLBACK_COMPLETE DELETE_IN_PROGRESS DELETE_COMPLETE"
	if got := strings.Join(d.history(*st.StackId), " "); got != want {
		t.Errorf("history:\n%s, want\n%s", got, want)
	}
	if err := d.delete("one"); err != nil {
		t.Error("a stack that is gone:", err)
	}
	d.now = d.now.Add(91 * 24 * time.Hour)
	d.wants(*st.StackId, "ValidationError")
}

func TestAStackFails(t *testing.T) {
	on := func(what types.OnFailure) func(*cloudformation.CreateStackInput) {
		return func(in *cloudformation.CreateStackInput) { in.OnFailure = what }
	}
	d := newDesk(t)
	taken := roles("OrganizationAccountAccessRole")
	if err := d.create("in-the-way", strings.ReplaceAll(taken, "first-one", "other")); err != nil {
		t.Fatal(err)
	}
	d.pass()
	bad := taken
	for _, c := range []struct {
		on   types.OnFailure
		want types.StackStatus
		role bool
	}{{"ROLLBACK", "ROLLBACK_COMPLETE", false}, {"", "ROLLBACK_COMPLETE", false}, {"DELETE", "ValidationError", false}, {"DO_NOTHING", "CREATE_FAILED", true}} {
		name := "s" + strings.ReplaceAll(string(c.on), "_", "-")
		if err := d.create(name, bad, on(c.on)); err != nil {
			t.Fatal(err)
		}
		d.pass()
		d.wants(name, c.want)
		if d.sim.HasRole(d.sim.world.management, "first-one") != c.role {
			t.Errorf("%s: the first role is there: %v", c.on, !c.role)
		}
	}
	d.refuses(d.update("s", roles("fine")), "ValidationError", "is in ROLLBACK_COMPLETE state and can not be updated.")
	d.refuses(d.update("sDO-NOTHING", roles("fine")), "ValidationError", "non-terminal [CREATE_FAILED] state")
	if err := d.update("sDO-NOTHING", roles("fine"), func(in *cloudformation.UpdateStackInput) { in.DisableRollback = aws.Bool(true) }); err != nil {
		t.Fatal(err)
	}
	d.pass()
	d.wants("sDO-NOTHING", "UPDATE_COMPLETE")
	if err := d.update("sDO-NOTHING", bad, func(in *cloudformation.UpdateStackInput) { in.DisableRollback = aws.Bool(true) }); err != nil {
		t.Fatal(err)
	}
	d.pass()
	d.wants("sDO-NOTHING", "UPDATE_FAILED")
	if _, err := d.api.RollbackStack(t.Context(), &cloudformation.RollbackStackInput{StackName: aws.String("sDO-NOTHING")}); err != nil {
		t.Fatal(err)
	}
	d.pass()
	d.wants("sDO-NOTHING", "UPDATE_ROLLBACK_COMPLETE")
	if err := d.update("sDO-NOTHING", bad); err != nil {
		t.Fatal(err)
	}
	d.pass()
	d.wants("sDO-NOTHING", "UPDATE_ROLLBACK_COMPLETE")
	if !d.sim.HasRole(d.sim.world.management, "fine") {
		t.Error("the rollback lost a role")
	}
}

func TestStacksRefuse(t *testing.T) {
	d := newDesk(t)
	named := roles("x")
	for _, c := range []struct {
		name, body, code, message string
		change                    func(*cloudformation.CreateStackInput)
	}{
		{"1st", emptyTemplate, "ValidationError", "[a-zA-Z][-a-zA-Z0-9]*", nil},
		{"iam", named, "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_NAMED_IAM]", func(in *cloudformation.CreateStackInput) { in.Capabilities = nil }},
		{"both", emptyTemplate, "ValidationError", "either DisableRollback or OnFailure", func(in *cloudformation.CreateStackInput) {
			in.OnFailure, in.DisableRollback = "DELETE", aws.Bool(true)
		}},
		{"type", `{"Resources": {"A": {"Type": "AWS::No::Such"}}}`, "ValidationError", "Unrecognized resource types: [AWS::No::Such]", nil},
		{"macro", `{"Transform": "Some", "Resources": {"A": {"Type": "AWS::SNS::Topic"}}}`, "InsufficientCapabilitiesException", "CAPABILITY_AUTO_EXPAND", nil},
		{"minutes", emptyTemplate, "ValidationError", "greater than or equal to 1", func(in *cloudformation.CreateStackInput) { in.TimeoutInMinutes = aws.Int32(0) }},
		{"token", emptyTemplate, "ValidationError", "clientRequestToken", func(in *cloudformation.CreateStackInput) { in.ClientRequestToken = aws.String("-") }},
	} {
		err := d.create(c.name, c.body, func(in *cloudformation.CreateStackInput) {
			if c.change != nil {
				c.change(in)
			}
		})
		d.refuses(err, c.code, c.message)
		d.wants(c.name, "ValidationError")
	}
	d.refuses(d.update("none", emptyTemplate), "ValidationError", "Stack [none] does not exist")
	_, err := d.api.DescribeStackResource(t.Context(), &cloudformation.DescribeStackResourceInput{StackName: aws.String("none"), LogicalResourceId: aws.String("A")})
	d.refuses(err, "ValidationError", "Stack 'none' does not exist")
	_, err = d.api.DescribeStackEvents(t.Context(), &cloudformation.DescribeStackEventsInput{StackName: aws.String("none")})
	d.refuses(err, "ValidationError", "Stack [none] does not exist")
}

// A resource that cannot be deleted stops a deletion, and can be left behind then.
func TestAStackThatCannotBeDeleted(t *testing.T) {
	d := newDesk(t)
	if err := d.create("b", `{"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "full-of-it"}}, "Topic": {"Type": "AWS::SNS::Topic"}}}`); err != nil {
		t.Fatal(err)
	}
	d.pass()
	d.wants("b", "CREATE_COMPLETE")
	d.sim.world.globalBuckets["full-of-it"].Objects["x"] = []byte("x")
	d.refuses(d.delete("b", "Bucket"), "ValidationError", "DELETE_FAILED")
	if err := d.delete("b"); err != nil {
		t.Fatal(err)
	}
	d.pass()
	if st := d.wants("b", "DELETE_FAILED"); !strings.Contains(aws.ToString(st.StackStatusReason), "failed to delete: [Bucket]") {
		t.Error(aws.ToString(st.StackStatusReason))
	}
	out, err := d.api.ListStackResources(t.Context(), &cloudformation.ListStackResourcesInput{StackName: aws.String("b")})
	if err != nil || len(out.StackResourceSummaries) != 2 {
		t.Fatal(out, err)
	}
	if err := d.delete("b", "Bucket"); err != nil {
		t.Fatal(err)
	}
	d.pass()
	d.wants("b", "ValidationError")
	if d.sim.world.globalBuckets["full-of-it"] == nil {
		t.Error("the retained bucket is gone")
	}
	list, err := d.api.ListStacks(t.Context(), &cloudformation.ListStacksInput{StackStatusFilter: []types.StackStatus{"DELETE_COMPLETE"}})
	if err != nil || len(list.StackSummaries) != 1 {
		t.Error(list, err)
	}
}

func TestTemplateURL(t *testing.T) {
	d := newDesk(t)
	a := d.sim.world.accounts[d.sim.world.management]
	a.buckets["mine"] = &bucket{Name: "mine", Owner: a.ID, Region: "us-east-1", Objects: map[string][]byte{"a/b.json": []byte(topic("a"))}}
	d.sim.world.globalBuckets["theirs"] = &bucket{Name: "theirs"}
	for at, want := range map[string]string{
		"https://mine.s3.us-east-1.amazonaws.com/a/b.json": "",
		"https://s3.amazonaws.com/mine/a/b.json":           "",
		"https://s3-eu-west-1.amazonaws.com/mine/a/b.json": "",
		"https://mine.s3.amazonaws.com/none":               "The specified key does not exist.",
		"https://nobodys.s3.amazonaws.com/a/b.json":        "The specified bucket does not exist",
		"https://theirs.s3.amazonaws.com/a/b.json":         "Access Denied",
		"https://example.com/a":                            "TemplateURL must be a supported URL.",
		"http://mine.s3.amazonaws.com/a/b.json":            "TemplateURL must be a supported URL.",
		"https://s3.amazonaws.com/":                        "TemplateURL must reference a valid S3 object to which you have access.",
	} {
		_, err := d.api.ValidateTemplate(t.Context(), &cloudformation.ValidateTemplateInput{TemplateURL: &at})
		if want == "" && err != nil {
			t.Errorf("%s: %v", at, err)
		}
		if want != "" {
			d.refuses(err, "ValidationError", want)
		}
	}
}
