package simaws

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// The listed calls are behind by ListLag, the described one is not; what they show
// is what was so that long ago.
func TestListsAreBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 12, Empty: true, ListLag: 5 * time.Second})
		if err := g.create("s", emptyTemplate); err != nil {
			t.Fatal(err)
		}
		list := func() []types.StackSetOperationSummary {
			out, err := g.api.ListStackSetOperations(t.Context(), &cloudformation.ListStackSetOperationsInput{StackSetName: aws.String("s")})
			if err != nil {
				t.Fatal(err)
			}
			return out.Summaries
		}
		out, err := g.api.CreateStackInstances(t.Context(), &cloudformation.CreateStackInstancesInput{StackSetName: aws.String("s"), Regions: []string{"us-east-1"}, DeploymentTargets: g.only(g.members()[:3]...), OperationPreferences: everywhere()})
		if err != nil {
			t.Fatal(err)
		}
		if got := list(); len(got) != 0 {
			t.Errorf("at once: %v", got)
		}
		time.Sleep(5 * time.Second)
		if got := list(); len(got) != 1 || got[0].Status != "RUNNING" {
			t.Errorf("after the lag: %v", got)
		}
		op := g.wait("s", out.OperationId)
		if got := list(); got[0].Status != "RUNNING" || got[0].EndTimestamp != nil {
			t.Errorf("just ended: %v", got)
		}
		running := 0
		for _, r := range g.results("s", op) {
			if r.Status == "RUNNING" {
				running++
			}
		}
		if running == 0 {
			t.Error("the results are not behind")
		}
		filtered, err := g.api.ListStackSetOperationResults(t.Context(), &cloudformation.ListStackSetOperationResultsInput{StackSetName: aws.String("s"), OperationId: out.OperationId,
			Filters: []types.OperationResultFilter{{Name: "OPERATION_RESULT_STATUS", Values: aws.String("RUNNING")}}})
		if err != nil || len(filtered.Summaries) == 0 {
			t.Errorf("filtered: %v %v", err, filtered)
		}
		time.Sleep(5 * time.Second)
		if got := list(); got[0].Status != "SUCCEEDED" {
			t.Errorf("later: %v", got)
		}
		for _, r := range g.results("s", op) {
			if r.Status != "SUCCEEDED" {
				t.Errorf("later: %v", r.Status)
			}
		}
	})
}

func TestQuotasOfSets(t *testing.T) {
	g := newStage(t, Options{Accounts: 12, Empty: true})
	if err := g.create("s", emptyTemplate); err != nil {
		t.Fatal(err)
	}
	for i := range maxStackSets - 1 {
		id := "filler:" + textOf(i)
		g.sim.world.stackSets[id] = &stackSet{ID: id, Name: id, Status: "ACTIVE", Region: "us-east-1"}
	}
	g.wantError(g.create("one-more", emptyTemplate), "LimitExceededException", "1000")
	var set *stackSet
	for _, x := range g.sim.world.stackSets {
		if x.Name == "s" {
			set = x
		}
	}
	for i := range maxStackInstances {
		set.instances[target{textOf(i), "eu-west-1"}] = &stackInstance{}
	}
	_, err := g.api.CreateStackInstances(t.Context(), &cloudformation.CreateStackInstancesInput{StackSetName: aws.String("s"), Regions: []string{"us-east-1"}, DeploymentTargets: g.only(g.members()[0])})
	g.wantError(err, "LimitExceededException", "100000")
}
