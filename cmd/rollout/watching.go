package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"rollout/orgs"
	"rollout/reports"
	"rollout/stackset"
)

// watch waits until the remediations of a first wave have ended and what they changed
// has been evaluated again, and says what is against going on, "" for nothing.
func (j *job) watch(ctx context.Context, plan *stackset.Plan, so *stackset.Result) (hold string, err error) {
	in, automatic := settleInput(plan, so), remediatedIn(plan)
	in.Accounts, in.Limit, in.Sessions = watched(plan), j.Settle, reports.NewSessions(j.session)
	// What else the run brought to these accounts is not the wave's.
	since := in.Since
	in.Since = func(account, region, rule string) (time.Time, bool) {
		if !automatic(account, region, rule) {
			return time.Time{}, false
		}
		return since(account, region, rule)
	}
	in.Automatic = automatic
	if len(in.Accounts) == 0 {
		return "no account is in it that can be watched", nil
	}
	j.out.Line("watching the first wave of automatic remediation, %s", counted(len(in.Accounts), "account"))
	view := &reportView{j: j}
	settled, err := reports.Settle(ctx, j.session, in, view.event)
	view.done()
	if err != nil {
		return "", err
	}
	var notes []reports.PlaceNote
	for _, n := range settled.Unsettled {
		notes = append(notes, reports.PlaceNote{Place: n.Place, Why: fmt.Sprintf("%s when --settle %s was over", n.Why, j.Settle)})
	}
	notes = slices.Concat(notes, settled.LeftOut, settled.Later)
	if notes != nil {
		return against(notes), nil
	}
	gathered := reports.Collect(ctx, j.session, reports.GatherInput{Accounts: in.Accounts, Regions: in.Regions, Rules: in.Rules, Sessions: in.Sessions}, nil)
	if err := ctx.Err(); err != nil {
		return "", err
	}
	notes, left := reports.Unmended(gathered, automatic)
	if notes != nil {
		return against(notes), nil
	}
	as := ""
	if left > 0 {
		as = fmt.Sprintf(", but for %s that the remediation leaves as they are and says why", counted(left, "resource"))
	}
	j.out.Line("the first wave held: nothing failed and every finding is gone%s; the rest follows", as)
	return "", nil
}

// watched are the accounts of a plan's first waves, in the order of the plan.
func watched(plan *stackset.Plan) []*orgs.Account {
	ids := map[string]bool{}
	for _, w := range plan.Waves {
		for _, id := range slices.Concat(w.First, w.Before) {
			ids[id] = true
		}
	}
	var out []*orgs.Account
	for _, a := range plan.Desired.Accounts {
		if ids[a.ID] {
			out = append(out, a)
		}
	}
	return out
}

// remediatedIn says in which places of a plan's first waves the findings of a rule are
// remediated automatically.
func remediatedIn(plan *stackset.Plan) func(account, region, rule string) bool {
	type key struct{ account, region, rule string }
	in := map[key]bool{}
	for _, w := range plan.Waves {
		i := slices.IndexFunc(plan.Sets, func(s stackset.Set) bool { return s.Name == w.StackSet })
		rules := map[string][]string{}
		for _, c := range plan.Changes {
			if c.StackSet != w.StackSet || c.Action == stackset.Skip || c.Action == stackset.Delete || !slices.Contains(w.First, c.AccountID) && !slices.Contains(w.Before, c.AccountID) {
				continue
			}
			if _, known := rules[c.Region]; !known {
				for _, r := range plan.Sets[i].Remediations(c.Region, plan.Desired.Partition) {
					rules[c.Region] = append(rules[c.Region], r.Rule)
				}
			}
			for _, rule := range rules[c.Region] {
				in[key{c.AccountID, c.Region, rule}] = true
			}
		}
	}
	return func(account, region, rule string) bool { return in[key{account, region, rule}] }
}

// againstLines is how much of what is against going on is told.
const againstLines = 10

func against(notes []reports.PlaceNote) string {
	var lines []string
	for i, n := range notes {
		if i == againstLines {
			lines = append(lines, fmt.Sprintf("and %d more", len(notes)-i))
			break
		}
		lines = append(lines, fmt.Sprintf("account %s (%s), %s: %s", n.Account.ID, n.Account.Name, n.Region, n.Why))
	}
	return strings.Join(lines, "\n  ")
}

// heldBack says of a run that ended after its first wave why it did, what is enforced
// now, and what to do.
func (j *job) heldBack(plan *stackset.Plan, result *stackset.Result) string {
	enforced, waiting := map[string]bool{}, map[string]bool{}
	for _, w := range plan.Waves {
		for _, id := range w.Before {
			enforced[id] = true
		}
		for _, id := range w.Later {
			waiting[id] = true
		}
		for _, o := range result.Outcomes {
			if o.StackSet == w.StackSet && o.Status == stackset.OutcomeSucceeded && slices.Contains(w.First, o.AccountID) {
				enforced[o.AccountID] = true
			}
		}
	}
	text := fmt.Sprintf("the first wave of automatic remediation did not hold, and %s did not follow:\n  %s\n", counted(len(waiting), "account"), result.Held)
	if len(enforced) > 0 {
		set := ""
		if j.StackSet != "" {
			set = " --stack-set " + j.StackSet
		}
		ids := slices.Sorted(maps.Keys(enforced))
		text += fmt.Sprintf("Enforced automatically by now: %s. rollout disarm --template %s%s --account %s takes that out again, and rollout restore puts back what was changed.\n", strings.Join(ids, ", "), j.Template, set, strings.Join(ids, ","))
	}
	again := "run the same command again"
	if j.Kept != nil {
		again = "plan and deploy again"
	}
	return text + "Once it is mended, " + again + ": it looks at these accounts first, and then goes on."
}
