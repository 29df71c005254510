// Package blast lists what the remediations of a plan would change now, and who leans on
// each: the blast radius. It reads only, and what it could not read it says.
//
// For each template that enforces, a look reads what the template's own runbook would
// read, for all resources of an account and Region at once, and decides as the runbook
// decides (templates/catalog/*-enforce.yaml). The resources are those that AWS Config
// finds where the rule, or an equal one, is evaluated, and those that the service itself
// shows.
package blast

import (
	"cmp"
	"slices"
	"time"

	"rollout/internal/awsapi"
	"rollout/orgs"
	"rollout/stackset"
)

// Verdict says whether a resource can be changed without harm to somebody. The zero value
// is invalid.
type Verdict string

const (
	Safe    Verdict = "safe"     // nobody was seen to lean on it, or it would not be changed at all
	NotSafe Verdict = "not safe" // somebody leans on it
	Unknown Verdict = "unknown"  // it could not be read, or AWS does not tell
)

// Resource is one resource that is not as the rule wants it.
type Resource struct {
	// StackSet is the set of Template, which enforces; Rule is the catalog's name of the
	// rule whose findings it acts on.
	StackSet, Template, Rule string
	AccountID, Region        string
	Account                  *orgs.Account
	Type, ID                 string
	Verdict                  Verdict
	// Reason is one line, never empty: what would be changed, or why it is left.
	Reason string
	// Leans says who leans on it, in the runbook's words.
	Leans []string
	// WouldChange says whether the remediation would change it if it ran now. Where that
	// could not be read it is true.
	WouldChange bool
	// Source says where it was found: AWS Config and the name of its rule, or the service.
	Source string
	// Evaluated is when AWS Config wrote its verdict on the resource down, zero where it
	// has none.
	Evaluated time.Time
}

// Unread is what could not be read.
type Unread struct {
	Template, AccountID, Region string
	Account                     *orgs.Account
	// Said is the call and what AWS said.
	Said  string
	Class awsapi.Class
}

// Place says whether the rules of a template are evaluated in an account's Region, by
// themselves or by equal ones.
type Place struct {
	Template, AccountID, Region string
	Account                     *orgs.Account
	// StackSet is the set of the template that enforces.
	StackSet  string
	Evaluated bool
	// When is the oldest of the rules' last evaluations.
	When time.Time
	// Why says why a rule is not evaluated there; "" when all are.
	Why string
}

// Radius is what was read.
type Radius struct {
	Resources []Resource // worst first
	Unread    []Unread
	Places    []Place // in the order of the plan
}

// worst sorts what would harm first, then by template, OU path, account, Region and id.
func (r *Radius) worst() {
	slices.SortStableFunc(r.Resources, func(a, b Resource) int {
		return cmp.Or(
			cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Template, b.Template), cmp.Compare(path(a.Account), path(b.Account)),
			stackset.Target{AccountID: a.AccountID, Region: a.Region}.Compare(stackset.Target{AccountID: b.AccountID, Region: b.Region}), cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Rule, b.Rule))
	})
}

// rank is 0 for what is changed to somebody's harm.
func rank(r Resource) int {
	n := slices.Index([]Verdict{NotSafe, Unknown, Safe}, r.Verdict)
	if !r.WouldChange {
		n += 3
	}
	return n
}

func path(a *orgs.Account) string {
	if a == nil {
		return ""
	}
	return a.OUPath()
}

// Event is a step of the reading, told as it happens. Events come one after another.
type Event interface{ blastEvent() }

// Started comes once, before anything is read.
type Started struct{ Accounts, Places int }

// AccountRead says that an account is done. Done counts the accounts so far.
type AccountRead struct {
	AccountID   string
	Done, Total int
}

func (Started) blastEvent()     {}
func (AccountRead) blastEvent() {}
