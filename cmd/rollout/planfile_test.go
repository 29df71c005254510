package main

import (
	"bytes"
	"strings"
	"testing"
)

// A file that somebody hands in as a plan never panics, and what is taken is whole.
func FuzzKeptPlan(f *testing.F) {
	f.Add([]byte(`{"format":1,"organization_id":"o-1","home_region":"us-east-1","options":{"region":["us-east-1"],"template":"recording","remediation":"off"},"plan":{"hash":"x"}}`))
	f.Add([]byte(`{"format":1}`))
	f.Add([]byte(`{"format":1} {"format":1}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		kept, err := decodePlan(bytes.NewReader(text))
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Error("an error without a word")
			}
			return
		}
		if kept.Format != planFormat || kept.Organization == "" || kept.HomeRegion == "" || kept.Plan.Hash == "" || len(kept.Options.Regions) == 0 {
			t.Errorf("taken: %+v", kept)
		}
	})
}

// A value that must not be shown is not written down.
func TestASecretIsNotKept(t *testing.T) {
	status, _, stderr := runWith(t, nil, "plan", "--sim", "--ou", "Sandbox", "--region", "us-east-1", "--template", "testdata/secret.yaml", "--parameter", "Secret=hunter2", "--save", t.TempDir()+"/plan.json")
	if status != exitFailed || !strings.Contains(stderr, "parameter Secret of template secret is NoEcho") || strings.Contains(stderr, "hunter2") {
		t.Errorf("exit status %d\n%s", status, stderr)
	}
}
