package stackset

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
	"rollout/internal/simaws"
	"rollout/orgs"
	"rollout/templates"
)

// releasePlan is the plan of a release of the stage's account, in all Regions.
func (s *stage) releasePlan() *Plan {
	s.t.Helper()
	d := s.desired(templates.Recording, RemediationOff)
	found, err := Look(s.t.Context(), s.session, PrepareInput{Desired: d, CallAs: types.CallAsSelf, Known: []awsapi.Region{{Name: home, On: true}}}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	policies, err := orgs.ReadPolicies(s.t.Context(), orgs.NewClient(s.session.Own("")))
	if err != nil {
		s.t.Fatal(err)
	}
	return ReleasePlan(d, found.Sets, policies)
}

// obstacles are what is in the way, as "region what".
func (s *stage) obstacles(regions ...string) []string {
	s.t.Helper()
	list, err := Obstacles(s.t.Context(), s.session, []*orgs.Account{s.account}, regions, nil, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for _, o := range list {
		out = append(out, o.Region+" "+o.What)
	}
	return out
}

// The whole way into Control Tower: our recorder is taken out in every Region, bucket and
// rules stay, a run in between does not put it back, the account is enrolled, and the
// rules have verdicts again.
func TestRelease(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage, d Desired) {
		s.landing(simaws.LandingZoneSpec{})
		s.apply(s.plan(d))
		p := s.releasePlan()
		if n := len(p.actions(recordingSet, Delete)); n != 2 || len(p.Changes) != 2 || len(p.Released()) != 1 {
			t.Fatalf("%d deletions of %d changes", n, len(p.Changes))
		}
		if failed := Mark(t.Context(), s.session, p.Released()); len(failed) > 0 {
			t.Fatal(failed)
		}
		s.apply(p)
		if in := s.obstacles(home, other, "us-west-2"); in != nil {
			t.Errorf("in the way: %v", in)
		}
		time.Sleep(time.Hour)
		if got := s.verdictsOf("rollout-vpc-default-security-group-closed", d.Regions); got["RECORDER_OFF"] != 2 {
			t.Errorf("verdicts meanwhile %v", got)
		}

		p = s.plan(d)
		s.says(p, recordingSet, Skip, "taken out for control-tower", "--undo")
		s.says(p, ruleSet, None)
		if p.Pending() {
			t.Errorf("something would be done: %+v", p.Changes)
		}

		s.register()
		if !s.sim.Enrol(s.account.ID) {
			t.Fatal("the account could not be enrolled")
		}
		p = s.plan(d)
		s.says(p, recordingSet, None, "Control Tower's recorder")
		if p.Pending() {
			t.Errorf("something would be done: %+v", p.Changes)
		}
		time.Sleep(time.Hour)
		if got := s.verdictsOf("rollout-vpc-default-security-group-closed", d.Regions); got["RECORDER_OFF"]+got["NOT_DEPLOYED"] > 0 {
			t.Errorf("verdicts afterwards %v", got)
		}
	})
}

// The tag taken off, a run puts the recorder back over the bucket that stayed.
func TestReleaseUndone(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage, d Desired) {
		s.apply(s.plan(d))
		p := s.releasePlan()
		Mark(t.Context(), s.session, p.Released())
		s.apply(p)
		marked, failed := Marked(t.Context(), s.session, d.Accounts)
		if len(marked) != 1 || len(failed) > 0 {
			t.Fatalf("%d marked, %v", len(marked), failed)
		}
		if failed := Unmark(t.Context(), s.session, marked); len(failed) > 0 {
			t.Fatal(failed)
		}
		s.says(s.plan(d), recordingSet, Create)
		s.apply(s.plan(d))
		if got := s.obstacles(home, other); len(got) != 2 || !strings.Contains(got[0], "rollout's recorder and the delivery channel") {
			t.Errorf("in the way: %v", got)
		}
	})
}

// In an OU that is governed already Control Tower's policy keeps StackSets from deleting
// the recorder: the plan says so; outside the OU it works, and moving back enrols.
func TestReleaseInAGovernedOU(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage, d Desired) {
		s.apply(s.plan(d))
		s.landing(simaws.LandingZoneSpec{})
		s.register()
		p := s.releasePlan()
		s.says(p, recordingSet, Skip, "GRCONFIGENABLED", "move the account to an OU that Control Tower does not govern")
		if len(p.Released()) > 0 || p.Pending() {
			t.Error("something would be done")
		}
		governed := s.account.OU.ID
		s.sim.Move(s.account.ID, s.tree.Root.ID)
		s.walk()
		p = s.releasePlan()
		Mark(t.Context(), s.session, p.Released())
		s.apply(p)
		s.sim.Move(s.account.ID, governed)
		time.Sleep(time.Hour)
		s.walk()
		d = s.desired("default-security-group", RemediationOff, home, other)
		s.says(s.plan(d), recordingSet, None, "Control Tower's recorder")
	})
}

// What is not ours is named and never touched.
func TestWhatIsInTheWay(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage, d Desired) {
		s.sim.PutRecorder(s.account.ID, home, simaws.RecorderSpec{Name: "theirs"})
		s.sim.PutChannel(s.account.ID, "us-west-2", "alone")
		s.apply(s.plan(d))
		p := s.releasePlan()
		s.apply(p)
		got := strings.Join(s.obstacles(home, other, "us-west-2"), "\n")
		want := home + " the recorder theirs and the delivery channel theirs are there, which is not rollout's to take out\nus-west-2 the delivery channel alone is there without a recorder"
		if got != want {
			t.Errorf("in the way:\n%s\nwant\n%s", got, want)
		}
		if s.sim.Recorder(s.account.ID, home) != "theirs" {
			t.Error("their recorder is gone")
		}
		s.sim.RemoveRole(s.account.ID, "OrganizationAccountAccessRole")
		if got := s.obstacles(home); len(got) != 1 || !strings.Contains(got[0], "cannot be entered") {
			t.Errorf("without a role: %v", got)
		}
	})
}

// A session that may read tags of no account says so, and plans as if none were released.
func TestReleasedThatCannotBeRead(t *testing.T) {
	c := newPlanCase(func(f *AccountFacts) { f.Bucket = Present })
	facts := &Facts{Accounts: map[string]*AccountFacts{c.account.ID: c.facts}, TagsUnread: []TagGap{{c.account, "Rate exceeded"}}}
	template, err := templates.Lookup(templates.DefaultSecurityGroup)
	if err != nil {
		t.Fatal(err)
	}
	d := Desired{Templates: []templates.Template{template}, HomeRegion: home, Regions: []string{home}, Accounts: []*orgs.Account{c.account}}
	var sets []Set
	for _, w := range WantedSets(d) {
		sets = append(sets, Set{Name: w.Name, Template: w.Template, Automatic: w.Automatic})
	}
	p, err := MakePlan(d, sets, facts)
	if err != nil {
		t.Fatal(err)
	}
	if c := p.at(recordingSet, c.account.ID, home); c.Action != Create {
		t.Errorf("%+v", c)
	}
	if !strings.Contains(strings.Join(p.Warnings(), "\n"), "may be put back: Rate exceeded") {
		t.Errorf("warnings %q", p.Warnings())
	}
}

// Without a recorder AWS Config takes no change of a rule: a new template waits for it.
func TestRulesOfAReleasedAccountAreNotUpdated(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage, d Desired) {
		s.apply(s.plan(d))
		p := s.releasePlan()
		Mark(t.Context(), s.session, p.Released())
		s.apply(p)

		found, err := Look(t.Context(), s.session, PrepareInput{Desired: d, CallAs: types.CallAsSelf, Known: []awsapi.Region{{Name: home, On: true}}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range found.Sets {
			found.Sets[i].SHA256 = strings.Repeat("0", 64) // of another release
		}
		plan, err := planFor(t.Context(), s.session, PrepareInput{Desired: d, CallAs: types.CallAsSelf}, found.Sets, func(Event) {})
		if err != nil {
			t.Fatal(err)
		}
		s.says(plan, ruleSet, Skip, "needs recording", "taken out for control-tower")
	})
}
