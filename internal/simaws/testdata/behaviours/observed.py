"""What rollout prove finds out of AWS, as it is here."""
import json

from behaviours import EAGER, HANDLE, allow, document, equal, line, refused, until
from recording import CLOSED, Recorded

ROLE = {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "observed", "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}}}}


@line("PRV-01")
def mistakes_are_400(sim):
    org = sim.org
    for code, call, members in (("AccountNotFoundException", org.describe_account, {"AccountId": "000000000000"}), ("ParentNotFoundException", org.list_accounts_for_parent, {"ParentId": "ou-zzzz-zzzzzzzz"}),
                                ("PolicyNotFoundException", org.describe_policy, {"PolicyId": "p-zzzzzzzz"}), ("InvalidInputException", org.list_accounts, {"MaxResults": 21})):
        refused(code, call, "", 400, **members)
    refused("AccessDeniedException", sim.client("organizations", account=sim.account()).list_accounts, "", 400)


@line("PRV-02", on="throttle")
def too_many_requests_is_400(sim):
    refused("TooManyRequestsException", sim.org.list_roots, "", 400)


@line("PRV-03")
def a_closed_account(sim):
    account = sim.account()
    sim.org.close_account(AccountId=account)
    state = lambda: sim.org.describe_account(AccountId=account)["Account"]["State"]
    until("its suspension", lambda: state() != "PENDING_CLOSURE")
    equal((state(), [a["State"] for a in sim.accounts() if a["Id"] == account]), ("SUSPENDED", ["SUSPENDED"]), "State")


@line("PRV-04")
def a_role_that_is_not_there(sim):
    account = sim.account()
    sim.client("iam", account=account).create_role(RoleName="trusts-nobody", AssumeRolePolicyDocument=document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}))
    sts = sim.client("sts")
    said = [refused("AccessDenied", sts.assume_role, "is not authorized to perform: sts:AssumeRole on resource: ", 403, RoleArn=f"arn:aws:iam::{account}:role/{name}", RoleSessionName="observed") for name in ("nobody", "trusts-nobody")]
    equal(said[0].replace("nobody", "X"), said[1].replace("trusts-nobody", "X"), "the two refusals")


@line("PRV-05")
def a_parameter_of_sts(sim):
    role = f"arn:aws:iam::{sim.account()}:role/OrganizationAccountAccessRole"
    for members in ({"RoleSessionName": "a b"}, {"RoleSessionName": "ok", "DurationSeconds": 899}):
        refused("ValidationError", sim.client("sts").assume_role, "", 400, RoleArn=role, **members)


@line("PRV-08", "PRV-09", "PRV-10")
def names_and_tokens_of_sets(sim):
    create = lambda body=HANDLE, name="observed", **more: sim.cfn.create_stack_set(StackSetName=name, TemplateBody=json.dumps(body), PermissionModel="SERVICE_MANAGED", AutoDeployment={"Enabled": False}, **more)["StackSetId"]
    first = create(ClientRequestToken="token")
    equal(create(ClientRequestToken="token"), first, "the same request again")
    refused("CreatedButModifiedException", create, "", 409, body=dict(HANDLE, Description="another"), ClientRequestToken="token")
    sim.cfn.delete_stack_set(StackSetName="observed")
    assert create() != first, "the name's second set is the first"
    refused("InsufficientCapabilitiesException", create, "Requires capabilities : [CAPABILITY_NAMED_IAM]", 400, name="capabilities", body=ROLE)


@line("PRV-13", "PRV-15", "PRV-27")
def rows_of_operations(sim):
    account, other = sim.account(), sim.account()
    sim.stack_set("rows", HANDLE)
    call = dict(StackSetName="rows", DeploymentTargets=sim.just(account), Regions=["us-east-1"])
    rows = lambda operation: sim.cfn.list_stack_set_operation_results(StackSetName="rows", OperationId=sim.ended("rows", operation["OperationId"])["OperationId"])["Summaries"]
    made = rows(sim.cfn.create_stack_instances(**call))
    gate = f"Function not found: arn:aws:lambda:us-east-1:{account}:function:AWSCloudFormationStackSetAccountGate"
    equal(made[0]["AccountGateResult"], {"Status": "SKIPPED", "StatusReason": gate}, "the account gate")
    again = rows(sim.cfn.update_stack_set(StackSetName="rows", UsePreviousTemplate=True, OperationPreferences=EAGER))
    equal([(r["Status"], r["StatusReason"]) for r in again], [("SUCCEEDED", "No updates are to be performed.")], "an update that changes nothing")
    gone = rows(sim.cfn.delete_stack_instances(RetainStacks=False, **dict(call, DeploymentTargets=sim.just(other))))
    equal(gone, [], "rows of a delete of what is not there")


@line("PRV-14")
def an_operation_that_was_refused(sim):
    sim.stack_set("refused", HANDLE)
    call = dict(StackSetName="refused", DeploymentTargets=sim.just(sim.account()), Regions=["us-east-1"])
    with sim.paused():
        sim.cfn.create_stack_instances(OperationId="first", **call)
        refused("OperationInProgressException", sim.cfn.create_stack_instances, "", 409, OperationId="second", **call)
    sim.ended("refused", "first")
    refused("OperationIdAlreadyExistsException", sim.cfn.create_stack_instances, "", 409, OperationId="first", **call)
    sim.ended("refused", sim.cfn.create_stack_instances(OperationId="second", **call)["OperationId"])


@line("PRV-25", "PRV-26")
def words_of_config(sim):
    at = Recorded(sim)
    nothing = sim.client("config", keys=sim.assume(at.account, Policy=document(allow("ec2:*"))))
    refused("AccessDeniedException", nothing.describe_config_rules, "is not authorized to perform: config:DescribeConfigRules", 400)
    at.put("there", CLOSED)
    for call in (at.config.describe_config_rules, at.config.describe_compliance_by_config_rule, at.config.describe_config_rule_evaluation_status):
        refused("NoSuchConfigRuleException", call, "nothing", 400, ConfigRuleNames=["there", "nothing"])


@line("SET-25")
def a_delegated_administrator_that_may_not_look(sim):
    account, principal = sim.account(), "member.org.stacksets.cloudformation.amazonaws.com"
    sim.org.register_delegated_administrator(AccountId=account, ServicePrincipal=principal)
    try:
        full = sim.client("cloudformation", account=account)
        assert isinstance(full.list_stack_sets(CallAs="DELEGATED_ADMIN")["Summaries"], list)
        limited = sim.client("cloudformation", keys=sim.assume(account, Policy=document(allow("cloudformation:*"))))
        refused("ValidationError", limited.list_stack_sets, "Account used is not a delegated administrator", 400, CallAs="DELEGATED_ADMIN")
    finally:
        sim.org.deregister_delegated_administrator(AccountId=account, ServicePrincipal=principal)


@line("EVT-01", "EVT-02")
def events_of_ec2(sim):
    account = sim.furnished["things"]
    ec2, trail = sim.client("ec2", account=account), sim.client("cloudtrail", account=account)
    snapshot = ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"][0]["SnapshotId"]
    instance = ec2.describe_instances()["Reservations"][0]["Instances"][0]["InstanceId"]

    def asked(name, ours):
        """The request parameters of the newest event that is ours."""
        def found():
            events = trail.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}])["Events"]
            return [p for p in [json.loads(e["CloudTrailEvent"])["requestParameters"] for e in events] if ours(p)]
        return until(f"an event of {name}", found)[0]

    sharing = lambda p: p["createVolumePermission"]
    for who, form in (("111122223333", {"CreateVolumePermission": {"Add": [{"UserId": "111122223333"}]}}), ("444455556666", {"Attribute": "createVolumePermission", "OperationType": "add", "UserIds": ["444455556666"]})):
        ec2.modify_snapshot_attribute(SnapshotId=snapshot, **form)
        found = asked("ModifySnapshotAttribute", lambda p: who in json.dumps(p))
        equal((found["snapshotId"], found["attributeType"], list(sharing(found))), (snapshot, "CREATE_VOLUME_PERMISSION", ["add"]), "the event of a share")
        ec2.modify_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="remove", UserIds=[who])
    ec2.modify_instance_metadata_options(InstanceId=instance, HttpPutResponseHopLimit=7)
    found = asked("ModifyInstanceMetadataOptions", lambda p: "7" in json.dumps(p.get("ModifyInstanceMetadataOptionsRequest", {}).get("HttpPutResponseHopLimit", "")))
    equal((list(found), found["ModifyInstanceMetadataOptionsRequest"]["InstanceId"]), (["ModifyInstanceMetadataOptionsRequest"], instance), "the event of the options")
