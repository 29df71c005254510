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
	doc, err := readTemplate(strings.ReplaceAll(body, "ACCOUNT-ID", b.a.ID))
	if err != nil {
		b.Fatal(err)
	}
	before := b.st.doc
	b.st.doc = doc
	if _, err = b.s.apply(b.a, b.r, b.st, b.st.Tags); err != nil {
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
		{"managed policy", "{Type: AWS::IAM::ManagedPolicy, Properties: {ManagedPolicyName: p, PolicyDocument: {Statement: []}}}", "", "arn:aws:iam::ACCOUNT-ID:policy/p"},
		{"topic", "{Type: AWS::SNS::Topic, Properties: {TopicName: t}}", "", "arn:aws:sns:us-east-1:ACCOUNT-ID:t"},
		{"bucket", "{Type: AWS::S3::Bucket}", "", "stackset-bench-0123-a-"},
		{"bucket of the account", "{Type: AWS::S3::Bucket, Properties: {BucketNamespace: account-regional, BucketName: b-ACCOUNT-ID-us-east-1-an}}", "", "b-ACCOUNT-ID-us-east-1-an"},
		{"bucket by prefix", "{Type: AWS::S3::Bucket, Properties: {BucketNamespace: account-regional, BucketNamePrefix: b}}", "", "b-ACCOUNT-ID-us-east-1-an"},
		{"bucket of another account", "{Type: AWS::S3::Bucket, Properties: {BucketNamespace: account-regional, BucketName: b-000000000000-us-east-1-an}}", "not valid", ""},
		{"global bucket with the account's ending", "{Type: AWS::S3::Bucket, Properties: {BucketName: b-ACCOUNT-ID-us-east-1-an}}", "not valid", ""},
		{"bucket taken", "{Type: AWS::S3::Bucket, Properties: {BucketName: taken}}", "ResourceLogicalId:A, ResourceType:AWS::S3::Bucket, ResourceStatusReason:taken already exists.", ""},
		{"bucket with a bad name", "{Type: AWS::S3::Bucket, Properties: {BucketName: Taken}}", "not valid", ""},
		{"policy without bucket", "{Type: AWS::S3::BucketPolicy, Properties: {Bucket: none, PolicyDocument: {Statement: []}}}", "The specified bucket does not exist", ""},
		{"document", "{Type: AWS::SSM::Document, Properties: {DocumentType: Automation, Content: {schemaVersion: '0.3'}}}", "", "StackSet-bench-0123-A-"},
		{"document as text", "{Type: AWS::SSM::Document, Properties: {DocumentFormat: YAML, Content: \"schemaVersion: '0.3'\"}}", "", "StackSet-bench-0123-A-"},
		{"document that is none", "{Type: AWS::SSM::Document, Properties: {Content: {}}}", "Content is not well-formed", ""},
		{"inline policy", "{Type: AWS::IAM::Policy, Properties: {PolicyName: p, Roles: [OrganizationAccountAccessRole], PolicyDocument: {Statement: []}}}", "", "StackSet-bench-0123-A-"},
		{"inline policy of nobody", "{Type: AWS::IAM::Policy, Properties: {PolicyName: p, PolicyDocument: {Statement: []}}}", "At least one of [Groups,Roles,Users] must be non-empty.", ""},
		{"inline policy of a role that is not there", "{Type: AWS::IAM::Policy, Properties: {PolicyName: p, Roles: [x], PolicyDocument: {Statement: []}}}", "The role with name x cannot be found. (Service: Iam, Status Code: 404", ""},
		{"inline policy of a group", "{Type: AWS::IAM::Policy, Properties: {PolicyName: p, Groups: [g], PolicyDocument: {Statement: []}}}", "The group with name g cannot be found.", ""},
		{"inline policy of a user that is not there", "{Type: AWS::IAM::Policy, Properties: {PolicyName: p, Users: [u], PolicyDocument: {Statement: []}}}", "The user with name u cannot be found.", ""},
		{"inline policy too long", "{Type: AWS::IAM::Policy, Properties: {PolicyName: p, Roles: [OrganizationAccountAccessRole], PolicyDocument: {Statement: [{Effect: Allow, Action: 'a:" + strings.Repeat("b", 10240) + "', Resource: '*'}]}}}", "Maximum policy size of 10240 bytes exceeded for role OrganizationAccountAccessRole", ""},
		{"key", "{Type: AWS::KMS::Key, Properties: {EnableKeyRotation: true}}", "", ""},
		{"key for its deployer", "{Type: AWS::KMS::Key, Properties: {KeyPolicy: {Statement: [{Effect: Allow, Principal: {AWS: 'arn:aws:iam::ACCOUNT-ID:root'}, Action: 'kms:Put*', Resource: '*'}]}}}", "", ""},
		{"key that locks its maker out", "{Type: AWS::KMS::Key, Properties: {KeyPolicy: {Statement: [{Effect: Allow, Principal: {AWS: 'arn:aws:iam::ACCOUNT-ID:role/other'}, Action: 'kms:*', Resource: '*'}]}}}",
			"Resource handler returned message: \"The new key policy will not allow you to update the key policy in the future. (Service: Kms, Status Code: 400, ", ""},
		{"key that everybody but the maker has", "{Type: AWS::KMS::Key, Properties: {BypassPolicyLockoutSafetyCheck: true, KeyPolicy: {Statement: [{Effect: Allow, Principal: {AWS: 'arn:aws:iam::ACCOUNT-ID:role/other'}, Action: 'kms:*', Resource: '*'}]}}}", "", ""},
		{"key of two parts that rotates", "{Type: AWS::KMS::Key, Properties: {KeySpec: RSA_2048, KeyUsage: SIGN_VERIFY, EnableKeyRotation: true}}",
			"Resource handler returned message: \"Invalid request provided: You cannot set the EnableKeyRotation property to true on asymmetric or external keys.\" (RequestToken: ", ""},
		{"key that waits five days", "{Type: AWS::KMS::Key, Properties: {PendingWindowInDays: 5}}", "#/PendingWindowInDays: 5 is not between 7 and 30", ""},
		{"key of a spec nobody knows", "{Type: AWS::KMS::Key, Properties: {KeySpec: DES}}", "#/KeySpec: DES is not a valid enum value", ""},
		{"alias of a key that is not there", "{Type: AWS::KMS::Alias, Properties: {AliasName: alias/x, TargetKeyId: 1234}}", "Key 'arn:aws:kms:us-east-1:ACCOUNT-ID:key/1234' does not exist (Service: Kms, Status Code: 404", ""},
		{"alias without its prefix", "{Type: AWS::KMS::Alias, Properties: {AliasName: x, TargetKeyId: 1234}}", "#/AliasName: failed validation constraint for keyword [pattern]", ""},
		{"event rule", "{Type: AWS::Events::Rule, Properties: {EventPattern: {source: [aws.config]}}}", "", "StackSet-bench-0123-A-"},
		{"event rule of nothing", "{Type: AWS::Events::Rule}", "Parameter(s) EventPattern or ScheduleExpression must be specified.", ""},
		{"event rule with a bad pattern", "{Type: AWS::Events::Rule, Properties: {EventPattern: {source: aws.config}}}", "Event pattern is not valid. Reason: \"source\" must be an object or an array", ""},
		{"event rule of a bus that is not there", "{Type: AWS::Events::Rule, Properties: {EventBusName: b, EventPattern: {source: [x]}}}", "Event bus b does not exist.", ""},
		{"event rule with two targets of an id", "{Type: AWS::Events::Rule, Properties: {EventPattern: {source: [x]}, Targets: [{Id: a, Arn: 'arn:aws:sns:us-east-1:ACCOUNT-ID:t'}, {Id: a, Arn: 'arn:aws:sns:us-east-1:ACCOUNT-ID:u'}]}}", "Duplicate target id a", ""},
		{"event rule to another bus without a role", "{Type: AWS::Events::Rule, Properties: {EventPattern: {source: [x]}, Targets: [{Id: a, Arn: 'arn:aws:events:us-east-1:999999999999:event-bus/default'}]}}", "RoleArn is required for target arn:aws:events", ""},
		{"event rule with a target's id left out", "{Type: AWS::Events::Rule, Properties: {EventPattern: {source: [x]}, Targets: [{Arn: 'arn:aws:sns:us-east-1:ACCOUNT-ID:t'}]}}", "#/Targets/0: required key [Id] not found", ""},
		{"subscription to nothing", "{Type: AWS::SNS::Subscription, Properties: {Protocol: email, Endpoint: a@example.com, TopicArn: 'arn:aws:sns:us-east-1:ACCOUNT-ID:none'}}", "Topic does not exist (Service: Sns, Status Code: 404", ""},
		{"subscription by pigeon", "{Type: AWS::SNS::Subscription, Properties: {Protocol: pigeon, Endpoint: x, TopicArn: 'arn:aws:sns:us-east-1:ACCOUNT-ID:none'}}", "Amazon SNS does not support this protocol string: pigeon", ""},
		{"topic policy of nothing", "{Type: AWS::SNS::TopicPolicy, Properties: {Topics: ['arn:aws:sns:us-east-1:ACCOUNT-ID:none'], PolicyDocument: {Statement: []}}}", "Topic does not exist", ""},
		{"topic policy that is none", "{Type: AWS::SNS::TopicPolicy, Properties: {Topics: [x], PolicyDocument: {}}}", "Invalid parameter: Policy Error: null", ""},
		{"log group", "{Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /x/y}}", "", "/x/y"},
		{"log group kept for two days", "{Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 2}}", "#/RetentionInDays: 2 is not a valid enum value", ""},
		{"log group with a key that is not there", "{Type: AWS::Logs::LogGroup, Properties: {LogGroupName: g, KmsKeyId: 'arn:aws:kms:us-east-1:ACCOUNT-ID:key/none'}}", "The specified KMS key does not exist or is not allowed to be used with Arn 'arn:aws:logs:us-east-1:ACCOUNT-ID:log-group:g'", ""},
		{"metric filter of no group", "{Type: AWS::Logs::MetricFilter, Properties: {LogGroupName: g, FilterPattern: x, MetricTransformations: [{MetricName: m, MetricNamespace: n, MetricValue: 1}]}}", "The specified log group does not exist. (Service: CloudWatchLogs, Status Code: 400", ""},
		{"metric filter of two metrics", "{Type: AWS::Logs::MetricFilter, Properties: {LogGroupName: g, FilterPattern: x, MetricTransformations: []}}", "#/MetricTransformations: expected maximum item count: 1, found: 0", ""},
		{"metric filter of a text", "{Type: AWS::Logs::MetricFilter, Properties: {LogGroupName: g, FilterPattern: x, MetricTransformations: m}}", "#/MetricTransformations: expected type: JSONArray, found: String", ""},
		{"alarm", "{Type: AWS::CloudWatch::Alarm, Properties: {ComparisonOperator: GreaterThanThreshold, EvaluationPeriods: 1, Namespace: n, MetricName: m, Statistic: Sum, Period: 60, Threshold: 1}}", "", "StackSet-bench-0123-A-"},
		{"alarm of no metric", "{Type: AWS::CloudWatch::Alarm, Properties: {ComparisonOperator: GreaterThanThreshold, EvaluationPeriods: 1}}", "Exactly one element of the metrics list, or a MetricName, must be given", ""},
		{"alarm without an operator", "{Type: AWS::CloudWatch::Alarm, Properties: {EvaluationPeriods: 1}}", "required key [ComparisonOperator] not found", ""},
		{"analyzer", "{Type: AWS::AccessAnalyzer::Analyzer, Properties: {AnalyzerName: a, Type: ACCOUNT}}", "", "arn:aws:access-analyzer:us-east-1:ACCOUNT-ID:analyzer/a"},
		{"analyzer of another kind", "{Type: AWS::AccessAnalyzer::Analyzer, Properties: {Type: CITY}}", "Invalid analyzer type: CITY", ""},
		{"analyzer of the organization, in a member account", "{Type: AWS::AccessAnalyzer::Analyzer, Properties: {Type: ORGANIZATION}}", "HandlerErrorCode: InvalidRequest", ""},
		{"parameter", "{Type: AWS::SSM::Parameter, Properties: {Name: /x, Type: String, Value: v}}", "", "/x"},
		{"parameter of AWS's", "{Type: AWS::SSM::Parameter, Properties: {Name: /aws/x, Type: String, Value: v}}", "can't be prefixed with \"aws\" or \"ssm\"", ""},
		{"parameter against its pattern", "{Type: AWS::SSM::Parameter, Properties: {Name: x, Type: String, Value: v, AllowedPattern: '^[0-9]+$'}}", "cannot be validated against allowedPattern: ^[0-9]+$", ""},
		{"secret parameter", "{Type: AWS::SSM::Parameter, Properties: {Name: x, Type: SecureString, Value: v}}", "#/Type: SecureString is not a valid enum value", ""},
		{"long parameter", "{Type: AWS::SSM::Parameter, Properties: {Name: x, Type: String, Value: " + strings.Repeat("v", 4097) + "}}", "Standard tier parameters support a maximum parameter value of 4096 characters.", ""},
		{"handle", "{Type: AWS::CloudFormation::WaitConditionHandle}", "", "https://cloudformation-waitcondition-us-east-1"},
		{"nothing", "{Type: AWS::Not::There}", "Template format error: Unrecognized resource types: [AWS::Not::There]", ""},
	} {
		b := newBench(t)
		b.s.world.globalBuckets["taken"] = &bucket{Name: "taken", Owner: "000000000000"}
		err := b.apply("Resources: {A: " + c.resource + "}")
		switch {
		case c.fails != "":
			if err == nil || !strings.Contains(reasonOf(err), strings.ReplaceAll(c.fails, "ACCOUNT-ID", b.a.ID)) || len(b.st.Resources) != 0 {
				t.Errorf("%s: %v", c.name, err)
			}
		case err != nil:
			t.Errorf("%s: %v", c.name, err)
		default:
			if id := b.st.Resources["A"].PhysicalID; !strings.HasPrefix(id, strings.ReplaceAll(c.id, "ACCOUNT-ID", b.a.ID)) || len(id) > 64 && strings.Contains(c.resource, "Role") {
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
