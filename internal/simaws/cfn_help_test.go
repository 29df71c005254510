package simaws

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// emptyTemplate makes nothing but a stack: the smallest template there is.
const emptyTemplate = `{"Resources": {"Anchor": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}`

// roleTemplate makes a role of a fixed name a Region, so that a role in its way makes it fail.
const roleTemplate = `
Parameters:
  Name: {Type: String, Default: worker}
  Note: {Type: String, Default: none}
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Role:
    Type: AWS::IAM::Role
    DependsOn: Topic
    Properties:
      RoleName: !Sub "${Name}-${AWS::Region}"
      Description: !Ref Note
      AssumeRolePolicyDocument: {Statement: []}
`

// stage is an organization with a StackSet client.
type stage struct {
	*testing.T
	sim  *Sim
	api  *cloudformation.Client
	root string
}

func newStage(t *testing.T, o Options) *stage {
	s := New(o)
	return &stage{t, s, cloudformation.NewFromConfig(sdk(s, "us-east-1")), s.world.rootID}
}

// members gives the active accounts but for the management account.
func (g *stage) members() []string {
	var out []string
	for _, a := range g.sim.Accounts() {
		if a.State == "ACTIVE" && !a.Management {
			out = append(out, a.ID)
		}
	}
	return out
}

func (g *stage) create(name, body string, change ...func(*cloudformation.CreateStackSetInput)) error {
	in := &cloudformation.CreateStackSetInput{
		StackSetName: &name, TemplateBody: &body, PermissionModel: types.PermissionModelsServiceManaged,
		AutoDeployment: &types.AutoDeployment{Enabled: aws.Bool(false)}, Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam},
	}
	for _, f := range change {
		f(in)
	}
	_, err := g.api.CreateStackSet(g.Context(), in)
	return err
}

// only targets accounts wherever they are.
func (g *stage) only(accounts ...string) *types.DeploymentTargets {
	return &types.DeploymentTargets{OrganizationalUnitIds: []string{g.root}, Accounts: accounts, AccountFilterType: types.AccountFilterTypeIntersection}
}

// everywhere works on all accounts of all Regions at once and bears every failure.
func everywhere() *types.StackSetOperationPreferences {
	return &types.StackSetOperationPreferences{MaxConcurrentPercentage: aws.Int32(100), FailureTolerancePercentage: aws.Int32(100), RegionConcurrencyType: types.RegionConcurrencyTypeParallel, ConcurrencyMode: types.ConcurrencyModeSoftFailureTolerance}
}

func (g *stage) deploy(name string, to *types.DeploymentTargets, regions []string, change ...func(*cloudformation.CreateStackInstancesInput)) *types.StackSetOperation {
	g.Helper()
	in := &cloudformation.CreateStackInstancesInput{StackSetName: &name, Regions: regions, DeploymentTargets: to, OperationPreferences: everywhere()}
	for _, f := range change {
		f(in)
	}
	out, err := g.api.CreateStackInstances(g.Context(), in)
	if err != nil {
		g.Fatal(err)
	}
	return g.wait(name, out.OperationId)
}

func (g *stage) delete(name string, to *types.DeploymentTargets, regions []string, retain bool) *types.StackSetOperation {
	g.Helper()
	out, err := g.api.DeleteStackInstances(g.Context(), &cloudformation.DeleteStackInstancesInput{StackSetName: &name, Regions: regions, DeploymentTargets: to, RetainStacks: &retain, OperationPreferences: everywhere()})
	if err != nil {
		g.Fatal(err)
	}
	return g.wait(name, out.OperationId)
}

func (g *stage) operation(name string, id *string) *types.StackSetOperation {
	g.Helper()
	out, err := g.api.DescribeStackSetOperation(context.Background(), &cloudformation.DescribeStackSetOperationInput{StackSetName: &name, OperationId: id})
	if err != nil {
		g.Fatal(err)
	}
	return out.StackSetOperation
}

func (g *stage) wait(name string, id *string) *types.StackSetOperation {
	g.Helper()
	for range 5000 {
		if op := g.operation(name, id); op.EndTimestamp != nil {
			return op
		}
		time.Sleep(time.Second)
	}
	g.Fatal("the operation never ends")
	return nil
}

// results gives "account region STATUS reason" rows by account/Region.
func (g *stage) results(name string, op *types.StackSetOperation) map[string]types.StackSetOperationResultSummary {
	g.Helper()
	out := map[string]types.StackSetOperationResultSummary{}
	for p := cloudformation.NewListStackSetOperationResultsPaginator(g.api, &cloudformation.ListStackSetOperationResultsInput{StackSetName: &name, OperationId: op.OperationId}); p.HasMorePages(); {
		page, err := p.NextPage(g.Context())
		if err != nil {
			g.Fatal(err)
		}
		for _, r := range page.Summaries {
			out[*r.Account+"/"+*r.Region] = r
		}
	}
	return out
}

func (g *stage) count(name string, op *types.StackSetOperation) map[types.StackSetOperationResultStatus]int {
	out := map[types.StackSetOperationResultStatus]int{}
	for _, r := range g.results(name, op) {
		out[r.Status]++
	}
	return out
}

func (g *stage) instance(name, account, region string) *types.StackInstance {
	g.Helper()
	out, err := g.api.DescribeStackInstance(g.Context(), &cloudformation.DescribeStackInstanceInput{StackSetName: &name, StackInstanceAccount: &account, StackInstanceRegion: &region})
	if err != nil {
		if code(err) != "StackInstanceNotFoundException" {
			g.Fatal(err)
		}
		return nil
	}
	return out.StackInstance
}

func (g *stage) list(in *cloudformation.ListStackInstancesInput) []types.StackInstanceSummary {
	g.Helper()
	var out []types.StackInstanceSummary
	for p := cloudformation.NewListStackInstancesPaginator(g.api, in); p.HasMorePages(); {
		page, err := p.NextPage(g.Context())
		if err != nil {
			g.Fatal(err)
		}
		out = append(out, page.Summaries...)
	}
	return out
}

// wantError checks the code of an error and a part of its message.
func (g *stage) wantError(err error, wantCode, message string) {
	g.Helper()
	if code(err) != wantCode || !strings.Contains(err.Error(), message) {
		g.Errorf("%v, not %s %q", err, wantCode, message)
	}
}

// enterable is an active member that is no delegated administrator and can be entered.
func (g *stage) enterable() string {
	for _, id := range g.members() {
		if g.sim.world.delegated[id] == nil && g.sim.HasRole(id, "OrganizationAccountAccessRole") {
			return id
		}
	}
	return ""
}

// enter is a StackSet client inside an account, with whichever role lets it in.
func (g *stage) enter(id string) *cloudformation.Client {
	g.Helper()
	role := "OrganizationAccountAccessRole"
	if !g.sim.HasRole(id, role) {
		role = "AWSControlTowerExecution"
	}
	return cloudformation.NewFromConfig(entered(g.T, g.sim, id, role, ""))
}
