package simaws

import (
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// No more than 10,000 instances are worked on at a time, over all sets of a Region:
// two sets that ask for more come to their ends all the same, one in another Region is
// not held up.
func TestInstancesAtWorkAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 5200, Empty: true})
		all := &types.DeploymentTargets{OrganizationalUnitIds: []string{g.root}}
		begin := func(name, region string) *string {
			t.Helper()
			api := cloudformation.NewFromConfig(sdk(g.sim, region))
			g.api, api = api, g.api
			defer func() { g.api = api }()
			if err := g.create(name, emptyTemplate); err != nil {
				t.Fatal(err)
			}
			out, err := g.api.CreateStackInstances(t.Context(), &cloudformation.CreateStackInstancesInput{StackSetName: &name, DeploymentTargets: all, Regions: []string{"us-east-1"}, OperationPreferences: everywhere()})
			if err != nil {
				t.Fatal(err)
			}
			return out.OperationId
		}
		one, two := begin("one", "us-east-1"), begin("two", "us-east-1")
		begin("elsewhere", "eu-west-1")
		for name, id := range map[string]*string{"one": one, "two": two} {
			if op := g.wait(name, id); op.Status != "SUCCEEDED" || aws.ToInt32(op.StatusDetails.FailedStackInstancesCount) != 0 {
				t.Error(name, op.Status)
			}
		}
		if most := g.sim.mostAtOnce("one", "two"); most != maxAtWork {
			t.Errorf("%d instances at a time", most)
		}
		if most := g.sim.mostAtOnce("elsewhere"); most < 5000 {
			t.Errorf("%d at a time in a set of another Region", most)
		}
	})
}
