package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"rollout/internal/terminal"
	"rollout/templates"
)

func templatesCommand(s streams) *cli.Command {
	return &cli.Command{
		Name:  "templates",
		Usage: "the embedded templates, their rules and controls, and the IAM each needs",
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "list the embedded templates in the order in which they are deployed", Flags: shapeFlags(),
				Action: func(c *cli.Context) error {
					if err := noArguments(c); err != nil {
						return err
					}
					o, err := readOptions(c)
					if err != nil {
						return err
					}
					return listTemplates(s.out, o)
				},
			},
			templatesShowCommand(s),
			templatesPolicyCommand(s),
			templatesLintCommand(s),
		},
		Action: func(c *cli.Context) error { return cli.ShowSubcommandHelp(c) },
	}
}

func listTemplates(w io.Writer, o options) error {
	switch o.Output {
	case "json":
		return writeJSON(w, templates.Summaries())
	case "jsonl":
		return writeLines(w, templates.Summaries())
	}
	var rows [][]string
	for _, t := range templates.All() {
		// Seven names in a column would push the rest off the screen; show has them.
		rules := ""
		if len(t.Rules) > 0 {
			rules = t.Rules[0].Identifier
		}
		if more := len(t.Rules) - 1; more > 0 {
			rules += fmt.Sprintf(", %d more", more)
		}
		rows = append(rows, []string{t.Name, string(t.Scope), rules, strings.Join(t.Needs, ", "), strings.Join(t.Remediation(), ", "), t.Title})
	}
	return terminal.Table(w, []string{"TEMPLATE", "SCOPE", "RULES", "NEEDS", "REMEDIATION", "WHAT IT IS"}, rows)
}

// writeJSON writes one indented JSON document.
func writeJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("write the JSON output: %w", err)
	}
	return nil
}

// writeLines writes one JSON value a line.
func writeLines[T any](w io.Writer, values []T) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for _, v := range values {
		if err := encoder.Encode(v); err != nil {
			return fmt.Errorf("write the JSON output: %w", err)
		}
	}
	return nil
}
