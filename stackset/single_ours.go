package stackset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
	"rollout/templates"
)

// PlainProblem is what could not be seen of the management account's plain stacks.
type PlainProblem struct {
	Regions []string
	Stack   string // "" for all stacks of the Regions
	Err     error
}

func (p PlainProblem) Error() string {
	if p.Stack != "" {
		return fmt.Sprintf("read stack %s in %s: %v", p.Stack, some(p.Regions), awsapi.Plain(p.Err))
	}
	return fmt.Sprintf("list the plain stacks of the management account in %s: %v", some(p.Regions), awsapi.Plain(p.Err))
}

// Unwrap gives what AWS said.
func (p PlainProblem) Unwrap() error { return p.Err }

// plainPatience is how long the lists of plain stacks may keep what follows waiting: one
// Region that does not answer must not hold a kill switch up.
const plainPatience = time.Minute

// ownStacks looks for the plain stacks that are meant.
func ownStacks(ctx context.Context, s *awsapi.Session, o OursOptions) *Ours {
	out := &Ours{}
	if o.Management == "" {
		return out
	}
	ctx, cancel := context.WithTimeout(ctx, plainPatience)
	defer cancel()
	out.Sets, out.Plain = plainStacks(ctx, s, o.Management, o.Regions)
	if o.EnforcingOnly {
		out.Sets = slices.DeleteFunc(out.Sets, func(s Set) bool { return !s.Template.Remediates })
	}
	return out
}

// plainAtOnce bounds the Regions in which stacks are being listed.
const plainAtOnce = 8

// plainStacks finds the plain stacks of ours in the management account, with whose
// credentials it is called, by their tag and whatever their names: the stacks of each
// Region are listed. The sets that it returns have no instances, only those stacks.
func plainStacks(ctx context.Context, s *awsapi.Session, management string, regions []string) (sets []Set, problems []PlainProblem) {
	type listed struct {
		sets     []Set
		problems []PlainProblem
		err      error
	}
	refused := map[string]*PlainProblem{} // by what was said
	for region, got := range fanout.Ordered(ctx, regions, plainAtOnce, func(ctx context.Context, region string) (out listed) {
		out.sets, out.problems, out.err = plainStacksIn(ctx, newClient(s, region, newPace()), Target{management, region})
		return out
	}) {
		if got.err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			got.err = fmt.Errorf("no answer within %s", plainPatience)
		}
		if got.err != nil {
			said := strings.ReplaceAll(awsapi.Text(got.err), region, "(Region)")
			if refused[said] == nil {
				refused[said] = &PlainProblem{Err: got.err}
			}
			refused[said].Regions = append(refused[said].Regions, region)
		}
		problems = append(problems, got.problems...)
		for _, set := range got.sets {
			sets = merged(sets, set)
		}
	}
	for _, said := range slices.Sorted(maps.Keys(refused)) {
		problems = append(problems, *refused[said])
	}
	slices.SortFunc(sets, func(a, b Set) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Template.Name, b.Template.Name))
	})
	return sets, problems
}

// merged puts a set's plain stacks to the set of the same name and template, or adds it.
func merged(sets []Set, set Set) []Set {
	i := slices.IndexFunc(sets, func(have Set) bool { return have.Name == set.Name && have.Template.Name == set.Template.Name })
	if i < 0 {
		return append(sets, set)
	}
	if sets[i].Singles == nil {
		sets[i].Singles = map[Target]Single{}
	}
	maps.Copy(sets[i].Singles, set.Singles)
	return sets
}

// plainStacksIn are those of one Region. A stack of StackSets is an instance, and none
// that stands for one.
func plainStacksIn(ctx context.Context, client *cloudformation.Client, at Target) (sets []Set, problems []PlainProblem, err error) {
	pages := cloudformation.NewDescribeStacksPaginator(client, &cloudformation.DescribeStacksInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return sets, problems, err
		}
		for _, stack := range page.Stacks {
			made, name := tagValue(stack.Tags, TagTemplate), aws.ToString(stack.StackName)
			if made == "" || strings.HasPrefix(name, "StackSet-") || stack.StackStatus == types.StackStatusReviewInProgress {
				continue
			}
			set, err := plainSet(ctx, client, made, stack, at)
			if err != nil {
				problems = append(problems, PlainProblem{Regions: []string{at.Region}, Stack: name, Err: err})
				continue
			}
			sets = append(sets, set)
		}
	}
	return sets, problems, nil
}

// plainSet is the set that a plain stack belongs to. A template that this version does
// not have is read from the stack.
func plainSet(ctx context.Context, client *cloudformation.Client, made string, stack types.Stack, at Target) (Set, error) {
	set := Set{Name: aws.ToString(stack.StackName), Instances: map[Target]Instance{}}
	var err error
	if set.Template, err = templates.Lookup(made); err != nil {
		out, err := client.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: stack.StackId})
		if err != nil {
			return set, fmt.Errorf("read its template %s: %w", made, err)
		}
		if set.Template, err = templates.FromBody(made, []byte(aws.ToString(out.TemplateBody))); err != nil {
			return set, err
		}
	}
	one := Single{Target: at, Ours: true}
	one.take(stack)
	set.SHA256, set.Parameters, set.Singles = one.SHA256, one.Parameters, map[Target]Single{at: one}
	set.Automatic = set.Template.Remediates && one.Parameters[templates.ParameterRemediation] == "Automatic"
	return set, nil
}
