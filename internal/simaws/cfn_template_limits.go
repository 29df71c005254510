package simaws

import (
	"regexp"
	"slices"
	"strings"

	"rollout/templates"
)

// Quotas of the CloudFormation user guide: parameters, outputs, mappings, attributes of
// a mapping, and the length of a logical id.
const (
	maxParameters = 200
	maxOutputs    = 200
	maxMappings   = 200
	maxAttributes = 200
	maxLogicalID  = 255
)

var alphanumeric = regexp.MustCompile(`^[A-Za-z0-9]+$`)

// languageExtensions need the AWS::LanguageExtensions transform, which service-managed
// sets refuse and which is not simulated.
var languageExtensions = []string{"Fn::Length", "Fn::ToJsonString", "Fn::ForEach"}

// checkSections holds the sections of a template to their quotas and names.
func checkSections(doc *templates.Document) error {
	for _, section := range []struct {
		what  string
		names []string
		most  int
	}{
		{"parameters", doc.ParameterOrder, maxParameters}, {"outputs", sortedKeys(doc.Outputs), maxOutputs}, {"mappings", sortedKeys(doc.Mappings), maxMappings},
	} {
		if n := len(section.names); n > section.most {
			return invalid("Template format error: Number of %s, %d, is greater than maximum allowed, %d", section.what, n, section.most)
		}
	}
	for _, section := range []struct {
		what  string
		names []string
	}{{"Resource", doc.ResourceOrder}, {"Parameter", doc.ParameterOrder}, {"Output", sortedKeys(doc.Outputs)}} {
		for _, name := range section.names {
			if !alphanumeric.MatchString(name) {
				return invalid("Template format error: %s name %s is non alphanumeric.", section.what, name)
			}
			if len(name) > maxLogicalID {
				return invalid("Template format error: %s name %s is longer than %d characters.", section.what, name, maxLogicalID)
			}
		}
	}
	for _, name := range sortedKeys(doc.Mappings) {
		m, isObject := doc.Mappings[name].(map[string]any)
		if !isObject || len(m) == 0 {
			return invalid("Template format error: Every Mappings member %s must be a map", name)
		}
		for _, key := range sortedKeys(m) {
			values, isMap := m[key].(map[string]any)
			if !isMap {
				return invalid("Template format error: Every Mappings attribute must be a map, not %s of %s", key, name)
			}
			for _, v := range values {
				list, isList := v.([]any)
				if !isList && !isScalar(v) || slices.ContainsFunc(list, func(x any) bool { return !isScalar(x) }) {
					return validation("Template format error: Every Mappings attribute must be a String or a List.")
				}
			}
		}
		if len(m) > maxAttributes {
			return invalid("Template format error: Number of attributes of mapping %s, %d, is greater than maximum allowed, %d", name, len(m), maxAttributes)
		}
	}
	if v := doc.FormatVersion; v != "" && v != "2010-09-09" {
		return invalid("Template format error: %s is not a supported value for AWSTemplateFormatVersion.", v)
	}
	for _, name := range doc.ParameterOrder {
		if kind := doc.Parameters[name].Type; !knownParameterType(kind) {
			return invalid("Template format error: Unrecognized parameter type: %s", kind)
		}
	}
	calls := []any{doc.Conditions, doc.Outputs}
	for _, id := range doc.ResourceOrder {
		calls = append(calls, doc.Resources[id].Properties)
	}
	if name := extension(calls); name != "" {
		return invalid("Template format error: Unresolved dependencies: %s needs the transform AWS::LanguageExtensions, and the template does not declare it", name)
	}
	for _, name := range sortedKeys(doc.Outputs) {
		if err := checkOutput(name, doc.Outputs[name]); err != nil {
			return err
		}
	}
	return nil
}

// outputMembers are what an output may have.
var outputMembers = []string{"Condition", "Description", "Export", "Value"}

func checkOutput(name string, v any) error {
	m, isObject := v.(map[string]any)
	if !isObject {
		return validation("Template format error: Any Outputs member must be an object.")
	}
	value, has := m["Value"]
	if !has {
		return validation("Template format error: Every Outputs member must contain a Value object")
	}
	for _, key := range sortedKeys(m) {
		if !slices.Contains(outputMembers, key) {
			return invalid("Invalid template output property '%s'", key)
		}
	}
	if _, _, call := intrinsic(value); !call && !isScalar(value) {
		return invalid("Template format error: Output %s is malformed. The Value field of every Outputs member must evaluate to a String.", name)
	}
	if export, exports := m["Export"]; exports {
		e, _ := export.(map[string]any)
		if _, _, call := intrinsic(e["Name"]); len(e) != 1 || e["Name"] == nil || !call && !isScalar(e["Name"]) {
			return invalid("Template format error: Output %s is malformed. The Name field of every Export member must be specified.", name)
		}
	}
	for _, key := range []string{"Condition", "Description"} {
		if m[key] != nil && !isText(m[key]) {
			return invalid("Template format error: Every %s member must be a string.", key)
		}
	}
	return nil
}

// extension gives a function of the language extensions that a value calls, "" if none.
func extension(v any) string {
	switch t := v.(type) {
	case map[string]any:
		for _, k := range sortedKeys(t) {
			for _, name := range languageExtensions {
				if k == name || strings.HasPrefix(k, name+"::") {
					return name
				}
			}
			if name := extension(t[k]); name != "" {
				return name
			}
		}
	case []any:
		for _, x := range t {
			if name := extension(x); name != "" {
				return name
			}
		}
	}
	return ""
}
