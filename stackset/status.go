package stackset

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
)

// Operations lists a set's newest operations, at most limit of them, newest first.
func Operations(ctx context.Context, s *awsapi.Session, callAs types.CallAs, set string, limit int) ([]Operation, error) {
	var out []Operation
	pages := cloudformation.NewListStackSetOperationsPaginator(newClient(s, "", newPace()), &cloudformation.ListStackSetOperationsInput{
		StackSetName: aws.String(set), CallAs: callAs, MaxResults: aws.Int32(int32(min(max(limit, 1), 100))),
	})
	for pages.HasMorePages() && len(out) < limit {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the operations of stack set %s in %s: %w", set, s.HomeRegion, err)
		}
		for _, o := range page.Summaries {
			op := Operation{StackSet: set, ID: aws.ToString(o.OperationId), Action: string(o.Action), Status: string(o.Status), StatusReason: aws.ToString(o.StatusReason), Created: aws.ToTime(o.CreationTimestamp), Ended: aws.ToTime(o.EndTimestamp)}
			if o.StatusDetails != nil {
				op.Failed = int(aws.ToInt32(o.StatusDetails.FailedStackInstancesCount))
			}
			out = append(out, op)
		}
	}
	return out[:min(len(out), limit)], nil
}

// DeleteSet deletes a set that has no instance.
func DeleteSet(ctx context.Context, s *awsapi.Session, callAs types.CallAs, set string) error {
	_, err := newClient(s, "", newPace()).DeleteStackSet(ctx, &cloudformation.DeleteStackSetInput{StackSetName: aws.String(set), CallAs: callAs})
	if err != nil {
		return fmt.Errorf("delete stack set %s in %s: %w", set, s.HomeRegion, err)
	}
	return nil
}
