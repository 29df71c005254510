package stackset

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollout/internal/awsapi"
	"rollout/internal/simaws"
	"rollout/orgs"
	"rollout/templates"
)

// What a deploy would bring above a quota is said, and nothing at the quota.
func TestQuotas(t *testing.T) {
	template, err := templates.Lookup(templates.DefaultSecurityGroup)
	if err != nil {
		t.Fatal(err)
	}
	a := &orgs.Account{ID: "111111111111", Name: "payments", State: "ACTIVE"}
	make := func(instances, atOnce, rules int) *Plan {
		s := Set{Name: "s", Template: template, Exists: true, Instances: map[Target]Instance{}}
		for i := range instances {
			at := Target{fmt.Sprintf("%012d", i), home}
			s.Instances[at] = Instance{Target: at}
		}
		p := &planner{d: Desired{Accounts: []*orgs.Account{a}, HomeRegion: home, Partition: "aws"}, rules: map[ruleKey][]templates.Rule{},
			facts: &Facts{Accounts: map[string]*AccountFacts{a.ID: {Regions: map[string]*RegionFacts{home: {RuleCount: rules}}}}}}
		p.plan.Sets, p.plan.Changes = []Set{s}, []Change{{StackSet: "s", Target: Target{a.ID, home}, Account: a, Action: Create}}
		p.quotas([]Step{{StackSet: "s", Call: "CreateStackInstances", Instances: atOnce}})
		return &Plan{Findings: p.found.sorted()}
	}
	for _, test := range []struct {
		instances, atOnce, rules int
		code, text               string
	}{
		{99999, 10000, 999, "", ""},
		{100000, 1, 0, "quota-instances", "s would have 100001 instances"},
		{0, 10001, 0, "quota-at-once", "CreateStackInstances works on 10001 instances"},
		{0, 1, 1000, "quota-rules", "1000 Config rules and this run adds 1"},
	} {
		p := make(test.instances, test.atOnce, test.rules)
		if len(p.Findings) != min(1, len(test.code)) || test.code != "" && (p.Findings[0].Code != test.code || !strings.Contains(p.Findings[0].Text, test.text)) {
			t.Errorf("%+v: %+v", test, p.Findings)
		}
	}
}

// Rules and sets are counted by what AWS lists, whosever they are.
func TestQuotasCountWhatIsThere(t *testing.T) {
	inSim(t, 1, func(t *testing.T, s *site) {
		a := s.d.Accounts[0].ID
		s.sim.PutRecorder(a, home, simaws.RecorderSpec{Name: "default"})
		for i := range mostRules {
			s.sim.PutRule(a, home, fmt.Sprint("theirs-", i), "IAM_USER_MFA_ENABLED", "")
		}
		plan := s.prepared()
		if have := found(plan, "quota-rules"); len(have) != 1 || have[0].AccountID != a || have[0].Region != home {
			t.Errorf("%+v", have)
		}
		plan.setsQuota(1000)
		if have := found(plan, "quota-sets"); len(have) != 1 || !strings.Contains(have[0].Text, "There are 1000 stack sets in us-east-1") {
			t.Errorf("%+v", have)
		}
		if looked, err := Look(t.Context(), s.session, PrepareInput{Desired: s.d}, nil); err != nil || looked.Active != 0 {
			t.Errorf("%v, %+v", err, looked)
		}
		s.apply(t.Context(), plan)
		if looked, err := Look(t.Context(), s.session, PrepareInput{Desired: s.d}, nil); err != nil || looked.Active < 2 {
			t.Errorf("%v, %+v", err, looked)
		}
	})
}

// What the account has counts, not AWS's default; it is asked for where a run comes near
// to what defaults have been, and by no plan that asks the accounts nothing.
func TestQuotasAreThoseOfTheAccount(t *testing.T) {
	const sets = "Stack sets per administrator account\", " + simaws.QuotaStackSets
	for _, test := range []struct {
		name          string
		there, has    int
		broken, plain bool // Service Quotas fails; without preflight
		calls         int
		text          string // of the finding, "" for none
	}{
		{name: "far from it", there: 90, has: 91},
		{name: "lowered", there: 101, has: 101, calls: 1, text: "the account can have 101 (AWS CloudFormation's quota \"" + sets + ")."},
		{name: "room", there: 101, has: 110, calls: 1},
		{name: "raised", there: 1000, has: 1100, calls: 1},
		{name: "default", there: 1000, has: 1000, calls: 1, text: "the account can have 1000 (AWS CloudFormation's quota \"" + sets + ")."},
		{name: "unread", there: 1000, has: 1100, broken: true, calls: 1, text: sets + ": AWS's default, since Service Quotas could not be read: "},
		{name: "unread and room", there: 900, has: 1100, broken: true, calls: 1},
		{name: "without preflight", there: 1000, has: 1100, plain: true, text: sets + ": AWS's default; this plan did not ask"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				so := simaws.Options{Accounts: 12}
				if test.broken {
					so.Faults = simaws.Faults{{Service: "servicequotas", Kind: "error", Share: 1}}
				}
				s := newSite(t, 1, so)
				s.sim.PutStackSets(home, test.there)
				s.sim.SetQuota(s.session.Account, home, simaws.QuotaStackSets, test.has)
				p, err := Prepare(t.Context(), s.session, PrepareInput{Desired: s.d, Known: []awsapi.Region{{Name: home, On: true}}, WithoutPreflight: test.plain}, nil)
				if err != nil {
					t.Fatal(err)
				}
				have := found(p, "quota-sets")
				if len(have) != min(1, len(test.text)) || test.text != "" && !strings.Contains(have[0].Text, test.text) {
					t.Errorf("%+v", have)
				}
				if calls := s.sim.Stats().Calls["servicequotas:GetServiceQuota"]; calls != test.calls && (!test.broken || calls < test.calls) {
					t.Errorf("%d calls", calls) // tried again where it is broken
				}
			})
		})
	}
}

// An account without room for a stack is known from the last operation, until there is room.
func TestAccountsThatAreFull(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		a := s.d.Accounts[0].ID
		s.sim.SetQuota(a, home, simaws.QuotaStacks, 1)
		if first := s.prepared(); len(found(first, "quota-stacks")) > 0 {
			t.Errorf("%+v", first.Findings)
		} else {
			s.apply(t.Context(), first)
		}
		again := s.prepared()
		have := found(again, "quota-stacks")
		if len(have) == 0 || slices.ContainsFunc(have, func(f Finding) bool { return f.AccountID != a || f.Region != home }) {
			t.Fatalf("%+v", again.Findings)
		}
		s.sim.SetQuota(a, home, simaws.QuotaStacks, 10)
		for _, o := range s.apply(t.Context(), again).Outcomes {
			if o.Status != OutcomeSucceeded {
				t.Errorf("%+v", o)
			}
		}
		if have := found(s.prepared(), "quota-stacks"); len(have) > 0 {
			t.Errorf("%+v", have)
		}
	})
}

// Where an aggregator counts the stacks of an account, the plan knows that a Region is full:
// by what the account can have there, or by AWS's default where that cannot be read.
func TestStacksOfAnAccountAreCounted(t *testing.T) {
	for name, test := range map[string]struct {
		there, has, calls int
		unread            bool
		text              string
	}{
		"few":     {there: 900, has: 2000},
		"room":    {there: 1100, has: 2000, calls: 1},
		"lowered": {there: 1100, has: 1100, calls: 1, text: "and this run adds 1: it can have 1100 there (AWS CloudFormation's quota \"Stack count\", L-0485CB21)."},
		"exactly": {there: 1999, has: 2000, calls: 1},
		"raised":  {there: 2000, has: 3000, calls: 1},
		"unread":  {there: 2000, has: 3000, unread: true, text: "by default it can have 2000 there (AWS CloudFormation's quota \"Stack count\", L-0485CB21); what it was raised to could not be read: "},
	} {
		t.Run(name, func(t *testing.T) {
			aggregated(t, 0, simaws.AggregatorSpec{}, func(t *testing.T, s *site) {
				full := s.d.Accounts[0].ID
				for _, a := range s.d.Accounts {
					for _, region := range s.d.Regions {
						s.sim.PutRecorder(a.ID, region, simaws.RecorderSpec{})
					}
				}
				s.sim.PutStacks(full, home, test.there)
				s.sim.SetQuota(full, home, simaws.QuotaStacks, test.has)
				if test.unread {
					s.sim.DenyAction(full, "cloudformation:DescribeAccountLimits")
				}
				time.Sleep(10 * time.Minute) // an aggregator is behind
				p := s.prepared()
				have := found(p, "quota-stacks")
				if len(have) != min(1, len(test.text)) || test.text != "" && (!strings.Contains(have[0].Text, test.text) || have[0].AccountID != full || have[0].Region != home) {
					t.Errorf("%+v", have)
				}
				if calls := s.sim.Stats().Calls["cloudformation:DescribeAccountLimits"]; !test.unread && calls != test.calls {
					t.Errorf("%d calls", calls)
				}
			})
		})
	}
}
