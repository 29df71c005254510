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

const inTheWay = `{"Type": "AWS::IAM::Role", "Properties": {"RoleName": "OrganizationAccountAccessRole", "AssumeRolePolicyDocument": {"Statement": []}}, "DependsOn": "%s"}`

func bucketAnd(name, more string) string {
	return `{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}, "Bucket": {"Type": "AWS::S3::Bucket", "DependsOn": "Topic", "Properties": {"BucketName": "` + name + `"}}` + more + `}}`
}

// occupied has a role of the management account's that others cannot make.
func occupied(t *testing.T) *desk {
	d := newDesk(t)
	a := d.sim.world.accounts[d.sim.world.management]
	a.roles["OrganizationAccountAccessRole"] = &iamRole{Name: "OrganizationAccountAccessRole", ARN: "arn:aws:iam::" + a.ID + ":role/OrganizationAccountAccessRole"}
	return d
}

func (d *desk) fill(bucket string, with ...string) {
	b := d.sim.world.globalBuckets[bucket]
	b.Objects = map[string][]byte{}
	for _, key := range with {
		b.Objects[key] = []byte("x")
	}
}

// A rollback that cannot delete a bucket leaves it and what it needs, and says so.
func TestACreationWhoseRollbackFails(t *testing.T) {
	d := occupied(t)
	if err := d.create("s", bucketAnd("not-empty", `, "Last": `+fmt.Sprintf(inTheWay, "Bucket"))); err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(15 * time.Second)
	d.wants("s", "CREATE_IN_PROGRESS")
	d.fill("not-empty", "x")
	d.pass()
	st := d.wants("s", "ROLLBACK_FAILED")
	if *st.StackStatusReason != "The following resource(s) failed to delete: [Bucket]. " || st.DeletionTime == nil {
		t.Errorf("%+v", st)
	}
	if got := d.seen("s"); got != "Topic CREATE_COMPLETE, Bucket DELETE_FAILED, Last DELETE_COMPLETE without id" {
		t.Error(got)
	}
	d.refuses(d.update("s", bucketAnd("not-empty", "")), "ValidationError", "is in ROLLBACK_FAILED state and can not be updated.")
	d.fill("not-empty")
	if err := d.delete("s"); err != nil {
		t.Fatal(err)
	}
	d.pass()
	d.wants("s", "ValidationError")
	if d.sim.world.globalBuckets["not-empty"] != nil {
		t.Error("the bucket is there")
	}
}

func twoRoles(description, more string) string {
	role := `{"Type": "AWS::IAM::Role", "Properties": {"RoleName": "%s", "Description": "` + description + `", "AssumeRolePolicyDocument": {"Statement": []}}%s}`
	return `{"Resources": {"A": ` + fmt.Sprintf(role, "role-a", "") + `, "B": ` + fmt.Sprintf(role, "role-b", `, "DependsOn": "A"`) + more + `}}`
}

// stuckRollback has a stack whose update failed and whose second role went meanwhile.
func stuckRollback(t *testing.T) (*desk, *account, *iamRole) {
	d := occupied(t)
	if err := d.create("s", twoRoles("old", "")); err != nil {
		t.Fatal(err)
	}
	d.pass()
	d.wants("s", "CREATE_COMPLETE")
	if err := d.update("s", twoRoles("new", `, "Last": `+fmt.Sprintf(inTheWay, "B"))); err != nil {
		t.Fatal(err)
	}
	a := d.sim.world.accounts[d.sim.world.management]
	lost := a.roles["role-b"]
	d.now = d.now.Add(27500 * time.Millisecond)
	if got := d.seen("s"); got != "A UPDATE_COMPLETE, B UPDATE_COMPLETE, Last CREATE_IN_PROGRESS without id" {
		t.Fatal(got)
	}
	delete(a.roles, "role-b")
	d.pass()
	st := d.wants("s", "UPDATE_ROLLBACK_FAILED")
	if *st.StackStatusReason != "The following resource(s) failed to update: [B]. " {
		t.Error(*st.StackStatusReason)
	}
	if got := d.seen("s"); got != "A UPDATE_COMPLETE, B UPDATE_FAILED, Last CREATE_FAILED without id" {
		t.Error(got)
	}
	return d, a, lost
}

func (d *desk) goOn(change ...func(*cloudformation.ContinueUpdateRollbackInput)) error {
	in := &cloudformation.ContinueUpdateRollbackInput{StackName: aws.String("s")}
	for _, f := range change {
		f(in)
	}
	_, err := d.api.ContinueUpdateRollback(d.Context(), in)
	return err
}

func skipping(ids ...string) func(*cloudformation.ContinueUpdateRollbackInput) {
	return func(in *cloudformation.ContinueUpdateRollbackInput) { in.ResourcesToSkip = ids }
}

func TestContinueUpdateRollback(t *testing.T) {
	t.Run("with the cause mended", func(t *testing.T) {
		d, a, lost := stuckRollback(t)
		d.refuses(d.update("s", twoRoles("old", "")), "ValidationError", "is in UPDATE_ROLLBACK_FAILED state and can not be updated.")
		if err := d.goOn(); err != nil {
			t.Fatal(err)
		}
		d.pass()
		d.wants("s", "UPDATE_ROLLBACK_FAILED") // the role is still not there
		a.roles["role-b"] = lost
		token := func(in *cloudformation.ContinueUpdateRollbackInput) { in.ClientRequestToken = aws.String("again") }
		if err := d.goOn(token); err != nil {
			t.Fatal(err)
		}
		if err := d.goOn(token); err != nil {
			t.Error("the same token:", err)
		}
		d.pass()
		d.wants("s", "UPDATE_ROLLBACK_COMPLETE")
		if a.roles["role-a"].Description != "old" || a.roles["role-b"].Description != "old" {
			t.Error(a.roles["role-a"].Description, a.roles["role-b"].Description)
		}
		if got := d.seen("s"); got != "A UPDATE_COMPLETE, B UPDATE_COMPLETE" {
			t.Error(got)
		}
	})
	t.Run("with the resource skipped", func(t *testing.T) {
		d, a, _ := stuckRollback(t)
		d.refuses(d.goOn(skipping("A")), "ValidationError", "[A]")
		d.refuses(d.goOn(skipping("B", "-")), "ValidationError", "regular expression pattern")
		d.refuses(d.goOn(func(in *cloudformation.ContinueUpdateRollbackInput) {
			in.RoleARN = aws.String("arn:aws:iam::" + a.ID + ":role/nobody")
		}), "ValidationError", "role/nobody is invalid or cannot be assumed")
		if err := d.goOn(skipping("B")); err != nil {
			t.Fatal(err)
		}
		d.refuses(d.goOn(), "ValidationError", "UPDATE_ROLLBACK_IN_PROGRESS")
		d.pass()
		d.wants("s", "UPDATE_ROLLBACK_COMPLETE")
		if a.roles["role-a"].Description != "old" || a.roles["role-b"] != nil {
			t.Error("the rollback did not go on behind it")
		}
		d.refuses(d.goOn(), "ValidationError", "UPDATE_ROLLBACK_COMPLETE state")
	})
}

// What an update has to delete at its end and cannot is left, and the update succeeds.
func TestACleanUpThatFails(t *testing.T) {
	d := occupied(t)
	if err := d.create("s", bucketAnd("kept-one", "")); err != nil {
		t.Fatal(err)
	}
	d.pass()
	d.wants("s", "CREATE_COMPLETE")
	d.fill("kept-one", "x")
	before := len(d.lines("s", 0))
	if err := d.update("s", bucketAnd("kept-two", "")); err != nil {
		t.Fatal(err)
	}
	d.pass()
	if st := d.wants("s", "UPDATE_COMPLETE"); *st.StackStatusReason != "Update successful. One or more resources could not be deleted." {
		t.Errorf("%+v", st)
	}
	if got := d.lines("s", before); !strings.HasPrefix(got[len(got)-2], "Bucket DELETE_FAILED: ") {
		t.Error(got)
	}
	if d.sim.world.globalBuckets["kept-one"] == nil || d.sim.world.globalBuckets["kept-two"] == nil || d.seen("s") != "Topic CREATE_COMPLETE, Bucket UPDATE_COMPLETE" {
		t.Error(d.seen("s"))
	}
	// And in the rollback of an update: the new bucket is filled before it can go.
	if err := d.update("s", bucketAnd("kept-three", `, "Last": `+fmt.Sprintf(inTheWay, "Bucket"))); err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(10 * time.Second)
	d.wants("s", "UPDATE_IN_PROGRESS")
	d.fill("kept-three", "x")
	d.pass()
	if st := d.wants("s", "UPDATE_ROLLBACK_COMPLETE"); *st.StackStatusReason != "Update rollback successful. One or more resources could not be deleted." {
		t.Errorf("%+v", st)
	}
	if d.sim.world.globalBuckets["kept-two"] == nil || d.sim.world.globalBuckets["kept-three"] == nil {
		t.Error("a bucket went")
	}
}

// A StackSet's instance whose update cannot be rolled back is stuck until somebody goes
// on with the rollback in the account.
func TestAnInstanceWhoseRollbackFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 12, Empty: true})
		id, home := g.members()[0], []string{"us-east-1"}
		// The update finds its role gone, and so does the rollback.
		body := func(description string) string {
			return `{"Resources": {"A": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "role-a", "Description": "` + description + `", "AssumeRolePolicyDocument": {"Statement": []}}}, "T": {"Type": "AWS::SNS::Topic"}}}`
		}
		if err := g.create("s", body("old")); err != nil {
			t.Fatal(err)
		}
		g.deploy("s", g.only(id), home)
		g.sim.change(id, func(a *account) { delete(a.roles, "role-a") })
		out, err := g.api.UpdateStackSet(t.Context(), &cloudformation.UpdateStackSetInput{StackSetName: aws.String("s"), TemplateBody: aws.String(body("new")), Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}})
		if err != nil {
			t.Fatal(err)
		}
		g.wait("s", out.OperationId)
		in := g.instance("s", id, "us-east-1")
		st := g.sim.world.accounts[id].region("us-east-1").stacks[stackNameOf(*in.StackId)]
		if st.Status != "UPDATE_ROLLBACK_FAILED" || st.Reason != "The following resource(s) failed to update: [A]. " || !strings.Contains(*in.StatusReason, "The role with name role-a cannot be found.") {
			t.Errorf("%s %s; %s", st.Status, st.Reason, *in.StatusReason)
		}
	})
}

// What an update without rollback has replaced goes with the stack.
func TestWhatWasReplacedGoesToo(t *testing.T) {
	for _, how := range []string{"delete", "continue"} {
		d := occupied(t)
		if err := d.create("s", bucketAnd("first", "")); err != nil {
			t.Fatal(err)
		}
		d.pass()
		if err := d.update("s", bucketAnd("second", `, "Last": `+fmt.Sprintf(inTheWay, "Bucket")), func(in *cloudformation.UpdateStackInput) { in.DisableRollback = aws.Bool(true) }); err != nil {
			t.Fatal(err)
		}
		d.pass()
		d.wants("s", "UPDATE_FAILED")
		buckets := d.sim.world.globalBuckets
		if buckets["first"] == nil || buckets["second"] == nil {
			t.Fatal(sortedKeys(buckets))
		}
		if how == "delete" {
			if err := d.delete("s"); err != nil {
				t.Fatal(err)
			}
			d.pass()
			d.wants("s", "ValidationError")
			if buckets["first"] != nil || buckets["second"] != nil {
				t.Error(sortedKeys(buckets))
			}
			continue
		}
		// The next update that succeeds cleans up after the one that failed.
		if err := d.update("s", bucketAnd("second", ""), func(in *cloudformation.UpdateStackInput) { in.DisableRollback = aws.Bool(true) }); err != nil {
			t.Fatal(err)
		}
		d.pass()
		d.wants("s", "UPDATE_COMPLETE")
		if buckets["first"] != nil || buckets["second"] == nil {
			t.Error(sortedKeys(buckets))
		}
	}
}

// An instance whose update fails has its tags as they were.
func TestTagsAreRolledBack(t *testing.T) {
	b := newBench(t)
	b.a.roles["OrganizationAccountAccessRole"] = &iamRole{Name: "OrganizationAccountAccessRole"}
	b.st.Tags = map[string]string{"team": "old"}
	if err := b.apply(twoRoles("old", "")); err != nil {
		t.Fatal(err)
	}
	doc, err := readTemplate(twoRoles("new", `, "Last": `+fmt.Sprintf(inTheWay, "B")))
	if err != nil {
		t.Fatal(err)
	}
	b.st.doc, b.st.Tags = doc, map[string]string{"team": "new"}
	if _, err := b.s.apply(b.a, b.r, b.st, map[string]string{"team": "old"}); err == nil {
		t.Fatal("it was made")
	}
	if r := b.a.roles["role-a"]; r.Tags["team"] != "old" || r.Description != "old" {
		t.Errorf("%+v", r)
	}
}
