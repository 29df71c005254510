package stackset

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
)

// DriftStatus is CloudFormation's word on an instance.
type DriftStatus string

const (
	DriftInSync     DriftStatus = "IN_SYNC"
	DriftDrifted    DriftStatus = "DRIFTED"
	DriftNotChecked DriftStatus = "NOT_CHECKED" // no detection has looked at it
	DriftUnknown    DriftStatus = "UNKNOWN"     // it could not be checked; the reason says why
)

// Drift is what a detection found in one place.
type Drift struct {
	StackSet, Template string
	Target
	Single bool // a plain stack of the management account
	Status DriftStatus
	// Reason is never empty for what could not be checked.
	Reason  string
	Checked time.Time // zero for never
	StackID string
	// Inactive says that the account is not ACTIVE, so that nothing can be checked there.
	Inactive bool
	// Resources are those that differ, by logical id.
	Resources []ResourceDrift
}

// ResourceDrift is a resource that is not as its stack made it.
type ResourceDrift struct {
	LogicalID, PhysicalID, Type string
	Status                      string // MODIFIED, DELETED
	Differences                 []PropertyDrift
}

// PropertyDrift is a property that is not as the template has it. Values that are no
// texts are JSON.
type PropertyDrift struct {
	Path             string // /Source/SourceIdentifier
	Kind             string // NOT_EQUAL, ADD, REMOVE
	Expected, Actual string
}

// DriftReport is what was found.
type DriftReport struct {
	// Places are sorted by set, account, Region.
	Places []Drift
	// Operations are the detections that were started or followed; one that has not
	// ended goes on in AWS.
	Operations []Operation
	// Interrupted is set when the run stopped before everything was read.
	Interrupted bool
}

// DriftOptions says how drift is looked for.
type DriftOptions struct {
	// Run names operations; another one for each run.
	Run string
	// Last reads what the last detection found, and starts none.
	Last        bool
	Preferences Preferences
	// Accounts are ids, Regions names; nil for all. A detection of a set looks at all
	// its instances; these say which of them are read.
	Accounts, Regions []string
	// Inactive says of an account why nothing runs there, "" when something does.
	Inactive func(account string) string
}

// DetectDrift has CloudFormation compare what is there with what the sets made, sets and
// plain stacks side by side, and reads what it found. A detection that runs already is
// followed. It changes no resource; while it runs it occupies the set's operations.
// What cannot be checked is a Drift with its reason and stops nothing. The error is that
// of sets of which nothing at all could be learnt.
func DetectDrift(ctx context.Context, s *awsapi.Session, callAs types.CallAs, sets []Set, o DriftOptions, emit func(Event)) (*DriftReport, error) {
	if emit == nil {
		emit = func(Event) {}
	}
	pace := newPace()
	pace["ListStackInstanceResourceDrifts"] = awsapi.Limit(6, 10)
	d := &drifter{s: s, callAs: callAs, o: o, emit: emit, api: newClient(s, "", pace)}
	report := &DriftReport{}
	var failures []error
	for _, got := range fanout.Ordered(ctx, sets, setsAtOnce, d.set) {
		report.Places, report.Operations = append(report.Places, got.places...), append(report.Operations, got.operations...)
		report.Interrupted = report.Interrupted || got.cut
		if got.err != nil {
			failures = append(failures, got.err)
		}
	}
	report.Interrupted = report.Interrupted || ctx.Err() != nil
	if len(failures) > 0 && !slices.ContainsFunc(report.Places, func(p Drift) bool { return p.Status != DriftUnknown }) {
		return report, errors.Join(failures...)
	}
	return report, nil
}

// drifter detects drift.
type drifter struct {
	s      *awsapi.Session
	callAs types.CallAs
	o      DriftOptions
	emit   func(Event)
	api    *cloudformation.Client
}

// driftOfSet is what was found of one set and of the plain stacks that stand for its
// instances.
type driftOfSet struct {
	places     []Drift
	operations []Operation
	cut        bool  // the run stopped before all was read
	err        error // of the set
}

func (d *drifter) has(t Target) bool {
	return (d.o.Accounts == nil || slices.Contains(d.o.Accounts, t.AccountID)) && (d.o.Regions == nil || slices.Contains(d.o.Regions, t.Region))
}

// set looks at one set and at its plain stacks, beside each other.
func (d *drifter) set(ctx context.Context, s Set) driftOfSet {
	var targets, alone []Target
	for t := range s.Instances {
		if d.has(t) {
			targets = append(targets, t)
		}
	}
	for t, one := range s.Singles {
		if d.has(t) && (one.Ours || one.Unread != "") {
			alone = append(alone, t)
		}
	}
	slices.SortFunc(targets, Target.Compare)
	slices.SortFunc(alone, Target.Compare)
	plain := make(chan []Drift, 1)
	go func() {
		var out []Drift
		for _, found := range fanout.Ordered(ctx, alone, regionsAtOnce, func(ctx context.Context, t Target) Drift { return d.single(ctx, s, s.Singles[t]) }) {
			out = append(out, found)
		}
		plain <- out
	}()
	out := d.instances(ctx, s, targets)
	out.places = append(out.places, <-plain...)
	out.cut = out.cut || ctx.Err() != nil
	slices.SortFunc(out.places, func(a, b Drift) int { return a.Target.Compare(b.Target) })
	return out
}

// place is a Drift without a finding yet.
func (d *drifter) place(s Set, t Target) Drift {
	p := Drift{StackSet: s.Name, Template: s.Template.Name, Target: t, Status: DriftNotChecked}
	if d.o.Inactive != nil {
		p.Reason = d.o.Inactive(t.AccountID)
		p.Inactive = p.Reason != ""
	}
	return p
}

// unknown says that a place could not be checked.
func (p *Drift) unknown(reason string) {
	p.Status, p.Resources = DriftUnknown, nil
	p.Reason = cmp.Or(p.Reason, sentence(reason), "CloudFormation does not say why")
}

// differs are the statuses of resources that are not as they were made.
var differs = []types.StackResourceDriftStatus{types.StackResourceDriftStatusModified, types.StackResourceDriftStatusDeleted}
