"""AWS Config's managed rules, and when they look."""
import json

from behaviours import document, equal, line, refused, trust, until
from recording import CLOSED, Recorded

ACCOUNT = "AWS::::Account"
WORLD = [{"CidrIp": "0.0.0.0/0"}]
CRITICAL = dict(MinimumPasswordLength=14, RequireUppercaseCharacters=True, RequireLowercaseCharacters=True, RequireSymbols=True, RequireNumbers=True, PasswordReusePrevention=24)


def port(n):
    return {"IpProtocol": "tcp", "FromPort": n, "ToPort": n, "IpRanges": WORLD}


def both(at, rules, mend):
    """Rules that find something, and after it was mended and they were put anew find nothing."""
    for name, parameters in rules.items():
        at.put(name, name, parameters)
    for name in rules:
        at.says(name, "NON_COMPLIANT", "before")
    mend()
    for name, parameters in rules.items():
        at.put(name, name, parameters)
    for name in rules:
        at.says(name, "COMPLIANT", "after")


@line("CFG-20")
def groups(sim):
    at = Recorded(sim)
    group = at.default_group()["GroupId"]
    at.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[port(22), port(3389)])

    def mend():
        at.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[port(22), port(3389)])
        at.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[port(443)])

    both(at, {"INCOMING_SSH_DISABLED": None, "RESTRICTED_INCOMING_TRAFFIC": None, "VPC_SG_PORT_RESTRICTION_CHECK": None, "VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS": {"authorizedTcpPorts": "443"}}, mend)
    both(at, {CLOSED: None}, at.close)


@line("CFG-20")
def the_account(sim):
    at = Recorded(sim)
    ssm = at.sim.client("ssm", account=at.account)
    used = "arn:aws:iam::aws:policy/AWSSupportAccess"
    at.iam.create_role(RoleName="supports", AssumeRolePolicyDocument=trust(AWS=f"arn:aws:iam::{at.account}:root"))
    block = ("import boto3\ndef handler(event, context):\n    boto3.client('s3control').put_public_access_block(AccountId=event['account'], PublicAccessBlockConfiguration={'BlockPublicAcls': True, "
             "'IgnorePublicAcls': True, 'BlockPublicPolicy': True, 'RestrictPublicBuckets': True})\n")
    ssm.create_document(Name="block", DocumentType="Automation", Content=json.dumps({"schemaVersion": "0.3", "mainSteps": [{
        "name": "block", "action": "aws:executeScript", "inputs": {"Runtime": "python3.11", "Handler": "handler", "Script": block, "InputPayload": {"account": at.account}}}]}))
    ssm.modify_document_permission(Name="block", PermissionType="Share", AccountIdsToAdd=["all"])

    def mend():
        at.iam.update_account_password_policy(**CRITICAL)
        at.ec2.enable_ebs_encryption_by_default()
        at.iam.attach_role_policy(RoleName="supports", PolicyArn=used)
        ssm.modify_document_permission(Name="block", PermissionType="Share", AccountIdsToRemove=["all"])
        run = ssm.start_automation_execution(DocumentName="block")["AutomationExecutionId"]
        until("the account's block", lambda: ssm.get_automation_execution(AutomationExecutionId=run)["AutomationExecution"]["AutomationExecutionStatus"] == "Success")
        at.ec2.create_flow_logs(ResourceIds=[v["VpcId"] for v in at.ec2.describe_vpcs()["Vpcs"]], ResourceType="VPC", TrafficType="ALL", LogDestinationType="s3", LogDestination=f"arn:aws:s3:::{at.bucket}")

    both(at, {"IAM_PASSWORD_POLICY": None, "EC2_EBS_ENCRYPTION_BY_DEFAULT": None, "IAM_POLICY_IN_USE": {"policyARN": used}, "SSM_DOCUMENT_NOT_PUBLIC": None,
              "S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC": None, "VPC_FLOW_LOGS_ENABLED": None}, mend)


@line("CFG-20")
def buckets(sim):
    at = Recorded(sim)
    s3 = at.sim.client("s3", account=at.account)
    s3.delete_public_access_block(Bucket=at.bucket)
    tls = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [f"arn:aws:s3:::{at.bucket}", f"arn:aws:s3:::{at.bucket}/*"], "Condition": {"Bool": {"aws:SecureTransport": "false"}}}

    def mend():
        s3.put_public_access_block(Bucket=at.bucket, PublicAccessBlockConfiguration=dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True))
        s3.put_bucket_policy(Bucket=at.bucket, Policy=document(tls))
        s3.put_bucket_encryption(Bucket=at.bucket, ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]})

    both(at, {"S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED": None, "S3_BUCKET_SSL_REQUESTS_ONLY": None, "S3_DEFAULT_ENCRYPTION_KMS": None}, mend)


@line("CFG-20")
def what_no_call_makes(sim):
    plain, at = Recorded(sim), Recorded(sim, account=sim.furnished["things"])
    flags = ["SECURITYHUB_ENABLED", "GUARDDUTY_ENABLED_CENTRALIZED", "INSPECTOR_EC2_SCAN_ENABLED", "INSPECTOR_ECR_SCAN_ENABLED", "INSPECTOR_LAMBDA_STANDARD_SCAN_ENABLED",
             "IAM_EXTERNAL_ACCESS_ANALYZER_ENABLED", "MULTI_REGION_CLOUD_TRAIL_ENABLED", "EBS_SNAPSHOT_BLOCK_PUBLIC_ACCESS", "SSM_AUTOMATION_BLOCK_PUBLIC_SHARING"]
    for a, want in ((plain, "NON_COMPLIANT"), (at, "COMPLIANT")):
        for rule in flags:
            a.put(rule, rule)
        for rule in flags:
            a.says(rule, want)
    at.put("root", "IAM_ROOT_ACCESS_KEY_CHECK")
    at.says("root", "COMPLIANT")
    instance = next(i["InstanceId"] for r in at.ec2.describe_instances()["Reservations"] for i in r["Instances"] if i["MetadataOptions"]["HttpTokens"] == "optional")
    snapshot = next(s["SnapshotId"] for s in at.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"])
    both(at, {"EC2_IMDSV2_CHECK": None}, lambda: at.ec2.modify_instance_metadata_options(InstanceId=instance, HttpTokens="required"))
    share = lambda operation: at.ec2.modify_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission", OperationType=operation, UserIds=[plain.account])
    ids = {u["UserName"]: u["UserId"] for u in at.iam.list_users()["Users"]}
    for rule, parameter in (("ACCESS_KEYS_ROTATED", "maxAccessKeyAge"), ("IAM_USER_UNUSED_CREDENTIALS_CHECK", "maxCredentialUsageAge")):
        at.put(rule, rule, {parameter: "90"})
        at.says(rule, "NON_COMPLIANT")
        equal(at.results(rule), {("AWS::IAM::User", ids["old"]): "NON_COMPLIANT", ("AWS::IAM::User", ids["young"]): "COMPLIANT"}, rule)


@line("CFG-21")
def by_the_clock(sim):
    at = Recorded(sim, group={"resourceTypes": ["AWS::EC2::VPC"]})
    at.put("daily", "EC2_EBS_ENCRYPTION_BY_DEFAULT")
    at.put("hourly", "EC2_EBS_ENCRYPTION_BY_DEFAULT", MaximumExecutionFrequency="One_Hour")
    for name in ("daily", "hourly"):
        at.says(name, "NON_COMPLIANT", "when it was put")
    # A day is 24 seconds here, an hour one. No recorder runs any more.
    at.config.stop_configuration_recorder(ConfigurationRecorderName="default")
    at.ec2.enable_ebs_encryption_by_default()
    at.says("hourly", "COMPLIANT", "after an hour")
    equal(at.word("daily"), "NON_COMPLIANT", "the daily rule after an hour")
    # A rule of both triggers looks at items again once every period, and not when the recorder stands.
    both_ = Recorded(sim)
    both_.put("ssh", "INCOMING_SSH_DISABLED", MaximumExecutionFrequency="One_Hour")
    both_.says("ssh", "COMPLIANT")
    before = both_.evaluated("ssh")
    until("the next period", lambda: both_.evaluated("ssh") > before)


@line("CFG-23")
def standard_parameters(sim):
    at = Recorded(sim)
    for name, change, want in (("short", {"MinimumPasswordLength": 13}, "NON_COMPLIANT"), ("again", {"PasswordReusePrevention": 23}, "NON_COMPLIANT"), ("standard", {}, "COMPLIANT")):
        at.iam.update_account_password_policy(**dict(CRITICAL, **change))
        at.put(name, "IAM_PASSWORD_POLICY")
        at.says(name, want)
    # No expiry is asked for without MaxPasswordAge, and one is with it.
    at.put("expiry", "IAM_PASSWORD_POLICY", {"MaxPasswordAge": "90"})
    at.says("expiry", "NON_COMPLIANT")
    assert "InputParameters" not in at.config.describe_config_rules(ConfigRuleNames=["standard"])["ConfigRules"][0], "defaults are shown"


@line("CFG-24")
def on_the_account(sim):
    at = Recorded(sim)
    at.put("password", "IAM_PASSWORD_POLICY")
    at.says("password", "NON_COMPLIANT")
    equal(at.results("password"), {(ACCOUNT, at.account): "NON_COMPLIANT"}, "the results")


@line("CFG-26")
def logs_of_all(sim):
    at = Recorded(sim)
    logs = dict(ResourceIds=[v["VpcId"] for v in at.ec2.describe_vpcs()["Vpcs"]], ResourceType="VPC", LogDestinationType="s3")
    at.ec2.create_flow_logs(TrafficType="ACCEPT", LogDestination=f"arn:aws:s3:::{at.bucket}", **logs)
    at.put("before", "VPC_FLOW_LOGS_ENABLED", {"trafficType": "REJECT"})
    at.says("before", "NON_COMPLIANT", "with a log of ACCEPT")
    at.ec2.create_flow_logs(TrafficType="ALL", LogDestination=f"arn:aws:s3:::{at.bucket}/all", **logs)
    at.put("after", "VPC_FLOW_LOGS_ENABLED", {"trafficType": "REJECT"})
    at.says("after", "COMPLIANT", "with a log of ALL")


@line("CFG-13")
def counts_that_stop(sim):
    at = Recorded(sim)
    for n in range(26):
        at.put(f"rule-{n}", "EC2_EBS_ENCRYPTION_BY_DEFAULT")
    resources = {f"B{n}": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": f"b{n}-{at.account}"}} for n in range(26)}
    at.sim.stack(at.account, "buckets", {"Resources": resources})
    at.put("tls", "S3_BUCKET_SSL_REQUESTS_ONLY")
    summary = lambda: at.config.get_compliance_summary_by_config_rule()["ComplianceSummary"]["NonCompliantResourceCount"]
    capped = {"CappedCount": 25, "CapExceeded": True}
    until("all rules", lambda: summary()["CappedCount"] >= 25 and all(at.evaluated(f"rule-{n}") for n in range(26)))
    equal(summary(), capped, "rules")
    until("all buckets", lambda: len(at.results("tls")) == 27)
    equal(at.config.describe_compliance_by_config_rule(ConfigRuleNames=["tls"])["ComplianceByConfigRules"][0]["Compliance"]["ComplianceContributorCount"], capped, "resources of a rule")


@line("CFG-22")
def parameters(sim):
    at = Recorded(sim)
    put = lambda identifier, given: at.config.put_config_rule(ConfigRule={"ConfigRuleName": "r", "Source": {"Owner": "AWS", "SourceIdentifier": identifier}, "InputParameters": given})
    for identifier, given, said in (("IAM_PASSWORD_POLICY", '{"Length":"1"}', "Unknown parameters provided in the inputParameters"), ("ACCESS_KEYS_ROTATED", "{}", "required parameter"),
                                   ("ACCESS_KEYS_ROTATED", '{"maxAccessKeyAge":90}', "Blank spaces are not acceptable"), ("ACCESS_KEYS_ROTATED", '{"maxAccessKeyAge":" "}', "Blank spaces are not acceptable")):
        refused("InvalidParameterValueException", put, said, 400, identifier=identifier, given=given)
    put("ACCESS_KEYS_ROTATED", '{"maxAccessKeyAge":"often"}')
    status = lambda: at.config.describe_config_rule_evaluation_status(ConfigRuleNames=["r"])["ConfigRulesEvaluationStatus"][0]
    until("the evaluation that fails", lambda: status().get("LastErrorCode"))
    assert "maxAccessKeyAge" in status()["LastErrorMessage"] and "LastSuccessfulEvaluationTime" not in status(), status()
