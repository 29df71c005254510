package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"rollout/internal/awsapi"
	"rollout/internal/terminal"
	"rollout/reports"
	"rollout/stackset"
)

// outFolder is --out, or a folder of its own for each run.
func (j *job) outFolder() string {
	if j.Out != "" {
		return j.Out
	}
	name := j.StackSet
	if name == "" && strings.Contains(j.Template, ",") {
		first, rest, _ := strings.Cut(j.Template, ",")
		name = fmt.Sprintf("rollout-%s-and-%d-more", strings.TrimSuffix(filepath.Base(first), filepath.Ext(first)), strings.Count(rest, ",")+1)
	}
	if name == "" {
		name = "rollout-" + strings.TrimSuffix(filepath.Base(j.Template), filepath.Ext(j.Template))
	}
	return filepath.Join("rollout-report", name, j.Started.Format("2006-01-02T150405Z"))
}

// checkOut refuses a report folder that cannot be written, before anything changes:
// a deploy without its report is half a job.
func checkOut(out string) error {
	if err := reports.CheckWritable(out); err != nil {
		return fmt.Errorf("%w; nothing was changed; --out names another folder", err)
	}
	return nil
}

// gather reads every cell and makes the report. known are the Regions in which sets
// of ours could be.
func (j *job) gather(ctx context.Context, chosen *choice, r *regions, known []awsapi.Region, d stackset.Desired, sessions *reports.Sessions) (*reports.Report, error) {
	_, found, err := j.look(ctx, chosen, r, known)
	if err != nil {
		return nil, err
	}
	instances := map[string]stackset.Set{}
	rules := rulesAt(d, found.Sets)
	for _, s := range found.Sets {
		for _, region := range d.RegionsOf(s.Template) {
			for _, rule := range s.Rules(region, d.Partition) {
				instances[rule.Name] = s
			}
		}
	}
	if j.SimTruth != "" {
		// What the report says and what the simulation says of itself are compared,
		// so simulated time stands still between the two.
		if err := j.simPost(ctx, "pause"); err != nil {
			return nil, err
		}
		defer j.simPost(context.WithoutCancel(ctx), "resume") //nolint:errcheck // the simulation may have ended
	}
	view := &reportView{j: j}
	gathered := reports.Collect(ctx, j.session, reports.GatherInput{
		Accounts: d.Accounts, Regions: d.Regions, Rules: rules, OptIn: r.optIn, Sessions: sessions,
		Instances: func(account, region, rule string) (stackset.Instance, bool) {
			return instances[rule].At(stackset.Target{AccountID: account, Region: region})
		},
	}, view.event)
	view.done()
	if gathered.Interrupted {
		return nil, &statusError{exitInterrupted, "interrupted while gathering; no report was written. rollout report with the same selection writes it."}
	}
	if err := noEntry(gathered); err != nil {
		return nil, err
	}
	if j.SimTruth != "" {
		if err := j.writeTruth(ctx, d.Regions); err != nil {
			return nil, err
		}
	}
	report := &reports.Report{Accounts: d.Accounts, Regions: d.Regions, Rules: oncePerName(rules), Cells: gathered.Cells, Findings: gathered.Findings}
	report.Run = reports.Run{
		Tool: "rollout " + version(), Run: j.Run, Command: "rollout " + j.Command, Started: j.Started, Ended: time.Now().UTC(),
		OrganizationID: chosen.tree.OrganizationID, Management: chosen.organization.ManagementAccount, Caller: j.session.ARN, HomeRegion: d.HomeRegion, Regions: d.Regions,
		StackSet: stackSetNames(d), Remediation: string(d.Remediation), Simulated: j.simulated, Selection: strings.Trim(j.selectionWords(), " ()"),
	}
	for _, s := range found.Sets {
		report.Run.Templates = append(report.Run.Templates, s.Template.Name)
	}
	return report, nil
}

// noEntry is an error when not one of several accounts could be entered: the roles
// are wrong then, and a report of nothing but refusals helps nobody.
func noEntry(g reports.Gathered) error {
	closed := map[string]bool{}
	said := ""
	for _, c := range g.Cells {
		switch c.Status {
		case reports.AccessDenied:
			closed[c.Account.ID] = true
			said = c.Detail
		case reports.AccountInactive, reports.RegionDisabled:
		default:
			return nil
		}
	}
	if len(closed) < 2 || len(g.Roles) > 0 {
		return nil
	}
	return &stackset.NoEntryError{Accounts: len(closed), Said: said}
}

// finish writes the report and shows what it comes to.
func (j *job) finish(out string, report *reports.Report, failed bool) error {
	paths, err := reports.Write(out, report, j.Formats)
	if err != nil {
		return err
	}
	summary := reports.Summarize(report)
	err = j.result(func() error { return j.showSummary(report, summary, paths) }, map[string]any{"out": out, "files": paths, "totals": summary.Totals, "findings": len(report.Findings)}, nil)
	if err != nil {
		return err
	}
	if failed || report.Partial() {
		return &statusError{exitPartial, "done in part: an instance failed or a cell could not be read; the report says which"}
	}
	return nil
}

func (j *job) showSummary(report *reports.Report, s reports.Summary, paths []string) error {
	w := j.streams.out
	out := terminal.New(w, terminal.Options{NoColor: j.NoColor})
	t := s.Totals
	fmt.Fprintf(w, "\n%s: %s, %d with AWS Config's own word (%s %%)\n\n", report.Scope(), counted(t.Cells, "cell"), t.Covered, share(t.Covered, t.Cells))
	var rows [][]string
	for _, status := range reports.Statuses() {
		n := t.ByStatus[status]
		if n == 0 {
			continue
		}
		meaning, _ := reports.Meaning(status)
		rows = append(rows, []string{string(status), fmt.Sprint(n), meaning})
	}
	if err := terminal.Table(w, []string{"STATUS", "CELLS", "MEANING"}, rows); err != nil {
		return err
	}
	if len(report.Findings) > 0 {
		fmt.Fprintf(w, "\n%s\n", out.Paint(terminal.Red, fmt.Sprintf("%d resources are not compliant:", len(report.Findings))))
		var words []string
		for _, status := range []string{"NONE", "QUEUED", "IN_PROGRESS", "FAILED", "SUCCEEDED", "FIXED", "EXCEPTED"} {
			if n := s.Remediation[status]; n > 0 {
				words = append(words, fmt.Sprintf("%d remediation %s", n, status))
			}
		}
		fmt.Fprintf(w, "  %s (findings.csv has each, and why)\n", strings.Join(words, ", "))
	}
	fmt.Fprintln(w)
	for _, p := range paths {
		fmt.Fprintln(w, p)
	}
	return nil
}

// share is a percentage with one decimal, rounded towards zero.
func share(part, whole int) string {
	if whole == 0 {
		return "0"
	}
	tenths := part * 1000 / whole
	return fmt.Sprintf("%d.%d", tenths/10, tenths%10)
}

func (j *job) simPost(ctx context.Context, action string) error {
	response, err := simGet(ctx, j.simURL, http.MethodPost, "/_sim/"+action)
	if err != nil {
		return fmt.Errorf("%s the simulation at %s: %w", action, j.simURL, err)
	}
	return response.Body.Close()
}

// writeTruth keeps what the simulation says of itself, in the Regions of the report.
func (j *job) writeTruth(ctx context.Context, regions []string) error {
	response, err := simGet(ctx, j.simURL, http.MethodGet, "/_sim/truth?region="+strings.Join(regions, ","))
	if err != nil {
		return fmt.Errorf("ask the simulation at %s for its truth: %w", j.simURL, err)
	}
	defer response.Body.Close()
	err = reports.WriteFile(j.SimTruth, func(w io.Writer) error {
		_, err := io.Copy(w, response.Body)
		return err
	})
	if err != nil {
		return fmt.Errorf("write --sim-truth %s: %w", j.SimTruth, err)
	}
	return nil
}

// reportView renders the events of package reports.
type reportView struct {
	j    *job
	mu   sync.Mutex
	bar  *terminal.Bar
	last int
	said time.Time // when last was written
}

// logEvery is how often a plain line tells how far a phase is, where there is no
// terminal to draw a bar on.
const logEvery = 10 * time.Second

func (v *reportView) event(e reports.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := v.j.out
	switch e := e.(type) {
	case reports.GatherStarted:
		out.Line("gathering %d places (%d accounts)", e.Places, e.Accounts)
		v.bar = out.Bar("gathering", e.Places)
	case reports.PlaceRead:
		v.bar.Set(e.Done, e.Total, "places")
	case reports.AccountRead:
		if e.Problem != "" && e.Account.Active() {
			out.Warn("account %s (%s) could not be entered: %s", e.Account.ID, e.Account.Name, e.Problem)
		}
	case reports.SettleStarted:
		out.Line("waiting for AWS Config's verdicts in %d places, %s at most", e.Places, e.Limit)
		v.bar = out.Bar("settling", e.Places)
	case reports.SettleProgress:
		v.bar.Set(e.Settled+e.LeftOut, e.Total, e.Waiting)
		if done := e.Settled + e.LeftOut; !out.TTY() && done != v.last && (done == e.Total || time.Since(v.said) >= logEvery) {
			waiting := ""
			if e.Waiting != "" {
				waiting = "; " + e.Waiting
			}
			out.Line("  %d of %d settled%s", done, e.Total, waiting)
			v.last, v.said = done, time.Now()
		}
	case reports.PlaceLeftOut:
		v.j.log.Info("not waited for", "account", e.Account.ID, "region", e.Region, "why", e.Why)
	}
}

func (v *reportView) done() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.bar.Done()
}
