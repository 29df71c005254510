package templates

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The quotas of CloudFormation on one template. Source: CloudFormation user guide,
// Understand CloudFormation quotas.
const (
	maxResources         = 500
	maxParameters        = 200
	maxOutputs           = 200
	maxMappings          = 200
	maxMappingAttributes = 200
	maxDescription       = 1024
	nearBody             = maxBody * 9 / 10
)

func (l *linter) checkSize() {
	whole := &node{line: 1, column: 1}
	switch n := len(l.body); {
	case n > maxBody:
		l.say("RL002", whole, "%d bytes are more than the %d that CloudFormation takes in a call", n, maxBody)
	case n > nearBody:
		l.say("RL003", whole, "%d of the %d bytes that CloudFormation takes in a call are used", n, maxBody)
	}
}

func (l *linter) checkQuotas() {
	for _, q := range []struct {
		section string
		most    int
	}{{"Resources", maxResources}, {"Parameters", maxParameters}, {"Outputs", maxOutputs}, {"Mappings", maxMappings}} {
		if n := len(l.root.get(q.section).entries); n > q.most {
			l.say("RL004", l.root.get(q.section), "%d %s are more than the %d that a template may have", n, strings.ToLower(q.section), q.most)
		}
	}
	for _, m := range l.root.get("Mappings").entries {
		for _, e := range m.value.entries {
			if n := len(e.value.entries); n > maxMappingAttributes {
				l.say("RL004", e.at, "%d attributes in a mapping are more than %d", n, maxMappingAttributes)
			}
		}
	}
	if n := len(l.doc.Description); n > maxDescription {
		l.say("RL004", l.root.get("Description"), "a description of %d bytes is longer than %d", n, maxDescription)
	}
}

// dropTwins says which keys are there twice and takes the later ones out.
func (l *linter) dropTwins(n *yaml.Node, depth int) {
	if depth > maxDepth {
		return
	}
	if n.Kind == yaml.MappingNode {
		first := map[string]int{}
		var kept []*yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			if line, twice := first[k.Value]; twice && k.Kind == yaml.ScalarNode {
				l.say("RL005", &node{line: k.Line, column: k.Column}, "the key %s is already there, in line %d", k.Value, line)
				continue
			}
			first[k.Value] = k.Line
			kept = append(kept, k, n.Content[i+1])
		}
		n.Content = kept
	}
	for _, child := range n.Content {
		l.dropTwins(child, depth+1)
	}
}

var sections = []string{
	"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions",
	"Transform", "Resources", "Outputs",
}

func (l *linter) dropUnknownSections(root *yaml.Node) {
	if root.Kind != yaml.MappingNode {
		return
	}
	// A text that has nothing of a template is no template with unknown sections.
	if !slices.ContainsFunc(root.Content, func(k *yaml.Node) bool { return k.Value == "Resources" }) {
		return
	}
	var kept []*yaml.Node
	for i := 0; i+1 < len(root.Content); i += 2 {
		k := root.Content[i]
		if k.Kind == yaml.ScalarNode && !custom(k) && !slices.Contains(sections, k.Value) {
			l.say("RL006", &node{line: k.Line, column: k.Column}, "a template has no section %s%s", k.Value, meant(k.Value, sections))
			continue
		}
		kept = append(kept, k, root.Content[i+1])
	}
	root.Content = kept
}

// meant is a question about the nearest of names, "" where none is near.
func meant(word string, names []string) string {
	if near := Nearest(word, names); near != "" {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	return ""
}

func (l *linter) checkParameters() {
	used := map[string]bool{}
	conditions := map[string]bool{}
	mappings := map[string]bool{}
	for _, section := range []string{"Conditions", "Resources", "Outputs", "Rules"} {
		for _, r := range l.root.get(section).names() {
			used[r.name] = true
		}
		l.root.get(section).walk(func(n *node) bool {
			if name, argument := n.function(); name == "Fn::If" && len(argument.items) > 0 {
				conditions[argument.items[0].text] = true
			} else if name == "Fn::FindInMap" && len(argument.items) > 0 {
				mappings[argument.items[0].text] = true
			}
			if c := n.get("Condition"); c.scalar() {
				conditions[c.text] = true
			}
			return true
		})
	}
	for _, e := range l.root.get("Parameters").entries {
		p := l.doc.Parameters[e.key]
		if !used[e.key] {
			l.say("RL011", e.at, "nothing uses the parameter %s", e.key)
		}
		switch {
		case !p.HasDefault && e.key != ParameterHomeRegion: // which rollout gives by itself
			l.say("RL010", e.at, "the parameter %s has no default", e.key)
		case p.HasDefault && !strings.HasPrefix(p.Type, "AWS::SSM::Parameter"):
			if err := p.Check(p.Default); err != nil {
				l.say("RL014", e.value.get("Default"), "its own default does not fit: %v", err)
			}
		}
	}
	for _, e := range l.root.get("Conditions").entries {
		if !conditions[e.key] {
			l.say("RL012", e.at, "nothing uses the condition %s", e.key)
		}
	}
	for _, e := range l.root.get("Mappings").entries {
		if !mappings[e.key] {
			l.say("RL013", e.at, "nothing uses the mapping %s", e.key)
		}
	}
}
