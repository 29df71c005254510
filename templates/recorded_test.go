package templates

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// What each template's rules need recorded, with the defaults of its parameters.
func TestRecordedTypes(t *testing.T) {
	want := map[string]string{
		"access-keys":            "AWS::IAM::User",
		"default-security-group": "AWS::EC2::SecurityGroup",
		"imds-v2":                "AWS::EC2::Instance",
		"open-ports":             "AWS::EC2::SecurityGroup",
		"public-exposure":        "AWS::EC2::SnapshotBlockPublicAccess AWS::RDS::DBClusterSnapshot AWS::RDS::DBSnapshot AWS::SSM::Document",
		"restrict-ssh-rdp":       "AWS::EC2::SecurityGroup",
		"s3-encryption":          "AWS::S3::Bucket",
		"vpc-flow-logs":          "AWS::EC2::VPC",
	}
	for _, template := range All() {
		types, all := template.RecordedTypes(nil)
		if got := strings.Join(types, " "); got != want[template.Name] || all {
			t.Errorf("%s needs %q, all: %v", template.Name, got, all)
		}
		for _, name := range types {
			if _, ok := Recordable(name); !ok {
				t.Errorf("%s needs %s, which cannot be recorded", template.Name, name)
			}
		}
	}
}

func TestRecordedTypesOfAnyRule(t *testing.T) {
	rule := func(properties string) string {
		return "Parameters: {Switch: {Type: String, Default: 'no'}, Types: {Type: CommaDelimitedList}}\nConditions: {Held: !Equals [!Ref Switch, 'yes']}\nResources:\n  R:\n    Type: AWS::Config::ConfigRule\n" + properties
	}
	for name, tt := range map[string]struct{ body, want string }{
		"a managed rule":              {rule("    Properties: {ConfigRuleName: a, Source: {Owner: AWS, SourceIdentifier: LAMBDA_DLQ_CHECK}}"), "[AWS::Lambda::Function] false"},
		"a scope narrower":            {rule("    Properties: {ConfigRuleName: a, Source: {Owner: AWS, SourceIdentifier: S3_DEFAULT_ENCRYPTION_KMS}, Scope: {ComplianceResourceTypes: [AWS::S3::Bucket]}}"), "[AWS::S3::Bucket] false"},
		"a scope wider":               {rule("    Properties: {ConfigRuleName: a, Source: {Owner: AWS, SourceIdentifier: EC2_IMDSV2_CHECK}, Scope: {ComplianceResourceTypes: [AWS::EC2::Volume, AWS::EC2::Instance]}}"), "[AWS::EC2::Instance AWS::EC2::Volume] false"},
		"by tag":                      {rule("    Properties: {ConfigRuleName: a, Source: {Owner: AWS, SourceIdentifier: LAMBDA_DLQ_CHECK}, Scope: {TagKey: x}}"), "[AWS::Lambda::Function] false"},
		"of the account":              {rule("    Properties: {ConfigRuleName: a, Source: {Owner: AWS, SourceIdentifier: ROOT_ACCOUNT_MFA_ENABLED}}"), "[] false"},
		"a type that is not recorded": {rule("    Properties: {ConfigRuleName: a, Source: {Owner: AWS, SourceIdentifier: ELASTICACHE_AUTO_MINOR_VERSION_UPGRADE_CHECK}}"), "[] false"},
		"without a name":              {rule("    Properties: {Source: {Owner: AWS, SourceIdentifier: LAMBDA_DLQ_CHECK}}"), "[AWS::Lambda::Function] false"},
		"off":                         {rule("    Condition: Held\n    Properties: {ConfigRuleName: a, Source: {Owner: AWS, SourceIdentifier: LAMBDA_DLQ_CHECK}}"), "[] false"},
		"a rule that nobody knows":    {rule("    Properties: {ConfigRuleName: a, Source: {Owner: AWS, SourceIdentifier: NOT_YET_KNOWN}}"), "[] true"},
		"types that nobody knows":     {rule("    Properties: {ConfigRuleName: a, Source: {Owner: AWS, SourceIdentifier: LAMBDA_DLQ_CHECK}, Scope: {ComplianceResourceTypes: !Ref Types}}"), "[] true"},
		"a custom rule":               {rule("    Properties: {ConfigRuleName: a, Source: {Owner: CUSTOM_LAMBDA, SourceIdentifier: arn, SourceDetails: [{EventSource: aws.config, MessageType: ConfigurationItemChangeNotification}]}}"), "[] true"},
		"a custom rule with a scope":  {rule("    Properties: {ConfigRuleName: a, Source: {Owner: CUSTOM_LAMBDA, SourceIdentifier: arn}, Scope: {ComplianceResourceTypes: [AWS::EC2::Volume]}}"), "[AWS::EC2::Volume] false"},
		"a custom rule by the clock":  {rule("    Properties: {ConfigRuleName: a, Source: {Owner: CUSTOM_LAMBDA, SourceIdentifier: arn, SourceDetails: [{EventSource: aws.config, MessageType: ScheduledNotification}]}}"), "[] false"},
		"both":                        {rule("    Properties: {ConfigRuleName: a, Source: {Owner: CUSTOM_LAMBDA, SourceIdentifier: arn, SourceDetails: [{MessageType: ScheduledNotification}, {MessageType: OversizedConfigurationItemChangeNotification}]}}"), "[] true"},
		"a conformance pack":          {"Resources: {P: {Type: AWS::Config::ConformancePack, Properties: {ConformancePackName: p}}}", "[] true"},
		"no rule":                     {"Resources: {T: {Type: AWS::SNS::Topic}}", "[] false"},
	} {
		template, err := FromBody("t", []byte(tt.body))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if types, all := template.RecordedTypes(nil); fmt.Sprint(types, all) != tt.want {
			t.Errorf("%s: %v, all: %v; want %s", name, types, all, tt.want)
		}
	}
}

func TestRecordable(t *testing.T) {
	if list := recordable(); len(list) < 500 || !slices.IsSorted(list) {
		t.Errorf("%d types", len(list))
	}
	if near, ok := Recordable("AWS::EC2::SecurityGroups"); ok || near != "AWS::EC2::SecurityGroup" {
		t.Errorf("%q, %v", near, ok)
	}
	if _, ok := Recordable(RecordedAnyway); !ok {
		t.Errorf("%s cannot be recorded", RecordedAnyway)
	}
}
