"""Single stacks and change sets."""
import json
import time


def template(name, export=None):
    t = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}}}, "Outputs": {"Name": {"Value": {"Ref": "Topic"}}}}
    if export:
        t["Outputs"]["Name"]["Export"] = {"Name": export}
    return json.dumps(t)


def run(c):
    cfn = c.client("cloudformation", region="eu-west-1")

    def until(name, *wanted):
        for _ in range(500):
            status = cfn.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
            if status in wanted:
                return
            time.sleep(0.02)
        raise AssertionError(f"{name} does not become {wanted}: {status}")

    made = cfn.create_stack(StackName="single", TemplateBody=template("a"), Tags=[{"Key": "k", "Value": "v"}], TimeoutInMinutes=30, EnableTerminationProtection=True)["StackId"]
    c.refused("AlreadyExistsException", cfn.create_stack, StackName="single", TemplateBody=template("a"))
    until("single", "CREATE_COMPLETE")
    c.refused("ValidationError", cfn.update_stack, StackName="single", TemplateBody=template("a"))
    c.refused("ValidationError", cfn.cancel_update_stack, StackName="single")
    c.refused("ValidationError", cfn.rollback_stack, StackName="single")
    # Before the update: AWS's events have UPDATE_COMPLETE_CLEANUP_IN_PROGRESS, which the model's enum lacks.
    cfn.describe_stack_events(StackName=made)
    cfn.update_stack(StackName="single", TemplateBody=template("b"))
    until("single", "UPDATE_COMPLETE")
    c.refused("ValidationError", cfn.delete_stack, StackName="single")
    cfn.update_termination_protection(StackName="single", EnableTerminationProtection=False)
    cfn.set_stack_policy(StackName="single", StackPolicyBody='{"Statement": []}')
    cfn.get_stack_policy(StackName="single")
    cfn.describe_stack_resource(StackName="single", LogicalResourceId="Topic")
    cfn.describe_stack_resources(StackName="single")
    cfn.list_stack_resources(StackName="single")
    cfn.describe_account_limits()
    cfn.delete_stack(StackName="single")
    until(made, "DELETE_COMPLETE")
    cfn.get_template(StackName=made)
    cfn.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])

    def change(stack, name, body, **more):
        made = cfn.create_change_set(StackName=stack, ChangeSetName=name, TemplateBody=body, **more)["Id"]
        for _ in range(500):
            found = cfn.describe_change_set(ChangeSetName=made, IncludePropertyValues=True)
            if found["Status"] in ("CREATE_COMPLETE", "FAILED"):
                return found
            time.sleep(0.02)
        raise AssertionError("the change set is never made")

    assert change("changed", "first", template("a"), ChangeSetType="CREATE")["Changes"][0]["ResourceChange"]["Action"] == "Add"
    c.refused("AlreadyExistsException", cfn.create_change_set, StackName="changed", ChangeSetName="first", TemplateBody=template("a"), ChangeSetType="CREATE")
    cfn.execute_change_set(StackName="changed", ChangeSetName="first")
    until("changed", "CREATE_COMPLETE")
    assert change("changed", "nothing", template("a"))["Status"] == "FAILED"
    c.refused("InvalidChangeSetStatus", cfn.execute_change_set, StackName="changed", ChangeSetName="nothing")
    cfn.delete_change_set(StackName="changed", ChangeSetName="nothing")
    c.refused("ChangeSetNotFound", cfn.describe_change_set, StackName="changed", ChangeSetName="nothing")
    modified = change("changed", "second", template("b"))["Changes"][0]["ResourceChange"]
    assert (modified["Action"], modified["Replacement"]) == ("Modify", "True"), modified
    cfn.list_change_sets(StackName="changed")
    cfn.execute_change_set(StackName="changed", ChangeSetName="second")
    until("changed", "UPDATE_COMPLETE")

    cfn.create_stack(StackName="exporting", TemplateBody=template("e", "shared"))
    until("exporting", "CREATE_COMPLETE")
    assert cfn.list_exports()["Exports"][0]["Name"] == "shared"
    c.refused("ValidationError", cfn.list_imports, ExportName="shared")
    importing = template("f").replace('"Value": {"Ref": "Topic"}', '"Value": {"Fn::ImportValue": "shared"}')
    cfn.create_stack(StackName="importing", TemplateBody=importing)
    until("importing", "CREATE_COMPLETE")
    assert cfn.list_imports(ExportName="shared")["Imports"] == ["importing"]

    # An update takes from the stack's own role what its rollback needs.
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "cloudformation.amazonaws.com"}}]}

    def work(may, name):
        return json.dumps({"Resources": {
            "Exec": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "exec-of-work", "AssumeRolePolicyDocument": trust, "Policies": [
                {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": may, "Resource": "*"}]}}]}},
            "Last": {"Type": "AWS::IAM::Role", "DependsOn": "Exec", "Properties": {"RoleName": name, "AssumeRolePolicyDocument": trust}}}})

    named = {"Capabilities": ["CAPABILITY_NAMED_IAM"]}
    cfn.create_stack(StackName="work", TemplateBody=work("*", "last-of-work"), **named)
    until("work", "CREATE_COMPLETE")
    role = c.client("iam").get_role(RoleName="exec-of-work")["Role"]["Arn"]
    c.refused("ValidationError", cfn.update_stack, StackName="work", TemplateBody=work("*", "x"), RoleARN=role + "s", **named)
    c.refused("ValidationError", cfn.continue_update_rollback, StackName="work")
    c.refused("ValidationError", cfn.continue_update_rollback, StackName="nothing")
    # "exec-of-work" is there already, so that the second role cannot be made.
    cfn.update_stack(StackName="work", TemplateBody=work("iam:CreateRole", "exec-of-work"), RoleARN=role, **named)
    until("work", "UPDATE_ROLLBACK_FAILED")
    c.refused("ValidationError", cfn.continue_update_rollback, StackName="work", ResourcesToSkip=["Last"])
    cfn.continue_update_rollback(StackName="work", ResourcesToSkip=["Exec"], ClientRequestToken="again")
    cfn.continue_update_rollback(StackName="work", ResourcesToSkip=["Exec"], ClientRequestToken="again")
    until("work", "UPDATE_ROLLBACK_COMPLETE")
    assert [r["ResourceStatus"] for r in cfn.describe_stack_resources(StackName="work")["StackResources"]] == ["UPDATE_COMPLETE", "UPDATE_COMPLETE"]
