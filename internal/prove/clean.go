package prove

import (
	"cmp"
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

// Found is a thing that an earlier run left behind.
type Found struct {
	// Account is where a stack is; "" for a StackSet.
	Account, Name string
}

// String is how a person reads it.
func (f Found) String() string {
	if f.Account == "" {
		return "StackSet " + f.Name + " with its instances"
	}
	return "stack " + f.Name + " in account " + f.Account
}

// Leftovers lists what earlier runs left behind: StackSets, and stacks of their own in
// the accounts chosen. What bears the name and not the tag is not ours and is left out.
func Leftovers(ctx context.Context, o Options) ([]Found, error) {
	t := &trial{Options: o}
	var out []Found
	pages := cloudformation.NewListStackSetsPaginator(t.sets(), &cloudformation.ListStackSetsInput{CallAs: t.CallAs, Status: types.StackSetStatusActive})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the StackSets in %s: %w", t.region(), err)
		}
		for _, s := range page.Summaries {
			if name := aws.ToString(s.StackSetName); strings.HasPrefix(name, Prefix) && s.Status != types.StackSetStatusDeleted {
				out = append(out, Found{Name: name})
			}
		}
	}
	for _, a := range o.Accounts {
		stacks, err := t.stacksLeft(ctx, a.ID)
		if err != nil {
			return nil, fmt.Errorf("look for stacks in account %s, %s: %w", a.ID, t.region(), err)
		}
		out = append(out, stacks...)
	}
	slices.SortFunc(out, func(a, b Found) int {
		return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.Name, b.Name))
	})
	return out, nil
}

// stacksLeft are the stacks of an account that runs made themselves, not by a StackSet.
func (t *trial) stacksLeft(ctx context.Context, account string) ([]Found, error) {
	api, err := t.stacksOf(ctx, account)
	if err != nil {
		return nil, err
	}
	var out []Found
	for pages := cloudformation.NewListStacksPaginator(api, &cloudformation.ListStacksInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, s := range page.StackSummaries {
			name := aws.ToString(s.StackName)
			if !strings.HasPrefix(name, Prefix) || s.StackStatus == types.StackStatusDeleteComplete {
				continue
			}
			described, err := api.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: s.StackId})
			if err != nil {
				return nil, err
			}
			if len(described.Stacks) == 1 && slices.ContainsFunc(described.Stacks[0].Tags, func(tag types.Tag) bool { return aws.ToString(tag.Key) == Tag }) {
				out = append(out, Found{account, name})
			}
		}
	}
	return out, nil
}

// stacksOf enters an account for what a run does to its own stacks.
func (t *trial) stacksOf(ctx context.Context, account string) (*cloudformation.Client, error) {
	entry, err := t.Session.Enter(ctx, account, t.stackCalls())
	if err != nil {
		return nil, err
	}
	return t.stacks(entry), nil
}

func (t *trial) stacks(entry *awsapi.Entry) *cloudformation.Client {
	return cloudformation.NewFromConfig(t.rec.watch(entry.Config(t.region())))
}

// Clean removes leftovers and gives those that stay.
func Clean(ctx context.Context, o Options, list []Found) []Leftover {
	var left []Leftover
	for _, f := range list {
		t := &trial{Options: o}
		err := error(nil)
		how := "delete its instances and then the StackSet in the console"
		if f.Account == "" {
			err = (&set{t: t, api: t.sets(), name: f.Name}).remove(ctx)
		} else {
			how = "delete the stack in that account's console"
			var api *cloudformation.Client
			if api, err = t.stacksOf(ctx, f.Account); err == nil {
				err = t.removeStack(ctx, api, f.Name)
			}
		}
		if err != nil {
			left = append(left, Leftover{f.String() + ", " + t.region(), awsapi.Text(err), how})
		}
	}
	return left
}
