package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"rollout/internal/simaws"
	"rollout/stackset"
)

const groupsAutomatic = "rollout-default-security-group-enforce-automatic"

// stage is a theater with active accounts under Workloads/Staging whose default groups
// are open and in nobody's use. Its endpoint is none that the program knows for a
// simulation, unless it is told.
type stage struct {
	*theater
	accounts []string
}

func onStage(t *testing.T, f func(s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &stage{theater: &theater{t: t, sim: simaws.New(simaws.Options{Accounts: 60, Empty: true, Speed: 6000}), calls: &calls{seen: map[string]int{}}, dir: t.TempDir()}}
		for _, a := range s.sim.Accounts() {
			if a.State == "ACTIVE" && a.OUPath == "Workloads/Staging" {
				s.accounts = append(s.accounts, a.ID)
				for _, region := range []string{"us-east-1", "eu-west-1"} {
					s.sim.SetGroups(a.ID, region, true)
					s.sim.UseGroups(a.ID, region, false)
					s.sim.TagGroups(a.ID, region, "", "")
				}
			}
		}
		slices.Sort(s.accounts)
		if len(s.accounts) < 4 {
			t.Fatalf("only %v", s.accounts)
		}
		f(s)
	})
}

// rollout runs the program there and wants an exit status.
func (s *stage) rollout(want int, args ...string) string {
	s.t.Helper()
	status, said := s.run(nil, args...)
	if status != want {
		s.t.Fatalf("%v: exit status %d, want %d\n%s", args, status, want, said)
	}
	return said
}

// staging chooses the stage's accounts.
func staging(args ...string) []string {
	return append(args, "--ou", "Workloads/Staging", "--region", "us-east-1,eu-west-1")
}

// plan is what the program plans.
func (s *stage) plan(args ...string) stackset.JSONPlan {
	s.t.Helper()
	kept := filepath.Join(s.dir, "plan.json")
	s.rollout(exitDone, append(staging("plan", "--save", kept), args...)...)
	text, err := os.ReadFile(kept)
	if err != nil {
		s.t.Fatal(err)
	}
	var file planFile
	if err := json.Unmarshal(text, &file); err != nil {
		s.t.Fatal(err)
	}
	return file.Plan
}

// enforced are the accounts that have an instance of the set, by the plan.
func (s *stage) enforced() []string {
	s.t.Helper()
	var out []string
	for _, c := range s.plan("--simulated").Changes {
		if c.StackSet == groupsAutomatic && !slices.Contains(out, c.AccountID) {
			out = append(out, c.AccountID)
		}
	}
	slices.Sort(out)
	return out
}

func wantSaid(t *testing.T, said string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(said, w) {
			t.Errorf("nothing says %q:\n%s", w, said)
		}
	}
}

// In a simulation a first wave is rehearsed with --canary, and its success is followed
// by the rest in the same run.
func TestACanaryIsRehearsed(t *testing.T) {
	onStage(t, func(s *stage) {
		automatic := staging("--remediation", "automatic", "--canary", "2", "--simulated", "--yes")
		said := s.rollout(exitDone, append([]string{"deploy"}, automatic...)...)
		wantSaid(t, said, "First wave of "+groupsAutomatic+": 2 accounts of ", "watching the first wave of automatic remediation, 2 accounts",
			"the first wave held: nothing failed and every finding is gone; the rest follows")
		if got := s.enforced(); !slices.Equal(got, s.accounts) {
			t.Errorf("enforced in %v, want %v", got, s.accounts)
		}
		if said := s.rollout(exitDone, append([]string{"deploy"}, automatic...)...); strings.Contains(said, "First wave") {
			t.Errorf("a wave where all are enforced:\n%s", said)
		}
	})
}

// Without --canary a simulation has no first wave, as the README's command shows.
func TestNoCanaryInASimulationUnlessAskedFor(t *testing.T) {
	onStage(t, func(s *stage) {
		if said := s.rollout(exitDone, staging("deploy", "--remediation", "automatic", "--simulated", "--yes")...); strings.Contains(said, "First wave") {
			t.Errorf("%s", said)
		}
	})
}

// A first wave whose remediation fails stops the rest, says what happened and what to
// do, and the next run looks at it again: it goes on once what failed is mended.
func TestACanaryThatFails(t *testing.T) {
	onStage(t, func(s *stage) {
		first := s.plan("--remediation", "automatic", "--canary", "1", "--simulated").Waves[0].First
		if len(first) != 1 {
			t.Fatalf("first %v", first)
		}
		s.sim.DenyAction(first[0], "ec2:RevokeSecurityGroupIngress")
		automatic := staging("deploy", "--remediation", "automatic", "--canary", "1", "--simulated", "--yes")
		said := s.rollout(exitPartial, automatic...)
		wantSaid(t, said, "the first wave of automatic remediation did not hold", "account "+first[0], "remediation FAILED", "RevokeSecurityGroupIngress",
			"rollout disarm --template default-security-group --account "+first[0]+" takes that out again")
		if got := s.enforced(); !slices.Equal(got, first) {
			t.Errorf("enforced in %v, want %v", got, first)
		}
		// Neither the same command nor a smaller or larger wave is a way around.
		s.rollout(exitPartial, automatic...)
		if got := s.enforced(); !slices.Equal(got, first) {
			t.Errorf("a second run enforced in %v, want %v", got, first)
		}
		for _, region := range []string{"us-east-1", "eu-west-1"} {
			s.sim.SetGroups(first[0], region, false)
		}
		said = s.rollout(exitDone, automatic...)
		wantSaid(t, said, first[0], "enforced since an earlier run", "the first wave held")
		if got := s.enforced(); !slices.Equal(got, s.accounts) {
			t.Errorf("enforced in %v, want %v", got, s.accounts)
		}
	})
}

// The main job reports all the same, and what it says of the way out works.
func TestAFailedCanaryIsDisarmed(t *testing.T) {
	onStage(t, func(s *stage) {
		first := s.plan("--remediation", "automatic", "--canary", "1", "--simulated").Waves[0].First
		s.sim.DenyAction(first[0], "ec2:RevokeSecurityGroupIngress")
		s.rollout(exitPartial, staging("--remediation", "automatic", "--canary", "1", "--simulated", "--yes", "--out", filepath.Join(s.dir, "report"))...)
		report, err := os.ReadFile(filepath.Join(s.dir, "report", "report.json"))
		if err != nil {
			t.Fatal(err)
		}
		wantSaid(t, string(report), "the first wave of automatic remediation did not hold")
		s.rollout(exitDone, "disarm", "--template", "default-security-group", "--account", first[0], "--yes")
		if got := s.enforced(); got != nil {
			t.Errorf("still enforced in %v", got)
		}
	})
}

// A kept plan has its waves, and they are those that are carried out.
func TestAKeptPlanKeepsItsWave(t *testing.T) {
	onStage(t, func(s *stage) {
		plan := s.plan("--remediation", "automatic", "--canary", "2", "--simulated")
		later := 0
		for _, step := range plan.Operations {
			if step.Wave == 2 {
				later += len(step.Accounts)
			}
		}
		if w := plan.Waves; len(w) != 1 || len(w[0].First) != 2 || len(w[0].Before) != 0 || later != len(w[0].Later) || later != len(s.accounts)-2 {
			t.Fatalf("waves %+v, %d later", w, later)
		}
		kept := filepath.Join(s.dir, "plan.json")
		if said := s.rollout(exitFailed, "deploy", "--plan", kept, "--canary", "1", "--simulated", "--yes"); !strings.Contains(said, "leave --canary out") {
			t.Errorf("%s", said)
		}
		if said := s.rollout(exitFailed, "deploy", "--plan", kept, "--settle", "0", "--simulated", "--yes"); !strings.Contains(said, "has to be watched; nothing was changed") {
			t.Errorf("%s", said)
		}
		wantSaid(t, s.rollout(exitDone, "deploy", "--plan", kept, "--simulated", "--yes"), "watching the first wave of automatic remediation, 2 accounts")
	})
}

func TestCanaryAndMaxBlastOptions(t *testing.T) {
	for text, fine := range map[string]bool{"": true, "1": true, "10": true, "1%": true, "100%": true, "0": false, "11": false, "0%": false, "101%": false, "-1": false, "few": false, "%": false} {
		if err := checkCanary(text); (err == nil) != fine {
			t.Errorf("--canary %q: %v", text, err)
		}
	}
	for text, want := range map[string]int{"": 0, "0": 0, "214": 214, "-1": -1, "5%": -1, "many": -1} {
		if n, err := parseMaxBlast(text); (err != nil) != (want < 0) || err == nil && n != want {
			t.Errorf("--max-blast %q: %d, %v", text, n, err)
		}
	}
}

// What is taken for a --canary is a number of accounts within its bounds.
func FuzzCanary(f *testing.F) {
	for _, seed := range []string{"", "1", "10", "1%", "100%", "0", "11%", "-1", "+1", "1 %", "99999999999999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if checkCanary(text) != nil || text == "" {
			return
		}
		n, most := 0, 10
		number, percent := strings.CutSuffix(text, "%")
		if percent {
			most = 100
		}
		if n, _ = strconv.Atoi(number); n < 1 || n > most {
			t.Errorf("--canary %q is taken", text)
		}
	})
}
