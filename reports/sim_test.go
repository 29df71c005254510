package reports

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/configservice"

	"rollout/internal/awsapi"
	"rollout/internal/simaws"
	"rollout/orgs"
	"rollout/stackset"
)

// simulation is an organization without sockets, and how to reach it.
type simulation struct {
	*simaws.Sim
	session  *awsapi.Session
	accounts []*orgs.Account // by OU path, then id
}

func simulate(t testing.TB, o simaws.Options) simulation {
	t.Helper()
	sim := simaws.New(o)
	session, err := awsapi.Open(t.Context(), awsapi.Options{Static: true, HTTPClient: sim.Client(), EndpointURL: "http://127.0.0.1", HomeRegion: "us-east-1", Run: "test"})
	if err != nil {
		t.Fatal(err)
	}
	out := simulation{Sim: sim, session: session}
	for _, v := range sim.Accounts() {
		out.accounts = append(out.accounts, &orgs.Account{ID: v.ID, Name: v.Name, State: v.State, Management: v.Management, OU: &orgs.OU{ID: v.ParentID, Path: v.OUPath}})
	}
	slices.SortFunc(out.accounts, func(a, b *orgs.Account) int {
		return cmp.Or(compareText(a.OUPath(), b.OUPath()), compareText(a.ID, b.ID))
	})
	return out
}

// under gives the accounts below an OU.
func (s simulation) under(path string) []*orgs.Account {
	return slices.DeleteFunc(slices.Clone(s.accounts), func(a *orgs.Account) bool { return !strings.HasPrefix(a.OUPath(), path) })
}

var simRegions = []string{"us-east-1", "eu-west-1", "ap-south-1", "eu-south-1"}

func (s simulation) input() GatherInput {
	return GatherInput{
		Accounts: s.accounts, Regions: simRegions, Rules: []RuleAt{{Rule: closed}},
		OptIn: map[string]bool{"us-east-1": false, "eu-west-1": false, "ap-south-1": false, "eu-south-1": true},
	}
}

// client is AWS Config in an account and Region, for an administrator.
func (s simulation) client(t testing.TB, account, region string) *configservice.Client {
	t.Helper()
	entry, err := s.session.Enter(t.Context(), account, "")
	if err != nil {
		t.Fatal(err)
	}
	return configservice.NewFromConfig(entry.Config(region))
}

// right gives the status that a cell should have, as the simulation knows it.
func (s simulation) right(regions []string) func(Cell) string {
	truth := map[[2]string]map[string]string{}
	for _, line := range s.Truth(regions) {
		key := [2]string{line.AccountID, line.Region}
		if truth[key] == nil {
			truth[key] = map[string]string{}
		}
		truth[key][line.Rule] = line.Status
	}
	return func(c Cell) string {
		rules := truth[[2]string{c.Account.ID, c.Region}]
		status := rules[c.Rule.Name]
		if status == string(NotDeployed) || status == "" {
			for name, other := range rules {
				if strings.Contains(name, "vpc-default-security-group-closed") && other != string(NotDeployed) {
					status = other
				}
			}
		}
		return orText(status, string(NotDeployed))
	}
}

func compareWithTruth(t *testing.T, s simulation, got Gathered, regions []string, rows int) map[Status]int {
	t.Helper()
	right := s.right(regions)
	seen := map[Status]int{}
	for _, c := range got.Cells {
		seen[c.Status]++
		if want := right(c); string(c.Status) != want {
			t.Errorf("%s in %s (%s): got %s, want %s (%s)", c.Account.ID, c.Region, c.Account.OUPath(), c.Status, want, c.Detail)
		}
		if c.Status.Verdict() == (c.SourceRule == "") {
			t.Errorf("%s from %q", c.Status, c.SourceRule)
		}
	}
	if len(got.Cells) != rows {
		t.Errorf("%d cells, want %d", len(got.Cells), rows)
	}
	if !slices.IsSortedFunc(got.Cells, Cell.Compare) || !slices.IsSortedFunc(got.Findings, Finding.Compare) {
		t.Error("not sorted")
	}
	return seen
}

// deployed puts our rule, evaluated, into three accounts of four.
func (s simulation) deployed() {
	for i, a := range s.accounts {
		for _, region := range simRegions {
			if i%4 == 0 || region == "eu-south-1" && i%2 == 0 {
				continue
			}
			if s.Recorder(a.ID, region) == "" && i%8 != 1 {
				s.PutRecorder(a.ID, region, simaws.RecorderSpec{})
			}
			s.PutRule(a.ID, region, ourRule, closed.Identifier, "")
		}
	}
}

func TestGatherAgreesWithTheSimulation(t *testing.T) {
	for name, options := range map[string]simaws.Options{
		"calm": {Accounts: 60},
		// Without throttles: the SDK's adaptive retryer sleeps for zero seconds
		// until real time has passed, which a bubble's clock never does.
		"storm": {Accounts: 60, Seed: 2, Faults: simaws.Faults{{Kind: simaws.FaultError, Share: 0.05}, {Kind: simaws.FaultReset, Share: 0.03}}, Latency: 30 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := simulate(t, options)
				s.deployed()
				s.DenyAction(s.under("Workloads")[2].ID, "config:DescribeConfigRules")
				in := s.input()
				in.Instances = func(account, region, rule string) (stackset.Instance, bool) {
					return stackset.Instance{Status: "CURRENT", DetailedStatus: "SUCCEEDED"}, region == "us-east-1"
				}
				var mu sync.Mutex
				read, accounts := 0, 0
				got := Collect(t.Context(), s.session, in, func(e Event) {
					mu.Lock()
					defer mu.Unlock()
					switch e := e.(type) {
					case PlaceRead:
						read++
						if e.Total != len(s.accounts)*len(simRegions) || len(e.Statuses) != 1 {
							t.Errorf("event %+v", e)
						}
					case AccountRead:
						accounts++
					}
				})
				seen := compareWithTruth(t, s, got, simRegions, len(s.accounts)*len(simRegions))
				for _, status := range []Status{Compliant, NonCompliant, AccountInactive, RegionDisabled, AccessDenied, RegionDenied, NotDeployed, RecorderOff, NotRecorded} {
					if seen[status] == 0 {
						t.Errorf("no cell is %s", status)
					}
				}
				if read != len(got.Cells) || accounts != len(s.accounts) || got.Interrupted {
					t.Errorf("%d places, %d accounts told, interrupted %v", read, accounts, got.Interrupted)
				}
				if got.Roles[""] != 1 || got.Roles["OrganizationAccountAccessRole"] == 0 {
					t.Errorf("roles %v", got.Roles)
				}
				findings := 0
				for _, c := range got.Cells {
					findings += c.NonCompliantResources
					if want := map[bool]string{true: "SUCCEEDED", false: "NONE"}[c.Region == "us-east-1"]; c.InstanceStatus != want {
						t.Errorf("instance status %s in %s", c.InstanceStatus, c.Region)
					}
				}
				if findings != len(got.Findings) || findings == 0 {
					t.Errorf("%d findings, %d rows", findings, len(got.Findings))
				}
			})
		})
	}
}

func TestGatherComesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulate(t, simaws.Options{Accounts: 20})
		s.deployed()
		var cells []Cell
		for place, r := range Gather(t.Context(), s.session, s.input(), nil) {
			for _, c := range r.Cells {
				if c.Account != place.Account || c.Region != place.Region {
					t.Fatalf("cell of %s %s at %s %s", c.Account.ID, c.Region, place.Account.ID, place.Region)
				}
			}
			cells = append(cells, r.Cells...)
		}
		if !slices.IsSortedFunc(cells, Cell.Compare) {
			t.Error("the stream is not in order")
		}
		for range Gather(t.Context(), s.session, s.input(), nil) {
			break
		}
		finishRoleSessions()
	})
}

func TestInterruptedGatherHasAllCells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulate(t, simaws.Options{Accounts: 60, Latency: 50 * time.Millisecond})
		s.deployed()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var once sync.Once
		got := Collect(ctx, s.session, s.input(), func(e Event) {
			if e, ok := e.(PlaceRead); ok && e.Done > 60 {
				once.Do(cancel)
			}
		})
		finishRoleSessions()
		stopped := 0
		for _, c := range got.Cells {
			if c.Detail == "interrupted" {
				stopped++
				if c.Status != Unreachable {
					t.Errorf("interrupted is %s", c.Status)
				}
			}
		}
		if !got.Interrupted || len(got.Cells) != len(s.accounts)*len(simRegions) || stopped == 0 || stopped == len(got.Cells) {
			t.Errorf("interrupted %v, %d cells, %d of them stopped", got.Interrupted, len(got.Cells), stopped)
		}
	})
}

// finishRoleSessions lets role sessions end that nobody waits for any more: the
// SDK's credential cache finishes an AssumeRole that it has begun.
func finishRoleSessions() { time.Sleep(time.Hour) }

func BenchmarkGather(b *testing.B) {
	s := simulate(b, simaws.Options{Accounts: 1000})
	for _, a := range s.accounts {
		s.PutRecorder(a.ID, "us-east-1", simaws.RecorderSpec{})
		s.PutRule(a.ID, "us-east-1", ourRule, closed.Identifier, "")
	}
	in := s.input()
	in.Regions = []string{"us-east-1", "eu-west-1"}
	b.ReportAllocs()
	for b.Loop() {
		cells := 0
		for _, r := range Gather(b.Context(), s.session, in, nil) {
			cells += len(r.Cells)
		}
		if cells != 2*len(s.accounts) {
			b.Fatalf("%d cells", cells)
		}
	}
}
