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

// rulesInDirection is EC2's default quota, of inbound or outbound rules in a group: it
// holds for IPv4 and for IPv6 apart, and a rule that names a group or a prefix list
// counts for both (VPC user guide, "Amazon VPC quotas").
const rulesInDirection = 60

func tooManyRules(permissions []map[string]any) bool {
	v4, v6 := 0, 0
	for _, p := range permissions {
		eachRule(p, func(rule groupRule, _ map[string]any) {
			if rule.kind != "Ipv6Ranges" {
				v4++
			}
			if rule.kind != "IpRanges" {
				v6++
			}
		})
	}
	return max(v4, v6) > rulesInDirection
}

// changeGroup revokes or authorizes permissions: all of a request or nothing.
func (s *Sim) changeGroup(a *account, r *regionState, g *securityGroup, op string, in map[string]any) (map[string]any, error) {
	egress := strings.HasSuffix(op, "Egress")
	if strings.HasPrefix(op, "Revoke") {
		return s.revokeRules(a, r, g, egress, in)
	}
	return s.authorizeRules(a, r, g, egress, in)
}

func (g *securityGroup) side(egress bool) *[]map[string]any {
	if egress {
		return &g.Egress
	}
	return &g.Ingress
}

func (s *Sim) authorizeRules(a *account, r *regionState, g *securityGroup, egress bool, in map[string]any) (map[string]any, error) {
	asked, err := permissionsAsked(a, r, egress, in, true)
	if err != nil {
		return nil, err
	}
	tags, err := ruleTags(in)
	if err != nil {
		return nil, err
	}
	list := g.side(egress)
	there, added := map[groupRule]bool{}, map[groupRule]bool{}
	for _, p := range *list {
		eachRule(p, func(rule groupRule, _ map[string]any) { there[rule] = true })
	}
	next, refused := *list, error(nil)
	for _, p := range asked {
		eachRule(p, func(rule groupRule, entry map[string]any) {
			switch {
			case refused != nil:
			case added[rule]:
				refused = fail(http.StatusBadRequest, "InvalidParameterValue", "The same permission must not appear multiple times")
			case there[rule]:
				refused = fail(http.StatusBadRequest, "InvalidPermission.Duplicate", "the specified rule \""+rule.spelled()+"\" already exists")
			default:
				added[rule] = true
				next = withRule(next, p, rule, entry)
			}
		})
	}
	if refused != nil {
		return nil, refused
	}
	if tooManyRules(next) {
		return nil, fail(http.StatusBadRequest, "RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached.")
	}
	*list = next
	shapes := []any{}
	for _, line := range s.rulesOf(a, r, g) {
		if line.egress != egress || !added[line.rule] {
			continue
		}
		if len(tags) > 0 {
			if g.ruleTags == nil {
				g.ruleTags = map[string]map[string]string{}
			}
			g.ruleTags[line.id] = tags
		}
		shapes = append(shapes, line.shape(s, a, r))
	}
	s.groupChanged(r, g)
	return map[string]any{"Return": true, "SecurityGroupRules": shapes}, nil
}

func (s *Sim) revokeRules(a *account, r *regionState, g *securityGroup, egress bool, in map[string]any) (map[string]any, error) {
	gone, unknown := map[groupRule]bool{}, []any{}
	if ids := texts(in["SecurityGroupRuleIds"]); len(ids) > 0 {
		if in["IpPermissions"] != nil {
			return nil, fail(http.StatusBadRequest, "InvalidParameterCombination", "The parameter securityGroupRuleIds cannot be used with the parameter ipPermissions")
		}
		var own []described
		for _, line := range s.rulesOf(a, r, g) {
			if line.egress == egress {
				own = append(own, described{id: line.id})
				gone[line.rule] = slices.Contains(ids, line.id)
			}
		}
		if err := describingRules.held(ids, own); err != nil {
			return nil, err
		}
	} else {
		asked, err := permissionsAsked(a, r, egress, in, false)
		if err != nil {
			return nil, err
		}
		there := map[groupRule]bool{}
		for _, p := range *g.side(egress) {
			eachRule(p, func(rule groupRule, _ map[string]any) { there[rule] = true })
		}
		for _, p := range asked {
			eachRule(p, func(rule groupRule, entry map[string]any) {
				if gone[rule] = there[rule]; !there[rule] {
					unknown = append(unknown, permissionOf(p, rule, entry))
				}
			})
		}
	}
	// EC2 API reference, RevokeSecurityGroupIngress: in a default VPC no error is
	// returned and the answer names the unknown rules; in another VPC it is
	// InvalidPermission.NotFound and no rule is revoked.
	if len(unknown) > 0 && !inDefaultVPC(r, g) {
		return nil, fail(http.StatusBadRequest, "InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
	}
	var kept []map[string]any
	revoked := []any{}
	for _, line := range s.rulesOf(a, r, g) {
		switch {
		case line.egress != egress:
		case gone[line.rule]:
			revoked = append(revoked, line.revoked())
			delete(g.ruleTags, line.id)
		default:
			kept = withRule(kept, line.like, line.rule, line.entry)
		}
	}
	if len(revoked) > 0 {
		*g.side(egress) = kept
		s.groupChanged(r, g)
	}
	return map[string]any{"Return": true, "UnknownIpPermissions": unknown, "RevokedSecurityGroupRules": revoked}, nil
}
