"""AWS Config's remediation."""
import json

from behaviours import allow, document, equal, line, refused, trust, until
from recording import CLOSED, Recorded

TLS = "S3_BUCKET_SSL_REQUESTS_ONLY"


class Remediated(Recorded):
    """A recorded account with a role for automations and documents that do nothing, fail, or last an hour."""

    def __init__(self, sim, **more):
        super().__init__(sim, **more)
        self.ssm = self.sim.client("ssm", account=self.account)
        self.iam.create_service_linked_role(AWSServiceName="remediation.config.amazonaws.com")
        self.iam.create_role(RoleName="mends", AssumeRolePolicyDocument=trust(Service="ssm.amazonaws.com"))
        self.iam.put_role_policy(RoleName="mends", PolicyName="p", PolicyDocument=document(allow("ec2:*")))
        wrong = {"Service": "ec2", "Api": "DescribeVpcs", "VpcIds": ["vpc-00000000000000000"]}
        for name, action, inputs in (("nothing", "aws:sleep", {"Duration": "PT1S"}), ("fails", "aws:executeAwsApi", wrong), ("lasts", "aws:sleep", {"Duration": "PT1H"})):
            self.ssm.create_document(Name=name, DocumentType="Automation", Content=json.dumps({
                "schemaVersion": "0.3", "assumeRole": "{{ AutomationAssumeRole }}", "parameters": {"AutomationAssumeRole": {"type": "String"}, "Resource": {"type": "String"}},
                "mainSteps": [{"name": "step", "action": action, "inputs": inputs}]}))

    def remedy(self, rule, target, **more):
        self.config.put_remediation_configurations(RemediationConfigurations=[dict(
            {"Automatic": True, "MaximumAutomaticAttempts": 1, "RetryAttemptSeconds": 60}, **more, ConfigRuleName=rule, TargetType="SSM_DOCUMENT", TargetId=target,
            Parameters={"AutomationAssumeRole": {"StaticValue": {"Values": [f"arn:aws:iam::{self.account}:role/mends"]}}, "Resource": {"ResourceValue": {"Value": "RESOURCE_ID"}}})])

    def runs(self, document, status=None):
        found = [e for p in self.ssm.get_paginator("describe_automation_executions").paginate(Filters=[{"Key": "DocumentNamePrefix", "Values": [document]}]) for e in p["AutomationExecutionMetadataList"]]
        return [e for e in found if status in (None, e["AutomationExecutionStatus"])]

    def states(self, rule):
        return [e["State"] for p in self.config.get_paginator("describe_remediation_execution_status").paginate(ConfigRuleName=rule) for e in p["RemediationExecutionStatuses"]]

    def exceptions(self, rule):
        return [e["ResourceId"] for e in self.config.describe_remediation_exceptions(ConfigRuleName=rule)["RemediationExceptions"]]


@line("CFG-14", "CFG-15")
def attempts(sim):
    at = Remediated(sim, opened=True)
    group = at.default_group()["GroupId"]
    for rule, more, want in (("three", {"MaximumAutomaticAttempts": 3}, 3), ("five", {"MaximumAutomaticAttempts": None, "RetryAttemptSeconds": None}, 5)):
        before = len(at.runs("fails"))
        at.put(rule, CLOSED)
        at.says(rule, "NON_COMPLIANT")
        at.remedy(rule, "fails", **more)
        until("Config's exception", lambda: at.exceptions(rule) == [group])
        equal(at.states(rule), ["FAILED"], "the execution")
        equal(len(at.runs("fails")) - before, want, f"attempts of {rule}")
        # The resource is found again, and left.
        last = at.evaluated(rule)
        at.config.start_config_rules_evaluation(ConfigRuleNames=[rule])
        until("an evaluation", lambda: at.evaluated(rule) > last)
        equal((at.word(rule), len(at.runs("fails")) - before), ("NON_COMPLIANT", want), "after Config's exception")
    # A verdict starts it, and one that succeeds leaves no exception.
    with sim.paused():
        at.put("works", CLOSED)
        at.remedy("works", "nothing")
    until("an execution", lambda: at.states("works") == ["SUCCEEDED"])
    equal(at.exceptions("works"), [], "exceptions of what succeeded")


@line("CFG-16")
def rates(sim):
    at = Remediated(sim)
    at.sim.stack(at.account, "buckets", {"Resources": {f"B{n}": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": f"b{n}-{at.account}"}} for n in range(9)}})
    controls = lambda rate, errors: {"ExecutionControls": {"SsmControls": {"ConcurrentExecutionRatePercentage": rate, "ErrorPercentage": errors}}}
    for rule in ("waves", "errors"):
        at.put(rule, TLS)
        until("ten findings", lambda: list(at.results(rule).values()) == ["NON_COMPLIANT"] * 10)
    # A fifth of ten at once, for an hour each.
    at.remedy("waves", "lasts", **controls(20, 100))
    until("the executions", lambda: at.runs("lasts", "InProgress"))
    until("all of them", lambda: len(at.states("waves")) == 10)
    equal(sorted(at.states("waves")).count("IN_PROGRESS"), 2, "executions at once")
    equal(len(at.runs("lasts", "InProgress")), 2, "automations at once")
    # SsmControls: with an ErrorPercentage of 40 for 10 resources it stops when the fifth error is received.
    at.remedy("errors", "fails", **controls(1, 40))
    until("the end", lambda: at.states("errors") == ["FAILED"] * 10)
    equal(len(at.runs("fails")), 5, "automations until the error threshold")


@line("CFG-27")
def the_account_as_a_resource(sim):
    at = Remediated(sim)
    at.put("password", "IAM_PASSWORD_POLICY")
    at.says("password", "NON_COMPLIANT")
    at.remedy("password", "nothing", Automatic=False)
    key = {"resourceType": "AWS::::Account", "resourceId": at.account}
    equal(at.config.start_remediation_execution(ConfigRuleName="password", ResourceKeys=[key]).get("FailedItems", []), [], "what was not started")
    until("the execution", lambda: at.states("password") == ["SUCCEEDED"])
    at.config.put_remediation_exceptions(ConfigRuleName="password", ResourceKeys=[{"ResourceType": "AWS::::Account", "ResourceId": at.account}])
    equal(at.exceptions("password"), [at.account], "exceptions")
    refused("ValidationException", at.config.start_remediation_execution, "", 400, ConfigRuleName="password", ResourceKeys=[dict(key, resourceType="AWS::Account")])
