"""StackSets: drift, stopping, single instances and the organization's switch."""
import json
import time

LINES = ("SET-16",)


def run(c):
    cfn = c.client("cloudformation")
    template = json.dumps({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {
        "RoleName": "conformance-drift", "Description": "as made", "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}}}})
    name = "conformance-sets"
    cfn.create_stack_set(StackSetName=name, TemplateBody=template, PermissionModel="SERVICE_MANAGED", AutoDeployment={"Enabled": False}, Capabilities=["CAPABILITY_NAMED_IAM"])

    def until(operation, name=name):
        for _ in range(600):
            op = cfn.describe_stack_set_operation(StackSetName=name, OperationId=operation)["StackSetOperation"]
            if op["Status"] not in ("RUNNING", "QUEUED", "STOPPING"):
                return op
            time.sleep(0.02)
        raise AssertionError("the operation does not end")

    targets = {"OrganizationalUnitIds": [c.root["Id"]], "Accounts": [c.member], "AccountFilterType": "INTERSECTION"}
    until(cfn.create_stack_instances(StackSetName=name, DeploymentTargets=targets, Regions=["eu-west-1"])["OperationId"])
    until(cfn.update_stack_instances(StackSetName=name, DeploymentTargets=targets, Regions=["eu-west-1"])["OperationId"])
    c.refused("StackInstanceNotFoundException", cfn.update_stack_instances, StackSetName=name, DeploymentTargets=targets, Regions=["eu-north-1"])
    # Somebody makes the stack's resource drift, and it is found.
    inside = c.client("cloudformation", region="eu-west-1", credentials=c.session)
    stack = cfn.describe_stack_instance(StackSetName=name, StackInstanceAccount=c.member, StackInstanceRegion="eu-west-1")["StackInstance"]["StackId"]
    drift = until(cfn.detect_stack_set_drift(StackSetName=name)["OperationId"])
    cfn.describe_stack_set(StackSetName=name)
    cfn.list_stack_sets()
    cfn.list_stack_instances(StackSetName=name, Filters=[{"Name": "DRIFT_STATUS", "Values": "IN_SYNC"}])
    cfn.list_stack_instance_resource_drifts(StackSetName=name, OperationId=drift["OperationId"], StackInstanceAccount=c.member, StackInstanceRegion="eu-west-1")
    c.refused("OperationNotFoundException", cfn.list_stack_instance_resource_drifts, StackSetName=name, OperationId="nothing", StackInstanceAccount=c.member, StackInstanceRegion="eu-west-1")
    c.refused("StackInstanceNotFoundException", cfn.list_stack_instance_resource_drifts, StackSetName=name, OperationId=drift["OperationId"], StackInstanceAccount=c.member, StackInstanceRegion="eu-north-1")
    c.refused("StackSetNotFoundException", cfn.detect_stack_set_drift, StackSetName="nothing")
    detection = inside.detect_stack_drift(StackName=stack)["StackDriftDetectionId"]
    for _ in range(600):
        if inside.describe_stack_drift_detection_status(StackDriftDetectionId=detection)["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            break
        time.sleep(0.02)
    inside.describe_stack_resource_drifts(StackName=stack)
    inside.detect_stack_resource_drift(StackName=stack, LogicalResourceId="Role")
    inside.describe_stack_resources(StackName=stack)
    c.refused("ValidationError", inside.describe_stack_drift_detection_status, StackDriftDetectionId="00000000-0000-0000-0000-000000000000")
    # An operation that is stopped, before simulated time gets to its end, and one that cannot be.
    c.control("pause")
    slow = cfn.create_stack_instances(StackSetName=name, DeploymentTargets={"OrganizationalUnitIds": [c.root["Id"]]}, Regions=["us-east-1", "us-west-2"])["OperationId"]
    c.refused("OperationInProgressException", cfn.delete_stack_set, StackSetName=name)
    cfn.stop_stack_set_operation(StackSetName=name, OperationId=slow)
    c.control("resume")
    if until(slow)["Status"] != "STOPPED":
        c.defects.add("StopStackSetOperation: the operation ended otherwise")
    c.refused("InvalidOperationException", cfn.stop_stack_set_operation, StackSetName=name, OperationId=slow)
    # A stack that was let go comes back by an import.
    until(cfn.delete_stack_instances(StackSetName=name, DeploymentTargets=targets, Regions=["eu-west-1"], RetainStacks=True)["OperationId"])
    until(cfn.import_stacks_to_stack_set(StackSetName=name, StackIds=[stack], OrganizationalUnitIds=[c.root["Id"]])["OperationId"])
    if cfn.describe_stack_instance(StackSetName=name, StackInstanceAccount=c.member, StackInstanceRegion="eu-west-1")["StackInstance"]["StackId"] != stack:
        c.defects.add("ImportStacksToStackSet: the instance has another stack")
    c.refused("StackSetNotFoundException", cfn.import_stacks_to_stack_set, StackSetName="nothing", StackIds=[stack], OrganizationalUnitIds=[c.root["Id"]])
    c.refused("StackNotFoundException", cfn.import_stacks_to_stack_set, StackSetName=name, StackIds=[stack[:-1] + "x"], OrganizationalUnitIds=[c.root["Id"]])
    c.refused("LimitExceededException", cfn.import_stacks_to_stack_set, StackSetName=name, StackIds=[stack] * 11, OrganizationalUnitIds=[c.root["Id"]])
    # Types, and the switch of the organization.
    cfn.describe_type(Type="RESOURCE", TypeName="AWS::IAM::Role")
    c.refused("TypeNotFoundException", cfn.describe_type, Type="RESOURCE", TypeName="AWS::No::Thing")
    cfn.activate_organizations_access()
    inside_us = c.client("cloudformation", credentials=c.session)
    c.refused("InvalidOperationException", inside_us.activate_organizations_access)
    c.refused("InvalidOperationException", inside_us.deactivate_organizations_access)
    principal = "member.org.stacksets.cloudformation.amazonaws.com"
    delegated = [a["Id"] for a in c.org.list_delegated_administrators(ServicePrincipal=principal)["DelegatedAdministrators"]]
    if delegated:
        c.refused("InvalidOperationException", cfn.deactivate_organizations_access)
    for account in delegated:
        c.org.deregister_delegated_administrator(AccountId=account, ServicePrincipal=principal)
    cfn.deactivate_organizations_access()
    cfn.describe_organizations_access()
    c.refused("ValidationError", cfn.create_stack_instances, StackSetName=name, DeploymentTargets=targets, Regions=["us-east-1"])
    cfn.activate_organizations_access()
    for account in delegated:
        c.org.register_delegated_administrator(AccountId=account, ServicePrincipal=principal)
