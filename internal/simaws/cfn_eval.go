package simaws

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"rollout/templates"
)

// evaluation of a template's intrinsic functions, as CloudFormation does it. It is
// written apart from rollout's own reading of templates, so as not to share its
// mistakes; only the syntax is parsed by the same code.
type evaluator struct {
	doc    *templates.Document
	params map[string]any // text, or []any of texts for lists
	pseudo map[string]string
	// resource answers Ref (attribute "") and GetAtt of a resource.
	resource func(id, attribute string) (any, error)
	// exports answers Fn::ImportValue; imported are the names that were asked for.
	exports  func(name string) (string, bool)
	imported []string

	conditions map[string]bool
	pending    map[string]bool
	depth      int
}

// absent stands for AWS::NoValue: the property is taken away.
type absent struct{}

func templateError(format string, args ...any) error {
	return fail(400, "ValidationError", "Template error: "+fmt.Sprintf(format, args...))
}

// condition evaluates a named condition.
func (e *evaluator) condition(name string) (bool, error) {
	if v, ok := e.conditions[name]; ok {
		return v, nil
	}
	body, ok := e.doc.Conditions[name]
	if !ok {
		return false, templateError("unresolved condition dependency %s", name)
	}
	if e.pending[name] {
		return false, templateError("circular condition dependency at %s", name)
	}
	e.pending[name] = true
	v, err := e.truth(body)
	delete(e.pending, name)
	if err == nil {
		e.conditions[name] = v
	}
	return v, err
}

// truth evaluates a condition function.
func (e *evaluator) truth(v any) (bool, error) {
	if e.depth++; e.depth > 100 {
		return false, templateError("conditions are nested too deeply")
	}
	defer func() { e.depth-- }()
	switch t := v.(type) {
	case bool:
		return t, nil
	case string:
		if t == "true" || t == "false" {
			return t == "true", nil
		}
	}
	name, argument, ok := intrinsic(v)
	if !ok {
		return false, templateError("a condition must be a condition function")
	}
	list, _ := argument.([]any)
	switch name {
	case "Condition":
		return e.condition(textOf(argument))
	case "Fn::Equals":
		if len(list) != 2 {
			return false, templateError("Fn::Equals takes two values")
		}
		a, err := e.value(list[0])
		if err != nil {
			return false, err
		}
		b, err := e.value(list[1])
		return fmt.Sprint(a) == fmt.Sprint(b), err
	case "Fn::And", "Fn::Or":
		if len(list) < 2 || len(list) > 10 {
			return false, templateError("every %s object requires a list of at least 2 and at most 10 boolean parameters.", name)
		}
		for _, x := range list {
			b, err := e.truth(x)
			if err != nil {
				return false, err
			}
			if b == (name == "Fn::Or") {
				return b, nil
			}
		}
		return name == "Fn::And", nil
	case "Fn::Not":
		if len(list) != 1 {
			return false, templateError("Fn::Not takes one condition")
		}
		b, err := e.truth(list[0])
		return !b, err
	}
	return false, templateError("%s is no condition function", name)
}

// intrinsic says whether a value is an intrinsic function call.
func intrinsic(v any) (name string, argument any, ok bool) {
	m, isMap := v.(map[string]any)
	if !isMap || len(m) != 1 {
		return "", nil, false
	}
	for k, a := range m {
		if k == "Ref" || k == "Condition" || strings.HasPrefix(k, "Fn::") {
			return k, a, true
		}
	}
	return "", nil, false
}

// value resolves every function in a value. An absent value means that the member is
// absent.
func (e *evaluator) value(v any) (any, error) {
	if e.depth++; e.depth > 200 {
		return nil, templateError("values are nested too deeply")
	}
	defer func() { e.depth-- }()
	if name, argument, ok := intrinsic(v); ok && !(name == "Condition" && !isText(argument)) {
		return e.call(name, argument)
	}
	switch t := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, x := range t {
			r, err := e.value(x)
			if err != nil {
				return nil, err
			}
			if _, gone := r.(absent); !gone {
				out[k] = r
			}
		}
		return out, nil
	case []any:
		out := make([]any, 0, len(t))
		for _, x := range t {
			r, err := e.value(x)
			if err != nil {
				return nil, err
			}
			if _, gone := r.(absent); !gone {
				out = append(out, r)
			}
		}
		return out, nil
	}
	return v, nil
}

func isText(v any) bool { _, ok := v.(string); return ok }

func (e *evaluator) call(name string, argument any) (any, error) {
	list, _ := argument.([]any)
	switch name {
	case "Ref":
		return e.ref(textOf(argument))
	case "Fn::GetAtt":
		if len(list) != 2 {
			return nil, templateError("Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute")
		}
		return e.resource(textOf(list[0]), textOf(list[1]))
	case "Fn::If":
		if len(list) != 3 {
			return nil, templateError("Fn::If requires a list argument with three elements")
		}
		b, err := e.condition(textOf(list[0]))
		if err != nil {
			return nil, err
		}
		if b {
			return e.value(list[1])
		}
		return e.value(list[2])
	case "Fn::Sub":
		return e.sub(argument)
	case "Fn::ImportValue":
		v, err := e.value(argument)
		if err != nil {
			return nil, err
		}
		name := textOf(v)
		value, ok := "", false
		if e.exports != nil {
			value, ok = e.exports(name)
		}
		if !ok {
			return nil, invalid("No export named %s found", name)
		}
		if !slices.Contains(e.imported, name) {
			e.imported = append(e.imported, name)
		}
		return value, nil
	case "Fn::Join":
		if len(list) != 2 {
			return nil, templateError("Fn::Join requires a delimiter and a list")
		}
		values, err := e.texts(list[1])
		return strings.Join(values, textOf(list[0])), err
	case "Fn::Split":
		if len(list) != 2 {
			return nil, templateError("Fn::Split requires a delimiter and a text")
		}
		source, err := e.value(list[1])
		return anyList(strings.Split(textOf(source), textOf(list[0]))), err
	case "Fn::Select":
		if len(list) != 2 {
			return nil, templateError("Fn::Select requires an index and a list")
		}
		at, err := e.value(list[0])
		if err != nil {
			return nil, err
		}
		values, err := e.list(list[1])
		if err != nil {
			return nil, err
		}
		i, err := strconv.Atoi(fmt.Sprint(at))
		if err != nil || i < 0 || i >= len(values) {
			return nil, templateError("Fn::Select cannot select nonexistent value at index %v", at)
		}
		return values[i], nil
	case "Fn::FindInMap":
		keys, err := e.texts(argument)
		if err != nil || len(keys) < 3 {
			return nil, templateError("Fn::FindInMap requires a map name and two keys")
		}
		m, _ := e.doc.Mappings[keys[0]].(map[string]any)
		second, _ := m[keys[1]].(map[string]any)
		if v, ok := second[keys[2]]; ok {
			return v, nil
		}
		return nil, templateError("Unable to get mapping for %s::%s::%s", keys[0], keys[1], keys[2])
	case "Fn::Base64":
		v, err := e.value(argument)
		return base64.StdEncoding.EncodeToString([]byte(textOf(v))), err
	case "Fn::GetAZs":
		v, err := e.value(argument)
		region := textOf(v)
		if region == "" {
			region = e.pseudo["AWS::Region"]
		}
		return zones(region), err
	}
	if name == "Fn::Cidr" {
		arguments, err := e.list(argument)
		if err != nil || len(arguments) < 2 || len(arguments) > 3 {
			return nil, templateError("Fn::Cidr requires an IP block, a count and the bits of a subnet")
		}
		bits := 8 // of a subnet's addresses, unless given; a number may come as text
		count, isCount := number(arguments[1])
		if len(arguments) == 3 {
			n, isNumber := number(arguments[2])
			if !isNumber {
				return nil, templateError("Fn::Cidr requires a number of bits")
			}
			bits = int(n)
		}
		if !isCount {
			return nil, templateError("Fn::Cidr requires a count")
		}
		return cidr(textOf(arguments[0]), int(count), bits)
	}
	return nil, templateError("%s is not supported by the simulated CloudFormation", name)
}

// zones are the availability zones of every Region here.
func zones(region string) []any { return []any{region + "a", region + "b", region + "c"} }

func (e *evaluator) list(v any) ([]any, error) {
	r, err := e.value(v)
	if err != nil {
		return nil, err
	}
	if list, ok := r.([]any); ok {
		return list, nil
	}
	return nil, templateError("a list is needed, not %v", r)
}

func (e *evaluator) texts(v any) ([]string, error) {
	list, err := e.list(v)
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = textOf(x)
	}
	return out, err
}

// object resolves a resource's properties.
func (e *evaluator) object(properties map[string]any) (map[string]any, error) {
	v, err := e.value(properties)
	if err != nil {
		return nil, err
	}
	if m, ok := v.(map[string]any); ok {
		return m, nil
	}
	return nil, fail(400, "ValidationError", "Template format error: Every Properties member must be an object.")
}

func (e *evaluator) ref(name string) (any, error) {
	switch name {
	case "AWS::NoValue":
		return absent{}, nil
	case "AWS::NotificationARNs":
		return []any{}, nil
	}
	if v, ok := e.pseudo[name]; ok {
		return v, nil
	}
	if v, ok := e.params[name]; ok {
		return v, nil
	}
	return e.resource(name, "")
}

var placeholder = regexp.MustCompile(`\$\{([^}]*)\}`)

func (e *evaluator) sub(argument any) (any, error) {
	text, given := "", map[string]any{}
	switch t := argument.(type) {
	case string:
		text = t
	case []any:
		if len(t) != 2 {
			return nil, templateError("Fn::Sub takes a text, or a text and a map")
		}
		text = textOf(t[0])
		given, _ = t[1].(map[string]any)
	}
	var failure error
	out := placeholder.ReplaceAllStringFunc(text, func(match string) string {
		name := match[2 : len(match)-1]
		if strings.HasPrefix(name, "!") {
			return "${" + name[1:] + "}"
		}
		var v any
		var err error
		if own, ok := given[name]; ok {
			v, err = e.value(own)
		} else if id, attribute, dotted := strings.Cut(name, "."); dotted {
			v, err = e.resource(id, attribute)
		} else {
			v, err = e.ref(name)
		}
		if err != nil && failure == nil {
			failure = err
		}
		return substituted(v)
	})
	return out, failure
}

// substituted is a value inside a text: nothing for AWS::NoValue, lists with commas.
func substituted(v any) string {
	switch t := v.(type) {
	case absent:
		return ""
	case []any:
		words := make([]string, len(t))
		for i, x := range t {
			words[i] = textOf(x)
		}
		return strings.Join(words, ",")
	}
	return textOf(v)
}
