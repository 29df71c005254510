package cost

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestEstimate(t *testing.T) {
	table, err := Parse([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	e := table.Estimate([]Use{
		{"b", "eu-west-1", "y", Evaluation, Range{5, 20}},
		{"a", "eu-west-1", "x", Evaluation, Range{5, 20}}, // together 10 and 40: 20, and 20 + 20 + 5
		{"a", "us-east-1", "x", ConfigItem, Range{1, 10}},
		{"a", "us-east-1", "x", ConfigItem, Range{1, 10}}, // the same once more
		{"a", "us-gov-west-1", "x", ConfigItem, Range{1, 10}},
		{"a", "eu-west-1", "z", "nothing", Range{1, 10}},
		{"a", "us-west-2", "x", ConfigItem, Range{}},
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
