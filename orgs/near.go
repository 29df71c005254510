package orgs

import (
	"slices"
	"strings"
)

// nearestPath suggests an OU path for one that is not there: the same letters in
// another case, the same last name elsewhere, or a small misspelling.
func nearestPath(t *Tree, word string) string {
	last := segments(word)
	name := last[len(last)-1]
	var same []string
	best, distance := "", 3
	for ou := range t.OUs() {
		if ou.Path == "" {
			continue
		}
		if strings.EqualFold(ou.Path, word) {
			return "; did you mean " + ou.Path + "?"
		}
		if strings.EqualFold(ou.Name, name) && len(same) < 3 {
			same = append(same, ou.Path)
		}
		if d := edits(ou.Path, word); d < distance {
			best, distance = ou.Path, d
		}
	}
	if best != "" {
		return "; did you mean " + best + "?"
	}
	if same != nil {
		return "; did you mean " + strings.Join(same, " or ") + "?"
	}
	return topPaths(t)
}

// topPaths names the OUs below the root.
func topPaths(t *Tree) string {
	var names []string
	for _, c := range t.Root.Children {
		names = append(names, c.Path)
	}
	if names == nil {
		return ""
	}
	if len(names) > 12 {
		names = append(names[:12], "…")
	}
	return "; below the root are " + strings.Join(names, ", ")
}

func nearestAccount(t *Tree, word string) string {
	best, distance := "", 3
	for _, a := range t.Accounts {
		for _, have := range []string{a.Name, a.ID} {
			if d := edits(strings.ToLower(have), strings.ToLower(word)); d < distance {
				best, distance = have, d
			}
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// edits is the Levenshtein distance; texts of very different length are far apart.
func edits(a, b string) int {
	if len(a)-len(b) > 3 || len(b)-len(a) > 3 {
		return 99
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := slices.Clone(row)
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j+1]+1, next[j]+1, row[j]+cost)
		}
		row = next
	}
	return row[len(b)]
}
