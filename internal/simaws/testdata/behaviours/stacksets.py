"""StackSets."""
from concurrent.futures import ThreadPoolExecutor

from behaviours import EAGER, HANDLE, equal, line, refused, trust, until

ROLE = {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "taken", "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}}}}
FOLLOWS = {"Enabled": True, "RetainStacksOnAccountRemoval": False}


def operations(sim, name):
    """By id, the newest first: what it does and where it stands."""
    return {o["OperationId"]: (o["Action"], o["Status"]) for o in sim.cfn.list_stack_set_operations(StackSetName=name)["Summaries"]}


def instances(sim, name, **more):
    return {(i["Account"], i["Region"]): i for p in sim.cfn.get_paginator("list_stack_instances").paginate(StackSetName=name, **more) for i in p["Summaries"]}


@line("SET-14")
def a_create_that_fails(sim):
    works, fails = sim.account(), sim.account()
    sim.client("iam", account=fails).create_role(RoleName="taken", AssumeRolePolicyDocument=trust(Service="ec2.amazonaws.com"))
    sim.stack_set("without", ROLE)
    sim.ended("without", sim.cfn.create_stack_instances(StackSetName="without", DeploymentTargets=sim.just(works, fails), Regions=["us-east-1"], OperationPreferences=EAGER)["OperationId"])
    found = instances(sim, "without")
    equal({a: ("StackId" in i, i["Status"]) for (a, _), i in found.items()}, {works: (True, "CURRENT"), fails: (False, "OUTDATED")}, "the instances")
    one = sim.cfn.describe_stack_instance(StackSetName="without", StackInstanceAccount=fails, StackInstanceRegion="us-east-1")["StackInstance"]
    equal(("StackId" in one, one["StackInstanceStatus"]["DetailedStatus"]), (False, "FAILED"), "the instance that failed")
    equal([s for s in sim.client("cloudformation", account=fails).describe_stacks()["Stacks"]], [], "stacks of its account")


@line("SET-17")
def only_in_its_region(sim):
    there = sim.client("cloudformation", "eu-west-1")
    sim.stack_set("here", HANDLE)
    refused("StackSetNotFoundException", there.describe_stack_set, "", 404, StackSetName="here")
    assert "here" not in [s["StackSetName"] for s in there.list_stack_sets(Status="ACTIVE")["Summaries"]], "it is listed elsewhere"
    sim.stack_set("here", HANDLE, there, Description="another")
    equal(sim.cfn.describe_stack_set(StackSetName="here")["StackSet"].get("Description"), None, "the first one's description")
    there.delete_stack_set(StackSetName="here")
    equal(sim.cfn.describe_stack_set(StackSetName="here")["StackSet"]["Status"], "ACTIVE", "the first one's status")


@line("SET-20", on="slow")
def waiting_for_its_turn(sim):
    first, second, comes = sim.account(), sim.account(), sim.account()
    ou = sim.ou("Waits", first, second)
    target = {"OrganizationalUnitIds": [ou]}
    sim.stack_set("waits", HANDLE, AutoDeployment=FOLLOWS)
    sim.ended("waits", sim.cfn.create_stack_instances(StackSetName="waits", DeploymentTargets=target, Regions=["us-east-1"], OperationPreferences=EAGER)["OperationId"])
    sim.control("pause")
    # One instance after the other: it lasts longer than word of an account takes.
    long = sim.cfn.create_stack_instances(StackSetName="waits", DeploymentTargets=target, Regions=["eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1", "us-west-1", "us-west-2"])["OperationId"]
    sim.move(comes, ou)
    queued = lambda: [i for i, (_, status) in operations(sim, "waits").items() if status == "QUEUED"]
    with sim.at("the automatic deployment", queued):
        mine, its = operations(sim, "waits")[long], queued()[0]
        equal((mine, operations(sim, "waits")[its]), (("CREATE", "RUNNING"), ("CREATE", "QUEUED")), "what runs and what waits")
        equal(sim.cfn.describe_stack_set_operation(StackSetName="waits", OperationId=its)["StackSetOperation"].get("OperationPreferences", {}).get("MaxConcurrentCount"), None, "its preferences")
        sim.move(comes, sim.root)
        sim.cfn.stop_stack_set_operation(StackSetName="waits", OperationId=long)
    until("the end of all", lambda: not [1 for _, status in operations(sim, "waits").values() if status in ("QUEUED", "RUNNING", "STOPPING")] and len(operations(sim, "waits")) > 3)
    equal([k for k in instances(sim, "waits") if k[0] == comes], [], "instances of the account that left")
    equal(sim.client("cloudformation", account=comes).describe_stacks()["Stacks"], [], "its stacks")


@line("SET-21")
def from_one_target_to_another(sim):
    account = sim.account()
    one, two = sim.ou("One", account), sim.ou("Two")
    sim.stack_set("stays", HANDLE, AutoDeployment=FOLLOWS)
    sim.ended("stays", sim.cfn.create_stack_instances(StackSetName="stays", DeploymentTargets={"OrganizationalUnitIds": [one, two]}, Regions=["us-east-1"])["OperationId"])
    before, count = instances(sim, "stays"), len(operations(sim, "stays"))
    equal({k: i["OrganizationalUnitId"] for k, i in before.items()}, {(account, "us-east-1"): one}, "before")
    sim.move(account, two)
    until("the other OU", lambda: [i["OrganizationalUnitId"] for i in instances(sim, "stays").values()] == [two])
    equal((instances(sim, "stays")[(account, "us-east-1")]["StackId"], len(operations(sim, "stays"))), (before[(account, "us-east-1")]["StackId"], count), "its stack, and operations")


@line("SET-22", on="slow")
def one_after_the_other(sim):
    account, ou = sim.account(), sim.ou("Depends")
    sim.stack_set("base", HANDLE, AutoDeployment=FOLLOWS)
    arn = sim.cfn.describe_stack_set(StackSetName="base")["StackSet"]["StackSetARN"]
    sim.stack_set("upon", HANDLE, AutoDeployment=dict(FOLLOWS, DependsOn=[arn]))
    for name in ("upon", "base"):
        sim.ended(name, sim.cfn.create_stack_instances(StackSetName=name, DeploymentTargets={"OrganizationalUnitIds": [ou]}, Regions=["us-east-1"])["OperationId"])
    sim.move(account, ou)
    newest = lambda name: sim.cfn.list_stack_set_operations(StackSetName=name)["Summaries"][0]
    until("both", lambda: [newest(name)["Status"] for name in ("base", "upon") if len(operations(sim, name)) == 2] == ["SUCCEEDED"] * 2)
    stack = next(iter(instances(sim, "upon").values()))["StackId"]
    made = sim.client("cloudformation", account=account).describe_stacks(StackName=stack)["Stacks"][0]["CreationTime"]
    assert made >= newest("base")["EndTimestamp"], f"its stack was made at {made}, what it depends on had ended at {newest('base')['EndTimestamp']}"


@line("SET-22")
def dependencies(sim):
    arn = lambda name: sim.cfn.describe_stack_set(StackSetName=name)["StackSet"]["StackSetARN"]
    on = lambda name: sim.cfn.describe_stack_set(StackSetName=name)["StackSet"]["AutoDeployment"].get("DependsOn")
    for n in range(11):
        sim.stack_set(f"d{n}", HANDLE, AutoDeployment=FOLLOWS)
    arns = [arn(f"d{n}") for n in range(11)]
    sim.stack_set("top", HANDLE, AutoDeployment=dict(FOLLOWS, DependsOn=arns[:2]))
    refused("ValidationError", sim.cfn.update_stack_set, "cycle", 400, StackSetName="d0", UsePreviousTemplate=True, AutoDeployment=dict(FOLLOWS, DependsOn=[arn("top")]))
    refused("LimitExceededException", sim.stack_set, "10 StackSets", 400, name="eleven", template=HANDLE, AutoDeployment=dict(FOLLOWS, DependsOn=arns))
    for n in range(9):
        sim.stack_set(f"t{n}", HANDLE, AutoDeployment=dict(FOLLOWS, DependsOn=arns[:10]))
    refused("LimitExceededException", sim.stack_set, "100 StackSet dependencies", 400, name="hundred", template=HANDLE, AutoDeployment=dict(FOLLOWS, DependsOn=arns[:9]))
    sim.stack_set("hundred", HANDLE, AutoDeployment=dict(FOLLOWS, DependsOn=arns[:8]))
    for name in [f"t{n}" for n in range(9)] + ["hundred"]:
        sim.cfn.delete_stack_set(StackSetName=name)
    sim.cfn.delete_stack_set(StackSetName="d0")
    equal(on("top"), [arns[1]], "dependencies after the end of one")


@line("SET-23", on="lagging")
def lists_are_behind(sim):
    account = sim.account()
    sim.stack_set("lags", HANDLE)
    with sim.paused():
        made = sim.cfn.create_stack_instances(StackSetName="lags", DeploymentTargets=sim.just(account), Regions=["us-east-1"])["OperationId"]
        equal(operations(sim, "lags"), {}, "the list at once")
        equal(sim.cfn.describe_stack_set_operation(StackSetName="lags", OperationId=made)["StackSetOperation"]["Status"], "RUNNING", "the operation at once")
        equal(sim.cfn.list_stack_set_operation_results(StackSetName="lags", OperationId=made)["Summaries"], [], "results at once")
    sim.ended("lags", made)
    until("the list", lambda: operations(sim, "lags") == {made: ("CREATE", "SUCCEEDED")})
    until("the results", lambda: [r["Status"] for r in sim.cfn.list_stack_set_operation_results(StackSetName="lags", OperationId=made)["Summaries"]] == ["SUCCEEDED"])


@line("SET-24", on="large")
def quotas(sim):
    regions = [r["RegionName"] for r in sim.client("ec2").describe_regions()["Regions"]]
    sim.stack_set("wide", HANDLE)
    everywhere = dict(StackSetName="wide", DeploymentTargets={"OrganizationalUnitIds": [sim.root]})
    refused("LimitExceededException", sim.cfn.create_stack_instances, "", 400, Regions=regions[:17], **everywhere)
    with sim.paused():
        sim.cfn.create_stack_instances(Regions=regions[:1], **everywhere)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: sim.stack_set(f"s{n}", HANDLE), range(999)))
    refused("LimitExceededException", sim.stack_set, "", 400, name="one-more", template=HANDLE)
    sim.cfn.delete_stack_set(StackSetName="s0")
    sim.stack_set("one-more", HANDLE)
