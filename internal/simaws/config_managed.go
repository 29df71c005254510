package simaws

import (
	_ "embed"
	"strings"
)

//go:embed config_identifiers.txt
var managedIdentifiers string

// knownIdentifier says whether AWS has a managed rule of that identifier (the
// developer guide's list).
func knownIdentifier(id string) bool {
	return id != "" && !strings.ContainsAny(id, "\n") && strings.Contains("\n"+managedIdentifiers, "\n"+id+"\n")
}

// managedRule is a managed rule that the simulator really evaluates. Other
// identifiers that AWS knows are accepted and stay without results.
type managedRule struct {
	resourceType string
	verdict      func(item configItem, parameters map[string]string) (compliance, annotation string)
}

// managedRules by identifier.
var managedRules = map[string]managedRule{
	// "Checks if the default security group of any VPC does not allow inbound or
	// outbound traffic. The rule returns NOT_APPLICABLE if the security group is
	// not default." (developer guide, vpc-default-security-group-closed)
	"VPC_DEFAULT_SECURITY_GROUP_CLOSED": {typeSecurityGroup, func(item configItem, _ map[string]string) (string, string) {
		if item.Name != "default" {
			return "NOT_APPLICABLE", ""
		}
		if len(permissionsOf(item, "ipPermissions"))+len(permissionsOf(item, "ipPermissionsEgress")) > 0 {
			return "NON_COMPLIANT", ""
		}
		return "COMPLIANT", ""
	}},
	// "Checks if the incoming SSH traffic for the security groups is accessible.
	// The rule is COMPLIANT when IP addresses of the incoming SSH traffic in the
	// security groups are restricted." (restricted-ssh)
	"INCOMING_SSH_DISABLED": {typeSecurityGroup, func(item configItem, _ map[string]string) (string, string) {
		for _, p := range permissionsOf(item, "ipPermissions") {
			if openToAll(p) && coversPort(p, 22) {
				return "NON_COMPLIANT", ""
			}
		}
		return "COMPLIANT", ""
	}},
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

func openToAll(permission map[string]any) bool {
	for _, member := range []struct{ list, cidr, all string }{{"ipv4Ranges", "cidrIp", "0.0.0.0/0"}, {"ipv6Ranges", "cidrIpv6", "::/0"}} {
		ranges, _ := permission[member.list].([]any)
		for _, x := range ranges {
			if m, ok := x.(map[string]any); ok && m[member.cidr] == member.all {
				return true
			}
		}
	}
	return false
}

func coversPort(permission map[string]any, port float64) bool {
	switch permission["ipProtocol"] {
	case "-1":
		return true
	case "tcp", "6":
		from, _ := permission["fromPort"].(float64)
		to, _ := permission["toPort"].(float64)
		return from <= port && port <= to
	}
	return false
}
