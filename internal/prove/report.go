package prove

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Report is what a run came to.
type Report struct {
	Options Options
	Started time.Time
	Ended   time.Time
	Results []*Result
	Lines   []LineResult // the weak lines, in the order of FIDELITY.md
	Left    []Leftover
}

// LineResult is a weak line and what became of it.
type LineResult struct {
	Line
	Verdict Verdict
	Why     string // of a line that was not tried
	Results []*Result
}

func newReport(o Options) *Report {
	return &Report{Options: o, Started: time.Now().UTC()}
}

func (r *Report) result(name string) *Result {
	for _, x := range r.Results {
		if x.Name == name {
			return x
		}
	}
	return nil
}

// conclude gives the weak lines their verdicts: refuted when one claim is, else
// confirmed when one was confirmed.
func (r *Report) conclude() {
	r.Ended = time.Now().UTC()
	for _, l := range r.Options.Lines {
		if !l.Weak {
			continue
		}
		line := LineResult{Line: l, Verdict: NotTried, Why: reason(l.ID)}
		var whys []string
		for _, x := range r.Results {
			if !slices.Contains(x.Lines, l.ID) {
				continue
			}
			line.Results = append(line.Results, x)
			switch {
			case x.Verdict == Refuted, x.Verdict == Confirmed && line.Verdict == NotTried:
				line.Verdict = x.Verdict
			case x.Verdict == NotTried && !slices.Contains(whys, x.Observed):
				whys = append(whys, x.Observed)
			}
		}
		if len(whys) > 0 {
			line.Why = strings.Join(whys, "; ")
		}
		if line.Verdict != NotTried {
			line.Why = ""
		}
		r.Lines = append(r.Lines, line)
	}
}

// Count says how many weak lines came out so.
func (r *Report) Count(v Verdict) int {
	n := 0
	for _, l := range r.Lines {
		if l.Verdict == v {
			n++
		}
	}
	return n
}

// Partial says whether something went wrong: a claim could not be tried for it, or
// a thing that was made is still there. What this organization has nothing to try
// on (no closed account, say) is no failure.
func (r *Report) Partial() bool {
	return len(r.Left) > 0 || slices.ContainsFunc(r.Results, func(x *Result) bool { return x.Failed })
}

// reason says why a line has no probe.
func reason(id string) string {
	return cmp.Or(Untried(id), fmt.Sprintf("rollout prove has no probe for %s", id))
}

// Untried says why no probe tries a line, "" where one could.
func Untried(id string) string {
	service, _, _ := strings.Cut(id, "-")
	return cmp.Or(untried[id], untriedSections[service])
}

// untried are the lines that no probe may or can try, and why.
var untried = map[string]string{
	"config:DescribeConfigurationAggregatorSourcesStatus": "needs an aggregator of the organization, and rollout prove makes none",
	"CFG-01":  "needs an aggregator and a change that Config records; rollout prove makes neither",
	"SET-25":  "needs an identity of a delegated administrator, and rollout prove makes none",
	"SET-21":  "needs an account to be moved, and rollout prove changes no account",
	"SET-18":  "is about durations, which differ from day to day",
	"ORG-08":  "needs a call that would move an account if the claim is wrong",
	"CFG-10":  "needs a change to a resource that Config records; rollout prove touches no resource that it did not make",
	"CFG-18":  "needs a delivery channel, and rollout prove touches no recorder or channel",
	"SSM-04":  "is about the simulator's own Python, which AWS does not have",
	"WIRE-06": "needs more calls at once than a guest should make",
	"WIRE-08": "AWS cannot be made to fail on request",
	"WIRE-09": "needs credentials that have expired, and the shortest session lasts fifteen minutes",
	"STK-12":  "needs a resource that cannot be deleted, and rollout prove makes none",
	"STK-13":  "needs an update that fails, and rollout prove makes no resource that does",
	"STK-16":  "needs a creation that is rolled back slowly enough to be looked at",
	"SSM-05":  "needs an automation with a role, and rollout prove makes no role",
}

// untriedSections are the kinds of lines that no probe tries, and why.
var untriedSections = map[string]string{
	"CFG": "needs a recorder or a rule, and rollout prove touches none",
	"EC2": "needs an instance, and rollout prove starts none",
	"EVT": "needs an instance or a snapshot, and rollout prove touches none",
	"SSM": "needs an automation with a role, and rollout prove makes no role",
	"ENG": "needs resources that fail, and rollout prove makes none",
	"DFT": "needs a resource changed behind CloudFormation's back, and rollout prove changes none",
	"IAM": "needs identities, and rollout prove makes none",
	"QUO": "needs an account with a quota that is raised or used up, and rollout prove makes none",
	"CTW": "needs a landing zone of Control Tower, and rollout prove looks at none",
}
