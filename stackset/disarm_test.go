package stackset

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"rollout/orgs"
	"rollout/templates"
)

// there are the sets of the default-security-group run with instances in two
// Regions of each account.
func there(accounts []*orgs.Account) (d Desired, sets []Set) {
	t, _ := templates.Lookup(templates.DefaultSecurityGroup)
	d.Templates = []templates.Template{t}
	d.Accounts, d.HomeRegion = accounts, "b"
	for _, w := range WantedSets(d) {
		s := Set{Name: w.Name, Template: w.Template, Automatic: w.Automatic, Exists: true, Instances: map[Target]Instance{}}
		for _, a := range accounts {
			for _, region := range []string{"b", "z"} {
				s.Instances[Target{a.ID, region}] = Instance{OU: "r-root", Status: "CURRENT", DetailedStatus: "SUCCEEDED"}
			}
		}
		sets = append(sets, s)
	}
	return d, sets
}

func counted(p *Plan) map[string]int {
	out := map[string]int{}
	for _, c := range p.Changes {
		out[strings.TrimPrefix(c.StackSet, "rollout-")+" "+string(c.Action)+" "+c.Region]++
		if c.Reason == "" {
			out["no reason"]++
		}
	}
	return out
}

func TestDisarmPlan(t *testing.T) {
	_, accounts := forest(3)
	d, sets := there(accounts)
	p := DisarmPlan(d, sets, Scope{})
	if diff := gocmp.Diff(map[string]int{
		"default-security-group-enforce delete b": 3, "default-security-group-enforce delete z": 3,
		"default-security-group-enforce-automatic delete b": 3, "default-security-group-enforce-automatic delete z": 3,
	}, counted(p)); diff != "" {
		t.Error(diff)
	}
	for name, test := range map[string]struct {
		scope Scope
		want  map[string]int
	}{
		"a Region":            {Scope{Regions: []string{"z"}, Accounts: []string{accounts[0].ID}}, map[string]int{"default-security-group-enforce delete z": 1, "default-security-group-enforce-automatic delete z": 1}},
		"no account":          {Scope{Accounts: []string{}}, map[string]int{}},
		"what is enforced":    {Scope{Templates: []string{"default-security-group"}, Accounts: []string{accounts[1].ID}}, map[string]int{"default-security-group-enforce delete b": 1, "default-security-group-enforce delete z": 1, "default-security-group-enforce-automatic delete b": 1, "default-security-group-enforce-automatic delete z": 1}},
		"another template":    {Scope{Templates: []string{"ebs-encryption"}}, map[string]int{}},
		"one set by name":     {Scope{StackSet: "rollout-default-security-group-enforce-automatic", Regions: []string{"b"}}, map[string]int{"default-security-group-enforce-automatic delete b": 3}},
		"by what is enforced": {Scope{StackSet: "rollout-default-security-group", Regions: []string{"b"}}, map[string]int{"default-security-group-enforce delete b": 3, "default-security-group-enforce-automatic delete b": 3}},
		"a name's beginning":  {Scope{StackSet: "rollout"}, map[string]int{}},
	} {
		if diff := gocmp.Diff(test.want, counted(DisarmPlan(d, sets, test.scope))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	narrow := Scope{Regions: []string{"z"}}
	if q := DisarmPlan(d, sets, narrow); q.Hash == p.Hash || q.Hash != DisarmPlan(d, sets, narrow).Hash {
		t.Error("the hash does not identify the changes")
	}
	if p := DisarmPlan(d, sets[:3], Scope{}); p.Pending() || len(p.Sets) != 0 {
		t.Errorf("%+v", p)
	}
}

func TestRemovePlan(t *testing.T) {
	_, accounts := forest(10)
	d, sets := there(accounts)
	for _, test := range []struct {
		most   string
		chosen int
		want   string // in the error
	}{
		{"", 1, "delete 2 of the 20 instances of stack set rollout-default-security-group, and 1 are allowed: --max-deletions 2"},
		{"5%", 1, "and 1 are allowed"},
		{"10%", 1, ""},
		{"10%", 2, "delete 4 of the 20"},
		{"4", 2, ""},
		{"3", 2, "and 3 are allowed"},
		{"0", 1, "and 0 are allowed"},
		{"0", 0, ""},
		{"100%", 10, ""},
		{"many", 1, "neither a number nor a percentage"},
		{"-1", 1, "neither a number nor a percentage"},
	} {
		t.Run(fmt.Sprint(test.most, " of ", test.chosen), func(t *testing.T) {
			d := d
			d.Accounts = accounts[:test.chosen]
			p, err := RemovePlan(d, sets, RemoveOptions{MaxDeletions: test.most})
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) || p != nil {
					t.Errorf("%v", err)
				}
				if strings.Contains(test.want, "allowed") && !errors.As(err, new(*TooManyError)) {
					t.Errorf("%T", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := counted(p)
			if len(p.Sets) != 3 || got["recording delete b"]+got["recording-base delete b"] != 0 || got["default-security-group delete z"] != test.chosen || got["default-security-group-enforce delete b"] != test.chosen {
				t.Errorf("%d sets, %v", len(p.Sets), got)
			}
		})
	}
	recording, _ := templates.Lookup(templates.Recording)
	d.Templates = []templates.Template{recording}
	if p, err := RemovePlan(d, sets, RemoveOptions{MaxDeletions: "100%"}); err != nil || len(p.Sets) != 1 || p.Sets[0].Name != "rollout-recording" {
		t.Errorf("%+v, %v", p, err)
	}
}
