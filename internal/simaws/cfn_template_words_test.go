package simaws

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
)

// Templates of a wrong shape, and what CloudFormation says of each.
func TestTemplatesOfAWrongShape(t *testing.T) {
	d := newDesk(t)
	const topic = "\nResources: {A: {Type: AWS::SNS::Topic}}"
	property := func(value string) string {
		return "Mappings: {M: {A: {b: c}}}\nResources: {B: {Type: AWS::SNS::Topic}, A: {Type: AWS::SNS::Topic, Properties: {DisplayName: " + value + "}}}"
	}
	for body, want := range map[string]string{
		"a": "Template format error: unsupported structure.", "[]": "Template format error: unsupported structure.", "- a": "Template format error: unsupported structure.",
		"{}": "Template format error: At least one Resources member must be defined.", "Resources: {}": "Template format error: At least one Resources member must be defined.",
		`{"Resources": {"A": {]}}`: "Template format error: JSON not well-formed. (line 1, column 22)", "{\n \"Resources\" 1}": "Template format error: JSON not well-formed. (line 2, column 14)",
		"Resources: [": "Template format error: YAML not well-formed. (line 1, column 1)", "a: b: c": "Template format error: YAML not well-formed. (line 1, column 1)",
		"Foo: 1" + topic: "Invalid template property or properties [Foo]",
		"AWSTemplateFormatVersion: '2010-09-08'" + topic: "Template format error: 2010-09-08 is not a supported value for AWSTemplateFormatVersion.",
		"Description: []" + topic:                        "Template format error: Every Description member must be a string.",

		"Resources:": "[/Resources] 'null' values are not allowed in templates", "Resources: {A: null}": "[/Resources/A] 'null' values are not allowed in templates",
		"Resources: {A: {Type: AWS::SNS::Topic, Properties: {DisplayName: [a, null]}}}": "[/Resources/A/Properties/DisplayName/1] 'null' values are not allowed in templates",
		"Outputs: {O: {Value: null}}" + topic:                                           "[/Outputs/O/Value] 'null' values are not allowed in templates",

		"Resources: {A: []}": "Template format error: Any Resources member must be an object.", "Resources: {A: x}": "Template format error: Any Resources member must be an object.",
		"Resources: {A: {Properties: {}}}":                                      "Template format error: [/Resources/A] Every Resources object must contain a Type member.",
		"Resources: {A: {Type: []}}":                                            "Template format error: Every Type member must be a string.",
		"Resources: {A: {Type: AWS::SNS::Topic, Invalid: 10}}":                  "Invalid template resource property 'Invalid'",
		"Resources: {A: {Type: AWS::SNS::Topic, Properties: []}}":               "Template format error: Every Properties member must be an object.",
		"Resources: {A: {Type: AWS::SNS::Topic, DependsOn: {}}}":                "Template format error: Every DependsOn member must be a string.",
		"Resources: {A: {Type: AWS::SNS::Topic, DependsOn: B}}":                 "Template format error: Unresolved resource dependencies [B] in the Resources block of the template",
		"Resources: {A: {Type: AWS::SNS::Topic, Condition: C}}":                 "Template format error: Unresolved condition dependency C in the Resources block of the template",
		"Resources: {A: {Type: AWS::SNS::Topic, DeletionPolicy: Maybe}}":        "Template format error: Unrecognized DeletionPolicy Maybe for resource A",
		"Resources: {A-b: {Type: AWS::SNS::Topic}}":                             "Template format error: Resource name A-b is non alphanumeric.",
		"Parameters: {P: []}" + topic:                                           "Template format error: Any Parameters member must be an object.",
		"Parameters: {P: {Default: a}}" + topic:                                 "Template format error: Every Parameters object must contain a Type member.",
		"Parameters: {P: {Type: Text}}" + topic:                                 "Template format error: Unrecognized parameter type: Text",
		"Parameters: {P: {Type: List<String>}}" + topic:                         "Template format error: Unrecognized parameter type: List<String>",
		"Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<Number>'}}" + topic: "Template format error: Unrecognized parameter type: AWS::SSM::Parameter::Value<Number>",
		"Parameters: {P: {Type: String, Default: {Ref: X}}}" + topic:            "Template format error: Every Default member must be a string.",
		"Parameters: {P: {Type: String, Foo: 1}}" + topic:                       "Invalid template parameter property 'Foo'",
		"Mappings: {M: {A: {b: {c: d}}}}" + topic:                               "Template format error: Every Mappings attribute must be a String or a List.",
		"Mappings: {M: {A: {b: !Ref X}}}" + topic:                               "Template format error: Every Mappings attribute must be a String or a List.",
		"Conditions: {C: x}" + topic:                                            "Template format error: Conditions can only be boolean operations on parameters and other conditions",
		"Conditions: {C: !Sub a}" + topic:                                       "Template format error: Conditions can only be boolean operations on parameters and other conditions",
		"Conditions: {C: !Equals [a]}" + topic:                                  "Template error: every Fn::Equals object requires a list of 2 string parameters.",
		"Conditions: {C: !Not x}" + topic:                                       "Template error: every Fn::Not object requires one boolean parameter.",
		"Conditions: {C: !And [!Equals [a, b]]}" + topic:                        "Template error: every Fn::And object requires a list of at least 2 and at most 10 boolean parameters.",
		"Conditions: {C: !Equals [!Ref A, b]}" + topic:                          "Template format error: Unresolved dependencies [A]. Cannot reference resources in the Conditions block of the template",
		"Outputs: {O: []}" + topic:                                              "Template format error: Any Outputs member must be an object.",
		"Outputs: {O: {}}" + topic:                                              "Template format error: Every Outputs member must contain a Value object",
		"Outputs: {O: {Value: []}}" + topic:                                     "Template format error: Output O is malformed. The Value field of every Outputs member must evaluate to a String.",
		"Outputs: {O: {Value: x, Export: y}}" + topic:                           "Template format error: Output O is malformed. The Name field of every Export member must be specified.",
		"Outputs: {O: {Value: x, Foo: y}}" + topic:                              "Invalid template output property 'Foo'",
		"Outputs: {O: {Value: x, Condition: C}}" + topic:                        "Template format error: Unresolved condition dependency C in the Outputs block of the template",
		"Outputs: {O: {Value: !Ref X}}" + topic:                                 "Template format error: Unresolved resource dependencies [X] in the Outputs block of the template",

		property("{Ref: []}"): "Template error: " + refShape, property("{Ref: 1}"): "Template error: " + refShape,
		property("{Fn::GetAtt: B}"): "Template error: " + getAttShape, property("{Fn::GetAtt: [B]}"): "Template error: " + getAttShape, property("{Fn::GetAtt: [[], Arn]}"): "Template error: " + getAttShape,
		property("!Join [a, b]"): "Template error: " + joinShape, property("!Join [[], [a]]"): "Template error: " + joinShape, property("!Split [a]"): "Template error: " + splitShape, property("!Split [a, [b]]"): "Template error: " + splitShape,
		property("!Select [0, a]"): "Template error: " + selectShape, property("!FindInMap [M, A]"): "Template error: " + mapShape, property("!FindInMap [M, A, [b]]"): "Template error: " + mapShape,
		property("!Sub {}"): "Template error: " + subShape, property("!Sub [a, b]"): "Template error: " + subShape, property("!Sub '${}'"): "Template error: " + subShape, property("{Fn::Sub: 1}"): "Template error: " + subShape,
		property("!If [C, 1]"): "Template error: " + ifShape, property("!If [[], 1, 2]"): "Template error: " + ifCondition, property("!If [C, 1, 2]"): "Template format error: Unresolved condition dependency C in the Resources block of the template",
		property("!Base64 []"): "Template error: every Fn::Base64 object must have a String-typed value.", property("!GetAZs []"): "Template error: every Fn::GetAZs object must have a String-typed value.",
		property("{Fn::Nothing: 1}"): "Template error: " + strings.Replace(unsupported, "%s", "Fn::Nothing", 1),
	} {
		_, err := d.api.ValidateTemplate(t.Context(), &cloudformation.ValidateTemplateInput{TemplateBody: &body})
		if err == nil || !strings.HasSuffix(err.Error(), "api error ValidationError: "+want) {
			t.Errorf("%s\n%v, want\n%s", body, err, want)
		}
		d.refuses(d.create("s", body), "ValidationError", want)
	}
}

// Whatever stands in any place of a template, a stack of it is refused in the API's terms
// or comes to an end.
func TestTemplatesWithAnythingAnywhere(t *testing.T) {
	const whole = `{"AWSTemplateFormatVersion": "2010-09-09", "Description": "d", "Metadata": {"m": 1},
		"Parameters": {"P": {"Type": "String", "Default": "p", "AllowedValues": ["p"], "NoEcho": true}, "L": {"Type": "CommaDelimitedList", "Default": "a,b"}},
		"Rules": {"R": {"RuleCondition": {"Fn::Equals": [{"Ref": "P"}, "p"]}, "Assertions": [{"Assert": {"Fn::Contains": [["a"], "a"]}, "AssertDescription": "d"}]}},
		"Mappings": {"M": {"A": {"b": "c"}}}, "Conditions": {"C": {"Fn::And": [{"Fn::Equals": ["a", "a"]}, {"Fn::Not": [{"Fn::Equals": ["a", "b"]}]}]}},
		"Resources": {"T": {"Type": "AWS::SNS::Topic", "Condition": "C", "DependsOn": ["B"], "DeletionPolicy": "Delete", "Properties": {"DisplayName": {"Fn::Sub": ["${P} ${x}", {"x": {"Fn::Select": [0, {"Ref": "L"}]}}]},
			"TopicName": {"Fn::If": ["C", {"Fn::Join": ["-", ["a", {"Fn::FindInMap": ["M", "A", "b"]}]]}, {"Ref": "AWS::NoValue"}]}, "Tags": [{"Key": "k", "Value": {"Fn::GetAtt": ["B", "Arn"]}}]}},
			"B": {"Type": "AWS::IAM::Role", "Properties": {"Path": "/", "AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": ["a.amazonaws.com"]}}]}, "Policies": [{"PolicyName": "p", "PolicyDocument": {"Statement": []}}]}}},
		"Outputs": {"O": {"Condition": "C", "Value": {"Ref": "T"}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-o"}}}}}`
	anything := []any{nil, true, 1, "", "x", []any{}, map[string]any{}, []any{[]any{}}, map[string]any{"Ref": 1}, map[string]any{"Fn::GetAtt": []any{"T", "TopicName"}}, map[string]any{"Fn::Split": []any{",", "a,b"}}, map[string]any{"a": map[string]any{"b": 1}}}
	var root any
	if err := json.Unmarshal([]byte(whole), &root); err != nil {
		t.Fatal(err)
	}
	d := newDesk(t)
	tried, made := 0, 0
	try := func() {
		body, _ := json.Marshal(root)
		name := fmt.Sprint("s", tried)
		tried++
		if err := d.create(name, string(body)); err != nil {
			if c := code(err); c != "ValidationError" && c != "InsufficientCapabilitiesException" {
				t.Errorf("%v\n%s", err, body)
			}
			return
		}
		d.pass()
		st := d.stack(name)
		if st.StackStatus != "CREATE_COMPLETE" && (st.StackStatus != "ROLLBACK_COMPLETE" || aws.ToString(d.reason(name)) == "") {
			t.Errorf("%s\n%s", st.StackStatus, body)
		}
		made++
		if err := d.delete(name); err != nil {
			t.Error(err)
		}
		d.pass()
		d.wants(name, "ValidationError")
	}
	var walk func(v any)
	walk = func(v any) {
		set := func(put func(any), old any) {
			for _, x := range anything {
				put(x)
				try()
			}
			put(old)
			walk(old)
		}
		switch x := v.(type) {
		case map[string]any:
			for _, key := range sortedKeys(x) {
				set(func(y any) { x[key] = y }, x[key])
			}
		case []any:
			for i := range x {
				set(func(y any) { x[i] = y }, x[i])
			}
		}
	}
	walk(root)
	if made < 50 || made > tried/2 {
		t.Errorf("%d of %d templates made a stack", made, tried)
	}
}

// reason is why a stack began to roll back.
func (d *desk) reason(name string) *string {
	out, err := d.api.DescribeStackEvents(d.Context(), &cloudformation.DescribeStackEventsInput{StackName: &name})
	if err != nil {
		d.Fatal(err)
	}
	for _, e := range out.StackEvents {
		if e.ResourceStatus == "ROLLBACK_IN_PROGRESS" {
			return e.ResourceStatusReason
		}
	}
	return nil
}
