package restore

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Rule is one rule of a security group: one direction, protocol, range of ports and
// one peer. Rule ids and tags of rules do not come back, descriptions do.
type Rule struct {
	Egress   bool
	Protocol string // "-1" is all, "tcp", "udp", "icmp", "icmpv6" or a number
	// From and To are ports, or ICMP's type and code; nil for all.
	From, To *int32
	// Peer is a CIDR (IPv4 or IPv6), sg-… or pl-…; Owner the account of a group.
	Kind        PeerKind
	Peer, Owner string
	Description string
}

// PeerKind is what a rule's peer is.
type PeerKind string

const (
	IPv4       PeerKind = "ipv4"
	IPv6       PeerKind = "ipv6"
	Group      PeerKind = "group"
	PrefixList PeerKind = "prefix-list"
)

// key is what makes two rules the same to EC2: not the description.
func (r Rule) key() string {
	return fmt.Sprint(r.Egress, " ", r.Protocol, " ", number(r.From), " ", number(r.To), " ", r.Peer)
}

func number(n *int32) string {
	if n == nil || *n == -1 {
		return "all"
	}
	return strconv.Itoa(int(*n))
}

// Direction is "inbound" or "outbound".
func (r Rule) Direction() string {
	if r.Egress {
		return "outbound"
	}
	return "inbound"
}

// Ports is "all", "22" or "1000-2000".
func (r Rule) Ports() string {
	from, to := number(r.From), number(r.To)
	if from == to {
		return from
	}
	return from + "-" + to
}

// ProtocolName is "all" for "-1".
func (r Rule) ProtocolName() string {
	if r.Protocol == "-1" {
		return "all"
	}
	return r.Protocol
}

func compareRules(a, b Rule) int {
	return cmp.Or(cmp.Compare(a.Direction(), b.Direction()), cmp.Compare(a.key(), b.key()))
}

// compare splits the rules of an image into those that now lacks and those it has,
// each sorted and once.
func compare(image, now []Rule) (missing, present []Rule) {
	have := map[string]bool{}
	for _, r := range now {
		have[r.key()] = true
	}
	seen := map[string]bool{}
	for _, r := range image {
		if seen[r.key()] {
			continue
		}
		seen[r.key()] = true
		if have[r.key()] {
			present = append(present, r)
		} else {
			missing = append(missing, r)
		}
	}
	slices.SortFunc(missing, compareRules)
	slices.SortFunc(present, compareRules)
	return missing, present
}

// rulesOf are the rules of EC2's permissions.
func rulesOf(list []types.IpPermission, egress bool) []Rule {
	var out []Rule
	for _, p := range list {
		base := Rule{Egress: egress, Protocol: aws.ToString(p.IpProtocol), From: p.FromPort, To: p.ToPort}
		add := func(kind PeerKind, peer, owner, description *string) {
			r := base
			r.Kind, r.Peer, r.Owner, r.Description = kind, aws.ToString(peer), aws.ToString(owner), aws.ToString(description)
			out = append(out, r)
		}
		for _, x := range p.IpRanges {
			add(IPv4, x.CidrIp, nil, x.Description)
		}
		for _, x := range p.Ipv6Ranges {
			add(IPv6, x.CidrIpv6, nil, x.Description)
		}
		for _, x := range p.PrefixListIds {
			add(PrefixList, x.PrefixListId, nil, x.Description)
		}
		for _, x := range p.UserIdGroupPairs {
			add(Group, x.GroupId, x.UserId, x.Description)
		}
	}
	return out
}

// permission is the rule as EC2 takes it.
func (r Rule) permission() types.IpPermission {
	p := types.IpPermission{IpProtocol: aws.String(r.Protocol), FromPort: r.From, ToPort: r.To}
	var description *string
	if r.Description != "" {
		description = aws.String(r.Description)
	}
	switch r.Kind {
	case IPv4:
		p.IpRanges = []types.IpRange{{CidrIp: aws.String(r.Peer), Description: description}}
	case IPv6:
		p.Ipv6Ranges = []types.Ipv6Range{{CidrIpv6: aws.String(r.Peer), Description: description}}
	case PrefixList:
		p.PrefixListIds = []types.PrefixListId{{PrefixListId: aws.String(r.Peer), Description: description}}
	case Group:
		pair := types.UserIdGroupPair{GroupId: aws.String(r.Peer), Description: description}
		if r.Owner != "" {
			pair.UserId = aws.String(r.Owner)
		}
		p.UserIdGroupPairs = []types.UserIdGroupPair{pair}
	}
	return p
}
