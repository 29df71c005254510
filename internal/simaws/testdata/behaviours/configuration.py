"""AWS Config: recorders, channels and the life of rules."""
import json
import time

from behaviours import equal, line, refused, until
from recording import ALL, CLOSED, GROUP, LINKED, Recorded, bucket, delivery

AGE = {"maxAccessKeyAge": "90"}


@line("CFG-04")
def all_that_is_wrong(sim):
    config = sim.client("config")
    text = refused("ValidationException", config.put_config_rule, "2 validation errors detected: ", 400, ConfigRule={"ConfigRuleName": "x" * 129})
    for said in ("'configRule.configRuleName' failed to satisfy constraint: Member must have length less than or equal to 128", "'configRule.source' failed to satisfy constraint: Member must not be null"):
        assert said in text, text
    refused("ValidationException", config.put_aggregation_authorization, "regular expression pattern", 400, AuthorizedAccountId="1", AuthorizedAwsRegion="us-east-1")
    refused("ValidationException", config.describe_compliance_by_config_rule, "enum value set", 400, ComplianceTypes=["FINE"])
    refused("InvalidLimitException", config.get_compliance_details_by_config_rule, "", 400, ConfigRuleName="nothing", Limit=101)
    refused("InvalidNextTokenException", config.describe_config_rules, "", 400, NextToken="nothing")


@line("CFG-05")
def a_rule_that_goes(sim):
    at = Recorded(sim)
    at.put("goes", CLOSED)
    with sim.paused():
        at.config.delete_config_rule(ConfigRuleName="goes")
        equal(at.config.describe_config_rules()["ConfigRules"][0]["ConfigRuleState"], "DELETING", "the rule")
        refused("ResourceInUseException", at.put, "", 400, name="goes", identifier=CLOSED)
        refused("ResourceInUseException", at.config.delete_config_rule, "", 400, ConfigRuleName="goes")
    until("the end of the rule", lambda: not at.config.describe_config_rules()["ConfigRules"])
    at.put("goes", CLOSED)


@line("CFG-06")
def recorders_by_name(sim):
    at = Recorded(sim)
    linked = at.config.put_service_linked_configuration_recorder(ServicePrincipal="observabilityadmin.amazonaws.com")["Name"]
    names = lambda **which: [r["name"] for r in at.config.describe_configuration_recorders(**which)["ConfigurationRecorders"]]
    equal(names(), ["default"], "without a name")
    equal(names(ConfigurationRecorderNames=[linked]), [linked], "by name")
    equal(names(ServicePrincipal="observabilityadmin.amazonaws.com"), [linked], "by principal")
    refused("ValidationException", at.config.describe_configuration_recorders, "", 400, ConfigurationRecorderNames=["default", linked])


@line("CFG-07")
def one_of_each(sim):
    at = Recorded(sim)
    put = lambda name, group: at.config.put_configuration_recorder(ConfigurationRecorder={"name": name, "roleARN": LINKED.format(at.account), "recordingGroup": group})
    refused("MaxNumberOfConfigurationRecordersExceededException", put, "Failed to put configuration recorder 'second' because the maximum number of configuration recorders: 1 is reached.", 400,
            name="second", group=ALL)
    put("default", {"resourceTypes": [GROUP]})
    equal(at.config.describe_configuration_recorders()["ConfigurationRecorders"][0]["recordingGroup"]["resourceTypes"], [GROUP], "the recorder put again")
    channel = {"s3BucketName": at.bucket}
    refused("MaxNumberOfDeliveryChannelsExceededException", at.config.put_delivery_channel, "Failed to put delivery channel 'second' because the maximum number of delivery channels: 1 is reached.", 400,
            DeliveryChannel=dict(channel, name="second"))
    at.config.put_delivery_channel(DeliveryChannel=dict(channel, name="default", configSnapshotDeliveryProperties={"deliveryFrequency": "Six_Hours"}))
    equal(at.config.describe_delivery_channels()["DeliveryChannels"][0]["configSnapshotDeliveryProperties"], {"deliveryFrequency": "Six_Hours"}, "the channel put again")
    # Another Region has its own.
    there = at.sim.client("config", "eu-west-1", at.account)
    there.put_configuration_recorder(ConfigurationRecorder={"name": "other", "roleARN": LINKED.format(at.account)})


@line("CFG-08")
def without_a_recorder(sim):
    config = sim.client("config", account=sim.account())
    rule, code = {"ConfigRuleName": "r", "Source": {"Owner": "AWS", "SourceIdentifier": CLOSED}}, "NoAvailableConfigurationRecorderException"
    refused(code, config.put_config_rule, "", 400, ConfigRule=rule)
    refused(code, config.put_delivery_channel, "", 400, DeliveryChannel={"name": "default", "s3BucketName": "any-bucket-at-all"})
    config.put_service_linked_configuration_recorder(ServicePrincipal="observabilityadmin.amazonaws.com")
    refused(code, config.put_config_rule, "", 400, ConfigRule=rule)


@line("CFG-09")
def a_bucket_that_lets_config_write(sim):
    account = sim.account()
    config, s3, name = sim.client("config", account=account), sim.client("s3", account=account), f"delivery-{account}"
    sim.client("iam", account=account).create_service_linked_role(AWSServiceName="config.amazonaws.com")
    config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": LINKED.format(account)})
    channel, code = {"DeliveryChannel": {"name": "default", "s3BucketName": name}}, "InsufficientDeliveryPolicyException"
    refused("NoSuchBucketException", config.put_delivery_channel, "", 400, **channel)
    bucket(sim, account, name)
    refused(code, config.put_delivery_channel, "unable to get s3 bucket acl", 400, **channel)
    for policy, text in ((delivery(account, name, "s3:PutObject"), "unable to get s3 bucket acl"), (delivery(account, name, "s3:GetBucketAcl"), "unable to write to bucket"),
                         (delivery(account, name, source="999999999999"), "unable to get s3 bucket acl")):
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
        refused(code, config.put_delivery_channel, text, 400, **channel)
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(delivery(account, name)))
    config.put_delivery_channel(**channel)


@line("CFG-11")
def a_rules_word(sim):
    at = Recorded(sim)
    # A policy that never reports, and a rule that says NOT_APPLICABLE only: no group is open to the world.
    at.config.put_config_rule(ConfigRule={"ConfigRuleName": "silent", "Source": {"Owner": "CUSTOM_POLICY", "CustomPolicyDetails": {"PolicyRuntime": "guard-2.x.x", "PolicyText": "rule x {}"}}})
    at.put("ports", "VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS")
    until("the results", lambda: at.results("ports"))
    equal(set(at.results("ports").values()), {"NOT_APPLICABLE"}, "the results")
    equal([at.word("silent"), at.word("ports")], ["INSUFFICIENT_DATA"] * 2, "rules without a verdict")
    # One resource that is not compliant is enough.
    s3 = at.sim.client("s3", account=at.account)
    bucket(at.sim, at.account, f"second-{at.account}")
    at.put("tls", "S3_DEFAULT_ENCRYPTION_KMS")
    at.says("tls", "NON_COMPLIANT")
    kms = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}
    first, second = at.bucket, f"second-{at.account}"
    s3.put_bucket_encryption(Bucket=first, ServerSideEncryptionConfiguration=kms)
    until("the verdict", lambda: set(at.results("tls").values()) == {"COMPLIANT", "NON_COMPLIANT"})
    equal(at.word("tls"), "NON_COMPLIANT", "with one that is not")
    s3.put_bucket_encryption(Bucket=second, ServerSideEncryptionConfiguration=kms)
    at.says("tls", "COMPLIANT", "with all that are")


@line("CFG-12")
def items_not_resources(sim):
    daily, at = Recorded(sim, opened=True, recordingMode={"recordingFrequency": "DAILY"}), Recorded(sim, opened=True)
    for a in (daily, at):
        a.put("closed", CLOSED)
        a.says("closed", "NON_COMPLIANT")
        a.close()
    # What records always sees the change; a day, which is 24 seconds here, has not gone by.
    at.says("closed", "COMPLIANT", "after a change")
    before = daily.evaluated("closed")
    time.sleep(0.05)  # a minute and more, within which nobody may ask again
    daily.config.start_config_rules_evaluation(ConfigRuleNames=["closed"])
    until("an evaluation", lambda: daily.evaluated("closed") > before)
    equal(daily.word("closed"), "NON_COMPLIANT", "the daily recorder's item after a change")
    history = lambda a: a.config.get_resource_config_history(resourceType=GROUP, resourceId=a.default_group()["GroupId"])["configurationItems"]
    equal(len(history(daily)), 1, "the daily recorder's items")
    assert len(history(at)) > 1, "the other recorder wrote one item"
    assert not daily.default_group()["IpPermissions"], "the group itself is open"


@line("CFG-18")
def what_the_check_leaves(sim):
    at = Recorded(sim)
    keys = [o["Key"] for o in at.sim.client("s3", account=at.account).list_objects_v2(Bucket=at.bucket)["Contents"]]
    equal(keys, [f"AWSLogs/{at.account}/Config/ConfigWritabilityCheckFile"], "the bucket")
    cfn = at.sim.client("cloudformation", account=at.account)
    cfn.delete_stack(StackName=at.bucket)
    at.sim.stack_ended(cfn, at.bucket, "DELETE_FAILED")


@line("CFG-25")
def global_types(sim):
    account = sim.furnished["users"]
    assert sim.client("iam", account=account).list_users()["Users"], "nobody to record"
    at = Recorded(sim, account=account, group={"allSupported": True, "includeGlobalResourceTypes": False})
    at.put("keys", "ACCESS_KEYS_ROTATED", AGE)
    at.says("keys", "INSUFFICIENT_DATA", "without the global types")
    for n, group in enumerate(({"resourceTypes": ["AWS::IAM::User"]}, ALL)):
        at.config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": LINKED.format(account), "recordingGroup": group})
        at.put(f"keys-{n}", "ACCESS_KEYS_ROTATED", AGE)
        at.says(f"keys-{n}", "NON_COMPLIANT", f"with {group}")


@line("CFG-28")
def recording_groups(sim):
    at = Recorded(sim)
    put = lambda group: at.config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": LINKED.format(at.account), "recordingGroup": group})
    only = lambda strategy: {"useOnly": strategy}
    for group in ({"allSupported": True, "resourceTypes": [GROUP]}, {"allSupported": True, "exclusionByResourceTypes": {"resourceTypes": [GROUP]}}, {},
                  {"resourceTypes": [GROUP], "includeGlobalResourceTypes": True}, {"allSupported": True, "recordingStrategy": only("EXCLUSION_BY_RESOURCE_TYPES")},
                  {"resourceTypes": [], "recordingStrategy": only("INCLUSION_BY_RESOURCE_TYPES")}):
        refused("InvalidRecordingGroupException", put, "", 400, group=group)
    refused("ValidationException", put, "enum value set", 400, group={"resourceTypes": ["AWS::EC2::SecurityGroups"]})
    shown = lambda: at.config.describe_configuration_recorders()["ConfigurationRecorders"][0]["recordingGroup"]
    for group in ({"resourceTypes": [GROUP, "AWS::IAM::User"]}, {"resourceTypes": [GROUP], "recordingStrategy": only("INCLUSION_BY_RESOURCE_TYPES")}):
        put(group)
        equal((shown()["allSupported"], shown()["resourceTypes"], shown()["recordingStrategy"]), (False, group["resourceTypes"], only("INCLUSION_BY_RESOURCE_TYPES")), "a list")
    put({"exclusionByResourceTypes": {"resourceTypes": [GROUP]}, "recordingStrategy": only("EXCLUSION_BY_RESOURCE_TYPES"), "includeGlobalResourceTypes": True})
    equal(shown()["recordingStrategy"], only("EXCLUSION_BY_RESOURCE_TYPES"), "exclusions")
