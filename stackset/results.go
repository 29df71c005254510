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
)

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
func (a *applier) settle(ctx context.Context, r *running, op *Operation, rows map[Target]types.StackSetOperationResultSummary) error {
	if len(r.changes) == 0 { // it went through all instances and was to change none
		tally(rows, op)
		return nil
	}
	missing := func() bool {
		return slices.ContainsFunc(r.changes, func(c Change) bool { return !final(rows[c.Target].Status) })
	}
	var instances map[Target]Instance
	for n := 0; missing(); n++ {
		found, err := listInstances(ctx, a.api, r.set.Name, a.callAs, "")
		if err != nil {
			if ctx.Err() != nil {
				break
			}
			return fmt.Errorf("list the stack instances of %s: %w", r.set.Name, err)
		}
		instances = found
		unsure := slices.ContainsFunc(r.changes, func(c Change) bool {
			return !final(rows[c.Target].Status) && unsettled(c, instances, r.id)
		})
		if !unsure || n == 5 || pause(ctx, pollAfter(n)) != nil {
			break
		}
		if again, err := a.results(ctx, r.set.Name, r.id); err == nil {
			rows = again
		}
	}
	op.Done, op.Failed = len(r.changes), 0
	for _, c := range r.changes {
		row := rows[c.Target]
		status, reason := string(row.Status), aws.ToString(row.StatusReason)
		switch {
		case final(row.Status):
		case ctx.Err() != nil:
			status, reason = OutcomeRunning, "operation "+r.id+" ended "+op.Status+", and the run stopped before this result was read"
			op.Done--
		default:
			status, reason = fromInstance(c, instances, op.Status)
		}
		if status == OutcomeFailed && strings.Contains(reason, noUpdates) {
			status = OutcomeSucceeded
		}
		if status == OutcomeCancelled && strings.Contains(reason, suspendedAccount) {
			status, reason = OutcomeSkipped, "the account is suspended, so StackSets leaves it out; what is there stays"
		}
		if status == OutcomeSucceeded {
			reason = ""
		}
		if status == OutcomeFailed {
			op.Failed++
		}
		a.record(c, status, reason, r.id)
	}
	return nil
}

// noUpdates is what CloudFormation says of an update that changes nothing; to
// StackSets it can look like a failure.
const noUpdates = "No updates are to be performed"

// final says whether a result is the last word on an instance.
func final(status types.StackSetOperationResultStatus) bool {
	switch status {
	case types.StackSetOperationResultStatusSucceeded, types.StackSetOperationResultStatusFailed, types.StackSetOperationResultStatusCancelled:
		return true
	}
	return false
}

// unsettled says whether an instance does not show yet how its operation ended.
func unsettled(c Change, instances map[Target]Instance, operation string) bool {
	i, there := instances[c.Target]
	if c.Action == Delete || c.Action == Recreate {
		return there && i.Status != "INOPERABLE"
	}
	return !there || i.DetailedStatus == "PENDING" || i.DetailedStatus == "RUNNING" || i.LastOperation != "" && i.LastOperation != operation
}

// stillThere begins what is said of an instance that a delete passed over.
const stillThere = "the instance is still there: "

// suspendedAccount is StackSets' word for an account that it leaves out (user guide,
// stack instance status codes: SKIPPED_SUSPENDED_ACCOUNT).
const suspendedAccount = "ACCOUNT_SUSPENDED"

// fromInstance reads an outcome off the instance where the results have none.
func fromInstance(c Change, instances map[Target]Instance, operation string) (status, reason string) {
	i, there := instances[c.Target]
	if c.Action == Delete || c.Action == Recreate {
		if !there {
			return OutcomeSucceeded, ""
		}
		return OutcomeFailed, cmp.Or(i.Reason, stillThere+i.Status+", "+i.DetailedStatus)
	}
	switch {
	case !there:
		return OutcomeFailed, "the operation ended " + operation + ", with neither a result nor an instance"
	case i.DetailedStatus == OutcomeSucceeded || i.DetailedStatus == "" && i.Status == "CURRENT":
		return OutcomeSucceeded, ""
	case i.DetailedStatus == "SKIPPED_SUSPENDED_ACCOUNT":
		return OutcomeSkipped, "the account is suspended"
	case i.DetailedStatus == OutcomeCancelled:
		return OutcomeCancelled, i.Reason
	}
	return OutcomeFailed, cmp.Or(i.Reason, "the instance is "+i.Status+", "+i.DetailedStatus)
}
