package simaws

import (
	"net/http"
	"path"
	"slices"
	"strings"
)

// described is a resource of EC2 as its describe call shows it, with what its filters
// look at.
type described struct {
	id      string
	shape   map[string]any
	filters map[string][]string
}

// describe picks resources by ids and filters, as every EC2 describe call does: an id
// that is not there is an error, a filter that does not exist too (EC2 API reference).
// Filter values may have * and ?.
func describe(in map[string]any, member, idsMember, notFound string, list []described, known string) (map[string]any, error) {
	ids := texts(in[idsMember])
	for _, id := range ids {
		if !slices.ContainsFunc(list, func(d described) bool { return d.id == id }) {
			return nil, fail(http.StatusBadRequest, notFound, "The "+strings.TrimSuffix(strings.TrimPrefix(notFound, "Invalid"), ".NotFound")+" '"+id+"' does not exist")
		}
	}
	wanted := filters(in)
	for _, name := range sortedKeys(wanted) {
		if !slices.Contains(strings.Fields(known), name) {
			return nil, fail(http.StatusBadRequest, "InvalidParameterValue", "The filter '"+name+"' is invalid")
		}
	}
	var out []any
	for _, d := range list {
		if len(ids) > 0 && !slices.Contains(ids, d.id) {
			continue
		}
		fits := true
		for name, values := range wanted {
			fits = fits && slices.ContainsFunc(values, func(v string) bool {
				return slices.ContainsFunc(d.filters[name], func(have string) bool { return filterFits(v, have) })
			})
		}
		if fits {
			out = append(out, d.shape)
		}
	}
	return paged(in, member, out)
}

func filterFits(pattern, have string) bool {
	ok, err := path.Match(strings.ReplaceAll(pattern, "[", `\[`), have)
	return pattern == have || err == nil && ok
}

func (s *Sim) describeVPCs(a *account, r *regionState, in map[string]any) (map[string]any, error) {
	var list []described
	for _, v := range r.vpcs {
		list = append(list, described{v.ID, map[string]any{"VpcId": v.ID, "CidrBlock": v.CIDR, "IsDefault": v.Default, "State": "available", "OwnerId": a.ID, "InstanceTenancy": "default"},
			map[string][]string{"vpc-id": {v.ID}, "cidr": {v.CIDR}, "is-default": {textOf(v.Default)}, "isDefault": {textOf(v.Default)}, "state": {"available"}, "owner-id": {a.ID}}})
	}
	return describe(in, "Vpcs", "VpcIds", "InvalidVpcID.NotFound", list, "vpc-id cidr is-default isDefault state owner-id")
}

func (s *Sim) describeInterfaces(a *account, r *regionState, in map[string]any) (map[string]any, error) {
	var list []described
	for _, eni := range r.enis {
		var groups []any
		vpc := ""
		for _, g := range eni.Groups {
			name := ""
			if group := r.groups[g]; group != nil {
				vpc, name = group.VPC, group.Name
			}
			groups = append(groups, map[string]any{"GroupId": g, "GroupName": name})
		}
		list = append(list, described{eni.ID,
			map[string]any{"NetworkInterfaceId": eni.ID, "Description": eni.Description, "InterfaceType": eni.InterfaceType, "Groups": groups, "Status": "in-use", "OwnerId": a.ID, "VpcId": vpc},
			map[string][]string{"network-interface-id": {eni.ID}, "description": {eni.Description}, "interface-type": {eni.InterfaceType}, "group-id": eni.Groups, "status": {"in-use"}, "owner-id": {a.ID}, "vpc-id": {vpc}}})
	}
	return describe(in, "NetworkInterfaces", "NetworkInterfaceIds", "InvalidNetworkInterfaceID.NotFound", list, "network-interface-id description interface-type group-id status owner-id vpc-id")
}

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
		list = append(list, described{name, map[string]any{"RegionName": name, "Endpoint": endpoint, "OptInStatus": status},
			map[string][]string{"region-name": {name}, "opt-in-status": {status}, "endpoint": {endpoint}}})
	}
	for _, name := range texts(in["RegionNames"]) {
		if !slices.ContainsFunc(list, func(d described) bool { return d.id == name }) {
			return nil, fail(http.StatusBadRequest, "InvalidParameterValue", "Invalid region name(s) "+name)
		}
	}
	out, err := describe(in, "Regions", "RegionNames", "InvalidParameterValue", list, "region-name opt-in-status endpoint")
	if err == nil {
		delete(out, "NextToken") // it has no pages
	}
	return out, err
}
