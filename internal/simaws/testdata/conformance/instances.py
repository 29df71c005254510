"""EC2: instances' metadata options and snapshots' shares; CloudWatch: who asks without a token."""
import datetime


def entered(c):
    """Clients of every account that can be entered, in two Regions."""
    for account in (a["Id"] for a in c.accounts if a["State"] == "ACTIVE" and a["Id"] != c.management):
        try:
            keys = c.sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole", RoleSessionName="conformance")["Credentials"]
        except c.ClientError:
            continue
        for region in ("us-east-1", "eu-west-1"):
            yield keys, region, c.client("ec2", region, keys)


def run(c):
    instances, snapshots = None, None
    for keys, region, ec2 in entered(c):
        try:
            if instances is None and any(i["State"]["Name"] == "running" for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]):
                instances, metrics = ec2, c.client("cloudwatch", region, keys)
            if snapshots is None and any(not s["Encrypted"] for s in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]):
                snapshots = ec2
        except c.ClientError:
            continue  # a Region that a policy denies
        if instances and snapshots:
            break
    if not instances or not snapshots:
        c.defects.add("no account has an instance and a snapshot")
        return
    untokened(c, instances, metrics)
    options(c, instances)
    shares(c, snapshots)


def untokened(c, ec2, metrics):
    """A value a day, newest first, and none of a metric that nothing sends."""
    machine = ec2.describe_instances(Filters=[{"Name": "instance-state-name", "Values": ["running"]}])["Reservations"][0]["Instances"][0]["InstanceId"]
    now = datetime.datetime.now(datetime.timezone.utc)
    asked = lambda name: {"Id": "i0", "MetricStat": {"Metric": {"Namespace": "AWS/EC2", "MetricName": name, "Dimensions": [{"Name": "InstanceId", "Value": machine}]}, "Period": 86400, "Stat": "Sum"}}
    get = lambda name, **more: metrics.get_metric_data(MetricDataQueries=[asked(name)], **{"StartTime": now - datetime.timedelta(days=3), "EndTime": now, **more})["MetricDataResults"][0]
    found, none = get("MetadataNoToken"), get("CPUCreditBalance")
    times = found["Timestamps"]
    if len(times) != len(found["Values"]) or times != sorted(times, reverse=True) or not all(now - datetime.timedelta(days=3, seconds=1) <= t <= now for t in times) or none["Values"]:
        c.defects.add(f"GetMetricData: {found}, {none}")
    c.refused("ValidationError", get, name="MetadataNoToken", StartTime=now, EndTime=now - datetime.timedelta(days=1))


def options(c, ec2):
    one = lambda i: ec2.describe_instances(InstanceIds=[i])["Reservations"][0]["Instances"][0]
    machine = ec2.describe_instances(Filters=[{"Name": "instance-state-name", "Values": ["running"]}])["Reservations"][0]["Instances"][0]["InstanceId"]
    ec2.modify_instance_metadata_options(InstanceId=machine, HttpTokens="optional", HttpPutResponseHopLimit=3)
    changed = ec2.modify_instance_metadata_options(InstanceId=machine, HttpTokens="required")["InstanceMetadataOptions"]
    now = one(machine)["MetadataOptions"]
    if (changed["HttpTokens"], now["HttpTokens"], now["HttpPutResponseHopLimit"], now["HttpEndpoint"]) != ("required", "required", 3, "enabled"):
        c.defects.add(f"ModifyInstanceMetadataOptions: {changed}, then {now}")
    if machine in [i["InstanceId"] for r in ec2.describe_instances(Filters=[{"Name": "metadata-options.http-tokens", "Values": ["optional"]}])["Reservations"] for i in r["Instances"]]:
        c.defects.add("DescribeInstances: an instance that requires tokens is found among those that do not")
    c.refused("InvalidInstanceID.NotFound", ec2.describe_instances, InstanceIds=["i-00000000000000000"])
    c.refused("InvalidInstanceID.NotFound", ec2.modify_instance_metadata_options, InstanceId="i-00000000000000000", HttpTokens="required")
    c.refused("InvalidInstanceID.Malformed", ec2.describe_instances, InstanceIds=["nothing"])
    c.refused("InvalidParameterValue", ec2.modify_instance_metadata_options, InstanceId=machine, HttpTokens="sometimes")
    c.refused("InvalidParameterValue", ec2.modify_instance_metadata_options, InstanceId=machine, HttpPutResponseHopLimit=65)
    c.refused("DryRunOperation", ec2.modify_instance_metadata_options, InstanceId=machine, HttpTokens="required", DryRun=True)


def shares(c, ec2):
    snapshot = next(s for s in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] if not s["Encrypted"])["SnapshotId"]
    shared = lambda: ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")["CreateVolumePermissions"]
    public = lambda: snapshot in [s["SnapshotId"] for s in ec2.describe_snapshots(OwnerIds=["self"], RestorableByUserIds=["all"])["Snapshots"]]
    change = lambda **more: ec2.modify_snapshot_attribute(SnapshotId=snapshot, **more)
    change(CreateVolumePermission={"Remove": [{"Group": "all"}]})
    change(Attribute="createVolumePermission", OperationType="add", UserIds=["444455556666"])
    if public() or shared() != [{"UserId": "444455556666"}]:
        c.defects.add(f"ModifySnapshotAttribute: {shared()}")
    change(Attribute="createVolumePermission", OperationType="remove", UserIds=["444455556666"])
    try:
        change(CreateVolumePermission={"Add": [{"Group": "all"}]})
        if not public() or shared() != [{"Group": "all"}]:
            c.defects.add(f"ModifySnapshotAttribute: {shared()}")
        change(Attribute="createVolumePermission", OperationType="remove", GroupNames=["all"])
    except c.ClientError as e:
        if e.response["Error"]["Code"] != "OperationNotPermitted":  # the account blocks public sharing
            c.defects.add(f"ModifySnapshotAttribute: {e}")
    if public() or shared():
        c.defects.add(f"ModifySnapshotAttribute: {shared()} is left")
    c.refused("InvalidSnapshot.NotFound", ec2.describe_snapshots, SnapshotIds=["snap-00000000000000000"])
    c.refused("InvalidSnapshot.NotFound", ec2.describe_snapshot_attribute, SnapshotId="snap-00000000000000000", Attribute="createVolumePermission")
    c.refused("InvalidParameterValue", ec2.describe_snapshot_attribute, SnapshotId=snapshot, Attribute="productCodes")
    c.refused("MissingParameter", change)
    c.refused("InvalidParameterCombination", change, CreateVolumePermission={"Add": [{"UserId": "444455556666"}], "Remove": [{"UserId": "111122223333"}]})
