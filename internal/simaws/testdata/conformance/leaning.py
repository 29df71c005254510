"""Who leans on a security group without an interface in it: launch templates, functions,
ECS services, rules of peers. The account that the session enters has one of each kind in
us-west-2."""


def run(c):
    def there(service, region="us-west-2"):
        return c.client(service, region, c.session)

    ec2, ecs, functions = there("ec2"), there("ecs"), there("lambda")
    want = lambda what, got, expected: got == expected or c.defects.add(f"{what}: {got}, want {expected}")
    groups = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])["SecurityGroups"]
    ids = {g["GroupId"] for g in groups}

    # Subnets: one a zone of each VPC, with a page for each VPC of the Region.
    vpcs = ec2.describe_vpcs()["Vpcs"]
    pages = list(ec2.get_paginator("describe_subnets").paginate(MaxResults=5))
    subnets = [s for p in pages for s in p["Subnets"]]
    want("DescribeSubnets", (len(subnets), len(pages)), (3 * len(vpcs), (3 * len(vpcs) + 4) // 5))
    for v in vpcs:
        own = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [v["VpcId"]]}, {"Name": "default-for-az", "Values": [str(v["IsDefault"]).lower()]}])["Subnets"]
        want(f"DescribeSubnets of {v['VpcId']}", {s["CidrBlock"].split(".")[0] for s in own}, {v["CidrBlock"].split(".")[0]})
        want("zones", len({s["AvailabilityZone"] for s in own}), 3)
    for e in ec2.describe_network_interfaces()["NetworkInterfaces"]:
        s = ec2.describe_subnets(SubnetIds=[e["SubnetId"]])["Subnets"][0]
        want("an interface's subnet", (s["VpcId"], s["AvailabilityZone"]), (e["VpcId"], e["AvailabilityZone"]))
        if s["AvailableIpAddressCount"] >= 4091:
            c.defects.add(f"DescribeSubnets: {e['NetworkInterfaceId']} takes no address of {s['SubnetId']}")
    c.refused("InvalidSubnetID.NotFound", ec2.describe_subnets, SubnetIds=["subnet-00000000000000000"])
    c.refused("InvalidParameterValue", ec2.describe_subnets, Filters=[{"Name": "colour", "Values": ["red"]}])

    # Launch templates: newest and default ones of all, every version of one.
    def versions(**members):
        return [v for p in ec2.get_paginator("describe_launch_template_versions").paginate(**members) for v in p["LaunchTemplateVersions"]]

    newest = versions(Versions=["$Latest"], PaginationConfig={"PageSize": 2})
    both = versions(Versions=["$Latest", "$Default"], MaxResults=200)
    names = {v["LaunchTemplateName"] for v in newest}
    want("templates", {"launch-template", "launch-template-by-name", "launch-template-card", "launch-template-version", "launch-template-without-group"} <= names, True)
    want("the newest and the default ones", {(v["LaunchTemplateName"], v["VersionNumber"]) for v in both},
         {(v["LaunchTemplateName"], v["VersionNumber"]) for v in newest} | {(n, 1) for n in names})
    data = {v["LaunchTemplateName"]: v["LaunchTemplateData"] for v in newest}
    want("by id", set(data["launch-template"]["SecurityGroupIds"]) <= ids, True)
    want("by name", data["launch-template-by-name"]["SecurityGroups"], ["default"])
    want("by a card", set(data["launch-template-card"]["NetworkInterfaces"][0]["Groups"]) <= ids, True)
    want("without", {"SecurityGroups", "SecurityGroupIds", "NetworkInterfaces"} & set(data["launch-template-without-group"]), set())
    pinned = next(v["LaunchTemplateId"] for v in newest if v["LaunchTemplateName"] == "launch-template-version")
    all_of_it = versions(LaunchTemplateId=pinned, MaxResults=1)
    want("all versions", [(v["VersionNumber"], v["DefaultVersion"]) for v in all_of_it], [(3, False), (2, False), (1, True)])
    want("the one between", set(all_of_it[1]["LaunchTemplateData"]["SecurityGroupIds"]) <= ids, True)
    want("versions by number", [v["VersionNumber"] for v in versions(LaunchTemplateName="launch-template-version", Versions=["2", "$Default"])], [2, 1])
    want("a range", [v["VersionNumber"] for v in versions(LaunchTemplateId=pinned, MinVersion="2", MaxVersion="2")], [2])
    want("the default one", [v["VersionNumber"] for v in versions(LaunchTemplateId=pinned, Filters=[{"Name": "is-default-version", "Values": ["true"]}])], [1])
    describe = ec2.describe_launch_template_versions
    c.refused("MissingParameter", describe)
    c.refused("InvalidParameterValue", describe, Versions=["1"])
    c.refused("InvalidParameterValue", describe, Versions=["$Latest"], MaxResults=201)
    c.refused("InvalidParameterValue", describe, Versions=["$Latest"], MaxResults=0)
    c.refused("InvalidPaginationToken", describe, Versions=["$Latest"], NextToken="nonsense")
    c.refused("InvalidLaunchTemplateId.NotFound", describe, LaunchTemplateId="lt-00000000000000000")
    c.refused("InvalidLaunchTemplateId.Malformed", describe, LaunchTemplateId="nonsense")
    c.refused("InvalidLaunchTemplateName.NotFoundException", describe, LaunchTemplateName="nonsense")
    c.refused("InvalidLaunchTemplateId.VersionNotFound", describe, LaunchTemplateId=pinned, Versions=["4"])

    # Rules of peers.
    references = ec2.describe_security_group_references(GroupId=sorted(ids))["SecurityGroupReferenceSet"]
    want("references", {(r["GroupId"], "VpcPeeringConnectionId" in r, "TransitGatewayId" in r) for r in references}, {(g, k, not k) for g in ids for k in (True, False)})
    c.refused("InvalidGroup.NotFound", ec2.describe_security_group_references, GroupId=["sg-00000000000000000"])
    c.refused("DryRunOperation", ec2.describe_security_group_references, GroupId=sorted(ids), DryRun=True)

    # Functions: published versions only when asked for.
    def listed(**members):
        return [f for p in functions.get_paginator("list_functions").paginate(**members) for f in p["Functions"]]

    unpublished, published = listed(), listed(FunctionVersion="ALL", PaginationConfig={"PageSize": 1})
    want("functions", {f["Version"] for f in unpublished}, {"$LATEST"})
    want("versions of functions", sorted(f["Version"] for f in published if f["FunctionName"] == "function-version"), ["$LATEST", "1"])
    uses = {f["FunctionName"]: [g for v in published if v["FunctionName"] == f["FunctionName"] for g in v["VpcConfig"]["SecurityGroupIds"]] for f in unpublished}
    want("functions' groups", [bool(ids & set(uses[n])) for n in ("function", "function-version")], [True, True])
    c.refused("ValidationException", functions.list_functions, MaxItems=10001)
    c.refused("InvalidParameterValueException", functions.list_functions, Marker="nonsense")

    # ECS: clusters, their services, and what those are.
    clusters = [a for p in ecs.get_paginator("list_clusters").paginate() for a in p["clusterArns"]]
    want("clusters", [a.split("/")[-1] for a in clusters], ["apps"])
    arns = [a for p in ecs.get_paginator("list_services").paginate(cluster=clusters[0], PaginationConfig={"PageSize": 1}) for a in p["serviceArns"]]
    answer = ecs.describe_services(cluster="apps", services=arns[:9] + ["nobody"])
    want("failures", [(f["arn"].split("/")[-1], f["reason"]) for f in answer["failures"]], [("nobody", "MISSING")])
    by_name = {s["serviceName"]: s for s in answer["services"]}
    network = lambda part: part["networkConfiguration"]["awsvpcConfiguration"]
    want("desired counts", {s["desiredCount"] for s in by_name.values()}, {0})
    want("a service's group", set(network(by_name["ecs-service"])["securityGroups"]) <= ids, True)
    want("no group", network(by_name["ecs-service-without-group"])["securityGroups"], [])
    want("its subnets", set(network(by_name["ecs-service-without-group"])["subnets"]) <= {s["SubnetId"] for s in subnets}, True)
    old = by_name["ecs-deployment"]
    want("deployments", [(d["status"], bool(ids & set(network(d)["securityGroups"]))) for d in old["deployments"]], [("PRIMARY", False), ("ACTIVE", True)])
    c.refused("ClusterNotFoundException", ecs.list_services)
    c.refused("ClusterNotFoundException", ecs.describe_services, services=arns[:1])
    c.refused("InvalidParameterException", ecs.describe_services, cluster="apps", services=[])
    c.refused("InvalidParameterException", ecs.describe_services, cluster="apps", services=["x"] * 11)
    c.refused("InvalidParameterException", ecs.list_clusters, maxResults=101)
    c.refused("InvalidParameterException", ecs.list_clusters, nextToken="nonsense")

    # A Region that is off in the account knows no credentials.
    for service, call in (("ecs", "list_clusters"), ("lambda", "list_functions")):
        c.refused("UnrecognizedClientException", getattr(there(service, "il-central-1"), call))
