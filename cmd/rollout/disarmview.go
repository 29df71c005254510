package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"rollout/internal/awsapi"
	"rollout/internal/terminal"
	"rollout/stackset"
)

// disarmJSON is what disarm came to.
type disarmJSON struct {
	Outcomes []outcomeJSON `json:"outcomes"`
	// Unread are StackSets that could not be looked at, and plain stacks of the management
	// account (without a name for all stacks of some Regions), Tangled those that remediate
	// by a template that has rules as well, Elsewhere those of other Regions.
	Unread    []unreadJSON    `json:"unread"`
	Tangled   []string        `json:"tangled"`
	Elsewhere []elsewhereJSON `json:"elsewhere"`
}

type unreadJSON struct {
	StackSet string `json:"stack_set"`
	Reason   string `json:"reason"`
}

type elsewhereJSON struct {
	StackSet string `json:"stack_set"`
	Template string `json:"template"`
	Region   string `json:"region"`
}

// disarmed says what was and what was not disarmed, per set and account, and gives the
// exit status: done in part when something of ours that enforces stays.
func (j *job) disarmed(result *stackset.Result, failure error, found *stackset.Ours, tangled []stackset.Set) error {
	shape := disarmJSON{Outcomes: outcomes(result), Unread: []unreadJSON{}, Tangled: []string{}, Elsewhere: []elsewhereJSON{}}
	for _, p := range found.Problems {
		shape.Unread = append(shape.Unread, unreadJSON{p.StackSet, awsapi.Plain(p.Err)})
	}
	for _, p := range found.Plain {
		shape.Unread = append(shape.Unread, unreadJSON{p.Stack, awsapi.Plain(p)})
	}
	for _, s := range tangled {
		shape.Tangled = append(shape.Tangled, s.Name)
	}
	for _, e := range found.Elsewhere {
		shape.Elsewhere = append(shape.Elsewhere, elsewhereJSON(e))
	}
	err := j.result(func() error { return showDisarmed(j.streams.out, result, found) }, shape, func() error { return writeLines(j.streams.out, shape.Outcomes) })
	if err != nil {
		return err
	}
	done, stays := 0, len(found.Problems)+len(found.Plain)+len(tangled)
	for _, o := range result.Outcomes {
		switch o.Status {
		case stackset.OutcomeSucceeded:
			done++
		case stackset.OutcomeSkipped: // a suspended account: nothing runs there
		default:
			stays++
		}
	}
	switch {
	case result.Interrupted:
		return &statusError{exitInterrupted, goesOn(result)}
	case failure != nil && done == 0:
		return failure
	case len(found.Problems) > 0 && done == 0 && len(result.Outcomes) == 0 && len(tangled) == 0:
		return fmt.Errorf("nothing was disarmed, and %s could not be looked at: %w", counted(len(found.Problems), "StackSet"), found.Problems[0].Err)
	case stays > 0:
		return &statusError{exitPartial, "done in part: what is named above still enforces or could not be seen; run the same command again once it is mended"}
	}
	return nil
}

// showDisarm says what is going to be taken out, set by set, and what is stopped.
func showDisarm(w io.Writer, plan *stackset.Plan, found *stackset.Ours) error {
	if len(plan.Sets) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\nDisarm in home Region %s\n\n", plan.Desired.HomeRegion)
	var rows [][]string
	for _, s := range plan.Sets {
		in := map[string]bool{}
		n := 0
		for _, c := range plan.Changes {
			if c.StackSet == s.Name {
				in[c.AccountID] = true
				n++
			}
		}
		mode := "manual"
		if s.Automatic {
			mode = "automatic"
		}
		rows = append(rows, []string{s.Name, s.Template.Name, mode, countOrDash(n), countOrDash(len(in)), countOrDash(instancesOf(s) - n)})
	}
	if err := terminal.Table(w, []string{"STACKSET", "TEMPLATE", "MODE", "TAKE OUT", "ACCOUNTS", "NOT IN SCOPE"}, rows); err != nil {
		return err
	}
	for _, s := range plan.Sets {
		for _, op := range found.Operations[s.Name] {
			if stackset.InTheWay(op) {
				fmt.Fprintf(w, "  stops %s %s of %s (%s)\n", op.Status, op.Action, s.Name, op.ID)
			}
		}
	}
	return nil
}

// instancesOf counts a set's instances, with the plain stacks that stand for some.
func instancesOf(s stackset.Set) int { return len(s.Instances) + len(s.Singles) }

// showDisarmed lists what was and what was not disarmed, a line for each set and account
// with the same outcome.
func showDisarmed(w io.Writer, result *stackset.Result, found *stackset.Ours) error {
	type line struct{ set, account, status, reason string }
	regions := map[line][]string{}
	var lines []line
	for _, o := range result.Outcomes {
		l := line{o.StackSet, o.AccountID, o.Status, o.Cause()}
		if regions[l] == nil {
			lines = append(lines, l)
		}
		regions[l] = append(regions[l], o.Region)
	}
	// What stays comes first: it is what has to be dealt with.
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(rankOf(a.status), rankOf(b.status)) })
	var rows [][]string
	left := 0
	for _, l := range lines {
		if len(rows) >= listLimit && l.status == stackset.OutcomeSucceeded {
			left++
			continue
		}
		word := "still enforced"
		switch l.status {
		case stackset.OutcomeSucceeded:
			word = "disarmed"
		case stackset.OutcomeSkipped:
			word = "skipped"
		case stackset.OutcomeRunning:
			word = "under way"
		}
		rows = append(rows, []string{word, l.set, l.account, strings.Join(regions[l], " "), l.status, l.reason})
	}
	for _, p := range found.Plain {
		rows = slices.Insert(rows, 0, []string{"not looked at", orWord(p.Stack, "plain stacks"), "management", strings.Join(p.Regions, " "), "-", awsapi.Plain(p.Err)})
	}
	for _, p := range found.Problems {
		rows = slices.Insert(rows, 0, []string{"not looked at", p.StackSet, "-", "-", "-", awsapi.Plain(p.Err)})
	}
	if rows == nil {
		return nil
	}
	if err := terminal.Table(w, []string{"", "STACKSET", "ACCOUNT", "REGIONS", "STATUS", "REASON"}, rows); err != nil {
		return err
	}
	if left > 0 {
		fmt.Fprintf(w, "and %s disarmed; --output jsonl has them\n", counted(left, "account"))
	}
	return nil
}

func rankOf(status string) int {
	switch status {
	case stackset.OutcomeSucceeded:
		return 2
	case stackset.OutcomeSkipped:
		return 1
	}
	return 0
}
