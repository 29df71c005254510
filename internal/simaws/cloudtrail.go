package simaws

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// cloudtrailOps serve the event history of the last 90 days, which CloudTrail keeps in
// every account and Region without a trail.
var cloudtrailOps = map[string]handler{"LookupEvents": lookupEvents}

const (
	// trailDelay is how long an event takes to be there: "an average of about 5
	// minutes" (CloudTrail user guide, How CloudTrail works).
	trailDelay = 5 * time.Minute
	// trailKept is how long the event history goes back (LookupEvents).
	trailKept = 90 * 24 * time.Hour
	// trailMost bounds the memory of a Region's history.
	trailMost = 1000
)

// trailEvent is a management event that wrote something.
type trailEvent struct {
	ID, Name, Source, Region string
	At                       time.Time
	ARN                      string // who did it
	Parameters               map[string]any
	Resources                []string // names; their type is resourceType
	ResourceType             string
	there                    bool // it has arrived
}

// trail notes a write of EC2. Reads are no events that LookupEvents is asked for here.
func (s *Sim) trail(a *account, r *regionState, arn, op string, in map[string]any) {
	if strings.HasPrefix(op, "Describe") || strings.HasPrefix(op, "Get") || scalarOr(in["DryRun"]) == "true" {
		return
	}
	e := &trailEvent{ID: s.ids.uuid(), Name: op, Source: "ec2.amazonaws.com", Region: r.name, At: s.clock.Now(), ARN: arn}
	e.Parameters, _ = trailShape(trailMembers(op, in)).(map[string]any)
	if op == "ModifyInstanceMetadataOptions" {
		// Members as they came, within one of that name (events in public tests;
		// FIDELITY, EVT-02).
		e.Parameters = map[string]any{op + "Request": plainJSON(in)}
	}
	if group := scalarOr(in["GroupId"]); group != "" {
		e.Resources, e.ResourceType = []string{group}, "AWS::EC2::SecurityGroup"
	}
	r.events = append(r.events, e)
	s.clock.after(trailDelay, func() { e.there = true })
	if len(r.events) > trailMost {
		r.events = slices.Delete(r.events, 0, len(r.events)-trailMost)
	}
}

// trailMembers are the members of a request as its event has them: shares of a snapshot
// in the long form, with the attribute under a name of its own (the event that Stratus Red
// Team shows for aws.exfiltration.ec2-share-ebs-snapshot).
func trailMembers(op string, in map[string]any) any {
	if op != "ModifySnapshotAttribute" {
		return plainJSON(in)
	}
	add, remove, err := snapshotChange(in)
	if err != nil {
		return plainJSON(in)
	}
	change := map[string]any{}
	for verb, list := range map[string][]string{"Add": add, "Remove": remove} {
		items := []any{}
		for _, who := range list {
			items = append(items, permissionTo(who))
		}
		if len(items) > 0 {
			change[verb] = items
		}
	}
	return map[string]any{"SnapshotId": in["SnapshotId"], "AttributeType": "CREATE_VOLUME_PERMISSION", "CreateVolumePermission": change}
}

// trailNames are the members that EC2's events call otherwise than its API does.
var trailNames = map[string]string{"UserIdGroupPairs": "groups"}

// trailShape writes members as EC2's events have them: names begin in lower case, and
// a list is an object with items.
func trailShape(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			name := trailNames[k]
			if name == "" {
				name = strings.ToLower(k[:1]) + k[1:]
			}
			out[name] = trailShape(x)
		}
		return out
	case []any:
		if len(v) == 0 {
			return map[string]any{}
		}
		items := make([]any, len(v))
		for i := range v {
			items[i] = trailShape(v[i])
		}
		return map[string]any{"items": items}
	}
	return v
}

// lookupEvents answers newest first. Of several attributes AWS takes one at most
// (API reference, LookupEvents).
func lookupEvents(s *Sim, c *call) (any, error) {
	var in struct {
		LookupAttributes         []struct{ AttributeKey, AttributeValue string }
		StartTime, EndTime       float64
		MaxResults               *int
		NextToken, EventCategory string
	}
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	if len(in.LookupAttributes) > 1 {
		return nil, fail(400, "InvalidLookupAttributesException", "You can specify only one lookup attribute.")
	}
	if in.MaxResults != nil && (*in.MaxResults < 1 || *in.MaxResults > 50) {
		return nil, fail(400, "InvalidMaxResultsException", "A max results value of 1 to 50 is allowed.")
	}
	if in.StartTime != 0 && in.EndTime != 0 && in.StartTime > in.EndTime {
		return nil, fail(400, "InvalidTimeRangeException", "The start time must be before the end time.")
	}
	key, value := "", ""
	for _, l := range in.LookupAttributes {
		key, value = l.AttributeKey, l.AttributeValue
		if !slices.Contains([]string{"EventId", "EventName", "ReadOnly", "Username", "ResourceType", "ResourceName", "EventSource", "AccessKeyId"}, key) {
			return nil, fail(400, "InvalidLookupAttributesException", "The lookup attribute "+key+" is not valid.")
		}
	}
	_, r := s.place(c)
	oldest := s.clock.ago(trailKept)
	list := []any{}
	for _, e := range slices.Backward(r.events) {
		at := float64(e.At.UnixMilli()) / 1000
		if !e.there || e.At.Before(oldest) || in.StartTime != 0 && at < in.StartTime || in.EndTime != 0 && at > in.EndTime || !e.is(key, value) {
			continue
		}
		list = append(list, s.trailAnswer(c.Caller.Account, e))
	}
	limit := 50
	if in.MaxResults != nil {
		limit = *in.MaxResults
	}
	page, next, err := pageOf(list, limit, in.NextToken)
	if err != nil {
		return nil, fail(400, "InvalidNextTokenException", "The next token is not valid.")
	}
	out := map[string]any{"Events": page}
	setText(out, "NextToken", next)
	return out, nil
}

func (e *trailEvent) is(key, value string) bool {
	switch key {
	case "":
		return true
	case "EventId":
		return e.ID == value
	case "EventName":
		return e.Name == value
	case "ReadOnly":
		return value == "false"
	case "Username":
		return e.user() == value
	case "ResourceType":
		return e.ResourceType == value
	case "ResourceName":
		return slices.Contains(e.Resources, value)
	case "EventSource":
		return e.Source == value
	}
	return false
}

// user is the session name of a role, or the name of a user.
func (e *trailEvent) user() string { return e.ARN[strings.LastIndexByte(e.ARN, '/')+1:] }

func (s *Sim) trailAnswer(account string, e *trailEvent) map[string]any {
	resources := []any{}
	for _, name := range e.Resources {
		resources = append(resources, map[string]any{"ResourceType": e.ResourceType, "ResourceName": name})
	}
	kind := "IAMUser"
	if strings.Contains(e.ARN, ":assumed-role/") {
		kind = "AssumedRole"
	}
	record, err := json.Marshal(map[string]any{
		"eventVersion": "1.11", "eventTime": e.At.UTC().Format(time.RFC3339), "eventSource": e.Source, "eventName": e.Name, "awsRegion": e.Region,
		"userIdentity": map[string]any{"type": kind, "arn": e.ARN, "accountId": account}, "requestParameters": e.Parameters,
		"responseElements": map[string]any{"_return": true}, "eventID": e.ID, "readOnly": false, "eventType": "AwsApiCall",
		"managementEvent": true, "recipientAccountId": account, "eventCategory": "Management",
	})
	if err != nil {
		record = []byte(fmt.Sprintf(`{"eventID":%q}`, e.ID))
	}
	return map[string]any{
		"EventId": e.ID, "EventName": e.Name, "ReadOnly": "false", "EventTime": float64(e.At.UnixMilli()) / 1000, "EventSource": e.Source,
		"Username": e.user(), "Resources": resources, "CloudTrailEvent": string(record),
	}
}
