package templates

import (
	"encoding/json"
	"strings"
	"testing"
)

// rule is one as DescribeSecurityGroupRules has it.
func rule(id, protocol string, from, to int, pairs ...any) map[string]any {
	r := item("SecurityGroupRuleId", id, "GroupId", group, "IsEgress", false, "IpProtocol", protocol, "FromPort", from, "ToPort", to)
	for k, v := range item(pairs...) {
		r[k] = v
	}
	return r
}

// adminScenarios are those of restrict-ssh-rdp-enforce.
func adminScenarios() []scenario {
	const everybody, both = "0.0.0.0/0", "put_object revoke_security_group_ingress"
	v4 := func(id, protocol string, from, to int) map[string]any {
		return rule(id, protocol, from, to, "CidrIpv4", everybody)
	}
	with := func(rules ...any) world { return world{Group: open(), Rules: rules} }
	paged := func(pages ...[]any) world {
		return world{Group: open(), Pages: map[string][][]any{"describe_security_group_rules": pages}}
	}
	tagged := with(v4("sgr-1", "tcp", 22, 22))
	tagged.Group["Tags"] = []any{item("Key", ExemptTag, "Value", "vendor, until June")}
	shared := with(v4("sgr-1", "tcp", 22, 22))
	shared.Group["OwnerId"] = "999999999999"
	stuck := with(v4("sgr-1", "tcp", 22, 22))
	stuck.Stuck = true
	denied := func(call string) world {
		w := with(v4("sgr-1", "tcp", 22, 22))
		w.Deny = call
		return w
	}
	v6 := map[string]string{"Everybody": "::/0"}
	wide := map[string]string{"WideRules": "Revoke"}
	const ssh = `[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0"}],"ToPort":22}]`
	return []scenario{
		{name: "SSH", world: with(v4("sgr-1", "tcp", 22, 22)), ends: StepVerify, reasons: "sgr-1 lets everybody in to tcp 22-22", changes: both, keeps: ssh},
		{name: "RDP, with a description", world: with(rule("sgr-1", "udp", 3389, 3389, "CidrIpv4", everybody, "Description", "vendor")), ends: StepVerify, changes: both,
			keeps: `[{"FromPort":3389,"IpProtocol":"udp","IpRanges":[{"CidrIp":"0.0.0.0/0","Description":"vendor"}],"ToPort":3389}]`},
		{name: "over IPv6", given: v6, world: with(v4("sgr-1", "tcp", 22, 22), rule("sgr-6", "tcp", 22, 22, "CidrIpv6", "::/0")), ends: StepVerify, reasons: "sgr-6", changes: both,
			keeps: `[{"FromPort":22,"IpProtocol":"tcp","Ipv6Ranges":[{"CidrIpv6":"::/0"}],"ToPort":22}]`},
		{name: "only of the other IP version", given: v6, world: with(v4("sgr-1", "tcp", 22, 22)), ends: StepAlreadyClosed, reasons: "no rule lets ::/0"},
		{name: "no rules", world: with(), ends: StepAlreadyClosed},
		{name: "none of its business", world: with(
			v4("sgr-1", "tcp", 443, 443), v4("sgr-2", "icmp", -1, -1), v4("sgr-3", "50", -1, -1), v4("sgr-4", "tcp", 23, 3388),
			rule("sgr-5", "tcp", 22, 22, "CidrIpv4", "10.0.0.0/8"), rule("sgr-6", "tcp", 22, 22, "PrefixListId", "pl-1"),
			rule("sgr-7", "tcp", 22, 22, "ReferencedGroupInfo", item("GroupId", "sg-1")), rule("sgr-8", "tcp", 22, 22, "CidrIpv4", everybody, "IsEgress", true),
			rule("sgr-9", "tcp", 22, 22, "CidrIpv4", "0.0.0.0/1")), ends: StepAlreadyClosed},
		{name: "the last page", world: paged([]any{v4("sgr-1", "tcp", 443, 443)}, []any{}, []any{v4("sgr-2", "tcp", 3389, 3389)}), ends: StepVerify, reasons: "sgr-2", changes: both,
			keeps: strings.ReplaceAll(ssh, "22", "3389")},
		{name: "all traffic", world: with(v4("sgr-1", "-1", -1, -1)), ends: StepLeaveWide, reasons: "sgr-1 lets everybody in to everything"},
		{name: "ranges", world: with(v4("sgr-1", "tcp", 0, 65535), v4("sgr-2", "udp", 3000, 3389), v4("sgr-3", "6", 22, 23), v4("sgr-4", "tcp", -1, -1)), ends: StepLeaveWide, reasons: "sgr-2 lets everybody in to udp 3000-3389"},
		{name: "narrow and wide", world: with(v4("sgr-1", "tcp", 22, 22), v4("sgr-2", "tcp", 0, 65535)), ends: StepVerify, reasons: "sgr-2", changes: both, keeps: ssh, left: "sgr-2 lets everybody in to tcp 0-65535"},
		{name: "wide, taken as well", given: wide, world: with(v4("sgr-1", "tcp", 22, 22), v4("sgr-2", "-1", -1, -1)), ends: StepVerify, changes: both,
			keeps: ssh[:len(ssh)-1] + `,{"IpProtocol":"-1","IpRanges":[{"CidrIp":"0.0.0.0/0"}]}]`},
		{name: "exempt", world: tagged, ends: StepLeaveExempt, reasons: "tag rollout-exempt=vendor, until June"},
		{name: "exempt and wide", given: wide, world: tagged, ends: StepLeaveExempt},
		{name: "shared", world: shared, ends: StepLeaveExempt, reasons: "account 999999999999"},
		{name: "the rule remains", world: stuck, ends: StepVerify, changes: both, keeps: ssh, err: group + " still has 1 such rules; what it had is in s3://rollout-config-111122223333-us-east-1-an/"},
		{name: "no before-image, no change", world: denied("put_object"), ends: "Close", err: "AccessDenied: put_object", changes: "put_object"},
		{name: "cannot look", world: denied("describe_security_group_rules"), ends: "Examine", err: "AccessDenied"},
		{name: "may not revoke", world: denied("revoke_security_group_ingress"), ends: "Close", err: "AccessDenied", changes: both, keeps: ssh},
	}
}

func keptRules(t *testing.T, w world, s scenario) {
	t.Helper()
	b := before(t, w.Objects[0], BeforeSecurityGroupRules, group)
	if b.GroupID != group || b.GroupName != "default" || b.VPCID != "vpc-1" || len(b.IPPermissionsEgress) > 0 || len(b.SecurityGroupRules) != len(b.IPPermissions) {
		t.Errorf("kept %+v", b)
	}
	var list []any
	for _, raw := range b.IPPermissions {
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	if got, _ := json.Marshal(list); string(got) != s.keeps {
		t.Errorf("kept %s, want %s", got, s.keeps)
	}
}

// settingScenarios are those of ebs-encryption-enforce.
func settingScenarios() []scenario {
	const both = "put_object enable_ebs_encryption_by_default"
	return []scenario{
		{name: "off", ends: StepVerify, reasons: "it is off", changes: both},
		{name: "on", world: world{On: true}, ends: StepAlreadyOn, reasons: "it is on"},
		{name: "another account", given: map[string]string{"AccountId": "999999999999"}, ends: "Examine", err: "account 999999999999 was asked for, and this is account 111122223333"},
		{name: "stays off", world: world{Stuck: true}, ends: StepVerify, changes: both, err: "still off; what was is in s3://rollout-config-111122223333-us-east-1-an/"},
		{name: "no before-image, no change", world: world{Deny: "put_object"}, ends: "SwitchOn", err: "AccessDenied: put_object", changes: "put_object"},
		{name: "cannot look", world: world{Deny: "get_ebs_encryption_by_default"}, ends: "Examine", err: "AccessDenied"},
		{name: "may not switch", world: world{Deny: "enable_ebs_encryption_by_default"}, ends: "SwitchOn", err: "AccessDenied", changes: both},
	}
}

func keptSetting(t *testing.T, w world, _ scenario) {
	t.Helper()
	o := w.Objects[0]
	if before(t, o, BeforeEBSEncryption, BeforeEBSEncryption).EBSEncryption || !strings.Contains(o.Body, `"ebs_encryption_by_default"`) {
		t.Errorf("kept %s", o.Body)
	}
}

// logScenarios are those of vpc-flow-logs-enforce.
func logScenarios() []scenario {
	const making, kept = "put_object create_flow_logs", "put_object create_flow_logs put_object"
	log := func(id, traffic string, pairs ...any) map[string]any {
		l := item("FlowLogId", id, "FlowLogStatus", "ACTIVE", "TrafficType", traffic)
		for k, v := range item(pairs...) {
			l[k] = v
		}
		return l
	}
	vpc := func(pairs ...any) map[string]any {
		v := item("VpcId", "vpc-1", "OwnerId", "111122223333")
		for k, value := range item(pairs...) {
			v[k] = value
		}
		return v
	}
	with := func(logs ...any) world {
		return world{VPC: vpc(), Pages: map[string][][]any{"describe_flow_logs": {logs}}}
	}
	exempt := with()
	exempt.VPC = vpc("Tags", []any{item("Key", "a"), item("Key", ExemptTag, "Value", "sandbox")})
	shared := with()
	shared.VPC = vpc("OwnerId", "999999999999")
	stuck := with()
	stuck.Stuck = true
	refused := with()
	refused.Refused = "Access Denied for LogDestination: b. Please check LogDestination permission"
	denied := func(call string) world { w := with(); w.Deny = call; return w }
	return []scenario{
		{name: "none", world: with(), ends: StepVerify, reasons: "no flow log has its REJECT traffic", changes: kept},
		{name: "of ALL", world: with(log("fl-1", "ALL")), ends: StepAlreadyLogged, reasons: "fl-1 has ALL"},
		{name: "of the traffic", world: with(log("fl-1", "REJECT")), ends: StepAlreadyLogged, reasons: "fl-1 has REJECT"},
		{name: "of other traffic", world: with(log("fl-1", "ACCEPT")), ends: StepVerify, changes: kept, keeps: "fl-1"},
		{name: "of less than ALL", given: map[string]string{"TrafficType": "ALL"}, world: with(log("fl-1", "ACCEPT"), log("fl-2", "REJECT")), ends: StepVerify, changes: kept, keeps: "fl-1 fl-2"},
		{name: "not active", world: with(log("fl-1", "ALL", "FlowLogStatus", "INACTIVE")), ends: StepVerify, changes: kept, keeps: "fl-1"},
		{name: "on the last page", world: world{VPC: vpc(), Pages: map[string][][]any{"describe_flow_logs": {{log("fl-1", "ACCEPT")}, {}, {log("fl-2", "ALL")}}}}, ends: StepAlreadyLogged, reasons: "fl-2 has ALL"},
		{name: "fails to deliver", world: with(log("fl-1", "ALL", "DeliverLogsStatus", "FAILED", "DeliverLogsErrorMessage", "Access error")), ends: StepAlreadyLogged, reasons: "fl-1 has ALL, but fails to deliver: Access error"},
		{name: "exempt", world: exempt, ends: StepLeaveExempt, reasons: "tag rollout-exempt=sandbox"},
		{name: "shared", world: shared, ends: StepLeaveExempt, reasons: "account 999999999999"},
		{name: "unsuccessful", world: refused, ends: "Create", err: "vpc-1: Access Denied for LogDestination: b.", changes: making},
		{name: "made and not there", world: stuck, ends: StepVerify, err: "fl-new is not active for vpc-1; what there was is in s3://rollout-config-111122223333-us-east-1-an/", changes: kept},
		{name: "no before-image, no change", world: denied("put_object"), ends: "Create", err: "AccessDenied: put_object", changes: "put_object"},
		{name: "cannot look", world: denied("describe_flow_logs"), ends: "Examine", err: "AccessDenied"},
		{name: "may not create", world: denied("create_flow_logs"), ends: "Create", err: "AccessDenied", changes: making},
	}
}

// keptLogs holds both objects to what they say: before, and with what was made.
func keptLogs(t *testing.T, w world, s scenario) {
	t.Helper()
	for i, o := range w.Objects {
		b := before(t, o, BeforeFlowLogs, "vpc-1")
		made := strings.Join(b.FlowLogIDs, " ")
		if b.VPCID != "vpc-1" || b.LogDestination != "arn:aws:s3:::rollout-config-111122223333-us-east-1-an" ||
			strings.Join(b.FlowLogsBefore, " ") != s.keeps || made != []string{"", "fl-new"}[i] {
			t.Errorf("kept %+v", b)
		}
	}
	if want := strings.Count(s.changes, "put_object"); len(w.Objects) != want {
		t.Errorf("kept %d objects, want %d", len(w.Objects), want)
	}
}
