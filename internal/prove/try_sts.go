package prove

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
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
	}, {
		Name: "clock", Title: "a clock that is twenty minutes slow",
		Calls: []string{"sts:GetCallerIdentity and organizations:DescribeOrganization, signed with the time of twenty minutes ago"},
		Claims: []Claim{
			{Name: "clock-query", Lines: []string{"WIRE-10"}, Text: "STS refuses a signature of twenty minutes ago: SignatureDoesNotMatch, HTTP 403, \"Signature expired: … is now earlier than …\""},
			{Name: "clock-json", Lines: []string{"WIRE-10"}, Text: "Organizations refuses it with InvalidSignatureException, HTTP 400"},
		},
		try: tryClock,
	}}
}

// slowSigner signs as a machine would whose clock is slow.
type slowSigner struct{ by time.Duration }

func (s slowSigner) SignHTTP(ctx context.Context, c aws.Credentials, r *http.Request, hash, service, region string, at time.Time, options ...func(*v4.SignerOptions)) error {
	return v4.NewSigner().SignHTTP(ctx, c, r, hash, service, region, at.Add(-s.by), options...)
}

// tryClock does not try again: the SDK would set its clock by the answer.
func tryClock(ctx context.Context, t *trial) error {
	slow := slowSigner{20 * time.Minute}
	_, err := sts.NewFromConfig(t.own(), func(o *sts.Options) { o.HTTPSignerV4, o.Retryer = slow, aws.NopRetryer{} }).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	t.refusedSaying("clock-query", err, 403, "SignatureDoesNotMatch", "Signature expired: ", " is now earlier than ")
	_, err = organizations.NewFromConfig(t.own(), func(o *organizations.Options) { o.HTTPSignerV4, o.Retryer = slow, aws.NopRetryer{} }).DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	t.refused("clock-json", err, 400, "InvalidSignatureException")
	return ctx.Err()
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
		Calls: []string{"cloudformation:DescribeStacks", "cloudformation:DescribeStackSet", "cloudformation:ValidateTemplate"},
		Claims: []Claim{
			{Name: "stack-missing", Lines: []string{"PRV-06"},
				Text: "DescribeStacks of a stack that is not there is ValidationError, HTTP 400: \"Stack with id … does not exist\""},
			{Name: "set-missing", Documented: true, Text: "DescribeStackSet of a StackSet that is not there is StackSetNotFoundException, HTTP 404"},
			{Name: "template-url", Lines: []string{"STK-09"}, Text: "a TemplateURL that is no address of S3 is ValidationError, HTTP 400: \"TemplateURL must be a supported URL.\""},
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
	_, err = t.sets().ValidateTemplate(ctx, &cloudformation.ValidateTemplateInput{TemplateURL: aws.String("https://example.com/" + name + ".yaml")})
	t.refusedSaying("template-url", err, 400, "ValidationError", "TemplateURL must be a supported URL")
	return ctx.Err()
}
