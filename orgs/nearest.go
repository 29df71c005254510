package orgs

import (
	"cmp"
	"slices"
	"strings"
)

// didYouMean names up to three of names that are nearest to word, "" when none
// is near.
func didYouMean(word string, names []string) string {
	type near struct {
		name     string
		distance int
	}
	var all []near
	folded := strings.ToLower(word)
	for _, name := range names {
		lower := strings.ToLower(name)
		d := distance(folded, lower)
		// The end of a path is what people forget the beginning of.
		if strings.HasSuffix(lower, "/"+folded) {
			d = min(d, 1)
		}
		if d <= max(2, len(word)/3) {
			all = append(all, near{name, d})
		}
	}
	if len(all) == 0 {
		return ""
	}
	slices.SortFunc(all, func(a, b near) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), strings.Compare(a.name, b.name))
	})
	var out []string
	for _, n := range all[:min(3, len(all))] {
		out = append(out, n.name)
	}
	return "; did you mean " + strings.Join(out, " or ") + "?"
}

// distance is the number of single changes (insert, delete, replace) between two
// words, by bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		corner := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := corner
			if a[i-1] != b[j-1] {
				change++
			}
			corner = row[j]
			row[j] = min(change, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
