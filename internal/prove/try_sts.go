package prove

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func stsScenarios() []Scenario {
	return []Scenario{{
		Name: "sts-errors", Title: "what STS says to a wrong request",
		Calls: []string{"sts:AssumeRole of a role that does not exist"},
		Claims: []Claim{
			{Name: "sts-missing-role", Lines: []string{"PRV-04"},
				Text: "a role that does not exist is AccessDenied, HTTP 403: \"User: … is not authorized to perform: sts:AssumeRole on resource: …\""},
			{Name: "sts-constraint", Lines: []string{"PRV-05"},
				Text: "a parameter that breaks its constraint is ValidationError, HTTP 400: \"1 validation error detected: …\""},
		},
		try: trySTS,
	}}
}

func trySTS(ctx context.Context, t *trial) error {
	role := fmt.Sprintf("arn:%s:iam::%s:role/%sno-such-role", t.Session.Partition, t.Accounts[0].ID, Prefix)
	_, err := t.sts().AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String(role), RoleSessionName: aws.String("rollout-prove")})
	t.refusedSaying("sts-missing-role", err, 403, "AccessDenied", "User: ", " is not authorized to perform: sts:AssumeRole on resource: "+role)
	_, err = t.sts().AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String(role), RoleSessionName: aws.String("x")})
	t.refusedSaying("sts-constraint", err, 400, "ValidationError", "1 validation error detected: Value ")
	return ctx.Err()
}

func stackScenarios() []Scenario {
	return []Scenario{{
		Name: "cfn-missing", Title: "what CloudFormation says of things that are not there",
		Calls: []string{"cloudformation:DescribeStacks", "cloudformation:DescribeStackSet"},
		Claims: []Claim{
			{Name: "stack-missing", Lines: []string{"PRV-06"},
				Text: "DescribeStacks of a stack that is not there is ValidationError, HTTP 400: \"Stack with id … does not exist\""},
			{Name: "set-missing", Documented: true, Text: "DescribeStackSet of a StackSet that is not there is StackSetNotFoundException, HTTP 404"},
			{Name: "set-missing-text", Lines: []string{"PRV-07"}, Text: "it reads \"StackSet … not found\""},
		},
		try: tryMissing,
	}}
}

func tryMissing(ctx context.Context, t *trial) error {
	name := t.name()
	_, err := t.sets().DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(name)})
	t.refusedSaying("stack-missing", err, 400, "ValidationError", "Stack with id "+name+" does not exist")
	_, err = t.sets().DescribeStackSet(ctx, &cloudformation.DescribeStackSetInput{StackSetName: aws.String(name), CallAs: t.CallAs})
	t.refused("set-missing", err, 404, "StackSetNotFoundException")
	t.says("set-missing-text", err, "StackSet "+name+" not found")
	return ctx.Err()
}
