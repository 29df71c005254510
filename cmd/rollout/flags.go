package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"rollout/internal/awsapi"
	"rollout/reports"
)

// Options are grouped as DESIGN groups them. The same word has the same meaning on
// every command; a command lists the groups it understands and no others. Each
// option can be given as ROLLOUT_<NAME> too.

func env(name string) []string {
	return []string{"ROLLOUT_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))}
}

func text(category, name, value, usage string) cli.Flag {
	return &cli.StringFlag{Name: name, Value: value, Usage: usage, Category: category, EnvVars: env(name)}
}

func list(category, name, usage string) cli.Flag {
	return &cli.StringSliceFlag{Name: name, Usage: usage, Category: category, EnvVars: env(name)}
}

func toggle(category, name, usage string) cli.Flag {
	return &cli.BoolFlag{Name: name, Usage: usage, Category: category, EnvVars: env(name)}
}

const (
	who    = "1. Who calls"
	which  = "2. Which accounts and Regions"
	what   = "3. What is deployed"
	how    = "4. How it is done"
	report = "5. Report"
	shape  = "6. Output"
)

func whoFlags() []cli.Flag {
	return []cli.Flag{
		text(who, "profile", "", "shared-config `PROFILE` of the management account or a delegated administrator"),
		text(who, "home-region", "", "`REGION` where the StackSets live and what an account has once is made (default: the SDK's Region)"),
		text(who, "call-as", "", "`self|delegated-admin` (default: self in the management account, else delegated-admin)"),
		&cli.StringSliceFlag{Name: "role-name", Category: who, EnvVars: env("role-name"),
			Usage: "`ROLE` assumed in each account to read it; repeat to try several in order (default: " + strings.Join(awsapi.DefaultRoleNames, ", ") + ")"},
		text(who, "external-id", "", "external `ID` for those roles"),
		&cli.StringFlag{Name: "endpoint-url", Category: who, EnvVars: []string{"ROLLOUT_ENDPOINT_URL", "AWS_ENDPOINT_URL"}, Usage: "`URL` that serves every AWS service (rollout simulate, moto, …)"},
		text(who, "expect-organization", "", "refuse any organization but `o-…`"),
		&cli.BoolFlag{Name: "sim", Category: who, EnvVars: env("sim"), Usage: "run against a simulated organization inside the program: no account, no network, no credentials; forgotten at the end"},
		orgFlag(who),
		toggle(who, "simulated", "a loopback endpoint that is no rollout simulate is a simulation too"),
	}
}

func whichFlags() []cli.Flag {
	return []cli.Flag{
		list(which, "ou", "`OU` chosen with everything below it: an id, a path (Workloads/Prod) or a glob (Workloads/*, Workloads/**); repeat or separate by commas"),
		list(which, "exclude-ou", "`OU` left out, with everything below it"),
		list(which, "account", "only this `ACCOUNT`: an id, a name or a glob of names; repeat or separate by commas"),
		list(which, "exclude-account", "`ACCOUNT` left out"),
		list(which, "account-tag", "only accounts with this `KEY=VALUE` tag; repeat for several, all must hold"),
		toggle(which, "include-management", "the management account too: what StackSets never deploys there goes by plain stacks"),
	}
}

func regionFlags() []cli.Flag {
	return []cli.Flag{
		list(which, "region", "`REGION`: names, globs (eu-*) or all; repeat or separate by commas"),
	}
}

func templateFlags() []cli.Flag {
	return []cli.Flag{
		text(what, "template", "default-security-group", "embedded `TEMPLATE`, a template file, several separated by commas, or baseline"),
		text(what, "stack-set", "", "`NAME` of the one template's StackSet (default: rollout-<template>)"),
	}
}

func deployFlags() []cli.Flag {
	return append(templateFlags(),
		list(what, "parameter", "template parameter `KEY=VALUE`, given to each template of the run that declares it; repeat"),
		text(what, "remediation", "off", "`off|manual|automatic`: how far findings may be fixed"),
		text(what, "permissions-boundary", "", "`ARN` of the IAM policy that bounds the roles that templates make"),
		list(what, "tag", "`KEY=VALUE` on the StackSets and what they make; repeat"),
		autoDeployFlag(),
		&cli.BoolFlag{Name: "reuse-existing", Value: true, Category: what, EnvVars: env("reuse-existing"),
			Usage: "where an equal rule of another name is already there, take its verdict and deploy none (only while --remediation is off)"},
	)
}

func preferenceFlags() []cli.Flag {
	return []cli.Flag{
		text(how, "max-concurrent", "100%", "accounts at a time in each Region, `N|P%`"),
		text(how, "failure-tolerance", "10%", "accounts in each Region that may fail before the rest is cancelled, `N|P%`"),
		text(how, "concurrency-mode", "soft", "`soft|strict`: soft keeps --max-concurrent when accounts fail"),
	}
}

// pruneFlags are about instances outside the selection.
func pruneFlags() []cli.Flag {
	return []cli.Flag{
		toggle(how, "prune", "delete instances of the templates asked for that the selection does not cover (any more); what they need stays"),
		maxDeletionsFlag(),
	}
}

// automaticFlags bound what automatic remediation may change.
func automaticFlags() []cli.Flag {
	return []cli.Flag{
		text(how, "max-blast", "", "`N` resources that --remediation automatic may change, by rollout plan --blast-radius; no default: outside a simulation it has to be said"),
		text(how, "canary", "", "`N|P%` of the accounts are enforced automatically first and watched, 1 to 10 of them (default 1%; in a simulation none unless said)"),
	}
}

func maxDeletionsFlag() cli.Flag {
	return text(how, "max-deletions", "5%", "`N|P%` of a set's instances that may be deleted")
}

func yesFlag() cli.Flag {
	return &cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Category: how, EnvVars: env("yes"), Usage: "go ahead without asking (needed where there is no terminal)"}
}

func reportFlags() []cli.Flag {
	return []cli.Flag{
		text(report, "out", "", "`DIR` for the report (default: rollout-report/<stack set>/<time>)"),
		&cli.StringSliceFlag{Name: "format", Category: report, EnvVars: env("format"), Usage: "`FORMATS` to write: csv, html, json (default: all)"},
		text(report, "sim-truth", "", "against a simulation: write its own truth, as it is when the gather ends, to `FILE` (JSON lines)"),
	}
}

func settleFlag() cli.Flag {
	return &cli.DurationFlag{Name: "settle", Value: reports.DefaultSettle, Category: report, EnvVars: env("settle"),
		Usage: "how long to wait for Config's verdicts after a deploy, and after a --canary, `DURATION`"}
}

func shapeFlags() []cli.Flag {
	return []cli.Flag{
		text(shape, "output", "text", "`text|json|jsonl` on standard output; everything else goes to standard error"),
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Category: shape, EnvVars: env("quiet"), Usage: "only warnings, errors and the result"},
		&cli.BoolFlag{Name: "no-color", Category: shape, EnvVars: env("no-color"), Usage: "no colours (also with NO_COLOR set)"},
		text(shape, "log-level", "warn", "`debug|info|warn|error` of the log on standard error"),
	}
}

func groups(lists ...[]cli.Flag) []cli.Flag {
	var out []cli.Flag
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}
