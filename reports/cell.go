// Package reports gathers what AWS Config says about every account, Region and
// rule of a run, and writes it as compliance.csv, accounts.csv, findings.csv,
// report.json and report.html. Every account × Region × rule is one cell with one
// status; a cell that could not be read is a gap, never compliant and never left
// out.
package reports

import (
	"time"

	"rollout/orgs"
	"rollout/templates"
)

// Status is a cell's status: AWS Config's own word, or the gap that keeps
// Config's word from us. The zero value is invalid.
type Status string

// Config's own words.
const (
	Compliant        Status = "COMPLIANT"
	NonCompliant     Status = "NON_COMPLIANT"
	NotApplicable    Status = "NOT_APPLICABLE"
	InsufficientData Status = "INSUFFICIENT_DATA"
)

// Gaps, in the order in which the first that applies wins.
const (
	AccountInactive Status = "ACCOUNT_INACTIVE" // any State but ACTIVE
	RegionDisabled  Status = "REGION_DISABLED"  // off in that account
	AccessDenied    Status = "ACCESS_DENIED"
	RegionDenied    Status = "REGION_DENIED" // a service control policy denies the Region
	Unreachable     Status = "UNREACHABLE"   // the calls failed after retries
	NotDeployed     Status = "NOT_DEPLOYED"  // no such rule there
	RecorderOff     Status = "RECORDER_OFF"
	NotRecorded     Status = "NOT_RECORDED" // the recorder leaves the rule's resource types out
)

// Verdict says whether the status is Config's own word.
func (s Status) Verdict() bool {
	switch s {
	case Compliant, NonCompliant, NotApplicable, InsufficientData:
		return true
	}
	return false
}

// Unread says whether the cell could not be read, which makes a run partial
// (exit status 3). Other gaps are results.
func (s Status) Unread() bool { return s == AccessDenied || s == Unreachable }

// Place is one account and Region of a report.
type Place struct {
	Account *orgs.Account
	Region  string
}

// Cell is one account × Region × rule.
type Cell struct {
	Place
	Rule   templates.Rule
	Status Status
	// NonCompliantResources is exact, never Config's capped count.
	NonCompliantResources int
	InstanceStatus        string // StackSets' DetailedStatus, NONE without an instance
	InstanceReason        string
	Remediation           string // off, manual or automatic, as found; "" when it could not be read
	LastEvaluated         time.Time
	// Detail explains every status that is not a verdict, and INSUFFICIENT_DATA.
	Detail string
	// SourceRule is the Config name of the rule whose verdict the row shows, ""
	// for a gap.
	SourceRule string
}

// Finding is one resource that is not compliant.
type Finding struct {
	Place
	Rule              templates.Rule
	ResourceType      string
	ResourceID        string
	Status            Status // NON_COMPLIANT
	Annotation        string
	RemediationStatus string // NONE, QUEUED, IN_PROGRESS, FAILED, SUCCEEDED, FIXED, EXCEPTED
	RemediationDetail string
	LastEvaluated     time.Time
	Exception         string
}

// Result is what the gather found in one place, or across the run for one place.
type Result struct {
	Cells    []Cell    // one a rule, in rule order
	Findings []Finding // sorted by rule, resource type, resource id
	// Role is the role that read the place, "" for the caller's own credentials
	// or when it was not read.
	Role string
	// Read says whether the account was entered.
	Read bool
	// Interrupted is set when the run was stopped before the place was read.
	Interrupted bool
}

// Run is what a report says about itself.
type Run struct {
	Tool           string // "rollout <version>"
	Run            string // the run's id
	Command        string // the command line, credentials never in it
	Started, Ended time.Time
	OrganizationID string
	Management     string
	Caller         string // ARN
	HomeRegion     string
	Regions        []string
	Templates      []string
	StackSet       string
	Remediation    string
	Simulated      bool
	Selection      string // how the accounts were chosen, in words
	// Notes are whole sentences: warnings, what was not done and why.
	Notes []string
}

// Report is everything that is written. Cells are sorted by OU path, account,
// Region, rule, by bytes; findings likewise, then resource.
type Report struct {
	Run      Run
	Accounts []*orgs.Account // the chosen ones, by OU path, then id
	Regions  []string
	Rules    []templates.Rule
	Cells    []Cell
	Findings []Finding
}
