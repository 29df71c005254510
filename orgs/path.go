package orgs

import (
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// join makes an OU path. A name may hold any character; a slash or backslash in it
// is written with a backslash before it.
func join(parent, name string) string {
	name = strings.NewReplacer(`\`, `\\`, `/`, `\/`).Replace(name)
	if parent == "" {
		return name
	}
	return parent + "/" + name
}

// segments splits a path at its slashes, those with a backslash left alone.
func segments(path string) []string {
	var out []string
	start := 0
	for i := 0; i < len(path); i++ {
		switch path[i] {
		case '\\':
			i++
		case '/':
			out = append(out, path[start:i])
			start = i + 1
		}
	}
	return append(out, path[min(start, len(path)):])
}

// isGlob says whether a pattern is one.
func isGlob(pattern string) bool { return strings.ContainsAny(pattern, "*?[{") }

// matchPath says whether a pattern names an OU path: the path itself, letter by
// letter, or a glob of it. * is any name, ** any number of them, and at least one
// at the end: A/** is every OU below A.
func matchPath(pattern, path string) bool {
	if pattern == path {
		return true
	}
	return isGlob(pattern) && path != "" && matchSegments(segments(pattern), segments(path))
}

func matchSegments(pattern, path []string) bool {
	if len(pattern) == 0 {
		return len(path) == 0
	}
	if pattern[0] == "**" {
		if len(pattern) == 1 {
			return len(path) > 0
		}
		for i := range len(path) + 1 {
			if matchSegments(pattern[1:], path[i:]) {
				return true
			}
		}
		return false
	}
	return len(path) > 0 && (pattern[0] == path[0] || doublestar.MatchUnvalidated(pattern[0], path[0])) && matchSegments(pattern[1:], path[1:])
}

// mayHold says whether an OU that a pattern names can be below a path.
func mayHold(pattern, path string) bool {
	if path == "" {
		return true
	}
	want, have := segments(pattern), segments(path)
	for i, name := range have {
		if i >= len(want) {
			return false
		}
		if want[i] == "**" {
			return true
		}
		if want[i] != name && !(isGlob(want[i]) && doublestar.MatchUnvalidated(want[i], name)) {
			return false
		}
	}
	return len(want) > len(have)
}
