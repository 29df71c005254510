"""Who may do what: the organization's own calls, service control policies, roles."""
import json

LINES = ("ORG-04", "ORG-09", "ORG-10", "IAM-01", "IAM-02", "IAM-03")


def document(effect, actions):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": actions, "Resource": "*"}]})


def run(c):
    organization(c)
    control_policies(c)
    identities(c)


def says(c, line, code, text, call, **members):
    """A refusal has AWS's code and names what refused."""
    try:
        call(**members)
        c.defects.add(f"{line}: {call.__name__} answered, want {code}: {text}")
    except c.ClientError as e:
        if e.response["Error"]["Code"] != code or text not in e.response["Error"]["Message"]:
            c.defects.add(f"{line}: {call.__name__}: {e.response['Error']}, want {code}: {text}")


def organization(c):
    """ORG-04: a delegated administrator reads and never writes; ORG-06: a move shows at once."""
    org, theirs = c.org, c.client("organizations", credentials=c.session)
    root, principal = c.root["Id"], "access-analyzer.amazonaws.com"
    c.refused("AccessDeniedException", theirs.list_accounts)
    org.enable_aws_service_access(ServicePrincipal=principal)
    org.register_delegated_administrator(AccountId=c.member, ServicePrincipal=principal)
    theirs.list_accounts()
    c.refused("AccessDeniedException", theirs.create_organizational_unit, ParentId=root, Name="Theirs")
    org.deregister_delegated_administrator(AccountId=c.member, ServicePrincipal=principal)
    org.disable_aws_service_access(ServicePrincipal=principal)
    c.refused("AccessDeniedException", theirs.list_accounts)
    # ORG-05 and ORG-06: what is written is read by the next call.
    parent = org.list_parents(ChildId=c.member)["Parents"][0]["Id"]
    org.move_account(AccountId=c.member, SourceParentId=parent, DestinationParentId=root)
    path = org.describe_account(AccountId=c.member)["Account"]["Paths"][0]
    if not path.endswith(f"/{root}/{c.member}/") or c.member not in [a["Id"] for p in org.get_paginator("list_accounts_for_parent").paginate(ParentId=root) for a in p["Accounts"]]:
        c.defects.add(f"ORG-06: after a move Paths is {path}")
    org.move_account(AccountId=c.member, SourceParentId=root, DestinationParentId=parent)
    if parent not in org.describe_account(AccountId=c.member)["Account"]["Paths"][0]:
        c.defects.add("ORG-06: an account that moved back has its old path")


def control_policies(c):
    """ORG-09, ORG-10: each level has to allow, none may deny, never the management account."""
    org, scp = c.org, "SERVICE_CONTROL_POLICY"
    there, above = c.client("ec2", credentials=c.session), c.client("ec2")
    make = lambda name, text: org.create_policy(Name=name, Description="", Type=scp, Content=text)["Policy"]["PolicySummary"]["Id"]
    deny, only = make("authorization-deny", document("Deny", "ec2:DescribeVpcs")), make("authorization-only", document("Allow", "iam:*"))
    parent = org.list_parents(ChildId=c.member)["Parents"][0]["Id"]
    for level in (c.member, parent, c.root["Id"]):
        org.attach_policy(PolicyId=deny, TargetId=level)
        says(c, "ORG-10", "UnauthorizedOperation", "with an explicit deny in a service control policy", there.describe_vpcs)
        above.describe_vpcs()
        org.detach_policy(PolicyId=deny, TargetId=level)
        there.describe_vpcs()
    for level in (c.member, parent):
        org.attach_policy(PolicyId=only, TargetId=level)
        there.describe_vpcs()
        org.detach_policy(PolicyId="p-FullAWSAccess", TargetId=level)
        says(c, "ORG-10", "UnauthorizedOperation", "no service control policy allows the ec2:DescribeVpcs action", there.describe_vpcs)
        org.attach_policy(PolicyId="p-FullAWSAccess", TargetId=level)
        org.detach_policy(PolicyId=only, TargetId=level)
        there.describe_vpcs()
    org.delete_policy(PolicyId=deny)
    org.delete_policy(PolicyId=only)
    # IAM is called in us-east-1, from wherever (IAM user guide, aws:RequestedRegion).
    elsewhere = {"Effect": "Deny", "Action": ["iam:ListRoles", "ec2:DescribeVpcs"], "Resource": "*", "Condition": {"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}}
    home = make("authorization-home", json.dumps({"Version": "2012-10-17", "Statement": [elsewhere]}))
    org.attach_policy(PolicyId=home, TargetId=c.member)
    c.client("iam", "eu-west-1", credentials=c.session).list_roles()
    says(c, "ORG-10", "UnauthorizedOperation", "with an explicit deny in a service control policy", c.client("ec2", "eu-west-1", credentials=c.session).describe_vpcs)
    org.detach_policy(PolicyId=home, TargetId=c.member)
    org.delete_policy(PolicyId=home)


def identities(c):
    """IAM-01 to IAM-03: identity, boundary and session policies all allow, none denies, at once."""
    iam, name = c.client("iam", credentials=c.session), "authorization"
    trust = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{c.management}:root"}, "Action": "sts:AssumeRole"}]})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    enter = lambda **more: c.client("ec2", credentials=c.sts.assume_role(RoleArn=role, RoleSessionName=name, **more)["Credentials"])
    as_role, limited = enter(), enter(Policy=document("Allow", "iam:*"))
    denied = lambda ec2, text: says(c, "IAM-02", "UnauthorizedOperation", text, ec2.describe_vpcs)
    denied(as_role, "no identity-based policy allows the ec2:DescribeVpcs action")
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document("Allow", "ec2:Describe*"))
    as_role.describe_vpcs()
    denied(limited, "no session policy allows the ec2:DescribeVpcs action")
    denied(enter(Policy=document("Deny", "ec2:*")), "with an explicit deny in a session policy")
    iam.put_role_policy(RoleName=name, PolicyName="q", PolicyDocument=document("Deny", "ec2:DescribeVpcs"))
    denied(limited, "with an explicit deny in an identity-based policy")
    denied(as_role, "with an explicit deny in an identity-based policy")
    iam.delete_role_policy(RoleName=name, PolicyName="q")
    as_role.describe_vpcs()
    # A boundary that allows reading leaves no writing to a role that may do all.
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document("Allow", "*"))
    tag = dict(Resources=[as_role.describe_vpcs()["Vpcs"][0]["VpcId"]], Tags=[{"Key": "a", "Value": "b"}])
    as_role.create_tags(**tag)
    iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary="arn:aws:iam::aws:policy/SecurityAudit")
    as_role.describe_vpcs()
    says(c, "IAM-02", "UnauthorizedOperation", "no permissions boundary allows the ec2:CreateTags action", as_role.create_tags, **tag)
    iam.delete_role_permissions_boundary(RoleName=name)
    as_role.create_tags(**tag)
    iam.delete_role_policy(RoleName=name, PolicyName="p")
    iam.delete_role(RoleName=name)
