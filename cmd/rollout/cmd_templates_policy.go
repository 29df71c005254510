package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"rollout/internal/awsapi"
	"rollout/internal/doctor"
	"rollout/stackset"
	"rollout/templates"
)

func templatesPolicyCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "policy", Usage: "print the IAM policy that a template's deployment needs, or one that guards it", ArgsUsage: "NAME[,NAME …]",
		Description: "Prints, as JSON, what the identity that runs rollout needs in the management account to deploy, watch, report and\n" +
			"remove the template, what it needs, and what enforces it. rollout doctor --policy prints it command by command.\n\n" +
			"  --execution  what CloudFormation does in the accounts: a service control policy has to leave StackSets' roles these\n" +
			"  --protect    a service control policy that guards what was deployed against the accounts' own administrators, and\n" +
			"               says who may set the tag rollout-exempt\n\n" +
			"Attach it with: aws organizations create-policy --type SERVICE_CONTROL_POLICY --content file://policy.json …",
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "execution", Category: what, EnvVars: env("execution"), Usage: "what CloudFormation needs in the accounts"},
			&cli.BoolFlag{Name: "protect", Category: what, EnvVars: env("protect"), Usage: "a service control policy that guards what was deployed"},
			list(what, "keeper", "with --protect: `ARN` (pattern) of a principal that may change what was deployed; repeat or separate by commas"),
			list(what, "exempter", "with --protect: `ARN` (pattern) of a principal that may set the tag rollout-exempt (default: the role rollout-operator)"),
			list(who, "role-name", "`ROLE` that rollout assumes in the accounts (default: "+strings.Join(awsapi.DefaultRoleNames, ", ")+")"),
			text(who, "home-region", "", "`REGION` whose partition the ARNs have (default: aws)"),
			text(what, "stack-set", "", "`NAME` of the template's StackSet (default: rollout-<template>)"),
		}, shapeFlags()...),
		Action: func(c *cli.Context) error {
			if c.Args().Len() != 1 {
				return usageError{"rollout templates policy NAME: name one template, or several separated by commas; rollout templates list has them"}
			}
			o, err := readOptions(c)
			if err != nil {
				return err
			}
			return printPolicy(c, s, o)
		},
	}
}

func printPolicy(c *cli.Context, s streams, o options) error {
	if c.Bool("execution") && c.Bool("protect") {
		return usageError{"--execution and --protect exclude each other: each prints a policy of its own"}
	}
	partition, err := partitionOf(o.HomeRegion)
	if err != nil {
		return err
	}
	asked, err := templates.LoadAll(c.Args().First())
	if err != nil {
		return err
	}
	list := templates.Together(asked)
	if o.StackSet != "" && len(asked) > 1 {
		return usageError{"--stack-set names one StackSet; with several templates they are called rollout-<template>"}
	}
	var sets []string
	for _, t := range list {
		switch {
		case t.Enforces != "": // its sets begin with the other's name
		case o.StackSet != "" && t.Name == c.Args().First():
			sets = append(sets, o.StackSet)
		default:
			sets = append(sets, "rollout-"+t.Name)
		}
	}
	var policy templates.Policy
	switch {
	case c.Bool("protect"):
		keepers, exempters := commaList(c, "keeper"), commaList(c, "exempter")
		for _, arn := range slices.Concat(keepers, exempters) {
			if !strings.HasPrefix(arn, "arn:") {
				return usageError{fmt.Sprintf("%q is not an ARN or a pattern of one, like arn:aws:iam::*:role/platform-*", arn)}
			}
		}
		if len(sets) > 1 && o.StackSet == "" {
			sets = []string{"rollout"} // each begins so, and a policy has little room
		}
		policy = templates.ProtectPolicy(list, templates.ProtectInput{Partition: partition, SetNames: sets, Keepers: keepers, Exempters: exempters})
		if n := len(policy.JSON()); n > templates.MaxControlPolicy {
			fmt.Fprintf(s.err, "warning: %d characters are more than the %d that a service control policy can have: print it for fewer templates at a time\n", n, templates.MaxControlPolicy)
		}
		fmt.Fprintln(s.err, "note: policies know Config rules by random ids, not by name, so rules and remediations of others in these accounts are guarded too.")
	case c.Bool("execution"):
		var unknown []string
		if policy, unknown = templates.ExecutionPolicy(list); len(unknown) > 0 {
			fmt.Fprintf(s.err, "warning: what CloudFormation needs for %s is not known here and is missing below\n", strings.Join(unknown, ", "))
		}
	default:
		var names []string
		for _, w := range stackset.WantedSets(stackset.Desired{Templates: asked, StackSet: o.StackSet}) {
			names = append(names, w.Name)
		}
		policy = doctor.Policy(templateCommands(), doctor.PolicyInput{Partition: partition, StackSets: names, Roles: orNames(o.RoleNames, awsapi.DefaultRoleNames)})
	}
	if o.Output == "jsonl" {
		_, err := fmt.Fprintf(s.out, "%s\n", policy.JSON())
		return err
	}
	return writeJSON(s.out, policy)
}

// templateCommands are the commands that take a template from its deployment to its end.
func templateCommands() []doctor.Command {
	return slices.DeleteFunc(doctor.Commands(), func(c doctor.Command) bool {
		return !slices.Contains([]string{"rollout", "plan", "deploy", "status", "report", "disarm", "remove"}, c.Name)
	})
}

// partitionOf is the partition of a Region, aws without one.
func partitionOf(region string) (string, error) {
	if region == "" {
		return "aws", nil
	}
	if partition := awsapi.PartitionOf(region); partition != "" {
		return partition, nil
	}
	return "", usageError{fmt.Sprintf("--home-region %q is no Region that this version knows", region)}
}
