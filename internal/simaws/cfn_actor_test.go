package simaws

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// worker gives the management account a role, from its JSON.
func (d *desk) worker(name, trust, allows string) string {
	d.Helper()
	a := d.sim.world.accounts[d.sim.world.management]
	t, err := parsePolicy(trust)
	if err != nil {
		d.Fatal(err)
	}
	p, err := parsePolicy(allows)
	if err != nil {
		d.Fatal(err)
	}
	r := &iamRole{Name: name, Path: "/", ID: "AROA" + name, ARN: "arn:aws:iam::" + a.ID + ":role/" + name, Trust: t, Policies: map[string]policyDocument{"p": p}}
	a.roles[name] = r
	return r.ARN
}

const (
	forCloudFormation = `{"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "cloudformation.amazonaws.com"}}}`
	everything        = `{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`
)

func with(role string) func(*cloudformation.CreateStackInput) {
	return func(in *cloudformation.CreateStackInput) { in.RoleARN = &role }
}

// A stack's role has to trust CloudFormation, and what it may do binds what the stack
// makes, also in a rollback and in operations that name no role.
func TestAStacksRole(t *testing.T) {
	d := newDesk(t)
	id := d.sim.world.management
	for what, role := range map[string]string{
		"not there":          "arn:aws:iam::" + id + ":role/nobody",
		"of another account": "arn:aws:iam::111122223333:role/nobody",
		"for another":        d.worker("lambda", strings.ReplaceAll(forCloudFormation, "cloudformation", "lambda"), everything),
		"denied":             d.worker("denied", strings.ReplaceAll(forCloudFormation, "Allow", "Deny"), everything),
		"under a condition":  d.worker("conditional", strings.Replace(forCloudFormation, `"Action"`, `"Condition": {"StringEquals": {"aws:SourceAccount": "`+id+`"}}, "Action"`, 1), everything),
	} {
		t.Run(what, func(t *testing.T) {
			d.refuses(d.create("s", bucketAnd("by-role", ""), with(role)), "ValidationError", "Role "+role+" is invalid or cannot be assumed")
			d.wants("s", "ValidationError")
		})
	}
	narrow := d.worker("narrow", forCloudFormation, `{"Statement": [{"Effect": "Allow", "Action": ["sns:*"], "Resource": "*"}, {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::mine-*"}]}`)
	if err := d.create("theirs", bucketAnd("their-own", ""), with(narrow)); err != nil {
		t.Fatal(err)
	}
	if err := d.create("mine", bucketAnd("mine-own", ""), with(narrow)); err != nil {
		t.Fatal(err)
	}
	if err := d.create("named", strings.Replace(bucketAnd("", ""), `, "Properties": {"BucketName": ""}`, "", 1), with(narrow)); err != nil {
		t.Fatal(err)
	}
	d.pass()
	d.wants("mine", "CREATE_COMPLETE")
	d.wants("named", "ROLLBACK_COMPLETE")
	d.wants("theirs", "ROLLBACK_COMPLETE")
	why := "User: arn:aws:sts::" + id + ":assumed-role/narrow/AWSCloudFormation is not authorized to perform: s3:CreateBucket on resource: arn:aws:s3:::their-own because no identity-based policy allows the s3:CreateBucket action"
	d.tells("theirs", 5, "Bucket CREATE_FAILED: "+why, "theirs ROLLBACK_IN_PROGRESS: The following resource(s) failed to create: [Bucket]. Rollback requested by user.",
		"Bucket DELETE_COMPLETE", "Topic DELETE_IN_PROGRESS", "Topic DELETE_COMPLETE", "theirs ROLLBACK_COMPLETE")
	if aws.ToString(d.stack("mine").RoleARN) != narrow {
		t.Error(d.stack("mine").RoleARN)
	}
	// The role stays with the stack, and with what it may do by now.
	d.sim.world.accounts[id].roles["narrow"].Policies["p"] = policyDocument{Statement: []policyStatement{{Allow: true, Actions: []string{"sns:*"}, Resources: []string{"*"}}}}
	if err := d.delete("mine"); err != nil {
		t.Fatal(err)
	}
	d.pass()
	if st := d.wants("mine", "DELETE_FAILED"); *st.StackStatusReason != "The following resource(s) failed to delete: [Bucket]. " {
		t.Error(*st.StackStatusReason)
	}
	delete(d.sim.world.accounts[id].roles, "narrow")
	d.refuses(d.delete("mine"), "ValidationError", "Role "+narrow+" is invalid or cannot be assumed")
	wide := d.worker("wide", forCloudFormation, everything)
	if _, err := d.api.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: aws.String("mine"), RoleARN: &wide}); err != nil {
		t.Fatal(err)
	}
	d.pass()
	d.wants("mine", "ValidationError")
}

// Without a role the operation is the caller's: to be passed on a role takes a
// permission, and what the caller may not do, the stack cannot.
func TestACallersStack(t *testing.T) {
	d := newDesk(t)
	trust := `{"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}}`
	d.worker("clerk", trust, `{"Statement": {"Effect": "Allow", "Action": ["cloudformation:*", "sns:*"], "Resource": "*"}}`)
	wide := d.worker("wide", forCloudFormation, everything)
	d.api = cloudformation.NewFromConfig(entered(t, d.sim, d.sim.world.management, "clerk", ""))
	d.refuses(d.create("s", bucketAnd("by-role", ""), with(wide)), "AccessDenied", "is not authorized to perform: iam:PassRole on resource: "+wide)
	if err := d.create("s", bucketAnd("by-clerk", "")); err != nil {
		t.Fatal(err)
	}
	d.pass()
	d.wants("s", "ROLLBACK_COMPLETE")
	if got := d.lines("s", 5)[0]; !strings.Contains(got, "assumed-role/clerk/") || !strings.Contains(got, "s3:CreateBucket on resource: arn:aws:s3:::by-clerk") {
		t.Error(got)
	}
	p := d.sim.world.accounts[d.sim.world.management].roles["clerk"].Policies["p"]
	p.Statement = append(p.Statement, policyStatement{Allow: true, Actions: []string{"iam:PassRole"}, Resources: []string{wide}})
	d.sim.world.accounts[d.sim.world.management].roles["clerk"].Policies["p"] = p
	if err := d.create("t", bucketAnd("by-role", ""), with(wide)); err != nil {
		t.Fatal(err)
	}
	d.pass()
	d.wants("t", types.StackStatusCreateComplete)
}

// A policy of the organization binds what a rollback and a clean-up delete, too.
func TestAnOrganizationsPolicyBindsRollbacks(t *testing.T) {
	p := newPolicies(t)
	a := p.sim.world.accounts[p.id]
	policy := p.create("no deletion", `{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"}}`)
	if err := p.attach(policy, a.ID); err != nil {
		t.Fatal(err)
	}
	b := &bench{t, p.sim, a, a.region("us-east-1"), &stack{Name: "StackSet-bench-0123"}}
	a.roles["OrganizationAccountAccessRole"] = &iamRole{Name: "OrganizationAccountAccessRole"}
	if err := b.apply(bucketAnd("bound", `, "Last": `+fmt.Sprintf(inTheWay, "Bucket"))); err == nil {
		t.Fatal("it was made")
	}
	res := b.st.Resources["Bucket"]
	if len(b.st.Resources) != 1 || res.Status != "DELETE_FAILED" || !strings.Contains(res.Reason, "s3:DeleteBucket on resource: * with an explicit deny in a service control policy") || a.buckets["bound"] == nil {
		t.Errorf("%+v", b.st.Resources)
	}
	b.st = &stack{Name: "StackSet-bench-4567"}
	for _, name := range []string{"one", "two"} {
		if err := b.apply(bucketAnd("bound-"+name, "")); err != nil {
			t.Fatal(err)
		}
	}
	if a.buckets["bound-one"] == nil || a.buckets["bound-two"] == nil || b.st.Resources["Bucket"].PhysicalID != "bound-two" {
		t.Error(sortedKeys(a.buckets))
	}
}

// What a call of a handler is about, before there is a resource and when there is one.
func TestHandlerResources(t *testing.T) {
	b := newBench(t)
	b.a.roles["r"] = &iamRole{Name: "r", ARN: "arn:aws:iam::" + b.a.ID + ":role/x/r"}
	b.st.Name = "Stack"
	for _, c := range []struct {
		kind, physical string
		properties     map[string]any
		want           string
	}{
		{"AWS::IAM::Role", "", map[string]any{"RoleName": "r", "Path": "/p/"}, "arn:aws:iam::ACCOUNT:role/p/r"},
		{"AWS::IAM::Role", "", nil, "arn:aws:iam::ACCOUNT:role/Stack-L-0"},
		{"AWS::IAM::Role", "made", nil, "arn:aws:iam::ACCOUNT:role/made"},
		{"AWS::IAM::Policy", "", map[string]any{"Roles": []any{"r"}}, "arn:aws:iam::ACCOUNT:role/x/r"},
		{"AWS::IAM::Policy", "", map[string]any{"Roles": []any{"other"}}, "arn:aws:iam::ACCOUNT:role/other"},
		{"AWS::IAM::ManagedPolicy", "arn:aws:iam::1:policy/p", nil, "arn:aws:iam::1:policy/p"},
		{"AWS::IAM::ServiceLinkedRole", "", map[string]any{"AWSServiceName": "config.amazonaws.com"}, "arn:aws:iam::ACCOUNT:role/aws-service-role/config.amazonaws.com/AWSServiceRole"},
		{"AWS::S3::Bucket", "", nil, "arn:aws:s3:::stack-l-0"},
		{"AWS::S3::BucketPolicy", "x", map[string]any{"Bucket": "b"}, "arn:aws:s3:::b"},
		{"AWS::SSM::Document", "", map[string]any{"Name": "d"}, "arn:aws:ssm:us-east-1:ACCOUNT:document/d"},
		{"AWS::SNS::Topic", "", map[string]any{"TopicName": "t"}, "arn:aws:sns:us-east-1:ACCOUNT:t"},
		{"AWS::Other::Type", "", nil, "*"},
	} {
		got := handlerResource(b.s, resourceCall{Account: b.a, Region: b.r, Stack: b.st, LogicalID: "L", PhysicalID: c.physical, Properties: c.properties}, c.kind)
		if want := strings.ReplaceAll(c.want, "ACCOUNT", b.a.ID); got != want {
			t.Errorf("%s: %s, want %s", c.kind, got, want)
		}
	}
}
