package simaws

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// flowLog is a flow log of a VPC or a network interface.
type flowLog struct {
	ID, Resource, Traffic         string
	Type, Destination, Group      string // Type: s3, cloud-watch-logs
	Role, Format, Interval, Error string
	Created                       time.Time
	Tags                          map[string]string
}

const (
	flowFormat   = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}"
	toCloudWatch = "cloud-watch-logs"
)

// flowLogCalls are EC2's calls about flow logs.
var flowLogCalls = map[string]apiCall{
	"ec2:CreateFlowLogs":   createFlowLogs,
	"ec2:DescribeFlowLogs": describeFlowLogs,
	"ec2:DeleteFlowLogs":   deleteFlowLogs,
}

// flowLogMembers reads the members of those calls from an EC2 query.
func flowLogMembers(q query) map[string]any {
	in := map[string]any{}
	for _, name := range []string{"ResourceType", "TrafficType", "LogDestinationType", "LogDestination", "LogGroupName", "DeliverLogsPermissionArn", "LogFormat", "MaxAggregationInterval", "ClientToken"} {
		if q.has(name) {
			in[name] = q.str(name)
		}
	}
	for member, form := range map[string]string{"ResourceIds": "ResourceId", "FlowLogIds": "FlowLogId"} {
		if list := q.list(form); list != nil {
			in[member] = anyList(list)
		}
	}
	return in
}

func flowLogWrong(code, message string) error { return fail(http.StatusBadRequest, code, message) }

// checkFlowLog holds a request to what goes with what. The texts are those of EC2 as
// getmoto/moto has them.
func checkFlowLog(in map[string]any) error {
	group, destination, role := scalarOr(in["LogGroupName"]), scalarOr(in["LogDestination"]), scalarOr(in["DeliverLogsPermissionArn"])
	kind := orElse(scalarOr(in["LogDestinationType"]), toCloudWatch)
	switch traffic := scalarOr(in["TrafficType"]); {
	case len(texts(in["ResourceIds"])) == 0:
		return flowLogWrong("MissingParameter", "The request must contain the parameter ResourceId")
	case !slices.Contains([]string{"VPC", "NetworkInterface"}, scalarOr(in["ResourceType"])):
		return flowLogWrong("InvalidParameterValue", "Value ("+scalarOr(in["ResourceType"])+") for parameter ResourceType is invalid.")
	case !slices.Contains([]string{"ACCEPT", "REJECT", "ALL"}, traffic):
		return flowLogWrong("InvalidParameterValue", "Value ("+traffic+") for parameter TrafficType is invalid.")
	case kind != "s3" && kind != toCloudWatch:
		return flowLogWrong("InvalidParameterValue", "Value ("+kind+") for parameter LogDestinationType is invalid.")
	case group == "" && destination == "":
		return flowLogWrong("InvalidParameter", "LogDestination can't be empty if LogGroupName is not provided.")
	case kind == "s3" && group != "":
		return flowLogWrong("InvalidParameter", "LogDestination type must be cloud-watch-logs if LogGroupName is provided.")
	case kind == toCloudWatch && role == "":
		return flowLogWrong("InvalidParameter", "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.")
	case !slices.Contains([]string{"60", "600"}, orElse(scalarOr(in["MaxAggregationInterval"]), "600")):
		return flowLogWrong("InvalidParameter", "Invalid Flow Log Max Aggregation Interval")
	}
	return nil
}

func createFlowLogs(s *Sim, check checker, a *account, r *regionState, in map[string]any) (map[string]any, error) {
	if err := mayLog(s, check, a, r, in); err != nil {
		return nil, err
	}
	if err := checkFlowLog(in); err != nil {
		return nil, err
	}
	role := scalarOr(in["DeliverLogsPermissionArn"])
	if role != "" { // the role is passed to the service
		if err := check("iam:PassRole", role, map[string]string{"iam:passedtoservice": "vpc-flow-logs.amazonaws.com"}); err != nil {
			return nil, err
		}
	}
	model := flowLog{
		Traffic: scalarOr(in["TrafficType"]), Type: orElse(scalarOr(in["LogDestinationType"]), toCloudWatch), Destination: scalarOr(in["LogDestination"]), Group: scalarOr(in["LogGroupName"]),
		Role: role, Format: orElse(scalarOr(in["LogFormat"]), flowFormat), Interval: orElse(scalarOr(in["MaxAggregationInterval"]), "600"), Created: s.clock.Now(), Tags: flowLogTags(in),
	}
	set := s.settings(a, r)
	// Names first: nothing is made where a resource is not there or has the same log.
	for _, id := range texts(in["ResourceIds"]) {
		switch {
		case strings.HasPrefix(id, "vpc-") && !slices.ContainsFunc(r.vpcs, func(v *vpc) bool { return v.ID == id }):
			return nil, flowLogWrong("InvalidVpcID.NotFound", "The vpc ID '"+id+"' does not exist")
		case strings.HasPrefix(id, "eni-") && !slices.ContainsFunc(r.enis, func(e *networkInterface) bool { return e.ID == id }):
			return nil, flowLogWrong("InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '"+id+"' does not exist")
		case slices.ContainsFunc(set.flowLogs, func(f *flowLog) bool {
			return f.Resource == id && f.Destination == model.Destination && f.Group == model.Group
		}):
			return nil, flowLogWrong("FlowLogAlreadyExists", "Error. There is an existing Flow Log with the same configuration and log destination.")
		}
	}
	made, unsuccessful := []any{}, []any{}
	for _, id := range texts(in["ResourceIds"]) {
		if why := s.cannotLog(check, a, r, model); why != "" && model.Type == "s3" {
			unsuccessful = append(unsuccessful, map[string]any{"ResourceId": id, "Error": map[string]any{"Code": "400", "Message": why}})
			continue
		} else if why != "" { // made all the same, and fails to deliver
			model.Error = why
		}
		f := model
		f.ID, f.Resource = "fl-"+s.ids.hex(17), id
		set.flowLogs = append(set.flowLogs, &f)
		made = append(made, f.ID)
	}
	out := map[string]any{"FlowLogIds": made, "Unsuccessful": unsuccessful}
	if token := scalarOr(in["ClientToken"]); token != "" {
		out["ClientToken"] = token
	}
	return out, nil
}

// mayLog asks for permission: to the flow log that is made, to each resource that gets
// one, and for S3 to set up delivery (service authorization reference, CreateFlowLogs;
// VPC user guide, Create a flow log that publishes to Amazon S3).
func mayLog(s *Sim, check checker, a *account, r *regionState, in map[string]any) error {
	prefix := "arn:" + s.world.partition + ":ec2:" + r.name + ":" + a.ID + ":"
	if err := check("ec2:CreateFlowLogs", prefix+"vpc-flow-log/*", nil); err != nil {
		return err
	}
	for _, id := range texts(in["ResourceIds"]) {
		kind, tags := "vpc/", map[string]string{}
		if strings.HasPrefix(id, "eni-") {
			kind = "network-interface/"
		}
		for _, v := range r.vpcs {
			for k, value := range v.Tags {
				if v.ID == id {
					tags["aws:resourcetag/"+strings.ToLower(k)] = value
				}
			}
		}
		if err := check("ec2:CreateFlowLogs", prefix+kind+id, tags); err != nil {
			return err
		}
	}
	if scalarOr(in["LogDestinationType"]) != "s3" {
		return nil
	}
	return check("logs:CreateLogDelivery", "*", nil)
}

// cannotLog says why a destination does not take a log. A bucket has to be there and
// let the delivery service write; to a bucket of the caller's account the service adds
// what it needs, with the caller's right to read and put the bucket's policy (VPC user
// guide, Amazon S3 bucket permissions for flow logs: without those rights "the flow log
// creation fails"). A role has to be there, trust the service and be allowed to write
// log events.
func (s *Sim) cannotLog(check checker, a *account, r *regionState, f flowLog) string {
	context := map[string]string{"aws:sourceaccount": a.ID, "aws:sourcearn": "arn:" + s.world.partition + ":logs:" + r.name + ":" + a.ID + ":*"}
	if f.Type == "s3" {
		name, _, _ := strings.Cut(strings.TrimPrefix(f.Destination, "arn:"+s.world.partition+":s3:::"), "/")
		arn := "arn:" + s.world.partition + ":s3:::" + name
		b := a.buckets[name]
		if b == nil {
			b = s.world.globalBuckets[name]
		}
		switch {
		case b == nil:
			return "LogDestination: " + name + " does not exist."
		case !s.delivers(b, a, context) && (b.Owner != a.ID || check("s3:GetBucketPolicy", arn, nil) != nil || check("s3:PutBucketPolicy", arn, nil) != nil):
			return "Access Denied for LogDestination: " + name + ". Please check LogDestination permission"
		}
		return ""
	}
	role := a.roles[f.Role[strings.LastIndexByte(f.Role, '/')+1:]]
	if role == nil || !allowsService(role.Trust, "vpc-flow-logs.amazonaws.com", "sts:AssumeRole", "", context) ||
		!s.roleAllows(role, access{Action: "logs:PutLogEvents", Resource: "arn:" + s.world.partition + ":logs:" + r.name + ":" + a.ID + ":log-group:" + f.Group + ":log-stream:x", Context: context}) {
		return "Access error"
	}
	return ""
}

// delivers says whether a bucket's policy lets the delivery service look and write.
func (s *Sim) delivers(b *bucket, a *account, context map[string]string) bool {
	arn := "arn:" + s.world.partition + ":s3:::" + b.Name
	return allowsService(b.Policy, "delivery.logs.amazonaws.com", "s3:GetBucketAcl", arn, context) &&
		allowsService(b.Policy, "delivery.logs.amazonaws.com", "s3:PutObject", arn+"/AWSLogs/"+a.ID+"/vpcflowlogs/x", s3Owner(context))
}

// s3Owner adds the ACL with which the delivery service writes.
func s3Owner(context map[string]string) map[string]string {
	out := maps.Clone(context)
	out["s3:x-amz-acl"] = "bucket-owner-full-control"
	return out
}

func flowLogTags(in map[string]any) map[string]string {
	out := map[string]string{}
	list, _ := in["TagSpecifications"].([]any)
	for _, raw := range list {
		specification, _ := raw.(map[string]any)
		tags, _ := specification["Tags"].([]any)
		for _, t := range tags {
			if tag, ok := t.(map[string]any); ok {
				out[scalarOr(tag["Key"])] = scalarOr(tag["Value"])
			}
		}
	}
	return out
}

var flowLogsDescribed = describing{
	member: "FlowLogs", filters: "deliver-log-status log-destination-type flow-log-id log-group-name resource-id traffic-type tag:* tag-key",
}

// describeFlowLogs leaves ids that are not there out, as EC2 does.
func describeFlowLogs(s *Sim, check checker, a *account, r *regionState, in map[string]any) (map[string]any, error) {
	if err := check("ec2:DescribeFlowLogs", "*", nil); err != nil {
		return nil, err
	}
	in = maps.Clone(in)
	if in["Filter"] != nil { // the member's own name; on the wire all are alike
		in["Filters"] = in["Filter"]
	}
	ids := texts(in["FlowLogIds"])
	var list []described
	for _, f := range s.settings(a, r).flowLogs {
		if len(ids) > 0 && !slices.Contains(ids, f.ID) {
			continue
		}
		status := "SUCCESS"
		if f.Error != "" {
			status = "FAILED"
		}
		shape := map[string]any{
			"FlowLogId": f.ID, "ResourceId": f.Resource, "TrafficType": f.Traffic, "LogDestinationType": f.Type, "LogFormat": f.Format, "MaxAggregationInterval": wholeText(f.Interval),
			"FlowLogStatus": "ACTIVE", "DeliverLogsStatus": status, "CreationTime": f.Created.UTC().Format("2006-01-02T15:04:05.000Z"), "Tags": tagList(f.Tags),
		}
		setText(shape, "LogDestination", f.Destination)
		setText(shape, "LogGroupName", f.Group)
		setText(shape, "DeliverLogsPermissionArn", f.Role)
		setText(shape, "DeliverLogsErrorMessage", f.Error)
		list = append(list, described{id: f.ID, shape: shape, tags: f.Tags, filters: map[string][]string{
			"deliver-log-status": {status}, "log-destination-type": {f.Type}, "flow-log-id": {f.ID}, "log-group-name": {f.Group}, "resource-id": {f.Resource}, "traffic-type": {f.Traffic},
		}})
	}
	return flowLogsDescribed.describe(in, list)
}

// deleteFlowLogs deletes all or, when one is not there, none.
func deleteFlowLogs(s *Sim, check checker, a *account, r *regionState, in map[string]any) (map[string]any, error) {
	if err := check("ec2:DeleteFlowLogs", "*", nil); err != nil {
		return nil, err
	}
	set, ids := s.settings(a, r), texts(in["FlowLogIds"])
	if len(ids) == 0 {
		return nil, flowLogWrong("MissingParameter", "The request must contain the parameter FlowLogId")
	}
	var absent []string
	for _, id := range ids {
		if !slices.ContainsFunc(set.flowLogs, func(f *flowLog) bool { return f.ID == id }) {
			absent = append(absent, id)
		}
	}
	if len(absent) > 0 {
		return nil, flowLogWrong("InvalidFlowLogId.NotFound", "These flow log ids in the input list are not found: [TotalCount: "+scalar(len(absent))+"] "+strings.Join(absent, " "))
	}
	set.flowLogs = slices.DeleteFunc(set.flowLogs, func(f *flowLog) bool { return slices.Contains(ids, f.ID) })
	return map[string]any{"Unsuccessful": []any{}}, nil
}

func wholeText(text string) any {
	n, _ := ruleValues{"": text}.number("")
	return n
}

// flowLogRules are the managed rules about flow logs.
var flowLogRules = map[string]managedRule{
	// "Checks if Amazon Virtual Private Cloud (Amazon VPC) flow logs are found and enabled
	// for all Amazon VPCs. The rule is NON_COMPLIANT if flow logs are not enabled for at
	// least one Amazon VPC." (vpc-flow-logs-enabled). A log of ALL is taken to have the
	// traffic that trafficType asks for.
	"VPC_FLOW_LOGS_ENABLED": {
		periodic:   true,
		parameters: []ruleParameter{{name: "trafficType", oneOf: []string{"ACCEPT", "REJECT", "ALL"}}},
		look: func(s *Sim, a *account, r *regionState, p ruleValues) []finding {
			var out []finding
			for _, v := range r.vpcs {
				word, why := complies(slices.ContainsFunc(s.settings(a, r).flowLogs, func(f *flowLog) bool {
					return f.Resource == v.ID && (p["trafficType"] == "" || f.Traffic == "ALL" || strings.EqualFold(f.Traffic, p["trafficType"]))
				}))
				out = append(out, finding{"AWS::EC2::VPC", v.ID, word, why})
			}
			return out
		},
	},
}

// addFlowLogs gives some VPCs of a generated account the logs that somebody once made.
func (s *Sim) addFlowLogs(a *account, r *regionState) {
	for _, v := range r.vpcs {
		draw := chance(a.ID, r.name, v.ID, "flow log")
		f := &flowLog{
			ID: "fl-" + hexOf(17, a.ID, r.name, v.ID), Resource: v.ID, Traffic: "ALL", Type: "s3", Destination: "arn:" + s.world.partition + ":s3:::central-flow-logs-" + s.world.management,
			Format: flowFormat, Interval: "600", Created: a.Joined.Add(72 * time.Hour), Tags: map[string]string{},
		}
		switch {
		case draw < 0.2:
		case draw < 0.3:
			f.Traffic = "REJECT"
		case draw < 0.4:
			f.Traffic, f.Type, f.Destination, f.Group = "ACCEPT", toCloudWatch, "", "/aws/vpc/"+v.ID
			f.Role = "arn:" + s.world.partition + ":iam::" + a.ID + ":role/flow-logs"
		default:
			continue
		}
		r.base.flowLogs = append(r.base.flowLogs, f)
	}
}
