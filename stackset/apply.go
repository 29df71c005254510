package stackset

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
)

// ApplyOptions says how a plan is carried out.
type ApplyOptions struct {
	// Run names operations and tokens, so that CloudTrail and the console tell
	// runs apart. It has to be another one for each Apply: StackSets does an
	// operation of a name that it has seen only once.
	Run     string
	Version string // goes into the tag rollout:version
	// Retain leaves the stacks of deleted instances behind in their accounts.
	Retain bool
	// RetainInoperable leaves behind only those of INOPERABLE instances, which
	// StackSets can hardly delete otherwise.
	RetainInoperable bool
}

// Statuses of an Outcome. Those of what was attempted are StackSets' own words.
const (
	OutcomeSucceeded  = "SUCCEEDED"
	OutcomeFailed     = "FAILED"
	OutcomeCancelled  = "CANCELLED"
	OutcomeSkipped    = "SKIPPED"     // a need of it did not come true
	OutcomeNotStarted = "NOT_STARTED" // the run stopped before
	OutcomeRunning    = "RUNNING"     // the run stopped while AWS works on it
)

// Apply carries a plan out, set by set: what is deleted and what is needed first.
// Within a set, instances with the same Regions and overrides are one operation,
// and a set's operations run side by side. An instance whose need did not come
// true is not attempted, so it does not count against the failure tolerance.
//
// What fails in an account is an Outcome, not an error; errors are those of a set
// that could not be made or changed at all, and the result is there all the same.
// When ctx ends, nothing more is asked for and the result says what goes on in
// AWS. The plan is not changed.
func Apply(ctx context.Context, s *awsapi.Session, callAs types.CallAs, p *Plan, o ApplyOptions, emit func(Event)) (*Result, error) {
	if emit == nil {
		emit = func(Event) {}
	}
	a := &applier{api: newClient(s, "", newPace()), s: s, callAs: callAs, p: p, o: o, emit: emit, sets: slices.Clone(p.Sets), outcomes: map[key]*Outcome{}, planned: map[key]Change{}}
	for _, c := range p.Changes {
		if pending(c.Action) {
			a.planned[key{c.StackSet, c.Target}] = c
		}
	}
	err := a.all(ctx)
	if ctx.Err() != nil {
		err = nil
	}
	a.finish(ctx.Err() != nil, err)
	return &a.result, err
}

// all goes through the sets: what is deleted first, what enforces before what it
// enforces, and the other enforcing set before anything is created; then what is
// created or changed, what is needed first.
func (a *applier) all(ctx context.Context) error {
	for i := range slices.Backward(a.sets) {
		if err := a.deletes(ctx, &a.sets[i]); err != nil || ctx.Err() != nil {
			return err
		}
	}
	for i := range a.sets {
		if err := a.changes(ctx, &a.sets[i]); err != nil || ctx.Err() != nil {
			return err
		}
	}
	return nil
}

type key struct {
	set string
	Target
}

// applier carries out one plan. It is used by one goroutine.
type applier struct {
	api    *cloudformation.Client
	s      *awsapi.Session
	callAs types.CallAs
	p      *Plan
	o      ApplyOptions
	emit   func(Event)
	sets   []Set // the plan's, kept up to date
	// planned are the changes by place, to give both halves of a recreate one outcome.
	planned  map[key]Change
	outcomes map[key]*Outcome
	result   Result
	serial   int // of the operations asked for
}

func (a *applier) record(c Change, status, reason, operation string) {
	k := key{c.StackSet, c.Target}
	if planned, ok := a.planned[k]; ok {
		c = planned
	}
	out := Outcome{StackSet: c.StackSet, Target: c.Target, Action: c.Action, Status: status, Reason: reason, Operation: operation}
	a.outcomes[k] = &out
	if status == OutcomeFailed {
		a.emit(InstanceFailed{out})
	}
}

func (a *applier) recordAll(changes []Change, status, reason, operation string) {
	for _, c := range changes {
		a.record(c, status, reason, operation)
	}
}

func pending(action Action) bool {
	return action == Create || action == Update || action == Recreate || action == Delete
}

// finish gives every planned change its outcome and sorts the result.
func (a *applier) finish(stopped bool, err error) {
	rank := map[string]int{}
	for i, s := range a.sets {
		rank[s.Name] = i
	}
	why := "the run stopped before it was asked for"
	if err != nil {
		why += ": " + sentence(awsapi.Plain(err))
	}
	for k, c := range a.planned {
		if a.outcomes[k] == nil {
			a.record(c, OutcomeNotStarted, why, "")
		}
	}
	for _, o := range a.outcomes {
		a.result.Interrupted = a.result.Interrupted || stopped && (o.Status == OutcomeNotStarted || o.Status == OutcomeRunning)
		a.result.Outcomes = append(a.result.Outcomes, *o)
	}
	slices.SortFunc(a.result.Outcomes, func(x, y Outcome) int {
		return cmp.Or(cmp.Compare(rank[x.StackSet], rank[y.StackSet]), x.Target.Compare(y.Target))
	})
	slices.SortStableFunc(a.result.Operations, func(x, y Operation) int {
		return cmp.Or(x.Created.Compare(y.Created), cmp.Compare(x.StackSet, y.StackSet), cmp.Compare(x.ID, y.ID))
	})
}

// deletes carries out the Delete changes of a set.
func (a *applier) deletes(ctx context.Context, s *Set) error {
	return a.run(ctx, s, deleteBatches(a.p, s, a.o))
}

// changes carries out what a set's instances need, once their needs came true.
func (a *applier) changes(ctx context.Context, s *Set) error {
	by := map[Action][]Change{}
	for _, c := range a.p.Changes {
		if c.StackSet != s.Name || c.Action != Create && c.Action != Update && c.Action != Recreate {
			continue
		}
		if why := a.unmet(s, c); why != "" {
			a.record(c, OutcomeSkipped, why, "")
			continue
		}
		by[c.Action] = append(by[c.Action], c)
	}
	if len(by) == 0 {
		return nil
	}
	if !s.Exists {
		if err := a.make(ctx, s); err != nil {
			return err
		}
	}
	again, err := a.letGo(ctx, s, by[Recreate])
	if err != nil || ctx.Err() != nil {
		return err
	}
	creates, updates := append(by[Create], again...), by[Update]
	if s.Outdated != "" {
		outdated := s.Outdated
		done, ok, err := a.define(ctx, s, updates)
		if err != nil || ctx.Err() != nil {
			return err
		}
		if !ok {
			a.recordAll(creates, OutcomeSkipped, fmt.Sprintf("stack set %s is outdated (%s) and this run updates none of the instances that it has, and no others may be touched: run with a selection that has some of them first", s.Name, outdated), "")
			return nil
		}
		updated := make(map[Target]bool, len(done))
		for _, c := range done {
			updated[c.Target] = true
		}
		updates = slices.DeleteFunc(updates, func(c Change) bool { return updated[c.Target] })
	}
	return a.run(ctx, s, append(group(updates, a.p.Desired, s), group(creates, a.p.Desired, s)...))
}

// letGo is the first half of a recreate: INOPERABLE instances take no update, so
// they are deleted while their stacks stay ("Stack instance status codes"). What it
// returns is still to be created.
func (a *applier) letGo(ctx context.Context, s *Set, recreates []Change) (creates []Change, err error) {
	if len(recreates) == 0 {
		return nil, nil
	}
	if err := a.run(ctx, s, letGoBatches(a.p, s, recreates)); err != nil {
		return nil, err
	}
	s.Instances = maps.Clone(s.Instances)
	for _, c := range recreates {
		k := key{s.Name, c.Target}
		if out := a.outcomes[k]; out == nil || out.Status != OutcomeSucceeded {
			continue
		}
		delete(a.outcomes, k) // half of it is no outcome
		delete(s.Instances, c.Target)
		c.Action = Create
		creates = append(creates, c)
	}
	return creates, nil
}

// unmet says which need of a change did not come true, "" when all did. Needs that
// this run does not change are the plan's business.
func (a *applier) unmet(s *Set, c Change) string {
	for _, need := range s.Template.Needs {
		for _, other := range a.sets {
			if other.Template.Name != need {
				continue
			}
			t := c.Target
			if homeOnly(other.Template) {
				t.Region = a.p.Desired.HomeRegion
			}
			out := a.outcomes[key{other.Name, t}]
			if out == nil || out.Status == OutcomeSucceeded {
				continue
			}
			why := strings.ToLower(out.Status)
			if out.Reason != "" {
				why += ": " + sentence(out.Reason)
			}
			return fmt.Sprintf("needs %s, which did not come true in %s (%s)", need, t.Region, why)
		}
	}
	return ""
}
