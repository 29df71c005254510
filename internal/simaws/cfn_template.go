package simaws

import (
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strings"

	"rollout/templates"
)

// templateLimit is the largest TemplateBody in bytes (CloudFormation quotas).
const templateLimit = 51200

// invalid is a ValidationError with a text made of parts.
func invalid(format string, args ...any) *apiError {
	return validation(fmt.Sprintf(format, args...))
}

// readTemplate checks a template as far as CloudFormation does without making
// anything: syntax, references and cycles. Resource types are looked at in each
// account and Region, for not every Region knows every type.
func readTemplate(body string) (*templates.Document, error) {
	if len(body) > templateLimit {
		return nil, invalid("1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to %d", templateLimit)
	}
	if at := nullIn(body); at != "" {
		return nil, invalid("[%s] 'null' values are not allowed in templates", at)
	}
	doc, err := templates.Parse([]byte(body))
	if err != nil && strings.Contains(err.Error(), "at least one resource") {
		return nil, validation("Template format error: At least one Resources member must be defined.")
	}
	if err != nil {
		return nil, inTheirWords(body, err.Error())
	}
	if len(doc.Resources) == 0 {
		return nil, validation("Template format error: At least one Resources member must be defined.")
	}
	if len(doc.Resources) > 500 {
		return nil, invalid("Template format error: Number of resources, %d, is greater than maximum allowed, 500", len(doc.Resources))
	}
	if err := checkSections(doc); err != nil {
		return nil, err
	}
	if len(doc.Description) > 1024 {
		return nil, invalid("Template format error: 'Description' length is greater than 1024.")
	}
	if doc.Transform != nil {
		// "StackSets with service-managed permissions doesn't support templates
		// that use transforms" (CreateStackSet, Capabilities).
		return nil, invalid("Service managed StackSets do not support the use of transforms")
	}
	if err := checkFunctions(doc); err != nil {
		return nil, err
	}
	if err := checkReferences(doc); err != nil {
		return nil, err
	}
	if err := checkRules(doc); err != nil {
		return nil, err
	}
	if _, err := resourceOrder(doc); err != nil {
		return nil, err
	}
	return doc, nil
}

// pseudoParameters are the names that Ref knows without a declaration.
var pseudoParameters = map[string]bool{
	"AWS::AccountId": true, "AWS::Region": true, "AWS::Partition": true, "AWS::StackName": true, "AWS::StackId": true,
	"AWS::URLSuffix": true, "AWS::NoValue": true, "AWS::NotificationARNs": true,
}

func checkReferences(doc *templates.Document) error {
	missing := map[string]bool{}
	for _, id := range doc.ResourceOrder {
		r := doc.Resources[id]
		for _, ref := range append(referredNames(r.Properties), r.DependsOn...) {
			_, isParameter := doc.Parameters[ref]
			_, isResource := doc.Resources[ref]
			if !isParameter && !isResource && !pseudoParameters[ref] {
				missing[ref] = true
			}
		}
		for _, name := range append(conditionNames(r.Properties), r.Condition) {
			if _, ok := doc.Conditions[name]; name != "" && !ok {
				return invalid("Template format error: Unresolved condition dependency %s in the Resources block of the template", name)
			}
		}
	}
	if len(missing) > 0 {
		return invalid("Template format error: Unresolved resource dependencies [%s] in the Resources block of the template", strings.Join(sortedKeys(missing), ", "))
	}
	done := map[string]bool{}
	for _, name := range sortedKeys(doc.Conditions) {
		c := doc.Conditions[name]
		for _, ref := range referredNames(c) {
			if _, ok := doc.Parameters[ref]; !ok && !pseudoParameters[ref] {
				return invalid("Template format error: Unresolved dependencies [%s]. Cannot reference resources in the Conditions block of the template", ref)
			}
		}
		for _, other := range conditionNames(c) {
			if _, ok := doc.Conditions[other]; !ok {
				return invalid("Template format error: Unresolved condition dependency %s in the Conditions block of the template", other)
			}
		}
		if conditionCycle(doc, name, map[string]bool{}, done) {
			return invalid("Template format error: Circular dependency between conditions")
		}
	}
	missing = map[string]bool{}
	for _, name := range sortedKeys(doc.Outputs) {
		out, _ := doc.Outputs[name].(map[string]any)
		needed := conditionNames(map[string]any{"Value": out["Value"], "Export": out["Export"]})
		if own, ok := out["Condition"].(string); ok {
			needed = append(needed, own)
		}
		for _, condition := range needed {
			if _, ok := doc.Conditions[condition]; !ok {
				return invalid("Template format error: Unresolved condition dependency %s in the Outputs block of the template", condition)
			}
		}
		for _, ref := range referredNames(out) {
			_, isParameter := doc.Parameters[ref]
			_, isResource := doc.Resources[ref]
			if !isParameter && !isResource && !pseudoParameters[ref] {
				missing[ref] = true
			}
		}
	}
	if len(missing) > 0 {
		return invalid("Template format error: Unresolved resource dependencies [%s] in the Outputs block of the template", strings.Join(sortedKeys(missing), ", "))
	}
	return nil
}

// conditionCycle walks the conditions that name needs; done has those that end.
func conditionCycle(doc *templates.Document, name string, path, done map[string]bool) bool {
	if path[name] {
		return true
	}
	if done[name] {
		return false
	}
	path[name] = true
	defer delete(path, name)
	for _, other := range conditionNames(doc.Conditions[name]) {
		if conditionCycle(doc, other, path, done) {
			return true
		}
	}
	done[name] = true
	return false
}

// referredNames gives the names that a value refers to by Ref, Fn::GetAtt and
// Fn::Sub, sorted, each once.
func referredNames(v any) []string {
	found := map[string]bool{}
	collect(v, func(kind, name string) {
		if kind == "ref" {
			found[name] = true
		}
	})
	return sortedKeys(found)
}

// conditionNames gives the conditions that a value asks for by Fn::If and Condition.
func conditionNames(v any) []string {
	found := map[string]bool{}
	collect(v, func(kind, name string) {
		if kind == "condition" {
			found[name] = true
		}
	})
	return sortedKeys(found)
}

func collect(v any, found func(kind, name string)) {
	switch t := v.(type) {
	case []any:
		for _, x := range t {
			collect(x, found)
		}
	case map[string]any:
		local := map[string]bool{}
		if len(t) == 1 {
			for key, arg := range t {
				switch key {
				case "Ref":
					if name, ok := arg.(string); ok {
						found("ref", name)
					}
					return
				case "Condition":
					if name, ok := arg.(string); ok {
						found("condition", name)
						return
					}
				case "Fn::GetAtt":
					if list, ok := arg.([]any); ok && len(list) > 0 {
						if name, ok := list[0].(string); ok {
							found("ref", name)
						}
						collect(list[1:], found)
					}
					return
				case "Fn::If":
					if list, ok := arg.([]any); ok && len(list) > 0 {
						if name, ok := list[0].(string); ok {
							found("condition", name)
						}
						collect(list[1:], found)
					}
					return
				case "Fn::Sub":
					text, isText := arg.(string)
					if list, ok := arg.([]any); ok && len(list) == 2 {
						text, isText = list[0].(string)
						if own, ok := list[1].(map[string]any); ok {
							for name := range own {
								local[name] = true
							}
						}
						collect(list[1], found)
					}
					if isText {
						for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
							if !local[m[1]] && !strings.HasPrefix(m[1], "!") {
								name, _, _ := strings.Cut(m[1], ".")
								found("ref", name)
							}
						}
					}
					return
				}
			}
		}
		for _, key := range sortedKeys(t) {
			collect(t[key], found)
		}
	}
}

// resourceNeeds gives for each resource those that it refers to or depends on.
func resourceNeeds(doc *templates.Document) map[string]map[string]bool {
	needs := map[string]map[string]bool{}
	for _, id := range doc.ResourceOrder {
		r := doc.Resources[id]
		needs[id] = map[string]bool{}
		for _, ref := range append(referredNames(r.Properties), r.DependsOn...) {
			if _, ok := doc.Resources[ref]; ok {
				needs[id][ref] = true
			}
		}
	}
	return needs
}

// resourceOrder gives the logical ids so that each comes after what it needs, and
// otherwise as written.
func resourceOrder(doc *templates.Document) ([]string, error) {
	needs := resourceNeeds(doc)
	var order []string
	done := map[string]bool{}
	for len(order) < len(doc.ResourceOrder) {
		before := len(order)
		for _, id := range doc.ResourceOrder {
			ready := !done[id]
			for need := range needs[id] {
				ready = ready && done[need]
			}
			if ready {
				done[id] = true
				order = append(order, id)
			}
		}
		if len(order) == before {
			var left []string
			for _, id := range doc.ResourceOrder {
				if !done[id] {
					left = append(left, id)
				}
			}
			sort.Strings(left)
			return nil, invalid("Circular dependency between resources: [%s]", strings.Join(left, ", "))
		}
	}
	return order, nil
}

// iamTypes need CAPABILITY_IAM, and CAPABILITY_NAMED_IAM when the template names
// them (CreateStackSet, Capabilities).
var iamTypes = map[string]string{
	"AWS::IAM::AccessKey": "", "AWS::IAM::Group": "GroupName", "AWS::IAM::InstanceProfile": "InstanceProfileName", "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
	"AWS::IAM::Policy": "", "AWS::IAM::Role": "RoleName", "AWS::IAM::User": "UserName", "AWS::IAM::UserToGroupAddition": "",
}

// neededCapability is the capability that a template needs, with why; "" for none.
func neededCapability(doc *templates.Document) (capability string, types []string) {
	seen := map[string]bool{}
	for _, r := range doc.Resources {
		nameProperty, isIAM := iamTypes[r.Type]
		if !isIAM {
			continue
		}
		seen[r.Type] = true
		if capability == "" {
			capability = "CAPABILITY_IAM"
		}
		if nameProperty != "" && r.Properties[nameProperty] != nil {
			capability = "CAPABILITY_NAMED_IAM"
		}
	}
	return capability, sortedKeys(seen)
}

func checkCapabilities(doc *templates.Document, given []string) error {
	need, _ := neededCapability(doc)
	if need == "" || slices.Contains(given, need) || slices.Contains(given, "CAPABILITY_NAMED_IAM") {
		return nil
	}
	return fail(http.StatusBadRequest, "InsufficientCapabilitiesException", "Requires capabilities : ["+need+"]")
}
