package simaws

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// catalog reads an embedded template as a stranger's file.
func catalog(t *testing.T, name string) *string {
	t.Helper()
	body, err := os.ReadFile("../../templates/catalog/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return aws.String(string(body))
}

func makeSet(t *testing.T, api *cloudformation.Client, name string, parameters ...types.Parameter) {
	t.Helper()
	_, err := api.CreateStackSet(t.Context(), &cloudformation.CreateStackSetInput{
		StackSetName: aws.String(name), TemplateBody: catalog(t, name), PermissionModel: types.PermissionModelsServiceManaged, Parameters: parameters,
		AutoDeployment: &types.AutoDeployment{Enabled: aws.Bool(false)}, ManagedExecution: &types.ManagedExecution{Active: aws.Bool(true)},
		Capabilities: []types.Capability{types.CapabilityCapabilityIam},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func parameter(key, value string) types.Parameter {
	return types.Parameter{ParameterKey: aws.String(key), ParameterValue: aws.String(value)}
}

// deploy creates instances and waits for the operation.
func deploy(t *testing.T, api *cloudformation.Client, set, root string, accounts, regions []string, overrides ...types.Parameter) types.StackSetOperation {
	t.Helper()
	out, err := api.CreateStackInstances(t.Context(), &cloudformation.CreateStackInstancesInput{
		StackSetName: aws.String(set), Regions: regions, ParameterOverrides: overrides,
		DeploymentTargets:    &types.DeploymentTargets{OrganizationalUnitIds: []string{root}, Accounts: accounts, AccountFilterType: types.AccountFilterTypeIntersection},
		OperationPreferences: &types.StackSetOperationPreferences{ConcurrencyMode: types.ConcurrencyModeSoftFailureTolerance, RegionConcurrencyType: types.RegionConcurrencyTypeParallel, MaxConcurrentPercentage: aws.Int32(100), FailureTolerancePercentage: aws.Int32(10)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return await(t, api, set, *out.OperationId)
}

func await(t *testing.T, api *cloudformation.Client, set, id string) types.StackSetOperation {
	t.Helper()
	for range 200 {
		op, err := api.DescribeStackSetOperation(t.Context(), &cloudformation.DescribeStackSetOperationInput{StackSetName: aws.String(set), OperationId: aws.String(id)})
		if err != nil {
			t.Fatal(err)
		}
		if op.StackSetOperation.EndTimestamp != nil {
			return *op.StackSetOperation
		}
		time.Sleep(5 * time.Second)
	}
	t.Fatal("the operation never ended")
	return types.StackSetOperation{}
}

// The four templates deploy into a clean account, in order, in two Regions; the
// open groups are found and closed.
func TestTheBaselineDeploysAndEnforces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Empty: true})
		api := cloudformation.NewFromConfig(sdk(s, "us-east-1"))
		id := s.Accounts()[30].ID
		regions := []string{"eu-west-1", "us-east-1"}
		s.SetGroups(id, "eu-west-1", true)
		root := s.world.rootID
		home := parameter("HomeRegion", "us-east-1")
		makeSet(t, api, "recording-base")
		makeSet(t, api, "recording", home)
		makeSet(t, api, "default-security-group")
		makeSet(t, api, "default-security-group-enforce", home, parameter("Remediation", "Automatic"))
		for _, step := range []struct {
			set       string
			regions   []string
			overrides []types.Parameter
		}{
			{"recording-base", []string{"us-east-1"}, []types.Parameter{parameter("CreateConfigServiceLinkedRole", "true"), parameter("CreateRemediationServiceLinkedRole", "true")}},
			{"recording", regions, nil}, {"default-security-group", regions, nil}, {"default-security-group-enforce", regions, nil},
		} {
			op := deploy(t, api, step.set, root, []string{id}, step.regions, step.overrides...)
			results, err := api.ListStackSetOperationResults(t.Context(), &cloudformation.ListStackSetOperationResultsInput{StackSetName: aws.String(step.set), OperationId: op.OperationId})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results.Summaries {
				if r.Status != types.StackSetOperationResultStatusSucceeded {
					t.Fatalf("%s in %s: %s: %s", step.set, *r.Region, r.Status, aws.ToString(r.StatusReason))
				}
			}
			if len(results.Summaries) != len(step.regions) || op.Status != types.StackSetOperationStatusSucceeded {
				t.Fatalf("%s: %s with %d results", step.set, op.Status, len(results.Summaries))
			}
		}
		time.Sleep(20 * time.Minute)
		for _, line := range s.Truth(regions) {
			if line.AccountID == id && line.Status != "COMPLIANT" {
				t.Errorf("%+v", line)
			}
		}
	})
}
