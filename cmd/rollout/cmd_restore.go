package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
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
		Description: "Finds what a security group had before a remediation changed it: in the object that the runbook wrote to the\n" +
			"delivery bucket, else in AWS Config's history of the group, else in CloudTrail's event history of 90 days. It says\n" +
			"where, shows the rules, asks, tags the group " + templates.ExemptTag + " so that nothing takes them again, puts the missing\n" +
			"ones back and looks. Rules that the group has now stay. Other settings come back from the object alone. Without\n" +
			"--resource it lists what the bucket keeps.\n\n" +
			"  rollout restore --account shop-prod --region eu-west-1\n" +
			"  rollout restore --account shop-prod --region eu-west-1 --resource sg-0123456789abcdef0\n\n" +
			"In the account it assumes the first of " + strings.Join(restoreRoles, ", ") + " that works, or\n" +
			"--role-name, narrowed to the reads and writes of a restore.\n\n" + exitStatusHelp,
		Flags: groups(restoreWho(), []cli.Flag{
			list(which, "account", "`ACCOUNT` of the resource: an id, or a name"),
			list(which, "region", "`REGION` of the resource"),
			list(which, "resource", "`ID` of a security group, or a name of the list; repeat or separate by commas"),
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
	source    restore.Source
	before    time.Time
}

func restoreRequest(c *cli.Context) (restoring, error) {
	r := restoring{resources: commaList(c, "resource"), source: restore.Source(c.String("from"))}
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
func (j *job) restorePlace(ctx context.Context) (restore.Place, error) {
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
	entry, err := j.session.Enter(ctx, account, restore.Policy)
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
	place, err := j.restorePlace(ctx)
	if err != nil {
		return err
	}
	if len(r.resources) == 0 {
		return j.listKept(ctx, place)
	}
	var plans []*restore.Plan
	var settings []*restore.Setting
	for _, id := range r.resources {
		if !restore.IsGroup(id) {
			if r.source != "" && r.source != restore.FromObject {
				return usageError{"--from " + string(r.source) + ": of " + id + " only the object in the delivery bucket knows what it was"}
			}
			setting, err := restore.FindSetting(ctx, place, id, r.before)
			if err != nil {
				return err
			}
			settings = append(settings, setting)
			continue
		}
		plan, err := restore.Find(ctx, place, restore.Request{GroupID: id, Source: r.source, Before: r.before})
		var nothing *restore.NothingError
		if errors.As(err, &nothing) && len(r.resources) > 1 {
			j.out.Warn("%v", err)
			continue
		}
		if err != nil {
			return err
		}
		plans = append(plans, plan)
	}
	pending := 0
	for _, plan := range plans {
		if err := showRestore(j.streams.err, plan); err != nil {
			return err
		}
		if len(plan.Missing) > 0 {
			pending++
		}
	}
	for _, s := range settings {
		showSetting(j.streams.err, s)
		if len(s.Changes) > 0 {
			pending++
		}
	}
	if pending > 0 {
		if err := j.confirm(ctx, fmt.Sprintf("Put this back in account %s, %s, exempt from remediation from now on where a tag can say so?", place.AccountID, place.Region)); err != nil {
			return err
		}
	}
	list := []restoredJSON{}
	for _, plan := range plans {
		row := restoredOf(plan)
		if len(plan.Missing) > 0 {
			done, err := restore.Apply(ctx, plan, "restored "+j.Started.Format(time.RFC3339)+" rollout-"+j.Run)
			if err != nil {
				return err
			}
			row.Exempted, row.Restored = done.Exempted, rulesJSON(done.Restored)
		}
		list = append(list, row)
	}
	for _, s := range settings {
		if err := s.Apply(ctx); err != nil {
			return err
		}
		list = append(list, restoredJSON{
			AccountID: s.AccountID, Region: s.Region, Resource: s.Resource, Source: string(restore.FromObject), Where: s.Where, Taken: stampOf(s.Taken),
			Restored: []ruleJSON{}, Present: []ruleJSON{}, Changes: append([]string{}, s.Changes...),
		})
	}
	return j.result(func() error { return showRestored(j.streams.out, list) }, list, func() error { return writeLines(j.streams.out, list) })
}

// showSetting shows what the restore of a setting would do.
func showSetting(w io.Writer, s *restore.Setting) {
	fmt.Fprintf(w, "\n%s (%s), %s\nwhat it was: %s, changed %s\n", s.Resource, s.Kind, s.Place, s.Where, stampOf(s.Taken))
	for _, c := range s.Changes {
		fmt.Fprintf(w, "  %s\n", c)
	}
	if len(s.Changes) == 0 {
		fmt.Fprintf(w, "  it is so already: %s\n", s.Now)
	}
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

// showRestore shows what a restore would do.
func showRestore(w io.Writer, p *restore.Plan) error {
	fmt.Fprintf(w, "\n%s (%s, %s), %s\nwhat it had: %s", p.GroupID, p.GroupName, p.VPCID, p.Place, p.Image.Where)
	if !p.Image.Taken.IsZero() {
		fmt.Fprintf(w, ", taken away %s", stampOf(p.Image.Taken))
	}
	fmt.Fprintln(w)
	for _, t := range p.Tried {
		fmt.Fprintf(w, "not from %s: %s\n", t.Source, t.Why)
	}
	exempt := "it will be tagged " + templates.ExemptTag + " first"
	if p.HasExempt {
		exempt = fmt.Sprintf("it is exempt already (%s=%s)", templates.ExemptTag, p.Exempt)
	}
	fmt.Fprintln(w, exempt)
	var rows [][]string
	for _, r := range p.Missing {
		rows = append(rows, ruleRow("put back", r))
	}
	for _, r := range p.Present {
		rows = append(rows, ruleRow("is there", r))
	}
	return terminal.Table(w, []string{"", "DIRECTION", "PROTOCOL", "PORTS", "PEER", "DESCRIPTION"}, rows)
}

func ruleRow(word string, r restore.Rule) []string {
	return []string{word, r.Direction(), r.ProtocolName(), r.Ports(), r.Peer, r.Description}
}

type restoredJSON struct {
	AccountID string     `json:"account_id"`
	Region    string     `json:"region"`
	Resource  string     `json:"resource"`
	Source    string     `json:"source"`
	Where     string     `json:"where"`
	Taken     string     `json:"taken"`
	Exempted  bool       `json:"exempted"`
	Restored  []ruleJSON `json:"restored"`
	Present   []ruleJSON `json:"present"`
	// Changes are those of what is no security group.
	Changes []string `json:"changes"`
}

type ruleJSON struct {
	Direction   string `json:"direction"`
	Protocol    string `json:"protocol"`
	Ports       string `json:"ports"`
	Peer        string `json:"peer"`
	Description string `json:"description"`
}

func rulesJSON(list []restore.Rule) []ruleJSON {
	out := []ruleJSON{}
	for _, r := range list {
		out = append(out, ruleJSON{r.Direction(), r.ProtocolName(), r.Ports(), r.Peer, r.Description})
	}
	return out
}

func restoredOf(p *restore.Plan) restoredJSON {
	return restoredJSON{
		AccountID: p.AccountID, Region: p.Region, Resource: p.GroupID, Source: string(p.Image.Source), Where: p.Image.Where, Taken: stampOf(p.Image.Taken),
		Restored: []ruleJSON{}, Present: rulesJSON(p.Present), Changes: []string{},
	}
}

func showRestored(w io.Writer, list []restoredJSON) error {
	for _, r := range list {
		switch {
		case len(r.Changes) > 0:
			fmt.Fprintf(w, "%s: put back, and seen\n", r.Resource)
		case len(r.Restored) == 0 && len(r.Present) == 0:
			fmt.Fprintf(w, "%s: nothing to do, it is as it was\n", r.Resource)
		case len(r.Restored) == 0:
			fmt.Fprintf(w, "%s: nothing to do, it has all %d rules\n", r.Resource, len(r.Present))
		default:
			fmt.Fprintf(w, "%s: %d rules put back from %s, and seen\n", r.Resource, len(r.Restored), r.Source)
		}
	}
	return nil
}
