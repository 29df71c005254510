package simaws

import (
	"fmt"
	"net/http"
	"strings"
)

// zonesOfRegion is in how many zones a VPC has a subnet. A default VPC has one /20 in
// every zone (VPC user guide, "Default VPC components"); a VPC made by hand has the same
// here.
const zonesOfRegion = 3

func zoneName(region string, zone int) string { return region + string(rune('a'+zone)) }

func zoneID(region string, zone int) string {
	return fmt.Sprintf("%s-az%d", zonePrefix(region), zone+1)
}

func subnetID(vpcID, zoneName string) string { return "subnet-" + hexOf(17, vpcID, zoneName) }

// networkOf is what the addresses of a VPC begin with: 172.31 of 172.31.0.0/16.
func networkOf(v *vpc) string { return strings.Join(strings.Split(v.CIDR, ".")[:2], ".") }

// subnetCalls are EC2's calls about subnets and about what is on their other side.
var subnetCalls = map[string]apiCall{
	"ec2:DescribeSubnets":                 describeSubnets,
	"ec2:DescribeSecurityGroupReferences": describeReferences,
}

var subnetsDescribed = describing{
	member: "Subnets", idsMember: "SubnetIds", noun: "subnet ID", prefix: "subnet-", missing: "InvalidSubnetID.NotFound", malformed: "InvalidSubnetId.Malformed",
	filters: `availability-zone availabilityZone availability-zone-id availabilityZoneId available-ip-address-count cidr-block cidr cidrBlock customer-owned-ipv4-pool default-for-az
		defaultForAz enable-dns64 enable-lni-at-device-index ipv6-cidr-block-association.ipv6-cidr-block ipv6-cidr-block-association.association-id
		ipv6-cidr-block-association.state ipv6-native map-customer-owned-ip-on-launch map-public-ip-on-launch outpost-arn owner-id
		private-dns-name-options-on-launch.hostname-type private-dns-name-options-on-launch.enable-resource-name-dns-a-record
		private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record state subnet-arn subnet-id tag tag-key vpc-id`,
}

func describeSubnets(s *Sim, check checker, a *account, r *regionState, in map[string]any) (map[string]any, error) {
	if err := check("ec2:DescribeSubnets", "*", nil); err != nil {
		return nil, err
	}
	used := map[string]int{}
	for _, e := range r.enis {
		v, zone := e.place(r)
		used[subnetID(v.ID, zoneName(r.name, zone))]++
	}
	var list []described
	for _, v := range r.vpcs {
		for zone := range zonesOfRegion {
			az, azID := zoneName(r.name, zone), zoneID(r.name, zone)
			id, cidr := subnetID(v.ID, az), fmt.Sprintf("%s.%d.0/20", networkOf(v), 16*zone)
			arn := fmt.Sprintf("arn:%s:ec2:%s:%s:subnet/%s", s.world.partition, r.name, a.ID, id)
			free := 4091 - used[id] // of a /20, five addresses are AWS's (VPC user guide, "Subnet sizing")
			isDefault := textOf(v.Default)
			list = append(list, described{id: id, shape: map[string]any{
				"SubnetId": id, "SubnetArn": arn, "VpcId": v.ID, "CidrBlock": cidr, "AvailabilityZone": az, "AvailabilityZoneId": azID, "State": "available", "OwnerId": a.ID,
				"AvailableIpAddressCount": free, "DefaultForAz": v.Default, "MapPublicIpOnLaunch": v.Default, "MapCustomerOwnedIpOnLaunch": false, "AssignIpv6AddressOnCreation": false,
				"Ipv6CidrBlockAssociationSet": []any{}, "Ipv6Native": false, "EnableDns64": false, "BlockPublicAccessStates": map[string]any{"InternetGatewayBlockMode": "off"},
				"PrivateDnsNameOptionsOnLaunch": map[string]any{"HostnameType": "ip-name", "EnableResourceNameDnsARecord": false, "EnableResourceNameDnsAAAARecord": false},
			}, filters: map[string][]string{
				"subnet-id": {id}, "subnet-arn": {arn}, "vpc-id": {v.ID}, "cidr-block": {cidr}, "cidr": {cidr}, "cidrBlock": {cidr}, "availability-zone": {az}, "availabilityZone": {az},
				"availability-zone-id": {azID}, "availabilityZoneId": {azID}, "state": {"available"}, "owner-id": {a.ID}, "available-ip-address-count": {scalar(free)},
				"default-for-az": {isDefault}, "defaultForAz": {isDefault}, "map-public-ip-on-launch": {isDefault}, "map-customer-owned-ip-on-launch": {"false"},
				"ipv6-native": {"false"}, "enable-dns64": {"false"}, "private-dns-name-options-on-launch.hostname-type": {"ip-name"},
				"private-dns-name-options-on-launch.enable-resource-name-dns-a-record":    {"false"},
				"private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record": {"false"},
			}})
		}
	}
	return subnetsDescribed.describe(in, list)
}

// peerReference is a rule that names a group, of a group in a VPC on the other side of a
// peering or a transit gateway.
type peerReference struct{ Group, VPC, Peering, Gateway string }

// describeReferences shows who on the other side names the groups (API reference,
// DescribeSecurityGroupReferences; it has neither pages nor filters).
func describeReferences(_ *Sim, check checker, _ *account, r *regionState, in map[string]any) (map[string]any, error) {
	if err := check("ec2:DescribeSecurityGroupReferences", "*", nil); err != nil {
		return nil, err
	}
	ids := texts(in["GroupId"])
	if len(ids) == 0 {
		return nil, fail(http.StatusBadRequest, "MissingParameter", "The request must contain the parameter GroupId")
	}
	if err := describingGroups.held(ids, idsOf(r.groups)); err != nil {
		return nil, err
	}
	list := []any{}
	for _, id := range ids {
		for _, p := range r.leanings().peers {
			if p.Group != id {
				continue
			}
			shape := map[string]any{"GroupId": id, "ReferencingVpcId": p.VPC}
			if p.Peering != "" {
				shape["VpcPeeringConnectionId"] = p.Peering
			}
			if p.Gateway != "" {
				shape["TransitGatewayId"] = p.Gateway
			}
			list = append(list, shape)
		}
	}
	return map[string]any{"SecurityGroupReferenceSet": list}, nil
}
