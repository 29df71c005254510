package stackset

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
	"rollout/internal/simaws"
	"rollout/orgs"
	"rollout/templates"
)

const home, other = "us-east-1", "eu-west-1"

// stage is a simulated organization with a way to run on one of its accounts.
type stage struct {
	t       *testing.T
	sim     *simaws.Sim
	session *awsapi.Session
	tree    *orgs.Tree
	account *orgs.Account
	runs    int
}

func newStage(t *testing.T, o simaws.Options) *stage {
	t.Helper()
	s := &stage{t: t, sim: simaws.New(o)}
	var err error
	s.session, err = awsapi.Open(t.Context(), awsapi.Options{Static: true, HomeRegion: home, EndpointURL: "http://127.0.0.1", HTTPClient: s.sim.Client(), Run: "test"})
	if err != nil {
		t.Fatal(err)
	}
	s.tree, err = orgs.Walk(t.Context(), orgs.NewClient(s.session.Own("")), orgs.WalkOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range s.tree.Accounts {
		if a.Active() && strings.HasPrefix(a.OUPath(), "Workloads/Prod/Payments") && s.account == nil {
			s.account = a
		}
	}
	return s
}

func (s *stage) desired(template string, remediation Remediation, regions ...string) Desired {
	s.t.Helper()
	t, err := templates.Lookup(template)
	if err != nil {
		s.t.Fatal(err)
	}
	slices.Sort(regions)
	return Desired{Templates: []templates.Template{t}, Remediation: remediation, Accounts: []*orgs.Account{s.account}, OUs: []string{s.tree.Root.ID}, Regions: regions, HomeRegion: home, Partition: "aws", ReuseExisting: true}
}

func (s *stage) plan(d Desired) *Plan {
	s.t.Helper()
	p, err := Prepare(s.t.Context(), s.session, PrepareInput{Desired: d, CallAs: types.CallAsSelf, Known: []awsapi.Region{{Name: home, On: true}, {Name: other, On: true}}}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// apply carries a plan out and wants every instance to come true.
func (s *stage) apply(p *Plan) *Result {
	s.t.Helper()
	s.runs++
	result, err := Apply(s.t.Context(), s.session, types.CallAsSelf, p, ApplyOptions{Run: fmt.Sprint("test-", s.runs)}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, o := range result.Outcomes {
		if o.Status != OutcomeSucceeded {
			s.t.Errorf("%s of %s in %s: %s: %s", o.Action, o.StackSet, o.Region, o.Status, o.Reason)
		}
	}
	return result
}

func (s *stage) remove(template string, regions ...string) {
	s.t.Helper()
	d := s.desired(template, RemediationOff, regions...)
	found, err := Look(s.t.Context(), s.session, PrepareInput{Desired: d, CallAs: types.CallAsSelf, Known: []awsapi.Region{{Name: home, On: true}}}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	p, err := RemovePlan(d, found.Sets, RemoveOptions{MaxDeletions: "100%"})
	if err != nil {
		s.t.Fatal(err)
	}
	s.apply(p)
}

// The matrix of what an account can already have: a recorder in no Region, in the
// home Region, in another one or in both; ours from before, the customer's, Control
// Tower's, a stopped one, one that records a subset; the home Region among the
// Regions asked for or not. It deploys, deploys again with nothing to do, is
// removed, and deploys again; what was there before is never touched.
func TestRecorderMatrix(t *testing.T) {
	kinds := map[string]simaws.RecorderSpec{
		"ours":          {Name: "rollout"},
		"customer":      {},
		"control tower": {Name: "aws-controltower-BaselineConfigRecorder"},
		"stopped":       {Stopped: true},
		"subset":        {Types: []string{"AWS::S3::Bucket"}},
	}
	places := map[string][]string{"none": nil, "home": {home}, "another": {other}, "both": {home, other}}
	for place, recorders := range places {
		for kind, spec := range kinds {
			if recorders == nil && kind != "customer" {
				continue // no recorder is of no kind
			}
			for _, regions := range [][]string{{home, other}, {other}} {
				t.Run(fmt.Sprintf("%s/%s/%d regions", place, kind, len(regions)), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { recorderCase(t, recorders, kind, spec, regions) })
				})
			}
		}
	}
}

func recorderCase(t *testing.T, recorders []string, kind string, spec simaws.RecorderSpec, regions []string) {
	s := newStage(t, simaws.Options{Empty: true, Accounts: 12})
	id := s.account.ID
	for _, region := range recorders {
		s.sim.PutRecorder(id, region, spec)
	}
	if kind == "control tower" {
		for _, action := range []string{"config:PutConfigurationRecorder", "config:DeleteConfigurationRecorder", "config:PutDeliveryChannel", "config:DeleteDeliveryChannel"} {
			if len(recorders) == 2 {
				s.sim.DenyAction(id, action)
			}
		}
	}
	// want is the recorder in each Region with our deployment, before what was there.
	before, want := map[string]string{}, map[string]string{}
	for _, region := range []string{home, other} {
		before[region] = s.sim.Recorder(id, region)
		want[region] = before[region]
		if want[region] == "" && slices.Contains(regions, region) {
			want[region] = "rollout"
		}
	}
	check := func(step string, want map[string]string) {
		t.Helper()
		for region, name := range want {
			if got := s.sim.Recorder(id, region); got != name {
				t.Errorf("%s: the recorder in %s is %q, want %q", step, region, got, name)
			}
		}
	}
	d := s.desired(templates.DefaultSecurityGroup, RemediationOff, regions...)
	first := s.plan(d)
	s.apply(first)
	check("deployed", want)
	rules := 0
	for _, line := range s.sim.Truth(regions) {
		if line.AccountID == id && line.Status != "NOT_DEPLOYED" {
			rules++
		}
	}
	if rules != len(regions) {
		t.Errorf("the rule is in %d of %d Regions", rules, len(regions))
	}
	for _, c := range first.Changes {
		if c.Template == templates.Recording && c.Action == Create && before[c.Region] != "" {
			t.Errorf("planned recording in %s, where a recorder is", c.Region)
		}
		if (c.Action == Skip || c.Action == Recreate || c.Action == Delete) && c.Reason == "" {
			t.Errorf("no reason: %+v", c)
		}
	}
	calls := s.sim.Stats().Calls["cloudformation:CreateStackInstances"]
	if again := s.plan(d); again.Pending() {
		t.Errorf("a second plan has something to do: %+v", again.Changes)
	}
	if s.sim.Stats().Calls["cloudformation:CreateStackInstances"] != calls {
		t.Error("planning started an operation")
	}
	for _, name := range []string{templates.DefaultSecurityGroup, templates.Recording, templates.RecordingBase} {
		s.remove(name)
	}
	check("removed", before)
	s.apply(s.plan(d))
	check("deployed again", want)

	// Enforcement brings what it needs, wherever the recorder is from.
	d = s.desired(templates.DefaultSecurityGroup, RemediationManual, regions...)
	s.apply(s.plan(d))
	if again := s.plan(d); again.Pending() {
		t.Errorf("a second plan with enforcement has something to do: %+v", again.Changes)
	}
	check("enforced", want)
}
