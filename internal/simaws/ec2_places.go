package simaws

import (
	"net/http"
	"slices"
)

// VPCs and Regions, as EC2 describes them.

var describingVPCs = describing{
	member: "Vpcs", idsMember: "VpcIds", noun: "vpc ID", prefix: "vpc-", missing: "InvalidVpcID.NotFound", malformed: "InvalidVpcId.Malformed",
	filters: `cidr cidr-block-association.cidr-block cidr-block-association.association-id cidr-block-association.state dhcp-options-id
		ipv6-cidr-block-association.ipv6-cidr-block ipv6-cidr-block-association.ipv6-pool ipv6-cidr-block-association.association-id ipv6-cidr-block-association.state
		is-default isDefault owner-id state tag tag-key vpc-id`,
}

func (s *Sim) describeVPCs(a *account, r *regionState, in map[string]any) (map[string]any, error) {
	var list []described
	for _, v := range r.vpcs {
		association := "vpc-cidr-assoc-" + hexOf(17, v.ID, "association")
		options := "dopt-" + hexOf(17, a.ID, r.name, "options") // one set serves all VPCs of a Region
		list = append(list, described{id: v.ID, tags: v.Tags,
			shape: map[string]any{
				"VpcId": v.ID, "CidrBlock": v.CIDR, "IsDefault": v.Default, "State": "available", "OwnerId": a.ID, "InstanceTenancy": "default", "DhcpOptionsId": options,
				"CidrBlockAssociationSet": []any{map[string]any{"AssociationId": association, "CidrBlock": v.CIDR, "CidrBlockState": map[string]any{"State": "associated"}}},
				"BlockPublicAccessStates": map[string]any{"InternetGatewayBlockMode": "off"},
			},
			filters: map[string][]string{
				"vpc-id": {v.ID}, "cidr": {v.CIDR}, "is-default": {textOf(v.Default)}, "isDefault": {textOf(v.Default)}, "state": {"available"}, "owner-id": {a.ID}, "dhcp-options-id": {options},
				"cidr-block-association.cidr-block": {v.CIDR}, "cidr-block-association.association-id": {association}, "cidr-block-association.state": {"associated"},
			}})
	}
	for i, v := range r.vpcs {
		if len(v.Tags) > 0 {
			list[i].shape["Tags"] = tagList(v.Tags)
		}
	}
	return describingVPCs.describe(in, list)
}

var describingRegions = describing{member: "Regions", idsMember: "RegionNames", filters: "region-name opt-in-status endpoint"}

func (s *Sim) describeRegions(a *account, in map[string]any) (map[string]any, error) {
	var list []described
	for _, name := range append(slices.Clone(s.world.enabledRegions), s.world.optInRegions...) {
		status := "opt-in-not-required"
		if slices.Contains(s.world.optInRegions, name) {
			status = "not-opted-in"
			if a.optedIn[name] {
				status = "opted-in"
			}
		}
		// Those that are off are shown with AllRegions, or when asked for by name.
		if status == "not-opted-in" && scalarOr(in["AllRegions"]) != "true" && !slices.Contains(texts(in["RegionNames"]), name) {
			continue
		}
		endpoint := "ec2." + name + ".amazonaws.com"
		list = append(list, described{id: name, shape: map[string]any{"RegionName": name, "Endpoint": endpoint, "OptInStatus": status},
			filters: map[string][]string{"region-name": {name}, "opt-in-status": {status}, "endpoint": {endpoint}}})
	}
	for _, name := range texts(in["RegionNames"]) {
		if !slices.ContainsFunc(list, func(d described) bool { return d.id == name }) {
			return nil, fail(http.StatusBadRequest, "InvalidParameterValue", "Invalid region name(s) "+name)
		}
	}
	return describingRegions.describe(map[string]any{"RegionNames": in["RegionNames"], "Filters": in["Filters"]}, list) // it has no pages
}
