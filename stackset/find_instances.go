package stackset

import (
	"cmp"
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/fanout"
)

const (
	setsFoundAtOnce  = 4
	regionListAtOnce = 8 // of one set
	// instancePage is the most that one ListStackInstances gives.
	instancePage = 100
)

// instances lists all the stack instances of a set of the home Region. A list that can
// have more than a page in each Region is read Region by Region, side by side, since a
// list is read one page after the other. regions are those that the set has instances
// in, as DescribeStackSet says, whose answers are strongly consistent (CloudFormation
// API reference).
func (f *finder) instances(ctx context.Context, name string, regions []string) (map[Target]Instance, error) {
	if f.accounts <= instancePage || len(regions) < 2 {
		out, err := listInstances(ctx, f.home, name, f.callAs, "")
		return out, f.wrap(name, err)
	}
	first, more, err := instancesOn(ctx, f.home, &cloudformation.ListStackInstancesInput{StackSetName: aws.String(name), CallAs: f.callAs}, 1)
	if err != nil || !more {
		return byTarget(first), f.wrap(name, err)
	}
	type answer struct {
		instances []Instance
		err       error
	}
	var problems []error
	// Those of the first page can be newer than the set's Regions.
	lists := [][]Instance{first}
	for _, a := range fanout.Ordered(ctx, regions, regionListAtOnce, func(ctx context.Context, region string) (a answer) {
		a.instances, _, a.err = instancesOn(ctx, f.home, &cloudformation.ListStackInstancesInput{StackSetName: aws.String(name), CallAs: f.callAs, StackInstanceRegion: aws.String(region)}, 0)
		return a
	}) {
		problems = append(problems, a.err)
		lists = append(lists, a.instances)
	}
	if err := cmp.Or(problems...); err != nil {
		return nil, f.wrap(name, err)
	}
	return byTarget(lists...), nil
}

func (f *finder) wrap(name string, err error) error {
	if err != nil {
		return fmt.Errorf("list the stack instances of %s in %s: %w", name, f.s.HomeRegion, err)
	}
	return nil
}

// listInstances lists the stack instances of a set, of one account or of all ("").
func listInstances(ctx context.Context, client cloudformation.ListStackInstancesAPIClient, name string, callAs types.CallAs, account string) (map[Target]Instance, error) {
	in := &cloudformation.ListStackInstancesInput{StackSetName: aws.String(name), CallAs: callAs}
	if account != "" {
		in.StackInstanceAccount = aws.String(account)
	}
	out, _, err := instancesOn(ctx, client, in, 0)
	if err != nil {
		return nil, err
	}
	return byTarget(out), nil
}

// byTarget puts lists into one map; where a place is in two, the later one stands.
func byTarget(lists ...[]Instance) map[Target]Instance {
	n := 0
	for _, l := range lists {
		n += len(l)
	}
	out := make(map[Target]Instance, n)
	for _, l := range lists {
		for _, i := range l {
			out[i.Target] = i
		}
	}
	return out
}

// instancesOn reads so many pages of a list, all for 0, and says whether there are more.
func instancesOn(ctx context.Context, client cloudformation.ListStackInstancesAPIClient, in *cloudformation.ListStackInstancesInput, limit int) (out []Instance, more bool, err error) {
	in.MaxResults = aws.Int32(instancePage)
	same := words{}
	pages := cloudformation.NewListStackInstancesPaginator(client, in)
	for n := 0; pages.HasMorePages() && (limit == 0 || n < limit); n++ {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, false, err
		}
		for _, s := range page.Summaries {
			out = append(out, same.instance(s))
		}
	}
	return out, pages.HasMorePages(), nil
}

// words are texts that many instances share, so that 100,000 of them do not keep a copy
// each.
type words map[string]string

func (w words) of(text *string) string {
	if text == nil {
		return ""
	}
	known, ok := w[*text]
	if !ok {
		known = *text
		w[known] = known
	}
	return known
}

func (w words) instance(s types.StackInstanceSummary) Instance {
	status, drift := string(s.Status), string(s.DriftStatus)
	out := Instance{
		Target: Target{AccountID: w.of(s.Account), Region: w.of(s.Region)},
		OU:     w.of(s.OrganizationalUnitId), Status: w.of(&status), Reason: aws.ToString(s.StatusReason),
		LastOperation: w.of(s.LastOperationId), StackID: aws.ToString(s.StackId),
		Drift: DriftStatus(w.of(&drift)), DriftChecked: aws.ToTime(s.LastDriftCheckTimestamp),
	}
	if s.StackInstanceStatus != nil {
		detailed := string(s.StackInstanceStatus.DetailedStatus)
		out.DetailedStatus = w.of(&detailed)
	}
	return out
}
