package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"rollout/internal/awsapi"
	"rollout/internal/prove"
	"rollout/internal/simaws"
	"rollout/orgs"
)

func proveCommand(s streams) *cli.Command {
	const trial = "3. What is tried"
	return &cli.Command{
		Name:  "prove",
		Usage: "try in a sandbox OU what the simulated organization takes for granted about AWS",
		Description: "Makes harmless things (StackSets, and stacks with a WaitConditionHandle that does nothing) in a few accounts\n" +
			"of an OU that you keep for trials, has AWS refuse, fail and stop some of them, and removes them all. For each\n" +
			"line of internal/simaws/FIDELITY.md that rests on something weaker than AWS's own word it prints confirmed,\n" +
			"refuted or not tried, with the request id. It shows what it will do and asks first. It never touches what it\n" +
			"did not make; all that it makes is called " + prove.Prefix + "… and tagged " + prove.Tag + ".\n\n" +
			"  rollout prove --ou Sandbox --dry-run                     what would be tried\n" +
			"  rollout prove --ou Sandbox --accounts 2 --out proof.json try it; the file can be sent back\n" +
			"  rollout prove --ou Sandbox --clean                       remove what a killed run left in these accounts\n\n" +
			"EXIT STATUS: 0 tried and removed (also when refuted) · 1 refused · 3 something went wrong, so that a claim could\n" +
			"not be tried or a thing is still there · 130 interrupted (it still removes what it made)",
		Flags: groups(whoFlags(), []cli.Flag{
			text(which, "ou", "", "sandbox `OU`: an id or a path (Sandbox); never the root"),
			&cli.IntFlag{Name: "accounts", Value: 2, Category: which, EnvVars: env("accounts"), Usage: "`NUMBER` of ACTIVE accounts of the OU to use, from 1 to 10"},
			list(which, "account", "use this `ACCOUNT`: an id, a name or a glob of names; at most --accounts of them"),
			&cli.BoolFlag{Name: "dry-run", Category: trial, EnvVars: env("dry-run"), Usage: "say what would be tried and made, and do nothing"},
			&cli.BoolFlag{Name: "clean", Category: trial, EnvVars: env("clean"), Usage: "remove the StackSets, and the stacks in these accounts, that killed runs left behind, and try nothing"},
			text(trial, "out", "", "`FILE` for the verdicts as JSON (docs/schemas/prove.schema.json); it names account ids, no person"),
			&cli.BoolFlag{Name: "redact", Category: trial, EnvVars: env("redact"), Usage: "replace account, OU and organization ids in the JSON by hashes"},
			&cli.DurationFlag{Name: "patience", Value: 15 * time.Minute, Category: trial, EnvVars: env("patience"), Usage: "how long one StackSet operation may take, `DURATION`"},
			yesFlag(),
		}, shapeFlags()),
		Action: func(c *cli.Context) error {
			p := proof{ou: c.String("ou"), most: c.Int("accounts"), dry: c.Bool("dry-run"), clean: c.Bool("clean"), redact: c.Bool("redact"), patience: c.Duration("patience")}
			if err := p.check(c); err != nil {
				return err
			}
			return with(c, s, func(ctx context.Context, j *job) error { return j.prove(ctx, p) })
		},
	}
}

// proof is what was asked of rollout prove.
type proof struct {
	ou                 string
	most               int
	dry, clean, redact bool
	patience           time.Duration
}

func (p proof) check(c *cli.Context) error {
	switch {
	case p.ou == "":
		return usageError{"--ou is missing: name an OU that you keep for trials"}
	case strings.ContainsAny(p.ou, "*?[{,"):
		return usageError{fmt.Sprintf("--ou %q: name one OU, by its id or its path", p.ou)}
	case p.most < 1 || p.most > 10:
		return usageError{fmt.Sprintf("--accounts %d: from 1 to 10", p.most)}
	case p.patience <= 0:
		return usageError{fmt.Sprintf("--patience %s: a duration above 0", p.patience)}
	case p.dry && p.clean:
		return usageError{"--dry-run and --clean exclude each other"}
	case c.String("output") == "jsonl":
		return usageError{"--output jsonl: this command has text and json"}
	}
	return nil
}

// sandbox walks the organization and chooses the accounts; it refuses what cannot
// be a sandbox.
func (j *job) sandbox(ctx context.Context, p proof) (prove.Options, *choice, error) {
	var o prove.Options
	j.Selector = orgs.Selector{OUs: []string{p.ou}}
	chosen, err := j.walk(ctx, false)
	if err != nil {
		return o, nil, err
	}
	ous := chosen.selection.OUs
	if len(ous) != 1 {
		return o, nil, usageError{fmt.Sprintf("--ou %q means %d OUs; name one", p.ou, len(ous))}
	}
	if ous[0].Parent == nil {
		return o, nil, usageError{fmt.Sprintf("--ou %q is the root, and that is no sandbox: name an OU that you keep for trials; nothing was changed", p.ou)}
	}
	o = prove.Options{
		Session: j.session, CallAs: chosen.callAs, OU: ous[0].ID, Organization: chosen.tree.OrganizationID, Management: chosen.organization.ManagementAccount,
		Elsewhere: elsewhere(chosen.tree, ous[0]), Run: strings.ToLower(j.Run), Patience: p.patience, Quick: awsapi.Loopback(j.session.Endpoint),
	}
	wanted := map[string]bool{}
	if len(j.named) > 0 {
		s, err := orgs.Selector{OUs: []string{p.ou}, Accounts: j.named}.Select(chosen.tree)
		if err != nil {
			return o, nil, err
		}
		for _, d := range s.Decisions {
			if d.Selected {
				wanted[d.Account.ID] = true
			}
		}
		if len(wanted) > p.most {
			return o, nil, usageError{fmt.Sprintf("--account names %d accounts and --accounts allows %d; nothing was changed", len(wanted), p.most)}
		}
	}
	for _, a := range chosen.accounts {
		account := prove.Account{ID: a.ID, State: a.State}
		if a.Active() && len(o.Accounts) < p.most && (len(j.named) == 0 || wanted[a.ID]) {
			o.Accounts = append(o.Accounts, account)
		} else {
			o.Others = append(o.Others, account)
		}
	}
	if len(o.Accounts) == 0 {
		return o, nil, fmt.Errorf("no account chosen under %s is ACTIVE; nothing was changed", p.ou)
	}
	lines, err := simaws.Fidelity()
	if err != nil {
		return o, nil, err
	}
	for _, l := range lines {
		o.Lines = append(o.Lines, prove.Line{ID: l.ID, Section: l.Section, Text: l.Modelled, Weak: l.Strength == "weak"})
	}
	return o, chosen, nil
}

// elsewhere gives an OU that neither holds the sandbox nor stands in it.
func elsewhere(tree *orgs.Tree, sandbox *orgs.OU) string {
	for ou := range tree.OUs() {
		if ou.Parent != nil && !sandbox.Under(ou) && !ou.Under(sandbox) {
			return ou.ID
		}
	}
	return ""
}

func (j *job) prove(ctx context.Context, p proof) error {
	j.named = j.Selector.Accounts
	o, chosen, err := j.sandbox(ctx, p)
	if err != nil {
		return err
	}
	if p.clean {
		return j.proveClean(ctx, o)
	}
	j.showProof(p, o, chosen)
	if p.dry {
		j.out.Line("\n--dry-run: nothing was made, and nothing but the tree was read.")
		return nil
	}
	if err := j.confirm(ctx, fmt.Sprintf("Make, break and remove these in %d accounts?", len(o.Accounts))); err != nil {
		return err
	}
	var file *os.File
	if j.Out != "" {
		// Before anything is made: a run of half an hour must not end without a
		// place for what it found.
		if info, err := os.Stat(j.Out); err == nil && info.IsDir() {
			return usageError{"--out " + j.Out + " is a folder: name a file in it"}
		}
		// An earlier proof stays until this one is whole.
		if file, err = os.CreateTemp(filepath.Dir(j.Out), ".proof-*"); err != nil {
			return fmt.Errorf("open --out: %w; nothing was changed", err)
		}
		defer os.Remove(file.Name()) //nolint:errcheck // it was renamed
		defer file.Close()
	}
	o.Tell = j.proofTold
	stop := context.AfterFunc(ctx, func() {
		j.out.Warn("interrupted: removing what was made. A second Ctrl-C ends at once; rollout prove --ou %s --clean removes it then", p.ou)
	})
	report, interrupted := prove.Run(ctx, o)
	stop()
	how := prove.JSONOptions{Version: version(), Simulated: j.simulated, Redact: p.redact}
	if file != nil {
		err := errors.Join(report.WriteJSON(file, how), file.Sync(), file.Close())
		if err == nil {
			err = os.Rename(file.Name(), j.Out)
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", j.Out, err)
		}
	}
	if j.Output == "json" {
		err = report.WriteJSON(j.streams.out, how)
	} else {
		err = report.WriteText(j.streams.out)
	}
	if err != nil {
		return fmt.Errorf("write the verdicts: %w", err)
	}
	if file != nil {
		j.out.Line("%s has it as JSON; it can be sent back", j.Out)
	}
	switch {
	case interrupted != nil:
		return &statusError{exitInterrupted, "interrupted; " + leftWords(report.Left)}
	case report.Partial():
		return &statusError{exitPartial, "done in part: what went wrong is above; " + leftWords(report.Left)}
	}
	return nil
}

func leftWords(left []prove.Leftover) string {
	if len(left) == 0 {
		return "all that was made is removed"
	}
	return fmt.Sprintf("still there, of what was made: %d (above, with how to remove it)", len(left))
}

// showProof says what will be made, where, and what is called.
func (j *job) showProof(p proof, o prove.Options, chosen *choice) {
	say := func(format string, args ...any) { j.out.Line(format, args...) }
	say("\nSandbox %s (%s), Region %s", p.ou, o.OU, o.Session.HomeRegion)
	for _, a := range chosen.accounts {
		for _, x := range o.Accounts {
			if a.ID == x.ID {
				say("  used:        %s %s (%s)", a.ID, a.Name, a.OUPath())
			}
		}
	}
	if len(o.Others) > 0 {
		say("  not touched: %d more accounts under it, and every account elsewhere", len(o.Others))
	} else {
		say("  not touched: every account elsewhere")
	}
	say("\nWhat is tried, in this order; all names begin with %s%s:", prove.Prefix, o.Run)
	for _, s := range prove.Scenarios() {
		say("\n  %s: %s, %d claims", s.Name, s.Title, len(s.Claims))
		makes := "nothing; it only asks"
		if len(s.Makes) > 0 {
			makes = strings.Join(s.Makes, "; ")
		}
		for n, l := range prove.Wrap("makes "+makes, 74) {
			say("    %s%s", strings.Repeat("  ", min(n, 1)), l)
		}
		for n, l := range prove.Wrap("calls "+strings.Join(s.Calls, ", "), 74) {
			say("    %s%s", strings.Repeat("  ", min(n, 1)), l)
		}
	}
	say("\nWhatever happens, what was made is removed again at the end of each part.")
}

func (j *job) proofTold(e prove.Event) {
	if e.Result == nil {
		j.out.Line("%s", e.Text)
		return
	}
	j.out.Line("  %-9s %s", e.Result.Verdict, e.Result.Name)
}

func (j *job) proveClean(ctx context.Context, o prove.Options) error {
	found, err := prove.Leftovers(ctx, o)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		j.out.Line("nothing of an earlier run is left in %s: no StackSet, and no stack in the %d accounts chosen", o.Session.HomeRegion, len(o.Accounts))
		return nil
	}
	j.out.Line("left by earlier runs, in %s:", o.Session.HomeRegion)
	for _, f := range found {
		j.out.Line("  %s", f)
	}
	if err := j.confirm(ctx, fmt.Sprintf("Remove these %d?", len(found))); err != nil {
		return err
	}
	left := prove.Clean(ctx, o, found)
	if err := prove.WriteLeft(j.streams.out, left); err != nil {
		return err
	}
	if len(left) > 0 {
		return &statusError{exitPartial, leftWords(left)}
	}
	j.out.Line("removed %d", len(found))
	return nil
}
