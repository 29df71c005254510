package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"rollout/internal/terminal"
	"rollout/orgs"
)

func treeCommand(s streams) *cli.Command {
	return &cli.Command{
		Name:  "tree",
		Usage: "walk the organization and show it",
		Description: "As a tree, as JSON (--output json), or as a Mermaid diagram (--mermaid). With --ou, --account and the\n" +
			"other options that choose, it says of each account whether it is in (+) or out (-), and why.",
		Flags: groups(whoFlags(), whichFlags(), []cli.Flag{
			&cli.BoolFlag{Name: "mermaid", Category: shape, EnvVars: env("mermaid"), Usage: "print a Mermaid flowchart"},
		}, shapeFlags()),
		Action: func(c *cli.Context) error {
			mermaid := c.Bool("mermaid")
			if mermaid && c.String("output") != "text" {
				return usageError{"--mermaid and --output " + c.String("output") + " exclude each other"}
			}
			return with(c, s, func(ctx context.Context, j *job) error { return showTree(ctx, j, mermaid) })
		},
	}
}

func showTree(ctx context.Context, j *job, mermaid bool) error {
	tree, err := j.walkTree(ctx)
	if err != nil {
		return err
	}
	var decisions []orgs.Decision
	if !j.Selector.Empty() || len(j.Selector.ExcludeOUs)+len(j.Selector.ExcludeAccounts) > 0 {
		selection, err := j.Selector.Select(tree.tree)
		if err != nil {
			return err
		}
		decisions = selection.Decisions
	}
	if mermaid {
		return tree.tree.WriteMermaid(j.streams.out)
	}
	return j.result(func() error {
		out := terminal.New(j.streams.out, terminal.Options{NoColor: j.NoColor})
		styles := map[string]terminal.Style{"ou": terminal.Bold, "dim": terminal.Dim, "warn": terminal.Yellow}
		return tree.tree.WriteText(j.streams.out, decisions, func(kind, text string) string { return out.Paint(styles[kind], text) })
	}, tree.tree.JSON(decisions), func() error {
		for _, a := range tree.tree.Accounts {
			if err := writeLines(j.streams.out, []any{map[string]any{"id": a.ID, "name": a.Name, "email": a.Email, "state": a.State, "ou_path": a.OUPath()}}); err != nil {
				return fmt.Errorf("write the accounts: %w", err)
			}
		}
		return nil
	})
}
