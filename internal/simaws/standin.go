package simaws

// This file stands in for the calls between services until the real ones land,
// so that automations can run: whoever brings authorizer, allowed and apiDo
// deletes it.

import (
	"sort"
)

type authorizer func(access) error

// allowed looks at a role's own inline policies only.
func (s *Sim) allowed(c caller, x access) error {
	if c.Role == nil {
		return nil
	}
	denied := fail(403, "UnauthorizedOperation", "You are not authorized to perform this operation. User: "+c.ARN+
		" is not authorized to perform: "+x.Action+" on resource: "+x.Resource+" because no identity-based policy allows the "+x.Action+" action")
	granted := false
	for _, doc := range c.Role.Policies {
		for _, st := range doc.Statement {
			if matchesAction(st, x.Action) && matchesResource(st, x.Resource) && conditionsHold(st.Conditions, x.Context) {
				if !st.Allow {
					return denied
				}
				granted = true
			}
		}
	}
	if !granted {
		return denied
	}
	return nil
}

func (s *Sim) apiDo(who authorizer, a *account, r *regionState, service, op string, in map[string]any) (map[string]any, error) {
	resource, context := "*", map[string]string{}
	group := r.groups[textOf(in["GroupId"])]
	arn := "arn:" + s.world.partition + ":ec2:" + r.name + ":" + a.ID + ":security-group/"
	switch op {
	case "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress":
		resource = arn + textOf(in["GroupId"])
		if group != nil {
			for k, v := range group.Tags {
				context["aws:resourcetag/"+k] = v
			}
		}
	case "PutObject":
		resource = "arn:" + s.world.partition + ":s3:::" + textOf(in["Bucket"]) + "/" + textOf(in["Key"])
	}
	if err := who(access{Action: service + ":" + op, Resource: resource, Context: context}); err != nil {
		return nil, err
	}
	switch service + ":" + op {
	case "ec2:DescribeSecurityGroups":
		return s.standInGroups(r, in)
	case "ec2:DescribeNetworkInterfaces":
		list := []any{}
		for _, e := range r.enis {
			if filtered(in, "group-id", e.Groups) {
				list = append(list, map[string]any{"NetworkInterfaceId": e.ID, "Description": e.Description})
			}
		}
		return map[string]any{"NetworkInterfaces": list}, nil
	case "ec2:DescribeLaunchTemplateVersions":
		return map[string]any{"LaunchTemplateVersions": []any{}}, nil
	case "lambda:ListFunctions":
		return map[string]any{"Functions": []any{}}, nil
	case "ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress":
		if group == nil {
			return nil, fail(400, "InvalidGroup.NotFound", "The security group '"+textOf(in["GroupId"])+"' does not exist")
		}
		if op == "RevokeSecurityGroupIngress" {
			group.Ingress = nil
		} else {
			group.Egress = nil
		}
		s.groupChanged(r, group)
		return map[string]any{"Return": true}, nil
	case "s3:PutObject":
		b := s.findBucket(a, textOf(in["Bucket"]))
		if b == nil {
			return nil, fail(404, "NoSuchBucket", "The specified bucket does not exist")
		}
		if b.Objects == nil {
			b.Objects = map[string][]byte{}
		}
		b.Objects[textOf(in["Key"])] = []byte(textOf(in["Body"]))
		return map[string]any{"ETag": `"0"`}, nil
	}
	return nil, fail(400, "InvalidAction", "The action "+op+" is not valid for this web service.")
}

func (s *Sim) standInGroups(r *regionState, in map[string]any) (map[string]any, error) {
	list := []any{}
	ids, _ := in["GroupIds"].([]any)
	wanted := []string{}
	for _, id := range ids {
		if r.groups[textOf(id)] == nil {
			return nil, fail(400, "InvalidGroup.NotFound", "The security group '"+textOf(id)+"' does not exist")
		}
		wanted = append(wanted, textOf(id))
	}
	for _, id := range sortedKeys(r.groups) {
		g := r.groups[id]
		if !wants(wanted, id) || !filtered(in, "ip-permission.group-id", nil) || !filtered(in, "egress.ip-permission.group-id", nil) {
			continue
		}
		tags := []any{}
		for _, k := range sortedKeys(g.Tags) {
			tags = append(tags, map[string]any{"Key": k, "Value": g.Tags[k]})
		}
		list = append(list, map[string]any{
			"GroupId": g.ID, "GroupName": g.Name, "Description": g.Description, "VpcId": g.VPC, "OwnerId": r.account,
			"IpPermissions": g.Ingress, "IpPermissionsEgress": g.Egress, "Tags": tags,
		})
	}
	return map[string]any{"SecurityGroups": list}, nil
}

// filtered says whether values pass the filter of that name.
func filtered(in map[string]any, name string, values []string) bool {
	filters, _ := in["Filters"].([]any)
	for _, raw := range filters {
		f, _ := raw.(map[string]any)
		if f["Name"] != name {
			continue
		}
		want, _ := f["Values"].([]any)
		for _, w := range want {
			i := sort.SearchStrings(values, textOf(w))
			if i < len(values) && values[i] == textOf(w) {
				return true
			}
		}
		return false
	}
	return true
}
