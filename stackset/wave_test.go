package stackset

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rollout/internal/awsapi"
	"rollout/orgs"
	"rollout/templates"
)

func TestTheSizeOfAFirstWave(t *testing.T) {
	for _, test := range []struct {
		share    string
		accounts int
		want     int
	}{
		{"", 3000, 10}, {"", 250, 2}, {"", 60, 1}, {"", 1, 1}, {"1%", 999, 9}, {"5%", 60, 3}, {"100%", 4, 4}, {"100%", 400, 10}, {"1", 400, 1}, {"10", 400, 10}, {"7", 2, 7},
	} {
		if got := (Canary{Share: test.share}).size(test.accounts); got != test.want {
			t.Errorf("%q of %d: %d, want %d", test.share, test.accounts, got, test.want)
		}
	}
}

// staged is a plan in which a set is to enforce automatically in accounts under OUs, by
// the last digit of their ids.
func staged(t *testing.T, paths map[int]string, change func(n int) Action) *Plan {
	t.Helper()
	template, err := templates.Lookup("default-security-group-enforce")
	if err != nil {
		t.Fatal(err)
	}
	p := &Plan{Desired: Desired{Caller: "000000000000", Management: "000000000000"}, Sets: []Set{{Name: "groups-automatic", Template: template, Automatic: true, Exists: true}}}
	for n := range 20 {
		path, there := paths[n]
		if !there {
			continue
		}
		ou := &orgs.OU{ID: "r-root"}
		for _, name := range strings.Split(path, "/") {
			ou = &orgs.OU{Name: name, Parent: ou, Path: path}
		}
		a := &orgs.Account{ID: id(n), OU: ou, Management: n == 0}
		for _, region := range []string{home, other} {
			p.Changes = append(p.Changes, Change{StackSet: "groups-automatic", Account: a, Target: Target{a.ID, region}, Action: change(n), Single: a.Management})
		}
	}
	return p
}

func id(n int) string { return fmt.Sprintf("%012d", n) }

func ids(numbers ...int) []string {
	var out []string
	for _, n := range numbers {
		out = append(out, id(n))
	}
	return out
}

func created(int) Action { return Create }

// The accounts that prove most and in which least can go wrong are first; the
// management account never is; and what was chosen before stays chosen.
func TestWhoIsFirst(t *testing.T) {
	under := map[int]string{0: "Root", 1: "Workloads/Prod", 2: "Workloads/Dev", 3: "Workloads/Dev", 4: "Sandbox", 5: "Workloads/Production/Web"}
	weights := map[string]Weight{id(1): {1, 0}, id(2): {3, 0}, id(3): {2, 1}, id(4): {}, id(5): {0, 0}}
	weigh := func(_, account string) (Weight, bool) { w, known := weights[account]; return w, known }
	for name, test := range map[string]struct {
		canary Canary
		alter  func(p *Plan)
		change func(n int) Action
		first  []string
		before []string
		later  int // accounts that wait; 0 for no wave at all
	}{
		"by OU and id":                   {canary: Canary{Share: "2"}, first: ids(4, 2), later: 4},
		"something is changed":           {canary: Canary{Share: "1", Weigh: weigh}, first: ids(2), later: 5},
		"safe before unsafe":             {canary: Canary{Share: "3", Weigh: weigh}, first: ids(1, 2, 3), later: 3},
		"nothing to change comes last":   {canary: Canary{Share: "4", Weigh: weigh}, first: ids(1, 2, 3, 4), later: 2},
		"chosen before":                  {canary: Canary{Share: "2", Kept: map[string][]string{"groups-automatic": ids(5, 9)}}, first: ids(5, 4), later: 4},
		"the management account is last": {canary: Canary{Share: "5"}, first: ids(1, 2, 3, 4, 5), later: 1},
		"all of it":                      {canary: Canary{Share: "6"}},
		"who cannot be looked at": {canary: Canary{Share: "1"}, alter: func(p *Plan) {
			p.Facts = &Facts{Accounts: map[string]*AccountFacts{id(4): {Gap: Gap{Class: awsapi.ClassDenied, Text: "denied"}}}}
		}, first: ids(2), later: 5},
		"the caller's own": {canary: Canary{Share: "1"}, alter: func(p *Plan) { p.Desired.Caller = id(4) }, first: ids(2), later: 5},
		"an update that the set needs": {canary: Canary{Share: "1"}, alter: func(p *Plan) { p.Sets[0].Outdated = "template changed" },
			change: func(n int) Action {
				if n == 5 {
					return Update
				}
				return Create
			}, first: ids(5), later: 5},
		"after an interrupted first wave": {canary: Canary{Share: "1"}, change: func(n int) Action {
			if n == 3 {
				return None
			}
			return Create
		}, before: ids(3), later: 5},
		"a larger first wave than before": {canary: Canary{Share: "2"}, change: func(n int) Action {
			if n == 3 {
				return None
			}
			return Create
		}, before: ids(3), first: ids(4), later: 4},
		"a smaller one is no way around": {canary: Canary{Share: "1"}, change: func(n int) Action {
			if n == 1 || n == 3 {
				return None
			}
			return Create
		}, before: ids(1, 3), later: 4},
		"nothing to do": {canary: Canary{Share: "1"}, change: func(int) Action { return None }},
		"another set":   {canary: Canary{Share: "1"}, alter: func(p *Plan) { p.Sets[0].Automatic = false }},
	} {
		t.Run(name, func(t *testing.T) {
			change := test.change
			if change == nil {
				change = created
			}
			p := staged(t, under, change)
			if test.alter != nil {
				test.alter(p)
			}
			p.Stage(test.canary)
			if test.later == 0 {
				if len(p.Waves) > 0 {
					t.Errorf("waves %+v", p.Waves)
				}
				return
			}
			if len(p.Waves) != 1 {
				t.Fatalf("waves %+v", p.Waves)
			}
			slices.Sort(test.first)
			w := p.Waves[0]
			if !slices.Equal(w.First, test.first) || !slices.Equal(w.Before, test.before) || len(w.Later) != test.later {
				t.Errorf("%+v, want first %v, before %v, %d later", w, test.first, test.before, test.later)
			}
			again := staged(t, under, change)
			if test.alter != nil {
				test.alter(again)
			}
			slices.Reverse(again.Changes)
			again.Stage(test.canary)
			if !slices.Equal(again.Waves[0].First, w.First) {
				t.Errorf("in another order %v", again.Waves)
			}
		})
	}
}

// Where more accounts are enforced than a first wave has, an earlier run went on after
// its own.
func TestNoWaveAfterTheFirst(t *testing.T) {
	under := map[int]string{}
	for n := range 15 {
		under[n+1] = "Workloads/Dev"
	}
	p := staged(t, under, func(n int) Action {
		if n <= MaxCanary+1 {
			return None
		}
		return Create
	})
	if p.Stage(Canary{}); p.Waves != nil {
		t.Errorf("%+v", p.Waves)
	}
}

// What is withheld is skipped with its reason, and manual enforcement stays there.
func TestWithhold(t *testing.T) {
	p := newPlanCase(nil).plan(t, Desired{Regions: []string{home, other}, Remediation: RemediationAutomatic}, nil)
	for _, region := range []string{home, other} {
		p.Changes = append(p.Changes, Change{StackSet: "rollout-default-security-group-enforce", Template: "default-security-group-enforce", Target: Target{p.Changes[0].AccountID, region}, Action: Delete, Reason: "enforcement changes"})
	}
	for i := range p.Sets {
		if p.Sets[i].Automatic {
			p.Sets[i].Outdated = "template changed"
		}
	}
	before := p.Hash
	p.Withhold(func(template templates.Template, at Target) string {
		if template.Name != "default-security-group-enforce" || at.Region == other {
			return ""
		}
		return "not evaluated"
	})
	got := map[string]string{}
	for _, c := range p.Changes {
		if strings.Contains(c.StackSet, "enforce") {
			got[c.StackSet+" "+c.Region] = string(c.Action) + " " + c.Reason
		}
	}
	want := map[string]string{
		"rollout-default-security-group-enforce us-east-1":           "none stays manual, since automatic enforcement cannot be there: not evaluated",
		"rollout-default-security-group-enforce eu-west-1":           "delete enforcement changes",
		"rollout-default-security-group-enforce-automatic us-east-1": "skip not enforced automatically: not evaluated",
		"rollout-default-security-group-enforce-automatic eu-west-1": "create ",
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s: %q, want %q", k, got[k], v)
		}
	}
	if p.Hash == before {
		t.Error("the plan has its hash from before")
	}
	i := slices.IndexFunc(p.Findings, func(f Finding) bool { return f.Code == "automatic-withheld" })
	if i < 0 || p.Findings[i].Severity != SeverityError || p.Findings[i].StackSet != "rollout-default-security-group-enforce-automatic" || p.Findings[i].Region != home || !strings.HasSuffix(p.Findings[i].Text, ": not evaluated.") {
		t.Errorf("findings %+v", p.Findings)
	}
	p.Withhold(func(templates.Template, Target) string { return "nowhere" })
	for _, s := range p.Sets {
		if s.Automatic && s.Outdated != "" {
			t.Error("a set with nothing to do is updated")
		}
	}
}
