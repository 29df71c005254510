package stackset

import (
	"fmt"
	"strings"
)

// sentence makes a text that AWS wrote fit into a sentence of ours: one line, no
// full stop at its end.
func sentence(s string) string {
	return strings.TrimRight(strings.Join(strings.Fields(s), " "), ".")
}

// count writes a number with its noun: "1 account", "3 accounts".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// some lists texts, at most five of them.
func some(list []string) string {
	const most = 5
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
}

// short is the beginning of a SHA-256 in hex.
func short(sha string) string { return sha[:min(len(sha), 8)] }
