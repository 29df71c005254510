package reports

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"rollout/orgs"
	"rollout/templates"
)

// Totals counts cells.
type Totals struct {
	Cells        int `json:"cells"`
	Covered      int `json:"covered"` // with Config's own word
	Compliant    int `json:"compliant"`
	NonCompliant int `json:"non_compliant"`
	Gaps         int `json:"gaps"`
	// Off counts the gaps REGION_DISABLED and REGION_DENIED.
	Off       int `json:"regions_off"`
	Resources int `json:"non_compliant_resources"`
	// ByStatus counts the cells of each status that occurs.
	ByStatus map[Status]int `json:"by_status"`
}

func (t *Totals) add(c Cell) {
	t.Cells++
	t.Resources += c.NonCompliantResources
	if c.Status.Verdict() {
		t.Covered++
	} else {
		t.Gaps++
	}
	switch c.Status {
	case Compliant:
		t.Compliant++
	case NonCompliant:
		t.NonCompliant++
	case RegionDisabled, RegionDenied:
		t.Off++
	}
	if t.ByStatus == nil {
		t.ByStatus = map[Status]int{}
	}
	t.ByStatus[c.Status]++
}

// Coverage is cells with Config's own word ÷ all cells.
func (t Totals) Coverage() (part, whole int) { return t.Covered, t.Cells }

// CoverageOn is Coverage without the Regions that are off or denied.
func (t Totals) CoverageOn() (part, whole int) { return t.Covered, t.Cells - t.Off }

// Compliance is compliant ÷ (compliant + non-compliant).
func (t Totals) Compliance() (part, whole int) { return t.Compliant, t.Compliant + t.NonCompliant }

// Summary counts a report by what people ask for.
type Summary struct {
	Totals   Totals
	Accounts []AccountTotals // in the report's order
	// OUs have every OU path that holds a chosen account, and the ones above it;
	// each counts its whole subtree. Sorted by path; "" is the root.
	OUs     []GroupTotals
	Regions []GroupTotals
	Rules   []GroupTotals
	Gaps    []Gap
	// Remediation counts findings by remediation status.
	Remediation map[string]int
}

// AccountTotals are the totals of one account.
type AccountTotals struct {
	Account *orgs.Account
	Totals  Totals
}

// GroupTotals are the totals of an OU, a Region or a rule.
type GroupTotals struct {
	Name     string
	Accounts int
	Totals   Totals
}

// Gap is what is not covered for one reason. Detail has "(account)" and "(region)"
// where the cells name their own.
type Gap struct {
	Status Status
	Detail string
	Cells  []Cell
}

// Partial says whether a cell could not be read.
func (r *Report) Partial() bool {
	return slices.ContainsFunc(r.Cells, func(c Cell) bool { return c.Status.Unread() })
}

// Summarize counts a report.
func Summarize(r *Report) Summary {
	s := Summary{Remediation: map[string]int{}}
	accounts := map[string]*Totals{}
	regions, rules := map[string]*Totals{}, map[string]*Totals{}
	ous := map[string]*Totals{}
	ouAccounts := map[string]int{}
	for _, a := range r.Accounts {
		accounts[a.ID] = &Totals{}
		for _, path := range pathsAbove(a.OUPath()) {
			ouAccounts[path]++
			ous[path] = cmp.Or(ous[path], &Totals{})
		}
	}
	gaps := map[[2]string]*Gap{}
	into := func(m map[string]*Totals, key string, c Cell) {
		if m[key] == nil {
			m[key] = &Totals{}
		}
		m[key].add(c)
	}
	for _, c := range r.Cells {
		s.Totals.add(c)
		into(accounts, c.Account.ID, c)
		into(regions, c.Region, c)
		into(rules, c.Rule.Name, c)
		for _, path := range pathsAbove(c.Account.OUPath()) {
			into(ous, path, c)
		}
		if !c.Status.Verdict() || c.Status == InsufficientData {
			detail := reasonOf(c)
			key := [2]string{string(c.Status), detail}
			if gaps[key] == nil {
				gaps[key] = &Gap{Status: c.Status, Detail: detail}
			}
			gaps[key].Cells = append(gaps[key].Cells, c)
		}
	}
	for _, f := range r.Findings {
		s.Remediation[f.RemediationStatus]++
	}
	for _, a := range r.Accounts {
		s.Accounts = append(s.Accounts, AccountTotals{a, *accounts[a.ID]})
	}
	for _, region := range slices.Sorted(maps.Keys(regions)) {
		s.Regions = append(s.Regions, GroupTotals{Name: region, Totals: *regions[region]})
	}
	for _, rule := range r.Rules {
		if t := rules[rule.Name]; t != nil {
			s.Rules = append(s.Rules, GroupTotals{Name: rule.Name, Totals: *t})
		}
	}
	for path, t := range ous {
		s.OUs = append(s.OUs, GroupTotals{Name: path, Accounts: ouAccounts[path], Totals: *t})
	}
	slices.SortFunc(s.OUs, func(a, b GroupTotals) int { return strings.Compare(a.Name, b.Name) })
	for _, g := range gaps {
		s.Gaps = append(s.Gaps, *g)
	}
	slices.SortFunc(s.Gaps, func(a, b Gap) int {
		return cmp.Or(cmp.Compare(rank(a.Status), rank(b.Status)), cmp.Compare(len(b.Cells), len(a.Cells)), cmp.Compare(a.Detail, b.Detail))
	})
	return s
}

// reasonOf is a cell's detail without its own account and Region, so that one
// reason in a thousand accounts is one gap.
func reasonOf(c Cell) string {
	detail := c.Detail
	if c.Account.ID != "" {
		detail = strings.ReplaceAll(detail, c.Account.ID, "(account)")
	}
	if c.Region != "" {
		detail = strings.ReplaceAll(detail, c.Region, "(region)")
	}
	return detail
}

// pathsAbove gives "", "A", "A/B" for "A/B".
func pathsAbove(path string) []string {
	out := []string{""}
	for i := range path {
		if path[i] == '/' {
			out = append(out, path[:i])
		}
	}
	if path != "" {
		out = append(out, path)
	}
	return out
}

// statuses in the order in which people should see them: what is wrong, what is
// not known, what is fine.
var statuses = []Status{NonCompliant, AccessDenied, Unreachable, NotDeployed, RecorderOff, NotRecorded, InsufficientData, RegionDenied, RegionDisabled, AccountInactive, NotApplicable, Compliant}

func rank(s Status) int { return slices.Index(statuses, s) }

// Controls joins controls as the columns have them.
func Controls(controls []templates.Control) string {
	out := make([]string, len(controls))
	for i, c := range controls {
		out[i] = c.String()
	}
	return strings.Join(out, "; ")
}

// Meaning explains a status in a sentence, and what to do about it.
func Meaning(s Status) (meaning, next string) {
	m := meanings[s]
	return m[0], m[1]
}

var meanings = map[Status][2]string{
	Compliant:        {"AWS Config evaluated the rule and every resource in its scope complies.", ""},
	NonCompliant:     {"AWS Config found at least one resource that does not comply.", "See the findings; --remediation manual adds a runbook that can fix them."},
	NotApplicable:    {"AWS Config says that the rule does not apply here.", ""},
	InsufficientData: {"The rule is there, but AWS Config has no verdict.", "Not evaluated yet: report again later. Nothing in scope: there is no such resource. Rule error: mend what the detail names."},
	AccountInactive:  {"The account is not ACTIVE, so nothing can be deployed or read there.", "Close it for good or reactivate it."},
	RegionDisabled:   {"The Region is off in this account.", "Nothing runs there; leave the Region out of --region, or switch it on."},
	AccessDenied:     {"The account or AWS Config could not be read: access was refused.", "Name a role that may be assumed there, and may read, with --role-name."},
	RegionDenied:     {"A service control policy denies this Region.", "Leave the Region out of --region, or exempt the reading role in the policy."},
	Unreachable:      {"AWS did not answer, after ten tries.", "Run rollout report again; the detail says what was tried."},
	NotDeployed:      {"No such rule is in this account and Region, nor an equal one.", "Deploy it: run rollout with this account and Region."},
	RecorderOff:      {"AWS Config does not record here, so no verdict can be trusted.", "Start the recorder; rollout leaves an account's own recorder as it is."},
	NotRecorded:      {"The recorder leaves out the resource types that the rule looks at.", "Add the resource types to the recorder's recording group."},
}

// Statuses are all statuses in the order in which people should see them.
func Statuses() []Status { return slices.Clone(statuses) }
