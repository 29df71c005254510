"""IAM: roles and their policies, simulation, service-linked roles."""
import json
import time


def run(c):
    iam = c.client("iam", credentials=c.session)
    password_policy(c, iam)
    config = c.client("config", region="eu-west-3", credentials=c.session)
    account = c.sts.get_caller_identity()["Account"]
    trust = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ssm.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
    name = "conformance"
    role = iam.create_role(RoleName=name, Path="/a/", AssumeRolePolicyDocument=trust, Description="d", MaxSessionDuration=7200, Tags=[{"Key": "k", "Value": "v"}])["Role"]["Arn"]
    c.refused("EntityAlreadyExists", iam.create_role, RoleName=name, AssumeRolePolicyDocument=trust)
    c.refused("MalformedPolicyDocument", iam.create_role, RoleName="other", AssumeRolePolicyDocument="{")
    c.refused("ValidationError", iam.create_role, RoleName="other", Path="a", AssumeRolePolicyDocument=trust)
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
    allow = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]})
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=allow)
    # What a decision rests on is named: an inline policy after its role, a passed one by its place.
    deny = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ec2:DescribeVpcs", "Resource": "*"}]})
    for more, action, want in (([], "ec2:DescribeVpcs", ["role_conformance_p"]), ([deny], "ec2:DescribeVpcs", ["PolicyInputList.1"]), ([], "ec2:RunInstances", [])):
        r = iam.simulate_principal_policy(PolicySourceArn=role, ActionNames=[action], ResourceArns=["arn:aws:ec2:us-east-1:1:vpc/x"], PolicyInputList=more)["EvaluationResults"][0]
        if [m["SourcePolicyId"] for m in r["MatchedStatements"]] != want or r["EvalResourceName"] != "arn:aws:ec2:us-east-1:1:vpc/x":
            c.defects.add(f"SimulatePrincipalPolicy: {action}, {more}: {r}")
    c.refused("MalformedPolicyDocument", iam.put_role_policy, RoleName=name, PolicyName="q", PolicyDocument=trust)
    got = iam.get_role_policy(RoleName=name, PolicyName="p")["PolicyDocument"]
    if got["Statement"][0]["Action"] != "ec2:Describe*":
        c.defects.add(f"GetRolePolicy: another policy came back: {got}")
    c.refused("NoSuchEntity", iam.get_role_policy, RoleName=name, PolicyName="q")
    iam.list_role_policies(RoleName=name)
    iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    c.refused("NoSuchEntity", iam.attach_role_policy, RoleName=name, PolicyArn=f"arn:aws:iam::{account}:policy/none")
    iam.list_attached_role_policies(RoleName=name)
    iam.tag_role(RoleName=name, Tags=[{"Key": "a", "Value": "b"}])
    iam.list_role_tags(RoleName=name)
    iam.untag_role(RoleName=name, TagKeys=["a"])
    iam.get_role(RoleName=name)
    # GetRole says "Policy", as its documentation has it; the model's enum has another word.
    iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary="arn:aws:iam::aws:policy/SecurityAudit")
    iam.list_roles(PathPrefix="/a/")
    page = iam.list_roles(MaxItems=1)
    if page["IsTruncated"]:
        iam.list_roles(MaxItems=1, Marker=page["Marker"])
    c.refused("ValidationError", iam.list_roles, Marker="nonsense")

    def decisions(**more):
        return [r["EvalDecision"] for r in iam.simulate_principal_policy(PolicySourceArn=role, ActionNames=["ec2:DescribeVpcs", "ec2:RunInstances"], **more)["EvaluationResults"]]

    if decisions() != ["allowed", "implicitDeny"]:
        c.defects.add(f"SimulatePrincipalPolicy: {decisions()}")
    deny = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ec2:*", "Resource": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}}]})
    if decisions(PolicyInputList=[deny]) != ["allowed", "implicitDeny"]:
        c.defects.add("SimulatePrincipalPolicy: a condition without its key holds")
    region = [{"ContextKeyName": "aws:RequestedRegion", "ContextKeyValues": ["eu-west-1"], "ContextKeyType": "string"}]
    if decisions(PolicyInputList=[deny], ContextEntries=region) != ["explicitDeny", "explicitDeny"]:
        c.defects.add("SimulatePrincipalPolicy: a condition with its key does not hold")
    iam.simulate_principal_policy(PolicySourceArn=role, ActionNames=["s3:GetObject"], ResourceArns=["arn:aws:s3:::a/b", "arn:aws:s3:::c/d"])
    c.refused("NoSuchEntity", iam.simulate_principal_policy, PolicySourceArn=role + "x", ActionNames=["s3:GetObject"])
    c.refused("InvalidInput", iam.simulate_principal_policy, PolicySourceArn="arn:aws:s3:::bucket-of-some-name", ActionNames=["s3:GetObject"])

    c.refused("DeleteConflict", iam.delete_role, RoleName=name)
    iam.delete_role_permissions_boundary(RoleName=name)
    iam.delete_role_policy(RoleName=name, PolicyName="p")
    c.refused("DeleteConflict", iam.delete_role, RoleName=name)
    iam.detach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    c.refused("NoSuchEntity", iam.detach_role_policy, RoleName=name, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    iam.delete_role(RoleName=name)
    c.refused("NoSuchEntity", iam.delete_role, RoleName=name)

    def ends(task):
        for _ in range(500):
            out = iam.get_service_linked_role_deletion_status(DeletionTaskId=task)
            if out["Status"] != "IN_PROGRESS":
                return out
            time.sleep(0.02)
        raise AssertionError("the deletion never ends")

    linked = "AWSServiceRoleForConfig"
    try:
        iam.create_service_linked_role(AWSServiceName="config.amazonaws.com")
    except iam.exceptions.InvalidInputException:
        pass  # it is there
    c.refused("InvalidInput", iam.create_service_linked_role, AWSServiceName="config.amazonaws.com")
    c.refused("UnmodifiableEntity", iam.delete_role, RoleName=linked)
    linked_arn = iam.get_role(RoleName=linked)["Role"]["Arn"]
    made = not config.describe_configuration_recorders()["ConfigurationRecorders"]
    if made:
        config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": linked_arn})
    out = ends(iam.delete_service_linked_role(RoleName=linked)["DeletionTaskId"])
    if out["Status"] != "FAILED" or not out["Reason"]["RoleUsageList"]:
        c.defects.add(f"DeleteServiceLinkedRole: a role in use: {out}")
    if made:
        config.delete_configuration_recorder(ConfigurationRecorderName="default")
    c.refused("NoSuchEntity", iam.delete_service_linked_role, RoleName="nobody")
    c.refused("NoSuchEntity", iam.get_service_linked_role_deletion_status, DeletionTaskId="task/aws-service-role/x/00000000-0000-0000-0000-000000000000")
    c.client("account", credentials=c.session).get_region_opt_status(RegionName="us-east-1")
    account = c.client("account")
    region = next(r["RegionName"] for r in account.list_regions(AccountId=c.member, RegionOptStatusContains=["DISABLED"])["Regions"])
    account.enable_region(AccountId=c.member, RegionName=region)
    c.refused("ConflictException", account.disable_region, AccountId=c.member, RegionName=region)
    for _ in range(1000):
        if account.get_region_opt_status(AccountId=c.member, RegionName=region)["RegionOptStatus"] == "ENABLED":
            break
        time.sleep(0.02)
    else:
        c.defects.add("EnableRegion: the Region is never on")
    account.disable_region(AccountId=c.member, RegionName=region)
    c.refused("ValidationException", account.disable_region, AccountId=c.member, RegionName="us-east-1")
    ec2 = c.client("ec2", credentials=c.session)
    c.refused("DryRunOperation", ec2.describe_vpcs, DryRun=True)
    c.refused("InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=["vpc-00000000000000000"])
    c.refused("InvalidNetworkInterfaceID.NotFound", ec2.describe_network_interfaces, NetworkInterfaceIds=["eni-00000000000000000"])
    c.refused("InvalidParameterValue", ec2.describe_network_interfaces, Filters=[{"Name": "colour", "Values": ["red"]}])
    if [v for v in ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"] if not v["IsDefault"]]:
        c.defects.add("DescribeVpcs: a filter is not looked at")
    group = next(g["GroupId"] for g in ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["app"]}])["SecurityGroups"])
    rule = [{"IpProtocol": "tcp", "FromPort": 8443, "ToPort": 8443, "IpRanges": [{"CidrIp": "10.1.0.0/16"}]}]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rule)
    c.refused("InvalidPermission.Duplicate", ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=rule)
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rule)
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=rule)
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=rule)
    ec2.describe_launch_template_versions(Versions=["$Latest"])


def password_policy(c, iam):
    try:
        iam.delete_account_password_policy()
    except iam.exceptions.NoSuchEntityException:
        pass
    c.refused("NoSuchEntity", iam.get_account_password_policy)
    c.refused("ValidationError", iam.update_account_password_policy, MaxPasswordAge=1096)
    iam.update_account_password_policy(MinimumPasswordLength=14, MaxPasswordAge=90, PasswordReusePrevention=24, RequireSymbols=True, HardExpiry=False)
    assert iam.get_account_password_policy()["PasswordPolicy"]["ExpirePasswords"] is True
    iam.delete_account_password_policy()
    c.refused("NoSuchEntity", iam.delete_account_password_policy)
