package stackset

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// A plan that is kept is true while the organization and the sets are as they were;
// else what moved is named.
func TestWhatMovedIsNamed(t *testing.T) {
	inSim(t, 3, func(t *testing.T, s *site) {
		plan := func() JSONPlan {
			p, err := MakePlan(s.d, s.sets(), nil)
			if err != nil {
				t.Fatal(err)
			}
			return p.JSON()
		}
		first := plan()
		if err := Moved(first, plan()); err != nil {
			t.Errorf("nothing moved: %v", err)
		}
		wantMoved := func(kept JSONPlan, parts ...string) {
			t.Helper()
			err := Moved(kept, plan())
			var moved *MovedError
			if !errors.As(err, &moved) {
				t.Fatalf("got %v", err)
			}
			for _, part := range parts {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not named:\n%v", part, err)
				}
			}
		}

		all := s.d.Accounts
		s.d.Accounts = all[:2]
		wantMoved(first, "account "+all[2].ID+" ("+all[2].Name+"), eu-west-1, rollout-default-security-group: was create", "is not in the plan now")
		s.d.Accounts = all

		before := all[0].OU
		all[0].OU = s.tree.Root
		wantMoved(first, "account "+all[0].ID+" ("+all[0].Name+") is under the root, was under "+before.Path)
		all[0].OU = before

		s.d.Preferences.MaxConcurrent = "3"
		wantMoved(first, "operation preferences are others")
		s.d.Preferences.MaxConcurrent = ""

		s.apply(t.Context(), s.deployment(s.sets()))
		wantMoved(first, "stack set rollout-recording-base was made", "rollout-default-security-group: none, was create")
		second := plan()
		s.sim.SetState(all[1].ID, "SUSPENDED")
		all[1].State = "SUSPENDED"
		wantMoved(second, "account is SUSPENDED")
	})
}

// A long list is cut, and says how much more there is.
func TestMovedErrorIsBounded(t *testing.T) {
	e := &MovedError{}
	for i := range movedShown + 7 {
		e.Moved = append(e.Moved, fmt.Sprint("thing ", i))
	}
	if text := e.Error(); !strings.HasSuffix(text, "and 7 more") || strings.Count(text, "\n") != movedShown+1 {
		t.Error(text)
	}
}
