package simaws

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// reference is {{ Name }} or {{ Step.Output }} or {{ global:REGION }}.
var reference = regexp.MustCompile(`\{\{\s*([A-Za-z0-9_][A-Za-z0-9_.:-]*)\s*\}\}`)

// parameterOf gives X when a text is exactly "{{ X }}", else "".
func parameterOf(text string) string {
	m := reference.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil || m[0] != strings.TrimSpace(text) {
		return ""
	}
	return m[1]
}

// interpolate replaces references in a value. A text that is nothing but one
// reference becomes the value itself, of whatever type; a reference inside a
// text becomes text, JSON for lists and maps.
func interpolate(v any, lookup func(name string) (any, error)) (any, error) {
	switch t := v.(type) {
	case string:
		if name := parameterOf(t); name != "" {
			return lookup(name)
		}
		var failed error
		out := reference.ReplaceAllStringFunc(t, func(match string) string {
			value, err := lookup(reference.FindStringSubmatch(match)[1])
			if err != nil && failed == nil {
				failed = err
			}
			return textOf(value)
		})
		return out, failed
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, x := range t {
			y, err := interpolate(x, lookup)
			if err != nil {
				return nil, err
			}
			out[k] = y
		}
		return out, nil
	case []any:
		out := make([]any, len(t))
		for i, x := range t {
			y, err := interpolate(x, lookup)
			if err != nil {
				return nil, err
			}
			out[i] = y
		}
		return out, nil
	}
	return v, nil
}

// textOf writes a value as a parameter's text: JSON unless it is a text.
func textOf(v any) string {
	switch t := v.(type) {
	case nil:
		return ""
	case string:
		return t
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// textsOf writes a value as SSM shows outputs: a list of texts.
func textsOf(v any) []string {
	if list, ok := v.([]any); ok {
		out := make([]string, 0, len(list))
		for _, x := range list {
			out = append(out, textOf(x))
		}
		return out
	}
	return []string{textOf(v)}
}

// selectPath follows a simple JSONPath: $.a.b[0].c, $['a'], $.list[*].name. It
// says false when the path leads nowhere or is not of this kind.
func selectPath(v any, path string) (any, bool) {
	rest := strings.TrimSpace(path)
	if !strings.HasPrefix(rest, "$") {
		return nil, false
	}
	return follow(v, rest[1:])
}

func follow(v any, rest string) (any, bool) {
	if rest == "" {
		return v, true
	}
	var name string
	switch {
	case strings.HasPrefix(rest, "["):
		end := strings.IndexByte(rest, ']')
		if end < 0 {
			return nil, false
		}
		inside := strings.TrimSpace(rest[1:end])
		rest = rest[end+1:]
		if inside == "*" || inside == "" {
			list, ok := v.([]any)
			if !ok {
				return nil, false
			}
			out := []any{}
			for _, x := range list {
				if y, ok := follow(x, rest); ok {
					out = append(out, y)
				}
			}
			return out, true
		}
		if n, err := strconv.Atoi(inside); err == nil {
			list, ok := v.([]any)
			if n < 0 && ok {
				n += len(list)
			}
			if !ok || n < 0 || n >= len(list) {
				return nil, false
			}
			return follow(list[n], rest)
		}
		name = strings.Trim(inside, `'"`)
	case strings.HasPrefix(rest, "."):
		rest = rest[1:]
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		name, rest = rest[:end], rest[end:]
	default:
		return nil, false
	}
	m, ok := v.(map[string]any)
	if !ok || name == "" {
		return nil, false
	}
	x, ok := m[name]
	if !ok {
		return nil, false
	}
	return follow(x, rest)
}

// number reads a number as templates and JSON give it.
func number(v any) (float64, bool) {
	switch t := v.(type) {
	case float64:
		return t, true
	case int:
		return float64(t), true
	case int64:
		return float64(t), true
	case json.Number:
		f, err := t.Float64()
		return f, err == nil
	case string:
		f, err := strconv.ParseFloat(strings.TrimSpace(t), 64)
		return f, err == nil
	}
	return 0, false
}

// truth reads a boolean as templates and JSON give it.
func truth(v any, standard bool) bool {
	switch t := v.(type) {
	case bool:
		return t
	case string:
		switch strings.ToLower(t) {
		case "true":
			return true
		case "false":
			return false
		}
	}
	return standard
}
