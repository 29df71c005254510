package templates

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	// maxDocument is the largest template that CloudFormation takes at all (from
	// S3, 1 MB), in bytes.
	maxDocument = 1 << 20
	// maxDepth is how deep values may nest. CloudFormation's own templates stay
	// under a dozen; a policy document adds a few.
	maxDepth = 64
)

// SyntaxError says what is wrong with a template, and where. Line and Column
// count from 1; both are 0 where the whole text is meant.
type SyntaxError struct {
	Line, Column int
	Message      string
}

func (e *SyntaxError) Error() string {
	if e.Line == 0 {
		return e.Message
	}
	return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Message)
}

func errorAt(n *yaml.Node, format string, args ...any) error {
	return &SyntaxError{Line: n.Line, Column: n.Column, Message: fmt.Sprintf(format, args...)}
}

// Parse reads a CloudFormation template, YAML or JSON, without evaluating
// anything. Errors are of type *SyntaxError and carry line:column. Duplicate keys,
// anchors, aliases and merge keys, and sections that CloudFormation does not know
// are errors, as are texts above 1 MiB and values nested deeper than 64.
func Parse(body []byte) (*Document, error) {
	if len(body) > maxDocument {
		return nil, &SyntaxError{Message: fmt.Sprintf("template is %d bytes; CloudFormation takes at most %d", len(body), maxDocument)}
	}
	root, err := readNode(body)
	if err != nil {
		return nil, err
	}
	return readDocument(root)
}

// readNode returns the one value in body. JSON is read as JSON: YAML knows neither
// its surrogate pairs nor, everywhere, its tabs.
func readNode(body []byte) (*yaml.Node, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if json.Valid(body) {
		return readJSON(body)
	}
	if err := tooDeep(body); err != nil {
		return nil, err
	}
	d := yaml.NewDecoder(bytes.NewReader(body))
	var doc yaml.Node
	if err := d.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &SyntaxError{Message: "template is empty"}
		}
		return nil, yamlError(err)
	}
	var more yaml.Node
	if err := d.Decode(&more); err == nil {
		return nil, errorAt(&more, "a template is one YAML document, and a second one starts here")
	} else if !errors.Is(err, io.EOF) {
		return nil, yamlError(err)
	}
	if len(doc.Content) != 1 {
		return nil, &SyntaxError{Message: "template is empty"}
	}
	return doc.Content[0], nil
}

// yamlError brings the YAML reader's error into our shape. It names a line only.
func yamlError(err error) error {
	var line int
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if n, _ := fmt.Sscanf(text, "line %d:", &line); n == 1 {
		_, text, _ = strings.Cut(text, ": ")
		return &SyntaxError{Line: line, Column: 1, Message: "not YAML: " + text}
	}
	return &SyntaxError{Message: "not YAML: " + text}
}

// tooDeep stops texts made of brackets before the YAML reader spends its time on
// them. It only counts, so brackets in strings count too; no template comes near.
func tooDeep(body []byte) error {
	depth, line := 0, 1
	for _, b := range body {
		switch b {
		case '[', '{':
			if depth++; depth > 16*maxDepth {
				return &SyntaxError{Line: line, Column: 1, Message: fmt.Sprintf("values nest deeper than %d", maxDepth)}
			}
		case ']', '}':
			depth = max(0, depth-1)
		case '\n':
			line++
		}
	}
	return nil
}

// pairs calls f for each key and value of a mapping, refusing duplicate keys.
func pairs(n *yaml.Node, what string, f func(key string, k, v *yaml.Node) error) error {
	if err := plain(n); err != nil {
		return err
	}
	if n.Kind != yaml.MappingNode || custom(n) {
		return errorAt(n, "%s is to be a map", what)
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if err := plain(k); err != nil {
			return err
		}
		if k.Kind != yaml.ScalarNode || custom(k) {
			return errorAt(k, "a key of %s is not a plain word", what)
		}
		if k.ShortTag() == "!!merge" {
			return errorAt(k, "CloudFormation does not know the merge key <<")
		}
		if first, twice := lines[k.Value]; twice {
			return errorAt(k, "key %q of %s is already there, in line %d", k.Value, what, first)
		}
		lines[k.Value] = k.Line
		if err := f(k.Value, k, v); err != nil {
			return err
		}
	}
	return nil
}

// plain refuses anchors and aliases: CloudFormation knows none, and they are how a
// short text becomes an endless one.
func plain(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return errorAt(n, "CloudFormation does not know YAML anchors and aliases")
	}
	return nil
}

// oneOf makes an error of a key that is not among those allowed.
func oneOf(k *yaml.Node, what string, allowed ...string) error {
	if slices.Contains(allowed, k.Value) {
		return nil
	}
	return errorAt(k, "%s has no %q; it may have %s", what, k.Value, strings.Join(allowed, ", "))
}
