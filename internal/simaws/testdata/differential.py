"""Makes one script of calls through boto3, parameter validation on, against one endpoint
and prints a JSON line for each: step, call, and the answer or the error, normalized so
that two endpoints can be compared. Usage: differential.py URL"""
import json
import re
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

URL = sys.argv[1]
names, titles = {}, set()
PATTERNS = [
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"\bp-[0-9a-z]{8}\b"), "POLICY"),
    (re.compile(r"car-[0-9a-z]{8,32}"), "REQUEST"),
    (re.compile(r"\bou-[0-9a-z]{4,32}-[0-9a-z]{8,32}"), "OU"),
    (re.compile(r"\bo-[0-9a-z]{10,32}"), "ORGANIZATION"),
    (re.compile(r"\b(AROA|AIDA|ASIA)[A-Z0-9]+"), r"\1"),
    (re.compile(r"config-rule-[0-9a-z]{6}"), "config-rule-ID"),
    (re.compile(r"(configuration-recorder/default)/[a-z0-9]{16}"), r"\1/ID"),
    (re.compile(r"\b\d{12}\b"), "ACCOUNT"),
]


def client(service, keys=None):
    keys = keys or {"AccessKeyId": "AKIAOPERATOR", "SecretAccessKey": "x", "SessionToken": None}
    return boto3.client(service, region_name="us-east-1", endpoint_url=URL, aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
                        aws_session_token=keys["SessionToken"], config=Config(retries={"max_attempts": 1}))


def normal(v):
    if isinstance(v, dict):
        return {k: "KEY" if k in ("AccessKeyId", "SecretAccessKey", "SessionToken") else normal(x) for k, x in v.items()}
    if isinstance(v, list):
        return sorted((normal(x) for x in v), key=lambda x: json.dumps(x, sort_keys=True))
    if hasattr(v, "isoformat"):
        return "TIME"
    if isinstance(v, str):
        if v in names:
            return names[v]
        for known in sorted((k for k in names if len(k) >= 6), key=len, reverse=True):
            if not known.isalpha():
                v = v.replace(known, names[known])
        for pattern, word in PATTERNS:
            v = pattern.sub(word, v)
    return v


def call(title, api, method, **members):
    """One step. Gives the raw answer, or None for an error."""
    assert title not in titles, title
    titles.add(title)
    operation = api.meta.method_to_api_mapping[method]
    line = {"step": title, "call": f"{api.meta.service_model.signing_name}:{operation}"}
    raw = None
    try:
        raw = getattr(api, method)(**members)
        line["answer"] = normal({k: v for k, v in raw.items() if k != "ResponseMetadata"})
    except ClientError as e:
        line["error"] = {"Code": e.response["Error"]["Code"], "Status": e.response["ResponseMetadata"]["HTTPStatusCode"], "Message": normal(e.response["Error"]["Message"])}
    except ResponseParserError:  # an answer that is none
        line["error"] = {"Code": "no readable answer", "Status": 500, "Message": ""}
    print(json.dumps(line, sort_keys=True))
    return raw


def until(read):
    for _ in range(300):
        done = read()
        if done:
            return done
        time.sleep(0.05)
    raise AssertionError("it does not end")


# The organization, from nothing.
org, sts, cfn, config, iam = (client(s) for s in ("organizations", "sts", "cloudformation", "config", "iam"))
me = sts.get_caller_identity()["Account"]
names[me] = "MANAGEMENT"
call("who am I", sts, "get_caller_identity")
call("no organization yet", org, "describe_organization")
call("create the organization", org, "create_organization", FeatureSet="ALL")
call("create the organization again", org, "create_organization", FeatureSet="ALL")
call("describe the organization", org, "describe_organization")
root = org.list_roots()["Roots"][0]["Id"]
names[root] = "ROOT"
call("roots", org, "list_roots")


def ou(parent, name):
    made = call("create OU " + name, org, "create_organizational_unit", ParentId=parent, Name=name)["OrganizationalUnit"]["Id"]
    names[made] = "OU-" + name
    return made


workloads, sandbox = ou(root, "Workloads"), ou(root, "Sandbox")
prod = ou(workloads, "Prod")
call("create an OU twice", org, "create_organizational_unit", ParentId=root, Name="Workloads")
call("create an OU below nothing", org, "create_organizational_unit", ParentId="ou-zzzz-zzzzzzzz", Name="x")
call("create an OU below no id", org, "create_organizational_unit", ParentId="nothing", Name="x")
call("OUs of the root", org, "list_organizational_units_for_parent", ParentId=root)
call("describe an OU", org, "describe_organizational_unit", OrganizationalUnitId=prod)
call("describe no OU", org, "describe_organizational_unit", OrganizationalUnitId="ou-zzzz-zzzzzzzz")
call("rename an OU", org, "update_organizational_unit", OrganizationalUnitId=prod, Name="Production")
call("rename it to a neighbour's name", org, "update_organizational_unit", OrganizationalUnitId=sandbox, Name="Workloads")
call("OUs of nothing", org, "list_organizational_units_for_parent", ParentId="ou-zzzz-zzzzzzzz")
accounts = []
for name in ("shop", "bank", "lab"):
    request = call("create account " + name, org, "create_account", Email=name + "@example.com", AccountName=name)["CreateAccountStatus"]["Id"]
    done = until(lambda: (lambda s: s if s["State"] != "IN_PROGRESS" else None)(org.describe_create_account_status(CreateAccountRequestId=request)["CreateAccountStatus"]))
    names[done["AccountId"]] = "ACCOUNT-" + name
    accounts.append(done["AccountId"])
    call("the request for " + name, org, "describe_create_account_status", CreateAccountRequestId=request)
shop, bank, lab = accounts
call("no such request", org, "describe_create_account_status", CreateAccountRequestId="car-00000000000000000000000000000000")
call("requests that succeeded", org, "list_create_account_status", States=["SUCCEEDED"])
call("move an account", org, "move_account", AccountId=shop, SourceParentId=root, DestinationParentId=prod)
call("move another", org, "move_account", AccountId=bank, SourceParentId=root, DestinationParentId=prod)
call("move it where it is", org, "move_account", AccountId=shop, SourceParentId=prod, DestinationParentId=prod)
call("move it to nowhere", org, "move_account", AccountId=shop, SourceParentId=prod, DestinationParentId="ou-zzzz-zzzzzzzz")
call("move no account", org, "move_account", AccountId="000000000000", SourceParentId=root, DestinationParentId=prod)
call("accounts", org, "list_accounts")
call("accounts of an OU", org, "list_accounts_for_parent", ParentId=prod)
call("accounts of nothing", org, "list_accounts_for_parent", ParentId="ou-zzzz-zzzzzzzz")
call("children of the root", org, "list_children", ParentId=root, ChildType="ORGANIZATIONAL_UNIT")
call("parents of an account", org, "list_parents", ChildId=shop)
call("parents of nothing", org, "list_parents", ChildId="000000000000")
call("describe an account", org, "describe_account", AccountId=shop)
call("describe no account", org, "describe_account", AccountId="000000000000")
call("tag an account", org, "tag_resource", ResourceId=shop, Tags=[{"Key": "team", "Value": "a"}, {"Key": "stage", "Value": "prod"}])
call("tag with a system tag", org, "tag_resource", ResourceId=shop, Tags=[{"Key": "aws:x", "Value": "a"}])
call("untag it", org, "untag_resource", ResourceId=shop, TagKeys=["stage"])
call("its tags", org, "list_tags_for_resource", ResourceId=shop)
call("tags of nothing", org, "list_tags_for_resource", ResourceId="000000000000")
call("delete an OU with accounts", org, "delete_organizational_unit", OrganizationalUnitId=prod)
call("delete an empty OU", org, "delete_organizational_unit", OrganizationalUnitId=sandbox)
call("delegate without trusted access", org, "register_delegated_administrator", AccountId=lab, ServicePrincipal="config.amazonaws.com")
call("trust a service", org, "enable_aws_service_access", ServicePrincipal="config.amazonaws.com")
call("trust no service", org, "enable_aws_service_access", ServicePrincipal="moon.amazon.com")
call("trusted services", org, "list_aws_service_access_for_organization")
call("delegate", org, "register_delegated_administrator", AccountId=lab, ServicePrincipal="config.amazonaws.com")
call("delegate again", org, "register_delegated_administrator", AccountId=lab, ServicePrincipal="config.amazonaws.com")
call("delegate to the management account", org, "register_delegated_administrator", AccountId=me, ServicePrincipal="config.amazonaws.com")
call("delegated administrators", org, "list_delegated_administrators")
call("its services", org, "list_delegated_services_for_account", AccountId=lab)
call("services of another", org, "list_delegated_services_for_account", AccountId=shop)
call("take it back", org, "deregister_delegated_administrator", AccountId=lab, ServicePrincipal="config.amazonaws.com")
call("take it back again", org, "deregister_delegated_administrator", AccountId=lab, ServicePrincipal="config.amazonaws.com")

# Sessions.
role = f"arn:aws:iam::{shop}:role/OrganizationAccountAccessRole"
session = call("assume the role of a new account", sts, "assume_role", RoleArn=role, RoleSessionName="differential")
inside = client("sts", session["Credentials"])
call("who am I there", inside, "get_caller_identity")
call("assume a role that is not there", sts, "assume_role", RoleArn=f"arn:aws:iam::{shop}:role/nobody", RoleSessionName="differential")
call("no role", iam, "get_role", RoleName="nobody")
call("list the organization from a member", client("organizations", session["Credentials"]), "list_accounts")

# The life of a StackSet.
TEMPLATE = json.dumps({"Parameters": {"Size": {"Type": "String", "Default": "small", "AllowedValues": ["small", "large"]}}, "Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}})
call("StackSets' access", cfn, "describe_organizations_access")
call("give StackSets access", cfn, "activate_organizations_access")
call("StackSets' access, given", cfn, "describe_organizations_access")
MANAGED = {"PermissionModel": "SERVICE_MANAGED", "AutoDeployment": {"Enabled": False}}
call("validate a template", cfn, "validate_template", TemplateBody=TEMPLATE)
call("validate no template", cfn, "validate_template", TemplateBody="{}")
call("create a stack set", cfn, "create_stack_set", StackSetName="life", TemplateBody=TEMPLATE, Description="first", Tags=[{"Key": "k", "Value": "v"}], **MANAGED)
call("create it again, otherwise", cfn, "create_stack_set", StackSetName="life", TemplateBody=TEMPLATE, Description="second", **MANAGED)
call("describe the stack set", cfn, "describe_stack_set", StackSetName="life")
call("describe no stack set", cfn, "describe_stack_set", StackSetName="nothing")
TARGETS = {"OrganizationalUnitIds": [workloads]}
EAGER = {"MaxConcurrentPercentage": 100, "FailureTolerancePercentage": 100, "RegionConcurrencyType": "PARALLEL"}


def ended(title, answer):
    operation = (answer or {}).get("OperationId", "nothing")
    names[operation] = "OPERATION-" + title

    def over():
        try:
            return cfn.describe_stack_set_operation(StackSetName="life", OperationId=operation)["StackSetOperation"]["Status"] not in ("RUNNING", "QUEUED")
        except ClientError:
            return True

    until(over)
    call("operation " + title, cfn, "describe_stack_set_operation", StackSetName="life", OperationId=operation)
    call("results of " + title, cfn, "list_stack_set_operation_results", StackSetName="life", OperationId=operation)


ended("add", call("add instances", cfn, "create_stack_instances", StackSetName="life", DeploymentTargets=TARGETS, Regions=["us-east-1", "eu-west-1"], OperationId="add", OperationPreferences=EAGER))
call("add instances with the same operation id", cfn, "create_stack_instances", StackSetName="life", DeploymentTargets=TARGETS, Regions=["us-east-1"], OperationId="add")
call("add with UNION", cfn, "create_stack_instances", StackSetName="life", DeploymentTargets=dict(TARGETS, Accounts=[lab], AccountFilterType="UNION"), Regions=["us-east-1"], OperationId="union")
call("add to a foreign OU", cfn, "create_stack_instances", StackSetName="life", DeploymentTargets={"OrganizationalUnitIds": ["ou-zzzz-zzzzzzzz"]}, Regions=["us-east-1"], OperationId="foreign")
call("add in no Region", cfn, "create_stack_instances", StackSetName="life", DeploymentTargets=TARGETS, Regions=["mars-north-1"], OperationId="mars")
call("instances", cfn, "list_stack_instances", StackSetName="life")
call("instances of an account", cfn, "list_stack_instances", StackSetName="life", StackInstanceAccount=shop, StackInstanceRegion="us-east-1")
call("describe an instance", cfn, "describe_stack_instance", StackSetName="life", StackInstanceAccount=shop, StackInstanceRegion="us-east-1")
call("describe no instance", cfn, "describe_stack_instance", StackSetName="life", StackInstanceAccount=lab, StackInstanceRegion="us-east-1")
ended("override", call("override a parameter", cfn, "update_stack_instances", StackSetName="life", DeploymentTargets=TARGETS, Regions=["us-east-1"], ParameterOverrides=[{"ParameterKey": "Size", "ParameterValue": "large"}], OperationId="override", OperationPreferences=EAGER))
call("describe the overridden instance", cfn, "describe_stack_instance", StackSetName="life", StackInstanceAccount=shop, StackInstanceRegion="us-east-1")
ended("update", call("update the stack set", cfn, "update_stack_set", StackSetName="life", TemplateBody=TEMPLATE, Description="third", OperationId="update", OperationPreferences=EAGER))
call("the override after an update", cfn, "describe_stack_instance", StackSetName="life", StackInstanceAccount=shop, StackInstanceRegion="us-east-1")
call("update with a value that is not allowed", cfn, "update_stack_set", StackSetName="life", UsePreviousTemplate=True, Parameters=[{"ParameterKey": "Size", "ParameterValue": "huge"}], OperationId="huge")
call("operations", cfn, "list_stack_set_operations", StackSetName="life")
call("no operation", cfn, "describe_stack_set_operation", StackSetName="life", OperationId="nothing")
call("stop an operation that has ended", cfn, "stop_stack_set_operation", StackSetName="life", OperationId="add")
call("delete a stack set that has instances", cfn, "delete_stack_set", StackSetName="life")
call("stack sets", cfn, "list_stack_sets", Status="ACTIVE")
ended("remove", call("remove instances", cfn, "delete_stack_instances", StackSetName="life", DeploymentTargets=TARGETS, Regions=["us-east-1", "eu-west-1"], RetainStacks=False, OperationId="remove", OperationPreferences=EAGER))
call("no instances", cfn, "list_stack_instances", StackSetName="life")
call("delete the stack set", cfn, "delete_stack_set", StackSetName="life")
call("the deleted stack set", cfn, "describe_stack_set", StackSetName="life")

# A stack of one account.
TOPIC = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "news"}}}, "Outputs": {"Arn": {"Value": {"Ref": "Topic"}, "Export": {"Name": "news"}}}})
call("create a stack", cfn, "create_stack", StackName="one", TemplateBody=TOPIC, Tags=[{"Key": "k", "Value": "v"}])
until(lambda: cfn.describe_stacks(StackName="one")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE")
call("describe the stack", cfn, "describe_stacks", StackName="one")
call("create the stack again", cfn, "create_stack", StackName="one", TemplateBody=TOPIC)
call("its resources", cfn, "list_stack_resources", StackName="one")
call("exports", cfn, "list_exports")
call("update nothing", cfn, "update_stack", StackName="one", TemplateBody=TOPIC)
call("create a stack of an unknown type", cfn, "create_stack", StackName="unknown", TemplateBody=json.dumps({"Resources": {"X": {"Type": "AWS::No::Thing"}}}))
call("create a role without the capability", cfn, "create_stack", StackName="role", TemplateBody=json.dumps({"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}}}}))
call("delete the stack", cfn, "delete_stack", StackName="one")


def gone():
    try:
        return not cfn.describe_stacks(StackName="one")["Stacks"]
    except ClientError:
        return True


until(gone)
call("the deleted stack", cfn, "describe_stacks", StackName="one")
call("delete no stack", cfn, "delete_stack", StackName="nothing")

# AWS Config.
ROLE = f"arn:aws:iam::{me}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
RULE = {"ConfigRuleName": "closed", "Source": {"Owner": "AWS", "SourceIdentifier": "VPC_DEFAULT_SECURITY_GROUP_CLOSED"}}
call("a rule without a recorder", config, "put_config_rule", ConfigRule=RULE)
call("no rule", config, "describe_config_rules", ConfigRuleNames=["nothing"])
call("delete no rule", config, "delete_config_rule", ConfigRuleName="nothing")
call("no recorder", config, "describe_configuration_recorders", ConfigurationRecorderNames=["nothing"])
call("a recorder", config, "put_configuration_recorder", ConfigurationRecorder={"name": "default", "roleARN": ROLE, "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": False}})
call("a second recorder", config, "put_configuration_recorder", ConfigurationRecorder={"name": "second", "roleARN": ROLE})
call("start it without a channel", config, "start_configuration_recorder", ConfigurationRecorderName="default")
call("a channel to no bucket", config, "put_delivery_channel", DeliveryChannel={"name": "default", "s3BucketName": "a-bucket-that-is-not-there"})
call("the recorder", config, "describe_configuration_recorders")
call("its status", config, "describe_configuration_recorder_status")
call("a rule", config, "put_config_rule", ConfigRule=RULE)
until(lambda: config.describe_config_rules(ConfigRuleNames=["closed"])["ConfigRules"][0]["ConfigRuleState"] != "EVALUATING")
call("the rule", config, "describe_config_rules", ConfigRuleNames=["closed"])
PERIODIC = {"ConfigRuleName": "periodic", "Source": {"Owner": "AWS", "SourceIdentifier": "IAM_PASSWORD_POLICY"}}
call("a scope of a rule that runs by the clock", config, "put_config_rule", ConfigRule=dict(PERIODIC, Scope={"ComplianceResourceTypes": ["AWS::IAM::User"]}))
call("a frequency of a rule that runs on changes", config, "put_config_rule", ConfigRule=dict(RULE, MaximumExecutionFrequency="Six_Hours"))
call("an unknown parameter", config, "put_config_rule", ConfigRule=dict(PERIODIC, InputParameters='{"Length":"1"}'))
call("remediation of no rule", config, "put_remediation_configurations", RemediationConfigurations=[{"ConfigRuleName": "nothing", "TargetType": "SSM_DOCUMENT", "TargetId": "AWS-X"}])
call("delete the recorder", config, "delete_configuration_recorder", ConfigurationRecorderName="default")
call("delete the recorder again", config, "delete_configuration_recorder", ConfigurationRecorderName="default")

# Service control policies.
SCP = "SERVICE_CONTROL_POLICY"
DENY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "config:Delete*", "Resource": "*"}]})
made = call("create a policy", org, "create_policy", Name="keep", Description="keeps Config", Type=SCP, Content=DENY)["Policy"]["PolicySummary"]["Id"]
names[made] = "POLICY"
call("create a policy of that name", org, "create_policy", Name="keep", Description="", Type=SCP, Content=DENY)
call("create a policy of no JSON", org, "create_policy", Name="bad", Description="", Type=SCP, Content="{")
call("attach it while the type is off", org, "attach_policy", PolicyId=made, TargetId=bank)
call("switch the type on", org, "enable_policy_type", RootId=root, PolicyType=SCP)
until(lambda: [t["Status"] for t in org.list_roots()["Roots"][0]["PolicyTypes"]] == ["ENABLED"])
call("switch the type on again", org, "enable_policy_type", RootId=root, PolicyType=SCP)
call("the policy", org, "describe_policy", PolicyId=made)
call("no policy", org, "describe_policy", PolicyId="p-zzzzzzzz")
call("policies", org, "list_policies", Filter=SCP)
call("attach the policy", org, "attach_policy", PolicyId=made, TargetId=bank)
call("attach the policy again", org, "attach_policy", PolicyId=made, TargetId=bank)
call("attach the policy to nothing", org, "attach_policy", PolicyId=made, TargetId="000000000000")
call("policies of an account", org, "list_policies_for_target", TargetId=bank, Filter=SCP)
call("targets of the policy", org, "list_targets_for_policy", PolicyId=made)
call("rename the policy", org, "update_policy", PolicyId=made, Name="kept")
call("rename AWS's policy", org, "update_policy", PolicyId="p-FullAWSAccess", Name="mine")
call("delete the policy in use", org, "delete_policy", PolicyId=made)
call("detach the policy", org, "detach_policy", PolicyId=made, TargetId=bank)
call("detach the policy again", org, "detach_policy", PolicyId=made, TargetId=bank)
call("detach the last policy", org, "detach_policy", PolicyId="p-FullAWSAccess", TargetId=bank)
call("delete the policy", org, "delete_policy", PolicyId=made)
call("delete the policy again", org, "delete_policy", PolicyId=made)
call("switch the type off", org, "disable_policy_type", RootId=root, PolicyType=SCP)
until(lambda: not org.list_roots()["Roots"][0]["PolicyTypes"])
call("switch the type off again", org, "disable_policy_type", RootId=root, PolicyType=SCP)

# Roles.
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ssm.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
ALLOW = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]})
READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"
made = call("create a role", iam, "create_role", RoleName="worker", AssumeRolePolicyDocument=TRUST, Description="works")["Role"]["Arn"]
call("create the role again", iam, "create_role", RoleName="worker", AssumeRolePolicyDocument=TRUST)
call("create a role without trust", iam, "create_role", RoleName="other", AssumeRolePolicyDocument="{")
call("the role", iam, "get_role", RoleName="worker")
call("put a policy", iam, "put_role_policy", RoleName="worker", PolicyName="look", PolicyDocument=ALLOW)
call("put a policy with a principal", iam, "put_role_policy", RoleName="worker", PolicyName="bad", PolicyDocument=TRUST)
call("the role's policy", iam, "get_role_policy", RoleName="worker", PolicyName="look")
call("no role policy", iam, "get_role_policy", RoleName="worker", PolicyName="none")
call("its policies", iam, "list_role_policies", RoleName="worker")
call("attach AWS's policy", iam, "attach_role_policy", RoleName="worker", PolicyArn=READ)
call("attach no policy", iam, "attach_role_policy", RoleName="worker", PolicyArn=f"arn:aws:iam::{me}:policy/none")
call("attached policies", iam, "list_attached_role_policies", RoleName="worker")
call("what it may do", iam, "simulate_principal_policy", PolicySourceArn=made, ActionNames=["ec2:DescribeVpcs", "ec2:RunInstances"])
call("delete the role with policies", iam, "delete_role", RoleName="worker")
call("detach AWS's policy", iam, "detach_role_policy", RoleName="worker", PolicyArn=READ)
call("detach AWS's policy again", iam, "detach_role_policy", RoleName="worker", PolicyArn=READ)
call("delete the role's policy", iam, "delete_role_policy", RoleName="worker", PolicyName="look")
call("delete the role", iam, "delete_role", RoleName="worker")
call("delete the role again", iam, "delete_role", RoleName="worker")
call("a service-linked role", iam, "create_service_linked_role", AWSServiceName="remediation.config.amazonaws.com")
call("the service-linked role again", iam, "create_service_linked_role", AWSServiceName="remediation.config.amazonaws.com")
call("delete it as any role", iam, "delete_role", RoleName="AWSServiceRoleForConfigRemediation")
call("delete it as a service-linked role", iam, "delete_service_linked_role", RoleName="AWSServiceRoleForConfigRemediation")

# The end of accounts.
call("close an account", org, "close_account", AccountId=lab)
call("close no account", org, "close_account", AccountId="000000000000")
call("close the management account", org, "close_account", AccountId=me)
call("remove a young account", org, "remove_account_from_organization", AccountId=bank)
call("remove the management account", org, "remove_account_from_organization", AccountId=me)
