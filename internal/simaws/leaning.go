package simaws

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// leaning is who counts on the security groups of a Region without an interface in them:
// what will start with a group, and rules on the other side of a connection.
type leaning struct {
	templates []*launchTemplate
	functions []*lambdaFunction
	clusters  []*cluster
	peers     []peerReference
}

// leanings gives what there is to read; the zero value where there is nothing.
func (r *regionState) leanings() leaning {
	if r.leaning == nil {
		return leaning{}
	}
	return *r.leaning
}

// lean gives what there is to add to.
func (r *regionState) lean() *leaning {
	if r.leaning == nil {
		r.leaning = &leaning{}
	}
	return r.leaning
}

// leaner lets something by a name lean on a group.
type leaner func(s *Sim, a *account, r *regionState, g *securityGroup, name string)

// leaners by the word that a file has for them (docs/organization-file.md). Those with a
// group of another's beside it are what is overlooked with the newest version, the
// unpublished function and the primary deployment alone.
var leaners = map[string]leaner{
	"interface": func(_ *Sim, _ *account, r *regionState, g *securityGroup, _ string) {
		addInterface(r, "eni-"+hexOf(17, g.ID), g.ID, "instance")
	},
	"rule": func(s *Sim, a *account, r *regionState, g *securityGroup, name string) {
		other := otherGroup(s, r, g, name)
		other.Ingress = []map[string]any{{"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "UserIdGroupPairs": []any{map[string]any{"GroupId": g.ID, "UserId": a.ID}}}}
	},
	"launch-template": func(_ *Sim, a *account, r *regionState, g *securityGroup, name string) {
		addTemplate(a, r, name, map[string]any{"SecurityGroupIds": []any{g.ID}})
	},
	"launch-template-card": func(_ *Sim, a *account, r *regionState, g *securityGroup, name string) {
		addTemplate(a, r, name, map[string]any{"NetworkInterfaces": []any{map[string]any{"DeviceIndex": 0, "Groups": []any{g.ID}}}})
	},
	"launch-template-by-name": func(_ *Sim, a *account, r *regionState, g *securityGroup, name string) {
		addTemplate(a, r, name, map[string]any{"SecurityGroups": []any{g.Name}})
	},
	"launch-template-without-group": func(_ *Sim, a *account, r *regionState, _ *securityGroup, name string) {
		addTemplate(a, r, name, map[string]any{})
	},
	"launch-template-version": func(s *Sim, a *account, r *regionState, g *securityGroup, name string) {
		other := map[string]any{"SecurityGroupIds": []any{otherGroup(s, r, g, name).ID}}
		addTemplate(a, r, name, other, map[string]any{"SecurityGroupIds": []any{g.ID}}, other)
	},
	"function": func(_ *Sim, a *account, r *regionState, g *securityGroup, name string) {
		addFunction(a, r, g.VPC, name, g.ID)
	},
	"function-version": func(s *Sim, a *account, r *regionState, g *securityGroup, name string) {
		addFunction(a, r, g.VPC, name, otherGroup(s, r, g, name).ID, g.ID)
	},
	"ecs-service": func(_ *Sim, a *account, r *regionState, g *securityGroup, name string) {
		addService(a, r, g.VPC, name, []string{g.ID})
	},
	"ecs-service-without-group": func(_ *Sim, a *account, r *regionState, g *securityGroup, name string) {
		addService(a, r, g.VPC, name, nil)
	},
	"ecs-deployment": func(s *Sim, a *account, r *regionState, g *securityGroup, name string) {
		addService(a, r, g.VPC, name, []string{otherGroup(s, r, g, name).ID}, []string{g.ID})
	},
	"peered-vpc": func(_ *Sim, _ *account, r *regionState, g *securityGroup, name string) {
		r.lean().peers = append(r.lean().peers, peerReference{Group: g.ID, VPC: "vpc-" + hexOf(17, g.ID, name), Peering: "pcx-" + hexOf(17, g.ID, name)})
	},
	"transit-gateway": func(_ *Sim, _ *account, r *regionState, g *securityGroup, name string) {
		r.lean().peers = append(r.lean().peers, peerReference{Group: g.ID, VPC: "vpc-" + hexOf(17, g.ID, name), Gateway: "tgw-" + hexOf(17, g.ID, name)})
	},
}

// Leaners are the kinds of what LeanOn knows, sorted.
func Leaners() []string { return sortedKeys(leaners) }

// LeanOn lets something of a kind lean on every default security group of an account and
// Region. A kind that there is not does nothing.
func (s *Sim) LeanOn(id, region, kind, name string) {
	s.change(id, func(a *account) { s.leanOn(a, a.region(region), kind, name) })
}

func (s *Sim) leanOn(a *account, r *regionState, kind, name string) {
	lean := leaners[kind]
	if lean == nil {
		return
	}
	name = orElse(name, kind)
	for _, gid := range sortedKeys(r.groups) {
		if g := r.groups[gid]; g.Name == "default" {
			lean(s, a, r, g, name)
			name += "-again" // names are unique in a Region
		}
	}
}

// otherGroup makes a group beside another, in the same VPC.
func otherGroup(s *Sim, r *regionState, g *securityGroup, name string) *securityGroup {
	other := &securityGroup{ID: "sg-" + hexOf(17, g.ID, name), Name: name, Description: name, VPC: g.VPC, Tags: map[string]string{}, changed: g.changed}
	other.Egress = []map[string]any{{"IpProtocol": "-1", "IpRanges": []any{map[string]any{"CidrIp": "0.0.0.0/0"}}}}
	r.groups[other.ID] = other
	s.groupChanged(r, other)
	return other
}

// subnetsOf are the ids of a VPC's subnets.
func subnetsOf(r *regionState, vpcID string) []string {
	var out []string
	for zone := range zonesOfRegion {
		out = append(out, subnetID(vpcID, zoneName(r.name, zone)))
	}
	return out
}

// addTemplate makes a launch template with versions in order, the first of them the
// default one.
func addTemplate(a *account, r *regionState, name string, versions ...map[string]any) {
	t := &launchTemplate{ID: "lt-" + hexOf(17, a.ID, r.name, name), Name: name, Created: a.Joined.Add(60 * time.Hour), Default: 1}
	for i, data := range versions {
		whole := map[string]any{"ImageId": "ami-" + hexOf(17, r.name, "image"), "InstanceType": "t3.small"}
		for k, v := range data {
			whole[k] = v
		}
		t.Versions = append(t.Versions, templateVersion{Number: i + 1, Data: whole})
	}
	r.lean().templates = append(r.lean().templates, t)
}

// addFunction makes a function in a VPC: unpublished with the first group, published once
// for each of the others.
func addFunction(a *account, r *regionState, vpcID, name string, groups ...string) {
	f := &lambdaFunction{Name: name, Modified: a.Joined.Add(60 * time.Hour)}
	for i, g := range groups {
		v := functionVersion{Version: "$LATEST", VPC: vpcID, Subnets: subnetsOf(r, vpcID), Groups: []string{g}}
		if i > 0 {
			v.Version = fmt.Sprint(i)
		}
		f.Versions = append(f.Versions, v)
	}
	r.lean().functions = append(r.lean().functions, f)
}

// addService makes an ECS service that is scaled to zero, in the cluster apps; before are
// the groups of deployments that are not over yet.
func addService(a *account, r *regionState, vpcID, name string, groups []string, before ...[]string) {
	l := r.lean()
	at := slices.IndexFunc(l.clusters, func(c *cluster) bool { return c.Name == "apps" })
	if at < 0 {
		at = len(l.clusters)
		l.clusters = append(l.clusters, &cluster{Name: "apps"})
	}
	service := &ecsService{Name: name, Created: a.Joined.Add(60 * time.Hour), Subnets: subnetsOf(r, vpcID)}
	service.Deployments = append([][]string{groups}, before...)
	l.clusters[at].Services = append(l.clusters[at].Services, service)
}

// leanBySome gives a generated account what its use of a group comes from: the interface
// of an idle function is Lambda's and goes, that of an instance is its scaling group's
// launch template's, and a load balancer has a service behind it that is at zero. A group
// that nothing uses gets nothing.
func leanBySome(a *account, r *regionState, g *securityGroup, maker string) {
	switch maker {
	case "lambda":
		addFunction(a, r, g.VPC, leanName(r, "orders"), g.ID)
	case "instance":
		if chance(g.ID, "scaling group") < 0.5 {
			addTemplate(a, r, leanName(r, "workers"), map[string]any{"SecurityGroupIds": []any{g.ID}})
		}
	case "elb":
		addService(a, r, g.VPC, leanName(r, "web"), []string{g.ID})
	}
}

// leanName makes a name that nothing in the Region has yet.
func leanName(r *regionState, name string) string {
	return name + strings.Repeat("-2", len(r.vpcs)-1)
}
