package stackset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
)

// detecting is what the API calls an operation that looks for drift.
const detecting = string(types.StackSetOperationActionDetectDrift)

// driftsAtOnce bounds how many instances' drifts are being read.
const driftsAtOnce = 8

// instances looks at a set's instances in the places given.
func (d *drifter) instances(ctx context.Context, s Set, targets []Target) (out driftOfSet) {
	if !s.Exists || len(targets) == 0 {
		return out
	}
	for _, t := range targets {
		out.places = append(out.places, d.place(s, t))
	}
	var ran []Operation // the detections that can have found something, newest first
	var results map[Target]types.StackSetOperationResultSummary
	var err error
	if d.o.Last {
		ran, err = d.detections(ctx, s.Name)
	} else {
		var op Operation
		op, err = d.detect(ctx, s)
		if op.ID != "" {
			out.operations = append(out.operations, op)
			ran = out.operations
		}
		if err == nil {
			results, err = d.failures(ctx, s.Name, op.ID)
		}
		if err == nil {
			s.Instances, err = listInstances(ctx, d.api, s.Name, d.callAs, "")
		}
	}
	if err != nil {
		out.cut = ctx.Err() != nil
		if !out.cut {
			out.err = fmt.Errorf("drift of stack set %s in %s: %w", s.Name, d.s.HomeRegion, err)
		}
		for i := range out.places {
			out.places[i].unknown(awsapi.Plain(cmp.Or(out.err, errors.New("the run stopped before the detection ended"))))
		}
		return out
	}
	for i := range out.places {
		out.places[i].take(s.Instances, results)
		if !d.o.Last {
			out.places[i].newerThan(ran[0])
		}
	}
	d.resources(ctx, s.Name, out.places, ran)
	// What was deleted since the sets were looked up is nobody's drift.
	out.places = slices.DeleteFunc(out.places, func(p Drift) bool { _, there := s.Instances[p.Target]; return !there })
	return out
}

// take takes over what StackSets says of an instance. What an operation failed to check
// keeps the word of an earlier one, so the operation's result comes first.
func (p *Drift) take(instances map[Target]Instance, results map[Target]types.StackSetOperationResultSummary) {
	i := instances[p.Target]
	p.StackID, p.Checked = i.StackID, i.DriftChecked
	if row, failed := results[p.Target]; failed {
		p.unknown(cmp.Or(aws.ToString(row.StatusReason), "the detection ended "+string(row.Status)))
		return
	}
	switch i.Drift {
	case DriftInSync, DriftDrifted:
		p.Status, p.Reason = i.Drift, ""
	case DriftUnknown:
		p.unknown(cmp.Or(i.Reason, "CloudFormation could not check the stack"))
	default:
		p.Status = DriftNotChecked
		p.Reason = cmp.Or(p.Reason, "no detection has looked at it")
	}
}

// newerThan takes the word of an earlier detection for none: lists of results are
// eventually consistent, and a failure that is missing there must not read as in sync.
func (p *Drift) newerThan(op Operation) {
	if p.Status != DriftUnknown && p.Checked.Before(op.Created.Truncate(time.Second)) {
		if !p.Inactive {
			p.Reason = ""
		}
		p.unknown("the detection shows no result for it")
	}
}

// resources reads what differs in the instances that drifted. What cannot be read of one
// is said of that one.
func (d *drifter) resources(ctx context.Context, set string, places []Drift, ran []Operation) {
	var drifted []int
	for i := range places {
		if places[i].Status == DriftDrifted {
			drifted = append(drifted, i)
		}
	}
	type answer struct {
		resources []ResourceDrift
		err       error
	}
	for i, got := range fanout.Ordered(ctx, drifted, driftsAtOnce, func(ctx context.Context, i int) (a answer) {
		a.resources, a.err = d.resourcesOf(ctx, set, places[i], ran)
		return a
	}) {
		places[i].Resources = got.resources
		if got.err != nil {
			places[i].Reason = "what differs could not be read: " + sentence(awsapi.Plain(got.err))
		}
	}
}

// resourcesOf lists the resources of an instance that differ.
func (d *drifter) resourcesOf(ctx context.Context, set string, p Drift, ran []Operation) ([]ResourceDrift, error) {
	op := detectionAt(ran, p.Checked)
	if op == "" {
		return nil, fmt.Errorf("StackSets does not list the detection of %s any more; rollout drift without --last looks again", p.Checked.UTC().Format(time.RFC3339))
	}
	var out []ResourceDrift
	in := &cloudformation.ListStackInstanceResourceDriftsInput{
		StackSetName: aws.String(set), CallAs: d.callAs, OperationId: aws.String(op), MaxResults: aws.Int32(100),
		StackInstanceAccount: aws.String(p.AccountID), StackInstanceRegion: aws.String(p.Region), StackInstanceResourceDriftStatuses: differs,
	}
	for {
		page, err := d.api.ListStackInstanceResourceDrifts(ctx, in)
		if err != nil {
			return out, err
		}
		for _, r := range page.Summaries {
			out = append(out, ResourceDrift{aws.ToString(r.LogicalResourceId), aws.ToString(r.PhysicalResourceId), aws.ToString(r.ResourceType), string(r.StackResourceDriftStatus), propertyDrifts(r.PropertyDifferences)})
		}
		if aws.ToString(page.NextToken) == "" {
			break
		}
		in.NextToken = page.NextToken
	}
	slices.SortFunc(out, func(a, b ResourceDrift) int { return cmp.Compare(a.LogicalID, b.LogicalID) })
	return out, nil
}

func propertyDrifts(list []types.PropertyDifference) []PropertyDrift {
	var out []PropertyDrift
	for _, p := range list {
		out = append(out, PropertyDrift{aws.ToString(p.PropertyPath), string(p.DifferenceType), aws.ToString(p.ExpectedValue), aws.ToString(p.ActualValue)})
	}
	return out
}

// detectionAt is the detection that looked at an instance at a time: the newest that had begun
// by then, as far as times without fractions tell; "" where none is listed.
func detectionAt(ran []Operation, at time.Time) string {
	for _, op := range ran {
		if len(ran) == 1 || at.IsZero() || !op.Created.Truncate(time.Second).After(at) {
			return op.ID
		}
	}
	return ""
}

// detections lists the detections of a set, newest first.
func (d *drifter) detections(ctx context.Context, set string) ([]Operation, error) {
	ops, err := Operations(ctx, d.s, d.callAs, set, 1000)
	return slices.DeleteFunc(ops, func(op Operation) bool { return op.Action != detecting }), err
}

// detect starts a detection, or follows the one that runs, and waits for its end.
func (d *drifter) detect(ctx context.Context, s Set) (Operation, error) {
	op := Operation{StackSet: s.Name, Action: "drift detection", Status: "RUNNING", Total: len(s.Instances)}
	for attempt := 0; ; attempt++ {
		id := token(fmt.Sprintf("%s-drift-%d", d.o.Run, attempt+1), s.Name)
		out, err := d.api.DetectStackSetDrift(ctx, &cloudformation.DetectStackSetDriftInput{StackSetName: aws.String(s.Name), CallAs: d.callAs, OperationId: aws.String(id), OperationPreferences: preferences(d.o.Preferences)})
		switch awsapi.Code(err) {
		case "OperationIdAlreadyExistsException": // our own call, whose answer was lost
			op.ID = id
		case "OperationInProgressException":
			running, err := d.underWay(ctx, s.Name)
			if err != nil {
				return op, err
			}
			if op.ID = running; running != "" {
				d.emit(SetNote{s.Name, "a detection runs already (" + running + "), and is followed"})
				break
			}
			d.emit(Waiting{s.Name, "another operation holds the set"})
			if err := pause(ctx, pollAfter(attempt+2)); err != nil {
				return op, err
			}
			continue
		default:
			if err != nil && ctx.Err() != nil {
				op.ID = id // AWS may have taken it
			}
			if err != nil {
				return op, fmt.Errorf("detect drift: %w", err)
			}
			op.ID = cmp.Or(aws.ToString(out.OperationId), id)
		}
		d.emit(OperationStarted{op})
		return d.await(ctx, op)
	}
}

// underWay is the detection of a set that has not ended, "" without one.
func (d *drifter) underWay(ctx context.Context, set string) (string, error) {
	ops, err := d.detections(ctx, set)
	for _, op := range ops {
		if ended, unknown := over(types.StackSetOperationStatus(op.Status)); !ended && unknown == nil {
			return op.ID, nil
		}
	}
	return "", err
}

// await waits for a detection to end.
func (d *drifter) await(ctx context.Context, op Operation) (Operation, error) {
	for look := 0; ; look++ {
		if err := pause(ctx, pollAfter(look)); err != nil {
			return op, err
		}
		out, err := d.api.DescribeStackSetOperation(ctx, &cloudformation.DescribeStackSetOperationInput{StackSetName: aws.String(op.StackSet), OperationId: aws.String(op.ID), CallAs: d.callAs})
		if err == nil && out.StackSetOperation == nil {
			err = errors.New("AWS describes nothing")
		}
		if err != nil {
			return op, fmt.Errorf("watch operation %s: %w", op.ID, err)
		}
		now := out.StackSetOperation
		ended, err := over(now.Status)
		if err != nil {
			return op, fmt.Errorf("operation %s: %w", op.ID, err)
		}
		op.Status, op.StatusReason, op.Created, op.Ended = string(now.Status), aws.ToString(now.StatusReason), aws.ToTime(now.CreationTimestamp), aws.ToTime(now.EndTimestamp)
		if counts := now.StackSetDriftDetectionDetails; counts != nil {
			op.Failed = int(aws.ToInt32(counts.FailedStackInstancesCount))
			op.Done = op.Failed + int(aws.ToInt32(counts.DriftedStackInstancesCount)+aws.ToInt32(counts.InSyncStackInstancesCount))
		}
		if ended {
			d.emit(OperationEnded{op})
			return op, nil
		}
		d.emit(OperationProgress{op})
	}
}

// failures are the results of a detection that are no success, by place.
func (d *drifter) failures(ctx context.Context, set, id string) (map[Target]types.StackSetOperationResultSummary, error) {
	out := map[Target]types.StackSetOperationResultSummary{}
	pages := cloudformation.NewListStackSetOperationResultsPaginator(d.api, &cloudformation.ListStackSetOperationResultsInput{StackSetName: aws.String(set), OperationId: aws.String(id), CallAs: d.callAs, MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the results of operation %s: %w", id, err)
		}
		for _, row := range page.Summaries {
			if row.Status != types.StackSetOperationResultStatusSucceeded {
				out[Target{aws.ToString(row.Account), aws.ToString(row.Region)}] = row
			}
		}
	}
	return out, nil
}
