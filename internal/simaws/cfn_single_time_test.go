package simaws

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// seen are the statuses of a stack's resources as a reader has them, with the beginning
// of the reason where there is one.
func (d *desk) seen(name string) string {
	d.Helper()
	out, err := d.api.DescribeStackResources(d.Context(), &cloudformation.DescribeStackResourcesInput{StackName: &name})
	if err != nil {
		d.Fatal(err)
	}
	var list []string
	for _, r := range out.StackResources {
		text := *r.LogicalResourceId + " " + string(r.ResourceStatus)
		if aws.ToString(r.PhysicalResourceId) == "" {
			text += " without id"
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

// lines are the events of a stack and its resources from the n-th on, oldest first.
func (d *desk) lines(name string, from int) (list []string) {
	d.Helper()
	out, err := d.api.DescribeStackEvents(d.Context(), &cloudformation.DescribeStackEventsInput{StackName: &name})
	if err != nil {
		d.Fatal(err)
	}
	for _, e := range slices.Backward(out.StackEvents) {
		line := *e.LogicalResourceId + " " + string(e.ResourceStatus)
		if reason := aws.ToString(e.ResourceStatusReason); reason != "" {
			line += ": " + reason
		}
		list = append(list, line)
	}
	return list[from:]
}

func (d *desk) tells(name string, from int, want ...string) {
	d.Helper()
	if got := d.lines(name, from); !slices.Equal(got, want) {
		d.Errorf("%s tells\n%s\nnot\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func topics(names ...string) string {
	var list []string
	for n, name := range names {
		after := ""
		if n > 0 {
			after = fmt.Sprintf(`, "DependsOn": "T%d"`, n-1)
		}
		list = append(list, fmt.Sprintf(`"T%d": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "%s"}%s}`, n, name, after))
	}
	return `{"Resources": {` + strings.Join(list, ", ") + `}, "Outputs": {"First": {"Value": {"Ref": "T0"}}}}`
}

func (d *desk) topics() int {
	return len(d.sim.world.accounts[d.sim.world.management].region("us-east-1").topics)
}

// Resources are made one after the other, and a reader sees how far it is.
func TestAStackGrowsInTime(t *testing.T) {
	d := newDesk(t)
	there := d.topics()
	if err := d.create("s", topics("a", "b")); err != nil {
		t.Fatal(err)
	}
	began := d.now
	for _, c := range []struct {
		at     time.Duration
		status types.StackStatus
		seen   string
		topics int
	}{
		{time.Second, "CREATE_IN_PROGRESS", "", 0},
		{3500 * time.Millisecond, "CREATE_IN_PROGRESS", "T0 CREATE_IN_PROGRESS without id", 0},
		{5 * time.Second, "CREATE_IN_PROGRESS", "T0 CREATE_IN_PROGRESS", 1},
		{8500 * time.Millisecond, "CREATE_IN_PROGRESS", "T0 CREATE_COMPLETE, T1 CREATE_IN_PROGRESS without id", 1},
		{12 * time.Second, "CREATE_IN_PROGRESS", "T0 CREATE_COMPLETE, T1 CREATE_IN_PROGRESS", 2},
		{14 * time.Second, "CREATE_IN_PROGRESS", "T0 CREATE_COMPLETE, T1 CREATE_COMPLETE", 2},
		{16 * time.Second, "CREATE_COMPLETE", "T0 CREATE_COMPLETE, T1 CREATE_COMPLETE", 2},
	} {
		d.now = began.Add(c.at)
		st := d.wants("s", c.status)
		if got := d.seen("s"); got != c.seen || d.topics()-there != c.topics || (len(st.Outputs) > 0) != (c.status == "CREATE_COMPLETE") {
			t.Errorf("after %v: %s, %d topics, outputs %v; want %s, %d", c.at, got, d.topics()-there, st.Outputs, c.seen, c.topics)
		}
	}
	if err := d.delete("s"); err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(5 * time.Second)
	if got := d.seen("s"); got != "T0 CREATE_COMPLETE, T1 DELETE_IN_PROGRESS" {
		t.Error(got)
	}
	id := *d.stack("s").StackId
	d.pass()
	if got := d.seen(id); got != "T0 DELETE_COMPLETE, T1 DELETE_COMPLETE" || d.topics() != there {
		t.Error(got, d.topics()-there)
	}
}

// What was done is undone when an update is cancelled half-way, and what is under way
// is left.
func TestCancelledHalfWay(t *testing.T) {
	d := newDesk(t)
	body := func(describe, path string) string {
		role := `{"Type": "AWS::IAM::Role", "Properties": {"Description": "%s", "Path": "%s", "AssumeRolePolicyDocument": {"Statement": []}}`
		return `{"Resources": {"A": ` + fmt.Sprintf(role, describe, "/") + `}, "B": ` + fmt.Sprintf(role, "b", path) + `, "DependsOn": "A"}, "C": {"Type": "AWS::SNS::Topic", "DependsOn": "B"}, "D": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "` + describe + `"}, "DependsOn": "C"}}}`
	}
	if err := d.create("s", body("old", "/one/")); err != nil {
		t.Fatal(err)
	}
	d.pass()
	before, was := len(d.lines("s", 0)), d.seen("s")
	roles := d.sim.world.accounts[d.sim.world.management].roles
	many := len(roles)
	if err := d.update("s", body("new", "/two/")); err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(3*time.Second + 12*time.Second + 5*time.Second)
	if got := d.seen("s"); !strings.HasPrefix(got, "A UPDATE_COMPLETE, B UPDATE_IN_PROGRESS, C CREATE_COMPLETE") || len(roles) != many+1 {
		t.Error(got, len(roles)-many)
	}
	if _, err := d.api.CancelUpdateStack(t.Context(), &cloudformation.CancelUpdateStackInput{StackName: aws.String("s")}); err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(time.Second)
	d.wants("s", "UPDATE_ROLLBACK_IN_PROGRESS")
	d.pass()
	d.wants("s", "UPDATE_ROLLBACK_COMPLETE")
	d.tells("s", before,
		"s UPDATE_IN_PROGRESS: User Initiated",
		"A UPDATE_IN_PROGRESS", "A UPDATE_COMPLETE",
		"B UPDATE_IN_PROGRESS: Requested update requires the creation of a new physical resource; hence creating one.",
		"B UPDATE_IN_PROGRESS: Resource creation Initiated",
		"s UPDATE_ROLLBACK_IN_PROGRESS: User Initiated",
		"B UPDATE_FAILED: Resource update cancelled",
		"B UPDATE_COMPLETE",
		"A UPDATE_IN_PROGRESS", "A UPDATE_COMPLETE",
		"s UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
		"B DELETE_IN_PROGRESS", "B DELETE_COMPLETE",
		"s UPDATE_ROLLBACK_COMPLETE")
	if len(roles) != many {
		t.Errorf("%d roles more", len(roles)-many)
	}
	for name, r := range roles {
		if strings.HasPrefix(name, "s-A-") && r.Description != "old" || strings.HasPrefix(name, "s-B-") && r.Path != "/one/" {
			t.Errorf("%+v", r)
		}
	}
	if got := strings.ReplaceAll(d.seen("s"), "UPDATE", "CREATE"); got != was {
		t.Error(got)
	}
}

// A creation that is deleted half-way, or that takes longer than it may, leaves nothing.
func TestACreationThatIsCutShort(t *testing.T) {
	d := newDesk(t)
	there := d.topics()
	if err := d.create("s", topics("a", "b", "c")); err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(10 * time.Second)
	id := *d.wants("s", "CREATE_IN_PROGRESS").StackId
	if d.topics() != there+2 {
		t.Error(d.topics() - there)
	}
	if err := d.delete("s"); err != nil {
		t.Fatal(err)
	}
	d.pass()
	d.wants(id, "DELETE_COMPLETE")
	d.tells(id, 3, "T0 CREATE_COMPLETE",
		"T1 CREATE_IN_PROGRESS", "T1 CREATE_IN_PROGRESS: Resource creation Initiated", "T1 CREATE_FAILED: Resource creation cancelled",
		"s DELETE_IN_PROGRESS: User Initiated", "T1 DELETE_IN_PROGRESS", "T1 DELETE_COMPLETE", "T0 DELETE_IN_PROGRESS", "T0 DELETE_COMPLETE", "s DELETE_COMPLETE")
	// 3 s, then 5 s a topic: a minute is over in the twelfth.
	var many []string
	for n := range 15 {
		many = append(many, fmt.Sprint("t", n))
	}
	if err := d.create("late", topics(many...), func(in *cloudformation.CreateStackInput) { in.TimeoutInMinutes = aws.Int32(1) }); err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(59 * time.Second)
	d.wants("late", "CREATE_IN_PROGRESS")
	d.now = d.now.Add(2 * time.Second)
	st := d.wants("late", "ROLLBACK_IN_PROGRESS")
	if *st.StackStatusReason != "Stack creation time exceeded the specified timeout. Rollback requested by user." || st.DeletionTime == nil {
		t.Errorf("%+v", st)
	}
	d.pass()
	d.wants("late", "ROLLBACK_COMPLETE")
	if d.topics() != there {
		t.Error("topics are left")
	}
}
