package simaws

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
)

const secretive = `
Parameters:
  Secret: {Type: String, NoEcho: true}
  Secrets: {Type: CommaDelimitedList, NoEcho: true, Default: "s3cret-a,s3cret-b"}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: r
      Description: !Sub "${Secret} in it"
      Path: !Join ["", ["/", !Select [1, !Ref Secrets], "/"]]
      AssumeRolePolicyDocument: {Statement: []}
`

// No call about a stack, a change set, drift or a StackSet tells what is NoEcho, except
// for an output.
func TestNoEcho(t *testing.T) {
	d := newDesk(t)
	secret := func(in *cloudformation.CreateStackInput) { in.Parameters = given("Secret", "s3cret-one") }
	if err := d.create("s", secretive, secret); err != nil {
		t.Fatal(err)
	}
	d.pass()
	d.wants("s", "CREATE_COMPLETE")
	role := d.sim.world.accounts[d.sim.world.management].roles["r"]
	if role.Description != "s3cret-one in it" || role.Path != "/s3cret-b/" {
		t.Fatalf("%+v", role)
	}
	name := aws.String("s")
	reads := map[string]func() (any, error){
		"DescribeStacks": func() (any, error) {
			return d.api.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: name})
		},
		"DescribeStackEvents": func() (any, error) {
			return d.api.DescribeStackEvents(t.Context(), &cloudformation.DescribeStackEventsInput{StackName: name})
		},
		"DescribeStackResources": func() (any, error) {
			return d.api.DescribeStackResources(t.Context(), &cloudformation.DescribeStackResourcesInput{StackName: name})
		},
		"DescribeChangeSet": func() (any, error) {
			return d.change("s", fmt.Sprint("c", d.now.Unix()), secretive, func(in *cloudformation.CreateChangeSetInput) { in.Parameters = given("Secret", "s3cret-two") }), nil
		},
		"DescribeStackResourceDrifts": func() (any, error) {
			if _, err := d.api.DetectStackDrift(t.Context(), &cloudformation.DetectStackDriftInput{StackName: name}); err != nil {
				return nil, err
			}
			d.now = d.now.Add(time.Minute)
			return d.api.DescribeStackResourceDrifts(t.Context(), &cloudformation.DescribeStackResourceDriftsInput{StackName: name})
		},
	}
	for _, call := range sortedKeys(reads) {
		out, err := reads[call]()
		text, _ := json.Marshal(out)
		if err != nil || strings.Contains(string(text), "s3cret") && call != "DescribeStackResourceDrifts" {
			t.Errorf("%s: %s %v", call, text, err)
		}
		if call == "DescribeStackResources" {
			continue // shows no properties at all
		}
		if !strings.Contains(string(text), "****") {
			t.Errorf("%s: %s", call, text)
		}
	}
	out, err := d.api.DescribeStackResourceDrifts(t.Context(), &cloudformation.DescribeStackResourceDriftsInput{StackName: name})
	if err != nil || strings.Contains(*out.StackResourceDrifts[0].ExpectedProperties, "s3cret") || out.StackResourceDrifts[0].StackResourceDriftStatus != "IN_SYNC" {
		t.Error(out, err)
	}
}

func TestNoEchoOfAStackSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 12, Empty: true})
		id := g.members()[0]
		if err := g.create("s", secretive, func(in *cloudformation.CreateStackSetInput) { in.Parameters = given("Secret", "s3cret-one") }); err != nil {
			t.Fatal(err)
		}
		g.deploy("s", g.only(id), []string{"us-east-1"}, func(in *cloudformation.CreateStackInstancesInput) {
			in.ParameterOverrides = given("Secret", "s3cret-two")
		})
		out, err := g.api.DescribeStackSet(t.Context(), &cloudformation.DescribeStackSetInput{StackSetName: aws.String("s")})
		if err != nil {
			t.Fatal(err)
		}
		if in := g.instance("s", id, "us-east-1"); in.Status != "CURRENT" || *in.ParameterOverrides[0].ParameterValue != hidden || *out.StackSet.Parameters[0].ParameterValue != hidden {
			t.Errorf("%+v %+v", in, out.StackSet.Parameters)
		}
		if r := g.sim.world.accounts[id].roles["r"]; r == nil || r.Description != "s3cret-two in it" {
			t.Errorf("%+v", r)
		}
	})
}

// Stacks are listed by their creation, the newest first, those that are gone among them.
func TestListStacksNewestFirst(t *testing.T) {
	d := newDesk(t)
	for _, name := range []string{"b", "c", "a"} {
		if err := d.create(name, emptyTemplate); err != nil {
			t.Fatal(err)
		}
		d.pass()
	}
	if err := d.delete("c"); err != nil {
		t.Fatal(err)
	}
	d.pass()
	out, err := d.api.ListStacks(t.Context(), &cloudformation.ListStacksInput{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, st := range out.StackSummaries {
		names = append(names, *st.StackName)
	}
	if got := strings.Join(names, ""); got != "acb" {
		t.Error(got)
	}
}
