package templates

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// unknown is what only a deployment knows: an account's id, a resource's attribute,
// a function that is not worked out here. What is made of it is unknown too.
type unknown struct{}

// noValue stands for AWS::NoValue.
type noValue struct{}

// evaluation works a template's values out as CloudFormation would, as far as they
// follow from parameters, mappings and the Region.
type evaluation struct {
	d      *Document
	values map[string]any
	// open are the conditions under way: a circle of them is unknown.
	open map[string]bool
}

// newEvaluation takes the values of parameters and pseudo parameters ("AWS::Region");
// parameters that are not given have their default.
func newEvaluation(d *Document, given map[string]string) *evaluation {
	e := &evaluation{d: d, values: map[string]any{"AWS::NoValue": noValue{}}, open: map[string]bool{}}
	for name, p := range d.Parameters {
		value, ok := given[name]
		if !ok && p.HasDefault {
			value, ok = p.Default, true
		}
		switch {
		case !ok:
		case p.Type == "CommaDelimitedList" || strings.HasPrefix(p.Type, "List<"):
			items := []any{}
			for item := range strings.SplitSeq(value, ",") {
				items = append(items, strings.TrimSpace(item))
			}
			e.values[name] = items
		default:
			e.values[name] = value
		}
	}
	for name, value := range given {
		if strings.HasPrefix(name, "AWS::") {
			e.values[name] = value
		}
	}
	return e
}

// condition says whether a named condition holds; known is false where that depends
// on what is not known here.
func (e *evaluation) condition(name string) (holds, known bool) {
	c, ok := e.d.Conditions[name]
	if !ok || e.open[name] {
		return false, false
	}
	e.open[name] = true
	defer delete(e.open, name)
	holds, known = e.value(c).(bool)
	return holds, known
}

// value works a value out. A map or list with something unknown in it keeps it
// there; only functions become unknown as a whole.
func (e *evaluation) value(v any) any {
	switch v := v.(type) {
	case []any:
		list := []any{}
		for _, item := range v {
			if item = e.value(item); item != any(noValue{}) {
				list = append(list, item)
			}
		}
		return list
	case map[string]any:
		if len(v) == 1 {
			for name, argument := range v {
				if name == "Ref" || name == "Condition" || strings.HasPrefix(name, "Fn::") {
					return e.function(name, argument)
				}
			}
		}
		m := make(map[string]any, len(v))
		for k, inner := range v {
			if inner = e.value(inner); inner != any(noValue{}) {
				m[k] = inner
			}
		}
		return m
	}
	return v
}

// function works an intrinsic function out. Source: CloudFormation's intrinsic
// function reference.
func (e *evaluation) function(name string, argument any) any {
	list, _ := argument.([]any)
	switch name {
	case "Ref":
		if name, ok := argument.(string); ok {
			return e.ref(name)
		}
	case "Condition":
		if name, ok := argument.(string); ok {
			if holds, known := e.condition(name); known {
				return holds
			}
		}
	case "Fn::If":
		if len(list) == 3 {
			return e.either(list)
		}
	case "Fn::Equals":
		if len(list) == 2 {
			a, okA := plainText(e.value(list[0]))
			b, okB := plainText(e.value(list[1]))
			if okA && okB {
				return a == b
			}
		}
	case "Fn::Not":
		if len(list) == 1 {
			if holds, known := e.value(list[0]).(bool); known {
				return !holds
			}
		}
	case "Fn::And", "Fn::Or":
		return e.all(list, name == "Fn::Or")
	case "Fn::Sub":
		return e.sub(argument)
	case "Fn::Join":
		if len(list) == 2 {
			return e.join(list)
		}
	case "Fn::Split":
		if len(list) == 2 {
			return e.split(list)
		}
	case "Fn::Select":
		if len(list) == 2 {
			return e.selected(list)
		}
	case "Fn::FindInMap":
		if len(list) == 3 {
			return e.found(list)
		}
	}
	return unknown{}
}

func (e *evaluation) ref(name string) any {
	if v, ok := e.values[name]; ok {
		return v
	}
	return unknown{}
}

func (e *evaluation) either(list []any) any {
	name, _ := list[0].(string)
	holds, known := e.condition(name)
	switch {
	case !known:
		return unknown{}
	case holds:
		return e.value(list[1])
	}
	return e.value(list[2])
}

// all is Fn::And, and Fn::Or where decides is true: one item that decides is enough,
// whatever is unknown of the others.
func (e *evaluation) all(list []any, decides bool) any {
	complete := true
	for _, item := range list {
		holds, known := e.value(item).(bool)
		if known && holds == decides {
			return decides
		}
		complete = complete && known
	}
	if !complete {
		return unknown{}
	}
	return !decides
}

var substituted = regexp.MustCompile(`\$\{([^}]*)\}`)

func (e *evaluation) sub(argument any) any {
	text, ok := argument.(string)
	own := map[string]any{}
	if list, isList := argument.([]any); isList && len(list) == 2 {
		text, ok = list[0].(string)
		own, _ = e.value(list[1]).(map[string]any)
	}
	if !ok {
		return unknown{}
	}
	whole := true
	out := substituted.ReplaceAllStringFunc(text, func(s string) string {
		name := s[2 : len(s)-1]
		if literal, escaped := strings.CutPrefix(name, "!"); escaped {
			return "${" + literal + "}"
		}
		v, given := own[name]
		if !given {
			v = e.ref(name)
		}
		text, known := plainText(v)
		whole = whole && known
		return text
	})
	if !whole {
		return unknown{}
	}
	return out
}

func (e *evaluation) join(list []any) any {
	by, ok := plainText(e.value(list[0]))
	items, isList := e.value(list[1]).([]any)
	if !ok || !isList {
		return unknown{}
	}
	var parts []string
	for _, item := range items {
		text, known := plainText(item)
		if !known {
			return unknown{}
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, by)
}

func (e *evaluation) split(list []any) any {
	by, ok := plainText(e.value(list[0]))
	text, known := plainText(e.value(list[1]))
	if !ok || !known || by == "" {
		return unknown{}
	}
	items := []any{}
	for part := range strings.SplitSeq(text, by) {
		items = append(items, part)
	}
	return items
}

func (e *evaluation) selected(list []any) any {
	index, _ := plainText(e.value(list[0]))
	i, err := strconv.Atoi(index)
	items, ok := e.value(list[1]).([]any)
	if err != nil || !ok || i < 0 || i >= len(items) {
		return unknown{}
	}
	return items[i]
}

func (e *evaluation) found(list []any) any {
	var at any = e.d.Mappings
	for _, key := range list {
		name, known := plainText(e.value(key))
		level, ok := at.(map[string]any)
		if !known || !ok {
			return unknown{}
		}
		if at, ok = level[name]; !ok {
			return unknown{}
		}
	}
	return at
}

// plainText is a scalar as CloudFormation passes it on.
func plainText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool, int64, float64:
		return fmt.Sprint(v), true
	}
	return "", false
}

// inputText is the value of a rule's input parameter: a scalar as it is, a list or a
// map as JSON.
func inputText(v any) (string, bool) {
	if text, ok := plainText(v); ok {
		return text, true
	}
	if holdsUnknown(v) {
		return "", false
	}
	text, err := json.Marshal(v)
	return string(text), err == nil
}

func holdsUnknown(v any) bool {
	switch v := v.(type) {
	case unknown:
		return true
	case []any:
		return slices.ContainsFunc(v, holdsUnknown)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), holdsUnknown)
	}
	return false
}
