package templates

import (
	"fmt"
	"testing"
)

// item makes an object of a list call's page.
func item(pairs ...any) map[string]any {
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	return m
}

const group = "sg-0123456789abcdef0"

var (
	inbound  = []any{item("IpProtocol", "-1", "UserIdGroupPairs", []any{item("GroupId", group, "UserId", "111122223333")}, "IpRanges", []any{item("CidrIp", "10.0.0.0/8", "Description", "office")})}
	outbound = []any{item("IpProtocol", "-1", "IpRanges", []any{item("CidrIp", "0.0.0.0/0")}, "Ipv6Ranges", []any{item("CidrIpv6", "::/0")})}
)

// open is a default security group as AWS makes it.
func open() map[string]any {
	return item("GroupId", group, "GroupName", "default", "VpcId", "vpc-1", "OwnerId", "111122223333",
		"IpPermissions", inbound, "IpPermissionsEgress", outbound)
}

// suite are the scenarios of one template's runbook.
type suite struct {
	template  string
	given     map[string]string // parameters
	again     string            // how a second run ends after one that changed something
	kept      func(*testing.T, world, scenario)
	scenarios []scenario
}

func suites() []suite {
	return []suite{
		{DefaultSecurityGroupEnforce, map[string]string{"GroupId": group}, StepAlreadyEmpty, keptGroup, scenarios()},
		{"restrict-ssh-rdp-enforce", map[string]string{"GroupId": group, "Everybody": "0.0.0.0/0"}, StepAlreadyClosed, keptRules, adminScenarios()},
		{"vpc-flow-logs-enforce", map[string]string{"VpcId": "vpc-1", "TrafficType": "REJECT"}, StepAlreadyLogged, keptLogs, logScenarios()},
		{"ebs-encryption-enforce", map[string]string{"AccountId": "111122223333"}, StepAlreadyOn, keptSetting, settingScenarios()},
		{"password-policy-enforce", map[string]string{"AccountId": "111122223333", "MinimumPasswordLength": "14", "PasswordReusePrevention": "24", "RequireCharacterClasses": "true"}, StepAlreadyStrict, keptPolicy, passwordScenarios()},
		{"access-keys-enforce", map[string]string{"UserId": userID, "Due": "Age", "Days": "90", "IdleDays": "30"}, StepAlreadyInactive, keptKeys, keyScenarios()},
		{"imds-v2-enforce", map[string]string{"InstanceId": machine}, StepAlreadyRequired, keptOptions, instanceScenarios()},
		{"public-exposure-enforce", map[string]string{"AccountId": "111122223333"}, StepAlreadyPrivate, keptShares, snapshotScenarios()},
		{"s3-encryption-enforce", map[string]string{"BucketName": bucketName}, StepAlreadyBlocked, keptBlock, bucketScenarios()},
	}
}

type scenario struct {
	name    string
	world   world
	given   map[string]string // parameters that are not as usual
	ends    string
	err     string
	reasons string         // of Examine, whole or a part
	left    string         // of Verify
	changes string         // the calls that change something
	keeps   string         // what the before-image has, in short
	policy  map[string]any // the password policy in the end
	again   string         // how a second run ends, where it is not the suite's way
}

func scenarios() []scenario {
	with := func(pairs ...any) map[string]any {
		g := open()
		for k, v := range item(pairs...) {
			g[k] = v
		}
		return g
	}
	page := func(call string, pages ...[]any) world {
		return world{Group: open(), Pages: map[string][][]any{call: pages}}
	}
	function := func(groups ...any) []any {
		return []any{item("FunctionName", "none"), item("FunctionName", "idle", "VpcConfig", item("SecurityGroupIds", groups))}
	}
	eni := func(id string) any { return item("NetworkInterfaceId", id) }
	many := make([]any, 23)
	for i := range many {
		many[i] = eni(fmt.Sprintf("eni-%d", i))
	}
	const both = "put_object revoke_security_group_ingress revoke_security_group_egress"
	return append(leaningScenarios(), []scenario{
		{name: "open", world: world{Group: open()}, ends: StepVerify, changes: both},
		{name: "egress only", world: world{Group: with("IpPermissions", []any{})}, ends: StepVerify, changes: "put_object revoke_security_group_egress"},
		{name: "ingress only", world: world{Group: with("IpPermissionsEgress", []any{})}, ends: StepVerify, changes: "put_object revoke_security_group_ingress"},
		{name: "already empty", world: world{Group: with("IpPermissions", []any{}, "IpPermissionsEgress", []any{})}, ends: StepAlreadyEmpty, reasons: "it has no rules"},
		{name: "exempt", world: world{Group: with("Tags", []any{item("Key", "a", "Value", "b"), item("Key", ExemptTag, "Value", "until June")})}, ends: StepLeaveExempt, reasons: "tag rollout-exempt=until June"},
		{name: "exempt and taken anyway", given: map[string]string{"InUse": "Empty"}, world: world{Group: with("Tags", []any{item("Key", ExemptTag)})}, ends: StepLeaveExempt, reasons: "tag rollout-exempt="},
		{name: "another tag", world: world{Group: with("Tags", []any{item("Key", "rollout", "Value", ExemptTag)})}, ends: StepVerify, changes: both},
		{name: "shared", world: world{Group: with("OwnerId", "999999999999")}, ends: StepLeaveExempt, reasons: "account 999999999999"},
		{name: "not default", world: world{Group: with("GroupName", "web")}, ends: "IsDefault", err: "property value is not in the desired values"},
		{name: "interface", world: page("describe_network_interfaces", []any{eni("eni-1")}), ends: StepLeaveInUse, reasons: "network interface eni-1"},
		{name: "interface on the last page", world: page("describe_network_interfaces", []any{}, []any{}, []any{eni("eni-3")}), ends: StepLeaveInUse, reasons: "network interface eni-3"},
		{name: "many interfaces", world: page("describe_network_interfaces", many[:20], many[20:]), ends: StepLeaveInUse, reasons: "eni-19; and 3 more"},
		{name: "interface, taken anyway", given: map[string]string{"InUse": "Empty"}, world: page("describe_network_interfaces", []any{eni("eni-1")}), ends: StepVerify, changes: both},
		{name: "inbound reference", world: page("ip-permission.group-id", []any{open(), item("GroupId", "sg-1")}), ends: StepLeaveInUse, reasons: "rule of sg-1"},
		{name: "outbound reference", world: page("egress.ip-permission.group-id", []any{open()}, []any{item("GroupId", "sg-2")}), ends: StepLeaveInUse, reasons: "rule of sg-2"},
		{name: "its own reference", world: page("ip-permission.group-id", []any{open()}), ends: StepVerify, changes: both},
		{name: "idle function", world: page("list_functions", []any{}, function("sg-9", group)), ends: StepLeaveInUse, reasons: "function idle"},
		{name: "another's function", world: page("list_functions", function("sg-9")), ends: StepVerify, changes: both},
		{name: "rules remain", world: world{Group: open(), Stuck: true}, ends: StepVerify, changes: both,
			err: group + " still has 2 rules; what it had is in s3://rollout-config-111122223333-us-east-1-an/" + BeforeKey("111122223333", "eu-west-1", group, "e-1")},
		{name: "no before-image, no change", world: world{Group: open(), Deny: "put_object"}, ends: "Empty", err: "AccessDenied: put_object", changes: "put_object"},
		{name: "cannot look", world: world{Group: open(), Deny: "list_functions"}, ends: "Examine", err: "AccessDenied: list_functions"},
		{name: "may not revoke", world: world{Group: open(), Deny: "revoke_security_group_ingress"}, ends: "Empty", err: "AccessDenied", changes: "put_object revoke_security_group_ingress"},
	}...)
}
