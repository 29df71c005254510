package stackset

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"rollout/internal/awsapi"
	"rollout/templates"
)

// prepare plans as a run does, by reading.
func (s *site) prepare() *Plan {
	s.t.Helper()
	p, err := Prepare(s.t.Context(), s.session, PrepareInput{Desired: s.d, Known: []awsapi.Region{{Name: home, On: true}, {Name: other, On: true}}}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// What a service control policy denies is foretold, action by action: no instance is
// tried that it would make fail, and none is left out that would have come true.
func TestDenialsAreForetold(t *testing.T) {
	template, err := templates.Lookup("default-security-group-enforce")
	if err != nil {
		t.Fatal(err)
	}
	actions := map[string]bool{}
	for _, t := range template.Chain() {
		list, _ := t.DeployActions()
		for _, a := range list {
			// Without what preflight itself reads it foretells less; plan_test has that.
			actions[a] = actions[a] || !strings.Contains(PreflightPolicy, a)
		}
	}
	foretold := 0
	for _, action := range slices.Sorted(maps.Keys(actions)) {
		if !actions[action] {
			continue
		}
		t.Run(action, func(t *testing.T) {
			inSim(t, 2, func(t *testing.T, s *site) {
				s.d.Remediation = RemediationManual
				bad := s.d.Accounts[0].ID
				s.sim.DenyAction(bad, action)
				p := s.prepare()
				skipped := 0
				for _, c := range p.Changes {
					switch {
					case c.Action == Skip && c.AccountID != bad:
						t.Errorf("skipped in an account without the policy: %+v", c)
					case c.Action == Skip:
						skipped++
						if !strings.Contains(c.Reason, action+" is denied with an explicit deny in a service control policy: ") && !strings.HasPrefix(c.Reason, "needs ") {
							t.Errorf("reason %q", c.Reason)
						}
					}
				}
				if skipped > 0 {
					foretold++
				}
				for _, o := range s.apply(t.Context(), p).Outcomes {
					if o.Status != OutcomeSucceeded {
						t.Errorf("not foretold: %s %s %s: %s", o.StackSet, o.Region, o.Status, o.Reason)
					}
				}
			})
		})
	}
	if foretold < 8 {
		t.Errorf("only %d actions are needed to create", foretold)
	}
}

// Each action that is said to be needed is: a deploy that does not heed it fails.
func TestForetoldDenialsComeTrue(t *testing.T) {
	for _, action := range []string{"config:PutConfigRule", "config:PutConfigurationRecorder", "config:PutDeliveryChannel", "config:PutRemediationConfigurations", "iam:CreateRole",
		"iam:CreateServiceLinkedRole", "s3:CreateBucket", "s3:PutBucketPolicy", "ssm:CreateDocument", "cloudformation:CreateStack"} {
		t.Run(action, func(t *testing.T) {
			inSim(t, 1, func(t *testing.T, s *site) {
				s.d.Remediation, s.d.Preferences.FailureTolerance = RemediationManual, "100%"
				s.sim.DenyAction(s.d.Accounts[0].ID, action)
				foretold := map[string]bool{}
				for _, c := range s.prepare().Changes {
					if c.Action == Skip {
						foretold[fmt.Sprint(c.StackSet, c.Target)] = true
					}
				}
				if len(foretold) == 0 {
					t.Error("nothing is foretold")
				}
				for _, o := range s.apply(t.Context(), s.deployment(s.sets())).Outcomes {
					if k := fmt.Sprint(o.StackSet, o.Target); (o.Status == OutcomeSucceeded) == foretold[k] {
						t.Errorf("%s: %s %s, foretold %t", k, o.Status, o.Reason, foretold[k])
					}
				}
			})
		})
	}
}
