package main

import (
	"context"
	"fmt"
	"time"

	"rollout/reports"
	"rollout/stackset"
)

// settleInput is what to wait for where a run changed something: first verdicts, and the
// ends of what is remediated automatically.
func settleInput(plan *stackset.Plan, result *stackset.Result) reports.SettleInput {
	started := map[string]time.Time{}
	for _, op := range result.Operations {
		started[op.ID] = op.Created
	}
	byRule := map[string]string{} // template by rule
	for _, s := range plan.Sets {
		for _, region := range plan.Desired.RegionsOf(s.Template) {
			for _, rule := range s.Rules(region, plan.Desired.Partition) {
				byRule[rule.Name] = s.Template.Name
			}
		}
	}
	since, automatic := map[place]time.Time{}, map[place]bool{}
	for _, o := range result.Outcomes {
		if o.Status != stackset.OutcomeSucceeded {
			continue
		}
		for _, s := range plan.Sets {
			if s.Name != o.StackSet {
				continue
			}
			switch {
			case s.Template.Enforces == "":
				since[place{o.Target, s.Template.Name}] = started[o.Operation]
			case s.Automatic && o.Action != stackset.Delete:
				automatic[place{o.Target, s.Template.Enforces}] = true
			}
		}
	}
	// Enforcement that was there before finds what a new rule reports, too.
	for _, c := range plan.Changes {
		for _, s := range plan.Sets {
			if s.Name == c.StackSet && s.Automatic && c.Action == stackset.None {
				automatic[place{c.Target, s.Template.Enforces}] = true
			}
		}
	}
	at := func(account, region, rule string) place {
		return place{stackset.Target{AccountID: account, Region: region}, byRule[rule]}
	}
	return reports.SettleInput{
		Accounts: plan.Desired.Accounts, Regions: plan.Desired.Regions, Rules: rulesAt(plan.Desired, plan.Sets),
		Since: func(account, region, rule string) (time.Time, bool) {
			t, ok := since[at(account, region, rule)]
			if !ok && automatic[at(account, region, rule)] {
				return time.Time{}, true
			}
			return t, ok
		},
		Automatic: func(account, region, rule string) bool { return automatic[at(account, region, rule)] },
	}
}

// settle waits for the first verdicts where this run changed something, and says
// what was not settled in time.
func (j *job) settle(ctx context.Context, plan *stackset.Plan, result *stackset.Result, sessions *reports.Sessions) ([]string, error) {
	if result == nil || j.Settle == 0 {
		return nil, nil
	}
	in := settleInput(plan, result)
	in.Limit, in.Sessions = j.Settle, sessions
	view := &reportView{j: j}
	settled, err := reports.Settle(ctx, j.session, in, view.event)
	view.done()
	if err != nil {
		return nil, err
	}
	if settled.Interrupted {
		return nil, &statusError{exitInterrupted, "interrupted while waiting for first verdicts; what was deployed stays. rollout report with the same selection writes the report."}
	}
	later := ""
	if n := len(settled.Later); n > 0 {
		later = fmt.Sprintf(", %d with AWS Config's next look by the clock", n)
		j.out.Warn("%s: %s", counted(n, "place"), settled.Later[0].Why)
	}
	j.out.Line("settled: %d places in %s; %d left out, %d not yet%s", settled.Settled, settled.Waited.Round(time.Second), len(settled.LeftOut), len(settled.Unsettled), later)
	return settled.Notes(), nil
}
