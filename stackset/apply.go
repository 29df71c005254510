package stackset

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

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
	// RetainAuto leaves behind those of INOPERABLE instances, which StackSets can
	// hardly delete otherwise, and those that would take data with them.
	RetainAuto bool
	// Gate looks at what became of the first wave of a plan that has one, and says why
	// the rest shall not begin, "" for going on. Without it nothing goes on.
	Gate func(ctx context.Context, so *Result) (hold string, err error)
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

// Apply carries a plan out, level by level: what is deleted and what is needed first.
// The sets of a level, which need none of each other, are worked on side by side.
// Within a set, instances with the same Regions and overrides are one operation,
// and a set's operations run side by side. An instance whose need did not come
// true is not attempted, so it does not count against the failure tolerance.
//
// What fails in an account is an Outcome, not an error; errors are those of a set
// that could not be made or changed at all. The sets beside it are finished, no level
// after it is begun, and the result is there all the same.
// When ctx ends, nothing more is asked for and the result says what goes on in
// AWS. The plan is not changed.
func Apply(ctx context.Context, s *awsapi.Session, callAs types.CallAs, p *Plan, o ApplyOptions, emit func(Event)) (*Result, error) {
	if err := p.Refused(); err != nil {
		return nil, err
	}
	a := newApplier(s, callAs, p, o, emit)
	err := a.all(ctx)
	if ctx.Err() != nil {
		err = nil
	}
	a.finish(ctx.Err() != nil, err)
	return &a.result, err
}

func newApplier(s *awsapi.Session, callAs types.CallAs, p *Plan, o ApplyOptions, emit func(Event)) *applier {
	if emit == nil {
		emit = func(Event) {}
	}
	a := &applier{api: newClient(s, "", newPace()), s: s, callAs: callAs, p: p, o: o, emit: emit, sets: slices.Clone(p.Sets), outcomes: map[key]*Outcome{}, planned: map[key]Change{}, later: p.later(), serial: map[string]int{}, failures: map[string]error{}, arns: map[string]string{}}
	for _, c := range p.Changes {
		if pending(c.Action) {
			a.planned[key{c.StackSet, c.Target}] = c
		}
	}
	return a
}

// all goes through the levels: what is deleted first, what enforces before what it
// enforces, and the other enforcing set before anything is created; then what is
// created or changed, what is needed first. Where there are waves, each goes through the
// levels, and the second only when the first held.
func (a *applier) all(ctx context.Context) error {
	levels := levels(a.sets)
	for a.wave = range a.p.waves() {
		if a.wave > 0 {
			if err := a.gate(ctx); err != nil || a.result.Held != "" || ctx.Err() != nil {
				return err
			}
		}
		for _, level := range slices.Backward(levels) {
			if err := a.beside(ctx, level, a.deletes); err != nil || ctx.Err() != nil {
				return err
			}
		}
		for _, level := range levels {
			if err := a.beside(ctx, level, a.changes); err != nil || ctx.Err() != nil {
				return err
			}
		}
	}
	return nil
}

type key struct {
	set string
	Target
}

// applier carries out one plan. A set is worked on by one goroutine, and those of a
// level by one each: mu guards what they share.
type applier struct {
	api    *cloudformation.Client
	s      *awsapi.Session
	callAs types.CallAs
	p      *Plan
	o      ApplyOptions
	emit   func(Event)
	sets   []Set // the plan's, kept up to date
	wave   int   // the one that is carried out
	later  map[key]bool

	mu sync.Mutex
	// planned are the changes by place, to give both halves of a recreate one outcome.
	planned  map[key]Change
	outcomes map[key]*Outcome
	result   Result
	serial   map[string]int    // of the operations asked for, by set
	failures map[string]error  // of sets
	arns     map[string]string // of sets, as far as they were asked for
}

func (a *applier) record(c Change, status, reason, operation string) {
	k := key{c.StackSet, c.Target}
	a.mu.Lock()
	if planned, ok := a.planned[k]; ok {
		c = planned
	}
	out := Outcome{StackSet: c.StackSet, Target: c.Target, Action: c.Action, Status: status, Reason: reason, Operation: operation}
	a.outcomes[k] = &out
	a.mu.Unlock()
	if status == OutcomeFailed {
		a.emit(InstanceFailed{out})
	}
}

func (a *applier) recordAll(changes []Change, status, reason, operation string) {
	for _, c := range changes {
		a.record(c, status, reason, operation)
	}
}

// outcome is what is known of an instance by now, nil for nothing.
func (a *applier) outcome(k key) *Outcome {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.outcomes[k]
}

func pending(action Action) bool {
	return action == Create || action == Update || action == Recreate || action == Delete
}

// finish gives every planned change its outcome and sorts the result.
func (a *applier) finish(stopped bool, err error) {
	for k, c := range a.planned {
		if a.outcomes[k] != nil {
			continue
		}
		why := "the run stopped before it was asked for"
		if own := cmp.Or(a.failures[c.StackSet], err); own != nil {
			why += ": " + sentence(awsapi.Plain(own))
		} else if a.result.Held != "" {
			why = "it waits for the first wave, which did not hold"
		}
		a.record(c, OutcomeNotStarted, why, "")
	}
	for _, o := range a.outcomes {
		a.result.Interrupted = a.result.Interrupted || stopped && (o.Status == OutcomeNotStarted || o.Status == OutcomeRunning)
		a.result.Outcomes = append(a.result.Outcomes, *o)
	}
	slices.SortFunc(a.result.Outcomes, a.inOrder())
	slices.SortStableFunc(a.result.Operations, func(x, y Operation) int {
		return cmp.Or(x.Created.Compare(y.Created), cmp.Compare(x.StackSet, y.StackSet), cmp.Compare(x.ID, y.ID))
	})
}

// inOrder sorts outcomes by set (deploy order), account and Region.
func (a *applier) inOrder() func(x, y Outcome) int {
	rank := map[string]int{}
	for i, s := range a.sets {
		rank[s.Name] = i
	}
	return func(x, y Outcome) int {
		return cmp.Or(cmp.Compare(rank[x.StackSet], rank[y.StackSet]), x.Target.Compare(y.Target))
	}
}

// deletes carries out the Delete changes of a set.
func (a *applier) deletes(ctx context.Context, s *Set) error {
	var changes []Change
	for _, c := range ofWave(a.p.actions(s.Name, Delete), a.later, a.wave) {
		if why := a.held(s, c); why != "" {
			a.record(c, OutcomeSkipped, why, "")
			continue
		}
		changes = append(changes, c)
	}
	defer a.single(ctx, s, ofWave(a.p.singles(s.Name, Delete), a.later, a.wave))()
	err := a.run(ctx, s, deleteBatches(a.p, s, a.o, changes))
	if err == nil && s.AutoChanges() && !s.AutoWant.Enabled && ctx.Err() == nil {
		err = a.follow(ctx, s)
	}
	return err
}

// changes carries out what a set's instances need, once their needs came true.
func (a *applier) changes(ctx context.Context, s *Set) error {
	by, alone := map[Action][]Change{}, []Change{}
	for _, c := range ofWave(a.p.Changes, a.later, a.wave) {
		if c.StackSet != s.Name || !brings(c.Action) {
			continue
		}
		if why := a.unmet(s, c); why != "" {
			a.record(c, OutcomeSkipped, why, "")
			continue
		}
		if c.Single {
			alone = append(alone, c)
			continue
		}
		by[c.Action] = append(by[c.Action], c)
	}
	defer a.single(ctx, s, alone)()
	if ctx.Err() != nil {
		return nil
	}
	if !s.Exists && len(by) > 0 {
		if err := a.make(ctx, s); err != nil {
			return err
		}
	}
	// Before the template changes: of what this run leaves alone nothing is OUTDATED yet.
	if s.AutoChanges() && s.AutoWant.Enabled {
		if err := a.follow(ctx, s); err != nil || ctx.Err() != nil {
			return err
		}
	}
	if len(by) == 0 {
		return nil
	}
	again, err := a.letGo(ctx, s, by[Recreate])
	if err != nil || ctx.Err() != nil {
		return err
	}
	creates, updates := append(by[Create], again...), by[Update]
	if s.Outdated != "" {
		outdated := s.Outdated
		if first, rest := pioneer(s, updates, creates); first != nil {
			if err := a.run(ctx, s, group(first, a.p.Desired, s)); err != nil || ctx.Err() != nil {
				return err
			}
			updates, creates = first, rest
		}
		done, ok, err := a.define(ctx, s, updates)
		if err != nil || ctx.Err() != nil {
			return err
		}
		if !ok {
			a.recordAll(creates, OutcomeSkipped, outdatedAlone(s.Name, outdated), "")
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
		if out := a.outcome(k); out == nil || out.Status != OutcomeSucceeded {
			continue
		}
		a.mu.Lock()
		delete(a.outcomes, k) // half of it is no outcome
		a.mu.Unlock()
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
		for i := range a.sets {
			other := &a.sets[i] // no copy: sets beside this one are being made
			if other.Template.Name != need {
				continue
			}
			t := c.Target
			if homeOnly(other.Template) {
				t.Region = a.p.Desired.HomeRegion
			}
			out := a.outcome(key{other.Name, t})
			if out == nil || out.Status == OutcomeSucceeded {
				continue
			}
			return fmt.Sprintf("needs %s, which did not come true in %s (%s)", need, t.Region, ended(out))
		}
	}
	return ""
}

// held says what still stands on an instance that is to be deleted, since it could not
// be deleted itself; "" when nothing does.
func (a *applier) held(s *Set, c Change) string {
	for i := range a.sets {
		other := &a.sets[i]
		if !slices.Contains(other.Template.Needs, s.Template.Name) {
			continue
		}
		regions := []string{c.Region}
		if homeOnly(s.Template) {
			regions = slices.Sorted(maps.Keys(regionsOf(other.Instances, c.AccountID)))
		}
		for _, region := range regions {
			out := a.outcome(key{other.Name, Target{c.AccountID, region}})
			if out != nil && out.Action == Delete && out.Status != OutcomeSucceeded {
				return fmt.Sprintf("stays, since %s needs it and could not be deleted in %s (%s)", other.Name, region, ended(out))
			}
		}
	}
	return ""
}

// regionsOf are the Regions in which an account has instances.
func regionsOf(instances map[Target]Instance, account string) map[string]bool {
	out := map[string]bool{}
	for t := range instances {
		if t.AccountID == account {
			out[t.Region] = true
		}
	}
	return out
}

func ended(o *Outcome) string {
	if o.Reason == "" {
		return strings.ToLower(o.Status)
	}
	return strings.ToLower(o.Status) + ": " + sentence(o.Reason)
}
