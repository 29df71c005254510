package stackset

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

const groupsAutomatic = "rollout-default-security-group-enforce-automatic"

// watched gives a site a gate that answers, and counts what it was asked about.
func (s *site) watched(hold string) *[]*Result {
	var asked []*Result
	s.gate = func(_ context.Context, so *Result) (string, error) {
		asked = append(asked, so)
		return hold, nil
	}
	return &asked
}

// enforced counts the accounts that a set enforces in.
func (s *site) enforced(set string) int {
	accounts := map[string]bool{}
	for at := range s.instances(set) {
		accounts[at.AccountID] = true
	}
	return len(accounts)
}

// A few accounts are enforced first, the others when these held; a run that did not go
// on is gone on with by the next, which watches the same accounts.
func TestAFirstWave(t *testing.T) {
	inSim(t, 5, func(t *testing.T, s *site) {
		s.d.Remediation = RemediationAutomatic
		plan := s.deployment(s.sets())
		plan.Stage(Canary{Share: "2"})
		steps := plan.Steps(ApplyOptions{})
		var order []string
		for _, step := range steps {
			if step.StackSet == groupsAutomatic {
				order = append(order, step.Call, strings.Repeat("a", len(step.Accounts)), strings.Repeat("w", step.Wave))
			}
		}
		if want := []string{"CreateStackSet", "", "w", "CreateStackInstances", "aa", "w", "CreateStackInstances", "aaa", "ww"}; !slices.Equal(order, want) {
			t.Errorf("steps %q, want %q", order, want)
		}
		asked := s.watched("it is broken")
		result := s.apply(t.Context(), plan)
		wantTally(t, result, map[string]int{"recording-base create SUCCEEDED": 5, "recording create SUCCEEDED": 10, "default-security-group create SUCCEEDED": 10,
			"default-security-group-enforce-automatic create SUCCEEDED": 4, "default-security-group-enforce-automatic create NOT_STARTED": 6})
		if result.Held != "it is broken" || result.Interrupted || len(*asked) != 1 || len((*asked)[0].Outcomes) != 29 || s.enforced(groupsAutomatic) != 2 {
			t.Errorf("held %q, interrupted %t, asked %d times, %d accounts", result.Held, result.Interrupted, len(*asked), s.enforced(groupsAutomatic))
		}
		for _, o := range result.Outcomes {
			if o.Status == OutcomeNotStarted && !strings.Contains(o.Reason, "waits for the first wave, which did not hold") {
				t.Errorf("%+v", o)
			}
		}

		first := plan.Waves[0].First
		plan, err := MakePlan(s.d, s.sets(), nil)
		if err != nil {
			t.Fatal(err)
		}
		plan.Stage(Canary{Share: "2"})
		if w := plan.Waves[0]; w.First != nil || !slices.Equal(w.Before, first) || len(w.Later) != 3 {
			t.Errorf("the next run's wave is %+v", w)
		}
		wantTally(t, s.apply(t.Context(), plan), map[string]int{"default-security-group-enforce-automatic create NOT_STARTED": 6})
		asked = s.watched("")
		before := s.writes()
		result = s.apply(t.Context(), plan)
		wantTally(t, result, map[string]int{"default-security-group-enforce-automatic create SUCCEEDED": 6})
		if result.Held != "" || len(*asked) != 1 || s.enforced(groupsAutomatic) != 5 || s.writes()["CreateStackInstances"]-before["CreateStackInstances"] != 1 {
			t.Errorf("held %q, asked %d times", result.Held, len(*asked))
		}
		if plan, err = MakePlan(s.d, s.sets(), nil); err != nil || plan.Pending() {
			t.Errorf("there is something left to do: %v", err)
		}
	})
}

// In one go: the second wave begins when the first has been looked at, not before.
func TestTheRestFollows(t *testing.T) {
	inSim(t, 4, func(t *testing.T, s *site) {
		s.d.Remediation = RemediationAutomatic
		plan := s.deployment(s.sets())
		plan.Stage(Canary{Share: "1"})
		var looked time.Time
		s.gate = func(ctx context.Context, so *Result) (string, error) {
			time.Sleep(10 * time.Minute)
			looked = time.Now()
			return "", nil
		}
		result := s.apply(t.Context(), plan)
		if n := tallyOf(result)["default-security-group-enforce-automatic create SUCCEEDED"]; n != 8 || result.Held != "" {
			t.Errorf("%v, held %q", tallyOf(result), result.Held)
		}
		var waves []Operation
		for _, op := range result.Operations {
			if op.StackSet == groupsAutomatic {
				waves = append(waves, op)
			}
		}
		if len(waves) != 2 || waves[0].Total != 2 || waves[1].Total != 6 || waves[1].Created.Before(looked) || waves[0].Ended.After(looked) {
			t.Errorf("looked at %s, operations %+v", looked, waves)
		}
	})
}

// A first wave of which an instance fails holds by itself, and so does one that nobody
// watches.
func TestAFirstWaveThatFails(t *testing.T) {
	inSim(t, 4, func(t *testing.T, s *site) {
		s.d.Remediation, s.d.Preferences.FailureTolerance = RemediationAutomatic, "100%"
		plan := s.deployment(s.sets())
		plan.Stage(Canary{Share: "2"})
		bad := plan.Waves[0].First[1]
		s.sim.DenyAction(bad, "config:PutRemediationConfigurations")
		asked := s.watched("")
		result := s.apply(t.Context(), plan)
		if len(*asked) != 0 || !strings.HasPrefix(result.Held, "2 instances of it did not come true, such as "+groupsAutomatic+" in account "+bad+", ") || !strings.Contains(result.Held, "PutRemediationConfigurations") {
			t.Errorf("asked %d times, held %q", len(*asked), result.Held)
		}
		if n := tallyOf(result)["default-security-group-enforce-automatic create NOT_STARTED"]; n != 4 {
			t.Errorf("%v", tallyOf(result))
		}
	})
	inSim(t, 2, func(t *testing.T, s *site) {
		s.d.Remediation = RemediationAutomatic
		plan := s.deployment(s.sets())
		plan.Stage(Canary{})
		if result := s.apply(t.Context(), plan); result.Held != "nobody watches it" {
			t.Errorf("held %q", result.Held)
		}
	})
}

// From manual to automatic: who waits for the first wave stays manual until it is its turn.
func TestWhoWaitsStaysManual(t *testing.T) {
	inSim(t, 3, func(t *testing.T, s *site) {
		const manual = "rollout-default-security-group-enforce"
		s.d.Remediation = RemediationManual
		s.apply(t.Context(), s.deployment(s.sets()))
		s.d.Remediation = RemediationAutomatic
		plan, err := MakePlan(s.d, s.sets(), nil)
		if err != nil {
			t.Fatal(err)
		}
		plan.Stage(Canary{Share: "1"})
		s.watched("no")
		wantTally(t, s.apply(t.Context(), plan), map[string]int{
			"default-security-group-enforce delete SUCCEEDED": 2, "default-security-group-enforce delete NOT_STARTED": 4,
			"default-security-group-enforce-automatic create SUCCEEDED": 2, "default-security-group-enforce-automatic create NOT_STARTED": 4,
		})
		if s.enforced(manual) != 2 || s.enforced(groupsAutomatic) != 1 {
			t.Errorf("%d manual, %d automatic", s.enforced(manual), s.enforced(groupsAutomatic))
		}
		if plan, err = MakePlan(s.d, s.sets(), nil); err != nil {
			t.Fatal(err)
		}
		plan.Stage(Canary{Share: "1"})
		s.watched("")
		wantTally(t, s.apply(t.Context(), plan), map[string]int{"default-security-group-enforce delete SUCCEEDED": 4, "default-security-group-enforce-automatic create SUCCEEDED": 4})
	})
}

// A change of what is enforced goes to the first accounts first, too: the set is
// updated with these, and the others stay as they were.
func TestAnUpdateHasAFirstWave(t *testing.T) {
	inSim(t, 4, func(t *testing.T, s *site) {
		s.d.Remediation = RemediationAutomatic
		s.apply(t.Context(), s.deployment(s.sets()))
		s.d.Parameters = map[string]string{"InUse": "Empty"}
		plan, err := MakePlan(s.d, s.sets(), nil)
		if err != nil {
			t.Fatal(err)
		}
		plan.Stage(Canary{Share: "1"})
		s.watched("no")
		wantTally(t, s.apply(t.Context(), plan), map[string]int{"default-security-group-enforce-automatic update SUCCEEDED": 2, "default-security-group-enforce-automatic update NOT_STARTED": 6})
		outdated := map[string]bool{}
		for at, i := range s.instances(groupsAutomatic) {
			if i.Status == "OUTDATED" {
				outdated[at.AccountID] = true
			}
		}
		if got := slices.Sorted(maps.Keys(outdated)); !slices.Equal(got, plan.Waves[0].Later) {
			t.Errorf("%v are outdated, want %v", got, plan.Waves[0].Later)
		}
		if plan, err = MakePlan(s.d, s.sets(), nil); err != nil {
			t.Fatal(err)
		}
		plan.Stage(Canary{Share: "1"})
		s.watched("")
		wantTally(t, s.apply(t.Context(), plan), map[string]int{"default-security-group-enforce-automatic update SUCCEEDED": 6})
	})
}

// Ctrl-C while the first wave is watched: nothing more is begun, and nothing is held
// against the wave.
func TestInterruptedWhileWatching(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		s.d.Remediation = RemediationAutomatic
		plan := s.deployment(s.sets())
		plan.Stage(Canary{})
		ctx, cancel := context.WithCancel(t.Context())
		s.gate = func(ctx context.Context, _ *Result) (string, error) {
			cancel()
			return "", ctx.Err()
		}
		result := s.apply(ctx, plan)
		if !result.Interrupted || result.Held != "" || tallyOf(result)["default-security-group-enforce-automatic create NOT_STARTED"] != 2 {
			t.Errorf("%v, interrupted %t, held %q", tallyOf(result), result.Interrupted, result.Held)
		}
	})
}
