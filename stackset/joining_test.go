package stackset

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"rollout/internal/simaws"
	"rollout/orgs"
	"rollout/templates"
)

// joins makes an account, as Organizations does it, and moves it into an OU; StackSets
// has done all it does by itself when it returns.
func (s *site) joins(name, ou string) string {
	s.t.Helper()
	api := organizations.NewFromConfig(s.session.Own(""))
	asked, err := api.CreateAccount(s.t.Context(), &organizations.CreateAccountInput{AccountName: &name, Email: aws.String(name + "@example.com")})
	if err != nil {
		s.t.Fatal(err)
	}
	id := ""
	for id == "" {
		time.Sleep(time.Minute)
		done, err := api.DescribeCreateAccountStatus(s.t.Context(), &organizations.DescribeCreateAccountStatusInput{CreateAccountRequestId: asked.CreateAccountStatus.Id})
		if err != nil || done.CreateAccountStatus.State == types.CreateAccountStateFailed {
			s.t.Fatal(done, err)
		}
		id = aws.ToString(done.CreateAccountStatus.AccountId)
	}
	if ou != s.tree.Root.ID {
		time.Sleep(30 * time.Minute)
		s.sim.Move(id, ou)
	}
	time.Sleep(30 * time.Minute)
	return id
}

// ou is an OU's id by its path.
func (s *site) ou(path string) string {
	s.t.Helper()
	var find func(ou *orgs.OU) string
	find = func(ou *orgs.OU) string {
		if ou.Path == path {
			return ou.ID
		}
		for _, below := range ou.Children {
			if id := find(below); id != "" {
				return id
			}
		}
		return ""
	}
	id := find(s.tree.Root)
	if id == "" {
		s.t.Fatalf("no OU %s", path)
	}
	return id
}

// chooses chooses all active accounts under OUs, but those under others.
func (s *site) chooses(ous, excluded []string) {
	s.t.Helper()
	tree, err := orgs.Walk(s.t.Context(), orgs.NewClient(s.session.Own("")), orgs.WalkOptions{}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	selection, err := orgs.Selector{OUs: ous, ExcludeOUs: excluded}.Select(tree)
	if err != nil {
		s.t.Fatal(err)
	}
	s.tree, s.d.OUs, s.d.Excluded, s.d.Accounts, s.d.Walked = tree, nil, nil, nil, map[string]*orgs.Account{}
	for _, ou := range selection.OUs {
		s.d.OUs = append(s.d.OUs, ou.ID)
	}
	for _, ou := range selection.Excluded {
		s.d.Excluded = append(s.d.Excluded, ou.ID)
	}
	for _, d := range selection.Decisions {
		s.d.Walked[d.Account.ID] = d.Account
		if d.Selected {
			s.d.Accounts = append(s.d.Accounts, d.Account)
		}
	}
}

// has gives a set's instances in an account: their DetailedStatus by Region.
func (s *site) has(set, account string) map[string]string {
	out := map[string]string{}
	for t, i := range s.instances(set) {
		if t.AccountID == account {
			out[t.Region] = i.DetailedStatus
		}
	}
	return out
}

// What the plan says that an account gets is what it gets when it joins, in every OU that
// the plan names and one below each; the next run does what it says of it.
func TestWhoJoinsGetsWhatWasForetold(t *testing.T) {
	alone := AutoDeploy{All: true}
	withRecording := AutoDeploy{All: true, Names: []string{templates.Recording}}
	for _, c := range []struct {
		name          string
		ous, excluded []string
		auto          AutoDeploy
		template      string
		regions       []string
		before        func(s *site) // an earlier run, by other OUs
	}{
		{name: "one OU", ous: []string{"Workloads"}, auto: alone},
		{name: "two OUs of one parent", ous: []string{"Workloads/Prod", "Workloads/Staging"}, auto: withRecording},
		{name: "the root", ous: []string{"r-"}, auto: withRecording},
		{name: "an OU without one below", ous: []string{"Workloads"}, excluded: []string{"Workloads/Prod"}, auto: alone},
		{name: "recording not automatic, named later", ous: []string{"Sandbox"}, auto: AutoDeploy{Names: []string{templates.Recording, templates.RecordingBase}}},
		{name: "nothing automatic", ous: []string{"Sandbox"}},
		{name: "a template that needs nothing", ous: []string{"Workloads/Dev"}, template: "monitoring", auto: alone},
		{name: "home Region not asked for", ous: []string{"Workloads/Staging"}, regions: []string{other}, auto: withRecording},
		{name: "an earlier run went to an OU below, in another Region", ous: []string{"Workloads"}, regions: []string{home}, auto: alone, before: func(s *site) {
			s.chooses([]string{"Workloads/Staging"}, nil)
			s.d.Regions = []string{other}
			s.apply(s.t.Context(), s.prepared())
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inSim(t, 1, func(t *testing.T, s *site) {
				if c.template != "" {
					template, err := templates.Lookup(c.template)
					if err != nil {
						t.Fatal(err)
					}
					s.d.Templates = []templates.Template{template}
				}
				if c.before != nil {
					c.before(s)
				}
				s.d.Regions = []string{other, home}
				if c.regions != nil {
					s.d.Regions = c.regions
				}
				for i, ou := range c.ous {
					if ou == "r-" {
						c.ous[i] = s.tree.Root.ID
					}
				}
				s.d.Auto = c.auto
				s.chooses(c.ous, c.excluded)
				plan := s.prepared()
				s.apply(t.Context(), plan)
				byOU := map[string][]Joining{}
				for _, row := range plan.Joining {
					byOU[row.OU] = append(byOU[row.OU], row)
				}
				if len(byOU) < len(c.ous)+len(c.excluded) {
					t.Errorf("OUs foretold: %v", byOU)
				}
				joined := map[string][]Joining{} // by account
				for ou, rows := range byOU {
					for n, place := range []string{ou, s.below(ou)} {
						if byOU[place] != nil && n > 0 {
							continue // foretold by itself
						}
						id := s.joins(fmt.Sprintf("new-%d-%s", n, ou), place)
						joined[id] = rows
						s.gotAsForetold(plan, id, rows)
					}
				}
				s.d.Regions = plan.Desired.Regions
				s.chooses(c.ous, c.excluded)
				next := s.prepared()
				s.apply(t.Context(), next)
				for id, rows := range joined {
					s.mendedAsForetold(id, rows)
				}
			})
		})
	}
}

// below makes an OU below another.
func (s *site) below(parent string) string {
	s.t.Helper()
	out, err := organizations.NewFromConfig(s.session.Own("")).CreateOrganizationalUnit(s.t.Context(), &organizations.CreateOrganizationalUnitInput{ParentId: &parent, Name: aws.String("Below")})
	if err != nil {
		s.t.Fatal(err)
	}
	return *out.OrganizationalUnit.Id
}

func (s *site) gotAsForetold(plan *Plan, id string, rows []Joining) {
	s.t.Helper()
	for _, set := range plan.Sets {
		if exists := slices.ContainsFunc(s.sets(), func(have Set) bool { return have.Name == set.Name && have.Exists }); !exists {
			continue
		}
		want := Joining{}
		for _, row := range rows {
			if row.StackSet == set.Name && row.Automatic {
				row.Regions = slices.Concat(want.Regions, row.Regions)
				want = row
			}
		}
		got := s.has(set.Name, id)
		for region := range got {
			if !slices.Contains(want.Regions, region) {
				s.t.Errorf("%s in %s came unforetold: %s (%s)", set.Name, region, got[region], want.Why)
			}
		}
		for _, region := range want.Regions {
			if (got[region] == "SUCCEEDED") != (want.Fails == "") {
				s.t.Errorf("%s in %s is %q, foretold: %s", set.Name, region, got[region], want.Why)
			}
		}
	}
}

// mendedAsForetold wants everything that the next run was to bring, and nothing brought by
// it where it was to bring nothing.
func (s *site) mendedAsForetold(id string, rows []Joining) {
	s.t.Helper()
	for _, row := range rows {
		got := s.has(row.StackSet, id)
		for _, region := range row.Regions {
			should := row.Automatic && row.Fails == "" || row.NextRun
			if (got[region] == "SUCCEEDED") != should {
				s.t.Errorf("after the next run %s in %s is %q, foretold: %s, next run %v", row.StackSet, region, got[region], row.Why, row.NextRun)
			}
		}
	}
}

// An account that brings recorders of its own gets the rules by themselves.
func TestARecorderOfTheAccountsOwn(t *testing.T) {
	inSim(t, 1, func(t *testing.T, s *site) {
		s.d.Auto = AutoDeploy{All: true}
		s.chooses([]string{"Workloads"}, nil)
		s.apply(t.Context(), s.prepared())
		s.tree.Accounts = slices.DeleteFunc(s.tree.Accounts, func(a *orgs.Account) bool { return !strings.HasPrefix(a.OUPath(), "Sandbox") || !a.Active() })
		moves := s.tree.Accounts[0]
		for _, region := range s.d.Regions {
			s.sim.PutRecorder(moves.ID, region, simaws.RecorderSpec{})
		}
		s.sim.Move(moves.ID, s.d.OUs[0])
		time.Sleep(30 * time.Minute)
		for _, region := range s.d.Regions {
			if got := s.has("rollout-default-security-group", moves.ID)[region]; got != "SUCCEEDED" {
				t.Errorf("the rule in %s is %q", region, got)
			}
		}
		// It leaves, and what came goes.
		s.sim.Move(moves.ID, s.ou("Sandbox"))
		time.Sleep(30 * time.Minute)
		if got := s.has("rollout-default-security-group", moves.ID); len(got) > 0 {
			t.Errorf("after it left: %v", got)
		}
	})
}
