package simaws

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// ec2Ops are the calls served over EC2's query protocol; each is decoded into the
// members that apiDo takes.
var ec2Ops = map[string]handler{
	"DescribeSecurityGroups":         ec2Call,
	"DescribeSecurityGroupRules":     ec2Call,
	"RevokeSecurityGroupIngress":     ec2Call,
	"RevokeSecurityGroupEgress":      ec2Call,
	"AuthorizeSecurityGroupIngress":  ec2Call,
	"AuthorizeSecurityGroupEgress":   ec2Call,
	"DescribeNetworkInterfaces":      ec2Call,
	"DescribeVpcs":                   ec2Call,
	"DescribeRegions":                ec2Call,
	"DescribeLaunchTemplateVersions": ec2Call,
}

func ec2Call(s *Sim, c *call) (any, error) {
	a := s.world.accounts[c.Caller.Account]
	who := func(x access) error { return denial(services["ec2"], s.allowed(c.Caller, x)) }
	out, err := s.apiDo(who, a, a.region(c.Region), "ec2", c.Action, ec2Members(c.Form))
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ec2Members reads the members of an EC2 query: lists are Name.1, Name.2.
func ec2Members(q query) map[string]any {
	in := map[string]any{}
	for member, form := range map[string]string{"GroupIds": "GroupId", "GroupNames": "GroupName", "VpcIds": "VpcId", "NetworkInterfaceIds": "NetworkInterfaceId", "RegionNames": "RegionName", "Versions": "LaunchTemplateVersion"} {
		if list := q.list(form); list != nil {
			in[member] = anyList(list)
		}
	}
	for _, name := range []string{"GroupId", "NextToken", "MaxResults", "AllRegions", "DryRun"} {
		if q.has(name) {
			in[name] = q.str(name)
		}
	}
	var filters []any
	for _, f := range q.structs("Filter") {
		filters = append(filters, map[string]any{"Name": f.str("Name"), "Values": anyList(f.list("Value"))})
	}
	if filters != nil {
		in["Filters"] = filters
	}
	var permissions []any
	for _, p := range q.structs("IpPermissions") {
		permission := map[string]any{"IpProtocol": p.str("IpProtocol")}
		for _, port := range []string{"FromPort", "ToPort"} {
			if n, ok := p.integer(port); ok {
				permission[port] = n
			}
		}
		for member, form := range map[string][]string{
			"IpRanges": {"IpRanges", "CidrIp", "Description"}, "Ipv6Ranges": {"Ipv6Ranges", "CidrIpv6", "Description"},
			"PrefixListIds": {"PrefixListIds", "PrefixListId", "Description"}, "UserIdGroupPairs": {"Groups", "GroupId", "UserId", "Description"},
		} {
			var list []any
			for _, sent := range p.structs(form[0]) {
				entry := map[string]any{}
				for _, name := range form[1:] {
					if sent.has(name) {
						entry[name] = sent.str(name)
					}
				}
				list = append(list, entry)
			}
			if list != nil {
				permission[member] = list
			}
		}
		permissions = append(permissions, permission)
	}
	if permissions != nil {
		in["IpPermissions"] = permissions
	}
	return in
}

func anyList(list []string) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

// scalar writes a value as the XML protocols do.
func scalar(v any) string { return fmt.Sprint(v) }

// filters reads Filters into name → values.
func filters(in map[string]any) map[string][]string {
	out := map[string][]string{}
	list, _ := in["Filters"].([]any)
	for _, f := range list {
		if m, ok := f.(map[string]any); ok {
			out[scalar(m["Name"])] = texts(m["Values"])
		}
	}
	return out
}

// ec2Page cuts a page by MaxResults and NextToken.
func ec2Page(in map[string]any, list []any) (page []any, token string, err error) {
	size, from := 1000, 0
	if v, ok := in["MaxResults"]; ok {
		if n, err := strconv.Atoi(scalar(v)); err == nil && n >= 5 {
			size = n
		} else {
			return nil, "", fail(http.StatusBadRequest, "InvalidParameterValue", "Value ( "+scalar(v)+" ) for parameter maxResults is invalid. Expecting a value greater than 5.")
		}
	}
	if t := scalarOr(in["NextToken"]); t != "" {
		if from, err = strconv.Atoi(t); err != nil || from < 0 {
			return nil, "", fail(http.StatusBadRequest, "InvalidPaginationToken", "The pagination token is invalid")
		}
	}
	from = min(from, len(list))
	to := min(from+size, len(list))
	if to < len(list) {
		token = strconv.Itoa(to)
	}
	return list[from:to], token, nil
}

func scalarOr(v any) string {
	if v == nil {
		return ""
	}
	return scalar(v)
}

func (s *Sim) groupShape(a *account, g *securityGroup) map[string]any {
	return map[string]any{
		"GroupId": g.ID, "GroupName": g.Name, "Description": g.Description, "VpcId": g.VPC, "OwnerId": a.ID,
		"SecurityGroupArn": s.groupARN(a, g, ""), "IpPermissions": clonePermissions(g.Ingress), "IpPermissionsEgress": clonePermissions(g.Egress), "Tags": tagList(g.Tags),
	}
}

func (s *Sim) groupARN(a *account, g *securityGroup, region string) string {
	if region == "" {
		for name, r := range a.regions {
			if r.groups[g.ID] == g {
				region = name
			}
		}
	}
	return fmt.Sprintf("arn:%s:ec2:%s:%s:security-group/%s", s.world.partition, region, a.ID, g.ID)
}

func tagList(tags map[string]string) []any {
	out := []any{}
	for _, k := range sortedKeys(tags) {
		out = append(out, map[string]any{"Key": k, "Value": tags[k]})
	}
	return out
}

// clonePermissions copies permissions with every list present, as EC2 sends them.
func clonePermissions(list []map[string]any) []any {
	out := []any{}
	for _, p := range list {
		c := map[string]any{"IpRanges": []any{}, "Ipv6Ranges": []any{}, "PrefixListIds": []any{}, "UserIdGroupPairs": []any{}}
		for k, v := range p {
			c[k] = v
		}
		out = append(out, c)
	}
	return out
}

// references says whether a group's rules name another group.
func references(permissions []map[string]any, ids []string) bool {
	for _, p := range permissions {
		pairs, _ := p["UserIdGroupPairs"].([]any)
		for _, pair := range pairs {
			if m, ok := pair.(map[string]any); ok && slices.Contains(ids, scalar(m["GroupId"])) {
				return true
			}
		}
	}
	return false
}

// groupMatches applies the filters of DescribeSecurityGroups that are known; an
// unknown filter is an error, as in EC2.
func groupMatches(g *securityGroup, f map[string][]string) (bool, error) {
	for name, values := range f {
		ok := false
		switch {
		case name == "group-id":
			ok = slices.Contains(values, g.ID)
		case name == "group-name":
			ok = slices.Contains(values, g.Name)
		case name == "vpc-id":
			ok = slices.Contains(values, g.VPC)
		case name == "ip-permission.group-id":
			ok = references(g.Ingress, values)
		case name == "egress.ip-permission.group-id":
			ok = references(g.Egress, values)
		case name == "tag-key":
			for k := range g.Tags {
				ok = ok || slices.Contains(values, k)
			}
		case strings.HasPrefix(name, "tag:"):
			v, has := g.Tags[name[4:]]
			ok = has && slices.Contains(values, v)
		default:
			return false, fail(http.StatusBadRequest, "InvalidParameterValue", "The filter '"+name+"' is invalid")
		}
		if !ok {
			return false, nil
		}
	}
	return true, nil
}
