package templates

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Parameter is one entry of a template's Parameters section.
type Parameter struct {
	Name, Type string

	Default    string // as CloudFormation would pass it; "" may be a default too
	HasDefault bool

	AllowedValues         []string // nil: any
	AllowedPattern        string   // a whole value has to match
	ConstraintDescription string
	Description           string

	MinLength, MaxLength *int // in characters
	MinValue, MaxValue   *float64

	NoEcho bool // never print its value
}

// Check says whether CloudFormation would take value, by what the template says of
// the parameter; nil means yes. What only AWS can know (whether a subnet exists, a
// pattern in a dialect that Go lacks) is not checked. The error names the parameter,
// and its value unless it is NoEcho.
func (p Parameter) Check(value string) error {
	items := []string{value}
	if p.Type == "CommaDelimitedList" || strings.HasPrefix(p.Type, "List<") {
		items = nil
		for item := range strings.SplitSeq(value, ",") {
			items = append(items, strings.TrimSpace(item))
		}
	}
	for _, item := range items {
		if why := p.problem(item); why != "" {
			if p.ConstraintDescription != "" {
				why += ": " + p.ConstraintDescription
			}
			if p.NoEcho {
				return fmt.Errorf("parameter %s: its value %s", p.Name, why)
			}
			return fmt.Errorf("parameter %s: %q %s", p.Name, item, why)
		}
	}
	return nil
}

// decimal leaves out what only Go reads as a number: NaN, Inf, 0x10, 1_0.
var decimal = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$`)

func (p Parameter) problem(v string) string {
	if len(p.AllowedValues) > 0 && !slices.Contains(p.AllowedValues, v) {
		hint := ""
		if near := Nearest(v, p.AllowedValues); near != "" {
			hint = "; did you mean " + near + "?"
		}
		return "is not one of " + strings.Join(p.AllowedValues, ", ") + hint
	}
	if p.Type == "Number" || p.Type == "List<Number>" {
		f, err := strconv.ParseFloat(v, 64)
		switch {
		case err != nil || !decimal.MatchString(v):
			return "is not a number"
		case p.MinValue != nil && f < *p.MinValue:
			return fmt.Sprintf("is less than %v", *p.MinValue)
		case p.MaxValue != nil && f > *p.MaxValue:
			return fmt.Sprintf("is more than %v", *p.MaxValue)
		}
	}
	length := utf8.RuneCountInString(v)
	if p.MinLength != nil && length < *p.MinLength {
		return fmt.Sprintf("is shorter than %d", *p.MinLength)
	}
	if p.MaxLength != nil && length > *p.MaxLength {
		return fmt.Sprintf("is longer than %d", *p.MaxLength)
	}
	if p.AllowedPattern != "" {
		pattern, err := regexp.Compile(`^(?:` + p.AllowedPattern + `)$`)
		if err == nil && !pattern.MatchString(v) {
			return "does not match " + p.AllowedPattern
		}
	}
	return ""
}

func (d *Document) readParameters(n *yaml.Node) error {
	return pairs(n, "Parameters", func(key string, k, v *yaml.Node) error {
		if !logicalID.MatchString(key) {
			return errorAt(k, "the parameter name %q is to be letters and digits only", key)
		}
		p, err := readParameter(key, k, v)
		d.Parameters[key] = p
		d.ParameterOrder = append(d.ParameterOrder, key)
		return err
	})
}

func readParameter(name string, at, n *yaml.Node) (Parameter, error) {
	p := Parameter{Name: name}
	what := "parameter " + name
	err := pairs(n, what, func(key string, k, v *yaml.Node) (err error) {
		if key == "AllowedValues" {
			p.AllowedValues, err = texts(v, what+"'s "+key)
			return err
		}
		if err := oneOf(k, what, "Type", "Default", "AllowedValues", "AllowedPattern", "ConstraintDescription",
			"Description", "MinLength", "MaxLength", "MinValue", "MaxValue", "NoEcho"); err != nil {
			return err
		}
		s, err := text(v, what+"'s "+key)
		if err != nil {
			return err
		}
		switch key {
		case "Type":
			p.Type = s
		case "Default":
			p.Default, p.HasDefault = s, true
		case "AllowedPattern":
			p.AllowedPattern = s
		case "ConstraintDescription":
			p.ConstraintDescription = s
		case "Description":
			p.Description = s
		case "MinLength":
			p.MinLength, err = length(v, s)
		case "MaxLength":
			p.MaxLength, err = length(v, s)
		case "MinValue":
			p.MinValue, err = number(v, s)
		case "MaxValue":
			p.MaxValue, err = number(v, s)
		case "NoEcho":
			p.NoEcho = strings.EqualFold(s, "true")
		}
		return err
	})
	if err == nil && p.Type == "" {
		err = errorAt(at, "%s has no Type", what)
	}
	return p, err
}

func length(n *yaml.Node, s string) (*int, error) {
	i, err := strconv.Atoi(s)
	if err != nil || i < 0 {
		return nil, errorAt(n, "%q is not a length", s)
	}
	return &i, nil
}

func number(n *yaml.Node, s string) (*float64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil, errorAt(n, "%q is not a number", s)
	}
	return &f, nil
}
