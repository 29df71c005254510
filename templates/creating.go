package templates

import (
	"slices"
	"strings"
)

// creatingActions are the IAM actions without which CloudFormation cannot create a
// resource, by type; one with ?Property only where the resource has that property.
// Source: the create handlers' permissions in CloudFormation's registry schemas, less
// those for reading, for properties that no template here has, and for undoing.
var creatingActions = map[string]string{
	"AWS::AccessAnalyzer::Analyzer":         "access-analyzer:CreateAnalyzer",
	"AWS::CloudWatch::Alarm":                "cloudwatch:PutMetricAlarm",
	"AWS::Config::AggregationAuthorization": "config:PutAggregationAuthorization",
	"AWS::Config::ConfigRule":               "config:PutConfigRule",
	"AWS::Config::ConfigurationAggregator":  "config:PutConfigurationAggregator iam:PassRole?OrganizationAggregationSource",
	"AWS::Config::ConfigurationRecorder":    "config:PutConfigurationRecorder config:StartConfigurationRecorder",
	"AWS::Config::DeliveryChannel":          "config:PutDeliveryChannel",
	"AWS::Config::RemediationConfiguration": "config:PutRemediationConfigurations",
	"AWS::Events::Rule":                     "events:PutRule events:PutTargets?Targets",
	"AWS::IAM::ManagedPolicy":               "iam:CreatePolicy iam:AttachRolePolicy?Roles",
	"AWS::IAM::Policy":                      "iam:PutRolePolicy?Roles",
	"AWS::IAM::Role":                        "iam:CreateRole iam:PutRolePolicy?Policies iam:AttachRolePolicy?ManagedPolicyArns",
	"AWS::IAM::ServiceLinkedRole":           "iam:CreateServiceLinkedRole",
	"AWS::KMS::Alias":                       "kms:CreateAlias",
	"AWS::KMS::Key":                         "kms:CreateKey kms:EnableKeyRotation?EnableKeyRotation",
	"AWS::Logs::LogGroup":                   "logs:CreateLogGroup logs:PutRetentionPolicy?RetentionInDays",
	"AWS::Logs::MetricFilter":               "logs:PutMetricFilter",
	"AWS::S3::Bucket": "s3:CreateBucket s3:PutBucketPublicAccessBlock?PublicAccessBlockConfiguration s3:PutBucketVersioning?VersioningConfiguration " +
		"s3:PutEncryptionConfiguration?BucketEncryption s3:PutLifecycleConfiguration?LifecycleConfiguration s3:PutBucketOwnershipControls?OwnershipControls",
	"AWS::S3::BucketPolicy":   "s3:PutBucketPolicy",
	"AWS::SNS::Subscription":  "sns:Subscribe",
	"AWS::SNS::Topic":         "sns:CreateTopic",
	"AWS::SNS::TopicPolicy":   "sns:SetTopicAttributes",
	"AWS::SSM::Document":      "ssm:CreateDocument",
	"AWS::SSM::Parameter":     "ssm:PutParameter",
	"AWS::EC2::SecurityGroup": "ec2:CreateSecurityGroup",
}

// CreateActions are the IAM actions without which a stack of the template cannot be
// created with these parameter values (pseudo parameters too), sorted. Resources of
// types that are not known here count for none.
func (t Template) CreateActions(values map[string]string) []string {
	actions := []string{"cloudformation:CreateStack"}
	for _, r := range resolve(Version{t.document, values}) {
		for _, text := range strings.Fields(creatingActions[r.Type]) {
			action, property, only := strings.Cut(text, "?")
			if _, has := r.Properties[property]; has || !only {
				actions = append(actions, action)
			}
		}
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}
