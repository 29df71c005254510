package simaws

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// words are what the reader of templates finds, and how CloudFormation says it, as its
// API was seen to answer (localstack/localstack, test_validations.snapshot.json and
// test_templates.snapshot.json, recorded of AWS; issues of many tools). What begins with
// a bar comes without "Template format error: ".
var words = []struct {
	found *regexp.Regexp
	say   string
}{
	{regexp.MustCompile(`the logical id "([^"]*)" is to be letters`), "Resource name $1 is non alphanumeric."},
	{regexp.MustCompile(`resource (\w+)'s (DeletionPolicy|UpdateReplacePolicy) has no "([^"]*)"`), "Unrecognized $2 $3 for resource $1"},
	{regexp.MustCompile(`a template is to be a map`), "unsupported structure."},
	{regexp.MustCompile(`a template has no "([^"]*)"`), "|Invalid template property or properties [$1]"},
	{regexp.MustCompile(`resource (\w+) has no Type`), "[/Resources/$1] Every Resources object must contain a Type member."},
	{regexp.MustCompile(`resource \w+ has no "([^"]*)"`), "|Invalid template resource property '$1'"},
	{regexp.MustCompile(`resource \w+ is to be a map`), "Any Resources member must be an object."},
	{regexp.MustCompile(`parameter (\w+) has no Type`), "Every Parameters object must contain a Type member."},
	{regexp.MustCompile(`parameter \w+ has no "([^"]*)"`), "|Invalid template parameter property '$1'"},
	{regexp.MustCompile(`parameter \w+ is to be a map`), "Any Parameters member must be an object."},
	{regexp.MustCompile(`(?:.*'s )?(\w+) is to be a (?:map|string)$`), "Every $1 member must be @."},
}

var position = regexp.MustCompile(`^(\d+):(\d+): `)

// inTheirWords says what the reader of templates found as CloudFormation does.
func inTheirWords(body, found string) error {
	if strings.Contains(found, "not YAML: ") {
		return notWellFormed(body, found)
	}
	for _, w := range words {
		m := w.found.FindStringSubmatchIndex(found)
		if m == nil {
			continue
		}
		text := string(w.found.ExpandString(nil, w.say, found, m))
		kind := "an object"
		if strings.HasSuffix(found, "a string") {
			kind = "a string"
		}
		if bare, ok := strings.CutPrefix(text, "|"); ok {
			return validation(bare)
		}
		return validation("Template format error: " + strings.Replace(text, "@", kind, 1))
	}
	return validation("Template format error: " + position.ReplaceAllString(found, ""))
}

// notWellFormed says where a text stops being JSON or YAML; of YAML's column the reader
// knows nothing but where the document begins.
func notWellFormed(body, found string) error {
	var syntax *json.SyntaxError
	if strings.HasPrefix(strings.TrimSpace(body), "{") && errors.As(json.Unmarshal([]byte(body), new(any)), &syntax) {
		before := body[:min(int(syntax.Offset), len(body))]
		line := strings.Count(before, "\n") + 1
		return invalid("Template format error: JSON not well-formed. (line %d, column %d)", line, len(before)-strings.LastIndexByte(before, '\n')-1)
	}
	line, column := "1", "1"
	if m := position.FindStringSubmatch(found); m != nil {
		line, column = m[1], m[2]
	}
	return invalid("Template format error: YAML not well-formed. (line %s, column %s)", line, column)
}

// nullIn finds a null in a template, which CloudFormation takes nowhere, and gives its
// path; "" without one. A text that is no YAML is left to the reader of templates.
func nullIn(body string) string {
	var root yaml.Node
	if yaml.Unmarshal([]byte(body), &root) != nil || len(root.Content) != 1 || root.Content[0].Kind != yaml.MappingNode {
		return ""
	}
	return nullBelow(root.Content[0], "", 0)
}

func nullBelow(n *yaml.Node, path string, depth int) string {
	switch {
	case depth > 100: // the reader of templates refuses it
		return ""
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return path
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if found := nullBelow(n.Content[i+1], path+"/"+n.Content[i].Value, depth+1); found != "" {
				return found
			}
		}
	case n.Kind == yaml.SequenceNode:
		for i, item := range n.Content {
			if found := nullBelow(item, fmt.Sprintf("%s/%d", path, i), depth+1); found != "" {
				return found
			}
		}
	}
	return ""
}
