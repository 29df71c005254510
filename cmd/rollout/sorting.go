package main

import (
	"maps"
	"slices"
	"time"

	"rollout/stackset"
)

func sortedInstances(s stackset.Set) []stackset.Instance {
	return slices.SortedFunc(maps.Values(s.Instances), func(a, b stackset.Instance) int { return a.Target.Compare(b.Target) })
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// stampOf is RFC 3339 in UTC, "" for the zero time.
func stampOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
