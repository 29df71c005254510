package simaws

import (
	"maps"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// spelled names a rule as EC2's errors do: peer: 0.0.0.0/0, TCP, from port: 22, to port: 22, ALLOW.
func (rule groupRule) spelled() string {
	words := "peer: " + rule.peer + ", "
	switch rule.protocol {
	case "-1":
		words += "ALL"
	case "tcp", "udp":
		words += strings.ToUpper(rule.protocol) + ", from port: " + rule.from + ", to port: " + rule.to
	case "icmp", "icmpv6":
		words += strings.ToUpper(rule.protocol) + ", type: " + rule.from + ", code: " + rule.to
	default:
		words += "protocol: " + rule.protocol
	}
	return words + ", ALLOW"
}

// ruleDescription is what EC2 takes as a rule's description; its error says the same.
var ruleDescription = regexp.MustCompile(`^[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}$`)

func badRule(text string) *apiError {
	return fail(http.StatusBadRequest, "InvalidParameterValue", text)
}

// permissionsAsked reads the rules of a request as EC2 keeps them: protocols by name,
// ranges with no bits behind their length, groups by id. Ingress calls may give one
// rule beside IpPermissions' members (API reference, AuthorizeSecurityGroupIngress);
// authorizing needs more to be right than revoking, which only compares.
func permissionsAsked(a *account, r *regionState, egress bool, in map[string]any, authorize bool) ([]map[string]any, error) {
	asked, _ := in["IpPermissions"].([]any)
	if len(asked) == 0 && !egress {
		if one := permissionBeside(in); one != nil {
			asked = one
		}
	}
	if len(asked) == 0 {
		return nil, fail(http.StatusBadRequest, "MissingParameter", "The request must contain the parameter ipPermissions")
	}
	var out []map[string]any
	for _, raw := range asked {
		p, _ := raw.(map[string]any)
		next, err := normalPermission(a, r, p, authorize)
		if err != nil {
			return nil, err
		}
		out = append(out, next)
	}
	return out, nil
}

// permissionBeside reads CidrIp, IpProtocol, FromPort and ToPort, or the older
// SourceSecurityGroupName, which means all of TCP, UDP and ICMP from a group.
func permissionBeside(in map[string]any) []any {
	if name := scalarOr(in["SourceSecurityGroupName"]); name != "" && in["CidrIp"] == nil {
		var list []any
		for _, all := range [][]any{{"tcp", 0, 65535}, {"udp", 0, 65535}, {"icmp", -1, -1}} {
			list = append(list, map[string]any{"IpProtocol": all[0], "FromPort": all[1], "ToPort": all[2], "UserIdGroupPairs": []any{map[string]any{"GroupName": name}}})
		}
		return list
	}
	if in["CidrIp"] == nil {
		return nil
	}
	p := map[string]any{"IpProtocol": in["IpProtocol"], "IpRanges": []any{map[string]any{"CidrIp": in["CidrIp"]}}}
	for _, port := range []string{"FromPort", "ToPort"} {
		if n, err := strconv.Atoi(scalarOr(in[port])); err == nil {
			p[port] = n
		}
	}
	return []any{p}
}

// protocolNumbers are those that EC2 shows by name.
var protocolNumbers = map[string]string{"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": "-1"}

func normalPermission(a *account, r *regionState, p map[string]any, authorize bool) (map[string]any, error) {
	protocol := strings.ToLower(scalarOr(p["IpProtocol"]))
	if name := protocolNumbers[protocol]; name != "" {
		protocol = name
	}
	n, err := strconv.Atoi(protocol)
	switch {
	case protocol == "":
		return nil, badRule("Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly.")
	case protocol == "tcp" || protocol == "udp" || protocol == "icmp" || protocol == "icmpv6":
	case err != nil || n < -1 || n > 255:
		return nil, badRule("Invalid value '" + protocol + "' for IP protocol. Unknown protocol.")
	}
	out := map[string]any{"IpProtocol": protocol}
	from, to := scalarOr(p["FromPort"]), scalarOr(p["ToPort"])
	switch protocol {
	case "tcp", "udp":
		low, lowErr := strconv.Atoi(from)
		high, highErr := strconv.Atoi(to)
		if authorize && (lowErr != nil || highErr != nil) {
			return nil, badRule("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
		}
		if authorize && (low < 0 || high > 65535 || low > high) {
			return nil, badRule("Invalid value '" + from + "-" + to + "' for portRange.")
		}
		fallthrough
	case "icmp", "icmpv6":
		for _, port := range []string{"FromPort", "ToPort"} {
			if v, ok := p[port]; ok && v != nil {
				out[port] = wholeNumber(v)
			} else if authorize {
				out[port] = -1 // of ICMP: all types or codes
			}
		}
	}
	rules := 0
	for _, peer := range peers {
		entries, _ := p[peer.kind].([]any)
		var list []any
		for _, raw := range entries {
			entry, _ := raw.(map[string]any)
			next, err := normalPeer(a, r, peer.kind, entry, authorize)
			if err != nil {
				return nil, err
			}
			list = append(list, next)
			rules++
		}
		if list != nil {
			out[peer.kind] = list
		}
	}
	if rules == 0 && authorize {
		return nil, fail(http.StatusBadRequest, "MissingParameter", "Source group ID missing.")
	}
	return out, nil
}

// normalPeer reads the peer of one rule.
func normalPeer(a *account, r *regionState, kind string, entry map[string]any, authorize bool) (map[string]any, error) {
	out := maps.Clone(entry)
	if out == nil {
		out = map[string]any{}
	}
	if authorize && !ruleDescription.MatchString(scalarOr(out["Description"])) {
		return nil, badRule("Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*")
	}
	switch kind {
	case "IpRanges", "Ipv6Ranges":
		member := map[string]string{"IpRanges": "CidrIp", "Ipv6Ranges": "CidrIpv6"}[kind]
		text := scalarOr(out[member])
		prefix, err := netip.ParsePrefix(text)
		if err != nil || prefix.Addr().Is4() != (kind == "IpRanges") {
			return nil, badRule("CIDR block " + text + " is malformed")
		}
		// AWS keeps 100.68.0.18/18 as 100.68.0.0/18 (API reference, IpRange).
		out[member] = prefix.Masked().String()
	case "PrefixListIds":
		if id := scalarOr(out["PrefixListId"]); authorize && !strings.HasPrefix(id, "pl-") {
			return nil, fail(http.StatusBadRequest, "InvalidPrefixListId.Malformed", "Invalid id: \""+id+"\" (expecting \"pl-...\")")
		}
	default:
		if name := scalarOr(out["GroupName"]); name != "" && scalarOr(out["GroupId"]) == "" {
			g, err := groupOfDefaultVPC(r, name)
			if err != nil {
				return nil, err
			}
			out["GroupId"] = g.ID
		}
		delete(out, "GroupName")
		// A group of another account needs a peering of VPCs, of which there is none.
		if id := scalarOr(out["GroupId"]); authorize && r.groups[id] == nil {
			return nil, describingGroups.held([]string{id}, nil)
		}
		if authorize {
			out["UserId"] = userOf(entry, a)
		}
	}
	return out, nil
}

// ruleTags reads the tags that new rules get.
func ruleTags(in map[string]any) (map[string]string, error) {
	tags := map[string]string{}
	list, _ := in["TagSpecifications"].([]any)
	for _, raw := range list {
		spec, _ := raw.(map[string]any)
		if kind := scalarOr(spec["ResourceType"]); kind != "security-group-rule" {
			return nil, badRule("'" + kind + "' is not a valid taggable resource type for this operation.")
		}
		sent, _ := spec["Tags"].([]any)
		for _, raw := range sent {
			tag, _ := raw.(map[string]any)
			key := scalarOr(tag["Key"])
			if strings.HasPrefix(strings.ToLower(key), "aws:") {
				return nil, badRule("Tag keys starting with 'aws:' are reserved for internal use")
			}
			tags[key] = scalarOr(tag["Value"])
		}
	}
	return tags, nil
}
