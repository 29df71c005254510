package simaws

import (
	"encoding/json"
	"fmt"
)

// policyDocument is an IAM policy: a role's trust or permissions, a session
// policy, a bucket policy.
type policyDocument struct {
	Version   string
	Statement []policyStatement
}

type policyStatement struct {
	Sid                    string
	Allow                  bool
	Actions, NotActions    []string
	Resources, NotResource []string
	// Principals by kind: "AWS", "Service", "*".
	Principals map[string][]string
	// Conditions by operator, then key.
	Conditions map[string]map[string][]string
}

// parsePolicy reads a policy from JSON text or from decoded values (as a
// template gives it). Its errors are texts for MalformedPolicyDocument.
func parsePolicy(v any) (policyDocument, error) {
	var doc policyDocument
	switch t := v.(type) {
	case string:
		var decoded any
		if err := json.Unmarshal([]byte(t), &decoded); err != nil {
			return doc, policyError("This policy contains invalid Json")
		}
		return parsePolicy(decoded)
	case []byte:
		return parsePolicy(string(t))
	case map[string]any:
		doc.Version, _ = t["Version"].(string)
		statements, ok := t["Statement"].([]any)
		if one, isOne := t["Statement"].(map[string]any); isOne {
			statements, ok = []any{one}, true
		}
		if !ok {
			return doc, policyError("Syntax errors in policy.")
		}
		for _, raw := range statements {
			m, ok := raw.(map[string]any)
			if !ok {
				return doc, policyError("Syntax errors in policy.")
			}
			st, err := parseStatement(m)
			if err != nil {
				return doc, err
			}
			doc.Statement = append(doc.Statement, st)
		}
		return doc, nil
	}
	return doc, policyError("Syntax errors in policy.")
}

func parseStatement(m map[string]any) (policyStatement, error) {
	st := policyStatement{
		Actions: texts(m["Action"]), NotActions: texts(m["NotAction"]),
		Resources: texts(m["Resource"]), NotResource: texts(m["NotResource"]),
	}
	st.Sid, _ = m["Sid"].(string)
	switch m["Effect"] {
	case "Allow":
		st.Allow = true
	case "Deny":
	default:
		return st, policyError("Syntax errors in policy.")
	}
	switch p := m["Principal"].(type) {
	case string:
		st.Principals = map[string][]string{"*": {p}}
	case map[string]any:
		st.Principals = map[string][]string{}
		for kind, who := range p {
			st.Principals[kind] = texts(who)
		}
	}
	if conditions, ok := m["Condition"].(map[string]any); ok {
		st.Conditions = map[string]map[string][]string{}
		for operator, keys := range conditions {
			byKey, ok := keys.(map[string]any)
			if !ok {
				return st, policyError("Syntax errors in policy.")
			}
			st.Conditions[operator] = map[string][]string{}
			for key, values := range byKey {
				st.Conditions[operator][key] = texts(values)
			}
		}
	}
	return st, nil
}

// policyError is why a policy is refused, in IAM's words.
type policyError string

func (e policyError) Error() string { return string(e) }

// texts reads one text or a list of them; booleans and numbers become text.
func texts(v any) []string {
	switch t := v.(type) {
	case nil:
		return nil
	case []any:
		out := make([]string, 0, len(t))
		for _, x := range t {
			out = append(out, fmt.Sprint(x))
		}
		return out
	case []string:
		return t
	default:
		return []string{fmt.Sprint(t)}
	}
}

// access is one thing somebody wants to do.
type access struct {
	Action   string // "ec2:RevokeSecurityGroupIngress"
	Resource string // an ARN or "*"
	// Context holds condition keys, lower-cased: "aws:resourcetag/rollout-exempt".
	Context map[string]string
}
