package stackset

import (
	"maps"
	"slices"

	"rollout/orgs"
	"rollout/templates"
)

// Orphan is a stack instance of a set of the run that the selection does not cover
// any more, or never did. It stays unless pruning is asked for.
type Orphan struct {
	StackSet string
	Template string
	Target
	Account *orgs.Account // nil where the walk did not come by it
	Why     string
}

// orphans are those of the asked templates' sets and of what enforces them. What
// templates need is shared with other runs: an account outside this one may lean on
// it, so it has none.
func (p *planner) orphans() []Orphan {
	chosen := map[string]*orgs.Account{}
	for _, a := range p.d.Accounts {
		chosen[a.ID] = a
	}
	asked := names(p.d.Templates)
	var out []Orphan
	for _, s := range p.plan.Sets {
		if !slices.Contains(asked, s.Template.Name) && !slices.Contains(asked, s.Template.Enforces) {
			continue
		}
		for _, t := range slices.SortedFunc(maps.Keys(s.Instances), Target.Compare) {
			o := Orphan{StackSet: s.Name, Template: s.Template.Name, Target: t, Account: chosen[t.AccountID]}
			switch {
			case o.Account == nil:
				o.Account, o.Why = p.d.Walked[t.AccountID], "the account is not chosen"
			case !slices.Contains(p.regions[s.Template.Name], t.Region):
				o.Why = "the Region is not chosen"
			default:
				continue
			}
			out = append(out, o)
		}
	}
	return out
}

// prune turns orphans into deletions where that is asked for, and keeps them as
// orphans else.
func (p *planner) prune() {
	for _, o := range p.orphans() {
		if !p.d.Prune {
			p.plan.Orphans = append(p.plan.Orphans, o)
			continue
		}
		c := Change{StackSet: o.StackSet, Template: o.Template, Target: o.Target, Account: o.Account, Action: Delete, Reason: "outside the selection, pruned: " + o.Why, Orphan: true}
		if o.Account != nil {
			if _, why := unfit(p.d, o.Account); why != "" {
				c.Action, c.Reason = Skip, why+": StackSets cannot reach it"
				p.find(c.unreached())
			}
		}
		p.plan.Changes = append(p.plan.Changes, c)
	}
}

// CheckPruning refuses a plan that prunes more of a set than --max-deletions allows.
// The error is a *TooManyError.
func (p *Plan) CheckPruning() error {
	for _, s := range p.Sets {
		n := 0
		for _, c := range p.Changes {
			if c.StackSet == s.Name && c.Orphan && c.Action == Delete {
				n++
			}
		}
		if most := allowed(p.Desired.MaxDeletions, s.size()); n > most {
			return &TooManyError{s.Name, n, s.size(), most}
		}
	}
	return nil
}

// losesData says whether deleting a stack of the set takes data with it: its template,
// as it is deployed or as this version has it, makes what holds data and does not
// keep it.
func (s *Set) losesData() bool {
	if d, err := templates.Parse([]byte(s.Deployed)); err == nil {
		return len(d.LosesData()) > 0
	}
	return len(s.Template.Document().LosesData()) > 0
}

// path is where an account stands, "" for one that the walk did not come by.
func path(a *orgs.Account) string {
	if a == nil {
		return ""
	}
	return a.OUPath()
}

func (o Orphan) json() JSONOrphan {
	j := JSONOrphan{StackSet: o.StackSet, AccountID: o.AccountID, Region: o.Region, Reason: o.Why}
	if o.Account != nil {
		j.AccountName, j.OUPath = o.Account.Name, o.Account.OUPath()
	}
	return j
}
