package simaws

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed FIDELITY.md
var fidelityPage string

// FidelityLine is one line of FIDELITY.md: a call or a behaviour, what of it is
// modelled, who says so, and what checks it.
type FidelityLine struct {
	Section string // "StackSets"
	// ID is "service:Action" for a call, "SET-07" for a behaviour.
	ID       string
	Modelled string
	Source   string
	Strength string // strong: AWS says so itself; weak: others saw it, or it is inferred
	// Check is what outside this module covers it, or "none" and, of a behaviour, why.
	Check      string
	Difference string // what is knowingly different, "none" without
}

// IsCall says whether the line is about an API call rather than a behaviour.
func (l FidelityLine) IsCall() bool { return strings.Contains(l.ID, ":") }

// Checks are the names of what covers the line; none without the reason.
func (l FidelityLine) Checks() []string {
	if strings.HasPrefix(l.Check, "none") {
		return []string{"none"}
	}
	return strings.Split(l.Check, ", ")
}

// Fidelity reads the lines of FIDELITY.md in order.
func Fidelity() ([]FidelityLine, error) { return parseFidelity(fidelityPage) }

func parseFidelity(page string) ([]FidelityLine, error) {
	var out []FidelityLine
	section := ""
	for n, text := range strings.Split(page, "\n") {
		if title, ok := strings.CutPrefix(text, "## "); ok {
			section = title
			continue
		}
		if !strings.HasPrefix(text, "|") || strings.HasPrefix(text, "|---") || strings.HasPrefix(text, "| id |") {
			continue
		}
		cells := strings.Split(strings.TrimSuffix(strings.TrimPrefix(text, "|"), "|"), "|")
		if len(cells) != 6 {
			return nil, fmt.Errorf("FIDELITY.md line %d: %d cells, want 6", n+1, len(cells))
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
			if cells[i] == "" {
				return nil, fmt.Errorf("FIDELITY.md line %d: cell %d is empty; write none", n+1, i+1)
			}
		}
		if cells[3] != "strong" && cells[3] != "weak" {
			return nil, fmt.Errorf("FIDELITY.md line %d: strength %q is neither strong nor weak", n+1, cells[3])
		}
		out = append(out, FidelityLine{section, cells[0], cells[1], cells[2], cells[3], cells[4], cells[5]})
	}
	return out, nil
}
