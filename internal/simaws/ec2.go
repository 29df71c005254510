package simaws

import "fmt"

// ec2Ops are the calls served over EC2's query protocol; each is decoded into the
// members that apiDo takes.
var ec2Ops = map[string]handler{
	"DescribeSecurityGroups":          ec2Call,
	"DescribeSecurityGroupRules":      ec2Call,
	"RevokeSecurityGroupIngress":      ec2Call,
	"RevokeSecurityGroupEgress":       ec2Call,
	"AuthorizeSecurityGroupIngress":   ec2Call,
	"AuthorizeSecurityGroupEgress":    ec2Call,
	"DescribeNetworkInterfaces":       ec2Call,
	"DescribeVpcs":                    ec2Call,
	"DescribeRegions":                 ec2Call,
	"DescribeLaunchTemplateVersions":  ec2Shared,
	"CreateTags":                      ec2Call,
	"DeleteTags":                      ec2Call,
	"DescribeSecurityGroupReferences": ec2Shared,
	"DescribeSubnets":                 ec2Shared,
	"DescribeInstances":               ec2Shared,
	"ModifyInstanceMetadataOptions":   ec2Shared,
	"DescribeSnapshots":               ec2Shared,
	"DescribeSnapshotAttribute":       ec2Shared,
	"ModifySnapshotAttribute":         ec2Shared,

	"GetSnapshotBlockPublicAccessState": ec2Shared,
	"EnableSnapshotBlockPublicAccess":   ec2Shared,
	"DisableSnapshotBlockPublicAccess":  ec2Shared,

	"CreateFlowLogs":                ec2Shared,
	"DescribeFlowLogs":              ec2Shared,
	"DeleteFlowLogs":                ec2Shared,
	"GetEbsEncryptionByDefault":     ec2Shared,
	"GetEbsDefaultKmsKeyId":         ec2Shared,
	"ModifyEbsDefaultKmsKeyId":      ec2Shared,
	"ResetEbsDefaultKmsKeyId":       ec2Shared,
	"EnableEbsEncryptionByDefault":  ec2Shared,
	"DisableEbsEncryptionByDefault": ec2Shared,
}

func ec2Call(s *Sim, c *call) (any, error) {
	a := s.world.accounts[c.Caller.Account]
	who := func(x access) error { return denial(services["ec2"], s.allowed(c.Caller, x)) }
	out, err := s.apiDo(who, a, a.region(c.Region), "ec2", c.Action, ec2Members(c.Form))
	if err != nil {
		return nil, err
	}
	s.trail(a, a.region(c.Region), c.Caller.ARN, c.Action, ec2Members(c.Form))
	return out, nil
}

// ec2Members reads the members of an EC2 query: lists are Name.1, Name.2.
func ec2Members(q query) map[string]any {
	in := map[string]any{}
	for member, form := range map[string]string{"GroupIds": "GroupId", "GroupNames": "GroupName", "VpcIds": "VpcId", "NetworkInterfaceIds": "NetworkInterfaceId", "RegionNames": "RegionName", "SecurityGroupRuleIds": "SecurityGroupRuleId"} {
		if list := q.list(form); list != nil {
			in[member] = anyList(list)
		}
	}
	for _, name := range []string{"GroupId", "GroupName", "NextToken", "MaxResults", "AllRegions", "DryRun", "IpProtocol", "FromPort", "ToPort", "CidrIp", "SourceSecurityGroupName"} {
		if q.has(name) {
			in[name] = q.str(name)
		}
	}
	if ids := q.list("ResourceId"); ids != nil {
		in["Resources"] = anyList(ids)
	}
	var own []any
	for _, t := range q.structs("Tag") {
		tag := map[string]any{"Key": t.str("Key")}
		if t.has("Value") {
			tag["Value"] = t.str("Value")
		}
		own = append(own, tag)
	}
	if own != nil {
		in["Tags"] = own
	}
	var tagged []any
	for _, t := range q.structs("TagSpecification") {
		var tags []any
		for _, tag := range t.structs("Tag") {
			tags = append(tags, map[string]any{"Key": tag.str("Key"), "Value": tag.str("Value")})
		}
		tagged = append(tagged, map[string]any{"ResourceType": t.str("ResourceType"), "Tags": tags})
	}
	if tagged != nil {
		in["TagSpecifications"] = tagged
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
		permission := map[string]any{}
		if p.has("IpProtocol") {
			permission["IpProtocol"] = p.str("IpProtocol")
		}
		for _, port := range []string{"FromPort", "ToPort"} {
			if n, ok := p.integer(port); ok {
				permission[port] = n
			}
		}
		for member, form := range map[string][]string{
			"IpRanges": {"IpRanges", "CidrIp", "Description"}, "Ipv6Ranges": {"Ipv6Ranges", "CidrIpv6", "Description"},
			"PrefixListIds": {"PrefixListIds", "PrefixListId", "Description"}, "UserIdGroupPairs": {"Groups", "GroupId", "GroupName", "UserId", "Description"},
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

func scalarOr(v any) string {
	if v == nil {
		return ""
	}
	return scalar(v)
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
