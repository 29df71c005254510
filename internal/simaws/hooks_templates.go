package simaws

import "slices"

// What templates of the baseline look for and mend, from outside.

// OpenPorts lets everybody in to ports of every default security group of an account
// and Region, over both IP versions.
func (s *Sim) OpenPorts(id, region, protocol string, from, to int) {
	s.change(id, func(a *account) {
		r := a.region(region)
		for _, gid := range sortedKeys(r.groups) {
			if g := r.groups[gid]; g.Name == "default" {
				g.Ingress = append(slices.Clone(g.Ingress), openPorts(protocol, from, to))
				s.groupChanged(r, g)
			}
		}
	})
}

func openPorts(protocol string, from, to int) map[string]any {
	return map[string]any{"IpProtocol": protocol, "FromPort": from, "ToPort": to,
		"IpRanges": []any{map[string]any{"CidrIp": "0.0.0.0/0"}}, "Ipv6Ranges": []any{map[string]any{"CidrIpv6": "::/0"}}}
}

// PortsOpen says whether a security group of an account and Region still lets
// everybody in to just these ports.
func (s *Sim) PortsOpen(id, region, protocol string, from, to int) bool {
	open := false
	s.change(id, func(a *account) {
		for _, g := range a.region(region).groups {
			for _, p := range g.Ingress {
				eachRule(p, func(rule groupRule, _ map[string]any) {
					everybody := rule.peer == "0.0.0.0/0" || rule.peer == "::/0"
					open = open || everybody && rule.protocol == protocol && rule.from == scalar(from) && rule.to == scalar(to)
				})
			}
		}
	})
	return open
}

// EncryptByDefault sets EBS encryption by default.
func (s *Sim) EncryptByDefault(id, region string, on bool) {
	s.change(id, func(a *account) { s.settings(a, a.region(region)).encryptEBS = on })
}

// EncryptsByDefault gives EBS encryption by default.
func (s *Sim) EncryptsByDefault(id, region string) bool {
	on := false
	s.change(id, func(a *account) { on = s.settings(a, a.region(region)).encryptEBS })
	return on
}

// TagVPCs puts a tag on every VPC of an account and Region.
func (s *Sim) TagVPCs(id, region, key, value string) {
	s.change(id, func(a *account) {
		for _, v := range a.region(region).vpcs {
			v.Tags = map[string]string{key: value}
		}
	})
}

// DropFlowLogs takes every flow log of an account and Region away.
func (s *Sim) DropFlowLogs(id, region string) {
	s.change(id, func(a *account) { s.settings(a, a.region(region)).flowLogs = nil })
}

// FlowLogs are the destinations of an account's flow logs in a Region.
func (s *Sim) FlowLogs(id, region string) []string {
	var out []string
	s.change(id, func(a *account) {
		for _, f := range s.settings(a, a.region(region)).flowLogs {
			out = append(out, f.Destination)
		}
	})
	return out
}

// SetBucketPolicy gives a bucket another policy; a text that is no policy does nothing.
func (s *Sim) SetBucketPolicy(id, bucket, text string) {
	s.change(id, func(a *account) {
		if p, err := parsePolicy(text); err == nil && a.buckets[bucket] != nil {
			a.buckets[bucket].Policy, a.buckets[bucket].HasPolicy = p, true
		}
	})
}
