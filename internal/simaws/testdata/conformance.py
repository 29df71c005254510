"""Calls a simulated organization through boto3, parameter validation on, and holds
every answer against botocore's own service models: no member that the model lacks,
the right types, enums, patterns of required members. Prints one line a defect, then
the calls that were covered. Usage: conformance.py URL THROTTLED_URL"""
import glob
import json
import os
import runpy
import sys
import types
import urllib.request
import xml.etree.ElementTree as ET

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

URL, THROTTLED = sys.argv[1:3]
defects, covered, requests = set(), set(), set()

# Codes that every service may answer and no model lists (AWS's "Common errors").
COMMON = {"AccessDenied", "AccessDeniedException", "ValidationError", "ValidationException", "InvalidAction", "UnknownOperationException",
          "Throttling", "ThrottlingException", "InternalFailure", "MissingParameter", "UnrecognizedClientException"}
# STS answers InvalidParameterValue for tags, of which its model says nothing; S3's model
# has hardly any errors, its API reference's list of error codes has these.
OF = {"sts": {"InvalidParameterValue"},
      "s3": {"InvalidArgument", "InvalidTag", "MalformedPolicy", "MalformedXML", "NoSuchBucket", "NoSuchBucketPolicy", "NoSuchPublicAccessBlockConfiguration", "NoSuchTagSet", "NoSuchWebsiteConfiguration", "PermanentRedirect"}}


def strip(tag):
    return tag.split("}")[-1]


def scalar(shape, text, where):
    kind = shape.type_name
    if kind in ("integer", "long"):
        if not str(text).lstrip("-").isdigit():
            defects.add(f"{where}: {text!r} is no {kind}")
    elif kind == "boolean":
        if text not in ("true", "false", True, False):
            defects.add(f"{where}: {text!r} is no boolean")
    elif kind == "string" and getattr(shape, "enum", None) and text not in shape.enum and (shape.name, text) != ("PolicySourceType", "IAM Policy"):  # AWS answers so, and its enum lacks it (soto-project/soto#230)
        defects.add(f"{where}: {text!r} is not in the enum {shape.name}")


def from_json(shape, value, where):
    kind = shape.type_name
    if value is None:
        return
    if kind == "structure":
        if not isinstance(value, dict):
            defects.add(f"{where}: {type(value).__name__}, not a structure")
            return
        for name, member in value.items():
            inner = next((m for k, m in shape.members.items() if m.serialization.get("name", k) == name), None)
            if inner is None:
                defects.add(f"{where}.{name}: the model has no such member")
            else:
                from_json(inner, member, f"{where}.{name}")
        for name in shape.required_members:
            wire = shape.members[name].serialization.get("name", name)
            if wire not in value:
                defects.add(f"{where}.{wire}: required and absent")
    elif kind == "list":
        if not isinstance(value, list):
            defects.add(f"{where}: {type(value).__name__}, not a list")
            return
        for item in value:
            from_json(shape.member, item, where + "[]")
    elif kind == "map":
        for item in value.values():
            from_json(shape.value, item, where + "{}")
    elif kind == "timestamp":
        if not isinstance(value, (int, float)):
            defects.add(f"{where}: a timestamp is a number of seconds, not {value!r}")
    else:
        if kind == "string" and not isinstance(value, str) or kind in ("integer", "long") and (isinstance(value, bool) or not isinstance(value, int)):
            defects.add(f"{where}: {value!r} is no {kind}")
        scalar(shape, value, where)


def from_xml(shape, node, where):
    kind = shape.type_name
    if kind == "structure":
        names = {}
        for name, member in shape.members.items():
            names[member.serialization.get("name", name)] = member
        for child in node:
            tag = strip(child.tag)
            if tag not in names:
                defects.add(f"{where}.{tag}: the model has no such member")
            elif names[tag].serialization.get("flattened"):
                from_xml(names[tag].member, child, f"{where}.{tag}[]")
            else:
                from_xml(names[tag], child, f"{where}.{tag}")
        for name in shape.required_members:
            wire = shape.members[name].serialization.get("name", name)
            if shape.members[name].serialization.get("xmlAttribute"):
                continue
            if not any(strip(child.tag) == wire for child in node):
                defects.add(f"{where}.{wire}: required and absent")
    elif kind == "list":
        wrapper = shape.member.serialization.get("name", "member")
        for child in node:
            if strip(child.tag) != wrapper:
                defects.add(f"{where}: a list item is <{strip(child.tag)}>, the model says <{wrapper}>")
            from_xml(shape.member, child, where + "[]")
    elif kind == "map":
        pass
    elif kind == "timestamp":
        if not (node.text or "").endswith("Z"):
            defects.add(f"{where}: {node.text!r} is no ISO 8601 time in UTC")
    else:
        scalar(shape, node.text or "", where)


def judge(url, operation_model, response_dict, **_):
    service = operation_model.service_model
    name = f"{service.signing_name}:{operation_model.name}"
    covered.add(name)
    status, body = response_dict["status_code"], response_dict["body"]
    headers = {k.lower(): v for k, v in response_dict["headers"].items()}
    request = headers.get("x-amzn-requestid") or headers.get("x-amz-request-id")
    if not request or (url, request) in requests:
        defects.add(f"WIRE-02: {name}: request id {request!r}: none, or that of another answer")
    requests.add((url, request))
    protocol = service.resolved_protocol  # of several the one that boto3 speaks
    modelled = {s.metadata.get("error", {}).get("code", s.name): s for s in operation_model.error_shapes}
    if status >= 300:
        if protocol in ("json", "rest-json"):
            answer = json.loads(body)
            code = headers.get("x-amzn-errortype", answer.get("__type", "")).split("#")[-1].split(":")[0]
        elif protocol == "ec2":
            code = next(n.text for n in ET.fromstring(body).iter() if strip(n.tag) == "Code")
            modelled[code] = None  # EC2 models no errors
        else:
            code = next(n.text for n in ET.fromstring(body).iter() if strip(n.tag) == "Code")
        if code not in modelled and code not in COMMON | OF.get(service.signing_name, set()):
            defects.add(f"{name}: the model has no error {code}")
        return
    shape = operation_model.output_shape
    if shape is None or not shape.members:
        return
    if protocol in ("json", "rest-json"):
        from_json(shape, json.loads(body), name)
        return
    if "payload" in shape.serialization:  # of S3's: the root is the member
        shape = shape.members[shape.serialization["payload"]]
        if shape.type_name != "structure":
            return
    root = ET.fromstring(body)
    if "resultWrapper" in shape.serialization:
        root = next((n for n in root if strip(n.tag) == shape.serialization["resultWrapper"]), None)
        if root is None:
            defects.add(f"{name}: no <{shape.serialization['resultWrapper']}>")
            return
        from_xml(shape, root, name)
    else:  # ec2: members beside requestId
        for child in list(root):
            if strip(child.tag) == "requestId":
                root.remove(child)
        from_xml(shape, root, name)


def client(service, region="us-east-1", credentials=None, url=URL):
    keys = credentials or {"AccessKeyId": "AKIAOPERATOR", "SecretAccessKey": "x", "SessionToken": None}
    c = boto3.client(service, region_name=region, endpoint_url=url, aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
                     aws_session_token=keys["SessionToken"], config=Config(retries={"max_attempts": 1}, parameter_validation=True))
    # before-parse carries the answer as it came, before botocore reads it.
    c.meta.events.register("before-parse", lambda **k: judge(url, **k))
    return c


def control(verb):
    """Stops simulated time, or lets it go on."""
    urllib.request.urlopen(urllib.request.Request(f"{URL}/_sim/{verb}", method="POST")).read()


def refused(code, call, **members):
    try:
        call(**members)
        defects.add(f"{call.__name__} {members}: answered, want {code}")
    except ClientError as e:
        if e.response["Error"]["Code"] != code:
            defects.add(f"{call.__name__} {members}: {e.response['Error']['Code']}, want {code}")


org, sts = client("organizations"), client("sts")
sts.get_caller_identity()
root = org.list_roots()["Roots"][0]
management = org.describe_organization()["Organization"]["MasterAccountId"]
accounts = [a for page in org.get_paginator("list_accounts").paginate() for a in page["Accounts"]]
ous = org.list_organizational_units_for_parent(ParentId=root["Id"])["OrganizationalUnits"]
workloads = next(o for o in ous if o["Name"] == "Workloads")
org.list_accounts_for_parent(ParentId=root["Id"])
for kind in ("ACCOUNT", "ORGANIZATIONAL_UNIT"):
    org.list_children(ParentId=root["Id"], ChildType=kind)
org.list_parents(ChildId=accounts[1]["Id"])
org.describe_account(AccountId=accounts[1]["Id"])
org.describe_organizational_unit(OrganizationalUnitId=workloads["Id"])
org.list_tags_for_resource(ResourceId=accounts[1]["Id"])
org.list_delegated_administrators()
org.list_aws_service_access_for_organization()
refused("ParentNotFoundException", org.list_accounts_for_parent, ParentId="ou-zzzz-zzzzzzzz")
refused("AccountNotFoundException", org.describe_account, AccountId="000000000000")
refused("ChildNotFoundException", org.list_parents, ChildId="000000000000")
refused("InvalidInputException", org.list_accounts, NextToken="nonsense")

member = next(a["Id"] for a in accounts if a["Id"] != management and a["State"] == "ACTIVE" and workloads["Id"] in a["Paths"][0])
role = f"arn:aws:iam::{member}:role/OrganizationAccountAccessRole"
session = sts.assume_role(RoleArn=role, RoleSessionName="conformance")["Credentials"]
refused("AccessDenied", sts.assume_role, RoleArn=f"arn:aws:iam::{member}:role/nobody", RoleSessionName="conformance")

iam, account, ec2 = client("iam", credentials=session), client("account"), client("ec2", credentials=session)
iam.get_role(RoleName="OrganizationAccountAccessRole")
refused("NoSuchEntity", iam.get_role, RoleName="nobody")
# Users with keys are in some accounts only.
for a in accounts:
    if a["Id"] == management or a["State"] != "ACTIVE":
        continue
    try:
        entered = sts.assume_role(RoleArn=f"arn:aws:iam::{a['Id']}:role/OrganizationAccountAccessRole", RoleSessionName="users")["Credentials"]
    except ClientError:
        continue
    users_of = client("iam", credentials=entered)
    users = users_of.list_users()["Users"]
    if users:
        break
name = users[0]["UserName"]
users_of.tag_user(UserName=name, Tags=[{"Key": "owner", "Value": "x"}])
users_of.get_user(UserName=name)
users_of.list_user_tags(UserName=name)
users_of.untag_user(UserName=name, TagKeys=["owner"])
for key in users_of.list_access_keys(UserName=name)["AccessKeyMetadata"]:
    users_of.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])
    users_of.update_access_key(UserName=name, AccessKeyId=key["AccessKeyId"], Status="Inactive")
refused("NoSuchEntity", users_of.get_user, UserName="nobody")
refused("NoSuchEntity", users_of.update_access_key, UserName=name, AccessKeyId="AKIANOSUCHKEY0000000", Status="Active")
account.list_regions(AccountId=member)
ec2.describe_regions(AllRegions=True)
ec2.describe_vpcs()
ec2.describe_network_interfaces()
for g in ec2.describe_security_groups()["SecurityGroups"]:
    ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [g["GroupId"]]}])
refused("InvalidGroup.NotFound", ec2.describe_security_groups, GroupIds=["sg-00000000000000000"])

config = client("config", credentials=session)
config.describe_configuration_recorders()
config.describe_configuration_recorder_status()
config.describe_delivery_channels()
config.describe_delivery_channel_status()
config.describe_config_rules()
config.describe_compliance_by_config_rule()
config.describe_config_rule_evaluation_status()
refused("NoSuchConfigRuleException", config.describe_config_rules, ConfigRuleNames=["nothing"])
refused("NoSuchConfigurationRecorderException", config.describe_configuration_recorder_status, ConfigurationRecorderNames=["nothing"])

cfn = client("cloudformation")
TEMPLATE = json.dumps({"Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}})
cfn.describe_organizations_access()
cfn.validate_template(TemplateBody=TEMPLATE)
cfn.get_template_summary(TemplateBody=TEMPLATE)
cfn.create_stack_set(StackSetName="conformance", TemplateBody=TEMPLATE, PermissionModel="SERVICE_MANAGED", AutoDeployment={"Enabled": False})
refused("NameAlreadyExistsException", cfn.create_stack_set, StackSetName="conformance", TemplateBody=TEMPLATE, PermissionModel="SERVICE_MANAGED", AutoDeployment={"Enabled": False})
refused("StackSetNotFoundException", cfn.describe_stack_set, StackSetName="nothing")
targets = {"OrganizationalUnitIds": [workloads["Id"]]}


def wait(operation):
    import time
    for _ in range(600):
        if cfn.describe_stack_set_operation(StackSetName="conformance", OperationId=operation)["StackSetOperation"]["Status"] not in ("RUNNING", "QUEUED"):
            return
        time.sleep(0.1)
    defects.add("the operation does not end")


wait(cfn.create_stack_instances(StackSetName="conformance", DeploymentTargets=targets, Regions=["us-east-1"],
                                OperationPreferences={"MaxConcurrentPercentage": 100, "FailureTolerancePercentage": 100})["OperationId"])
refused("ValidationError", cfn.create_stack_instances, StackSetName="conformance", Regions=["us-east-1"],
        DeploymentTargets=dict(targets, Accounts=[member], AccountFilterType="UNION"))
instances = [i for page in cfn.get_paginator("list_stack_instances").paginate(StackSetName="conformance", MaxResults=7) for i in page["Summaries"]]
if not instances or any(i["Account"] == management for i in instances):
    defects.add("instances: none, or one in the management account")
cfn.describe_stack_instance(StackSetName="conformance", StackInstanceAccount=instances[0]["Account"], StackInstanceRegion="us-east-1")
cfn.describe_stack_set(StackSetName="conformance")
cfn.list_stack_sets()
operations = cfn.list_stack_set_operations(StackSetName="conformance")["Summaries"]
cfn.list_stack_set_operation_results(StackSetName="conformance", OperationId=operations[0]["OperationId"])
cfn.list_stack_set_auto_deployment_targets(StackSetName="conformance")
refused("OperationNotFoundException", cfn.describe_stack_set_operation, StackSetName="conformance", OperationId="nothing")
refused("StackSetNotEmptyException", cfn.delete_stack_set, StackSetName="conformance")
inside = client("cloudformation", credentials=session)
stack = next(s for s in inside.describe_stacks()["Stacks"] if "conformance" in s["StackName"])["StackName"]
inside.list_stacks()
inside.describe_stack_resources(StackName=stack)
inside.describe_stack_events(StackName=stack)
inside.get_template(StackName=stack)
refused("ValidationError", inside.describe_stacks, StackName="nothing")
wait(cfn.update_stack_set(StackSetName="conformance", UsePreviousTemplate=True, Description="again")["OperationId"])
wait(cfn.delete_stack_instances(StackSetName="conformance", DeploymentTargets=targets, Regions=["us-east-1"], RetainStacks=False,
                                OperationPreferences={"MaxConcurrentPercentage": 100, "FailureTolerancePercentage": 100})["OperationId"])
# What is left is INOPERABLE or in a suspended account, and goes with RetainStacks.
wait(cfn.delete_stack_instances(StackSetName="conformance", DeploymentTargets=targets, Regions=["us-east-1"], RetainStacks=True,
                                OperationPreferences={"MaxConcurrentPercentage": 100, "FailureTolerancePercentage": 100})["OperationId"])
cfn.delete_stack_set(StackSetName="conformance")

# Sessions of their own, a file a service: run(c) gets what is defined above.
# LINES are the behaviours of FIDELITY.md that it asserts: WIRE-01 and WIRE-02 by judge.
asserted = {"WIRE-01", "WIRE-02"}
for path in sorted(glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "conformance", "*.py"))):
    session_file = runpy.run_path(path)
    session_file["run"](types.SimpleNamespace(**globals()))
    asserted |= set(session_file.get("LINES", ()))

for d in sorted(defects):
    print("DEFECT", d)
for c in sorted(covered):
    print("COVERED", c)
for line in sorted(asserted):
    print("ASSERTED", line)
