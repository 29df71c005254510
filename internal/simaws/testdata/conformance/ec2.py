"""EC2: filters, pages, rules and the interfaces of services."""


def run(c):
    ec2 = c.client("ec2", credentials=c.session)
    vpc = next(v for v in ec2.describe_vpcs()["Vpcs"] if v["IsDefault"])
    for filters in ([{"Name": "is-default", "Values": ["true"]}], [{"Name": "cidr-block-association.state", "Values": ["associated"]}, {"Name": "vpc-id", "Values": ["vpc-*"]}],
                    [{"Name": "dhcp-options-id", "Values": [vpc["DhcpOptionsId"]]}]):
        if not any(v["VpcId"] == vpc["VpcId"] for v in ec2.describe_vpcs(Filters=filters)["Vpcs"]):
            c.defects.add(f"DescribeVpcs: {filters} does not find the default VPC")
    if ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["*"]}])["Vpcs"]:
        c.defects.add("DescribeVpcs: a tag that is not there is found")
    c.refused("InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=["vpc-00000000000000000"])
    c.refused("InvalidVpcId.Malformed", ec2.describe_vpcs, VpcIds=["nothing"])
    c.refused("InvalidParameterValue", ec2.describe_vpcs, Filters=[{"Name": "frobnicate", "Values": ["x"]}])
    c.refused("InvalidParameterValue", ec2.describe_security_groups, MaxResults=1001)
    c.refused("InvalidPaginationToken", ec2.describe_security_groups, NextToken="nonsense")
    c.refused("FilterLimitExceeded", ec2.describe_vpcs, Filters=[{"Name": "vpc-id", "Values": ["vpc-%d" % i for i in range(201)]}])

    app = next(g for g in ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}, {"Name": "group-name", "Values": ["a?p"]}])["SecurityGroups"])
    group = app["GroupId"]
    for name, value in (("ip-permission.cidr", "10.0.0.0/8"), ("ip-permission.from-port", "443"), ("ip-permission.protocol", "tcp"), ("egress.ip-permission.protocol", "-1"),
                        ("egress.ip-permission.cidr", "0.0.0.0/*"), ("description", "appl*"), ("owner-id", c.member)):
        if group not in [g["GroupId"] for g in ec2.describe_security_groups(Filters=[{"Name": name, "Values": [value]}])["SecurityGroups"]]:
            c.defects.add(f"DescribeSecurityGroups: {name}={value} does not find {group}")
    if ec2.describe_security_groups(GroupNames=["app"])["SecurityGroups"][0]["GroupId"] != group:
        c.defects.add("DescribeSecurityGroups: a name is not that of a group in the default VPC")
    c.refused("InvalidGroup.NotFound", ec2.describe_security_groups, GroupNames=["nothing"])

    tcp = {"IpProtocol": "tcp", "FromPort": 8443, "ToPort": 8443}
    made = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[dict(tcp, IpRanges=[{"CidrIp": "100.68.0.18/18", "Description": "office (1)"}], Ipv6Ranges=[{"CidrIpv6": "2001:db8::1/32"}],
                                                                                    UserIdGroupPairs=[{"GroupId": group, "Description": "itself"}])],
                                                TagSpecifications=[{"ResourceType": "security-group-rule", "Tags": [{"Key": "team", "Value": "web"}]}])["SecurityGroupRules"]
    if sorted(str(r.get("CidrIpv4") or r.get("CidrIpv6") or r["ReferencedGroupInfo"]["GroupId"]) for r in made) != sorted(["100.68.0.0/18", "2001:db8::/32", group]):
        c.defects.add(f"AuthorizeSecurityGroupIngress: {made}")
    ids = [r["SecurityGroupRuleId"] for r in made]
    found = ec2.describe_security_group_rules(Filters=[{"Name": "tag:team", "Values": ["w?b"]}])["SecurityGroupRules"]
    if sorted(r["SecurityGroupRuleId"] for r in found) != sorted(ids) or {"office (1)", "itself"} - {r.get("Description") for r in found}:
        c.defects.add(f"DescribeSecurityGroupRules: {found}")
    ec2.describe_security_group_rules(SecurityGroupRuleIds=ids[:1])
    pairs = next(p for g in ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"] for p in g["IpPermissions"] if p.get("FromPort") == 8443)["UserIdGroupPairs"]
    if pairs != [{"GroupId": group, "UserId": c.member, "Description": "itself"}]:
        c.defects.add(f"DescribeSecurityGroups: pairs {pairs}")
    one = lambda cidr, **more: dict(dict(tcp, IpRanges=[dict(CidrIp=cidr, **more)]))
    for code, permissions in (("InvalidPermission.Duplicate", [one("100.68.0.0/18")]), ("InvalidParameterValue", [one("9.9.9.9/32"), one("9.9.9.9/32")]), ("InvalidParameterValue", [one("1.2.3.4")]),
                              ("InvalidParameterValue", [one("1.2.3.4/32", Description="a\tb")]), ("InvalidParameterValue", [{"IpProtocol": "tcp", "IpRanges": [{"CidrIp": "1.2.3.4/32"}]}]),
                              ("InvalidParameterValue", [dict(one("1.2.3.4/32"), IpProtocol="carrier-pigeon")]), ("InvalidGroup.NotFound", [dict(tcp, UserIdGroupPairs=[{"GroupId": "sg-00000000000000000"}])]),
                              ("MissingParameter", [tcp])):
        c.refused(code, ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=permissions)
    c.refused("MissingParameter", ec2.authorize_security_group_ingress, IpPermissions=[one("1.2.3.4/32")])
    gone = ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=ids)["RevokedSecurityGroupRules"]
    if sorted(r["SecurityGroupRuleId"] for r in gone) != sorted(ids):
        c.defects.add(f"RevokeSecurityGroupIngress: {gone}")
    c.refused("InvalidSecurityGroupRuleId.NotFound", ec2.revoke_security_group_ingress, GroupId=group, SecurityGroupRuleIds=ids[:1])
    c.refused("InvalidSecurityGroupRuleId.NotFound", ec2.describe_security_group_rules, SecurityGroupRuleIds=ids[:1])

    # One rule beside IpPermissions, as older programs send it.
    ec2.authorize_security_group_ingress(GroupName="app", IpProtocol="6", FromPort=22, ToPort=22, CidrIp="192.0.2.0/24")
    ec2.revoke_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="192.0.2.0/24")
    # 60 rules a direction, IPv4 and IPv6 apart.
    many = lambda n, base=0: [dict(tcp, IpRanges=[{"CidrIp": f"198.18.{base + i}.0/24"} for i in range(n)])]
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=many(59))
    c.refused("RulesPerSecurityGroupLimitExceeded", ec2.authorize_security_group_egress, GroupId=group, IpPermissions=many(1, 100))
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[dict(tcp, Ipv6Ranges=[{"CidrIpv6": "2001:db8::/32"}])])
    rules = list(ec2.get_paginator("describe_security_group_rules").paginate(Filters=[{"Name": "group-id", "Values": [group]}], MaxResults=20))
    if len(rules) < 4 or sum(len(p["SecurityGroupRules"]) for p in rules) != 62:
        c.defects.add(f"DescribeSecurityGroupRules: {[len(p['SecurityGroupRules']) for p in rules]} on its pages")
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=many(59) + [dict(tcp, Ipv6Ranges=[{"CidrIpv6": "2001:db8::/32"}])])

    # Interfaces of every kind, wherever the organization has them.
    kinds = {("interface", "", False, "own"), ("lambda", "AROA", False, "amazon-aws"), ("interface", "amaz", True, "amazon-elb"), ("interface", "amaz", True, "amazon-rds")}
    seen = {}
    for account in (a["Id"] for a in c.accounts if a["State"] == "ACTIVE" and a["Id"] != c.management):
        try:
            keys = c.sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole", RoleSessionName="conformance")["Credentials"]
        except c.ClientError:
            continue  # an account that nobody can enter, or with another role
        if not kinds - set(seen):
            break
        for there, e in [(there, e) for there in (c.client("ec2", region, keys) for region in ("us-east-1", "eu-west-1")) for e in there.describe_network_interfaces()["NetworkInterfaces"]]:
            seen[(e["InterfaceType"], e.get("RequesterId", "").split(":")[0][:4], e["RequesterManaged"], e["Attachment"]["InstanceOwnerId"].replace(account, "own"))] = (there, e)
    if kinds - set(seen):
        c.defects.add(f"DescribeNetworkInterfaces: only {sorted(seen)}")
    for there, e in seen.values():
        wanted = {"subnet-id": e["SubnetId"], "availability-zone": e["AvailabilityZone"], "addresses.private-ip-address": e["PrivateIpAddress"], "requester-managed": str(e["RequesterManaged"]).lower(),
                  "attachment.status": "attached", "description": e["Description"][:4] + "*", "mac-address": e["MacAddress"], "attachment.instance-owner-id": e["Attachment"]["InstanceOwnerId"]}
        found = there.describe_network_interfaces(Filters=[{"Name": k, "Values": [v]} for k, v in wanted.items()])["NetworkInterfaces"]
        if [f["NetworkInterfaceId"] for f in found] != [e["NetworkInterfaceId"]]:
            c.defects.add(f"DescribeNetworkInterfaces: {wanted} finds {found}")
        c.refused("InvalidParameterCombination", there.describe_network_interfaces, NetworkInterfaceIds=[e["NetworkInterfaceId"]], MaxResults=5)
    c.refused("InvalidNetworkInterfaceID.NotFound", ec2.describe_network_interfaces, NetworkInterfaceIds=["eni-00000000000000000"])
    c.refused("DryRunOperation", ec2.describe_regions, DryRun=True)
    if [r["RegionName"] for r in ec2.describe_regions(Filters=[{"Name": "region-name", "Values": ["us-*-2"]}])["Regions"]] != ["us-east-2", "us-west-2"]:
        c.defects.add("DescribeRegions: us-*-2")
