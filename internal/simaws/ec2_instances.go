package simaws

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

const typeInstance = "AWS::EC2::Instance"

// instance is an EC2 instance, as far as its metadata service goes.
type instance struct {
	ID, State, VPC string
	Launched       time.Time
	Tags           map[string]string
	Metadata       metadataOptions
	// Untokened is how often a day something on it asks the metadata service without a
	// token; Unseen says that CloudWatch has no metric of it.
	Untokened int
	Unseen    bool
}

// metadataOptions are how the instance metadata service answers on an instance.
type metadataOptions struct {
	Tokens, Endpoint, IPv6, Tags string // optional or required; the others enabled or disabled
	Hops                         int
}

func (m metadataOptions) shape(state string) map[string]any {
	return map[string]any{"State": state, "HttpTokens": m.Tokens, "HttpEndpoint": m.Endpoint, "HttpProtocolIpv6": m.IPv6, "InstanceMetadataTags": m.Tags, "HttpPutResponseHopLimit": m.Hops}
}

// instanceCalls are EC2's calls about instances, and CloudWatch's that runbooks ask of them.
var instanceCalls = map[string]apiCall{
	"ec2:DescribeInstances":             describeInstances,
	"ec2:ModifyInstanceMetadataOptions": modifyMetadataOptions,
	"cloudwatch:GetMetricData":          metricData,
}

func (s *Sim) instanceARN(r *regionState, id string) string {
	return "arn:" + s.world.partition + ":ec2:" + r.name + ":" + r.account + ":instance/" + id
}

// resourceTags are a resource's tags as condition keys have them.
func resourceTags(tags map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range tags {
		out["aws:resourcetag/"+strings.ToLower(k)], out["ec2:resourcetag/"+strings.ToLower(k)] = v, v
	}
	return out
}

var instancesDescribed = describing{
	member: "Reservations", idsMember: "InstanceIds", noun: "instance ID", prefix: "i-", missing: "InvalidInstanceID.NotFound", malformed: "InvalidInstanceID.Malformed",
	filters: "instance-id instance-state-name vpc-id owner-id metadata-options.http-tokens metadata-options.http-endpoint tag:* tag-key", idsOrPage: "instancesSet",
}

// instanceStates are the states with their codes (EC2 API reference, InstanceState).
var instanceStates = map[string]int{"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}

func describeInstances(s *Sim, check checker, a *account, r *regionState, in map[string]any) (map[string]any, error) {
	if err := check("ec2:DescribeInstances", "*", nil); err != nil {
		return nil, err
	}
	var list []described
	set := s.settings(a, r)
	for _, id := range sortedKeys(set.instances) {
		i := set.instances[id]
		one := map[string]any{
			"InstanceId": id, "State": map[string]any{"Code": instanceStates[i.State], "Name": i.State}, "VpcId": i.VPC, "InstanceType": "t3.micro", "ImageId": "ami-" + hexOf(17, id),
			"LaunchTime": i.Launched.UTC().Format("2006-01-02T15:04:05.000Z"), "MetadataOptions": i.Metadata.shape("applied"), "Tags": tagList(i.Tags),
		}
		list = append(list, described{
			id: id, tags: i.Tags, shape: map[string]any{"ReservationId": "r-" + hexOf(17, id, "reservation"), "OwnerId": a.ID, "Instances": []any{one}},
			filters: map[string][]string{
				"instance-id": {id}, "instance-state-name": {i.State}, "vpc-id": {i.VPC}, "owner-id": {a.ID},
				"metadata-options.http-tokens": {i.Metadata.Tokens}, "metadata-options.http-endpoint": {i.Metadata.Endpoint},
			},
		})
	}
	return instancesDescribed.describe(in, list)
}

// modifyMetadataOptions changes what is given: "If this parameter is not specified, the
// existing state is maintained" (API reference, ModifyInstanceMetadataOptions).
func modifyMetadataOptions(s *Sim, check checker, a *account, r *regionState, in map[string]any) (map[string]any, error) {
	id := scalarOr(in["InstanceId"])
	i := s.settings(a, r).instances[id]
	if err := instancesDescribed.held([]string{id}, idsOf(s.settings(a, r).instances)); err != nil {
		return nil, err
	}
	if err := check("ec2:ModifyInstanceMetadataOptions", s.instanceARN(r, id), resourceTags(i.Tags)); err != nil {
		return nil, err
	}
	to := i.Metadata
	for member, field := range map[string]*string{"HttpTokens": &to.Tokens, "HttpEndpoint": &to.Endpoint, "HttpProtocolIpv6": &to.IPv6, "InstanceMetadataTags": &to.Tags} {
		value := scalarOr(in[member])
		words := []string{"disabled", "enabled"}
		if member == "HttpTokens" {
			words = []string{"optional", "required"}
		}
		switch {
		case value == "":
		case !slices.Contains(words, value):
			return nil, fail(http.StatusBadRequest, "InvalidParameterValue", "Value ("+value+") for parameter "+member+" is invalid.")
		default:
			*field = value
		}
	}
	if text := scalarOr(in["HttpPutResponseHopLimit"]); text != "" {
		hops, _ := wholeText(text).(int)
		if hops < 1 || hops > 64 {
			return nil, fail(http.StatusBadRequest, "InvalidParameterValue", "Value ("+text+") for parameter HttpPutResponseHopLimit is invalid.")
		}
		to.Hops = hops
	}
	if i.State == "terminated" || i.State == "shutting-down" {
		return nil, fail(http.StatusBadRequest, "IncorrectInstanceState", "The instance '"+id+"' is not in a state from which its metadata options can be changed.")
	}
	i.Metadata = to
	s.changed(r, typeInstance, id)
	return map[string]any{"InstanceId": id, "InstanceMetadataOptions": to.shape("pending")}, nil
}

func idsOf[V any](m map[string]V) []described {
	var out []described
	for _, id := range sortedKeys(m) {
		out = append(out, described{id: id})
	}
	return out
}

// metricData answers scripts that ask for MetadataNoToken: "the number of times the IMDS
// was successfully accessed using a method that does not use a token" (EC2 user guide,
// CloudWatch metrics of instances). A running instance sends it, also when it is 0.
func metricData(s *Sim, check checker, a *account, r *regionState, in map[string]any) (map[string]any, error) {
	if err := check("cloudwatch:GetMetricData", "*", nil); err != nil {
		return nil, err
	}
	since, until := momentOf(in["StartTime"]), momentOf(in["EndTime"])
	if !since.Before(until) {
		return nil, fail(http.StatusBadRequest, "ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
	}
	results := []any{}
	queries, _ := in["MetricDataQueries"].([]any)
	for _, raw := range queries {
		q, _ := raw.(map[string]any)
		stat, _ := q["MetricStat"].(map[string]any)
		metric, _ := stat["Metric"].(map[string]any)
		period, _ := wholeText(scalarOr(stat["Period"])).(int)
		if period < 60 || period%60 != 0 {
			return nil, fail(http.StatusBadRequest, "ValidationError", fmt.Sprintf("The parameter MetricDataQueries.member.1.MetricStat.Period must be a multiple of 60: %v", stat["Period"]))
		}
		values, times := []any{}, []any{}
		if i := s.settings(a, r).instances[dimensionOf(metric, "InstanceId")]; i != nil && !i.Unseen && i.State == "running" && scalarOr(metric["Namespace"]) == "AWS/EC2" && scalarOr(metric["MetricName"]) == "MetadataNoToken" {
			step := time.Duration(period) * time.Second
			for at := until.Add(-step); !at.Before(since) && !at.Before(i.Launched); at = at.Add(-step) { // newest first, the default
				times = append(times, at.UTC().Format(time.RFC3339))
				values = append(values, float64(i.Untokened)*step.Hours()/24)
			}
		}
		results = append(results, map[string]any{"Id": q["Id"], "Label": scalarOr(metric["MetricName"]), "Timestamps": times, "Values": values, "StatusCode": "Complete"})
	}
	return map[string]any{"MetricDataResults": results, "Messages": []any{}}, nil
}

func dimensionOf(metric map[string]any, name string) string {
	list, _ := metric["Dimensions"].([]any)
	for _, raw := range list {
		if d, _ := raw.(map[string]any); scalarOr(d["Name"]) == name {
			return scalarOr(d["Value"])
		}
	}
	return ""
}

// momentOf reads a time as boto3 takes it: seconds since the epoch, or ISO 8601.
func momentOf(v any) time.Time {
	if f, ok := v.(float64); ok {
		return time.UnixMilli(int64(f * 1000))
	}
	if n, ok := wholeText(scalarOr(v)).(int); ok && n > 0 {
		return time.Unix(int64(n), 0)
	}
	at, _ := time.Parse(time.RFC3339, scalarOr(v))
	return at
}

// instanceItem is the item of an instance as it is now.
func (s *Sim) instanceItem(r *regionState, i *instance) configItem {
	return configItem{
		Type: typeInstance, ID: i.ID, ARN: s.instanceARN(r, i.ID), Status: "OK", Captured: s.clock.Now(), StateID: s.clock.Now().UnixMilli(), Tags: copyTexts(i.Tags),
		Relations: []relation{{"AWS::EC2::VPC", i.VPC, "Is contained in Vpc"}},
		Configuration: map[string]any{
			"instanceId": i.ID, "vpcId": i.VPC, "state": map[string]any{"code": instanceStates[i.State], "name": i.State}, "launchTime": i.Launched.UTC().Format(time.RFC3339),
			"metadataOptions": camelCase(i.Metadata.shape("applied")), "tags": itemTags(i.Tags),
		},
	}
}

// instanceRules are the managed rules about instances.
var instanceRules = map[string]managedRule{
	// "The rule is NON_COMPLIANT if the HttpTokens is set to optional." (ec2-imdsv2-check)
	"EC2_IMDSV2_CHECK": {types: []string{typeInstance}, changes: true, verdict: func(item configItem, _ ruleValues) (string, string) {
		options, _ := item.Configuration["metadataOptions"].(map[string]any)
		return complies(scalarOr(options["httpTokens"]) != "optional")
	}},
}

// addInstances gives a generated account the instances that somebody once started: those
// to which interfaces belong, and some more.
func (s *Sim) addInstances(a *account, r *regionState) {
	if len(r.vpcs) == 0 {
		return
	}
	var ids []string
	for _, e := range r.enis {
		if e.maker().owner == "" {
			ids = append(ids, "i-"+hexOf(17, e.ID, "instance"))
		}
	}
	for n := range int(chance(a.ID, r.name, "instances") * 3) {
		ids = append(ids, "i-"+hexOf(17, a.ID, r.name, "instance", fmt.Sprint(n)))
	}
	for _, id := range ids {
		i := &instance{ID: id, State: "running", VPC: r.vpcs[0].ID, Launched: a.Joined.Add(30 * time.Hour), Tags: map[string]string{}, Metadata: newMetadata("required")}
		if chance(id, "tokens") < 0.45 {
			i.Metadata.Tokens = "optional"
			switch use := chance(id, "use"); {
			case use < 0.25:
				i.Untokened = 40
			case use < 0.35:
				i.State = "stopped"
			case use < 0.42:
				i.Tags["rollout-exempt"] = "old agent"
			}
		}
		r.base.put(i)
	}
}

func newMetadata(tokens string) metadataOptions {
	return metadataOptions{Tokens: tokens, Endpoint: "enabled", IPv6: "disabled", Tags: "disabled", Hops: 2}
}

func (b *regionBaseline) put(i *instance) {
	if b.instances == nil {
		b.instances = map[string]*instance{}
	}
	b.instances[i.ID] = i
}
