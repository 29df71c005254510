"""What a restore reads and writes: CloudTrail's event history and tags of groups."""
import json
import time


def run(c):
    ec2, trail = c.client("ec2", credentials=c.session), c.client("cloudtrail", credentials=c.session)
    group = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])["SecurityGroups"][0]["GroupId"]
    ec2.create_tags(Resources=[group], Tags=[{"Key": "rollout-exempt", "Value": "restored"}])
    if ec2.describe_security_groups(GroupIds=[group], Filters=[{"Name": "tag:rollout-exempt", "Values": ["rest*"]}])["SecurityGroups"] == []:
        c.defects.add("CreateTags: the tag is not found")
    ec2.delete_tags(Resources=[group], Tags=[{"Key": "rollout-exempt"}])
    c.refused("InvalidID", ec2.create_tags, Resources=["sg-00000000000000000"], Tags=[{"Key": "a", "Value": "b"}])
    c.refused("InvalidParameterValue", ec2.create_tags, Resources=[group], Tags=[{"Key": "aws:a", "Value": "b"}])

    for _ in range(100):
        events = trail.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateTags"}])["Events"]
        if events:
            break
        time.sleep(0.1)
    if not events or json.loads(events[0]["CloudTrailEvent"])["eventName"] != "CreateTags":
        c.defects.add("LookupEvents: what was written is not found")
    trail.lookup_events(MaxResults=1)
    c.refused("InvalidMaxResultsException", trail.lookup_events, MaxResults=51)
    c.refused("InvalidLookupAttributesException", trail.lookup_events,
              LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "a"}, {"AttributeKey": "Username", "AttributeValue": "b"}])
