"""Settings of an account and Region that Config's managed rules look at."""


def run(c):
    ec2 = c.client("ec2", credentials=c.session)
    encryption(ec2)
    flow_logs(c, ec2)


def encryption(ec2):
    assert ec2.enable_ebs_encryption_by_default()["EbsEncryptionByDefault"] is True
    assert ec2.get_ebs_encryption_by_default()["SseType"] == "sse-kms"
    assert ec2.disable_ebs_encryption_by_default()["EbsEncryptionByDefault"] is False
    ec2.get_ebs_encryption_by_default()
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == "alias/aws/ebs"
    assert ec2.modify_ebs_default_kms_key_id(KmsKeyId="0ea3fef3-80a7-4778-9d8c-1c0c6example")["KmsKeyId"].startswith("arn:aws:kms:us-east-1:")
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"].endswith(":key/0ea3fef3-80a7-4778-9d8c-1c0c6example")
    assert ec2.reset_ebs_default_kms_key_id()["KmsKeyId"] == "alias/aws/ebs"


def flow_logs(c, ec2):
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    log = dict(ResourceIds=[vpc], ResourceType="VPC", TrafficType="REJECT", LogGroupName="conformance", DeliverLogsPermissionArn="arn:aws:iam::123456789012:role/none")
    made = ec2.create_flow_logs(TagSpecifications=[{"ResourceType": "vpc-flow-log", "Tags": [{"Key": "a", "Value": "b"}]}], **log)["FlowLogIds"]
    c.refused("FlowLogAlreadyExists", ec2.create_flow_logs, **log)
    c.refused("DryRunOperation", ec2.create_flow_logs, DryRun=True, **dict(log, LogGroupName="other"))
    bucket = ec2.create_flow_logs(ResourceIds=[vpc], ResourceType="VPC", TrafficType="ALL", LogDestinationType="s3", LogDestination="arn:aws:s3:::no-such-bucket-is-there")
    assert bucket["Unsuccessful"][0]["Error"]["Code"] == "400"
    shown = ec2.describe_flow_logs(FlowLogIds=made)["FlowLogs"]
    assert shown[0]["DeliverLogsErrorMessage"] == "Access error" and shown[0]["Tags"]
    ec2.describe_flow_logs(Filter=[{"Name": "tag:a", "Values": ["b"]}])
    ec2.delete_flow_logs(FlowLogIds=made)
    c.refused("InvalidFlowLogId.NotFound", ec2.delete_flow_logs, FlowLogIds=made)
