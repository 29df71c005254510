package stackset

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"rollout/internal/simaws"
)

const aStack = "AWS::CloudFormation::Stack"

// theirs is a stack of the account's own people.
func (s *stage) theirs(region, name, body string) {
	s.t.Helper()
	entry, err := s.session.Enter(s.t.Context(), s.account.ID, "")
	if err != nil {
		s.t.Fatal(err)
	}
	api := cloudformation.NewFromConfig(entry.Config(region))
	if _, err := api.CreateStack(s.t.Context(), &cloudformation.CreateStackInput{StackName: &name, TemplateBody: &body}); err != nil {
		s.t.Fatal(err)
	}
	time.Sleep(5 * time.Minute)
	out, err := api.DescribeStacks(s.t.Context(), &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil || out.Stacks[0].StackStatus != "CREATE_COMPLETE" {
		s.t.Fatalf("%s: %v %+v", name, err, out)
	}
}

// held is what the account holds in some Regions and in none, but for stacks.
func (s *stage) held(regions []string) map[string][]simaws.Thing {
	out := map[string][]simaws.Thing{}
	for _, region := range append([]string{""}, regions...) {
		out[region] = slices.DeleteFunc(s.sim.Held(s.account.ID, region), func(t simaws.Thing) bool { return t.Type == aStack })
	}
	return out
}

// made counts by type what a Region holds of a StackSet; "" is what is in no Region.
func (s *stage) made(set, region string) string {
	counted := map[string]int{}
	for _, t := range s.sim.Held(s.account.ID, region) {
		if t.Set == set && t.Type != aStack {
			counted[strings.TrimPrefix(t.Type, "AWS::")]++
		}
	}
	var words []string
	for _, kind := range slices.Sorted(maps.Keys(counted)) {
		words = append(words, fmt.Sprint(counted[kind], " ", kind))
	}
	return strings.Join(words, ", ")
}

const theirTopic = "Resources: {Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: rollout}}, Rule: {Type: AWS::Events::Rule, Properties: {Name: theirs, EventPattern: {source: [aws.config]}}}}"

// Monitoring in three Regions of each kind of account, in each way to be told: what it
// makes and where, a second plan with nothing to do, all of it gone with it, and back
// again. What the account has of its own stays as it is.
func TestMonitoring(t *testing.T) {
	const set = "rollout-monitoring"
	regions := []string{"ap-northeast-1", other, home}
	const six = "6 Events::Rule"
	for name, test := range map[string]struct {
		parameters            func(id string) map[string]string
		home, away, elsewhere string // what is made in the home Region, in each other one, in none
	}{
		"a topic": {nil, six + ", 1 SNS::Topic, 1 SNS::TopicPolicy", six, "2 IAM::Role"},
		"a topic by mail, and no findings": {func(string) map[string]string {
			return map[string]string{"NotificationEmail": "security@example.com", "ServiceFindings": "false"}
		}, "3 Events::Rule, 1 SNS::Subscription, 1 SNS::Topic, 1 SNS::TopicPolicy", "3 Events::Rule", "2 IAM::Role"},
		"alarms": {func(string) map[string]string { return map[string]string{"TrailLogGroupName": "/trail"} },
			"14 CloudWatch::Alarm, " + six + ", 14 Logs::MetricFilter, 1 SNS::Topic, 1 SNS::TopicPolicy", six, "2 IAM::Role"},
		"another account's bus, and alarms": {func(string) map[string]string {
			return map[string]string{"CentralEventBusArn": "arn:aws:events:us-east-1:111122223333:event-bus/default", "TrailLogGroupName": "/trail"}
		}, "14 CloudWatch::Alarm, 7 Events::Rule, 14 Logs::MetricFilter", "7 Events::Rule", "3 IAM::Role"},
		"the account's own bus for all": {func(id string) map[string]string {
			return map[string]string{"CentralEventBusArn": "arn:aws:events:eu-west-1:" + id + ":event-bus/default"}
		}, six, "", "2 IAM::Role"},
	} {
		for kind, prepare := range accountKinds {
			t.Run(name+"/"+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newStage(t, simaws.Options{Empty: true, Accounts: 12})
					for _, region := range regions {
						prepare(s.sim, s.account.ID, region)
						s.theirs(region, "theirs", theirTopic)
					}
					s.sim.PutLogGroup(s.account.ID, home, "/trail")
					before := s.held(regions)
					d := s.desired("monitoring", RemediationOff, slices.Clone(regions)...)
					if test.parameters != nil {
						d.Parameters = test.parameters(s.account.ID)
					}
					for range 2 {
						s.apply(s.plan(d))
						for _, region := range regions {
							want := test.away
							switch {
							case region == home:
								want = test.home
							case want == "" && region == other: // the bus is here
								want = six + ", 1 SNS::Topic, 1 SNS::TopicPolicy"
							case want == "":
								want = six
							}
							if got := s.made(set, region); got != want {
								t.Errorf("%s has %s, want %s", region, got, want)
							}
						}
						if got := s.made(set, ""); got != test.elsewhere {
							t.Errorf("in no Region there is %s, want %s", got, test.elsewhere)
						}
						if again := s.plan(d); again.Pending() {
							t.Errorf("a second plan has something to do: %+v", again.Changes)
						}
						s.remove("monitoring", slices.Clone(regions)...)
						if after := s.held(regions); fmt.Sprint(after) != fmt.Sprint(before) {
							t.Errorf("removed, it leaves\n%v\nof\n%v", after, before)
						}
					}
				})
			})
		}
	}
}

// Alarms on a log group that is not there fail in CloudWatch Logs' words, and leave nothing.
func TestMonitoringWithoutTrail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, simaws.Options{Empty: true, Accounts: 12})
		before := s.held([]string{home})
		d := s.desired("monitoring", RemediationOff, home)
		d.Parameters = map[string]string{"TrailLogGroupName": "/trail"}
		s.fails(s.plan(d), "The specified log group does not exist.")
		if after := s.held([]string{home}); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("it leaves\n%v\nof\n%v", after, before)
		}
	})
}

// fails carries a plan out of which an instance fails with a reason.
func (s *stage) fails(p *Plan, reason string) {
	s.t.Helper()
	s.runs++
	result, err := Apply(s.t.Context(), s.session, "SELF", p, ApplyOptions{Run: fmt.Sprint("test-", s.runs)}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if !slices.ContainsFunc(result.Outcomes, func(o Outcome) bool { return o.Status == OutcomeFailed && strings.Contains(o.Reason, reason) }) {
		s.t.Errorf("%+v, want one that failed: %s", result.Outcomes, reason)
	}
}

// An analyzer on request: it makes its rule pass, goes with the stack and comes back.
// Where the account has one, it stays as it is, and so do the rules that are there.
func TestAccountAnalyzer(t *testing.T) {
	const rule = "rollout-iam-external-access-analyzer-enabled"
	for kind, prepare := range accountKinds {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, simaws.Options{Empty: true, Accounts: 12})
				for _, region := range []string{home, other} {
					prepare(s.sim, s.account.ID, region)
					s.sim.Detect(s.account.ID, region, false)
				}
				d := s.desired("detection", RemediationOff, home)
				s.apply(s.plan(d)) // the rules first, which say where there is none
				d.Parameters = map[string]string{"AccountAnalyzer": "true"}
				for range 2 {
					s.apply(s.plan(d))
					time.Sleep(25 * time.Hour)
					if got := s.verdictsOf(rule, []string{home}); got["COMPLIANT"] != 1 || !strings.Contains(s.made("rollout-detection", home), "1 AccessAnalyzer::Analyzer") {
						t.Errorf("%v, with %s", got, s.made("rollout-detection", home))
					}
					s.remove("detection", home)
					if got := s.made("rollout-detection", home); got != "" {
						t.Errorf("removed, it leaves %s", got)
					}
				}

				s.theirs(other, "theirs", "Resources: {A: {Type: AWS::AccessAnalyzer::Analyzer, Properties: {AnalyzerName: theirs, Type: ACCOUNT}}}")
				there := s.desired("detection", RemediationOff, other)
				s.apply(s.plan(there))
				rules := s.made("rollout-detection", other)
				there.Parameters = map[string]string{"AccountAnalyzer": "true"}
				s.fails(s.plan(there), "HandlerErrorCode: ServiceLimitExceeded")
				if got := s.made("rollout-detection", other); got != rules || !strings.Contains(rules, "ConfigRule") {
					t.Errorf("after the failure there is %s, before it %s", got, rules)
				}
				if got := s.made("theirs", other); got != "1 AccessAnalyzer::Analyzer" {
					t.Errorf("their analyzer: %s", got)
				}
				s.apply(s.plan(s.desired("detection", RemediationOff, other))) // asked for no more, and mended
				if got := s.verdictsOf(rule, []string{other}); got["COMPLIANT"] != 1 {
					t.Errorf("with their analyzer: %v", got)
				}
			})
		})
	}
}
