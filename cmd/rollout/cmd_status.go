package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/urfave/cli/v2"

	"rollout/internal/awsapi"
	"rollout/internal/terminal"
	"rollout/orgs"
	"rollout/stackset"
	"rollout/templates"
)

func statusCommand(s streams) *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "the StackSets' instances and operations",
		Description: "Without --template: every StackSet of rollout's in the home Region, found by its tag rollout:template\n" +
			"whatever its name, and what enforces elsewhere. With it: that template's, and those of what it needs.\n" +
			"With --include-management also the management account's plain stacks, in every Region.",
		Flags: groups(whoFlags(), []cli.Flag{
			toggle(which, "include-management", "the plain stacks of the management account too"),
		}, narrowingFlags(), shapeFlags()),
		Action: func(c *cli.Context) error { return with(c, s, runStatus) },
	}
}

type statusJSON struct {
	Name           string         `json:"name"`
	Template       string         `json:"template"`
	Exists         bool           `json:"exists"`
	Region         string         `json:"region"`
	Outdated       bool           `json:"template_outdated"`
	Instances      int            `json:"instances"`
	ByStatus       map[string]int `json:"by_detailed_status"`
	Failures       []failureJSON  `json:"failures"`
	Operations     []operationRow `json:"operations"`
	AutoDeployment statusAutoJSON `json:"auto_deployment"`
	// Remediation is manual or automatic where the set enforces, else "".
	Remediation string `json:"remediation"`
	// Plain are the plain stacks of the management account that stand for instances.
	Plain []plainJSON `json:"plain_stacks"`
}

type plainJSON struct {
	AccountID string `json:"account_id"`
	Region    string `json:"region"`
	Status    string `json:"status"` // a StackStatus, "" where it could not be read
	Reason    string `json:"reason"`
	StackID   string `json:"stack_id"`
	Outdated  bool   `json:"template_outdated"`
}

// statusAutoJSON is what StackSets does by itself when accounts come and go.
type statusAutoJSON struct {
	Enabled   bool     `json:"enabled"`
	Retain    bool     `json:"retain_stacks_on_account_removal"`
	DependsOn []string `json:"depends_on"`
}

// words say what comes before it in an account, and what stays in one that leaves.
func (a statusAutoJSON) words() string {
	var names []string
	for _, arn := range a.DependsOn {
		_, name, _ := strings.Cut(arn, ":stackset/")
		name, _, _ = strings.Cut(name, ":")
		names = append(names, orWord(name, arn))
	}
	text := ""
	if len(names) > 0 {
		text = " after " + strings.Join(names, ", ")
	}
	if a.Retain {
		text += " (stacks stay in an account that leaves)"
	}
	return text
}

type failureJSON struct {
	AccountID string `json:"account_id"`
	Region    string `json:"region"`
	Status    string `json:"detailed_status"`
	Reason    string `json:"reason"`
}

type operationRow struct {
	ID      string `json:"operation_id"`
	Action  string `json:"action"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Failed  int    `json:"failed_instances"`
	Created string `json:"created"`
	Ended   string `json:"ended"`
}

// runStatus shows the StackSets of the one template that is named with what it needs, and
// without a name every StackSet of rollout's in the home Region.
func runStatus(ctx context.Context, j *job) error {
	if j.Template == "" && j.StackSet == "" {
		return statusOfAll(ctx, j)
	}
	j.Template = orWord(j.Template, templates.DefaultSecurityGroup)
	chosen, err := j.walkTree(ctx)
	if err != nil {
		return err
	}
	r, err := j.chooseRegions(ctx, false)
	if err != nil {
		return err
	}
	if j.Selector.IncludeManagement {
		chosen.accounts = slices.DeleteFunc(slices.Clone(chosen.tree.Accounts), func(a *orgs.Account) bool { return !a.Management })
		if err := j.managementAllowed(chosen); err != nil {
			return err
		}
	}
	_, found, err := j.look(ctx, chosen, r, r.all)
	if err != nil {
		return err
	}
	list := []statusJSON{}
	for _, set := range found.Sets {
		var ops []stackset.Operation
		if set.Exists {
			if ops, err = stackset.Operations(ctx, j.session, chosen.callAs, set.Name, statusOperations); err != nil {
				return err
			}
		}
		list = append(list, statusOf(j.session.HomeRegion, set, ops))
	}
	return j.showSets(list)
}

// statusOperations is how many of a StackSet's newest operations are shown.
const statusOperations = 5

func statusOfAll(ctx context.Context, j *job) error {
	callAs, err := j.callsAs(ctx)
	if err != nil {
		return err
	}
	r, err := j.chooseRegions(ctx, false)
	if err != nil {
		return err
	}
	o := stackset.OursOptions{CallAs: callAs, Regions: r.on}
	if j.Selector.IncludeManagement {
		if callAs != types.CallAsSelf {
			return &stackset.DelegatedManagementError{Caller: j.session.Account}
		}
		o.Management = j.session.Account
	}
	found, err := stackset.FindOurs(ctx, j.session, o)
	if err != nil {
		return err
	}
	for _, w := range append(found.Warnings, elsewhereWords(found)...) {
		j.out.Warn("%s", w)
	}
	list := []statusJSON{}
	for _, set := range found.Sets {
		ops := found.Operations[set.Name]
		list = append(list, statusOf(j.session.HomeRegion, set, ops[:min(len(ops), statusOperations)]))
	}
	if len(list) == 0 {
		j.out.Line("No StackSet of rollout is in %s (%d StackSets were looked at).", j.session.HomeRegion, found.Listed)
	}
	if err := j.showSets(list); err != nil {
		return err
	}
	for _, p := range found.Problems {
		j.out.Warn("StackSet %s could not be read: %s", p.StackSet, awsapi.Plain(p.Err))
	}
	for _, p := range found.Plain {
		j.out.Warn("%s", p.Error())
	}
	if len(found.Problems) > 0 {
		return &statusError{exitPartial, "done in part: " + counted(len(found.Problems), "StackSet") + " could not be read"}
	}
	if len(found.Plain) > 0 {
		return &statusError{exitPartial, "done in part: plain stacks could not be read"}
	}
	return nil
}

func statusOf(home string, set stackset.Set, ops []stackset.Operation) statusJSON {
	row := statusJSON{Name: set.Name, Template: set.Template.Name, Exists: set.Exists, Region: home, Instances: len(set.Instances), ByStatus: map[string]int{}, Failures: []failureJSON{}, Operations: []operationRow{}, Plain: []plainJSON{}}
	for _, at := range slices.SortedFunc(maps.Keys(set.Singles), stackset.Target.Compare) {
		if one := set.Singles[at]; one.Ours || one.Unread != "" {
			row.Plain = append(row.Plain, plainJSON{at.AccountID, at.Region, one.Status, orWord(one.Unread, one.Reason), one.ID, one.Ours && one.SHA256 != set.Template.SHA256()})
		}
	}
	row.Outdated = set.Exists && set.SHA256 != set.Template.SHA256()
	row.AutoDeployment = statusAutoJSON{set.Auto.Enabled, set.Auto.Retain, append([]string{}, set.Auto.DependsOn...)}
	if set.Template.Remediates {
		row.Remediation = "manual"
		if set.Automatic {
			row.Remediation = "automatic"
		}
	}
	for _, i := range sortedInstances(set) {
		row.ByStatus[orWord(i.DetailedStatus, i.Status)]++
		if i.DetailedStatus != "SUCCEEDED" && i.Reason != "" {
			row.Failures = append(row.Failures, failureJSON{i.AccountID, i.Region, i.DetailedStatus, i.Reason})
		}
	}
	for _, op := range ops {
		row.Operations = append(row.Operations, operationRow{op.ID, op.Action, op.Status, op.StatusReason, op.Failed, stampOf(op.Created), stampOf(op.Ended)})
	}
	return row
}

func (j *job) showSets(list []statusJSON) error {
	return j.result(func() error { return j.showStatus(list) }, list, func() error { return writeLines(j.streams.out, list) })
}

func (j *job) showStatus(list []statusJSON) error {
	w := j.streams.out
	for _, s := range list {
		if !s.Exists && len(s.Plain) == 0 {
			fmt.Fprintf(w, "%s: not there\n", s.Name)
			continue
		}
		if s.Exists {
			fmt.Fprintf(w, "%s in %s: %s", s.Name, s.Region, counted(s.Instances, "instance"))
		} else {
			fmt.Fprintf(w, "%s: no StackSet", s.Name)
		}
		if s.Name != "rollout-"+s.Template {
			fmt.Fprintf(w, ", template %s", s.Template)
		}
		if s.Remediation != "" && s.Instances+len(s.Plain) > 0 {
			fmt.Fprintf(w, ", enforces (%s)", s.Remediation)
		}
		if s.AutoDeployment.Enabled {
			fmt.Fprintf(w, ", deploys automatically%s", s.AutoDeployment.words())
		}
		if s.Outdated {
			fmt.Fprint(w, ", template older than this rollout's")
		}
		fmt.Fprintln(w)
		for _, p := range s.Plain {
			fmt.Fprintf(w, "  plain stack in %s %s: %s", p.AccountID, p.Region, orWord(p.Status, "could not be read"))
			if p.Outdated {
				fmt.Fprint(w, ", template older than this rollout's")
			}
			if p.Reason != "" {
				fmt.Fprintf(w, ": %s", terminal.Clean(p.Reason))
			}
			fmt.Fprintln(w)
		}
		for _, k := range sortedNames(s.ByStatus) {
			fmt.Fprintf(w, "  %6d %s\n", s.ByStatus[k], k)
		}
		for i, f := range s.Failures {
			if i == 20 {
				fmt.Fprintf(w, "  … and %d more; --output json has them\n", len(s.Failures)-i)
				break
			}
			fmt.Fprintf(w, "  %s %s %s: %s\n", f.AccountID, f.Region, f.Status, f.Reason)
		}
		for _, op := range s.Operations {
			fmt.Fprintf(w, "  %s %-12s %-9s %d failed  %s\n", op.Created, op.Action, op.Status, op.Failed, op.ID)
		}
	}
	return nil
}
