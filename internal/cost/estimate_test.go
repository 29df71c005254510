package cost

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func TestEstimate(t *testing.T) {
	table, err := Parse([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	e := table.Estimate([]Use{
		{Template: "b", Region: "eu-west-1", What: "y", Price: Evaluation, Quantity: Range{5, 20}},
		{Template: "a", Region: "eu-west-1", What: "x", Price: Evaluation, Quantity: Range{5, 20}}, // together 10 and 40: 20, and 20 + 20 + 5
		{Template: "a", Region: "us-east-1", What: "x", Price: ConfigItem, Quantity: Range{1, 10}},
		{Template: "a", Region: "us-east-1", What: "x", Price: ConfigItem, Quantity: Range{1, 10}}, // the same once more
		{Template: "a", Region: "us-gov-west-1", What: "x", Price: ConfigItem, Quantity: Range{1, 10}},
		{Template: "a", Region: "eu-west-1", What: "z", Price: "nothing", Quantity: Range{1, 10}},
		{Template: "a", Region: "us-west-2", What: "x", Price: ConfigItem, Quantity: Range{}},
	})
	var lines []string
	for _, l := range e.Lines {
		text, err := json.Marshal([]any{l.Template, l.What, l.Region, l.QuantityLow, l.QuantityHigh, l.UnitPriceLow, l.UnitPriceHigh, l.MonthlyLow, l.MonthlyHigh})
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(text))
	}
	want := `["a","x","eu-west-1",5,20,2,1.125,10,22.5]
["a","x","us-east-1",2,20,2,3,4,60]
["a","x","us-west-2",0,0,1,1,0,0]
["b","y","eu-west-1",5,20,2,1.125,10,22.5]`
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if e.MonthlyLow != 24 || e.MonthlyHigh != 105 {
		t.Errorf("%v to %v", e.MonthlyLow, e.MonthlyHigh)
	}
	if got := strings.Join(e.Lacking, "; "); got != "the price table says nothing of config-item in us-gov-west-1; the price table says nothing of nothing in eu-west-1" {
		t.Errorf("lacks %s", got)
	}
}

func TestItems(t *testing.T) {
	h := Holding{Resources: Range{2, 10}, Changes: Range{1, 100}}
	if got := h.Items(false); got != (Range{2, 1010}) {
		t.Errorf("%v", got)
	}
	if got := h.Items(true); got.Low != 2 || got.High < 310 || got.High > 320 {
		t.Errorf("daily: %v", got)
	}
}

// What goes is taken off, and what is paid for otherwise costs the difference, which is
// less wide than the two apart.
func TestEstimateOfWhatGoes(t *testing.T) {
	table, err := Parse([]byte(strings.Replace(small, "  config-evaluation:", "  config-item-daily: {unit: daily item, source: there, checked: 2026-01-01, default: 2}\n  config-evaluation:", 1)))
	if err != nil {
		t.Fatal(err)
	}
	h := Holding{Resources: Range{1, 10}, Changes: Range{1, 200}}
	e := table.Estimate([]Use{
		{Template: "a", Region: "eu-west-1", What: "gone", Price: ConfigItem, Quantity: Range{10, 40}.Negative()},
		{Template: "b", Region: "us-east-1", What: "gone", Price: ConfigItem, Quantity: Range{10, 40}.Negative()}, // at 2 to 3
		{Template: "b", Region: "eu-west-1", What: "tiers", Price: Evaluation, Quantity: Range{10, 40}.Negative()},
		{Template: "c", Region: "eu-west-1", What: "often", Price: ConfigItemDaily, Instead: ConfigItem, Swaps: h.Frequency(true)},
		{Template: "c", Region: "eu-west-1", What: "often", Price: ConfigItemDaily, Instead: ConfigItem, Swaps: h.Frequency(true)},
		{Template: "d", Region: "us-gov-west-1", What: "often", Price: ConfigItemDaily, Instead: ConfigItem, Swaps: h.Frequency(true)},
	})
	got := map[string]Line{}
	for _, l := range e.Lines {
		got[l.Template+" "+l.What] = l
	}
	for name, want := range map[string]Range{
		"a gone": {-20, -5}, "b gone": {-120, -20}, "b tiers": {-80, -5},
		// Twice: from 200 changes of 10 resources, of which 365/12 are left at four times the
		// price, to as many changes as there are days.
		"c often": {2 * (10*2*days - 10*0.5*200), 2 * 10 * 1.5 * days},
	} {
		l, ok := got[name]
		if !ok || math.Abs(l.MonthlyLow-want.Low) > 0.001 || math.Abs(l.MonthlyHigh-want.High) > 0.001 {
			t.Errorf("%s: %+v, want %v", name, l, want)
		}
	}
	if until := got["c often"].Instead; until == nil || until.Unit != "item" || until.QuantityLow != 2 || until.QuantityHigh != 4000 || until.UnitPriceLow != 0.5 {
		t.Errorf("%+v", until)
	}
	if got := strings.Join(e.Lacking, "; "); got != "the price table says nothing of config-item in us-gov-west-1" {
		t.Errorf("lacks %s", got)
	}
}

// The other way round costs as much less.
func TestFrequency(t *testing.T) {
	for _, h := range []Holding{{Range{0, 10}, Range{0, 1}}, {Range{1, 1}, Range{40, 50}}, {Range{2, 5}, Range{1, 500}}} {
		there, back := h.Frequency(true).difference(Range{4, 4}, Range{1, 1}), h.Frequency(false).difference(Range{1, 1}, Range{4, 4})
		if there != back.Negative() {
			t.Errorf("%+v: %v and %v", h, there, back)
		}
	}
	if got := (Holding{Range{0, 10}, Range{0, 1}}).Frequency(true).difference(Range{4, 4}, Range{1, 1}); got != (Range{0, 30}) {
		t.Errorf("%v", got)
	}
}
