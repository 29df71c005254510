package reports

import (
	"slices"
	"testing"

	"rollout/orgs"
	"rollout/templates"
)

// Accounts, Regions and rules multiply to the number of cells, also where rules live
// in the home Region only; a home Region that was not asked for has its line too.
func TestScopeAndRegions(t *testing.T) {
	const all = "both"
	for _, test := range []struct {
		accounts int
		rules    map[string]string // where each lives
		want     string
		regions  []string
	}{
		{1, map[string]string{"a": "eu-west-1"}, "1 account × 1 Region × 1 rule", []string{"eu-west-1"}},
		{3, map[string]string{"a": all, "b": all}, "3 accounts × 2 Regions × 2 rules", []string{"eu-west-1", "us-east-1"}},
		{3, map[string]string{"a": all, "b": all, "c": "us-east-1"}, "3 accounts × (2 rules in 2 Regions + 1 rule in us-east-1)", []string{"eu-west-1", "us-east-1"}},
		{2, map[string]string{"a": all, "c": "ap-south-1", "d": "ap-south-1"}, "2 accounts × (1 rule in 2 Regions + 2 rules in ap-south-1)", []string{"ap-south-1", "eu-west-1", "us-east-1"}},
		{2, nil, "2 accounts, no rule", nil},
	} {
		r := &Report{Regions: []string{"eu-west-1", "us-east-1"}}
		for i := range test.accounts {
			a := &orgs.Account{ID: string(rune('1' + i)), State: "ACTIVE", OU: &orgs.OU{ID: "r-root"}}
			r.Accounts = append(r.Accounts, a)
			for name, where := range test.rules {
				regions := []string{where}
				if where == all {
					regions = r.Regions
				}
				for _, region := range regions {
					r.Cells = append(r.Cells, Cell{Place: Place{a, region}, Rule: templates.Rule{Name: name}, Status: Compliant})
				}
			}
		}
		if got := r.Scope(); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
		var regions []string
		for _, g := range Summarize(r).Regions {
			regions = append(regions, g.Name)
		}
		if !slices.Equal(regions, test.regions) {
			t.Errorf("Regions %v, want %v", regions, test.regions)
		}
	}
}
