package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"rollout/stackset"
	"rollout/templates"
)

// golden compares with a file of testdata, or writes it with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// Each enforcing set of a plan is described in its own manifest's words, once, with
// its mode; a set that the plan leaves alone is not described.
func TestPlanSaysWhatEnforcementDoes(t *testing.T) {
	p := &stackset.Plan{}
	add := func(template string, automatic bool, values map[string]string, actions ...stackset.Action) {
		loaded, err := templates.Lookup(template)
		if err != nil {
			t.Fatal(err)
		}
		s := stackset.Set{Name: "rollout-" + template, Template: loaded, Automatic: automatic, Want: values}
		if automatic {
			s.Name += "-automatic"
		}
		p.Sets = append(p.Sets, s)
		for i, action := range actions {
			p.Changes = append(p.Changes, stackset.Change{StackSet: s.Name, Template: template, Action: action, Target: stackset.Target{AccountID: "111122223333", Region: []string{"a", "b", "c"}[i]}})
		}
	}
	add("default-security-group", false, nil, stackset.Create)
	add("default-security-group-enforce", false, nil, stackset.Delete, stackset.None)
	add("default-security-group-enforce", true, map[string]string{"InUse": "Empty", "Remediation": "Automatic", "MaximumAutomaticAttempts": "1"}, stackset.Create, stackset.Update, stackset.Skip)
	add("password-policy-enforce", false, map[string]string{"Remediation": "Manual"}, stackset.Recreate)
	add("vpc-flow-logs-enforce", false, nil, stackset.None, stackset.Skip)
	var out bytes.Buffer
	showEnforcement(&out, p)
	golden(t, "enforcement.golden", out.Bytes())
}
