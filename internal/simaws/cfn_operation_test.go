package simaws

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// The examples of "Choosing the Concurrency Mode for CloudFormation StackSets".
func TestConcurrencyOfTheModes(t *testing.T) {
	for _, c := range []struct {
		name            string
		p               preferences
		total, failures int
		want            int
	}{
		{"strict begins with tolerance and one", preferences{tolerance: 5, concurrent: 10}, 100, 0, 6},
		{"strict loses one a failure", preferences{tolerance: 5, concurrent: 10}, 100, 1, 5},
		{"strict after three failures", preferences{tolerance: 5, concurrent: 10}, 100, 3, 3},
		{"strict with less concurrency than tolerance", preferences{tolerance: 5, concurrent: 2}, 100, 3, 2},
		{"soft keeps its concurrency", preferences{tolerance: 5, concurrent: 10, soft: true}, 100, 5, 10},
		{"the large example begins", preferences{tolerance: 100, concurrent: 250}, 1000, 0, 101},
		{"the large example goes on", preferences{tolerance: 100, concurrent: 250}, 1000, 20, 81},
		{"percentages round down", preferences{tolerance: -1, concurrent: -1, tolerancePercent: 10, concurrentShare: 30, soft: true}, 19, 0, 5},
		{"concurrency is never 0", preferences{tolerance: -1, concurrent: -1, tolerancePercent: 10, concurrentShare: 1, soft: true}, 19, 0, 1},
		{"by default one after the other", preferences{tolerance: -1, concurrent: -1, tolerancePercent: -1, concurrentShare: -1}, 19, 0, 1},
	} {
		if got := c.p.window(c.total, c.failures); got != c.want {
			t.Errorf("%s: %d, not %d", c.name, got, c.want)
		}
	}
	if got := (preferences{tolerance: -1, tolerancePercent: 10}).tolerated(19); got != 1 {
		t.Errorf("a tenth of 19 accounts is %d", got)
	}
}

// blocked makes the role template fail in the first n members.
func (g *stage) blocked(n int) []string {
	all := g.members()
	for _, id := range all[:n] {
		g.sim.change(id, func(a *account) {
			for _, name := range []string{"worker-us-east-1", "worker-eu-west-1"} {
				a.roles[name] = &iamRole{Name: name, Path: "/"}
			}
		})
	}
	return all
}

// Failures beyond the tolerance stop an operation, strictly or softly, and cancel
// the Regions that come after.
func TestToleranceStopsAnOperation(t *testing.T) {
	for _, c := range []struct {
		name      string
		mode      types.ConcurrencyMode
		tolerance int32
		parallel  types.RegionConcurrencyType
		failing   int
		// In the first Region; the second one is cancelled or goes the same way.
		minFailed, maxFailed int
		status               types.StackSetOperationStatus
		untouched            bool // the second Region was never begun
	}{
		{"strict", types.ConcurrencyModeStrictFailureTolerance, 2, "SEQUENTIAL", 12, 3, 3, "FAILED", true},
		{"soft lets what runs end", types.ConcurrencyModeSoftFailureTolerance, 2, "SEQUENTIAL", 12, 3, 12, "FAILED", true},
		{"within the tolerance", types.ConcurrencyModeStrictFailureTolerance, 3, "SEQUENTIAL", 3, 3, 3, "SUCCEEDED", false},
		{"parallel Regions have a tolerance each", types.ConcurrencyModeStrictFailureTolerance, 0, "PARALLEL", 12, 1, 1, "FAILED", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newStage(t, Options{Accounts: 20, Empty: true})
				g.blocked(c.failing)
				if err := g.create("roles", roleTemplate); err != nil {
					t.Fatal(err)
				}
				op := g.deploy("roles", &types.DeploymentTargets{OrganizationalUnitIds: []string{g.root}}, []string{"us-east-1", "eu-west-1"}, func(in *cloudformation.CreateStackInstancesInput) {
					in.OperationPreferences = &types.StackSetOperationPreferences{ConcurrencyMode: c.mode, FailureToleranceCount: &c.tolerance, MaxConcurrentCount: aws.Int32(5), RegionConcurrencyType: c.parallel}
				})
				failed, first, second := 0, 0, 0
				for key, r := range g.results("roles", op) {
					if r.Status == "FAILED" {
						failed++
						if strings.HasSuffix(key, "us-east-1") {
							first++
						}
						if !strings.Contains(*r.StatusReason, "ResourceLogicalId:Role, ResourceType:AWS::IAM::Role, ResourceStatusReason:Resource handler returned message: \"Role with name worker-") {
							t.Error(*r.StatusReason)
						}
					}
					if r.Status == "CANCELLED" && aws.ToString(r.StatusReason) != "ACCOUNT_SUSPENDED" && *r.StatusReason != "Cancelled since failure tolerance has exceeded" {
						t.Error(*r.StatusReason)
					}
					if strings.HasSuffix(key, "eu-west-1") && r.Status != "CANCELLED" {
						second++
					}
				}
				if op.Status != c.status || first < c.minFailed || first > c.maxFailed || (second == 0) != c.untouched {
					t.Errorf("%s with %d failed in the first Region, %d attempted in the second", op.Status, first, second)
				}
				if int(aws.ToInt32(op.StatusDetails.FailedStackInstancesCount)) != failed {
					t.Errorf("%d failed instances, %d failed results", *op.StatusDetails.FailedStackInstancesCount, failed)
				}
			})
		})
	}
}

// Regions in sequence follow RegionOrder, and no Region begins before the one
// before it has ended.
func TestRegionsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 12, Empty: true})
		if err := g.create("s", emptyTemplate); err != nil {
			t.Fatal(err)
		}
		out, err := g.api.CreateStackInstances(t.Context(), &cloudformation.CreateStackInstancesInput{
			StackSetName: aws.String("s"), Regions: []string{"us-east-1", "eu-west-1", "us-west-2"}, DeploymentTargets: g.only(g.members()[:3]...),
			OperationPreferences: &types.StackSetOperationPreferences{RegionOrder: []string{"us-west-2", "us-east-1"}, MaxConcurrentCount: aws.Int32(3), FailureToleranceCount: aws.Int32(3)},
		})
		if err != nil {
			t.Fatal(err)
		}
		if op := g.operation("s", out.OperationId); op.Status != "RUNNING" || len(g.results("s", op)) != 0 {
			t.Error("an operation runs at first without results", op.Status)
		}
		var order []string
		for g.operation("s", out.OperationId).EndTimestamp == nil {
			busy := map[string]bool{}
			for _, r := range g.results("s", &types.StackSetOperation{OperationId: out.OperationId}) {
				if r.Status == "RUNNING" {
					busy[*r.Region] = true
				}
			}
			if len(busy) > 1 {
				t.Fatal("more than one Region at once", busy)
			}
			for region := range busy {
				if len(order) == 0 || order[len(order)-1] != region {
					order = append(order, region)
				}
			}
			time.Sleep(time.Second)
		}
		if strings.Join(order, " ") != "us-west-2 us-east-1 eu-west-1" {
			t.Error(order)
		}
	})
}

// Stopping cancels what has not begun and lets the rest end.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 20, Empty: true})
		if err := g.create("s", emptyTemplate); err != nil {
			t.Fatal(err)
		}
		out, err := g.api.CreateStackInstances(t.Context(), &cloudformation.CreateStackInstancesInput{
			StackSetName: aws.String("s"), Regions: []string{"us-east-1"}, DeploymentTargets: g.only(g.members()...),
			OperationPreferences: &types.StackSetOperationPreferences{MaxConcurrentCount: aws.Int32(4), FailureToleranceCount: aws.Int32(3)},
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second)
		stop := &cloudformation.StopStackSetOperationInput{StackSetName: aws.String("s"), OperationId: out.OperationId}
		if _, err := g.api.StopStackSetOperation(t.Context(), stop); err != nil {
			t.Fatal(err)
		}
		if op := g.operation("s", out.OperationId); op.Status != "STOPPING" {
			t.Error(op.Status)
		}
		op := g.wait("s", out.OperationId)
		counts := g.count("s", op)
		if op.Status != "STOPPED" || counts["SUCCEEDED"] != 4 || counts["CANCELLED"] != len(g.members())-4 {
			t.Error(op.Status, counts)
		}
		_, err = g.api.StopStackSetOperation(t.Context(), stop)
		g.wantError(err, "InvalidOperationException", "")
		for _, i := range g.list(&cloudformation.ListStackInstancesInput{StackSetName: aws.String("s"), Filters: []types.StackInstanceFilter{{Name: "DETAILED_STATUS", Values: aws.String("CANCELLED")}}}) {
			if i.Status != "OUTDATED" || i.StackId != nil {
				t.Errorf("%+v", i)
			}
		}
	})
}

// Without managed execution a second operation is refused; with it, it waits, and
// starts at once where it touches other instances.
func TestOneOperationAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 20, Empty: true})
		ids := g.members()
		for _, managed := range []bool{false, true} {
			name := map[bool]string{false: "single", true: "managed"}[managed]
			if err := g.create(name, emptyTemplate, func(in *cloudformation.CreateStackSetInput) {
				in.ManagedExecution = &types.ManagedExecution{Active: &managed}
			}); err != nil {
				t.Fatal(err)
			}
			begin := func(id string) (*string, error) {
				out, err := g.api.CreateStackInstances(t.Context(), &cloudformation.CreateStackInstancesInput{StackSetName: &name, Regions: []string{"us-east-1"}, DeploymentTargets: g.only(id)})
				if err != nil {
					return nil, err
				}
				return out.OperationId, nil
			}
			first, err := begin(ids[0])
			if err != nil {
				t.Fatal(err)
			}
			same, err := begin(ids[0])
			if !managed {
				g.wantError(err, "OperationInProgressException", "Another Operation on StackSet arn:aws:cloudformation:us-east-1:"+g.sim.world.management+":stackset/single:")
				g.wait(name, first)
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if op := g.operation(name, same); op.Status != "QUEUED" {
				t.Error(op.Status)
			}
			if g.wait(name, first).Status != "SUCCEEDED" || g.wait(name, same).Status != "SUCCEEDED" {
				t.Error("the operations do not succeed")
			}
			long, _ := begin(ids[1])
			other, _ := begin(ids[2])
			time.Sleep(6 * time.Second)
			if a, b := g.operation(name, long), g.operation(name, other); a.Status != "RUNNING" || b.Status != "RUNNING" {
				t.Error("operations on other instances run side by side:", a.Status, b.Status)
			}
			g.wait(name, long)
			g.wait(name, other)
		}
	})
}

// An operation's id is its idempotency token.
func TestOperationIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 12, Empty: true})
		if err := g.create("s", emptyTemplate); err != nil {
			t.Fatal(err)
		}
		id := func(v string) func(*cloudformation.CreateStackInstancesInput) {
			return func(in *cloudformation.CreateStackInstancesInput) { in.OperationId = &v }
		}
		if op := g.deploy("s", g.only(g.members()[0]), []string{"us-east-1"}, id("mine-1")); *op.OperationId != "mine-1" {
			t.Error(*op.OperationId)
		}
		in := &cloudformation.CreateStackInstancesInput{StackSetName: aws.String("s"), Regions: []string{"us-east-1"}, DeploymentTargets: g.only(g.members()[0]), OperationId: aws.String("mine-1")}
		_, err := g.api.CreateStackInstances(t.Context(), in)
		g.wantError(err, "OperationIdAlreadyExistsException", "mine-1")
		in.OperationId = aws.String("no spaces")
		_, err = g.api.CreateStackInstances(t.Context(), in)
		g.wantError(err, "ValidationError", "operationId")
		_, err = g.api.DescribeStackSetOperation(t.Context(), &cloudformation.DescribeStackSetOperationInput{StackSetName: aws.String("s"), OperationId: aws.String("none")})
		g.wantError(err, "OperationNotFoundException", "")
		ops, err := g.api.ListStackSetOperations(t.Context(), &cloudformation.ListStackSetOperationsInput{StackSetName: aws.String("s")})
		if err != nil || len(ops.Summaries) != 1 || ops.Summaries[0].Action != "CREATE" || ops.Summaries[0].EndTimestamp == nil {
			t.Errorf("%+v %v", ops, err)
		}
	})
}
