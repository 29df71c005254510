package cost

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
)

// The names of the prices that an estimate asks for.
const (
	ConfigItem      = "config-item"
	ConfigItemDaily = "config-item-daily"
	Evaluation      = "config-evaluation"
	Step            = "automation-step"
	ScriptSecond    = "automation-script-second"
	FlowLogGB       = "vended-log-gb"
)

// Use is what a template uses in all accounts of a Region in a month.
type Use struct {
	Template, Region string
	What             string // in words: "AWS::EC2::SecurityGroup recorded"
	Price            string // its name in the table
	Quantity         Range
}

// Estimate is what is added to the bill of a month, and how that comes about.
type Estimate struct {
	Currency    string  `json:"currency"`
	PricesDate  string  `json:"prices_date"`
	Prices      string  `json:"prices_sha256"`
	MonthlyLow  float64 `json:"monthly_low"`
	MonthlyHigh float64 `json:"monthly_high"`
	Lines       []Line  `json:"lines"`
	// Assumptions are sentences.
	Assumptions []string `json:"assumptions"`
	// Lacking are sentences that say which prices are not known; what they stand for is
	// not in the sums.
	Lacking []string `json:"lacking"`
}

// Line is one use and what it costs.
type Line struct {
	Template     string  `json:"template"`
	What         string  `json:"what"`
	Region       string  `json:"region"`
	Unit         string  `json:"unit"`
	QuantityLow  float64 `json:"quantity_low"`
	QuantityHigh float64 `json:"quantity_high"`
	// The price of a unit, where tiers differ on average.
	UnitPriceLow  float64 `json:"unit_price_low"`
	UnitPriceHigh float64 `json:"unit_price_high"`
	MonthlyLow    float64 `json:"monthly_low"`
	MonthlyHigh   float64 `json:"monthly_high"`
	Source        string  `json:"source"`
	Checked       string  `json:"checked"`
}

// Estimate prices uses. Tiers count what all uses of a Region come to together, from
// nothing: what the organization uses already is not known.
func (t *Table) Estimate(uses []Use) Estimate {
	e := Estimate{Currency: t.Currency, PricesDate: t.Date, Prices: t.SHA256, Lines: []Line{}, Assumptions: []string{}, Lacking: []string{}}
	type place struct{ price, region string }
	together := map[place]Range{}
	merged := map[Use]Range{}
	uses = slices.SortedFunc(slices.Values(uses), func(a, b Use) int { // sums of the same numbers are the same
		return cmp.Or(cmp.Compare(a.Template, b.Template), cmp.Compare(a.What, b.What), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Price, b.Price),
			cmp.Compare(a.Quantity.Low, b.Quantity.Low), cmp.Compare(a.Quantity.High, b.Quantity.High))
	})
	for _, u := range uses {
		k := u
		k.Quantity = Range{}
		merged[k] = merged[k].Plus(u.Quantity)
		at := place{u.Price, u.Region}
		together[at] = together[at].Plus(u.Quantity)
	}
	lacking := map[string]map[string]bool{} // Regions by price and unit
	for u, q := range merged {
		p, known := t.Prices[u.Price]
		amount := p.In(u.Region)
		if !known || !amount.Known {
			if lacking[u.Price] == nil {
				lacking[u.Price] = map[string]bool{}
			}
			lacking[u.Price][u.Region] = true
			continue
		}
		all := together[place{u.Price, u.Region}]
		paid := amount.of(all)
		l := Line{Template: u.Template, What: u.What, Region: u.Region, Unit: p.Unit, Source: p.Source, Checked: p.Checked, QuantityLow: round(q.Low, 2), QuantityHigh: round(q.High, 2)}
		l.UnitPriceLow, l.UnitPriceHigh = each(paid.Low, all.Low, amount.first().Low), each(paid.High, all.High, amount.first().High)
		l.MonthlyLow, l.MonthlyHigh = round(q.Low*l.UnitPriceLow, 4), round(q.High*l.UnitPriceHigh, 4)
		l.UnitPriceLow, l.UnitPriceHigh = round(l.UnitPriceLow, 8), round(l.UnitPriceHigh, 8)
		e.Lines = append(e.Lines, l)
	}
	slices.SortFunc(e.Lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Template, b.Template), cmp.Compare(a.What, b.What), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Unit, b.Unit))
	})
	for _, l := range e.Lines {
		e.MonthlyLow += l.MonthlyLow
		e.MonthlyHigh += l.MonthlyHigh
	}
	e.MonthlyLow, e.MonthlyHigh = round(e.MonthlyLow, 2), round(e.MonthlyHigh, 2)
	for _, price := range slices.Sorted(maps.Keys(lacking)) {
		regions := slices.Sorted(maps.Keys(lacking[price]))
		e.Lacking = append(e.Lacking, fmt.Sprintf("the price table says nothing of %s in %s", price, some(regions)))
	}
	return e
}

// first is the price of the first unit.
func (a Amount) first() Range {
	if a.Tiers != nil {
		return Range{a.Tiers[0].Price, a.Tiers[0].Price}
	}
	return Range{a.Low, a.High}
}

// each is the average price of a unit; where there is none, that of the first.
func each(paid, quantity, first float64) float64 {
	if quantity == 0 {
		return first
	}
	return paid / quantity
}

func round(v float64, digits int) float64 {
	scale := math.Pow10(digits)
	return math.Round(v*scale) / scale
}

func some(list []string) string {
	text := ""
	for i, s := range list {
		if i == 5 {
			return fmt.Sprintf("%s and %d more", text, len(list)-i)
		}
		if i > 0 {
			text += ", "
		}
		text += s
	}
	return text
}
