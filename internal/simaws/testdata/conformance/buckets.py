"""S3: a bucket's settings over REST-XML."""
import json
import time

OFF = {"BlockPublicAcls": False, "IgnorePublicAcls": False, "BlockPublicPolicy": False, "RestrictPublicBuckets": False}
ON = {part: True for part in OFF}


def run(c):
    stacks, name = c.client("cloudformation", credentials=c.session), f"conformance-{c.member}"
    resources = {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name, "PublicAccessBlockConfiguration": OFF, "Tags": [{"Key": "team", "Value": "web"}]}}}
    stacks.create_stack(StackName="conformance-bucket", TemplateBody=json.dumps({"Resources": resources}))
    for _ in range(200):
        if stacks.describe_stacks(StackName="conformance-bucket")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE":
            break
        time.sleep(0.1)
    s3 = c.client("s3", credentials=c.session)
    told = {b["Name"]: b.get("BucketRegion") for p in s3.get_paginator("list_buckets").paginate(BucketRegion="us-east-1", MaxBuckets=1) for b in p["Buckets"]}
    silent = {b["Name"]: b.get("BucketRegion") for b in s3.list_buckets()["Buckets"]}
    if told.get(name) != "us-east-1" or name not in silent or set(silent.values()) != {None} or set(told.values()) != {"us-east-1"}:
        c.defects.add(f"ListBuckets: {told}, and without a parameter {silent}")
    c.refused("InvalidArgument", s3.list_buckets, BucketRegion="eu-west-1")
    block = lambda: s3.get_public_access_block(Bucket=name, ExpectedBucketOwner=c.member)["PublicAccessBlockConfiguration"]
    if block() != OFF:
        c.defects.add(f"GetPublicAccessBlock: {block()}")
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=ON)
    public = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}]})
    c.refused("AccessDenied", s3.put_bucket_policy, Bucket=name, Policy=public)
    s3.delete_public_access_block(Bucket=name)
    c.refused("NoSuchPublicAccessBlockConfiguration", s3.get_public_access_block, Bucket=name)
    c.refused("NoSuchBucketPolicy", s3.get_bucket_policy, Bucket=name)
    c.refused("NoSuchBucketPolicy", s3.get_bucket_policy_status, Bucket=name)
    c.refused("MalformedPolicy", s3.put_bucket_policy, Bucket=name, Policy="{")
    closed = public.replace('"*"', f'{{"AWS": "arn:aws:iam::{c.member}:root"}}', 1)
    s3.put_bucket_policy(Bucket=name, Policy=closed)
    if json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"][0]["Action"] not in ("s3:GetObject", ["s3:GetObject"]) or s3.get_bucket_policy_status(Bucket=name)["PolicyStatus"]["IsPublic"]:
        c.defects.add("PutBucketPolicy: it is another afterwards, or public")
    s3.delete_bucket_policy(Bucket=name)

    tags = lambda: {t["Key"]: t["Value"] for t in s3.get_bucket_tagging(Bucket=name)["TagSet"]}
    if tags() != {"team": "web"}:
        c.defects.add(f"GetBucketTagging: {tags()}")
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "rollout-exempt", "Value": "a < b & c"}]})
    if tags() != {"rollout-exempt": "a < b & c"}:
        c.defects.add(f"PutBucketTagging: {tags()}")
    c.refused("InvalidTag", s3.put_bucket_tagging, Bucket=name, Tagging={"TagSet": [{"Key": "aws:x", "Value": "y"}]})
    c.refused("InvalidTag", s3.put_bucket_tagging, Bucket=name, Tagging={"TagSet": [{"Key": "x", "Value": "1"}, {"Key": "x", "Value": "2"}]})
    s3.delete_bucket_tagging(Bucket=name)
    c.refused("NoSuchTagSet", s3.get_bucket_tagging, Bucket=name)

    algorithm = lambda: s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]})
    changed = algorithm()
    s3.delete_bucket_encryption(Bucket=name)
    if (changed, algorithm()) != ("aws:kms", "AES256"):
        c.defects.add(f"PutBucketEncryption: {changed}, and after DeleteBucketEncryption {algorithm()}")

    acl = s3.get_bucket_acl(Bucket=name)
    if [g["Permission"] for g in acl["Grants"]] != ["FULL_CONTROL"] or acl["Grants"][0]["Grantee"]["Type"] != "CanonicalUser" or acl["Grants"][0]["Grantee"]["ID"] != acl["Owner"]["ID"]:
        c.defects.add(f"GetBucketAcl: {acl}")
    c.refused("NoSuchWebsiteConfiguration", s3.get_bucket_website, Bucket=name)
    c.refused("AccessDenied", s3.get_bucket_acl, Bucket=name, ExpectedBucketOwner="444455556666")
    c.refused("NoSuchBucket", s3.get_bucket_acl, Bucket="no-such-bucket-here")
    stacks.delete_stack(StackName="conformance-bucket")

    # Block public access for snapshots, and the tags of snapshots and instances.
    ec2 = c.client("ec2", credentials=c.session)
    if (ec2.enable_snapshot_block_public_access(State="block-new-sharing")["State"], ec2.get_snapshot_block_public_access_state()["State"]) != ("block-new-sharing", "block-new-sharing"):
        c.defects.add("EnableSnapshotBlockPublicAccess: it is not on")
    if ec2.disable_snapshot_block_public_access()["State"] != "unblocked":
        c.defects.add("DisableSnapshotBlockPublicAccess: it is not off")
    c.refused("InvalidParameterValue", ec2.enable_snapshot_block_public_access, State="unblocked")
