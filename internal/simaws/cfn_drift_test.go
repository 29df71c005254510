package simaws

import (
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

func TestDifferences(t *testing.T) {
	m := func(kv ...any) map[string]any {
		out := map[string]any{}
		for i := 0; i < len(kv); i += 2 {
			out[kv[i].(string)] = kv[i+1]
		}
		return out
	}
	for name, c := range map[string]struct {
		expected, actual any
		want             []propertyDifference
	}{
		"the same":           {m("A", "1", "B", []any{"x"}), m("B", []any{"x"}, "A", "1"), nil},
		"a number as text":   {m("A", 1), m("A", "1"), nil},
		"another value":      {m("A", "1"), m("A", "2"), []propertyDifference{{"/A", "1", "2", "NOT_EQUAL"}}},
		"gone":               {m("A", "1"), m(), []propertyDifference{{"/A", "1", "null", "REMOVE"}}},
		"one more in a map":  {m("A", m("B", "1")), m("A", m("B", "1", "C", "2")), []propertyDifference{{"/A/C", "null", "2", "ADD"}}},
		"one more in a list": {m("L", []any{"x"}), m("L", []any{"y", "x"}), []propertyDifference{{"/L/0", "null", "y", "ADD"}}},
		"one less in a list": {m("L", []any{"x", "y"}), m("L", []any{"y"}), []propertyDifference{{"/L/0", "x", "null", "REMOVE"}}},
		"order of a list":    {m("L", []any{"x", "y"}), m("L", []any{"y", "x"}), nil},
		"paired by name":     {m("L", []any{m("PolicyName", "p", "D", "1")}), m("L", []any{m("PolicyName", "q"), m("PolicyName", "p", "D", "2")}), []propertyDifference{{"/L/0/D", "1", "2", "NOT_EQUAL"}, {"/L/0", "null", `{"PolicyName":"q"}`, "ADD"}}},
		"another type":       {m("A", m("B", "1")), m("A", "x"), []propertyDifference{{"/A", `{"B":"1"}`, "x", "NOT_EQUAL"}}},
	} {
		if got := differences("", c.expected, c.actual); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// A set of three: one as it was, one changed by hand, one with its role deleted.
func TestDriftOfASet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 12, Empty: true})
		who := g.members()[:4]
		if err := g.create("s", roleTemplate); err != nil {
			t.Fatal(err)
		}
		g.deploy("s", g.only(who...), []string{"us-east-1"})
		role := "worker-us-east-1"
		g.sim.change(who[1], func(a *account) {
			a.roles[role].Description = "changed by hand"
			a.roles[role].Trust.Statement = []policyStatement{{Allow: true, Actions: []string{"sts:AssumeRole"}, Principals: map[string][]string{"AWS": {"999999999999"}}}}
		})
		g.sim.RemoveRole(who[2], role)
		g.sim.DenyAction(who[3], "cloudformation:DetectStackDrift")
		detect := func() *types.StackSetOperation {
			out, err := g.api.DetectStackSetDrift(t.Context(), &cloudformation.DetectStackSetDriftInput{StackSetName: aws.String("s"), OperationPreferences: everywhere()})
			if err != nil {
				t.Fatal(err)
			}
			_, err = g.api.DetectStackSetDrift(t.Context(), &cloudformation.DetectStackSetDriftInput{StackSetName: aws.String("s")})
			g.wantError(err, "OperationInProgressException", "")
			if d := g.operation("s", out.OperationId).StackSetDriftDetectionDetails; d == nil || d.DriftDetectionStatus != types.StackSetDriftDetectionStatusInProgress {
				t.Errorf("while it runs: %+v", d)
			}
			return g.wait("s", out.OperationId)
		}
		op := detect()
		d := op.StackSetDriftDetectionDetails
		if op.Action != types.StackSetOperationActionDetectDrift || op.Status != "SUCCEEDED" || d.DriftDetectionStatus != "PARTIAL_SUCCESS" || d.DriftStatus != "DRIFTED" ||
			*d.TotalStackInstancesCount != 4 || *d.DriftedStackInstancesCount != 2 || *d.InSyncStackInstancesCount != 1 || *d.FailedStackInstancesCount != 1 {
			t.Errorf("%s %+v", op.Status, d)
		}
		for n, want := range []types.StackDriftStatus{"IN_SYNC", "DRIFTED", "DRIFTED", "UNKNOWN"} {
			if i := g.instance("s", who[n], "us-east-1"); i.DriftStatus != want || i.Status != "CURRENT" {
				t.Errorf("%d: %s %s, want %s", n, i.DriftStatus, i.Status, want)
			}
		}
		rows := func(account string, only ...types.StackResourceDriftStatus) []types.StackInstanceResourceDriftsSummary {
			out, err := g.api.ListStackInstanceResourceDrifts(t.Context(), &cloudformation.ListStackInstanceResourceDriftsInput{
				StackSetName: aws.String("s"), OperationId: op.OperationId, StackInstanceAccount: &account, StackInstanceRegion: aws.String("us-east-1"), StackInstanceResourceDriftStatuses: only})
			if err != nil {
				t.Fatal(err)
			}
			return out.Summaries
		}
		changed := rows(who[1], "MODIFIED")
		if len(changed) != 1 || *changed[0].LogicalResourceId != "Role" || len(changed[0].PropertyDifferences) != 2 {
			t.Fatalf("%+v", changed)
		}
		for _, d := range changed[0].PropertyDifferences {
			switch *d.PropertyPath {
			case "/Description":
				if *d.ExpectedValue != "none" || *d.ActualValue != "changed by hand" || d.DifferenceType != "NOT_EQUAL" {
					t.Errorf("%+v", d)
				}
			case "/AssumeRolePolicyDocument/Statement/0":
				if d.DifferenceType != "ADD" || !strings.Contains(*d.ActualValue, "999999999999") {
					t.Errorf("%+v", d)
				}
			default:
				t.Errorf("differs at %s", *d.PropertyPath)
			}
		}
		if gone := rows(who[2], "DELETED"); len(gone) != 1 || len(gone[0].PropertyDifferences) != 0 || len(rows(who[2])) != 2 {
			t.Errorf("%+v", gone)
		}
		list, err := g.api.ListStackInstances(t.Context(), &cloudformation.ListStackInstancesInput{StackSetName: aws.String("s"), Filters: []types.StackInstanceFilter{{Name: "DRIFT_STATUS", Values: aws.String("DRIFTED")}}})
		if err != nil || len(list.Summaries) != 2 || list.Summaries[0].LastDriftCheckTimestamp == nil {
			t.Errorf("%v %+v", err, list)
		}
		set, err := g.api.DescribeStackSet(t.Context(), &cloudformation.DescribeStackSetInput{StackSetName: aws.String("s")})
		if err != nil || set.StackSet.StackSetDriftDetectionDetails.DriftStatus != "DRIFTED" {
			t.Errorf("%v", err)
		}
	})
}

func TestDriftOfAStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 3, Empty: true})
		name := aws.String("one")
		if _, err := g.api.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: name, TemplateBody: aws.String(roleTemplate), Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}}); err != nil {
			t.Fatal(err)
		}
		_, err := g.api.DetectStackDrift(t.Context(), &cloudformation.DetectStackDriftInput{StackName: name})
		g.wantError(err, "ValidationError", "CREATE_IN_PROGRESS")
		time.Sleep(5 * time.Minute)
		detect := func() *cloudformation.DescribeStackDriftDetectionStatusOutput {
			t.Helper()
			begun, err := g.api.DetectStackDrift(t.Context(), &cloudformation.DetectStackDriftInput{StackName: name})
			if err != nil {
				t.Fatal(err)
			}
			_, err = g.api.DetectStackDrift(t.Context(), &cloudformation.DetectStackDriftInput{StackName: name})
			g.wantError(err, "ValidationError", "already in progress")
			status := func() *cloudformation.DescribeStackDriftDetectionStatusOutput {
				out, err := g.api.DescribeStackDriftDetectionStatus(t.Context(), &cloudformation.DescribeStackDriftDetectionStatusInput{StackDriftDetectionId: begun.StackDriftDetectionId})
				if err != nil {
					t.Fatal(err)
				}
				return out
			}
			if now := status(); now.DetectionStatus != "DETECTION_IN_PROGRESS" || now.DriftedStackResourceCount != nil {
				t.Errorf("%+v", now)
			}
			time.Sleep(time.Minute)
			return status()
		}
		if out := detect(); out.DetectionStatus != "DETECTION_COMPLETE" || out.StackDriftStatus != "IN_SYNC" || *out.DriftedStackResourceCount != 0 {
			t.Errorf("%+v", out)
		}
		g.sim.change(g.sim.world.management, func(a *account) { delete(a.roles, "worker-us-east-1") })
		if out := detect(); out.StackDriftStatus != "DRIFTED" || *out.DriftedStackResourceCount != 1 {
			t.Errorf("%+v", out)
		}
		drifts, err := g.api.DescribeStackResourceDrifts(t.Context(), &cloudformation.DescribeStackResourceDriftsInput{StackName: name})
		if err != nil || len(drifts.StackResourceDrifts) != 2 {
			t.Fatalf("%v %+v", err, drifts)
		}
		stacks, err := g.api.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: name})
		if err != nil || stacks.Stacks[0].DriftInformation.StackDriftStatus != "DRIFTED" {
			t.Errorf("%v", err)
		}
		one, err := g.api.DetectStackResourceDrift(t.Context(), &cloudformation.DetectStackResourceDriftInput{StackName: name, LogicalResourceId: aws.String("Role")})
		if err != nil || one.StackResourceDrift.StackResourceDriftStatus != "DELETED" || one.StackResourceDrift.ActualProperties != nil {
			t.Errorf("%v %+v", err, one)
		}
		_, err = g.api.DetectStackResourceDrift(t.Context(), &cloudformation.DetectStackResourceDriftInput{StackName: name, LogicalResourceId: aws.String("Nobody")})
		g.wantError(err, "ValidationError", "does not exist")
	})
}

// Every reader finds what its type's handler made just as the template has it: drift
// that nobody caused would be a false alarm.
func TestNothingDriftsByItself(t *testing.T) {
	for name := range driftReaders {
		if _, there := resourceTypes[name]; !there {
			t.Errorf("%s can be read and not made", name)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 3, Empty: true})
		name := aws.String("all")
		if _, err := g.api.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: name, TemplateBody: aws.String(everyKind), Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		if _, err := g.api.DetectStackDrift(t.Context(), &cloudformation.DetectStackDriftInput{StackName: name}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		drifts, err := g.api.DescribeStackResourceDrifts(t.Context(), &cloudformation.DescribeStackResourceDriftsInput{StackName: name})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, d := range drifts.StackResourceDrifts {
			seen[*d.ResourceType] = true
			if d.StackResourceDriftStatus != "IN_SYNC" {
				for _, p := range d.PropertyDifferences {
					t.Errorf("%s %s: %s %s %s", *d.ResourceType, d.StackResourceDriftStatus, *p.PropertyPath, aws.ToString(p.ExpectedValue), aws.ToString(p.ActualValue))
				}
			}
		}
		for name := range driftReaders {
			if !seen[name] {
				t.Errorf("%s was not checked", name)
			}
		}
	})
}

const everyKind = `
Resources:
  ConfigRole: {Type: AWS::IAM::ServiceLinkedRole, Properties: {AWSServiceName: config.amazonaws.com, Description: Config's own}}
  Policy: {Type: AWS::IAM::ManagedPolicy, Properties: {PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "ec2:*", Resource: "*"}]}}}
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: t}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: r
      Path: /x/
      MaxSessionDuration: "7200"
      ManagedPolicyArns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: {Effect: Allow, Principal: {Service: ssm.amazonaws.com}, Action: "sts:AssumeRole"}}
      Policies: [{PolicyName: p, PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: ["ec2:DescribeVpcs"], Resource: "*", Condition: {Bool: {"aws:SecureTransport": "true"}}}]}}]
  Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub "config-${AWS::AccountId}"}}
  BucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: config.amazonaws.com}, Action: ["s3:GetBucketAcl", "s3:ListBucket"], Resource: !Sub "${Bucket.Arn}"}
          - {Effect: Allow, Principal: {Service: config.amazonaws.com}, Action: "s3:PutObject", Resource: !Sub "${Bucket.Arn}/AWSLogs/${AWS::AccountId}/Config/*", Condition: {StringEquals: {"s3:x-amz-acl": bucket-owner-full-control}}}
  Document: {Type: AWS::SSM::Document, Properties: {Name: d, DocumentType: Automation, Content: {schemaVersion: "0.3", mainSteps: [{name: s, action: "aws:sleep", inputs: {Duration: PT1S}}]}}}
  Recorder: {Type: AWS::Config::ConfigurationRecorder, DependsOn: ConfigRole, Properties: {Name: default, RoleARN: !Sub "arn:aws:iam::${AWS::AccountId}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig", RecordingGroup: {AllSupported: true}}}
  Channel: {Type: AWS::Config::DeliveryChannel, DependsOn: BucketPolicy, Properties: {Name: default, S3BucketName: !Ref Bucket}}
  Rule:
    Type: AWS::Config::ConfigRule
    DependsOn: Recorder
    Properties:
      ConfigRuleName: closed
      Description: groups
      Scope: {ComplianceResourceTypes: ["AWS::EC2::SecurityGroup"]}
      Source: {Owner: AWS, SourceIdentifier: VPC_DEFAULT_SECURITY_GROUP_CLOSED}
  SSH:
    Type: AWS::Config::ConfigRule
    DependsOn: Recorder
    Properties:
      ConfigRuleName: tagged
      InputParameters: {daysToExpiration: "14"}
      MaximumExecutionFrequency: TwentyFour_Hours
      Scope: {TagKey: team, TagValue: x}
      Source: {Owner: AWS, SourceIdentifier: ACM_CERTIFICATE_EXPIRATION_CHECK}
  Inline: {Type: AWS::IAM::Policy, Properties: {PolicyName: inline, Roles: [!Ref Role], PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sns:Publish", Resource: "*"}]}}}
  Key: {Type: AWS::KMS::Key, Properties: {Description: logs, EnableKeyRotation: true, PendingWindowInDays: 7, KeyPolicy: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}, Action: "kms:*", Resource: "*"}, {Effect: Allow, Principal: {Service: !Sub "logs.${AWS::Region}.amazonaws.com"}, Action: "kms:GenerateDataKey*", Resource: "*"}]}}}
  Alias: {Type: AWS::KMS::Alias, Properties: {AliasName: alias/logs, TargetKeyId: !Ref Key}}
  Group: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /trail, RetentionInDays: 365, KmsKeyId: !GetAtt Key.Arn}}
  Filter: {Type: AWS::Logs::MetricFilter, Properties: {FilterName: root, LogGroupName: !Ref Group, FilterPattern: "{ $.userIdentity.type = Root }", MetricTransformations: [{MetricName: root, MetricNamespace: CIS, MetricValue: "1"}]}}
  Alarm: {Type: AWS::CloudWatch::Alarm, DependsOn: Filter, Properties: {AlarmName: root, MetricName: root, Namespace: CIS, Statistic: Sum, Period: 300, EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: GreaterThanOrEqualToThreshold, AlarmActions: [!Ref Topic]}}
  TopicPolicy: {Type: AWS::SNS::TopicPolicy, Properties: {Topics: [!Ref Topic], PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: "sns:Publish", Resource: !Ref Topic}]}}}
  Mail: {Type: AWS::SNS::Subscription, Properties: {TopicArn: !Ref Topic, Protocol: email, Endpoint: a@example.com, RawMessageDelivery: false}}
  Findings: {Type: AWS::Events::Rule, Properties: {Name: findings, State: ENABLED, EventPattern: {source: [aws.securityhub]}, Targets: [{Id: t, Arn: !Ref Topic}]}}
  Analyzer: {Type: AWS::AccessAnalyzer::Analyzer, Properties: {AnalyzerName: account, Type: ACCOUNT, ArchiveRules: [{RuleName: ours, Filter: [{Property: isPublic, Eq: ["false"]}]}]}}
  Parameter: {Type: AWS::SSM::Parameter, Properties: {Name: /rollout/group, Type: String, Value: !Ref Group}}
  Aggregator: {Type: AWS::Config::ConfigurationAggregator, Properties: {ConfigurationAggregatorName: a, AccountAggregationSources: [{AccountIds: [!Ref "AWS::AccountId"], AllAwsRegions: true}]}}
`
