package simaws

import (
	"encoding/json"
	"hash/fnv"
	"sort"
	"strings"
	"time"
)

// configSettings are the points on which AWS's documentation is silent. The
// zero value is what the project takes for granted; tests try the other side.
type configSettings struct {
	// successCountsAsFailure counts an automation that succeeded while the
	// resource stays NON_COMPLIANT as a failed attempt.
	successCountsAsFailure bool
	// needsRemediationRole makes remediations wait for the service-linked role
	// AWSServiceRoleForConfigRemediation.
	needsRemediationRole bool
}

// SetRemediation says how AWS Config takes two points on which AWS is silent:
// whether an automation that succeeded counts as a failed attempt while its
// resource stays NON_COMPLIANT, and whether remediations need the service-linked
// role of remediation.config.amazonaws.com. Both are off unless set.
func (s *Sim) SetRemediation(successCountsAsFailure, needsRole bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.config = configSettings{successCountsAsFailure, needsRole}
}

// configState is what AWS Config recorded in an account and Region.
type configState struct {
	// items are the configuration items by "type id", oldest first.
	items map[string][]configItem
	// serviceRecorders are service-linked recorders next to the customer's.
	serviceRecorders []*configRecorder
	// pending are the resources whose item is about to be written.
	pending map[string]bool

	// aggregators by name; authorizations and dismissed requests by the
	// aggregator's "account region".
	aggregators    map[string]*configAggregator
	authorizations map[string]*aggregationAuthorization
	dismissed      map[string]bool
	accountChanges []accountChanges // of the last week
	// tags by ARN.
	tags map[string]map[string]string
	// retention is the retention period in days, 0 without a configuration of it.
	retention int
	// pastRecorders are the recorders of not long ago, oldest first.
	pastRecorders []pastRecorder
	// goneRules are rules that were deleted not long ago.
	goneRules []goneRule
}

// configItem is a configuration item: what a resource looked like when Config
// looked at it. Rules are evaluated against items, never against the resource.
type configItem struct {
	Type, ID, Name, ARN string
	Status              string // OK, ResourceDiscovered, ResourceDeleted
	StateID             int64
	Captured            time.Time
	Configuration       map[string]any
	Tags                map[string]string
	Relations           []relation
	Supplementary       map[string]any
}

// relation is a direct relationship, the only kind that is recorded.
type relation struct{ kind, id, name string }

// relationships is how items show what they are related to.
func (i configItem) relationships() []any {
	out := []any{}
	for _, r := range i.Relations {
		out = append(out, map[string]any{"resourceType": r.kind, "resourceId": r.id, "relationshipName": r.name})
	}
	return out
}

const typeSecurityGroup = "AWS::EC2::SecurityGroup"

func itemKey(resourceType, id string) string { return resourceType + " " + id }

// last gives the newest item of a resource; ok is false for one never recorded
// or deleted.
func (c *configState) last(resourceType, id string) (item configItem, ok bool) {
	history := c.items[itemKey(resourceType, id)]
	if len(history) == 0 {
		return configItem{}, false
	}
	item = history[len(history)-1]
	return item, item.Status != "ResourceDeleted"
}

// current gives the newest items of a type (of all types when it is empty) that
// are not deleted, sorted.
func (c *configState) current(resourceType string) []configItem {
	var out []configItem
	for _, history := range c.items {
		item := history[len(history)-1]
		if item.Status != "ResourceDeleted" && (resourceType == "" || item.Type == resourceType) {
			out = append(out, item)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		return out[i].Type < out[j].Type || out[i].Type == out[j].Type && out[i].ID < out[j].ID
	})
	return out
}

// write adds an item; of a resource's history the newest 50 are kept.
func (c *configState) write(item configItem) {
	if c.items == nil {
		c.items = map[string][]configItem{}
	}
	key := itemKey(item.Type, item.ID)
	history := append(c.items[key], item)
	if len(history) > 50 {
		history = history[len(history)-50:]
	}
	c.items[key] = history
}

// groupItem is the item of a security group as it is now.
func (s *Sim) groupItem(r *regionState, g *securityGroup) configItem {
	return configItem{
		Type: typeSecurityGroup, ID: g.ID, Name: g.Name,
		ARN:      "arn:" + s.world.partition + ":ec2:" + r.name + ":" + r.account + ":security-group/" + g.ID,
		Status:   "OK",
		Captured: s.clock.Now(), StateID: s.clock.Now().UnixMilli(),
		Tags:      copyTexts(g.Tags),
		Relations: []relation{{"AWS::EC2::VPC", g.VPC, "Is contained in Vpc"}},
		Configuration: map[string]any{
			"groupId": g.ID, "groupName": g.Name, "description": g.Description, "vpcId": g.VPC, "ownerId": r.account,
			"ipPermissions":       itemPermissions(g.Ingress),
			"ipPermissionsEgress": itemPermissions(g.Egress),
			"tags":                itemTags(g.Tags),
		},
	}
}

// itemPermissions turns EC2's shape into that of a configuration item, which
// has camelCase names, ipv4Ranges, and ipRanges as plain texts
// (awslabs/aws-config-resource-schema, AWS::EC2::SecurityGroup).
func itemPermissions(permissions []map[string]any) []any {
	out := []any{}
	for _, p := range permissions {
		item := map[string]any{}
		for name, value := range plainJSON(p).(map[string]any) {
			if name == "IpRanges" {
				item["ipv4Ranges"] = camelCase(value)
				ranges := []any{}
				list, _ := value.([]any)
				for _, x := range list {
					if m, ok := x.(map[string]any); ok {
						ranges = append(ranges, m["CidrIp"])
					}
				}
				item["ipRanges"] = ranges
				continue
			}
			item[lowerFirst(name)] = camelCase(value)
		}
		out = append(out, item)
	}
	return out
}

// plainJSON copies a value through JSON, so that it shares nothing with the
// resource and has only JSON's types.
func plainJSON(v any) any {
	b, err := json.Marshal(v)
	if err != nil {
		return map[string]any{}
	}
	var out any
	if json.Unmarshal(b, &out) != nil {
		return map[string]any{}
	}
	return out
}

func camelCase(v any) any {
	switch t := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range t {
			out[lowerFirst(k)] = camelCase(x)
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, x := range t {
			out[i] = camelCase(x)
		}
		return out
	}
	return v
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

func itemTags(tags map[string]string) []any {
	out := []any{}
	for _, k := range sortedKeys(tags) {
		out = append(out, map[string]any{"key": k, "value": tags[k]})
	}
	return out
}

func copyTexts(m map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range m {
		out[k] = v
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// spread chooses a duration from low to high by what it is about: the same
// resource always takes the same time, and a thousand resources do not all act
// at one instant.
func spread(low, high time.Duration, about ...string) time.Duration {
	h := fnv.New32a()
	for _, a := range about {
		h.Write([]byte(a))
		h.Write([]byte{0})
	}
	return low + time.Duration(float64(high-low)*float64(h.Sum32())/float64(1<<32)).Round(time.Second)
}

// otherItems are the items of the resources that no rule here evaluates, for
// ListDiscoveredResources and GetResourceConfigHistory.
func (s *Sim) otherItems(r *regionState) []configItem {
	var out []configItem
	now := s.clock.Now()
	arn := "arn:" + s.world.partition + ":ec2:" + r.name + ":" + r.account
	for _, v := range r.vpcs {
		out = append(out, configItem{
			Type: "AWS::EC2::VPC", ID: v.ID, ARN: arn + ":vpc/" + v.ID, Status: "ResourceDiscovered", Captured: now, StateID: now.UnixMilli(),
			Configuration: map[string]any{"vpcId": v.ID, "cidrBlock": v.CIDR, "isDefault": v.Default},
		})
	}
	for _, e := range r.enis {
		var relations []relation
		for _, id := range e.Groups {
			relations = append(relations, relation{typeSecurityGroup, id, "Is associated with SecurityGroup"})
		}
		out = append(out, configItem{
			Type: "AWS::EC2::NetworkInterface", ID: e.ID, ARN: arn + ":network-interface/" + e.ID, Status: "ResourceDiscovered", Captured: now, StateID: now.UnixMilli(),
			Configuration: map[string]any{"networkInterfaceId": e.ID, "description": e.Description, "interfaceType": e.InterfaceType},
			Relations:     relations,
		})
	}
	return out
}
