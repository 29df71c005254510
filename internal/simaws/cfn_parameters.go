package simaws

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"rollout/templates"
)

// readParameters reads Parameters.member.N and fills UsePreviousValue from before.
func readParameters(form query, name string, before map[string]string) (map[string]string, error) {
	out := map[string]string{}
	for _, p := range form.structs(name) {
		key := p.str("ParameterKey")
		if previous, _ := p.boolean("UsePreviousValue"); previous {
			value, ok := before[key]
			if p.has("ParameterValue") {
				return nil, invalid("Invalid input for parameter key %s. Cannot specify usePreviousValue as true and non empty value for a parameter", key)
			}
			if !ok {
				return nil, invalid("Invalid input for parameter key %s. Cannot specify usePreviousValue as true for a parameter key not in the previous template", key)
			}
			out[key] = value
			continue
		}
		if len(p.str("ParameterValue")) > 4096 {
			return nil, invalid("Parameter value for parameter name %s has length %d. Maximum allowed length is 4096", key, len(p.str("ParameterValue")))
		}
		out[key] = p.str("ParameterValue")
	}
	return out, nil
}

// checkParameters checks values against what the template declares.
func checkParameters(doc *templates.Document, values map[string]string) error {
	var unknown, missing []string
	for _, key := range sortedKeys(values) {
		if _, ok := doc.Parameters[key]; !ok {
			unknown = append(unknown, key)
		}
	}
	if unknown != nil {
		return invalid("Parameters: [%s] do not exist in the template", strings.Join(unknown, ", "))
	}
	for _, key := range doc.ParameterOrder {
		if _, given := values[key]; !given && !doc.Parameters[key].HasDefault {
			missing = append(missing, key)
		}
	}
	if missing != nil {
		return invalid("Parameters: [%s] must have values", strings.Join(missing, ", "))
	}
	for _, key := range doc.ParameterOrder {
		value, given := values[key]
		if !given {
			value = doc.Parameters[key].Default
		}
		if given || doc.Parameters[key].HasDefault {
			if why := constraint(doc.Parameters[key], value); why != "" {
				return invalid("%s", why)
			}
		}
	}
	return nil
}

// constraint says in CloudFormation's words what is wrong with a value.
func constraint(p templates.Parameter, value string) string {
	values := []string{value}
	if isList(p.Type) && !strings.HasPrefix(p.Type, ssmValue) { // there it is the name that is held to it
		values = listItems(value)
	}
	for _, v := range values {
		why := ""
		n, err := strconv.ParseFloat(v, 64)
		numeric := p.Type == "Number" || p.Type == "List<Number>"
		length := utf8.RuneCountInString(v)
		switch {
		case len(p.AllowedValues) > 0 && !slices.Contains(p.AllowedValues, v):
			why = "Parameter '" + p.Name + "' must be one of AllowedValues"
		case numeric && err != nil:
			return "Parameter '" + p.Name + "' must be a number."
		case numeric && p.MinValue != nil && n < *p.MinValue:
			why = "Parameter '" + p.Name + "' must be a number not less than " + strconv.FormatFloat(*p.MinValue, 'f', -1, 64)
		case numeric && p.MaxValue != nil && n > *p.MaxValue:
			why = "Parameter '" + p.Name + "' must be a number not greater than " + strconv.FormatFloat(*p.MaxValue, 'f', -1, 64)
		case p.MinLength != nil && length < *p.MinLength:
			why = "Parameter '" + p.Name + "' must contain at least " + strconv.Itoa(*p.MinLength) + " characters"
		case p.MaxLength != nil && length > *p.MaxLength:
			why = "Parameter '" + p.Name + "' must contain at most " + strconv.Itoa(*p.MaxLength) + " characters"
		case p.AllowedPattern != "":
			pattern, err := regexp.Compile("^(?:" + p.AllowedPattern + ")$")
			if err == nil && !pattern.MatchString(v) {
				why = "Parameter '" + p.Name + "' must match pattern " + p.AllowedPattern
			}
		}
		if why != "" {
			if p.ConstraintDescription != "" {
				return "Parameter " + p.Name + " failed to satisfy constraint: " + p.ConstraintDescription
			}
			return why
		}
	}
	return ""
}

func isList(parameterType string) bool {
	parameterType = resolvedType(parameterType)
	return parameterType == "CommaDelimitedList" || strings.HasPrefix(parameterType, "List<")
}

func listItems(value string) []string {
	items := strings.Split(value, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return items
}

// effective are the values that a stack of the set gets: the StackSet's, then the
// overrides of parameters that the template still has.
func effective(doc *templates.Document, values, overrides map[string]string) map[string]string {
	out := maps.Clone(values)
	if out == nil {
		out = map[string]string{}
	}
	for key, v := range overrides {
		if _, ok := doc.Parameters[key]; ok {
			out[key] = v
		}
	}
	return out
}
