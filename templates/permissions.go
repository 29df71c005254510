package templates

import (
	"slices"
	"strings"
)

// handlerActions are the IAM actions by which CloudFormation makes, changes and
// deletes a resource as this package's templates use it, by resource type. Source:
// the handlers' permissions in the CloudFormation registry schemas, less what only
// properties that no template here has would need. A type of "" actions needs none.
var handlerActions = map[string]string{
	"AWS::AccessAnalyzer::Analyzer":            "access-analyzer:CreateAnalyzer access-analyzer:DeleteAnalyzer access-analyzer:TagResource access-analyzer:UntagResource access-analyzer:UpdateAnalyzer iam:CreateServiceLinkedRole",
	"AWS::CloudFormation::WaitConditionHandle": "",
	"AWS::CloudWatch::Alarm":                   "cloudwatch:DeleteAlarms cloudwatch:DescribeAlarms cloudwatch:ListTagsForResource cloudwatch:PutMetricAlarm cloudwatch:TagResource cloudwatch:UntagResource",
	"AWS::Config::AggregationAuthorization":    "config:DeleteAggregationAuthorization config:DescribeAggregationAuthorizations config:PutAggregationAuthorization",
	"AWS::Config::ConfigRule":                  "config:DeleteConfigRule config:DescribeConfigRules config:PutConfigRule",
	"AWS::Config::ConfigurationAggregator":     "config:DeleteConfigurationAggregator config:DescribeConfigurationAggregators config:ListTagsForResource config:PutConfigurationAggregator config:TagResource config:UntagResource iam:PassRole organizations:EnableAWSServiceAccess organizations:ListDelegatedAdministrators",
	"AWS::Config::ConfigurationRecorder":       "config:DeleteConfigurationRecorder config:DescribeConfigurationRecorders config:PutConfigurationRecorder config:StartConfigurationRecorder config:StopConfigurationRecorder iam:PassRole",
	"AWS::Config::DeliveryChannel":             "config:DeleteDeliveryChannel config:DescribeDeliveryChannels config:PutDeliveryChannel",
	"AWS::Config::RemediationConfiguration":    "config:DeleteRemediationConfiguration config:DescribeRemediationConfigurations config:PutRemediationConfigurations iam:CreateServiceLinkedRole iam:PassRole",
	"AWS::Events::Rule":                        "events:DeleteRule events:DescribeRule events:ListTargetsByRule events:PutRule events:PutTargets events:RemoveTargets events:TagResource events:UntagResource iam:PassRole",
	"AWS::IAM::ManagedPolicy":                  "iam:AttachRolePolicy iam:CreatePolicy iam:CreatePolicyVersion iam:DeletePolicy iam:DeletePolicyVersion iam:DetachRolePolicy iam:GetPolicy iam:ListEntitiesForPolicy iam:ListPolicyVersions",
	"AWS::IAM::Policy":                         "iam:DeleteRolePolicy iam:GetRolePolicy iam:PutRolePolicy",
	"AWS::IAM::Role":                           "iam:AttachRolePolicy iam:CreateRole iam:DeleteRole iam:DeleteRolePermissionsBoundary iam:DeleteRolePolicy iam:DetachRolePolicy iam:GetRole iam:GetRolePolicy iam:ListAttachedRolePolicies iam:ListRolePolicies iam:PutRolePermissionsBoundary iam:PutRolePolicy iam:TagRole iam:UntagRole iam:UpdateAssumeRolePolicy iam:UpdateRole iam:UpdateRoleDescription",
	"AWS::IAM::ServiceLinkedRole":              "iam:CreateServiceLinkedRole iam:DeleteServiceLinkedRole iam:GetRole iam:GetServiceLinkedRoleDeletionStatus iam:UpdateRole",
	"AWS::KMS::Alias":                          "kms:CreateAlias kms:DeleteAlias kms:UpdateAlias",
	"AWS::KMS::Key":                            "kms:CreateKey kms:DescribeKey kms:DisableKeyRotation kms:EnableKeyRotation kms:ListResourceTags kms:PutKeyPolicy kms:ScheduleKeyDeletion kms:TagResource kms:UntagResource kms:UpdateKeyDescription",
	"AWS::Logs::LogGroup":                      "logs:CreateLogGroup logs:DeleteLogGroup logs:DeleteRetentionPolicy logs:DescribeLogGroups logs:ListTagsForResource logs:PutRetentionPolicy logs:TagResource logs:UntagResource",
	"AWS::Logs::MetricFilter":                  "logs:DeleteMetricFilter logs:DescribeMetricFilters logs:PutMetricFilter",
	"AWS::S3::Bucket":                          "s3:CreateBucket s3:DeleteBucket s3:ListBucket s3:PutBucketOwnershipControls s3:PutBucketPublicAccessBlock s3:PutBucketTagging s3:PutBucketVersioning s3:PutEncryptionConfiguration s3:PutLifecycleConfiguration s3:TagResource s3:UntagResource",
	"AWS::S3::BucketPolicy":                    "s3:DeleteBucketPolicy s3:GetBucketPolicy s3:PutBucketPolicy",
	"AWS::SNS::Subscription":                   "sns:GetSubscriptionAttributes sns:SetSubscriptionAttributes sns:Subscribe sns:Unsubscribe",
	"AWS::SNS::Topic":                          "sns:CreateTopic sns:DeleteTopic sns:GetTopicAttributes sns:ListSubscriptionsByTopic sns:ListTagsForResource sns:SetTopicAttributes sns:Subscribe sns:TagResource sns:Unsubscribe sns:UntagResource",
	"AWS::SNS::TopicPolicy":                    "sns:SetTopicAttributes",
	"AWS::SSM::Document":                       "ssm:AddTagsToResource ssm:CreateDocument ssm:DeleteDocument ssm:DescribeDocument ssm:GetDocument ssm:ListTagsForResource ssm:RemoveTagsFromResource ssm:UpdateDocument ssm:UpdateDocumentDefaultVersion",
}

// DeployActions are the IAM actions that CloudFormation needs in an account to make,
// change and delete what the template has, sorted; StackSets' own role has them, and
// a service control policy can take them away. unknown are the resource types of
// which this package does not know the actions.
func (t Template) DeployActions() (actions, unknown []string) {
	for _, id := range t.document.ResourceOrder {
		kind := t.document.Resources[id].Type
		text, ok := handlerActions[kind]
		if !ok {
			unknown = append(unknown, kind)
			continue
		}
		actions = append(actions, strings.Fields(text)...)
	}
	slices.Sort(actions)
	slices.Sort(unknown)
	return slices.Compact(actions), slices.Compact(unknown)
}

// RoleActions are the IAM actions that the template's own roles may do in the
// account, under whatever conditions, sorted; empty for a template that only looks.
func (t Template) RoleActions() []string {
	var actions []string
	for _, r := range t.document.Resources {
		switch r.Type {
		case "AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy":
			for name, v := range r.Properties {
				if name != "AssumeRolePolicyDocument" {
					actions = append(actions, actionsIn(v)...)
				}
			}
		}
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}

// actionsIn are the Action elements of Allow statements in v, at any depth.
func actionsIn(v any) []string {
	var found []string
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			found = append(found, actionsIn(item)...)
		}
	case map[string]any:
		if v["Effect"] == "Allow" {
			if one, ok := v["Action"].(string); ok {
				return []string{one}
			}
			return literals(v["Action"])
		}
		for _, inner := range v {
			found = append(found, actionsIn(inner)...)
		}
	}
	return found
}
