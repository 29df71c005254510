"""Drift of stacks and StackSets."""
import json

from behaviours import EAGER, HANDLE, document, equal, line, allow, trust, until
from recording import LINKED, bucket, delivery

READ, AUDIT, SUPPORT = (f"arn:aws:iam::aws:policy/{name}" for name in ("ReadOnlyAccess", "SecurityAudit", "AWSSupportAccess"))


def role(name="drifts", **properties):
    return {"Type": "AWS::IAM::Role", "Properties": dict({"RoleName": name, "AssumeRolePolicyDocument": json.loads(trust(Service="ec2.amazonaws.com"))}, **properties)}


def detected(cfn, stack):
    """The stack's word, and of each resource its word and its differences."""
    asked = cfn.detect_stack_drift(StackName=stack)["StackDriftDetectionId"]
    found = until("the detection", lambda: [d for d in [cfn.describe_stack_drift_detection_status(StackDriftDetectionId=asked)] if d["DetectionStatus"] != "DETECTION_IN_PROGRESS"])[0]
    equal(found["DetectionStatus"], "DETECTION_COMPLETE", found.get("DetectionStatusReason"))
    drifts = cfn.describe_stack_resource_drifts(StackName=stack)["StackResourceDrifts"]
    return found["StackDriftStatus"], {d["LogicalResourceId"]: (d["StackResourceDriftStatus"], sorted((p["DifferenceType"], p["PropertyPath"]) for p in d.get("PropertyDifferences", []))) for d in drifts}


@line("DFT-01")
def what_the_template_names(sim):
    account = sim.account()
    cfn, iam = sim.client("cloudformation", account=account), sim.client("iam", account=account)
    sim.stack(account, "named", {"Resources": {"Role": role(ManagedPolicyArns=[READ, AUDIT], Description="as made"), "Gone": role("goes")}})
    equal(detected(cfn, "named"), ("IN_SYNC", {"Role": ("IN_SYNC", []), "Gone": ("IN_SYNC", [])}), "as it was made")
    # What the template does not name is no drift.
    iam.put_role_policy(RoleName="drifts", PolicyName="more", PolicyDocument=document(allow("ec2:*")))
    iam.tag_role(RoleName="drifts", Tags=[{"Key": "a", "Value": "b"}])
    equal(detected(cfn, "named")[0], "IN_SYNC", "with a policy and a tag that it does not name")
    iam.attach_role_policy(RoleName="drifts", PolicyArn=SUPPORT)
    iam.update_assume_role_policy(RoleName="drifts", PolicyDocument=trust(Service="lambda.amazonaws.com"))
    iam.delete_role(RoleName="goes")
    word, resources = detected(cfn, "named")
    equal((word, resources["Gone"]), ("DRIFTED", ("DELETED", [])), "a role that is gone")
    equal(resources["Role"][0], "MODIFIED", "a role that is another")
    kinds = {(kind, path.split("/")[1]) for kind, path in resources["Role"][1]}
    # A statement that is another is one less and one more.
    equal(kinds, {("ADD", "ManagedPolicyArns"), ("ADD", "AssumeRolePolicyDocument"), ("REMOVE", "AssumeRolePolicyDocument")}, "differences")
    iam.detach_role_policy(RoleName="drifts", PolicyArn=SUPPORT)
    iam.detach_role_policy(RoleName="drifts", PolicyArn=AUDIT)
    assert ("REMOVE", "ManagedPolicyArns") in {(kind, path.split("/")[1]) for kind, path in detected(cfn, "named")[1]["Role"][1]}, "a policy less"


@line("DFT-01", "DFT-02")
def what_can_be_checked(sim):
    account = sim.account()
    cfn, name = sim.client("cloudformation", account=account), f"drift-{account}"
    sim.client("iam", account=account).create_service_linked_role(AWSServiceName="config.amazonaws.com")
    bucket(sim, account, name, delivery(account, name))
    template = {"Resources": {
        "Role": role("checked"), "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "checked"}}, "Handle": HANDLE["Resources"]["Handle"],
        "Recorder": {"Type": "AWS::Config::ConfigurationRecorder", "Properties": {"Name": "default", "RoleARN": LINKED.format(account), "RecordingGroup": {"AllSupported": True}}},
        "Channel": {"Type": "AWS::Config::DeliveryChannel", "Properties": {"Name": "default", "S3BucketName": name}},
        "Rule": {"Type": "AWS::Config::ConfigRule", "DependsOn": "Recorder", "Properties": {"ConfigRuleName": "r", "Description": "as made", "Source": {"Owner": "AWS", "SourceIdentifier": "IAM_PASSWORD_POLICY"}}},
        "Remedy": {"Type": "AWS::Config::RemediationConfiguration", "Properties": {"ConfigRuleName": {"Ref": "Rule"}, "TargetType": "SSM_DOCUMENT", "TargetId": "d", "Parameters": {}}, "DependsOn": "Document"},
        "Document": {"Type": "AWS::SSM::Document", "Properties": {"Name": "d", "DocumentType": "Automation", "Content": {
            "schemaVersion": "0.3", "mainSteps": [{"name": "s", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}}]}}}}}
    sim.stack(account, "kinds", template)
    word, checked = detected(cfn, "kinds")
    equal((word, {k: v[0] for k, v in checked.items()}), ("IN_SYNC", dict.fromkeys(("Role", "Topic", "Rule", "Document"), "IN_SYNC")), "resources that were checked")
    unchecked = {r["LogicalResourceId"] for r in cfn.list_stack_resources(StackName="kinds")["StackResourceSummaries"] if r["DriftInformation"]["StackResourceDriftStatus"] == "NOT_CHECKED"}
    equal(unchecked, {"Handle", "Recorder", "Channel", "Remedy"}, "resources that cannot be")
    config = sim.client("config", account=account)
    config.put_config_rule(ConfigRule=dict(config.describe_config_rules()["ConfigRules"][0], Description="otherwise"))
    equal(detected(cfn, "kinds")[1]["Rule"], ("MODIFIED", [("NOT_EQUAL", "/Description")]), "a rule of another description")


@line("DFT-03", "DFT-04")
def of_instances(sim):
    fine, unread, updated = sim.account(), sim.account(), sim.account()
    sim.stack_set("drifting", {"Resources": {"Role": role("of-set", Description="as made")}})
    sim.ended("drifting", sim.cfn.create_stack_instances(StackSetName="drifting", DeploymentTargets=sim.just(fine, unread, updated), Regions=["us-east-1"], OperationPreferences=EAGER)["OperationId"])
    stack = lambda a: sim.cfn.describe_stack_instance(StackSetName="drifting", StackInstanceAccount=a, StackInstanceRegion="us-east-1")["StackInstance"]["StackId"]
    # DFT-04: the stack itself is updated; DFT-03: a stack of which nobody may read.
    there = sim.client("cloudformation", account=updated)
    there.update_stack(StackName=stack(updated), TemplateBody=json.dumps({"Resources": {"Role": role("of-set", Description="otherwise")}}), Capabilities=["CAPABILITY_NAMED_IAM"])
    sim.stack_ended(there, stack(updated), "UPDATE_COMPLETE")
    deny = sim.org.create_policy(Name="no-drift", Description="", Type="SERVICE_CONTROL_POLICY", Content=document({"Effect": "Deny", "Action": "cloudformation:DetectStackDrift", "Resource": "*"}))["Policy"]["PolicySummary"]["Id"]
    sim.org.attach_policy(PolicyId=deny, TargetId=unread)
    op = sim.ended("drifting", sim.cfn.detect_stack_set_drift(StackSetName="drifting", OperationPreferences=EAGER)["OperationId"])
    details = op["StackSetDriftDetectionDetails"]
    equal((details["InSyncStackInstancesCount"], details["DriftedStackInstancesCount"], details["FailedStackInstancesCount"]), (2, 0, 1), "what the operation counted")
    found = {i["Account"]: (i["DriftStatus"], i["Status"]) for i in sim.cfn.list_stack_instances(StackSetName="drifting")["Summaries"]}
    equal(found, {fine: ("IN_SYNC", "CURRENT"), updated: ("IN_SYNC", "CURRENT"), unread: ("UNKNOWN", "CURRENT")}, "instances")


@line("DFT-05")
def what_cannot_be_compared(sim):
    account = sim.account()
    cfn, iam = sim.client("cloudformation", account=account), sim.client("iam", account=account)
    policy = {"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "ours", "Roles": [{"Ref": "Role"}], "PolicyDocument": json.loads(document(allow("s3:*")))}}
    whole = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "kms:*", "Resource": "*"}]}
    # The key is named by its alias, and waits for its deletion by a property that nobody can read.
    resources = {"Role": role("with-policies", Policies=[{"PolicyName": "own", "PolicyDocument": json.loads(document(allow("ec2:*")))}]), "Policy": policy,
                 "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": whole, "PendingWindowInDays": 7}}, "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "kept", "KmsMasterKeyId": {"Ref": "Key"}}}}
    sim.stack(account, "compared", {"Resources": resources})
    word, found = detected(cfn, "compared")
    equal((word, found["Role"], found["Key"]), ("IN_SYNC", ("IN_SYNC", []), ("IN_SYNC", [])), "the stack")
    iam.put_role_policy(RoleName="with-policies", PolicyName="theirs", PolicyDocument=document(allow("iam:*")))
    kinds = detected(cfn, "compared")[1]["Role"]
    equal(kinds[0], "MODIFIED", "the role with a policy of nobody's stack")
