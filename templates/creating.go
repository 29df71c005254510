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

// changingActions are those without which CloudFormation cannot change a resource in
// place, one with ?Property only where that property changes; deletingActions those
// without which it cannot delete one. Of a type that is not in the first they are those
// that create it. Same source.
var (
	changingActions = map[string]string{
		"AWS::IAM::ManagedPolicy": "iam:CreatePolicyVersion",
		"AWS::IAM::Role": "iam:UpdateAssumeRolePolicy?AssumeRolePolicyDocument iam:UpdateRole?MaxSessionDuration iam:UpdateRole?Description " +
			"iam:PutRolePolicy?Policies iam:AttachRolePolicy?ManagedPolicyArns iam:TagRole?Tags",
		"AWS::IAM::ServiceLinkedRole": "",
		"AWS::KMS::Key":               "",
		"AWS::S3::Bucket": "s3:PutBucketPublicAccessBlock?PublicAccessBlockConfiguration s3:PutBucketVersioning?VersioningConfiguration s3:PutEncryptionConfiguration?BucketEncryption " +
			"s3:PutLifecycleConfiguration?LifecycleConfiguration s3:PutBucketOwnershipControls?OwnershipControls s3:PutBucketTagging?Tags",
		"AWS::SNS::Topic":               "sns:SetTopicAttributes",
		"AWS::SSM::Document":            "ssm:UpdateDocument",
		"AWS::Events::Rule":             "events:PutRule",
		"AWS::Logs::LogGroup":           "",
		"AWS::AccessAnalyzer::Analyzer": "",
	}
	deletingActions = map[string]string{
		"AWS::AccessAnalyzer::Analyzer":         "access-analyzer:DeleteAnalyzer",
		"AWS::CloudWatch::Alarm":                "cloudwatch:DeleteAlarms",
		"AWS::Config::AggregationAuthorization": "config:DeleteAggregationAuthorization",
		"AWS::Config::ConfigRule":               "config:DeleteConfigRule",
		"AWS::Config::ConfigurationAggregator":  "config:DeleteConfigurationAggregator",
		"AWS::Config::ConfigurationRecorder":    "config:StopConfigurationRecorder config:DeleteConfigurationRecorder",
		"AWS::Config::DeliveryChannel":          "config:DeleteDeliveryChannel",
		"AWS::Config::RemediationConfiguration": "config:DeleteRemediationConfiguration",
		"AWS::Events::Rule":                     "events:DeleteRule",
		"AWS::IAM::ManagedPolicy":               "iam:DeletePolicy",
		"AWS::IAM::Policy":                      "iam:DeleteRolePolicy",
		"AWS::IAM::Role":                        "iam:DeleteRole",
		"AWS::IAM::ServiceLinkedRole":           "iam:DeleteServiceLinkedRole",
		"AWS::KMS::Alias":                       "kms:DeleteAlias",
		"AWS::KMS::Key":                         "kms:ScheduleKeyDeletion",
		"AWS::Logs::LogGroup":                   "logs:DeleteLogGroup",
		"AWS::Logs::MetricFilter":               "logs:DeleteMetricFilter",
		"AWS::S3::Bucket":                       "s3:DeleteBucket",
		"AWS::S3::BucketPolicy":                 "s3:DeleteBucketPolicy",
		"AWS::SNS::Subscription":                "sns:Unsubscribe",
		"AWS::SNS::Topic":                       "sns:DeleteTopic",
		"AWS::SSM::Document":                    "ssm:DeleteDocument",
		"AWS::SSM::Parameter":                   "ssm:DeleteParameter",
		"AWS::EC2::SecurityGroup":               "ec2:DeleteSecurityGroup",
	}
)

// CreateActions are the IAM actions without which a stack of the template cannot be
// created with these parameter values (pseudo parameters too), sorted. Resources of
// types that are not known here count for none.
func (t Template) CreateActions(values map[string]string) []string {
	actions := []string{"cloudformation:CreateStack"}
	for _, r := range resolve(Version{t.document, values}) {
		actions = append(actions, creating(r)...)
	}
	return sorted(actions)
}

// creating are the actions without which a resource cannot be created.
func creating(r Resource) []string { return among(creatingActions[r.Type], r.has) }

func (r Resource) has(property string) bool {
	_, has := r.Properties[property]
	return has
}

// among are the actions of a list, one with ?Property only where the property counts.
func among(list string, counts func(property string) bool) (actions []string) {
	for _, text := range strings.Fields(list) {
		if action, property, only := strings.Cut(text, "?"); !only || counts(property) {
			actions = append(actions, action)
		}
	}
	return actions
}

// UpdateActions are those without which a stack cannot be updated from one version to
// another, sorted: of what is added and of what is changed in place or made anew. What is
// taken out goes after the update, which does not fail for it ("Update a stack", cleanup).
func UpdateActions(old, new Version) []string {
	actions, before, after := []string{"cloudformation:UpdateStack"}, resolve(old), resolve(new)
	for _, c := range Diff(old, new) {
		changing, own := changingActions[c.Type]
		switch {
		case c.Action == "remove":
		case c.Action == "modify" && c.Replacement == ReplacementNever && own:
			was, is := before[c.LogicalID].Properties, after[c.LogicalID].Properties
			actions = append(actions, among(changing, func(property string) bool {
				return slices.ContainsFunc(c.Properties, func(path string) bool { return overlap(property, path) }) &&
					!(c.Type == "AWS::IAM::Role" && onlyShorter(was[property], is[property]))
			})...)
		case c.Action == "modify" && c.Replacement == ReplacementMay:
		default:
			actions = append(actions, creating(after[c.LogicalID])...)
		}
	}
	return sorted(actions)
}

// onlyShorter says whether a list has lost members and got none, which takes another
// action than to add one.
func onlyShorter(before, after any) bool {
	was, isList := before.([]any)
	is, _ := after.([]any)
	return isList && !slices.ContainsFunc(is, func(m any) bool {
		return !slices.ContainsFunc(was, func(o any) bool { return sameValue(m, o) })
	})
}

// ChangeActions are those that an update may need which starts from who knows what:
// of every resource that the version has, sorted.
func ChangeActions(v Version) []string {
	var actions []string
	for _, r := range resolve(v) {
		changing, own := changingActions[r.Type]
		actions = append(actions, among(changing, r.has)...)
		if !own {
			actions = append(actions, creating(r)...)
		}
	}
	return sorted(actions)
}

// DeleteActions are those without which a stack cannot be deleted, sorted. What is
// retained needs none.
func DeleteActions(v Version) []string {
	actions := []string{"cloudformation:DeleteStack"}
	for _, r := range resolve(v) {
		if !strings.HasPrefix(r.DeletionPolicy, "Retain") {
			actions = append(actions, strings.Fields(deletingActions[r.Type])...)
		}
	}
	return sorted(actions)
}

func sorted(actions []string) []string {
	slices.Sort(actions)
	return slices.Compact(actions)
}
