package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/smithy-go"

	"rollout/templates"
)

// The policy that guards a deployment keeps an account's own administrator from
// undoing it, and leaves StackSets and everything else free.
func TestProtectingPolicyProtects(t *testing.T) {
	r := rehearse(t)
	target := r.accounts(1, "Workloads/Staging")[0]
	chosen := []string{"--account", target, "--region", "us-east-1", "--yes"}
	r.rollout(exitDone, append([]string{"deploy", "--remediation", "manual"}, chosen...)...)

	member := r.member(target)
	stack := stackOf(t, member, "Runbook")
	role := ""
	if out, err := cloudformation.NewFromConfig(member).DescribeStackResource(t.Context(), &cloudformation.DescribeStackResourceInput{StackName: &stack, LogicalResourceId: aws.String("Role")}); err != nil {
		t.Fatal(err)
	} else {
		role = *out.StackResourceDetail.PhysicalResourceId
	}
	attacks := map[string]func(context.Context) error{
		"stop the recorder": func(ctx context.Context) error {
			_, err := configservice.NewFromConfig(member).StopConfigurationRecorder(ctx, &configservice.StopConfigurationRecorderInput{ConfigurationRecorderName: aws.String("rollout")})
			return err
		},
		"delete the rule": func(ctx context.Context) error {
			_, err := configservice.NewFromConfig(member).DeleteConfigRule(ctx, &configservice.DeleteConfigRuleInput{ConfigRuleName: aws.String("rollout-vpc-default-security-group-closed")})
			return err
		},
		"delete the stack": func(ctx context.Context) error {
			_, err := cloudformation.NewFromConfig(member).DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &stack})
			return err
		},
		"give the role more": func(ctx context.Context) error {
			_, err := iam.NewFromConfig(member).AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &role, PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
			return err
		},
		"delete the remediation": func(ctx context.Context) error {
			_, err := configservice.NewFromConfig(member).DeleteRemediationConfiguration(ctx, &configservice.DeleteRemediationConfigurationInput{ConfigRuleName: aws.String("rollout-vpc-default-security-group-closed")})
			return err
		},
	}
	guard, _ := r.rollout(exitDone, "templates", "policy", templates.DefaultSecurityGroup, "--protect", "--output", "jsonl")
	attach(t, r.operator(), strings.TrimSpace(guard))
	for name, attack := range attacks {
		var api smithy.APIError
		if err := attack(t.Context()); !errors.As(err, &api) || !strings.HasPrefix(api.ErrorCode(), "AccessDenied") || !strings.Contains(api.ErrorMessage(), "service control policy") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What is nobody's of ours stays free.
	if _, err := cloudformation.NewFromConfig(member).CreateStack(t.Context(), &cloudformation.CreateStackInput{
		StackName: aws.String("theirs"), TemplateBody: aws.String(`{"Resources":{"Handle":{"Type":"AWS::CloudFormation::WaitConditionHandle"}}}`),
	}); err != nil {
		t.Errorf("a stack of their own: %v", err)
	}
	// StackSets goes on: nothing to do, then everything out.
	r.rollout(exitDone, append([]string{"deploy", "--remediation", "manual"}, chosen...)...)
	r.rollout(exitDone, append([]string{"disarm", "--yes"}, chosen[:2]...)...)
}

// stackOf is the name of the stack that has a logical id.
func stackOf(t *testing.T, cfg aws.Config, logicalID string) string {
	t.Helper()
	api := cloudformation.NewFromConfig(cfg)
	stacks, err := api.ListStacks(t.Context(), &cloudformation.ListStacksInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stacks.StackSummaries {
		if _, err := api.DescribeStackResource(t.Context(), &cloudformation.DescribeStackResourceInput{StackName: s.StackName, LogicalResourceId: &logicalID}); err == nil {
			return *s.StackName
		}
	}
	t.Fatalf("no stack of %d has %s", len(stacks.StackSummaries), logicalID)
	return ""
}

// attach attaches a service control policy to the root.
func attach(t *testing.T, cfg aws.Config, content string) {
	t.Helper()
	api := organizations.NewFromConfig(cfg)
	policy, err := api.CreatePolicy(t.Context(), &organizations.CreatePolicyInput{Name: aws.String("guard"), Description: aws.String(""), Type: types.PolicyTypeServiceControlPolicy, Content: &content})
	if err != nil {
		t.Fatal(err)
	}
	roots, err := api.ListRoots(t.Context(), &organizations.ListRootsInput{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.AttachPolicy(t.Context(), &organizations.AttachPolicyInput{PolicyId: policy.Policy.PolicySummary.Id, TargetId: roots.Roots[0].Id}); err != nil {
		t.Fatal(err)
	}
}
