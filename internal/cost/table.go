package cost

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"strings"
	"sync"
)

// Range is from low to high.
type Range struct{ Low, High float64 }

// Times is n times a range.
func (r Range) Times(n float64) Range { return Range{r.Low * n, r.High * n} }

// Plus is both together.
func (r Range) Plus(o Range) Range { return Range{r.Low + o.Low, r.High + o.High} }

// Negative is a range of what goes.
func (r Range) Negative() Range { return Range{-r.High, -r.Low} }

// Table is a price table.
type Table struct {
	Date, Currency string
	Prices         map[string]Price
	// Resources are the names of the prices of what costs by being there, by resource
	// type; Free for what does not.
	Resources   map[string]string
	Assumptions Assumptions
	// SHA256 is of the text, in hex.
	SHA256 string
}

// Free is what a resource costs that costs nothing by being there.
const Free = "free"

// Price is what one unit of something costs.
type Price struct {
	Unit, Source, Checked, Note string
	Default                     Amount
	// Regions are amounts by Region, or by a beginning of Regions' names with a * behind.
	Regions map[string]Amount
}

// Amount is a price in one Region. The zero value is unknown.
type Amount struct {
	Known bool
	// Each unit costs between Low and High, or what its tier says.
	Low, High float64
	Tiers     []Tier
}

// Tier is the price of units up to the UpTo-th, or of all the others where that is 0.
type Tier struct{ UpTo, Price float64 }

// In is the price in a Region: its own, else that of the longest beginning.
func (p Price) In(region string) Amount {
	best, found := p.Default, -1
	for name, a := range p.Regions {
		if name == region {
			return a
		}
		if begin, ok := strings.CutSuffix(name, "*"); ok && strings.HasPrefix(region, begin) && len(begin) > found {
			best, found = a, len(begin)
		}
	}
	return best
}

// bounds are the least and the most that a unit costs, in any tier.
func (a Amount) bounds() Range {
	if a.Tiers == nil {
		return Range{a.Low, a.High}
	}
	out := Range{a.Tiers[0].Price, a.Tiers[0].Price}
	for _, t := range a.Tiers[1:] {
		out = Range{min(out.Low, t.Price), max(out.High, t.Price)}
	}
	return out
}

// of is what a quantity costs.
func (a Amount) of(q Range) Range {
	if a.Tiers == nil {
		return Range{q.Low * a.Low, q.High * a.High}
	}
	return Range{tiered(a.Tiers, q.Low), tiered(a.Tiers, q.High)}
}

func tiered(tiers []Tier, quantity float64) (sum float64) {
	from := 0.0
	for _, t := range tiers {
		upTo := t.UpTo
		if upTo == 0 || upTo > quantity {
			upTo = quantity
		}
		if upTo > from {
			sum += (upTo - from) * t.Price
			from = upTo
		}
	}
	return sum
}

// Assumptions are what is not known of an account, all of them a month and for one
// account and Region.
type Assumptions struct {
	Recorded                             map[string]Holding // by resource type
	OtherType, AllTypes                  Holding
	ManualRuns, AutomaticRuns, FlowLogGB Range
	ScriptSeconds                        Range
	given                                bool // by the table itself
}

// Holding is how many resources there are, and how often each of them changes.
type Holding struct{ Resources, Changes Range }

// Of is what is assumed of a resource type.
func (a Assumptions) Of(resourceType string) Holding {
	if h, ok := a.Recorded[resourceType]; ok {
		return h
	}
	return a.OtherType
}

// Items are the configuration items of a month: one for each change, and in the first
// month one for each resource that is there.
func (h Holding) Items(daily bool) Range {
	return h.Changed(daily).Plus(Range{High: h.Resources.High})
}

// Changed are the items of any later month. With daily recording a resource has at most
// one a day.
func (h Holding) Changed(daily bool) Range {
	changes := h.Changes
	if daily {
		changes.Low, changes.High = min(changes.Low, days), min(changes.High, days)
	}
	return Range{h.Resources.Low * changes.Low, h.Resources.High * changes.High}
}

const days = 365.0 / 12

//go:embed prices.yaml
var embedded []byte

// Embedded is the table that comes with this version.
var Embedded = sync.OnceValue(func() *Table {
	t, err := parse(embedded)
	if err != nil {
		panic("embedded prices: " + err.Error())
	}
	return t
})

func sum(text []byte) string {
	s := sha256.Sum256(text)
	return hex.EncodeToString(s[:])
}
