package simaws

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// A stack in another Region makes its roles in us-east-1, as far as a policy on Regions
// is concerned, and everything else where it is.
func TestGlobalServicesAreCalledInOneRegion(t *testing.T) {
	for name, c := range map[string]struct {
		denied, kind string
		ok           bool
	}{
		"a role where us-east-1 is denied":  {"us-east-1", "AWS::IAM::Role", false},
		"a role where its Region is denied": {"eu-west-1", "AWS::IAM::Role", true},
		"a topic where its Region is":       {"eu-west-1", "AWS::SNS::Topic", false},
		"a topic where us-east-1 is":        {"us-east-1", "AWS::SNS::Topic", true},
	} {
		t.Run(name, func(t *testing.T) {
			g := newStage(t, Options{Empty: true})
			body := `{"Resources":{"R":{"Type":"` + c.kind + `"}}}`
			if c.kind == "AWS::IAM::Role" {
				body = `{"Resources":{"R":{"Type":"AWS::IAM::Role","Properties":{"AssumeRolePolicyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ssm.amazonaws.com"}}]}}}}}`
			}
			id := g.members()[0]
			for _, other := range g.members() {
				if g.sim.HasRole(other, "OrganizationAccountAccessRole") {
					id = other
				}
			}
			who := entered(t, g.sim, id, "OrganizationAccountAccessRole", "")
			who.Region = "eu-west-1"
			g.sim.change(id, func(a *account) {
				w := g.sim.world
				doc, err := parsePolicy(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["iam:*","sns:*"],"Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"` + c.denied + `"}}}]}`)
				if err != nil {
					t.Fatal(err)
				}
				w.policies.add(&orgPolicy{ID: "p-region01", Name: "region", Type: scpType, doc: doc})
				w.policies.attached[a.ID] = append(w.policies.attached[a.ID], "p-region01")
			})
			api := cloudformation.NewFromConfig(who)
			if _, err := api.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("s"), TemplateBody: &body, Capabilities: []types.Capability{types.CapabilityCapabilityIam}}); err != nil {
				t.Fatal(err)
			}
			g.sim.Step(10 * 60e9)
			out, err := api.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("s")})
			if err != nil {
				t.Fatal(err)
			}
			if status := out.Stacks[0].StackStatus; (status == types.StackStatusCreateComplete) != c.ok {
				t.Errorf("the stack is %s: %s", status, aws.ToString(out.Stacks[0].StackStatusReason))
			}
		})
	}
}
