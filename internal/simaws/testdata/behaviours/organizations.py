"""Organizations."""
from behaviours import equal, line, refused, until

SCP = "SERVICE_CONTROL_POLICY"


@line("ORG-01")
def pages_of_twenty(sim):
    org, root = sim.org, sim.root
    for call, members in ((org.list_accounts, {}), (org.list_roots, {}), (org.list_accounts_for_parent, {"ParentId": root}), (org.list_organizational_units_for_parent, {"ParentId": root}),
                          (org.list_children, {"ParentId": root, "ChildType": "ACCOUNT"}), (org.list_policies, {"Filter": SCP}), (org.list_delegated_administrators, {}),
                          (org.list_aws_service_access_for_organization, {}), (org.list_create_account_status, {}), (org.list_targets_for_policy, {"PolicyId": "p-FullAWSAccess"})):
        try:
            call(MaxResults=21, **members)
            raise AssertionError(f"{call.__name__} takes MaxResults 21")
        except org.exceptions.InvalidInputException as e:
            equal(e.response["Reason"], "MAX_VALUE_EXCEEDED", call.__name__)
    equal(len(org.list_accounts()["Accounts"]), 20, "accounts of a page")
    equal(len(org.list_targets_for_policy(PolicyId="p-FullAWSAccess")["Targets"]), 20, "targets of a page")
    equal(len(org.list_accounts(MaxResults=7)["Accounts"]), 7, "accounts of a page of seven")


@line("ORG-02", on="pages")
def pages_without_anything(sim):
    org = sim.org
    first = org.list_accounts()
    equal((first["Accounts"], bool(first.get("NextToken"))), ([], True), "the first page")
    equal(len([a for p in org.get_paginator("list_accounts").paginate() for a in p["Accounts"]]), 30, "accounts of all pages")


@line("ORG-03")
def what_breaks_the_model(sim):
    org, root = sim.org, sim.root
    for reason, call, members in (("INPUT_REQUIRED", org.describe_account, {}), ("INVALID_PATTERN", org.describe_account, {"AccountId": "1"}), ("INVALID_ENUM", org.list_policies, {"Filter": "NO_POLICY"}),
                                  ("MAX_LENGTH_EXCEEDED", org.create_organizational_unit, {"ParentId": root, "Name": "x" * 129}), ("MIN_LENGTH_EXCEEDED", org.create_organizational_unit, {"ParentId": root, "Name": ""}),
                                  ("MIN_VALUE_EXCEEDED", org.list_accounts, {"MaxResults": 0}), ("INVALID_NEXT_TOKEN", org.list_accounts, {"NextToken": "nothing"})):
        try:
            call(**members)
            raise AssertionError(f"{call.__name__} takes {members}")
        except org.exceptions.InvalidInputException as e:
            equal((e.response["ResponseMetadata"]["HTTPStatusCode"], e.response["Reason"]), (400, reason), f"{call.__name__} {members}")


@line("ORG-05", "ORG-06")
def at_once(sim):
    account = sim.account()
    with sim.paused():
        ou = sim.ou("At once")
        assert ou in [o["Id"] for p in sim.org.get_paginator("list_organizational_units_for_parent").paginate(ParentId=sim.root) for o in p["OrganizationalUnits"]], "a new OU is not listed"
        sim.move(account, ou)
        path = f"/{sim.root}/{ou}/{account}/"
        for found in (sim.org.describe_account(AccountId=account)["Account"], sim.org.list_accounts_for_parent(ParentId=ou)["Accounts"][0], next(a for a in sim.accounts() if a["Id"] == account)):
            equal((found["Id"], found["Paths"][0].endswith(path)), (account, True), "a moved account")


@line("ORG-06")
def stack_sets_are_told(sim):
    account, ou = sim.account(), sim.ou("Told")
    sim.stack_set("told", {"Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}, AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": False})
    sim.ended("told", sim.cfn.create_stack_instances(StackSetName="told", DeploymentTargets={"OrganizationalUnitIds": [ou]}, Regions=["us-east-1"])["OperationId"])
    sim.move(account, ou)
    until("the instance of an account that came", lambda: [i["Account"] for i in sim.cfn.list_stack_instances(StackSetName="told")["Summaries"]] == [account])


@line("ORG-07")
def an_account_that_is_closed(sim):
    account = sim.account()
    state = lambda: sim.org.describe_account(AccountId=account)["Account"]["State"]
    with sim.paused():
        sim.org.close_account(AccountId=account)
        equal(state(), "PENDING_CLOSURE", "at once")
    until("the end of it", lambda: state() != "PENDING_CLOSURE")
    equal(state(), "SUSPENDED", "then")


@line("ORG-08")
def from_where_it_is_not(sim):
    account, here, there = sim.account(), sim.ou("Here"), sim.ou("There")
    refused("AccountNotFoundException", sim.org.move_account, "", 400, AccountId=account, SourceParentId=here, DestinationParentId=there)


@line("ORG-11")
def a_type_is_switched(sim):
    kind = "BACKUP_POLICY"
    status = lambda: {t["Type"]: t["Status"] for t in sim.org.list_roots()["Roots"][0]["PolicyTypes"]}.get(kind)
    policy = sim.org.create_policy(Name="backups", Description="", Type=kind, Content="{}")["Policy"]["PolicySummary"]["Id"]
    attach = {"PolicyId": policy, "TargetId": sim.account()}
    on = lambda: sim.org.list_policies_for_target(TargetId=attach["TargetId"], Filter=kind)["Policies"]
    with sim.paused():
        sim.org.enable_policy_type(RootId=sim.root, PolicyType=kind)
        equal(status(), "PENDING_ENABLE", "at once")
        refused("PolicyTypeNotEnabledException", sim.org.attach_policy, "", 400, **attach)
        refused("PolicyChangesInProgressException", sim.org.disable_policy_type, "", 400, RootId=sim.root, PolicyType=kind)
    until("the end of it", lambda: status() == "ENABLED")
    sim.org.attach_policy(**attach)
    with sim.paused():
        sim.org.disable_policy_type(RootId=sim.root, PolicyType=kind)
        equal((status(), len(on())), ("PENDING_DISABLE", 1), "at once")
    until("the end of it", lambda: status() is None)
    equal(on(), [], "what was attached")


@line("ORG-12")
def resources_are_kept(sim):
    kind, account, other = "RESOURCE_CONTROL_POLICY", sim.account(), sim.account()
    status = lambda: {t["Type"]: t["Status"] for t in sim.org.list_roots()["Roots"][0]["PolicyTypes"]}.get(kind)
    sim.org.enable_policy_type(RootId=sim.root, PolicyType=kind)
    until("the type", lambda: status() == "ENABLED")
    on = lambda: [p["Name"] for p in sim.org.list_policies_for_target(TargetId=account, Filter=kind)["Policies"]]
    equal(on(), ["RCPFullAWSAccess"], "what is attached")
    refused("ConstraintViolationException", sim.org.detach_policy, "", 400, PolicyId="p-RCPFullAWSAccess", TargetId=account)
    document = lambda effect, action: '{"Version":"2012-10-17","Statement":{"Effect":"%s","Principal":"*","Action":"%s","Resource":"*"}}' % (effect, action)
    for effect, action in ("Allow", "s3:*"), ("Deny", "*"):
        refused("MalformedPolicyDocumentException", sim.org.create_policy, "", 400, Name="never", Description="", Type=kind, Content=document(effect, action))
    policy = sim.org.create_policy(Name="kept", Description="", Type=kind, Content=document("Deny", "sts:AssumeRole"))["Policy"]["PolicySummary"]["Id"]
    sim.assume(account, "OrganizationAccountAccessRole")
    sim.org.attach_policy(PolicyId=policy, TargetId=account)
    equal(on(), ["RCPFullAWSAccess", "kept"], "what is attached then")
    sts = sim.client("sts")
    refused("AccessDenied", sts.assume_role, "", 403, RoleArn=f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole", RoleSessionName="rcp")
    sim.assume(other, "OrganizationAccountAccessRole")
