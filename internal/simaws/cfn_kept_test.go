package simaws

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What Ref and GetAtt answer, as the template reference says of each type.
func TestKeptTypesAnswer(t *testing.T) {
	b := newBench(t)
	if err := b.apply(everyKind); err != nil {
		t.Fatal(err)
	}
	here := func(service, rest string) string {
		return "arn:aws:" + service + ":us-east-1:" + b.a.ID + ":" + rest
	}
	key := b.st.Resources["Key"].PhysicalID
	if len(key) != 36 || strings.Count(key, "-") != 4 {
		t.Errorf("a key's id is a UUID: %s", key)
	}
	topic := here("sns", "t")
	for id, want := range map[string]struct {
		ref        string // "…" at the end stands for what is random
		attributes map[string]string
	}{
		"Key":         {key, map[string]string{"Arn": here("kms", "key/"+key), "KeyId": key}},
		"Alias":       {"alias/logs", nil},
		"Group":       {"/trail", map[string]string{"Arn": here("logs", "log-group:/trail:*")}},
		"Filter":      {"root", nil},
		"Alarm":       {"root", map[string]string{"Arn": here("cloudwatch", "alarm:root")}},
		"TopicPolicy": {"StackSet-bench-0123-TopicPolicy-…", map[string]string{"Id": "StackSet-bench-0123-TopicPolicy-…"}},
		"Mail":        {topic + ":…", map[string]string{"Arn": topic + ":…"}},
		"Findings":    {"findings", map[string]string{"Arn": here("events", "rule/findings")}},
		"Analyzer":    {here("access-analyzer", "analyzer/account"), map[string]string{"Arn": here("access-analyzer", "analyzer/account")}},
		"Parameter":   {"/rollout/group", map[string]string{"Type": "String", "Value": "/trail"}},
		"Inline":      {"StackSet-bench-0123-Inline-…", map[string]string{"Id": "StackSet-bench-0123-Inline-…"}},
	} {
		res := b.st.Resources[id]
		same := func(got, want string) bool {
			start, open := strings.CutSuffix(want, "…")
			return got == want || open && strings.HasPrefix(got, start) && len(got) > len(start)
		}
		if !same(res.PhysicalID, want.ref) || len(res.Attributes) != len(want.attributes) {
			t.Errorf("%s is %s with %v", id, res.PhysicalID, res.Attributes)
		}
		for name, value := range want.attributes {
			if got := textOf(res.Attributes[name]); !same(got, value) {
				t.Errorf("%s.%s is %s, want %s", id, name, got, value)
			}
		}
	}
}

// An update changes, replaces, or is refused: "Update requires" of the template reference
// and what the handlers refuse.
func TestKeptTypesChange(t *testing.T) {
	const (
		same     = "the same"
		replaced = "another"
	)
	key := func(more string) string { return "Type: AWS::KMS::Key, Properties: {Description: d" + more + "}" }
	rule := func(name, more string) string {
		return "Type: AWS::Events::Rule, Properties: {Name: " + name + ", EventPattern: {source: [aws.config]}" + more + "}"
	}
	for name, c := range map[string]struct{ before, after, want string }{
		"a key begins to rotate":                {key(""), key(", EnableKeyRotation: true"), same},
		"a key's usage":                         {key(""), key(", KeyUsage: GENERATE_VERIFY_MAC"), "Invalid request provided: You cannot change the values of the KeySpec, KeyUsage, Origin, or MultiRegion properties of an AWS::KMS::Key resource.\" (RequestToken: "},
		"a key's usage said that was meant":     {key(""), key(", KeyUsage: ENCRYPT_DECRYPT"), same},
		"a key of many Regions":                 {key(""), key(", MultiRegion: true"), "You cannot change the values of the KeySpec, KeyUsage, Origin, or MultiRegion properties"},
		"a disabled key begins to rotate":       {key(", Enabled: false"), key(", Enabled: false, EnableKeyRotation: true"), "Invalid request provided: You cannot change the EnableKeyRotation property while the Enabled property is false."},
		"a key enabled, and rotating":           {key(", Enabled: false"), key(", Enabled: true, EnableKeyRotation: true"), same},
		"a key's policy that locks out":         {key(""), key(", KeyPolicy: {Statement: []}"), "The new key policy will not allow you to update the key policy in the future."},
		"an event rule's pattern":               {rule("r", ", State: ENABLED"), rule("r", ", State: DISABLED"), same},
		"an event rule's name":                  {rule("r", ""), rule("s", ""), replaced},
		"a subscription's endpoint":             {"Type: AWS::SNS::Subscription, Properties: {TopicArn: !Ref T, Protocol: email, Endpoint: a@example.com}", "Type: AWS::SNS::Subscription, Properties: {TopicArn: !Ref T, Protocol: email, Endpoint: b@example.com}", replaced},
		"a subscription's delivery":             {"Type: AWS::SNS::Subscription, Properties: {TopicArn: !Ref T, Protocol: sqs, Endpoint: q}", "Type: AWS::SNS::Subscription, Properties: {TopicArn: !Ref T, Protocol: sqs, Endpoint: q, RawMessageDelivery: true}", same},
		"a log group's retention":               {"Type: AWS::Logs::LogGroup, Properties: {LogGroupName: g}", "Type: AWS::Logs::LogGroup, Properties: {LogGroupName: g, RetentionInDays: 30}", same},
		"a log group's name":                    {"Type: AWS::Logs::LogGroup, Properties: {LogGroupName: g}", "Type: AWS::Logs::LogGroup, Properties: {LogGroupName: h}", replaced},
		"an analyzer's rules":                   {"Type: AWS::AccessAnalyzer::Analyzer, Properties: {Type: ACCOUNT}", "Type: AWS::AccessAnalyzer::Analyzer, Properties: {Type: ACCOUNT, ArchiveRules: [{RuleName: r, Filter: []}]}", same},
		"an analyzer's age, one of a kind":      {"Type: AWS::AccessAnalyzer::Analyzer, Properties: {Type: ACCOUNT_UNUSED_ACCESS}", "Type: AWS::AccessAnalyzer::Analyzer, Properties: {Type: ACCOUNT_UNUSED_ACCESS, AnalyzerConfiguration: {UnusedAccessConfiguration: {UnusedAccessAge: 30}}}", "HandlerErrorCode: ServiceLimitExceeded"},
		"a parameter's value":                   {"Type: AWS::SSM::Parameter, Properties: {Name: p, Type: String, Value: a}", "Type: AWS::SSM::Parameter, Properties: {Name: p, Type: String, Value: b}", same},
		"a parameter back to the standard tier": {"Type: AWS::SSM::Parameter, Properties: {Name: p, Type: String, Value: a, Tier: Advanced}", "Type: AWS::SSM::Parameter, Properties: {Name: p, Type: String, Value: a}", "Can't revert advanced parameters to standard parameters."},
		"an alarm's threshold":                  {"Type: AWS::CloudWatch::Alarm, Properties: {ComparisonOperator: GreaterThanThreshold, EvaluationPeriods: 1, MetricName: m, Statistic: Sum, Threshold: 1}", "Type: AWS::CloudWatch::Alarm, Properties: {ComparisonOperator: GreaterThanThreshold, EvaluationPeriods: 1, MetricName: m, Statistic: Sum, Threshold: 2}", same},
		"an inline policy's name":               {"Type: AWS::IAM::Policy, Properties: {PolicyName: p, Roles: [OrganizationAccountAccessRole], PolicyDocument: {Statement: []}}", "Type: AWS::IAM::Policy, Properties: {PolicyName: q, Roles: [OrganizationAccountAccessRole], PolicyDocument: {Statement: []}}", same},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			body := func(x string) string {
				return "Resources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: t}}, A: {" + x + "}}"
			}
			if err := b.apply(body(c.before)); err != nil {
				t.Fatal(err)
			}
			was, made := b.st.Resources["A"].PhysicalID, b.what()
			err := b.apply(body(c.after))
			switch now := b.st.Resources["A"].PhysicalID; {
			case c.want != same && c.want != replaced:
				if err == nil || !strings.Contains(reasonOf(err), c.want) {
					t.Errorf("%v, want %s", err, c.want)
				}
				if after := b.what(); !slices.Equal(made, after) {
					t.Errorf("what was refused leaves\n%v\nof\n%v", after, made)
				}
			case err != nil:
				t.Error(err)
			case (now == was) != (c.want == same):
				t.Errorf("%s became %s, want %s", was, now, c.want)
			case len(b.what()) != len(made):
				t.Errorf("what was replaced is still there: %v", b.what())
			}
		})
	}
}

// A name in use, in the words of each service or of the registry, and the resource that
// has it is left alone.
func TestKeptNamesInUse(t *testing.T) {
	b := newBench(t)
	if err := b.apply(everyKind); err != nil {
		t.Fatal(err)
	}
	made, first := b.what(), b.st
	for id, want := range map[string]string{
		"Alias":     "An alias with the name arn:aws:kms:us-east-1:ACCOUNT-ID:alias/logs already exists (Service: Kms, Status Code: 400",
		"Group":     `"Resource of type 'AWS::Logs::LogGroup' with identifier '{"/properties/LogGroupName":"/trail"}' already exists." (RequestToken: `,
		"Filter":    `"Resource of type 'AWS::Logs::MetricFilter' with identifier '{"/properties/LogGroupName":"/trail","/properties/FilterName":"root"}' already exists."`,
		"Alarm":     `"Resource of type 'AWS::CloudWatch::Alarm' with identifier '{"/properties/AlarmName":"root"}' already exists."`,
		"Findings":  `Resource handler returned message: "findings already exists" (RequestToken: `,
		"Analyzer":  "An analyzer with the name account already exists. (Service: AccessAnalyzer, Status Code: 409",
		"Parameter": "The parameter already exists. To overwrite this value, set the overwrite option in the request to true. (Service: Ssm, Status Code: 400",
	} {
		b.st = &stack{Name: "StackSet-second-89"}
		body := everyKind[strings.Index(everyKind, "\n  "+id+": ")+1:]
		body, _, _ = strings.Cut(body, "\n")
		for ref, value := range map[string]string{"!Ref Key": first.Resources["Key"].PhysicalID, "!GetAtt Key.Arn": textOf(first.Resources["Key"].Attributes["Arn"]), "!Ref Group": "/trail", "!Ref Topic": first.Resources["Topic"].PhysicalID, "DependsOn: Filter, ": ""} {
			body = strings.ReplaceAll(body, ref, value)
		}
		err := b.apply("Resources:\n" + body)
		if want = strings.ReplaceAll(want, "ACCOUNT-ID", b.a.ID); err == nil || !strings.Contains(reasonOf(err), want) {
			t.Errorf("%s: %v\nwant %s", id, err, want)
		}
	}
	if after := b.what(); !slices.Equal(made, after) {
		t.Errorf("what was refused leaves\n%v\nof\n%v", after, made)
	}
	// A second analyzer of a kind is beyond the quota under any name.
	b.st = &stack{Name: "StackSet-second-89"}
	if err := b.apply("Resources: {A: {Type: AWS::AccessAnalyzer::Analyzer, Properties: {Type: ACCOUNT}}}"); err == nil || !strings.Contains(reasonOf(err), "(Service: AccessAnalyzer, Status Code: 402") || !strings.Contains(reasonOf(err), "HandlerErrorCode: ServiceLimitExceeded)") {
		t.Error(err)
	}
}

// Each call of a handler is bound by service control policies, on its resource.
func TestKeptTypesAreBoundByPolicies(t *testing.T) {
	denied := func(t *testing.T, err error, action string) {
		t.Helper()
		if err == nil || !strings.Contains(reasonOf(err), "is not authorized to perform: "+action+" on resource: ") || !strings.Contains(reasonOf(err), "HandlerErrorCode: AccessDenied") {
			t.Errorf("%s is denied: %v", action, err)
		}
	}
	tried := 0
	for _, kind := range sortedKeys(keptTypes) {
		for verb, calls := range keptTypes[kind].calls {
			for _, action := range strings.Fields(calls) {
				tried++
				b := newBench(t)
				if verb > 0 {
					if err := b.apply(everyKind); err != nil {
						t.Fatal(err)
					}
				}
				b.s.DenyAction(b.a.ID, action)
				switch verb {
				case 0:
					denied(t, b.apply(everyKind), action)
				case 1:
					for _, change := range keptChanges {
						if kind == change.kind {
							denied(t, b.apply(strings.Replace(everyKind, change.from, change.to, 1)), action)
						}
					}
				case 2:
					b.a.buckets["config-"+b.a.ID].Objects = nil
					err := b.s.remove(b.a, b.r, b.st)
					denied(t, err, action)
				}
			}
		}
	}
	if tried < 3*len(keptTypes) {
		t.Errorf("%d calls of %d types", tried, len(keptTypes))
	}
	for name, c := range map[string]struct{ before, after, action string }{
		"rotation":   {"", "Type: AWS::KMS::Key, Properties: {EnableKeyRotation: true}", "kms:EnableKeyRotation"},
		"no more":    {"Type: AWS::KMS::Key, Properties: {EnableKeyRotation: true}", "Type: AWS::KMS::Key, Properties: {EnableKeyRotation: false}", "kms:DisableKeyRotation"},
		"disabled":   {"", "Type: AWS::KMS::Key, Properties: {Enabled: false}", "kms:DisableKey"},
		"enabled":    {"Type: AWS::KMS::Key, Properties: {Enabled: false}", "Type: AWS::KMS::Key", "kms:EnableKey"},
		"described":  {"Type: AWS::KMS::Key", "Type: AWS::KMS::Key, Properties: {Description: x}", "kms:UpdateKeyDescription"},
		"targets":    {"", "Type: AWS::Events::Rule, Properties: {ScheduleExpression: rate(1 day), Targets: [{Id: a, Arn: 'arn:aws:sqs:us-east-1:ACCOUNT-ID:q'}]}", "events:PutTargets"},
		"no targets": {"Type: AWS::Events::Rule, Properties: {ScheduleExpression: rate(1 day), Targets: [{Id: a, Arn: 'arn:aws:sqs:us-east-1:ACCOUNT-ID:q'}]}", "Type: AWS::Events::Rule, Properties: {ScheduleExpression: rate(1 day)}", "events:RemoveTargets"},
		"retention":  {"", "Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 7}", "logs:PutRetentionPolicy"},
		"for ever":   {"Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 7}", "Type: AWS::Logs::LogGroup", "logs:DeleteRetentionPolicy"},
		"a rule":     {"Type: AWS::AccessAnalyzer::Analyzer, Properties: {Type: ACCOUNT}", "Type: AWS::AccessAnalyzer::Analyzer, Properties: {Type: ACCOUNT, ArchiveRules: [{RuleName: r, Filter: []}]}", "access-analyzer:CreateArchiveRule"},
		"no rule":    {"Type: AWS::AccessAnalyzer::Analyzer, Properties: {Type: ACCOUNT, ArchiveRules: [{RuleName: r, Filter: []}]}", "Type: AWS::AccessAnalyzer::Analyzer, Properties: {Type: ACCOUNT}", "access-analyzer:DeleteArchiveRule"},
	} {
		b := newBench(t)
		if c.before != "" {
			if err := b.apply("Resources: {A: {" + c.before + "}}"); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		b.s.DenyAction(b.a.ID, c.action)
		denied(t, b.apply("Resources: {A: {"+c.after+"}}"), c.action)
	}
}

// keptChanges change one resource of everyKind without replacing it.
var keptChanges = []struct{ kind, from, to string }{
	{"AWS::KMS::Key", "Principal: {AWS: !Sub \"arn:aws:iam::${AWS::AccountId}:root\"}, Action: \"kms:*\"", "Principal: {AWS: !Ref AWS::AccountId}, Action: \"kms:*\""},
	{"AWS::KMS::Alias", "TargetKeyId: !Ref Key", "TargetKeyId: !GetAtt Key.Arn"}, {"AWS::Events::Rule", "State: ENABLED", "State: DISABLED"},
	{"AWS::SNS::Subscription", "RawMessageDelivery: false", "RawMessageDelivery: true"}, {"AWS::SNS::TopicPolicy", "Principal: {Service: events.amazonaws.com}", "Principal: {Service: cloudwatch.amazonaws.com}"},
	{"AWS::Logs::LogGroup", "RetentionInDays: 365", "RetentionInDays: 90"}, {"AWS::Logs::MetricFilter", `MetricValue: "1"`, `MetricValue: "2"`}, {"AWS::CloudWatch::Alarm", "Threshold: 1", "Threshold: 2"},
	{"AWS::AccessAnalyzer::Analyzer", "RuleName: ours", "RuleName: others"}, {"AWS::SSM::Parameter", "Value: !Ref Group", "Value: x"},
}

// Drift shows what was changed or deleted behind CloudFormation's back, but never a key's
// name nor what a handler cannot read.
func TestKeptDrift(t *testing.T) {
	b := newBench(t)
	if err := b.apply(everyKind); err != nil {
		t.Fatal(err)
	}
	status := func(id string) string {
		return b.s.inspect(b.a, b.r, b.st.Resources[id], b.s.clock.Now()).Status
	}
	with := func(kind, key, property string, value any) {
		b.Helper()
		there := b.r.kept[kind][key]
		if there == nil {
			b.Fatalf("no %s %s among %v", kind, key, sortedKeys(b.r.kept[kind]))
		}
		changed := map[string]any{}
		for k, v := range there.Properties {
			changed[k] = v
		}
		changed[property] = value
		there.Properties = changed
	}
	for _, c := range []struct {
		id, kind, key, property string
		value                   any
		want                    string
	}{
		{"Group", "AWS::Logs::LogGroup", "/trail", "KmsKeyId", "arn:aws:kms:us-east-1:111122223333:key/other", "IN_SYNC"},
		{"Group", "AWS::Logs::LogGroup", "/trail", "RetentionInDays", "7", "MODIFIED"},
		{"Key", "AWS::KMS::Key", b.st.Resources["Key"].PhysicalID, "PendingWindowInDays", "30", "IN_SYNC"},
		{"Key", "AWS::KMS::Key", b.st.Resources["Key"].PhysicalID, "EnableKeyRotation", "false", "MODIFIED"},
		{"Findings", "AWS::Events::Rule", "findings", "State", "DISABLED", "MODIFIED"},
		{"Filter", "AWS::Logs::MetricFilter", "/trail:root", "FilterPattern", "x", "MODIFIED"},
		{"Alarm", "AWS::CloudWatch::Alarm", "root", "Threshold", "9", "MODIFIED"},
		{"Parameter", "AWS::SSM::Parameter", "/rollout/group", "Value", "y", "MODIFIED"},
		{"Parameter", "AWS::SSM::Parameter", "/rollout/group", "Tags", "not named by the template", "MODIFIED"},
	} {
		with(c.kind, c.key, c.property, c.value)
		if got := status(c.id); got != c.want {
			t.Errorf("%s with another %s: %s, want %s", c.id, c.property, got, c.want)
		}
	}
	delete(b.r.kept["AWS::CloudWatch::Alarm"], "root")
	if got := status("Alarm"); got != "DELETED" {
		t.Errorf("an alarm that is gone: %s", got)
	}
	if b.s.inspect(b.a, b.r, b.st.Resources["TopicPolicy"], b.s.clock.Now()) != nil {
		t.Error("a topic's policy cannot be read")
	}
}

// A policy that AWS::IAM::Policy or somebody else put into a role stays when the role is
// updated, and only a stranger's keeps the role from being deleted.
func TestInlinePoliciesOfOthersStay(t *testing.T) {
	b := newBench(t)
	body := func(session int, action string) string {
		return fmt.Sprintf(`Resources:
  Role: {Type: AWS::IAM::Role, Properties: {RoleName: r, MaxSessionDuration: %d, AssumeRolePolicyDocument: {Statement: []}, Policies: [{PolicyName: own, PolicyDocument: {Statement: []}}]}}
  Inline: {Type: AWS::IAM::Policy, Properties: {PolicyName: inline, Roles: [!Ref Role], PolicyDocument: {Statement: [{Effect: Allow, Action: "%s", Resource: "*"}]}}}
`, session, action)
	}
	if err := b.apply(body(3600, "sns:Publish")); err != nil {
		t.Fatal(err)
	}
	b.r.stacks = map[string]*stack{b.st.Name: b.st}
	if err := b.apply(body(7200, "sns:Publish")); err != nil {
		t.Fatal(err)
	}
	if got := sortedKeys(b.a.roles["r"].Policies); !slices.Equal(got, []string{"inline", "own"}) {
		t.Errorf("after an update of the role: %v", got)
	}
	drift := func() string {
		return b.s.inspect(b.a, b.r, b.st.Resources["Role"], b.s.clock.Now()).Status
	}
	if got := drift(); got != "IN_SYNC" {
		t.Errorf("the role with its stack's policy: %s", got)
	}
	b.a.roles["r"].Policies["stranger"] = policyDocument{}
	if got := drift(); got != "MODIFIED" {
		t.Errorf("the role with a stranger's policy: %s", got)
	}
	if err := b.s.remove(b.a, b.r, b.st); err == nil || !strings.Contains(reasonOf(err), "Cannot delete entity, must delete policies first.") {
		t.Error(err)
	}
}

// A key waits for its window before it goes, and cannot be used meanwhile.
func TestKeyWaitsToBeDeleted(t *testing.T) {
	synctest.Test(t, testKeyWaits)
}

func testKeyWaits(t *testing.T) {
	b := newBench(t)
	if err := b.apply("Resources: {K: {Type: AWS::KMS::Key, Properties: {PendingWindowInDays: 7}}}"); err != nil {
		t.Fatal(err)
	}
	id := b.st.Resources["K"].PhysicalID
	other := &stack{Name: "other"}
	b.st, other = other, b.st
	alias := "Resources: {A: {Type: AWS::KMS::Alias, Properties: {AliasName: alias/a, TargetKeyId: " + id + "}}}"
	if err := b.apply(alias); err != nil {
		t.Fatal(err)
	}
	if err := b.s.remove(b.a, b.r, other); err != nil {
		t.Fatal(err)
	}
	if b.r.keyOf(id) == nil || b.r.keyOf(id).Gone.IsZero() {
		t.Fatal("the key is to wait")
	}
	b.st = &stack{Name: "third"}
	if err := b.apply(strings.ReplaceAll(alias, "alias/a", "alias/b")); err == nil || !strings.Contains(reasonOf(err), ":key/"+id+" is pending deletion.") {
		t.Error(err)
	}
	for _, step := range []struct {
		wait  time.Duration
		there bool
	}{{6 * 24 * time.Hour, true}, {25 * time.Hour, false}} {
		time.Sleep(step.wait)
		b.s.clock.advance()
		if key, alias := b.r.keyOf(id) != nil, b.r.kept["AWS::KMS::Alias"]["alias/a"] != nil; key != step.there || alias != step.there {
			t.Errorf("%s later the key is there: %v, its alias: %v", step.wait, key, alias)
		}
	}
}

// The role of Access Analyzer cannot be deleted while there is an analyzer anywhere.
func TestAnalyzerRole(t *testing.T) {
	b := newBench(t)
	analyzer := "Resources: {A: {Type: AWS::AccessAnalyzer::Analyzer, Properties: {Type: ACCOUNT}}}"
	if err := b.apply(analyzer); err != nil {
		t.Fatal(err)
	}
	role := b.a.roles["AWSServiceRoleForAccessAnalyzer"]
	if role == nil || role.Path != "/aws-service-role/access-analyzer.amazonaws.com/" {
		t.Fatalf("%+v", role)
	}
	call := resourceCall{Account: b.a, Region: b.a.region("eu-west-1"), Stack: b.st, PhysicalID: role.Name}
	if err := deleteLinkedRole(b.s, call); err == nil || !strings.Contains(err.Error(), "is in use and cannot be deleted") {
		t.Error(err)
	}
	if err := b.s.remove(b.a, b.r, b.st); err != nil {
		t.Fatal(err)
	}
	if err := deleteLinkedRole(b.s, call); err != nil || b.a.roles[role.Name] != nil {
		t.Error(err)
	}
}

// With a topic go its subscriptions and its policy.
func TestTopicTakesWhatIsItsOwn(t *testing.T) {
	b := newBench(t)
	if err := b.apply("Resources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: t}}}"); err != nil {
		t.Fatal(err)
	}
	topic := b.st
	b.st = &stack{Name: "other"}
	arn := topic.Resources["T"].PhysicalID
	if err := b.apply("Resources: {S: {Type: AWS::SNS::Subscription, Properties: {TopicArn: '" + arn + "', Protocol: sqs, Endpoint: q}}, P: {Type: AWS::SNS::TopicPolicy, Properties: {Topics: ['" + arn + "'], PolicyDocument: {Statement: []}}}}"); err != nil {
		t.Fatal(err)
	}
	if err := b.s.remove(b.a, b.r, topic); err != nil {
		t.Fatal(err)
	}
	if n := len(b.r.kept["AWS::SNS::Subscription"]) + len(b.r.kept["AWS::SNS::TopicPolicy"]); n != 0 {
		t.Errorf("%d are left", n)
	}
}
