"""An account that AWS Config records, and short words for its rules."""
import json

from behaviours import equal, until

LINKED = "arn:aws:iam::{}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
GROUP, CLOSED = "AWS::EC2::SecurityGroup", "VPC_DEFAULT_SECURITY_GROUP_CLOSED"
ALL = {"allSupported": True, "includeGlobalResourceTypes": True}


def delivery(account, bucket, *actions, source=None):
    """A bucket's policy that lets Config check and write, or do some of it."""
    resource = {"s3:GetBucketAcl": f"arn:aws:s3:::{bucket}", "s3:PutObject": f"arn:aws:s3:::{bucket}/AWSLogs/{account}/Config/*"}
    return {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "config.amazonaws.com"}, "Action": a, "Resource": resource[a], "Condition": {"StringEquals": {"AWS:SourceAccount": source or account}}}
        for a in actions or sorted(resource)]}


def bucket(sim, account, name, policy=None, region="us-east-1", **properties):
    resources = {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": dict(properties, BucketName=name)}}
    if policy:
        resources["Policy"] = {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": policy}}
    return sim.stack(account, name, {"Resources": resources}, region)


class Recorded:
    """A member account with a recorder that runs, and its first recording behind it."""

    def __init__(self, sim, region="us-east-1", group=ALL, account=None, opened=False, **mode):
        self.sim, self.account, self.region = sim, account or sim.account(), region
        self.config, self.ec2 = sim.client("config", region, self.account), sim.client("ec2", region, self.account)
        self.iam = sim.client("iam", account=self.account)
        if opened:
            self.open()
        self.iam.create_service_linked_role(AWSServiceName="config.amazonaws.com")
        self.bucket = f"records-{self.account}-{region}"
        bucket(sim, self.account, self.bucket, delivery(self.account, self.bucket), region)
        self.config.put_configuration_recorder(ConfigurationRecorder=dict(mode, name="default", roleARN=LINKED.format(self.account), recordingGroup=group))
        self.config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": self.bucket})
        self.config.start_configuration_recorder(ConfigurationRecorderName="default")
        until("the first recording", lambda: self.config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"][0]["lastStatus"].upper() == "SUCCESS")

    def default_group(self):
        return self.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])["SecurityGroups"][0]

    def open(self):
        """Gives the default group a rule that is there to be taken away."""
        self.ec2.authorize_security_group_ingress(GroupId=self.default_group()["GroupId"], IpPermissions=[{"IpProtocol": "udp", "FromPort": 5000, "ToPort": 5000, "IpRanges": [{"CidrIp": "10.9.0.0/16"}]}])

    def close(self):
        """Takes the rules of the default group away."""
        group = self.default_group()
        if group["IpPermissions"]:
            self.ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
        if group["IpPermissionsEgress"]:
            self.ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"])
        return group["GroupId"]

    def put(self, name, identifier, parameters=None, **more):
        rule = dict(more, ConfigRuleName=name, Source={"Owner": "AWS", "SourceIdentifier": identifier})
        if parameters:
            rule["InputParameters"] = json.dumps(parameters)
        self.config.put_config_rule(ConfigRule=rule)

    def word(self, name):
        return self.config.describe_compliance_by_config_rule(ConfigRuleNames=[name])["ComplianceByConfigRules"][0]["Compliance"]["ComplianceType"]

    def evaluated(self, name):
        """When the rule was evaluated last, None while it was not."""
        return self.config.describe_config_rule_evaluation_status(ConfigRuleNames=[name])["ConfigRulesEvaluationStatus"][0].get("LastSuccessfulEvaluationTime")

    def says(self, name, want, what=""):
        """Waits for the rule's word, and looks at it once it was evaluated."""
        until(f"an evaluation of {name} {what}", lambda: self.evaluated(name))
        try:
            until("", lambda: self.word(name) == want, 10)
        except AssertionError:
            equal(self.word(name), want, f"{name} {what}")

    def results(self, name):
        found = self.config.get_compliance_details_by_config_rule(ConfigRuleName=name, Limit=100)["EvaluationResults"]
        return {(q["ResourceType"], q["ResourceId"]): r["ComplianceType"] for r in found for q in [r["EvaluationResultIdentifier"]["EvaluationResultQualifier"]]}
