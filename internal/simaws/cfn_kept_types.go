package simaws

import (
	"regexp"
	"strings"
	"time"
)

// keptTypes are the types of services without calls of their own here: names, required,
// create-only and write-only properties as the registry's schemas have them, what Ref and
// GetAtt answer as the template reference says, the calls from the schemas' handlers.
var keptTypes map[string]keptType

func init() {
	keptTypes = map[string]keptType{
		"AWS::KMS::Key": {service: "Kms", limit: 64, takes: 25 * time.Second, arn: "kms:key/%s",
			properties: "| BypassPolicyLockoutSafetyCheck Description EnableKeyRotation Enabled KeyPolicy KeySpec KeyUsage MultiRegion Origin PendingWindowInDays RotationPeriodInDays Tags",
			writeOnly:  []string{"PendingWindowInDays", "BypassPolicyLockoutSafetyCheck", "RotationPeriodInDays"},
			enums: map[string][]string{"KeyUsage": strings.Fields("ENCRYPT_DECRYPT SIGN_VERIFY GENERATE_VERIFY_MAC KEY_AGREEMENT"), "Origin": {"AWS_KMS", "EXTERNAL"},
				"KeySpec": strings.Fields("SYMMETRIC_DEFAULT RSA_2048 RSA_3072 RSA_4096 ECC_NIST_P256 ECC_NIST_P384 ECC_NIST_P521 ECC_SECG_P256K1 ECC_NIST_EDWARDS25519 HMAC_224 HMAC_256 HMAC_384 HMAC_512 SM2 ML_DSA_44 ML_DSA_65 ML_DSA_87")},
			identify:   func(s *Sim, _ resourceCall, _ string) string { return s.ids.uuid() },
			attributes: func(_ resourceCall, id string) map[string]any { return map[string]any{"KeyId": id} },
			calls:      [3]string{"kms:CreateKey", "kms:DescribeKey kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"}, more: keyCalls,
			check: checkKey, remove: scheduleKeyDeletion},
		"AWS::KMS::Alias": {service: "Kms", name: "AliasName", limit: 256, createOnly: []string{"AliasName"}, takes: 3 * time.Second, arn: "kms:%s", noArn: true,
			properties: "AliasName TargetKeyId |", shape: map[string]*regexp.Regexp{"AliasName": regexp.MustCompile(`^(alias/)[a-zA-Z0-9:/_-]+$`)},
			calls: [3]string{"kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias"}, check: checkAlias, taken: aliasTaken},
		"AWS::Events::Rule": {service: "EventBridge", name: "Name", limit: 64, createOnly: []string{"Name", "EventBusName"}, takes: 40 * time.Second, arn: "events:rule/%s",
			properties: "| Description EventBusName EventPattern Name RoleArn ScheduleExpression State Tags Targets",
			enums:      map[string][]string{"State": {"DISABLED", "ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"}},
			shape:      map[string]*regexp.Regexp{"Name": regexp.MustCompile(`^[.\-_A-Za-z0-9]+$`), "ScheduleExpression": regexp.MustCompile(`^(rate\(.+\)|cron\(.+\))?$`)},
			members:    map[string]string{"Targets": "Arn Id | AppSyncParameters BatchParameters DeadLetterConfig EcsParameters HttpParameters Input InputPath InputTransformer KinesisParameters RedshiftDataParameters RetryPolicy RoleArn RunCommandParameters SageMakerPipelineParameters SqsParameters"},
			calls:      [3]string{"events:PutRule", "events:PutRule", "events:DeleteRule"}, more: ruleCalls,
			check: checkEventRule, taken: eventRuleTaken},
		"AWS::SNS::Subscription": {service: "Sns", limit: 64, createOnly: []string{"Endpoint", "Protocol", "TopicArn"}, writeOnly: []string{"Region"}, takes: 3 * time.Second,
			properties: "Protocol TopicArn | DeliveryPolicy Endpoint FilterPolicy FilterPolicyScope RawMessageDelivery RedrivePolicy Region ReplayPolicy SubscriptionRoleArn",
			identify: func(s *Sim, c resourceCall, _ string) string {
				return textOf(c.Properties["TopicArn"]) + ":" + s.ids.uuid()
			},
			calls: [3]string{"sns:Subscribe", "sns:SetSubscriptionAttributes", "sns:Unsubscribe"}, check: checkSubscription,
			on: func(_ *Sim, c resourceCall) string { return textOf(c.Properties["TopicArn"]) }},
		"AWS::SNS::TopicPolicy": {service: "Sns", limit: 128, takes: 3 * time.Second, properties: "PolicyDocument Topics |", noArn: true, attributes: idOnly,
			calls: [3]string{"sns:SetTopicAttributes", "sns:SetTopicAttributes", "sns:SetTopicAttributes"}, check: checkTopicPolicy,
			on: func(_ *Sim, c resourceCall) string {
				return strings.Join(texts(c.Properties["Topics"])[:min(1, len(texts(c.Properties["Topics"])))], "")
			}},
		"AWS::Logs::LogGroup": {service: "CloudWatchLogs", name: "LogGroupName", limit: 512, createOnly: []string{"LogGroupName"}, takes: 8 * time.Second, arn: "logs:log-group:%s:*",
			properties: "| BearerTokenAuthenticationEnabled DataProtectionPolicy DeletionProtectionEnabled FieldIndexPolicies KmsKeyId LogGroupClass LogGroupName ResourcePolicyDocument RetentionInDays Tags",
			enums: map[string][]string{"LogGroupClass": {"STANDARD", "INFREQUENT_ACCESS", "DELIVERY"},
				"RetentionInDays": strings.Fields("1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653")},
			shape: map[string]*regexp.Regexp{"LogGroupName": regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`), "KmsKeyId": regexp.MustCompile(`^arn:[a-z0-9-]+:kms:[a-z0-9-]+:\d{12}:(key|alias)/.+$`)},
			calls: [3]string{"logs:CreateLogGroup", "logs:DescribeLogGroups", "logs:DeleteLogGroup"}, more: groupCalls,
			check: checkLogGroup, remove: removeLogGroup},
		"AWS::Logs::MetricFilter": {service: "CloudWatchLogs", name: "FilterName", limit: 512, createOnly: []string{"FilterName", "LogGroupName"}, takes: 3 * time.Second, noArn: true,
			properties: "FilterPattern LogGroupName MetricTransformations | ApplyOnTransformedLogs EmitSystemFieldDimensions FieldSelectionCriteria FilterName",
			shape:      map[string]*regexp.Regexp{"FilterName": regexp.MustCompile(`^[^:*]{1,512}$`)},
			members:    map[string]string{"MetricTransformations": "MetricName MetricNamespace MetricValue | DefaultValue Dimensions Unit"},
			key:        func(c resourceCall, id string) string { return textOf(c.Properties["LogGroupName"]) + ":" + id },
			calls:      [3]string{"logs:PutMetricFilter", "logs:PutMetricFilter", "logs:DeleteMetricFilter"}, check: checkMetricFilter, taken: filterTaken,
			on: func(s *Sim, c resourceCall) string {
				return fieldARN(s, c, "logs:log-group:"+textOf(c.Properties["LogGroupName"])+":*")
			}},
		"AWS::CloudWatch::Alarm": {service: "CloudWatch", name: "AlarmName", limit: 255, createOnly: []string{"AlarmName"}, takes: 5 * time.Second, arn: "cloudwatch:alarm:%s",
			properties: "| ActionConfiguration ActionsEnabled AlarmActions AlarmDescription AlarmName ComparisonOperator DatapointsToAlarm Dimensions EvaluateLowSampleCountPercentile EvaluationCriteria EvaluationInterval EvaluationPeriods " +
				"EvaluationWindow ExtendedStatistic InsufficientDataActions MetricName Metrics Namespace OKActions Period Statistic Tags Threshold ThresholdMetricId TreatMissingData Unit WarmUpConfiguration",
			enums: map[string][]string{"Statistic": {"Average", "Maximum", "Minimum", "SampleCount", "Sum"}, "TreatMissingData": {"breaching", "ignore", "missing", "notBreaching"},
				"ComparisonOperator": strings.Fields("GreaterThanOrEqualToThreshold GreaterThanThreshold GreaterThanUpperThreshold LessThanLowerOrGreaterThanUpperThreshold LessThanLowerThreshold LessThanOrEqualToThreshold LessThanThreshold")},
			members: map[string]string{"Dimensions": "Name Value |"},
			calls:   [3]string{"cloudwatch:PutMetricAlarm", "cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"}, check: checkAlarm},
		"AWS::AccessAnalyzer::Analyzer": {service: "AccessAnalyzer", name: "AnalyzerName", limit: 255, createOnly: []string{"AnalyzerName", "Type"}, replaces: analyzerReplaces, takes: 8 * time.Second,
			arn: "access-analyzer:analyzer/%s", properties: "Type | AnalyzerConfiguration AnalyzerName ArchiveRules Tags", shape: map[string]*regexp.Regexp{"AnalyzerName": regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)},
			members: map[string]string{"ArchiveRules": "Filter RuleName |"},
			identify: func(s *Sim, c resourceCall, name string) string {
				return fieldARN(s, c, "access-analyzer:analyzer/"+name)
			},
			calls: [3]string{"access-analyzer:CreateAnalyzer", "access-analyzer:GetAnalyzer", "access-analyzer:DeleteAnalyzer"}, more: analyzerCalls,
			check: checkAnalyzer, made: linkAnalyzer, taken: analyzerTaken},
		"AWS::SSM::Parameter": {service: "Ssm", name: "Name", limit: 2048, createOnly: []string{"Name"}, writeOnly: []string{"Description", "Tier", "AllowedPattern", "Policies"}, takes: 3 * time.Second,
			arn: "ssm:parameter/%s", noArn: true, properties: "Type Value | AllowedPattern DataType Description Name Policies Tags Tier",
			enums: map[string][]string{"Type": {"String", "StringList"}, "Tier": {"Standard", "Advanced", "Intelligent-Tiering"}, "DataType": {"text", "aws:ec2:image"}},
			attributes: func(c resourceCall, _ string) map[string]any {
				return map[string]any{"Type": c.Properties["Type"], "Value": c.Properties["Value"]}
			},
			calls: [3]string{"ssm:PutParameter", "ssm:PutParameter", "ssm:DeleteParameter"}, check: checkSSMParameter, taken: parameterTaken},
	}
	for kind, t := range keptTypes {
		resourceTypes[kind] = t.handler(kind)
		// The handler of topic policies cannot read (registry), so their drift is not checked.
		if kind != "AWS::SNS::TopicPolicy" {
			driftReaders[kind] = readKeptDrift
		}
	}
}

func idOnly(_ resourceCall, id string) map[string]any { return map[string]any{"Id": id} }
