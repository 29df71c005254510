package simaws

import (
	"strings"
)

// allowsService says whether a policy (of a bucket, or a role's trust) lets a
// service principal do something: an Allow that matches and no Deny that does.
func allowsService(doc policyDocument, service, action, resource string, context map[string]string) bool {
	allowed := false
	for _, st := range doc.Statement {
		if !namesService(st, service) || !matchesAction(st, action) || !matchesResource(st, resource) || !conditionsHold(st.Conditions, context) {
			continue
		}
		if !st.Allow {
			return false
		}
		allowed = true
	}
	return allowed
}

func namesService(st policyStatement, service string) bool {
	for kind, who := range st.Principals {
		for _, w := range who {
			if w == "*" && (kind == "*" || kind == "AWS" && !st.Allow || kind == "Service") || kind == "Service" && strings.EqualFold(w, service) {
				return true
			}
		}
	}
	return false
}

func matchesAction(st policyStatement, action string) bool {
	if len(st.NotActions) > 0 {
		return !anyLike(st.NotActions, action, true)
	}
	return anyLike(st.Actions, action, true)
}

// matchesResource: a trust policy names no resource, and none means all.
func matchesResource(st policyStatement, resource string) bool {
	if len(st.NotResource) > 0 {
		return !anyLike(st.NotResource, resource, false)
	}
	return len(st.Resources) == 0 || anyLike(st.Resources, resource, false)
}

func anyLike(patterns []string, text string, fold bool) bool {
	for _, p := range patterns {
		if fold {
			p, text = strings.ToLower(p), strings.ToLower(text)
		}
		if like(p, text) {
			return true
		}
	}
	return false
}

// like matches IAM's wildcards: * any run of characters, ? one. It takes time
// proportional to the product of the lengths at worst.
func like(pattern, text string) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// conditionsHold evaluates a Condition block; keys of the context are
// lower-case. An operator that is not known here does not hold, so that nothing
// is allowed by mistake.
func conditionsHold(conditions map[string]map[string][]string, context map[string]string) bool {
	for operator, keys := range conditions {
		op := operator
		if i := strings.Index(op, ":"); i >= 0 {
			op = op[i+1:] // ForAnyValue:, ForAllValues: the context has single values
		}
		ifExists := strings.HasSuffix(op, "IfExists")
		op = strings.TrimSuffix(op, "IfExists")
		for key, values := range keys {
			have, present := context[strings.ToLower(key)]
			if !conditionHolds(op, have, present, ifExists, withVariables(values, context)) {
				return false
			}
		}
	}
	return true
}

func conditionHolds(op, have string, present, ifExists bool, values []string) bool {
	negated := strings.Contains(op, "Not")
	switch {
	case op == "Null":
		return len(values) > 0 && strings.EqualFold(values[0], "true") != present
	case !present:
		return ifExists || negated
	}
	found := false
	for _, v := range values {
		switch op {
		case "StringEquals", "StringNotEquals":
			found = found || v == have
		case "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "Bool":
			found = found || strings.EqualFold(v, have)
		case "StringLike", "StringNotLike", "ArnLike", "ArnNotLike", "ArnEquals", "ArnNotEquals":
			found = found || like(v, have)
		default:
			holds, known := ordered(op, have, v)
			if !known {
				return false
			}
			found = found || holds
		}
	}
	return found != negated
}
