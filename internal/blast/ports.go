package blast

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

var openPortReads = []string{"ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups"}

// openPorts lists the groups through which everybody reaches SSH or RDP. Who comes in that
// way AWS does not say; what has the group is what they may come in to.
func openPorts(ctx context.Context, at *site, m remedy) ([]Resource, error) {
	api := ec2.NewFromConfig(at.cfg)
	var out []Resource
	var closing []*Resource
	for _, r := range m.rules {
		everybody := r.Values["Everybody"]
		key := "ip-permission.cidr"
		if everybody == "::/0" {
			key = "ip-permission.ipv6-cidr"
		}
		groups, err := describeGroups(ctx, api, key, everybody)
		if err != nil {
			return nil, err
		}
		seen := map[string]bool{}
		for _, g := range groups {
			id := aws.ToString(g.GroupId)
			narrow, wide := adminRules(g, everybody)
			one := at.resource(m, r, typeGroup, id, "Amazon EC2")
			if len(narrow)+len(wide) == 0 {
				continue
			}
			seen[id] = true
			one.Verdict = Safe
			gone := narrow
			if r.Values["WideRules"] == "Revoke" {
				gone = slices.Concat(narrow, wide)
			}
			switch why := at.exempt(tagsOf(g.Tags), aws.ToString(g.OwnerId), "group"); {
			case why != "":
				one.Reason = "left: " + why
			case len(gone) == 0:
				one.Reason = "left: what is open is wider than SSH and RDP: " + listed(wide)
			default:
				one.WouldChange, one.Reason = true, "takes "+listed(gone)+" away from "+everybody
			}
			out = append(out, one)
		}
		for _, id := range sortedKeys(r.found) {
			if !seen[id] {
				one := at.resource(m, r, typeGroup, id, "")
				one.Verdict, one.Reason = Safe, "left: no rule of it lets "+everybody+" in to SSH or RDP any more"
				out = append(out, one)
			}
		}
	}
	var ids []string
	for i := range out {
		if out[i].WouldChange {
			closing = append(closing, &out[i])
			ids = append(ids, out[i].ID)
		}
	}
	slices.Sort(ids)
	err := eachInterface(ctx, api, slices.Compact(ids), func(group, id string) {
		for _, one := range closing {
			if one.ID == group {
				one.Leans = append(one.Leans, "network interface "+id)
			}
		}
	})
	for _, one := range closing {
		switch {
		case len(one.Leans) > 0:
			one.Verdict, one.Reason = NotSafe, one.Reason+"; who comes in that way to "+firstOf(one.Leans)+" cannot begin a session any more"
		case err != nil:
			one.Verdict, one.Reason = Unknown, one.Reason+"; not known what has the group: "+said(err)
		default:
			one.Reason += "; nothing has the group"
		}
	}
	return out, nil
}

// adminRules are the inbound rules through which everybody reaches SSH or RDP, as the
// runbook sees them: those that are for nothing else, and those that are wider.
func adminRules(g types.SecurityGroup, everybody string) (narrow, wide []string) {
	for _, p := range g.IpPermissions {
		in := slices.ContainsFunc(p.IpRanges, func(r types.IpRange) bool { return aws.ToString(r.CidrIp) == everybody }) ||
			slices.ContainsFunc(p.Ipv6Ranges, func(r types.Ipv6Range) bool { return aws.ToString(r.CidrIpv6) == everybody })
		protocol := aws.ToString(p.IpProtocol)
		if !in || !slices.Contains([]string{"-1", "tcp", "udp", "6", "17"}, protocol) {
			continue
		}
		first, last := port(p.FromPort), port(p.ToPort)
		words := fmt.Sprintf("%s %d-%d", protocol, first, last)
		switch {
		case protocol == "-1":
			wide = append(wide, "all traffic")
		case first == -1:
			wide = append(wide, "all of "+protocol)
		case first == last && (first == 22 || first == 3389):
			narrow = append(narrow, fmt.Sprintf("%s %d", protocol, first))
		case first <= 22 && last >= 22 || first <= 3389 && last >= 3389:
			wide = append(wide, words)
		}
	}
	return narrow, wide
}

func port(p *int32) int32 {
	if p == nil {
		return -1
	}
	return *p
}

func listed(words []string) string { return strings.Join(words, ", ") }

// firstOf names the first, and counts the rest.
func firstOf(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return fmt.Sprintf("%s and %d more", names[0], len(names)-1)
}
