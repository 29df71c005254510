package templates

import (
	"regexp"
	"slices"
	"strings"
)

// ssmDocument is an SSM Automation document of a template.
type ssmDocument struct {
	lintResource
	content *node
	steps   []ssmStep
}

type ssmStep struct {
	*node
	name  string
	index int // of the list's item; both sides of an Fn::If have the same
}

// automations are the template's, in the order of the text.
func (l *linter) automations() []ssmDocument {
	if l.runbooks == nil {
		l.runbooks = []ssmDocument{}
		for _, r := range l.of("AWS::SSM::Document") {
			content := embedded(r.props.get("Content"))
			if kind := r.props.get("DocumentType").text; kind == "Automation" || content.get("schemaVersion").text == "0.3" {
				l.runbooks = append(l.runbooks, ssmDocument{lintResource: r, content: content, steps: stepsOf(content.get("mainSteps"), 0)})
			}
		}
	}
	return l.runbooks
}

// embedded is a document that stands in the template as a text, as the value it is.
func embedded(n *node) *node {
	text := n
	if name, argument := n.function(); name == "Fn::Sub" {
		if text = argument; argument.list && len(argument.items) > 0 {
			text = argument.items[0]
		}
	}
	if !text.scalar() {
		return n
	}
	tree, err := readNode([]byte(text.text))
	if err != nil {
		return n
	}
	inner := newNode(tree, 0)
	if !text.block {
		inner.stand(text)
		return inner
	}
	inner.walk(func(n *node) bool {
		n.line, n.column, n.margin = n.line+text.line, n.column+text.margin, n.margin+text.margin
		for _, e := range n.entries {
			if e.at != n {
				e.at.line, e.at.column = e.at.line+text.line, e.at.column+text.margin
			}
		}
		return true
	})
	return inner
}

func stepsOf(list *node, depth int) []ssmStep {
	var steps []ssmStep
	add := func(n *node, index int) {
		for _, o := range n.options() {
			steps = append(steps, ssmStep{o, o.get("name").text, index})
			if o.get("action").text == "aws:loop" && depth < 4 {
				for _, inner := range stepsOf(o.get("inputs").get("Steps"), depth+1) {
					inner.index = index
					steps = append(steps, inner)
				}
			}
		}
	}
	for _, o := range list.options() {
		for i, item := range o.items {
			add(item, i)
		}
	}
	return steps
}

func (a ssmDocument) step(name string) (ssmStep, bool) {
	i := slices.IndexFunc(a.steps, func(s ssmStep) bool { return s.name == name })
	if i < 0 {
		return ssmStep{}, false
	}
	return a.steps[i], true
}

func (a ssmDocument) stepNames() []string {
	var names []string
	for _, s := range a.steps {
		names = append(names, s.name)
	}
	return names
}

// checkAutomations looks at Systems Manager Automation documents.
func (l *linter) checkAutomations() {
	for _, a := range l.automations() {
		if !a.content.mapping || a.content.get("mainSteps").empty() {
			l.say("RL401", or(a.props.get("Content"), a.at), "the content of %s has no mainSteps", a.id)
			continue
		}
		if v := a.content.get("schemaVersion"); v.text != "0.3" {
			l.say("RL401", or(v, a.at), "the schemaVersion of %s is %q, and Automation knows 0.3", a.id, v.text)
		}
		l.checkRunbookParameters(a)
		l.checkAssumeRole(a)
		seen := map[string]int{}
		for _, s := range a.steps {
			switch first, twice := seen[s.name]; {
			case s.name == "" && s.get("name").empty():
				l.say("RL403", s.node, "a step of %s has no name", a.id)
			case twice && first != s.index:
				l.say("RL403", s.get("name"), "%s has two steps called %s", a.id, s.name)
			default:
				seen[s.name] = s.index
			}
			l.checkStep(a, s)
		}
		l.checkWay(a)
		for _, o := range a.content.get("outputs").each() {
			if o.scalar() {
				l.reference(a, len(a.steps), o.text, o)
			}
		}
		l.checkPermissions(a)
	}
}

// resourceName are parameters that say which resource a document acts on.
var resourceName = regexp.MustCompile(`(?:Id|Ids|Arn|ARN|Name|Role)$`)

func (l *linter) checkRunbookParameters(a ssmDocument) {
	filled := map[string]bool{}
	for _, r := range l.of("AWS::Config::RemediationConfiguration") {
		if d, ok := l.documentOf(r); ok && d.id == a.id {
			for _, e := range r.props.get("Parameters").entries {
				filled[e.key] = filled[e.key] || e.value.has("ResourceValue")
			}
		}
	}
	for _, p := range a.content.get("parameters").entries {
		kind, pattern := p.value.get("type").text, p.value.get("allowedPattern")
		if kind != "String" && kind != "StringList" {
			continue
		}
		if pattern.empty() && p.value.get("allowedValues").empty() && (filled[p.key] || resourceName.MatchString(p.key)) {
			l.say("RL411", p.at, "the parameter %s of %s names a resource and takes any text", p.key, a.id)
		}
		if t := pattern.text; pattern.scalar() && (!strings.HasPrefix(t, "^") || !strings.HasSuffix(t, "$")) {
			l.say("RL411", pattern, "the pattern of %s is not anchored: it matches a part of any text", p.key)
		}
	}
}

func (l *linter) checkAssumeRole(a ssmDocument) {
	role := a.content.get("assumeRole")
	if role.empty() {
		l.say("RL412", a.at, "%s has no assumeRole: it runs with the rights of whoever starts it", a.id)
		return
	}
	for _, r := range l.of("AWS::Config::RemediationConfiguration") {
		d, ok := l.documentOf(r)
		if !ok || d.id != a.id {
			continue
		}
		if strings.Join(strings.Fields(strings.Trim(role.text, "{}")), "") != "AutomationAssumeRole" {
			l.say("RL413", role, "the assumeRole of %s is not {{ AutomationAssumeRole }}, the one form that automatic remediation takes", a.id)
		}
		if !a.props.get("Name").empty() || a.props.get("UpdateMethod").text != "Replace" {
			l.say("RL414", a.at, "%s can change under the remediation %s", a.id, r.id)
		}
	}
}

// checkWay follows the steps: where each goes on to, and which nothing reaches.
func (l *linter) checkWay(a ssmDocument) {
	reached := map[string]bool{}
	var visit func(index int)
	target := func(n *node) {
		for _, o := range n.options() {
			if s, there := a.step(o.text); there && !reached[s.name] {
				visit(s.index)
			}
		}
	}
	visit = func(index int) {
		onward := false
		for _, s := range a.steps {
			if s.index != index || reached[s.name] {
				continue
			}
			reached[s.name] = true
			inputs := s.get("inputs")
			for _, c := range inputs.get("Choices").each() {
				target(c.get("NextStep"))
			}
			target(inputs.get("Default"))
			target(s.get("nextStep"))
			for _, key := range []string{"onFailure", "onCancel"} {
				if name, ok := strings.CutPrefix(s.get(key).text, "step:"); ok {
					target(&node{text: name, value: name})
				}
			}
			ends := strings.EqualFold(s.get("isEnd").text, "true")
			branch := s.get("action").text == "aws:branch"
			onward = onward || (!ends && !branch && s.get("nextStep").empty())
		}
		if onward {
			for _, s := range a.steps {
				if s.index == index+1 && !reached[s.name] {
					visit(s.index)
					break
				}
			}
		}
	}
	if len(a.steps) > 0 {
		visit(a.steps[0].index)
	}
	for _, s := range a.steps {
		if s.name != "" && !reached[s.name] {
			l.say("RL406", s.get("name"), "no way leads to the step %s of %s", s.name, a.id)
		}
	}
}
