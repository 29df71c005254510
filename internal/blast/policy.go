package blast

import (
	"encoding/json"
	"slices"

	"rollout/templates"
)

// configReads are what AWS Config is asked, whatever the template.
var configReads = []string{"config:DescribeConfigRuleEvaluationStatus", "config:GetComplianceDetailsByConfigRule"}

// Policy is the session policy for templates that enforce, by name: just the reads that
// they need.
func Policy(names []string) string {
	actions := slices.Clone(configReads)
	for _, name := range names {
		if t, err := templates.Lookup(name); err == nil {
			actions = append(actions, looks[t.Enforces].actions...)
		}
	}
	slices.Sort(actions)
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []map[string]any{
		{"Sid": "RolloutBlastRadius", "Effect": "Allow", "Resource": "*", "Action": slices.Compact(actions)},
	}})
	if err != nil {
		panic(err) // texts only
	}
	return string(text)
}

// FullPolicy is that for every template.
func FullPolicy() string {
	var names []string
	for _, t := range templates.All() {
		if t.Enforces != "" {
			names = append(names, t.Name)
		}
	}
	return Policy(names)
}
