package stackset

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rollout/orgs"
)

// Severity says what a finding means for the run.
type Severity string

const (
	SeverityError   Severity = "error"   // keeps something wanted from being made
	SeverityWarning Severity = "warning" // something may go wrong, or was not looked at
	SeverityNote    Severity = "note"    // good to know
)

var severities = []Severity{SeverityError, SeverityWarning, SeverityNote}

// Finding is one thing that a plan found. The same thing in many places is one
// finding; Places has them all.
type Finding struct {
	Severity Severity
	Code     string // one of Kinds
	// StackSet, AccountID and Region say what it is about where that is one, "" where
	// it is several or the whole run.
	StackSet  string
	AccountID string
	Region    string
	Text      string // whole sentences: what, where, what AWS said
	Remedy    string // whole sentences: what to do
	StackSets []string
	Places    []Place // sorted

	form, remedyForm string // Text and Remedy before sets and places were put in
}

// Place is where a finding holds. The Region is "" where it is about the account, the
// account where it is about a Region.
type Place struct {
	Target
	Name string // the account's
}

// In is an account and Region as a place.
func In(a *orgs.Account, region string) Place {
	return Place{Target{a.ID, region}, a.Name}
}

// Words that a finding's text may have, for what is known only when all its places are.
const (
	inPlaces  = "{places}" // "account 111122223333 (shop) in eu-west-1", "3 accounts (…) in …"
	ofSets    = "{sets}"   // "stack set rollout-recording", "stack sets …"
	theirs    = "{account}"
	theRegion = "{region}"
)

// findings collects findings, the same thing once.
type findings struct {
	list  []*Finding
	index map[string]*Finding
}

// add takes a finding in. Code and Text are enough: severity and remedy are those of
// its kind unless it brings a remedy of its own. {places} and {sets} in the text are
// replaced by where it holds and what it is about, and findings whose texts differ in
// nothing but these, an account's id and a Region are one.
func (c *findings) add(f Finding, at ...Place) {
	kind := kindOf(f.Code)
	if f.form == "" {
		f.form, f.remedyForm = f.Text, cmp.Or(f.Remedy, kind.Remedy)
		if len(at) == 1 {
			f.form, f.remedyForm = general(f.form, at[0]), general(f.remedyForm, at[0])
		}
	}
	key := f.Code + "\x00" + f.form + "\x00" + f.remedyForm
	have := c.index[key]
	if have == nil {
		have = &Finding{Severity: kind.Severity, Code: f.Code, form: f.form, remedyForm: f.remedyForm}
		if c.index == nil {
			c.index = map[string]*Finding{}
		}
		c.index[key] = have
		c.list = append(c.list, have)
	}
	for _, s := range append(f.StackSets, f.StackSet) {
		if s != "" && !slices.Contains(have.StackSets, s) {
			have.StackSets = append(have.StackSets, s)
		}
	}
	have.Places = append(have.Places, at...)
}

// general takes an account and a Region out of a text.
func general(text string, at Place) string {
	if at.AccountID != "" {
		text = strings.ReplaceAll(text, at.AccountID, theirs)
	}
	if at.Region != "" {
		text = strings.ReplaceAll(text, at.Region, theRegion)
	}
	return text
}

// sorted are the findings, worst first, the same for the same input.
func (c *findings) sorted() []Finding {
	out := make([]Finding, 0, len(c.list))
	for _, f := range c.list {
		out = append(out, f.said())
	}
	slices.SortFunc(out, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity)), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Text, b.Text), cmp.Compare(a.Remedy, b.Remedy))
	})
	return out
}

// said is a finding with its places put into its text.
func (f Finding) said() Finding {
	slices.Sort(f.StackSets)
	slices.SortFunc(f.Places, func(a, b Place) int { return a.Target.Compare(b.Target) })
	f.Places = slices.CompactFunc(f.Places, func(a, b Place) bool { return a.Target == b.Target })
	account, region := "(account)", "(Region)"
	if len(f.StackSets) == 1 {
		f.StackSet = f.StackSets[0]
	}
	if n := len(f.Places); n > 0 {
		if f.Places[0].AccountID == f.Places[n-1].AccountID {
			f.AccountID = f.Places[0].AccountID
			account = f.AccountID
		}
		if !slices.ContainsFunc(f.Places, func(p Place) bool { return p.Region != f.Places[0].Region }) {
			f.Region = f.Places[0].Region
			region = f.Region
		}
	}
	words := strings.NewReplacer(inPlaces, placesText(f.Places), ofSets, setsText(f.StackSets), theirs, account, theRegion, region)
	f.Text, f.Remedy = words.Replace(f.form), words.Replace(f.remedyForm)
	if strings.HasPrefix(f.form, "{") && f.Text != "" {
		f.Text = strings.ToUpper(f.Text[:1]) + f.Text[1:]
	}
	return f
}

// placesText names places: all of one account, the first few of several.
func placesText(places []Place) string {
	const few = 3
	var accounts []Place
	regions := map[string][]string{}
	for _, p := range places {
		if _, known := regions[p.AccountID]; !known {
			accounts = append(accounts, p)
		}
		regions[p.AccountID] = append(regions[p.AccountID], p.Region)
	}
	where := func(id string) string {
		if named := slices.DeleteFunc(slices.Clone(regions[id]), func(r string) bool { return r == "" }); len(named) > 0 {
			return some(named)
		}
		return ""
	}
	switch {
	case len(accounts) == 0:
		return "the whole run"
	case len(accounts) == 1 && accounts[0].AccountID == "":
		return where("")
	case len(accounts) == 1:
		return "account " + accounts[0].account() + in(where(accounts[0].AccountID))
	}
	same := !slices.ContainsFunc(accounts, func(p Place) bool { return !slices.Equal(regions[p.AccountID], regions[accounts[0].AccountID]) })
	var named []string
	for _, p := range accounts[:min(few, len(accounts))] {
		if same {
			named = append(named, p.account())
		} else {
			named = append(named, p.account()+in(where(p.AccountID)))
		}
	}
	text := fmt.Sprintf("%d accounts (%s", len(accounts), strings.Join(named, "; "))
	if more := len(accounts) - few; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	text += ")"
	if same {
		text += in(where(accounts[0].AccountID))
	}
	return text
}

func in(where string) string {
	if where == "" {
		return ""
	}
	return " in " + where
}

func (p Place) account() string {
	if p.Name == "" {
		return p.AccountID
	}
	return p.AccountID + " (" + p.Name + ")"
}

func setsText(sets []string) string {
	if len(sets) == 1 {
		return "stack set " + sets[0]
	}
	return "stack sets " + list(sets)
}

// Find adds a finding to a plan that is made already; see findings.add.
func (p *Plan) Find(f Finding, at ...Place) {
	var c findings
	for _, have := range p.Findings {
		c.add(have, have.Places...)
	}
	c.add(f, at...)
	p.Findings = c.sorted()
}

// Warnings are the texts of the errors and warnings, sorted.
func (p *Plan) Warnings() []string {
	var out []string
	for _, f := range p.Findings {
		if f.Severity != SeverityNote {
			out = append(out, f.Text)
		}
	}
	slices.Sort(out)
	return out
}

// Advice is what errors and warnings say, each with what to do about it.
func (p *Plan) Advice() []string {
	var out []string
	for _, f := range p.Findings {
		if f.Severity != SeverityNote {
			out = append(out, f.Text+" "+f.Remedy)
		}
	}
	return out
}

// find notes a finding of the plan that is being made; see findings.add.
func (p *planner) find(f Finding, at ...Place) { p.found.add(f, at...) }
