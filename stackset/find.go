package stackset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
	"rollout/templates"
)

// The tags by which a StackSet is known as ours.
const (
	TagTemplate = "rollout:template" // the template's name
	TagSHA256   = "rollout:sha256"   // of the template's body, in hex
)

// Wanted is a StackSet that a run looks for.
type Wanted struct {
	Name     string
	Template templates.Template
	// Automatic says that it is the -enforce-automatic set of an enforce template.
	Automatic bool
}

// Found is what Find found.
type Found struct {
	// Sets are the wanted ones in the same order, whether they exist or not.
	Sets []Set
	// Findings are about Regions that could not be looked into, and sets elsewhere.
	Findings []Finding
	// Active counts the sets of the home Region, whosever they are.
	Active int
}

// ElsewhereError says that a set of ours lives in another Region than the home
// Region. A StackSet cannot be seen from another Region nor moved.
type ElsewhereError struct{ Name, Region, Home string }

func (e *ElsewhereError) Error() string {
	return fmt.Sprintf("stack set %s lives in %s, not in %s, and a stack set cannot be moved: use --home-region %s", e.Name, e.Region, e.Home, e.Region)
}

// ForeignSetError says that a stack set of a wanted name is not ours to change.
type ForeignSetError struct{ Name, Region, Why string }

func (e *ForeignSetError) Error() string {
	return fmt.Sprintf("stack set %s in %s is not one that rollout may change: %s; use another --stack-set name", e.Name, e.Region, e.Why)
}

// Find looks for the wanted sets by name: one ListStackSets in each Region, since a
// set is visible only from the Region where it was made, then everything about
// those in the home Region. CallAs goes with every call. A Region that refuses the
// list becomes a warning, the home Region an error. A set of ours in another
// Region is an *ElsewhereError; one in the home Region that is not ours, or is not
// service-managed, a *ForeignSetError. accounts is the number of accounts of the
// organization, 0 for not known: they say how long a list can get.
func Find(ctx context.Context, s *awsapi.Session, callAs types.CallAs, regions []string, accounts int, wanted []Wanted) (*Found, error) {
	f := &finder{s: s, callAs: callAs, home: newClient(s, "", newPace()), accounts: accounts}
	found := &Found{Sets: make([]Set, len(wanted))}
	for i, w := range wanted {
		found.Sets[i] = Set{Name: w.Name, Template: w.Template, Automatic: w.Automatic}
	}
	listed := slices.DeleteFunc(slices.Clone(regions), func(r string) bool { return r == s.HomeRegion })
	listed = append([]string{s.HomeRegion}, listed...)
	var problems []error
	var all findings
	for region, r := range fanout.Ordered(ctx, listed, 8, func(ctx context.Context, region string) listResult { return f.list(ctx, region, wanted) }) {
		switch {
		case r.err != nil && region == s.HomeRegion:
			problems = append(problems, r.err)
		case r.err != nil && ctx.Err() == nil:
			all.add(Finding{Code: "region-unseen", Text: "Whether stack sets of this run live in {places} could not be seen: " + sentence(awsapi.Text(r.err)) + "."}, Place{Target: Target{Region: region}})
		}
		for _, e := range r.elsewhere {
			if slices.ContainsFunc(found.Sets, func(s Set) bool { return s.Name == e.Name && s.Exists }) {
				// To refuse would leave no Region from which either could be worked on.
				all.add(Finding{Code: "set-elsewhere", StackSet: e.Name, Text: fmt.Sprintf("Another stack set of rollout called %s lives in {places}; this run uses the one in %s.", e.Name, s.HomeRegion)}, Place{Target: Target{Region: region}})
				continue
			}
			problems = append(problems, e)
		}
		for _, f := range r.findings {
			all.add(f, Place{Target: Target{Region: region}})
		}
		if region == s.HomeRegion {
			found.Active = r.active
			for i := range found.Sets {
				found.Sets[i].Exists = slices.Contains(r.names, found.Sets[i].Name)
			}
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if len(problems) > 0 {
		return nil, problems[0]
	}
	var there []*Set
	for i := range found.Sets {
		if found.Sets[i].Exists {
			there = append(there, &found.Sets[i])
		}
	}
	for _, err := range fanout.Ordered(ctx, there, setsFoundAtOnce, func(ctx context.Context, set *Set) error { return f.read(ctx, set) }) {
		problems = append(problems, err)
	}
	if err := cmp.Or(problems...); err != nil {
		return nil, err
	}
	found.Findings = all.sorted()
	return found, nil
}

type finder struct {
	s      *awsapi.Session
	callAs types.CallAs
	home   *cloudformation.Client
	// accounts are those of the organization, 0 for not known.
	accounts int
}

// listResult is what one Region's list gave.
type listResult struct {
	names     []string          // of wanted sets
	elsewhere []*ElsewhereError // sets of ours, in a Region that is not the home Region
	findings  []Finding
	active    int // sets, whosever
	err       error
}

func (f *finder) list(ctx context.Context, region string, wanted []Wanted) listResult {
	var r listResult
	client := f.home
	if region != f.s.HomeRegion {
		client = newClient(f.s, region, newPace())
	}
	pages := cloudformation.NewListStackSetsPaginator(client, &cloudformation.ListStackSetsInput{
		Status: types.StackSetStatusActive, CallAs: f.callAs, MaxResults: aws.Int32(100),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			r.err = tried(f.s, "list the stack sets", region, err)
			return r
		}
		for _, summary := range page.Summaries {
			name := aws.ToString(summary.StackSetName)
			if summary.Status == types.StackSetStatusDeleted {
				continue
			}
			r.active++
			if !slices.ContainsFunc(wanted, func(w Wanted) bool { return w.Name == name }) {
				continue
			}
			r.names = append(r.names, name)
		}
	}
	if region == f.s.HomeRegion {
		return r
	}
	for _, name := range r.names {
		ours, err := f.tagged(ctx, client, name)
		switch {
		case errors.As(err, new(*types.StackSetNotFoundException)): // deleted since
		case err == nil && !ours:
			r.findings = append(r.findings, Finding{Code: "set-foreign", StackSet: name, Text: "A stack set called " + name + " lives in {places}, but rollout did not make it."})
		default:
			r.elsewhere = append(r.elsewhere, &ElsewhereError{name, region, f.s.HomeRegion})
		}
	}
	return r
}

// tagged says whether a set carries our tag.
func (f *finder) tagged(ctx context.Context, client *cloudformation.Client, name string) (bool, error) {
	out, err := client.DescribeStackSet(ctx, &cloudformation.DescribeStackSetInput{StackSetName: aws.String(name), CallAs: f.callAs})
	if err != nil || out.StackSet == nil {
		return false, err
	}
	return tagValue(out.StackSet.Tags, TagTemplate) != "", nil
}

// read fills in a set of the home Region. Members that a server leaves out keep
// their zero value.
func (f *finder) read(ctx context.Context, set *Set) error {
	out, err := f.home.DescribeStackSet(ctx, &cloudformation.DescribeStackSetInput{StackSetName: aws.String(set.Name), CallAs: f.callAs})
	if err != nil {
		return fmt.Errorf("describe stack set %s in %s: %w", set.Name, f.s.HomeRegion, err)
	}
	have := cmp.Or(out.StackSet, &types.StackSet{})
	refuse := func(format string, args ...any) error {
		return &ForeignSetError{set.Name, f.s.HomeRegion, fmt.Sprintf(format, args...)}
	}
	if m := have.PermissionModel; m != "" && m != types.PermissionModelsServiceManaged {
		return refuse("its permission model is %s, not SERVICE_MANAGED", m)
	}
	switch made := tagValue(have.Tags, TagTemplate); made {
	case set.Template.Name:
	case "":
		return refuse("it does not carry the tag %s", TagTemplate)
	default:
		return refuse("it was made for the template %s, not for %s", made, set.Template.Name)
	}
	set.take(have)
	set.Instances, err = f.instances(ctx, set.Name, set.regions)
	return err
}

// take takes over what StackSets says of a set.
func (s *Set) take(have *types.StackSet) {
	s.ID, s.ARN = aws.ToString(have.StackSetId), aws.ToString(have.StackSetARN)
	s.regions = have.Regions
	s.SHA256, s.Deployed, s.Parameters = tagValue(have.Tags, TagSHA256), aws.ToString(have.TemplateBody), valuesOf(have.Parameters)
	s.Auto = autoOf(have)
}

// valuesOf are parameters by name.
func valuesOf(list []types.Parameter) map[string]string {
	out := map[string]string{}
	for _, p := range list {
		out[aws.ToString(p.ParameterKey)] = aws.ToString(p.ParameterValue)
	}
	return out
}

func tagValue(tags []types.Tag, key string) string {
	for _, t := range tags {
		if aws.ToString(t.Key) == key {
			return aws.ToString(t.Value)
		}
	}
	return ""
}
