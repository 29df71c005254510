package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"rollout/internal/simaws"
)

// explained runs explain and reads its JSON, held to its schema.
func (th *theater) explained(args ...string) explainJSON {
	th.t.Helper()
	status, said := th.run(nil, words([]string{"explain"}, args, []string{"--output", "json", "--quiet"})...)
	if status != exitDone {
		th.t.Fatalf("%v: exit status %d\n%s", args, status, said)
	}
	var out explainJSON
	said = said[strings.IndexByte(said, '{'):]
	if err := json.Unmarshal([]byte(said), &out); err != nil {
		th.t.Fatalf("%v\n%s", err, said)
	}
	matches(th.t, "explain", []byte(said))
	return out
}

// What is explained of an account is what StackSets and Config have of it, and few
// calls are made for it, by id however large the organization is.
func TestExplainAnAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newTheater(t, simaws.Options{})
		th.play(act{before: words2(deployed, twice), after: automatic})
		e := th.explained("MEMBERID")
		if got := th.calls.actions(); slices.Contains(got, "organizations:ListAccounts") {
			t.Errorf("an account known by its id was looked for: %v", got)
		}
		if e.Account.ID != th.member().ID || e.Account.OUPath != th.member().OUPath || !e.Selected {
			t.Errorf("%+v", e)
		}
		if want := []string{"eu-west-1", "us-east-1"}; !slices.Equal(e.Regions, want) {
			t.Errorf("Regions %v, want %v", e.Regions, want)
		}
		var names []string
		for _, s := range e.Sets {
			names = append(names, s.StackSet)
			automatic := s.StackSet == "rollout-default-security-group"
			if s.AutoDeployment.Enabled != automatic || automatic && !(s.AutoDeployment.Retain && strings.Contains(s.AutoDeployment.Meaning, "gets instances in eu-west-1, us-east-1, without overrides") && strings.Contains(s.AutoDeployment.Meaning, "stay when it leaves")) {
				t.Errorf("%s: %+v", s.StackSet, s.AutoDeployment)
			}
			for _, i := range s.Instances {
				if i.Detailed != "SUCCEEDED" || i.Operation.Status != "SUCCEEDED" || i.Operation.Ended == "" {
					t.Errorf("%s %s: %+v", s.StackSet, i.Region, i)
				}
				if base := s.Template == "recording-base"; base != (len(i.Overrides) > 0) {
					t.Errorf("%s: overrides %+v", s.StackSet, i.Overrides)
				}
			}
		}
		// In the order of deployment.
		if want := []string{"rollout-recording-base", "rollout-recording", "rollout-default-security-group", "rollout-default-security-group-enforce"}; !slices.Equal(names, want) {
			t.Errorf("sets %v, want %v", names, want)
		}
		if len(e.Cells) != 2 || len(e.Changes) != 7 {
			t.Errorf("%d cells, %d changes", len(e.Cells), len(e.Changes))
		}
		calls := 0
		for _, n := range th.calls.seen {
			calls += n
		}
		// The account and its OUs, the Regions, the list, two a set and its targets, one an
		// instance and an operation, the role twice.
		if calls > 40 {
			t.Errorf("%d calls of the identity: %v", calls, th.calls.seen)
		}

		if e = th.explained("MEMBER", "eu-west-1", "--ou", "Sandbox"); e.Selected || e.Reason != "not under --ou Sandbox" || len(e.Cells) != 1 || e.Account.OUPath != th.member().OUPath {
			t.Errorf("%+v", e)
		}
		for _, s := range e.Sets {
			if len(s.Instances) != 1 {
				t.Errorf("%s: %d instances for one Region", s.StackSet, len(s.Instances))
			}
		}

		// Where nothing is, it is about the home Region, and every set is there without
		// an instance.
		for _, a := range th.sim.Accounts() {
			if strings.HasPrefix(a.OUPath, "Sandbox") && a.State == "ACTIVE" {
				e = th.explained(a.ID)
			}
		}
		if len(e.Regions) != 1 || len(e.Sets) != 4 || len(e.Sets[3].Instances) != 0 || e.Changes[0].Action != "create" {
			t.Errorf("%+v", e)
		}
		for _, s := range e.Sets {
			// The deploy by --account had the root for its target, and automatic deployment
			// takes no account filter.
			if s.AutoDeployment.Enabled && !strings.Contains(s.AutoDeployment.Meaning, "below r-") {
				t.Errorf("%+v", s.AutoDeployment)
			}
		}
	})
}

// A set under a name of the user's is found by its tag, and counts for its template.
func TestExplainASetOfAnotherName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newTheater(t, simaws.Options{})
		th.play(act{before: [][]string{words([]string{"deploy", "--stack-set", "closed-groups", "--remediation", "automatic"}, chosen, forReal)}})
		for _, args := range [][]string{{"MEMBERID"}, {"MEMBERID", "--stack-set", "closed-groups"}} {
			e := th.explained(args...)
			changes := map[string]string{}
			for _, c := range e.Changes {
				changes[c.StackSet] = c.Action
			}
			want := map[string]string{"rollout-recording-base": "none", "rollout-recording": "none", "closed-groups": "none", "closed-groups-enforce-automatic": "none"}
			if !maps.Equal(changes, want) || len(e.Cells) != 1 || e.Cells[0].Remediation != "automatic" {
				t.Errorf("%v: changes %v, want %v; cells %+v", args, changes, want, e.Cells)
			}
		}
	})
}
