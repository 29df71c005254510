package stackset

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
)

// readBodies reads the templates of plain stacks that a plan would update from another
// body than their set deploys: one call each. Only the estimate needs them, so one that
// cannot be read is said there.
func readBodies(ctx context.Context, s *awsapi.Session, sets []Set) error {
	type task struct {
		set int
		one Single
	}
	var tasks []task
	for i, set := range sets {
		for _, one := range set.Singles {
			if one.Ours && one.SHA256 != set.Template.SHA256() && (one.SHA256 != set.SHA256 || set.Deployed == "") {
				tasks = append(tasks, task{i, one})
			}
		}
	}
	for t, one := range fanout.Ordered(ctx, tasks, regionsAtOnce, func(ctx context.Context, t task) Single {
		out, err := newClient(s, t.one.Region, newPace()).GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: aws.String(t.one.ID)})
		if err != nil {
			t.one.BodyUnread = sentence(awsapi.Text(err))
			return t.one
		}
		t.one.Deployed = aws.ToString(out.TemplateBody)
		return t.one
	}) {
		sets[t.set].Singles[one.Target] = one
	}
	return ctx.Err()
}
