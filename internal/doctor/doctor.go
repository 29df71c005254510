// Package doctor says whether an identity, an organization and a Region can do
// rollout's job: what works, what is missing, what AWS answers and what to do about it.
// It also knows what each command of rollout needs, as an IAM policy.
//
// It reads only; Activate alone changes something.
package doctor

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
	"rollout/orgs"
	"rollout/templates"
)

// Status says how bad a finding is. The zero value is invalid.
type Status string

const (
	OK      Status = "ok"
	Warning Status = "warning" // the job can be done, not all of it or not surely
	Error   Status = "error"   // the job cannot be done
)

// Finding is one thing that was looked at.
type Finding struct {
	Check   string // "trusted-access"
	Status  Status
	Summary string // what it is, in one line
	Said    string // what AWS answered, "" where the summary says it
	Do      string // what to do about it, "" for OK
}

// Permissions says whether the identity may do what a command needs.
type Permissions struct {
	Command string
	// Missing are the actions that it may not do, sorted.
	Missing []string
}

// Report is what an examination came to.
type Report struct {
	Account, ARN, HomeRegion string
	CallAs                   types.CallAs
	Organization             orgs.Organization // zero where it could not be read
	Findings                 []Finding
	// Permissions are those of every command, nil where they could not be asked.
	Permissions []Permissions
}

// Worst is the worst status of all.
func (r *Report) Worst() Status {
	worst := OK
	for _, f := range r.Findings {
		if f.Status == Error || f.Status == Warning && worst == OK {
			worst = f.Status
		}
	}
	return worst
}

// Options say what the job is.
type Options struct {
	// CallAs is what the user said, "" to find out.
	CallAs types.CallAs
	// Expect is the one organization that is looked at, "" for any.
	Expect string
	// Regions are those asked for, by name.
	Regions []string
	// Accounts are those whose roles are tried; nil for a few of the organization.
	Accounts []*orgs.Account
	// Templates are those that would be deployed.
	Templates []templates.Template
	// StackSets are patterns of the names of their sets.
	StackSets []string
	// RoleNames are the roles that are tried, in order; Restorers those that a restore
	// would try.
	RoleNames, Restorers []string
	// Entered is told how many accounts were tried; nil for nobody.
	Entered func(done, of int)
}

// examiner looks at one identity.
type examiner struct {
	s      *awsapi.Session
	o      Options
	report *Report
	api    *organizations.Client
	// known are the Regions as the identity's account sees them, or why not.
	known    []awsapi.Region
	knownErr error
}

// Examine looks at everything side by side; the findings come in a fixed order. What
// cannot be looked at is a finding too. The error is the context's.
func Examine(ctx context.Context, s *awsapi.Session, o Options) (*Report, error) {
	e := &examiner{s: s, o: o, api: orgs.NewClient(s.Own("")), report: &Report{Account: s.Account, ARN: s.ARN, HomeRegion: s.HomeRegion, CallAs: o.CallAs}}
	e.report.Findings = append(e.report.Findings, Finding{Check: "identity", Status: OK, Summary: "account " + s.Account + " as " + s.ARN})
	e.report.Findings = append(e.report.Findings, e.organization(ctx)...)
	e.known, e.knownErr = awsapi.ListRegions(ctx, s.Own(""), "")
	checks := []func(context.Context) []Finding{e.regions, e.permissions}
	if e.report.Organization.ID != "" {
		checks = []func(context.Context) []Finding{e.administrators, e.trustedAccess, e.otherServices, e.stackSets, e.regions, e.controlPolicies, e.roles, e.permissions}
	}
	for _, found := range fanout.Ordered(ctx, checks, len(checks), func(ctx context.Context, check func(context.Context) []Finding) []Finding { return check(ctx) }) {
		e.report.Findings = append(e.report.Findings, found...)
	}
	return e.report, ctx.Err()
}

// one is a list of one finding.
func one(check string, status Status, summary, said, do string) []Finding {
	return []Finding{{Check: check, Status: status, Summary: summary, Said: said, Do: do}}
}

// unread is a finding about what could not be looked at.
func unread(check, what, action string, err error) []Finding {
	do := "try again later"
	switch awsapi.Classify(err) {
	case awsapi.ClassDenied:
		do = "allow this identity " + action + " (rollout doctor --policy doctor prints all it needs)"
	case awsapi.ClassPolicyDenied:
		do = "a service control policy denies it; have it changed, or use another account"
	}
	return one(check, Warning, what+" could not be read", awsapi.Text(err), do)
}
