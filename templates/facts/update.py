#!/usr/bin/env python3
"""Write config_rules.tsv, recorded_types.txt, apis.tsv and create_only.tsv, which this package reads.

Sources, as pinned for CI: moto carries what the AWS Config developer guide says of
each managed rule; botocore has the service models; cfn-lint carries the actions of
the service authorization reference and the schemas of CloudFormation's registry. Run it after raising a pin, and read the diff.
"""

import gzip
import json
import pathlib
import re

import botocore.session
import cfnlint
import moto

HERE = pathlib.Path(__file__).parent

# Services whose operations are listed; of the others only the name is.
SERVICES = """accessanalyzer account acm application-autoscaling athena autoscaling backup budgets ce
cloudformation cloudfront cloudtrail cloudwatch codebuild codepipeline config detective docdb dynamodb ebs ec2
ecr ecs efs eks elasticache elb elbv2 emr es events firehose fms fsx guardduty health iam identitystore inspector
inspector2 kinesis kms lambda logs macie2 neptune network-firewall opensearch organizations pipes ram rds redshift
resource-groups resourcegroupstaggingapi route53 s3 s3control scheduler secretsmanager securityhub service-quotas
servicecatalog shield sns sqs ssm ssm-incidents sso-admin stepfunctions sts support wafv2 workspaces""".split()

# IAM's prefix where it is neither the client's name nor the name that requests are
# signed for.
PREFIX = {"resourcegroupstaggingapi": "tag", "docdb": "rds", "neptune": "rds", "service-quotas": "servicequotas",
          "s3control": "s3", "efs": "elasticfilesystem", "sso-admin": "sso"}

# Operations whose IAM actions are called otherwise. Sources: Amazon S3 user guide,
# "Required permissions for Amazon S3 API operations"; service authorization
# reference. What is neither here nor an action by its own name is marked unknown.
ACTIONS = {
    "s3": """HeadBucket=ListBucket HeadObject=GetObject ListObjects=ListBucket ListObjectsV2=ListBucket
        ListObjectVersions=ListBucketVersions ListBuckets=ListAllMyBuckets
        ListMultipartUploads=ListBucketMultipartUploads ListParts=ListMultipartUploadParts
        CopyObject=PutObject+GetObject CreateMultipartUpload=PutObject UploadPart=PutObject
        UploadPartCopy=PutObject+GetObject CompleteMultipartUpload=PutObject DeleteObjects=DeleteObject
        SelectObjectContent=GetObject DeleteBucketCors=PutBucketCORS DeleteBucketTagging=PutBucketTagging
        DeleteBucketOwnershipControls=PutBucketOwnershipControls
        GetBucketEncryption=GetEncryptionConfiguration PutBucketEncryption=PutEncryptionConfiguration
        DeleteBucketEncryption=PutEncryptionConfiguration
        GetBucketLifecycle=GetLifecycleConfiguration GetBucketLifecycleConfiguration=GetLifecycleConfiguration
        PutBucketLifecycle=PutLifecycleConfiguration PutBucketLifecycleConfiguration=PutLifecycleConfiguration
        DeleteBucketLifecycle=PutLifecycleConfiguration
        GetPublicAccessBlock=GetBucketPublicAccessBlock PutPublicAccessBlock=PutBucketPublicAccessBlock
        DeletePublicAccessBlock=PutBucketPublicAccessBlock
        GetBucketReplication=GetReplicationConfiguration PutBucketReplication=PutReplicationConfiguration
        DeleteBucketReplication=PutReplicationConfiguration
        GetBucketAccelerateConfiguration=GetAccelerateConfiguration
        PutBucketAccelerateConfiguration=PutAccelerateConfiguration
        GetBucketAnalyticsConfiguration=GetAnalyticsConfiguration
        ListBucketAnalyticsConfigurations=GetAnalyticsConfiguration
        PutBucketAnalyticsConfiguration=PutAnalyticsConfiguration
        DeleteBucketAnalyticsConfiguration=PutAnalyticsConfiguration
        GetBucketInventoryConfiguration=GetInventoryConfiguration
        ListBucketInventoryConfigurations=GetInventoryConfiguration
        PutBucketInventoryConfiguration=PutInventoryConfiguration
        DeleteBucketInventoryConfiguration=PutInventoryConfiguration
        GetBucketMetricsConfiguration=GetMetricsConfiguration ListBucketMetricsConfigurations=GetMetricsConfiguration
        PutBucketMetricsConfiguration=PutMetricsConfiguration DeleteBucketMetricsConfiguration=PutMetricsConfiguration
        GetBucketIntelligentTieringConfiguration=GetIntelligentTieringConfiguration
        ListBucketIntelligentTieringConfigurations=GetIntelligentTieringConfiguration
        PutBucketIntelligentTieringConfiguration=PutIntelligentTieringConfiguration
        DeleteBucketIntelligentTieringConfiguration=PutIntelligentTieringConfiguration
        GetBucketNotificationConfiguration=GetBucketNotification
        PutBucketNotificationConfiguration=PutBucketNotification
        GetObjectLockConfiguration=GetBucketObjectLockConfiguration
        PutObjectLockConfiguration=PutBucketObjectLockConfiguration""",
    "s3control": """GetPublicAccessBlock=GetAccountPublicAccessBlock PutPublicAccessBlock=PutAccountPublicAccessBlock
        DeletePublicAccessBlock=PutAccountPublicAccessBlock""",
    "lambda": "Invoke=InvokeFunction InvokeWithResponseStream=InvokeFunction GetLayerVersionByArn=GetLayerVersion",
    "kms": "ReEncrypt=ReEncryptFrom+ReEncryptTo",
    "sns": "PublishBatch=Publish",
    "sqs": "ChangeMessageVisibilityBatch=ChangeMessageVisibility DeleteMessageBatch=DeleteMessage SendMessageBatch=SendMessage",
    "accessanalyzer": "GetFindingV2=GetFinding ListFindingsV2=ListFindings",
    "detective": "ListOrganizationAdminAccounts=ListOrganizationAdminAccount",
    "cloudfront": "CreateDistributionWithTags=CreateDistribution+TagResource",
    "budgets": """CreateBudget=ModifyBudget CreateNotification=ModifyBudget CreateSubscriber=ModifyBudget
        DeleteBudget=ModifyBudget DeleteNotification=ModifyBudget DeleteSubscriber=ModifyBudget UpdateBudget=ModifyBudget
        UpdateNotification=ModifyBudget UpdateSubscriber=ModifyBudget DescribeBudget=ViewBudget DescribeBudgets=ViewBudget
        DescribeBudgetNotificationsForAccount=ViewBudget DescribeBudgetPerformanceHistory=ViewBudget
        DescribeNotificationsForBudget=ViewBudget DescribeSubscribersForNotification=ViewBudget""",
}

# Values that a rule's page allows, which the list does not carry.
VALUES = {
    ("VPC_FLOW_LOGS_ENABLED", "trafficType"): "ACCEPT|REJECT|ALL",
    ("VPC_SG_PORT_RESTRICTION_CHECK", "ipType"): "IPv4|IPv6|ALL",
    ("VPC_SG_PORT_RESTRICTION_CHECK", "protocolType"): "TCP|UDP|ALL",
}


def rules():
    path = pathlib.Path(moto.__file__).parent / "config/resources/aws_managed_rules.json.gz"
    for name, rule in sorted(json.load(gzip.open(path))["ManagedRules"].items()):
        trigger = rule["Trigger type"]
        kinds = ("c" if "onfiguration changes" in trigger else "") + ("p" if "Periodic" in trigger else "")
        types = ",".join(t for t in re.split(r",\s*", rule.get("Resource Types", "")) if re.fullmatch(r"AWS::\w+::\w+", t))
        parameters = []
        for p in rule["Parameters"]:
            text = p["Name"] + ":" + p["Type"].lower() + ("" if p["Optional"] else "!")
            if (name, p["Name"]) in VALUES:
                text += ":" + VALUES[name, p["Name"]]
            parameters.append(text)
        yield "\t".join([name, kinds, types, " ".join(parameters)])


def recorded_types():
    """What a configuration recorder can be given by name."""
    return sorted(botocore.session.get_session().get_service_model("config").shape_for("ResourceType").enum)


def apis():
    session = botocore.session.get_session()
    policies = json.load(open(pathlib.Path(cfnlint.__file__).parent / "data/AdditionalSpecs/Policies.json"))
    for name in session.get_available_services():
        if name not in SERVICES:
            yield name
            continue
        model = session.get_service_model(name)
        prefix = PREFIX.get(name) or next(p for p in (name, model.signing_name) if p in policies)
        known = {a.lower() for a in policies[prefix]["Actions"]}
        other = dict(pair.split("=") for pair in ACTIONS.get(name, "").split())
        operations = []
        for operation in model.operation_names:
            if operation in other:
                assert all(a.lower() in known for a in other[operation].split("+")), operation
                operation += "=" + other[operation]
            elif operation.lower() not in known:
                operation += "=?"
            operations.append(operation)
        yield "\t".join([name, prefix, " ".join(operations)])


def create_only():
    """Properties whose change replaces a resource, and those whose change may."""
    folder = pathlib.Path(cfnlint.__file__).parent / "data/schemas/resources"
    types = {}
    for path in folder.glob("*.json"):
        schema = json.load(open(path))
        fields = (schema.get(key, []) for key in ("createOnlyProperties", "conditionalCreateOnlyProperties"))
        always, perhaps = (sorted(p.removeprefix("/properties/").replace("/properties/", "/") for p in f) for f in fields)
        types[schema["typeName"]] = "\t".join([schema["typeName"], " ".join(always), " ".join(perhaps)])
    return [types[name] for name in sorted(types)]


if __name__ == "__main__":
    for file, lines in (("config_rules.tsv", rules()), ("recorded_types.txt", recorded_types()), ("apis.tsv", apis()), ("create_only.tsv", create_only())):
        (HERE / file).write_text("".join(line + "\n" for line in lines))
