package main

import (
	"encoding/json"
	"slices"
	"testing"

	"rollout/internal/blast"
	"rollout/reports"
	"rollout/stackset"
	"rollout/templates"
)

// The role that is made for reading may do just what the reads are narrowed to.
func TestReaderReadsWhatIsRead(t *testing.T) {
	var want []string
	for _, text := range []string{stackset.PreflightPolicy, stackset.LimitsPolicy, reports.ReadPolicy, blast.FullPolicy()} {
		var raw struct{ Statement []struct{ Action []string } }
		if err := json.Unmarshal([]byte(text), &raw); err != nil {
			t.Fatal(err)
		}
		for _, s := range raw.Statement {
			want = append(want, s.Action...)
		}
	}
	slices.Sort(want)
	reader, err := templates.Lookup("rollout-reader")
	if err != nil {
		t.Fatal(err)
	}
	if got := reader.RoleActions(); !slices.Equal(got, slices.Compact(want)) {
		t.Errorf("the role may %v, the session policies %v", got, slices.Compact(want))
	}
}
