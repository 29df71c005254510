"""CloudFormation's engine: parameters that are looked up, shapes, and types of its own."""
import json

from behaviours import HANDLE, allow, document, equal, line, refused, trust, until
from engine import outputs, reasons, role, update


@line("ENG-22")
def parameters_of_the_store(sim):
    account = sim.account()
    cfn = sim.client("cloudformation", account=account)
    store = lambda value, more="a": {"Resources": {"P": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "one", "Type": "String", "Value": value}}, "L": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "many", "Type": "StringList", "Value": more}}}}
    sim.stack(account, "store", store("first", "a,b"))
    reads = {"Parameters": {"P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "one"}, "L": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "many"}}, **HANDLE,
             "Outputs": {"P": {"Value": {"Ref": "P"}}, "L": {"Value": {"Fn::Join": ["|", {"Ref": "L"}]}}}}
    stack = sim.stack(account, "reads", reads)
    equal(outputs(stack), {"P": "first", "L": "a|b"}, "values")
    equal({p["ParameterKey"]: (p["ParameterValue"], p["ResolvedValue"]) for p in stack["Parameters"]}, {"P": ("one", "first"), "L": ("many", "a,b")}, "parameters")
    update(sim, cfn, "store", store("second", "a,b"))
    equal(outputs(update(sim, cfn, "reads", dict(reads, Description="again")))["P"], "second", "looked up anew")
    refused("ValidationError", cfn.create_stack, "Unable to fetch parameters [nothing] from parameter store for this account.", 400, StackName="unknown", TemplateBody=json.dumps(reads), Parameters=[{"ParameterKey": "P", "ParameterValue": "nothing"}])


@line("ENG-23")
def values_that_have_to_exist(sim):
    account = sim.account()
    cfn = sim.client("cloudformation", account=account)
    template = {"Parameters": {"Vpc": {"Type": "AWS::EC2::VPC::Id"}}, **HANDLE}
    vpc = sim.client("ec2", account=account).describe_vpcs()["Vpcs"][0]["VpcId"]
    sim.stack(account, "there", template, Parameters=[{"ParameterKey": "Vpc", "ParameterValue": vpc}])
    said = "Parameter validation failed: parameter value vpc-00000000 for parameter name Vpc does not exist"
    try:
        sim.stack(account, "not-there", template, want="ROLLBACK_COMPLETE", Parameters=[{"ParameterKey": "Vpc", "ParameterValue": "vpc-00000000"}])
        assert any(said in r for r in reasons(cfn, "not-there")), reasons(cfn, "not-there")
    except cfn.exceptions.ClientError as e:
        assert said in str(e), e


@line("ENG-24")
def wrong_shapes(sim):
    cfn = sim.client("cloudformation", account=sim.account())
    for body, text in (('{"Resources": {"A": ', "JSON not well-formed. (line 1, column "), ('{"Resources": []}', ""), ('{"Resources": {"A": {"Properties": {}}}}', "A"), ('{"Resources": {"A": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}, "Outputs": {"O": {}}}', "Outputs"),
                       ('{"Resources": {"A": {"Type": "AWS::CloudFormation::WaitConditionHandle", "Properties": null}}}', "/Resources/A/Properties"), ('{"Nothing": 1, "Resources": {"A": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}', "Nothing")):
        refused("ValidationError", cfn.validate_template, text, 400, TemplateBody=body)


@line("ENG-15")
def keys(sim):
    account = sim.account()
    cfn = sim.client("cloudformation", account=account)
    whole = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "kms:*", "Resource": "*"}]}
    locked = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"}]}
    key = lambda policy=whole, **more: {"Type": "AWS::KMS::Key", "Properties": dict(more, KeyPolicy=policy)}
    template = {"Resources": {"Key": key(EnableKeyRotation=True), "Alias": {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "alias/records", "TargetKeyId": {"Ref": "Key"}}}}, "Outputs": {"Alias": {"Value": {"Ref": "Alias"}}}}
    equal(outputs(sim.stack(account, "keys", template)), {"Alias": "alias/records"}, "what Ref gives")
    for name, resource in (("locks-out", key(locked)), ("rotates", key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY", EnableKeyRotation=True)), ("soon", key(PendingWindowInDays=6))):
        sim.stack(account, name, {"Resources": {"Key": resource}}, want="ROLLBACK_COMPLETE")
        assert any("Key" in r or "key" in r for r in reasons(cfn, name)), reasons(cfn, name)
    sim.stack(account, "disabled", {"Resources": {"Key": key(Enabled=False)}})
    update(sim, cfn, "disabled", {"Resources": {"Key": key(Enabled=False, EnableKeyRotation=True)}}, "UPDATE_FAILED", DisableRollback=True)


@line("ENG-16", "ENG-17", "ENG-18", "ENG-20")
def types_that_watch(sim):
    account = sim.account()
    cfn = sim.client("cloudformation", account=account)
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "alarms"}}
    subscription = lambda **more: {"Type": "AWS::SNS::Subscription", "Properties": dict({"TopicArn": {"Ref": "Topic"}, "Protocol": "email", "Endpoint": "a@example.com"}, **more)}
    rule = lambda name="watch", **more: {"Type": "AWS::Events::Rule", "Properties": dict({"Name": name, "EventPattern": {"source": ["aws.config"]}, "Targets": [{"Id": "t", "Arn": {"Ref": "Topic"}}]}, **more)}
    group = lambda days=30: {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "trail", "RetentionInDays": days}}
    metric = lambda **more: {"Type": "AWS::Logs::MetricFilter", "DependsOn": "Group", "Properties": dict({"LogGroupName": "trail", "FilterPattern": "x", "MetricTransformations": [{"MetricName": "m", "MetricNamespace": "n", "MetricValue": "1"}]}, **more)}
    alarm = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmName": "a", "MetricName": "m", "Namespace": "n", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}}
    parameter = lambda **more: {"Type": "AWS::SSM::Parameter", "Properties": dict({"Name": "level", "Type": "String", "Value": "high"}, **more)}
    good = {"Topic": topic, "Subscription": subscription(), "Rule": rule(), "Group": group(), "Filter": metric(), "Alarm": alarm, "Parameter": parameter(AllowedPattern="[a-z]+"), "Role": role("watches"),
            "Policy": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "p", "Roles": [{"Ref": "Role"}], "PolicyDocument": json.loads(document(allow("s3:*")))}}}
    sim.stack(account, "watch", {"Resources": good})
    equal(sim.client("iam", account=account).list_role_policies(RoleName="watches")["PolicyNames"], ["p"], "the role's policies")
    other = {"Topic": dict(topic, Properties={"TopicName": "other"})}
    for n, (wrong, more) in enumerate((
            (rule(), other), (rule("two", Targets=[{"Id": str(i), "Arn": {"Ref": "Topic"}} for i in range(6)]), other), (rule("three", EventPattern={"source": "aws.config"}), other),
            (subscription(Protocol="pigeon"), other), (subscription(TopicArn=f"arn:aws:sns:us-east-1:{account}:nothing"), {}), (group(), {}), (dict(group(31), Properties={"LogGroupName": "odd", "RetentionInDays": 31}), {}),
            (dict(metric(LogGroupName="nothing"), DependsOn=[]), {}), (alarm, {}), (parameter(), {}), (parameter(Name="aws-x"), {}), (parameter(Name="bad", AllowedPattern="[a-z]+", Value="HIGH"), {}), (parameter(Name="secret", Type="SecureString"), {}),
            ({"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "p", "Roles": ["nobody"], "PolicyDocument": json.loads(document(allow("s3:*")))}}, {}))):
        try:
            sim.stack(account, f"wrong-{n}", {"Resources": dict(more, Wrong=wrong)}, want="ROLLBACK_COMPLETE")
        except AssertionError as e:
            raise AssertionError(f"{n}: {json.dumps(wrong)}: {e}") from None
        failed = [e["LogicalResourceId"] for e in cfn.describe_stack_events(StackName=f"wrong-{n}")["StackEvents"] if e["ResourceStatus"] == "CREATE_FAILED"]
        equal(failed, ["Wrong"], f"what failed in {n}")


@line("ENG-19")
def analyzers(sim):
    account = sim.account()
    cfn, iam = sim.client("cloudformation", account=account), sim.client("iam", account=account)
    analyzer = lambda name, kind="ACCOUNT", **more: {"Resources": {"A": {"Type": "AWS::AccessAnalyzer::Analyzer", "Properties": dict(more, AnalyzerName=name, Type=kind)}}}
    sim.stack(account, "first", analyzer("first"))
    assert iam.get_role(RoleName="AWSServiceRoleForAccessAnalyzer")["Role"]["Path"] == "/aws-service-role/access-analyzer.amazonaws.com/", "no service-linked role"
    for name, template in (("second", analyzer("second")), ("foreign", analyzer("foreign", "ORGANIZATION"))):
        sim.stack(account, name, template, want="ROLLBACK_COMPLETE")
        assert reasons(cfn, name)
    sim.stack(account, "elsewhere", analyzer("first"), "eu-west-1")
    task = iam.delete_service_linked_role(RoleName="AWSServiceRoleForAccessAnalyzer")["DeletionTaskId"]
    equal(until("the role's end", lambda: [s for s in [iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"]] if s not in ("IN_PROGRESS", "NOT_STARTED")]), ["FAILED"], "the role in use")


@line("IAM-04")
def calls_about_a_set(sim):
    account = sim.account()
    iam = sim.client("iam")
    sim.stack_set("guarded", HANDLE)
    sim.stack_set("open", HANDLE)
    arn = sim.cfn.describe_stack_set(StackSetName="guarded")["StackSet"]["StackSetARN"]
    iam.create_role(RoleName="of-sets", AssumeRolePolicyDocument=trust(AWS=f"arn:aws:iam::{sim.management}:root"))

    def as_allowed(*statements):
        iam.put_role_policy(RoleName="of-sets", PolicyName="p", PolicyDocument=document(allow("organizations:*"), *statements))
        return sim.client("cloudformation", keys=sim.assume(sim.management, "of-sets"))

    create = dict(DeploymentTargets=sim.just(account), Regions=["us-east-1"])
    cfn = as_allowed(allow("cloudformation:*", arn))
    assert cfn.describe_stack_set(StackSetName="guarded")["StackSet"]
    refused("AccessDenied", cfn.describe_stack_set, "cloudformation:DescribeStackSet", 403, StackSetName="open")
    refused("AccessDenied", cfn.list_stack_sets, "cloudformation:ListStackSets", 403)
    refused("AccessDenied", cfn.create_stack_instances, "cloudformation:CreateStackInstances", 403, StackSetName="guarded", **create)
    cfn = as_allowed(allow("cloudformation:CreateStackInstances", [arn, "arn:aws:cloudformation:*:*:stackset-target/guarded:*", "arn:aws:cloudformation:*::type/resource/AWS-CloudFormation-WaitConditionHandle"]))
    made = cfn.create_stack_instances(StackSetName="guarded", **create)["OperationId"]
    sim.ended("guarded", made)
    refused("AccessDenied", cfn.create_stack_set, "cloudformation:CreateStackSet", 403, StackSetName="another", TemplateBody=json.dumps(HANDLE), PermissionModel="SERVICE_MANAGED", AutoDeployment={"Enabled": False})


@line("IAM-05")
def calls_that_ask_for_more(sim):
    iam = sim.client("iam")
    iam.create_role(RoleName="of-stacks", AssumeRolePolicyDocument=trust(AWS=f"arn:aws:iam::{sim.management}:root"))
    sim.client("cloudformation").create_stack(StackName="asked", TemplateBody=json.dumps(HANDLE))
    stack = sim.stack_ended(sim.client("cloudformation"), "asked", "CREATE_COMPLETE")["StackId"]

    def as_allowed(*actions):
        iam.put_role_policy(RoleName="of-stacks", PolicyName="p", PolicyDocument=document(allow([f"cloudformation:{a}" for a in actions])))
        return sim.client("cloudformation", keys=sim.assume(sim.management, "of-stacks"))

    cfn = as_allowed("DescribeStacks")
    equal(cfn.describe_stacks(StackName="asked")["Stacks"][0]["StackId"], stack, "one stack")
    refused("AccessDenied", cfn.describe_stacks, "cloudformation:ListStacks", 403)
    assert as_allowed("DescribeStacks", "ListStacks").describe_stacks()["Stacks"]
    detect = ("DetectStackDrift", "DetectStackResourceDrift", "BatchDescribeTypeConfigurations")
    for missing in detect:
        cfn = as_allowed(*(a for a in detect if a != missing))
        refused("AccessDenied", cfn.detect_stack_drift, f"cloudformation:{missing}", 403, StackName="asked")
    assert as_allowed(*detect).detect_stack_drift(StackName="asked")["StackDriftDetectionId"]
