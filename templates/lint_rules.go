package templates

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// checkRules looks at AWS Config's rules.
func (l *linter) checkRules() {
	recorders := l.of("AWS::Config::ConfigurationRecorder")
	_, unnamed := rulesOf(l.doc)
	for _, r := range l.of("AWS::Config::ConfigRule") {
		name := r.props.get("ConfigRuleName")
		if slices.Contains(unnamed, r.id) {
			l.say("RL301", or(name, r.at), "the name of the rule %s is not known without an account or a Region, so no report can show it", r.id)
		}
		if len(recorders) > 0 && !l.waitsFor(r, recorders) {
			l.say("RL309", r.at, "%s does not wait for the recorder, and Config takes no rule where nothing records", r.id)
		}
		source := r.props.get("Source")
		owner := source.get("Owner")
		if owner.text != "AWS" {
			continue
		}
		for _, id := range source.get("SourceIdentifier").options() {
			if !id.scalar() {
				continue
			}
			rule, known := configRules()[id.text]
			if !known {
				l.say("RL302", id, "AWS Config has no managed rule %q%s", id.text, meant(id.text, slices.Collect(maps.Keys(configRules()))))
				continue
			}
			l.checkManagedRule(r, id.text, rule)
		}
	}
}

func or(n, otherwise *node) *node {
	if n.empty() {
		return otherwise
	}
	return n
}

// waitsFor says whether r waits, over any number of steps, for one of others.
func (l *linter) waitsFor(r lintResource, others []lintResource) bool {
	seen := map[string]bool{}
	var looks func(lintResource) bool
	looks = func(r lintResource) bool {
		if seen[r.id] {
			return false
		}
		seen[r.id] = true
		next := r.body.get("DependsOn").literals()
		for _, n := range r.body.names() {
			next = append(next, n.name)
		}
		for _, id := range next {
			if slices.ContainsFunc(others, func(o lintResource) bool { return o.id == id }) {
				return true
			}
			if to, there := l.resource(id); there && looks(to) {
				return true
			}
		}
		return false
	}
	return looks(r)
}

func (l *linter) checkManagedRule(r lintResource, identifier string, rule managedRule) {
	if f := r.props.get("MaximumExecutionFrequency"); !f.empty() && !rule.periodic {
		l.say("RL307", f, "%s runs when a resource changes, not by the clock", identifier)
	}
	scope := r.props.get("Scope")
	if types := scope.get("ComplianceResourceTypes"); !scope.empty() && !rule.onChange {
		l.say("RL308", scope, "%s runs by the clock only, and AWS Config refuses a scope for it", identifier)
	} else if len(rule.resourceTypes) > 0 {
		for _, t := range types.each() {
			if t.scalar() && !slices.Contains(rule.resourceTypes, t.text) {
				l.say("RL306", t, "%s never looks at %s, only at %s", identifier, t.text, strings.Join(rule.resourceTypes, ", "))
			}
		}
	}
	l.checkRuleParameters(r, identifier, rule)
}

// checkRuleParameters holds a rule's InputParameters against what the rule takes.
func (l *linter) checkRuleParameters(r lintResource, identifier string, rule managedRule) {
	property := r.props.get("InputParameters")
	options := property.options()
	if property.empty() {
		options = []*node{{line: r.at.line, column: r.at.column, mapping: true}}
	}
	var names []string
	for _, p := range rule.parameters {
		names = append(names, p.name)
	}
	for _, given := range options {
		given = jsonIn(given)
		if name, _ := given.function(); name != "" || !given.mapping {
			continue // made by a function: nobody knows
		}
		for _, e := range given.entries {
			i := slices.IndexFunc(rule.parameters, func(p managedParameter) bool { return p.name == e.key })
			if i < 0 {
				l.say("RL303", e.at, "%s takes no parameter %q%s", identifier, e.key, taken(e.key, names))
				continue
			}
			for _, v := range e.value.options() {
				if why := rule.parameters[i].problem(v); why != "" {
					l.say("RL305", v, "the parameter %s of %s %s", e.key, identifier, why)
				}
			}
		}
		for _, p := range rule.parameters {
			if p.required && !given.has(p.name) {
				l.say("RL304", or(property, r.at), "%s is nothing without its parameter %s", identifier, p.name)
			}
		}
	}
}

func taken(word string, names []string) string {
	if len(names) == 0 {
		return "; it takes none"
	}
	if hint := meant(word, names); hint != "" {
		return hint
	}
	return "; it takes " + strings.Join(names, ", ")
}

// jsonIn is a text that holds JSON as the value it is; its parts all stand where
// the text does.
func jsonIn(n *node) *node {
	if !n.scalar() || !strings.HasPrefix(strings.TrimSpace(n.text), "{") || !json.Valid([]byte(n.text)) {
		return n
	}
	tree, err := readJSON([]byte(n.text))
	if err != nil {
		return n
	}
	inner := newNode(tree, 0)
	inner.stand(n)
	return inner
}

// stand moves n and all below it to a place.
func (n *node) stand(at *node) {
	n.line, n.column = at.line, at.column
	for _, e := range n.entries {
		e.at.line, e.at.column = at.line, at.column
		e.value.stand(at)
	}
	for _, item := range n.items {
		item.stand(at)
	}
}

// problem says what is wrong with a value, "" for nothing or for what is not written
// out.
func (p managedParameter) problem(v *node) string {
	if v.list {
		return "is a list, where a text with commas is wanted"
	}
	if !v.scalar() {
		return ""
	}
	text := v.text
	switch p.kind {
	case "int":
		if _, err := strconv.Atoi(strings.TrimSpace(text)); err != nil {
			return "is to be a whole number, not " + strconv.Quote(text)
		}
	case "double":
		if _, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err != nil {
			return "is to be a number, not " + strconv.Quote(text)
		}
	case "boolean":
		if !strings.EqualFold(text, "true") && !strings.EqualFold(text, "false") {
			return "is to be true or false, not " + strconv.Quote(text)
		}
	}
	if p.allowed != nil && !slices.ContainsFunc(p.allowed, func(a string) bool { return strings.EqualFold(a, text) }) {
		return "is to be " + strings.Join(p.allowed, ", ") + ", not " + strconv.Quote(text)
	}
	return ""
}
