package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"rollout/internal/prove"
	"rollout/templates"
)

func templatesShowCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "show", Usage: "print a template's body, or with --about what is known of it", ArgsUsage: "NAME",
		Description: "Without an option it prints the CloudFormation template as it is deployed. --about prints what it checks,\n" +
			"what enforcement would change and how that is undone, what it costs, and the IAM it needs; --output json has\n" +
			"all of it, with the body.",
		Flags: append([]cli.Flag{&cli.BoolFlag{Name: "about", Category: shape, EnvVars: env("about"), Usage: "what it does, in words, in place of its body"}}, shapeFlags()...),
		Action: func(c *cli.Context) error {
			if c.Args().Len() != 1 {
				return usageError{"rollout templates show NAME: name one template; rollout templates list has them"}
			}
			o, err := readOptions(c)
			if err != nil {
				return err
			}
			t, err := templates.Lookup(c.Args().First())
			if err != nil {
				return err
			}
			switch {
			case o.Output == "json":
				return writeJSON(s.out, t.Detail())
			case o.Output == "jsonl":
				return writeLines(s.out, []templates.Detail{t.Detail()})
			case c.Bool("about"):
				return aboutTemplate(s.out, t)
			}
			_, err = s.out.Write(t.Body())
			return err
		},
	}
}

// aboutTemplate writes what is known of a template for a person.
func aboutTemplate(w io.Writer, t templates.Template) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s: %s\n\n%s\n", t.Name, t.Title, wrap(t.Description, "  "))
	part := func(title, text string) {
		if text != "" {
			fmt.Fprintf(b, "\n%s\n%s\n", title, wrap(text, "  "))
		}
	}
	scope := map[templates.Scope]string{
		templates.ScopeHome: "the home Region of each account", templates.ScopeRegional: "each Region of each account", templates.ScopeSingle: "the home Region of one account",
	}[t.Scope]
	part("WHERE", strings.TrimSpace(scope+". "+t.About.Regions))
	part("NEEDS", strings.Join(t.Needs, ", "))
	for _, r := range t.Rules {
		part("RULE "+r.Name, r.Title+" ("+r.Identifier+"). "+r.Checks)
		if controls := controlsOf(r.Controls); controls != "" {
			fmt.Fprintf(b, "%s\n", wrap(controls, "    "))
		}
	}
	if len(t.Rules) == 0 {
		part("CONTROLS", controlsOf(t.Controls()))
	}
	part("REMEDIATION", strings.Join(t.Remediation(), ", "))
	if e := t.Enforcement; e != nil {
		part("WHAT IT DOES", e.Does)
		part("WHAT IT LEAVES", e.Leaves)
		part("BLAST RADIUS", e.BlastRadius)
		part("HOW IT IS UNDONE", e.Undo)
	}
	if t.EnforcedBy != "" {
		part("ENFORCED BY", t.EnforcedBy)
	}
	d := t.Detail()
	if len(d.Parameters) > 0 {
		fmt.Fprint(b, "\nPARAMETERS\n")
	}
	for _, p := range d.Parameters {
		value := "(no default)"
		if p.Default != nil {
			value = fmt.Sprintf("%q", *p.Default)
		}
		if len(p.Allowed) > 0 {
			value += ", one of " + strings.Join(p.Allowed, ", ")
		}
		fmt.Fprintf(b, "  %s = %s\n", p.Name, value)
		if p.Description != "" {
			fmt.Fprintf(b, "%s\n", wrap(p.Description, "      "))
		}
	}
	part("COST", t.About.Cost)
	part("WHAT WOULD DO IT BETTER", t.About.Better)
	part("CLOUDFORMATION NEEDS IN THE ACCOUNT", strings.Join(d.DeployActions, ", "))
	part("ITS ROLE MAY", strings.Join(d.RoleActions, ", "))
	_, err := io.WriteString(w, b.String())
	return err
}

func controlsOf(list []templates.Control) string {
	var words []string
	for _, c := range list {
		words = append(words, c.String())
	}
	return strings.Join(words, "; ")
}

// wrap breaks text into lines of 100 characters at most, each after the margin.
func wrap(text, margin string) string {
	return margin + strings.Join(prove.Wrap(text, 100-len(margin)), "\n"+margin)
}
