package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"rollout/internal/terminal"
	"rollout/stackset"
)

// actions in the order of the summary's columns.
var actions = []stackset.Action{stackset.Create, stackset.Update, stackset.Recreate, stackset.Delete, stackset.None, stackset.Skip}

// listLimit is the number of lines above which a list is summed up for people;
// --output json has all of them.
const listLimit = 400

// showPlan writes a plan for a person: a line a StackSet, then why things are
// skipped or left, then the calls, then the warnings; every account and every target
// when full.
func showPlan(w io.Writer, out *terminal.Out, p *stackset.Plan, full bool) error {
	d := p.Desired
	fmt.Fprintf(w, "\nPlan: home Region %s, Regions %s, remediation %s\n\n", d.HomeRegion, strings.Join(d.Regions, ", "), orWord(string(d.Remediation), "off"))
	header := []string{"STACKSET", ""}
	for _, a := range actions {
		header = append(header, string(a))
	}
	var rows [][]string
	for _, s := range p.Sets {
		counts := map[stackset.Action]int{}
		total := 0
		for _, c := range p.Changes {
			if c.StackSet == s.Name {
				counts[c.Action]++
				total++
			}
		}
		state := "new"
		switch {
		case s.Exists && s.Outdated != "":
			state = "to be updated"
		case s.Exists:
			state = "there"
		case total == 0:
			continue // no set and nothing for it: nothing to say
		case p.Unseen():
			state = "not seen"
		case counts[stackset.Create] == 0:
			state = "not needed"
		}
		row := []string{s.Name, state}
		for _, a := range actions {
			row = append(row, countOrDash(counts[a]))
		}
		rows = append(rows, row)
	}
	if err := terminal.Table(w, header, rows); err != nil {
		return err
	}
	for _, s := range p.Sets {
		if s.Exists && s.Outdated != "" {
			fmt.Fprintf(w, "  %s: %s\n", s.Name, terminal.Clean(s.Outdated))
			showDiff(w, p.Diff(s))
		}
	}
	for _, s := range p.Sets {
		if text := s.AutoText(); text != "" {
			fmt.Fprintf(w, "  %s: automatic deployment %s\n", s.Name, terminal.Clean(text))
		}
	}
	showReasons(w, p)
	if full {
		if err := showChanges(w, p); err != nil {
			return err
		}
	}
	showOrphans(w, p)
	showJoining(w, p)
	if err := showOperations(w, p, full); err != nil {
		return err
	}
	showEnforcement(w, p)
	showWaves(w, p)
	showCost(w, p)
	showFindings(w, out, p)
	return nil
}

// showReasons groups the changes that have a reason by it.
func showReasons(w io.Writer, p *stackset.Plan) {
	type key struct {
		set    string
		action stackset.Action
		reason string
	}
	groups := map[key][]stackset.Change{}
	var order []key
	for _, c := range p.Changes {
		if c.Reason == "" {
			continue
		}
		k := key{c.StackSet, c.Action, c.Cause()}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], c)
	}
	last := ""
	for _, k := range order {
		if k.set != last {
			fmt.Fprintf(w, "\n%s\n", k.set)
			last = k.set
		}
		reason := k.reason
		if same(groups[k]) {
			reason = groups[k][0].Reason
		}
		fmt.Fprintf(w, "  %-8s %4d  %s: %s\n", k.action, len(groups[k]), terminal.Clean(reason), places(groups[k]))
	}
}

// same says whether all changes have one reason to the letter.
func same(changes []stackset.Change) bool {
	return !slices.ContainsFunc(changes, func(c stackset.Change) bool { return c.Reason != changes[0].Reason })
}

// places names a few accounts and Regions of changes.
func places(changes []stackset.Change) string {
	var names []string
	regions := map[string][]string{}
	for _, c := range changes {
		name := c.AccountID
		if c.Account != nil {
			name = terminal.Clean(c.Account.Name)
		}
		if regions[name] == nil {
			names = append(names, name)
		}
		regions[name] = append(regions[name], c.Region)
	}
	const few = 4
	var out []string
	for i, n := range names {
		if i == few {
			out = append(out, fmt.Sprintf("and %d more accounts", len(names)-few))
			break
		}
		out = append(out, n+" ("+regionsOf(regions[n])+")")
	}
	return strings.Join(out, ", ")
}

// regionsOf names a few Regions, and counts many.
func regionsOf(names []string) string {
	const few = 3
	if len(names) > few {
		return fmt.Sprintf("%d Regions", len(names))
	}
	return strings.Join(names, ", ")
}

// showChanges lists every change.
func showChanges(w io.Writer, p *stackset.Plan) error {
	fmt.Fprintln(w)
	var rows [][]string
	for _, c := range p.Changes {
		name, path := "", ""
		if c.Account != nil {
			name, path = c.Account.Name, c.Account.OUPath()
		}
		rows = append(rows, []string{string(c.Action), c.StackSet, path, c.AccountID, name, c.Region, c.Reason})
	}
	return terminal.Table(w, []string{"ACTION", "STACKSET", "OU", "ACCOUNT", "NAME", "REGION", "REASON"}, rows)
}

func countOrDash(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

func orWord(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
