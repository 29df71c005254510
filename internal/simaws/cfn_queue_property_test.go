package simaws

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Operations that pile up, with managed execution and accounts that move meanwhile: they
// all come to an end, no instance is worked on by two at a time, what conflicts starts
// in the order of the requests, and afterwards the accounts have what their OU says.
func TestEveryQueueOfASet(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newTwo(t)
				w := &walk{stage: g.stage, r: rand.New(rand.NewPCG(seed, 7))}
				if err := w.create("s", roleTemplate, func(in *cloudformation.CreateStackSetInput) {
					in.ManagedExecution = &types.ManagedExecution{Active: aws.Bool(true)}
					in.AutoDeployment = &types.AutoDeployment{Enabled: aws.Bool(true), RetainStacksOnAccountRemoval: aws.Bool(false)}
				}); err != nil {
					t.Fatal(err)
				}
				w.deploy("s", &types.DeploymentTargets{OrganizationalUnitIds: []string{g.first}}, []string{"us-east-1", "eu-west-1"})
				for range 12 {
					switch id := w.members()[w.r.IntN(4)]; w.r.IntN(3) {
					case 0:
						to := g.first
						if w.r.IntN(2) == 0 {
							to = g.second
						}
						w.say("move %s to %s", id, to)
						w.sim.Move(id, to)
					case 1:
						w.push(id)
					default:
						out, err := w.api.UpdateStackSet(t.Context(), &cloudformation.UpdateStackSetInput{StackSetName: aws.String("s"), UsePreviousTemplate: aws.Bool(true), Parameters: []types.Parameter{parameter("Note", fmt.Sprint(w.r.IntN(3)))},
							Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}, OperationPreferences: w.preferences()})
						w.say("update: %v", err)
						if err == nil && w.r.IntN(4) == 0 {
							_, err := w.api.StopStackSetOperation(t.Context(), &cloudformation.StopStackSetOperationInput{StackSetName: aws.String("s"), OperationId: out.OperationId})
							w.say("stop: %v", err)
						}
					}
					time.Sleep(time.Duration(w.r.IntN(40)) * time.Second)
				}
				time.Sleep(2 * time.Minute) // StackSets hears of a move with delay
				w.drained()
				w.apart()
				w.consistent()
				w.sim.mu.Lock()
				defer w.sim.mu.Unlock()
				set := w.set()
				for _, id := range g.sim.world.order {
					under := w.sim.world.under(w.sim.world.accounts[id], g.first)
					for _, region := range []string{"us-east-1", "eu-west-1"} {
						if in := set.instances[target{id, region}]; in == nil && under || in != nil && !under && in.Status != "INOPERABLE" {
							w.wrong("%s, below the OU: %v, has in %s the instance %+v", id, under, region, in)
						}
					}
				}
			})
		})
	}
}

// push repeats the deployment to one account, or updates what it has.
func (w *walk) push(id string) {
	_, err := w.api.UpdateStackInstances(w.Context(), &cloudformation.UpdateStackInstancesInput{StackSetName: aws.String("s"), Regions: some(w.r, []string{"us-east-1", "eu-west-1"}), DeploymentTargets: w.only(id),
		ParameterOverrides: []types.Parameter{parameter("Note", "own")}})
	w.say("override %s: %v", id, err)
}

// drained waits until nothing runs or waits.
func (w *walk) drained() {
	w.Helper()
	for range 2000 {
		time.Sleep(10 * time.Second)
		if _, err := w.api.DescribeStackSet(w.Context(), &cloudformation.DescribeStackSetInput{StackSetName: aws.String("s")}); err != nil { // lets time pass
			w.Fatal(err)
		}
		w.sim.mu.Lock()
		busy := w.set().busy()
		w.sim.mu.Unlock()
		if busy == nil {
			return
		}
	}
	w.sim.mu.Lock()
	defer w.sim.mu.Unlock()
	for _, op := range w.set().ops {
		w.say("%s %s auto %v", op.Action, op.Status, op.auto)
	}
	w.wrong("the queue does not drain")
	w.FailNow()
}

// apart holds that no two operations work on one instance at a time, and that of those
// that share one, the earlier request begins first.
func (w *walk) apart() {
	w.Helper()
	w.sim.mu.Lock()
	defer w.sim.mu.Unlock()
	last := map[target]*opItem{}
	for _, op := range w.set().ops {
		for _, item := range op.items {
			if item.begun.IsZero() {
				continue
			}
			if before := last[item.target]; before != nil && item.begun.Before(before.ended) {
				w.wrong("%v is worked on by two operations at a time, or in another order than was asked for", item.target)
			}
			last[item.target] = item
		}
	}
}
