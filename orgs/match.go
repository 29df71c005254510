package orgs

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// The patterns of ids are those of the Organizations API reference.
var (
	rootID    = regexp.MustCompile(`^r-[0-9a-z]{4,32}$`)
	ouID      = regexp.MustCompile(`^ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}$`)
	accountID = regexp.MustCompile(`^[0-9]{12}$`)
)

// maxDepth is how deep OUs nest below the root ("Quotas for AWS Organizations").
const maxDepth = 5

func isID(s string) bool   { return rootID.MatchString(s) || ouID.MatchString(s) }
func isGlob(s string) bool { return strings.ContainsAny(s, `*?[{\`) }

// escapeName is an OU's name as a segment of a path: a slash in it is `\/`, a
// backslash `\\`, so that paths stay unambiguous.
func escapeName(name string) string {
	return strings.NewReplacer(`\`, `\\`, `/`, `\/`).Replace(name)
}

// joinPath is the path of the OU name in the OU at parent.
func joinPath(parent, name string) string {
	if parent == "" {
		return escapeName(name)
	}
	return parent + "/" + escapeName(name)
}

// pattern is an OU path or glob, cut at its slashes.
type pattern []string

// parsePattern reads a path or glob. It is malformed when a name is empty or a
// segment is no glob.
func parsePattern(s string) (pattern, error) {
	var p pattern
	var segment strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			segment.WriteByte(s[i])
			i++
			segment.WriteByte(s[i])
		case s[i] == '/':
			p = append(p, segment.String())
			segment.Reset()
		default:
			segment.WriteByte(s[i])
		}
	}
	p = append(p, segment.String())
	for _, seg := range p {
		if seg == "" {
			return nil, fmt.Errorf("%q has an empty name in it; a path starts below the root, like Workloads/Prod", s)
		}
		if seg != "**" && !doublestar.ValidatePattern(inName(seg)) {
			return nil, fmt.Errorf("%q is not a well-formed glob at %q", s, seg)
		}
	}
	return p, nil
}

// inName hides the slashes of a name or of a segment, which doublestar would
// take for separators.
func inName(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, `\/`, "\x00"), "/", "\x00")
}

// matchName says whether a segment matches a name; a name always matches itself,
// also when glob characters are in it.
func matchName(segment, name string) bool {
	return segment == name || segment == escapeName(name) || doublestar.MatchUnvalidated(inName(segment), inName(name))
}

// match says whether the OU of these names is what the pattern means. A `**` at
// the end is one level or more (every OU below A, not A itself), elsewhere none
// or more.
func (p pattern) match(names []string) bool {
	if len(p) == 0 {
		return len(names) == 0
	}
	if p[0] == "**" {
		if len(p) == 1 {
			return len(names) > 0
		}
		for i := range len(names) + 1 {
			if p[1:].match(names[i:]) {
				return true
			}
		}
		return false
	}
	return len(names) > 0 && matchName(p[0], names[0]) && p[1:].match(names[1:])
}

// leadsTo says whether the OU of these names can have an OU below it that the
// pattern means.
func (p pattern) leadsTo(names []string) bool {
	for i, name := range names {
		if i >= len(p) {
			return false
		}
		if p[i] == "**" {
			return true
		}
		if !matchName(p[i], name) {
			return false
		}
	}
	return len(p) > len(names)
}

// names are an OU's name and those above it, from below the root.
func (o *OU) names() []string {
	if o == nil || o.Parent == nil {
		return nil
	}
	return append(o.Parent.names(), o.Name)
}
