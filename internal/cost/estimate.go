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
	// Quantity is from low to high, both below 0 of what goes.
	Quantity Range
	// Instead is the price by which the same was paid until now, "" for what was not. Then
	// Swaps, not Quantity, say how much it may come to.
	Instead string
	Swaps   Swaps
}

// Estimate is what is added
// Estimate is what is added to the bill of a month, and how that comes about; below 0 it
// is taken off.
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
	// Instead is what was paid until now for the same; the line costs the difference.
	Instead *Until `json:"instead,omitempty"`
}

// Until is how something is paid for until now.
type Until struct {
	Unit          string  `json:"unit"`
	QuantityLow   float64 `json:"quantity_low"`
	QuantityHigh  float64 `json:"quantity_high"`
	UnitPriceLow  float64 `json:"unit_price_low"`
	UnitPriceHigh float64 `json:"unit_price_high"`
	Source        string  `json:"source"`
	Checked       string  `json:"checked"`
}

// Estimate prices uses. Tiers count what all uses of a Region come to together, from
// nothing: what the organization uses already is not known.
func (t *Table) Estimate(uses []Use) Estimate {
	e := Estimate{Currency: t.Currency, PricesDate: t.Date, Prices: t.SHA256, Lines: []Line{}, Assumptions: []string{}, Lacking: []string{}}
	together := map[place]Range{}
	merged := map[Use]total{}
	uses = slices.SortedFunc(slices.Values(uses), compareUses) // sums of the same numbers are the same
	for _, u := range uses {
		k := u
		k.Quantity, k.Swaps = Range{}, Swaps{}
		merged[k] = merged[k].plus(total{u.Quantity, u.Swaps})
		if u.Instead == "" && u.Quantity.Low >= 0 {
			at := place{u.Price, u.Region}
			together[at] = together[at].Plus(u.Quantity)
		}
	}
	lacking := map[string]map[string]bool{} // Regions by price
	for u, q := range merged {
		l, missing := t.line(u, q, together[place{u.Price, u.Region}])
		if missing == "" {
			e.Lines = append(e.Lines, l)
			continue
		}
		if lacking[missing] == nil {
			lacking[missing] = map[string]bool{}
		}
		lacking[missing][u.Region] = true
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

// place is a price in a Region.
type place struct{ price, region string }

// total is what uses of one kind come to.
type total struct {
	quantity Range
	swaps    Swaps
}

func (s total) plus(o total) total { return total{s.quantity.Plus(o.quantity), s.swaps.plus(o.swaps)} }

func compareUses(a, b Use) int {
	return cmp.Or(cmp.Compare(a.Template, b.Template), cmp.Compare(a.What, b.What), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Price, b.Price), cmp.Compare(a.Instead, b.Instead),
		cmp.Compare(a.Quantity.Low, b.Quantity.Low), cmp.Compare(a.Quantity.High, b.Quantity.High), a.Swaps.compare(b.Swaps))
}

// line prices one use, all being what counts for its tiers; or missing is the name of a
// price that is not known.
func (t *Table) line(u Use, q total, all Range) (l Line, missing string) {
	p, amount := t.Prices[u.Price], t.Prices[u.Price].In(u.Region)
	if !amount.Known { // as is that of a name that is not there
		return l, u.Price
	}
	l = Line{Template: u.Template, What: u.What, Region: u.Region, Unit: p.Unit, Source: p.Source, Checked: p.Checked}
	switch {
	case u.Instead != "":
		was, before := t.Prices[u.Instead], t.Prices[u.Instead].In(u.Region)
		if !before.Known {
			return l, u.Instead
		}
		now, old := amount.bounds(), before.bounds()
		q.quantity = q.swaps.of()
		until := q.swaps.instead()
		paid := q.swaps.difference(now, old)
		l.UnitPriceLow, l.UnitPriceHigh, l.MonthlyLow, l.MonthlyHigh = now.Low, now.High, paid.Low, paid.High
		l.Instead = &Until{was.Unit, round(until.Low, 2), round(until.High, 2), round(old.Low, 8), round(old.High, 8), was.Source, was.Checked}
	case q.quantity.Low < 0:
		each := amount.bounds()
		l.UnitPriceLow, l.UnitPriceHigh = each.High, each.Low // the most that may go is the low end
		l.MonthlyLow, l.MonthlyHigh = q.quantity.Low*each.High, q.quantity.High*each.Low
	default:
		paid := amount.of(all)
		l.UnitPriceLow, l.UnitPriceHigh = each(paid.Low, all.Low, amount.first().Low), each(paid.High, all.High, amount.first().High)
		l.MonthlyLow, l.MonthlyHigh = q.quantity.Low*l.UnitPriceLow, q.quantity.High*l.UnitPriceHigh
	}
	l.QuantityLow, l.QuantityHigh = round(q.quantity.Low, 2), round(q.quantity.High, 2)
	l.MonthlyLow, l.MonthlyHigh = round(l.MonthlyLow, 4), round(l.MonthlyHigh, 4)
	l.UnitPriceLow, l.UnitPriceHigh = round(l.UnitPriceLow, 8), round(l.UnitPriceHigh, 8)
	return l, ""
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
	return math.Round(v*scale)/scale + 0 // no -0
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
