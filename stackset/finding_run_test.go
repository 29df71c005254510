package stackset

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/orgs"
)

// found are the findings of a plan of one code.
func found(p *Plan, code string) []Finding {
	return slices.DeleteFunc(slices.Clone(p.Findings), func(f Finding) bool { return f.Code != code })
}

// The operation preferences come to what StackSets makes of them, account by account
// (user guide, Concurrency mode; API reference, StackSetOperationPreferences).
func TestTolerances(t *testing.T) {
	for _, test := range []struct {
		preferences    Preferences
		accounts       int
		capped, zeroed string // what each finding says, "" for none
	}{
		{Preferences{}, 3, "", ""}, // all begin at once: a failure cancels none
		{Preferences{Mode: "strict"}, 40, "on 5 of 40 accounts at a time and not on 40", ""},
		{Preferences{Mode: "strict"}, 9, "on 1 of 9 accounts at a time and not on 9", "of 9 accounts"},
		{Preferences{Mode: "strict", MaxConcurrent: "5", FailureTolerance: "4"}, 40, "", ""},
		{Preferences{Mode: "strict", MaxConcurrent: "6", FailureTolerance: "4"}, 40, "on 5 of 40 accounts at a time and not on 6", ""},
		{Preferences{MaxConcurrent: "20%"}, 9, "", "of 9 accounts"},
		{Preferences{MaxConcurrent: "2"}, 10, "", ""},
		{Preferences{MaxConcurrent: "2", FailureTolerance: "0"}, 9, "", ""}, // asked for
		{Preferences{Mode: "strict", FailureTolerance: "100%"}, 9, "", ""},
	} {
		t.Run(fmt.Sprint(test.preferences, test.accounts), func(t *testing.T) {
			p := &planner{d: Desired{Preferences: test.preferences}}
			step := Step{StackSet: "s", Instances: test.accounts * 2, Accounts: make([]string, test.accounts)}
			p.tolerances([]Step{step, {StackSet: "s", Call: "CreateStackSet"}, {StackSet: "one", Instances: 1, Accounts: []string{"1"}}})
			plan := &Plan{Findings: p.found.sorted()}
			for code, want := range map[string]string{"concurrency-capped": test.capped, "tolerance-zero": test.zeroed} {
				have := found(plan, code)
				if len(have) == 1 != (want != "") || want != "" && (!strings.Contains(have[0].Text, want) || have[0].StackSet != "s") {
					t.Errorf("%s: %+v, want %q", code, have, want)
				}
			}
		})
	}
}

// Accounts that a run leaves out below the OUs of automatic deployment are named; where
// whole OUs are chosen there are none.
func TestAutomaticDeploymentIgnoresTheChoice(t *testing.T) {
	inSim(t, 3, func(t *testing.T, s *site) {
		s.d.Walked = map[string]*orgs.Account{}
		ou := s.d.Accounts[0].OU
		s.d.OUs = []string{ou.ID}
		var below []*orgs.Account
		for _, a := range s.tree.Accounts {
			s.d.Walked[a.ID] = a
			for at := a.OU; at != nil; at = at.Parent {
				if at == ou && a.Active() {
					below = append(below, a)
				}
			}
		}
		if len(below) < 2 {
			t.Fatalf("%d accounts in %s", len(below), ou.Path)
		}
		s.d.Accounts, s.d.Auto = below[:1], AutoDeploy{All: true}
		have := found(s.prepared(), "auto-ignores-choice")
		if len(have) != 1 || len(have[0].Places) != len(below)-1 || !slices.Contains(have[0].StackSets, "rollout-default-security-group") || slices.Contains(have[0].StackSets, "rollout-recording") {
			t.Errorf("one account chosen: %+v", have)
		}
		s.d.Accounts = below
		if have := found(s.prepared(), "auto-ignores-choice"); len(have) > 0 {
			t.Errorf("the OU chosen: %+v", have)
		}
		s.d.Accounts, s.d.Auto = below[:1], AutoDeploy{}
		if have := found(s.prepared(), "auto-ignores-choice"); len(have) > 0 {
			t.Errorf("switched off: %+v", have)
		}
	})
}

// An operation that is under way is in the plan, with whose it is; a deploy waits for
// it, and afterwards the plan does not speak of it any more.
func TestOperationsUnderWay(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		all := s.d.Accounts
		s.d.Accounts = all[:1]
		s.apply(t.Context(), s.prepared())
		ou := []string{s.tree.Root.ID}
		out, err := newClient(s.session, "", newPace()).UpdateStackInstances(t.Context(), &cloudformation.UpdateStackInstancesInput{StackSetName: aws.String("rollout-recording"), Regions: []string{home}, OperationId: aws.String("by-hand"),
			DeploymentTargets: &types.DeploymentTargets{OrganizationalUnitIds: ou, Accounts: []string{all[0].ID}, AccountFilterType: types.AccountFilterTypeIntersection}})
		if err != nil {
			t.Fatal(err)
		}
		s.d.Accounts = all
		plan := s.prepared()
		have := found(plan, "operation-under-way")
		if len(have) != 1 || have[0].StackSet != "rollout-recording" || !strings.Contains(have[0].Text, "Operation by-hand of stack set rollout-recording is under way (UPDATE, RUNNING, begun ") || !strings.Contains(have[0].Text, "not one of rollout") || !strings.Contains(have[0].Remedy, "--operation-id "+aws.ToString(out.OperationId)) {
			t.Errorf("%+v", plan.Findings)
		}
		for _, o := range s.apply(t.Context(), plan).Outcomes {
			if o.Status != OutcomeSucceeded {
				t.Errorf("%+v", o)
			}
		}
		if have := found(s.prepared(), "operation-under-way"); len(have) > 0 {
			t.Errorf("afterwards: %+v", have)
		}
		s.answer = func(action string, status int, body string) (int, string) {
			if action != "ListStackSetOperations" {
				return status, body
			}
			return 403, `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not here</Message></Error></ErrorResponse>`
		}
		if have := found(s.prepared(), "operations-unread"); len(have) != 1 || len(have[0].StackSets) < 3 || !strings.Contains(have[0].Text, "AccessDenied") {
			t.Errorf("%+v", have)
		}
	})
}
