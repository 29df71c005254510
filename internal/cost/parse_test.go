package cost

import (
	"strings"
	"testing"
)

const small = `date: 2026-01-02
currency: USD
prices:
  config-item: {unit: item, source: "https://example.com", checked: 2026-01-01, default: 0.5, regions: {us-*: 1, us-east-1: {low: 2, high: 3}, us-gov-*: unknown}}
  config-evaluation:
    unit: evaluation
    source: a page
    checked: 2026-01-01
    default: [{upto: 10, price: 2}, {upto: 30, price: 1}, {price: 0.5}]
resources: {AWS::IAM::Role: free, AWS::X::Y: config-item}
`

func TestParse(t *testing.T) {
	table, err := Parse([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if table.Date != "2026-01-02" || table.Currency != "USD" || len(table.SHA256) != 64 || table.Resources["AWS::X::Y"] != ConfigItem {
		t.Errorf("%+v", table)
	}
	item := table.Prices[ConfigItem]
	for region, want := range map[string]Amount{
		"eu-west-1": {Known: true, Low: 0.5, High: 0.5}, "us-west-2": {Known: true, Low: 1, High: 1}, "us-east-1": {Known: true, Low: 2, High: 3}, "us-gov-east-1": {},
	} {
		if got := item.In(region); got.Known != want.Known || got.Low != want.Low || got.High != want.High {
			t.Errorf("%s: %+v", region, got)
		}
	}
	if table.Assumptions.OtherType != Embedded().Assumptions.OtherType {
		t.Error("assumptions that are left out are not the embedded ones")
	}
}

// Whoever writes a table is told the line and the member.
func TestParseSaysWhere(t *testing.T) {
	for want, change := range map[string][2]string{
		`line 1: date: "2 January" is not a day`:                                                 {"2026-01-02", "2 January"},
		`line 1: the table: currency is missing`:                                                 {"currency: USD\n", ""},
		`line 2: the table: there is no member "curency"`:                                        {"currency", "curency"},
		`line 4: prices.config-item.default: "cheap" is neither a number, nor unknown`:           {"default: 0.5", "default: cheap"},
		`line 4: prices.config-item.default: "-1" is neither`:                                    {"default: 0.5", "default: -1"},
		`line 4: prices.config-item.default: "NaN" is neither`:                                   {"default: 0.5", "default: NaN"},
		`line 4: prices.config-item: unit is missing`:                                            {"unit: item, ", ""},
		`line 4: prices.config-item: unit is there twice`:                                        {"unit: item, ", "unit: item, unit: other, "},
		`line 4: prices.config-item.checked: "soon" is not a day`:                                {"checked: 2026-01-01, d", "checked: soon, d"},
		`line 4: prices.config-item.regions: "EU" is not the name of a Region`:                   {"us-east-1:", "EU:"},
		`line 4: prices.config-item.regions.us-east-1: low, 5, is above high, 3`:                 {"low: 2", "low: 5"},
		`line 4: prices.config-item.regions.us-east-1: high is missing`:                          {", high: 3", ""},
		`line 9: prices.config-evaluation.default: upto 5 is not above 10`:                       {"upto: 30", "upto: 5"},
		`line 9: prices.config-evaluation.default: the last tier has no upto`:                    {"{price: 0.5}", "{upto: 40, price: 0.5}"},
		`line 9: prices.config-evaluation.default: upto is missing`:                              {"upto: 30, ", ""},
		`line 9: prices.config-evaluation.default: a list of tiers has at least one`:             {"[{upto: 10, price: 2}, {upto: 30, price: 1}, {price: 0.5}]", "[]"},
		`line 10: resources.AWS::X::Y: there is no price "config-itm", and it is not free`:       {"Y: config-item", "Y: config-itm"},
		`line 4: the table: prices is there twice`:                                               {"prices:", "prices: {}\nprices:"},
		`line 11: assumptions: other-type is missing`:                                            {"config-item}\n", "config-item}\nassumptions: {manual-runs: [0, 1]}\n"},
		`line 11: assumptions.manual-runs: it is to be [low, high]`:                              {"config-item}\n", "config-item}\nassumptions: {manual-runs: 1}\n"},
		`line 11: assumptions.recorded.AWS::S3::Bucket.changes (high): "x" is not a number from`: {"config-item}\n", "config-item}\nassumptions: {recorded: {AWS::S3::Bucket: {resources: [0, 1], changes: [0, x]}}}\n"},
		`line 4: prices: free is no name of a price`:                                             {"  config-item:", "  free:"},
		`line 1: the table: it is to be a mapping`:                                               {small, "- a\n"},
		`line 1: the table is empty`:                                                             {small, "# nothing\n"},
	} {
		text := strings.Replace(small, change[0], change[1], 1)
		if text == small {
			t.Fatalf("%s: nothing changes", want)
		}
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}

func TestTableOfThisVersion(t *testing.T) {
	table := Embedded()
	for _, name := range []string{ConfigItem, ConfigItemDaily, Evaluation, Step, ScriptSecond, FlowLogGB} {
		p, ok := table.Prices[name]
		if !ok || !p.Default.Known || p.Default.first().High <= 0 || !strings.HasPrefix(p.Source, "https://aws.amazon.com/") || p.Checked > table.Date {
			t.Errorf("%s: %+v", name, p)
		}
		for _, region := range []string{"cn-north-1", "us-gov-west-1"} {
			if p.In(region).Known {
				t.Errorf("%s is known in %s", name, region)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add(embedded)
	f.Add([]byte("date: &a 2026-01-02\ncurrency: *a\nprices: {? [a] : 1}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		table, err := Parse(text)
		if err != nil {
			if table != nil || !strings.HasPrefix(err.Error(), "line ") && !strings.HasPrefix(err.Error(), "it is not YAML: ") && len(text) <= Limit {
				t.Fatalf("%+v, %v", table, err)
			}
			return
		}
		var uses []Use
		for name := range table.Prices {
			uses = append(uses, Use{Template: "t", Region: "us-east-1", What: name, Price: name, Quantity: Range{1, 1e9}})
		}
		for name := range table.Prices {
			uses = append(uses, Use{Template: "t", Region: "us-east-1", What: "less " + name, Price: name, Quantity: Range{-1, 0}},
				Use{Template: "t", Region: "us-east-1", What: "other " + name, Price: name, Instead: name, Swaps: Holding{Range{0, 5}, Range{0, 90}}.Frequency(true)})
		}
		e := table.Estimate(uses)
		if !(e.MonthlyLow <= e.MonthlyHigh) || len(e.Lines)+3*len(e.Lacking) != len(uses) {
			t.Fatalf("%+v", e)
		}
	})
}
