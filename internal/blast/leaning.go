package blast

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// leaning finds who leans on groups, in the order and the words of the runbook: each call
// is about all groups at once. unread is what could not be asked.
func (at *site) leaning(ctx context.Context, api *ec2.Client, groups []*group) (unread []string) {
	l := leaning{api: api, groups: groups, byID: map[string]*group{}}
	for _, g := range groups {
		l.byID[g.ID] = g
	}
	l.ids = sortedKeys(l.byID)
	for _, ask := range []func(context.Context) error{
		l.surroundings, l.interfaces, l.references, l.peers, l.launchTemplates,
		func(ctx context.Context) error { return l.functions(ctx, at.cfg) },
		func(ctx context.Context) error { return l.services(ctx, at.cfg) },
	} {
		if err := ask(ctx); err != nil {
			unread = append(unread, said(err))
		}
	}
	return unread
}

type leaning struct {
	api    *ec2.Client
	groups []*group
	byID   map[string]*group
	ids    []string
}

// surroundings read what says whether a group is the one that somebody gets who names none.
func (l *leaning) surroundings(ctx context.Context) error {
	var vpcs []string
	for _, g := range l.groups {
		if !slices.Contains(vpcs, g.vpc) {
			vpcs = append(vpcs, g.vpc)
		}
	}
	for part := range slices.Chunk(vpcs, filtered) {
		for pages := ec2.NewDescribeVpcsPaginator(l.api, &ec2.DescribeVpcsInput{Filters: []types.Filter{filter("vpc-id", part...)}, MaxResults: aws.Int32(1000)}); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, v := range page.Vpcs {
				for _, g := range l.groups {
					g.isDefaultVPC = g.isDefaultVPC || g.vpc == aws.ToString(v.VpcId) && aws.ToBool(v.IsDefault)
				}
			}
		}
		for pages := ec2.NewDescribeSubnetsPaginator(l.api, &ec2.DescribeSubnetsInput{Filters: []types.Filter{filter("vpc-id", part...)}, MaxResults: aws.Int32(1000)}); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, s := range page.Subnets {
				for _, g := range l.groups {
					if g.vpc == aws.ToString(s.VpcId) {
						g.subnets = append(g.subnets, aws.ToString(s.SubnetId))
					}
				}
			}
		}
	}
	return nil
}

func (l *leaning) interfaces(ctx context.Context) error {
	return eachInterface(ctx, l.api, l.ids, func(group, id string) { l.byID[group].lean("network interface %s", id) })
}

// eachInterface calls f for each of the groups that a network interface has.
func eachInterface(ctx context.Context, api *ec2.Client, groups []string, f func(group, id string)) error {
	for part := range slices.Chunk(groups, filtered) {
		in := &ec2.DescribeNetworkInterfacesInput{Filters: []types.Filter{filter("group-id", part...)}, MaxResults: aws.Int32(1000)}
		for pages := ec2.NewDescribeNetworkInterfacesPaginator(api, in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, i := range page.NetworkInterfaces {
				for _, g := range i.Groups {
					if id := aws.ToString(g.GroupId); slices.Contains(part, id) {
						f(id, aws.ToString(i.NetworkInterfaceId))
					}
				}
			}
		}
	}
	return nil
}

// references are other groups whose rules name one of these.
func (l *leaning) references(ctx context.Context) error {
	for _, key := range []string{"ip-permission.group-id", "egress.ip-permission.group-id"} {
		found, err := describeGroups(ctx, l.api, key, l.ids...)
		if err != nil {
			return err
		}
		for _, other := range found {
			permissions := other.IpPermissions
			if key != "ip-permission.group-id" {
				permissions = other.IpPermissionsEgress
			}
			for _, p := range permissions {
				for _, pair := range p.UserIdGroupPairs {
					if g := l.byID[aws.ToString(pair.GroupId)]; g != nil && g.ID != aws.ToString(other.GroupId) {
						g.lean("rule of %s", aws.ToString(other.GroupId))
					}
				}
			}
		}
	}
	return nil
}

// peers are rules on the other side of a peering or a transit gateway. This call has no pages.
func (l *leaning) peers(ctx context.Context) error {
	out, err := l.api.DescribeSecurityGroupReferences(ctx, &ec2.DescribeSecurityGroupReferencesInput{GroupId: l.ids})
	if err != nil {
		return err
	}
	for _, r := range out.SecurityGroupReferenceSet {
		over := aws.ToString(r.VpcPeeringConnectionId)
		if over == "" {
			over = aws.ToString(r.TransitGatewayId)
		}
		if over == "" {
			over = "a connection"
		}
		if g := l.byID[aws.ToString(r.GroupId)]; g != nil {
			g.lean("rule in %s over %s", aws.ToString(r.ReferencingVpcId), over)
		}
	}
	return nil
}
