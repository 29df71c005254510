package templates

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const ruled = `
Metadata:
  rollout: {lint: {ignore: {RL026: never ends, RL302: short names, RL303: anything goes}}}
Parameters:
  HomeRegion: {Type: String}
  MaximumAge: {Type: Number, Default: 90}
  Symbols: {Type: String, Default: "true"}
  Extra: {Type: String, Default: ""}
  Ports: {Type: CommaDelimitedList, Default: "22, 3389"}
Mappings:
  Ages: {eu-west-1: {Days: 45}}
Conditions:
  IsHome: !Equals [!Ref AWS::Region, !Ref HomeRegion]
  HasExtra: !Not [!Equals [!Ref Extra, ""]]
  Both: !And [!Condition IsHome, !Condition HasExtra]
  Either: !Or [!Condition HasExtra, !Condition IsHome]
  Ours: !Equals [!Ref AWS::AccountId, "111122223333"]
  Circle: !Not [!Condition Circle]
Resources:
  Home:
    Type: AWS::Config::ConfigRule
    Condition: IsHome
    Properties:
      ConfigRuleName: home
      Source: {Owner: AWS, SourceIdentifier: ACCESS_KEYS_ROTATED}
      InputParameters:
        maxAccessKeyAge: !Ref MaximumAge
        symbols: !Ref Symbols
        extra: !If [HasExtra, !Ref Extra, !Ref AWS::NoValue]
  Extra:
    Type: AWS::Config::ConfigRule
    Condition: Both
    Properties: {ConfigRuleName: extra, Source: {Owner: AWS, SourceIdentifier: X}}
  Either:
    Type: AWS::Config::ConfigRule
    Condition: Either
    Properties: {ConfigRuleName: !Join ["-", [either, !Select [0, !Ref Ports]]], Source: {Owner: AWS, SourceIdentifier: X}}
  Account:
    Type: AWS::Config::ConfigRule
    Condition: Ours
    Properties:
      ConfigRuleName: !Sub "account-${AWS::Region}"
      Source: {Owner: AWS, SourceIdentifier: X}
      InputParameters:
        owner: !Ref AWS::AccountId
        age: !FindInMap [Ages, !Ref AWS::Region, Days]
        ports: !Ref Ports
        topic: !Sub ["${A}:${!B}", {A: !Select [1, !Split [".", a.b]]}]
  Never:
    Type: AWS::Config::ConfigRule
    Condition: Circle
    Properties: {ConfigRuleName: never, Source: {Owner: CUSTOM_LAMBDA}}
`

// The rules of a run follow from its parameters and the Region; what only an account
// knows is told as unknown.
func TestRulesWith(t *testing.T) {
	template, err := Load(write(t, "ruled.yaml", ruled))
	if err != nil {
		t.Fatal(err)
	}
	if len(template.Rules) != 4 || strings.Join(template.Unnamed, " ") != "Account" {
		t.Errorf("the body has %v, unnamed %v", template.Rules, template.Unnamed)
	}
	never := Rule{Name: "never", Title: "never"}
	account := func(region string, parameters map[string]string, unknown ...string) Rule {
		parameters["ports"], parameters["topic"] = `["22","3389"]`, "b:${B}"
		return Rule{Name: "account-" + region, Title: "account-" + region, Identifier: "X", Parameters: parameters, Unknown: unknown}
	}
	either := Rule{Name: "either-22", Title: "either-22", Identifier: "X"}
	for name, test := range map[string]struct {
		given map[string]string
		want  []Rule
	}{
		"home": {map[string]string{"HomeRegion": "eu-west-1", "AWS::Region": "eu-west-1"}, []Rule{
			account("eu-west-1", map[string]string{"age": "45"}, "owner"), either,
			{Name: "home", Title: "home", Identifier: "ACCESS_KEYS_ROTATED", Parameters: map[string]string{"maxAccessKeyAge": "90", "symbols": "true"}}, never,
		}},
		"elsewhere": {map[string]string{"HomeRegion": "eu-west-1", "AWS::Region": "us-east-1"}, []Rule{
			account("us-east-1", map[string]string{}, "age", "owner"), never,
		}},
		"elsewhere with a parameter": {map[string]string{"HomeRegion": "eu-west-1", "AWS::Region": "us-east-1", "Extra": "x"}, []Rule{
			account("us-east-1", map[string]string{}, "age", "owner"), either, never,
		}},
		"given": {map[string]string{"HomeRegion": "eu-west-1", "AWS::Region": "eu-west-1", "MaximumAge": "30", "Extra": "x", "AWS::AccountId": "444455556666"}, []Rule{
			either, {Name: "extra", Title: "extra", Identifier: "X"},
			{Name: "home", Title: "home", Identifier: "ACCESS_KEYS_ROTATED", Parameters: map[string]string{"maxAccessKeyAge": "30", "symbols": "true", "extra": "x"}}, never,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, template.RulesWith(test.given)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The tests' own evaluator, which knows nothing of this one, comes to the same
// properties for everything in the catalog.
func TestEvaluationsAgree(t *testing.T) {
	for _, template := range All() {
		for _, given := range []map[string]string{
			home, with(ParameterHomeRegion, "us-east-1"),
		} {
			d := template.Document()
			independent := evaluate(t, d, given).resources()
			values := map[string]string{"AWS::Region": "eu-west-1", "AWS::AccountId": "111122223333", "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}
			for k, v := range given {
				values[k] = v
			}
			e := newEvaluation(d, values)
			for id, r := range d.Resources {
				holds, known := true, true
				if r.Condition != "" {
					holds, known = e.condition(r.Condition)
				}
				properties, made := independent[id]
				if !known || holds != made {
					t.Errorf("%s %s: made %t, known %t; the other says %t", template.Name, id, holds, known, made)
				}
				if made && !agree(properties, e.value(r.Properties)) {
					t.Errorf("%s %s differs: %s", template.Name, id, cmp.Diff(properties, e.value(r.Properties)))
				}
			}
		}
	}
}

// agree compares values, but for what only a deployment knows.
func agree(independent, ours any) bool {
	switch ours := ours.(type) {
	case unknown:
		return true
	case map[string]any:
		theirs, ok := independent.(map[string]any)
		if !ok || len(theirs) != len(ours) {
			return false
		}
		for k, v := range ours {
			if !agree(theirs[k], v) {
				return false
			}
		}
		return true
	case []any:
		theirs, ok := independent.([]any)
		if !ok || len(theirs) != len(ours) {
			return false
		}
		for i, v := range ours {
			if !agree(theirs[i], v) {
				return false
			}
		}
		return true
	}
	return independent == ours
}

func TestLoadAll(t *testing.T) {
	file := write(t, "mine.yaml", "Resources: {A: {Type: AWS::SNS::Topic}}")
	twin := write(t, "mine.yaml", "Resources: {A: {Type: AWS::SQS::Queue}}")
	for text, want := range map[string]string{
		"recording":                                     "recording",
		"default-security-group, recording":             "recording default-security-group",
		file + ",recording":                             "recording mine",
		"default-security-group,default-security-group": "default-security-group",
		file + "," + file:                               "mine",
		"default-security-group,default-securty-group":  "! did you mean default-security-group?",
		"default-security-group,":                       "! is not embedded",
		file + "," + twin:                               "! the same name mine",
		"baseline," + file:                              namesOf(Baseline()) + " mine",
		"baseline":                                      namesOf(Baseline()),
	} {
		got, err := LoadAll(text)
		if wrong, refused := strings.CutPrefix(want, "! "); refused {
			if err == nil || !strings.Contains(err.Error(), wrong) {
				t.Errorf("%s: %v, want %s", text, err, wrong)
			}
			continue
		}
		if err != nil || namesOf(got) != want {
			t.Errorf("%s: %s, %v, want %s", text, namesOf(got), err, want)
		}
	}
	for _, b := range Baseline() {
		if b.Enforces != "" || !b.Baseline {
			t.Errorf("the baseline has %s", b.Name)
		}
	}
}

func TestTogether(t *testing.T) {
	asked, err := LoadAll("default-security-group")
	if err != nil {
		t.Fatal(err)
	}
	mine, err := Load(write(t, "mine.yaml", "Resources: {A: {Type: AWS::SNS::Topic}}"))
	if err != nil {
		t.Fatal(err)
	}
	if got := namesOf(Together(append([]Template{mine}, asked...))); got != "recording-base recording default-security-group default-security-group-enforce mine" {
		t.Error(got)
	}
}

func namesOf(list []Template) string {
	var out []string
	for _, t := range list {
		out = append(out, t.Name)
	}
	return strings.Join(out, " ")
}
