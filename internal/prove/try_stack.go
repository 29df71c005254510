package prove

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
)

func singleScenarios() []Scenario {
	return []Scenario{{
		Name: "stack", Title: "a stack of its own in one account",
		Makes: []string{"two stacks in one of the accounts chosen: one with a WaitConditionHandle, one that fails"},
		Calls: []string{"sts:AssumeRole of a role there, narrowed to stacks called " + Prefix + "…", "cloudformation:CreateStack", "cloudformation:UpdateStack",
			"cloudformation:DescribeStackEvents", "cloudformation:DetectStackDrift", "cloudformation:DescribeStackResourceDrifts", "cloudformation:DeleteStack"},
		Claims: []Claim{
			{Name: "stack-no-update", Documented: true, Text: "an update that changes nothing is ValidationError, \"No updates are to be performed.\""},
			{Name: "stack-cleanup-event", Lines: []string{"STK-05"}, Text: "the events of an update have UPDATE_COMPLETE_CLEANUP_IN_PROGRESS of the stack itself"},
			{Name: "stack-rollback-reason", Lines: []string{"STK-02"}, Text: "a creation that fails goes through ROLLBACK_IN_PROGRESS, \"The following resource(s) failed to create: […]\""},
			{Name: "stack-unknown-type", Lines: []string{"ENG-08"}, Text: "a resource type that does not exist is refused at once: ValidationError, \"Unrecognized resource types: […]\""},
			{Name: "stack-drift-handle", Lines: []string{"DFT-02"}, Text: "drift detection cannot check a WaitConditionHandle: the stack is IN_SYNC and DescribeStackResourceDrifts empty"},
		},
		try: tryStack,
	}}
}

// stackCalls is all that the session may do.
func (t *trial) stackCalls() string {
	return fmt.Sprintf(stackPolicy, "arn:*:cloudformation:*:*:stack/"+Prefix+"*/*")
}

const stackPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"%s","Action":["cloudformation:CreateStack",
"cloudformation:UpdateStack","cloudformation:DeleteStack","cloudformation:DescribeStacks","cloudformation:DescribeStackEvents",
"cloudformation:DetectStackDrift","cloudformation:DetectStackResourceDrift","cloudformation:DescribeStackResourceDrifts"]},{"Effect":"Allow","Resource":"*","Action":["cloudformation:BatchDescribeTypeConfigurations","cloudformation:ListStacks"]}]}`

func tryStack(ctx context.Context, t *trial) error {
	entry, err := t.enterFirst(ctx, t.stackCalls())
	if err != nil {
		return err
	}
	api := t.stacks(entry)
	name, err := t.newStack(ctx, api, entry.Account, nothing)
	if err != nil {
		return err
	}
	if _, err := t.settled(ctx, api, name); err != nil {
		return err
	}
	update := &cloudformation.UpdateStackInput{StackName: aws.String(name), UsePreviousTemplate: aws.Bool(true),
		Parameters: []types.Parameter{{ParameterKey: aws.String("Note"), ParameterValue: aws.String("two")}}}
	if _, err := api.UpdateStack(ctx, update); err != nil {
		return fmt.Errorf("update stack %s: %w", name, err)
	}
	if _, err := t.settled(ctx, api, name); err != nil {
		return err
	}
	_, err = api.UpdateStack(ctx, update)
	t.refusedSaying("stack-no-update", err, 400, "ValidationError", "No updates are to be performed.")
	events, err := stackEvents(ctx, api, name)
	if err != nil {
		return err
	}
	t.holds("stack-cleanup-event", slices.ContainsFunc(events, func(e string) bool { return strings.HasPrefix(e, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS") }), "%s", strings.Join(events, "; "))

	if err := t.driftOfNothing(ctx, api, name); err != nil {
		return err
	}
	_, err = t.newStack(ctx, api, entry.Account, unknownType) // arranged to be removed, should it be made
	t.refusedSaying("stack-unknown-type", err, 400, "ValidationError", "Unrecognized resource types: [AWS::RolloutProve::Nothing]")

	if name, err = t.newStack(ctx, api, entry.Account, broken); err != nil {
		return err
	}
	if _, err := t.settled(ctx, api, name); err != nil {
		return err
	}
	if events, err = stackEvents(ctx, api, name); err != nil {
		return err
	}
	t.holds("stack-rollback-reason", slices.ContainsFunc(events, func(e string) bool {
		return strings.HasPrefix(e, "ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [Broken].")
	}), "%s", strings.Join(events, "; "))
	return nil
}

// unknownType is a template that CloudFormation refuses before it makes a stack.
const unknownType = `{"Resources":{"Nothing":{"Type":"AWS::RolloutProve::Nothing"}}}`

// driftOfNothing looks for drift in a stack that has only a handle.
func (t *trial) driftOfNothing(ctx context.Context, api *cloudformation.Client, name string) error {
	if _, err := api.DetectStackDrift(ctx, &cloudformation.DetectStackDriftInput{StackName: aws.String(name)}); err != nil {
		t.failed("stack-drift-handle", err)
		return nil
	}
	began := time.Now()
	for n := 0; ; n++ {
		out, err := api.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(name)})
		if err != nil {
			return fmt.Errorf("read stack %s: %w", name, err)
		}
		if len(out.Stacks) == 0 {
			return fmt.Errorf("stack %s is gone while its drift is detected", name)
		}
		if d := out.Stacks[0].DriftInformation; d != nil && d.LastCheckTimestamp != nil {
			drifts, err := api.DescribeStackResourceDrifts(ctx, &cloudformation.DescribeStackResourceDriftsInput{StackName: aws.String(name)})
			if err != nil {
				return fmt.Errorf("read the drifts of stack %s: %w", name, err)
			}
			t.holds("stack-drift-handle", d.StackDriftStatus == types.StackDriftStatusInSync && len(drifts.StackResourceDrifts) == 0, "%s, %d resources checked", d.StackDriftStatus, len(drifts.StackResourceDrifts))
			return nil
		}
		if time.Since(began) > t.patience() {
			return fmt.Errorf("%w: drift detection of stack %s", errPatience, name)
		}
		if err := t.pause(ctx, n); err != nil {
			return err
		}
	}
}

// newStack makes a stack, and takes it away at the end.
func (t *trial) newStack(ctx context.Context, api *cloudformation.Client, account, template string) (string, error) {
	name := t.name()
	t.later(fmt.Sprintf("stack %s in account %s, %s", name, account, t.region()), "rollout prove --clean, or delete the stack in that account's console", func(ctx context.Context) error {
		return t.removeStack(ctx, api, name)
	})
	_, err := api.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: aws.String(name), TemplateBody: aws.String(template),
		Tags: []types.Tag{{Key: aws.String(Tag), Value: aws.String(t.Run)}}})
	if unanswered(err) && answer(err).Status == 403 {
		t.undo = t.undo[:len(t.undo)-1] // denied, so nothing was made
	}
	if err != nil {
		return name, fmt.Errorf("create stack %s: %w", name, err)
	}
	return name, nil
}

// removeStack deletes a stack and waits for its end; one that is not there is gone.
func (t *trial) removeStack(ctx context.Context, api *cloudformation.Client, name string) error {
	if _, err := api.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: aws.String(name)}); err != nil {
		return err
	}
	status, err := t.settled(ctx, api, name)
	if err == nil && status != "" && status != types.StackStatusDeleteComplete {
		return fmt.Errorf("its status is %s", status)
	}
	return err
}

// settled waits until nothing goes on in a stack; "" is a stack that is not there.
func (t *trial) settled(ctx context.Context, api *cloudformation.Client, name string) (types.StackStatus, error) {
	began := time.Now()
	for n := 0; ; n++ {
		out, err := api.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(name)})
		if awsapi.Code(err) == "ValidationError" {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		if len(out.Stacks) == 0 || !strings.HasSuffix(string(out.Stacks[0].StackStatus), "_IN_PROGRESS") {
			if len(out.Stacks) == 0 {
				return "", nil
			}
			return out.Stacks[0].StackStatus, nil
		}
		if time.Since(began) > t.patience() {
			return "", fmt.Errorf("%w: stack %s", errPatience, name)
		}
		if err := t.pause(ctx, n); err != nil {
			return "", err
		}
	}
}

// stackEvents are the events of the stack itself, "STATUS reason", oldest first.
func stackEvents(ctx context.Context, api *cloudformation.Client, name string) ([]string, error) {
	out, err := api.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: aws.String(name)})
	if err != nil {
		return nil, fmt.Errorf("read the events of stack %s: %w", name, err)
	}
	var list []string
	for _, e := range slices.Backward(out.StackEvents) {
		if aws.ToString(e.ResourceType) == "AWS::CloudFormation::Stack" {
			list = append(list, strings.TrimSpace(string(e.ResourceStatus)+" "+aws.ToString(e.ResourceStatusReason)))
		}
	}
	return list, nil
}
