package main

import (
	"fmt"
	"sync"
	"time"

	"rollout/internal/terminal"
	"rollout/stackset"
)

// stackView renders the events of package stackset: bars on a terminal, plain
// lines elsewhere.
type stackView struct {
	j    *job
	mu   sync.Mutex
	bar  *terminal.Bar
	name string
	ops  map[string]*terminal.Bar
	last map[string]int
	said map[string]time.Time
}

func (j *job) newStackView(name string) *stackView {
	return &stackView{j: j, name: name, ops: map[string]*terminal.Bar{}, last: map[string]int{}, said: map[string]time.Time{}}
}

func (v *stackView) event(e stackset.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := v.j.out
	switch e := e.(type) {
	case stackset.SetsLooked:
		there := 0
		for _, s := range e.Sets {
			if s.Exists {
				there++
			}
		}
		out.Line("StackSets: %d of %d are there (looked in %d Regions)", there, len(e.Sets), e.Regions)
	case stackset.PreflightStarted:
		out.Line("preflight: reading %d accounts in %d Regions", e.Accounts, e.Regions)
		v.bar = out.Bar("preflight", e.Accounts)
	case stackset.AccountChecked:
		v.bar.Set(e.Done, e.Total, "accounts")
	case stackset.Planned:
		v.bar.Done()
		v.bar = nil
	case stackset.SetCreated:
		out.Line("made StackSet %s", e.Name)
	case stackset.SetUpdated:
		out.Line("updated StackSet %s", e.Name)
	case stackset.OperationStarted:
		out.Line("started %s of %d instances of %s (operation %s)", e.Action, e.Total, e.StackSet, e.ID)
		v.ops[e.ID] = out.Bar(e.StackSet, e.Total)
	case stackset.OperationProgress:
		v.ops[e.ID].Set(e.Done, e.Total, e.Status)
		if !out.TTY() && e.Done > v.last[e.ID] && time.Since(v.said[e.ID]) >= logEvery {
			out.Line("  %s: %d of %d done, %d failed", e.StackSet, e.Done, e.Total, e.Failed)
			v.last[e.ID], v.said[e.ID] = e.Done, time.Now()
		}
	case stackset.OperationEnded:
		v.ops[e.ID].Done()
		failed := ""
		if e.Failed > 0 {
			failed = ", " + out.Paint(terminal.Red, fmt.Sprintf("%d failed", e.Failed))
		}
		out.Line("%s: %d instances, %s%s", e.StackSet, e.Total, e.Status, failed)
	case stackset.InstanceFailed:
		v.j.log.Info("instance failed", "stack_set", e.StackSet, "account", e.AccountID, "region", e.Region, "reason", e.Reason)
	case stackset.Waiting:
		out.Line("waiting for %s: %s", e.StackSet, e.Why)
	}
}

// done takes the live lines away.
func (v *stackView) done() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.bar.Done()
	for _, b := range v.ops {
		b.Done()
	}
}

// showCauses says what failed and why, grouped.
func (j *job) showCauses(result *stackset.Result) {
	for _, c := range stackset.RootCauses(result.Outcomes) {
		style := terminal.Red
		if c.Status != stackset.OutcomeFailed {
			style = terminal.Yellow
		}
		j.out.Line("%s %d × %s", j.out.Paint(style, c.Status), len(c.Places), c.Reason)
		where := ""
		for i, p := range c.Places {
			if i == 6 {
				where += fmt.Sprintf(" and %d more", len(c.Places)-i)
				break
			}
			if i > 0 {
				where += ", "
			}
			where += p.AccountID + " " + p.Region
		}
		j.out.Line("  in %s", where)
		if c.Advice != "" {
			j.out.Line("  → %s", c.Advice)
		}
	}
}
