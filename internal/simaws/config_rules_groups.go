package simaws

import (
	"slices"
	"strings"
)

// groupRules are the managed rules about security groups.
var groupRules = map[string]managedRule{
	// "Checks if the default security group of any VPC does not allow inbound or
	// outbound traffic. The rule returns NOT_APPLICABLE if the security group is
	// not default." (developer guide, vpc-default-security-group-closed)
	"VPC_DEFAULT_SECURITY_GROUP_CLOSED": {types: []string{typeSecurityGroup}, changes: true, verdict: func(item configItem, _ ruleValues) (string, string) {
		if item.Name != "default" {
			return "NOT_APPLICABLE", ""
		}
		return complies(len(permissionsOf(item, "ipPermissions"))+len(permissionsOf(item, "ipPermissionsEgress")) == 0)
	}},
	// "Checks if the incoming SSH traffic for the security groups is accessible.
	// The rule is COMPLIANT when IP addresses of the incoming SSH traffic in the
	// security groups are restricted." (restricted-ssh; both triggers)
	"INCOMING_SSH_DISABLED": {types: []string{typeSecurityGroup}, changes: true, periodic: true, verdict: func(item configItem, _ ruleValues) (string, string) {
		return complies(!openPort(item, []portRange{{22, 22}}, "tcp", "ALL"))
	}},
	// restricted-common-ports: "Checks if the security groups in use do not allow
	// unrestricted incoming TCP traffic to specified ports." What is in use is not in an
	// item (its relationships name the VPC only); every group is looked at here.
	"RESTRICTED_INCOMING_TRAFFIC": {
		types: []string{typeSecurityGroup}, changes: true, periodic: true,
		parameters: []ruleParameter{
			{name: "blockedPort1", kind: "int", standard: "20"}, {name: "blockedPort2", kind: "int", standard: "21"}, {name: "blockedPort3", kind: "int", standard: "3389"},
			{name: "blockedPort4", kind: "int", standard: "3306"}, {name: "blockedPort5", kind: "int", standard: "4333"}, {name: "blockedPorts", kind: "ports"},
		},
		verdict: func(item configItem, p ruleValues) (string, string) {
			blocked := p.ports("blockedPorts")
			for _, name := range []string{"blockedPort1", "blockedPort2", "blockedPort3", "blockedPort4", "blockedPort5"} {
				if n, ok := p.number(name); ok {
					blocked = append(blocked, portRange{n, n})
				}
			}
			return complies(!openPort(item, blocked, "tcp", "ALL"))
		},
	},
	// "If the security group does not have one of those destinations [0.0.0.0/0, ::/0],
	// this rule returns NOT_APPLICABLE." (vpc-sg-open-only-to-authorized-ports)
	"VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS": {
		types: []string{typeSecurityGroup}, changes: true, periodic: true,
		parameters: []ruleParameter{{name: "authorizedTcpPorts", kind: "ports"}, {name: "authorizedUdpPorts", kind: "ports"}},
		verdict: func(item configItem, p ruleValues) (string, string) {
			word := "NOT_APPLICABLE"
			for _, permission := range permissionsOf(item, "ipPermissions") {
				if !openToAll(permission, "ALL") {
					continue
				}
				word = "COMPLIANT"
				ports, any := portsOf(permission)
				allowed := p.ports("authorizedTcpPorts")
				switch protocolOf(permission) {
				case "-1":
					return "NON_COMPLIANT", ""
				case "udp":
					allowed = p.ports("authorizedUdpPorts")
				case "tcp":
				default:
					continue // "inbound TCP or UDP connections"
				}
				if any || !covered(ports, allowed) {
					return "NON_COMPLIANT", ""
				}
			}
			return word, ""
		},
	},
	// vpc-sg-port-restriction-check; periodic. "excludeExternalSecurityGroups": the page
	// does not say which groups are external; groups of VPCs that other accounts share
	// with this one are meant here, and there are none.
	"VPC_SG_PORT_RESTRICTION_CHECK": {
		periodic: true,
		parameters: []ruleParameter{
			{name: "restrictPorts", kind: "ports", standard: "22,3389"}, {name: "protocolType", oneOf: []string{"TCP", "UDP", "ALL"}, standard: "ALL"},
			{name: "excludeExternalSecurityGroups", kind: "boolean", standard: "true"}, {name: "ipType", oneOf: []string{"IPv4", "IPv6", "ALL"}, standard: "ALL"},
		},
		look: func(s *Sim, _ *account, r *regionState, p ruleValues) []finding {
			var out []finding
			for _, id := range sortedKeys(r.groups) {
				word, why := complies(!openPort(s.groupItem(r, r.groups[id]), p.ports("restrictPorts"), p["protocolType"], p["ipType"]))
				out = append(out, finding{typeSecurityGroup, id, word, why})
			}
			return out
		},
	},
}

func complies(yes bool) (compliance, annotation string) {
	if yes {
		return "COMPLIANT", ""
	}
	return "NON_COMPLIANT", ""
}

func permissionsOf(item configItem, name string) []map[string]any {
	list, _ := item.Configuration[name].([]any)
	var out []map[string]any
	for _, x := range list {
		if m, ok := x.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// openPort says whether any of the ports can be reached from anywhere over a protocol
// (tcp, udp, ALL of both) and an IP version (IPv4, IPv6, ALL).
func openPort(item configItem, ports []portRange, protocol, ip string) bool {
	return slices.ContainsFunc(permissionsOf(item, "ipPermissions"), func(p map[string]any) bool {
		if !openToAll(p, ip) {
			return false
		}
		have := protocolOf(p)
		switch {
		case have == "-1":
			return true
		case have != "tcp" && have != "udp", !strings.EqualFold(protocol, "ALL") && !strings.EqualFold(protocol, have):
			return false
		}
		open, any := portsOf(p)
		return any || slices.ContainsFunc(ports, func(port portRange) bool { return open.from <= port.to && port.from <= open.to })
	})
}

func openToAll(permission map[string]any, ip string) bool {
	for _, member := range []struct{ version, list, cidr, all string }{{"IPv4", "ipv4Ranges", "cidrIp", "0.0.0.0/0"}, {"IPv6", "ipv6Ranges", "cidrIpv6", "::/0"}} {
		if !strings.EqualFold(ip, "ALL") && !strings.EqualFold(ip, member.version) {
			continue
		}
		ranges, _ := permission[member.list].([]any)
		for _, x := range ranges {
			if m, ok := x.(map[string]any); ok && m[member.cidr] == member.all {
				return true
			}
		}
	}
	return false
}

// protocolOf gives tcp, udp, -1 or another protocol; EC2 takes numbers for names.
func protocolOf(permission map[string]any) string {
	switch p := textOf(permission["ipProtocol"]); p {
	case "6":
		return "tcp"
	case "17":
		return "udp"
	default:
		return p
	}
}

// portsOf gives a permission's ports; any is true where it is open on all of them.
func portsOf(permission map[string]any) (ports portRange, any bool) {
	from, first := permission["fromPort"].(float64)
	to, last := permission["toPort"].(float64)
	return portRange{int(from), int(to)}, !first || !last || from == -1
}

// covered says whether every port of a range is in one of the others.
func covered(ports portRange, by []portRange) bool {
	by = slices.Clone(by)
	slices.SortFunc(by, func(a, b portRange) int { return a.from - b.from })
	next := ports.from
	for _, b := range by {
		if b.from <= next && next <= b.to {
			next = b.to + 1
		}
	}
	return next > ports.to
}
