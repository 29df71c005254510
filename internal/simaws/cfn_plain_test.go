package simaws

import (
	"strings"
	"testing"
)

// bench applies templates to one stack of an empty account.
type bench struct {
	*testing.T
	s  *Sim
	a  *account
	r  *regionState
	st *stack
}

func newBench(t *testing.T) *bench {
	s := New(Options{Accounts: 10, Empty: true})
	a := s.world.accounts[s.world.order[3]]
	return &bench{t, s, a, a.region("us-east-1"), &stack{Name: "StackSet-bench-0123"}}
}

// apply brings the stack to a template; it goes back by itself when that fails.
func (b *bench) apply(body string) error {
	b.Helper()
	doc, err := readTemplate(strings.ReplaceAll(body, "ACCOUNT", b.a.ID))
	if err != nil {
		b.Fatal(err)
	}
	before := b.st.doc
	b.st.doc = doc
	if _, err = b.s.apply(b.a, b.r, b.st); err != nil {
		b.st.doc = before
	}
	return err
}

// What each type makes, and what it refuses, in CloudFormation's words.
func TestResourceTypes(t *testing.T) {
	const trust = "AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Action: sts:AssumeRole, Principal: {Service: ssm.amazonaws.com}}]}"
	for _, c := range []struct {
		name, resource string
		fails          string // a part of the reason
		id             string // a part of the physical id
	}{
		{"role", "{Type: AWS::IAM::Role, Properties: {Path: /x/, " + trust + "}}", "", "StackSet-bench-0123-A-"},
		{"role of a name", "{Type: AWS::IAM::Role, Properties: {RoleName: r, " + trust + "}}", "", "r"},
		{"role in use", "{Type: AWS::IAM::Role, Properties: {RoleName: OrganizationAccountAccessRole, " + trust + "}}", "Role with name OrganizationAccountAccessRole already exists. (Service: Iam, Status Code: 409", ""},
		{"role of a long name", "{Type: AWS::IAM::Role, Properties: {RoleName: " + strings.Repeat("r", 65) + ", " + trust + "}}", "less than or equal to 64", ""},
		{"role without trust", "{Type: AWS::IAM::Role, Properties: {RoleName: r}}", "required key [AssumeRolePolicyDocument] not found", ""},
		{"role with more", "{Type: AWS::IAM::Role, Properties: {Colour: red, " + trust + "}}", "extraneous key [Colour] is not permitted", ""},
		{"role with a bad policy", "{Type: AWS::IAM::Role, Properties: {Policies: [{PolicyName: p, PolicyDocument: {}}], " + trust + "}}", "Syntax errors in policy.", ""},
		{"service-linked role", "{Type: AWS::IAM::ServiceLinkedRole, Properties: {AWSServiceName: config.amazonaws.com}}", "", "AWSServiceRoleForConfig"},
		{"managed policy", "{Type: AWS::IAM::ManagedPolicy, Properties: {ManagedPolicyName: p, PolicyDocument: {Statement: []}}}", "", "arn:aws:iam::ACCOUNT:policy/p"},
		{"topic", "{Type: AWS::SNS::Topic, Properties: {TopicName: t}}", "", "arn:aws:sns:us-east-1:ACCOUNT:t"},
		{"bucket", "{Type: AWS::S3::Bucket}", "", "stackset-bench-0123-a-"},
		{"bucket of the account", "{Type: AWS::S3::Bucket, Properties: {BucketNamespace: account-regional, BucketName: b-ACCOUNT-us-east-1-an}}", "", "b-ACCOUNT-us-east-1-an"},
		{"bucket by prefix", "{Type: AWS::S3::Bucket, Properties: {BucketNamespace: account-regional, BucketNamePrefix: b}}", "", "b-ACCOUNT-us-east-1-an"},
		{"bucket of another account", "{Type: AWS::S3::Bucket, Properties: {BucketNamespace: account-regional, BucketName: b-000000000000-us-east-1-an}}", "not valid", ""},
		{"global bucket with the account's ending", "{Type: AWS::S3::Bucket, Properties: {BucketName: b-ACCOUNT-us-east-1-an}}", "not valid", ""},
		{"bucket taken", "{Type: AWS::S3::Bucket, Properties: {BucketName: taken}}", "ResourceLogicalId:A, ResourceType:AWS::S3::Bucket, ResourceStatusReason:taken already exists.", ""},
		{"bucket with a bad name", "{Type: AWS::S3::Bucket, Properties: {BucketName: Taken}}", "not valid", ""},
		{"policy without bucket", "{Type: AWS::S3::BucketPolicy, Properties: {Bucket: none, PolicyDocument: {Statement: []}}}", "The specified bucket does not exist", ""},
		{"document", "{Type: AWS::SSM::Document, Properties: {DocumentType: Automation, Content: {schemaVersion: '0.3'}}}", "", "StackSet-bench-0123-A-"},
		{"document as text", "{Type: AWS::SSM::Document, Properties: {DocumentFormat: YAML, Content: \"schemaVersion: '0.3'\"}}", "", "StackSet-bench-0123-A-"},
		{"document that is none", "{Type: AWS::SSM::Document, Properties: {Content: {}}}", "Content is not well-formed", ""},
		{"handle", "{Type: AWS::CloudFormation::WaitConditionHandle}", "", "https://cloudformation-waitcondition-us-east-1"},
		{"nothing", "{Type: AWS::Not::There}", "Template format error: Unrecognized resource types: [AWS::Not::There]", ""},
	} {
		b := newBench(t)
		b.s.world.globalBuckets["taken"] = &bucket{Name: "taken", Owner: "000000000000"}
		err := b.apply("Resources: {A: " + c.resource + "}")
		switch {
		case c.fails != "":
			if err == nil || !strings.Contains(reasonOf(err), c.fails) || len(b.st.Resources) != 0 {
				t.Errorf("%s: %v", c.name, err)
			}
		case err != nil:
			t.Errorf("%s: %v", c.name, err)
		default:
			if id := b.st.Resources["A"].PhysicalID; !strings.HasPrefix(id, strings.ReplaceAll(c.id, "ACCOUNT", b.a.ID)) || len(id) > 64 && strings.Contains(c.resource, "Role") {
				t.Errorf("%s: %s", c.name, id)
			}
			if err := b.s.remove(b.a, b.r, b.st); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
}

// A change of what cannot be changed replaces: the new resource is there before
// the old one goes, and what refers to it follows.
func TestReplacement(t *testing.T) {
	b := newBench(t)
	body := func(path, policy string) string {
		return "Resources: {R: {Type: AWS::IAM::Role, UpdateReplacePolicy: " + policy + ", Properties: {Path: " + path + ", AssumeRolePolicyDocument: {Statement: []}}}, T: {Type: AWS::SNS::Topic, Properties: {DisplayName: !GetAtt R.Arn}}}"
	}
	roles := len(b.a.roles)
	for n, step := range []struct {
		path, policy string
		more         int // roles beside those that were there
	}{{"/a/", "Delete", 1}, {"/b/", "Delete", 1}, {"/b/", "Retain", 1}, {"/c/", "Delete", 2}} {
		if err := b.apply(body(step.path, step.policy)); err != nil {
			t.Fatal(err)
		}
		role := b.st.Resources["R"]
		if len(b.a.roles) != roles+step.more || b.a.roles[role.PhysicalID].Path != step.path {
			t.Errorf("step %d: %d roles", n, len(b.a.roles)-roles)
		}
		if b.st.Resources["T"].Properties["DisplayName"] != role.Attributes["Arn"] {
			t.Errorf("step %d: the topic refers to %v", n, b.st.Resources["T"].Properties)
		}
	}
	// A document is replaced, unless the template asks for versions.
	document := func(method, text string) string {
		return "Resources: {D: {Type: AWS::SSM::Document, Properties: {UpdateMethod: " + method + ", Content: {schemaVersion: '0.3', description: " + text + "}}}}"
	}
	var ids []string
	for _, step := range []string{document("Replace", "one"), document("Replace", "two"), document("NewVersion", "three")} {
		if err := b.apply(step); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, b.st.Resources["D"].PhysicalID)
	}
	if ids[0] == ids[1] || ids[1] != ids[2] || len(b.r.documents) != 1 || b.r.documents[ids[2]].Version != "2" {
		t.Error(ids, len(b.r.documents))
	}
	if len(b.a.roles) != roles+1 {
		t.Error("what the template no longer has is deleted, what was retained is not")
	}
}
