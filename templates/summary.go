package templates

// Summary is a template as `rollout templates list --output json` shows it. No
// list in it is null.
type Summary struct {
	Name        string        `json:"name"`
	Title       string        `json:"title"`
	Scope       Scope         `json:"scope"`
	Rules       []RuleSummary `json:"rules"`
	Controls    []Control     `json:"controls"`
	Needs       []string      `json:"needs"`
	Remediation []string      `json:"remediation"`
	Description string        `json:"description"`
}

// RuleSummary is one rule of a Summary.
type RuleSummary struct {
	Name          string            `json:"name"`
	Identifier    string            `json:"identifier"`
	Title         string            `json:"title"`
	ResourceTypes []string          `json:"resource_types"`
	Parameters    map[string]string `json:"parameters"`
	Controls      []Control         `json:"controls"`
}

// Summaries are the embedded templates in deploy order.
func Summaries() []Summary {
	list := make([]Summary, 0, len(all))
	for _, t := range all {
		list = append(list, t.Summary())
	}
	return list
}

// Summary is t for display.
func (t Template) Summary() Summary {
	s := Summary{
		Name: t.Name, Title: t.Title, Description: t.Description, Scope: t.Scope, Rules: []RuleSummary{},
		Controls: filled(t.Controls()), Needs: filled(t.Needs), Remediation: t.Remediation(),
	}
	for _, r := range t.Rules {
		parameters := r.Parameters
		if parameters == nil {
			parameters = map[string]string{}
		}
		s.Rules = append(s.Rules, RuleSummary{
			Name: r.Name, Identifier: r.Identifier, Title: r.Title, Parameters: parameters,
			ResourceTypes: filled(r.ResourceTypes), Controls: filled(r.Controls),
		})
	}
	return s
}

// filled is list, and an empty list for nil.
func filled[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
