package main

import (
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"rollout/internal/terminal"
	"rollout/templates"
)

func templatesLintCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "lint", Usage: "check templates of your own as --template FILE would, offline", ArgsUsage: "FILE…",
		Description: "Says file:line:column: error|warning|note CODE: what is wrong; what to do. docs/lint.md has the codes.\n" +
			"EXIT STATUS: 0 nothing worse than warnings and notes · 1 errors, or a file that cannot be read",
		Flags: shapeFlags(),
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return usageError{"rollout templates lint FILE…: name one file or more"}
			}
			o, err := readOptions(c)
			if err != nil {
				return err
			}
			return lintFiles(s, o, c.Args().Slice())
		},
	}
}

// fileFinding is a finding as --output json shows it.
type fileFinding struct {
	File string `json:"file"`
	templates.Finding
}

func lintFiles(s streams, o options, paths []string) error {
	out := terminal.New(s.err, terminal.Options{Quiet: o.Quiet})
	findings := []fileFinding{}
	counts := map[templates.Severity]int{}
	unread := false
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			out.Error("read template: %v", err)
			unread = true
			continue
		}
		for _, f := range templates.Lint(templates.NameOf(path), body) {
			counts[f.Severity]++
			findings = append(findings, fileFinding{path, f})
		}
	}
	if err := writeFindings(s.out, o, findings); err != nil {
		return err
	}
	errors := counts[templates.SeverityError]
	if o.Output == "text" {
		out.Line("%s, %s and %s in %s", counted(errors, "error"), counted(counts[templates.SeverityWarning], "warning"),
			counted(counts[templates.SeverityNote], "note"), counted(len(paths), "file"))
	}
	if errors > 0 || unread {
		return &statusError{status: exitFailed}
	}
	return nil
}

func writeFindings(w io.Writer, o options, findings []fileFinding) error {
	switch o.Output {
	case "json":
		return writeJSON(w, findings)
	case "jsonl":
		return writeLines(w, findings)
	}
	for _, f := range findings {
		if _, err := fmt.Fprintf(w, "%s:%s\n", f.File, f.Finding); err != nil {
			return fmt.Errorf("write the findings: %w", err)
		}
	}
	return nil
}

// counted is "1 error", "2 errors".
func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
