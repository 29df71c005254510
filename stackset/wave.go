package stackset

import (
	"cmp"
	"slices"
	"strings"
)

// Wave is how a set that enforces automatically goes out: to its first accounts, in all
// their Regions, and to the others once the first have been watched.
type Wave struct {
	StackSet string
	// First are the accounts that this run enforces first, sorted.
	First []string
	// Before are the chosen accounts that an earlier run enforced, where they are so few
	// that they may have been its first wave: they are watched with the first.
	Before []string
	// Later are the accounts that wait, sorted.
	Later []string
	// Weights are those of the first accounts where they are known.
	Weights map[string]Weight
}

// A first wave has at least one account, and at most so many.
const (
	MinCanary = 1
	MaxCanary = 10
)

// Canary says how first waves are chosen.
type Canary struct {
	// Share is "N", or "P%" of the accounts that a set enforces in; "" means 1%.
	Share string
	// Weigh tells how much would be changed in an account by a set; nil, or ok false,
	// where that is not known.
	Weigh func(set, account string) (w Weight, ok bool)
	// Kept are first waves that were chosen before, by set: they are chosen again as long
	// as they can be.
	Kept map[string][]string
}

// Weight is how much automatic remediation would change in an account.
type Weight struct {
	Resources int // that would be changed
	NotSafe   int // of them those that are not known to be safe to change
}

func (c Canary) weigh(set, account string) (Weight, bool) {
	if c.Weigh == nil {
		return Weight{}, false
	}
	return c.Weigh(set, account)
}

// size is the number of accounts in the first wave of so many.
func (c Canary) size(accounts int) int {
	n, percent := share(c.Share, 1)
	if n == nil {
		of := int32(accounts * int(*percent) / 100)
		n = &of
	}
	return min(max(int(*n), MinCanary), MaxCanary)
}

// Stage gives each set that is going to enforce automatically its first wave. Accounts
// that are enforced already are none of a new one: where an earlier run did its first
// wave and no more, that one is watched and the others follow.
func (p *Plan) Stage(c Canary) {
	p.Waves = nil
	taken := map[string]bool{} // by first waves, so that the sets' are the same accounts
	for i := range p.Sets {
		s := &p.Sets[i]
		if !s.Automatic {
			continue
		}
		pending, before := p.candidates(s)
		size := c.size(len(pending) + len(before))
		if len(before) > MaxCanary || len(pending)+len(before) <= size {
			continue // an earlier run went on after its first wave, or there is nothing after it
		}
		c.rank(s, pending, taken)
		w := Wave{StackSet: s.Name, Before: before, Weights: map[string]Weight{}}
		for n, a := range pending {
			if n < size-len(before) && !a.alone {
				w.First = append(w.First, a.id)
				taken[a.id] = true
				if weight, known := c.weigh(s.Name, a.id); known {
					w.Weights[a.id] = weight
				}
			} else {
				w.Later = append(w.Later, a.id)
			}
		}
		if len(w.Later) == 0 {
			continue
		}
		slices.Sort(w.First)
		slices.Sort(w.Later)
		p.Waves = append(p.Waves, w)
	}
	p.Hash = p.hash(p.Steps(ApplyOptions{}))
}

// candidate is an account that a set is going to enforce in.
type candidate struct {
	id, path string
	updates  bool // it has an instance of the set that is updated
	blind    bool // nobody can look what becomes of it
	alone    bool // it is the management account, which is never first
}

// candidates are the accounts that a set is going to enforce in, and those that it
// enforces in already and that nothing is done to.
func (p *Plan) candidates(s *Set) (pending []candidate, before []string) {
	byID, there := map[string]*candidate{}, map[string]bool{}
	var order []string
	for _, c := range p.Changes {
		if c.StackSet != s.Name {
			continue
		}
		if c.Action == None && !c.Single && c.AccountID != p.Desired.Caller {
			there[c.AccountID] = true
		}
		if !brings(c.Action) {
			continue
		}
		a := byID[c.AccountID]
		if a == nil {
			// What is read with the caller's own credentials needs permissions that
			// deploying does not.
			a = &candidate{id: c.AccountID, path: path(c.Account), blind: c.AccountID == p.Desired.Caller || p.closed(c.AccountID), alone: c.Single}
			byID[c.AccountID] = a
			order = append(order, c.AccountID)
		}
		a.updates = a.updates || c.Action == Update
	}
	for _, id := range order {
		pending = append(pending, *byID[id])
		delete(there, id)
	}
	for id := range there {
		before = append(before, id)
	}
	slices.Sort(before)
	return pending, before
}

// closed says whether preflight could not enter an account.
func (p *Plan) closed(account string) bool {
	return p.Facts != nil && p.Facts.Accounts[account] != nil && p.Facts.Accounts[account].Gap.Is()
}

// brings says whether an action brings or changes an instance.
func brings(action Action) bool {
	return action == Create || action == Update || action == Recreate
}

// rank sorts those best suited for a first wave to the front: those that were chosen
// before; those that the set can be updated with; those that can be watched; those in
// which something would be changed, for one in which nothing is proves nothing; those
// not called production; and then those in which least could go wrong.
func (c Canary) rank(s *Set, all []candidate, taken map[string]bool) {
	kept := c.Kept[s.Name]
	first := func(yes bool) int {
		if yes {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		wa, _ := c.weigh(s.Name, a.id)
		wb, _ := c.weigh(s.Name, b.id)
		prefer := func(of func(candidate) bool) int { return cmp.Compare(first(of(a)), first(of(b))) }
		return cmp.Or(
			prefer(func(x candidate) bool { return !x.alone }),
			prefer(func(x candidate) bool { return slices.Contains(kept, x.id) }),
			prefer(func(x candidate) bool { return s.Outdated == "" || x.updates }),
			prefer(func(x candidate) bool { return !x.blind }),
			prefer(func(x candidate) bool { return taken[x.id] }),
			cmp.Compare(first(wa.Resources > 0), first(wb.Resources > 0)),
			prefer(func(x candidate) bool { return !production(x.path) }),
			cmp.Compare(wa.NotSafe, wb.NotSafe),
			cmp.Compare(wa.Resources, wb.Resources),
			cmp.Compare(a.path, b.path),
			cmp.Compare(a.id, b.id),
		)
	})
}

// production says whether an OU above an account is called that.
func production(path string) bool {
	return slices.ContainsFunc(strings.Split(path, "/"), func(ou string) bool {
		return slices.Contains([]string{"prod", "production", "prd"}, strings.ToLower(ou))
	})
}

// waves is how many there are to carry out.
func (p *Plan) waves() int {
	if len(p.Waves) > 0 {
		return 2
	}
	return 1
}

// later are the changes that wait for the first wave, nil where there is none: what a
// set does in its later accounts, and the deletion of manual enforcement that automatic
// takes the place of, so that nothing is taken away from who waits.
func (p *Plan) later() map[key]bool {
	if len(p.Waves) == 0 {
		return nil
	}
	waiting := map[string]map[string]bool{}
	for _, w := range p.Waves {
		waiting[w.StackSet] = map[string]bool{}
		for _, id := range w.Later {
			waiting[w.StackSet][id] = true
		}
	}
	automatic, twin := map[string]string{}, map[string]string{} // sets: by template, and by the manual one
	for _, s := range p.Sets {
		if s.Automatic {
			automatic[s.Template.Name] = s.Name
		}
	}
	for _, s := range p.Sets {
		if !s.Automatic && s.Template.Enforces != "" {
			twin[s.Name] = automatic[s.Template.Name]
		}
	}
	out := map[key]bool{}
	for _, c := range p.Changes {
		if brings(c.Action) && waiting[c.StackSet][c.AccountID] {
			out[key{c.StackSet, c.Target}] = true
		}
	}
	for _, c := range p.Changes {
		if c.Action == Delete && !c.Orphan && out[key{twin[c.StackSet], c.Target}] {
			out[key{c.StackSet, c.Target}] = true
		}
	}
	return out
}

// ofWave are the changes of a wave, by what waits for the first.
func ofWave(list []Change, later map[key]bool, wave int) []Change {
	if later == nil {
		return list
	}
	var out []Change
	for _, c := range list {
		if later[key{c.StackSet, c.Target}] == (wave > 0) {
			out = append(out, c)
		}
	}
	return out
}
