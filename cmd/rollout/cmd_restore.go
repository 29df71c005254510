package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"rollout/internal/restore"
	"rollout/internal/terminal"
	"rollout/templates"
)

// restoreRoles are tried in the account: the role that exists for it first.
var restoreRoles = []string{templates.OperatorRole, "OrganizationAccountAccessRole", "AWSControlTowerExecution"}

func restoreCommand(s streams) *cli.Command {
	return &cli.Command{
		Name:  "restore",
		Usage: "put back what a remediation took away",
		Description: "Finds what a resource was like before a remediation changed it: in the object that the runbook wrote to the\n" +
			"delivery bucket, else in AWS Config's history of it (security groups, instances, buckets), else in CloudTrail's event\n" +
			"history of 90 days (groups, instances, snapshots); other settings come back from the object alone. It says where,\n" +
			"shows what would change, asks, tags the resource " + templates.ExemptTag + " so that nothing takes it again, puts it back and\n" +
			"looks. Rules that a group has now stay; a setting that somebody changed since is refused. Without --resource it lists\n" +
			"what the bucket keeps, for recording-base's HistoryRetentionDays: 400 unless you say otherwise.\n\n" +
			"What opens a snapshot or a bucket to the public has to be named by --public as well; --yes alone does not do it.\n\n" +
			"  rollout restore --account shop-prod --region eu-west-1\n" +
			"  rollout restore --account shop-prod --region eu-west-1 --resource sg-0123456789abcdef0\n" +
			"  rollout restore --account shop-prod --region eu-west-1 --resource snap-0123456789abcdef0 --public snap-0123456789abcdef0\n\n" +
			"In the account it assumes the first of " + strings.Join(restoreRoles, ", ") + " that works, or\n" +
			"--role-name, narrowed to the reads and writes of a restore.\n\n" + exitStatusHelp,
		Flags: groups(restoreWho(), []cli.Flag{
			list(which, "account", "`ACCOUNT` of the resource: an id, or a name"),
			list(which, "region", "`REGION` of the resource"),
			list(which, "resource", "`ID` of a group, instance, snapshot or bucket, or a name of the list; repeat or separate by commas"),
			list(how, "public", "`ID` of --resource that may be opened to the public; repeat or separate by commas"),
			list(what, "parameter", "DeliveryBucketPrefix=`PREFIX` where recording-base was given one"),
			text(how, "from", "", "`object|config|cloudtrail`: only from there (default: the first that has it)"),
			text(how, "before", "", "only what was there before `TIME` (2026-11-25T09:00:00Z)"),
			yesFlag(),
		}, shapeFlags()),
		Action: func(c *cli.Context) error {
			r, err := restoreRequest(c)
			if err != nil {
				return err
			}
			return withOptions(c, s, func(o *options) {
				if len(o.RoleNames) == 0 {
					o.RoleNames = restoreRoles
				}
			}, func(ctx context.Context, j *job) error { return j.restore(ctx, r) })
		},
	}
}

// restoreWho are the options about the caller; the roles have another default.
func restoreWho() []cli.Flag {
	flags := whoFlags()
	for i, f := range flags {
		if role, ok := f.(*cli.StringSliceFlag); ok && role.Name == "role-name" {
			flags[i] = list(who, "role-name", "`ROLE` assumed in the account (default: "+strings.Join(restoreRoles, ", ")+")")
		}
	}
	return flags
}

// restoring is what the restore command was asked for.
type restoring struct {
	resources []string
	public    []string // those of resources that may be opened to the public
	source    restore.Source
	before    time.Time
}

func restoreRequest(c *cli.Context) (restoring, error) {
	r := restoring{resources: commaList(c, "resource"), public: commaList(c, "public"), source: restore.Source(c.String("from"))}
	for _, id := range r.public {
		if !slices.Contains(r.resources, id) {
			return r, usageError{"--public " + id + ": it is not among --resource"}
		}
	}
	if err := oneOf("from", c.String("from"), "", string(restore.FromObject), string(restore.FromConfig), string(restore.FromCloudTrail)); err != nil {
		return r, err
	}
	if text := c.String("before"); text != "" {
		var err error
		if r.before, err = time.Parse(time.RFC3339, text); err != nil {
			return r, usageError{fmt.Sprintf("--before %q: write a time like 2026-11-25T09:00:00Z", text)}
		}
	}
	return r, nil
}

var accountID = regexp.MustCompile(`^\d{12}$`)

// restorePlace enters the one account that the resource is in. An id is taken as it is:
// whoever restores is in a hurry, and a walk of a large organization takes a minute.
func (j *job) restorePlace(ctx context.Context, public bool) (restore.Place, error) {
	if len(j.Selector.Accounts) != 1 || strings.ContainsAny(j.Selector.Accounts[0], "*?[") {
		return restore.Place{}, usageError{"name the one account of the resource with --account: an id, or a name"}
	}
	if len(j.named) != 0 || len(j.Regions) != 1 || strings.ContainsAny(j.Regions[0], "*?") || j.Regions[0] == "all" {
		return restore.Place{}, usageError{"name the one Region of the resource with --region"}
	}
	account := j.Selector.Accounts[0]
	if !accountID.MatchString(account) {
		chosen, err := j.walk(ctx, false)
		if err != nil {
			return restore.Place{}, err
		}
		if len(chosen.accounts) != 1 {
			return restore.Place{}, usageError{fmt.Sprintf("--account %s is %d accounts: give the id", account, len(chosen.accounts))}
		}
		account = chosen.accounts[0].ID
	}
	entry, err := j.session.Enter(ctx, account, restore.Policy(public))
	if err != nil {
		return restore.Place{}, fmt.Errorf("enter account %s: %w; nothing was changed", account, err)
	}
	if entry.Role != "" {
		j.out.Line("account %s as %s, narrowed to the reads and writes of a restore", account, entry.Role)
	}
	return restore.Place{
		AccountID: account, Region: j.Regions[0], HomeRegion: j.session.HomeRegion, Config: entry.Config, PathStyle: j.session.Endpoint != "",
		Bucket: templates.DeliveryBucketName(j.Parameters[templates.ParameterDeliveryBucketPrefix], account, j.session.HomeRegion),
	}, nil
}

func (j *job) restore(ctx context.Context, r restoring) error {
	for name := range j.Parameters {
		if name != templates.ParameterDeliveryBucketPrefix {
			return usageError{"--parameter " + name + ": a restore takes " + templates.ParameterDeliveryBucketPrefix + " only"}
		}
	}
	place, err := j.restorePlace(ctx, len(r.public) > 0)
	if err != nil {
		return err
	}
	if len(r.resources) == 0 {
		return j.listKept(ctx, place)
	}
	found, err := j.findRestores(ctx, place, r)
	if err != nil {
		return err
	}
	pending, err := found.show(j.streams.err)
	if err != nil {
		return err
	}
	if err := namedPublic(found.settings, r.public); err != nil {
		return err
	}
	if pending > 0 {
		if err := j.confirm(ctx, fmt.Sprintf("Put this back in account %s, %s, exempt from remediation from now on where a tag can say so?", place.AccountID, place.Region)); err != nil {
			return err
		}
	}
	list, err := found.apply(ctx, "restored "+j.Started.Format(time.RFC3339)+" rollout-"+j.Run)
	if err != nil {
		return err
	}
	return j.result(func() error { return showRestored(j.streams.out, list) }, list, func() error { return writeLines(j.streams.out, list) })
}

// restores are what was found to put back.
type restores struct {
	plans    []*restore.Plan
	settings []*restore.Setting
}

// findRestores looks up every resource that was asked for. Among several, one of which no
// source knows anything is a warning.
func (j *job) findRestores(ctx context.Context, place restore.Place, r restoring) (restores, error) {
	var all restores
	for _, id := range r.resources {
		if sources := restore.SourcesOf(id); r.source != "" && !slices.Contains(sources, r.source) {
			return all, usageError{fmt.Sprintf("--from %s: what %s was is known from %s only", r.source, id, listWords(sources))}
		}
		request := restore.Request{Resource: id, Source: r.source, Before: r.before}
		var err error
		if restore.IsGroup(id) {
			var plan *restore.Plan
			if plan, err = restore.Find(ctx, place, request); err == nil {
				all.plans = append(all.plans, plan)
			}
		} else {
			var setting *restore.Setting
			if setting, err = restore.FindSetting(ctx, place, request); err == nil {
				all.settings = append(all.settings, setting)
			}
		}
		var nothing *restore.NothingError
		switch {
		case errors.As(err, &nothing) && len(r.resources) > 1:
			j.out.Warn("%v", err)
		case err != nil:
			return all, err
		}
	}
	return all, nil
}

// show shows what would be done, and counts the resources that would change.
func (all restores) show(w io.Writer) (pending int, err error) {
	for _, plan := range all.plans {
		if err := showRestore(w, plan); err != nil {
			return 0, err
		}
		if len(plan.Missing) > 0 {
			pending++
		}
	}
	for _, s := range all.settings {
		showSetting(w, s)
		if len(s.Changes) > 0 {
			pending++
		}
	}
	return pending, nil
}

// apply puts everything back, and stops at the first that fails; its error says what was
// put back before.
func (all restores) apply(ctx context.Context, reason string) ([]restoredJSON, error) {
	list, done := []restoredJSON{}, []string{}
	failed := func(err error) ([]restoredJSON, error) {
		if len(done) == 0 {
			return nil, err
		}
		return nil, fmt.Errorf("%w (put back before that: %s)", err, listWords(done))
	}
	for _, plan := range all.plans {
		row := restoredOf(plan)
		if len(plan.Missing) > 0 {
			result, err := restore.Apply(ctx, plan, reason)
			if err != nil {
				return failed(err)
			}
			row.Exempted, row.Restored = result.Exempted, rulesJSON(result.Restored)
			done = append(done, plan.GroupID)
		}
		list = append(list, row)
	}
	for _, s := range all.settings {
		exempted, err := s.Apply(ctx, reason)
		if err != nil {
			return failed(err)
		}
		if len(s.Changes) > 0 {
			done = append(done, s.Resource)
		}
		list = append(list, settingOf(s, exempted))
	}
	return list, nil
}

// namedPublic refuses what would be opened to the public and was not named for it: a
// --yes that stands in a script says nothing about that.
func namedPublic(settings []*restore.Setting, named []string) error {
	for _, s := range settings {
		if len(s.Changes) > 0 && len(s.Public) > 0 && !slices.Contains(named, s.Resource) {
			return usageError{fmt.Sprintf("%s would be opened to the public, as it says above, and --yes alone does not do that: name it with --public %s; nothing was changed", s.Resource, s.Resource)}
		}
	}
	return nil
}

func (j *job) listKept(ctx context.Context, place restore.Place) error {
	kept, err := restore.List(ctx, place)
	if err != nil {
		return err
	}
	type row struct {
		Resource string `json:"resource"`
		Newest   string `json:"newest"`
		Images   int    `json:"images"`
	}
	rows, cells := []row{}, [][]string{}
	for _, k := range kept {
		rows = append(rows, row{k.Resource, stampOf(k.Newest), k.Images})
		cells = append(cells, []string{k.Resource, stampOf(k.Newest), fmt.Sprint(k.Images)})
	}
	return j.result(func() error {
		if len(rows) == 0 {
			_, err := fmt.Fprintf(j.streams.out, "s3://%s keeps nothing of account %s in %s. --resource asks AWS Config and CloudTrail about one security group.\n", place.Bucket, place.AccountID, place.Region)
			return err
		}
		return terminal.Table(j.streams.out, []string{"RESOURCE", "NEWEST BEFORE-IMAGE", "IMAGES"}, cells)
	}, rows, func() error { return writeLines(j.streams.out, rows) })
}
