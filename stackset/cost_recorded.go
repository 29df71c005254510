package stackset

import (
	"slices"
	"strings"

	"rollout/internal/cost"
	"rollout/templates"
)

// recordedBefore is what a recorder records before an update: RecordedTypes as recording's
// parameter would say it, so that it can be compared.
type recordedBefore struct {
	types string
	daily bool
}

// before is by what preflight saw of the recorder, else by what the stack or the set says.
func (b *bill) before(s *Set, c Change) recordedBefore {
	parameters := s.Parameters
	if one, single := s.Singles[c.Target]; single {
		parameters = one.Parameters
	}
	had := recordedBefore{recordedText(parameters), daily(parameters)}
	if b.p.Facts != nil {
		if f := b.p.Facts.Accounts[c.AccountID]; f != nil && f.Regions[c.Region] != nil && f.Regions[c.Region].Recorder != nil {
			had.types = f.Regions[c.Region].Recorder.Group.text()
		}
	}
	return had
}

func daily(parameters map[string]string) bool { return parameters["RecordingFrequency"] == "DAILY" }

func recordedText(parameters map[string]string) string {
	regional, has := parameters[templates.ParameterRecordedTypes]
	if !has || regional == templates.RecordAll {
		return templates.RecordAll
	}
	if global := parameters[templates.ParameterRecordedGlobalTypes]; global != "" {
		return regional + "," + global
	}
	return regional
}

// text is what a recorder records. Exclusions are taken for all types.
func (g RecordingGroup) text() string {
	if g.RecordingGroup == nil || len(g.ResourceTypes) == 0 {
		return templates.RecordAll
	}
	names := make([]string, 0, len(g.ResourceTypes))
	for _, t := range g.ResourceTypes {
		names = append(names, string(t))
	}
	slices.Sort(names)
	return strings.Join(names, ",")
}

func itemPrice(daily bool) string {
	if daily {
		return cost.ConfigItemDaily
	}
	return cost.ConfigItem
}

// records are the configuration items of what n recorders of a Region begin to record.
func (b *bill) records(s Set, region string, n float64, what recorded) {
	daily := daily(s.Want)
	b.atMostDaily(daily)
	if what.all {
		b.use(s, region, "all resource types recorded", itemPrice(daily), b.all().Items(daily).Times(n))
	}
	for name := range what.types {
		b.use(s, region, name+" recorded", itemPrice(daily), b.holding(name).Items(daily).Times(n))
	}
}

// recordsOtherwise is what the updates of n recorders of a Region add, take off and have
// recorded more or less often.
func (b *bill) recordsOtherwise(s Set, at spot, n float64) {
	region, home := at.region, b.p.Desired.HomeRegion
	have := recordedIn(map[string]string{templates.ParameterRecordedTypes: at.had.types}).in(region, home)
	want := recordedIn(s.Want).in(region, home)
	is, was := daily(s.Want), at.had.daily
	kept := recorded{all: have.all && want.all, types: map[string]bool{}}
	switch {
	case kept.all:
	case want.all:
		b.use(s, region, "all other resource types recorded", itemPrice(is), b.others(have, is, true).Times(n))
		kept = have
	case have.all:
		b.use(s, region, "all other resource types no longer recorded", itemPrice(was), b.others(want, was, false).Times(n).Negative())
		kept = want
	default:
		added := recorded{types: map[string]bool{}}
		for name := range want.types {
			if have.types[name] {
				kept.types[name] = true
			} else {
				added.types[name] = true
			}
		}
		b.records(s, region, n, added)
		for _, name := range have.beyond(want) {
			b.use(s, region, name+" no longer recorded", itemPrice(was), b.holding(name).Changed(was).Times(n).Negative())
		}
	}
	if is != was {
		b.recordsAsOften(s, region, n, kept, is)
	}
}

// recordsAsOften is what it costs that the same is recorded once a day from now on, or at
// each change.
func (b *bill) recordsAsOften(s Set, region string, n float64, what recorded, daily bool) {
	b.atMostDaily(true)
	how := " recorded at each change, not once a day"
	if daily {
		how = " recorded once a day, not at each change"
	}
	swap := func(name string, h cost.Holding) {
		b.uses = append(b.uses, cost.Use{Template: s.Template.Name, Region: region, What: name + how, Price: itemPrice(daily), Instead: itemPrice(!daily), Swaps: h.Frequency(daily).Times(n)})
	}
	if what.all {
		swap("all resource types", b.all())
	}
	for name := range what.types {
		swap(name, b.holding(name))
	}
}

// others is what all types come to without those of a list, with the first month or
// without.
func (b *bill) others(list recorded, daily, first bool) cost.Range {
	of := cost.Holding.Changed
	if first {
		of = cost.Holding.Items
	}
	out := of(b.all(), daily)
	for name := range list.types {
		out = out.Plus(of(b.holding(name), daily).Times(-1))
	}
	b.assume("All other resource types come to what all types do, less those that are listed.")
	low, high := max(out.Low, 0), max(out.High, 0)
	return cost.Range{Low: min(low, high), High: max(low, high)}
}

func (b *bill) atMostDaily(daily bool) {
	if daily {
		b.assume("What is recorded once a day has at most one configuration item of a resource a day.")
	}
}
