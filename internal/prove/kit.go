package prove

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollout/internal/awsapi"
)

// The clients of a scenario sign as the caller and are recorded.
func (t *trial) own() aws.Config                     { return t.rec.watch(t.Session.Own("")) }
func (t *trial) sets() *cloudformation.Client        { return cloudformation.NewFromConfig(t.own()) }
func (t *trial) organization() *organizations.Client { return organizations.NewFromConfig(t.own()) }
func (t *trial) sts() *sts.Client                    { return sts.NewFromConfig(t.own()) }
func (t *trial) accountIDs() []string                { return ids(t.Accounts) }
func (t *trial) region() string                      { return t.Session.HomeRegion }

func ids(accounts []Account) []string {
	var out []string
	for _, a := range accounts {
		out = append(out, a.ID)
	}
	return out
}

// enterFirst enters the first of the chosen accounts that lets it; the error is that of
// the first that did not.
func (t *trial) enterFirst(ctx context.Context, policy string) (*awsapi.Entry, error) {
	var first error
	for _, a := range t.Accounts {
		entry, err := t.Session.Enter(ctx, a.ID, policy)
		if err == nil || ctx.Err() != nil {
			return entry, err
		}
		if first == nil {
			first = fmt.Errorf("enter account %s: %w", a.ID, err)
		}
	}
	return nil, first
}

// nothing is the template of most probes: a handle that nobody waits for. Note is
// part of a stack's outputs only, so that an update changes something.
const nothing = `{"AWSTemplateFormatVersion":"2010-09-09","Description":"Made by rollout prove; harmless, safe to delete",
"Parameters":{"Note":{"Type":"String","Default":"one"}},
"Resources":{"Handle":{"Type":"AWS::CloudFormation::WaitConditionHandle"}},
"Outputs":{"Note":{"Value":{"Ref":"Note"}}}}`

var errPatience = errors.New("the operation did not end in time")

// pause waits before the n-th look: 1, 2, 4, 8, then every 10 seconds.
func (t *trial) pause(ctx context.Context, n int) error {
	wait := min(time.Second<<min(n, 4), 10*time.Second)
	if t.Quick {
		wait = min(20*time.Millisecond<<min(n, 5), 500*time.Millisecond)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *trial) patience() time.Duration {
	if t.Patience > 0 {
		return t.Patience
	}
	return 15 * time.Minute
}

// set is a StackSet that a scenario made.
type set struct {
	t    *trial
	api  *cloudformation.Client
	name string
}

// newSet makes a service-managed StackSet without automatic deployment, and takes
// it away at the end with whatever instances it has by then.
func (t *trial) newSet(ctx context.Context, change func(*cloudformation.CreateStackSetInput)) (*set, *cloudformation.CreateStackSetOutput, error) {
	s := &set{t: t, api: t.sets(), name: t.name()}
	in := t.setInput(s.name)
	if change != nil {
		change(in)
	}
	t.later("StackSet "+s.name+" in "+t.region(), "rollout prove --clean, or delete its instances and then the StackSet in the console", s.remove)
	out, err := s.api.CreateStackSet(ctx, in)
	return s, out, err
}

func (t *trial) setInput(name string) *cloudformation.CreateStackSetInput {
	return &cloudformation.CreateStackSetInput{
		StackSetName: aws.String(name), TemplateBody: aws.String(nothing), CallAs: t.CallAs,
		Description:     aws.String("Made by rollout prove; harmless, safe to delete"),
		PermissionModel: types.PermissionModelsServiceManaged,
		AutoDeployment:  &types.AutoDeployment{Enabled: aws.Bool(false)},
		Tags:            []types.Tag{{Key: aws.String(Tag), Value: aws.String(t.Run)}},
	}
}

// only are the targets that stand for these accounts and no others: an OU alone
// would be all of its accounts.
func (t *trial) only(accounts ...string) *types.DeploymentTargets {
	return &types.DeploymentTargets{OrganizationalUnitIds: []string{t.OU}, Accounts: accounts, AccountFilterType: types.AccountFilterTypeIntersection}
}

func (s *set) createInput(accounts ...string) *cloudformation.CreateStackInstancesInput {
	return &cloudformation.CreateStackInstancesInput{
		StackSetName: aws.String(s.name), CallAs: s.t.CallAs, DeploymentTargets: s.t.only(accounts...), Regions: []string{s.t.region()},
	}
}

func (s *set) deleteInput(accounts ...string) *cloudformation.DeleteStackInstancesInput {
	return &cloudformation.DeleteStackInstancesInput{
		StackSetName: aws.String(s.name), CallAs: s.t.CallAs, DeploymentTargets: s.t.only(accounts...), Regions: []string{s.t.region()}, RetainStacks: aws.Bool(false),
	}
}

func (s *set) updateInput(note string, accounts ...string) *cloudformation.UpdateStackSetInput {
	in := &cloudformation.UpdateStackSetInput{
		StackSetName: aws.String(s.name), CallAs: s.t.CallAs, UsePreviousTemplate: aws.Bool(true),
		Parameters: []types.Parameter{{ParameterKey: aws.String("Note"), ParameterValue: aws.String(note)}},
	}
	if len(accounts) > 0 {
		in.DeploymentTargets, in.Regions = s.t.only(accounts...), []string{s.t.region()}
	}
	return in
}

// wait waits for the end of an operation.
func (s *set) wait(ctx context.Context, id *string) (*types.StackSetOperation, error) {
	began := time.Now()
	for n := 0; ; n++ {
		out, err := s.api.DescribeStackSetOperation(ctx, &cloudformation.DescribeStackSetOperationInput{StackSetName: aws.String(s.name), OperationId: id, CallAs: s.t.CallAs})
		if err != nil {
			return nil, err
		}
		switch out.StackSetOperation.Status {
		case types.StackSetOperationStatusRunning, types.StackSetOperationStatusQueued, types.StackSetOperationStatusStopping:
		default:
			return out.StackSetOperation, nil
		}
		if time.Since(began) > s.t.patience() {
			return nil, fmt.Errorf("%w: operation %s of StackSet %s", errPatience, aws.ToString(id), s.name)
		}
		if err := s.t.pause(ctx, n); err != nil {
			return nil, err
		}
	}
}

// results are the rows of an ended operation. The list is eventually consistent
// (API reference, ListStackSetOperationResults): rows arrive, and read their end, a
// little later than the operation does. So neither a row that is missing nor one that
// still runs ends the looking; the first is waited for less, as it may never come.
func (s *set) results(ctx context.Context, id *string, want int) ([]types.StackSetOperationResultSummary, error) {
	began, late := time.Now(), 30*time.Second
	if s.t.Quick {
		late = 3 * time.Second
	}
	for n := 0; ; n++ {
		out, err := s.api.ListStackSetOperationResults(ctx, &cloudformation.ListStackSetOperationResultsInput{StackSetName: aws.String(s.name), OperationId: id, CallAs: s.t.CallAs})
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out.Summaries, underWay) {
			if time.Since(began) > s.t.patience() {
				return out.Summaries, nil
			}
		} else if len(out.Summaries) >= want || time.Since(began) > late {
			return out.Summaries, nil
		}
		if err := s.t.pause(ctx, n); err != nil {
			return nil, err
		}
	}
}

func underWay(r types.StackSetOperationResultSummary) bool {
	return r.Status == types.StackSetOperationResultStatusPending || r.Status == types.StackSetOperationResultStatusRunning
}

// instances lists the set's instances, all pages.
func (s *set) instances(ctx context.Context) ([]types.StackInstanceSummary, error) {
	var out []types.StackInstanceSummary
	pages := cloudformation.NewListStackInstancesPaginator(s.api, &cloudformation.ListStackInstancesInput{StackSetName: aws.String(s.name), CallAs: s.t.CallAs})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return out, err
		}
		out = append(out, page.Summaries...)
	}
	return out, nil
}
