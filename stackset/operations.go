package stackset

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

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
}

// run starts an operation for each batch and waits for all of them.
func (a *applier) run(ctx context.Context, s *Set, batches []batch) error {
	var under []*running
	var failure error
	for _, b := range batches {
		if ctx.Err() != nil {
			break
		}
		id, err := a.start(ctx, s, b)
		if err != nil {
			if ctx.Err() != nil {
				break
			}
			failure = a.explain(fmt.Sprintf("%s %s of stack set %s (%s)", b.action, count(len(b.changes), "stack instance"), s.Name, strings.Join(b.regions, ", ")), err)
			break // what runs already is waited for
		}
		r := &running{set: s, id: id, changes: b.changes}
		r.op = Operation{StackSet: s.Name, ID: id, Action: string(b.action), Status: "RUNNING", Total: len(b.changes)}
		a.emit(OperationStarted{r.op})
		under = append(under, r)
	}
	if err := a.watch(ctx, under); err != nil && failure == nil {
		failure = err
	}
	return failure
}

func (a *applier) start(ctx context.Context, s *Set, b batch) (id string, err error) {
	operation := aws.String(a.operationID(s.Name))
	prefs := preferences(a.p.Desired.Preferences)
	err = a.free(ctx, s.Name, func() error {
		var returned *string
		switch b.action {
		case Create:
			out, err := a.api.CreateStackInstances(ctx, &cloudformation.CreateStackInstancesInput{
				StackSetName: aws.String(s.Name), CallAs: a.callAs, DeploymentTargets: b.deploymentTargets(), Regions: b.regions,
				ParameterOverrides: parameters(b.overrides), OperationPreferences: prefs, OperationId: operation,
			})
			if err != nil {
				return err
			}
			returned = out.OperationId
		case Update:
			out, err := a.api.UpdateStackInstances(ctx, &cloudformation.UpdateStackInstancesInput{
				StackSetName: aws.String(s.Name), CallAs: a.callAs, DeploymentTargets: b.deploymentTargets(), Regions: b.regions,
				OperationPreferences: prefs, OperationId: operation,
			})
			if err != nil {
				return err
			}
			returned = out.OperationId
		case Delete, Recreate:
			out, err := a.api.DeleteStackInstances(ctx, &cloudformation.DeleteStackInstancesInput{
				StackSetName: aws.String(s.Name), CallAs: a.callAs, DeploymentTargets: b.deploymentTargets(), Regions: b.regions,
				RetainStacks: aws.Bool(a.o.Retain || b.action == Recreate), OperationPreferences: prefs, OperationId: operation,
			})
			if err != nil {
				return err
			}
			returned = out.OperationId
		}
		id = cmp.Or(aws.ToString(returned), *operation)
		return nil
	})
	if awsapi.Code(err) == "OperationIdAlreadyExistsException" {
		return *operation, nil // our own call, answered twice
	}
	return id, err
}

// watch polls operations until all ended, then reads their results.
func (a *applier) watch(ctx context.Context, under []*running) error {
	for look := 0; ; look++ {
		left := 0
		for _, r := range under {
			if !r.ended {
				left++
			}
		}
		if left == 0 {
			break
		}
		if err := pause(ctx, pollAfter(look)); err != nil {
			break
		}
		for _, r := range under {
			if r.ended || ctx.Err() != nil {
				continue
			}
			if err := a.look(ctx, r); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
	for _, r := range under {
		if !r.ended {
			for _, c := range r.changes {
				a.record(c, OutcomeRunning, "operation "+r.id+" goes on in AWS", r.id)
			}
		}
		a.mu.Lock()
		a.result.Operations = append(a.result.Operations, r.op)
		a.mu.Unlock()
	}
	return nil
}

// look asks once how an operation stands.
func (a *applier) look(ctx context.Context, r *running) error {
	out, err := a.api.DescribeStackSetOperation(ctx, &cloudformation.DescribeStackSetOperationInput{StackSetName: aws.String(r.set.Name), OperationId: aws.String(r.id), CallAs: a.callAs})
	if err != nil {
		return fmt.Errorf("watch operation %s of stack set %s: %w", r.id, r.set.Name, err)
	}
	total := len(r.changes)
	r.op = operationOf(r.set.Name, out.StackSetOperation)
	r.op.Total = total
	ended, err := over(out.StackSetOperation.Status)
	if err != nil {
		return fmt.Errorf("operation %s of stack set %s: %w", r.id, r.set.Name, err)
	}
	rows, err := a.results(ctx, r.set.Name, r.id)
	if err != nil {
		if !ended {
			return nil // the count of a poll is not worth a failure
		}
		return err
	}
	tally(rows, &r.op)
	if !ended {
		a.emit(OperationProgress{r.op})
		return nil
	}
	r.ended = true
	return a.settle(ctx, r, rows)
}

func tally(rows map[Target]types.StackSetOperationResultSummary, op *Operation) {
	op.Done, op.Failed = 0, 0
	for _, row := range rows {
		switch row.Status {
		case types.StackSetOperationResultStatusSucceeded, types.StackSetOperationResultStatusCancelled:
			op.Done++
		case types.StackSetOperationResultStatusFailed:
			op.Done++
			op.Failed++
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

// results lists the results of an operation.
func (a *applier) results(ctx context.Context, set, id string) (map[Target]types.StackSetOperationResultSummary, error) {
	out := map[Target]types.StackSetOperationResultSummary{}
	pages := cloudformation.NewListStackSetOperationResultsPaginator(a.api, &cloudformation.ListStackSetOperationResultsInput{StackSetName: aws.String(set), OperationId: aws.String(id), CallAs: a.callAs, MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the results of operation %s of stack set %s: %w", id, set, err)
		}
		for _, row := range page.Summaries {
			out[Target{aws.ToString(row.Account), aws.ToString(row.Region)}] = row
		}
	}
	return out, nil
}

// settle gives each instance of an ended operation its outcome. The list of
// results is eventually consistent (CloudFormation API reference), so a missing
// row is looked for at the instance itself, and again.
func (a *applier) settle(ctx context.Context, r *running, rows map[Target]types.StackSetOperationResultSummary) error {
	missing := func() bool {
		return slices.ContainsFunc(r.changes, func(c Change) bool {
			row, ok := rows[c.Target]
			return !ok || row.Status == types.StackSetOperationResultStatusPending || row.Status == types.StackSetOperationResultStatusRunning
		})
	}
	var instances map[Target]Instance
	for n := 0; missing(); n++ {
		found, err := listInstances(ctx, a.api, r.set.Name, a.callAs)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("list the stack instances of %s: %w", r.set.Name, err)
		}
		instances = found
		unsure := slices.ContainsFunc(r.changes, func(c Change) bool { return unsettled(c, instances) })
		if !unsure || n == 4 || pause(ctx, pollAfter(n)) != nil {
			break
		}
		if again, err := a.results(ctx, r.set.Name, r.id); err == nil {
			rows = again
		}
	}
	for _, c := range r.changes {
		status, reason := "", ""
		if row, ok := rows[c.Target]; ok {
			status, reason = string(row.Status), aws.ToString(row.StatusReason)
		}
		switch status {
		case OutcomeSucceeded, OutcomeFailed, OutcomeCancelled:
		default:
			status, reason = fromInstance(c, instances, r.op.Status)
		}
		// An update that changes nothing is no failure.
		if status == OutcomeFailed && strings.Contains(reason, "No updates are to be performed") {
			status = OutcomeSucceeded
		}
		if original := a.planned[key{c.StackSet, c.Target}]; original.Action == Recreate {
			c = original
		}
		a.record(c, status, reason, r.id)
	}
	r.op.Failed = 0
	for _, c := range r.changes {
		if out := a.outcomes[key{c.StackSet, c.Target}]; out != nil && out.Status == OutcomeFailed {
			r.op.Failed++
		}
	}
	r.op.Done = len(r.changes)
	a.emit(OperationEnded{r.op})
	return nil
}

// unsettled says whether an instance does not show yet how its operation ended.
func unsettled(c Change, instances map[Target]Instance) bool {
	i, there := instances[c.Target]
	if c.Action == Delete || c.Action == Recreate {
		return there && i.Status != "INOPERABLE"
	}
	return !there || i.DetailedStatus == "PENDING" || i.DetailedStatus == "RUNNING"
}

// fromInstance reads an outcome off the instance where the results have none.
func fromInstance(c Change, instances map[Target]Instance, operation string) (status, reason string) {
	i, there := instances[c.Target]
	if c.Action == Delete || c.Action == Recreate {
		if !there {
			return OutcomeSucceeded, ""
		}
		return OutcomeFailed, cmp.Or(i.Reason, "the instance is still there: "+i.Status+", "+i.DetailedStatus)
	}
	switch {
	case !there:
		return OutcomeFailed, "the operation ended " + operation + " and made no instance: " + errNoResult.Error()
	case i.DetailedStatus == OutcomeSucceeded || i.DetailedStatus == "" && i.Status == "CURRENT":
		return OutcomeSucceeded, ""
	case i.DetailedStatus == "SKIPPED_SUSPENDED_ACCOUNT":
		return OutcomeSkipped, "the account is suspended"
	case i.DetailedStatus == OutcomeCancelled:
		return OutcomeCancelled, i.Reason
	}
	return OutcomeFailed, cmp.Or(i.Reason, "the instance is "+i.Status+", "+i.DetailedStatus)
}
