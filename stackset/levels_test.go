package stackset

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"rollout/templates"
)

// several has a site ask for several templates.
func (s *site) several(names ...string) {
	s.t.Helper()
	s.d.Templates = nil
	for _, name := range names {
		t, err := templates.Lookup(name)
		if err != nil {
			s.t.Fatal(err)
		}
		s.d.Templates = append(s.d.Templates, t)
	}
}

var three = []string{"default-security-group", "ebs-encryption", "vpc-flow-logs"}

// A set comes after all that it needs, directly or not, and beside what it has nothing
// to do with.
func TestLevels(t *testing.T) {
	var d Desired
	d.Templates = templates.Baseline()
	var sets []Set
	for _, w := range WantedSets(d) {
		sets = append(sets, Set{Name: w.Name, Template: w.Template, Automatic: w.Automatic})
	}
	at, seen := map[string]int{}, 0
	got := levels(sets)
	for n, level := range got {
		if !slices.IsSorted(level) {
			t.Errorf("level %d is out of order: %v", n, level)
		}
		for _, i := range level {
			at[sets[i].Template.Name] = n
			seen++
		}
	}
	if seen != len(sets) || len(got) != 4 {
		t.Fatalf("%d of %d sets in %d levels", seen, len(sets), len(got))
	}
	for _, s := range sets {
		for _, need := range s.Template.Needs {
			if at[need] >= at[s.Template.Name] {
				t.Errorf("%s (%d) needs %s (%d)", s.Template.Name, at[s.Template.Name], need, at[need])
			}
		}
	}
	if out := levels(nil); out != nil {
		t.Error(out)
	}
}

func TestPacksHaveRoom(t *testing.T) {
	for _, test := range []struct {
		changes []int // of each set
		want    string
	}{
		{[]int{4000, 6000, 1}, "[[0 1] [2]]"},
		{[]int{20000, 1, 9999, 1}, "[[0] [1 2] [3]]"},
		{[]int{0, 0}, "[[0 1]]"},
		{nil, "[]"},
	} {
		a := &applier{planned: map[key]Change{}}
		var level []int
		for i, n := range test.changes {
			a.sets = append(a.sets, Set{Name: fmt.Sprint("s", i)})
			level = append(level, i)
			for k := range n {
				a.planned[key{a.sets[i].Name, Target{AccountID: fmt.Sprint(k)}}] = Change{}
			}
		}
		if got := fmt.Sprint(a.packs(level)); got != test.want {
			t.Errorf("%v: %s, want %s", test.changes, got, test.want)
		}
	}
}

// What has nothing to do with each other is under way at once, what needs something is
// not, and the result is the same each time.
func TestApplyWorksSideBySide(t *testing.T) {
	var before *Result
	for range 2 {
		inSim(t, 3, func(t *testing.T, s *site) {
			s.several(three...)
			s.d.Remediation = RemediationManual
			result := s.apply(t.Context(), s.deployment(s.sets()))
			for what, n := range tallyOf(result) {
				if !strings.HasSuffix(what, "SUCCEEDED") {
					t.Errorf("%d × %s", n, what)
				}
			}
			open, most := map[string]bool{}, 0
			level := func(set string) int {
				switch {
				case strings.HasSuffix(set, "recording-base"):
					return 0
				case strings.HasSuffix(set, "recording"):
					return 1
				case strings.HasSuffix(set, "-enforce"):
					return 3
				}
				return 2
			}
			for _, e := range s.events {
				switch e := e.(type) {
				case OperationStarted:
					for other := range open {
						if level(other) != level(e.StackSet) {
							t.Errorf("%s was started while %s was under way", e.StackSet, other)
						}
					}
					open[e.StackSet] = true
					most = max(most, len(open))
				case OperationEnded:
					delete(open, e.StackSet)
				}
			}
			if most != 3 || len(open) != 0 {
				t.Errorf("%d sets at once, %d still open", most, len(open))
			}
			if before != nil {
				for i := range result.Operations {
					result.Operations[i].Created, result.Operations[i].Ended = before.Operations[i].Created, before.Operations[i].Ended
				}
				if diff := gocmp.Diff(before, result); diff != "" {
					t.Errorf("another result (-first +second):\n%s", diff)
				}
			}
			before = result
		})
	}
}

// A set that cannot be made stops what needs it, and whatever comes later, not what is
// beside it.
func TestASetThatFailsStopsNoneBesideIt(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		s.several(three...)
		s.d.Remediation = RemediationManual
		made := 0
		s.answer = func(action string, status int, body string) (int, string) {
			if action == "CreateStackSet" {
				s.telling.Lock()
				defer s.telling.Unlock()
				if made++; made == 3 { // one of the three rules' sets, whichever comes first
					return 403, queryError("AccessDenied", "no more sets")
				}
			}
			return status, body
		}
		result, err := s.try(t.Context(), s.deployment(s.sets()))
		if err == nil || !strings.Contains(err.Error(), "no more sets") {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, o := range result.Outcomes {
			if strings.HasPrefix(o.StackSet, "rollout-recording") {
				continue
			}
			got[o.Status]++
			if o.Status != OutcomeSucceeded && !strings.Contains(o.Reason, "no more sets") {
				t.Errorf("%+v", o)
			}
		}
		// Two sets of rules in 2 accounts and 2 Regions; the third, and all that enforce.
		if diff := gocmp.Diff(map[string]int{OutcomeSucceeded: 8, OutcomeNotStarted: 4 + 12}, got); diff != "" {
			t.Error(diff)
		}
	})
}

// Whoever stops a run stops all that is under way in it.
func TestStoppingStopsAll(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		s.several(three...)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		begun := map[string]bool{}
		plan := s.deployment(s.sets())
		result, err := Apply(ctx, s.session, "", plan, ApplyOptions{Run: "stopped"}, func(e Event) {
			s.telling.Lock()
			defer s.telling.Unlock()
			if e, ok := e.(OperationStarted); ok {
				if begun[e.StackSet] = true; len(begun) == 5 {
					cancel()
				}
			}
		})
		if err != nil || !result.Interrupted {
			t.Fatalf("%+v, %v", result, err)
		}
		s.oneEach(plan, result)
		got := tallyOf(result)
		maps.DeleteFunc(got, func(what string, _ int) bool { return strings.HasPrefix(what, "recording") })
		want := map[string]int{}
		for _, name := range three {
			want[name+" create RUNNING"] = 4
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// What something stands on stays where that could not be taken away.
func TestANeedStaysUnderWhatStays(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		s.d.Preferences.FailureTolerance = "100%"
		s.apply(t.Context(), s.deployment(s.sets()))
		s.several("recording-base", "recording", "default-security-group")
		s.sim.DenyAction(s.d.Accounts[0].ID, "config:DeleteConfigRule")
		plan, err := RemovePlan(s.d, s.sets(), RemoveOptions{MaxDeletions: "100%"})
		if err != nil {
			t.Fatal(err)
		}
		result := s.apply(t.Context(), plan)
		wantTally(t, result, map[string]int{
			"default-security-group delete FAILED": 2, "default-security-group delete SUCCEEDED": 2,
			"recording delete SKIPPED": 2, "recording delete SUCCEEDED": 2,
			"recording-base delete SKIPPED": 1, "recording-base delete SUCCEEDED": 1,
		})
		for _, o := range result.Outcomes {
			if o.Status == OutcomeSkipped && (o.AccountID != s.d.Accounts[0].ID || !strings.Contains(o.Reason, "needs it and could not be deleted in "+o.Region+" (")) && o.StackSet != "rollout-recording-base" {
				t.Errorf("%+v", o)
			}
		}
	})
}
