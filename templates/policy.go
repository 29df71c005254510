package templates

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Policy is an IAM policy or a service control policy.
type Policy struct {
	Version   string      `json:"Version"`
	Statement []Statement `json:"Statement"`
}

// Statement is one of a Policy.
type Statement struct {
	Sid       string                         `json:"Sid"`
	Effect    string                         `json:"Effect"`
	Action    []string                       `json:"Action"`
	Resource  []string                       `json:"Resource"`
	Condition map[string]map[string][]string `json:"Condition,omitempty"`
}

// JSON is the policy without white space, as its size counts.
func (p Policy) JSON() []byte {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // texts and lists of texts always marshal
	}
	return b
}

const policyVersion = "2012-10-17"

// everywhere are the resources of an action that takes no other.
var everywhere = []string{"*"}

// ExecutionPolicy is what CloudFormation has to be able to do in an account to make,
// change and delete what the templates have. StackSets' own role may do all of it;
// the policy says what a service control policy must leave it. unknown are resource
// types of which this package does not know the actions.
func ExecutionPolicy(list []Template) (p Policy, unknown []string) {
	var actions []string
	for _, t := range list {
		a, u := t.DeployActions()
		actions, unknown = append(actions, a...), append(unknown, u...)
	}
	actions = append(actions, "cloudformation:CreateStack", "cloudformation:DeleteStack", "cloudformation:DescribeStacks", "cloudformation:UpdateStack")
	slices.Sort(actions)
	slices.Sort(unknown)
	return Policy{policyVersion, []Statement{{Sid: "MakeWhatTheTemplatesHave", Effect: "Allow", Action: slices.Compact(actions), Resource: everywhere}}}, slices.Compact(unknown)
}

// ProtectInput says whom a protecting policy leaves free.
type ProtectInput struct {
	Partition string
	// SetNames are the StackSets of the templates.
	SetNames []string
	// Keepers are patterns of principal ARNs that may change what was deployed,
	// besides StackSets' and Control Tower's own roles.
	Keepers []string
	// Exempters are patterns of principal ARNs that may set and take away the exempt
	// tag; "" means the role rollout-operator.
	Exempters []string
}

// MaxControlPolicy is how long a service control policy can be, in characters.
// Source: Organizations user guide, Quotas.
const MaxControlPolicy = 5120

// ProtectPolicy is a service control policy that guards what the templates deployed
// against the accounts' own administrators: the stacks, and each kind of resource by
// its name or path, and it says who may set the exempt tag where a template changes
// resources. It denies only; it works beside FullAWSAccess.
func ProtectPolicy(list []Template, in ProtectInput) Policy {
	arn := func(format string, args ...any) string {
		return "arn:" + in.Partition + ":" + fmt.Sprintf(format, args...)
	}
	keepers := append([]string{arn("iam::*:role/stacksets-exec-*"), arn("iam::*:role/AWSControlTowerExecution")}, in.Keepers...)
	but := func(who []string) map[string]map[string][]string {
		return map[string]map[string][]string{"ArnNotLike": {"aws:PrincipalArn": who}}
	}
	p := Policy{Version: policyVersion}
	deny := func(sid string, who []string, actions string, resources ...string) {
		p.Statement = append(p.Statement, Statement{Sid: sid, Effect: "Deny", Action: strings.Fields(actions), Resource: resources, Condition: but(who)})
	}
	var stacks, documents, topics []string
	for _, name := range in.SetNames {
		stacks = append(stacks, arn("cloudformation:*:*:stack/StackSet-%s-*", name))
		documents = append(documents, arn("ssm:*:*:document/StackSet-%s-*", name))
		topics = append(topics, arn("sns:*:*:StackSet-%s-*", name))
	}
	deny("KeepStacks", keepers, "cloudformation:CancelUpdateStack cloudformation:ContinueUpdateRollback cloudformation:CreateChangeSet cloudformation:DeleteStack cloudformation:ExecuteChangeSet cloudformation:RollbackStack cloudformation:SetStackPolicy cloudformation:UpdateStack cloudformation:UpdateTerminationProtection", stacks...)
	has := func(kind string) bool {
		return slices.ContainsFunc(list, func(t Template) bool {
			for _, r := range t.document.Resources {
				if r.Type == kind {
					return true
				}
			}
			return false
		})
	}
	if has("AWS::Config::ConfigurationRecorder") {
		deny("KeepRecording", keepers, "config:DeleteConfigurationRecorder config:DeleteDeliveryChannel config:PutConfigurationRecorder config:PutDeliveryChannel config:StopConfigurationRecorder", everywhere...)
	}
	if has("AWS::Config::ConfigRule") {
		// A rule's ARN has a random id, so a policy cannot tell ours from others.
		deny("KeepRules", keepers, "config:DeleteConfigRule config:DeleteEvaluationResults", everywhere...)
	}
	if has("AWS::Config::RemediationConfiguration") {
		deny("KeepRemediations", keepers, "config:DeleteRemediationConfiguration config:PutRemediationConfigurations", everywhere...)
	}
	if has("AWS::SSM::Document") {
		deny("KeepRunbooks", keepers, "ssm:DeleteDocument ssm:ModifyDocumentPermission ssm:UpdateDocument ssm:UpdateDocumentDefaultVersion", documents...)
	}
	if has("AWS::Events::Rule") {
		deny("KeepTelling", keepers, "events:DeleteRule events:DisableRule events:PutRule events:PutTargets events:RemoveTargets", arn("events:*:*:rule/rollout-*"))
		deny("KeepTopics", keepers, "sns:AddPermission sns:DeleteTopic sns:RemovePermission sns:SetTopicAttributes", topics...)
		deny("KeepAlarms", keepers, "cloudwatch:DeleteAlarms cloudwatch:DisableAlarmActions cloudwatch:PutMetricAlarm cloudwatch:SetAlarmState", arn("cloudwatch:*:*:alarm:rollout-*"))
	}
	if roles := rolesOf(list, in.Partition); len(roles) > 0 {
		deny("KeepRoles", keepers, "iam:AttachRolePolicy iam:DeleteRole iam:DeleteRolePermissionsBoundary iam:DeleteRolePolicy iam:DetachRolePolicy iam:PutRolePermissionsBoundary iam:PutRolePolicy iam:UpdateAssumeRolePolicy iam:UpdateRole", roles...)
	}
	if slices.ContainsFunc(list, func(t Template) bool { return t.Name == RecordingBase }) {
		bucket := arn("s3:::%s-*", DefaultDeliveryBucketPrefix)
		deny("KeepEvidence", keepers, "s3:DeleteBucket s3:DeleteBucketPolicy s3:DeleteObject s3:DeleteObjectVersion s3:PutBucketPolicy s3:PutBucketPublicAccessBlock s3:PutBucketVersioning s3:PutEncryptionConfiguration s3:PutLifecycleConfiguration", bucket, bucket+"/*")
	}
	if slices.ContainsFunc(list, func(t Template) bool { return t.Enforces != "" }) {
		exempters := in.Exempters
		if len(exempters) == 0 {
			exempters = []string{arn("iam::*:role/%s", OperatorRole)}
		}
		// No other principal, StackSets' neither: a template could tag what it makes.
		p.Statement = append(p.Statement, Statement{
			Sid: "KeepExemptions", Effect: "Deny", Resource: everywhere,
			Action: []string{"ec2:CreateTags", "ec2:DeleteTags", "iam:TagUser", "iam:UntagUser", "s3:PutBucketTagging", "s3:TagResource", "s3:UntagResource", "tag:TagResources", "tag:UntagResources"},
			Condition: map[string]map[string][]string{
				"ArnNotLike":               {"aws:PrincipalArn": exempters},
				"ForAnyValue:StringEquals": {"aws:TagKeys": {ExemptTag}},
			},
		})
	}
	return p
}

// OperatorRole is the role that may put back what a remediation took away.
const OperatorRole = "rollout-operator"

// rolesOf are patterns of the ARNs of the roles that the templates make.
func rolesOf(list []Template, partition string) []string {
	var out []string
	for _, t := range list {
		for _, r := range t.document.Resources {
			if r.Type != "AWS::IAM::Role" {
				continue
			}
			pattern := "rollout/*"
			if name, ok := r.Properties["RoleName"].(string); ok {
				pattern = name
			}
			out = append(out, "arn:"+partition+":iam::*:role/"+pattern)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
