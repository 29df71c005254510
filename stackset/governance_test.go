package stackset

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"rollout/internal/awsapi"
	"rollout/internal/simaws"
	"rollout/orgs"
)

const (
	recordingSet = "rollout-recording"
	ruleSet      = "rollout-default-security-group"
	towers       = "aws-controltower-BaselineConfigRecorder"
)

// landing makes a landing zone that uses no account of the stage.
func (s *stage) landing(spec simaws.LandingZoneSpec) {
	s.t.Helper()
	if spec.Region == "" {
		spec.Region = home
	}
	if spec.Version == "" {
		spec.Version = "3.3"
	}
	spec.Regions = []string{home, other}
	for _, a := range s.tree.Accounts {
		switch a.Name {
		case "audit":
			spec.Audit = a.ID
		case "log-archive":
			spec.LogArchive = a.ID
		}
	}
	s.sim.SetUpLandingZone(spec)
}

// register registers the OU of the stage's account.
func (s *stage) register() { s.sim.Register(s.account.OU.ID, "AWSControlTowerBaseline") }

// walk reads the tree anew, for an account that was moved.
func (s *stage) walk() {
	s.t.Helper()
	tree, err := orgs.Walk(s.t.Context(), orgs.NewClient(s.session.Own("")), orgs.WalkOptions{}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, a := range tree.Accounts {
		if a.ID == s.account.ID {
			s.tree, s.account = tree, a
		}
	}
}

// says holds changes of the stage's account to what they are: "set action" and words of
// the reason in each of the two Regions.
func (s *stage) says(p *Plan, set string, action Action, words ...string) {
	s.t.Helper()
	for _, region := range []string{home, other} {
		c := p.at(set, s.account.ID, region)
		if c.Action != action {
			s.t.Errorf("%s in %s: %q (%s), want %q", set, region, c.Action, c.Reason, action)
		}
		for _, w := range words {
			if !strings.Contains(c.Reason, w) {
				s.t.Errorf("%s in %s: the reason lacks %q: %s", set, region, w, c.Reason)
			}
		}
	}
}

func (s *stage) warned(p *Plan, words string) {
	s.t.Helper()
	if !strings.Contains(strings.Join(p.Warnings(), "\n"), words) {
		s.t.Errorf("no warning says %q: %q", words, p.Warnings())
	}
}

// onStage is a run over the two Regions in an organization where nothing is yet.
func onStage(t *testing.T, f func(t *testing.T, s *stage, d Desired)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, simaws.Options{Empty: true, Accounts: 12})
		f(t, s, s.desired("default-security-group", RemediationOff, home, other))
	})
}

// An account joined a governed OU: it gets no recorder from us, whether Control Tower has
// come to it yet or not, and the rule as soon as something records.
func TestAccountThatJoinsControlTower(t *testing.T) {
	for name, zone := range map[string]simaws.LandingZoneSpec{"landing zone 3.3": {}, "landing zone 4.0": {Version: "4.0"}, "in another Region than ours": {Region: other}} {
		t.Run(name, func(t *testing.T) {
			onStage(t, func(t *testing.T, s *stage, d Desired) {
				s.landing(zone)
				s.register()
				s.sim.NotEnrolled(s.account.ID)
				p := s.plan(d)
				s.says(p, recordingSet, Skip, "AWSControlTowerBaseline of "+s.account.OUPath(), "enrol the account")
				s.says(p, ruleSet, Skip, "needs recording", "enrol the account")
				if p.Pending() {
					t.Errorf("something would be done: %+v", p.Changes)
				}

				if !s.sim.Enrol(s.account.ID) {
					t.Fatal("the account could not be enrolled")
				}
				p = s.plan(d)
				s.says(p, recordingSet, None, "Control Tower's recorder "+towers)
				s.says(p, ruleSet, Create)
				s.apply(p)
				time.Sleep(time.Hour)
				if again := s.plan(d); again.Pending() {
					t.Errorf("a second plan has something to do: %+v", again.Changes)
				}
				if got := s.verdictsOf("rollout-vpc-default-security-group-closed", d.Regions); got["NOT_DEPLOYED"] > 0 || got["RECORDER_OFF"] > 0 {
					t.Errorf("verdicts %v", got)
				}
			})
		})
	}
}

// A Region that the landing zone does not govern has no recorder for good, and the plan
// does not tell anybody to enrol what is enrolled.
func TestRegionThatControlTowerDoesNotGovern(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage, d Desired) {
		s.landing(simaws.LandingZoneSpec{})
		s.register()
		d.Regions = []string{"us-west-2", home}
		c := s.plan(d).at(recordingSet, s.account.ID, "us-west-2")
		if c.Action != Skip || !strings.Contains(c.Reason, "records in "+home) || !strings.Contains(c.Reason, "governed Regions") {
			t.Errorf("%s: %s", c.Action, c.Reason)
		}
	})
}

// A recorder of ours in a Region that is not governed is in nobody's way.
func TestOurRecorderWhereControlTowerDoesNotGovern(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage, d Desired) {
		d.Regions = []string{"us-west-2"}
		s.apply(s.plan(d))
		s.landing(simaws.LandingZoneSpec{})
		s.register()
		d.Regions = []string{home, "us-west-2"}
		p := s.plan(d)
		if c := p.at(recordingSet, s.account.ID, "us-west-2"); c.Action != None || c.Reason != "" {
			t.Errorf("%s: %s", c.Action, c.Reason)
		}
		if c := p.at(recordingSet, s.account.ID, home); c.Action != None || !strings.Contains(c.Reason, "Control Tower's recorder") {
			t.Errorf("%s: %s", c.Action, c.Reason)
		}
	})
}

// An OU below a governed one is not governed by that.
func TestOUBelowAGovernedOne(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage, d Desired) {
		s.landing(simaws.LandingZoneSpec{})
		s.sim.Register(s.account.OU.Parent.ID, "AWSControlTowerBaseline")
		// The policy of the OU above binds its accounts, which is what keeps us out.
		s.says(s.plan(d), recordingSet, Skip, "GRCONFIGENABLED")
	})
}

// The account got a recorder of its own where ours was: nothing is taken away, the rules
// go on beside the new one, and remove takes out what is of no use.
func TestAccountThatGotARecorder(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage, d Desired) {
		s.apply(s.plan(d))
		for _, region := range d.Regions {
			s.sim.DropRecorder(s.account.ID, region)
			s.sim.PutRecorder(s.account.ID, region, simaws.RecorderSpec{Name: "theirs"})
		}
		p := s.plan(d)
		s.says(p, recordingSet, None, "in conflict", "recorder theirs", "rollout remove --template recording --account "+s.account.ID)
		s.warned(p, "where rollout deployed its own, which is gone")
		s.says(p, ruleSet, None)
		if p.Pending() {
			t.Errorf("something would be done: %+v", p.Changes)
		}
		// A new template changes the rules, and not what is in conflict.
		d.Parameters = map[string]string{"RecordingFrequency": "DAILY"}
		s.says(s.plan(d), recordingSet, Skip, "in conflict")

		s.remove("recording", home, other)
		for _, region := range d.Regions {
			if got := s.sim.Recorder(s.account.ID, region); got != "theirs" {
				t.Errorf("the recorder in %s is %q", region, got)
			}
		}
		s.says(s.plan(d), recordingSet, None, "the account's own recorder theirs")
	})
}

// The account's OU became governed while rollout recorded there: Control Tower cannot
// enrol it, and the plan says so and what takes our recorder out.
func TestOUThatBecomesGoverned(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage, d Desired) {
		s.apply(s.plan(d))
		s.landing(simaws.LandingZoneSpec{})
		s.register()
		if s.sim.Enrol(s.account.ID) {
			t.Fatal("the account was enrolled with a recorder of ours")
		}
		p := s.plan(d)
		s.says(p, recordingSet, None, "in conflict", "cannot enrol", "rollout release --for control-tower --account "+s.account.ID)
		s.warned(p, "with which an account cannot be enrolled")
		if p.Pending() {
			t.Errorf("something would be done: %+v", p.Changes)
		}
		d.Parameters = map[string]string{"RecordingFrequency": "DAILY"}
		s.says(s.plan(d), recordingSet, Skip, "in conflict")
	})
}

// The account left Control Tower, which took its recorder along: ours comes, and the plan
// says why.
func TestAccountThatLeavesControlTower(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage, d Desired) {
		s.landing(simaws.LandingZoneSpec{})
		s.register()
		s.sim.RemoveRole(s.account.ID, "OrganizationAccountAccessRole") // then Control Tower's is the one that works
		s.apply(s.plan(d))
		s.sim.Move(s.account.ID, s.tree.Root.ID)
		time.Sleep(time.Hour)
		s.walk()
		d = s.desired("default-security-group", RemediationOff, home, other)
		p := s.plan(d)
		s.says(p, recordingSet, Create, "the recorder beside which rollout-default-security-group was deployed is gone", "does not govern it any more")
		s.says(p, ruleSet, None)
		s.apply(p)
		for _, region := range d.Regions {
			if got := s.sim.Recorder(s.account.ID, region); got != ourRecorder {
				t.Errorf("the recorder in %s is %q", region, got)
			}
		}
		if again := s.plan(d); again.Pending() {
			t.Errorf("a second plan has something to do: %+v", again.Changes)
		}
	})
}

// A landing zone without AWS Config leaves recording to us.
func TestLandingZoneWithoutConfig(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage, d Desired) {
		s.landing(simaws.LandingZoneSpec{Version: "4.0", NoConfig: true})
		s.register()
		p := s.plan(d)
		s.says(p, recordingSet, Create, "without AWS Config, so that nobody else records here")
		s.apply(p)
	})
}

// unasked is an identity that Control Tower does not answer.
type unasked struct{ aws.HTTPClient }

func (u unasked) Do(r *http.Request) (*http.Response, error) {
	if !strings.Contains(r.Header.Get("Authorization"), "/controltower/") {
		return u.HTTPClient.Do(r)
	}
	body := `{"message":"User: arn:aws:iam::1:user/x is not authorized to perform: controltower:ListLandingZones"}`
	return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{"X-Amzn-Errortype": {"AccessDeniedException"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// What cannot be read is told by Control Tower's policies and recorders, and said.
func TestGovernanceThatCannotBeRead(t *testing.T) {
	for name, spoil := range map[string]func(s *stage){
		"a policy tells": func(s *stage) { s.sim.NotEnrolled(s.account.ID) },
		"a recorder tells": func(s *stage) { // of the other Region's
			s.sim.Deregister(s.account.OU.ID)
			s.sim.PutRecorder(s.account.ID, home, simaws.RecorderSpec{Name: towers})
		},
	} {
		t.Run(name, func(t *testing.T) {
			onStage(t, func(t *testing.T, s *stage, d Desired) {
				s.landing(simaws.LandingZoneSpec{})
				s.register()
				spoil(s)
				var err error
				s.session, err = awsapi.Open(t.Context(), awsapi.Options{Static: true, HomeRegion: home, EndpointURL: "http://127.0.0.1", HTTPClient: unasked{s.sim.Client()}, Run: "test"})
				if err != nil {
					t.Fatal(err)
				}
				p := s.plan(d)
				c := p.at(recordingSet, s.account.ID, other)
				if c.Action != Skip || !strings.Contains(c.Reason, "Control Tower seems to govern the account") {
					t.Errorf("%s: %s", c.Action, c.Reason)
				}
				s.warned(p, "What Control Tower governs could not be read")
			})
		})
	}
}

// Without a landing zone a plan asks one question; with one it asks where it is, which
// baselines there are and which are enabled.
func TestCallsAboutGovernance(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage, d Desired) {
		s.plan(d)
		calls := s.sim.Stats().Calls
		if calls["organizations:ListAWSServiceAccessForOrganization"] != 1 || calls["controltower:ListLandingZones"] != 0 {
			t.Errorf("without a landing zone: %v", calls)
		}
		s.landing(simaws.LandingZoneSpec{})
		s.plan(d)
		for call, n := range s.sim.Stats().Calls {
			if strings.HasPrefix(call, "controltower:") && n != 1 {
				t.Errorf("%d calls of %s", n, call)
			}
		}
	})
}
