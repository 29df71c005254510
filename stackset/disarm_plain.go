package stackset

import (
	"context"
	"slices"
	"strings"

	"rollout/internal/fanout"
)

// plainWork are the plain stacks of a set that are to be deleted.
type plainWork struct {
	set     Set
	changes []Change
}

// disarmPlain deletes the plain stacks in scope that enforce, then looks again: what came
// since goes too, and what a running remediation held is tried again. attempt is another
// one for each call of a run.
func (a *applier) disarmPlain(ctx context.Context, sets []Set, scope Scope, attempt int) {
	for round := range disarmRounds {
		work, wait := a.plainLeft(sets, scope)
		if len(work) == 0 {
			return
		}
		if wait {
			a.emit(Waiting{work[0].set.Name, "a remediation is under way in the management account; it is tried again when that has ended"})
			if pause(ctx, remediationEnds) != nil {
				return
			}
		}
		fanout.Each(ctx, work, setsAtOnce, func(ctx context.Context, w plainWork) {
			a.eachSingle(ctx, &w.set, w.changes, attempt*disarmRounds+round+1)
		})
		if sets = a.plainNow(ctx, scope); ctx.Err() != nil {
			return
		}
	}
}

// plainNow are the sets that enforce, with the plain stacks that are there now.
func (a *applier) plainNow(ctx context.Context, scope Scope) []Set {
	if scope.Management == "" || ctx.Err() != nil {
		return nil
	}
	found, problems := plainStacks(ctx, a.s, scope.Management, scope.On)
	for _, p := range problems {
		if ctx.Err() == nil {
			a.emit(Note{"whether plain stacks came since the plan could not be seen: " + sentence(p.Error())})
		}
	}
	return slices.DeleteFunc(found, func(s Set) bool { return !scope.Takes(s) || !Enforcing(s.Template) })
}

// plainLeft are the plain stacks that are worth a try, the first or another one. wait
// says that a remediation has to end first.
func (a *applier) plainLeft(sets []Set, scope Scope) (work []plainWork, wait bool) {
	for _, s := range sets {
		w := plainWork{set: s}
		for _, t := range scopedPlain(s, scope) {
			c, k := disarmedPlain(s, t), key{s.Name, t}
			switch out := a.outcome(k); {
			case out == nil:
				a.mu.Lock()
				a.planned[k] = c // it may have come since the plan
				a.mu.Unlock()
			case out.Status == OutcomeFailed && strings.Contains(out.Reason, remediating):
				wait = true
			case out.Status != OutcomeSucceeded:
				continue
			}
			w.changes = append(w.changes, c)
		}
		if w.changes != nil {
			work = append(work, w)
		}
	}
	return work, wait
}
