package simaws

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// The worked examples of "Choosing the Concurrency Mode for CloudFormation StackSets"
// as whole operations. What the page gives is how many instances were attempted and
// how they ended; which of them fail is chosen here so that the example's course comes
// about. Counts are of accounts in the one Region.
func TestWorkedExamplesOfTheModes(t *testing.T) {
	strict, soft := types.ConcurrencyModeStrictFailureTolerance, types.ConcurrencyModeSoftFailureTolerance
	for _, c := range []struct {
		name                  string
		mode                  types.ConcurrencyMode
		accounts              int
		tolerance, concurrent int32
		// succeedFirst instances, in the order of their ends, succeed; failNext of
		// those that follow then fail.
		succeedFirst, failNext int
		attempted, failed      int
		most                   int // in flight at a time
	}{
		{"strict, 6 then fewer: 9 deployed, 3 succeed", strict, 40, 5, 10, 3, 40, 9, 6, 6},
		{"strict, nothing succeeds: only what fits the tolerance", strict, 40, 5, 10, 0, 40, 6, 6, 6},
		{"strict, less concurrency than tolerance", strict, 40, 5, 2, 0, 40, 6, 6, 2},
		{"strict, no tolerance is one after the other", strict, 40, 0, 10, 4, 40, 5, 1, 1},
		{"soft, always 10: 15 deployed, 7 succeed and 8 fail", soft, 40, 5, 10, 0, 8, 15, 8, 10},
		{"strict, 1,000 instances: 305 attempted", strict, 1050, 100, 250, 204, 1000, 305, 101, 101},
		{"soft, 1,000 instances: 500 attempted", soft, 1050, 100, 250, 150, 101, 500, 101, 250},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				run := func(failing []string) (*stage, *types.StackSetOperation, []string) {
					g := newStage(t, Options{Accounts: c.accounts, Empty: true})
					for _, id := range failing {
						g.sim.change(id, func(a *account) { a.roles["worker-us-east-1"] = &iamRole{Name: "worker-us-east-1", Path: "/"} })
					}
					if err := g.create("roles", roleTemplate); err != nil {
						t.Fatal(err)
					}
					op := g.deploy("roles", &types.DeploymentTargets{OrganizationalUnitIds: []string{g.root}}, []string{"us-east-1"}, func(in *cloudformation.CreateStackInstancesInput) {
						in.OperationId = aws.String("example")
						in.OperationPreferences = &types.StackSetOperationPreferences{ConcurrencyMode: c.mode, FailureToleranceCount: &c.tolerance, MaxConcurrentCount: &c.concurrent}
					})
					return g, op, g.order("roles")
				}
				// An undisturbed run says in which order instances end, which stays the same
				// until the failures are too many.
				_, _, order := run(nil)
				failing := order[c.succeedFirst : c.succeedFirst+min(c.failNext, len(order)-c.succeedFirst)]
				g, op, _ := run(failing)
				attempted, failed := 0, 0
				for _, r := range g.results("roles", op) {
					switch r.Status {
					case "FAILED":
						failed++
						attempted++
					case "SUCCEEDED":
						attempted++
					}
				}
				if attempted != c.attempted || failed != c.failed || op.Status != "FAILED" {
					t.Errorf("%s with %d attempted, %d of them failed; want FAILED, %d, %d", op.Status, attempted, failed, c.attempted, c.failed)
				}
				if most := g.sim.mostAtOnce("roles"); most != c.most {
					t.Errorf("%d at a time, want %d", most, c.most)
				}
			})
		})
	}
}

// order gives the accounts in the order in which their instances ended.
func (g *stage) order(name string) []string {
	items := slices.Clone(g.sim.example(name).items)
	items = slices.DeleteFunc(items, func(i *opItem) bool { return i.ended.IsZero() })
	slices.SortStableFunc(items, func(a, b *opItem) int { return a.ended.Compare(b.ended) })
	var out []string
	for _, i := range items {
		out = append(out, i.account)
	}
	return out
}

// example is the one operation of a set.
func (s *Sim) example(name string) *operation {
	for _, set := range s.world.stackSets {
		if set.Name == name {
			return set.ops[0]
		}
	}
	return nil
}

// mostAtOnce is how many instances of the sets' first operations were in flight at a
// time.
func (s *Sim) mostAtOnce(names ...string) int {
	type edge struct {
		at   time.Time
		step int
	}
	var edges []edge
	for _, name := range names {
		for _, i := range s.example(name).items {
			if !i.ended.IsZero() {
				edges = append(edges, edge{i.begun, 1}, edge{i.ended, -1})
			}
		}
	}
	slices.SortFunc(edges, func(a, b edge) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return a.step - b.step // one that ends makes room for one that begins
	})
	now, most := 0, 0
	for _, e := range edges {
		now += e.step
		most = max(most, now)
	}
	return most
}
