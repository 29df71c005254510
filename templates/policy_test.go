package templates

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// The protecting policy reaches whatever monitoring makes under a name: rules that tell,
// alarms, and the topic that CloudFormation names after the stack.
func TestProtectReachesWhatTells(t *testing.T) {
	template, err := Lookup("monitoring")
	if err != nil {
		t.Fatal(err)
	}
	guard := ProtectPolicy([]Template{template}, ProtectInput{Partition: "aws", SetNames: []string{"rollout-monitoring"}})
	denied := func(action, arn string) bool {
		return slices.ContainsFunc(guard.Statement, func(s Statement) bool {
			return s.Effect == "Deny" && slices.Contains(s.Action, action) && slices.ContainsFunc(s.Resource, func(pattern string) bool {
				// path.Match lets no * reach over a slash, and these ARNs have one at most.
				ok, err := path.Match(pattern, arn)
				return err == nil && ok
			})
		})
	}
	given := maps.Clone(home)
	given["AWS::Region"], given["TrailLogGroupName"] = home[ParameterHomeRegion], "/trail"
	rules, alarms := 0, 0
	for id, properties := range evaluate(t, template.Document(), given).resources() {
		switch template.Document().Resources[id].Type {
		case "AWS::Events::Rule":
			rules++
			for action := range strings.FieldsSeq("events:DeleteRule events:DisableRule events:PutRule events:PutTargets events:RemoveTargets") {
				if !denied(action, "arn:aws:events:eu-west-1:111122223333:rule/"+properties["Name"].(string)) {
					t.Errorf("%s of %s is free", action, id)
				}
			}
		case "AWS::CloudWatch::Alarm":
			alarms++
			if !denied("cloudwatch:DeleteAlarms", "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:"+properties["AlarmName"].(string)) {
				t.Errorf("deleting %s is free", id)
			}
		}
	}
	if rules != 6 || alarms != 14 {
		t.Errorf("%d rules and %d alarms", rules, alarms)
	}
	if !denied("sns:DeleteTopic", "arn:aws:sns:eu-west-1:111122223333:StackSet-rollout-monitoring-0123-Topic-ABC") || denied("sns:DeleteTopic", "arn:aws:sns:eu-west-1:111122223333:theirs") {
		t.Error("topics: ours only")
	}
}

// In each kind of Region: a topic or a role that sends, never both; no rule sends a bus
// its own events; and only roles and topics that name our rules' account.
func TestMonitoringSendsSomewhereElse(t *testing.T) {
	template, err := Lookup("monitoring")
	if err != nil {
		t.Fatal(err)
	}
	const id = "111122223333"
	for name, c := range map[string]struct {
		partition, region, bus string
		target                 string // "" for the topic
	}{
		"home":                   {"aws", "eu-west-1", "", ""},
		"away":                   {"aws", "us-east-1", "", "arn:aws:events:eu-west-1:" + id + ":event-bus/default"},
		"away in China":          {"aws-cn", "cn-northwest-1", "", ""},
		"away in GovCloud":       {"aws-us-gov", "us-gov-east-1", "", ""},
		"home, another's bus":    {"aws", "eu-west-1", "arn:aws:events:us-east-1:999999999999:event-bus/security", "arn:aws:events:us-east-1:999999999999:event-bus/security"},
		"away, another's bus":    {"aws", "ap-east-1", "arn:aws:events:us-east-1:999999999999:event-bus/security", "arn:aws:events:us-east-1:999999999999:event-bus/security"},
		"where the bus is":       {"aws", "us-east-1", "arn:aws:events:us-east-1:" + id + ":event-bus/default", ""},
		"another Region's bus":   {"aws", "eu-west-1", "arn:aws:events:us-east-1:" + id + ":event-bus/default", "arn:aws:events:us-east-1:" + id + ":event-bus/default"},
		"a bus in China":         {"aws-cn", "cn-north-1", "arn:aws-cn:events:cn-north-1:999999999999:event-bus/default", "arn:aws-cn:events:cn-north-1:999999999999:event-bus/default"},
		"its own custom bus too": {"aws", "us-east-1", "arn:aws:events:us-east-1:" + id + ":event-bus/security", "arn:aws:events:us-east-1:" + id + ":event-bus/security"},
	} {
		given := maps.Clone(home)
		maps.Copy(given, map[string]string{"AWS::Partition": c.partition, "AWS::Region": c.region, "AWS::AccountId": id, "CentralEventBusArn": c.bus, "NotificationEmail": "a@example.com"})
		made := evaluate(t, template.Document(), given).resources()
		_, topic := made["Topic"]
		_, role := made["Sender"]
		_, mail := made["Mail"]
		if topic == role || topic != (c.target == "") || mail != topic {
			t.Errorf("%s: topic %v, role %v, mail %v", name, topic, role, mail)
		}
		for id, properties := range made {
			if template.Document().Resources[id].Type != "AWS::Events::Rule" {
				continue
			}
			target := properties["Targets"].([]any)[0].(map[string]any)
			if arn, _ := target["Arn"].(string); c.target != "" && arn != c.target || (target["RoleArn"] != nil) != role {
				t.Errorf("%s: %s sends to %v as %v", name, id, target["Arn"], target["RoleArn"])
			}
			if target["Arn"] == "arn:"+c.partition+":events:"+c.region+":"+"111122223333"+":event-bus/default" {
				t.Errorf("%s: %s sends the bus its own events", name, id)
			}
		}
	}
}
