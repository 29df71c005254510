package stackset

import (
	"slices"
	"strings"
	"testing"
	"time"

	"rollout/internal/awsapi"
	"rollout/orgs"
	"rollout/templates"
)

// removes takes the run's instances out, of these accounts or of all.
func (s *site) removes(accounts ...*orgs.Account) *Plan {
	s.t.Helper()
	d := s.d
	if len(accounts) > 0 {
		d.Accounts = accounts
	}
	d.Regions = nil
	in := PrepareInput{Desired: d, Known: []awsapi.Region{{Name: home, On: true}}}
	found, err := Look(s.t.Context(), s.session, in, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if unread, err := ReadTargets(s.t.Context(), s.session, "", found.Sets); err != nil || len(unread) > 0 {
		s.t.Fatal(unread, err)
	}
	p, err := RemovePlan(d, found.Sets, RemoveOptions{MaxDeletions: "100%"})
	if err != nil {
		s.t.Fatal(err)
	}
	s.apply(s.t.Context(), p)
	return p
}

// watches are the OUs that a set watches, and their Regions.
func (s *site) watches(set string) map[string][]string {
	s.t.Helper()
	out, err := autoTargets(s.t.Context(), newClient(s.session, "", newPace()), "", set)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

func (p *Plan) has(code string) bool {
	return slices.ContainsFunc(p.Findings, func(f Finding) bool { return f.Code == code })
}

// A removal of all that an OU has takes the OU out of what StackSets watches, and nobody
// who joins or moves gets anything back.
func TestARemovalOfAllOfAnOU(t *testing.T) {
	const set = "rollout-default-security-group"
	inSim(t, 1, func(t *testing.T, s *site) {
		s.d.Auto = AutoDeploy{All: true}
		s.chooses([]string{"Workloads/Prod", "Workloads/Staging"}, nil)
		s.apply(t.Context(), s.prepared())
		prod, staging := s.ou("Workloads/Prod"), s.ou("Workloads/Staging")
		if w := s.watches(set); len(w) != 2 {
			t.Fatalf("watched: %v", w)
		}
		s.chooses([]string{"Workloads/Staging"}, nil)
		p := s.removes()
		if p.has("auto-comes-back") {
			t.Errorf("findings %v", p.Findings)
		}
		for _, step := range p.Steps(ApplyOptions{}) {
			if step.Accounts != nil || !slices.Equal(step.OUs, []string{staging}) {
				t.Errorf("%+v", step)
			}
		}
		if w := s.watches(set); w[staging] != nil || w[prod] == nil {
			t.Errorf("watched: %v", w)
		}
		if got := s.has(set, s.joins("late", staging)); len(got) > 0 {
			t.Errorf("who joins gets %v", got)
		}
		if n := len(s.instances(set)); n == 0 {
			t.Error("the other OU lost its instances")
		}
	})
}

// A removal of some leaves the OU watched: the plan says that they come back, and they do.
func TestARemovalOfSomeOfAnOU(t *testing.T) {
	const set = "rollout-default-security-group"
	inSim(t, 1, func(t *testing.T, s *site) {
		s.d.Auto = AutoDeploy{All: true}
		s.chooses([]string{"Workloads"}, nil)
		s.apply(t.Context(), s.prepared())
		gone := s.d.Accounts[0]
		p := s.removes(gone)
		if !p.has("auto-comes-back") || !slices.ContainsFunc(p.Findings, func(f Finding) bool { return f.AccountID == gone.ID }) {
			t.Errorf("findings %v", p.Findings)
		}
		if got := s.has(set, gone.ID); len(got) > 0 {
			t.Fatalf("still there: %v", got)
		}
		to := s.ou("Workloads/Staging")
		if gone.OU.ID == to {
			to = s.ou("Workloads/Prod")
		}
		s.sim.Move(gone.ID, to)
		time.Sleep(30 * time.Minute)
		if got := s.has(set, gone.ID); len(got) != 2 {
			t.Errorf("after a move: %v", got)
		}
	})
}

// Moves race nothing: within what a set watches an account keeps its instances, out of
// it they go, and back they come (cloudformation-coverage-roadmap#2427).
func TestMovesUnderAutomaticDeployment(t *testing.T) {
	const set = "rollout-default-security-group"
	inSim(t, 1, func(t *testing.T, s *site) {
		s.d.Auto = AutoDeploy{All: true}
		s.chooses([]string{"Workloads/Prod", "Workloads/Staging"}, nil)
		s.apply(t.Context(), s.prepared())
		a := s.d.Accounts[0]
		stacks := func() string {
			var out []string
			for place, i := range s.instances(set) {
				if place.AccountID == a.ID {
					out = append(out, i.StackID)
				}
			}
			slices.Sort(out)
			return strings.Join(out, " ")
		}
		before := stacks()
		to := s.ou("Workloads/Staging")
		if a.OUPath() == "Workloads/Staging" {
			to = s.ou("Workloads/Prod")
		}
		s.sim.Move(a.ID, to)
		time.Sleep(30 * time.Minute)
		if after := stacks(); after != before || before == "" {
			t.Errorf("stacks were %q and are %q", before, after)
		}
		s.chooses([]string{"Workloads/Prod", "Workloads/Staging"}, nil)
		if p := s.prepared(); p.Pending() {
			t.Errorf("a plan after the move: %v", p.Changes)
		}
		s.sim.Move(a.ID, s.ou("Sandbox"))
		time.Sleep(30 * time.Minute)
		if got := s.has(set, a.ID); len(got) > 0 {
			t.Errorf("outside: %v", got)
		}
		s.chooses([]string{"Workloads/Prod", "Workloads/Staging"}, nil)
		if p := s.prepared(); p.Pending() || len(p.Orphans) > 0 {
			t.Errorf("a plan after it left: %v, %v", p.Changes, p.Orphans)
		}
		// Its bucket outlived the stack, so what comes back by itself fails, and the next
		// run mends it.
		s.sim.Move(a.ID, to)
		time.Sleep(30 * time.Minute)
		if got := s.has("rollout-recording-base", a.ID)[home]; got != "FAILED" {
			t.Errorf("recording-base came back %q", got)
		}
		s.chooses([]string{"Workloads/Prod", "Workloads/Staging"}, nil)
		s.apply(t.Context(), s.prepared())
		for _, name := range []string{"recording-base", "recording", "default-security-group"} {
			for region, status := range s.has("rollout-"+name, a.ID) {
				if status != "SUCCEEDED" {
					t.Errorf("after the next run %s in %s is %s", name, region, status)
				}
			}
		}
	})
}

// What holds data stays in an account that leaves, what does not goes.
func TestDataStaysWhenAnAccountLeaves(t *testing.T) {
	for body, retain := range map[string]bool{
		`{"Resources":{"Bucket":{"Type":"AWS::S3::Bucket","DeletionPolicy":"Delete"}}}`:               true,
		`{"Resources":{"Bucket":{"Type":"AWS::S3::Bucket","DeletionPolicy":"RetainExceptOnCreate"}}}`: false,
		`{"Resources":{"Handle":{"Type":"AWS::CloudFormation::WaitConditionHandle"}}}`:                false,
	} {
		inSim(t, 2, func(t *testing.T, s *site) {
			template, err := templates.FromBody("own", []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			s.d.Templates, s.d.Auto = []templates.Template{template}, AutoDeploy{All: true}
			s.apply(t.Context(), s.only(s.sets(), s.change("rollout-own", s.d.Accounts[0], home, Create)))
			s.d.Walked = map[string]*orgs.Account{s.d.Accounts[0].ID: s.d.Accounts[0]}
			p, err := MakePlan(s.d, s.sets(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Sets[0].AutoWant; !got.Enabled || got.Retain != retain {
				t.Errorf("%s: %+v", body, got)
			}
			s.apply(t.Context(), p)
			s.wantAutomatic(map[string]string{"own": p.Sets[0].AutoWant.String()})
		})
	}
}

// Accounts that are chosen one by one have StackSets watch their own OUs and no more, and
// a set that deploys automatically says when a run has it watch another one.
func TestChosenAccountsWidenNothingElse(t *testing.T) {
	const set = "rollout-default-security-group"
	inSim(t, 1, func(t *testing.T, s *site) {
		s.chooses([]string{s.tree.Root.ID}, nil)
		all := s.d.Accounts
		of := func(path string) []*orgs.Account {
			at := slices.IndexFunc(all, func(a *orgs.Account) bool { return a.OUPath() == path && a.Active() })
			return all[at : at+1]
		}
		s.d.NotJoining, s.d.Auto = "accounts are named", AutoDeploy{All: true}
		s.d.Accounts = of("Workloads/Staging")
		s.apply(t.Context(), s.prepared())
		if w := s.watches(set); len(w) != 1 || w[s.ou("Workloads/Staging")] == nil {
			t.Errorf("watched: %v", w)
		}
		s.d.Accounts, s.d.Auto = of("Sandbox"), AutoDeploy{}
		p := s.prepared()
		if !slices.ContainsFunc(p.Findings, func(f Finding) bool {
			return f.Code == "auto-watches-more" && strings.Contains(f.Text, "Sandbox ("+s.ou("Sandbox")+") in eu-west-1, us-east-1")
		}) {
			t.Errorf("findings %v", p.Findings)
		}
		s.apply(t.Context(), p)
		if w := s.watches(set); len(w) != 2 {
			t.Errorf("watched: %v", w)
		}
		if s.prepared().has("auto-watches-more") {
			t.Error("nothing more is watched")
		}
	})
}
