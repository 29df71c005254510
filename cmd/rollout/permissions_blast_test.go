package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollout/internal/awsapi"
	"rollout/internal/blast"
	"rollout/internal/doctor"
	"rollout/internal/simaws"
)

// The management account's blast radius is read with the identity's own credentials: its
// policy is enough for all of it, and without any one action the plan says what is not known.
func TestPolicyOfABlastRadius(t *testing.T) {
	var session struct{ Statement []struct{ Action []string } }
	if err := json.Unmarshal([]byte(blast.FullPolicy()), &session); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		th := newTheater(t, simaws.Options{})
		everything(th.sim, th.home)
		args := []string{"plan", "--blast-radius", "--template", "baseline", "--remediation", "manual", "--region", "us-east-1", "--include-management", "--account", "management", "--output", "json"}
		in := doctor.PolicyInput{Partition: "aws", StackSets: []string{"rollout-*"}, Roles: awsapi.DefaultRoleNames, Own: true}
		whole := doctor.Policy(named("plan"), in)
		unread := func(said string) bool {
			return !strings.Contains(said, `"unread": []`) || strings.Contains(said, "not known")
		}
		th.sim.PutRule(th.home, "us-east-1", "rollout-vpc-default-security-group-closed", "VPC_DEFAULT_SECURITY_GROUP_CLOSED", "")
		time.Sleep(time.Hour)
		status, said := th.run(&whole, args...)
		if status != exitDone || refused(said) || unread(said) {
			t.Fatalf("exit status %d with the whole policy\n%s", status, said)
		}
		called := th.calls.actions()
		for _, action := range session.Statement[0].Action {
			if !slices.Contains(called, action) {
				t.Errorf("%s is allowed and was not called", action)
				continue
			}
			less := without(whole, action)
			status, said := th.run(&less, args...)
			if status != exitDone || !strings.Contains(said, "perform: "+action) {
				t.Errorf("without %s: exit status %d\n%s", action, status, said)
			}
		}
	})
}

// everything gives an account something of each kind that a remediation looks at.
func everything(sim *simaws.Sim, id string) {
	const region = "us-east-1"
	sim.PutRecorder(id, region, simaws.RecorderSpec{})
	sim.SetGroups(id, region, true)
	for _, kind := range []string{"ecs-service", "launch-template", "function"} {
		sim.LeanOn(id, region, kind, kind)
	}
	sim.EncryptByDefault(id, region, false)
	sim.DropFlowLogs(id, region)
	sim.StartInstance(id, region, "optional", 0)
	sim.KeepSnapshot(id, region, "all")
	sim.PutUser(id, "old", simaws.UserKey{Age: 200 * 24 * time.Hour, Idle: 60 * 24 * time.Hour})
	sim.PutBucket(id, region, "plain-"+id, simaws.BucketSpec{})
}
