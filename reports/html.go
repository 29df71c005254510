package reports

import (
	"cmp"
	"crypto/sha256"
	_ "embed" // the page's parts
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
)

//go:embed assets/report.html.tmpl
var pageTemplate string

//go:embed assets/report.css
var pageStyle string

//go:embed assets/report.js
var pageScript string

// rowLimit is the number of rows of a long table that stand in the page itself.
// The script pages through the rest, which is in the page as JSON; without a
// script the page says where the rest is.
const rowLimit = 500

// gapLimit is the number of reasons that the page tells apart.
const gapLimit = 100

// writeHTML writes the report as one file that asks for nothing from outside. Its
// content security policy allows the one style and the one script by their hashes
// and nothing else, so text that came from an account cannot run even if an escape
// were missed.
func writeHTML(w io.Writer, r *Report) error {
	page, err := newPage(r)
	if err != nil {
		return err
	}
	t, err := template.New("report").Funcs(template.FuncMap{
		"stamp": stamp, "percent": percent, "controls": Controls, "word": word, "kind": kind,
		"ouName": ouName, "ouPath": func(path string) string { return cmp.Or(path, "(root)") }, "join": func(s []string) string { return strings.Join(s, ", ") },
		"indent": func(path string) int {
			if path == "" {
				return 0
			}
			return strings.Count(path, "/") + 1
		},
	}).Parse(pageTemplate)
	if err != nil {
		return err
	}
	return t.Execute(w, page)
}

type page struct {
	Report   *Report
	Summary  Summary
	Policy   string
	Style    template.CSS
	Script   template.JS
	Data     template.JS
	Bar      []barPart
	Gaps     []gapRow
	Legend   []legendRow
	Findings []Finding
	Cells    []Cell
	Accounts []AccountTotals
	RowLimit int
	MoreGaps int    // reasons beyond gapLimit
	Verdict  string // one sentence that says how things stand
	Tone     string // bad, unknown or good
	Judged   int    // cells that are compliant or not
	On       int    // cells in Regions that are neither off nor denied
}

type barPart struct {
	Status   Status
	Kind     string
	Count    int
	X, Width float64 // of 1000
}

type gapRow struct {
	Gap
	Kind, Meaning, Next string
	Accounts            int
	Places              []string
	More                int
}

type legendRow struct {
	Status              Status
	Kind, Meaning, Next string
	Count               int
}

func newPage(r *Report) (*page, error) {
	s := Summarize(r)
	data, err := pageData(r, s)
	if err != nil {
		return nil, err
	}
	p := &page{
		Report: r, Summary: s, Style: template.CSS(pageStyle), Script: template.JS(pageScript), Data: template.JS(data), RowLimit: rowLimit,
		Policy:   fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", hash(pageStyle), hash(pageScript)),
		Findings: r.Findings[:min(len(r.Findings), rowLimit)], Cells: r.Cells[:min(len(r.Cells), rowLimit)], Accounts: s.Accounts[:min(len(s.Accounts), rowLimit)],
	}
	x := 0.0
	for _, status := range statuses {
		n := s.Totals.ByStatus[status]
		meaning, next := Meaning(status)
		p.Legend = append(p.Legend, legendRow{status, kind(status), meaning, next, n})
		if n == 0 {
			continue
		}
		width := float64(n) * 1000 / float64(s.Totals.Cells)
		p.Bar = append(p.Bar, barPart{status, kind(status), n, x, width})
		x += width
	}
	p.MoreGaps = max(0, len(s.Gaps)-gapLimit)
	for _, g := range s.Gaps[:min(len(s.Gaps), gapLimit)] {
		p.Gaps = append(p.Gaps, newGapRow(g))
	}
	p.Verdict, p.Tone = verdict(s.Totals)
	_, p.Judged = s.Totals.Compliance()
	_, p.On = s.Totals.CoverageOn()
	return p, nil
}

// newGapRow names the first places of a gap; compliance.csv has all.
func newGapRow(g Gap) gapRow {
	row := gapRow{Gap: g, Kind: kind(g.Status)}
	row.Meaning, row.Next = Meaning(g.Status)
	const few = 12
	var accounts []string
	regions := map[string][]string{}
	for _, c := range g.Cells {
		name := c.Account.Name + " (" + c.Account.ID + ")"
		if regions[name] == nil {
			accounts = append(accounts, name)
		}
		if !slices.Contains(regions[name], c.Region) {
			regions[name] = append(regions[name], c.Region)
		}
	}
	row.Accounts = len(accounts)
	for i, a := range accounts {
		if i == few {
			row.More = len(accounts) - few
			break
		}
		row.Places = append(row.Places, a+": "+strings.Join(regions[a], ", "))
	}
	return row
}

// verdict says how things stand; nothing reads as fine that was not seen to be.
func verdict(t Totals) (string, string) {
	switch {
	case t.Cells == 0:
		return "There is nothing in this report: no account, Region and rule was chosen.", "unknown"
	case t.Covered == 0:
		return "Nothing could be verified: AWS Config has no word on any of the cells below.", "unknown"
	case t.NonCompliant > 0 && t.Gaps > 0:
		return fmt.Sprintf("%d cells are not compliant, and %d are not covered.", t.NonCompliant, t.Gaps), "bad"
	case t.NonCompliant > 0:
		return fmt.Sprintf("%d cells are not compliant; every cell is covered.", t.NonCompliant), "bad"
	case t.Gaps > 0:
		return fmt.Sprintf("No cell is known to be non-compliant, but %d are not covered.", t.Gaps), "unknown"
	case t.Compliant < t.Cells:
		return fmt.Sprintf("Every cell is covered; %d have no verdict yet or do not apply.", t.Cells-t.Compliant), "unknown"
	}
	return "Every cell is covered and compliant.", "good"
}

// kind is the class of a status in the page: bad, gap, unknown, off or good.
func kind(s Status) string {
	switch s {
	case NonCompliant:
		return "bad"
	case Compliant:
		return "good"
	case AccessDenied, Unreachable, NotDeployed, RecorderOff, NotRecorded:
		return "gap"
	case InsufficientData:
		return "unknown"
	}
	return "off"
}

// word is a status as people read it.
func word(s Status) string {
	text := strings.ToLower(strings.ReplaceAll(string(s), "_", " "))
	if s == NonCompliant {
		text = "non-compliant"
	}
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

func ouName(path string) string {
	if path == "" {
		return "(root)"
	}
	return path[strings.LastIndexByte(path, '/')+1:]
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// pageData is what the script works on: rows as arrays, texts that repeat only
// once. json.Marshal escapes <, >, & and U+2028, so it cannot end the block.
func pageData(r *Report, s Summary) ([]byte, error) {
	texts, index := []string{}, map[string]int{}
	ref := func(text string) int {
		i, ok := index[text]
		if !ok {
			i = len(texts)
			index[text] = i
			texts = append(texts, text)
		}
		return i
	}
	number := map[string]int{}
	accounts := make([][]any, 0, len(s.Accounts))
	for i, a := range s.Accounts {
		number[a.Account.ID] = i
		t := a.Totals
		accounts = append(accounts, []any{a.Account.ID, a.Account.Name, ref(a.Account.OUPath()), ref(a.Account.State), t.Cells, t.Covered, t.Compliant, t.NonCompliant, t.Gaps, t.Resources})
	}
	cells := make([][]any, 0, len(r.Cells))
	for _, c := range r.Cells {
		cells = append(cells, []any{number[c.Account.ID], ref(c.Region), ref(c.Rule.Name), ref(string(c.Status)), c.NonCompliantResources, ref(c.InstanceStatus), ref(c.Remediation), ref(stamp(c.LastEvaluated)), ref(c.Detail), ref(c.SourceRule)})
	}
	findings := make([][]any, 0, len(r.Findings))
	for _, f := range r.Findings {
		findings = append(findings, []any{number[f.Account.ID], ref(f.Region), ref(f.Rule.Name), ref(f.ResourceType), f.ResourceID, ref(f.RemediationStatus), ref(f.RemediationDetail), ref(stamp(f.LastEvaluated)), ref(f.Annotation), ref(f.Exception)})
	}
	kinds := map[Status]string{}
	words := map[Status]string{}
	for _, status := range statuses {
		kinds[status], words[status] = kind(status), word(status)
	}
	return json.Marshal(map[string]any{"texts": texts, "accounts": accounts, "cells": cells, "findings": findings, "kinds": kinds, "words": words})
}
