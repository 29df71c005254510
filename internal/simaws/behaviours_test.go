package simaws_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"rollout/internal/extras"
	"rollout/internal/simaws"
)

// behaviourSimulations are the organizations that testdata/behaviours.py asks, by the
// name that it knows them by.
var behaviourSimulations = map[string]simaws.Options{
	"main": {Accounts: 120, Empty: true, Speed: 3600},
	// slow is for what is seen only while something else is under way.
	"slow":    {Accounts: 12, Empty: true, Speed: 120},
	"pages":   {Accounts: 30, Empty: true, EmptyPages: true},
	"lagging": {Accounts: 3, Empty: true, Speed: 3600, ListLag: 3 * time.Second},
	"large":   {Accounts: 6000, Empty: true, Speed: 3600},
	"tower":   {Accounts: 60, LandingZone: "3.3", Speed: 3600},
	"tower-without-config": described(`
management: {name: management}
landingZone: {region: us-east-1, version: "4.0", config: false, audit: audit, logArchive: log-archive}
ous:
  - {name: Security, accounts: [{name: audit}, {name: log-archive}]}
  - {name: Workloads, baseline: AWSControlTowerBaseline, accounts: [{name: shop}]}
`),
	"quotas": described(`
management: {name: management, quotas: [{region: us-east-1, code: L-EC62D81A, value: 2}, {region: us-east-1, code: L-C8225BA5, value: 3}, {region: eu-west-1, code: L-EC62D81A, value: 2000}]}
trustedAccess: [member.org.stacksets.cloudformation.amazonaws.com]
accounts: [{name: full, quotas: [{region: us-east-1, code: L-0485CB21, value: 1}]}, {name: roomy, quotas: [{region: us-east-1, code: L-0485CB21, value: 2500}]}]
`),
	// Faults in the words of rollout simulate --faults.
	"throttle":         faulty("throttle=1", 0),
	"error":            faulty("error=1", 0),
	"broken":           faulty("organizations:CreateOrganizationalUnit:reset=1,organizations:CreatePolicy:cut=1", 0),
	"expired":          faulty("expired=1", 0),
	"clock":            faulty("clock=1:20m", 0),
	"late":             faulty("organizations:ListRoots:slow=1:1s", 0),
	"seeded":           faulty("error=0.3", 7),
	"seeded-too":       faulty("error=0.3", 7),
	"seeded-otherwise": faulty("error=0.3", 8),
}

func described(text string) simaws.Options {
	o, err := simaws.ParseOrganization("tower.yaml", []byte(text))
	if err != nil {
		panic(err)
	}
	return simaws.Options{Organization: o, Speed: 3600}
}

func faulty(faults string, seed uint64) simaws.Options {
	parsed, err := simaws.ParseFaults(faults)
	if err != nil {
		panic(err)
	}
	return simaws.Options{Accounts: 3, Empty: true, Faults: parsed, FaultSeed: seed}
}

// Every behaviour that FIDELITY.md says boto3 checks is asserted by a session of
// boto3, and the page says so of every one that is.
func TestBehaviours(t *testing.T) {
	python := extras.Python(t, "boto3", "botocore")
	t.Parallel()
	arguments := []string{"testdata/behaviours.py"}
	for name, options := range behaviourSimulations {
		sim := simaws.New(options)
		if name == "main" {
			for what, account := range furnish(sim) {
				arguments = append(arguments, name+"."+what+"="+account)
			}
		}
		server := httptest.NewServer(sim)
		defer server.Close()
		arguments = append(arguments, name+"="+server.URL)
	}
	run := exec.Command(python, arguments...)
	run.Stderr = os.Stderr
	out, err := run.Output()
	if err != nil {
		t.Fatalf("the sessions ended early: %v\n%s", err, out)
	}
	held := map[string]bool{}
	for text := range strings.Lines(string(out)) {
		switch word, rest, _ := strings.Cut(strings.TrimSpace(text), " "); word {
		case "HELD":
			held[rest] = true
		case "BROKEN":
			id, _, _ := strings.Cut(rest, " ")
			held[id] = true
			t.Error(rest)
		default:
			fmt.Print(text)
		}
	}
	if os.Getenv("ONLY") != "" {
		return
	}
	lines, err := simaws.Fidelity()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		if says := slices.Contains(l.Checks(), "boto3"); says != held[l.ID] {
			t.Errorf("FIDELITY.md, %s: check %q, and a session under testdata/behaviours asserts it: %v", l.ID, l.Check, held[l.ID])
		}
		delete(held, l.ID)
	}
	for id := range held {
		t.Errorf("testdata/behaviours asserts %s, of which FIDELITY.md has no line", id)
	}
}

// furnish gives two accounts what no call makes: users both, one of them also
// instances, a snapshot and the services that look for attacks.
func furnish(sim *simaws.Sim) map[string]string {
	var ids []string
	for _, a := range sim.Accounts() {
		if !a.Management && a.State == "ACTIVE" && sim.HasRole(a.ID, "OrganizationAccountAccessRole") {
			ids = append(ids, a.ID)
		}
	}
	day := 24 * time.Hour
	for _, id := range ids[:2] {
		sim.PutUser(id, "old", simaws.UserKey{Age: 100 * day, Idle: 95 * day})
		sim.PutUser(id, "young", simaws.UserKey{Age: day, Idle: time.Hour})
	}
	sim.StartInstance(ids[1], "us-east-1", "optional", 24)
	sim.StartInstance(ids[1], "us-east-1", "required", 0)
	sim.KeepSnapshot(ids[1], "us-east-1")
	sim.Detect(ids[1], "us-east-1", true)
	sim.Expose(ids[1], "us-east-1", true)
	return map[string]string{"users": ids[0], "things": ids[1]}
}
