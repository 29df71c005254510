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
