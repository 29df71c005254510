package templates

import (
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// shortForms are the intrinsic functions that have a YAML short form, by tag.
// Source: CloudFormation's intrinsic function reference.
var shortForms = map[string]string{
	"!Ref": "Ref", "!Condition": "Condition",
	"!And": "Fn::And", "!Base64": "Fn::Base64", "!Cidr": "Fn::Cidr", "!Equals": "Fn::Equals",
	"!FindInMap": "Fn::FindInMap", "!GetAtt": "Fn::GetAtt", "!GetAZs": "Fn::GetAZs", "!If": "Fn::If",
	"!ImportValue": "Fn::ImportValue", "!Join": "Fn::Join", "!Length": "Fn::Length", "!Not": "Fn::Not",
	"!Or": "Fn::Or", "!Select": "Fn::Select", "!Split": "Fn::Split", "!Sub": "Fn::Sub",
	"!ToJsonString": "Fn::ToJsonString", "!Transform": "Fn::Transform",
}

// custom says whether n has a tag of its own, as short-form intrinsics have.
func custom(n *yaml.Node) bool {
	return strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") && n.Tag != "!"
}

// readValue is a node as plain Go values.
func readValue(n *yaml.Node, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errorAt(n, "values nest deeper than %d", maxDepth)
	}
	if err := plain(n); err != nil {
		return nil, err
	}
	if !custom(n) {
		return readPlain(n, depth)
	}
	name, known := shortForms[n.Tag]
	if !known {
		return nil, errorAt(n, "CloudFormation does not know the tag %s", n.Tag)
	}
	bare := *n
	bare.Tag = ""
	if n.Kind == yaml.ScalarNode {
		bare.Tag = "!!str" // !Ref 1 names a thing called 1
	}
	argument, err := readPlain(&bare, depth)
	if err != nil {
		return nil, err
	}
	return intrinsic(name, argument), nil
}

// intrinsic is the long form, with GetAtt's argument as a list.
func intrinsic(name string, argument any) map[string]any {
	if s, ok := argument.(string); ok && name == "Fn::GetAtt" {
		if resource, attribute, found := strings.Cut(s, "."); found {
			argument = []any{resource, attribute}
		}
	}
	return map[string]any{name: argument}
}

func readPlain(n *yaml.Node, depth int) (any, error) {
	switch n.Kind {
	case yaml.MappingNode:
		return readMap(n, depth)
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, item := range n.Content {
			v, err := readValue(item, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	default:
		return readScalar(n)
	}
}

func readMap(n *yaml.Node, depth int) (map[string]any, error) {
	m := make(map[string]any, len(n.Content)/2)
	err := pairs(n, "this map", func(key string, _, v *yaml.Node) error {
		value, err := readValue(v, depth+1)
		m[key] = value
		return err
	})
	if argument, ok := m["Fn::GetAtt"]; ok && len(m) == 1 {
		m = intrinsic("Fn::GetAtt", argument)
	}
	return m, err
}

// yaml11 are the words that YAML 1.1, which CloudFormation reads, takes for
// booleans, and YAML 1.2 for words.
var yaml11 = map[string]bool{
	"yes": true, "Yes": true, "YES": true, "on": true, "On": true, "ON": true,
	"no": false, "No": false, "NO": false, "off": false, "Off": false, "OFF": false,
}

// readScalar is the value of a scalar, as YAML 1.1 has it.
func readScalar(n *yaml.Node) (any, error) {
	switch n.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true"), nil
	case "!!int", "!!float":
		return readNumber(n.Value), nil
	case "!!binary":
		return nil, errorAt(n, "CloudFormation does not know the tag !!binary")
	}
	if word, ok := yaml11[n.Value]; ok && n.Style == 0 && n.Tag == "!!str" {
		return word, nil
	}
	return n.Value, nil
}

// readNumber is an int64 or a float64. What would lose digits as a number stays a
// string, and so does what has leading zeros: it is an account id more often than an
// octal number.
func readNumber(s string) any {
	unsigned := strings.TrimLeft(s, "+-")
	if len(unsigned) > 1 && unsigned[0] == '0' && digits(unsigned) > 1 {
		return s
	}
	if i, err := strconv.ParseInt(s, 0, 64); err == nil {
		return i
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) || !strings.ContainsAny(s, ".eE") {
		return s
	}
	return f
}

// text is a scalar as the string that CloudFormation makes of it: true and false
// for booleans, numbers as they were written.
func text(n *yaml.Node, what string) (string, error) {
	if err := plain(n); err != nil {
		return "", err
	}
	if n.Kind != yaml.ScalarNode || custom(n) || n.ShortTag() == "!!null" {
		return "", errorAt(n, "%s is to be a string", what)
	}
	v, err := readScalar(n)
	if b, ok := v.(bool); ok {
		return strconv.FormatBool(b), err
	}
	return n.Value, err
}
