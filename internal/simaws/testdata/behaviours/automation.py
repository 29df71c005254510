"""Systems Manager's automations."""
import json

from behaviours import allow, document, equal, line, refused, trust, until

GROUPS = {"Service": "ec2", "Api": "DescribeSecurityGroups"}


def runbook(ssm, name, *steps, **more):
    ssm.create_document(Name=name, DocumentType="Automation", Content=json.dumps(dict(more, schemaVersion="0.3", mainSteps=list(steps))))


def step(name, action="aws:sleep", inputs=None, **more):
    return dict(more, name=name, action=action, inputs=inputs or {"Duration": "PT1S"})


def call(name, **more):
    return step(name, "aws:executeAwsApi", dict(GROUPS, **more.pop("inputs", {})), **more)


def ended(ssm, started):
    def over():
        run = ssm.get_automation_execution(AutomationExecutionId=started)["AutomationExecution"]
        return run if run["AutomationExecutionStatus"] not in ("Pending", "InProgress") else None
    return until("the end of the automation", over)


def ran(ssm, name, **more):
    return ended(ssm, ssm.start_automation_execution(DocumentName=name, **more)["AutomationExecutionId"])


def statuses(run):
    return {s["StepName"]: s["StepStatus"] for s in run["StepExecutions"]}


@line("SSM-01")
def all_that_is_wrong(sim):
    ssm = sim.client("ssm")
    text = refused("ValidationException", ssm.create_document, "3 validation errors detected: ", 400, Name="a b", Content="", DocumentType="Nothing")
    for at in ("'name'", "'content'", "'documentType'"):
        assert at in text, f"{at} is not named: {text}"
    # What the model takes is looked at afterwards only.
    refused("InvalidDocumentContent", ssm.create_document, Name="abc", Content="x", DocumentType="Automation")


@line("SSM-02")
def who_runs_it(sim):
    account = sim.account()
    iam, ssm = sim.client("iam", account=account), sim.client("ssm", account=account)
    as_role = {"description": "as a role", "parameters": {"Role": {"type": "String"}}, "assumeRole": "{{ Role }}"}
    runbook(ssm, "as-caller", call("look"))
    runbook(ssm, "as-role", call("look"), **as_role)
    # A caller who may look, and one who may not.
    limited = sim.client("ssm", keys=sim.assume(account, Policy=document(allow(["ssm:*", "iam:PassRole"]))))
    equal(ran(ssm, "as-caller")["AutomationExecutionStatus"], "Success", "as a caller who may")
    run = ran(limited, "as-caller")
    equal(run["AutomationExecutionStatus"], "Failed", "as a caller who may not")
    assert "not authorized to perform: ec2:DescribeSecurityGroups" in run["FailureMessage"], run["FailureMessage"]
    iam.create_role(RoleName="runs", AssumeRolePolicyDocument=trust(Service="ssm.amazonaws.com"))
    role = {"Role": [f"arn:aws:iam::{account}:role/runs"]}
    equal(ran(ssm, "as-role", Parameters=role)["AutomationExecutionStatus"], "Failed", "as a role that may not")
    iam.put_role_policy(RoleName="runs", PolicyName="p", PolicyDocument=document(allow("ec2:Describe*")))
    equal(ran(limited, "as-role", Parameters=role)["AutomationExecutionStatus"], "Success", "as a role that may")
    iam.update_assume_role_policy(RoleName="runs", PolicyDocument=trust(Service="lambda.amazonaws.com"))
    refused("InvalidAutomationExecutionParametersException", ssm.start_automation_execution, "", 400, DocumentName="as-role", Parameters=role)


@line("SSM-03")
def the_way_of_steps(sim):
    account = sim.account()
    ssm, ec2 = sim.client("ssm", account=account), sim.client("ec2", account=account)
    wrong = {"GroupIds": ["sg-00000000000000000"]}
    runbook(ssm, "way", step("first", nextStep="third"), step("second"), call("third", inputs=wrong, isCritical=False, onFailure="Continue"),
            call("fourth", inputs=wrong, isCritical=False, onFailure="step:sixth"), step("fifth"), step("sixth", isEnd=True), step("seventh"))
    run = ran(ssm, "way")
    equal(run["AutomationExecutionStatus"], "Success", "a run without a critical failure")
    equal({n: s for n, s in statuses(run).items() if s != "Pending"}, {"first": "Success", "third": "Failed", "fourth": "Failed", "sixth": "Success"}, "the steps")
    runbook(ssm, "critical", call("first", inputs=wrong), step("second"))
    run = ran(ssm, "critical")
    equal(run["AutomationExecutionStatus"], "Failed", "a run with a critical failure")
    assert "InvalidGroup.NotFound" in run["FailureMessage"] and statuses(run)["second"] != "Success", run
    runbook(ssm, "late", step("sleeps", inputs={"Duration": "PT10M"}, timeoutSeconds=5))
    run = ran(ssm, "late")
    equal(statuses(run)["sleeps"], "TimedOut", "a step that lasts too long")
    # Each attempt leaves a rule behind.
    group = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])["SecurityGroups"][0]["GroupId"]
    script = ("import boto3\ndef handler(event, context):\n    ec2 = boto3.client('ec2')\n    n = len(ec2.describe_security_groups(GroupIds=[event['group']])['SecurityGroups'][0]['IpPermissions'])\n"
              "    ec2.authorize_security_group_ingress(GroupId=event['group'], IpPermissions=[{'IpProtocol': 'tcp', 'FromPort': 1000 + n, 'ToPort': 1000 + n, 'IpRanges': [{'CidrIp': '10.0.0.0/8'}]}])\n"
              "    raise Exception('again')\n")
    runbook(ssm, "again", step("tries", "aws:executeScript", {"Runtime": "python3.11", "Handler": "handler", "Script": script, "InputPayload": {"group": group}}, maxAttempts=3))
    rules = lambda: len(ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"])
    before = rules()
    equal(ran(ssm, "again")["AutomationExecutionStatus"], "Failed", "a step that always fails")
    equal(rules() - before, 3, "attempts")


@line("SSM-06")
def a_hundred_at_once(sim):
    ssm = sim.client("ssm", account=sim.account())
    runbook(ssm, "sleeps", step("sleeps", inputs={"Duration": "PT1M"}))
    with sim.paused():
        started = [ssm.start_automation_execution(DocumentName="sleeps")["AutomationExecutionId"] for _ in range(101)]
        status = lambda i: ssm.get_automation_execution(AutomationExecutionId=started[i])["AutomationExecution"]["AutomationExecutionStatus"]
        equal([status(i) for i in (0, 99, 100)], ["InProgress", "InProgress", "Pending"], "the first, the hundredth and the one after it")
    for i in (0, 100):
        equal(ended(ssm, started[i])["AutomationExecutionStatus"], "Success", f"run {i}")


SCRIPT = """
import json
import re
from datetime import datetime, timezone


def squares(n):
    return [i * i for i in range(n) if i % 2 == 0]


def handler(event, context):
    words = {}
    for word in event["text"].split():
        words[word] = words.get(word, 0) + 1
    out = {"words": words, "squares": squares(8), "joined": "-".join(sorted(words)), "formatted": f"{len(words)} words, {event['text'][:3]!r}", "last": event["text"][-4:]}
    total, i = 0, 0
    while True:
        i += 1
        if i == 3:
            continue
        if i > 5:
            break
        total += i
    out["total"] = total
    out["any"] = any(w.startswith("b") for w in words)
    out["sorted"] = sorted(words.items(), key=lambda pair: (-pair[1], pair[0]))[0][0]
    out["nested"] = json.loads(json.dumps({"a": [1, {"b": None}], "c": True}))["a"][1]["b"] is None
    out["chosen"] = "many" if len(words) > 2 else "few"
    out["shown"] = [str(words), repr(("it's", None, 1)), str([True, "a"]), repr((1,))]
    out["unpacked"] = [a + b for a, b in zip([1, 2], [3, 4])]
    return out
"""


@line("SSM-04")
def what_python_makes_of_it(sim):
    """The simulator reads the scripts itself: what it makes of one is what Python does."""
    ssm = sim.client("ssm", account=sim.account())
    event = {"text": "a bee and a bird and a bat"}
    read = {}
    exec(SCRIPT, read)
    want = json.loads(json.dumps(read["handler"](event, None)))
    runbook(ssm, "python", step("script", "aws:executeScript", {"Runtime": "python3.11", "Handler": "handler", "Script": SCRIPT, "InputPayload": event}, outputs=[{"Name": "Out", "Selector": "$.Payload", "Type": "StringMap"}]))
    run = ran(ssm, "python")
    equal((run["AutomationExecutionStatus"], json.loads(run["StepExecutions"][0]["Outputs"]["Out"][0])), ("Success", want), run.get("FailureMessage"))
    runbook(ssm, "raises", step("script", "aws:executeScript", {"Runtime": "python3.11", "Handler": "handler", "Script": "def handler(event, context):\n    raise ValueError('so it is')\n", "InputPayload": {}}))
    run = ran(ssm, "raises")
    assert run["AutomationExecutionStatus"] == "Failed" and "ValueError - so it is" in run["FailureMessage"], run["FailureMessage"]
    runbook(ssm, "powershell", step("script", "aws:executeScript", {"Runtime": "PowerShell Core 6.0", "Script": "1"}))
    equal(ran(ssm, "powershell")["AutomationExecutionStatus"], "Failed", "another runtime")
