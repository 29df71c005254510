package prove

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

func definitionScenarios() []Scenario {
	return []Scenario{{
		Name: "set", Title: "a StackSet without instances",
		Makes: []string{"one StackSet at a time, without instances"},
		Calls: []string{"cloudformation:CreateStackSet", "cloudformation:DeleteStackSet", "cloudformation:ListStackSets"},
		Claims: []Claim{
			{Name: "set-token-repeated", Documented: true, Text: "CreateStackSet again with the same ClientRequestToken gives the same StackSet"},
			{Name: "set-token-changed", Lines: []string{"PRV-08"}, Text: "the same ClientRequestToken with another template is CreatedButModifiedException, HTTP 409"},
			{Name: "set-name-taken", Documented: true, Text: "a name that is taken is NameAlreadyExistsException, HTTP 409"},
			{Name: "set-deleted-listed", Documented: true, Text: "a deleted StackSet stays in ListStackSets as DELETED"},
			{Name: "set-name-reusable", Lines: []string{"PRV-09"}, Text: "the name of a deleted StackSet can be used again"},
			{Name: "set-capabilities-text", Lines: []string{"PRV-10"},
				Text: "a named role without its capability is InsufficientCapabilitiesException: \"Requires capabilities : [CAPABILITY_NAMED_IAM]\""},
			{Name: "set-auto-deployment", Documented: true, Text: "a service-managed StackSet without AutoDeployment is refused"},
		},
		try: tryDefinition,
	}}
}

// A role that nobody can assume and that may do nothing: it is never made, since
// the StackSet is refused, and would have no instance.
const namedRole = `{"Resources":{"Role":{"Type":"AWS::IAM::Role","Properties":{"RoleName":"rollout-prove-never","AssumeRolePolicyDocument":
{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}]}}}}}`

func tryDefinition(ctx context.Context, t *trial) error {
	token := t.Run + "-token"
	s, made, err := t.newSet(ctx, func(in *cloudformation.CreateStackSetInput) { in.ClientRequestToken = aws.String(token) })
	if err != nil {
		return fmt.Errorf("create StackSet %s: %w", s.name, err)
	}
	in := t.setInput(s.name)
	in.ClientRequestToken = aws.String(token)
	again, err := s.api.CreateStackSet(ctx, in)
	switch {
	case err != nil:
		t.failed("set-token-repeated", err)
	default:
		t.holds("set-token-repeated", aws.ToString(again.StackSetId) == aws.ToString(made.StackSetId), "StackSetId %s, then %s", aws.ToString(made.StackSetId), aws.ToString(again.StackSetId))
	}
	in.TemplateBody = aws.String(`{"Resources":{"Other":{"Type":"AWS::CloudFormation::WaitConditionHandle"}}}`)
	_, err = s.api.CreateStackSet(ctx, in)
	t.refused("set-token-changed", err, 409, "CreatedButModifiedException")
	_, err = s.api.CreateStackSet(ctx, t.setInput(s.name))
	t.refused("set-name-taken", err, 409, "NameAlreadyExistsException")

	if _, err := s.api.DeleteStackSet(ctx, &cloudformation.DeleteStackSetInput{StackSetName: aws.String(s.name), CallAs: t.CallAs}); err != nil {
		return fmt.Errorf("delete StackSet %s: %w", s.name, err)
	}
	listed, pages := false, cloudformation.NewListStackSetsPaginator(s.api, &cloudformation.ListStackSetsInput{CallAs: t.CallAs, Status: types.StackSetStatusDeleted})
	for pages.HasMorePages() && !listed {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("list the deleted StackSets: %w", err)
		}
		for _, x := range page.Summaries {
			listed = listed || aws.ToString(x.StackSetName) == s.name && x.Status == types.StackSetStatusDeleted
		}
	}
	t.holds("set-deleted-listed", listed, "listed as DELETED: %t", listed)
	_, err = s.api.CreateStackSet(ctx, t.setInput(s.name))
	if err != nil {
		t.failed("set-name-reusable", err)
	} else {
		t.holds("set-name-reusable", true, "made again under the same name")
	}

	_, _, err = t.newSet(ctx, func(in *cloudformation.CreateStackSetInput) { in.TemplateBody = aws.String(namedRole) })
	t.refusedSaying("set-capabilities-text", err, 400, "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_NAMED_IAM]")
	_, _, err = t.newSet(ctx, func(in *cloudformation.CreateStackSetInput) { in.AutoDeployment = nil })
	t.refused("set-auto-deployment", err, 400, "ValidationError")
	return ctx.Err()
}
