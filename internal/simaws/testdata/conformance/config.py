"""AWS Config: rules, remediations, tags, recorders, queries and aggregators."""
import time


def wait_for(what, done):
    for _ in range(300):
        if done():
            return
        time.sleep(0.02)
    raise AssertionError(f"{what} does not happen")


def run(c):
    config, session = recording_account(c)
    rules(c, config)
    recorders(c, config)
    queries(c, config)
    aggregators(c, session)
    lifecycle(c, config)


def recording_account(c):
    """A member account with a recorder of its own in us-east-1."""
    for a in c.accounts:
        if a["Id"] == c.management or a["State"] != "ACTIVE":
            continue
        try:
            keys = c.sts.assume_role(RoleArn=f"arn:aws:iam::{a['Id']}:role/OrganizationAccountAccessRole", RoleSessionName="conformance")["Credentials"]
        except c.sts.exceptions.ClientError:
            continue
        config = c.client("config", credentials=keys)
        status = config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
        if status and status[0]["recording"] and config.describe_delivery_channels()["DeliveryChannels"]:
            config.account = a["Id"]
            return config, keys
    raise AssertionError("no account records")


def rules(c, config):
    name, kind = "conformance", "AWS::EC2::SecurityGroup"
    config.put_config_rule(ConfigRule={"ConfigRuleName": name, "Source": {"Owner": "AWS", "SourceIdentifier": "VPC_DEFAULT_SECURITY_GROUP_CLOSED"},
                                       "Scope": {"ComplianceResourceTypes": [kind]}}, Tags=[{"Key": "a", "Value": "b"}])
    c.refused("InvalidParameterValueException", config.put_config_rule, ConfigRule={"ConfigRuleName": "x", "Source": {"Owner": "AWS", "SourceIdentifier": "NO_SUCH_RULE"}})
    arn = config.describe_config_rules(ConfigRuleNames=[name])["ConfigRules"][0]["ConfigRuleArn"]
    config.tag_resource(ResourceArn=arn, Tags=[{"Key": "c", "Value": "d"}])
    config.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert config.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "c", "Value": "d"}]
    c.refused("ResourceNotFoundException", config.list_tags_for_resource, ResourceArn=arn + "x")
    wait_for("the first evaluation", lambda: config.get_compliance_details_by_config_rule(ConfigRuleName=name, Limit=100)["EvaluationResults"])
    config.start_config_rules_evaluation(ConfigRuleNames=[name])
    found = config.get_compliance_details_by_config_rule(ConfigRuleName=name, Limit=100)["EvaluationResults"]
    group = found[0]["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceId"]
    config.get_compliance_details_by_resource(ResourceType=kind, ResourceId=group)
    config.describe_compliance_by_resource(ResourceType=kind)
    config.get_compliance_summary_by_config_rule()
    config.get_compliance_summary_by_resource_type()
    config.get_compliance_summary_by_resource_type(ResourceTypes=[kind])
    config.get_resource_config_history(resourceType=kind, resourceId=group)
    c.refused("ResourceNotDiscoveredException", config.get_resource_config_history, resourceType=kind, resourceId="sg-none")
    config.list_discovered_resources(resourceType=kind)
    config.get_discovered_resource_counts()
    config.batch_get_resource_config(resourceKeys=[{"resourceType": kind, "resourceId": group}, {"resourceType": kind, "resourceId": "sg-none"}])

    config.put_remediation_configurations(RemediationConfigurations=[{
        "ConfigRuleName": name, "TargetType": "SSM_DOCUMENT", "TargetId": "AWSConfigRemediation-RemoveVPCDefaultSecurityGroupRules",
        "Parameters": {"GroupId": {"ResourceValue": {"Value": "RESOURCE_ID"}},
                       "AutomationAssumeRole": {"StaticValue": {"Values": [f"arn:aws:iam::{config.account}:role/OrganizationAccountAccessRole"]}}}}])
    config.describe_remediation_configurations(ConfigRuleNames=[name, "nothing"])
    broken = [r["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceId"] for r in found if r["ComplianceType"] == "NON_COMPLIANT"]
    keys = [{"resourceType": kind, "resourceId": i} for i in broken[:2] + ["sg-none"]]
    assert len(config.start_remediation_execution(ConfigRuleName=name, ResourceKeys=keys)["FailedItems"]) >= 1
    wait_for("the end of the remediations", lambda: all(
        e["State"] in ("SUCCEEDED", "FAILED") for e in config.describe_remediation_execution_status(ConfigRuleName=name)["RemediationExecutionStatuses"]))
    c.refused("NoSuchRemediationConfigurationException", config.start_remediation_execution, ConfigRuleName="nothing", ResourceKeys=keys)
    exceptions = [{"ResourceType": kind, "ResourceId": i} for i in broken[:1] + ["sg-none"]]
    config.put_remediation_exceptions(ConfigRuleName=name, ResourceKeys=exceptions, Message="ours")
    config.describe_remediation_exceptions(ConfigRuleName=name)
    c.refused("NoSuchRemediationExceptionException", config.delete_remediation_exceptions, ConfigRuleName=name, ResourceKeys=exceptions[-1:])
    c.refused("ResourceInUseException", config.delete_config_rule, ConfigRuleName=name)
    config.delete_remediation_configuration(ConfigRuleName=name)
    c.refused("NoSuchRemediationConfigurationException", config.delete_remediation_configuration, ConfigRuleName=name)
    for kind in ("conformance_packs", "organization_config_rules", "organization_conformance_packs"):
        getattr(config, "describe_" + kind)()


def recorders(c, config):
    config.put_service_linked_configuration_recorder(ServicePrincipal="observabilityadmin.amazonaws.com")
    c.refused("ConflictException", config.put_service_linked_configuration_recorder, ServicePrincipal="observabilityadmin.amazonaws.com")
    assert len(config.list_configuration_recorders()["ConfigurationRecorderSummaries"]) == 2
    config.delete_service_linked_configuration_recorder(ServicePrincipal="observabilityadmin.amazonaws.com")
    mine = config.describe_configuration_recorders()["ConfigurationRecorders"][0]
    c.refused("ValidationException", config.associate_resource_types, ConfigurationRecorderArn=mine["arn"], ResourceTypes=["AWS::EC2::Subnet"])
    c.refused("InvalidRoleException", config.put_configuration_recorder, ConfigurationRecorder={"name": mine["name"], "roleARN": ""})
    c.refused("MaxNumberOfConfigurationRecordersExceededException", config.put_configuration_recorder, ConfigurationRecorder={"name": "second", "roleARN": mine["roleARN"]})
    config.put_configuration_recorder(ConfigurationRecorder={
        "name": mine["name"], "roleARN": mine["roleARN"], "recordingGroup": {"resourceTypes": ["AWS::EC2::VPC", "AWS::EC2::SecurityGroup", "AWS::Config::ResourceCompliance"]}})
    config.associate_resource_types(ConfigurationRecorderArn=mine["arn"], ResourceTypes=["AWS::EC2::Subnet"])
    config.disassociate_resource_types(ConfigurationRecorderArn=mine["arn"], ResourceTypes=["AWS::EC2::Subnet"])
    c.refused("NoSuchBucketException", config.put_delivery_channel, DeliveryChannel={"name": config.describe_delivery_channels()["DeliveryChannels"][0]["name"], "s3BucketName": "no-such-bucket-anywhere"})


def queries(c, config):
    found = config.select_resource_config(Expression="SELECT resourceId, configuration.groupName, tags WHERE resourceType = 'AWS::EC2::SecurityGroup' ORDER BY resourceId")
    assert found["Results"]
    assert config.select_resource_config(Expression="SELECT resourceType, COUNT(*) GROUP BY resourceType ORDER BY COUNT(*) DESC")["Results"]
    c.refused("InvalidExpressionException", config.select_resource_config, Expression="SELECT DISTINCT resourceId")


def aggregators(c, session):
    config, member = c.client("config"), c.client("config", credentials=session)
    source = c.client("sts", credentials=session).get_caller_identity()["Account"]
    config.put_configuration_aggregator(ConfigurationAggregatorName="conformance", AccountAggregationSources=[{"AccountIds": [source], "AwsRegions": ["us-east-1"]}])
    c.refused("OrganizationAccessDeniedException", member.put_configuration_aggregator, ConfigurationAggregatorName="theirs",
              OrganizationAggregationSource={"RoleArn": f"arn:aws:iam::{source}:role/x", "AllAwsRegions": True})
    assert member.describe_pending_aggregation_requests()["PendingAggregationRequests"]
    member.put_aggregation_authorization(AuthorizedAccountId=c.management, AuthorizedAwsRegion="us-east-1")
    member.describe_aggregation_authorizations()
    config.describe_configuration_aggregators()
    name = {"ConfigurationAggregatorName": "conformance"}
    wait_for("the first data", lambda: config.describe_configuration_aggregator_sources_status(**name)["AggregatedSourceStatusList"][0]["LastUpdateStatus"] == "SUCCEEDED")
    wait_for("the compliance", lambda: config.describe_aggregate_compliance_by_config_rules(**name)["AggregateComplianceByConfigRules"])
    config.get_aggregate_config_rule_compliance_summary(GroupByKey="ACCOUNT_ID", **name)
    config.get_aggregate_config_rule_compliance_summary(**name)
    config.get_aggregate_compliance_details_by_config_rule(ConfigRuleName="conformance", AccountId=source, AwsRegion="us-east-1", **name)
    listed = config.list_aggregate_discovered_resources(ResourceType="AWS::EC2::SecurityGroup", **name)["ResourceIdentifiers"]
    config.get_aggregate_discovered_resource_counts(GroupByKey="RESOURCE_TYPE", **name)
    config.get_aggregate_resource_config(ResourceIdentifier=listed[0], **name)
    c.refused("ResourceNotDiscoveredException", config.get_aggregate_resource_config, ResourceIdentifier=dict(listed[0], ResourceId="sg-none"), **name)
    config.batch_get_aggregate_resource_config(ResourceIdentifiers=[listed[0], dict(listed[0], ResourceId="sg-none")], **name)
    config.select_aggregate_resource_config(Expression="SELECT accountId, COUNT(*) WHERE resourceType = 'AWS::Config::ResourceCompliance' GROUP BY accountId", **name)
    member.delete_aggregation_authorization(AuthorizedAccountId=c.management, AuthorizedAwsRegion="us-east-1")
    member.delete_pending_aggregation_request(RequesterAccountId=c.management, RequesterAwsRegion="us-east-1")
    config.delete_configuration_aggregator(**name)
    c.refused("NoSuchConfigurationAggregatorException", config.delete_configuration_aggregator, **name)


def lifecycle(c, config):
    config.put_retention_configuration(RetentionPeriodInDays=90)
    config.describe_retention_configurations()
    config.delete_retention_configuration(RetentionConfigurationName="default")
    c.refused("NoSuchRetentionConfigurationException", config.delete_retention_configuration, RetentionConfigurationName="default")
    config.put_config_rule(ConfigRule={"ConfigRuleName": "guard", "Source": {"Owner": "CUSTOM_POLICY", "CustomPolicyDetails": {"PolicyRuntime": "guard-2.x.x", "PolicyText": "rule x {}"}}})
    config.get_custom_rule_policy(ConfigRuleName="guard")
    config.delete_evaluation_results(ConfigRuleName="guard")
    config.deliver_config_snapshot(deliveryChannelName=config.describe_delivery_channels()["DeliveryChannels"][0]["name"])
    config.describe_delivery_channel_status()
    config.delete_config_rule(ConfigRuleName="conformance")
    recorder = config.describe_configuration_recorders()["ConfigurationRecorders"][0]["name"]
    channel = config.describe_delivery_channels()["DeliveryChannels"][0]["name"]
    c.refused("LastDeliveryChannelDeleteFailedException", config.delete_delivery_channel, DeliveryChannelName=channel)
    config.stop_configuration_recorder(ConfigurationRecorderName=recorder)
    config.start_configuration_recorder(ConfigurationRecorderName=recorder)
    config.stop_configuration_recorder(ConfigurationRecorderName=recorder)
    config.delete_delivery_channel(DeliveryChannelName=channel)
    c.refused("NoAvailableDeliveryChannelException", config.start_configuration_recorder, ConfigurationRecorderName=recorder)
    config.delete_configuration_recorder(ConfigurationRecorderName=recorder)
    c.refused("NoSuchConfigurationRecorderException", config.delete_configuration_recorder, ConfigurationRecorderName=recorder)
    c.refused("NoAvailableConfigurationRecorderException", config.put_config_rule,
              ConfigRule={"ConfigRuleName": "x", "Source": {"Owner": "AWS", "SourceIdentifier": "IAM_PASSWORD_POLICY"}})
