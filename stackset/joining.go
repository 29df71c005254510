package stackset

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"rollout/orgs"
	"rollout/templates"
)

// Joining is what an account gets of one set that joins an OU once the plan is carried
// out: by itself, or by the next run.
type Joining struct {
	OU       string // its id, or the root's
	Path     string // "" for the root, or where the walk did not come by
	StackSet string
	Template string
	Regions  []string
	// Automatic says that StackSets deploys it by itself; After are the sets of the run
	// that it waits for, in that account.
	Automatic bool
	After     []string
	// Fails says why it would fail in an account as Organizations makes it, with nothing
	// in it, "" where it would succeed. An account that brings a recorder is another one.
	Fails string
	// NextRun says that the same run, made again, deploys or mends it.
	NextRun bool
	Why     string // a sentence
}

// watched are the Regions in which a set watches an OU once the plan is carried out. What
// StackSets says it watches counts, and where it was not asked, since nothing was
// automatic, by which OUs the instances were deployed.
func (p *planner) watched(s Set) map[string][]string {
	out := map[string]map[string]bool{}
	add := func(ou string, regions ...string) {
		if ou == "" {
			return
		}
		if out[ou] == nil {
			out[ou] = map[string]bool{}
		}
		for _, region := range regions {
			out[ou][region] = true
		}
	}
	for ou, regions := range s.Auto.Targets {
		add(ou, regions...)
	}
	if !s.Auto.Enabled || s.Auto.Unread {
		for _, i := range s.Instances {
			add(i.OU, i.Region)
		}
	}
	for _, c := range p.plan.Changes {
		if c.StackSet == s.Name && !c.Single && (c.Action == Create || c.Action == Recreate) {
			c.Action = Create
			add(ouFor(c, p.d, &s), c.Region)
		}
	}
	sorted := map[string][]string{}
	for ou, regions := range out {
		sorted[ou] = slices.Sorted(maps.Keys(regions))
	}
	return sorted
}

// joining works out what an account gets that joins, for each OU of the selection and
// each that a set watches.
func (p *planner) joining() {
	f := &forecast{p: p, units: units(p.d), watched: map[string]map[string][]string{}, becomes: map[key]Action{}}
	places := map[string]bool{}
	for _, id := range slices.Concat(p.d.OUs, p.d.Excluded) {
		places[id] = true
	}
	for _, s := range p.plan.Sets {
		if s.AutoWant.Enabled {
			f.watched[s.Name] = p.watched(s)
			for id := range f.watched[s.Name] {
				places[id] = true
			}
		}
	}
	if len(f.watched) > 0 { // else nobody asks, and there may be 100,000
		for _, c := range p.plan.Changes {
			f.becomes[key{c.StackSet, c.Target}] = c.Action
		}
	}
	ids := slices.SortedFunc(maps.Keys(places), func(a, b string) int {
		return cmp.Or(cmp.Compare(f.path(a), f.path(b)), cmp.Compare(a, b))
	})
	for _, id := range ids {
		p.plan.Joining = append(p.plan.Joining, f.at(id)...)
	}
	f.warn()
}

// forecast works out Joining.
type forecast struct {
	p *planner
	// watched are the OUs of each set that deploys automatically, by its name.
	watched map[string]map[string][]string
	becomes map[key]Action
	units   map[string]*orgs.OU // all that the walk came by
}

// units are the OUs of the tree in which the accounts of a run stand, by their ids.
func units(d Desired) map[string]*orgs.OU {
	out := map[string]*orgs.OU{}
	var add func(*orgs.OU)
	add = func(ou *orgs.OU) {
		if out[ou.ID] != nil {
			return
		}
		out[ou.ID] = ou
		if ou.Parent != nil {
			add(ou.Parent)
		}
		for _, below := range ou.Children {
			add(below)
		}
	}
	for _, a := range d.Accounts {
		if a.OU != nil {
			add(a.OU)
		}
	}
	for _, a := range d.Walked {
		if a.OU != nil {
			add(a.OU)
		}
	}
	return out
}

// aboveOU are the ids of an OU and of those above it.
func aboveOU(ou *orgs.OU) []string {
	var out []string
	for ; ou != nil; ou = ou.Parent {
		out = append(out, ou.ID)
	}
	return out
}

func (f *forecast) path(id string) string {
	if ou := f.units[id]; ou != nil {
		return ou.Path
	}
	return ""
}

// automatic are the Regions that an account gets of a set by itself where it stands.
func (f *forecast) automatic(set string, above []string) []string {
	regions := map[string]bool{}
	for _, id := range above {
		for _, region := range f.watched[set][id] {
			regions[region] = true
		}
	}
	return slices.Sorted(maps.Keys(regions))
}

// at is what an account gets that joins an OU, set by set in deploy order.
func (f *forecast) at(id string) []Joining {
	p, above := f.p, []string{id}
	if ou := f.units[id]; ou != nil {
		above = aboveOU(ou)
	}
	under := func(ous []string) bool {
		return slices.ContainsFunc(above, func(up string) bool { return slices.Contains(ous, up) })
	}
	chosen := under(p.d.OUs) && !under(p.d.Excluded)
	var out []Joining
	got := map[string]Joining{}
	for _, s := range p.plan.Sets {
		if s.Template.Scope == templates.ScopeSingle || p.notWanted(s) && !s.AutoWant.Enabled {
			continue
		}
		row := Joining{OU: id, Path: f.path(id), StackSet: s.Name, Template: s.Template.Name, NextRun: chosen && p.d.NotJoining == ""}
		if regions := f.automatic(s.Name, above); len(regions) > 0 {
			auto := row
			auto.Automatic, auto.Regions = true, regions
			for _, before := range s.AutoWant.After {
				if got[before].Automatic {
					auto.After = append(auto.After, before)
				}
			}
			auto.Fails = f.fails(s, auto, got)
			auto.Why = f.why(s, auto)
			got[s.Name] = auto
			out = append(out, mended(auto, p.regions[s.Template.Name])...)
		}
		if !chosen || p.notWanted(s) {
			continue
		}
		row.Regions = slices.DeleteFunc(slices.Clone(p.regions[s.Template.Name]), func(region string) bool {
			return slices.Contains(got[s.Name].Regions, region) || p.d.RegionsOff[region]
		})
		if len(row.Regions) > 0 && (s.Template.Name != templates.RecordingBase || p.needsBase()) {
			row.Why = f.notBecause(s, len(got[s.Name].Regions) > 0)
			out = append(out, row)
		}
	}
	return out
}

// mended splits what comes by itself and fails into the Regions that the next run mends
// and those that it does not ask for. Of what does not fail nothing is left to mend.
func mended(row Joining, asked []string) []Joining {
	mends, rest := row, row
	mends.Regions, rest.Regions, rest.NextRun = nil, nil, false
	for _, region := range row.Regions {
		if row.NextRun && row.Fails != "" && slices.Contains(asked, region) {
			mends.Regions = append(mends.Regions, region)
		} else {
			rest.Regions = append(rest.Regions, region)
		}
	}
	return slices.DeleteFunc([]Joining{mends, rest}, func(row Joining) bool { return len(row.Regions) == 0 })
}

// needsBase says whether a run makes recording-base in an account that has nothing.
func (p *planner) needsBase() bool {
	return p.leanOnBase() || p.enforces() || p.set(templates.Recording).Name != ""
}

// why says what comes by itself.
func (f *forecast) why(s Set, row Joining) string {
	text := "StackSets deploys it by itself"
	if len(row.After) > 0 {
		text += ", after " + list(row.After)
	}
	if s.Template.Name == templates.RecordingBase {
		text += ", with the set's values: without the service-linked roles that a run makes where they are missing"
	}
	if row.Fails != "" {
		text += "; in an account that has nothing it fails: " + row.Fails
	}
	return text
}

// notBecause says why a set is not deployed by itself.
func (f *forecast) notBecause(s Set, partly bool) string {
	why := "automatic deployment is off"
	switch {
	case neverAutomatic(s.Template) != "":
		why = neverAutomatic(s.Template)
	case partly:
		why = "no instance was deployed by this OU or one above it in these Regions, so StackSets does not watch them"
	case s.AutoWant.Enabled:
		why = "no instance was deployed by this OU or one above it, so StackSets does not watch it"
	case s.AutoHeld != "":
		why = "automatic deployment stays off: " + s.AutoHeld
	case s.Template.Name == templates.Recording && f.p.d.Auto.Says():
		why = "recording is deployed automatically only where --auto-deploy names it, for an account may record already"
	}
	if f.p.d.NotJoining != "" {
		return why + "; and the next run would not choose the account: " + f.p.d.NotJoining
	}
	if s.Template.Name == templates.Recording {
		return why + "; the next run deploys it where the account does not record yet"
	}
	return why + "; the next run deploys it"
}

// fails says why a set that comes by itself fails in an account as Organizations makes
// it: no recorder, no service-linked role of Config, no bucket, and Regions off that an
// account has to switch on.
func (f *forecast) fails(s Set, row Joining, got map[string]Joining) string {
	p := f.p
	for _, before := range row.After {
		if got[before].Fails != "" {
			return "it waits for " + before + ", which fails"
		}
	}
	for _, region := range row.Regions {
		if p.facts.OptIn[region] {
			return "Region " + region + " is off in a new account, and after a failure the Regions that come after it are cancelled"
		}
	}
	switch {
	case s.Template.Name == templates.Recording:
		// Preflight finds the role missing and gives the switch, StackSets does not.
		return "the role AWSServiceRoleForConfig is missing, and what comes by itself does not make it"
	case slices.ContainsFunc(row.Regions, func(region string) bool { return len(p.rulesIn(s, region)) > 0 }):
		if recording := p.set(templates.Recording).Name; !got[recording].Automatic {
			return "it records nothing, for recording is not deployed automatically, and AWS Config takes no rule without a recorder"
		}
		return "it records nothing, for recording fails, and AWS Config takes no rule without a recorder"
	}
	return ""
}

// warn says what automatic deployment ignores of this run.
func (f *forecast) warn() {
	p := f.p
	chosen := map[string]bool{}
	for _, a := range p.d.Accounts {
		chosen[a.ID] = true
	}
	var rules []string
	for _, s := range p.plan.Sets {
		if !s.AutoWant.Enabled {
			continue
		}
		if why := neverAutomatic(s.Template); why != "" {
			p.find(Finding{Code: "auto-never", StackSet: s.Name, Text: "{sets} deploys automatically to accounts that join, which rollout never asks for: " + why + "."})
		}
		if more := f.more(s); s.AutoWas.Enabled && len(more) > 0 {
			p.find(Finding{Code: "auto-watches-more", StackSet: s.Name, Text: "{sets} deploys automatically, and has StackSets watch more after this run: " + list(more) + "."})
		}
		var filtered, passed []Place
		for _, id := range slices.Sorted(maps.Keys(p.d.Walked)) {
			switch a := p.d.Walked[id]; {
			case a.Management || !a.Active() || a.OU == nil || !f.lacks(s, a):
			case chosen[id]:
				passed = append(passed, In(a, ""))
			default:
				filtered = append(filtered, In(a, ""))
			}
		}
		if len(filtered) > 0 {
			p.find(Finding{Code: "auto-ignores-choice", StackSet: s.Name, Text: "Automatic deployment of {sets} goes by OU, whatever accounts a run chooses: it also takes {places}, below the same OUs and not chosen, as soon as they are moved or come back."}, filtered...)
		}
		if len(passed) > 0 {
			p.find(Finding{Code: "auto-presence", StackSet: s.Name, Text: "Automatic deployment of {sets} does not look at what is there: {places} would get it when moved, even from one OU that it watches to another, though the run leaves them without it."}, passed...)
		}
		if s.Template.Enforces == "" && len(p.rulesIn(s, p.d.HomeRegion))+len(s.Template.Rules) > 0 {
			rules = append(rules, s.Name)
		}
	}
	if len(rules) > 0 {
		if recording := p.set(templates.Recording); !recording.AutoWant.Enabled {
			p.find(Finding{Code: "auto-no-recorder", StackSets: rules, Text: "An account that joins gets the rules of {sets} by itself and no recorder: where it does not record already they fail, until a run deploys recording."})
		}
	}
	if base := p.set(templates.RecordingBase); base.AutoWant.Enabled {
		p.find(Finding{Code: "auto-no-overrides", StackSet: base.Name, Text: "Automatic deployment gives no overrides: {sets} makes no service-linked role in an account that joins, and where AWSServiceRoleForConfig is missing recording works only after a run."})
	}
}

// more are the OUs and Regions that a set watches after the run and not before it.
func (f *forecast) more(s Set) []string {
	var out []string
	for _, id := range slices.Sorted(maps.Keys(f.watched[s.Name])) {
		above := []string{id}
		if ou := f.units[id]; ou != nil {
			above = aboveOU(ou)
		}
		regions := slices.DeleteFunc(slices.Clone(f.watched[s.Name][id]), func(region string) bool {
			return slices.ContainsFunc(above, func(up string) bool { return slices.Contains(s.Auto.Targets[up], region) })
		})
		if len(regions) > 0 {
			out = append(out, fmt.Sprintf("%s (%s) in %s", cmp.Or(f.path(id), "the root"), id, list(regions)))
		}
	}
	return out
}

// lacks says whether StackSets would deploy a set to an account that is there already, if
// it were moved to where it stands.
func (f *forecast) lacks(s Set, a *orgs.Account) bool {
	return slices.ContainsFunc(f.automatic(s.Name, aboveOU(a.OU)), func(region string) bool {
		t := Target{a.ID, region}
		_, there := s.Instances[t]
		switch f.becomes[key{s.Name, t}] {
		case Create:
			return false
		case Delete:
			return true
		}
		return !there
	})
}
