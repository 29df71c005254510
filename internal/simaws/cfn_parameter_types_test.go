package simaws

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
)

const stored = `
Resources:
  One: {Type: AWS::SSM::Parameter, Properties: {Name: /one, Type: String, Value: VALUE}}
  Many: {Type: AWS::SSM::Parameter, Properties: {Name: /many, Type: StringList, Value: "x,y"}}
  Vpc: {Type: AWS::SSM::Parameter, Properties: {Name: /vpc, Type: String, Value: vpc-0}}
`

const reading = `
Parameters:
  One: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /one}
  Many: {Type: 'AWS::SSM::Parameter::Value<List<String>>', Default: /many}
  Name: {Type: 'AWS::SSM::Parameter::Name', Default: /one}
  Secret: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /one, NoEcho: true}
Resources:
  T: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Sub ["${One} ${Last} ${Name}", {Last: !Select [1, !Ref Many]}]}}
`

// Parameters of Systems Manager are looked up at each operation.
func TestSystemsManagersParameters(t *testing.T) {
	d := newDesk(t)
	d.refuses(d.create("s", reading), "ValidationError", "Unable to fetch parameters [/one,/many] from parameter store for this account.")
	d.refuses(d.create("s", reading, func(in *cloudformation.CreateStackInput) { in.Parameters = given("Many", "") }), "ValidationError", "Parameter Many should either have input value or default value")
	if err := d.create("p", strings.Replace(stored, "VALUE", "first", 1)); err != nil {
		t.Fatal(err)
	}
	d.pass()
	if err := d.create("s", reading); err != nil {
		t.Fatal(err)
	}
	d.pass()
	display := func() string {
		return textOf(d.sim.world.accounts[d.sim.world.management].region("us-east-1").stacks["s"].Resources["T"].Properties["DisplayName"])
	}
	st := d.wants("s", "CREATE_COMPLETE")
	resolved := map[string]string{}
	for _, p := range st.Parameters {
		resolved[*p.ParameterKey] = aws.ToString(p.ParameterValue) + " " + aws.ToString(p.ResolvedValue)
	}
	if want := "map[Many:/many x,y Name:/one  One:/one first Secret:**** ****]"; fmt.Sprint(resolved) != want || display() != "first y /one" {
		t.Error(resolved, display())
	}
	again := func(in *cloudformation.UpdateStackInput) {
		in.TemplateBody, in.UsePreviousTemplate = nil, aws.Bool(true)
	}
	d.refuses(d.update("s", "", again), "ValidationError", noUpdates)
	if err := d.update("p", strings.Replace(stored, "VALUE", "second", 1)); err != nil {
		t.Fatal(err)
	}
	d.pass()
	if err := d.update("s", "", again); err != nil {
		t.Fatal(err)
	}
	d.pass()
	if d.wants("s", "UPDATE_COMPLETE"); display() != "second y /one" {
		t.Error(display())
	}
}

// A value that has to exist and does not fails the stack before any resource.
func TestParametersOfThingsThatExist(t *testing.T) {
	d := newDesk(t)
	r := d.sim.world.accounts[d.sim.world.management].region("us-east-1")
	vpc, group := r.vpcs[0].ID, sortedKeys(r.groups)[0]
	if err := d.create("p", strings.Replace(stored, "VALUE", "first", 1)); err != nil {
		t.Fatal(err)
	}
	d.pass()
	for _, c := range []struct{ kind, value, missing string }{
		{"AWS::EC2::VPC::Id", vpc, ""}, {"AWS::EC2::VPC::Id", "vpc-0", "vpc-0"},
		{"List<AWS::EC2::SecurityGroup::Id>", group, ""}, {"List<AWS::EC2::SecurityGroup::Id>", group + ", sg-0", "sg-0"},
		{"AWS::EC2::SecurityGroup::GroupName", "default", ""}, {"AWS::EC2::SecurityGroup::GroupName", "other", "other"},
		{"List<AWS::EC2::AvailabilityZone::Name>", "us-east-1a,us-east-1b", ""}, {"AWS::EC2::AvailabilityZone::Name", "eu-west-1a", "eu-west-1a"},
		{"AWS::EC2::KeyPair::KeyName", "mine", "mine"}, {"AWS::EC2::Instance::Id", "i-0", "i-0"},
		{"AWS::SSM::Parameter::Value<AWS::EC2::VPC::Id>", "/vpc", "vpc-0"}, {"AWS::EC2::Image::Id", "ami-0", ""},
	} {
		name := "s" + hexOf(8, c.kind, c.value)
		if err := d.create(name, fmt.Sprintf("Parameters: {P: {Type: '%s', Default: '%s'}}\nResources: {T: {Type: AWS::SNS::Topic}}", c.kind, c.value)); err != nil {
			t.Fatal(c, err)
		}
		d.pass()
		if c.missing == "" {
			d.wants(name, "CREATE_COMPLETE")
			continue
		}
		d.wants(name, "ROLLBACK_COMPLETE")
		d.tells(name, 0, name+" CREATE_IN_PROGRESS: User Initiated",
			name+" ROLLBACK_IN_PROGRESS: Parameter validation failed: parameter value "+c.missing+" for parameter name P does not exist. Rollback requested by user.", name+" ROLLBACK_COMPLETE")
	}
	// An update goes back, a change set fails.
	body := "Parameters: {P: {Type: 'AWS::EC2::VPC::Id'}}\nResources: {T: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref P}}}"
	if err := d.create("u", body, func(in *cloudformation.CreateStackInput) { in.Parameters = given("P", vpc) }); err != nil {
		t.Fatal(err)
	}
	d.pass()
	const why = "Parameter validation failed: parameter value vpc-0 for parameter name P does not exist"
	out := d.change("u", "c", body, func(in *cloudformation.CreateChangeSetInput) { in.Parameters = given("P", "vpc-0") })
	if out.Status != "FAILED" || *out.StatusReason != why {
		t.Errorf("%+v", out)
	}
	if err := d.update("u", body, func(in *cloudformation.UpdateStackInput) { in.Parameters = given("P", "vpc-0") }); err != nil {
		t.Fatal(err)
	}
	d.pass()
	if st := d.wants("u", "UPDATE_ROLLBACK_COMPLETE"); *st.Parameters[0].ParameterValue != vpc {
		t.Errorf("%+v", st)
	}
	d.tells("u", 5, "u UPDATE_IN_PROGRESS: User Initiated", "u UPDATE_ROLLBACK_IN_PROGRESS: "+why, "u UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "u UPDATE_ROLLBACK_COMPLETE")
}

// A StackSet's instances look in their own accounts.
func TestAnInstancesParameters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 12, Empty: true})
		id, home := g.members()[0], []string{"us-east-1"}
		for name, c := range map[string]struct{ body, want string }{
			"ssm":  {reading, "Unable to fetch parameters [/one,/many] from parameter store for this account."},
			"vpc":  {"Parameters: {P: {Type: 'AWS::EC2::VPC::Id', Default: vpc-0}}\nResources: {T: {Type: AWS::SNS::Topic}}", "Parameter validation failed: parameter value vpc-0 for parameter name P does not exist"},
			"rule": {"Rules: {R: {Assertions: [{Assert: {Fn::Equals: [{Ref: 'AWS::Region'}, eu-west-1]}, AssertDescription: Only there.}]}}\nResources: {T: {Type: AWS::SNS::Topic}}", "Only there."},
		} {
			if err := g.create(name, c.body); err != nil {
				t.Fatal(name, err)
			}
			g.deploy(name, g.only(id), home)
			if in := g.instance(name, id, "us-east-1"); aws.ToString(in.StatusReason) != c.want || in.StackId != nil {
				t.Errorf("%s: %+v", name, in)
			}
		}
	})
}
