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

// showOperations says how many calls and how long a plan takes, and, when full, each
// call in order.
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
	fmt.Fprintf(w, "\n%d operations, about %s; calls that change something: %s\n", operations, roughly(p.Estimate(steps)), strings.Join(parts, ", "))
	if !full {
		return nil
	}
	var rows [][]string
	for _, s := range steps {
		var overrides []string
		for _, k := range slices.Sorted(maps.Keys(s.Overrides)) {
			overrides = append(overrides, k+"="+s.Overrides[k])
		}
		note := strings.Join(overrides, " ")
		if s.Retain {
			note = "stacks are left behind"
		}
		if s.Auto != "" {
			note = "automatic deployment " + s.Auto
		}
		rows = append(rows, []string{s.Call, s.StackSet, countOrDash(s.Instances), few(s.OUs), few(s.Accounts), few(s.Regions), note})
	}
	return terminal.Table(w, []string{"CALL, IN ORDER", "STACKSET", "INSTANCES", "OUS", "ACCOUNTS", "REGIONS", "WITH"}, rows)
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
