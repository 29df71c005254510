package stackset

import (
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"rollout/internal/awsapi"
	"rollout/internal/simaws"
	"rollout/orgs"
)

// What follows was found by TestEveryFailureIsForetold, one seed each.

// deny attaches a service control policy of one statement to an account.
func (s *site) deny(a *orgs.Account, statement string) (lift func()) {
	s.t.Helper()
	api := organizations.NewFromConfig(s.session.Own(""))
	s.runs++
	out, err := api.CreatePolicy(s.t.Context(), &organizations.CreatePolicyInput{
		Name: aws.String("test" + strings.Repeat("x", s.runs)), Description: aws.String("test"), Type: types.PolicyTypeServiceControlPolicy,
		Content: aws.String(`{"Version":"2012-10-17","Statement":[{"Sid":"Test","Effect":"Deny",` + statement + `}]}`),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := api.AttachPolicy(s.t.Context(), &organizations.AttachPolicyInput{PolicyId: out.Policy.PolicySummary.Id, TargetId: &a.ID}); err != nil {
		s.t.Fatal(err)
	}
	return func() {
		if _, err := api.DetachPolicy(s.t.Context(), &organizations.DetachPolicyInput{PolicyId: out.Policy.PolicySummary.Id, TargetId: &a.ID}); err != nil {
			s.t.Fatal(err)
		}
	}
}

const exemptsStackSets = `"ArnNotLike":{"aws:PrincipalARN":"arn:aws:iam::*:role/stacksets-exec-*"}`

// A Region that is denied to everybody but StackSets' role can be deployed to, though it
// cannot be looked at.
func TestRegionDeniedToOthersThanStackSets(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		const region = `"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"` + other + `"}`
		exempt, denied := s.d.Accounts[0], s.d.Accounts[1]
		for _, a := range s.d.Accounts {
			s.sim.PutRecorder(a.ID, other, simaws.RecorderSpec{})
		}
		s.deny(exempt, region+","+exemptsStackSets+"}")
		s.deny(denied, region+"}")
		p := s.prepared()
		if c := p.at("rollout-default-security-group", exempt.ID, other); c.Action != Create {
			t.Errorf("exempt: %+v", c)
		}
		if c := p.at("rollout-default-security-group", denied.ID, other); c.Action != Skip || !strings.Contains(c.Reason, "cloudformation:CreateStack is denied with an explicit deny in a service control policy: testxx") {
			t.Errorf("denied: %+v", c)
		}
		for _, o := range s.apply(t.Context(), p).Outcomes {
			if o.Status != OutcomeSucceeded {
				t.Errorf("%+v", o)
			}
		}
	})
}

// An update or a deletion that a policy denies is foretold too, and only what it denies.
func TestDeniedChangesAreForetold(t *testing.T) {
	for name, c := range map[string]struct {
		action   string
		mode     Remediation
		days     string
		set      string
		foretold bool
	}{
		"no stack is updated":                 {"cloudformation:UpdateStack", RemediationManual, "30", baseSet, true},
		"a stack is created":                  {"cloudformation:CreateStack", RemediationManual, "30", baseSet, false},
		"no remediation is deleted":           {"config:DeleteRemediationConfiguration", RemediationAutomatic, "", "rollout-default-security-group-enforce-automatic", true},
		"no stack is deleted":                 {"cloudformation:DeleteStack", RemediationAutomatic, "", "rollout-default-security-group-enforce-automatic", true},
		"no remediation is put":               {"config:PutRemediationConfigurations", RemediationAutomatic, "", "rollout-default-security-group-enforce-automatic", true},
		"a bucket is deleted, which is kept":  {"s3:DeleteBucket", RemediationManual, "30", baseSet, false},
		"a rule is put, which is there as is": {"config:PutConfigRule", RemediationManual, "30", "rollout-default-security-group", false},
	} {
		t.Run(name, func(t *testing.T) {
			inSim(t, 2, func(t *testing.T, s *site) {
				s.d.Remediation = RemediationManual
				s.apply(t.Context(), s.prepared())
				a := s.d.Accounts[0]
				s.deny(a, `"Action":"`+c.action+`","Resource":"*"`)
				s.d.Remediation, s.d.Preferences.FailureTolerance = c.mode, "100%"
				if c.days != "" {
					s.d.Parameters = map[string]string{"HistoryRetentionDays": c.days}
				}
				p := s.prepared()
				if got := p.at(c.set, a.ID, home); (got.Action == Skip && strings.Contains(got.Reason, c.action+" is denied")) != c.foretold {
					t.Errorf("%+v", got)
				}
				for _, o := range s.apply(t.Context(), p).Outcomes {
					if o.Status != OutcomeSucceeded {
						t.Errorf("%+v", o)
					}
				}
				for _, region := range s.d.Regions { // it is never without enforcement
					at := Target{a.ID, region}
					_, manual := s.instances("rollout-default-security-group-enforce")[at]
					_, automatic := s.instances("rollout-default-security-group-enforce-automatic")[at]
					if manual == automatic {
						t.Errorf("in %s: manual %v, automatic %v", region, manual, automatic)
					}
				}
			})
		})
	}
}

// An instance without a stack is judged as a new one: what made its creation fail is
// foretold, and once that is gone it gets its stack with the switches of now.
func TestInstancesWithoutAStack(t *testing.T) {
	inSim(t, 3, func(t *testing.T, s *site) {
		s.d.Preferences.FailureTolerance = "100%"
		refused, left := s.d.Accounts[0], s.d.Accounts[1]
		p := s.prepared()
		lift := s.deny(refused, `"Action":"s3:CreateBucket","Resource":"*"`)
		s.sim.PutChannel(left.ID, other, "left")
		s.apply(t.Context(), p)
		for set, at := range map[string]Target{baseSet: {refused.ID, home}, "rollout-recording": {left.ID, other}} {
			if i, there := s.instances(set)[at]; !there || i.StackID != "" {
				t.Fatalf("%s has the instance %+v", set, i)
			}
		}

		p = s.prepared()
		if c := p.at(baseSet, refused.ID, home); c.Action != Skip || !strings.HasPrefix(c.Reason, "s3:CreateBucket is denied") {
			t.Errorf("while it is denied: %+v", c)
		}
		if c := p.at("rollout-recording", left.ID, other); c.Action != Skip || !strings.Contains(c.Reason, "a delivery channel (left) is there") {
			t.Errorf("while the channel is there: %+v", c)
		}
		if p.Pending() {
			t.Errorf("something to do: %+v", p.Changes)
		}

		lift()
		s.sim.SetServiceLinkedRole(refused.ID, "config.amazonaws.com", true) // made by somebody since
		s.sim.PutRecorder(left.ID, other, simaws.RecorderSpec{})
		p = s.prepared()
		c := p.at(baseSet, refused.ID, home)
		if c.Action != Update || !maps.Equal(c.Overrides, map[string]string{"CreateConfigServiceLinkedRole": "false", "CreateRemediationServiceLinkedRole": "false", "CreateDeliveryBucket": "true"}) {
			t.Errorf("then %+v", c)
		}
		if c := p.at("rollout-recording", left.ID, other); c.Action != None || !strings.Contains(c.Reason, "the stack instance without a stack is of no use") {
			t.Errorf("with a recorder of its own: %+v", c)
		}
		for _, o := range s.apply(t.Context(), p).Outcomes {
			if o.Status != OutcomeSucceeded {
				t.Errorf("%+v", o)
			}
		}
		if again := s.prepared(); again.Pending() {
			t.Errorf("again: %+v", again.Changes)
		}
	})
}

// Creates in a set that changes while none of its instances is updated are skipped by the
// plan, with what needs them, and not only by the deploy.
func TestOutdatedSetWithoutUpdates(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		all := s.d.Accounts
		s.d.Accounts = all[:1]
		s.apply(t.Context(), s.prepared())
		s.d.Accounts, s.d.Parameters = all[1:], map[string]string{"HistoryRetentionDays": "30"}
		p := s.prepared()
		for _, set := range []string{baseSet, "rollout-recording", "rollout-default-security-group"} {
			if c := p.at(set, all[1].ID, home); c.Action != Skip || !strings.Contains(c.Reason, "this run updates none of the instances that it has") {
				t.Errorf("%+v", c)
			}
		}
		if p.Pending() || len(p.Steps(ApplyOptions{})) > 0 {
			t.Errorf("%+v", p.Steps(ApplyOptions{}))
		}
		s.d.Accounts = all
		for _, o := range s.apply(t.Context(), s.prepared()).Outcomes {
			if o.Status != OutcomeSucceeded {
				t.Errorf("%+v", o)
			}
		}
	})
}

// An account that recorded by itself, was given recording-base for its enforcement and
// then lost its recorder and the role has both made.
func TestConfigRoleAfterAFirstRunWithoutIt(t *testing.T) {
	inSim(t, 1, func(t *testing.T, s *site) {
		a := s.d.Accounts[0]
		for _, region := range s.d.Regions {
			s.sim.PutRecorder(a.ID, region, simaws.RecorderSpec{})
		}
		s.d.Remediation = RemediationManual
		s.apply(t.Context(), s.prepared())
		s.sim.DropRecorder(a.ID, other)
		s.sim.SetServiceLinkedRole(a.ID, "config.amazonaws.com", false)

		p := s.prepared()
		if c := p.at(baseSet, a.ID, home); c.Action != Update || c.Overrides["CreateConfigServiceLinkedRole"] != "true" || c.Overrides["CreateRemediationServiceLinkedRole"] != "true" {
			t.Errorf("%+v", c)
		}
		for _, o := range s.apply(t.Context(), p).Outcomes {
			if o.Status != OutcomeSucceeded {
				t.Errorf("%+v", o)
			}
		}
		if name := s.sim.Recorder(a.ID, other); name != "rollout" {
			t.Errorf("the recorder is %q", name)
		}
	})
	inSim(t, 1, func(t *testing.T, s *site) {
		a := s.d.Accounts[0]
		s.d.Regions = []string{home}
		s.apply(t.Context(), s.prepared())
		s.sim.SetServiceLinkedRole(a.ID, "config.amazonaws.com", false) // somebody deleted what recording-base made
		s.d.Regions = []string{other, home}
		p := s.prepared()
		if c := p.at("rollout-recording", a.ID, other); c.Action != Skip || !strings.Contains(c.Reason, "aws iam create-service-linked-role") {
			t.Errorf("%+v", c)
		}
		if p.Pending() {
			t.Errorf("something to do: %+v", p.Changes)
		}
	})
}

// What a selection leaves behind is pruned where that can be; where it cannot, because
// the Region is off or a policy denies it, it stays with what it needs.
func TestPruneForetellsWhatStays(t *testing.T) {
	inSim(t, 3, func(t *testing.T, s *site) {
		const optIn = "eu-south-1"
		all := s.d.Accounts
		for _, a := range all {
			s.sim.OptIn(a.ID, optIn, true)
		}
		s.d.Regions, s.d.Remediation = []string{optIn, other, home}, RemediationManual
		s.apply(t.Context(), s.prepared())
		s.sim.OptIn(all[1].ID, optIn, false)
		s.deny(all[2], `"Action":"iam:DeleteRole","Resource":"*"`)
		s.d.Accounts, s.d.Prune, s.d.MaxDeletions, s.d.Walked = all[:1], true, "100%", map[string]*orgs.Account{}
		for _, a := range all {
			s.d.Walked[a.ID] = a
		}
		known, err := awsapi.ListRegions(t.Context(), s.session.Own(""), "")
		if err != nil {
			t.Fatal(err)
		}
		p, err := Prepare(t.Context(), s.session, PrepareInput{Desired: s.d, Known: known}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, set := range []string{"rollout-default-security-group", "rollout-default-security-group-enforce"} {
			if c := p.at(set, all[1].ID, optIn); c.Action != Skip || !strings.Contains(c.Reason, "Region eu-south-1 is off") {
				t.Errorf("off: %+v", c)
			}
			if c := p.at(set, all[1].ID, home); c.Action != Delete {
				t.Errorf("on: %+v", c)
			}
			if c := p.at(set, all[2].ID, other); c.Action != Skip || !strings.Contains(c.Reason, "iam:DeleteRole is denied") {
				t.Errorf("denied: %+v", c)
			}
		}
		for _, o := range s.apply(t.Context(), p).Outcomes {
			if o.Status != OutcomeSucceeded {
				t.Errorf("%+v", o)
			}
		}
	})
}
