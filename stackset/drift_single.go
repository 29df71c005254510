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

// single looks at a plain stack. It gives the same as an instance.
func (d *drifter) single(ctx context.Context, s Set, one Single) Drift {
	p := d.place(s, one.Target)
	p.Single, p.StackID = true, one.ID
	if one.Unread != "" {
		p.unknown("whether the stack " + s.Name + " is there could not be seen: " + one.Unread)
		return p
	}
	w := singleDrift{d: d, api: newClient(d.s, one.Region, newPace()), place: &p}
	var err error
	if p.Status, p.Checked = cmp.Or(one.Drift, DriftNotChecked), one.DriftChecked; !d.o.Last {
		err = w.detect(ctx)
	} else if p.Status == DriftNotChecked {
		p.Reason = "no detection has looked at it"
	}
	if err == nil && (p.Status == DriftDrifted || p.Status == DriftUnknown) {
		err = w.resources(ctx)
	}
	if err != nil {
		p.unknown(awsapi.Plain(fmt.Errorf("drift of stack %s in account %s, %s: %w", s.Name, one.AccountID, one.Region, err)))
	}
	return p
}

// singleDrift is the look at one plain stack.
type singleDrift struct {
	d     *drifter
	api   *cloudformation.Client
	place *Drift
}

// detect has the stack checked and waits for the end. Which detection runs already
// cannot be asked for, so another one waits for its turn.
func (w singleDrift) detect(ctx context.Context) error {
	stack := aws.String(w.place.StackID)
	var id string
	for attempt := 0; ; attempt++ {
		out, err := w.api.DetectStackDrift(ctx, &cloudformation.DetectStackDriftInput{StackName: stack})
		if err != nil && strings.Contains(awsapi.Text(err), "already in progress") {
			w.d.emit(Waiting{w.place.StackSet, "a detection runs already in " + w.place.Region})
			if err := pause(ctx, pollAfter(attempt+1)); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("detect drift: %w", err)
		}
		id = aws.ToString(out.StackDriftDetectionId)
		break
	}
	for look := 0; ; look++ {
		if err := pause(ctx, pollAfter(look)); err != nil {
			return err
		}
		out, err := w.api.DescribeStackDriftDetectionStatus(ctx, &cloudformation.DescribeStackDriftDetectionStatusInput{StackDriftDetectionId: aws.String(id)})
		if err != nil {
			return fmt.Errorf("watch the detection: %w", err)
		}
		switch out.DetectionStatus {
		case types.StackDriftDetectionStatusDetectionInProgress:
			continue
		case types.StackDriftDetectionStatusDetectionComplete:
			w.place.Status, w.place.Checked = DriftStatus(out.StackDriftStatus), aws.ToTime(out.Timestamp)
			return nil
		case types.StackDriftDetectionStatusDetectionFailed:
			// Some resources could be checked all the same.
			w.place.Checked = aws.ToTime(out.Timestamp)
			w.place.unknown(cmp.Or(aws.ToString(out.DetectionStatusReason), "a resource could not be checked"))
			return nil
		}
		return fmt.Errorf("the detection has the unknown status %q", out.DetectionStatus)
	}
}

// resources lists what differs.
func (w singleDrift) resources(ctx context.Context) error {
	pages := cloudformation.NewDescribeStackResourceDriftsPaginator(w.api, &cloudformation.DescribeStackResourceDriftsInput{StackName: aws.String(w.place.StackID), StackResourceDriftStatusFilters: differs, MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("list the resources that differ: %w", err)
		}
		for _, r := range page.StackResourceDrifts {
			w.place.Resources = append(w.place.Resources, ResourceDrift{aws.ToString(r.LogicalResourceId), aws.ToString(r.PhysicalResourceId), aws.ToString(r.ResourceType), string(r.StackResourceDriftStatus), propertyDrifts(r.PropertyDifferences)})
		}
	}
	slices.SortFunc(w.place.Resources, func(a, b ResourceDrift) int { return cmp.Compare(a.LogicalID, b.LogicalID) })
	return nil
}
