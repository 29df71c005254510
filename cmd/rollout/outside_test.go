package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rollout/internal/simaws"
	"rollout/stackset"
)

// detected is a stage on which detection runs, evaluated, outside a simulation.
func (s *stage) detected(regions string) {
	s.t.Helper()
	s.rollout(exitDone, "deploy", "--ou", "Workloads/Staging", "--region", regions, "--yes")
	time.Sleep(time.Hour)
}

// real is a run of something that the program takes for real.
func real(args ...string) []string {
	return append(staging("deploy", "--remediation", "automatic", "--yes"), args...)
}

// writes counts what changes something at StackSets.
func (s *stage) writes() int {
	n := 0
	for call, times := range s.sim.Stats().Calls {
		service, action, _ := strings.Cut(call, ":")
		if service == "cloudformation" && !strings.HasPrefix(action, "Describe") && !strings.HasPrefix(action, "List") {
			n += times
		}
	}
	return n
}

// needed is the number that a refusal names.
func needed(t *testing.T, said string) int {
	t.Helper()
	found := regexp.MustCompile(`--max-blast (\d+) allows them`).FindStringSubmatch(said)
	if found == nil {
		t.Fatalf("no number is named:\n%s", said)
	}
	n := 0
	fmt.Sscan(found[1], &n) //nolint:errcheck // digits
	return n
}

// Outside a simulation automatic is refused until the rule has been evaluated, then until
// somebody says the number of resources, and then goes to one account first.
func TestAutomaticOutsideASimulation(t *testing.T) {
	onStage(t, func(s *stage) {
		said := s.rollout(exitFailed, real()...)
		wantSaid(t, said, "would change 0 resources, and --max-blast was not given; nothing was changed", "8 places would be left out", "Deploy with --remediation off first")
		if s.writes() != 0 {
			t.Errorf("a refused run wrote %d times", s.writes())
		}

		s.detected("us-east-1,eu-west-1")
		said = s.rollout(exitDone, staging("plan", "--remediation", "automatic")...)
		n := needed(t, said)
		wantSaid(t, said, "A deploy of this plan would be refused: --remediation automatic would change ", "First wave of "+groupsAutomatic+": 1 account of 4", "would be changed, 0 of them not known to be safe")
		if n < len(s.accounts)*2 {
			t.Errorf("%d resources in %d accounts", n, len(s.accounts))
		}

		glance := s.rollout(exitDone, staging("plan", "--remediation", "automatic", "--preflight=false")...)
		if wantSaid(t, glance, "nobody looked at what it would change"); strings.Contains(glance, "First wave") {
			t.Errorf("a glance has a first wave:\n%s", glance)
		}

		before := s.writes()
		said = s.rollout(exitFailed, real()...)
		if needed(t, said) != n || s.writes() != before {
			t.Errorf("refused with %d, %d writes:\n%s", needed(t, said), s.writes()-before, said)
		}
		said = s.rollout(exitFailed, real("--max-blast", fmt.Sprint(n-1))...)
		wantSaid(t, said, fmt.Sprintf("would change %d resources, more than --max-blast %d allows", n, n-1), "Worst first:", "AWS::EC2::SecurityGroup sg-")
		if s.writes() != before || s.enforced() != nil {
			t.Errorf("refused with %d writes", s.writes()-before)
		}

		said = s.rollout(exitDone, real("--max-blast", fmt.Sprint(n))...)
		wantSaid(t, said, "watching the first wave of automatic remediation, 1 account", "the first wave held: nothing failed and every finding is gone; the rest follows")
		if got := s.enforced(); !slices.Equal(got, s.accounts) {
			t.Errorf("enforced in %v, want %v", got, s.accounts)
		}
		// Nothing new is enforced, so nobody has to say how much.
		wantSaid(t, s.rollout(exitDone, real()...), "Nothing to do")
	})
}

// Where a rule is not evaluated yet, or what would be changed cannot be read, automatic
// stays out, and detection goes on there.
func TestAutomaticStaysOutOfWhatIsNotKnown(t *testing.T) {
	onStage(t, func(s *stage) {
		// In the other Region nothing will be evaluated, which is not held against the wave.
		for _, id := range s.accounts {
			s.sim.PutRecorder(id, "eu-west-1", simaws.RecorderSpec{Stopped: true})
		}
		s.detected("us-east-1")
		closed := s.accounts[0]
		s.sim.DenyAction(closed, "ec2:DescribeSecurityGroups")
		said := s.rollout(exitDone, real("--max-blast", "100")...)
		wantSaid(t, said, "not enforced automatically: its rule has not been evaluated there", "what it would change could not be read: ec2:DescribeSecurityGroups")
		want := map[string]int{}
		for _, id := range s.accounts[1:] {
			want[id+" us-east-1"]++
		}
		got := map[string]int{}
		for _, c := range s.plan("--simulated").Changes {
			switch {
			case c.StackSet == groupsAutomatic:
				got[c.AccountID+" "+c.Region]++
			case c.StackSet == "rollout-default-security-group" && c.Action != stackset.None:
				t.Errorf("detection is not there: %+v", c)
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("enforced in %v, want %v", got, want)
		}
	})
}

// The first wave is the account with least at risk in which something would be changed.
func TestTheFirstWaveHasLeastAtRisk(t *testing.T) {
	onStage(t, func(s *stage) {
		clean, best := s.accounts[0], s.accounts[2]
		for _, id := range s.accounts {
			for _, region := range []string{"us-east-1", "eu-west-1"} {
				s.sim.SetGroups(id, region, id != clean && (id != best || region == "us-east-1"))
			}
		}
		s.detected("us-east-1,eu-west-1")
		waves := s.plan("--remediation", "automatic", "--max-blast", "100").Waves
		if len(waves) != 1 || !slices.Equal(waves[0].First, []string{best}) {
			t.Errorf("%+v, want %s first", waves, best)
		}
	})
}

// A first wave that fails stops the rest where it matters most.
func TestACanaryThatFailsOutsideASimulation(t *testing.T) {
	onStage(t, func(s *stage) {
		s.detected("us-east-1,eu-west-1")
		first := s.plan("--remediation", "automatic", "--max-blast", "100").Waves[0].First
		s.sim.DenyAction(first[0], "ec2:RevokeSecurityGroupIngress")
		wantSaid(t, s.rollout(exitPartial, real("--max-blast", "100")...), "did not hold, and 3 accounts did not follow", "remediation FAILED", "rollout disarm")
		if got := s.enforced(); !slices.Equal(got, first) {
			t.Errorf("enforced in %v, want %v", got, first)
		}
	})
}

// In a simulation --max-blast holds as it does for real, where it is given.
func TestMaxBlastInASimulation(t *testing.T) {
	onStage(t, func(s *stage) {
		s.detected("us-east-1,eu-west-1")
		wantSaid(t, s.rollout(exitFailed, real("--simulated", "--max-blast", "1")...), "more than --max-blast 1 allows")
		said := s.rollout(exitDone, real("--simulated", "--max-blast", "100")...)
		if strings.Contains(said, "First wave") {
			t.Errorf("a wave nobody asked for:\n%s", said)
		}
	})
}
