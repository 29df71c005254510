package stackset

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
)

// findUnderWay looks for operations of the sets of a run that have not ended: one call a
// set, since the newest come first. What a run asks for waits until they have: StackSets
// queues it, or refuses it, and then the run asks again (see applier.submit).
func findUnderWay(ctx context.Context, s *awsapi.Session, callAs types.CallAs, sets []Set) []Finding {
	client := newClient(s, "", newPace())
	var exist []Set
	for _, set := range sets {
		if set.Exists {
			exist = append(exist, set)
		}
	}
	type answer struct {
		list []types.StackSetOperationSummary
		err  error
	}
	var all findings
	for set, a := range fanout.Ordered(ctx, exist, listsAtOnce, func(ctx context.Context, set Set) answer {
		out, err := client.ListStackSetOperations(ctx, &cloudformation.ListStackSetOperationsInput{StackSetName: &set.Name, CallAs: callAs, MaxResults: aws.Int32(100)}, fewTries)
		if err != nil {
			return answer{err: err}
		}
		return answer{list: out.Summaries}
	}) {
		if a.err != nil {
			all.add(Finding{Code: "operations-unread", StackSet: set.Name, Text: "Whether operations of {sets} are under way could not be seen: " + sentence(awsapi.Text(a.err)) + "."})
			continue
		}
		for _, op := range a.list {
			if ended, err := over(op.Status); err != nil || ended {
				continue
			}
			id := aws.ToString(op.OperationId)
			whose := "not one of rollout"
			if strings.HasPrefix(id, "rollout-") {
				whose = "of a run of rollout"
			}
			all.add(Finding{Code: "operation-under-way", StackSet: set.Name, Text: fmt.Sprintf("Operation %s of stack set %s is under way (%s, %s, begun %s), %s: what a deploy asks of the set waits until it has ended, and this plan may be old by then.",
				id, set.Name, op.Action, op.Status, aws.ToTime(op.CreationTimestamp).UTC().Format(time.RFC3339), whose),
				Remedy: fmt.Sprintf("Wait for it and plan again (rollout status shows it); to stop it: aws cloudformation stop-stack-set-operation --stack-set-name %s --operation-id %s --call-as %s --region %s.",
					set.Name, id, cmp.Or(callAs, types.CallAsSelf), s.HomeRegion)})
		}
	}
	return all.sorted()
}
