package templates

import (
	"bytes"
	"encoding/json"
	"sort"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// jsonReader turns JSON into the nodes that YAML gives, so that one reader does for
// both and an error can still say line and column.
type jsonReader struct {
	d     *json.Decoder
	body  []byte
	lines []int64 // the offset at which each line starts
}

func readJSON(body []byte) (*yaml.Node, error) {
	r := &jsonReader{d: json.NewDecoder(bytes.NewReader(body)), body: body, lines: []int64{0}}
	r.d.UseNumber()
	for i, b := range body {
		if b == '\n' {
			r.lines = append(r.lines, int64(i)+1)
		}
	}
	return r.value(0)
}

func (r *jsonReader) value(depth int) (*yaml.Node, error) {
	n := r.here()
	if depth > maxDepth {
		return nil, errorAt(n, "values nest deeper than %d", maxDepth)
	}
	token, err := r.d.Token()
	if err != nil {
		return nil, errorAt(n, "not JSON: %v", err)
	}
	switch t := token.(type) {
	case json.Delim:
		n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
		if t == '{' {
			n.Kind, n.Tag = yaml.MappingNode, "!!map"
		}
		for r.d.More() {
			child, err := r.value(depth + 1)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, child)
		}
		_, err := r.d.Token() // the closing bracket
		return n, err
	case string:
		n.Kind, n.Tag, n.Value, n.Style = yaml.ScalarNode, "!!str", t, yaml.DoubleQuotedStyle
	case json.Number:
		n.Kind, n.Tag, n.Value = yaml.ScalarNode, "!!float", t.String()
		if _, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
			n.Tag = "!!int"
		}
	case bool:
		n.Kind, n.Tag, n.Value = yaml.ScalarNode, "!!bool", strconv.FormatBool(t)
	default:
		n.Kind, n.Tag, n.Value = yaml.ScalarNode, "!!null", "null"
	}
	return n, nil
}

// here is a node at the next token.
func (r *jsonReader) here() *yaml.Node {
	at := r.d.InputOffset()
	for at < int64(len(r.body)) && bytes.IndexByte([]byte(" \t\r\n,:"), r.body[at]) >= 0 {
		at++
	}
	line := sort.Search(len(r.lines), func(i int) bool { return r.lines[i] > at })
	return &yaml.Node{Line: line, Column: int(at-r.lines[line-1]) + 1}
}
