package reports

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Scope says what the report's cells are: "8 accounts × 2 Regions × 3 rules" and, where
// rules live in other Regions than the rest (in the home Region only), "8 accounts ×
// (2 rules in 2 Regions + 1 rule in us-east-1)".
func (r *Report) Scope() string {
	at := map[string]map[string]bool{} // Regions by rule
	for _, c := range r.Cells {
		if at[c.Rule.Name] == nil {
			at[c.Rule.Name] = map[string]bool{}
		}
		at[c.Rule.Name][c.Region] = true
	}
	type group struct {
		regions []string
		rules   int
	}
	var groups []group
	for _, rule := range slices.Sorted(maps.Keys(at)) {
		regions := slices.Sorted(maps.Keys(at[rule]))
		i := slices.IndexFunc(groups, func(g group) bool { return slices.Equal(g.regions, regions) })
		if i < 0 {
			i, groups = len(groups), append(groups, group{regions: regions})
		}
		groups[i].rules++
	}
	slices.SortFunc(groups, func(a, b group) int {
		return cmp.Or(cmp.Compare(len(b.regions), len(a.regions)), slices.Compare(a.regions, b.regions))
	})
	accounts := number(len(r.Accounts), "account")
	switch len(groups) {
	case 0:
		return accounts + ", no rule"
	case 1:
		return fmt.Sprintf("%s × %s × %s", accounts, number(len(groups[0].regions), "Region"), number(groups[0].rules, "rule"))
	}
	var parts []string
	for _, g := range groups {
		where := g.regions[0]
		if len(g.regions) > 1 {
			where = number(len(g.regions), "Region")
		}
		parts = append(parts, number(g.rules, "rule")+" in "+where)
	}
	return fmt.Sprintf("%s × (%s)", accounts, strings.Join(parts, " + "))
}

// number is a number with its word: "1 rule", "2 rules".
func number(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return fmt.Sprintf("%d %s", n, word)
}
