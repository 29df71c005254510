package stackset

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
	"rollout/orgs"
)

const (
	// disarmRounds bounds how often what is left of a set is tried again.
	disarmRounds = 6
	// remediationEnds is how long a remediation that is under way is given to end.
	remediationEnds = 20 * time.Second
	setsAtOnce      = 16
)

// remediating is what AWS Config says of a remediation that cannot be deleted because
// it is running (API reference, DeleteRemediationConfiguration).
const remediating = "RemediationInProgress"

// Disarm carries a DisarmPlan out. All sets are worked on side by side, and none stops
// another. What puts enforcement in is stopped first, since StackSets would otherwise
// finish it before it deletes; then the instances are deleted, and looked for again:
// those that came since the plan are deleted too, those that a running remediation held
// are tried again, and accounts that were moved are reached through the root.
//
// The error is that of sets of which something could not be asked for at all; the result
// has every instance that the plan names, or that was found since.
func Disarm(ctx context.Context, s *awsapi.Session, callAs types.CallAs, p *Plan, scope Scope, o ApplyOptions, emit func(Event)) (*Result, error) {
	a := newApplier(s, callAs, p, o, emit)
	all := make([]int, len(a.sets))
	for i := range all {
		all[i] = i
	}
	plain := make(chan struct{})
	go func() {
		defer close(plain)
		a.disarmPlain(ctx, a.p.Sets, scope, 0)
	}()
	var failure error
	for i, err := range fanout.Ordered(ctx, all, setsAtOnce, func(ctx context.Context, i int) error { return a.disarm(ctx, &a.sets[i], scope) }) {
		if err != nil {
			a.failures[a.sets[i].Name] = err
			if failure == nil {
				failure = err
			}
		}
	}
	<-plain
	a.disarmPlain(ctx, a.plainNow(ctx, scope), scope, 1) // a deploy may have been under way
	if ctx.Err() != nil {
		failure = nil
	}
	a.finish(ctx.Err() != nil, nil)
	return &a.result, failure
}

// disarm deletes the instances of one set that are in scope.
func (a *applier) disarm(ctx context.Context, s *Set, scope Scope) error {
	if !s.Exists {
		return nil // it has plain stacks only
	}
	stopped := a.stopOthers(ctx, s)
	f := &finder{s: a.s, callAs: a.callAs, home: a.api}
	batches := group(a.p.actions(s.Name, Delete), a.p.Desired, s)
	var failure error
	for round := 1; ; round++ {
		if failure = a.run(ctx, s, batches); ctx.Err() != nil {
			return nil
		}
		// Until those have ended, what they had begun still comes.
		for _, op := range stopped {
			a.await(ctx, op)
		}
		stopped = nil
		left := *s
		left.Instances = map[Target]Instance{}
		if err := f.fill(ctx, left); err != nil {
			// The operations' results stand; what came since could not be seen.
			a.emit(SetNote{s.Name, "whether anything came since the plan could not be seen: " + sentence(awsapi.Text(err))})
			return failure
		}
		s.Instances = left.Instances
		again, moved, wait := a.left(s, scope)
		if len(again)+len(moved) == 0 || round == disarmRounds {
			return failure
		}
		if wait {
			a.emit(Waiting{s.Name, "a remediation is under way in " + count(len(again), "place") + "; it is tried again when that has ended"})
			if pause(ctx, remediationEnds) != nil {
				return nil
			}
		}
		batches = group(again, a.p.Desired, s)
		if len(moved) > 0 {
			through := group(moved, a.p.Desired, s)
			root, err := a.root(ctx)
			if err != nil {
				a.emit(SetNote{s.Name, "accounts that were moved could not be reached through the root: " + sentence(awsapi.Text(err))})
				through = nil
			}
			for i := range through {
				through[i].ous = []string{root}
			}
			batches = append(batches, through...)
		}
		if len(batches) == 0 {
			return failure
		}
	}
}

// left sorts what of a set is still there after a round: again is worth another try as
// it is, moved can only be reached through the root. wait says that a remediation has to
// end first. What StackSets has no use for trying again keeps its outcome.
func (a *applier) left(s *Set, scope Scope) (again, moved []Change, wait bool) {
	for _, t := range scoped(*s, scope) {
		k := key{s.Name, t}
		out := a.outcome(k)
		c := disarmed(*s, t)
		switch {
		case out == nil:
			// It came since the plan: an operation that was stopped had got that far.
			a.mu.Lock()
			a.planned[k] = c
			a.mu.Unlock()
			again = append(again, c)
		case out.Status == OutcomeFailed && strings.Contains(out.Reason, remediating):
			again, wait = append(again, c), true
		case out.Status == OutcomeFailed && strings.HasPrefix(out.Reason, stillThere):
			// StackSets passed it over: it is not under the OU that it was deployed by.
			moved = append(moved, c)
		case out.Status == OutcomeSucceeded:
			// Deleted, and made anew by an operation that was on its way.
			again = append(again, c)
		}
	}
	return again, moved, wait
}

// stopOthers stops what creates or updates instances of a set. What could not be stopped
// is told; the deletes wait for their turn then.
func (a *applier) stopOthers(ctx context.Context, s *Set) (stopped []Operation) {
	ops, err := Operations(ctx, a.s, a.callAs, s.Name, 100)
	if err != nil {
		if ctx.Err() == nil {
			a.emit(SetNote{s.Name, "whether an operation is in the way could not be seen: " + sentence(awsapi.Text(err))})
		}
		return nil
	}
	for _, op := range ops { // the newest first, so that none begins because another was stopped
		if !InTheWay(op) {
			continue
		}
		_, err := a.api.StopStackSetOperation(ctx, &cloudformation.StopStackSetOperationInput{StackSetName: aws.String(s.Name), OperationId: aws.String(op.ID), CallAs: a.callAs})
		switch {
		case ctx.Err() != nil:
			return stopped
		case err != nil:
			a.emit(SetNote{s.Name, fmt.Sprintf("operation %s (%s, %s) could not be stopped: %s", op.ID, op.Action, op.Status, sentence(awsapi.Text(err)))})
		default:
			a.emit(OperationStopped{op})
		}
		stopped = append(stopped, op)
	}
	return stopped
}

// await waits for an operation of somebody's to end.
func (a *applier) await(ctx context.Context, op Operation) {
	for look := 0; ; look++ {
		out, err := a.api.DescribeStackSetOperation(ctx, &cloudformation.DescribeStackSetOperationInput{StackSetName: aws.String(op.StackSet), OperationId: aws.String(op.ID), CallAs: a.callAs})
		if err != nil || out.StackSetOperation == nil {
			if ctx.Err() == nil {
				a.emit(SetNote{op.StackSet, "whether operation " + op.ID + " has ended could not be seen"})
			}
			return
		}
		if ended, err := over(out.StackSetOperation.Status); ended || err != nil || pause(ctx, pollAfter(look)) != nil {
			return
		}
	}
}

// InTheWay says whether an operation still puts enforcement in.
func InTheWay(op Operation) bool {
	switch types.StackSetOperationAction(op.Action) {
	case types.StackSetOperationActionCreate, types.StackSetOperationActionUpdate:
		return op.Status == string(types.StackSetOperationStatusRunning) || op.Status == string(types.StackSetOperationStatusQueued)
	}
	return false
}

// root is the id of the organization's root.
func (a *applier) root(ctx context.Context) (string, error) {
	out, err := orgs.NewClient(a.s.Own("")).ListRoots(ctx, &organizations.ListRootsInput{})
	if err != nil {
		return "", err
	}
	if len(out.Roots) == 0 {
		return "", fmt.Errorf("the organization shows no root")
	}
	return aws.ToString(out.Roots[0].Id), nil
}
