package stackset

import (
	"context"
	"errors"
	"fmt"
	"maps"

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
		return f.listed(ctx, name, "")
	}
	first, more, err := instancesOn(ctx, f.home, &cloudformation.ListStackInstancesInput{StackSetName: aws.String(name), CallAs: f.callAs}, 1)
	if err != nil || !more {
		return first, f.wrap(name, err)
	}
	type answer struct {
		instances map[Target]Instance
		err       error
	}
	all := make(map[Target]Instance, len(regions)*f.accounts)
	var problems []error
	for _, a := range fanout.Ordered(ctx, regions, regionListAtOnce, func(ctx context.Context, region string) (a answer) {
		a.instances, a.err = f.listed(ctx, name, region)
		return a
	}) {
		problems = append(problems, a.err)
		maps.Copy(all, a.instances)
	}
	// Those of the first page can be newer than the set's Regions.
	maps.Copy(all, first)
	return all, errors.Join(problems...)
}

// listed lists the instances of a set in a Region, or in all ("").
func (f *finder) listed(ctx context.Context, name, region string) (map[Target]Instance, error) {
	in := &cloudformation.ListStackInstancesInput{StackSetName: aws.String(name), CallAs: f.callAs}
	if region != "" {
		in.StackInstanceRegion = aws.String(region)
	}
	out, _, err := instancesOn(ctx, f.home, in, 0)
	return out, f.wrap(name, err)
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
	return out, err
}

// instancesOn reads so many pages of a list, all for 0, and says whether there are more.
func instancesOn(ctx context.Context, client cloudformation.ListStackInstancesAPIClient, in *cloudformation.ListStackInstancesInput, limit int) (out map[Target]Instance, more bool, err error) {
	in.MaxResults = aws.Int32(instancePage)
	out = map[Target]Instance{}
	pages := cloudformation.NewListStackInstancesPaginator(client, in)
	for n := 0; pages.HasMorePages() && (limit == 0 || n < limit); n++ {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, false, err
		}
		for _, s := range page.Summaries {
			i := instanceOf(s)
			out[i.Target] = i
		}
	}
	return out, pages.HasMorePages(), nil
}

func instanceOf(s types.StackInstanceSummary) Instance {
	out := Instance{
		Target: Target{AccountID: aws.ToString(s.Account), Region: aws.ToString(s.Region)},
		OU:     aws.ToString(s.OrganizationalUnitId), Status: string(s.Status), Reason: aws.ToString(s.StatusReason),
		LastOperation: aws.ToString(s.LastOperationId), StackID: aws.ToString(s.StackId),
		Drift: DriftStatus(s.DriftStatus), DriftChecked: aws.ToTime(s.LastDriftCheckTimestamp),
	}
	if s.StackInstanceStatus != nil {
		out.DetailedStatus = string(s.StackInstanceStatus.DetailedStatus)
	}
	return out
}
