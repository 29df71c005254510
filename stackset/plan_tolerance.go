package stackset

import (
	"cmp"
	"fmt"
)

// tolerances says where the operation preferences come to something else than they
// read: under strict mode StackSets works on one account more than may fail, and on one
// fewer after each failure; percentages are of the accounts of an operation in each
// Region, and round down (CloudFormation API reference, StackSetOperationPreferences).
// Where all accounts of an operation are begun at once, a failure cancels none.
func (p *planner) tolerances(steps []Step) {
	strict := p.d.Preferences.Mode == "strict"
	var capped, none findingOf
	for _, s := range steps {
		accounts := len(s.Accounts)
		if s.Instances == 0 || accounts == 0 {
			continue
		}
		tolerated, byShare := sharedOut(p.d.Preferences.FailureTolerance, 10, accounts, 0)
		wanted, _ := sharedOut(p.d.Preferences.MaxConcurrent, 100, accounts, 1)
		wanted = min(wanted, accounts)
		together := wanted
		if strict {
			together = min(wanted, tolerated+1)
		}
		if together < wanted {
			capped.take(s.StackSet, fmt.Sprintf("on %d of %d accounts at a time and not on %d", together, accounts, wanted), wanted-together)
		}
		if tolerated == 0 && byShare && together < accounts {
			none.take(s.StackSet, fmt.Sprintf("of %s", count(accounts, "account")), accounts)
		}
	}
	if capped.sets != nil {
		p.find(Finding{Code: "concurrency-capped", StackSets: capped.sets, Text: fmt.Sprintf("With --concurrency-mode strict and --failure-tolerance %s StackSets works %s, in the operation that this holds up most, and on one fewer after each failure: {sets}.", cmp.Or(p.d.Preferences.FailureTolerance, "10%"), capped.worst)})
	}
	if none.sets != nil {
		p.find(Finding{Code: "tolerance-zero", StackSets: none.sets, Text: fmt.Sprintf("--failure-tolerance %s is no account at all where an operation has few, since percentages round down: in {sets} the first failure cancels what has not begun in its Region (%s in the largest such operation).", cmp.Or(p.d.Preferences.FailureTolerance, "10%"), none.worst)})
	}
}

// findingOf gathers the sets of a finding and its worst case.
type findingOf struct {
	sets  []string
	worst string
	most  int
}

func (f *findingOf) take(set, text string, weight int) {
	f.sets = append(f.sets, set)
	if f.worst == "" || weight > f.most {
		f.worst, f.most = text, weight
	}
}

// sharedOut is what "N" or "P%" comes to of a number of accounts, at least the least.
func sharedOut(text string, percent int32, of, least int) (n int, byShare bool) {
	number, percentage := share(text, percent)
	if number != nil {
		return int(*number), false
	}
	return max(least, of*int(*percentage)/100), *percentage > 0
}
