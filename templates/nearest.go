package templates

// Nearest is the one of names that is closest to word, "" where none is close: at
// most a third of its letters may differ.
func Nearest(word string, names []string) string {
	best, closest := "", len(word)/3+1
	for _, name := range names {
		if d := distance(word, name); d < closest {
			best, closest = name, d
		}
	}
	return best
}

// distance is the Levenshtein distance of two short words, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
