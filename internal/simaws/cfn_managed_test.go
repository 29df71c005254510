package simaws

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// ManagedExecution, sentence by sentence: with anything running all that comes is
// queued, what does not conflict then runs side by side, what conflicts starts in the
// order of the requests, and the setting stays as it is meanwhile. A queued operation
// that is stopped never starts, and lets those behind it go on.
func TestManagedExecution(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 20, Empty: true})
		ids, name := g.members(), aws.String("s")
		if err := g.create("s", emptyTemplate, func(in *cloudformation.CreateStackSetInput) {
			in.ManagedExecution = &types.ManagedExecution{Active: aws.Bool(true)}
		}); err != nil {
			t.Fatal(err)
		}
		begin := func(accounts ...string) *string {
			t.Helper()
			out, err := g.api.CreateStackInstances(t.Context(), &cloudformation.CreateStackInstancesInput{StackSetName: name, Regions: []string{"us-east-1"}, DeploymentTargets: g.only(accounts...), OperationPreferences: everywhere()})
			if err != nil {
				t.Fatal(err)
			}
			return out.OperationId
		}
		status := func(id *string) types.StackSetOperationStatus { return g.operation("s", id).Status }
		first := begin(ids[0])
		if got := status(first); got != "RUNNING" {
			t.Error("nothing runs, and the first operation is", got)
		}
		other := begin(ids[1])
		if got := status(other); got != "QUEUED" {
			t.Error("all incoming operations are queued, this one is", got)
		}
		same, behind, free := begin(ids[0]), begin(ids[0]), begin(ids[2])
		set := func(active bool) error {
			_, err := g.api.UpdateStackSet(t.Context(), &cloudformation.UpdateStackSetInput{StackSetName: name, UsePreviousTemplate: aws.Bool(true), ManagedExecution: &types.ManagedExecution{Active: &active}})
			return err
		}
		g.wantError(set(false), "InvalidOperationException", "running or queued")
		time.Sleep(6 * time.Second)
		if a, b := status(other), status(same); a != "RUNNING" || b != "QUEUED" {
			t.Error("without conflict:", a, "with one:", b)
		}
		// In request order: the last one conflicts with nothing and still comes last.
		if got := status(free); got != "QUEUED" {
			t.Error("it is ahead of those before it:", got)
		}
		if _, err := g.api.StopStackSetOperation(t.Context(), &cloudformation.StopStackSetOperationInput{StackSetName: name, OperationId: same}); err != nil {
			t.Fatal(err)
		}
		stopped := g.operation("s", same)
		if rows := g.results("s", stopped); stopped.Status != "STOPPED" || stopped.EndTimestamp == nil || len(rows) != 0 {
			t.Error(stopped.Status, rows)
		}
		if got := status(behind); got != "QUEUED" {
			t.Error("it conflicts with the first one still and is", got)
		}
		for _, id := range []*string{first, other, behind, free} {
			if op := g.wait("s", id); op.Status != "SUCCEEDED" {
				t.Error(op.Status)
			}
		}
		if a, b := g.operation("s", first), g.operation("s", behind); g.startOf("s", behind).Before(*a.EndTimestamp) || b.Status != "SUCCEEDED" {
			t.Error("conflicting operations overlap")
		}
		if err := set(false); err != nil {
			t.Error(err)
		}
	})
}

// startOf is when the first instance of an operation was begun.
func (g *stage) startOf(name string, id *string) time.Time {
	g.sim.mu.Lock()
	defer g.sim.mu.Unlock()
	first := time.Time{}
	for _, set := range g.sim.world.stackSets {
		if set.Name == name {
			for _, op := range set.ops {
				for _, i := range op.items {
					if op.ID == *id && !i.begun.IsZero() && (first.IsZero() || i.begun.Before(first)) {
						first = i.begun
					}
				}
			}
		}
	}
	return first
}

// 10,000 operations can wait for one set.
func TestQueuedOperationsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 12, Empty: true})
		if err := g.create("s", emptyTemplate, func(in *cloudformation.CreateStackSetInput) {
			in.ManagedExecution = &types.ManagedExecution{Active: aws.Bool(true)}
		}); err != nil {
			t.Fatal(err)
		}
		begin := func() error {
			_, err := g.api.CreateStackInstances(t.Context(), &cloudformation.CreateStackInstancesInput{StackSetName: aws.String("s"), Regions: []string{"us-east-1"}, DeploymentTargets: g.only(g.members()[0])})
			return err
		}
		if err := begin(); err != nil {
			t.Fatal(err)
		}
		g.sim.mu.Lock()
		for _, set := range g.sim.world.stackSets {
			for range maxQueued {
				set.ops = append(set.ops, &operation{ID: g.sim.ids.uuid(), Action: "CREATE", Status: "QUEUED", Created: g.sim.clock.Now()})
			}
		}
		g.sim.mu.Unlock()
		g.wantError(begin(), "LimitExceededException", "10000")
	})
}
