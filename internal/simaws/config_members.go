package simaws

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// memberCheck gathers what is wrong with the members of a request, as the front end
// of a JSON service does: all of it in one ValidationException.
type memberCheck struct{ problems []string }

func (m *memberCheck) add(value, at, must string) {
	m.problems = append(m.problems, fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: Member must %s", value, at, must))
}

// need: a required member is there.
func (m *memberCheck) need(at string, there bool) {
	if !there {
		m.add("null", at, "not be null")
	}
}

// text: the length of a text that is there, and its pattern.
func (m *memberCheck) text(at, value string, most int, pattern *regexp.Regexp) {
	if value == "" {
		return
	}
	if utf8.RuneCountInString(value) > most {
		m.add("'"+value+"'", at, fmt.Sprintf("have length less than or equal to %d", most))
	}
	if pattern != nil && !pattern.MatchString(value) {
		shown := strings.TrimSuffix(strings.TrimPrefix(pattern.String(), `^(?:`), `)$`)
		m.add("'"+value+"'", at, "satisfy regular expression pattern: "+shown)
	}
}

// name: a text that is required.
func (m *memberCheck) name(at, value string, most int, pattern *regexp.Regexp) {
	m.need(at, value != "")
	m.text(at, value, most, pattern)
}

// oneOf: a member that is there has one of the values of its enumeration.
func (m *memberCheck) oneOf(at, value string, known ...string) {
	for _, k := range known {
		if k == value {
			return
		}
	}
	if value != "" {
		m.add("'"+value+"'", at, "satisfy enum value set: ["+strings.Join(known, ", ")+"]")
	}
}

// count: the length of a list.
func (m *memberCheck) count(at string, n, low, high int) {
	switch {
	case n < low:
		m.add("'[]'", at, fmt.Sprintf("have length greater than or equal to %d", low))
	case n > high:
		m.add(fmt.Sprintf("'[%d members]'", n), at, fmt.Sprintf("have length less than or equal to %d", high))
	}
}

func (m *memberCheck) err() error {
	switch len(m.problems) {
	case 0:
		return nil
	case 1:
		return fail(400, "ValidationException", "1 validation error detected: "+m.problems[0])
	}
	return fail(400, "ValidationException", fmt.Sprintf("%d validation errors detected: %s", len(m.problems), strings.Join(m.problems, "; ")))
}

// whole makes a pattern of the service model match a whole text.
func whole(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + pattern + `)$`) }

var (
	patternAccount    = whole(`\d{12}`)
	patternAggregator = whole(`[\w\-]+`)
	patternRule       = whole(`.*\S.*`)
)
