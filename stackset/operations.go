package stackset

import (
	"cmp"
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

// running is an operation that was asked for.
type running struct {
	set     *Set
	id      string
	changes []Change
	op      Operation
	ended   bool
	// listed is when the results were listed last, took how long that took.
	listed time.Time
	took   time.Duration
}

// run starts an operation for each batch and waits for all of them. A batch of deletes
// that is refused stops no other; what creates or changes stops at the first refusal.
func (a *applier) run(ctx context.Context, s *Set, batches []batch) error {
	var under []*running
	var failure error
	for _, b := range batches {
		if ctx.Err() != nil {
			break
		}
		r, err := a.start(ctx, s, b)
		if err != nil {
			if ctx.Err() != nil {
				break // what runs already is waited for
			}
			err = a.explain(fmt.Sprintf("%s %s of stack set %s (%s)", b.action, count(len(b.changes), "stack instance"), s.Name, strings.Join(b.regions, ", ")), err)
			a.recordAll(b.changes, OutcomeNotStarted, "it was refused: "+sentence(awsapi.Plain(err)), "")
			failure = cmp.Or(failure, err)
			if b.action != Delete {
				break
			}
			continue
		}
		under = append(under, r)
	}
	return cmp.Or(failure, a.watch(ctx, under))
}

// start asks for the operation of a batch.
func (a *applier) start(ctx context.Context, s *Set, b batch) (*running, error) {
	prefs := preferences(a.p.Desired.Preferences)
	return a.submit(ctx, s, b, func(id string) (string, error) {
		var returned *string
		switch b.action {
		case Create:
			out, err := a.api.CreateStackInstances(ctx, &cloudformation.CreateStackInstancesInput{
				StackSetName: aws.String(s.Name), CallAs: a.callAs, DeploymentTargets: b.deploymentTargets(), Regions: b.regions,
				ParameterOverrides: parameters(b.overrides), OperationPreferences: prefs, OperationId: aws.String(id),
			})
			if err != nil {
				return "", err
			}
			returned = out.OperationId
		case Update:
			// Overrides that are there stay where none are sent; those that are sent
			// replace all of them.
			out, err := a.api.UpdateStackInstances(ctx, &cloudformation.UpdateStackInstancesInput{
				StackSetName: aws.String(s.Name), CallAs: a.callAs, DeploymentTargets: b.deploymentTargets(), Regions: b.regions,
				ParameterOverrides: parameters(b.overrides), OperationPreferences: prefs, OperationId: aws.String(id),
			})
			if err != nil {
				return "", err
			}
			returned = out.OperationId
		case Delete, Recreate:
			out, err := a.api.DeleteStackInstances(ctx, &cloudformation.DeleteStackInstancesInput{
				StackSetName: aws.String(s.Name), CallAs: a.callAs, DeploymentTargets: b.deploymentTargets(), Regions: b.regions,
				RetainStacks: aws.Bool(b.retain), OperationPreferences: prefs, OperationId: aws.String(id),
			})
			if err != nil {
				return "", err
			}
			returned = out.OperationId
		}
		return cmp.Or(aws.ToString(returned), id), nil // the server's word counts
	})
}

// submit makes a call that starts an operation, once no other operation holds the
// set: with managed execution off, StackSets takes one at a time. The call gets the
// id to ask with, another one at each attempt, and gives the one to watch.
func (a *applier) submit(ctx context.Context, s *Set, b batch, call func(id string) (string, error)) (*running, error) {
	for attempt := 0; ; attempt++ {
		id := a.nextID(s.Name)
		got, err := call(id)
		switch awsapi.Code(err) {
		case "OperationInProgressException", "StaleRequestException":
			a.emit(Waiting{StackSet: s.Name, Why: sentence(awsapi.Text(err))})
			if err := pause(ctx, pollAfter(attempt+2)); err != nil {
				return nil, err
			}
			continue
		case "OperationIdAlreadyExistsException":
			got, err = id, nil // our own call, whose answer was lost
		}
		if err != nil {
			if ctx.Err() != nil {
				a.recordAll(b.changes, OutcomeNotStarted, "the run stopped while operation "+id+" was asked for; AWS may have taken it", id)
			}
			return nil, err
		}
		r := &running{set: s, id: got, changes: b.changes}
		r.op = Operation{StackSet: s.Name, ID: got, Action: string(b.action), Status: "RUNNING", Total: len(b.changes) + b.whole}
		a.emit(OperationStarted{r.op})
		return r, nil
	}
}

// nextID names an operation by its run and set, and the operations of the set so far.
func (a *applier) nextID(set string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.serial[set]++
	return token(fmt.Sprintf("%s-%d", a.o.Run, a.serial[set]), set)
}

// watch polls operations until all ended, then reads their results. One that can no
// longer be watched does not stop the others from being.
func (a *applier) watch(ctx context.Context, under []*running) error {
	var failure error
	lost := map[*running]bool{}
	for look := 0; ; look++ {
		if !slices.ContainsFunc(under, func(r *running) bool { return !r.ended && !lost[r] }) || pause(ctx, pollAfter(look)) != nil {
			break
		}
		for _, r := range under {
			if r.ended || lost[r] || ctx.Err() != nil {
				continue
			}
			if err := a.look(ctx, r); err != nil && ctx.Err() == nil {
				lost[r], failure = true, cmp.Or(failure, err)
			}
		}
	}
	for _, r := range under {
		switch {
		case lost[r]:
			a.recordAll(r.changes, OutcomeRunning, "operation "+r.id+" could no longer be watched; it may go on in AWS", r.id)
		case !r.ended:
			a.recordAll(r.changes, OutcomeRunning, "operation "+r.id+" goes on in AWS", r.id)
		}
		a.mu.Lock()
		a.result.Operations = append(a.result.Operations, r.op)
		a.mu.Unlock()
	}
	return failure
}

// look asks once how an operation stands.
func (a *applier) look(ctx context.Context, r *running) error {
	out, err := a.api.DescribeStackSetOperation(ctx, &cloudformation.DescribeStackSetOperationInput{StackSetName: aws.String(r.set.Name), OperationId: aws.String(r.id), CallAs: a.callAs})
	if err != nil {
		return fmt.Errorf("watch operation %s of stack set %s: %w", r.id, r.set.Name, err)
	}
	if out.StackSetOperation == nil {
		return fmt.Errorf("watch operation %s of stack set %s: AWS describes nothing", r.id, r.set.Name)
	}
	ended, err := over(out.StackSetOperation.Status)
	if err != nil {
		return fmt.Errorf("operation %s of stack set %s: %w", r.id, r.set.Name, err)
	}
	op := operationOf(r.set.Name, out.StackSetOperation)
	op.Total, op.Done, op.Failed = r.op.Total, r.op.Done, max(r.op.Failed, op.Failed)
	if !ended {
		r.op = op
		a.progress(ctx, r)
		a.emit(OperationProgress{r.op})
		return nil
	}
	rows, err := a.results(ctx, r.set.Name, r.id)
	if err != nil {
		return err
	}
	if err := a.settle(ctx, r, &op, rows); err != nil {
		return err
	}
	r.op, r.ended = op, true
	a.emit(OperationEnded{r.op})
	return nil
}

// progress counts what is done. A large operation has thousands of pages, which
// come no faster than the pace, so at most a fifth of the time goes into them.
func (a *applier) progress(ctx context.Context, r *running) {
	if time.Since(r.listed) < 4*r.took {
		return
	}
	begin := time.Now()
	rows, err := a.results(ctx, r.set.Name, r.id)
	r.listed, r.took = time.Now(), time.Since(begin)
	if err == nil { // the count of a poll is not worth a failure
		tally(rows, &r.op)
	}
}

func tally(rows map[Target]types.StackSetOperationResultSummary, op *Operation) {
	op.Done, op.Failed = 0, 0
	for _, row := range rows {
		switch row.Status {
		case types.StackSetOperationResultStatusSucceeded, types.StackSetOperationResultStatusCancelled:
			op.Done++
		case types.StackSetOperationResultStatusFailed:
			op.Done++
			if !strings.Contains(aws.ToString(row.StatusReason), noUpdates) {
				op.Failed++
			}
		}
	}
}

// over says whether an operation has ended; a status that is not known is an error.
func over(status types.StackSetOperationStatus) (bool, error) {
	switch status {
	case types.StackSetOperationStatusQueued, types.StackSetOperationStatusRunning, types.StackSetOperationStatusStopping:
		return false, nil
	case types.StackSetOperationStatusSucceeded, types.StackSetOperationStatusFailed, types.StackSetOperationStatusStopped:
		return true, nil
	}
	return false, fmt.Errorf("unknown status %q", status)
}

func operationOf(set string, op *types.StackSetOperation) Operation {
	out := Operation{StackSet: set, ID: aws.ToString(op.OperationId), Action: string(op.Action), Status: string(op.Status), StatusReason: aws.ToString(op.StatusReason), Created: aws.ToTime(op.CreationTimestamp), Ended: aws.ToTime(op.EndTimestamp)}
	if op.StatusDetails != nil {
		out.Failed = int(aws.ToInt32(op.StatusDetails.FailedStackInstancesCount))
	}
	return out
}

// pollAfter is how long to wait before look n (from 0): 1, 2, 4, 8 seconds, then 10.
func pollAfter(n int) time.Duration {
	if n < 4 {
		return time.Second << n
	}
	return 10 * time.Second
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
