package stackset_test

import (
	"fmt"
	"strings"
	"testing"

	"rollout/stackset"
)

// docs/preflight.md is the kinds of findings as a page; go test -update writes it.
func TestFindingsPage(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# What a plan finds

Written by a test from the kinds of findings (` + "`stackset/finding_kinds.go`" + `): do not edit.

A plan looks at the organization, the StackSets, and every account and Region chosen, and changes nothing. What it found stands below the
plan, worst first, each with what to do; ` + "`--output json`" + ` has it under ` + "`findings`" + `, with all its places.

- **error**: it keeps an instance that is wanted from being made. The rest is deployed, unless the finding says that a deploy is refused.
- **warning**: something may go wrong, or could not be looked at.
- **note**: good to know.

The same thing in many places is one finding: its text counts the accounts and names the first.

| code | severity | meaning | what to do |
|---|---|---|---|
`)
	sets := strings.NewReplacer("{sets}", "a stack set")
	for _, k := range stackset.Kinds() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", k.Code, k.Severity, k.Meaning, sets.Replace(k.Remedy))
	}
	golden(t, "../docs/preflight.md", b.String())
}
