package simaws

import (
	"fmt"
	"strings"
	"time"
)

// Network interfaces, as EC2 describes them: those of instances, and those that a
// service has made and attached by itself.

var describingInterfaces = describing{
	member: "NetworkInterfaces", idsMember: "NetworkInterfaceIds", noun: "networkInterface ID", prefix: "eni-",
	missing: "InvalidNetworkInterfaceID.NotFound", malformed: "InvalidNetworkInterfaceId.Malformed", idsOrPage: "networkInterfaceSet",
	filters: `association.allocation-id association.association-id addresses.association.owner-id addresses.association.public-ip addresses.primary addresses.private-ip-address
		association.ip-owner-id association.public-ip association.public-dns-name attachment.attach-time attachment.attachment-id attachment.delete-on-termination
		attachment.device-index attachment.instance-id attachment.instance-owner-id attachment.status availability-zone availability-zone-id description group-id
		ipv6-addresses.ipv6-address interface-type mac-address network-interface-id operator.managed operator.principal owner-id private-dns-name private-ip-address
		requester-id requester-managed source-dest-check status subnet-id tag-key vpc-id`,
}

// interfaceMaker is who made and attached an interface. What each service's look like
// is seen in answers of AWS that others have published: RDS and load balancers are
// requester-managed under the service's alias, Lambda's are not and name a role's id
// (go-to-k/cdkd#45).
type interfaceMaker struct {
	description, kind string // kind is the InterfaceType
	requester, owner  string // RequesterId, and who owns what it is attached to
	managed           bool
}

// makers by what the generator draws.
var makers = map[string]interfaceMaker{
	"instance": {"Primary network interface", "interface", "", "", false},
	"lambda":   {"AWS Lambda VPC ENI-", "lambda", "", "amazon-aws", false},
	"elb":      {"ELB app/", "interface", "amazon-elb", "amazon-elb", true},
	"rds":      {"RDSNetworkInterface", "interface", "amazon-rds", "amazon-rds", true},
}

// addInterface makes an interface in a group, of an instance, a function, a load
// balancer or a database.
func addInterface(r *regionState, id, group, maker string) {
	m := makers[maker]
	description := m.description
	switch maker {
	case "lambda":
		description += "orders-" + uuidOf(id)
	case "elb":
		description += "web/" + hexOf(16, id, "balancer")
	}
	r.enis = append(r.enis, &networkInterface{ID: id, Description: description, Groups: []string{group}, InterfaceType: m.kind})
}

// uuidOf makes a UUID out of names.
func uuidOf(names ...string) string {
	h := hexOf(32, names...)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:]
}

// maker says who made an interface.
func (e *networkInterface) maker() interfaceMaker {
	for _, name := range []string{"lambda", "elb", "rds"} {
		if m := makers[name]; e.InterfaceType == m.kind && strings.HasPrefix(e.Description, m.description) {
			return m
		}
	}
	return makers["instance"]
}

func (s *Sim) describeInterfaces(a *account, r *regionState, in map[string]any) (map[string]any, error) {
	var list []described
	for _, e := range r.enis {
		list = append(list, s.interfaceShape(a, r, e))
	}
	return describingInterfaces.describe(in, list)
}

// place is the VPC of an interface, which is its group's, and the zone.
func (e *networkInterface) place(r *regionState) (*vpc, int) {
	in := &vpc{CIDR: "172.31.0.0/16"}
	for _, id := range e.Groups {
		for _, v := range r.vpcs {
			if g := r.groups[id]; g != nil && g.VPC == v.ID {
				in = v
			}
		}
	}
	return in, int(chance(e.ID, "zone") * zonesOfRegion)
}

func (s *Sim) interfaceShape(a *account, r *regionState, e *networkInterface) described {
	m := e.maker()
	groups := []any{}
	for _, id := range e.Groups {
		name := ""
		if g := r.groups[id]; g != nil {
			name = g.Name
		}
		groups = append(groups, map[string]any{"GroupId": id, "GroupName": name})
	}
	draw := func(n int, what string) int { return int(chance(e.ID, what) * float64(n)) }
	in, zone := e.place(r)
	az, azID := zoneName(r.name, zone), zoneID(r.name, zone)
	subnet := subnetID(in.ID, az)
	ip := fmt.Sprintf("%s.%d.%d", networkOf(in), 16*zone+draw(16, "third"), 4+draw(250, "fourth"))
	dns := "ip-" + strings.ReplaceAll(ip, ".", "-") + "." + r.name + ".compute.internal"
	if r.name == "us-east-1" {
		dns = "ip-" + strings.ReplaceAll(ip, ".", "-") + ".ec2.internal"
	}
	raw := hexOf(10, e.ID, "mac")
	mac := "02:" + raw[:2] + ":" + raw[2:4] + ":" + raw[4:6] + ":" + raw[6:8] + ":" + raw[8:]
	attached := a.Joined.Add(26 * time.Hour).UTC().Format("2006-01-02T15:04:05.000Z")
	attachment := map[string]any{"AttachTime": attached, "Status": "attached", "DeleteOnTermination": false, "DeviceIndex": 1, "NetworkCardIndex": 0}
	requester := m.requester
	switch {
	case m.owner == "":
		attachment["AttachmentId"] = "eni-attach-" + hexOf(17, e.ID, "attachment")
		attachment["InstanceId"], attachment["InstanceOwnerId"] = "i-"+hexOf(17, e.ID, "instance"), a.ID
		attachment["DeleteOnTermination"], attachment["DeviceIndex"] = true, 0
	default:
		attachment["AttachmentId"], attachment["InstanceOwnerId"] = "ela-attach-"+hexOf(17, e.ID, "attachment"), m.owner
		if m.kind == "lambda" {
			requester = "AROA" + strings.ToUpper(hexOf(17, a.ID, "lambda")) + ":" + a.ID
		}
	}
	address := map[string]any{"Primary": true, "PrivateIpAddress": ip}
	shape := map[string]any{
		"NetworkInterfaceId": e.ID, "Description": e.Description, "InterfaceType": e.InterfaceType, "Groups": groups, "Status": "in-use", "OwnerId": a.ID, "VpcId": in.ID,
		"SubnetId": subnet, "AvailabilityZone": az, "AvailabilityZoneId": azID, "MacAddress": mac, "PrivateIpAddress": ip, "PrivateIpAddresses": []any{address},
		"RequesterManaged": m.managed, "SourceDestCheck": true, "Attachment": attachment, "Ipv6Addresses": []any{}, "TagSet": []any{}, "Operator": map[string]any{"Managed": false},
	}
	filters := map[string][]string{
		"network-interface-id": {e.ID}, "description": {e.Description}, "interface-type": {e.InterfaceType}, "group-id": e.Groups, "status": {"in-use"}, "owner-id": {a.ID}, "vpc-id": {in.ID},
		"subnet-id": {subnet}, "availability-zone": {az}, "availability-zone-id": {azID}, "mac-address": {mac}, "private-ip-address": {ip}, "addresses.private-ip-address": {ip}, "addresses.primary": {"true"},
		"requester-managed": {textOf(m.managed)}, "source-dest-check": {"true"}, "operator.managed": {"false"},
		"attachment.attach-time": {attached}, "attachment.attachment-id": {scalar(attachment["AttachmentId"])}, "attachment.delete-on-termination": {scalar(attachment["DeleteOnTermination"])},
		"attachment.device-index": {scalar(attachment["DeviceIndex"])}, "attachment.instance-owner-id": {scalar(attachment["InstanceOwnerId"])}, "attachment.status": {"attached"},
	}
	// A VPC that was made by hand has no DNS names unless it is told to.
	if in.Default {
		shape["PrivateDnsName"], address["PrivateDnsName"] = dns, dns
		filters["private-dns-name"] = []string{dns}
	}
	if requester != "" {
		shape["RequesterId"] = requester
		filters["requester-id"] = []string{requester}
	}
	if id := scalarOr(attachment["InstanceId"]); id != "" {
		filters["attachment.instance-id"] = []string{id}
	}
	return described{id: e.ID, shape: shape, filters: filters}
}

// zonePrefix is what the ids of a Region's zones begin with: use1 of us-east-1,
// apne1 of ap-northeast-1.
func zonePrefix(region string) string {
	words := strings.Split(region, "-")
	out := words[0]
	for _, direction := range []string{"north", "south", "east", "west", "central"} {
		if strings.Contains(words[1], direction) {
			out += direction[:1]
		}
	}
	return out + words[len(words)-1]
}
