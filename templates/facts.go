package templates

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// The lists are written by facts/update.py.
var (
	//go:embed facts/config_rules.tsv
	configRulesText string
	//go:embed facts/recorded_types.txt
	recordedTypesText string
	//go:embed facts/apis.tsv
	apisText string
	//go:embed facts/create_only.tsv
	createOnlyText string
)

// managedRule is what the AWS Config developer guide says of a managed rule.
type managedRule struct {
	onChange, periodic bool
	resourceTypes      []string
	parameters         []managedParameter
}

type managedParameter struct {
	name, kind string // string, int, boolean, double, csv or stringmap
	required   bool
	allowed    []string // nil: any
}

// configRules are AWS Config's managed rules by identifier.
var configRules = sync.OnceValue(func() map[string]managedRule {
	rules := map[string]managedRule{}
	for line := range strings.Lines(configRulesText) {
		field := strings.Split(strings.TrimRight(line, "\n"), "\t")
		r := managedRule{onChange: strings.Contains(field[1], "c"), periodic: strings.Contains(field[1], "p")}
		if field[2] != "" {
			r.resourceTypes = strings.Split(field[2], ",")
		}
		for _, text := range strings.Fields(field[3]) {
			part := strings.Split(text, ":")
			p := managedParameter{name: part[0], kind: strings.TrimSuffix(part[1], "!"), required: strings.HasSuffix(part[1], "!")}
			if len(part) > 2 {
				p.allowed = strings.Split(part[2], "|")
			}
			r.parameters = append(r.parameters, p)
		}
		rules[field[0]] = r
	}
	return rules
})

// service is an AWS service as boto3 and aws:executeAwsApi call it.
type service struct {
	prefix string // of its IAM actions
	// actions are, by operation, the IAM actions that it needs: none where nobody
	// knows. Nil for a service whose operations are not listed.
	actions map[string][]string
	// methods are the operations by boto3's name of them without its underscores.
	methods map[string]string
}

// services are AWS's services by boto3's name.
var services = sync.OnceValue(func() map[string]service {
	all := map[string]service{}
	for line := range strings.Lines(apisText) {
		field := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(field) == 1 {
			all[field[0]] = service{}
			continue
		}
		s := service{prefix: field[1], actions: map[string][]string{}, methods: map[string]string{}}
		for _, text := range strings.Fields(field[2]) {
			operation, other, odd := strings.Cut(text, "=")
			actions := []string{operation}
			if odd {
				actions = slices.DeleteFunc(strings.Split(other, "+"), func(a string) bool { return a == "?" })
			}
			for i := range actions {
				actions[i] = s.prefix + ":" + actions[i]
			}
			s.actions[operation] = actions
			s.methods[strings.ToLower(operation)] = operation
		}
		all[field[0]] = s
	}
	return all
})

// operation is the operation that a method of a boto3 client calls.
func (s service) operation(method string) (string, bool) {
	name, ok := s.methods[strings.ReplaceAll(method, "_", "")]
	return name, ok
}

// fixedProperties are the properties of a resource type, by path, whose change
// replaces the resource, and those whose change may.
type fixedProperties struct{ always, perhaps []string }

// createOnly are the types of CloudFormation's registry.
var createOnly = sync.OnceValue(func() map[string]fixedProperties {
	all := map[string]fixedProperties{}
	for line := range strings.Lines(createOnlyText) {
		field := strings.Split(strings.TrimRight(line, "\n"), "\t")
		all[field[0]] = fixedProperties{strings.Fields(field[1]), strings.Fields(field[2])}
	}
	return all
})
