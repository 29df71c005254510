package simaws

import (
	"slices"
	"time"
)

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

// Detect switches the services that look for attacks and mistakes on or off in an
// account's Region, and its trail.
func (s *Sim) Detect(id, region string, on bool) {
	s.change(id, func(a *account) {
		set := s.settings(a, a.region(region))
		set.detects, set.securityHub, set.guardDuty = detecting{on, on, on, on}, on, on
		s.baseline(a).trail = on
	})
}

// StartInstance starts an EC2 instance with HttpTokens, on which something asks the metadata
// service without a token so often a day.
func (s *Sim) StartInstance(id, region, tokens string, untokened int) (instanceID string) {
	s.change(id, func(a *account) {
		r := a.region(region)
		i := &instance{ID: "i-" + s.ids.hex(17), State: "running", Launched: s.clock.Now().Add(-720 * time.Hour), Tags: map[string]string{}, Metadata: newMetadata(tokens), Untokened: untokened}
		if len(r.vpcs) > 0 {
			i.VPC = r.vpcs[0].ID
		}
		s.settings(a, r).put(i)
		s.changed(r, typeInstance, i.ID)
		instanceID = i.ID
	})
	return instanceID
}

// TagInstance puts a tag on an instance.
func (s *Sim) TagInstance(id, region, instanceID, key, value string) {
	s.change(id, func(a *account) {
		r := a.region(region)
		if i := s.settings(a, r).instances[instanceID]; i != nil {
			i.Tags[key] = value
			s.changed(r, typeInstance, instanceID)
		}
	})
}

// StopInstance stops an instance, which then sends no metrics.
func (s *Sim) StopInstance(id, region, instanceID string) {
	s.change(id, func(a *account) {
		r := a.region(region)
		if i := s.settings(a, r).instances[instanceID]; i != nil {
			i.State = "stopped"
			s.changed(r, typeInstance, instanceID)
		}
	})
}

// EndInstances terminates every instance of an account and Region.
func (s *Sim) EndInstances(id, region string) {
	s.change(id, func(a *account) {
		r := a.region(region)
		set := s.settings(a, r)
		for _, instanceID := range sortedKeys(set.instances) {
			delete(set.instances, instanceID)
			s.changed(r, typeInstance, instanceID)
		}
	})
}

// InstanceTokens counts the instances of an account and Region by HttpTokens.
func (s *Sim) InstanceTokens(id, region string) map[string]int {
	out := map[string]int{}
	s.change(id, func(a *account) {
		for _, i := range s.settings(a, a.region(region)).instances {
			out[i.Metadata.Tokens]++
		}
	})
	return out
}

// KeepSnapshot makes an EBS snapshot that is shared with accounts, or "all".
func (s *Sim) KeepSnapshot(id, region string, shared ...string) (snapshotID string) {
	s.change(id, func(a *account) {
		n := &snapshot{ID: "snap-" + s.ids.hex(17), Volume: "vol-" + s.ids.hex(17), Created: s.clock.Now(), Tags: map[string]string{}, Shared: slices.Clone(shared)}
		s.settings(a, a.region(region)).keep(n)
		snapshotID = n.ID
	})
	return snapshotID
}

// TagSnapshot puts a tag on a snapshot.
func (s *Sim) TagSnapshot(id, region, snapshotID, key, value string) {
	s.change(id, func(a *account) {
		if n := s.settings(a, a.region(region)).snapshots[snapshotID]; n != nil {
			n.Tags[key] = value
		}
	})
}

// SnapshotShares counts the snapshots of an account and Region by whom they are shared with.
func (s *Sim) SnapshotShares(id, region string) map[string]int {
	out := map[string]int{}
	s.change(id, func(a *account) {
		for _, n := range s.settings(a, a.region(region)).snapshots {
			for _, who := range n.Shared {
				out[who]++
			}
		}
	})
	return out
}

// Expose makes a snapshot and a document of an account and Region public, or both private
// and public sharing blocked.
func (s *Sim) Expose(id, region string, good bool) {
	s.change(id, func(a *account) {
		r := a.region(region)
		set := s.settings(a, r)
		shared, name := []string{"all"}, "exposed"
		set.sharingBlocked, set.documentsBlocked = "block-new-sharing", good
		if good {
			shared, set.sharingBlocked = nil, "block-all-sharing"
		}
		set.keep(&snapshot{ID: "snap-" + hexOf(17, id, region, name), Volume: "vol-" + hexOf(17, id, region, name), Created: s.clock.Now(), Tags: map[string]string{}, Shared: shared})
		s.changed(r, typeSharingBlock, a.ID)
		d := &ssmDocument{Name: name, Type: "Command", Format: "JSON", Text: "{}", Created: s.clock.Now(), Tags: map[string]string{}, shared: map[string]string{}}
		if !good {
			d.shared["all"] = "$DEFAULT"
		}
		r.documents[name] = d
	})
}

// PutLogGroup gives a Region a log group that no stack made, such as a trail's.
func (s *Sim) PutLogGroup(id, region, name string) {
	s.change(id, func(a *account) {
		a.region(region).keep("AWS::Logs::LogGroup", name, &keptResource{PhysicalID: name, Properties: map[string]any{"LogGroupName": name}, Created: s.clock.Now()})
	})
}
