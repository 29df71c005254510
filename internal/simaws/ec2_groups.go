package simaws

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Security groups and their rules, as EC2 describes them.

var describingGroups = describing{
	member: "SecurityGroups", idsMember: "GroupIds", noun: "security group", prefix: "sg-", missing: "InvalidGroup.NotFound", malformed: "InvalidGroupId.Malformed",
	filters: `description group-id group-name owner-id tag-key vpc-id
		ip-permission.cidr ip-permission.from-port ip-permission.group-id ip-permission.group-name ip-permission.ipv6-cidr ip-permission.prefix-list-id
		ip-permission.protocol ip-permission.to-port ip-permission.user-id
		egress.ip-permission.cidr egress.ip-permission.from-port egress.ip-permission.group-id egress.ip-permission.group-name egress.ip-permission.ipv6-cidr
		egress.ip-permission.prefix-list-id egress.ip-permission.protocol egress.ip-permission.to-port egress.ip-permission.user-id`,
}

func (s *Sim) describeGroups(a *account, r *regionState, in map[string]any) (map[string]any, error) {
	var list []described
	for _, id := range sortedKeys(r.groups) {
		g := r.groups[id]
		d := described{id: id, tags: g.Tags, shape: map[string]any{
			"GroupId": g.ID, "GroupName": g.Name, "Description": g.Description, "VpcId": g.VPC, "OwnerId": a.ID,
			"SecurityGroupArn": s.groupARN(a, g, r.name), "IpPermissions": clonePermissions(g.Ingress), "IpPermissionsEgress": clonePermissions(g.Egress), "Tags": tagList(g.Tags),
		}, filters: map[string][]string{"group-id": {g.ID}, "group-name": {g.Name}, "description": {g.Description}, "vpc-id": {g.VPC}, "owner-id": {a.ID}}}
		ruleFilters(d.filters, "", r, a, g.Ingress)
		ruleFilters(d.filters, "egress.", r, a, g.Egress)
		list = append(list, d)
	}
	names := texts(in["GroupNames"])
	if len(names) == 0 {
		return describingGroups.describe(in, list)
	}
	// Names are those of groups in the default VPC.
	named := map[string]any{}
	for k, v := range in {
		named[k] = v
	}
	ids := texts(in["GroupIds"])
	for _, name := range names {
		g, err := groupOfDefaultVPC(r, name)
		if err != nil {
			return nil, err
		}
		ids = append(ids, g.ID)
	}
	named["GroupIds"] = anyList(ids)
	return describingGroups.describe(named, list)
}

// ruleFilters adds what the filters on rules look at. Several filters may be met by
// several rules (API reference, DescribeSecurityGroups).
func ruleFilters(into map[string][]string, side string, r *regionState, a *account, permissions []map[string]any) {
	add := func(name, value string) {
		if value != "" {
			into[side+"ip-permission."+name] = append(into[side+"ip-permission."+name], value)
		}
	}
	for _, p := range permissions {
		add("protocol", scalarOr(p["IpProtocol"]))
		add("from-port", scalarOr(p["FromPort"]))
		add("to-port", scalarOr(p["ToPort"]))
		eachRule(p, func(rule groupRule, entry map[string]any) {
			switch rule.kind {
			case "IpRanges":
				add("cidr", rule.peer)
			case "Ipv6Ranges":
				add("ipv6-cidr", rule.peer)
			case "PrefixListIds":
				add("prefix-list-id", rule.peer)
			default:
				add("group-id", rule.peer)
				if peer := r.groups[rule.peer]; peer != nil {
					add("group-name", peer.Name)
				}
				add("user-id", userOf(entry, a))
			}
		})
	}
}

// userOf is whose group a rule names.
func userOf(entry map[string]any, a *account) string {
	if id := scalarOr(entry["UserId"]); id != "" {
		return id
	}
	return a.ID
}

func groupOfDefaultVPC(r *regionState, name string) (*securityGroup, error) {
	vpc := ""
	for _, v := range r.vpcs {
		if v.Default {
			vpc = v.ID
		}
	}
	for _, id := range sortedKeys(r.groups) {
		if g := r.groups[id]; g.Name == name && g.VPC == vpc {
			return g, nil
		}
	}
	return nil, fail(http.StatusBadRequest, "InvalidGroup.NotFound", "The security group '"+name+"' does not exist in default VPC '"+vpc+"'")
}

// groupToChange finds the group that a call authorizes or revokes rules of.
func groupToChange(r *regionState, op string, in map[string]any) (*securityGroup, error) {
	id, name := scalarOr(in["GroupId"]), scalarOr(in["GroupName"])
	switch {
	case id == "" && name == "":
		return nil, fail(http.StatusBadRequest, "MissingParameter", "The request must contain the parameter groupName or groupId")
	case id == "" && strings.HasSuffix(op, "Egress"):
		return nil, fail(http.StatusBadRequest, "MissingParameter", "The request must contain the parameter groupId")
	case id == "":
		return groupOfDefaultVPC(r, name)
	case r.groups[id] == nil:
		return nil, describingGroups.held([]string{id}, nil)
	}
	return r.groups[id], nil
}

func (s *Sim) groupARN(a *account, g *securityGroup, region string) string {
	return fmt.Sprintf("arn:%s:ec2:%s:%s:security-group/%s", s.world.partition, region, a.ID, g.ID)
}

var describingRules = describing{
	member: "SecurityGroupRules", idsMember: "SecurityGroupRuleIds", noun: "security group rule ID", prefix: "sgr-",
	missing: "InvalidSecurityGroupRuleId.NotFound", malformed: "InvalidSecurityGroupRuleId.Malformed", filters: "group-id security-group-rule-id tag-key",
}

func (s *Sim) describeRules(a *account, r *regionState, in map[string]any) (map[string]any, error) {
	var list []described
	for _, id := range sortedKeys(r.groups) {
		for _, line := range s.rulesOf(a, r, r.groups[id]) {
			list = append(list, described{id: line.id, shape: line.shape(s, a, r), tags: line.group.ruleTags[line.id],
				filters: map[string][]string{"group-id": {id}, "security-group-rule-id": {line.id}}})
		}
	}
	return describingRules.describe(in, list)
}

// ruleLine is one rule of a group as DescribeSecurityGroupRules shows it.
type ruleLine struct {
	id     string
	group  *securityGroup
	egress bool
	rule   groupRule
	like   map[string]any // the permission it is in
	entry  map[string]any
}

// rulesOf gives a group's rules, ingress first.
func (s *Sim) rulesOf(a *account, r *regionState, g *securityGroup) []ruleLine {
	var list []ruleLine
	for _, egress := range []bool{false, true} {
		permissions := g.Ingress
		if egress {
			permissions = g.Egress
		}
		for _, p := range permissions {
			eachRule(p, func(rule groupRule, entry map[string]any) {
				list = append(list, ruleLine{ruleID(g, egress, rule), g, egress, rule, p, entry})
			})
		}
	}
	return list
}

func ruleID(g *securityGroup, egress bool, rule groupRule) string {
	return "sgr-" + hexOf(17, g.ID, scalar(egress), rule.protocol, rule.from, rule.to, rule.peer)
}

func (l ruleLine) shape(s *Sim, a *account, r *regionState) map[string]any {
	line := l.revoked()
	line["GroupOwnerId"] = a.ID
	line["SecurityGroupRuleArn"] = fmt.Sprintf("arn:%s:ec2:%s:%s:security-group-rule/%s", s.world.partition, r.name, a.ID, l.id)
	line["Tags"] = tagList(l.group.ruleTags[l.id])
	if delete(line, "ReferencedGroupId"); l.rule.kind == "UserIdGroupPairs" {
		line["ReferencedGroupInfo"] = map[string]any{"GroupId": l.rule.peer, "UserId": userOf(l.entry, a)}
	}
	return line
}

// revoked is the rule as the answer of a revoke names it.
func (l ruleLine) revoked() map[string]any {
	line := map[string]any{"SecurityGroupRuleId": l.id, "GroupId": l.group.ID, "IsEgress": l.egress, "IpProtocol": l.rule.protocol}
	for _, port := range []string{"FromPort", "ToPort"} {
		line[port] = -1
		if v, ok := l.like[port]; ok && v != nil {
			line[port] = wholeNumber(v)
		}
	}
	member := map[string]string{"IpRanges": "CidrIpv4", "Ipv6Ranges": "CidrIpv6", "PrefixListIds": "PrefixListId", "UserIdGroupPairs": "ReferencedGroupId"}[l.rule.kind]
	line[member] = l.rule.peer
	if text := scalarOr(l.entry["Description"]); text != "" {
		line["Description"] = text
	}
	return line
}

// inDefaultVPC says whether a group is in the Region's default VPC.
func inDefaultVPC(r *regionState, g *securityGroup) bool {
	return slices.ContainsFunc(r.vpcs, func(v *vpc) bool { return v.ID == g.VPC && v.Default })
}
