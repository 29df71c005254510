package stackset

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
	"rollout/templates"
)

// Endings of the names that rollout gives to sets that enforce. They are no more than
// hints: what a set is, its tag says.
const (
	enforceSuffix   = "-enforce"
	automaticSuffix = "-enforce-automatic"
)

func hintsEnforcement(name string) bool {
	return strings.HasSuffix(name, enforceSuffix) || strings.HasSuffix(name, automaticSuffix)
}

// Ours are the StackSets that rollout made, in the home Region, whatever their names.
type Ours struct {
	Sets []Set // with their instances, sorted by name
	// Operations are the newest of each set, newest first, by its name.
	Operations map[string][]Operation
	// Problems are the sets of which it could not be told what they are, or which
	// instances they have; sorted by name.
	Problems []SetProblem
	// Listed counts all service-managed sets of the home Region.
	Listed int
	// Elsewhere are the sets that enforce and live in other Regions.
	Elsewhere []Elsewhere
	// Plain is what could not be seen of the management account's plain stacks, which
	// are with the sets that they stand for.
	Plain []PlainProblem
	// Warnings are whole sentences: Regions that could not be looked into.
	Warnings []string
}

// SetProblem is a set that could not be read.
type SetProblem struct {
	StackSet string
	Err      error
}

// Elsewhere is a set of ours in another Region than the home Region.
type Elsewhere struct{ StackSet, Template, Region string }

// Narrow leaves out what lies in other Regions or could not be read, and is not meant.
// Of what could not be read no more than its name is known.
func (o *Ours) Narrow(scope Scope) {
	byName := Scope{StackSet: scope.StackSet}
	o.Problems = slices.DeleteFunc(o.Problems, func(p SetProblem) bool { return !byName.Takes(Set{Name: p.StackSet}) })
	o.Elsewhere = slices.DeleteFunc(o.Elsewhere, func(e Elsewhere) bool {
		t, err := templates.Lookup(e.Template)
		if err != nil {
			t = templates.Template{Name: e.Template}
		}
		return !scope.Takes(Set{Name: e.StackSet, Template: t})
	})
}

// OursOptions says how to look.
type OursOptions struct {
	CallAs types.CallAs
	// EnforcingOnly leaves out what does not remediate.
	EnforcingOnly bool
	// Regions are looked into for sets that enforce, besides the home Region, and for
	// plain stacks.
	Regions []string
	// Management is the management account, whose credentials are used, where its plain
	// stacks are meant too; else "".
	Management string
}

// describesAtOnce and listsAtOnce bound the calls about several sets under way.
const (
	describesAtOnce = 16
	listsAtOnce     = 8
)

// FindOurs looks for the sets that rollout made. ListStackSets shows no tags, so each
// service-managed set costs a DescribeStackSet; only those that carry the name of a
// template that does not enforce are spared it when just enforcement is looked for. A
// set that cannot be read is a Problem and stops nothing. The error is that of the
// home Region's list.
func FindOurs(ctx context.Context, s *awsapi.Session, o OursOptions) (*Ours, error) {
	pace := newPace()
	// Nothing but this looks at many sets, and a kill switch must not take minutes.
	pace["DescribeStackSet"] = awsapi.Limit(25, 25)
	f := &finder{s: s, callAs: o.CallAs, home: newClient(s, "", pace)}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	elsewhere := make(chan *Ours, 1)
	go func() { elsewhere <- f.elsewhere(ctx, o.Regions) }()

	plain := make(chan *Ours, 1)
	go func() { plain <- ownStacks(ctx, s, o) }()

	names, err := f.managed(ctx, f.home)
	if err != nil {
		return nil, tried(s, "list the stack sets", s.HomeRegion, err)
	}
	found := &Ours{Listed: len(names)}
	if o.EnforcingOnly {
		names = slices.DeleteFunc(names, func(name string) bool {
			t, err := templates.Lookup(strings.TrimPrefix(name, "rollout-"))
			return err == nil && strings.HasPrefix(name, "rollout-") && !t.Remediates
		})
	}
	type described struct {
		set *Set // nil when it is not ours
		err error
	}
	var sets []Set
	for name, d := range fanout.Ordered(ctx, names, describesAtOnce, func(ctx context.Context, name string) described {
		set, err := f.describe(ctx, name)
		return described{set, err}
	}) {
		switch {
		case d.err != nil:
			found.Problems = append(found.Problems, SetProblem{name, d.err})
		case d.set != nil && (!o.EnforcingOnly || d.set.Template.Remediates):
			sets = append(sets, *d.set)
		}
	}
	found.Operations = map[string][]Operation{}
	type filled struct {
		ops         []Operation
		err, opsErr error
	}
	for set, r := range fanout.Ordered(ctx, sets, listsAtOnce, func(ctx context.Context, set Set) (r filled) {
		r.err = f.fill(ctx, set)
		r.ops, r.opsErr = Operations(ctx, s, o.CallAs, set.Name, 10)
		return r
	}) {
		if r.err != nil {
			found.Problems = append(found.Problems, SetProblem{set.Name, r.err})
			continue
		}
		if r.opsErr != nil {
			found.Warnings = append(found.Warnings, fmt.Sprintf("The operations of stack set %s could not be listed: %s.", set.Name, sentence(awsapi.Text(r.opsErr))))
		}
		found.Sets, found.Operations[set.Name] = append(found.Sets, set), r.ops
	}
	own := <-plain
	found.Plain = own.Plain
	for _, set := range own.Sets {
		found.Sets = merged(found.Sets, set)
	}
	slices.SortStableFunc(found.Sets, func(a, b Set) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(found.Problems, func(a, b SetProblem) int { return strings.Compare(a.StackSet, b.StackSet) })
	other := <-elsewhere
	found.Elsewhere, found.Warnings = other.Elsewhere, append(found.Warnings, other.Warnings...)
	slices.Sort(found.Warnings)
	return found, ctx.Err()
}

// managed lists the names of the active service-managed sets of a Region, sorted. Sets
// with other permissions are nobody's of ours.
func (f *finder) managed(ctx context.Context, client *cloudformation.Client, options ...func(*cloudformation.Options)) ([]string, error) {
	var names []string
	pages := cloudformation.NewListStackSetsPaginator(client, &cloudformation.ListStackSetsInput{
		Status: types.StackSetStatusActive, CallAs: f.callAs, MaxResults: aws.Int32(100),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx, options...)
		if err != nil {
			return nil, err
		}
		for _, summary := range page.Summaries {
			name := aws.ToString(summary.StackSetName)
			if summary.Status != types.StackSetStatusDeleted && summary.PermissionModel != types.PermissionModelsSelfManaged && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

// describe reads a set of the home Region, without its instances; nil for one that
// rollout did not make, or that is gone.
func (f *finder) describe(ctx context.Context, name string) (*Set, error) {
	out, err := f.home.DescribeStackSet(ctx, &cloudformation.DescribeStackSetInput{StackSetName: aws.String(name), CallAs: f.callAs})
	switch {
	case awsapi.Code(err) == "StackSetNotFoundException":
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("describe stack set %s in %s: %w", name, f.s.HomeRegion, err)
	case out.StackSet == nil:
		return nil, fmt.Errorf("describe stack set %s in %s: AWS describes nothing", name, f.s.HomeRegion)
	}
	made := tagValue(out.StackSet.Tags, TagTemplate)
	if made == "" {
		return nil, nil
	}
	set := &Set{Name: name, Exists: true, Instances: map[Target]Instance{}}
	set.take(out.StackSet)
	if set.Template, err = templates.Lookup(made); err != nil {
		if set.Template, err = templates.FromBody(made, []byte(aws.ToString(out.StackSet.TemplateBody))); err != nil {
			return nil, fmt.Errorf("read stack set %s: %w", name, err)
		}
	}
	set.Automatic = set.Template.Remediates && set.Parameters[templates.ParameterRemediation] == "Automatic"
	return set, nil
}

// fill lists a set's instances into its map.
func (f *finder) fill(ctx context.Context, set Set) error {
	instances, err := f.instances(ctx, set.Name, set.regions)
	maps.Copy(set.Instances, instances)
	return err
}

// fewTries is for what is worth asking, and not worth waiting for.
func fewTries(o *cloudformation.Options) { o.Retryer = retry.AddWithMaxAttempts(o.Retryer, 3) }
