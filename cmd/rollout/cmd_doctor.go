package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/urfave/cli/v2"

	"rollout/internal/awsapi"
	"rollout/internal/doctor"
	"rollout/orgs"
	"rollout/templates"
)

func doctorCommand(s streams) *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "can this identity, organization and Region do the job? what is missing?", ArgsUsage: "[--policy [COMMAND …]]",
		Description: "Looks at the identity, the organization and its features, who may call StackSets, trusted access, Regions, service\n" +
			"control policies, stack sets, the roles in the accounts, and what this identity may do of what each command needs.\n" +
			"Each finding has AWS's own answer and what to do. It changes nothing, but for --activate.\n\n" +
			"  rollout doctor                        look\n" +
			"  rollout doctor --activate             switch on trusted access for StackSets, after a question\n" +
			"  rollout doctor --policy               the IAM policy that all commands need, as JSON; calls nothing\n" +
			"  rollout doctor --policy plan report   the one for these commands: " + strings.Join(commandNames(), ", ") + "\n" +
			"                                        (rollout is the main job, activate is doctor --activate)\n\n" +
			"The roles are tried in the accounts chosen, else in the first twenty of the list.\n\n" +
			"EXIT STATUS: 0 the job can be done, also with warnings · 1 it cannot",
		Flags: groups(whoFlags(), whichFlags(), regionFlags(), templateFlags(), []cli.Flag{
			&cli.BoolFlag{Name: "policy", Category: how, EnvVars: env("policy"), Usage: "print the least IAM policy for all commands, or for those named, and look at nothing"},
			&cli.BoolFlag{Name: "activate", Category: how, EnvVars: env("activate"), Usage: "switch on trusted access for StackSets in the organization (management account only)"},
			yesFlag(),
		}, shapeFlags()),
		Action: func(c *cli.Context) error {
			switch {
			case c.Bool("policy") && c.Bool("activate"):
				return usageError{"--policy and --activate exclude each other"}
			case c.Bool("policy"):
				return printCommandPolicy(c, s)
			}
			if err := noArguments(c); err != nil {
				return err
			}
			o, err := readOptions(c)
			if err != nil {
				return err
			}
			j := newJob(s, o)
			defer func() { j.close() }()
			return j.doctor(c.Context, c.Bool("activate"))
		},
	}
}

func commandNames() []string {
	var out []string
	for _, c := range doctor.Commands() {
		out = append(out, c.Name)
	}
	return out
}

// printCommandPolicy prints what commands need. It needs no AWS.
func printCommandPolicy(c *cli.Context, s streams) error {
	o, err := readOptions(c)
	if err != nil {
		return err
	}
	partition, err := partitionOf(o.HomeRegion)
	if err != nil {
		return err
	}
	all, names := doctor.Commands(), commandNames()
	var list []doctor.Command
	for _, word := range c.Args().Slice() {
		i := slices.Index(names, word)
		if i < 0 {
			message := fmt.Sprintf("--policy %s: no command of that name calls AWS; there are %s", word, strings.Join(names, ", "))
			if near := nearest(word, names); near != "" {
				message = fmt.Sprintf("--policy %s: no command of that name calls AWS; did you mean %q?", word, near)
			}
			return usageError{message}
		}
		list = append(list, all[i])
	}
	if len(list) == 0 {
		list = all
	}
	delegated := o.CallAs == "delegated-admin"
	policy := doctor.Policy(list, doctor.PolicyInput{
		Partition: partition, StackSets: setPatterns(o.StackSet), Roles: orNames(o.RoleNames, awsapi.DefaultRoleNames), Restorers: orNames(o.RoleNames, restoreRoles),
		Delegated: delegated, Own: delegated || o.Selector.IncludeManagement,
	})
	if o.Output == "jsonl" {
		_, err := fmt.Fprintf(s.out, "%s\n", policy.JSON())
		return err
	}
	return writeJSON(s.out, policy)
}

// setPatterns are the names of the sets of a run: those of --stack-set, and those that
// are called after templates.
func setPatterns(stackSet string) []string {
	if stackSet == "" {
		return []string{"rollout-*"}
	}
	return []string{stackSet, stackSet + "-enforce", stackSet + "-enforce-automatic", "rollout-*"}
}

func orNames(names, otherwise []string) []string {
	if len(names) == 0 {
		return otherwise
	}
	return names
}

// doctor examines, after it switched trusted access on where that is asked for.
func (j *job) doctor(ctx context.Context, activate bool) error {
	asked, err := templates.LoadAll(j.Template)
	if err != nil {
		return err
	}
	if err := j.open(ctx); err != nil {
		var usage usageError
		if errors.As(err, &usage) || ctx.Err() != nil {
			return err
		}
		return j.showDoctor(&doctor.Report{HomeRegion: j.HomeRegion, Findings: []doctor.Finding{{
			Check: "identity", Status: doctor.Error, Summary: "who calls could not be found out", Said: awsapi.Plain(err), Do: remedy(err)}}})
	}
	if activate {
		if err := j.activate(ctx); err != nil {
			return err
		}
	}
	o := doctor.Options{Expect: j.ExpectOrganization, Templates: asked, StackSets: setPatterns(j.StackSet), RoleNames: orNames(j.RoleNames, awsapi.DefaultRoleNames), Restorers: orNames(j.RoleNames, restoreRoles)}
	if j.CallAs != "" {
		o.CallAs = types.CallAsSelf
		if j.CallAs == "delegated-admin" {
			o.CallAs = types.CallAsDelegatedAdmin
		}
	}
	for _, region := range j.Regions {
		if region != "all" && !isGlob(region) {
			o.Regions = append(o.Regions, region)
		}
	}
	if !j.Selector.Empty() || len(j.Selector.ExcludeOUs)+len(j.Selector.ExcludeAccounts) > 0 {
		chosen, err := j.walk(ctx, true)
		if err != nil {
			return err
		}
		o.Accounts = append([]*orgs.Account{}, chosen.accounts...)
	}
	bar := j.out.Bar("looking", 0)
	o.Entered = func(done, of int) { bar.Set(done, of, "accounts entered") }
	report, err := doctor.Examine(ctx, j.session, o)
	bar.Done()
	if err != nil {
		return err
	}
	return j.showDoctor(report)
}

// activate switches trusted access on, after a question.
func (j *job) activate(ctx context.Context) error {
	organization, on, err := doctor.Access(ctx, j.session)
	if err != nil {
		return err
	}
	if j.ExpectOrganization != "" && organization.ID != j.ExpectOrganization {
		return fmt.Errorf("the credentials belong to organization %s, and --expect-organization says %s; nothing was changed", organization.ID, j.ExpectOrganization)
	}
	if on {
		j.out.Line("StackSets has trusted access to organization %s already; nothing was changed", organization.ID)
		return nil
	}
	j.out.Line("Trusted access lets StackSets make a role in each account of the organization to which it deploys.")
	if err := j.confirm(ctx, fmt.Sprintf("Switch on trusted access for CloudFormation StackSets in organization %s?", organization.ID)); err != nil {
		return err
	}
	if err := doctor.Activate(ctx, j.session); err != nil {
		return err
	}
	j.out.Line("StackSets has trusted access to organization %s now", organization.ID)
	return nil
}
