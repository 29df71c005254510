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
	Enforces    string        `json:"enforces"`    // "" for none
	EnforcedBy  string        `json:"enforced_by"` // "" for none
	Grade       int           `json:"grade"`
	Baseline    bool          `json:"baseline"`
}

// RuleSummary is one rule of a Summary.
type RuleSummary struct {
	Name          string            `json:"name"`
	Identifier    string            `json:"identifier"`
	Title         string            `json:"title"`
	Checks        string            `json:"checks"`
	ResourceTypes []string          `json:"resource_types"`
	Parameters    map[string]string `json:"parameters"`
	Controls      []Control         `json:"controls"`
}

// Detail is all that is known of a template: `rollout templates show NAME --output
// json`. No list in it is null.
type Detail struct {
	Summary
	About
	// Enforcement is null for a template that does not enforce.
	Enforcement  *Remediation       `json:"enforcement"`
	Parameters   []ParameterSummary `json:"parameters"`
	Capabilities []string           `json:"capabilities"`
	// DeployActions are what CloudFormation needs in the account, RoleActions what the
	// template's own roles may do there.
	DeployActions []string `json:"deploy_actions"`
	RoleActions   []string `json:"role_actions"`
	SHA256        string   `json:"sha256"`
	Bytes         int      `json:"bytes"`
	Body          string   `json:"body"`
}

// ParameterSummary is one parameter of a Detail.
type ParameterSummary struct {
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	Default     *string  `json:"default"` // null: it has none
	Allowed     []string `json:"allowed_values"`
	Pattern     string   `json:"allowed_pattern"`
	Description string   `json:"description"`
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
		Enforces: t.Enforces, EnforcedBy: t.EnforcedBy, Grade: t.Grade, Baseline: t.Baseline,
	}
	for _, r := range t.Rules {
		parameters := r.Parameters
		if parameters == nil {
			parameters = map[string]string{}
		}
		s.Rules = append(s.Rules, RuleSummary{
			Name: r.Name, Identifier: r.Identifier, Title: r.Title, Checks: r.Checks, Parameters: parameters,
			ResourceTypes: filled(r.ResourceTypes), Controls: filled(r.Controls),
		})
	}
	return s
}

// Detail is t for display, whole.
func (t Template) Detail() Detail {
	d := Detail{
		Summary: t.Summary(), About: t.About, Enforcement: t.Enforcement, Parameters: []ParameterSummary{},
		Capabilities: filled(t.Capabilities), RoleActions: filled(t.RoleActions()), SHA256: t.SHA256(), Bytes: len(t.body), Body: string(t.body),
	}
	actions, _ := t.DeployActions()
	d.DeployActions = filled(actions)
	for _, name := range t.document.ParameterOrder {
		p := t.document.Parameters[name]
		s := ParameterSummary{Name: name, Type: p.Type, Allowed: filled(p.AllowedValues), Pattern: p.AllowedPattern, Description: p.Description}
		if p.HasDefault {
			s.Default = &p.Default
		}
		d.Parameters = append(d.Parameters, s)
	}
	return d
}

// filled is list, and an empty list for nil.
func filled[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
