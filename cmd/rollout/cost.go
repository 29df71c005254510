package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"rollout/internal/cost"
	"rollout/stackset"
)

// costFlags are about what a plan adds to the bill.
func costFlags() []cli.Flag {
	return []cli.Flag{
		text(how, "prices", "", "`FILE` with prices and assumptions to estimate the cost by, instead of this version's (docs/cost.md)"),
		text(how, "max-cost", "", "refuse a plan that may add more than `USD` a month, or of which a price is not known"),
	}
}

// pricing is what --prices and --max-cost say.
type pricing struct {
	Table *cost.Table
	// Text is that of --prices, "" for this version's own.
	Text string
	// Max is --max-cost as it was given, "" for no limit.
	Max string
}

// table is what plans are estimated by.
func (p pricing) table() *cost.Table {
	if p.Table == nil {
		return cost.Embedded()
	}
	return p.Table
}

func readPricing(c *cli.Context) (pricing, error) {
	p := pricing{Max: c.String("max-cost")}
	if _, err := p.limit(); err != nil {
		return p, err
	}
	path := c.String("prices")
	if path == "" {
		return p, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return p, usageError{fmt.Sprintf("--prices %s: %v", path, err)}
	}
	defer f.Close() //nolint:errcheck // it is only read
	text, err := io.ReadAll(io.LimitReader(f, cost.Limit+1))
	if err != nil {
		return p, usageError{fmt.Sprintf("--prices %s: %v", path, err)}
	}
	return p, p.take(string(text), "--prices "+path)
}

// take reads the text of a table.
func (p *pricing) take(text, what string) (err error) {
	if p.Table, err = cost.Parse([]byte(text)); err != nil {
		return usageError{fmt.Sprintf("%s: %v", what, err)}
	}
	p.Text = text
	return nil
}

// keep takes over what a kept plan says. One that was estimated by the prices of another
// version is not carried out by these.
func (p *pricing) keep(w planOptions, path string) error {
	*p = pricing{Max: w.MaxCost}
	if _, err := p.limit(); err != nil {
		return err
	}
	if w.Prices != "" {
		if err := p.take(w.Prices, "--plan "+path+": prices"); err != nil {
			return err
		}
	}
	if have := p.table().SHA256; w.PricesSHA256 != "" && have != w.PricesSHA256 {
		return usageError{fmt.Sprintf("--plan %s: its cost was estimated by another price table than this one of %s, so the plan is not what was agreed to: plan again", path, p.table().Date)}
	}
	return nil
}

// limit is --max-cost as a number, -1 for no limit.
func (p pricing) limit() (float64, error) {
	if p.Max == "" {
		return -1, nil
	}
	v, err := strconv.ParseFloat(p.Max, 64)
	if err != nil || !(v >= 0 && v <= 1e12) {
		return -1, usageError{fmt.Sprintf("--max-cost %q: give an amount of %s a month, such as 250", p.Max, p.table().Currency)}
	}
	return v, nil
}

// tooDear is a plan that --max-cost refuses.
type tooDear struct{ message, remedy string }

func (e tooDear) Error() string  { return e.message }
func (e tooDear) Remedy() string { return e.remedy }

// affordable refuses a plan that may cost more than --max-cost allows. What lacks a price
// may cost anything.
func (p pricing) affordable(plan *stackset.Plan) error {
	limit, err := p.limit()
	if err != nil || limit < 0 || plan.Cost == nil {
		return err
	}
	switch e := plan.Cost; {
	case len(e.Lacking) > 0:
		return tooDear{
			fmt.Sprintf("--max-cost %s: what this plan costs is not known, and nothing was changed: %s", p.Max, strings.Join(e.Lacking, "; ")),
			"Give the price in a table of your own with --prices (docs/cost.md), or leave --max-cost out.",
		}
	case e.MonthlyHigh > limit:
		return tooDear{
			fmt.Sprintf("--max-cost %s: this plan may add %s %s a month, and nothing was changed", p.Max, money(e.MonthlyHigh), e.Currency),
			"Choose fewer accounts, Regions or templates, give assumptions that are nearer to your accounts with --prices (docs/cost.md), or raise --max-cost.",
		}
	}
	return nil
}

// showCost writes what a plan adds to the bill: a line, and one for each template when
// several add to it.
func showCost(w io.Writer, p *stackset.Plan) {
	e := p.Cost
	if e == nil || len(e.Lines) == 0 && len(e.Lacking) == 0 {
		return
	}
	fmt.Fprintf(w, "\nCost: %s, by list prices of %s; docs/cost.md says how, --output json gives each line and what is assumed\n",
		moreOrLess(e.MonthlyLow, e.MonthlyHigh, e.Currency), e.PricesDate)
	type sum struct{ low, high float64 }
	sums, order := map[string]*sum{}, []string{}
	for _, l := range e.Lines {
		if sums[l.Template] == nil {
			sums[l.Template] = &sum{}
			order = append(order, l.Template)
		}
		sums[l.Template].low += l.MonthlyLow
		sums[l.Template].high += l.MonthlyHigh
	}
	for _, name := range order {
		fmt.Fprintf(w, "  %-34s %s to %s\n", name, money(sums[name].low), money(sums[name].high))
	}
	for _, lacking := range e.Lacking {
		fmt.Fprintf(w, "  not in it: %s\n", lacking)
	}
}

// moreOrLess says what a bill changes by.
func moreOrLess(low, high float64, currency string) string {
	switch {
	case low < 0 && high <= 0:
		return fmt.Sprintf("%s to %s %s a month less", money(0-high), money(0-low), currency)
	case low < 0:
		return fmt.Sprintf("from %s %s a month less to %s more", money(0-low), currency, money(high))
	}
	return fmt.Sprintf("%s to %s %s a month more", money(low), money(high), currency)
}

// money writes an amount with cents.
func money(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }
