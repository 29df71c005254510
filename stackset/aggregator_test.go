package stackset

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	gocmp "github.com/google/go-cmp/cmp"

	"rollout/internal/simaws"
	"rollout/templates"
)

// aggregated runs f in an organization with an aggregator, which is that far behind.
func aggregated(t *testing.T, lag time.Duration, spec simaws.AggregatorSpec, f func(t *testing.T, s *site)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 8, simaws.Options{AggregatorLag: lag})
		spec.Region = home
		if err := s.sim.PutAggregator(spec); err != nil {
			t.Fatal(err)
		}
		f(t, s)
	})
}

// config is AWS Config of an account's home Region.
func (s *site) config(account string) *configservice.Client {
	s.t.Helper()
	entry, err := s.session.Enter(s.t.Context(), account, "")
	if err != nil {
		s.t.Fatal(err)
	}
	return configservice.NewFromConfig(entry.Config(home))
}

// rows are a plan's rows and findings as texts, but for what is said of aggregators.
func rows(p *Plan) (out []string) {
	for _, c := range p.Changes {
		out = append(out, fmt.Sprint(c.StackSet, " ", c.Target, " ", c.Action, " ", c.Reason, " ", c.Overrides))
	}
	for _, f := range p.Findings {
		if !strings.HasPrefix(f.Code, "aggregator-") {
			out = append(out, fmt.Sprint(f.Code, " ", f.Text, " ", f.Places))
		}
	}
	return out
}

// asked is the plan that asks each account and Region itself.
func (s *site) asked() *Plan {
	s.t.Helper()
	api := configservice.NewFromConfig(s.session.Own(""))
	out, err := api.DescribeConfigurationAggregators(s.t.Context(), &configservice.DescribeConfigurationAggregatorsInput{})
	if err != nil {
		s.t.Fatal(err)
	}
	var kept []types.ConfigurationAggregator
	for _, a := range out.ConfigurationAggregators {
		kept = append(kept, a)
		if _, err := api.DeleteConfigurationAggregator(s.t.Context(), &configservice.DeleteConfigurationAggregatorInput{ConfigurationAggregatorName: a.ConfigurationAggregatorName}); err != nil {
			s.t.Fatal(err)
		}
	}
	p := s.prepared()
	for _, a := range kept {
		if err := s.sim.PutAggregator(simaws.AggregatorSpec{Region: home, Name: *a.ConfigurationAggregatorName, Regions: a.OrganizationAggregationSource.AwsRegions}); err != nil {
			s.t.Fatal(err)
		}
	}
	return p
}

// With an aggregator a plan makes one call in an account and Region, the rules' (further pages
// of more than 25 rules come on top, as without), and a page
// for each hundred recorders and sources; where no rule is looked for it is the recorder's
// state. It is so beside recorders of the accounts' own and beside those of an earlier run.
func TestPreflightCallsWithAnAggregator(t *testing.T) {
	for name, test := range map[string]struct {
		own    bool
		asked  string
		inside string
	}{
		"own recorders":      {true, "baseline", "DescribeConfigRules"},
		"recorders deployed": {false, templates.DefaultSecurityGroup, "DescribeConfigRules"},
		"no rules":           {false, templates.Recording, "DescribeConfigurationRecorderStatus"},
	} {
		t.Run(name, func(t *testing.T) {
			aggregated(t, 0, simaws.AggregatorSpec{}, func(t *testing.T, s *site) {
				list, err := templates.LoadAll(test.asked)
				if err != nil {
					t.Fatal(err)
				}
				s.d.Templates, s.d.ReuseExisting = list, true
				if test.own {
					for _, a := range s.d.Accounts {
						for _, region := range s.d.Regions {
							s.sim.PutRecorder(a.ID, region, simaws.RecorderSpec{})
						}
					}
				}
				s.prepared() // learns the role
				if !test.own {
					s.apply(t.Context(), s.prepared())
					time.Sleep(10 * time.Minute)
				}
				before := s.sim.Stats().Calls
				p := s.prepared()
				got := map[string]int{}
				for call, n := range s.sim.Stats().Calls {
					if service, name, _ := strings.Cut(call, ":"); service == "config" && n > before[call] {
						got[name] = n - before[call]
					}
				}
				places := len(s.d.Accounts) * len(s.d.Regions)
				sources := len(s.tree.Accounts) * 20 // Regions that are on somewhere
				if n := got["DescribeConfigurationAggregatorSourcesStatus"]; n == 0 || n > min(places, (sources+99)/100) {
					t.Errorf("%d pages of sources", n)
				}
				// A query for each Region, and one about stacks where a recorder records them.
				queries := len(s.d.Regions)
				if test.own || test.asked == templates.Recording {
					queries++
				}
				want := map[string]int{
					"DescribeConfigurationAggregators": 1, "DescribeConfigurationAggregatorSourcesStatus": got["DescribeConfigurationAggregatorSourcesStatus"],
					"SelectAggregateResourceConfig": queries, test.inside: places,
				}
				if diff := gocmp.Diff(want, got); diff != "" {
					t.Errorf("calls (-want +got):\n%s", diff)
				}
				if p.Facts.Aggregate.Places != places {
					t.Errorf("%d of %d places were told", p.Facts.Aggregate.Places, places)
				}
				if diff := gocmp.Diff(rows(s.asked()), rows(p)); diff != "" {
					t.Errorf("asked and told (-asked +told):\n%s", diff)
				}
			})
		})
	}
}

// What an aggregator may not be believed in is asked: whatever it says or does not say, the
// plan is the one that asks everywhere.
func TestAggregatorIsNotBelieved(t *testing.T) {
	const minutes = 10 * time.Minute
	for name, test := range map[string]struct {
		lag  time.Duration
		spec simaws.AggregatorSpec
		do   func(t *testing.T, s *site)
		told int
	}{
		"nothing is there": {},
		"a recorder that was made just now": {lag: minutes, do: func(t *testing.T, s *site) {
			c := s.config(s.d.Accounts[0].ID)
			if _, err := c.PutConfigurationRecorder(t.Context(), &configservice.PutConfigurationRecorderInput{ConfigurationRecorder: &types.ConfigurationRecorder{
				Name: aws.String("default"), RoleARN: aws.String("arn:aws:iam::" + s.d.Accounts[0].ID + ":role/x"),
			}}); err != nil {
				t.Fatal(err)
			}
		}},
		"a recorder that is stopped": {do: func(t *testing.T, s *site) {
			s.sim.PutRecorder(s.d.Accounts[0].ID, home, simaws.RecorderSpec{Stopped: true})
		}},
		"a recorder of ours without an instance": {do: func(t *testing.T, s *site) {
			s.sim.PutRecorder(s.d.Accounts[0].ID, home, simaws.RecorderSpec{Name: ourRecorder})
		}},
		"ours, of which the aggregator has not heard that it went": {lag: minutes, do: func(t *testing.T, s *site) {
			p := s.prepared()
			s.apply(t.Context(), p)
			time.Sleep(2 * minutes)
			var gone []Change
			for _, c := range p.Changes {
				gone = append(gone, s.change(c.StackSet, c.Account, c.Region, Delete))
			}
			slices.Reverse(gone)
			s.apply(t.Context(), s.only(s.sets(), gone...))
		}},
		"ours, which is to be changed": {lag: minutes, do: func(t *testing.T, s *site) {
			s.apply(t.Context(), s.prepared())
			time.Sleep(2 * minutes)
			s.d.Parameters = map[string]string{templates.ParameterRecordedTypes: "ALL"}
		}},
		"another one where ours was": {do: func(t *testing.T, s *site) {
			s.apply(t.Context(), s.prepared())
			a, c := s.d.Accounts[0], s.config(s.d.Accounts[0].ID)
			if _, err := c.DeleteConfigurationRecorder(t.Context(), &configservice.DeleteConfigurationRecorderInput{ConfigurationRecorderName: aws.String(ourRecorder)}); err != nil {
				t.Fatal(err)
			}
			s.sim.PutRecorder(a.ID, home, simaws.RecorderSpec{Name: "default"})
			time.Sleep(minutes)
		}, told: 15},
		"data of hours ago": {lag: 2 * time.Hour, do: everyone},
		"one Region":        {spec: simaws.AggregatorSpec{Regions: []string{other}}, do: everyone, told: 8},
		"no more trust": {do: func(t *testing.T, s *site) {
			everyone(t, s)
			if _, err := organizations.NewFromConfig(s.session.Own("")).DisableAWSServiceAccess(t.Context(), &organizations.DisableAWSServiceAccessInput{ServicePrincipal: aws.String("config.amazonaws.com")}); err != nil {
				t.Fatal(err)
			}
		}},
		"all are told": {do: everyone, told: 16},
	} {
		t.Run(name, func(t *testing.T) {
			aggregated(t, test.lag, test.spec, func(t *testing.T, s *site) {
				s.prepared() // learns the role
				if test.do != nil {
					test.do(t, s)
				}
				told := s.prepared()
				places := 0
				if a := told.Facts.Aggregate; a != nil {
					places = a.Places
				}
				if places != test.told {
					t.Errorf("%d places were told, not %d", places, test.told)
				}
				if used := found(told, "aggregator-used"); (len(used) == 1) != (test.told > 0) {
					t.Errorf("findings: %v", used)
				}
				if diff := gocmp.Diff(rows(s.asked()), rows(told)); diff != "" {
					t.Errorf("asked and told (-asked +told):\n%s", diff)
				}
			})
		})
	}
}

func everyone(t *testing.T, s *site) {
	for _, a := range s.d.Accounts {
		for _, region := range s.d.Regions {
			s.sim.PutRecorder(a.ID, region, simaws.RecorderSpec{})
		}
	}
}
