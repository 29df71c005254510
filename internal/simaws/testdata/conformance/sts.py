"""STS: lengths of sessions, chains of roles, session policies, tags and source identity."""
import json


def run(c):
    iam, sts = c.client("iam", credentials=c.session), c.sts
    trust = lambda *actions: json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": [f"arn:aws:iam::{c.management}:root", f"arn:aws:iam::{c.member}:root"]}, "Action": list(actions)}]})
    allow = lambda actions, **more: json.dumps({"Version": "2012-10-17", "Statement": [dict({"Effect": "Allow", "Action": actions, "Resource": "*"}, **more)]})
    arn = {}
    for name, actions in (("tagged", ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")), ("plain", ("sts:AssumeRole",))):
        arn[name] = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(*actions), MaxSessionDuration=7200)["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="chain", PolicyDocument=allow(["sts:*"]))
    iam.put_role_policy(RoleName="tagged", PolicyName="by-tag", PolicyDocument=allow("ec2:DescribeVpcs", Condition={"StringEquals": {"aws:PrincipalTag/Team": "web", "aws:SourceIdentity": "alice"}}))
    tag = lambda **tags: [{"Key": k, "Value": v} for k, v in tags.items()]

    def assume(name, of=sts, **more):
        return of.assume_role(RoleArn=arn[name], RoleSessionName="conformance", **more)

    def denied(name, code, of=sts, **more):
        c.refused(code, of.assume_role, RoleArn=arn[name], RoleSessionName="conformance", **more)

    # Lengths: the role's own is two hours; a chain has one, whatever the role has.
    assume("tagged", DurationSeconds=7200)
    denied("tagged", "ValidationError", DurationSeconds=7201)
    denied("tagged", "ValidationError", DurationSeconds=43201)
    chain = c.client("sts", credentials=c.session)
    denied("tagged", "ValidationError", of=chain, DurationSeconds=3601)
    assume("tagged", of=chain, DurationSeconds=3600)

    # Tags and source identity need permissions of their own in the trust policy.
    denied("plain", "AccessDenied", Tags=tag(Team="web"))
    denied("plain", "AccessDenied", SourceIdentity="alice")
    denied("tagged", "InvalidParameterValue", Tags=tag(Team="web", team="db"))
    denied("tagged", "ValidationError", Tags=tag(**{"aws:x": "y"}))
    denied("tagged", "ValidationError", Tags=[{"Key": f"k{i}", "Value": ""} for i in range(51)])
    denied("tagged", "ValidationError", SourceIdentity="a b")
    denied("tagged", "InvalidParameterValue", Tags=tag(Team="web"), TransitiveTagKeys=["Other"])
    denied("tagged", "PackedPolicyTooLarge", Tags=[{"Key": f"T{i}", "Value": "a" * 250} for i in range(9)])
    got = assume("tagged", Tags=tag(Team="web", Cost="1"), TransitiveTagKeys=["Team"], SourceIdentity="alice", Policy=allow("*"))
    if got.get("SourceIdentity") != "alice" or not 0 < got.get("PackedPolicySize", 0) < 100:
        c.defects.add(f"AssumeRole: {got}")
    c.client("ec2", credentials=got["Credentials"]).describe_vpcs()
    c.refused("UnauthorizedOperation", c.client("ec2", credentials=assume("tagged", Tags=tag(Team="web"))["Credentials"]).describe_vpcs)

    # Along a chain transitive tags and the source identity stay.
    next_ = c.client("sts", credentials=got["Credentials"])
    denied("tagged", "InvalidParameterValue", of=next_, Tags=tag(team="db"))
    denied("tagged", "AccessDenied", of=next_, SourceIdentity="bob")
    denied("plain", "AccessDenied", of=next_)
    chained = assume("tagged", of=next_)
    if chained.get("SourceIdentity") != "alice":
        c.defects.add(f"AssumeRole: a chain lost its source identity: {chained}")
    c.client("ec2", credentials=chained["Credentials"]).describe_vpcs()

    # Session policies: those that are named count with the one that is given.
    iam.attach_role_policy(RoleName="plain", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    narrow = c.client("ec2", credentials=assume("plain", PolicyArns=[{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}])["Credentials"])
    groups = narrow.describe_security_groups()["SecurityGroups"]
    c.refused("UnauthorizedOperation", narrow.authorize_security_group_ingress, GroupId=groups[0]["GroupId"], IpProtocol="tcp", FromPort=1, ToPort=1, CidrIp="192.0.2.0/24")
    denied("plain", "MalformedPolicyDocument", PolicyArns=[{"arn": f"arn:aws:iam::{c.member}:policy/none"}])
    denied("plain", "MalformedPolicyDocument", Policy="{")
    denied("plain", "ValidationError", Policy=allow("*", Sid="a" * 2048))
    denied("plain", "ValidationError", PolicyArns=[{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}] * 11)
    for name in arn:
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.detach_role_policy(RoleName="plain", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    for name in arn:
        iam.delete_role(RoleName=name)
