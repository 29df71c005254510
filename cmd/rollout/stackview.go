package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"rollout/internal/terminal"
	"rollout/stackset"
)

// stackView renders the events of package stackset: bars on a terminal, one a
// StackSet however many operations it has, plain lines elsewhere.
type stackView struct {
	j    *job
	mu   sync.Mutex
	bar  *terminal.Bar
	name string
	sets map[string]*setView
}

// setView is a StackSet with operations under way.
type setView struct {
	bar  *terminal.Bar
	ops  map[string]stackset.Operation // as they were last seen, by id
	open int                           // of them not ended
	last int                           // what was told last
	said time.Time
}

// total sums a StackSet's operations up.
func (v *setView) total() (sum stackset.Operation) {
	for _, op := range v.ops {
		sum.Total, sum.Done, sum.Failed = sum.Total+op.Total, sum.Done+op.Done, sum.Failed+op.Failed
	}
	return sum
}

func (j *job) newStackView(name string) *stackView {
	return &stackView{j: j, name: name, sets: map[string]*setView{}}
}

// operation takes in how an operation stands, and gives its StackSet's.
func (v *stackView) operation(op stackset.Operation) *setView {
	set := v.sets[op.StackSet]
	if set == nil {
		set = &setView{ops: map[string]stackset.Operation{}}
		v.sets[op.StackSet] = set
	}
	set.ops[op.ID] = op
	return set
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
		out.Line("preflight: reading %s in %s", counted(e.Accounts, "account"), counted(e.Regions, "Region"))
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
	case stackset.SetFollows:
		out.Line("automatic deployment of StackSet %s is %s", e.Name, e.Auto)
	case stackset.OperationStarted:
		out.Line("started %s of %s of %s (operation %s)", e.Action, counted(e.Total, "instance"), e.StackSet, e.ID)
		set := v.operation(e.Operation)
		if set.open++; set.bar == nil {
			set.bar = out.Bar(e.StackSet, e.Total)
		}
		set.show()
	case stackset.OperationProgress:
		set := v.operation(e.Operation)
		set.show()
		if sum := set.total(); !out.TTY() && sum.Done > set.last && time.Since(set.said) >= logEvery {
			out.Line("  %s: %d of %d done, %d failed", e.StackSet, sum.Done, sum.Total, sum.Failed)
			set.last, set.said = sum.Done, time.Now()
		}
	case stackset.OperationEnded:
		set := v.operation(e.Operation)
		set.show()
		if set.open--; set.open == 0 {
			set.bar.Done()
			delete(v.sets, e.StackSet)
		}
		failed := ""
		if e.Failed > 0 {
			failed = ", " + out.Paint(terminal.Red, fmt.Sprintf("%d failed", e.Failed))
		}
		out.Line("%s: %s, %s%s", e.StackSet, counted(e.Total, "instance"), e.Status, failed)
	case stackset.OperationStopped:
		out.Line("stopping %s %s of %s (operation %s)", e.Status, e.Action, e.StackSet, e.ID)
	case stackset.SetNote:
		out.Warn("StackSet %s: %s", e.StackSet, e.Text)
	case stackset.Note:
		out.Warn("%s", e.Text)
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
	for _, set := range v.sets {
		set.bar.Done()
	}
}

// show moves the StackSet's bar; behind it stands what AWS says of the operations.
func (v *setView) show() {
	var words []string
	for _, op := range v.ops {
		if !slices.Contains(words, op.Status) {
			words = append(words, op.Status)
		}
	}
	slices.Sort(words)
	sum := v.total()
	v.bar.Set(sum.Done, sum.Total, strings.Join(words, ", "))
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
