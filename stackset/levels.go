package stackset

import (
	"context"
	"slices"

	"rollout/internal/fanout"
)

// room is how many stack instances are asked for at a time. StackSets works on 10,000
// in a Region, over all sets of an administrator (CloudFormation user guide, StackSets
// quotas); which Region is meant, the set's or the instance's, it does not say.
const room = 10000

// levels sorts the sets of a run into steps, by their places in the list: a set is in a
// later one than all that its template needs, and needs none of those beside it.
func levels(sets []Set) [][]int {
	depths := map[string]int{}
	var depth func(name string) int
	depth = func(name string) int {
		if d, known := depths[name]; known {
			return d
		}
		depths[name] = 0
		d := 0
		for _, s := range sets {
			if s.Template.Name != name {
				continue
			}
			for _, need := range s.Template.Needs {
				if slices.ContainsFunc(sets, func(other Set) bool { return other.Template.Name == need }) {
					d = max(d, depth(need)+1)
				}
			}
		}
		depths[name] = d
		return d
	}
	var out [][]int
	for i, s := range sets {
		d := depth(s.Template.Name)
		for len(out) <= d {
			out = append(out, nil)
		}
		out[d] = append(out[d], i)
	}
	return out
}

// packs splits a level into groups of sets that have no more than room changes
// together; a set with more is alone.
func (a *applier) packs(level []int) [][]int {
	var out [][]int
	used := 0
	for _, i := range level {
		n := 0
		for k := range a.planned {
			if k.set == a.sets[i].Name {
				n++
			}
		}
		if len(out) == 0 || used+n > room {
			out, used = append(out, nil), 0
		}
		out[len(out)-1] = append(out[len(out)-1], i)
		used += n
	}
	return out
}

// beside does the same with the sets of a level side by side. A set that cannot be
// made or changed does not stop those beside it. The error is the first one in deploy
// order.
func (a *applier) beside(ctx context.Context, level []int, do func(context.Context, *Set) error) error {
	var failure error
	for _, pack := range a.packs(level) {
		for i, err := range fanout.Ordered(ctx, pack, len(pack), func(ctx context.Context, i int) error { return do(ctx, &a.sets[i]) }) {
			if err == nil {
				continue
			}
			a.failures[a.sets[i].Name] = err
			if failure == nil {
				failure = err
			}
		}
		if failure != nil || ctx.Err() != nil {
			return failure
		}
	}
	return nil
}
