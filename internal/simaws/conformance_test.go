package simaws_test

import (
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"rollout/internal/extras"
	"rollout/internal/simaws"
)

// boto3, with its parameter validation on, calls the simulator, and every answer is
// held against botocore's own service models.
func TestAgainstBotocoreModels(t *testing.T) {
	python := extras.Python(t, "boto3", "botocore")
	sim := simaws.New(simaws.Options{Speed: 3600})
	// The session enters the first account that is active under Workloads.
	for _, a := range sim.Accounts() {
		if a.State == "ACTIVE" && strings.HasPrefix(a.OUPath, "Workloads") {
			sim.OptIn(a.ID, "il-central-1", false)
			for _, kind := range simaws.Leaners() {
				sim.LeanOn(a.ID, "us-west-2", kind, kind)
			}
			break
		}
	}
	server := httptest.NewServer(sim)
	defer server.Close()
	throttled := httptest.NewServer(simaws.New(simaws.Options{Throttle: true, LandingZone: "4.0"}))
	defer throttled.Close()
	out, err := exec.Command(python, "testdata/conformance.py", server.URL, throttled.URL).CombinedOutput()
	if err != nil {
		t.Fatalf("the session ended early: %v\n%s", err, out)
	}
	covered := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		if defect, ok := strings.CutPrefix(line, "DEFECT "); ok {
			t.Error(strings.TrimSpace(defect))
		}
		if call, ok := strings.CutPrefix(line, "COVERED "); ok {
			covered[strings.TrimSpace(call)] = true
		}
		if line, ok := strings.CutPrefix(line, "ASSERTED "); ok {
			covered[strings.TrimSpace(line)] = true
		}
	}
	lines, err := simaws.Fidelity()
	if err != nil {
		t.Fatal(err)
	}
	// What the page says is checked by botocore is what was called and asserted here.
	for _, l := range lines {
		if says := slices.Contains(l.Checks(), "botocore"); says != covered[l.ID] {
			t.Errorf("FIDELITY.md, %s: check %q, and this session covers it: %v", l.ID, l.Check, covered[l.ID])
		}
	}
}
