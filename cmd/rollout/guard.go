package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"rollout/internal/blast"
	"rollout/internal/terminal"
	"rollout/stackset"
	"rollout/templates"
)

// guarded says whether automatic remediation is held to --max-blast: always where
// something real can be changed, and in a simulation where it is asked for.
func (j *job) guarded() bool { return !j.simulated || j.MaxBlast != "" }

// guard holds a plan to what may be enforced automatically: nowhere that its rule has not
// been evaluated or that could not be read, and in a few accounts first. An account that
// cannot be judged is left out and does not hold up the others: where nothing is known
// nothing is changed, and what detects goes on there.
func (j *job) guard(ctx context.Context, plan *stackset.Plan) error {
	if len(toEnforce(plan)) == 0 {
		return nil
	}
	canary := stackset.Canary{Share: j.Canary, Kept: j.keptWaves()}
	if j.guarded() {
		radius := &blast.Radius{} // of a glance, in which no account is entered, nothing is known
		if !j.WithoutPreflight {
			var err error
			if radius, err = j.blastRadius(ctx, plan); err != nil {
				return err
			}
		}
		j.radius = radius
		before := len(toEnforce(plan))
		reasons := withheld(radius)
		plan.Withhold(func(t templates.Template, at stackset.Target) string {
			why, looked := reasons[place{at, t.Name}]
			if !looked {
				return "nobody looked at what it would change"
			}
			return why
		})
		j.withheld = before - len(toEnforce(plan))
		plan.EstimateCost(starts(radius)) // of what is left
		weights := weigh(radius)
		canary.Weigh = func(set, account string) (stackset.Weight, bool) {
			w, known := weights[[2]string{set, account}]
			return w, known
		}
	}
	if !j.simulated || j.Canary != "" {
		plan.Stage(canary)
	}
	return nil
}

// place is a template in an account and Region.
type place struct {
	stackset.Target
	template string
}

// toEnforce are the places that a plan is going to enforce in automatically, by template.
func toEnforce(plan *stackset.Plan) map[place]bool {
	sets := map[string]bool{}
	for _, s := range plan.Sets {
		sets[s.Name] = s.Automatic
	}
	out := map[place]bool{}
	for _, c := range plan.Changes {
		if sets[c.StackSet] && (c.Action == stackset.Create || c.Action == stackset.Update || c.Action == stackset.Recreate) {
			out[place{c.Target, c.Template}] = true
		}
	}
	return out
}

// withheld says of each place that was looked at why automatic remediation stays out, ""
// where it need not.
func withheld(r *blast.Radius) map[place]string {
	out := map[place]string{}
	for _, p := range r.Places {
		why := ""
		if !p.Evaluated {
			why = "its rule has not been evaluated there: " + orWord(p.Why, "no evaluation is known")
		}
		out[place{stackset.Target{AccountID: p.AccountID, Region: p.Region}, p.Template}] = why
	}
	for _, u := range r.Unread {
		out[place{stackset.Target{AccountID: u.AccountID, Region: u.Region}, u.Template}] = "what it would change could not be read: " + u.Said
	}
	return out
}

// weigh counts what would be changed, by set and account.
func weigh(r *blast.Radius) map[[2]string]stackset.Weight {
	out := map[[2]string]stackset.Weight{}
	for _, p := range r.Places {
		out[[2]string{p.StackSet, p.AccountID}] = stackset.Weight{}
	}
	for _, one := range r.Resources {
		if !one.WouldChange {
			continue
		}
		k := [2]string{one.StackSet, one.AccountID}
		w := out[k]
		w.Resources++
		if one.Verdict != blast.Safe {
			w.NotSafe++
		}
		out[k] = w
	}
	return out
}

// keptWaves are the first waves of the plan that is carried out, nil without.
func (j *job) keptWaves() map[string][]string {
	if j.Kept == nil {
		return nil
	}
	out := map[string][]string{}
	for _, w := range j.Kept.Plan.Waves {
		out[w.StackSet] = w.First
	}
	return out
}

// blastError refuses automatic remediation of more than was allowed.
type blastError struct {
	needs, most int // most is -1 where --max-blast was not given
	withheld    int // places that automatic remediation stays out of
	head        []string
}

// said is the refusal in one line.
func (e *blastError) said() string {
	if e.most < 0 {
		return fmt.Sprintf("--remediation automatic would change %s, and --max-blast was not given", counted(e.needs, "resource"))
	}
	return fmt.Sprintf("--remediation automatic would change %s, more than --max-blast %d allows", counted(e.needs, "resource"), e.most)
}

func (e *blastError) Error() string {
	text := e.said() + "; nothing was changed"
	if len(e.head) > 0 {
		text += ". Worst first:\n  " + strings.Join(e.head, "\n  ")
		if more := e.needs - len(e.head); more > 0 {
			text += fmt.Sprintf("\n  and %d more", more)
		}
	}
	if e.withheld > 0 {
		text += fmt.Sprintf("\n%s left out, where the rule has not been evaluated or what would be changed could not be read: the plan says why", counted(e.withheld, "place")+" would be")
	}
	return text
}

// Remedy says what to do about it.
func (e *blastError) Remedy() string {
	if e.needs == 0 {
		return "Deploy with --remediation off first, and again once AWS Config has evaluated the rule; --max-blast 0 goes on without what is left out."
	}
	return fmt.Sprintf("Look at all of them with rollout plan --blast-radius; --max-blast %d allows them, --remediation manual changes none by itself.", e.needs)
}

// headLines is how many resources a refusal names.
const headLines = 10

// checkBlast refuses to carry a plan out that would change more than --max-blast allows.
// It is asked before anything changes, as rollout plan changes nothing.
func (j *job) checkBlast(plan *stackset.Plan) error {
	pending := toEnforce(plan)
	if !j.guarded() || len(pending) == 0 && (j.withheld == 0 || j.MaxBlast != "") {
		return nil
	}
	refusal := &blastError{most: -1, withheld: j.withheld}
	for _, one := range j.radius.Resources {
		if one.WouldChange && pending[place{stackset.Target{AccountID: one.AccountID, Region: one.Region}, one.Template}] {
			if refusal.needs++; refusal.needs <= headLines {
				refusal.head = append(refusal.head, terminal.Clean(fmt.Sprintf("%s: %s %s in account %s, %s: %s", one.Verdict, one.Type, one.ID, one.AccountID, one.Region, one.Reason)))
			}
		}
	}
	if most, _ := parseMaxBlast(j.MaxBlast); j.MaxBlast != "" {
		if refusal.needs <= most {
			return nil
		}
		refusal.most = most
	}
	return refusal
}

// parseMaxBlast reads --max-blast; "" is 0.
func parseMaxBlast(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, usageError{fmt.Sprintf("--max-blast %q: use a number of resources from 0", text)}
	}
	return n, nil
}

// checkCanary checks --canary.
func checkCanary(text string) error {
	if text == "" {
		return nil
	}
	number, percent := strings.CutSuffix(text, "%")
	n, err := strconv.Atoi(number)
	if err != nil || n < stackset.MinCanary || percent && n > 100 || !percent && n > stackset.MaxCanary {
		return usageError{fmt.Sprintf("--canary %q: use a number of accounts from %d to %d, or a percentage from 1%% to 100%%, of which at most %d accounts are taken", text, stackset.MinCanary, stackset.MaxCanary, stackset.MaxCanary)}
	}
	return nil
}
