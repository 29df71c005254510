package stackset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
)

// ApplyOptions says how a plan is carried out.
type ApplyOptions struct {
	// Run names operations and tokens, so that CloudTrail and the console tell
	// runs apart.
	Run     string
	Version string // goes into the tag rollout:version
	// Retain leaves the stacks of deleted instances behind in their accounts.
	Retain bool
}

// TagVersion is the tag with the version of rollout that wrote a set last.
const TagVersion = "rollout:version"

// Statuses of an Outcome that are not StackSets' own words.
const (
	OutcomeSkipped    = "SKIPPED"     // a need of it did not come true
	OutcomeNotStarted = "NOT_STARTED" // the run stopped before
	OutcomeRunning    = "RUNNING"     // the run stopped while AWS works on it
	OutcomeSucceeded  = "SUCCEEDED"
	OutcomeFailed     = "FAILED"
	OutcomeCancelled  = "CANCELLED"
)

// Apply carries a plan out, set by set: what is deleted and what is needed first.
// Within a set, instances with the same Regions and overrides are one operation,
// and a set's operations run side by side. An instance whose need did not come
// true is not attempted, so it does not count against the failure tolerance.
//
// What fails in an account is an Outcome, not an error; errors are those of a set
// that could not be made or changed at all. When ctx ends, nothing more is asked
// for and the result says what goes on in AWS.
func Apply(ctx context.Context, s *awsapi.Session, callAs types.CallAs, p *Plan, o ApplyOptions, emit func(Event)) (*Result, error) {
	if emit == nil {
		emit = func(Event) {}
	}
	a := &applier{api: newClient(s, "", newPace()), s: s, callAs: callAs, p: p, o: o, emit: emit, outcomes: map[key]*Outcome{}, planned: map[key]Change{}}
	for _, c := range p.Changes {
		if pending(c.Action) {
			a.planned[key{c.StackSet, c.Target}] = c
		}
	}
	var err error
	// Deletes of the other enforcing set come before anything is created.
	for _, phase := range []bool{true, false} {
		for i := range p.Sets {
			if ctx.Err() != nil || err != nil {
				break
			}
			if phase {
				err = a.deletes(ctx, &p.Sets[len(p.Sets)-1-i])
			} else {
				err = a.changes(ctx, &p.Sets[i])
			}
		}
	}
	if ctx.Err() != nil {
		a.result.Interrupted = true
		err = nil
	}
	a.finish()
	return &a.result, err
}

type key struct {
	set string
	Target
}

type applier struct {
	api    *cloudformation.Client
	s      *awsapi.Session
	callAs types.CallAs
	p      *Plan
	o      ApplyOptions
	emit   func(Event)
	// planned are the changes by place, to give both halves of a recreate one outcome.
	planned map[key]Change

	mu       sync.Mutex
	outcomes map[key]*Outcome
	result   Result
	serial   int
}

func (a *applier) record(c Change, status, reason, operation string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := Outcome{StackSet: c.StackSet, Target: c.Target, Action: c.Action, Status: status, Reason: reason, Operation: operation}
	a.outcomes[key{c.StackSet, c.Target}] = &out
	if status == OutcomeFailed {
		a.emit(InstanceFailed{out})
	}
}

func pending(action Action) bool {
	return action == Create || action == Update || action == Recreate || action == Delete
}

// finish gives every planned change its outcome and sorts the result.
func (a *applier) finish() {
	rank := map[string]int{}
	for i, s := range a.p.Sets {
		rank[s.Name] = i
	}
	for k, c := range a.planned {
		if a.outcomes[k] == nil {
			a.record(c, OutcomeNotStarted, "the run stopped before it was asked for", "")
		}
	}
	for _, o := range a.outcomes {
		a.result.Outcomes = append(a.result.Outcomes, *o)
	}
	slices.SortFunc(a.result.Outcomes, func(x, y Outcome) int {
		return cmp.Or(cmp.Compare(rank[x.StackSet], rank[y.StackSet]), x.Target.Compare(y.Target))
	})
	slices.SortFunc(a.result.Operations, func(x, y Operation) int {
		return cmp.Or(x.Created.Compare(y.Created), cmp.Compare(x.StackSet, y.StackSet), cmp.Compare(x.ID, y.ID))
	})
}

// deletes carries out the Delete changes of a set.
func (a *applier) deletes(ctx context.Context, s *Set) error {
	var changes []Change
	for _, c := range a.p.Changes {
		if c.StackSet == s.Name && c.Action == Delete {
			changes = append(changes, c)
		}
	}
	return a.run(ctx, s, group(changes, a.p.Desired, s))
}

// changes carries out what a set's instances need, once their needs came true.
func (a *applier) changes(ctx context.Context, s *Set) error {
	var creates, updates, recreates []Change
	for _, c := range a.p.Changes {
		if c.StackSet != s.Name || c.Action != Create && c.Action != Update && c.Action != Recreate {
			continue
		}
		if why := a.unmet(s, c); why != "" {
			a.record(c, OutcomeSkipped, why, "")
			continue
		}
		switch c.Action {
		case Create:
			creates = append(creates, c)
		case Update:
			updates = append(updates, c)
		case Recreate:
			recreates = append(recreates, c)
		}
	}
	if len(creates)+len(updates)+len(recreates) == 0 {
		return nil
	}
	if !s.Exists {
		if err := a.make(ctx, s); err != nil {
			return err
		}
	}
	if s.Exists && s.Outdated != "" {
		done, err := a.define(ctx, s, updates)
		if err != nil {
			return err
		}
		if done == nil && len(s.Instances) > 0 && len(updates) == 0 {
			for _, c := range append(creates, recreates...) {
				a.record(c, OutcomeSkipped, fmt.Sprintf("stack set %s is outdated (%s) and has instances only outside this selection; an update would touch those: run with a selection that has some of them first", s.Name, s.Outdated), "")
			}
			return nil
		}
		updates = slices.DeleteFunc(updates, func(c Change) bool {
			return slices.ContainsFunc(done, func(d Change) bool { return d.Target == c.Target })
		})
	}
	if err := a.run(ctx, s, group(recreates, a.p.Desired, s)); err != nil {
		return err
	}
	var again []Change
	for _, c := range recreates {
		if out := a.outcomes[key{s.Name, c.Target}]; out != nil && out.Status == OutcomeSucceeded {
			again = append(again, c)
		}
	}
	return a.run(ctx, s, append(group(updates, a.p.Desired, s), group(asCreates(append(creates, again...)), a.p.Desired, s)...))
}

// asCreates makes the second half of a Recreate a create; its outcome keeps the action.
func asCreates(changes []Change) []Change {
	out := slices.Clone(changes)
	for i := range out {
		if out[i].Action == Recreate {
			out[i].Action = Create
		}
	}
	return out
}

// unmet says which need of a change did not come true, "" when all did. Needs that
// this run does not change are the plan's business.
func (a *applier) unmet(s *Set, c Change) string {
	for _, need := range s.Template.Needs {
		for _, other := range a.p.Sets {
			if other.Template.Name != need {
				continue
			}
			t := c.Target
			if other.Template.Scope == "home" {
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

// make creates a set that is missing.
func (a *applier) make(ctx context.Context, s *Set) error {
	in := &cloudformation.CreateStackSetInput{
		StackSetName: aws.String(s.Name), CallAs: a.callAs, PermissionModel: types.PermissionModelsServiceManaged,
		Description: aws.String(description(s)), TemplateBody: aws.String(string(s.Template.Body())), Parameters: parameters(s.Want), Tags: a.tags(s),
		AutoDeployment:   &types.AutoDeployment{Enabled: aws.Bool(false)},
		ManagedExecution: &types.ManagedExecution{Active: aws.Bool(true)},
		Capabilities:     capabilities(s), ClientRequestToken: aws.String(token(a.o.Run, s.Name)),
	}
	out, err := a.api.CreateStackSet(ctx, in)
	if awsapi.Code(err) == "NameAlreadyExistsException" {
		// Another run made it since the plan: what it is then is not what was planned.
		return fmt.Errorf("create stack set %s in %s: it was made by somebody else since the plan: %w; plan again", s.Name, a.s.HomeRegion, err)
	}
	if err != nil {
		return a.explain("create stack set "+s.Name, err)
	}
	s.Exists, s.ID, s.SHA256, s.Parameters, s.Outdated = true, aws.ToString(out.StackSetId), s.Template.SHA256(), s.Want, ""
	a.emit(SetCreated{s.Name})
	return nil
}

func description(s *Set) string {
	text := "rollout: " + s.Template.Title
	if s.Automatic {
		text += " (automatic)"
	}
	return text[:min(len(text), 1024)]
}

func capabilities(s *Set) []types.Capability {
	var out []types.Capability
	for _, c := range s.Template.Capabilities {
		out = append(out, types.Capability(c))
	}
	return out
}

func (a *applier) tags(s *Set) []types.Tag {
	all := maps.Clone(a.p.Desired.Tags)
	if all == nil {
		all = map[string]string{}
	}
	all[TagTemplate], all[TagSHA256] = s.Template.Name, s.Template.SHA256()
	if a.o.Version != "" {
		all[TagVersion] = a.o.Version
	}
	var out []types.Tag
	for _, k := range slices.Sorted(maps.Keys(all)) {
		out = append(out, types.Tag{Key: aws.String(k), Value: aws.String(all[k])})
	}
	return out
}

func parameters(values map[string]string) []types.Parameter {
	var out []types.Parameter
	for _, k := range slices.Sorted(maps.Keys(values)) {
		out = append(out, types.Parameter{ParameterKey: aws.String(k), ParameterValue: aws.String(values[k])})
	}
	return out
}

// token makes an idempotency token of a run: letters, digits and hyphens.
func token(run, name string) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, "rollout-"+run+"-"+name)
	return clean[:min(len(clean), 128)]
}

// define gives an outdated set its new template and parameters. UpdateStackSet
// without targets would update every instance, so it is given one group of the
// planned ones, which are updated by it; without any instance at all it needs none.
func (a *applier) define(ctx context.Context, s *Set, updates []Change) (done []Change, err error) {
	in := &cloudformation.UpdateStackSetInput{
		StackSetName: aws.String(s.Name), CallAs: a.callAs, Description: aws.String(description(s)),
		TemplateBody: aws.String(string(s.Template.Body())), Parameters: parameters(s.Want), Tags: a.tags(s), Capabilities: capabilities(s),
		OperationPreferences: preferences(a.p.Desired.Preferences),
	}
	groups := group(updates, a.p.Desired, s)
	if len(groups) == 0 && len(s.Instances) > 0 {
		return nil, nil
	}
	op := &running{set: s}
	if len(groups) > 0 {
		in.DeploymentTargets, in.Regions = groups[0].deploymentTargets(), groups[0].regions
		op.changes = groups[0].changes
	}
	in.OperationId = aws.String(a.operationID(s.Name))
	err = a.free(ctx, s.Name, func() error {
		out, err := a.api.UpdateStackSet(ctx, in)
		if err == nil {
			op.id = cmp.Or(aws.ToString(out.OperationId), *in.OperationId)
		}
		return err
	})
	if err != nil {
		return nil, a.explain("update stack set "+s.Name, err)
	}
	s.SHA256, s.Parameters = s.Template.SHA256(), s.Want
	a.emit(SetUpdated{s.Name})
	return op.changes, a.watch(ctx, []*running{op})
}

func (a *applier) operationID(set string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.serial++
	return token(fmt.Sprintf("%s-%d", a.o.Run, a.serial), set)
}

// free runs a call once no other operation holds the set: with managed execution
// off, StackSets takes one at a time.
func (a *applier) free(ctx context.Context, set string, call func() error) error {
	for attempt := 0; ; attempt++ {
		err := call()
		switch awsapi.Code(err) {
		case "OperationInProgressException", "StaleRequestException":
			a.emit(Waiting{StackSet: set, Why: sentence(awsapi.Text(err))})
			if err := pause(ctx, pollAfter(attempt+2)); err != nil {
				return err
			}
			continue
		}
		return err
	}
}

// explain names what was tried and turns the refusals that have a remedy into
// their own errors.
func (a *applier) explain(what string, err error) error {
	text := awsapi.Text(err)
	switch {
	case strings.Contains(text, "must enable organizations access"):
		return &AccessDisabledError{Status: "not enabled", Region: a.s.HomeRegion}
	case strings.Contains(text, "not a delegated administrator"), strings.Contains(text, "management account or delegated admin"):
		return &NotDelegatedError{Account: a.s.Account, Err: err}
	}
	return fmt.Errorf("%s in %s: %w", what, a.s.HomeRegion, err)
}

// NotDelegatedError says that the caller may not work on the organization's sets.
type NotDelegatedError struct {
	Account string
	Err     error
}

func (e *NotDelegatedError) Error() string {
	return fmt.Sprintf("account %s is neither the management account nor a delegated administrator of CloudFormation StackSets: %s", e.Account, sentence(awsapi.Text(e.Err)))
}

// Unwrap gives what AWS said.
func (e *NotDelegatedError) Unwrap() error { return e.Err }

// pollAfter is how long to wait before look n (from 0): 1, 2, 4, 8 seconds, then 10.
func pollAfter(n int) time.Duration {
	if n < 4 {
		return time.Second << n
	}
	return 10 * time.Second
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var errNoResult = errors.New("AWS lists no result for the instance")
