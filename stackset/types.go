// Package stackset plans, deploys and watches the StackSets of a run: it finds
// the sets that are there, reads what each account and Region already has
// (preflight), works out the changes, carries them out with what is needed
// first, and says per stack instance what failed and why.
package stackset

import (
	"cmp"
	"time"

	"rollout/internal/cost"
	"rollout/orgs"
	"rollout/templates"
)

// Event is a step of a plan or of an apply, told as it happens. Events come from
// many goroutines; whoever renders them does so under one lock. Emitting never
// fails the work.
type Event interface{ stackSetEvent() }

// Target is one account and Region, where a stack instance may be.
type Target struct {
	AccountID string
	Region    string
}

// Compare sorts by account, then Region, by bytes.
func (t Target) Compare(u Target) int {
	return cmp.Or(cmp.Compare(t.AccountID, u.AccountID), cmp.Compare(t.Region, u.Region))
}

// Action is what a plan does with a stack instance. The zero value is invalid.
type Action string

const (
	Create   Action = "create"   // no instance there yet
	Update   Action = "update"   // outdated, failed or cancelled
	Recreate Action = "recreate" // INOPERABLE: deleted with its stack retained, then created
	Delete   Action = "delete"
	None     Action = "none" // as it should be, or not needed
	Skip     Action = "skip" // cannot be or shall not be done
)

// Remediation says how far a run may change resources.
type Remediation string

const (
	RemediationOff       Remediation = "off"
	RemediationManual    Remediation = "manual"
	RemediationAutomatic Remediation = "automatic"
)

// Change is one line of a plan.
type Change struct {
	StackSet string // the set's name
	Template string // its template's name
	Target
	Account *orgs.Account
	Action  Action
	// Reason is never empty for skip, recreate and delete.
	Reason string
	// Overrides are all the parameter overrides that the instance then has: switches
	// that say what the account has already, and what somebody else gave it. nil
	// leaves those that are there.
	Overrides map[string]string
	// Orphan marks the deletion of an instance outside the selection: its stack is
	// left behind where it is INOPERABLE or would take data with it.
	Orphan bool
	// Single marks a change of a plain stack, in the management account.
	Single bool
}

// Preferences are StackSets operation preferences. Regions always run in
// parallel.
type Preferences struct {
	// MaxConcurrent and FailureTolerance are "N" or "P%".
	MaxConcurrent    string // default 100%
	FailureTolerance string // default 10%
	Mode             string // soft (default) or strict
}

// Set is a StackSet of a run as it was found, or as it is to be made.
type Set struct {
	Name     string
	Template templates.Template
	// Automatic is true for the set of an enforce template whose Remediation
	// parameter is Automatic (NAME-enforce-automatic).
	Automatic bool
	// Exists, ID, ARN, SHA256 (the tag rollout:sha256) and Parameters are what was found.
	Exists bool
	ID     string
	ARN    string
	SHA256 string
	// Deployed is the template's body as StackSets has it, "" where it did not say.
	Deployed   string
	Parameters map[string]string
	// Want are the set's parameter values for this run, always safe values; as Look
	// found them where a run only looks.
	Want map[string]string
	// Outdated says why the set itself has to be updated; "" when it need not.
	Outdated  string
	Instances map[Target]Instance
	// Auto is the automatic deployment that was found. AutoWas and AutoWant are the same
	// and what the run makes of it, with sets of the run by their names; AutoHeld says why
	// a change that was asked for is not made.
	Auto              AutoDeployment
	AutoWas, AutoWant AutoWish
	AutoHeld          string
	// regions are those that it has instances in.
	regions []string
	// Singles are plain stacks that stand for instances, in the management account.
	Singles map[Target]Single
}

// Instance is a stack instance as StackSets lists it.
type Instance struct {
	Target
	OU             string // the id it was deployed by
	Status         string // CURRENT, OUTDATED, INOPERABLE
	DetailedStatus string // SUCCEEDED, FAILED, SKIPPED_SUSPENDED_ACCOUNT, …
	Reason         string
	LastOperation  string
	StackID        string
	// Drift is what the last detection said of it, at DriftChecked.
	Drift        DriftStatus
	DriftChecked time.Time
}

// Plan is what a run would do. It is worked out by reading only.
type Plan struct {
	Desired Desired
	Sets    []Set // in deploy order
	// Changes are sorted by set (deploy order), OU path, account, Region.
	Changes []Change
	// Orphans are outside the selection and stay.
	Orphans []Orphan
	// Joining is what an account gets that joins, OU by OU.
	Joining []Joining
	// Findings are what a look at the accounts foretells, worst first.
	Findings []Finding
	// Facts are what preflight read.
	Facts *Facts
	// Waves are those of the sets that go out to a few accounts first; see Stage.
	Waves []Wave
	// Cost is what it adds to the bill; nil for a plan that only takes away.
	Cost *cost.Estimate
	// Hash identifies the sets and changes.
	Hash string

	refused error // see Refused
}

// Pending says whether the plan changes anything: a set to make or update, or an
// instance to create, update, recreate or delete, or automatic deployment to switch.
func (p *Plan) Pending() bool {
	for _, s := range p.Sets {
		if s.Exists && s.Outdated != "" || s.AutoChanges() {
			return true
		}
	}
	for _, c := range p.Changes {
		if c.Action != None && c.Action != Skip {
			return true
		}
	}
	return false
}

// Outcome is how one attempted instance ended.
type Outcome struct {
	StackSet string
	Target
	Action Action
	// Status is StackSets' operation result status: SUCCEEDED, FAILED, CANCELLED;
	// or SKIPPED when a need of it did not come true, or NOT_STARTED when the run
	// stopped before.
	Status    string
	Reason    string
	Operation string
}

// Result is what an apply did.
type Result struct {
	Outcomes []Outcome // sorted by set (deploy order), account, Region
	// Operations are the operations that were started.
	Operations []Operation
	// Interrupted is set when the run stopped early (Ctrl-C): the operations
	// that still run go on in AWS by themselves.
	Interrupted bool
	// Held says why nothing was begun after the first wave, "" where it went on.
	Held string
}

// Operation is a StackSet operation.
type Operation struct {
	StackSet, ID, Action, Status, StatusReason string
	Created, Ended                             time.Time
	// Total, Done and Failed count the instances it works on.
	Total, Done, Failed int
}
