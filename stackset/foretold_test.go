package stackset_test

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"rollout/internal/simaws"
	"rollout/orgs"
	"rollout/stackset"
	"rollout/templates"
)

// Over organizations of chance the plan is held to what a deploy then does, instance by
// instance: what it creates, updates, makes anew or deletes comes true; what it skips
// fails when it is done all the same, unless the skip says that nobody can look or that
// nobody wants it; what it leaves alone is as it should be. A second plan has nothing to
// do, and the operations are those that were named. Each organization is deployed to
// several times, and changes in between as organizations do; faults on the wire change
// nothing of this.
func TestEveryFailureIsForetold(t *testing.T) {
	total := newTally()
	n, one := overSeeds(t, 200, 10, func(w *seeded) {
		w.lead()
		total.add(w.tally)
	})
	if t.Failed() || one {
		t.Log("\n" + total.String())
		return
	}
	foretoldPage(t, n, total)
}

// overSeeds runs organizations of chance side by side: n of them, a few with the race
// detector and -short, since a plain run tries the others. ROLLOUT_SEED=123 runs one and
// tells what it is; ROLLOUT_SEEDS=2000 runs so many. It says how many ran, and whether
// that is a chosen one.
func overSeeds(t *testing.T, n, few uint64, each func(w *seeded)) (ran uint64, one bool) {
	t.Helper()
	first, n := number(t, "ROLLOUT_SEED", 0), number(t, "ROLLOUT_SEEDS", n)
	if underRace || testing.Short() {
		n = min(n, few)
	}
	if first > 0 {
		n = 1
	}
	t.Run("seeds", func(t *testing.T) {
		for seed := max(first, 1); seed < max(first, 1)+n; seed++ {
			t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newSeeded(t, seed)
					w.tally = newTally()
					each(w)
					if t.Failed() || first > 0 {
						t.Logf("ROLLOUT_SEED=%d is:\n%s", seed, strings.Join(w.said, "\n"))
					}
				})
			})
		}
	})
	return n, first > 0
}

// lead deploys to the organization a few times.
func (w *seeded) lead() {
	runs := 1 + w.r.IntN(3)
	for n := range runs {
		w.last = n == runs-1
		if n > 0 {
			w.change()
		}
		d, ok := w.wish()
		if !ok {
			continue
		}
		w.say("run %d: %v, %s, in %v of %d accounts, parameters %v, prune %v, management %v", n+1, names(d.Templates), d.Remediation, d.Regions, len(d.Accounts), d.Parameters, d.Prune, d.Management != "")
		w.foretold(d)
	}
}

func names(list []templates.Template) (out []string) {
	for _, t := range list {
		out = append(out, t.Name)
	}
	return out
}

// asked are the templates that a run asks for, the ones that make more first.
var asked = []string{"default-security-group", "default-security-group", "vpc-flow-logs", "password-policy", "ebs-encryption", "imds-v2", "s3-encryption", "restrict-ssh-rdp", "open-ports", "detection", "access-keys", "public-exposure", "rollout-reader", "support-role"}

// wish is a run of chance.
func (w *seeded) wish() (d stackset.Desired, ok bool) {
	w.t.Helper()
	var list []templates.Template
	for range 1 + w.r.IntN(2) {
		name := pick(w.r, asked...)
		t, err := templates.Lookup(name)
		if err != nil {
			w.t.Fatal(err)
		}
		if !slices.Contains(names(list), name) {
			list = append(list, t)
		}
	}
	accounts, management := w.members(), ""
	if w.chance(0.3) {
		ou := w.tree.Root
		if len(ou.Children) > 0 {
			ou = pick(w.r, ou.Children...)
		}
		accounts = slices.DeleteFunc(accounts, func(a *orgs.Account) bool {
			return a.OUPath() != ou.Path && !strings.HasPrefix(a.OUPath(), ou.Path+"/")
		})
	}
	if w.chance(0.3) {
		management = w.session.Account
		for _, a := range w.tree.Accounts {
			if a.Management {
				accounts = append(accounts, a)
			}
		}
	}
	if len(accounts) == 0 {
		return d, false
	}
	mode := pick(w.r, stackset.RemediationOff, stackset.RemediationOff, stackset.RemediationManual, stackset.RemediationAutomatic)
	d = w.desired(list, mode, accounts, some(w.r, home, west, optIn)...)
	d.HomeRegion, d.Management, d.ReuseExisting = w.home, management, w.chance(0.8)
	d.Prune, d.MaxDeletions = w.chance(0.2), "100%"
	d.Walked = map[string]*orgs.Account{}
	for _, a := range w.tree.Accounts {
		d.Walked[a.ID] = a
	}
	if stackset.Check(d) != nil {
		d.Remediation = stackset.RemediationOff
	}
	if slices.ContainsFunc(templates.Together(list), func(t templates.Template) bool { return t.Name == templates.RecordingBase }) && w.chance(0.3) {
		d.Parameters = map[string]string{"HistoryRetentionDays": pick(w.r, "30", "90")}
	}
	return d, true
}

// blind are reasons for which a plan does not know whether something could be; it says so
// by a warning.
var blind = regexp.MustCompile(`the account cannot be entered: |the Region could not be read: |the Region was not read|could not be seen: `)

// wished are reasons for which a plan leaves out what could be.
var wished = regexp.MustCompile(`the equal rule .* gives the verdict|^needs |, and the roles are there$|is there without a stack instance, left by an earlier deployment$|enforced \(|^stays |^stack set \S+ is outdated|^in conflict: |Control Tower`)

// foretold plans, deploys, and holds the one to the other.
func (w *seeded) foretold(d stackset.Desired) {
	p, err := w.prepare(d)
	if err != nil {
		w.tally.count("refused", reasonOf(err.Error()))
		w.say("refused: %v", err)
		return
	}
	if os.Getenv("ROLLOUT_SEED") != "" {
		for _, c := range p.Changes {
			w.say("    %s %s in %s: %s %v", c.Action, c.StackSet, w.place(c.Target), c.Reason, c.Overrides)
		}
	}
	result := w.apply(p)
	failed := map[string]bool{}
	planned := map[string]stackset.Change{}
	for _, c := range p.Changes {
		planned[c.StackSet+" "+c.AccountID+" "+c.Region] = c
	}
	all := true
	for _, o := range result.Outcomes {
		c := planned[o.StackSet+" "+o.AccountID+" "+o.Region]
		if o.Status == stackset.OutcomeSucceeded {
			w.tally.count("came true", string(c.Action))
			continue
		}
		all = false
		failed[o.StackSet+o.AccountID+o.Region] = true
		if why := w.unknowable(p, o); why != "" {
			w.tally.count("announced", why)
			continue
		}
		w.t.Errorf("NOT FORETOLD: %s of %s in %s: %s: %s", o.Action, o.StackSet, w.place(o.Target), o.Status, o.Reason)
	}
	if all {
		w.asNamed(p, result)
	}
	again := w.plan(d)
	for _, c := range again.Changes {
		before := planned[c.StackSet+" "+c.AccountID+" "+c.Region]
		blindly := found(p, c.Target, unseen...) || found(again, c.Target, "policy-may-deny") && before.Action == stackset.Skip || before.Action == stackset.Skip && blind.MatchString(before.Reason)
		if c.Action != stackset.None && c.Action != stackset.Skip && !failed[c.StackSet+c.AccountID+c.Region] && !blindly {
			w.t.Errorf("NOT IDEMPOTENT: a second plan would %s %s of %s: %s", c.Action, c.StackSet, w.place(c.Target), c.Reason)
		}
	}
	w.settled(p)
	w.force(p)
}

// unknowable says why no plan could know that a change would fail, "" where it could. Each
// of these is announced by a finding of the place.
func (w *seeded) unknowable(p *stackset.Plan, o stackset.Outcome) string {
	switch {
	case o.Status == stackset.OutcomeSkipped && strings.HasPrefix(o.Reason, "needs "):
		return "what it needs failed"
	case strings.Contains(o.Reason, "is not authorized to perform") && found(p, o.Target, "policy-may-deny"):
		return "the policy looks at what a plan cannot know"
	case found(p, o.Target, unseen...):
		return "the place could not be looked into"
	}
	return ""
}

// unseen are the codes of what preflight could not look at.
var unseen = []string{"account-closed", "region-unread", "roles-unread"}

// found says whether a plan has a finding of one of some codes in a place.
func found(p *stackset.Plan, t stackset.Target, codes ...string) bool {
	return slices.ContainsFunc(p.Findings, func(f stackset.Finding) bool {
		return slices.Contains(codes, f.Code) && slices.ContainsFunc(f.Places, func(at stackset.Place) bool {
			return at.AccountID == t.AccountID && (at.Region == "" || at.Region == t.Region)
		})
	})
}

// settled holds what a plan leaves alone to be as it should: the stack is there, or the
// recorder, the rule or the bucket that takes its place.
func (w *seeded) settled(p *stackset.Plan) {
	for _, c := range p.Changes {
		if c.Action != stackset.None {
			continue
		}
		w.tally.count("left alone", reasonOf(cmp.Or(c.Reason, "it is there as it should be")))
		held := w.sim.Held(c.AccountID, c.Region)
		there := func(is func(simaws.Thing) bool) bool { return slices.ContainsFunc(held, is) }
		ok := strings.Contains(c.Reason, "no stack") || strings.Contains(c.Reason, "without a stack is of no use")
		switch {
		case strings.Contains(c.Reason, "recorder ") && strings.Contains(c.Reason, "is there"):
			ok = w.sim.Recorder(c.AccountID, c.Region) != ""
		case strings.Contains(c.Reason, "the bucket "):
			ok = there(func(t simaws.Thing) bool { return t.Type == "AWS::S3::Bucket" && strings.Contains(c.Reason, t.Name) })
		case strings.Contains(c.Reason, "rule "):
			ok = there(func(t simaws.Thing) bool {
				return t.Type == "AWS::Config::ConfigRule" && strings.Contains(c.Reason, t.Name)
			})
		case !ok:
			ok = there(func(t simaws.Thing) bool { return t.Type == stackType && (t.Set == c.StackSet || t.Name == c.StackSet) })
		}
		if !ok {
			w.t.Errorf("NOT AS IT SHOULD: %s in %s is left alone (%s), and is not there", c.StackSet, w.place(c.Target), c.Reason)
		}
	}
}

// asNamed holds the operations of a deploy to those that the plan named.
func (w *seeded) asNamed(p *stackset.Plan, result *stackset.Result) {
	n := 0
	for _, s := range p.Steps(stackset.ApplyOptions{RetainAuto: true}) {
		switch s.Call {
		case "CreateStackInstances", "UpdateStackInstances", "DeleteStackInstances", "UpdateStackSet":
			n++
		}
	}
	if n != len(result.Operations) {
		w.t.Errorf("the plan named %d operations, and %d were made", n, len(result.Operations))
	}
}
