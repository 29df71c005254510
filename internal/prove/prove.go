// Package prove tries, against an organization that answers, what the simulated
// organization takes for granted: each claim that rests on something weaker than
// AWS's own word comes out confirmed, refuted or not tried, with the request ids
// that AWS gave the calls.
//
// What a scenario makes is harmless and carries the run's name and tag; it is
// removed again whatever happens, and what could not be removed is named.
package prove

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
)

// Verdict is what became of a claim or of a line.
type Verdict string

// The zero value is no verdict.
const (
	Confirmed Verdict = "confirmed"
	Refuted   Verdict = "refuted"
	NotTried  Verdict = "not tried"
)

// Line is a line of FIDELITY.md as the caller read it.
type Line struct {
	ID, Section, Text string
	Weak              bool
}

// Claim is one thing that a scenario finds out.
type Claim struct {
	Name string // stable: "set-second-operation"
	Text string
	// Lines are the lines of FIDELITY.md that rest on it.
	Lines []string
	// Documented says that AWS says so itself: it shows whether the endpoint
	// behaves as AWS at all.
	Documented bool
}

// Scenario makes things, looks, and removes them.
type Scenario struct {
	Name, Title string
	// Makes says what is there for a while and where; empty where it only reads.
	Makes  []string
	Calls  []string
	Claims []Claim
	try    func(ctx context.Context, t *trial) error
}

// Account is one account of the sandbox.
type Account struct{ ID, State string }

// Options says where and how to try.
type Options struct {
	Session *awsapi.Session
	CallAs  types.CallAs
	// OU is the sandbox. Accounts are the chosen ones, Others what else stands
	// anywhere under it: nothing is deployed there.
	OU               string
	Accounts, Others []Account
	Organization     string
	Management       string
	// Elsewhere is an OU that does not hold the sandbox, "" without one. It is
	// named in calls that must come to nothing.
	Elsewhere string
	Run       string
	Lines     []Line
	// Patience is how long an operation may take.
	Patience time.Duration
	// Quick asks an endpoint on this machine more often than AWS would like.
	Quick bool
	// Tell hears of each step, nil for nobody.
	Tell func(Event)
}

// Event is a step of a run.
type Event struct {
	Scenario string
	Text     string
	Result   *Result // a claim came out
}

// Result is what became of one claim.
type Result struct {
	Claim
	Verdict  Verdict
	Observed string // what was seen, or why it was not tried
	// Failed says that it was not tried because something went wrong, rather than
	// because this organization has nothing to try it on.
	Failed bool
	Calls  []Call // the calls that show it, the deciding one last
}

// Leftover is a thing that could not be removed.
type Leftover struct {
	What   string `json:"what"`
	Why    string `json:"why"`
	Remove string `json:"remove"`
}

// Prefix begins the name of everything that a run makes; Tag marks it.
const (
	Prefix = "rollout-prove-"
	Tag    = "rollout-prove"
)

// Scenarios are all of them, in the order in which they are tried.
func Scenarios() []Scenario {
	return slices.Concat(organizationsScenarios(), stsScenarios(), configScenarios(), stackScenarios(), singleScenarios(), definitionScenarios(), instanceScenarios(), breakScenarios())
}

// Run tries every scenario, removes what each made, and reports. The error is the
// context's: the report is complete then too, with what was not tried.
func Run(ctx context.Context, o Options) (*Report, error) {
	report := newReport(o)
	for _, s := range Scenarios() {
		t := &trial{Options: o, scenario: s, report: report}
		err := ctx.Err()
		if err == nil {
			t.tell("trying %s", s.Title)
			err = s.try(ctx, t)
		}
		t.finish(ctx, err)
	}
	report.conclude()
	return report, ctx.Err()
}

// trial is a scenario under way.
type trial struct {
	Options
	scenario Scenario
	report   *Report
	rec      recorder
	undo     []undo
	names    int
}

// undo removes one thing.
type undo struct {
	what, remove string
	do           func(context.Context) error
}

func (t *trial) tell(format string, args ...any) {
	if t.Tell != nil {
		t.Tell(Event{Scenario: t.scenario.Name, Text: fmt.Sprintf(format, args...)})
	}
}

// name gives the next name of the run.
func (t *trial) name() string {
	t.names++
	return fmt.Sprintf("%s%s-%s-%d", Prefix, t.Run, t.scenario.Name, t.names)
}

// later remembers how to remove a thing, before it is made: a call may have made
// it without our hearing so.
func (t *trial) later(what, remove string, do func(context.Context) error) {
	t.undo = append(t.undo, undo{what, remove, do})
}

// cleanTime is how long removing one thing may take, also after an interruption.
const cleanTime = 20 * time.Minute

// finish removes what the scenario made, newest first, and closes the claims that
// it did not get to.
func (t *trial) finish(ctx context.Context, err error) {
	why := "the scenario ended before it"
	switch {
	case ctx.Err() != nil:
		why = "interrupted"
	case errors.Is(err, errPatience):
		why = err.Error()
	case err != nil:
		why = "an earlier call failed: " + awsapi.Text(err)
	}
	for _, c := range t.scenario.Claims {
		if t.report.result(c.Name) == nil {
			t.add(c.Name, NotTried, why, nil)
			t.report.result(c.Name).Failed = true
		}
	}
	if len(t.undo) > 0 {
		t.tell("removing what %q made", t.scenario.Title)
	}
	for _, u := range slices.Backward(t.undo) {
		cleaning, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTime)
		if err := u.do(cleaning); err != nil {
			t.report.Left = append(t.report.Left, Leftover{u.what, awsapi.Text(err), u.remove})
		}
		cancel()
	}
}

// holds gives a claim its verdict; what was seen goes with it, as does the
// newest call.
func (t *trial) holds(name string, holds bool, format string, args ...any) {
	t.add(name, verdict(holds), fmt.Sprintf(format, args...), t.rec.last())
}

func verdict(holds bool) Verdict {
	if holds {
		return Confirmed
	}
	return Refuted
}

// skip leaves a claim untried and says why.
func (t *trial) skip(name, format string, args ...any) {
	t.add(name, NotTried, fmt.Sprintf(format, args...), nil)
}

func (t *trial) add(name string, verdict Verdict, observed string, calls []Call) {
	i := slices.IndexFunc(t.scenario.Claims, func(c Claim) bool { return c.Name == name })
	if i < 0 {
		panic("prove: scenario " + t.scenario.Name + " has no claim " + name)
	}
	r := &Result{Claim: t.scenario.Claims[i], Verdict: verdict, Observed: observed, Calls: calls}
	t.report.Results = append(t.report.Results, r)
	if t.Tell != nil {
		t.Tell(Event{Scenario: t.scenario.Name, Result: r})
	}
}
