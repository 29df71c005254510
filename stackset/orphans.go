package stackset

import (
	"fmt"
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
func orphans(d Desired, sets []Set) []Orphan {
	chosen := map[string]*orgs.Account{}
	for _, a := range d.Accounts {
		chosen[a.ID] = a
	}
	asked := names(d.Templates)
	var out []Orphan
	for _, s := range sets {
		if !slices.Contains(asked, s.Template.Name) && !slices.Contains(asked, s.Template.Enforces) {
			continue
		}
		for _, t := range slices.SortedFunc(maps.Keys(s.Instances), Target.Compare) {
			o := Orphan{StackSet: s.Name, Template: s.Template.Name, Target: t, Account: chosen[t.AccountID]}
			switch {
			case o.Account == nil:
				o.Account, o.Why = d.Walked[t.AccountID], "the account is not chosen"
			case !slices.Contains(d.RegionsOf(s.Template), t.Region):
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
	found := orphans(p.d, p.plan.Sets)
	if !p.d.Prune {
		p.plan.Orphans = found
		return
	}
	stays := map[key]string{}
	for _, o := range slices.Backward(found) { // what needs others comes after them
		c := Change{StackSet: o.StackSet, Template: o.Template, Target: o.Target, Account: o.Account, Action: Delete, Reason: "outside the selection, pruned: " + o.Why, Orphan: true}
		if o.Account != nil {
			v := p.prunable(o)
			if why := stays[key{o.Template, o.Target}]; why != "" && v.action == Delete {
				v = verdict{action: Skip, reason: why}
			}
			if c.Action, c.Reason = v.action, v.reason; v.action == Skip {
				p.stays(c, v)
				for _, need := range p.named(o.StackSet).Template.Needs {
					stays[key{need, o.Target}] = fmt.Sprintf("stays, since %s needs it and cannot be deleted: %s", o.StackSet, c.Reason)
				}
			}
		}
		p.plan.Changes = append(p.plan.Changes, c)
	}
}

// stays says that an instance outside the selection is not deleted.
func (p *planner) stays(c Change, v verdict) {
	f, at := c.unreached()
	if v.cause.code != "account-inactive" && v.cause.code != "account-management" {
		f = Finding{Code: "instance-stays", StackSet: c.StackSet, Text: "Instances of {sets} in {places} stay: " + v.reason + "."}
	}
	p.find(f, at)
}

// prunable says how an instance of an account of the organization is deleted, or why it
// cannot be.
func (p *planner) prunable(o Orphan) verdict {
	if code, why := unfit(p.d, o.Account); why != "" {
		return skip(code, "%s: StackSets cannot reach it", why)
	}
	gone := verdict{action: Delete, reason: "outside the selection, pruned: " + o.Why}
	s := p.named(o.StackSet)
	i := s.Instances[o.Target]
	if i.StackID == "" || i.Status == "INOPERABLE" || s.losesData() {
		return gone // nothing is done in the account
	}
	if p.facts.Off[o.AccountID][o.Region] {
		return skip("region-off", "Region %s is off in this account", o.Region)
	}
	return p.permitted(s, o.Account, o.Region, gone)
}

func (p *planner) named(name string) Set {
	for _, s := range p.plan.Sets {
		if s.Name == name {
			return s
		}
	}
	return Set{}
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
