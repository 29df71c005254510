package stackset

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
	"rollout/templates"
)

// AccountSet is a set of ours and what it has in one account.
type AccountSet struct {
	Name       string
	Template   string // its tag rollout:template
	Automatic  bool   // it remediates by itself
	SHA256     string // its tag rollout:sha256
	Parameters map[string]string
	Auto       AutoDeployment
	// Instances are those of the account, by Region.
	Instances []AccountInstance
}

// AccountInstance is a stack instance and what only a call of its own tells of it.
type AccountInstance struct {
	Instance
	// Overrides are nil where they were not asked for.
	Overrides map[string]string
	// Last is the operation that worked on it last, without a status where AWS no longer
	// knows it or it was not asked for.
	Last Operation
}

// accountReads bounds the calls about one account that are under way.
const accountReads = 8

// OfAccount reads what the home Region's sets of ours have in one account: the list of
// sets, a call for each service-managed one, since only that shows its tags, another for
// each of ours, and in the Regions of interest (nil for all) one an instance, for its
// overrides, and one an operation. A set that cannot be read is a warning.
func OfAccount(ctx context.Context, s *awsapi.Session, callAs types.CallAs, account string, regions []string) (sets []AccountSet, warnings []string, err error) {
	pace := newPace()
	pace["DescribeStackSet"] = awsapi.Limit(25, 25) // of many sets few are ours
	r := &accountReader{api: newClient(s, "", pace), s: s, callAs: callAs, account: account, regions: regions}
	names, err := (&finder{s: s, callAs: callAs, home: r.api}).managed(ctx, r.api)
	if err != nil {
		return nil, nil, r.explain("list the stack sets", err)
	}
	type result struct {
		set  AccountSet
		ours bool
		err  error
	}
	for name, got := range fanout.Ordered(ctx, names, describesAtOnce, func(ctx context.Context, name string) result {
		set, ours, err := r.set(ctx, name)
		return result{set, ours, err}
	}) {
		switch {
		case got.err != nil:
			warnings = append(warnings, fmt.Sprintf("What stack set %s has in the account could not be read: %s.", name, sentence(awsapi.Text(got.err))))
		case got.ours:
			sets = append(sets, got.set)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	return sets, warnings, r.details(ctx, sets)
}

// accountReader reads one account's part of the sets.
type accountReader struct {
	api     *cloudformation.Client
	s       *awsapi.Session
	callAs  types.CallAs
	account string
	regions []string
}

func (r *accountReader) explain(what string, err error) error {
	return tried(r.s, what, r.s.HomeRegion, err)
}

// set reads a set and its instances in the account. ours is false for one that rollout
// did not make, and for one that was deleted since it was listed.
func (r *accountReader) set(ctx context.Context, name string) (set AccountSet, ours bool, err error) {
	out, err := r.api.DescribeStackSet(ctx, &cloudformation.DescribeStackSetInput{StackSetName: &name, CallAs: r.callAs})
	if awsapi.Code(err) == "StackSetNotFoundException" {
		return set, false, nil
	}
	if err != nil {
		return set, false, r.explain("describe stack set "+name, err)
	}
	have := cmp.Or(out.StackSet, &types.StackSet{})
	set = AccountSet{Name: name, Template: tagValue(have.Tags, TagTemplate), SHA256: tagValue(have.Tags, TagSHA256), Parameters: valuesOf(have.Parameters)}
	if set.Template == "" {
		return set, false, nil
	}
	set.Automatic = set.Parameters[templates.ParameterRemediation] == "Automatic"
	if set.Auto = autoOf(have); set.Auto.Enabled {
		if set.Auto.Targets, err = autoTargets(ctx, r.api, r.callAs, name); err != nil {
			return set, false, r.explain("list the targets of automatic deployment of stack set "+name, err)
		}
	}
	instances, err := listInstances(ctx, r.api, name, r.callAs, r.account)
	if err != nil {
		return set, false, r.explain("list the stack instances of "+name+" in account "+r.account, err)
	}
	for _, i := range instances {
		set.Instances = append(set.Instances, AccountInstance{Instance: i})
	}
	slices.SortFunc(set.Instances, func(a, b AccountInstance) int { return a.Target.Compare(b.Target) })
	return set, true, nil
}

// details reads what a list does not have: overrides, and the last operations.
func (r *accountReader) details(ctx context.Context, sets []AccountSet) error {
	type place struct {
		set *AccountSet
		i   *AccountInstance
	}
	type operation struct{ set, id string }
	var places []place
	var operations []operation
	for n := range sets {
		for m := range sets[n].Instances {
			p := place{&sets[n], &sets[n].Instances[m]}
			if r.regions != nil && !slices.Contains(r.regions, p.i.Region) {
				continue
			}
			places = append(places, p)
			if o := (operation{p.set.Name, p.i.LastOperation}); o.id != "" && !slices.Contains(operations, o) {
				operations = append(operations, o)
			}
		}
	}
	var failure error
	for p, got := range fanout.Ordered(ctx, places, accountReads, func(ctx context.Context, p place) error {
		overrides, err := describeOverrides(ctx, r.api, r.callAs, key{p.set.Name, p.i.Target})
		if awsapi.Code(err) == "StackInstanceNotFoundException" { // deleted since it was listed
			return nil
		}
		if err != nil {
			return err
		}
		p.i.Overrides = overrides
		return nil
	}) {
		if got != nil && failure == nil {
			failure = r.explain(fmt.Sprintf("describe the stack instance of %s in %s", p.set.Name, p.i.Region), got)
		}
	}
	known := map[operation]Operation{}
	for o, got := range fanout.Ordered(ctx, operations, accountReads, func(ctx context.Context, o operation) Operation {
		out, err := r.api.DescribeStackSetOperation(ctx, &cloudformation.DescribeStackSetOperationInput{StackSetName: &o.set, OperationId: &o.id, CallAs: r.callAs})
		if err != nil || out.StackSetOperation == nil {
			// AWS forgets operations; the instance says how it ended.
			return Operation{StackSet: o.set, ID: o.id, StatusReason: awsapi.Text(cmp.Or(err, fmt.Errorf("AWS describes nothing")))}
		}
		return operationOf(o.set, out.StackSetOperation)
	}) {
		known[o] = got
	}
	for _, p := range places {
		p.i.Last = known[operation{p.set.Name, p.i.LastOperation}]
	}
	return cmp.Or(ctx.Err(), failure)
}

// PlanAccount works out what a deploy would do in the one account of a run, from what
// its sets have there: no other instance is read. The plan's sets have the plain stacks
// of the management account too.
func PlanAccount(ctx context.Context, s *awsapi.Session, in PrepareInput, have []AccountSet) (*Plan, error) {
	if err := Check(in.Desired); err != nil {
		return nil, err
	}
	sets := SetsOf(in.Desired, have)
	var on []string
	for _, r := range in.Known {
		if r.On {
			on = append(on, r.Name)
		}
	}
	if err := findSingles(ctx, s, in.Desired, sets, on); err != nil {
		return nil, err
	}
	access, err := checkAccess(ctx, s, in)
	if err != nil {
		return nil, err
	}
	plan, err := planFor(ctx, s, in, sets, func(Event) {})
	if err == nil {
		access.tell(plan)
	}
	return plan, err
}

// SetsOf are the sets of a run with what they have in one account. A set of the same
// template that has another name stands for one that is not there.
func SetsOf(d Desired, have []AccountSet) []Set {
	var out []Set
	for _, w := range WantedSets(d) {
		set := Set{Name: w.Name, Template: w.Template, Automatic: w.Automatic, Want: want(d, w.Template, w.Automatic), Instances: map[Target]Instance{}}
		if h := standsFor(w, have); h != nil {
			set.Name, set.Exists, set.SHA256, set.Parameters = h.Name, true, h.SHA256, h.Parameters
			for _, i := range h.Instances {
				set.Instances[i.Target] = i.Instance
			}
		}
		out = append(out, set)
	}
	return out
}

// standsFor is the set of a wanted name, else one of its template that has something in
// the account, nil without any.
func standsFor(w Wanted, have []AccountSet) *AccountSet {
	var other *AccountSet
	for i, h := range have {
		switch {
		case h.Template != w.Template.Name || h.Automatic != w.Automatic:
		case h.Name == w.Name:
			return &have[i]
		case len(h.Instances) > 0 && other == nil:
			other = &have[i]
		}
	}
	return other
}
