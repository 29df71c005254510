package prove

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
)

// remove deletes the set and what instances it has; a set that is not there is
// removed already. An operation under way is waited for first.
func (s *set) remove(ctx context.Context) error {
	began := time.Now()
	for n := 0; ; n++ {
		err := s.removeNow(ctx)
		switch awsapi.Code(err) {
		case "StackSetNotFoundException":
			return nil
		case "OperationInProgressException", "StackSetNotEmptyException", "StaleRequestException":
		default:
			return err
		}
		// Not empty after its instances were deleted: given a few looks only.
		if time.Since(began) > s.t.patience() || awsapi.Code(err) == "StackSetNotEmptyException" && n >= 5 {
			return err
		}
		if err := s.t.pause(ctx, n); err != nil {
			return err
		}
	}
}

func (s *set) removeNow(ctx context.Context) error {
	if err := s.ours(ctx); err != nil {
		return err
	}
	list, err := s.instances(ctx)
	if err != nil {
		return err
	}
	// An instance without a stack, such as a suspended account's, goes only when its
	// stack is to be retained; there is none, so nothing stays behind.
	for _, bare := range []bool{false, true} {
		if err := s.removeInstances(ctx, list, bare); err != nil {
			return err
		}
	}
	_, err = s.api.DeleteStackSet(ctx, &cloudformation.DeleteStackSetInput{StackSetName: aws.String(s.name), CallAs: s.t.CallAs})
	return err
}

// removeInstances deletes the instances that have a stack, or those that have none.
func (s *set) removeInstances(ctx context.Context, list []types.StackInstanceSummary, bare bool) error {
	in := s.deleteInput()
	in.RetainStacks = aws.Bool(bare)
	in.DeploymentTargets.OrganizationalUnitIds, in.Regions = nil, nil
	for _, i := range list {
		if bare != (aws.ToString(i.StackId) == "") {
			continue
		}
		in.DeploymentTargets.Accounts = addOnce(in.DeploymentTargets.Accounts, aws.ToString(i.Account))
		in.DeploymentTargets.OrganizationalUnitIds = addOnce(in.DeploymentTargets.OrganizationalUnitIds, aws.ToString(i.OrganizationalUnitId))
		in.Regions = addOnce(in.Regions, aws.ToString(i.Region))
	}
	if len(in.DeploymentTargets.Accounts) == 0 {
		return nil
	}
	if len(in.DeploymentTargets.OrganizationalUnitIds) == 0 {
		in.DeploymentTargets.OrganizationalUnitIds = []string{s.t.OU}
	}
	in.OperationPreferences = &types.StackSetOperationPreferences{MaxConcurrentPercentage: aws.Int32(100), FailureTolerancePercentage: aws.Int32(100)}
	out, err := s.api.DeleteStackInstances(ctx, in)
	if err != nil {
		return err
	}
	_, err = s.wait(ctx, out.OperationId)
	return err
}

var errNotOurs = errors.New("it does not bear the tag " + Tag + ", so it was left alone")

// ours reads the set and refuses one that no run made: a name alone is not enough
// to delete by.
func (s *set) ours(ctx context.Context) error {
	out, err := s.api.DescribeStackSet(ctx, &cloudformation.DescribeStackSetInput{StackSetName: aws.String(s.name), CallAs: s.t.CallAs})
	if err != nil {
		return err
	}
	if out.StackSet.Status == types.StackSetStatusDeleted {
		return &types.StackSetNotFoundException{}
	}
	if !strings.HasPrefix(s.name, Prefix) || !slices.ContainsFunc(out.StackSet.Tags, func(tag types.Tag) bool { return aws.ToString(tag.Key) == Tag }) {
		return fmt.Errorf("StackSet %s: %w", s.name, errNotOurs)
	}
	return nil
}

func addOnce(list []string, v string) []string {
	if v == "" || slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}

// Leftovers lists the StackSets that earlier runs left behind.
func Leftovers(ctx context.Context, o Options) ([]string, error) {
	t := &trial{Options: o}
	var out []string
	pages := cloudformation.NewListStackSetsPaginator(t.sets(), &cloudformation.ListStackSetsInput{CallAs: t.CallAs, Status: types.StackSetStatusActive})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the StackSets in %s: %w", t.region(), err)
		}
		for _, s := range page.Summaries {
			if name := aws.ToString(s.StackSetName); strings.HasPrefix(name, Prefix) && s.Status != types.StackSetStatusDeleted {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

// Clean removes leftovers and gives those that stay.
func Clean(ctx context.Context, o Options, names []string) []Leftover {
	var left []Leftover
	for _, name := range names {
		t := &trial{Options: o}
		s := &set{t: t, api: t.sets(), name: name}
		if err := s.remove(ctx); err != nil {
			left = append(left, Leftover{"StackSet " + name + " in " + t.region(), awsapi.Text(err), "delete its instances and then the StackSet in the console"})
		}
	}
	return left
}
