package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"rollout/internal/blast"
	"rollout/internal/terminal"
	"rollout/stackset"
)

// announce writes a plan on standard error, unless --quiet.
func (j *job) announce(plan *stackset.Plan, full bool) error {
	if j.Quiet {
		return nil
	}
	return showPlan(j.streams.err, j.out, plan, full)
}

// announceRun shows what a run would do and what of it enforcement would change, and
// refuses one that AWS lets nobody carry out or that is too dear.
func (j *job) announceRun(ctx context.Context, plan *stackset.Plan) error {
	refused := plan.Refused()
	var radius *blast.Radius
	if refused == nil {
		var err error
		if radius, err = j.foreseen(ctx, plan); err != nil {
			return err
		}
	}
	if err := j.announce(plan, false); err != nil {
		return err
	}
	if refused != nil {
		return refused
	}
	if err := j.Pricing.affordable(plan); err != nil || radius == nil {
		return err
	}
	return showBlast(j.streams.err, plan, radius, 10)
}

// confirm asks before anything changes. --yes answers for scripts; without it and
// without a terminal nothing is done.
func (j *job) confirm(ctx context.Context, question string) error {
	if j.Yes {
		return nil
	}
	ok, err := j.out.Confirm(ctx, j.streams.in, question)
	if errors.Is(err, terminal.ErrNoTerminal) {
		return usageError{"there is no terminal to ask on, and --yes was not given; nothing was changed"}
	}
	if err != nil {
		return err
	}
	if !ok {
		return &statusError{exitFailed, "not confirmed; nothing was changed"}
	}
	return nil
}

// nothingToDo says why a plan changes nothing: all is well, or it cannot be.
func nothingToDo(plan *stackset.Plan) string {
	left := 0
	for _, c := range plan.Changes {
		if c.Action == stackset.Skip {
			left++
		}
	}
	switch left {
	case 0:
		return "Nothing to do: every instance is as it should be."
	case len(plan.Changes):
		return "Nothing can be done: what is wanted is left out everywhere, and the plan says why."
	}
	return fmt.Sprintf("Nothing to do where it can be done; %d of %d places are left out, and the plan says why.", left, len(plan.Changes))
}

// apply carries a plan out after asking. The result is nil when there was nothing to do.
func (j *job) apply(ctx context.Context, chosen *choice, plan *stackset.Plan, o stackset.ApplyOptions) (*stackset.Result, error) {
	if err := j.checkBlast(plan); err != nil {
		return nil, err
	}
	if !plan.Pending() {
		j.out.Line("%s", nothingToDo(plan)+" No operation was started.")
		return nil, nil
	}
	if err := plan.CheckPruning(); err != nil {
		return nil, err
	}
	if len(plan.Waves) > 0 && j.Settle == 0 {
		return nil, usageError{"--settle 0 waits for no verdict, and the first wave of automatic remediation has to be watched; nothing was changed"}
	}
	if err := j.confirm(ctx, question(plan)); err != nil {
		return nil, err
	}
	return j.carryOut(ctx, chosen, plan, o)
}

// carryOut applies a plan that was agreed to, and says what failed and why.
func (j *job) carryOut(ctx context.Context, chosen *choice, plan *stackset.Plan, o stackset.ApplyOptions) (*stackset.Result, error) {
	o.Run, o.Version = j.Run, version()
	o.Gate = func(ctx context.Context, so *stackset.Result) (string, error) { return j.watch(ctx, plan, so) }
	view := j.newStackView("apply")
	result, err := stackset.Apply(ctx, j.session, chosen.callAs, plan, o, view.event)
	view.done()
	if result != nil {
		j.showCauses(result)
	}
	if err != nil {
		return result, err
	}
	if result.Interrupted {
		return result, &statusError{exitInterrupted, goesOn(result)}
	}
	if result.Held != "" {
		j.out.Warn("%s", j.heldBack(plan, result))
	}
	return result, nil
}

// question sums a plan up in one question.
func question(plan *stackset.Plan) string {
	counts := map[stackset.Action]int{}
	for _, c := range plan.Changes {
		counts[c.Action]++
	}
	var parts []string
	for _, a := range []stackset.Action{stackset.Create, stackset.Update, stackset.Recreate, stackset.Delete} {
		if counts[a] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", a, counts[a]))
		}
	}
	var switched []string
	for _, s := range plan.Sets {
		if s.AutoChanges() || !s.Exists && s.AutoWant.Enabled {
			switched = append(switched, s.Name)
		}
	}
	text := ""
	if len(parts) > 0 {
		text = strings.Join(parts, ", ") + " stack instances"
	}
	if len(switched) > 0 {
		if text != "" {
			text += "; "
		}
		text += "automatic deployment of " + strings.Join(switched, ", ")
	}
	return "Go ahead (" + text + ")?"
}

// goesOn says what an interrupted run leaves to AWS.
func goesOn(result *stackset.Result) string {
	var running []string
	for _, op := range result.Operations {
		if op.Ended.IsZero() {
			running = append(running, fmt.Sprintf("operation %s of StackSet %s", op.ID, op.StackSet))
		}
	}
	if running == nil {
		return "interrupted; no operation is under way in AWS. Run the same command again to go on."
	}
	return "interrupted; this goes on in AWS by itself: " + strings.Join(running, ", ") + ". rollout status shows it; run the same command again to go on from there."
}

// partial says whether an attempted instance failed or was cancelled, or the first wave
// did not hold.
func partial(result *stackset.Result) bool {
	if result == nil {
		return false
	}
	if result.Held != "" {
		return true
	}
	for _, o := range result.Outcomes {
		if o.Status == stackset.OutcomeFailed || o.Status == stackset.OutcomeCancelled {
			return true
		}
	}
	return false
}

// outcomeJSON is one attempted instance in the output of deploy, disarm and remove.
type outcomeJSON struct {
	StackSet  string          `json:"stack_set"`
	AccountID string          `json:"account_id"`
	Region    string          `json:"region"`
	Action    stackset.Action `json:"action"`
	Status    string          `json:"status"`
	Reason    string          `json:"reason"`
	Operation string          `json:"operation_id"`
}

func outcomes(result *stackset.Result) []outcomeJSON {
	out := []outcomeJSON{}
	if result == nil {
		return out
	}
	for _, o := range result.Outcomes {
		out = append(out, outcomeJSON{o.StackSet, o.AccountID, o.Region, o.Action, o.Status, o.Reason, o.Operation})
	}
	return out
}

// showOutcomes sums the outcomes up, one line a StackSet.
func (j *job) showOutcomes(result *stackset.Result) error {
	if result == nil {
		return nil
	}
	counts := map[string]map[string]int{}
	var order []string
	for _, o := range result.Outcomes {
		if counts[o.StackSet] == nil {
			counts[o.StackSet] = map[string]int{}
			order = append(order, o.StackSet)
		}
		counts[o.StackSet][o.Status]++
	}
	statuses := []string{stackset.OutcomeSucceeded, stackset.OutcomeFailed, stackset.OutcomeCancelled, stackset.OutcomeSkipped, stackset.OutcomeRunning, stackset.OutcomeNotStarted}
	var rows [][]string
	for _, name := range order {
		row := []string{name}
		for _, s := range statuses {
			row = append(row, countOrDash(counts[name][s]))
		}
		rows = append(rows, row)
	}
	return terminal.Table(j.streams.out, append([]string{"STACKSET"}, statuses...), rows)
}

// changed writes the result of a command that changes instances, and its status.
func (j *job) changed(result *stackset.Result) error {
	value := map[string]any{"outcomes": outcomes(result)}
	if result != nil && result.Held != "" {
		value["held"] = result.Held
	}
	err := j.result(func() error { return j.showOutcomes(result) }, value, func() error { return writeLines(j.streams.out, outcomes(result)) })
	if err == nil && partial(result) {
		return &statusError{exitPartial, "done in part: what failed is above; run the same command again once it is mended"}
	}
	return err
}
