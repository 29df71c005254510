package stackset

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollout/internal/awsapi"
	"rollout/orgs"
	"rollout/templates"
)

const baseSet = "rollout-recording-base"

// prepared is the plan of the site's run, as a command works it out.
func (s *site) prepared() *Plan {
	s.t.Helper()
	p, err := Prepare(s.t.Context(), s.session, PrepareInput{Desired: s.d, Known: []awsapi.Region{{Name: home, On: true}, {Name: other, On: true}}}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// overridesAt are the overrides that StackSets has of an instance.
func (s *site) overridesAt(set, account string) map[string]string {
	s.t.Helper()
	values, err := describeOverrides(s.t.Context(), newClient(s.session, "", newPace()), "", key{set, Target{account, home}})
	if err != nil {
		s.t.Fatal(err)
	}
	return values
}

func (p *Plan) at(set, account, region string) Change {
	for _, c := range p.Changes {
		if c.StackSet == set && c.Target == (Target{account, region}) {
			return c
		}
	}
	return Change{}
}

// inoperable makes a stack instance one that StackSets can do nothing with any more:
// somebody protected its stack, and then it was to be deleted.
func (s *site) inoperable(set string, a *orgs.Account) {
	s.t.Helper()
	entry, err := s.session.Enter(s.t.Context(), a.ID, "")
	if err != nil {
		s.t.Fatal(err)
	}
	stack := s.instances(set)[Target{a.ID, home}].StackID
	_, err = cloudformation.NewFromConfig(entry.Config(home)).UpdateTerminationProtection(s.t.Context(), &cloudformation.UpdateTerminationProtectionInput{StackName: &stack, EnableTerminationProtection: aws.Bool(true)})
	if err != nil {
		s.t.Fatal(err)
	}
	s.apply(s.t.Context(), s.only(s.sets(), s.change(set, a, home, Delete)))
	if i := s.instances(set)[Target{a.ID, home}]; i.Status != "INOPERABLE" {
		s.t.Fatalf("%+v", i)
	}
}

// Enforcement that is asked for after a first run without it: recording-base gets the
// switch for the role that is missing beside the overrides that it has, in the accounts
// that lack the role and no others, and what the instance made or found stays.
func TestEnforcementAfterAFirstRunWithoutIt(t *testing.T) {
	inSim(t, 3, func(t *testing.T, s *site) {
		bare, used, whole := s.d.Accounts[0].ID, s.d.Accounts[1].ID, s.d.Accounts[2].ID
		s.sim.SetServiceLinkedRole(used, "config.amazonaws.com", true)
		s.sim.SetServiceLinkedRole(whole, "remediation.config.amazonaws.com", true)
		s.apply(t.Context(), s.prepared())
		before := s.sim.Stats().Calls["cloudformation:DescribeStackInstance"]

		s.d.Remediation = RemediationManual
		p := s.prepared()
		if n := s.sim.Stats().Calls["cloudformation:DescribeStackInstance"] - before; n != 2 {
			t.Errorf("%d instances were read, and two accounts lack the role", n)
		}
		want := map[string]map[string]string{
			bare: {"CreateConfigServiceLinkedRole": "true", "CreateRemediationServiceLinkedRole": "true"},
			used: {"CreateRemediationServiceLinkedRole": "true"}, // its other role was there, and stays somebody else's
		}
		for id, overrides := range want {
			c := p.at(baseSet, id, home)
			if c.Action != Update || !maps.Equal(c.Overrides, overrides) || !strings.Contains(c.Reason, "CreateRemediationServiceLinkedRole=true") {
				t.Errorf("%s: %+v", id, c)
			}
		}
		if c := p.at(baseSet, whole, home); c.Action != None || c.Overrides != nil {
			t.Errorf("the account that has the role: %+v", c)
		}
		result := s.apply(t.Context(), p)
		if tally := tallyOf(result); tally["recording-base update SUCCEEDED"] != 2 {
			t.Errorf("outcomes %v", tally)
		}
		for id, overrides := range want {
			if got := s.overridesAt(baseSet, id); !maps.Equal(got, overrides) {
				t.Errorf("%s has the overrides %v", id, got)
			}
			for _, role := range []string{"AWSServiceRoleForConfig", "AWSServiceRoleForConfigRemediation"} {
				if !s.sim.HasRole(id, role) {
					t.Errorf("%s lacks %s", id, role)
				}
			}
		}
		if again := s.prepared(); again.Pending() {
			t.Errorf("a second plan has something to do: %+v", again.Changes)
		}

		// A role that somebody deleted is not made by an update that changes nothing.
		s.sim.RemoveRole(bare, "AWSServiceRoleForConfigRemediation")
		p = s.prepared()
		if c := p.at(baseSet, bare, home); c.Action != None {
			t.Errorf("the role is gone: %+v", c)
		}
		if !strings.Contains(strings.Join(p.Warnings(), "\n"), "is gone although recording-base made it") {
			t.Errorf("no word of it: %q", p.Warnings())
		}
	})
}

// The set's own template changes with the same run: StackSets takes no overrides with
// UpdateStackSet, so the instances that get some are worked on once more.
func TestOverridesWithANewTemplate(t *testing.T) {
	for name, lack := range map[string]int{"some lack the role": 2, "all lack the role": 3} {
		t.Run(name, func(t *testing.T) {
			inSim(t, 3, func(t *testing.T, s *site) {
				for _, a := range s.d.Accounts[lack:] {
					s.sim.SetServiceLinkedRole(a.ID, "remediation.config.amazonaws.com", true)
				}
				s.apply(t.Context(), s.prepared())
				s.d.Remediation = RemediationManual
				s.d.Parameters = map[string]string{"HistoryRetentionDays": "500"}
				s.apply(t.Context(), s.prepared()) // asForetold holds the calls to the plan's
				for _, a := range s.d.Accounts {
					if !s.sim.HasRole(a.ID, "AWSServiceRoleForConfigRemediation") {
						t.Errorf("%s lacks the role", a.ID)
					}
				}
				if again := s.prepared(); again.Pending() {
					t.Errorf("a second plan has something to do: %+v", again.Changes)
				}
			})
		})
	}
}

// What an INOPERABLE instance had is given to the one that is made in its place, but for
// the switches of what its stack left behind.
func TestRecreateKeepsOverrides(t *testing.T) {
	given := GivenOverrides{Values: map[string]string{"CreateConfigServiceLinkedRole": "true", "CreateRemediationServiceLinkedRole": "true", "HistoryRetentionDays": "800"}}
	for name, test := range map[string]struct {
		facts func(f *AccountFacts)
		given GivenOverrides
		want  map[string]string
	}{
		"roles and bucket are there": {func(f *AccountFacts) { f.ConfigRole, f.RemediationRole, f.Bucket = Present, Present, Present }, given,
			map[string]string{"HistoryRetentionDays": "800", "CreateDeliveryBucket": "false"}},
		"all is gone": {nil, given, map[string]string{"HistoryRetentionDays": "800", "CreateConfigServiceLinkedRole": "true", "CreateRemediationServiceLinkedRole": "true"}},
		"nothing could be looked at": {func(f *AccountFacts) { f.ConfigRole, f.RemediationRole, f.Bucket = Unknown, Unknown, Unknown }, given,
			map[string]string{"HistoryRetentionDays": "800", "CreateDeliveryBucket": "false"}},
		"unread": {func(f *AccountFacts) { f.ConfigRole, f.RemediationRole, f.Bucket = Present, Present, Present }, GivenOverrides{Unread: "Rate exceeded"},
			map[string]string{"CreateDeliveryBucket": "false"}},
	} {
		c := newPlanCase(test.facts)
		template, err := templates.Lookup(templates.DefaultSecurityGroup)
		if err != nil {
			t.Fatal(err)
		}
		d := Desired{Templates: []templates.Template{template}, HomeRegion: home}
		at := Target{c.account.ID, home}
		var sets []Set
		for _, w := range WantedSets(d) {
			set := Set{Name: w.Name, Template: w.Template, Automatic: w.Automatic, Exists: true, SHA256: w.Template.SHA256(), Want: want(d, w.Template, w.Automatic)}
			set.Parameters = set.Want
			if w.Name == baseSet {
				set.Instances = map[Target]Instance{at: {Target: at, OU: "ou-ab12-11111111", Status: "INOPERABLE", StackID: "arn"}}
			}
			sets = append(sets, set)
		}
		p := c.planWith(t, d, sets, map[key]GivenOverrides{{baseSet, at}: test.given})
		got := p.at(baseSet, c.account.ID, home)
		// Nothing of ours records here yet, so the plan is about the roles that were overridden.
		if got.Action != Recreate || !maps.Equal(got.Overrides, test.want) {
			t.Errorf("%s: %s with %v, want %v", name, got.Action, got.Overrides, test.want)
		}
		if warned := strings.Contains(strings.Join(p.Warnings(), "\n"), "could not be read, so the instance is made anew without"); warned != (test.given.Unread != "") {
			t.Errorf("%s: warnings %q", name, p.Warnings())
		}
	}
}

// The whole way: an instance that cannot be deleted becomes INOPERABLE and is made anew
// over the roles and the bucket that its stack leaves.
func TestRecreateOverWhatIsLeft(t *testing.T) {
	inSim(t, 1, func(t *testing.T, s *site) {
		a := s.d.Accounts[0]
		s.apply(t.Context(), s.prepared())
		s.inoperable(baseSet, a)
		p := s.prepared()
		c := p.at(baseSet, a.ID, home)
		if want := map[string]string{"CreateDeliveryBucket": "false"}; c.Action != Recreate || !maps.Equal(c.Overrides, want) {
			t.Fatalf("%+v", c)
		}
		wantTally(t, s.apply(t.Context(), p), map[string]int{"recording-base recreate SUCCEEDED": 1})
		time.Sleep(time.Minute)
		if again := s.prepared(); again.Pending() {
			t.Errorf("a second plan has something to do: %+v", again.Changes)
		}
	})
}

// The management account's plain stack gets the switch as an instance does; its others
// stay as they are.
func TestEnforcementLaterInTheManagementAccount(t *testing.T) {
	inSim(t, 1, func(t *testing.T, s *site) {
		for _, a := range s.tree.Accounts {
			if a.Management {
				s.d.Accounts, s.d.Management = append(s.d.Accounts[:0:0], a), a.ID
			}
		}
		s.apply(t.Context(), s.prepared())
		s.d.Remediation = RemediationManual
		p := s.prepared()
		if c := p.at(baseSet, s.d.Management, home); c.Action != Update || !c.Single {
			t.Errorf("%+v", c)
		}
		s.apply(t.Context(), p)
		roles := iam.NewFromConfig(s.session.Own(home))
		for _, role := range []string{"AWSServiceRoleForConfig", "AWSServiceRoleForConfigRemediation"} {
			if _, err := roles.GetRole(t.Context(), &iam.GetRoleInput{RoleName: &role}); err != nil {
				t.Error(err)
			}
		}
		if again := s.prepared(); again.Pending() {
			t.Errorf("a second plan has something to do: %+v", again.Changes)
		}
	})
}
