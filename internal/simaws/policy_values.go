package simaws

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var policyVariable = regexp.MustCompile(`\$\{[^}]*\}`)

// withVariables puts a request's values in the place of policy variables. A value with
// one that the request lacks matches nothing (IAM user guide, "Policy elements:
// Variables and tags").
func withVariables(values []string, context map[string]string) []string {
	out := make([]string, 0, len(values))
	for _, v := range values {
		if !strings.Contains(v, "${") {
			out = append(out, v)
			continue
		}
		lacks := false
		v = policyVariable.ReplaceAllStringFunc(v, func(text string) string {
			name, instead, given := strings.Cut(text[2:len(text)-1], ",")
			if value, ok := context[strings.ToLower(strings.TrimSpace(name))]; ok {
				return value
			}
			lacks = lacks || !given
			return strings.Trim(strings.TrimSpace(instead), "'")
		})
		if !lacks {
			out = append(out, v)
		}
	}
	return out
}

// ordered compares numbers and dates; known is false for an operator that is neither
// (IAM user guide, "Condition operators"). What is no number or date compares as false.
func ordered(op, have, want string) (holds, known bool) {
	order := 0
	switch {
	case strings.HasPrefix(op, "Numeric"):
		a, err := strconv.ParseFloat(have, 64)
		b, wrong := strconv.ParseFloat(want, 64)
		if err != nil || wrong != nil {
			return false, true
		}
		order, op = cmp.Compare(a, b), strings.TrimPrefix(op, "Numeric")
	case strings.HasPrefix(op, "Date"):
		a, err := dateOf(have)
		b, wrong := dateOf(want)
		if err != nil || wrong != nil {
			return false, true
		}
		order, op = a.Compare(b), strings.TrimPrefix(op, "Date")
	default:
		return false, false
	}
	switch op {
	case "Equals", "NotEquals":
		return order == 0, true
	case "LessThan":
		return order < 0, true
	case "LessThanEquals":
		return order <= 0, true
	case "GreaterThan":
		return order > 0, true
	case "GreaterThanEquals":
		return order >= 0, true
	}
	return false, false
}

// dateOf reads a date as ISO 8601 writes it, or as seconds since 1970.
func dateOf(text string) (time.Time, error) {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(seconds, 0), nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day, nil
	}
	return time.Parse(time.RFC3339, text)
}
