package stackset

import (
	"context"
	"fmt"
	"slices"
)

// gate says whether the rest of a plan begins: every instance of the first wave has to
// have come true, and whoever watches what it does has to find nothing wrong.
func (a *applier) gate(ctx context.Context) error {
	var missed []string
	for _, w := range a.p.Waves {
		for _, c := range a.p.Changes {
			if c.StackSet != w.StackSet || !brings(c.Action) || !slices.Contains(w.First, c.AccountID) {
				continue
			}
			switch out := a.outcome(key{c.StackSet, c.Target}); {
			case out == nil:
				missed = append(missed, fmt.Sprintf("%s in account %s, %s", c.StackSet, c.AccountID, c.Region))
			case out.Status == OutcomeFailed: // says more than what was cancelled for it
				missed = slices.Insert(missed, 0, fmt.Sprintf("%s in account %s, %s (%s)", c.StackSet, c.AccountID, c.Region, ended(out)))
			case out.Status != OutcomeSucceeded:
				missed = append(missed, fmt.Sprintf("%s in account %s, %s (%s)", c.StackSet, c.AccountID, c.Region, ended(out)))
			}
		}
	}
	switch {
	case missed != nil:
		a.result.Held = fmt.Sprintf("%s of it did not come true, such as %s", count(len(missed), "instance"), missed[0])
		return nil
	case a.o.Gate == nil:
		a.result.Held = "nobody watches it"
		return nil
	}
	hold, err := a.o.Gate(ctx, a.soFar())
	if ctx.Err() == nil && err == nil {
		a.result.Held = hold
	}
	return err
}

// soFar is the result as it stands.
func (a *applier) soFar() *Result {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := &Result{Operations: slices.Clone(a.result.Operations)}
	for _, o := range a.outcomes {
		out.Outcomes = append(out.Outcomes, *o)
	}
	slices.SortFunc(out.Outcomes, a.inOrder())
	return out
}
