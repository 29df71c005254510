package templates

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// evaluator resolves the intrinsics that the catalog uses, for tests that ask what
// a template would make. It is on purpose not the simulator's.
type evaluator struct {
	t      *testing.T
	d      *Document
	values map[string]any // parameters and pseudo parameters
}

// drop stands for AWS::NoValue.
var drop = &struct{ int }{}

// evaluate prepares d in eu-west-1 of account 111122223333, with the parameters'
// defaults except for those given.
func evaluate(t *testing.T, d *Document, given map[string]string) *evaluator {
	t.Helper()
	e := &evaluator{t: t, d: d, values: map[string]any{
		"AWS::AccountId": "111122223333", "AWS::Region": "eu-west-1", "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
		"AWS::NoValue": drop,
	}}
	for name, p := range d.Parameters {
		value, ok := given[name]
		if !ok && !p.HasDefault {
			t.Fatalf("parameter %s has no default and was not given", name)
		}
		if !ok {
			value = p.Default
		}
		if err := p.Check(value); err != nil {
			t.Fatal(err)
		}
		e.values[name] = value
	}
	for k, v := range given {
		e.values[k] = v
	}
	return e
}

// resources are the properties of the resources that would be made.
func (e *evaluator) resources() map[string]map[string]any {
	made := map[string]map[string]any{}
	for id, r := range e.d.Resources {
		if r.Condition == "" || e.condition(r.Condition) {
			made[id] = e.value(r.Properties).(map[string]any)
		}
	}
	return made
}

func (e *evaluator) condition(name string) bool {
	c, ok := e.d.Conditions[name]
	if !ok {
		e.t.Fatalf("no condition %q", name)
	}
	return e.value(c).(bool)
}

var substitution = regexp.MustCompile(`\$\{([^!}]+)\}`)

func (e *evaluator) value(v any) any {
	switch v := v.(type) {
	case []any:
		list := []any{}
		for _, item := range v {
			if item = e.value(item); item != any(drop) {
				list = append(list, item)
			}
		}
		return list
	case map[string]any:
		if len(v) == 1 {
			for name, argument := range v {
				if result, ok := e.function(name, argument); ok {
					return result
				}
			}
		}
		m := maps.Clone(v)
		for k, inner := range v {
			if m[k] = e.value(inner); m[k] == any(drop) {
				delete(m, k)
			}
		}
		return m
	}
	return v
}

func (e *evaluator) function(name string, argument any) (any, bool) {
	list, _ := argument.([]any)
	switch name {
	case "Ref":
		return e.ref(argument.(string)), true
	case "Condition":
		return e.condition(argument.(string)), true
	case "Fn::GetAtt":
		return fmt.Sprintf("<%s.%s>", list[0], list[1]), true
	case "Fn::Sub":
		return substitution.ReplaceAllStringFunc(argument.(string), func(s string) string {
			inner := s[2 : len(s)-1]
			if resource, attribute, dotted := strings.Cut(inner, "."); dotted {
				return fmt.Sprintf("<%s.%s>", resource, attribute)
			}
			return fmt.Sprint(e.ref(inner))
		}), true
	case "Fn::If":
		if e.condition(list[0].(string)) {
			return e.value(list[1]), true
		}
		return e.value(list[2]), true
	case "Fn::Equals":
		return reflect.DeepEqual(e.value(list[0]), e.value(list[1])), true
	case "Fn::Join":
		var parts []string
		items, ok := e.value(list[1]).([]any)
		if !ok { // a CommaDelimitedList
			return strings.ReplaceAll(fmt.Sprint(e.value(list[1])), ",", list[0].(string)), true
		}
		for _, item := range items {
			parts = append(parts, fmt.Sprint(item))
		}
		return strings.Join(parts, list[0].(string)), true
	case "Fn::Not":
		return !e.value(list[0]).(bool), true
	case "Fn::And", "Fn::Or":
		for _, item := range list {
			if e.value(item).(bool) == (name == "Fn::Or") {
				return name == "Fn::Or", true
			}
		}
		return name == "Fn::And", true
	}
	if strings.HasPrefix(name, "Fn::") {
		e.t.Fatalf("the test does not know %s", name)
	}
	return nil, false
}

func (e *evaluator) ref(name string) any {
	if v, ok := e.values[name]; ok {
		return v
	}
	if _, ok := e.d.Resources[name]; ok {
		return "<" + name + ">"
	}
	e.t.Fatalf("Ref to nothing: %s", name)
	return nil
}
