"""Stacks of one account."""
import json

from behaviours import HANDLE, document, equal, line, refused, until
from recording import Recorded
from engine import TYPE_TOPIC, events, fails_after, reasons, role, roles, topic, update


def exporting(name, value="x", **more):
    return dict(HANDLE, Outputs={"O": {"Value": value, "Export": {"Name": name}}}, **more)


IMPORTING = {"Resources": {"Topic": {"Type": TYPE_TOPIC, "Properties": {"TopicName": {"Fn::ImportValue": "shared"}}}}}


@line("STK-01")
def states(sim):
    account = sim.account()
    cfn = sim.client("cloudformation", account=account)
    failing = {"Resources": {"A": role("a"), "Fails": fails_after("A")}}
    again = dict(TemplateBody=json.dumps(HANDLE), Capabilities=["CAPABILITY_NAMED_IAM"])
    sim.stack(account, "rolled-back", failing, want="ROLLBACK_COMPLETE")
    refused("ValidationError", cfn.update_stack, "is in ROLLBACK_COMPLETE state and can not be updated", 400, StackName="rolled-back", **again)
    cfn.delete_stack(StackName="rolled-back")
    sim.stack(account, "failed", failing, want="CREATE_FAILED", DisableRollback=True)
    refused("ValidationError", cfn.update_stack, "", 400, StackName="failed", **again)
    equal(roles(sim, account, "a"), ["a"], "what was made")
    cfn.rollback_stack(StackName="failed")
    sim.stack_ended(cfn, "failed", "ROLLBACK_COMPLETE")
    equal(roles(sim, account, "a"), [], "what was made, rolled back")
    sim.stack(account, "mended", failing, want="CREATE_FAILED", DisableRollback=True)
    update(sim, cfn, "mended", HANDLE, DisableRollback=True)


@line("STK-04")
def made_by_a_stack_set(sim):
    account = sim.account()
    sim.stack_set("maker", {"Resources": {"Role": role("made", Properties={"Description": "by the set"})}})
    sim.ended("maker", sim.cfn.create_stack_instances(StackSetName="maker", DeploymentTargets=sim.just(account), Regions=["us-east-1"])["OperationId"])
    cfn = sim.client("cloudformation", account=account)
    stack = cfn.describe_stacks()["Stacks"][0]["StackId"]
    update(sim, cfn, stack, {"Resources": {"Role": role("made", Properties={"Description": "by hand"})}})
    equal(sim.client("iam", account=account).get_role(RoleName="made")["Role"]["Description"], "by hand", "the role")
    cfn.delete_stack(StackName=stack)
    sim.stack_ended(cfn, stack, "DELETE_COMPLETE")
    equal(sim.cfn.list_stack_instances(StackSetName="maker")["Summaries"][0]["Status"], "CURRENT", "the set's instance")


@line("STK-05", "STK-12", "STK-16")
def a_stacks_own_events(sim):
    account = sim.account()
    cfn = sim.client("cloudformation", account=account)
    sim.stack(account, "events", {"Resources": {"Role": role("old")}})
    # STK-12: the old role cannot be deleted in the clean-up, for something hangs on it.
    sim.client("iam", account=account).put_role_policy(RoleName="old", PolicyName="p", PolicyDocument=document({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}))
    stack = update(sim, cfn, "events", {"Resources": {"Role": role("new")}})["StackId"]
    own = [status for who, status in events(cfn, "events") if who == "events"]
    equal(own, ["CREATE_IN_PROGRESS", "CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"], "the stack's events")
    assert "Update successful. One or more resources could not be deleted." in reasons(cfn, "events"), reasons(cfn, "events")
    equal(roles(sim, account, "old", "new"), ["old", "new"], "roles")
    assert "DeletionTime" not in cfn.describe_stacks(StackName="events")["Stacks"][0], "DeletionTime of a stack that is there"
    with sim.paused():
        cfn.delete_stack(StackName="events")
        equal([(s["StackStatus"], "DeletionTime" in s) for s in cfn.describe_stacks(StackName=stack)["Stacks"]], [("DELETE_IN_PROGRESS", True)], "at the beginning of its end")


@line("STK-06")
def causes_of_changes(sim):
    account = sim.account()
    cfn = sim.client("cloudformation", account=account)
    template = {"Parameters": {"Text": {"Type": "String"}}, "Resources": {"Role": role("described", Properties={"Description": {"Ref": "Text"}})}}
    given = lambda v: [{"ParameterKey": "Text", "ParameterValue": v}]
    sim.stack(account, "changes", template, Parameters=given("a"))
    cfn.create_change_set(StackName="changes", ChangeSetName="c", TemplateBody=json.dumps(template), Parameters=given("b"), Capabilities=["CAPABILITY_NAMED_IAM"])
    made = until("the change set", lambda: [c for c in [cfn.describe_change_set(StackName="changes", ChangeSetName="c")] if c["Status"] == "CREATE_COMPLETE"])[0]
    change = made["Changes"][0]["ResourceChange"]
    equal((change["Action"], change["Replacement"]), ("Modify", "False"), "the change")
    details = sorted((d["Evaluation"], d["ChangeSource"], d.get("CausingEntity")) for d in change["Details"])
    equal(details, [("Dynamic", "DirectModification", None), ("Static", "ParameterReference", "Text")], "its details")


@line("STK-07", "STK-08")
def exports(sim):
    account = sim.account()
    cfn, there = sim.client("cloudformation", account=account), sim.client("cloudformation", "eu-west-1", account)
    sim.stack(account, "early", IMPORTING, want="ROLLBACK_COMPLETE")
    assert any("No export named shared found" in r for r in reasons(cfn, "early")), reasons(cfn, "early")
    sim.stack(account, "exports", exporting("shared", "of-here"))
    sim.stack(account, "imports", IMPORTING)
    topics = cfn.list_stack_resources(StackName="imports")["StackResourceSummaries"]
    assert topics[0]["PhysicalResourceId"].endswith(":of-here"), topics
    # Another Region has exports of its own.
    sim.stack(account, "elsewhere", IMPORTING, "eu-west-1", want="ROLLBACK_COMPLETE")
    sim.stack(account, "exports", exporting("shared", "of-there"), "eu-west-1")
    equal([e["Value"] for e in there.list_exports()["Exports"]], ["of-there"], "exports of the other Region")
    sim.stack(account, "same", exporting("shared"), want="ROLLBACK_COMPLETE")
    assert any("Export with name shared is already exported by stack exports" in r for r in reasons(cfn, "same")), reasons(cfn, "same")
    # One in use neither changes nor goes, and neither does its stack.
    for template in (exporting("shared", "another"), HANDLE):
        try:
            update(sim, cfn, "exports", dict(template, Description=str(len(json.dumps(template)))), "UPDATE_ROLLBACK_COMPLETE")
            said = reasons(cfn, "exports")
        except cfn.exceptions.ClientError as e:
            said = [str(e)]
        assert any("shared" in r and "in use" in r for r in said), said
    cfn.delete_stack(StackName="exports")
    until("the end of the deletion", lambda: "Delete canceled. Cannot delete export shared as it is in use by imports." in reasons(cfn, "exports"))
    assert not cfn.describe_stacks(StackName="exports")["Stacks"][0]["StackStatus"].startswith("DELETE"), "the stack is going"
    equal([e["Value"] for e in cfn.list_exports()["Exports"]], ["of-here"], "the export")


@line("STK-09")
def templates_by_url(sim):
    at = Recorded(sim)
    cfn, other = at.sim.client("cloudformation", account=at.account), sim.client("cloudformation", account=sim.account())
    made = lambda url, cfn=cfn: cfn.validate_template(TemplateURL=url)
    for url in ("http://example.com/t.yaml", "https://example.com/t.yaml", "ftp://x"):
        refused("ValidationError", made, "TemplateURL must be a supported URL", 400, url=url)
    # What Config left in the bucket is read, in both styles, and is no template.
    key = f"AWSLogs/{at.account}/Config/ConfigWritabilityCheckFile"
    for url in (f"https://s3.amazonaws.com/{at.bucket}/{key}", f"https://{at.bucket}.s3.us-east-1.amazonaws.com/{key}", f"https://{at.bucket}.s3.amazonaws.com/{key}"):
        text = refused("ValidationError", made, "", 400, url=url)
        assert "Template" in text and "TemplateURL" not in text and "S3 error" not in text, text
    refused("ValidationError", made, "S3 error: ", 400, url=f"https://s3.amazonaws.com/{at.bucket}/nothing.yaml")
    refused("ValidationError", made, "S3 error: Access Denied", 400, url=f"https://s3.amazonaws.com/{at.bucket}/{key}", cfn=other)


@line("STK-10", on="slow")
def in_their_time(sim):
    account = sim.account()
    cfn = sim.client("cloudformation", account=account)
    states = lambda: {r["LogicalResourceId"]: (r["ResourceStatus"], bool(r.get("PhysicalResourceId"))) for r in cfn.describe_stack_resources(StackName="timed")["StackResources"]}
    seen = []
    sim.control("pause")
    try:
        cfn.create_stack(StackName="timed", TemplateBody=json.dumps({"Resources": {"A": topic("a"), "B": dict(topic("b"), DependsOn="A")}}))
        while "CREATE_COMPLETE" not in [s["StackStatus"] for s in cfn.describe_stacks(StackName="timed")["Stacks"]]:
            seen.append(states())
            assert len(seen) < 600, seen[-1]
            sim.control("step?by=1s")
    finally:
        sim.control("resume")
    sim.stack_ended(cfn, "timed", "CREATE_COMPLETE")
    assert any(s.get("A", ("", 0))[0] == "CREATE_IN_PROGRESS" and "B" not in s for s in seen) or any(s.get("A", ("",))[0] == "CREATE_COMPLETE" and s.get("B", ("", 0))[0] in ("", "CREATE_IN_PROGRESS") for s in seen), seen
    at = {(e["LogicalResourceId"], e["ResourceStatus"], e.get("ResourceStatusReason")): (e["Timestamp"], e.get("PhysicalResourceId")) for e in cfn.describe_stack_events(StackName="timed")["StackEvents"]}
    a, b = at[("A", "CREATE_COMPLETE", None)], at[("B", "CREATE_IN_PROGRESS", None)]
    assert a[0] <= b[0] and not b[1] and at[("B", "CREATE_IN_PROGRESS", "Resource creation Initiated")][1], at
    assert at[("A", "CREATE_IN_PROGRESS", None)][0] < a[0], "A was made at once"
