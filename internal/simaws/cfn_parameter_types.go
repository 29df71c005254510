package simaws

import (
	"slices"
	"strings"

	"rollout/templates"
)

const ssmValue = "AWS::SSM::Parameter::Value<"

// resolvedType is the type of what a parameter stands for: of a Systems Manager
// parameter's value what it has to be, else its own.
func resolvedType(parameterType string) string {
	if inner, ok := strings.CutPrefix(parameterType, ssmValue); ok {
		return strings.TrimSuffix(inner, ">")
	}
	return parameterType
}

// specificTypes are the AWS-specific parameter types (user guide, "Specify existing
// resources at runtime with CloudFormation-supplied parameter types"); each
// may be a list too.
var specificTypes = strings.Fields(`AWS::EC2::AvailabilityZone::Name AWS::EC2::Image::Id AWS::EC2::Instance::Id AWS::EC2::KeyPair::KeyName AWS::EC2::SecurityGroup::GroupName
	AWS::EC2::SecurityGroup::Id AWS::EC2::Subnet::Id AWS::EC2::Volume::Id AWS::EC2::VPC::Id AWS::Route53::HostedZone::Id`)

func knownParameterType(kind string) bool {
	if kind == "AWS::SSM::Parameter::Name" {
		return true
	}
	inner := resolvedType(kind)
	element, listed := strings.CutPrefix(inner, "List<")
	stored := inner != kind
	if element = strings.TrimSuffix(element, ">"); listed {
		return element == "Number" && !stored || element == "String" && stored || slices.Contains(specificTypes, element)
	}
	return inner == "String" || inner == "CommaDelimitedList" || inner == "Number" && !stored || slices.Contains(specificTypes, inner)
}

// parameterKind is the AWS-specific type of a parameter or of a list's elements.
func parameterKind(parameterType string) string {
	return strings.TrimSuffix(strings.TrimPrefix(resolvedType(parameterType), "List<"), ">")
}

// parameterValues checks given values against a template, fills in defaults, looks
// Systems Manager parameters up, and gives text, or []any of texts for lists.
func parameterValues(doc *templates.Document, given map[string]string, stored func(name string) (string, bool)) (map[string]any, error) {
	if err := checkParameters(doc, given); err != nil {
		return nil, err
	}
	out := map[string]any{}
	var missing []string
	for _, name := range doc.ParameterOrder {
		p := doc.Parameters[name]
		value := parameterNow(doc, given, name)
		if strings.HasPrefix(p.Type, "AWS::SSM::Parameter::") {
			if value == "" {
				return nil, invalid("Parameter %s should either have input value or default value", name)
			}
			found, ok := stored(value)
			switch {
			case !ok && !slices.Contains(missing, value):
				missing = append(missing, value)
			case p.Type != "AWS::SSM::Parameter::Name":
				value = found
			}
		}
		out[name] = value
		if isList(p.Type) {
			out[name] = anyList(listItems(value))
		}
	}
	if missing != nil {
		return nil, invalid("Unable to fetch parameters [%s] from parameter store for this account.", strings.Join(missing, ","))
	}
	return out, nil
}

// ssmParameter is the value of a parameter of Systems Manager: one that a stack of the
// account made. A version or a label cannot be told (user guide, "Specify existing
// resources at runtime with CloudFormation-supplied parameter types").
func (r *regionState) ssmParameter(name string) (string, bool) {
	p := r.kept["AWS::SSM::Parameter"][name]
	if p == nil {
		return "", false
	}
	return textOf(p.Properties["Value"]), true
}

// resolvedValues are the values of parameters that name one of Systems Manager, nil for
// none. What is NoEcho stays hidden.
func resolvedValues(doc *templates.Document, params map[string]any) (out map[string]string) {
	for name, p := range doc.Parameters {
		if strings.HasPrefix(p.Type, ssmValue) {
			if out == nil {
				out = map[string]string{}
			}
			if out[name] = substituted(params[name]); p.NoEcho {
				out[name] = hidden
			}
		}
	}
	return out
}

// existing are the AWS-specific parameter types that can be looked up in an account and
// Region.
var existing = map[string]func(*Sim, *account, *regionState, string) bool{
	"AWS::EC2::AvailabilityZone::Name": func(_ *Sim, _ *account, r *regionState, v string) bool {
		return slices.Contains(zones(r.name), any(v))
	},
	"AWS::EC2::VPC::Id": func(_ *Sim, _ *account, r *regionState, v string) bool {
		return slices.ContainsFunc(r.vpcs, func(x *vpc) bool { return x.ID == v })
	},
	"AWS::EC2::SecurityGroup::Id": func(_ *Sim, _ *account, r *regionState, v string) bool { return r.groups[v] != nil },
	"AWS::EC2::SecurityGroup::GroupName": func(_ *Sim, _ *account, r *regionState, v string) bool {
		for _, g := range r.groups {
			if g.Name == v {
				return true
			}
		}
		return false
	},
	"AWS::EC2::Instance::Id": func(s *Sim, a *account, r *regionState, v string) bool {
		return s.settings(a, r).instances[v] != nil
	},
	// Nobody has key pairs or hosted zones here.
	"AWS::EC2::KeyPair::KeyName":   func(*Sim, *account, *regionState, string) bool { return false },
	"AWS::Route53::HostedZone::Id": func(*Sim, *account, *regionState, string) bool { return false },
}

// parametersExist says which values of AWS-specific types are nothing in the account, as
// a stack's status was seen to say it.
func (s *Sim) parametersExist(a *account, r *regionState, doc *templates.Document, params map[string]any) error {
	var why []string
	for _, name := range doc.ParameterOrder {
		there, known := existing[parameterKind(doc.Parameters[name].Type)]
		if !known {
			continue
		}
		for _, v := range texts(params[name]) {
			if !there(s, a, r, v) {
				shown := v
				if doc.Parameters[name].NoEcho {
					shown = hidden
				}
				why = append(why, "parameter value "+shown+" for parameter name "+name+" does not exist")
			}
		}
	}
	if why != nil {
		return invalid("Parameter validation failed: %s", strings.Join(why, ", "))
	}
	return nil
}
