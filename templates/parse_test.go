package templates

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseValues(t *testing.T) {
	d, err := Parse([]byte(`AWSTemplateFormatVersion: 2010-09-09
Description: values
Conditions:
  Never: !Equals [a, b]
  Both: !And [!Condition Never, !Not [!Condition Never]]
Mappings:
  M: {a: {"1": x}}
Resources:
  A:
    Type: AWS::S3::Bucket
    Condition: Never
    DeletionPolicy: Retain
    DependsOn: B
    Properties:
      Name: !Sub "x-${AWS::Region}"
      Ref: !Ref 1
      Arn: !GetAtt B.Outputs.Arn
      Long: {Fn::GetAtt: B.Arn}
      List: !GetAtt [B, Arn]
      If: !If [Never, !Ref AWS::NoValue, [1, -2, 1.5, true, ~, "3", 2012-10-17]]
      Account: 012345678901
      Words: [yes, No, on, Off, "off", y, True]
      Nested: !Base64
        Fn::Sub: x
      Script: |
        a
          b
  B:
    Type: AWS::S3::Bucket
    DependsOn: [C, D]
Outputs:
  O: {Value: !FindInMap [M, a, "1"]}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"Name":  map[string]any{"Fn::Sub": "x-${AWS::Region}"},
		"Ref":   map[string]any{"Ref": "1"},
		"Arn":   map[string]any{"Fn::GetAtt": []any{"B", "Outputs.Arn"}},
		"Long":  map[string]any{"Fn::GetAtt": []any{"B", "Arn"}},
		"List":  map[string]any{"Fn::GetAtt": []any{"B", "Arn"}},
		"If":    map[string]any{"Fn::If": []any{"Never", map[string]any{"Ref": "AWS::NoValue"}, []any{int64(1), int64(-2), 1.5, true, nil, "3", "2012-10-17"}}},
		"Words": []any{true, false, true, false, "off", "y", true}, "Account": "012345678901",
		"Nested": map[string]any{"Fn::Base64": map[string]any{"Fn::Sub": "x"}},
		"Script": "a\n  b\n",
	}
	if diff := cmp.Diff(want, d.Resources["A"].Properties); diff != "" {
		t.Errorf("properties (-want +got):\n%s", diff)
	}
	a, b := d.Resources["A"], d.Resources["B"]
	if d.FormatVersion != "2010-09-09" || a.Condition != "Never" || a.DeletionPolicy != "Retain" || a.Line != 9 || b.Line != 28 {
		t.Errorf("%q %+v %d", d.FormatVersion, a, b.Line)
	}
	if diff := cmp.Diff([][]string{{"B"}, {"C", "D"}, {"A", "B"}}, [][]string{a.DependsOn, b.DependsOn, d.ResourceOrder}); diff != "" {
		t.Error(diff)
	}
	if b.Properties == nil {
		t.Error("no properties are nil")
	}
	condition := map[string]any{"Fn::And": []any{map[string]any{"Condition": "Never"}, map[string]any{"Fn::Not": []any{map[string]any{"Condition": "Never"}}}}}
	if diff := cmp.Diff(condition, d.Conditions["Both"]); diff != "" {
		t.Error(diff)
	}
}

func TestParseJSON(t *testing.T) {
	d, err := Parse([]byte("{\n\t\"Parameters\": {\"P\": {\"Type\": \"Number\", \"Default\": 7, \"MaxValue\": \"9\"}},\n" +
		"\t\"Resources\": {\n\t\t\"A\": {\"Type\": \"T::T::T\", \"Properties\": {\"Face\": \"\\ud83d\\ude00\", \"N\": 1.5, \"I\": 3, " +
		"\"Z\": null, \"Off\": \"Off\", \"G\": {\"Fn::GetAtt\": \"A.Arn\"}, \"E\": []}}}}"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"Face": "😀", "N": 1.5, "I": int64(3), "Z": nil, "Off": "Off", "G": map[string]any{"Fn::GetAtt": []any{"A", "Arn"}}, "E": []any{},
	}
	if diff := cmp.Diff(want, d.Resources["A"].Properties); diff != "" {
		t.Error(diff)
	}
	if p := d.Parameters["P"]; p.Default != "7" || *p.MaxValue != 9 || d.Resources["A"].Line != 4 {
		t.Errorf("%+v, line %d", p, d.Resources["A"].Line)
	}
}

func TestParseErrors(t *testing.T) {
	const r = "Resources: {A: {Type: T}}\n"
	deep := strings.Repeat("[", maxDepth+2) + strings.Repeat("]", maxDepth+2)
	for name, test := range map[string]struct{ body, want string }{
		"nothing":              {"", "template is empty"},
		"comment only":         {"# hello\n", "template is empty"},
		"not yaml":             {"a: [", "not YAML"},
		"a list":               {"- a", "1:1: a template is to be a map"},
		"a word":               {"hello", "1:1: a template is to be a map"},
		"no resources":         {"Description: x", "1:1: a template needs at least one resource"},
		"unknown section":      {r + "Resource: {}", `2:1: a template has no "Resource"`},
		"two documents":        {r + "---\n" + r, "a second one starts here"},
		"duplicate key":        {"Resources:\n  A: {Type: T}\n  A: {Type: T}", `3:3: key "A" of Resources is already there, in line 2`},
		"duplicate deep":       {"Resources:\n  A:\n    Type: T\n    Properties: {x: [{b: 1, b: 2}]}", `4:29: key "b" of this map is already there`},
		"duplicate json":       {"{\"Resources\": {\"A\": {\"Type\": \"T\",\n \"Type\": \"T\"}}}", `2:2: key "Type" of resource A is already there, in line 1`},
		"anchor":               {"Resources: {A: {Type: T, Properties: {a: &x 1}}}", "1:42: CloudFormation does not know YAML anchors"},
		"alias":                {"Description: &x y\nResources: *x", "does not know YAML anchors"},
		"merge":                {"Resources: {A: {Type: T, Properties: {<<: {a: b}}}}", "merge key"},
		"unknown tag":          {"Resources: {A: {Type: T, Properties: {a: !Reff x}}}", "1:42: CloudFormation does not know the tag !Reff"},
		"binary":               {"Resources: {A: {Type: T, Properties: {a: !!binary eA==}}}", "!!binary"},
		"no type":              {"Resources:\n  A: {Properties: {}}", "2:3: resource A has no Type"},
		"unknown attribute":    {"Resources: {A: {Type: T, Propertys: {}}}", `resource A has no "Propertys"`},
		"policy":               {"Resources: {A: {Type: T, DeletionPolicy: Keep}}", `resource A's DeletionPolicy has no "Keep"; it may have Delete, Retain`},
		"policy intrinsic":     {"Resources: {A: {Type: T, DeletionPolicy: !Ref X}}", "DeletionPolicy is to be a string"},
		"logical id":           {"Resources: {A-B: {Type: T}}", `"A-B" is to be letters and digits`},
		"parameter type":       {r + "Parameters: {P: {Default: x}}", "parameter P has no Type"},
		"parameter attribute":  {r + "Parameters: {P: {Type: String, Defalt: x}}", `parameter P has no "Defalt"`},
		"parameter number":     {r + "Parameters: {P: {Type: String, MaxLength: x}}", `"x" is not a length`},
		"parameter range":      {r + "Parameters: {P: {Type: Number, MinValue: x}}", `"x" is not a number`},
		"deep":                 {"Resources: {A: {Type: T, Properties: {a: " + deep + "}}}", "nest deeper than 64"},
		"deep json":            {`{"Resources": {"A": {"Type": "T", "Properties": {"a": ` + deep + `}}}}`, "nest deeper than 64"},
		"brackets":             {"a: " + strings.Repeat("[", 100_000), "nest deeper than 64"},
		"key of a custom tag":  {"Resources: {!Ref A: {Type: T}}", "a key of Resources is not a plain word"},
		"tag on a map":         {"Resources: !Ref {A: {Type: T}}", "Resources is to be a map"},
		"too large":            {strings.Repeat("#", maxDocument+1), "CloudFormation takes at most"},
		"properties of a list": {"Resources: {A: {Type: T, Properties: []}}", "resource A's Properties is to be a map"},
	} {
		_, err := Parse([]byte(test.body))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", name, err, test.want)
			continue
		}
		if syntax := (*SyntaxError)(nil); !errors.As(err, &syntax) {
			t.Errorf("%s: %T", name, err)
		}
	}
}

func TestParameterCheck(t *testing.T) {
	d, err := Parse([]byte(`Parameters:
  Choice: {Type: String, Default: Off, AllowedValues: ["true", "false"]}
  Size: {Type: Number, MinValue: 1, MaxValue: 25}
  Name: {Type: String, MinLength: 2, MaxLength: 4, AllowedPattern: '[a-zé]+', ConstraintDescription: small letters}
  Secret: {Type: String, NoEcho: true, AllowedValues: [hunter2]}
  List: {Type: CommaDelimitedList, AllowedPattern: '[a-z]'}
  Numbers: {Type: List<Number>, MaxValue: 3}
  Lookahead: {Type: String, AllowedPattern: '(?!x).*'}
  Optional: {Type: String, Default: "", AllowedPattern: '|[a-z]+'}
Resources: {A: {Type: T}}
`))
	if err != nil {
		t.Fatal(err)
	}
	if p := d.Parameters["Choice"]; p.Default != "false" || !p.HasDefault {
		t.Errorf("a bare Off is false to CloudFormation, here %q", p.Default)
	}
	for _, test := range []struct{ name, value, want string }{
		{"Choice", "true", ""}, {"Choice", "yes", `parameter Choice: "yes" is not one of true, false`},
		{"Size", "1", ""}, {"Size", "25", ""}, {"Size", "0", "less than 1"}, {"Size", "26", "more than 25"}, {"Size", "", "not a number"},
		{"Size", "2.5", ""}, {"Size", "1e1", ""}, {"Size", "NaN", "not a number"}, {"Size", "0x10", "not a number"}, {"Size", "1_0", "not a number"}, {"Size", "2\n", "not a number"},
		{"Name", "éé", ""}, {"Name", "é", "shorter than 2"}, {"Name", "abcde", "longer than 4"},
		{"Name", "abC", "does not match [a-zé]+: small letters"},
		{"List", "a, b", ""}, {"List", "a,bb", `"bb" does not match`},
		{"Numbers", "1,2", ""}, {"Numbers", "1,4", "more than 3"},
		{"Lookahead", "x", ""}, {"Optional", "", ""}, {"Optional", "A", "does not match"},
		{"Secret", "hunter2", ""}, {"Secret", "guess", "parameter Secret: its value is not one of"},
	} {
		err := d.Parameters[test.name].Check(test.value)
		switch {
		case test.want == "" && err != nil, test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s=%q: %v, want %q", test.name, test.value, err, test.want)
		case err != nil && strings.Contains(err.Error(), "guess"):
			t.Errorf("a NoEcho value is shown: %v", err)
		}
	}
}

func FuzzParse(f *testing.F) {
	// Short seeds: go test minimizes what it finds for up to a minute each, and with
	// whole templates does nothing else.
	f.Add([]byte("Parameters: {P: {Type: Number, Default: 7, MaxValue: 9}}\nResources: {A: {Type: T}}"))
	f.Add([]byte("Resources:\n  R:\n    Type: AWS::Config::ConfigRule\n    Properties:\n      ConfigRuleName: x\n      Scope: !If [A, !Ref B, 'y']\n"))
	f.Add([]byte(`{"Resources":{"A":{"Type":"T"}}}`))
	f.Add([]byte("Resources: {A: {Type: T, Properties: {a: !GetAtt b.c, d: &x [*x]}}}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := Parse(body)
		if (d == nil) == (err == nil) {
			t.Fatalf("%v and %v", d, err)
		}
		if d == nil {
			return
		}
		if len(d.Resources) != len(d.ResourceOrder) || len(d.Parameters) != len(d.ParameterOrder) {
			t.Fatal("the orders do not hold what is there")
		}
		RequiredCapabilities(d)
		rulesOf(d)
		for _, p := range d.Parameters {
			_ = p.Check(p.Default)
		}
	})
}
