package simaws

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
)

func policyOf(statements ...string) string {
	return `{"Statement": [` + strings.Join(statements, ", ") + `]}`
}

const (
	allowUpdates = `{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}`
	denyReplace  = `{"Effect": "Deny", "Action": ["Update:Replace", "Update:Delete"], "Principal": "*", "Resource": "LogicalResourceId/T0"}`
	denyTopics   = `{"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*", "Condition": {"StringEquals": {"ResourceType": ["AWS::SNS::Topic"]}}}`
)

// An update that the stack's policy forbids fails at the resource, before anything is
// done to it, in the words of stack events that others published.
func TestStackPolicies(t *testing.T) {
	display := strings.Replace(topics("a", "b"), `"TopicName": "a"`, `"TopicName": "a", "DisplayName": "A"`, 1)
	renamed, gone := topics("c", "b"), `{"Resources": {"T1": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "b"}}}}`
	for _, c := range []struct {
		name, policy, during, body string
		why                        string // "" when the update is allowed
	}{
		{"none", "", "", renamed, ""},
		{"an empty one", "{}", "", renamed, ""},
		{"all allowed", policyOf(allowUpdates), "", renamed, ""},
		{"a change is no replacement", policyOf(allowUpdates, denyReplace), "", display, ""},
		{"a replacement", policyOf(allowUpdates, denyReplace), "", renamed, "Action denied by stack policy: Statement [#2] does not allow [Update:Replace, Update:Delete] for resource [LogicalResourceId/T0];"},
		{"a removal", policyOf(allowUpdates, denyReplace), "", gone, "Action denied by stack policy: Statement [#2] does not allow [Update:Replace, Update:Delete] for resource [LogicalResourceId/T0];"},
		{"a type, before the Allow", policyOf(denyTopics, allowUpdates), "", display, "Action denied by stack policy: Statement [#1] does not allow [Update:*] for resource [*];"},
		{"what is not allowed", policyOf(strings.Replace(allowUpdates, `"Resource": "*"`, `"Resource": "LogicalResourceId/T1"`, 1)), "", display, "Action not allowed by stack policy"},
		{"for once", policyOf(allowUpdates, denyReplace), policyOf(allowUpdates), renamed, ""},
		{"forbidden for once", "", policyOf(denyTopics), display, "Action denied by stack policy: Statement [#1] does not allow [Update:*] for resource [*];"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			if err := d.create("s", topics("a", "b")); err != nil {
				t.Fatal(err)
			}
			d.pass()
			get := func() string {
				out, err := d.api.GetStackPolicy(t.Context(), &cloudformation.GetStackPolicyInput{StackName: aws.String("s")})
				if err != nil {
					t.Fatal(err)
				}
				return aws.ToString(out.StackPolicyBody)
			}
			if c.policy != "" {
				if _, err := d.api.SetStackPolicy(t.Context(), &cloudformation.SetStackPolicyInput{StackName: aws.String("s"), StackPolicyBody: &c.policy}); err != nil {
					t.Fatal(err)
				}
			}
			before, there := len(d.lines("s", 0)), d.topics()
			next := policyOf(denyTopics)
			if err := d.update("s", c.body, func(in *cloudformation.UpdateStackInput) {
				in.StackPolicyBody = &next
				if c.during != "" {
					in.StackPolicyDuringUpdateBody = &c.during
				}
			}); err != nil {
				t.Fatal(err)
			}
			if want := max(c.policy, c.during); c.during != "" && get() != c.during || c.during == "" && get() != want {
				t.Errorf("during the update: %s", get())
			}
			d.pass()
			if c.why == "" {
				if d.wants("s", "UPDATE_COMPLETE"); get() != next {
					t.Errorf("after the update: %s", get())
				}
				return
			}
			d.wants("s", "UPDATE_ROLLBACK_COMPLETE")
			d.tells("s", before, "s UPDATE_IN_PROGRESS: User Initiated", "T0 UPDATE_FAILED: "+c.why, "s UPDATE_ROLLBACK_IN_PROGRESS: The following resource(s) failed to update: [T0]. ",
				"T0 UPDATE_COMPLETE", "s UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "s UPDATE_ROLLBACK_COMPLETE")
			if get() != c.policy || d.topics() != there {
				t.Error(get(), d.topics()-there)
			}
		})
	}
}

func TestStackPoliciesThatAreRefused(t *testing.T) {
	d := newDesk(t)
	if err := d.create("s", topics("a")); err != nil {
		t.Fatal(err)
	}
	d.pass()
	a := d.sim.world.accounts[d.sim.world.management]
	a.buckets["mine"] = &bucket{Name: "mine", Owner: a.ID, Region: "us-east-1", Objects: map[string][]byte{"p.json": []byte(policyOf(allowUpdates))}}
	at := "https://mine.s3.amazonaws.com/p.json"
	set := func(body, url *string) error {
		_, err := d.api.SetStackPolicy(t.Context(), &cloudformation.SetStackPolicyInput{StackName: aws.String("s"), StackPolicyBody: body, StackPolicyURL: url})
		return err
	}
	for _, body := range []string{"x", "[]", "null", `{"Statement": 1}`, policyOf(`{"Effect": "Maybe"}`), policyOf(strings.Replace(allowUpdates, `"Principal": "*", `, "", 1)),
		policyOf(strings.Replace(allowUpdates, `"Principal": "*"`, `"Principal": "me"`, 1)), policyOf(strings.Replace(allowUpdates, "Update:*", "Delete:*", 1)),
		policyOf(strings.Replace(allowUpdates, `"Resource": "*"`, `"Resource": "T0"`, 1)), policyOf(strings.Replace(denyTopics, "ResourceType", "Colour", 1)),
		policyOf(strings.Replace(denyTopics, "StringEquals", "Bool", 1))} {
		d.refuses(set(&body, nil), "ValidationError", "Error validating stack policy: Invalid stack policy")
	}
	d.refuses(set(aws.String("{}"), &at), "ValidationError", "You cannot specify both StackPolicyURL and StackPolicyBody")
	d.refuses(set(aws.String(strings.Repeat(" ", maxPolicy)+"{}"), nil), "ValidationError", "less than or equal to 16384")
	d.refuses(set(nil, aws.String("https://example.com/p.json")), "ValidationError", "StackPolicyURL must be a supported URL.")
	if err := set(nil, &at); err != nil {
		t.Error(err)
	}
	d.refuses(d.create("t", topics("b"), func(in *cloudformation.CreateStackInput) { in.StackPolicyBody = aws.String("x") }), "ValidationError", "Invalid stack policy")
	d.wants("t", "ValidationError")
}

// A temporary policy ends with its update, also where that is not rolled back.
func TestATemporaryPolicyEnds(t *testing.T) {
	d := newDesk(t)
	if err := d.create("s", topics("a")); err != nil {
		t.Fatal(err)
	}
	d.pass()
	if err := d.update("s", topics("b"), func(in *cloudformation.UpdateStackInput) {
		in.StackPolicyDuringUpdateBody, in.DisableRollback = aws.String(policyOf(denyTopics)), aws.Bool(true)
	}); err != nil {
		t.Fatal(err)
	}
	d.pass()
	d.wants("s", "UPDATE_FAILED")
	out, err := d.api.GetStackPolicy(t.Context(), &cloudformation.GetStackPolicyInput{StackName: aws.String("s")})
	if err != nil || out.StackPolicyBody != nil {
		t.Errorf("%+v %v", out, err)
	}
	if err := d.update("s", topics("b"), func(in *cloudformation.UpdateStackInput) { in.DisableRollback = aws.Bool(true) }); err != nil {
		t.Fatal(err)
	}
	d.pass()
	d.wants("s", "UPDATE_COMPLETE")
}
