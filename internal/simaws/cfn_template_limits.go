package simaws

import (
	"regexp"
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

var (
	badName   = regexp.MustCompile(`the logical id "([^"]*)" is to be letters`)
	badPolicy = regexp.MustCompile(`resource (\w+)'s (DeletionPolicy|UpdateReplacePolicy) has no "([^"]*)"`)
)

// inTheirWords says what the reader of templates found as CloudFormation does.
func inTheirWords(found string) string {
	if m := badName.FindStringSubmatch(found); m != nil {
		return "Resource name " + m[1] + " is non alphanumeric."
	}
	if m := badPolicy.FindStringSubmatch(found); m != nil {
		return "Unrecognized " + m[2] + " " + m[3] + " for resource " + m[1]
	}
	return found
}

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
		if len(m) > maxAttributes {
			return invalid("Template format error: Number of attributes of mapping %s, %d, is greater than maximum allowed, %d", name, len(m), maxAttributes)
		}
	}
	for _, id := range doc.ResourceOrder {
		r := doc.Resources[id]
		if name := extension(r.Properties); name != "" {
			return invalid("Template format error: Unresolved dependencies: %s needs the transform AWS::LanguageExtensions, and the template does not declare it", name)
		}
	}
	for _, name := range sortedKeys(doc.Outputs) {
		m, isObject := doc.Outputs[name].(map[string]any)
		if _, has := m["Value"]; !isObject || !has {
			return invalid("Template format error: Output %s is malformed. It must contain a Value", name)
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
