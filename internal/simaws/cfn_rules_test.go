package simaws

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

func given(pairs ...string) (list []types.Parameter) {
	for n := 0; n < len(pairs); n += 2 {
		list = append(list, parameter(pairs[n], pairs[n+1]))
	}
	return list
}

const ruled = `
Parameters:
  Kind: {Type: String, Default: test}
  Size: {Type: String, Default: small}
  Zones: {Type: CommaDelimitedList, Default: "a,b"}
  Vpc: {Type: 'AWS::EC2::VPC::Id', Default: VPC}
  Groups: {Type: 'List<AWS::EC2::SecurityGroup::Id>', Default: GROUP}
Rules:
  Production:
    RuleCondition: !Equals [!Ref Kind, prod]
    Assertions:
      - Assert: {Fn::Contains: [[large, huge], !Ref Size]}
        AssertDescription: Production is large.
  Sure:
    Assertions:
      - Assert: ASSERT
        AssertDescription: It does not hold.
Resources:
  T: {Type: AWS::SNS::Topic}
`

// Rules as the template reference gives them, each function true and false.
func TestRules(t *testing.T) {
	d := newDesk(t)
	r := d.sim.world.accounts[d.sim.world.management].region("us-east-1")
	v := r.vpcs[0]
	v.Tags = map[string]string{"Team": "net"}
	group := ""
	for _, id := range sortedKeys(r.groups) {
		if g := r.groups[id]; g.VPC == v.ID && g.Name == "default" {
			group, g.Tags = g.ID, map[string]string{"Team": "net"}
		}
	}
	body := func(assert string) string {
		return strings.NewReplacer("ASSERT", assert, "VPC}", v.ID+"}", "GROUP}", group+"}").Replace(ruled)
	}
	for assert, holds := range map[string]bool{
		"true": true, "false": false,
		"!Equals [!Ref Size, small]": true, "!Equals [!Ref Size, large]": false,
		"!Not [!Equals [!Ref Size, large]]": true, "!Not [!Equals [!Ref Size, small]]": false,
		"!And [!Equals [a, a], !Equals [b, b]]": true, "!And [!Equals [a, a], !Equals [a, b]]": false,
		"!Or [!Equals [a, b], !Equals [b, b]]": true, "!Or [!Equals [a, b], !Equals [c, b]]": false,
		"{Fn::Contains: [[small], !Ref Size]}": true, "{Fn::Contains: [!Ref Zones, b]}": true, "{Fn::Contains: [!Ref Zones, c]}": false,
		"{Fn::EachMemberEquals: [[a, a], a]}": true, "{Fn::EachMemberEquals: [!Ref Zones, a]}": false,
		"{Fn::EachMemberIn: [!Ref Zones, [a, b, c]]}": true, "{Fn::EachMemberIn: [!Ref Zones, [a]]}": false,
		"{Fn::Contains: [{Fn::RefAll: 'AWS::EC2::VPC::Id'}, !Ref Vpc]}": true, "{Fn::EachMemberIn: [!Ref Groups, {Fn::RefAll: 'AWS::EC2::SecurityGroup::Id'}]}": true,
		"{Fn::Contains: [{Fn::RefAll: 'AWS::EC2::AvailabilityZone::Name'}, us-east-1c]}": true,
		"!Equals [{Fn::ValueOf: [Vpc, Tags.Team]}, net]":                                 true, "!Equals [{Fn::ValueOf: [Vpc, Tags.Other]}, net]": false,
		"!Equals [{Fn::ValueOf: [Vpc, DefaultSecurityGroup]}, !Ref Groups]":                           true,
		"{Fn::EachMemberEquals: [{Fn::ValueOfAll: ['AWS::EC2::SecurityGroup::Id', Tags.Team]}, net]}": true,
		"!Equals [!Ref 'AWS::Region', us-east-1]":                                                     true,
		"!Equals [!Equals [a, a], 'true']":                                                            true,
	} {
		name := "s" + hexOf(8, assert)
		err := d.create(name, body(assert))
		if holds && err != nil {
			t.Errorf("%s: %v", assert, err)
		}
		if !holds {
			d.refuses(err, "ValidationError", "It does not hold.")
			d.wants(name, "ValidationError")
		}
	}
	// On an update, a change set and with a condition.
	if err := d.create("s", body("true")); err != nil {
		t.Fatal(err)
	}
	d.pass()
	prod := given("Kind", "prod")
	d.refuses(d.update("s", body("true"), func(in *cloudformation.UpdateStackInput) { in.Parameters = prod }), "ValidationError", "Production is large.")
	_, err := d.api.CreateChangeSet(t.Context(), &cloudformation.CreateChangeSetInput{StackName: aws.String("s"), ChangeSetName: aws.String("c"), UsePreviousTemplate: aws.Bool(true), Parameters: prod})
	d.refuses(err, "ValidationError", "Production is large.")
	if err := d.create("large", body("true"), func(in *cloudformation.CreateStackInput) { in.Parameters = append(given("Size", "huge"), prod...) }); err != nil {
		t.Error(err)
	}
}

func TestRulesThatAreRefused(t *testing.T) {
	d := newDesk(t)
	for rules, want := range map[string]string{
		"[]":                                "Rules must be an object.",
		"{A: []}":                           "Rule A must contain a list of Assertions",
		"{A: {}}":                           "Rule A must contain a list of Assertions",
		"{A: {Assertions: []}}":             "Rule A must contain a list of Assertions",
		"{A: {Assertions: {Assert: true}}}": "Rule A must contain a list of Assertions",
		"{A: {Assertions: [1]}}":            "must contain an Assert",
		"{A: {Assertions: [{AssertDescription: x}]}}":                                              "must contain an Assert",
		"{A: {Assertions: [{Assert: true, AssertDescription: [x]}]}}":                              "must be a string",
		"{A: {Assertions: [{Assert: true}], Other: 1}}":                                            "Invalid rule property 'Other'",
		"{A-b: {Assertions: [{Assert: true}]}}":                                                    "non alphanumeric",
		"{A: {Assertions: [{Assert: {Fn::If: [C, 1, 2]}}]}}":                                       "Function Fn::If cannot be used in rule A",
		"{A: {Assertions: [{Assert: {Fn::GetAtt: [R, Arn]}}]}}":                                    "Function Fn::GetAtt cannot be used in rule A",
		"{A: {Assertions: [{Assert: {Condition: C}}]}}":                                            "Function Condition cannot be used in rule A",
		"{A: {Assertions: [{Assert: {Fn::Equals: [a]}}]}}":                                         "wrong number of arguments",
		"{A: {Assertions: [{Assert: {Fn::Equals: a}}]}}":                                           "wrong number of arguments",
		"{A: {Assertions: [{Assert: {Fn::Equals: [a, {Ref: R}]}}]}}":                               "Unresolved dependencies [R]. Cannot reference resources in the Rules block of the template",
		"{A: {Assertions: [{Assert: {Fn::Contains: [{Fn::ValueOf: [X, Y]}, a]}}]}}":                "Unresolved dependencies [X]",
		"{A: {Assertions: [{Assert: {Fn::Contains: [{Fn::RefAll: [X]}, a]}}]}}":                    "Fn::RefAll in rule A requires a string",
		"{A: {RuleCondition: {Fn::Not: [a, b]}, Assertions: [{Assert: true}]}}":                    "wrong number of arguments",
		"{A: {RuleCondition: {a: 1, b: 2}, Assertions: [{Assert: true}]}}":                         "no rule function",
		"{A: {Assertions: [{Assert: {Fn::Contains: [{Fn::RefAll: 'AWS::EC2::Subnet::Id'}, a]}}]}}": "cannot list AWS::EC2::Subnet::Id",
	} {
		d.refuses(d.create("s", "Rules: "+rules+"\nResources: {R: {Type: AWS::SNS::Topic}}"), "ValidationError", want)
	}
}
