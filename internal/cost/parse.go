package cost

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Limit is the size in bytes above which no table is read.
const Limit = 1 << 20

// Parse reads a price table. Every member has to be known, and an error says the line and
// the member. Assumptions that are left out are those of the embedded table.
func Parse(text []byte) (*Table, error) {
	t, err := parse(text)
	if err == nil && !t.Assumptions.given {
		t.Assumptions = Embedded().Assumptions
	}
	return t, err
}

func parse(text []byte) (*Table, error) {
	if len(text) > Limit {
		return nil, fmt.Errorf("%d bytes; a price table has at most %d", len(text), Limit)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("it is not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(doc.Content) != 1 {
		return nil, errors.New("line 1: the table is empty")
	}
	t := &Table{SHA256: sum(text)}
	err := members(doc.Content[0], "the table", map[string]func(at string, n *yaml.Node) error{
		"date":        func(at string, n *yaml.Node) error { return day(at, n, &t.Date) },
		"currency":    func(at string, n *yaml.Node) error { return line(at, n, &t.Currency) },
		"prices":      t.prices,
		"resources":   t.resources,
		"assumptions": t.Assumptions.read,
	}, "date", "currency", "prices")
	if err != nil {
		return nil, err
	}
	if err := t.namesPrices(doc.Content[0]); err != nil {
		return nil, err
	}
	return t, nil
}

// wrong is an error at a member.
func wrong(n *yaml.Node, at, format string, args ...any) error {
	return fmt.Errorf("line %d: %s: %s", n.Line, at, fmt.Sprintf(format, args...))
}

// members reads a mapping of known members. An alias is none of them: a table is read by
// people.
func members(n *yaml.Node, at string, known map[string]func(at string, n *yaml.Node) error, required ...string) error {
	seen := map[string]bool{}
	err := entries(n, at, func(name string, key, value *yaml.Node) error {
		read, ok := known[name]
		if !ok {
			var names []string
			for k := range known {
				names = append(names, k)
			}
			slices.Sort(names)
			return wrong(key, at, "there is no member %q; there are %s", name, strings.Join(names, ", "))
		}
		seen[name] = true
		if at == "the table" {
			return read(name, value)
		}
		return read(at+"."+name, value)
	})
	if err != nil {
		return err
	}
	for _, name := range required {
		if !seen[name] {
			return wrong(n, at, "%s is missing", name)
		}
	}
	return nil
}

// entries goes through a mapping with any names.
func entries(n *yaml.Node, at string, each func(name string, key, value *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return wrong(n, at, "it is to be a mapping")
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.Value == "" || strings.ContainsAny(key.Value, "\n\r\t") {
			return wrong(key, at, "a name is to be one word")
		}
		if seen[key.Value] {
			return wrong(key, at, "%s is there twice", key.Value)
		}
		seen[key.Value] = true
		if err := each(key.Value, key, value); err != nil {
			return err
		}
	}
	return nil
}

// line reads a text of one line.
func line(at string, n *yaml.Node, into *string) error {
	if n.Kind != yaml.ScalarNode || n.Value == "" || strings.ContainsFunc(n.Value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return wrong(n, at, "it is to be a text of one line")
	}
	*into = n.Value
	return nil
}

func day(at string, n *yaml.Node, into *string) error {
	if n.Kind != yaml.ScalarNode {
		return wrong(n, at, "it is to be a day, such as 2026-11-25")
	}
	if _, err := time.Parse(time.DateOnly, n.Value); err != nil {
		return wrong(n, at, "%q is not a day, such as 2026-11-25", n.Value)
	}
	*into = n.Value
	return nil
}

// most bounds numbers, so that sums of them stay numbers.
const most = 1e12

func number(at string, n *yaml.Node, into *float64) error {
	if n.Kind == yaml.ScalarNode {
		if v, err := strconv.ParseFloat(n.Value, 64); err == nil && v >= 0 && v <= most && !math.Signbit(v) {
			*into = v
			return nil
		}
	}
	return wrong(n, at, "%q is not a number from 0 to %g", n.Value, float64(most))
}

// between reads [low, high].
func between(at string, n *yaml.Node, into *Range) error {
	if n.Kind != yaml.SequenceNode || len(n.Content) != 2 {
		return wrong(n, at, "it is to be [low, high]")
	}
	if err := number(at+" (low)", n.Content[0], &into.Low); err != nil {
		return err
	}
	if err := number(at+" (high)", n.Content[1], &into.High); err != nil {
		return err
	}
	if into.Low > into.High {
		return wrong(n, at, "low, %g, is above high, %g", into.Low, into.High)
	}
	return nil
}
