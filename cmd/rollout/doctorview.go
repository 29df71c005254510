package main

import (
	"fmt"
	"io"
	"strings"

	"rollout/internal/doctor"
	"rollout/internal/prove"
	"rollout/internal/terminal"
)

type doctorJSON struct {
	Status         string            `json:"status"`
	AccountID      string            `json:"account_id"`
	ARN            string            `json:"arn"`
	HomeRegion     string            `json:"home_region"`
	CallAs         string            `json:"call_as"`
	OrganizationID string            `json:"organization_id"`
	Management     string            `json:"management_account_id"`
	Findings       []findingJSON     `json:"findings"`
	Permissions    []permissionsJSON `json:"permissions"`
}

type findingJSON struct {
	Check   string `json:"check"`
	Status  string `json:"status"`
	Summary string `json:"summary"`
	Said    string `json:"said"`
	Do      string `json:"do"`
}

type permissionsJSON struct {
	Command string   `json:"command"`
	Missing []string `json:"missing"`
}

func doctorShape(r *doctor.Report) doctorJSON {
	out := doctorJSON{
		Status: string(r.Worst()), AccountID: r.Account, ARN: r.ARN, HomeRegion: r.HomeRegion, CallAs: string(r.CallAs),
		OrganizationID: r.Organization.ID, Management: r.Organization.ManagementAccount, Findings: []findingJSON{}, Permissions: []permissionsJSON{},
	}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, findingJSON{f.Check, string(f.Status), f.Summary, f.Said, f.Do})
	}
	for _, p := range r.Permissions {
		out.Permissions = append(out.Permissions, permissionsJSON{p.Command, append([]string{}, p.Missing...)})
	}
	return out
}

// showDoctor writes what was found; with an error among it the exit status is 1.
func (j *job) showDoctor(r *doctor.Report) error {
	shape := doctorShape(r)
	if err := j.result(func() error { return j.writeDoctor(r) }, shape, func() error { return writeLines(j.streams.out, shape.Findings) }); err != nil {
		return err
	}
	if r.Worst() == doctor.Error {
		return &statusError{exitFailed, "the job cannot be done yet; what to do stands with each error"}
	}
	return nil
}

var findingStyles = map[doctor.Status]terminal.Style{doctor.OK: terminal.Green, doctor.Warning: terminal.Yellow, doctor.Error: terminal.Red}

// findingIndent is as wide as status and check.
var findingIndent = strings.Repeat(" ", 27)

// hang writes a text behind an indent: below itself where a person watches, in one line
// elsewhere, so that it can be searched for.
func hang(w io.Writer, out *terminal.Out, indent string, style terminal.Style, text string) {
	lines := []string{text}
	if out.TTY() {
		lines = prove.Wrap(text, max(40, out.Width()-len(indent)-1))
	}
	for i, line := range lines {
		if line = terminal.Clean(line); style != "" {
			line = out.Paint(style, line)
		}
		if i > 0 {
			line = indent + line
		}
		fmt.Fprintln(w, line)
	}
}

func (j *job) writeDoctor(r *doctor.Report) error {
	w := j.streams.out
	out := terminal.New(w, terminal.Options{NoColor: j.NoColor})
	for _, f := range r.Findings {
		fmt.Fprintf(w, "%s  %-16s  ", out.Paint(findingStyles[f.Status], fmt.Sprintf("%-7s", f.Status)), f.Check)
		hang(w, out, findingIndent, "", f.Summary)
		if f.Said != "" {
			fmt.Fprint(w, findingIndent)
			hang(w, out, findingIndent, terminal.Dim, f.Said)
		}
		if f.Do != "" {
			fmt.Fprint(w, findingIndent)
			hang(w, out, findingIndent, "", "→ "+f.Do)
		}
	}
	if len(r.Permissions) == 0 {
		return nil
	}
	const column = "%-10s"
	fmt.Fprintf(w, "\n"+column+"THIS IDENTITY MAY\n", "COMMAND")
	for _, p := range r.Permissions {
		may := "yes"
		if len(p.Missing) > 0 {
			may = "no: " + strings.Join(p.Missing, ", ")
		}
		fmt.Fprintf(w, column, p.Command)
		hang(w, out, fmt.Sprintf(column, ""), "", may)
	}
	return nil
}
