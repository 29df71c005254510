package templates

import (
	"slices"
	"strconv"
	"strings"
)

// checkRemediations looks at AWS Config's remediations.
func (l *linter) checkRemediations() {
	for _, r := range l.of("AWS::Config::RemediationConfiguration") {
		if a := r.props.get("Automatic"); a.scalar() && strings.EqualFold(a.text, "true") {
			l.say("RL311", a, "%s remediates by itself wherever it is deployed", r.id)
		}
		if r.props.get("TargetVersion").empty() {
			l.say("RL312", r.at, "%s names no TargetVersion: whoever may change the document's default version changes what runs", r.id)
		}
		if t := r.props.get("TargetType"); t.scalar() && t.text != "SSM_DOCUMENT" {
			l.say("RL314", t, "the TargetType of %s is %s, and Config knows SSM_DOCUMENT only", r.id, t.text)
		}
		l.within(r, r.props.get("MaximumAutomaticAttempts"), "MaximumAutomaticAttempts", 1, 25)
		l.within(r, r.props.get("RetryAttemptSeconds"), "RetryAttemptSeconds", 1, 2678000)
		controls := r.props.get("ExecutionControls").get("SsmControls")
		l.within(r, controls.get("ConcurrentExecutionRatePercentage"), "ConcurrentExecutionRatePercentage", 1, 100)
		l.within(r, controls.get("ErrorPercentage"), "ErrorPercentage", 1, 100)
		l.checkRemediationParameters(r)
	}
}

// within says which of the values that n may have lie outside of what AWS takes.
func (l *linter) within(r lintResource, n *node, what string, least, most int) {
	for _, o := range n.options() {
		if p, ok := l.doc.Parameters[o.ref()]; ok {
			if (p.MinValue != nil && *p.MinValue < float64(least)) || (p.MaxValue != nil && *p.MaxValue > float64(most)) {
				l.say("RL313", o, "%s of %s may be between %d and %d, and the parameter %s goes beyond", what, r.id, least, most, p.Name)
			}
			continue
		}
		if !o.scalar() {
			continue
		}
		if v, err := strconv.Atoi(o.text); err != nil || v < least || v > most {
			l.say("RL313", o, "%s of %s may be between %d and %d, not %s", what, r.id, least, most, o.text)
		}
	}
}

func (l *linter) checkRemediationParameters(r lintResource) {
	given := r.props.get("Parameters")
	if name, _ := given.function(); name != "" {
		return
	}
	resource := false
	for _, e := range given.entries {
		for _, o := range e.value.options() {
			v := o.get("ResourceValue").get("Value")
			if !v.empty() {
				resource = true
				if v.scalar() && v.text != "RESOURCE_ID" {
					l.say("RL315", v, "the ResourceValue of %s is %s, and Config fills in RESOURCE_ID only", e.key, v.text)
				}
			}
			if values := o.get("StaticValue").get("Values"); values.list && len(values.items) > 1 && e.key == "AutomationAssumeRole" {
				l.say("RL315", values, "AutomationAssumeRole of %s has several values", r.id)
			}
		}
	}
	if !resource {
		l.say("RL316", or(given, r.at), "%s gives its document no RESOURCE_ID, so every run acts on the same thing", r.id)
	}
	document, ok := l.documentOf(r)
	if !given.has("AutomationAssumeRole") && (!ok || document.content.get("parameters").has("AutomationAssumeRole")) {
		l.say("RL317", or(given, r.at), "%s gives no AutomationAssumeRole", r.id)
	}
	if !ok {
		return
	}
	var names []string
	for _, p := range document.content.get("parameters").entries {
		names = append(names, p.key)
		if !p.value.has("default") && !given.has(p.key) && p.key != "AutomationAssumeRole" {
			l.say("RL318", or(given, r.at), "%s does not give the parameter %s, which its document wants", r.id, p.key)
		}
	}
	for _, e := range given.entries {
		at := document.content.get("parameters").get(e.key)
		if !slices.Contains(names, e.key) {
			l.say("RL318", e.at, "the document of %s has no parameter %q%s", r.id, e.key, taken(e.key, names))
			continue
		}
		l.checkStaticValues(r, e, at)
	}
}

// checkStaticValues holds values that are written out against those that the
// document's parameter allows.
func (l *linter) checkStaticValues(r lintResource, given nodeEntry, parameter *node) {
	allowed := parameter.get("allowedValues").literals()
	if len(allowed) == 0 || len(allowed) != len(parameter.get("allowedValues").each()) {
		return
	}
	for _, v := range given.value.get("StaticValue").get("Values").each() {
		var values []string
		if v.scalar() {
			values = []string{v.text}
		} else if p, ok := l.doc.Parameters[v.ref()]; ok {
			values = p.AllowedValues
		}
		for _, text := range values {
			if !slices.Contains(allowed, text) {
				l.say("RL318", v, "%s of %s may be %q, and its document allows %s", given.key, r.id, text, strings.Join(allowed, ", "))
			}
		}
	}
}

// documentOf is the document of this template that a remediation runs.
func (l *linter) documentOf(r lintResource) (ssmDocument, bool) {
	id := r.props.get("TargetId").ref()
	for _, a := range l.automations() {
		if a.id == id {
			return a, true
		}
	}
	return ssmDocument{}, false
}
