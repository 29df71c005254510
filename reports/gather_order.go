package reports

import (
	"cmp"
	"strings"
)

func compareText(a, b string) int { return strings.Compare(a, b) }

// Compare sorts by OU path, account, Region, by bytes.
func (p Place) Compare(q Place) int {
	return cmp.Or(compareText(p.Account.OUPath(), q.Account.OUPath()), compareText(p.Account.ID, q.Account.ID), compareText(p.Region, q.Region))
}

// Compare sorts by place, then rule.
func (c Cell) Compare(d Cell) int {
	return cmp.Or(c.Place.Compare(d.Place), compareText(c.Rule.Name, d.Rule.Name))
}

// Compare sorts by place, rule, resource type and id.
func (f Finding) Compare(g Finding) int {
	return cmp.Or(f.Place.Compare(g.Place), compareText(f.Rule.Name, g.Rule.Name), compareText(f.ResourceType, g.ResourceType), compareText(f.ResourceID, g.ResourceID))
}
