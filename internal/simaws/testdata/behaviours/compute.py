"""EC2."""
import json

from behaviours import allow, document, equal, line, refused, until


@line("EC2-01")
def a_dry_run(sim):
    account = sim.account()
    ec2 = sim.client("ec2", account=account)
    group = ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
    rule = {"GroupId": group, "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 81, "ToPort": 81, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}], "DryRun": True}
    refused("DryRunOperation", ec2.authorize_security_group_ingress, "would have succeeded", 412, **rule)
    refused("DryRunOperation", ec2.describe_vpcs, "would have succeeded", 412, DryRun=True)
    assert not any(p.get("FromPort") == 81 for p in ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]), "the rule was made"
    limited = sim.client("ec2", keys=sim.assume(account, Policy=document(allow("ec2:Describe*"))))
    refused("UnauthorizedOperation", limited.authorize_security_group_ingress, "", 403, **rule)


@line("EC2-02")
def ids_and_filters(sim):
    ec2 = sim.client("ec2", account=sim.account())
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    filtered = lambda *values, name="vpc-id": [v["VpcId"] for v in ec2.describe_vpcs(Filters=[{"Name": name, "Values": list(values)}])["Vpcs"]]
    refused("InvalidVpcID.NotFound", ec2.describe_vpcs, vpc[:-4] + "beef", 400, VpcIds=[vpc[:-4] + "beef"])
    refused("InvalidVpcId.Malformed", ec2.describe_vpcs, "", 400, VpcIds=["nothing"])
    refused("InvalidGroup.NotFound", ec2.describe_security_groups, "", 400, GroupIds=["sg-00000000000000000"])
    refused("InvalidParameterValue", ec2.describe_vpcs, "frobnicate", 400, Filters=[{"Name": "frobnicate", "Values": ["x"]}])
    assert vpc in filtered(vpc[:6] + "*") and vpc in filtered("vpc?" + vpc[4:]) and filtered("vpc\\*") == [], "wildcards"
    equal(filtered(*[f"vpc-{i}" for i in range(199)], vpc), [vpc], "two hundred values")
    refused("FilterLimitExceeded", ec2.describe_vpcs, "", 400, Filters=[{"Name": "vpc-id", "Values": [f"vpc-{i}" for i in range(201)]}])
    refused("FilterLimitExceeded", ec2.describe_vpcs, "", 400, Filters=[{"Name": "vpc-id", "Values": [vpc]}] * 51)


@line("EC2-03")
def calls_without_a_token(sim):
    account = sim.furnished["things"]
    ssm, ec2 = sim.client("ssm", account=account), sim.client("ec2", account=account)
    ids = sorted(i["InstanceId"] for r in ec2.describe_instances(Filters=[{"Name": "instance-state-name", "Values": ["running"]}])["Reservations"] for i in r["Instances"])
    script = ("import boto3\nimport time\ndef handler(event, context):\n    now = int(time.time())\n    out = {}\n    for name in event['ids']:\n"
              "        metric = {'Namespace': 'AWS/EC2', 'MetricName': event['metric'], 'Dimensions': [{'Name': 'InstanceId', 'Value': name}]}\n"
              "        found = boto3.client('cloudwatch').get_metric_data(StartTime=now - 86400, EndTime=now, MetricDataQueries=[{'Id': 'a', 'MetricStat': {'Metric': metric, 'Period': 3600, 'Stat': 'Sum'}}])\n"
              "        out[name] = found['MetricDataResults'][0]['Values']\n    return out\n")

    def values(metric):
        name = "metrics-" + metric
        ssm.create_document(Name=name, DocumentType="Automation", Content=json.dumps({"schemaVersion": "0.3", "mainSteps": [{
            "name": "read", "action": "aws:executeScript", "outputs": [{"Name": "Out", "Selector": "$.Payload", "Type": "StringMap"}],
            "inputs": {"Runtime": "python3.11", "Handler": "handler", "Script": script, "InputPayload": {"ids": [*ids, "i-00000000000000000"], "metric": metric}}}]}))
        started = ssm.start_automation_execution(DocumentName=name)["AutomationExecutionId"]
        run = until("the end", lambda: [r for r in [ssm.get_automation_execution(AutomationExecutionId=started)["AutomationExecution"]] if r["AutomationExecutionStatus"] not in ("Pending", "InProgress")])[0]
        equal(run["AutomationExecutionStatus"], "Success", run.get("FailureMessage"))
        return json.loads(run["StepExecutions"][0]["Outputs"]["Out"][0])

    # Of the two that run one is asked without a token; the other says 0, and what is not there nothing.
    found = values("MetadataNoToken")
    equal((sorted(sum(found[i]) > 0 for i in ids), {len(found[i]) for i in ids}, found["i-00000000000000000"]), ([False, True], {24}, []), "MetadataNoToken")
    equal([values("CPUUtilization")[i] for i in ids[:1]], [[]], "another metric")
