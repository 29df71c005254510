"""Settings of an account and Region that Config's managed rules look at."""


def run(c):
    ec2 = c.client("ec2", credentials=c.session)
    encryption(ec2)


def encryption(ec2):
    assert ec2.enable_ebs_encryption_by_default()["EbsEncryptionByDefault"] is True
    assert ec2.get_ebs_encryption_by_default()["SseType"] == "sse-kms"
    assert ec2.disable_ebs_encryption_by_default()["EbsEncryptionByDefault"] is False
    ec2.get_ebs_encryption_by_default()
