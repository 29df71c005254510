package cost

import (
	"cmp"
	"slices"
)

// Swaps are what something that is paid for by another price than before may come to: a
// pair for each end of what is assumed. The two of a pair go together, so the difference
// is less wide than that of their ranges.
type Swaps [6]Swap

// Swap is how many units there are by the new price, and how many there were by the old.
type Swap struct{ Of, Instead float64 }

// Frequency is what becomes of configuration items when what is recorded at each change
// is recorded once a day, or the other way round. No resource is recorded once more for it.
func (h Holding) Frequency(daily bool) (out Swaps) {
	// Above one change a day the items of a day are one, so the difference turns there.
	turn := min(max(days, h.Changes.Low), h.Changes.High)
	i := 0
	for _, changes := range []float64{h.Changes.Low, turn, h.Changes.High} {
		for _, resources := range []float64{h.Resources.Low, h.Resources.High} {
			out[i] = Swap{resources * changes, resources * min(changes, days)}
			if daily {
				out[i].Of, out[i].Instead = out[i].Instead, out[i].Of
			}
			i++
		}
	}
	return out
}

// Times is n times them.
func (s Swaps) Times(n float64) Swaps {
	for i := range s {
		s[i].Of *= n
		s[i].Instead *= n
	}
	return s
}

func (s Swaps) plus(o Swaps) Swaps {
	for i := range s {
		s[i].Of += o[i].Of
		s[i].Instead += o[i].Instead
	}
	return s
}

func (s Swaps) compare(o Swaps) int {
	return slices.CompareFunc(s[:], o[:], func(a, b Swap) int {
		return cmp.Or(cmp.Compare(a.Of, b.Of), cmp.Compare(a.Instead, b.Instead))
	})
}

// span is from the least to the most of a number that each pair has.
func (s Swaps) span(of func(Swap) float64) Range {
	out := Range{of(s[0]), of(s[0])}
	for _, one := range s[1:] {
		out = Range{min(out.Low, of(one)), max(out.High, of(one))}
	}
	return out
}

func (s Swaps) of() Range      { return s.span(func(one Swap) float64 { return one.Of }) }
func (s Swaps) instead() Range { return s.span(func(one Swap) float64 { return one.Instead }) }

// difference is what is paid more now than by the old price.
func (s Swaps) difference(now, old Range) Range {
	return Range{
		s.span(func(one Swap) float64 { return one.Of*now.Low - one.Instead*old.High }).Low,
		s.span(func(one Swap) float64 { return one.Of*now.High - one.Instead*old.Low }).High,
	}
}
