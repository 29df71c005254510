package stackset

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	gocmp "github.com/google/go-cmp/cmp"

	"rollout/internal/awsapi"
	"rollout/internal/simaws"
	"rollout/orgs"
	"rollout/templates"
)

// site is a simulated organization with a session of its management account.
type site struct {
	t       *testing.T
	sim     *simaws.Sim
	session *awsapi.Session
	tree    *orgs.Tree
	d       Desired
	runs    int
	events  []Event
	telling sync.Mutex
	answer  answer // changes what CloudFormation answers, nil for nothing
	gate    func(context.Context, *Result) (string, error)
}

// newSite has n active accounts under Workloads chosen, in both Regions.
func newSite(t *testing.T, n int, so simaws.Options) *site {
	t.Helper()
	so.Empty = true
	sim := simaws.New(so)
	s := &site{t: t, sim: sim}
	session, err := awsapi.Open(t.Context(), awsapi.Options{Static: true, HTTPClient: tampered{sim.Client(), s}, EndpointURL: "http://127.0.0.1", HomeRegion: home})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := orgs.Walk(t.Context(), orgs.NewClient(session.Own("")), orgs.WalkOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	template, err := templates.Lookup(templates.DefaultSecurityGroup)
	if err != nil {
		t.Fatal(err)
	}
	s.session, s.tree = session, tree
	s.d = Desired{Templates: []templates.Template{template}, Remediation: RemediationOff, Regions: []string{other, home}, HomeRegion: home, Partition: "aws", OUs: []string{tree.Root.ID}}
	for _, a := range tree.Accounts {
		if len(s.d.Accounts) < n && a.Active() && strings.HasPrefix(a.OUPath(), "Workloads") {
			s.d.Accounts = append(s.d.Accounts, a)
		}
	}
	if len(s.d.Accounts) != n {
		t.Fatalf("%d accounts under Workloads", len(s.d.Accounts))
	}
	return s
}

// sets looks the sets up as a run does.
func (s *site) sets() []Set {
	s.t.Helper()
	found, err := Find(s.t.Context(), s.session, "", []string{home}, len(s.d.Walked), WantedSets(s.d))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := range found.Sets {
		found.Sets[i].Want = want(s.d, found.Sets[i].Template, found.Sets[i].Automatic)
		found.Sets[i].Outdated = outdated(found.Sets[i])
	}
	return found.Sets
}

// change is a change of the set of a template in a place.
func (s *site) change(set string, a *orgs.Account, region string, action Action) Change {
	c := Change{StackSet: set, Target: Target{a.ID, region}, Account: a, Action: action, Reason: "test"}
	if set == "rollout-recording-base" && action == Create {
		c.Overrides = map[string]string{"CreateConfigServiceLinkedRole": "true", "CreateRemediationServiceLinkedRole": "true"}
	}
	return c
}

// deployment creates everything in every chosen account, but in what is there.
func (s *site) deployment(sets []Set) *Plan {
	p := &Plan{Desired: s.d, Sets: sets}
	for _, set := range sets {
		if set.Template.Enforces != "" && (s.d.Remediation == RemediationOff || set.Automatic != (s.d.Remediation == RemediationAutomatic)) {
			continue
		}
		for _, a := range s.d.Accounts {
			regions := s.d.Regions
			if set.Template.Scope == templates.ScopeHome {
				regions = []string{home}
			}
			for _, region := range regions {
				if _, there := set.Instances[Target{a.ID, region}]; !there {
					p.Changes = append(p.Changes, s.change(set.Name, a, region, Create))
				}
			}
		}
	}
	return p
}

// only is a plan of one set.
func (s *site) only(sets []Set, changes ...Change) *Plan {
	return &Plan{Desired: s.d, Sets: sets, Changes: changes}
}

func (s *site) apply(ctx context.Context, p *Plan) *Result {
	s.t.Helper()
	result, err := s.try(ctx, p)
	if err != nil {
		s.t.Fatal(err)
	}
	return result
}

func (s *site) try(ctx context.Context, p *Plan) (*Result, error) {
	s.t.Helper()
	s.runs++
	s.events = nil
	before := s.writes()
	result, err := Apply(ctx, s.session, "", p, ApplyOptions{Run: fmt.Sprint("t", s.runs), Version: "1", Gate: s.gate}, func(e Event) {
		s.telling.Lock()
		defer s.telling.Unlock()
		s.events = append(s.events, e)
	})
	s.oneEach(p, result)
	s.asForetold(p, result, before)
	explained(s.t, p)
	return result, err
}

// oneEach holds for every apply: each pending change has exactly one outcome.
func (s *site) oneEach(p *Plan, r *Result) {
	s.t.Helper()
	seen := map[key]int{}
	for _, o := range r.Outcomes {
		seen[key{o.StackSet, o.Target}]++
	}
	n := 0
	for _, c := range p.Changes {
		if pending(c.Action) {
			n++
			if seen[key{c.StackSet, c.Target}] != 1 {
				s.t.Errorf("%d outcomes of %+v", seen[key{c.StackSet, c.Target}], c)
			}
		}
	}
	if n != len(r.Outcomes) {
		s.t.Errorf("%d outcomes of %d changes", len(r.Outcomes), n)
	}
}

// asForetold holds for every apply in which nothing fails or waits: it makes exactly
// the calls that Steps names, with their targets.
func (s *site) asForetold(p *Plan, r *Result, before map[string]int) {
	s.t.Helper()
	if s.answer != nil || slices.ContainsFunc(s.events, func(e Event) bool { _, ok := e.(Waiting); return ok }) ||
		slices.ContainsFunc(r.Outcomes, func(o Outcome) bool { return o.Status != OutcomeSucceeded }) {
		return
	}
	calls := map[string]int{}
	var targets, done []string
	for _, step := range p.Steps(ApplyOptions{}) {
		calls[step.Call]++
		if step.Instances > 0 && step.OUs != nil {
			targets = append(targets, fmt.Sprint(step.StackSet, step.OUs, step.Accounts, step.Retain))
		}
	}
	for call, n := range s.writes() {
		if n -= before[call]; n != calls[call] {
			s.t.Errorf("%d calls of %s, and the plan named %d", n, call, calls[call])
		}
	}

	client := newClient(s.session, "", newPace())
	for _, op := range r.Operations {
		out, err := client.DescribeStackSetOperation(context.WithoutCancel(s.t.Context()), &cloudformation.DescribeStackSetOperationInput{StackSetName: &op.StackSet, OperationId: &op.ID})
		if err != nil {
			s.t.Fatal(err)
		}
		if at := out.StackSetOperation.DeploymentTargets; at != nil && len(at.OrganizationalUnitIds) > 0 {
			done = append(done, fmt.Sprint(op.StackSet, at.OrganizationalUnitIds, at.Accounts, aws.ToBool(out.StackSetOperation.RetainStacks)))
		}
	}
	slices.Sort(targets)
	slices.Sort(done)
	if diff := gocmp.Diff(targets, done); diff != "" {
		s.t.Errorf("operations (-foretold +made):\n%s", diff)
	}
}

// tallyOf counts outcomes as "set action STATUS".
func tallyOf(r *Result) map[string]int {
	out := map[string]int{}
	for _, o := range r.Outcomes {
		out[strings.TrimPrefix(o.StackSet, "rollout-")+" "+string(o.Action)+" "+o.Status]++
	}
	return out
}

func wantTally(t *testing.T, r *Result, want map[string]int) {
	t.Helper()
	if diff := gocmp.Diff(want, tallyOf(r)); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
		for _, o := range r.Outcomes {
			if o.Status != OutcomeSucceeded {
				t.Logf("%s %s %s: %s: %s", o.StackSet, o.AccountID, o.Region, o.Status, o.Reason)
			}
		}
	}
}

// writes counts the calls that change something about StackSets.
func (s *site) writes() map[string]int {
	out := map[string]int{}
	for call, n := range s.sim.Stats().Calls {
		service, action, _ := strings.Cut(call, ":")
		if service == "cloudformation" && !strings.HasPrefix(action, "Describe") && !strings.HasPrefix(action, "List") {
			out[action] = n
		}
	}
	return out
}

func (s *site) instances(set string) map[Target]Instance {
	s.t.Helper()
	for _, found := range s.sets() {
		if found.Name == set {
			return found.Instances
		}
	}
	s.t.Fatalf("no set %s", set)
	return nil
}

func inSim(t *testing.T, n int, f func(t *testing.T, s *site)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newSite(t, n, simaws.Options{})) })
}

// told gives the events that are not progress, in words.
func (s *site) told() []string {
	var out []string
	for _, e := range s.events {
		switch e := e.(type) {
		case SetCreated:
			out = append(out, "created "+e.Name)
		case SetUpdated:
			out = append(out, "updated "+e.Name)
		case OperationStarted:
			out = append(out, "started "+strings.ToUpper(e.Action))
		case OperationEnded:
			out = append(out, fmt.Sprintf("ended %s %d/%d", e.Status, e.Done-e.Failed, e.Total))
		case InstanceFailed:
			out = append(out, "failed "+e.AccountID+" "+e.Region)
		case Waiting:
			out = append(out, "waiting for "+e.StackSet)
		}
	}
	return out
}
