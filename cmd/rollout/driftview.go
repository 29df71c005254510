package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"rollout/internal/terminal"
	"rollout/stackset"
)

// driftView is what is shown of a detection.
type driftView struct {
	sets     []stackset.Set
	names    map[string]string // of accounts, by id
	report   *stackset.DriftReport
	problems []string // what could not be looked at
}

type driftJSON struct {
	Summary   driftCountsJSON  `json:"summary"`
	Sets      []driftSetJSON   `json:"stack_sets"`
	Instances []driftPlaceJSON `json:"instances"`
	// Running are detections that go on in AWS after an interrupted run.
	Running  []driftRunningJSON `json:"running"`
	Problems []string           `json:"problems"`
}

type driftCountsJSON struct {
	Instances  int `json:"instances"`
	InSync     int `json:"in_sync"`
	Drifted    int `json:"drifted"`
	NotChecked int `json:"not_checked"`
	Unknown    int `json:"unknown"`
}

type driftSetJSON struct {
	StackSet string `json:"stack_set"`
	Template string `json:"template"`
	driftCountsJSON
	// Unchecked are types of the template that CloudFormation does not check.
	Unchecked []string `json:"unchecked_types"`
}

type driftPlaceJSON struct {
	StackSet    string              `json:"stack_set"`
	Template    string              `json:"template"`
	AccountID   string              `json:"account_id"`
	AccountName string              `json:"account_name"`
	Region      string              `json:"region"`
	Plain       bool                `json:"plain_stack"`
	Status      string              `json:"drift_status"`
	Reason      string              `json:"reason"`
	Checked     string              `json:"checked"`
	StackID     string              `json:"stack_id"`
	Resources   []driftResourceJSON `json:"resources"`
}

type driftResourceJSON struct {
	LogicalID   string              `json:"logical_id"`
	PhysicalID  string              `json:"physical_id"`
	Type        string              `json:"type"`
	Status      string              `json:"drift_status"`
	Differences []driftPropertyJSON `json:"differences"`
}

type driftPropertyJSON struct {
	Property   string `json:"property"`
	Difference string `json:"difference"`
	Expected   string `json:"expected"`
	Actual     string `json:"actual"`
}

type driftRunningJSON struct {
	StackSet string `json:"stack_set"`
	ID       string `json:"operation_id"`
}

func (c *driftCountsJSON) add(status stackset.DriftStatus) {
	c.Instances++
	switch status {
	case stackset.DriftInSync:
		c.InSync++
	case stackset.DriftDrifted:
		c.Drifted++
	case stackset.DriftNotChecked:
		c.NotChecked++
	default:
		c.Unknown++
	}
}

func (e *driftView) shape() driftJSON {
	out := driftJSON{Sets: []driftSetJSON{}, Instances: []driftPlaceJSON{}, Running: []driftRunningJSON{}, Problems: append([]string{}, e.problems...)}
	counts := map[string]*driftCountsJSON{}
	for _, p := range e.report.Places {
		if counts[p.StackSet] == nil {
			counts[p.StackSet] = &driftCountsJSON{}
		}
		counts[p.StackSet].add(p.Status)
		out.Summary.add(p.Status)
		row := driftPlaceJSON{p.StackSet, p.Template, p.AccountID, e.names[p.AccountID], p.Region, p.Single, string(p.Status), p.Reason, stampOf(p.Checked), p.StackID, []driftResourceJSON{}}
		for _, r := range p.Resources {
			resource := driftResourceJSON{r.LogicalID, r.PhysicalID, r.Type, r.Status, []driftPropertyJSON{}}
			for _, d := range r.Differences {
				resource.Differences = append(resource.Differences, driftPropertyJSON{d.Path, d.Kind, d.Expected, d.Actual})
			}
			row.Resources = append(row.Resources, resource)
		}
		out.Instances = append(out.Instances, row)
	}
	for _, s := range e.sets {
		if c := counts[s.Name]; c != nil {
			out.Sets = append(out.Sets, driftSetJSON{s.Name, s.Template.Name, *c, append([]string{}, s.Unchecked()...)})
			delete(counts, s.Name)
		}
	}
	for _, op := range e.running() {
		out.Running = append(out.Running, driftRunningJSON{op.StackSet, op.ID})
	}
	return out
}

// running are the detections that had not ended when the run stopped.
func (e *driftView) running() []stackset.Operation {
	return slices.DeleteFunc(slices.Clone(e.report.Operations), func(op stackset.Operation) bool { return !op.Ended.IsZero() })
}

// goesOn says what an interrupted run leaves to AWS.
func (e *driftView) goesOn() string {
	var running []string
	for _, op := range e.running() {
		running = append(running, fmt.Sprintf("operation %s of StackSet %s", op.ID, op.StackSet))
	}
	if running == nil {
		return "interrupted; no detection of a StackSet is under way"
	}
	return "interrupted; the detection goes on in AWS by itself: " + strings.Join(running, ", ") + ". The same command follows it; rollout drift --last shows what it found."
}

// unchecked gives the exit status of what could not be checked. An account in which
// nothing runs is none of it.
func (e *driftView) unchecked() error {
	n := 0
	for _, p := range e.report.Places {
		if p.Status == stackset.DriftUnknown && !p.Inactive || p.Status == stackset.DriftDrifted && p.Reason != "" {
			n++
		}
	}
	switch {
	case n > 0:
		return &statusError{exitPartial, fmt.Sprintf("done in part: %s could not be checked", counted(n, "instance"))}
	case len(e.problems) > 0:
		return &statusError{exitPartial, "done in part: what is named above could not be looked at"}
	}
	return nil
}

// driftLike are places in which a resource differs in the same way.
type driftLike struct {
	set      string
	resource driftResourceJSON
	first    driftPlaceJSON
	places   []string
}

// alike groups what drifted, in the order of the places.
func alike(places []driftPlaceJSON) []*driftLike {
	var out []*driftLike
	by := map[string]*driftLike{}
	for _, p := range places {
		for _, r := range p.Resources {
			key := fmt.Sprint(p.StackSet, r.LogicalID, r.PhysicalID, r.Status, r.Differences)
			if by[key] == nil {
				by[key] = &driftLike{set: p.StackSet, resource: r, first: p}
				out = append(out, by[key])
			}
			by[key].places = append(by[key].places, strings.Join(strings.Fields(p.AccountID+" "+p.AccountName+" "+p.Region), " "))
		}
	}
	return out
}

func (j *job) showDrift(e driftJSON) error {
	w := j.streams.out
	out := terminal.New(w, terminal.Options{NoColor: j.NoColor})
	if e.Summary.Instances == 0 {
		_, err := fmt.Fprintln(w, "Nothing to check: no StackSet of rollout has an instance there.")
		return err
	}
	fmt.Fprintf(w, "Of %s ", counted(e.Summary.Instances, "instance"))
	if e.Summary.Drifted > 0 {
		fmt.Fprint(w, out.Paint(terminal.Red, fmt.Sprintf("%d drifted", e.Summary.Drifted)), ", ")
	}
	fmt.Fprintf(w, "%d as deployed", e.Summary.InSync)
	if n := e.Summary.NotChecked; n > 0 {
		fmt.Fprintf(w, ", %d never checked", n)
	}
	if n := e.Summary.Unknown; n > 0 {
		fmt.Fprintf(w, ", %s", out.Paint(terminal.Yellow, fmt.Sprintf("%d could not be checked", n)))
	}
	fmt.Fprint(w, "\n\n")
	var rows [][]string
	for _, s := range e.Sets {
		rows = append(rows, []string{s.StackSet, countOrDash(s.Instances), countOrDash(s.Drifted), countOrDash(s.InSync), countOrDash(s.NotChecked + s.Unknown), orWord(strings.Join(s.Unchecked, ", "), "-")})
	}
	if err := terminal.Table(w, []string{"STACKSET", "INSTANCES", "DRIFTED", "AS DEPLOYED", "NOT CHECKED", "TYPES THAT CLOUDFORMATION DOES NOT CHECK"}, rows); err != nil {
		return err
	}
	showDrifted(w, out, e.Instances)
	return showUnchecked(w, e.Instances)
}

// showDrifted writes what differs, and where.
func showDrifted(w io.Writer, out *terminal.Out, places []driftPlaceJSON) {
	groups := alike(places)
	for i, g := range groups {
		if i == listLimit {
			fmt.Fprintf(w, "\n… and %d more; --output json has them\n", len(groups)-i)
			break
		}
		r := g.resource
		fmt.Fprintf(w, "\n%s %s %s %s %s\n", out.Paint(terminal.Red, r.Status), g.set, r.LogicalID, r.Type, terminal.Clean(r.PhysicalID))
		for _, d := range r.Differences {
			fmt.Fprintf(w, "  %s: expected %s, is %s\n", terminal.Clean(d.Property), brief(d.Expected), brief(d.Actual))
		}
		const shown = 6
		where := strings.Join(g.places[:min(shown, len(g.places))], ", ")
		if n := len(g.places) - shown; n > 0 {
			where += fmt.Sprintf(" and %d more", n)
		}
		fmt.Fprintf(w, "  in %s\n", terminal.Clean(where))
	}
	if len(groups) > 0 {
		fmt.Fprintf(w, "\n→ A deploy mends none of this, for its template is the same. Undo the change by hand, or make it anew there, for instance:\n  %s\n  and rollout deploy as before\n", removal(groups[0].first))
	}
}

// removal is the command that takes out what drifted in a place. What enforces goes with
// what it enforces.
func removal(p driftPlaceJSON) string {
	name := p.Template
	if t, known := embedded(name); known && t.Enforces != "" {
		name = t.Enforces
	}
	args := []string{"rollout remove --template", name, "--account", p.AccountID, "--region", p.Region}
	if set := strings.TrimSuffix(strings.TrimSuffix(p.StackSet, "-automatic"), "-enforce"); set != "rollout-"+name {
		args = append(args, "--stack-set", set)
	}
	if p.Plain {
		args = append(args, "--include-management")
	}
	return strings.Join(args, " ")
}

// brief is a value for people: in one line, and not too much of it.
func brief(value string) string {
	const most = 160
	value = terminal.Clean(strings.Join(strings.Fields(value), " "))
	switch runes := []rune(value); {
	case value == "" || value == "null":
		return "nothing"
	case len(runes) > most:
		return string(runes[:most]) + "…"
	}
	return value
}

// showUnchecked writes what could not be checked and why, a line for each reason.
func showUnchecked(w io.Writer, places []driftPlaceJSON) error {
	type line struct{ set, reason string }
	where := map[line][]string{}
	var lines []line
	for _, p := range places {
		if p.Reason == "" {
			continue
		}
		l := line{p.StackSet, p.Reason}
		if where[l] == nil {
			lines = append(lines, l)
		}
		where[l] = append(where[l], p.AccountID+" "+p.Region)
	}
	if lines == nil {
		return nil
	}
	var rows [][]string
	for _, l := range lines {
		const shown = 3
		at := strings.Join(where[l][:min(shown, len(where[l]))], ", ")
		if n := len(where[l]) - shown; n > 0 {
			at += fmt.Sprintf(" and %d more", n)
		}
		rows = append(rows, []string{l.set, at, l.reason})
	}
	fmt.Fprintln(w)
	return terminal.Table(w, []string{"NOT CHECKED", "WHERE", "WHY"}, rows)
}
