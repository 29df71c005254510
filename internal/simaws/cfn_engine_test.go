package simaws

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// What a template may not be, in CloudFormation's words.
func TestTemplateRules(t *testing.T) {
	topic := "Resources: {A: {Type: AWS::SNS::Topic}}\n"
	many := func(section, entry string, n int) string {
		text := topic + section + ":\n"
		for i := range n {
			text += fmt.Sprintf("  N%d: %s\n", i, entry)
		}
		return text
	}
	resources := "Resources:\n"
	for i := range 501 {
		resources += fmt.Sprintf("  N%d: {Type: AWS::SNS::Topic}\n", i)
	}
	for name, c := range map[string]struct{ body, want string }{
		"201 parameters":         {many("Parameters", "{Type: String, Default: x}", 201), "Number of parameters, 201, is greater than maximum allowed, 200"},
		"200 parameters":         {many("Parameters", "{Type: String, Default: x}", 200), ""},
		"201 outputs":            {many("Outputs", "{Value: x}", 201), "Number of outputs, 201"},
		"201 mappings":           {many("Mappings", "{k: {v: x}}", 201), "Number of mappings, 201"},
		"501 resources":          {resources, "Number of resources, 501"},
		"a name with a dash":     {"Resources: {A-B: {Type: AWS::SNS::Topic}}", "Resource name A-B is non alphanumeric"},
		"an output with a dash":  {topic + "Outputs: {O-P: {Value: x}}", "Output name O-P is non alphanumeric"},
		"an output of nothing":   {topic + "Outputs: {O: {Description: x}}", "Every Outputs member must contain a Value object"},
		"a policy nobody knows":  {"Resources: {A: {Type: AWS::SNS::Topic, DeletionPolicy: Keep}}", "Unrecognized DeletionPolicy Keep for resource A"},
		"except on create":       {"Resources: {A: {Type: AWS::SNS::Topic, UpdateReplacePolicy: RetainExceptOnCreate}}", "Unrecognized UpdateReplacePolicy"},
		"a language extension":   {"Resources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: {Fn::ToJsonString: {a: b}}}}}", "Fn::ToJsonString needs the transform AWS::LanguageExtensions"},
		"51,201 bytes":           {topic + "Description: x\n#" + strings.Repeat("x", 51201), "less than or equal to 51200"},
		"a condition of nothing": {"Resources: {A: {Type: AWS::SNS::Topic, Condition: C}}", "Unresolved condition dependency C"},
		"conditions in a circle": {topic + "Conditions: {C: !Not [!Condition D], D: !Not [!Condition C]}", "Circular dependency between conditions"},
	} {
		_, err := readTemplate(c.body)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// The blocks of AWS's own examples (template reference, Fn::Cidr), and its bounds.
func TestCidr(t *testing.T) {
	for _, c := range []struct {
		block       string
		count, bits int
		want        string
	}{
		{"192.168.0.0/24", 6, 5, "192.168.0.0/27 192.168.0.32/27 192.168.0.64/27 192.168.0.96/27 192.168.0.128/27 192.168.0.160/27"},
		{"10.0.0.0/16", 2, 8, "10.0.0.0/24 10.0.1.0/24"},
		{"2001:db8::/56", 2, 64, "2001:db8::/64 2001:db8:0:1::/64"},
		{"10.0.0.0/24", 2, 8, "error"}, {"10.0.0.0/24", 257, 1, "error"}, {"10.0.0.0/24", 1, 9, "error"}, {"ten", 1, 1, "error"},
	} {
		got, err := cidr(c.block, c.count, c.bits)
		words := "error"
		if err == nil {
			words = strings.Trim(fmt.Sprint(got), "[]")
		}
		if words != c.want {
			t.Errorf("%s, %d, %d: %s (%v), want %s", c.block, c.count, c.bits, words, err, c.want)
		}
	}
	got, err := evaluateText(t, "Resources: {A: {Type: AWS::SNS::Topic, Properties: {V: !Select [1, !Cidr [10.0.0.0/16, '4', 8]]}}}")
	if err != nil || got != "10.0.1.0/24" {
		t.Errorf("%v %v", got, err)
	}
}

// what lists what an account has that stacks can make.
func (b *bench) what() []string {
	var out []string
	add := func(kind string, names []string) {
		for _, n := range names {
			out = append(out, kind+" "+n)
		}
	}
	add("role", sortedKeys(b.a.roles))
	add("policy", sortedKeys(b.a.managed))
	add("bucket", sortedKeys(b.a.buckets))
	for _, name := range sortedKeys(b.a.buckets) {
		if b.a.buckets[name].HasPolicy {
			out = append(out, "bucket policy "+name)
		}
	}
	add("document", sortedKeys(b.r.documents))
	add("rule", sortedKeys(b.r.rules))
	for _, name := range sortedKeys(b.r.rules) {
		if b.r.rules[name].remediation != nil {
			out = append(out, "remediation "+name)
		}
	}
	add("topic", sortedKeys(b.r.topics))
	for _, kind := range sortedKeys(b.r.kept) {
		for _, key := range sortedKeys(b.r.kept[kind]) {
			if b.r.kept[kind][key].Gone.IsZero() {
				out = append(out, kind+" "+key)
			}
		}
	}
	for _, name := range sortedKeys(b.a.roles) {
		for _, policy := range sortedKeys(b.a.roles[name].Policies) {
			out = append(out, "policy "+policy+" of "+name)
		}
	}
	add("aggregator", sortedKeys(b.r.config.aggregators))
	if b.r.recorder != nil {
		out = append(out, "recorder")
	}
	if b.r.channel != nil {
		out = append(out, "channel")
	}
	slices.Sort(out)
	return out
}

// Every resource type: a stack whose last resource fails leaves nothing of those made
// before it, and an update that fails leaves each as it was.
func TestEveryTypeIsRolledBack(t *testing.T) {
	const failing = "\n  Last: {Type: AWS::IAM::Role, DependsOn: [%s], Properties: {RoleName: in-the-way, AssumeRolePolicyDocument: {Statement: []}}}\n"
	doc, err := readTemplate(everyKind)
	if err != nil {
		t.Fatal(err)
	}
	last := fmt.Sprintf(failing, strings.Join(doc.ResourceOrder, ", "))
	b := newBench(t)
	b.a.roles["in-the-way"] = &iamRole{Name: "in-the-way", ARN: "arn:aws:iam::" + b.a.ID + ":role/in-the-way"}
	// The first analyzer makes the service's role, which stays.
	if _, err := b.s.addServiceLinkedRole(b.a, "access-analyzer.amazonaws.com", ""); err != nil {
		t.Fatal(err)
	}
	before := b.what()
	if err := b.apply(everyKind + last); err == nil || !strings.Contains(err.Error(), "Role with name in-the-way already exists") {
		t.Fatal(err)
	}
	// The channel has proved by a file that it can write, so the bucket cannot go: it is
	// all that is left, and stays in the stack.
	bucket := "config-" + b.a.ID
	if after := b.what(); !reflect.DeepEqual(append([]string{"bucket " + bucket}, before...), after) || len(b.st.Resources) != 1 || b.st.Resources["Bucket"].Status != "DELETE_FAILED" {
		t.Errorf("a create that was rolled back leaves\n%v\nof\n%v", after, before)
	}
	b.a.buckets[bucket].Objects = nil
	if err := b.s.remove(b.a, b.r, b.st); err != nil {
		t.Fatal(err)
	}
	b.st = &stack{Name: "StackSet-bench-4567"}
	b.r.stacks = map[string]*stack{b.st.Name: b.st} // drift of the role looks at its stack
	if err := b.apply(everyKind); err != nil {
		t.Fatal(err)
	}
	made := b.what()
	changed := everyKind
	for _, change := range []struct{ from, to string }{
		{"Description: Config's own", "Description: changed"}, {`Action: "ec2:*"`, `Action: "s3:*"`}, {`MaxSessionDuration: "7200"`, `MaxSessionDuration: "3600"`},
		{"TopicName: t", "TopicName: t, DisplayName: changed"}, {"policy/ReadOnlyAccess", "policy/SecurityAudit"}, {`Action: ["ec2:DescribeVpcs"]`, `Action: ["ec2:DescribeSubnets"]`},
		{"DocumentType: Automation,", "DocumentType: Automation, UpdateMethod: NewVersion,"}, {"Duration: PT1S", "Duration: PT2S"}, {"Description: groups", "Description: changed"},
		{`daysToExpiration: "14"`, `daysToExpiration: "30"`}, {"TagValue: x", "TagValue: y"}, {"s3:GetBucketAcl", "s3:GetBucketLocation"}, {"AllAwsRegions: true", "AwsRegions: [us-east-1]"},
		{`Action: "sns:Publish", Resource: "*"`, `Action: "sns:*", Resource: "*"`}, {"Description: logs", "Description: changed"}, {"RetentionInDays: 365", "RetentionInDays: 90"},
		{`MetricValue: "1"`, `MetricValue: "2"`}, {"Threshold: 1", "Threshold: 2"}, {"Principal: {Service: events.amazonaws.com}", "Principal: {Service: cloudwatch.amazonaws.com}"},
		{"RawMessageDelivery: false", "RawMessageDelivery: true"}, {"State: ENABLED", "State: DISABLED"}, {"RuleName: ours", "RuleName: others"}, {"Value: !Ref Group", "Value: x"},
		{"Protocol: email, ", "Protocol: email-json, "}, {"AliasName: alias/logs", "AliasName: alias/other"},
	} {
		if !strings.Contains(changed, change.from) {
			t.Fatalf("the template has no %q", change.from)
		}
		changed = strings.Replace(changed, change.from, change.to, 1)
	}
	if err := b.apply(changed + last); err == nil || !strings.Contains(err.Error(), "in-the-way already exists") {
		t.Fatal(err)
	}
	if after := b.what(); !reflect.DeepEqual(made, after) {
		t.Errorf("an update that was rolled back leaves\n%v\nof\n%v", after, made)
	}
	for id, res := range b.st.Resources {
		if found := b.s.inspect(b.a, b.r, res, b.s.clock.Now()); found != nil && found.Status != "IN_SYNC" {
			text, _ := json.Marshal(found.differences)
			t.Errorf("%s, %s: %s after the rollback: %s", id, res.Type, found.Status, text)
		}
	}
	// And all goes with the stack, but for what Config put into the bucket.
	for _, bucket := range b.a.buckets {
		bucket.Objects = nil
	}
	if err := b.s.remove(b.a, b.r, b.st); err != nil {
		t.Fatal(err)
	}
	if after := b.what(); !reflect.DeepEqual(before, after) {
		t.Errorf("the stack leaves\n%v\nof\n%v", after, before)
	}
}

// A name that another stack has is refused, and the stack is named.
func TestNamesInUse(t *testing.T) {
	b := newBench(t)
	body := "Resources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: alerts}}}"
	if err := b.apply(body); err != nil {
		t.Fatal(err)
	}
	b.st.ID = "arn:aws:cloudformation:us-east-1:" + b.a.ID + ":stack/first/1"
	b.r.stacks["first"] = b.st
	second := &bench{b.T, b.s, b.a, b.r, &stack{Name: "second"}}
	if err := second.apply(body); err == nil || !strings.Contains(err.Error(), "alerts already exists in stack "+b.st.ID) {
		t.Errorf("%v", err)
	}
	if err := b.s.remove(b.a, b.r, b.st); err != nil {
		t.Fatal(err)
	}
	if err := second.apply(body); err != nil {
		t.Errorf("once it is gone: %v", err)
	}
}

// An instance whose rollback failed keeps its stack, cannot be updated, and can go.
func TestRollbackThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 12, Empty: true})
		id, home := g.members()[0], []string{"us-east-1"}
		g.sim.change(id, func(a *account) { a.roles["in-the-way"] = &iamRole{Name: "in-the-way"} })
		doc, err := readTemplate(everyKind)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.create("s", everyKind+fmt.Sprintf("\n  Last: {Type: AWS::IAM::Role, DependsOn: [%s], Properties: {RoleName: in-the-way, AssumeRolePolicyDocument: {Statement: []}}}\n", strings.Join(doc.ResourceOrder, ", "))); err != nil {
			t.Fatal(err)
		}
		g.deploy("s", g.only(id), home)
		in := g.instance("s", id, "us-east-1")
		if in.StackId == nil || in.Status != "OUTDATED" {
			t.Fatalf("%+v", in)
		}
		st := g.sim.world.accounts[id].region("us-east-1").stacks[stackNameOf(*in.StackId)]
		if st.Status != "ROLLBACK_FAILED" || !strings.Contains(st.Reason, "[Bucket]") {
			t.Errorf("%s %s", st.Status, st.Reason)
		}
		rows := g.results("s", g.deploy("s", g.only(id), home))
		if want := "Stack:" + st.ID + " is in ROLLBACK_FAILED state and can not be updated."; len(rows) != 1 || *rows[id+"/us-east-1"].StatusReason != want {
			t.Errorf("%+v", rows)
		}
		g.sim.change(id, func(a *account) { a.buckets["config-"+id].Objects = nil })
		g.delete("s", g.only(id), home, false)
		if g.instance("s", id, "us-east-1") != nil || g.sim.world.accounts[id].buckets["config-"+id] != nil {
			t.Error("it does not go")
		}
	})
}
