package simaws

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// ec2Query makes one call of EC2 in us-east-1 and gives the answer's XML; boto3 reads the same
// answers by its model in testdata/conformance.
func ec2Query(t *testing.T, cfg aws.Config, form string) string {
	t.Helper()
	keys, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, "http://127.0.0.1/", strings.NewReader(form+"&Version=2016-11-15"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+keys.AccessKeyID+"/20261124/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0")
	r.Header.Set("X-Amz-Security-Token", keys.SessionToken)
	response, err := cfg.HTTPClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// Flow logs through EC2, and what the rule says of the VPC at each step.
func TestFlowLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Empty: true})
		id := s.Accounts()[4].ID
		a, central := s.world.accounts[id], s.world.accounts[s.world.management]
		r := a.region("us-east-1")
		vpc := r.vpcs[0].ID
		for _, b := range []*bucket{{Name: "own", Owner: a.ID, Region: "us-east-1"}, {Name: "central", Owner: central.ID, Region: "us-east-1"}} {
			s.world.accounts[b.Owner].buckets[b.Name], s.world.globalBuckets[b.Name] = b, b
		}
		trust, err := parsePolicy(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"vpc-flow-logs.amazonaws.com"},"Action":"sts:AssumeRole"}}`)
		if err != nil {
			t.Fatal(err)
		}
		logs, err := parsePolicy(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"logs:*","Resource":"*"}}`)
		if err != nil {
			t.Fatal(err)
		}
		arn := "arn:aws:iam::" + id + ":role/flow"
		a.roles["flow"] = &iamRole{Name: "flow", Path: "/", ARN: arn, Trust: trust, Policies: map[string]policyDocument{"logs": logs}}
		a.roles["powerless"] = &iamRole{Name: "powerless", Path: "/", ARN: "arn:aws:iam::" + id + ":role/powerless", Trust: trust}
		operator := entered(t, s, id, "OrganizationAccountAccessRole", "")
		managed := managedRules["VPC_FLOW_LOGS_ENABLED"]
		judge := func(traffic string) string {
			for _, f := range managed.look(s, a, r, ruleValues{"trafficType": traffic}) {
				if f.id == vpc {
					return f.compliance[:1]
				}
			}
			return ""
		}
		toS3 := "&LogDestinationType=s3&LogDestination=arn:aws:s3:::"
		toGroup := "&TrafficType=ALL&DeliverLogsPermissionArn=" + arn + "&LogGroupName="
		for _, step := range []struct {
			name, members, want string
			made                int
			verdicts            string // C or N of REJECT and of ALL
		}{
			{"no such VPC", "&TrafficType=REJECT&ResourceId.1=vpc-00000000000000000" + toS3 + "own", "InvalidVpcID.NotFound", 0, "NN"},
			{"no destination", "&TrafficType=REJECT&LogDestinationType=s3", "InvalidParameter<", 0, "NN"},
			{"a group with S3", "&TrafficType=REJECT&LogGroupName=g" + toS3 + "own", "InvalidParameter<", 0, "NN"},
			{"no role", "&TrafficType=REJECT&LogGroupName=g", "DeliverLogsPermissionArn can", 0, "NN"},
			{"an odd interval", "&TrafficType=REJECT&MaxAggregationInterval=300" + toS3 + "own", "Invalid Flow Log Max Aggregation Interval", 0, "NN"},
			{"no traffic", toS3 + "own", "InvalidParameterValue", 0, "NN"},
			{"no such bucket", "&TrafficType=REJECT" + toS3 + "none", "<message>LogDestination: none does not exist.</message>", 0, "NN"},
			{"a bucket that is closed to it", "&TrafficType=REJECT" + toS3 + "central", "Access Denied for LogDestination: central", 0, "NN"},
			{"its own bucket", "&TrafficType=REJECT" + toS3 + "own/logs", "<flowLogIdSet><item>fl-", 1, "CN"},
			{"again", "&TrafficType=ALL" + toS3 + "own/logs", "FlowLogAlreadyExists", 1, "CN"},
			{"elsewhere", "&TrafficType=ACCEPT" + toS3 + "own/more", "<flowLogIdSet><item>fl-", 2, "CN"},
			{"to CloudWatch", toGroup + "g", "<flowLogIdSet><item>fl-", 3, "CC"},
			{"with a role that may not write", strings.Replace(toGroup, "role/flow", "role/powerless", 1) + "h", "<flowLogIdSet><item>fl-", 4, "CC"},
		} {
			members := step.members
			if !strings.Contains(members, "ResourceId") {
				members += "&ResourceId.1=" + vpc
			}
			if got := ec2Query(t, operator, "Action=CreateFlowLogs&ResourceType=VPC"+members); !strings.Contains(got, step.want) {
				t.Errorf("%s: %s, want %s", step.name, got, step.want)
			}
			if n := len(s.settings(a, r).flowLogs); n != step.made || judge("REJECT")+judge("ALL") != step.verdicts {
				t.Errorf("%s: %d logs, verdicts %s%s", step.name, n, judge("REJECT"), judge("ALL"))
			}
		}
		failed := ec2Query(t, operator, "Action=DescribeFlowLogs&Filter.1.Name=deliver-log-status&Filter.1.Value.1=FAILED&Filter.2.Name=resource-id&Filter.2.Value.1="+vpc)
		if strings.Count(failed, "<flowLogId>") != 1 || !strings.Contains(failed, "<deliverLogsErrorMessage>Access error<") || !strings.Contains(failed, "<maxAggregationInterval>600<") {
			t.Error(failed)
		}
		if none := ec2Query(t, operator, "Action=DescribeFlowLogs&FlowLogId.1=fl-00000000000000000"); !strings.Contains(none, "<flowLogSet></flowLogSet>") {
			t.Error(none)
		}
		own := s.settings(a, r).flowLogs[0].ID
		for _, step := range []struct {
			members, want string
			left          int
		}{{"&FlowLogId.1=" + own + "&FlowLogId.2=fl-00000000000000000", "InvalidFlowLogId.NotFound", 4}, {"&FlowLogId.1=" + own, "<unsuccessful></unsuccessful>", 3}, {"", "MissingParameter", 3}} {
			if got := ec2Query(t, operator, "Action=DeleteFlowLogs"+step.members); !strings.Contains(got, step.want) || len(s.settings(a, r).flowLogs) != step.left {
				t.Errorf("%s: %s", step.members, got)
			}
		}
		// Who may make flow logs may not pass any role for it.
		narrow := entered(t, s, id, "OrganizationAccountAccessRole", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:*","Resource":"*"}}`)
		if got := ec2Query(t, narrow, "Action=CreateFlowLogs&ResourceType=VPC&ResourceId.1="+vpc+toGroup+"i"); !strings.Contains(got, "UnauthorizedOperation") || len(s.settings(a, r).flowLogs) != 3 {
			t.Error(got)
		}
	})
}
