package templates

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// node is a value of a template that knows where it stands. Short-form intrinsics
// are maps of one entry, as their long forms are. The nil node is an empty value,
// so that a path through what may be missing needs no questions.
type node struct {
	line, column int
	mapping      bool
	list         bool
	text         string // of a scalar, as it was written
	value        any    // of a scalar, as CloudFormation reads it
	block        bool   // a literal text (|), which begins in the next line
	margin       int    // how far that is indented
	entries      []nodeEntry
	items        []*node
}

type nodeEntry struct {
	key   string
	at    *node // the key's place
	value *node
}

var nothing = &node{}

// newNode takes over what the YAML reader read. It cannot fail: what CloudFormation
// does not take was refused before.
func newNode(n *yaml.Node, depth int) *node {
	out := &node{line: n.Line, column: n.Column}
	if depth > maxDepth || n.Kind == yaml.AliasNode {
		return out
	}
	if custom(n) {
		bare := *n
		bare.Tag = ""
		if n.Kind == yaml.ScalarNode {
			bare.Tag = "!!str"
		}
		out.mapping = true
		out.entries = []nodeEntry{{key: shortForms[n.Tag], at: out, value: newNode(&bare, depth+1)}}
		return out
	}
	switch n.Kind {
	case yaml.MappingNode:
		out.mapping = true
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			out.entries = append(out.entries, nodeEntry{key: k.Value, at: &node{line: k.Line, column: k.Column}, value: newNode(n.Content[i+1], depth+1)})
		}
	case yaml.SequenceNode:
		out.list = true
		for _, item := range n.Content {
			out.items = append(out.items, newNode(item, depth+1))
		}
	default:
		out.text = n.Value
		out.block = n.Style&yaml.LiteralStyle != 0
		out.value, _ = readScalar(n)
	}
	return out
}

// get is the value of a key, an empty node where there is none.
func (n *node) get(key string) *node {
	for _, e := range n.entries {
		if e.key == key {
			return e.value
		}
	}
	return nothing
}

// has says whether the key is there.
func (n *node) has(key string) bool {
	return slices.ContainsFunc(n.entries, func(e nodeEntry) bool { return e.key == key })
}

// empty says whether there is nothing: no entry, no item, no text.
func (n *node) empty() bool { return len(n.entries) == 0 && len(n.items) == 0 && n.value == nil }

// scalar says whether n is written out: a string, number or boolean.
func (n *node) scalar() bool { return !n.mapping && !n.list && n.value != nil }

// function is the intrinsic function that n is, with its argument; "" for none.
func (n *node) function() (string, *node) {
	if len(n.entries) != 1 {
		return "", nothing
	}
	key := n.entries[0].key
	if key == "Ref" || strings.HasPrefix(key, "Fn::") {
		return key, n.entries[0].value
	}
	return "", nothing
}

// ref is what n refers to with Ref, "" if it does not.
func (n *node) ref() string {
	if name, argument := n.function(); name == "Ref" {
		return argument.text
	}
	return ""
}

// attribute are the resource and the attribute that n gets with GetAtt.
func (n *node) attribute() (resource, attribute string) {
	name, argument := n.function()
	if name != "Fn::GetAtt" {
		return "", ""
	}
	if argument.list && len(argument.items) > 0 {
		if len(argument.items) > 1 {
			attribute = argument.items[1].text
		}
		return argument.items[0].text, attribute
	}
	resource, attribute, _ = strings.Cut(argument.text, ".")
	return resource, attribute
}

// options are the values that n may have: both sides of each Fn::If, without those
// that are AWS::NoValue.
func (n *node) options() []*node {
	name, argument := n.function()
	switch {
	case name == "Fn::If" && len(argument.items) == 3:
		return append(argument.items[1].options(), argument.items[2].options()...)
	case n.ref() == "AWS::NoValue":
		return nil
	}
	return []*node{n}
}

// each are the items of a list, or the one value that stands for a list of one,
// with their options.
func (n *node) each() []*node {
	var all []*node
	for _, o := range n.options() {
		if !o.list {
			if !o.empty() {
				all = append(all, o)
			}
			continue
		}
		for _, item := range o.items {
			for _, o := range item.options() {
				if o.list {
					all = append(all, o.each()...) // Fn::If of a list inside a list
				} else {
					all = append(all, o)
				}
			}
		}
	}
	return all
}

// literals are those of each that are written out.
func (n *node) literals() []string {
	var list []string
	for _, item := range n.each() {
		if item.scalar() {
			list = append(list, item.text)
		}
	}
	return list
}

// walk calls f for n and every value below it until f says to go no deeper.
func (n *node) walk(f func(*node) bool) {
	if !f(n) {
		return
	}
	for _, e := range n.entries {
		e.value.walk(f)
	}
	for _, item := range n.items {
		item.walk(f)
	}
}

// names are what n, at any depth, refers to by Ref, GetAtt or Sub: names of
// parameters, resources and pseudo parameters, with the places.
func (n *node) names() []reached {
	var all []reached
	n.walk(func(v *node) bool {
		name, argument := v.function()
		switch name {
		case "Ref":
			all = append(all, reached{argument.text, "", argument})
		case "Fn::GetAtt":
			resource, attribute := v.attribute()
			all = append(all, reached{resource, attribute, argument})
		case "Fn::Sub":
			template, own := argument, nothing
			if argument.list && len(argument.items) > 0 {
				template = argument.items[0]
				if len(argument.items) > 1 {
					own = argument.items[1]
				}
			}
			for _, word := range substitutions(template.text) {
				if own.has(word) {
					continue
				}
				resource, attribute, dotted := strings.Cut(word, ".")
				if !dotted {
					attribute = ""
				}
				all = append(all, reached{resource, attribute, template})
			}
		}
		return true
	})
	return all
}

// reached is a name that something refers to; attribute is "" for Ref.
type reached struct {
	name, attribute string
	at              *node
}

// mentions says whether n refers to one of the names, at any depth.
func (n *node) mentions(names ...string) bool {
	return slices.ContainsFunc(n.names(), func(r reached) bool { return slices.Contains(names, r.name) })
}

// substitutions are the names in ${} of a text of Fn::Sub, without ${!Literal}.
func substitutions(text string) []string {
	var names []string
	for {
		_, rest, found := strings.Cut(text, "${")
		if !found {
			return names
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return names
		}
		if !strings.HasPrefix(name, "!") {
			names = append(names, strings.TrimSpace(name))
		}
		text = after
	}
}
