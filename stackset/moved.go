package stackset

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// MovedError says that the organization, a StackSet or an account is not any more as
// it was when a plan was kept.
type MovedError struct {
	// Moved are whole sentences, sets first, then places.
	Moved []string
}

// movedShown is how many of the differences the error's text names.
const movedShown = 20

func (e *MovedError) Error() string {
	lines := e.Moved
	more := ""
	if len(lines) > movedShown {
		lines, more = lines[:movedShown], fmt.Sprintf("\n  and %d more", len(e.Moved)-movedShown)
	}
	return "the plan is not true any more, and nothing was changed; since it was kept:\n  " + strings.Join(lines, "\n  ") + more
}

// Remedy says what to do about it.
func (e *MovedError) Remedy() string {
	return "Look at it and plan again: rollout plan --save FILE."
}

// Moved compares a kept plan with what the same wish comes to now: nil when they are
// the same, else a *MovedError that names what moved.
func Moved(kept, now JSONPlan) error {
	if kept.Hash == now.Hash {
		return nil
	}
	var moved []string
	say := func(format string, args ...any) { moved = append(moved, fmt.Sprintf(format, args...)) }
	compareSets(kept.Sets, now.Sets, say)
	compareChanges(kept.Changes, now.Changes, say)
	compareWaves(kept.Waves, now.Waves, say)
	if moved == nil && !slices.EqualFunc(kept.Operations, now.Operations, sameStep) {
		say("the operations have other targets: accounts were moved between OUs, or instances were deployed by another OU")
	}
	if moved == nil {
		say("a StackSet was made anew, or parameters, tags or operation preferences are others")
	}
	return &MovedError{moved}
}

func compareWaves(kept, now []JSONWave, say func(string, ...any)) {
	was := map[string]JSONWave{}
	for _, w := range kept {
		was[w.StackSet] = w
	}
	for _, w := range now {
		old, there := was[w.StackSet]
		delete(was, w.StackSet)
		if !there || !slices.Equal(old.First, w.First) || !slices.Equal(old.Before, w.Before) {
			say("stack set %s: the first wave is %s, was %s", w.StackSet, w.text(), old.text())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(was)) {
		say("stack set %s: there is no first wave any more, and it was %s", name, was[name].text())
	}
}

func (w JSONWave) text() string {
	return cmp.Or(strings.Join(append(slices.Clone(w.Before), w.First...), ", "), "none")
}

func sameStep(a, b JSONStep) bool {
	return a.Call == b.Call && a.StackSet == b.StackSet && slices.Equal(a.OUs, b.OUs) && slices.Equal(a.Accounts, b.Accounts) &&
		slices.Equal(a.Regions, b.Regions) && maps.Equal(a.Overrides, b.Overrides) && a.Retain == b.Retain && a.Auto == b.Auto
}

func sameAuto(a, b JSONAuto) bool {
	same := func(a, b JSONAutoSetting) bool {
		return a.Enabled == b.Enabled && a.Retain == b.Retain && slices.Equal(a.DependsOn, b.DependsOn)
	}
	return same(a.From, b.From) && same(a.To, b.To)
}

func compareSets(kept, now []JSONSet, say func(string, ...any)) {
	was := map[string]JSONSet{}
	for _, s := range kept {
		was[s.Name] = s
	}
	for _, s := range now {
		old, there := was[s.Name]
		delete(was, s.Name)
		switch {
		case !there:
			say("stack set %s is part of it now", s.Name)
		case old.Exists != s.Exists && s.Exists:
			say("stack set %s was made", s.Name)
		case old.Exists != s.Exists:
			say("stack set %s is gone", s.Name)
		case old.SHA256 != s.SHA256:
			say("this version's template %s is another one (%.12s, was %.12s)", s.Template, s.SHA256, old.SHA256)
		case old.DeployedSHA256 != s.DeployedSHA256:
			say("stack set %s has another template (%.12s, was %.12s)", s.Name, s.DeployedSHA256, old.DeployedSHA256)
		case !sameAuto(old.AutoDeployment, s.AutoDeployment):
			say("stack set %s: its automatic deployment is or will be another one", s.Name)
		case old.Outdated != s.Outdated:
			say("stack set %s: %s (was: %s)", s.Name, cmp.Or(s.Outdated, "need not be updated"), cmp.Or(old.Outdated, "need not be updated"))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(was)) {
		say("stack set %s is not part of it any more", name)
	}
}

func compareChanges(kept, now []JSONChange, say func(string, ...any)) {
	type place struct{ set, account, region string }
	at := func(c JSONChange) place { return place{c.StackSet, c.AccountID, c.Region} }
	where := func(c JSONChange) string {
		return fmt.Sprintf("account %s (%s), %s, %s", c.AccountID, c.AccountName, c.Region, c.StackSet)
	}
	was := map[place]JSONChange{}
	for _, c := range kept {
		was[at(c)] = c
	}
	renamed := map[string]bool{}
	for _, c := range now {
		old, there := was[at(c)]
		delete(was, at(c))
		switch {
		case !there:
			say("%s: %s%s, was not in the plan", where(c), c.Action, because(c.Reason))
		case old.Action != c.Action:
			say("%s: %s%s, was %s%s", where(c), c.Action, because(c.Reason), old.Action, because(old.Reason))
		case !maps.Equal(old.Overrides, c.Overrides):
			say("%s: its parameter overrides are others", where(c))
		case old.OUPath != c.OUPath && !renamed[c.AccountID]:
			renamed[c.AccountID] = true // once for all its Regions and sets
			say("account %s (%s) is under %s, was under %s", c.AccountID, c.AccountName, cmp.Or(c.OUPath, "the root"), cmp.Or(old.OUPath, "the root"))
		}
	}
	for _, c := range kept { // in the plan's order
		if _, gone := was[at(c)]; gone {
			say("%s: was %s%s, is not in the plan now", where(c), c.Action, because(c.Reason))
		}
	}
}
