package simaws

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// groupRule is one rule of a security group as EC2 compares it: protocol, ports
// and one peer. A description or the peer's account does not make another rule.
type groupRule struct{ protocol, from, to, kind, peer string }

// peers are the lists of a permission with the member that says who the peer is.
var peers = []struct{ kind, member string }{
	{"IpRanges", "CidrIp"}, {"Ipv6Ranges", "CidrIpv6"}, {"PrefixListIds", "PrefixListId"}, {"UserIdGroupPairs", "GroupId"},
}

// eachRule calls f for every rule that a permission holds.
func eachRule(p map[string]any, f func(rule groupRule, entry map[string]any)) {
	base := groupRule{protocol: strings.ToLower(scalarOr(p["IpProtocol"]))}
	if base.protocol != "-1" { // all protocols: ports mean nothing
		base.from, base.to = scalarOr(p["FromPort"]), scalarOr(p["ToPort"])
	}
	for _, peer := range peers {
		entries, _ := p[peer.kind].([]any)
		for _, raw := range entries {
			if entry, ok := raw.(map[string]any); ok {
				rule := base
				rule.kind, rule.peer = peer.kind, scalarOr(entry[peer.member])
				f(rule, entry)
			}
		}
	}
}

// permissionOf is a permission that holds one rule.
func permissionOf(like map[string]any, rule groupRule, entry map[string]any) map[string]any {
	out := map[string]any{"IpProtocol": scalarOr(like["IpProtocol"]), rule.kind: []any{maps.Clone(entry)}}
	for _, port := range []string{"FromPort", "ToPort"} {
		if v, ok := like[port]; ok && v != nil {
			out[port] = wholeNumber(v)
		}
	}
	return out
}

// wholeNumber reads the numbers of JSON and of scripts as int.
func wholeNumber(v any) any {
	switch n := v.(type) {
	case int64:
		return int(n)
	case float64:
		return int(n)
	}
	return v
}

// withRule adds a rule to permissions; EC2 shows rules of the same protocol and
// ports as one permission. Nothing that was handed out before is changed.
func withRule(list []map[string]any, like map[string]any, rule groupRule, entry map[string]any) []map[string]any {
	added := permissionOf(like, rule, entry)
	out := slices.Clone(list)
	for i, p := range out {
		if scalarOr(p["IpProtocol"]) == scalarOr(added["IpProtocol"]) && (rule.protocol == "-1" || scalarOr(p["FromPort"]) == rule.from && scalarOr(p["ToPort"]) == rule.to) {
			c := maps.Clone(p)
			old, _ := p[rule.kind].([]any)
			c[rule.kind] = append(slices.Clone(old), added[rule.kind].([]any)...)
			out[i] = c
			return out
		}
	}
	return append(out, added)
}

// changeGroup revokes or authorizes permissions: all of a request or nothing.
func (s *Sim) changeGroup(r *regionState, g *securityGroup, op string, in map[string]any) (map[string]any, error) {
	asked, _ := in["IpPermissions"].([]any)
	if len(asked) == 0 {
		return nil, fail(http.StatusBadRequest, "MissingParameter", "The request must contain the parameter ipPermissions")
	}
	list := &g.Ingress
	if strings.HasSuffix(op, "Egress") {
		list = &g.Egress
	}
	there := map[groupRule]bool{}
	for _, p := range *list {
		eachRule(p, func(rule groupRule, _ map[string]any) { there[rule] = true })
	}
	revoke := strings.HasPrefix(op, "Revoke")
	next, unknown := *list, []any{}
	gone := map[groupRule]bool{}
	duplicate := false
	for _, raw := range asked {
		p, ok := raw.(map[string]any)
		if !ok || scalarOr(p["IpProtocol"]) == "" {
			return nil, fail(http.StatusBadRequest, "InvalidParameterValue", "Invalid value for parameter ipPermissions")
		}
		eachRule(p, func(rule groupRule, entry map[string]any) {
			switch {
			case revoke && there[rule]:
				gone[rule] = true
			case revoke:
				unknown = append(unknown, permissionOf(p, rule, entry))
			case there[rule]:
				duplicate = true
			default:
				there[rule] = true
				next = withRule(next, p, rule, entry)
			}
		})
	}
	if duplicate {
		return nil, fail(http.StatusBadRequest, "InvalidPermission.Duplicate", "the specified rule already exists")
	}
	if !revoke {
		*list = next
		s.groupChanged(r, g)
		return map[string]any{"Return": true}, nil
	}
	// EC2 API reference, RevokeSecurityGroupIngress: in a default VPC no error is
	// returned and the answer names the unknown rules; in another VPC it is
	// InvalidPermission.NotFound and no rule is revoked.
	inDefault := slices.ContainsFunc(r.vpcs, func(v *vpc) bool { return v.ID == g.VPC && v.Default })
	if len(unknown) > 0 && !inDefault {
		return nil, fail(http.StatusBadRequest, "InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
	}
	if len(gone) > 0 {
		next = nil
		for _, p := range *list {
			eachRule(p, func(rule groupRule, entry map[string]any) {
				if !gone[rule] {
					next = withRule(next, p, rule, entry)
				}
			})
		}
		*list = next
		s.groupChanged(r, g)
	}
	return map[string]any{"Return": true, "UnknownIpPermissions": unknown}, nil
}

// ruleList is DescribeSecurityGroupRules: ingress first, one line a rule.
func (s *Sim) ruleList(a *account, r *regionState, wanted []string) []any {
	var list []any
	for _, id := range sortedKeys(r.groups) {
		if len(wanted) > 0 && !slices.Contains(wanted, id) {
			continue
		}
		g := r.groups[id]
		for _, side := range []struct {
			egress      bool
			permissions []map[string]any
		}{{false, g.Ingress}, {true, g.Egress}} {
			for _, p := range side.permissions {
				eachRule(p, func(rule groupRule, _ map[string]any) {
					line := map[string]any{
						"SecurityGroupRuleId": "sgr-" + hexOf(17, id, scalar(side.egress), rule.protocol, rule.from, rule.to, rule.peer),
						"GroupId":             id, "GroupOwnerId": a.ID, "IsEgress": side.egress, "IpProtocol": rule.protocol,
					}
					for _, port := range []string{"FromPort", "ToPort"} {
						line[port] = -1
						if v, ok := p[port]; ok && v != nil {
							line[port] = wholeNumber(v)
						}
					}
					switch rule.kind {
					case "IpRanges":
						line["CidrIpv4"] = rule.peer
					case "Ipv6Ranges":
						line["CidrIpv6"] = rule.peer
					case "PrefixListIds":
						line["PrefixListId"] = rule.peer
					default:
						line["ReferencedGroupInfo"] = map[string]any{"GroupId": rule.peer}
					}
					list = append(list, line)
				})
			}
		}
	}
	return list
}
