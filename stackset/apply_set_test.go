package stackset

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/configservice"

	"rollout/internal/awsapi"
	"rollout/internal/simaws"
)

// bases deploys recording-base alone, so that a set is there to be changed.
func (s *site) bases() {
	s.t.Helper()
	plan := s.deployment(s.sets())
	plan.Changes = slices.DeleteFunc(plan.Changes, func(c Change) bool { return c.StackSet != "rollout-recording-base" })
	if r := s.apply(s.t.Context(), plan); len(r.Outcomes) != len(s.d.Accounts) || r.Outcomes[0].Status != OutcomeSucceeded {
		s.t.Fatalf("%+v", r.Outcomes)
	}
}

// An outdated set is updated with the planned instances only; the others are
// OUTDATED, as they were, and their stacks are as they were.
func TestAnUpdateTouchesOnlyTheSelection(t *testing.T) {
	inSim(t, 4, func(t *testing.T, s *site) {
		s.bases()
		s.d.Parameters = map[string]string{"HistoryRetentionDays": "500"}
		sets := s.sets()
		if sets[0].Outdated == "" {
			t.Fatal("the set is not outdated")
		}
		chosen := s.d.Accounts[:2]
		var changes []Change
		for _, a := range chosen {
			changes = append(changes, s.change("rollout-recording-base", a, home, Update))
		}
		result := s.apply(t.Context(), s.only(sets, changes...))
		wantTally(t, result, map[string]int{"recording-base update SUCCEEDED": 2})
		if w := s.writes(); w["UpdateStackSet"] != 1 || w["UpdateStackInstances"] != 0 {
			t.Errorf("writes %v", w)
		}
		if told := s.told(); !slices.Contains(told, "updated rollout-recording-base") {
			t.Errorf("events %v", told)
		}
		for place, i := range s.instances("rollout-recording-base") {
			in := place.AccountID == chosen[0].ID || place.AccountID == chosen[1].ID
			if in != (i.Status == "CURRENT") || in != (i.LastOperation == result.Operations[0].ID) {
				t.Errorf("%v: %+v", place, i)
			}
		}
		sets = s.sets()
		if sets[0].Outdated != "" {
			t.Errorf("still outdated: %s", sets[0].Outdated)
		}
		// The rest catches up by UpdateStackInstances.
		changes = nil
		for _, a := range s.d.Accounts[2:] {
			changes = append(changes, s.change("rollout-recording-base", a, home, Update))
		}
		wantTally(t, s.apply(t.Context(), s.only(sets, changes...)), map[string]int{"recording-base update SUCCEEDED": 2})
		if w := s.writes(); w["UpdateStackSet"] != 1 || w["UpdateStackInstances"] != 1 {
			t.Errorf("writes %v", w)
		}
	})
}

// Updates and creates of one outdated set: the set first, then the rest at once.
func TestAnOutdatedSetIsUpdatedBeforeItGrows(t *testing.T) {
	inSim(t, 3, func(t *testing.T, s *site) {
		all := s.d.Accounts
		s.d.Accounts = all[:2]
		s.bases()
		s.d.Accounts, s.d.Parameters = all, map[string]string{"HistoryRetentionDays": "500"}
		name := "rollout-recording-base"
		result := s.apply(t.Context(), s.only(s.sets(), s.change(name, all[0], home, Update), s.change(name, all[2], home, Create)))
		wantTally(t, result, map[string]int{"recording-base update SUCCEEDED": 1, "recording-base create SUCCEEDED": 1})
		for place, i := range s.instances(name) {
			if (i.Status == "CURRENT") != (place.AccountID != all[1].ID) {
				t.Errorf("%v: %+v", place, i)
			}
		}
	})
}

func TestAnOutdatedSetWithInstancesOnlyElsewhere(t *testing.T) {
	inSim(t, 3, func(t *testing.T, s *site) {
		all := s.d.Accounts
		s.d.Accounts = all[:2]
		s.bases()
		s.d.Parameters = map[string]string{"HistoryRetentionDays": "500"}
		before := s.writes()
		result := s.apply(t.Context(), s.only(s.sets(), s.change("rollout-recording-base", all[2], home, Create)))
		wantTally(t, result, map[string]int{"recording-base create SKIPPED": 1})
		if !strings.Contains(result.Outcomes[0].Reason, "HistoryRetentionDays changes") || s.writes()["UpdateStackSet"] != before["UpdateStackSet"] {
			t.Errorf("%+v, writes %v", result.Outcomes[0], s.writes())
		}
	})
}

func TestAnOutdatedSetWithoutInstances(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		s.bases()
		sets := s.sets()
		var changes []Change
		for _, a := range s.d.Accounts {
			changes = append(changes, s.change("rollout-recording-base", a, home, Delete))
		}
		wantTally(t, s.apply(t.Context(), s.only(sets, changes...)), map[string]int{"recording-base delete SUCCEEDED": 2})
		// The bucket outlives its stack, so another one is made.
		s.d.Parameters = map[string]string{"DeliveryBucketPrefix": "anew"}
		create := s.change("rollout-recording-base", s.d.Accounts[0], home, Create)
		create.Overrides = nil
		wantTally(t, s.apply(t.Context(), s.only(s.sets(), create)), map[string]int{"recording-base create SUCCEEDED": 1})
		if s.writes()["UpdateStackSet"] != 1 {
			t.Errorf("writes %v", s.writes())
		}
	})
}

// An INOPERABLE instance is let go with its stack, then made anew: one outcome.
func TestRecreate(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		s.apply(t.Context(), s.deployment(s.sets()))
		name := "rollout-default-security-group"
		a := s.d.Accounts[0]
		s.sim.DenyAction(a.ID, "config:DeleteConfigRule")
		wantTally(t, s.apply(t.Context(), s.only(s.sets(), s.change(name, a, home, Delete))), map[string]int{"default-security-group delete FAILED": 1})
		if i := s.instances(name)[Target{a.ID, home}]; i.Status != "INOPERABLE" {
			t.Fatalf("%+v", i)
		}
		result := s.apply(t.Context(), s.only(s.sets(), s.change(name, a, home, Recreate)))
		if len(result.Operations) != 2 || result.Operations[0].Action != "DELETE" || result.Operations[1].Action != "CREATE" {
			t.Errorf("operations %+v", result.Operations)
		}
		// The rule of the stack that was left behind has the name still.
		if o := result.Outcomes[0]; o.Action != Recreate || o.Status != OutcomeFailed || !strings.Contains(o.Reason, "already exists") {
			t.Errorf("%+v", o)
		}
	})
}

// Between the halves of a recreate a run that stops has not succeeded.
func TestRecreateStoppedHalfway(t *testing.T) {
	inSim(t, 1, func(t *testing.T, s *site) {
		s.apply(t.Context(), s.deployment(s.sets()))
		name := "rollout-default-security-group"
		a := s.d.Accounts[0]
		s.sim.DenyAction(a.ID, "config:DeleteConfigRule")
		s.apply(t.Context(), s.only(s.sets(), s.change(name, a, home, Delete)))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		plan := s.only(s.sets(), s.change(name, a, home, Recreate))
		result, err := Apply(ctx, s.session, "", plan, ApplyOptions{Run: "half"}, func(e Event) {
			if _, ok := e.(OperationEnded); ok {
				cancel()
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		s.oneEach(plan, result)
		wantTally(t, result, map[string]int{"default-security-group recreate NOT_STARTED": 1})
		if !result.Interrupted {
			t.Error("not interrupted")
		}
	})
}

// With managed execution off StackSets takes one operation at a time: the run waits.
func TestApplyWaitsForAnotherOperation(t *testing.T) {
	inSim(t, 3, func(t *testing.T, s *site) {
		s.bases()
		api := cloudformation.NewFromConfig(s.session.Own(""))
		name := aws.String("rollout-recording-base")
		if _, err := api.UpdateStackSet(t.Context(), &cloudformation.UpdateStackSetInput{StackSetName: name, UsePreviousTemplate: aws.Bool(true), ManagedExecution: &types.ManagedExecution{Active: aws.Bool(false)}, DeploymentTargets: &types.DeploymentTargets{OrganizationalUnitIds: []string{s.tree.Root.ID}, Accounts: []string{s.d.Accounts[0].ID}, AccountFilterType: types.AccountFilterTypeIntersection}, Regions: []string{home},
			Capabilities: []types.Capability{types.CapabilityCapabilityIam},
			Parameters:   parameters(s.sets()[0].Want)}); err != nil {
			t.Fatal(err)
		}
		result := s.apply(t.Context(), s.only(s.sets(), s.change(*name, s.d.Accounts[1], home, Update)))
		wantTally(t, result, map[string]int{"recording-base update SUCCEEDED": 1})
		if !slices.Contains(s.told(), "waiting for rollout-recording-base") {
			t.Errorf("events %v", s.told())
		}
	})
}

// A set of the wanted name made since the plan is used when it is the one that was
// to be made, and refused when it is not.
func TestASetMadeSinceThePlan(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		stale := s.sets()
		s.bases()
		name := "rollout-recording-base"
		result := s.apply(t.Context(), s.only(stale, s.change(name, s.d.Accounts[0], home, Create)))
		wantTally(t, result, map[string]int{"recording-base create SUCCEEDED": 1})

		s.d.Parameters = map[string]string{"HistoryRetentionDays": "500"}
		for i := range stale {
			stale[i].Want = want(s.d, stale[i].Template, stale[i].Automatic)
		}
		result, err := s.try(t.Context(), s.only(stale, s.change(name, s.d.Accounts[0], home, Create)))
		if err == nil || !strings.Contains(err.Error(), "plan again") {
			t.Errorf("error %v", err)
		}
		wantTally(t, result, map[string]int{"recording-base create NOT_STARTED": 1})
	})
}

func TestApplyWithoutTrustedAccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 1, simaws.Options{TrustedAccessOff: true})
		plan := s.deployment(s.sets())
		result, err := s.try(t.Context(), plan)
		var off *AccessDisabledError
		if !errors.As(err, &off) || result == nil || len(result.Outcomes) != len(plan.Changes) || result.Interrupted {
			t.Errorf("error %v, result %+v", err, result)
		}
	})
}

func TestOperationsAndDeleteSet(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		s.bases()
		name := "rollout-recording-base"
		if err := DeleteSet(t.Context(), s.session, "", name); err == nil || awsapi.Code(err) != "StackSetNotEmptyException" || !strings.Contains(err.Error(), "delete stack set "+name+" in "+home) {
			t.Errorf("error %v", err)
		}
		time.Sleep(time.Minute)
		var changes []Change
		for _, a := range s.d.Accounts {
			changes = append(changes, s.change(name, a, home, Delete))
		}
		s.apply(t.Context(), s.only(s.sets(), changes...))
		ops, err := Operations(t.Context(), s.session, "", name, 5)
		if err != nil || len(ops) != 2 || ops[0].Action != "DELETE" || ops[1].Action != "CREATE" {
			t.Errorf("%+v, %v", ops, err)
		}
		if ops, err = Operations(t.Context(), s.session, "", name, 1); err != nil || len(ops) != 1 || ops[0].Action != "DELETE" {
			t.Errorf("%+v, %v", ops, err)
		}
		if err := DeleteSet(t.Context(), s.session, "", name); err != nil {
			t.Error(err)
		}
		if _, err = Operations(t.Context(), s.session, "", name, 1); err == nil {
			t.Error("a set that is gone has operations")
		}
	})
}

// What is left behind is what was asked to be: nothing, the stacks of INOPERABLE
// instances, or all.
func TestRetain(t *testing.T) {
	const set = "rollout-default-security-group"
	for name, test := range map[string]struct {
		o    ApplyOptions
		want []string // statuses, by account
		left []int    // rules that stay, by account
	}{
		"none":       {ApplyOptions{}, []string{OutcomeFailed, OutcomeSucceeded}, []int{0}},
		"inoperable": {ApplyOptions{RetainAuto: true}, []string{OutcomeSucceeded, OutcomeSucceeded}, []int{0}},
		"all":        {ApplyOptions{Retain: true}, []string{OutcomeSucceeded, OutcomeSucceeded}, []int{0, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			inSim(t, 2, func(t *testing.T, s *site) {
				s.d.Regions = []string{home}
				s.d.Preferences.FailureTolerance = "100%"
				s.apply(t.Context(), s.deployment(s.sets()))
				s.sim.DenyAction(s.d.Accounts[0].ID, "config:DeleteConfigRule")
				wantTally(t, s.apply(t.Context(), s.only(s.sets(), s.change(set, s.d.Accounts[0], home, Delete))), map[string]int{"default-security-group delete FAILED": 1})
				plan, err := RemovePlan(s.d, s.sets(), RemoveOptions{MaxDeletions: "100%"})
				if err != nil {
					t.Fatal(err)
				}
				test.o.Run = "retain"
				result, err := Apply(t.Context(), s.session, "", plan, test.o, nil)
				if err != nil {
					t.Fatal(err)
				}
				for i, a := range s.d.Accounts {
					for _, o := range result.Outcomes {
						if o.AccountID == a.ID && o.Status != test.want[i] {
							t.Errorf("account %d: %+v", i, o)
						}
					}
					entry, err := s.session.Enter(t.Context(), a.ID, "")
					if err != nil {
						t.Fatal(err)
					}
					api := configservice.NewFromConfig(entry.Config(home))
					out, err := api.DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{})
					if err != nil {
						t.Fatal(err)
					}
					if (len(out.ConfigRules) == 1) != slices.Contains(test.left, i) {
						t.Errorf("account %d has %d rules", i, len(out.ConfigRules))
					}
				}
			})
		})
	}
}

// A delegated administrator works on the same sets; an account that is none is told.
func TestApplyAsSomebodyElse(t *testing.T) {
	inSim(t, 1, func(t *testing.T, s *site) {
		s.bases()
		_, err := Apply(t.Context(), s.session, types.CallAsDelegatedAdmin, s.only(s.sets(), s.change("rollout-recording-base", s.d.Accounts[0], home, Update)), ApplyOptions{Run: "x"}, nil)
		var not *NotDelegatedError
		if !errors.As(err, &not) || not.Account != s.session.Account || not.Unwrap() == nil || !strings.Contains(err.Error(), "neither the management account nor") {
			t.Errorf("error %v", err)
		}
	})
}
