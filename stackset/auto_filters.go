package stackset

import (
	"maps"
	"slices"
)

// autoFilters says which accounts automatic deployment takes although the run leaves
// them out: it goes by OU and knows no account filters (user guide, Enable or disable
// automatic deployments).
func (p *planner) autoFilters() {
	chosen := map[string]bool{}
	for _, a := range p.d.Accounts {
		chosen[a.ID] = true
	}
	for _, s := range p.plan.Sets {
		if !s.AutoWant.Enabled {
			continue
		}
		watched := map[string]bool{}
		for _, i := range s.Instances {
			watched[i.OU] = true
		}
		for _, c := range p.plan.Changes {
			if c.StackSet == s.Name && c.Action == Create && !c.Single {
				watched[ouFor(c, p.d, &s)] = true
			}
		}
		var places []Place
		for _, id := range slices.Sorted(maps.Keys(p.d.Walked)) {
			a := p.d.Walked[id]
			if chosen[id] || a.Management || !a.Active() || s.Has(id) {
				continue
			}
			for ou := a.OU; ou != nil; ou = ou.Parent {
				if watched[ou.ID] {
					places = append(places, In(a, ""))
					break
				}
			}
		}
		if places != nil {
			p.find(Finding{Code: "auto-ignores-choice", StackSet: s.Name, Text: "Automatic deployment of {sets} goes by OU, whatever accounts a run chooses: it also takes {places}, below the same OUs and not chosen, as soon as they are moved or come back."}, places...)
		}
	}
}
