package simaws

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// walk is a random life of one StackSet.
type walk struct {
	*stage
	r    *rand.Rand
	said []string // what was done, for a failure's message
}

func (w *walk) say(format string, values ...any) {
	w.said = append(w.said, fmt.Sprintf(format, values...))
}

func (w *walk) wrong(format string, values ...any) {
	w.Helper()
	w.Errorf("%s\nafter %q", fmt.Sprintf(format, values...), w.said)
}

// some picks at random.
func some[T any](r *rand.Rand, list []T) []T {
	var out []T
	for _, x := range list {
		if r.IntN(2) == 0 {
			out = append(out, x)
		}
	}
	if out == nil {
		out = append(out, list[r.IntN(len(list))])
	}
	return out
}

func (w *walk) preferences() *types.StackSetOperationPreferences {
	p := &types.StackSetOperationPreferences{}
	if w.r.IntN(2) == 0 {
		p.RegionConcurrencyType = types.RegionConcurrencyTypeParallel
	}
	if w.r.IntN(2) == 0 {
		p.ConcurrencyMode = types.ConcurrencyModeSoftFailureTolerance
	}
	if w.r.IntN(2) == 0 {
		p.MaxConcurrentCount = aws.Int32(1 + w.r.Int32N(6))
	} else {
		p.MaxConcurrentPercentage = aws.Int32(1 + w.r.Int32N(100))
	}
	if w.r.IntN(2) == 0 {
		p.FailureToleranceCount = aws.Int32(w.r.Int32N(4))
	} else {
		p.FailureTolerancePercentage = aws.Int32(w.r.Int32N(101))
	}
	return p
}

// step does one thing and gives the operation, nil without one.
func (w *walk) step() *string {
	members := w.members()
	regions := some(w.r, []string{"us-east-1", "eu-west-1", "ap-northeast-1"})
	to := w.only(some(w.r, members)...)
	name := aws.String("s")
	switch w.r.IntN(9) {
	case 0, 1, 2:
		out, err := w.api.CreateStackInstances(w.Context(), &cloudformation.CreateStackInstancesInput{StackSetName: name, Regions: regions, DeploymentTargets: to, OperationPreferences: w.preferences()})
		w.say("create %d accounts in %v: %v", len(to.Accounts), regions, err)
		if err == nil {
			return out.OperationId
		}
	case 3:
		note := fmt.Sprint("note", w.r.IntN(4))
		out, err := w.api.UpdateStackSet(w.Context(), &cloudformation.UpdateStackSetInput{StackSetName: name, UsePreviousTemplate: aws.Bool(true), Parameters: []types.Parameter{parameter("Note", note)},
			Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}, OperationPreferences: w.preferences()})
		w.say("update to %s: %v", note, err)
		if err == nil {
			return out.OperationId
		}
	case 4:
		out, err := w.api.UpdateStackInstances(w.Context(), &cloudformation.UpdateStackInstancesInput{StackSetName: name, Regions: regions, DeploymentTargets: &types.DeploymentTargets{OrganizationalUnitIds: []string{w.root}},
			ParameterOverrides: []types.Parameter{parameter("Note", "own")}, OperationPreferences: w.preferences()})
		w.say("override in %v: %v", regions, err)
		if err == nil {
			return out.OperationId
		}
	case 5:
		retain := w.r.IntN(2) == 0
		out, err := w.api.DeleteStackInstances(w.Context(), &cloudformation.DeleteStackInstancesInput{StackSetName: name, Regions: regions, DeploymentTargets: to, RetainStacks: &retain, OperationPreferences: w.preferences()})
		w.say("delete %d accounts in %v, retaining %v: %v", len(to.Accounts), regions, retain, err)
		if err == nil {
			return out.OperationId
		}
	case 6: // a role in the way, or out of it
		id := members[w.r.IntN(len(members))]
		if role := "worker-us-east-1"; w.HasRole(id, role) {
			w.say("take the role out of %s", id)
			w.sim.RemoveRole(id, role)
		} else {
			w.say("put a role into %s", id)
			w.sim.change(id, func(a *account) {
				a.roles[role] = &iamRole{Name: role, ARN: "arn:aws:iam::" + id + ":role/" + role}
			})
		}
	case 7:
		id := members[w.r.IntN(len(members))]
		w.say("suspend %s", id)
		if len(members) > 4 {
			w.sim.SetState(id, "SUSPENDED")
		}
	case 8:
		out, err := w.api.DetectStackSetDrift(w.Context(), &cloudformation.DetectStackSetDriftInput{StackSetName: name, OperationPreferences: w.preferences()})
		w.say("detect drift: %v", err)
		if err == nil {
			return out.OperationId
		}
	}
	return nil
}

func (w *walk) HasRole(id, role string) bool { return w.sim.HasRole(id, role) }

// ended holds an operation that ended to what AWS says of all.
func (w *walk) ended(id *string) {
	w.Helper()
	shown := w.operation("s", id)
	w.sim.mu.Lock()
	defer w.sim.mu.Unlock()
	set := w.set()
	op, _ := set.operation(*id)
	failed, seen, cut := 0, map[target]bool{}, false
	type span struct{ from, to time.Time }
	spans := map[string][]span{}
	for _, item := range op.items {
		if seen[item.target] {
			w.wrong("%v has two rows", item.target)
		}
		seen[item.target] = true
		if item.Status == "FAILED" {
			failed++
		}
		cut = cut || item.Status == "CANCELLED" && item.Reason != "ACCOUNT_SUSPENDED"
		if item.Status != "SUCCEEDED" && item.Status != "FAILED" && item.Status != "CANCELLED" {
			w.wrong("the operation has ended and %v is %s", item.target, item.Status)
		}
		if !item.begun.IsZero() {
			spans[item.region] = append(spans[item.region], span{item.begun, item.ended})
		}
		in := set.instances[item.target]
		switch {
		case op.Action == "DELETE" && item.Status == "SUCCEEDED" && in != nil:
			w.wrong("%v was deleted and is there", item.target)
		case op.Action == "DELETE" && item.Status == "FAILED" && in.Status != "INOPERABLE":
			w.wrong("%v could not be deleted and is %s", item.target, in.Status)
		case (op.Action == "CREATE" || op.Action == "UPDATE") && item.Status == "SUCCEEDED" && in.Status != "CURRENT":
			w.wrong("%v was deployed and is %s", item.target, in.Status)
		case (op.Action == "CREATE" || op.Action == "UPDATE") && item.Status != "SUCCEEDED" && in != nil && in.Status == "CURRENT":
			w.wrong("%v was not deployed (%s) and is CURRENT", item.target, item.Status)
		}
	}
	if failed != op.failed || shown.StatusDetails != nil && int(*shown.StatusDetails.FailedStackInstancesCount) != failed {
		w.wrong("%d rows failed, the operation says %d", failed, op.failed)
	}
	details, regional := op.statusDetails(w.sim.clock.Now())
	d, byRegion := details.Stages.StackInstancesDeployment, 0
	for _, e := range regional.Entry {
		byRegion += e.Value.TotalStackInstancesCount
	}
	if d.CompletedStackInstancesCount != len(op.items) || d.PendingStackInstancesCount != 0 || byRegion != len(op.items) || *details.TotalStackInstancesCount != len(op.items) || details.FailedStackInstancesCount != failed || d.PercentageCompleted != 100 {
		w.wrong("%d rows, and the stages say %+v", len(op.items), details)
	}
	if n := w.sim.workload("us-east-1").running; set.busy() == nil && n != 0 {
		w.wrong("nothing is under way, and %d instances are counted as at work", n)
	}
	if cut && op.Status == "SUCCEEDED" {
		w.wrong("rows were cancelled, and the operation SUCCEEDED")
	}
	over := false
	for _, run := range op.regions {
		over = over || run.failures > op.prefs.tolerated(run.total)
		at := 0
		for _, a := range spans[run.name] {
			n := 0
			for _, b := range spans[run.name] {
				if !b.from.After(a.from) && b.to.After(a.from) {
					n++
				}
			}
			at = max(at, n)
		}
		if most := op.prefs.window(run.total, 0); at > most {
			w.wrong("%d at once in %s, %d are allowed", at, run.name, most)
		}
		if !op.prefs.parallel {
			for other, list := range spans {
				for _, a := range spans[run.name] {
					if other != run.name && slices.ContainsFunc(list, func(b span) bool { return a.from.Before(b.to) && b.from.Before(a.to) }) {
						w.wrong("%s and %s overlap in a sequential operation", run.name, other)
						return
					}
				}
			}
		}
	}
	if over != (op.Status == "FAILED") && op.Status != "STOPPED" {
		w.wrong("the tolerance was exceeded: %v, and the operation is %s", over, op.Status)
	}
}

func (w *walk) set() *stackSet {
	for _, set := range w.sim.world.stackSets {
		if set.Status == "ACTIVE" {
			return set
		}
	}
	return nil
}

// consistent holds instances and stacks against each other.
func (w *walk) consistent() {
	w.Helper()
	w.sim.mu.Lock()
	defer w.sim.mu.Unlock()
	set := w.set()
	owned := map[string]target{}
	for t, in := range set.instances {
		if t.account == w.sim.world.management {
			w.wrong("an instance in the management account")
		}
		if in.StackName == "" {
			if in.Status == "CURRENT" {
				w.wrong("%v is CURRENT without a stack", t)
			}
			continue
		}
		st := w.sim.world.accounts[t.account].region(t.region).stacks[in.StackName]
		if st == nil || st.StackSet != set.ID {
			w.wrong("%v has a stack that is not there or not the set's", t)
			continue
		}
		owned[st.ID] = t
		if in.Status == "CURRENT" && !maps.Equal(st.Parameters, effective(set.doc, set.Parameters, in.Overrides)) {
			w.wrong("%v is CURRENT with %v", t, st.Parameters)
		}
	}
	for id, a := range w.sim.world.accounts {
		for region, r := range a.regions {
			for _, st := range r.stacks {
				if st.StackSet == set.ID && owned[st.ID] != (target{id, region}) {
					w.wrong("a stack of the set in %s %s has no instance", id, region)
				}
			}
		}
	}
}

// Whatever is done to a StackSet, in whatever order, what AWS says of every operation
// and every instance holds. A seed that fails is repeated exactly.
func TestEveryLifeOfASet(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &walk{stage: newStage(t, Options{Accounts: 14, Empty: true, Seed: seed + 1}), r: rand.New(rand.NewPCG(seed, 3))}
				if err := w.create("s", roleTemplate); err != nil {
					t.Fatal(err)
				}
				for range 14 {
					id := w.step()
					if id == nil {
						continue
					}
					if w.r.IntN(5) == 0 {
						time.Sleep(time.Duration(w.r.IntN(90)) * time.Second)
						_, err := w.api.StopStackSetOperation(t.Context(), &cloudformation.StopStackSetOperationInput{StackSetName: aws.String("s"), OperationId: id})
						w.say("stop: %v", err)
					}
					w.wait("s", id)
					w.ended(id)
					w.consistent()
					if t.Failed() {
						return
					}
				}
			})
		})
	}
}
