"""Service Quotas, and what is held to them."""
from behaviours import equal, line, refused

HOME, OTHER = "us-east-1", "eu-west-1"
TEMPLATE = '{"Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}'
SETS, INSTANCES, STACKS = "L-EC62D81A", "L-C8225BA5", "L-0485CB21"


def value(sim, code, region=HOME, account=None):
    return sim.client("service-quotas", region, account=account).get_service_quota(ServiceCode="cloudformation", QuotaCode=code)["Quota"]["Value"]


def accounts(sim):
    return {a["Name"]: a["Id"] for a in sim.accounts()}


@line("QUO-01", "QUO-02", "QUO-03", on="quotas")
def held(sim):
    names = accounts(sim)
    equal((value(sim, SETS), value(sim, INSTANCES), value(sim, STACKS), value(sim, SETS, OTHER), value(sim, INSTANCES, OTHER)), (2, 3, 2000, 2000, 100000), "what the management account has")
    equal((value(sim, STACKS, account=names["full"]), value(sim, STACKS, OTHER, names["full"]), value(sim, STACKS, account=names["roomy"])), (1, 2000, 2500), "what the members have")
    limits = {x["Name"]: x["Value"] for x in sim.client("cloudformation", account=names["roomy"]).describe_account_limits()["AccountLimits"]}
    equal(limits["StackLimit"], 2500, "StackLimit")

    full = sim.client("cloudformation", account=names["full"])
    full.create_stack(StackName="first", TemplateBody=TEMPLATE)
    refused("LimitExceededException", full.create_stack, StackName="second", TemplateBody=TEMPLATE)
    refused("LimitExceededException", full.create_change_set, StackName="second", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=TEMPLATE)

    managed = {"TemplateBody": TEMPLATE, "PermissionModel": "SERVICE_MANAGED", "AutoDeployment": {"Enabled": False}}
    sim.cfn.create_stack_set(StackSetName="one", **managed)
    sim.cfn.create_stack_set(StackSetName="two", **managed)
    refused("LimitExceededException", sim.cfn.create_stack_set, StackSetName="three", **managed)
    sim.client("cloudformation", OTHER).create_stack_set(StackSetName="three", **managed)

    everybody = {"StackSetName": "one", "DeploymentTargets": {"OrganizationalUnitIds": [sim.root]}, "OperationPreferences": {"FailureTolerancePercentage": 100, "MaxConcurrentPercentage": 100}}
    refused("LimitExceededException", sim.cfn.create_stack_instances, Regions=[HOME, OTHER], **everybody)
    operation = sim.cfn.create_stack_instances(Regions=[HOME], **everybody)["OperationId"]
    sim.ended("one", operation)
    rows = {r["Account"]: (r["Status"], r.get("StatusReason")) for r in sim.cfn.list_stack_set_operation_results(StackSetName="one", OperationId=operation)["Summaries"]}
    equal(rows[names["roomy"]][0], "SUCCEEDED", "where there is room")
    equal(rows[names["full"]], ("FAILED", "Limit for stack has been exceeded"), "where there is none")


@line("QUO-04", on="quotas")
def rules(sim):
    quotas = sim.client("service-quotas")
    refused("NoSuchResourceException", quotas.list_service_quotas, ServiceCode="config")
    assert "config" not in {s["ServiceCode"] for s in quotas.list_services()["Services"]}, "AWS Config has quotas"
