package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/urfave/cli/v2"
)

// newApp is the command line. What is not built yet is not in it.
func newApp(s streams) *cli.App {
	return &cli.App{
		Name:      "rollout",
		Usage:     "roll a security baseline out over an AWS organization, and prove what every account looks like",
		UsageText: "rollout --ou OU --region R [options]\nrollout COMMAND [options]",
		Description: "Walks the organization, shows a plan, deploys the template and what it needs as StackSets after you agree,\n" +
			"waits for AWS Config's verdicts, and writes a CSV and HTML report.\n\n" +
			"Nothing to lose, nothing needed but Go:\n" +
			"  rollout --sim --ou Workloads --region us-east-1,eu-west-1 --remediation automatic --yes\n\n" +
			"Look first: rollout tree, rollout plan. Report again at any time: rollout report.\n" +
			"Every option can be given as ROLLOUT_<NAME> too.\n\n" + exitStatusHelp,
		Version:                   version(),
		HideHelpCommand:           true,
		DisableSliceFlagSeparator: true,
		Reader:                    s.in,
		Writer:                    s.out,
		ErrWriter:                 s.err,
		ExitErrHandler:            func(*cli.Context, error) {},
		OnUsageError:              func(_ *cli.Context, err error, _ bool) error { return usageError{err.Error()} },
		Flags: groups(whoFlags(), whichFlags(), regionFlags(), deployFlags(), preferenceFlags(), pruneFlags(), automaticFlags(), costFlags(), []cli.Flag{keptFlag(), yesFlag()},
			reportFlags(), []cli.Flag{settleFlag()}, shapeFlags()),
		Action: func(c *cli.Context) error {
			if c.NumFlags() == 0 && !c.Args().Present() {
				return cli.ShowAppHelp(c)
			}
			return with(c, s, runMain)
		},
		Commands: withUsageErrors([]*cli.Command{
			treeCommand(s), planCommand(s), deployCommand(s), statusCommand(s), reportCommand(s), driftCommand(s), disarmCommand(s), restoreCommand(s), removeCommand(s), releaseCommand(s),
			templatesCommand(s), explainCommand(s), doctorCommand(s), simulateCommand(s), proveCommand(s),
		}),
	}
}

const exitStatusHelp = "EXIT STATUS: 0 done · 1 could not do the job · 2 plan --detailed-exitcode found changes ·\n" +
	"3 done in part: an instance failed, a first wave did not hold, something could not be read or checked, disarm left\n" +
	"something enforced, or release found what is still in the way · 130 interrupted"

// withUsageErrors makes every command report a mistake on its line as the app does.
func withUsageErrors(commands []*cli.Command) []*cli.Command {
	for _, c := range commands {
		c.OnUsageError = func(_ *cli.Context, err error, _ bool) error { return usageError{err.Error()} }
		c.HideHelpCommand = true
		withUsageErrors(c.Subcommands)
	}
	return commands
}

// with reads the options, opens AWS or the simulation, and runs a command.
func with(c *cli.Context, s streams, do func(ctx context.Context, j *job) error) error {
	return withOptions(c, s, func(*options) {}, do)
}

// withOptions is with, for a command with defaults of its own.
func withOptions(c *cli.Context, s streams, change func(*options), do func(ctx context.Context, j *job) error) error {
	if err := noArguments(c); err != nil {
		return err
	}
	o, err := readOptions(c)
	if err != nil {
		return err
	}
	change(&o)
	j := newJob(s, o)
	defer func() { j.close() }()
	if err := j.open(c.Context); err != nil {
		return err
	}
	return do(c.Context, j)
}

// version is the module's version, or the revision it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	text := info.Main.Version
	if text == "" || text == "(devel)" {
		text = "devel"
	}
	for _, key := range []string{"vcs.revision", "vcs.modified"} {
		if i := slices.IndexFunc(info.Settings, func(b debug.BuildSetting) bool { return b.Key == key }); i >= 0 && text == "devel" && key == "vcs.revision" {
			text = fmt.Sprintf("devel-%.12s", info.Settings[i].Value)
		}
	}
	return text
}
