package simaws

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"rollout/templates"
)

// evaluateText resolves the Properties of resource A of a template.
func evaluateText(t *testing.T, text string) (any, error) {
	t.Helper()
	doc, err := templates.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	params, err := parameterValues(doc, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := &evaluator{doc: doc, params: params, conditions: map[string]bool{}, pending: map[string]bool{},
		pseudo: map[string]string{"AWS::Region": "eu-west-1", "AWS::AccountId": "111122223333", "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"},
		resource: func(id, attribute string) (any, error) {
			if id != "B" {
				return nil, templateError("no %s", id)
			}
			return strings.TrimSuffix("made-"+attribute, "-"), nil
		},
	}
	m, err := e.object(doc.Resources["A"].Properties)
	if err != nil {
		return nil, err
	}
	return m["V"], nil
}

func TestIntrinsicFunctions(t *testing.T) {
	const frame = `
Parameters:
  Text: {Type: String, Default: hello}
  List: {Type: CommaDelimitedList, Default: "a, b,c"}
  Number: {Type: Number, Default: 3}
Mappings:
  M: {eu-west-1: {Name: ireland, Zones: [x, y]}}
Conditions:
  Holds: !Equals [!Ref Text, hello]
  Fails: !Not [!Condition Holds]
  Both: !And [!Condition Holds, !Equals [!Ref AWS::Region, eu-west-1]]
  Any: !Or [!Condition Fails, !Condition Both]
  Numbers: !Equals [!Ref Number, 3]
  Truths: !Equals [true, "true"]
Resources:
  B: {Type: AWS::SNS::Topic}
  A: {Type: AWS::SNS::Topic, Properties: {V: %s}}
`
	for _, c := range []struct {
		text string
		want any // an error's text with "error: " before it
	}{
		{"!Ref Text", "hello"},
		{"!Ref List", []any{"a", "b", "c"}},
		{"!Ref AWS::AccountId", "111122223333"},
		{"!Ref B", "made"},
		{"!GetAtt B.Arn", "made-Arn"},
		{"!Ref AWS::NoValue", nil},
		{"[!Ref AWS::NoValue, x]", []any{"x"}},
		{"{K: !If [Holds, 1, 2], L: !If [Fails, 1, !Ref AWS::NoValue]}", map[string]any{"K": int64(1)}},
		{"!If [Any, holds, fails]", "holds"},
		{"!If [Numbers, same, other]", "same"},
		{"!If [Truths, same, other]", "same"},
		{"!Sub 'x-${Text}-${AWS::Region}-${!Text}-${B}-${B.Arn}'", "x-hello-eu-west-1-${Text}-made-made-Arn"},
		{"!Sub ['${Text}-${Own}', {Own: !Ref Number}]", "hello-3"},
		{"!Join ['-', [a, !Ref Text, !Ref Number]]", "a-hello-3"},
		{"!Join [',', !Ref List]", "a,b,c"},
		{"!Select [1, !Split ['-', eu-west-1]]", "west"},
		{"!Select [0, [{K: v}]]", map[string]any{"K": "v"}},
		{"!Select [7, [a]]", "error: Fn::Select cannot select nonexistent value at index 7"},
		{"!FindInMap [M, !Ref AWS::Region, Name]", "ireland"},
		{"!FindInMap [M, us-east-1, Name]", "error: Unable to get mapping for M::us-east-1::Name"},
		{"!Base64 abc", "YWJj"},
		{"!GetAZs us-east-1", []any{"us-east-1a", "us-east-1b", "us-east-1c"}},
		{"!GetAZs ''", []any{"eu-west-1a", "eu-west-1b", "eu-west-1c"}},
		{"!ImportValue x", "error: ValidationError: No export named x found"},
		{"!GetAtt Nobody.Arn", "error: no Nobody"},
		{"!If [Nobody, 1, 2]", "error: unresolved condition"},
		{"{Version: 2012-10-17, Condition: {StringEquals: {a: b}}}", map[string]any{"Version": "2012-10-17", "Condition": map[string]any{"StringEquals": map[string]any{"a": "b"}}}},
	} {
		got, err := evaluateText(t, fmt.Sprintf(frame, c.text))
		if err != nil {
			got = "error: " + err.Error()
		}
		if text, ok := c.want.(string); ok && strings.HasPrefix(text, "error: ") && strings.Contains(fmt.Sprint(got), strings.TrimPrefix(text, "error: ")) {
			continue
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %#v, not %#v", c.text, got, c.want)
		}
	}
}

// Resources come after what they need, and otherwise as written.
func TestResourceOrder(t *testing.T) {
	doc, err := templates.Parse([]byte(`
Resources:
  D: {Type: AWS::SNS::Topic, DependsOn: C}
  C: {Type: AWS::SNS::Topic, Properties: {TopicName: !Sub ["${A}-${x}", {x: !GetAtt B.TopicName}]}}
  B: {Type: AWS::SNS::Topic}
  A: {Type: AWS::SNS::Topic}
`))
	if err != nil {
		t.Fatal(err)
	}
	order, err := resourceOrder(doc)
	if err != nil || strings.Join(order, "") != "BACD" {
		t.Error(order, err)
	}
}

// Whatever a template says, making a stack of it ends with a status or a reason.
func FuzzTemplates(f *testing.F) {
	catalog, _ := filepath.Glob("../../templates/catalog/*.yaml")
	for _, name := range catalog {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(body))
	}
	f.Add("Resources: {A: {Type: AWS::SNS::Topic, Properties: {Fn::If: [C, 1, {}]}}}\nConditions: {C: !Equals [a, b]}")
	f.Add("Resources: {A: {Type: AWS::SNS::Topic, Properties: {Ref: AWS::NoValue}}}")
	f.Add("Resources: {A: {Type: AWS::S3::Bucket, Properties: {Condition: A, BucketName: !Select [!Ref B, !Split ['', x]]}}, B: {Type: AWS::SSM::Document, Properties: {Content: 'a: b'}}}")
	f.Add("Resources: {A: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Statement: {Effect: Allow}}, Policies: [x, {PolicyName: y}], Path: 1}}}")
	f.Add("Resources: {A: {Type: AWS::SNS::Topic}}\nConditions: {C: !Condition C, D: !And [!Condition C, !Condition E], E: !Not [!Condition D]}")
	s := New(Options{Accounts: 10, Empty: true})
	a := s.world.accounts[s.world.order[2]]
	f.Fuzz(func(t *testing.T, body string) {
		doc, err := readTemplate(body)
		if err != nil {
			return
		}
		given := map[string]string{}
		for name, p := range doc.Parameters {
			if !p.HasDefault {
				given[name] = "1"
			}
		}
		st := &stack{Name: "StackSet-fuzz", Body: body, doc: doc, Parameters: given}
		r := a.region("us-east-1")
		if _, err := s.apply(a, r, st, nil); err != nil {
			if err.Error() == "" {
				t.Error("a failure without a reason")
			}
			return
		}
		if err := s.remove(a, r, st); err != nil && err.Error() == "" {
			t.Error("a failure without a reason")
		}
	})
}
