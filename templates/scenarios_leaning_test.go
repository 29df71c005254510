package templates

import "fmt"

// leaningScenarios are those about who leans on a default security group without an
// interface in it: launch templates, ECS services, rules on the other side of a peering.
func leaningScenarios() []scenario {
	const versions, references = "describe_launch_template_versions", "describe_security_group_references"
	version := func(number int, data map[string]any) any {
		return item("LaunchTemplateId", "lt-1", "VersionNumber", number, "LaunchTemplateData", data)
	}
	template := func(data map[string]any) world {
		return world{Group: open(), Pages: map[string][][]any{versions: {{version(1, data)}}}}
	}
	// card is a network interface of a launch template.
	card := func(pairs ...any) map[string]any { return item("NetworkInterfaces", []any{item(pairs...)}) }
	elsewhere := func(w world) world {
		w.VPC = item("VpcId", "vpc-1", "IsDefault", false)
		return w
	}
	bare := func(w world) world { // a VPC without subnets
		w.Pages["describe_subnets"] = [][]any{{}}
		return w
	}
	// Version 1 is the default one, 4 the newest; between them the group was named.
	pinned := func(middle ...any) world {
		other := item("SecurityGroupIds", []any{"sg-9"})
		return world{Group: open(), Pages: map[string][][]any{
			versions:           {{version(4, other)}, {version(1, other)}},
			versions + "/lt-1": {{version(4, other)}, middle, {version(1, other)}},
		}}
	}
	named := item("SecurityGroupIds", []any{group})

	arn := func(cluster string, n int) string {
		return fmt.Sprintf("arn:aws:ecs:eu-west-1:111122223333:service/%s/s-%d", cluster, n)
	}
	network := func(groups []any, subnets ...any) map[string]any {
		c := item("subnets", subnets, "assignPublicIp", "DISABLED")
		if groups != nil {
			c["securityGroups"] = groups
		}
		return item("awsvpcConfiguration", c)
	}
	// ecs has a service in the second cluster, after others: each list has two pages, and
	// the services of one cluster are more than are described at once.
	ecs := func(service map[string]any, failures ...string) world {
		w := world{Group: open(), Services: map[string]any{}, Failures: map[string]string{}, Pages: map[string][][]any{
			"list_clusters": {{"arn:aws:ecs:eu-west-1:111122223333:cluster/first"}, {"arn:aws:ecs:eu-west-1:111122223333:cluster/prod"}},
		}}
		var pages [][]any
		for n := range 12 {
			w.Services[arn("prod", n)] = item("serviceName", fmt.Sprint("s-", n), "status", "ACTIVE", "desiredCount", 2, "networkConfiguration", network([]any{"sg-9"}, "subnet-1"))
			if n%6 == 0 {
				pages = append(pages, nil)
			}
			pages[len(pages)-1] = append(pages[len(pages)-1], arn("prod", n))
		}
		w.Pages["list_services/arn:aws:ecs:eu-west-1:111122223333:cluster/prod"] = pages
		if service != nil {
			w.Services[arn("prod", 11)] = item("serviceName", "web", "status", "ACTIVE", "desiredCount", 0)
			for k, v := range service {
				w.Services[arn("prod", 11)].(map[string]any)[k] = v
			}
		}
		for _, reason := range failures {
			w.Failures[arn("prod", 3)] = reason
		}
		return w
	}
	in := network([]any{"sg-9", group}, "subnet-1")
	const both = "put_object revoke_security_group_ingress revoke_security_group_egress"
	left := func(name string, w world, reasons string) scenario {
		return scenario{name: name, world: w, ends: StepLeaveInUse, reasons: reasons}
	}
	taken := func(name string, w world) scenario {
		return scenario{name: name, world: w, ends: StepVerify, changes: both}
	}
	broken := func(name string, w world, call, err string) scenario {
		w.Deny = call
		return scenario{name: name, world: w, ends: "Examine", err: err}
	}
	return []scenario{
		left("launch template", template(named), "launch template lt-1 names it in version 1"),
		left("launch template's interface", template(item("NetworkInterfaces", []any{item("Groups", []any{"sg-9"}), item("Groups", []any{group})})), "lt-1 names it"),
		left("launch template by name", template(item("SecurityGroups", []any{"default"})), "lt-1 names default in version 1"),
		taken("launch template by name, in another VPC", elsewhere(template(item("SecurityGroups", []any{"default"})))),
		taken("launch template by another name", template(item("SecurityGroups", []any{"web"}))),
		taken("another's launch template", template(item("SecurityGroupIds", []any{"sg-9"}))),
		left("launch template without a group", elsewhere(template(item("ImageId", "ami-1"))), "lt-1 names no group in version 1"),
		left("launch template without data", template(nil), "lt-1 names no group"),
		taken("launch template without a group, no subnets", bare(template(item("ImageId", "ami-1")))),
		left("card without a group", template(card("DeviceIndex", 0)), "lt-1 names no group"),
		taken("card without a group, no subnets", bare(template(card("DeviceIndex", 0)))),
		left("card in the VPC", template(card("SubnetId", "subnet-1")), "lt-1 names no group"),
		taken("card in another VPC", template(card("SubnetId", "subnet-9"))),
		taken("card of an interface", template(card("NetworkInterfaceId", "eni-1"))),
		taken("card with another group", template(card("SubnetId", "subnet-1", "Groups", []any{"sg-9"}))),
		left("second card", template(item("NetworkInterfaces", []any{item("Groups", []any{"sg-9"}), item("SubnetId", "subnet-1")})), "lt-1 names no group"),
		left("older version", pinned(version(3, item("SecurityGroupIds", []any{"sg-9"})), version(2, named)), "launch template lt-1 names it in version 2"),
		left("older versions", pinned(version(3, named), version(2, named)), "launch template lt-1 names it in version 3 and 1 more"),
		left("older versions, in two ways", pinned(version(3, item("SecurityGroups", []any{"default"})), version(2, named)),
			"launch template lt-1 names default in version 3; launch template lt-1 names it in version 2"),
		taken("older versions of others", pinned(version(3, item("SecurityGroupIds", []any{"sg-9"})))),
		left("subnet on the last page", world{Group: open(), Pages: map[string][][]any{
			"describe_subnets": {{item("SubnetId", "subnet-0")}, {item("SubnetId", "subnet-7")}}, versions: {{version(1, card("SubnetId", "subnet-7"))}},
		}}, "lt-1 names no group"),

		left("peered VPC", world{Group: open(), Pages: map[string][][]any{references: {{item("GroupId", group, "ReferencingVpcId", "vpc-9", "VpcPeeringConnectionId", "pcx-1")}}}}, "rule in vpc-9 over pcx-1"),
		left("transit gateway", world{Group: open(), Pages: map[string][][]any{references: {{item("GroupId", group, "ReferencingVpcId", "vpc-9", "TransitGatewayId", "tgw-1")}}}}, "rule in vpc-9 over tgw-1"),

		taken("no clusters", world{Group: open(), Pages: map[string][][]any{"list_clusters": {{}}}}),
		taken("clusters without services", world{Group: open(), Pages: map[string][][]any{"list_clusters": {{"arn:aws:ecs:eu-west-1:111122223333:cluster/empty"}}}}),
		taken("others' services", ecs(nil)),
		left("service at zero", ecs(item("networkConfiguration", in)), "ECS service prod/web names it, desired count 0"),
		left("service without a group", ecs(item("networkConfiguration", network(nil, "subnet-9", "subnet-1"))), "ECS service prod/web names no group, desired count 0"),
		taken("service without a group, elsewhere", ecs(item("networkConfiguration", network(nil, "subnet-9")))),
		taken("service on its hosts' network", ecs(item("taskDefinition", "web:1"))),
		left("deployment under way", ecs(item("deployments", []any{item("status", "PRIMARY"), item("status", "ACTIVE", "networkConfiguration", in)})), "ECS service prod/web names it"),
		left("task set", ecs(item("taskSets", []any{item("networkConfiguration", in)})), "ECS service prod/web names it"),
		left("service on its way out", ecs(item("networkConfiguration", in, "status", "DRAINING")), "ECS service prod/web"),
		taken("service that is gone", ecs(item("networkConfiguration", in, "status", "INACTIVE"))),
		taken("service that went meanwhile", ecs(nil, "MISSING")),
		broken("service that cannot be described", ecs(nil, "ACCESS_DENIED"), "", arn("prod", 3)+" was not described: ACCESS_DENIED"),
		{name: "service, taken anyway", given: map[string]string{"InUse": "Empty"}, world: ecs(item("networkConfiguration", in)), ends: StepVerify, changes: both},

		broken("ECS is refused", world{Group: open()}, "list_clusters", "AccessDenied: list_clusters"),
		broken("services are refused", ecs(nil), "list_services", "AccessDenied: list_services"),
		broken("descriptions are refused", ecs(nil), "describe_services", "AccessDenied: describe_services"),
		broken("references are refused", world{Group: open()}, references, "AccessDenied: "+references),
		broken("launch templates are refused", world{Group: open()}, versions, "AccessDenied: "+versions),
		broken("subnets are refused", world{Group: open()}, "describe_subnets", "AccessDenied: describe_subnets"),
		broken("VPCs are refused", world{Group: open()}, "describe_vpcs", "AccessDenied: describe_vpcs"),
	}
}
