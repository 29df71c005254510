package prove_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/prove"
)

// leave makes a StackSet with an instance, as a run that was killed leaves it.
func (g *ground) leave(t *testing.T, name string, tagged bool) string {
	t.Helper()
	api := cloudformation.NewFromConfig(g.session.Own(""))
	in := &cloudformation.CreateStackSetInput{
		StackSetName: aws.String(name), TemplateBody: aws.String(`{"Resources":{"H":{"Type":"AWS::CloudFormation::WaitConditionHandle"}}}`),
		PermissionModel: types.PermissionModelsServiceManaged, AutoDeployment: &types.AutoDeployment{Enabled: aws.Bool(false)},
	}
	if tagged {
		in.Tags = []types.Tag{{Key: aws.String(prove.Tag), Value: aws.String("earlier")}}
	}
	if _, err := api.CreateStackSet(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if _, err := api.CreateStackInstances(t.Context(), &cloudformation.CreateStackInstancesInput{
		StackSetName: aws.String(name), Regions: []string{"us-east-1"},
		DeploymentTargets: &types.DeploymentTargets{OrganizationalUnitIds: []string{g.options.OU}, Accounts: []string{g.options.Accounts[0].ID}, AccountFilterType: types.AccountFilterTypeIntersection},
	}); err != nil {
		t.Fatal(err)
	}
	return name
}

// leaveStack makes a stack in an account, as a run that was killed leaves it.
func (g *ground) leaveStack(t *testing.T, account, name string, tagged bool) string {
	t.Helper()
	entry, err := g.session.Enter(t.Context(), account, "")
	if err != nil {
		t.Fatal(err)
	}
	in := &cloudformation.CreateStackInput{StackName: aws.String(name), TemplateBody: aws.String(`{"Resources":{"H":{"Type":"AWS::CloudFormation::WaitConditionHandle"}}}`)}
	if tagged {
		in.Tags = []types.Tag{{Key: aws.String(prove.Tag), Value: aws.String("earlier")}}
	}
	if _, err := cloudformation.NewFromConfig(entry.Config("us-east-1")).CreateStack(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	return name
}
