package main

import (
	"context"
	"fmt"
	"io"

	"rollout/internal/blast"
	"rollout/internal/terminal"
	"rollout/stackset"
)

// planJSON is a plan in machine output, with its blast radius where that was read.
type planJSON struct {
	stackset.JSONPlan
	BlastRadius *blast.JSONRadius `json:"blast_radius,omitempty"`
}

// blastRadius reads what the enforcement of a plan would change, once, and estimates what
// the plan costs by it.
func (j *job) blastRadius(ctx context.Context, plan *stackset.Plan) (*blast.Radius, error) {
	var err error
	if j.radius == nil {
		j.radius, err = j.readBlast(ctx, plan)
	}
	if err == nil {
		plan.EstimateCost(starts(j.radius))
	}
	return j.radius, err
}

// starts are what runbooks would be started for, in the places that could be read: each
// resource that is not as the rule wants it, also those that its runbook then leaves.
func starts(r *blast.Radius) map[stackset.LookedAt]stackset.Starts {
	type key struct{ template, account, region string }
	unread := map[key]bool{}
	for _, u := range r.Unread {
		unread[key{u.Template, u.AccountID, u.Region}] = true
	}
	out := map[stackset.LookedAt]stackset.Starts{}
	at := func(set, account, region string) stackset.LookedAt {
		return stackset.LookedAt{StackSet: set, Target: stackset.Target{AccountID: account, Region: region}}
	}
	for _, p := range r.Places {
		if !unread[key{p.Template, p.AccountID, p.Region}] {
			out[at(p.StackSet, p.AccountID, p.Region)] = stackset.Starts{}
		}
	}
	for _, one := range r.Resources {
		k := at(one.StackSet, one.AccountID, one.Region)
		if n, looked := out[k]; looked {
			n.Runs++
			if one.WouldChange {
				n.Changes++
			}
			out[k] = n
		}
	}
	return out
}

// readBlast reads what enforcement would change.
func (j *job) readBlast(ctx context.Context, plan *stackset.Plan) (*blast.Radius, error) {
	var bar *terminal.Bar
	defer func() { bar.Done() }()
	radius, err := blast.Read(ctx, j.session, plan, func(e blast.Event) {
		switch e := e.(type) {
		case blast.Started:
			j.out.Line("blast radius: reading %s of %s", counted(e.Places, "place"), counted(e.Accounts, "account"))
			bar = j.out.Bar("blast radius", e.Accounts)
		case blast.AccountRead:
			bar.Set(e.Done, e.Total, "accounts")
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read what enforcement would change: %w", err)
	}
	return radius, nil
}

// foreseen is what a run that enforces would change, nil of one that has nothing to do,
// which reads nothing for it.
func (j *job) foreseen(ctx context.Context, plan *stackset.Plan) (*blast.Radius, error) {
	if j.Remediation == stackset.RemediationOff || j.Remediation == "" || j.Quiet || !plan.Pending() {
		return nil, nil
	}
	return j.blastRadius(ctx, plan)
}

// showWhole writes a plan for a person, with its blast radius where that was read.
func (j *job) showWhole(plan *stackset.Plan) error {
	err := showPlan(j.streams.out, j.out, plan, j.Verbose)
	if err == nil && j.radius != nil && !j.WithoutPreflight {
		err = showBlast(j.streams.out, plan, j.radius, blastLines)
	}
	return err
}

// blastLines is how many resources a plan lists for a person.
const blastLines = 100

// showBlast sums a blast radius up, template by template, and lists the worst.
func showBlast(w io.Writer, plan *stackset.Plan, r *blast.Radius, lines int) error {
	how := "what --remediation " + string(plan.Desired.Remediation) + " would change now"
	if plan.Desired.Remediation == stackset.RemediationOff || plan.Desired.Remediation == "" {
		how = "what --remediation manual would change now, when somebody starts it"
	}
	if len(r.Places) == 0 {
		fmt.Fprintln(w, "\nBlast radius: nothing is enforced in this run, nor could be")
		return nil
	}
	fmt.Fprintf(w, "\nBlast radius: %s\n\n", how)
	var rows [][]string
	for _, name := range r.Templates() {
		c := r.Count(name)
		rows = append(rows, []string{name, fmt.Sprint(c.Places), countOrDash(c.Evaluated), countOrDash(c.WouldChange), countOrDash(c.NotSafe), countOrDash(c.Unknown), countOrDash(c.Safe), countOrDash(c.Left), countOrDash(c.Unread)})
	}
	if err := terminal.Table(w, []string{"TEMPLATE", "PLACES", "EVALUATED", "WOULD CHANGE", "NOT SAFE", "UNKNOWN", "SAFE", "LEFT", "UNREAD"}, rows); err != nil {
		return err
	}
	if len(r.Resources) > 0 {
		fmt.Fprintln(w)
		if err := showWorst(w, r.Resources, lines); err != nil {
			return err
		}
	}
	showUnread(w, r.Unread)
	return nil
}

func showWorst(w io.Writer, resources []blast.Resource, lines int) error {
	var rows [][]string
	for _, one := range resources[:min(lines, len(resources))] {
		change := "change"
		if !one.WouldChange {
			change = "leave"
		}
		account := one.AccountID
		if one.Account != nil {
			account += " (" + one.Account.Name + ")"
		}
		rows = append(rows, []string{string(one.Verdict), change, account, one.Region, one.ID, one.Reason})
	}
	if err := terminal.Table(w, []string{"VERDICT", "WOULD", "ACCOUNT", "REGION", "RESOURCE", "WHY"}, rows); err != nil {
		return err
	}
	if more := len(resources) - lines; more > 0 {
		fmt.Fprintf(w, "and %d more, worst first: rollout plan --blast-radius --output json has them\n", more)
	}
	return nil
}

// showUnread groups what could not be read by what AWS said.
func showUnread(w io.Writer, unread []blast.Unread) {
	groups := map[string][]stackset.Change{}
	var order []string
	for _, u := range unread {
		k := u.Template + ": " + u.Said
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], stackset.Change{Target: stackset.Target{AccountID: u.AccountID, Region: u.Region}, Account: u.Account})
	}
	for i, k := range order {
		if i == 0 {
			fmt.Fprintln(w, "\nNot read, so not known:")
		}
		fmt.Fprintf(w, "  %4d  %s: %s\n", len(groups[k]), terminal.Clean(k), places(groups[k]))
	}
}
