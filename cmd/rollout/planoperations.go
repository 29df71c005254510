package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"rollout/internal/terminal"
	"rollout/stackset"
)

// operationsShown is how many calls are listed unless all are asked for.
const operationsShown = 12

// showOperations says how many calls and how long a plan takes, then the calls in
// order; with all their targets when full.
func showOperations(w io.Writer, p *stackset.Plan, full bool) error {
	steps := p.Steps(stackset.ApplyOptions{})
	if len(steps) == 0 {
		return nil
	}
	calls := map[string]int{}
	operations := 0
	for _, s := range steps {
		calls[s.Call]++
		if s.Instances > 0 {
			operations++
		}
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(calls)) {
		parts = append(parts, fmt.Sprintf("%d %s", calls[name], name))
	}
	fmt.Fprintf(w, "\n%s, about %s; calls that change something: %s\n", counted(operations, "operation"), roughly(p.Estimate(steps)), strings.Join(parts, ", "))
	if full {
		return showSteps(w, steps)
	}
	var rows [][]string
	for _, s := range steps[:min(len(steps), operationsShown)] {
		note := strings.Join(overridesOf(s), " ")
		if s.Retain {
			note = "stacks are left behind"
		}
		if s.Auto != "" {
			note = "automatic deployment " + s.Auto
		}
		if s.Wave > 1 {
			note = strings.TrimSpace(note + " after the first wave")
		}
		rows = append(rows, []string{s.Call, s.StackSet, countOrDash(s.Instances), few(s.OUs), few(s.Accounts), few(s.Regions), note})
	}
	if err := terminal.Table(w, []string{"CALL, IN ORDER", "STACKSET", "INSTANCES", "OUS", "ACCOUNTS", "REGIONS", "WITH"}, rows); err != nil {
		return err
	}
	if more := len(steps) - len(rows); more > 0 {
		fmt.Fprintf(w, "and %d more; plan --verbose lists all, with their targets\n", more)
	}
	return nil
}

// showSteps writes each call with all that it is given.
func showSteps(w io.Writer, steps []stackset.Step) error {
	for n, s := range steps {
		fmt.Fprintf(w, "%3d. %s %s", n+1, s.Call, s.StackSet)
		if s.Instances > 0 {
			fmt.Fprintf(w, ": %s", counted(s.Instances, "instance"))
		}
		if s.Retain {
			fmt.Fprint(w, ", whose stacks are left behind")
		}
		if s.Wave > 1 {
			fmt.Fprint(w, ", after the first wave")
		}
		fmt.Fprintln(w)
		accounts := "account" // of a plain stack
		if f := s.Filter(); f != "" {
			accounts = "of these the accounts (" + f + ")"
		}
		for _, given := range []struct {
			name   string
			values []string
		}{{"organizational units", s.OUs}, {accounts, s.Accounts}, {"Regions", s.Regions}, {"overrides", overridesOf(s)}} {
			if len(given.values) > 0 {
				fmt.Fprintf(w, "     %s: %s\n", given.name, terminal.Clean(strings.Join(given.values, " ")))
			}
		}
	}
	return nil
}

func overridesOf(s stackset.Step) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(s.Overrides)) {
		out = append(out, k+"="+s.Overrides[k])
	}
	return out
}

// few names up to two, and counts more.
func few(names []string) string {
	switch {
	case len(names) == 0:
		return "-"
	case len(names) > 2:
		return fmt.Sprint(len(names))
	}
	return strings.Join(names, " ")
}

// roughly is a duration that claims no more than an estimate can.
func roughly(d time.Duration) string {
	if d < 90*time.Minute {
		return fmt.Sprintf("%d min", max(1, int(d.Round(time.Minute).Minutes())))
	}
	return fmt.Sprintf("%.1f h", d.Hours())
}
