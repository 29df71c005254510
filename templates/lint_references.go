package templates

import (
	"maps"
	"slices"
	"strings"
)

// pseudo are the parameters that every template has. Source: CloudFormation user
// guide, pseudo parameters.
var pseudo = []string{
	"AWS::AccountId", "AWS::NotificationARNs", "AWS::NoValue", "AWS::Partition", "AWS::Region", "AWS::StackId",
	"AWS::StackName", "AWS::URLSuffix",
}

// checkReferences looks for names that lead nowhere.
func (l *linter) checkReferences() {
	parameters := slices.Collect(maps.Keys(l.doc.Parameters))
	known := append(slices.Clone(pseudo), parameters...)
	for _, r := range l.root.get("Conditions").names() {
		if slices.Contains(known, r.name) {
			continue
		}
		if _, resource := l.doc.Resources[r.name]; resource {
			l.say("RL021", r.at, "a condition cannot look at the resource %s", r.name)
		} else {
			l.say("RL020", r.at, "there is no parameter %q%s", r.name, meant(r.name, known))
		}
	}
	known = append(known, l.doc.ResourceOrder...)
	for _, section := range []string{"Resources", "Outputs"} {
		for _, r := range l.root.get(section).names() {
			_, resource := l.doc.Resources[r.name]
			switch {
			case r.attribute != "" && !resource:
				l.say("RL020", r.at, "there is no resource %q to get %s of%s", r.name, r.attribute, meant(r.name, l.doc.ResourceOrder))
			case !slices.Contains(known, r.name):
				l.say("RL020", r.at, "there is no parameter and no resource %q%s", r.name, meant(r.name, known))
			}
		}
		l.checkIntrinsics(l.root.get(section))
	}
	l.checkIntrinsics(l.root.get("Conditions"))
	for _, section := range []string{"Resources", "Outputs"} {
		for _, e := range l.root.get(section).entries {
			if c := e.value.get("Condition"); c.scalar() {
				l.condition(c)
			}
		}
	}
	for _, r := range l.resources {
		for _, d := range r.body.get("DependsOn").each() {
			if _, there := l.doc.Resources[d.text]; !there {
				l.say("RL023", d, "%s waits for %q, which is no resource%s", r.id, d.text, meant(d.text, l.doc.ResourceOrder))
			}
		}
	}
}

func (l *linter) condition(at *node) {
	if _, there := l.doc.Conditions[at.text]; !there {
		l.say("RL022", at, "there is no condition %q%s", at.text, meant(at.text, slices.Collect(maps.Keys(l.doc.Conditions))))
	}
}

// checkIntrinsics looks at the conditions and mappings that functions name.
func (l *linter) checkIntrinsics(section *node) {
	section.walk(func(n *node) bool {
		name, argument := n.function()
		switch name {
		case "Fn::If":
			if len(argument.items) != 3 {
				l.say("RL025", n, "Fn::If has %d parts, not a condition and two values", len(argument.items))
			} else if argument.items[0].scalar() {
				l.condition(argument.items[0])
			}
		case "Fn::And", "Fn::Or", "Fn::Not":
			for _, item := range argument.items {
				if len(item.entries) == 1 && item.entries[0].key == "Condition" {
					l.condition(item.entries[0].value)
				}
			}
		case "Fn::FindInMap":
			if len(argument.items) > 0 && argument.items[0].scalar() {
				mapping := l.root.get("Mappings").get(argument.items[0].text)
				if mapping.empty() {
					l.say("RL024", argument.items[0], "there is no mapping %q", argument.items[0].text)
				} else if len(argument.items) > 1 && argument.items[1].scalar() && !mapping.has(argument.items[1].text) {
					l.say("RL024", argument.items[1], "the mapping %s has no %q", argument.items[0].text, argument.items[1].text)
				}
			}
		}
		return true
	})
}

// checkCycles looks for resources that wait for each other, and for conditions that
// are made of each other.
func (l *linter) checkCycles() {
	edges := map[string][]string{}
	places := map[string]*node{}
	var order []string
	for _, r := range l.resources {
		order, places[r.id] = append(order, r.id), r.at
		for _, to := range r.body.names() {
			if _, there := l.doc.Resources[to.name]; there {
				edges[r.id] = append(edges[r.id], to.name)
			}
		}
		edges[r.id] = append(edges[r.id], r.body.get("DependsOn").literals()...)
	}
	l.cycle("resources wait", order, edges, places)

	edges, places, order = map[string][]string{}, map[string]*node{}, nil
	for _, e := range l.root.get("Conditions").entries {
		order, places[e.key] = append(order, e.key), e.at
		e.value.walk(func(n *node) bool {
			if c := n.get("Condition"); c.scalar() {
				edges[e.key] = append(edges[e.key], c.text)
			}
			return true
		})
	}
	l.cycle("conditions look", order, edges, places)
}

// cycle says each round trip once, where its first name of the text stands.
func (l *linter) cycle(what string, order []string, edges map[string][]string, places map[string]*node) {
	const fresh, open, done = 0, 1, 2
	state := map[string]int{}
	var path []string
	var visit func(string)
	visit = func(name string) {
		state[name] = open
		path = append(path, name)
		for _, to := range edges[name] {
			switch {
			case places[to] == nil:
			case state[to] == open:
				round := append(slices.Clone(path[slices.Index(path, to):]), to)
				l.say("RL026", places[to], "%s for each other: %s", what, strings.Join(round, " → "))
			case state[to] == fresh:
				visit(to)
			}
		}
		path = path[:len(path)-1]
		state[name] = done
	}
	for _, name := range order {
		if state[name] == fresh {
			visit(name)
		}
	}
}
