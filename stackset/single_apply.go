package stackset

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
)

// single begins the changes of a set's plain stacks, Regions side by side, and gives
// what waits for their end. What fails is an Outcome.
func (a *applier) single(ctx context.Context, set *Set, changes []Change) (wait func()) {
	own := *set // the set's operations go on beside it
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.eachSingle(ctx, &own, changes, 1)
	}()
	return func() { <-done }
}

// eachSingle carries out changes of a set's plain stacks. round tells the calls of one
// attempt from those of another.
func (a *applier) eachSingle(ctx context.Context, s *Set, changes []Change, round int) {
	for range fanout.Ordered(ctx, changes, regionsAtOnce, func(ctx context.Context, c Change) struct{} {
		op := Operation{StackSet: s.Name, ID: token(fmt.Sprintf("%s-%s-%d", a.o.Run, c.Region, round), s.Name), Action: string(c.Action), Status: "RUNNING", Created: time.Now(), Total: 1}
		a.emit(OperationStarted{op})
		work := &singleWork{a: a, s: s, c: c, api: newClient(a.s, c.Region, newPace()), token: op.ID}
		status, reason := work.do(ctx)
		a.record(c, status, reason, op.ID)
		op.Status, op.Done, op.Ended = status, 1, time.Now()
		if status == OutcomeFailed {
			op.Failed = 1
		}
		a.emit(OperationEnded{op})
		return struct{}{}
	}) {
	}
}

// singleWork is the change of one plain stack.
type singleWork struct {
	a     *applier
	s     *Set
	c     Change
	api   *cloudformation.Client
	token string // names the change set and makes calls idempotent
}

func (w *singleWork) do(ctx context.Context) (status, reason string) {
	var err error
	switch w.c.Action {
	case Delete:
		if w.a.o.Retain || w.a.o.RetainAuto && w.s.losesData() {
			return OutcomeSkipped, "the stack is left as it is, with what it made: a plain stack is not let go as a stack instance is"
		}
		err = w.remove(ctx)
	case Recreate:
		if err = w.remove(ctx); err == nil {
			err = w.put(ctx, types.ChangeSetTypeCreate)
		}
	case Create:
		err = w.put(ctx, types.ChangeSetTypeCreate)
	case Update:
		err = w.put(ctx, types.ChangeSetTypeUpdate)
	}
	switch {
	case err == nil:
		return OutcomeSucceeded, ""
	case ctx.Err() != nil:
		return OutcomeRunning, fmt.Sprintf("the run stopped while CloudFormation works on stack %s in %s; it goes on by itself", w.s.Name, w.c.Region)
	}
	return OutcomeFailed, sentence(awsapi.Plain(err))
}

// put makes or changes the stack by a change set. One without changes is deleted.
func (w *singleWork) put(ctx context.Context, kind types.ChangeSetType) error {
	name := aws.String(w.s.Name)
	set, err := w.api.CreateChangeSet(ctx, &cloudformation.CreateChangeSetInput{
		StackName: name, ChangeSetName: aws.String(w.token), ChangeSetType: kind, ClientToken: aws.String(w.token),
		Description: aws.String(description(w.s)), TemplateBody: aws.String(string(w.s.Template.Body())),
		Parameters: w.values(kind), Tags: w.a.tags(w.s), Capabilities: capabilities(w.s),
	})
	if err != nil {
		return fmt.Errorf("create a change set of stack %s: %w", w.s.Name, err)
	}
	changes, err := w.planned(ctx)
	if err != nil || !changes {
		w.drop(ctx, kind)
		return err
	}
	begun := time.Now()
	if _, err := w.api.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{StackName: name, ChangeSetName: aws.String(w.token), ClientRequestToken: aws.String(w.token)}); err != nil {
		return fmt.Errorf("execute the change set of stack %s: %w", w.s.Name, err)
	}
	status, err := w.settled(ctx, aws.ToString(set.StackId))
	if err != nil {
		return err
	}
	if status != types.StackStatusCreateComplete && status != types.StackStatusUpdateComplete {
		return w.cause(ctx, aws.ToString(set.StackId), status, begun)
	}
	return nil
}

// values are the stack's parameters: those of the set, with what preflight decided
// when the stack is created, which stays as it is when it is changed.
func (w *singleWork) values(kind types.ChangeSetType) []types.Parameter {
	all := maps.Clone(w.s.Want)
	maps.Copy(all, w.c.Overrides)
	list := parameters(all)
	there := w.s.Singles[w.c.Target].Parameters
	for i, p := range list {
		_, given := w.c.Overrides[*p.ParameterKey]
		if _, had := there[*p.ParameterKey]; had && !given && kind == types.ChangeSetTypeUpdate && isSwitch(w.s.Template, *p.ParameterKey) {
			list[i] = types.Parameter{ParameterKey: p.ParameterKey, UsePreviousValue: aws.Bool(true)}
		}
	}
	return list
}

// planned waits until a change set is worked out, and says whether it changes anything.
func (w *singleWork) planned(ctx context.Context) (bool, error) {
	for look := 0; ; look++ {
		if err := pause(ctx, pollAfter(look)); err != nil {
			return false, err
		}
		out, err := w.api.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{StackName: aws.String(w.s.Name), ChangeSetName: aws.String(w.token)})
		if err != nil {
			return false, fmt.Errorf("describe the change set of stack %s: %w", w.s.Name, err)
		}
		reason := aws.ToString(out.StatusReason)
		switch out.Status {
		case types.ChangeSetStatusCreateComplete:
			return true, nil
		case types.ChangeSetStatusFailed:
			if strings.Contains(reason, "didn't contain changes") || strings.Contains(reason, noUpdates) {
				return false, nil
			}
			return false, fmt.Errorf("the change set of stack %s failed: %s", w.s.Name, reason)
		case types.ChangeSetStatusCreatePending, types.ChangeSetStatusCreateInProgress:
		default:
			return false, fmt.Errorf("the change set of stack %s is %s: %s", w.s.Name, out.Status, reason)
		}
	}
}

// drop deletes a change set that is not executed, and the empty stack that one of a
// new stack leaves. What cannot be deleted is in nobody's way.
func (w *singleWork) drop(ctx context.Context, kind types.ChangeSetType) {
	ctx = context.WithoutCancel(ctx)
	if kind == types.ChangeSetTypeCreate {
		w.api.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: aws.String(w.s.Name)}) //nolint:errcheck // see above
		return
	}
	w.api.DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{StackName: aws.String(w.s.Name), ChangeSetName: aws.String(w.token)}) //nolint:errcheck // see above
}

// remove deletes the stack and waits for its end.
func (w *singleWork) remove(ctx context.Context) error {
	one := w.s.Singles[w.c.Target]
	id := cmp.Or(one.ID, w.s.Name)
	if strings.HasSuffix(one.Status, "_IN_PROGRESS") && one.Status != string(types.StackStatusCreateInProgress) {
		// CloudFormation deletes a stack that it makes, and none that it changes.
		w.a.emit(Waiting{w.s.Name, "the stack in " + w.c.Region + " is " + one.Status})
		if _, err := w.settled(ctx, id); err != nil {
			return err
		}
	}
	begun := time.Now()
	if _, err := w.api.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: aws.String(id), ClientRequestToken: aws.String(w.token + "-d")}); err != nil {
		return fmt.Errorf("delete stack %s: %w", w.s.Name, err)
	}
	status, err := w.settled(ctx, id)
	if err != nil {
		return err
	}
	if status != types.StackStatusDeleteComplete {
		return w.cause(ctx, id, status, begun)
	}
	return nil
}

// settled waits until nothing works on the stack.
func (w *singleWork) settled(ctx context.Context, id string) (types.StackStatus, error) {
	for look := 0; ; look++ {
		if err := pause(ctx, pollAfter(look)); err != nil {
			return "", err
		}
		out, err := w.api.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(id)})
		if err != nil && notThere(err) {
			return types.StackStatusDeleteComplete, nil
		}
		if err != nil {
			return "", fmt.Errorf("watch stack %s: %w", w.s.Name, err)
		}
		if len(out.Stacks) > 0 && !strings.HasSuffix(string(out.Stacks[0].StackStatus), "_IN_PROGRESS") {
			return out.Stacks[0].StackStatus, nil
		}
	}
}

// cause is the first resource that failed since then, in the words of a stack
// instance's reason, so that the same trouble reads the same.
func (w *singleWork) cause(ctx context.Context, id string, status types.StackStatus, since time.Time) error {
	first := fmt.Sprintf("stack %s is %s", w.s.Name, status)
	pages := cloudformation.NewDescribeStackEventsPaginator(w.api, &cloudformation.DescribeStackEventsInput{StackName: aws.String(id)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("%s, and why could not be read: %w", first, err)
		}
		for _, e := range page.StackEvents { // newest first
			if aws.ToTime(e.Timestamp).Before(since.Add(-time.Minute)) {
				return fmt.Errorf("%s", first)
			}
			if strings.HasSuffix(string(e.ResourceStatus), "_FAILED") && aws.ToString(e.PhysicalResourceId) != aws.ToString(e.StackId) {
				first = fmt.Sprintf("ResourceLogicalId:%s, ResourceType:%s, ResourceStatusReason:%s", aws.ToString(e.LogicalResourceId), aws.ToString(e.ResourceType), aws.ToString(e.ResourceStatusReason))
			}
		}
	}
	return fmt.Errorf("%s", first)
}

// singleSteps are the calls for a set's plain stacks.
func singleSteps(s Set, changes []Change) []Step {
	var out []Step
	for _, c := range changes {
		calls := []string{"CreateChangeSet", "ExecuteChangeSet"}
		switch c.Action {
		case Delete:
			calls = []string{"DeleteStack"}
		case Recreate:
			calls = slices.Insert(calls, 0, "DeleteStack")
		}
		for _, call := range calls {
			step := Step{StackSet: s.Name, Call: call, Accounts: []string{c.AccountID}, Regions: []string{c.Region}, Overrides: c.Overrides}
			if call != "CreateChangeSet" {
				step.Instances = 1
			}
			out = append(out, step)
		}
	}
	return out
}
