"""AWS Config's aggregators."""
import json

from behaviours import equal, line, trust, until
from recording import Recorded


def sources(config, name):
    return {(s["SourceId"], s.get("AwsRegion")): s["LastUpdateStatus"] for s in config.describe_configuration_aggregator_sources_status(ConfigurationAggregatorName=name)["AggregatedSourceStatusList"]}


def rules(config, name):
    return {(r["AccountId"], r["AwsRegion"], r["ConfigRuleName"]) for r in config.describe_aggregate_compliance_by_config_rules(ConfigurationAggregatorName=name)["AggregateComplianceByConfigRules"]}


def with_rule(sim):
    """A recorded account with a rule that found something."""
    at = Recorded(sim)
    at.put("closed", "EC2_EBS_ENCRYPTION_BY_DEFAULT")
    at.says("closed", "NON_COMPLIANT")
    return at


@line("CFG-01", "CFG-02", "CFG-03")
def what_arrives(sim):
    config, at, other = sim.client("config"), with_rule(sim), with_rule(sim)
    source = {"ConfigurationAggregatorName": "named", "AccountAggregationSources": [{"AccountIds": [at.account, other.account], "AwsRegions": ["us-east-1"]}]}
    config.put_configuration_aggregator(**source)
    mine, theirs = (at.account, "us-east-1", "closed"), (other.account, "us-east-1", "closed")
    # CFG-03: nothing without the account's and Region's authorization.
    until("the sources", lambda: sources(config, "named") == {(at.account, "us-east-1"): "FAILED", (other.account, "us-east-1"): "FAILED"})
    # The account's own aggregator has the data by then.
    at.config.put_configuration_aggregator(**dict(source, ConfigurationAggregatorName="own"))
    until("the account's own data", lambda: mine in rules(at.config, "own"))
    equal(rules(config, "named"), set(), "without authorization")
    sim.client("config", "eu-west-1", at.account).put_aggregation_authorization(AuthorizedAccountId=sim.management, AuthorizedAwsRegion="us-east-1")
    equal(sources(config, "named")[(at.account, "us-east-1")], "FAILED", "authorized in another Region")
    for a in (at, other):
        a.config.put_aggregation_authorization(AuthorizedAccountId=sim.management, AuthorizedAwsRegion="us-east-1")
    until("the data", lambda: rules(config, "named") == {mine, theirs})
    # CFG-01: a new aggregator is empty, and what is deleted goes from the old one too.
    with sim.paused():
        config.put_configuration_aggregator(**dict(source, ConfigurationAggregatorName="new"))
        equal(rules(config, "new"), set(), "a new aggregator at once")
    until("its data", lambda: rules(config, "new") == {mine, theirs})
    at.config.delete_config_rule(ConfigRuleName="closed")
    until("the end of the rule", lambda: rules(config, "named") == {theirs} == rules(config, "new"))
    # CFG-02: without a recorder an account and Region give nothing, whatever they have.
    other.config.stop_configuration_recorder(ConfigurationRecorderName="default")
    other.config.delete_configuration_recorder(ConfigurationRecorderName="default")
    until("the end of its data", lambda: rules(config, "named") == set())
    equal(other.word("closed"), "NON_COMPLIANT", "the account's own word")


@line("CFG-01", on="slow")
def it_comes_late(sim):
    config, at = sim.client("config"), with_rule(sim)
    at.config.put_aggregation_authorization(AuthorizedAccountId=sim.management, AuthorizedAwsRegion="us-east-1")
    config.put_configuration_aggregator(ConfigurationAggregatorName="late", AccountAggregationSources=[{"AccountIds": [at.account], "AwsRegions": ["us-east-1"]}])
    words = lambda: {r["ConfigRuleName"]: r["Compliance"]["ComplianceType"] for r in config.describe_aggregate_compliance_by_config_rules(ConfigurationAggregatorName="late")["AggregateComplianceByConfigRules"]}
    until("the data", lambda: words() == {"closed": "NON_COMPLIANT"})
    sim.control("pause")  # so that no machine is too slow to see what comes between
    at.ec2.enable_ebs_encryption_by_default()
    at.put("closed", "EC2_EBS_ENCRYPTION_BY_DEFAULT")
    with sim.at("the verdict", lambda: at.word("closed") == "COMPLIANT"):
        equal(words(), {"closed": "NON_COMPLIANT"}, "the aggregator when the account has another verdict")
    until("the news", lambda: words() == {"closed": "COMPLIANT"})


@line("CFG-03")
def an_organization(sim):
    config, iam, at = sim.client("config"), sim.client("iam"), with_rule(sim)
    # Without the permissions that the guide names the role gives the aggregator nothing.
    role = iam.create_role(RoleName="aggregates", AssumeRolePolicyDocument=trust(Service="config.amazonaws.com"))["Role"]["Arn"]
    put = lambda: config.put_configuration_aggregator(ConfigurationAggregatorName="organization", OrganizationAggregationSource={"RoleArn": role, "AwsRegions": ["us-east-1"]})
    put()
    until("the role's failure", lambda: "FAILED" in sources(config, "organization").values())
    at.config.put_configuration_aggregator(ConfigurationAggregatorName="own", AccountAggregationSources=[{"AccountIds": [at.account], "AwsRegions": ["us-east-1"]}])
    until("the account's own data", lambda: rules(at.config, "own"))
    equal(rules(config, "organization"), set(), "with a role that may nothing")
    iam.attach_role_policy(RoleName="aggregates", PolicyArn="arn:aws:iam::aws:policy/service-role/AWSConfigRoleForOrganizations")
    put()
    until("the data of an account that authorized nothing", lambda: (at.account, "us-east-1", "closed") in rules(config, "organization"))


@line("CFG-19")
def by_a_template(sim):
    account = sim.account()
    config = sim.client("config", account=account)
    template = {"Resources": {
        "Authorization": {"Type": "AWS::Config::AggregationAuthorization", "Properties": {"AuthorizedAccountId": sim.management, "AuthorizedAwsRegion": "eu-west-1"}},
        "Aggregator": {"Type": "AWS::Config::ConfigurationAggregator", "Properties": {"ConfigurationAggregatorName": "made", "AccountAggregationSources": [{"AccountIds": [account], "AllAwsRegions": True}]}}},
        "Outputs": {"Authorization": {"Value": {"Ref": "Authorization"}}, "Aggregator": {"Value": {"Ref": "Aggregator"}}}}
    stack = sim.stack(account, "aggregation", template)
    equal({o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}, {"Authorization": f"{sim.management}|eu-west-1", "Aggregator": "made"}, "what Ref gives")
    made = config.describe_aggregation_authorizations()["AggregationAuthorizations"]
    equal([(a["AuthorizedAccountId"], a["AuthorizedAwsRegion"]) for a in made], [(sim.management, "eu-west-1")], "authorizations")
    equal(config.describe_configuration_aggregators()["ConfigurationAggregators"][0]["AccountAggregationSources"][0]["AllAwsRegions"], True, "the aggregator")
    cfn = sim.client("cloudformation", account=account)
    cfn.delete_stack(StackName="aggregation")
    sim.stack_ended(cfn, stack["StackId"], "DELETE_COMPLETE")
    equal((config.describe_aggregation_authorizations()["AggregationAuthorizations"], config.describe_configuration_aggregators()["ConfigurationAggregators"]), ([], []), "what is left")


def asked(config, expression):
    """What an account's aggregator of itself answers to a query."""
    return [json.loads(r) for r in config.select_aggregate_resource_config(ConfigurationAggregatorName="own", Expression=expression)["Results"]]


@line("CFG-29", "CFG-30")
def recorder_and_stacks(sim):
    at = Recorded(sim, group={"allSupported": False, "resourceTypes": ["AWS::EC2::SecurityGroup"]})
    at.config.put_configuration_aggregator(ConfigurationAggregatorName="own", AccountAggregationSources=[{"AccountIds": [at.account], "AwsRegions": ["us-east-1"]}])
    recorders = lambda: [r["configuration"] for r in asked(at.config, "SELECT accountId, configuration WHERE resourceType = 'AWS::Config::ConfigurationRecorder'")]
    stacks = lambda: [r["resourceName"] for r in asked(at.config, "SELECT resourceName WHERE resourceType = 'AWS::CloudFormation::Stack'")]
    # CFG-29: a recorder that records one other type, and what becomes of it.
    until("the recorder", lambda: [(c["Name"], c["Recording"], c["RecordingGroup"]["ResourceTypes"]) for c in recorders()] == [("default", True, ["AWS::EC2::SecurityGroup"])])
    equal(stacks(), [], "stacks that are not recorded")
    # CFG-30
    at.config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": recorders()[0]["RoleARN"], "recordingGroup": {"allSupported": True}})
    until("the change", lambda: recorders()[0]["RecordingGroup"]["AllSupported"])
    equal(stacks(), [at.bucket], "stacks that are recorded")
    counts = asked(at.config, "SELECT accountId, awsRegion, COUNT(*) WHERE resourceType = 'AWS::CloudFormation::Stack' GROUP BY accountId, awsRegion")
    equal([c["COUNT(*)"] for c in counts], [1], "their number")
    at.config.stop_configuration_recorder(ConfigurationRecorderName="default")
    until("the stop", lambda: [c["Recording"] for c in recorders()] == [False])
    with sim.paused():
        at.config.delete_configuration_recorder(ConfigurationRecorderName="default")
        equal(len(recorders()), 1, "the aggregator when the recorder is gone")
    until("the end", lambda: recorders() == [])
