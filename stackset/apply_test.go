package stackset

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// The baseline deploys in order; a second run asks for nothing; remove takes it
// away and it can be deployed again.
func TestApplyDeploysRemovesAndDeploysAgain(t *testing.T) {
	inSim(t, 4, func(t *testing.T, s *site) {
		plan := s.deployment(s.sets())
		result := s.apply(t.Context(), plan)
		whole := map[string]int{"recording-base create SUCCEEDED": 4, "recording create SUCCEEDED": 8, "default-security-group create SUCCEEDED": 8}
		wantTally(t, result, whole)
		if plan.Sets[0].Exists {
			t.Error("the plan was changed")
		}
		if result.Interrupted || len(result.Operations) != 3 {
			t.Errorf("%d operations, interrupted %t", len(result.Operations), result.Interrupted)
		}
		for _, op := range result.Operations {
			if op.Status != "SUCCEEDED" || op.Done != op.Total || op.Failed != 0 || op.Ended.Before(op.Created) || !strings.HasPrefix(op.ID, "rollout-t1-") {
				t.Errorf("operation %+v", op)
			}
		}
		if diff := gocmp.Diff([]string{
			"created rollout-recording-base", "started CREATE", "ended SUCCEEDED 4/4", "created rollout-recording", "started CREATE", "ended SUCCEEDED 8/8",
			"created rollout-default-security-group", "started CREATE", "ended SUCCEEDED 8/8",
		}, s.told()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if at := slices.IsSortedFunc(result.Operations, func(a, b Operation) int { return a.Created.Compare(b.Created) }); !at {
			t.Error("operations are out of order")
		}

		sets := s.sets()
		for _, set := range sets[:3] {
			if set.Outdated != "" || set.SHA256 != set.Template.SHA256() {
				t.Errorf("set %s is outdated: %s", set.Name, set.Outdated)
			}
		}
		before := s.writes()
		again := s.apply(t.Context(), s.deployment(sets))
		if len(again.Outcomes)+len(again.Operations) != 0 || !maps.Equal(before, s.writes()) {
			t.Errorf("a second run wrote: %v", s.writes())
		}

		removal, err := RemovePlan(s.d, sets, RemoveOptions{MaxDeletions: "100%"})
		if err != nil {
			t.Fatal(err)
		}
		wantTally(t, s.apply(t.Context(), removal), map[string]int{"default-security-group delete SUCCEEDED": 8})
		if n := len(s.instances("rollout-recording")); n != 8 {
			t.Errorf("recording has %d instances: what the template needs was removed", n)
		}
		wantTally(t, s.apply(t.Context(), s.deployment(s.sets())), map[string]int{"default-security-group create SUCCEEDED": 8})
		if s.writes()["CreateStackSet"] != 3 {
			t.Errorf("sets were made again: %v", s.writes())
		}
	})
}

// What needs something that failed is not attempted, and only that.
func TestApplySkipsWhatNeedsWhatFailed(t *testing.T) {
	inSim(t, 4, func(t *testing.T, s *site) {
		s.d.Preferences.FailureTolerance = "100%"
		bad := s.d.Accounts[1].ID
		s.sim.DenyAction(bad, "config:PutConfigurationRecorder")
		result := s.apply(t.Context(), s.deployment(s.sets()))
		wantTally(t, result, map[string]int{
			"recording-base create SUCCEEDED": 4, "recording create SUCCEEDED": 6, "recording create FAILED": 2,
			"default-security-group create SUCCEEDED": 6, "default-security-group create SKIPPED": 2,
		})
		for _, o := range result.Outcomes {
			if (o.Status == OutcomeSucceeded) == (o.AccountID == bad && o.StackSet != "rollout-recording-base") {
				t.Errorf("%+v", o)
			}
			if o.Status == OutcomeSkipped && !strings.HasPrefix(o.Reason, "needs recording, which did not come true in "+o.Region+" (failed: ") {
				t.Errorf("reason %q", o.Reason)
			}
		}
		causes := RootCauses(result.Outcomes)
		if len(causes) != 2 || causes[0].Status != OutcomeFailed || len(causes[0].Places) != 2 || !strings.Contains(causes[0].Reason, "<account>") || causes[0].Advice == "" {
			t.Errorf("causes %+v", causes)
		}
		if op := result.Operations[1]; op.Status != "SUCCEEDED" || op.Failed != 2 {
			t.Errorf("operation %+v", op)
		}
		if n := len(slices.DeleteFunc(s.told(), func(e string) bool { return !strings.HasPrefix(e, "failed ") })); n != 2 {
			t.Errorf("%d failures told", n)
		}
	})
}

// A need of the home Region fails for both Regions of the account.
func TestApplySkipsByTheHomeRegion(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		s.d.Preferences.FailureTolerance = "100%"
		s.sim.DenyAction(s.d.Accounts[0].ID, "s3:CreateBucket")
		result := s.apply(t.Context(), s.deployment(s.sets()))
		wantTally(t, result, map[string]int{
			"recording-base create SUCCEEDED": 1, "recording-base create FAILED": 1, "recording create SUCCEEDED": 2, "recording create SKIPPED": 2,
			"default-security-group create SUCCEEDED": 2, "default-security-group create SKIPPED": 2,
		})
	})
}

// Past the tolerance StackSets cancels the rest; the cause comes first.
func TestApplyPastTheTolerance(t *testing.T) {
	inSim(t, 8, func(t *testing.T, s *site) {
		s.d.Preferences = Preferences{MaxConcurrent: "1", FailureTolerance: "0", Mode: "strict"}
		for _, a := range s.d.Accounts {
			s.sim.DenyAction(a.ID, "s3:CreateBucket")
		}
		result := s.apply(t.Context(), s.deployment(s.sets()))
		got := tallyOf(result)
		if got["recording-base create FAILED"] != 1 || got["recording-base create CANCELLED"] != 7 || got["recording create SKIPPED"] != 16 {
			t.Errorf("%v", got)
		}
		if len(result.Operations) != 1 || result.Operations[0].Status != "FAILED" {
			t.Errorf("operations %+v", result.Operations)
		}
		causes := RootCauses(result.Outcomes)
		if last := causes[len(causes)-1]; causes[0].Status != OutcomeFailed || last.Status != OutcomeCancelled || len(last.Places) != 7 || !strings.Contains(last.Advice, "tolerance") {
			t.Errorf("causes %+v", causes)
		}
	})
}

// An account that is suspended after the plan does not succeed, and does not stop
// the others.
func TestApplyToASuspendedAccount(t *testing.T) {
	inSim(t, 3, func(t *testing.T, s *site) {
		plan := s.deployment(s.sets())
		s.sim.SetState(s.d.Accounts[0].ID, "SUSPENDED")
		result := s.apply(t.Context(), plan)
		for _, o := range result.Outcomes {
			if (o.Status == OutcomeSucceeded) == (o.AccountID == s.d.Accounts[0].ID) {
				t.Errorf("%+v", o)
			}
		}
	})
}

// From manual to automatic: the old enforcement goes before the new one comes.
func TestDeletesComeBeforeCreates(t *testing.T) {
	inSim(t, 1, func(t *testing.T, s *site) {
		s.d.Remediation = RemediationManual
		s.apply(t.Context(), s.deployment(s.sets()))
		s.d.Remediation = RemediationAutomatic
		plan := s.deployment(s.sets())
		for _, region := range s.d.Regions {
			plan.Changes = append(plan.Changes, s.change("rollout-default-security-group-enforce", s.d.Accounts[0], region, Delete))
		}
		result := s.apply(t.Context(), plan)
		wantTally(t, result, map[string]int{"default-security-group-enforce delete SUCCEEDED": 2, "default-security-group-enforce-automatic create SUCCEEDED": 2})
		if len(result.Operations) != 2 || result.Operations[0].Action != "DELETE" || result.Operations[1].Created.Before(result.Operations[0].Ended) {
			t.Errorf("operations %+v", result.Operations)
		}
	})
}

// Ctrl-C: no new call, what runs goes on and is named.
func TestApplyStopsWhenItsContextEnds(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		plan := s.deployment(s.sets())
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
		defer cancel()
		result := s.apply(ctx, plan)
		wantTally(t, result, map[string]int{"recording-base create RUNNING": 2, "recording create NOT_STARTED": 4, "default-security-group create NOT_STARTED": 4})
		if !result.Interrupted || len(result.Operations) != 1 || result.Operations[0].Status != "RUNNING" {
			t.Errorf("interrupted %t, operations %+v", result.Interrupted, result.Operations)
		}
		time.Sleep(10 * time.Minute)
		if n := len(s.instances("rollout-recording-base")); n != 2 {
			t.Errorf("%d instances: the operation did not go on", n)
		}
		// The next run goes on from there.
		wantTally(t, s.apply(t.Context(), s.deployment(s.sets())), map[string]int{"recording create SUCCEEDED": 4, "default-security-group create SUCCEEDED": 4})
	})
}

func TestApplyBeforeAnythingWasAskedFor(t *testing.T) {
	inSim(t, 1, func(t *testing.T, s *site) {
		plan := s.deployment(s.sets())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		result := s.apply(ctx, plan)
		if !result.Interrupted || len(result.Operations) != 0 || len(s.writes()) != 0 {
			t.Errorf("%+v, writes %v", result, s.writes())
		}
	})
}
