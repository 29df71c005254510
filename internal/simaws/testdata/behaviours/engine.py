"""CloudFormation's engine, through stacks of one account."""
import base64
import json

from behaviours import EAGER, HANDLE, document, equal, line, refused

NOBODY = {"Version": "2012-10-17", "Statement": []}
TYPE_ROLE, TYPE_TOPIC, TYPE_HANDLE = "AWS::IAM::Role", "AWS::SNS::Topic", "AWS::CloudFormation::WaitConditionHandle"


def role(name, **more):
    properties = dict({"RoleName": name, "AssumeRolePolicyDocument": NOBODY}, **more.pop("Properties", {}))
    return dict(more, Type=TYPE_ROLE, Properties=properties)


def topic(name, **more):
    return dict(more, Type=TYPE_TOPIC, Properties={"TopicName": name})


def fails_after(*names):
    """A resource that cannot be made, when others are there."""
    return {"Type": TYPE_ROLE, "DependsOn": list(names), "Properties": {"RoleName": "no name", "AssumeRolePolicyDocument": NOBODY}}


def outputs(stack):
    return {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}


def events(cfn, stack):
    """(logical id, status) from the first to the last."""
    return [(e["LogicalResourceId"], e["ResourceStatus"]) for p in cfn.get_paginator("describe_stack_events").paginate(StackName=stack) for e in p["StackEvents"]][::-1]


def reasons(cfn, stack):
    return [e["ResourceStatusReason"] for p in cfn.get_paginator("describe_stack_events").paginate(StackName=stack) for e in p["StackEvents"] if e.get("ResourceStatusReason")]


def update(sim, cfn, name, template, want="UPDATE_COMPLETE", **more):
    cfn.update_stack(StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"], **more)
    return sim.stack_ended(cfn, name, want)


def roles(sim, account, *names):
    """Those of the names that there are."""
    iam = sim.client("iam", account=account)
    return [n for n in names if n in [r["RoleName"] for p in iam.get_paginator("list_roles").paginate() for r in p["Roles"]]]


@line("ENG-01")
def parameters(sim):
    account = sim.account()
    cfn = sim.client("cloudformation", account=account)

    def says(declared, given, text):
        template = dict(HANDLE, Parameters=declared)
        refused("ValidationError", cfn.create_stack, text, 400, StackName="p", TemplateBody=json.dumps(template), Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()])

    one = lambda **more: {"P": dict({"Type": "String"}, **more)}
    says(one(AllowedValues=["a", "b"]), {"P": "c"}, "Parameter 'P' must be one of AllowedValues")
    says(one(AllowedPattern="[a-z]+"), {"P": "A"}, "Parameter 'P' must match pattern [a-z]+")
    says(one(AllowedPattern="[a-z]+", ConstraintDescription="small letters"), {"P": "A"}, "small letters")
    says(one(MinLength=3), {"P": "ab"}, "at least 3")
    says(one(MaxLength=3), {"P": "abcd"}, "3")
    says(one(Type="Number"), {"P": "x"}, "Parameter 'P' must be a number")
    says(one(Type="Number", MinValue=1, MaxValue=5), {"P": "6"}, "not greater than 5")
    says(one(Type="Number", MinValue=1), {"P": "0"}, "not less than 1")
    says(one(Type="List<Number>"), {"P": "1,x"}, "P")
    says({"P": {"Type": "String"}, "Q": {"Type": "String"}}, {}, "Parameters: [P, Q] must have values")
    says(one(), {"P": "x", "Y": "1", "Z": "1"}, "Parameters: [Y, Z] do not exist in the template")
    says(one(), {"P": "x" * 4097}, "4096")
    stack = sim.stack(account, "p", dict(HANDLE, Parameters={"D": {"Type": "String", "Default": "standard"}, "L": {"Type": "CommaDelimitedList", "Default": "a, b"}},
                                        Outputs={"D": {"Value": {"Ref": "D"}}, "L": {"Value": {"Fn::Join": ["|", {"Ref": "L"}]}}}))
    equal(outputs(stack), {"D": "standard", "L": "a|b"}, "defaults")


@line("ENG-02")
def what_is_not_echoed(sim):
    account = sim.account()
    template = dict(HANDLE, Parameters={"Secret": {"Type": "String", "NoEcho": True}}, Outputs={"Out": {"Value": {"Ref": "Secret"}}})
    given = [{"ParameterKey": "Secret", "ParameterValue": "hidden"}]
    stack = sim.stack(account, "secret", template, Parameters=given)
    equal((stack["Parameters"], outputs(stack)), ([{"ParameterKey": "Secret", "ParameterValue": "****"}], {"Out": "hidden"}), "the stack")
    sim.stack_set("secret", template, Parameters=given)
    equal(sim.cfn.describe_stack_set(StackSetName="secret")["StackSet"]["Parameters"][0]["ParameterValue"], "****", "the set")


@line("ENG-03")
def conditions(sim):
    account = sim.account()
    cfn = sim.client("cloudformation", account=account)
    equals = lambda a, b: {"Fn::Equals": [a, b]}
    template = {"Parameters": {"P": {"Type": "String"}}, "Conditions": {
        "A": equals({"Ref": "P"}, "a"), "B": {"Fn::Not": [{"Condition": "A"}]}, "Both": {"Fn::And": [{"Condition": "A"}, {"Condition": "B"}]}, "Either": {"Fn::Or": [{"Condition": "A"}, {"Condition": "B"}]}},
        "Resources": dict(HANDLE["Resources"], **{c: {"Type": TYPE_HANDLE, "Condition": c} for c in ("A", "B", "Both", "Either")}),
        "Outputs": {"A": {"Condition": "A", "Value": "is a"}, "If": {"Value": {"Fn::If": ["A", "yes", "no"]}}}}
    for given, there, out in (("a", {"Handle", "A", "Either"}, {"A": "is a", "If": "yes"}), ("b", {"Handle", "B", "Either"}, {"If": "no"})):
        stack = sim.stack(account, "conditions-" + given, template, Parameters=[{"ParameterKey": "P", "ParameterValue": given}])
        found = {r["LogicalResourceId"] for r in cfn.list_stack_resources(StackName="conditions-" + given)["StackResourceSummaries"]}
        equal((found, outputs(stack)), (there, out), given)
    circle = dict(HANDLE, Conditions={"A": {"Fn::Not": [{"Condition": "B"}]}, "B": {"Fn::Not": [{"Condition": "A"}]}})
    refused("ValidationError", cfn.validate_template, "", 400, TemplateBody=json.dumps(circle))


@line("ENG-04")
def functions(sim):
    account = sim.account()
    value = {
        "Sub": ({"Fn::Sub": ["${AWS::AccountId}-${X}-${!Y}", {"X": "x"}]}, f"{account}-x-${{Y}}"), "Join": ({"Fn::Join": ["+", ["a", "b"]]}, "a+b"), "Select": ({"Fn::Select": [1, ["a", "b"]]}, "b"),
        "Split": ({"Fn::Select": [2, {"Fn::Split": ["|", "a|b|c"]}]}, "c"), "Map": ({"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "K"]}, "mapped"), "Base64": ({"Fn::Base64": "text"}, base64.b64encode(b"text").decode()),
        "Cidr": ({"Fn::Select": [1, {"Fn::Cidr": ["10.0.0.0/16", 4, 8]}]}, "10.0.1.0/24"), "Zone": ({"Fn::Select": [0, {"Fn::GetAZs": ""}]}, "us-east-1a"), "Ref": ({"Ref": "Role"}, "functions"),
        "GetAtt": ({"Fn::GetAtt": ["Role", "Arn"]}, f"arn:aws:iam::{account}:role/functions"), "Pseudo": ({"Fn::Sub": "${AWS::Region} ${AWS::Partition} ${AWS::URLSuffix} ${AWS::StackName}"}, "us-east-1 aws amazonaws.com functions")}
    stack = sim.stack(account, "functions", {"Mappings": {"M": {"us-east-1": {"K": "mapped"}}}, "Resources": {"Role": role("functions", Properties={"Description": {"Ref": "AWS::NoValue"}})},
                                             "Outputs": {k: {"Value": v} for k, (v, _) in value.items()}})
    equal(outputs(stack), {k: want for k, (_, want) in value.items()}, "outputs")
    assert "Description" not in sim.client("iam", account=account).get_role(RoleName="functions")["Role"], "NoValue"


@line("ENG-05")
def language_extensions(sim):
    cfn = sim.client("cloudformation", account=sim.account())
    for name, argument in (("Fn::Length", ["a"]), ("Fn::ToJsonString", {"a": 1})):
        refused("ValidationError", cfn.create_stack, f"{name} needs the transform AWS::LanguageExtensions", 400, StackName="without", TemplateBody=json.dumps(dict(HANDLE, Outputs={"O": {"Value": {name: argument}}})))
    with_them = dict(HANDLE, Transform="AWS::LanguageExtensions")
    refused("ValidationError", sim.stack_set, "", 400, name="extended", template=with_them)
    refused("ValidationError", sim.stack_set, "", 400, name="serverless", template=dict(HANDLE, Transform="AWS::Serverless-2016-10-31"))


@line("ENG-06")
def order(sim):
    account = sim.account()
    cfn = sim.client("cloudformation", account=account)
    # In the template's order it would fail: C is named first, B needs A by its name, C needs B by DependsOn.
    sim.stack(account, "order", {"Resources": {"C": dict(topic("c"), DependsOn="B"), "B": role("b", Properties={"Description": {"Fn::Sub": "after ${A}"}}), "A": topic("a")}})
    made = [who for who, status in events(cfn, "order") if status == "CREATE_COMPLETE" and who in "ABC"]
    equal(made, ["A", "B", "C"], "the order of making")
    cfn.delete_stack(StackName="order")
    stack = next(s["StackId"] for s in cfn.list_stacks()["StackSummaries"] if s["StackName"] == "order")
    sim.stack_ended(cfn, stack, "DELETE_COMPLETE")
    equal([who for who, status in events(cfn, stack) if status == "DELETE_COMPLETE" and who in "ABC"], ["C", "B", "A"], "the order of deleting")
    circle = {"Resources": {"A": dict(topic("a"), DependsOn="B"), "B": dict(topic("b"), DependsOn="A")}}
    text = refused("ValidationError", cfn.create_stack, "Circular dependency between resources: [", 400, StackName="circle", TemplateBody=json.dumps(circle))
    assert "A" in text and "B" in text, text
    refused("ValidationError", cfn.validate_template, "Unresolved resource dependencies [Nothing] in the Outputs block of the template", 400, TemplateBody=json.dumps(dict(HANDLE, Outputs={"O": {"Value": {"Ref": "Nothing"}}})))
    refused("ValidationError", cfn.validate_template, "Unresolved resource dependencies [Nothing] in the Resources block of the template", 400, TemplateBody=json.dumps({"Resources": {"A": dict(topic("a"), DependsOn="Nothing")}}))


@line("ENG-07")
def quotas(sim):
    cfn = sim.client("cloudformation", account=sim.account())
    validate = lambda template: cfn.validate_template(TemplateBody=template if isinstance(template, str) else json.dumps(template, separators=(",", ":")))
    many = lambda n, thing: {f"N{i}": thing for i in range(n)}
    small = {"Type": TYPE_HANDLE}
    body = json.dumps(dict(HANDLE, Description=""))
    validate(body + " " * (51200 - len(body)))
    refused("ValidationError", validate, "51200", 400, template=body + " " * (51201 - len(body)))
    for what, at_most, over in (("resources", {"Resources": many(500, small)}, {"Resources": many(501, small)}), ("parameters", dict(HANDLE, Parameters=many(200, {"Type": "String"})), dict(HANDLE, Parameters=many(201, {"Type": "String"}))),
                                ("outputs", dict(HANDLE, Outputs=many(200, {"Value": "x"})), dict(HANDLE, Outputs=many(201, {"Value": "x"}))),
                                ("mappings", dict(HANDLE, Mappings=many(200, {"a": {"b": "c"}})), dict(HANDLE, Mappings=many(201, {"a": {"b": "c"}})))):
        validate(at_most)
        refused("ValidationError", validate, "", 400, template=over)
    for name in ("a-b", "a" * 256):
        refused("ValidationError", validate, "", 400, template={"Resources": {name: small}})


@line("ENG-08")
def what_is_unknown(sim):
    account = sim.account()
    cfn = sim.client("cloudformation", account=account)
    unknown = {"Conditions": {"Never": {"Fn::Equals": ["a", "b"]}}, "Resources": dict(HANDLE["Resources"], X={"Type": "AWS::No::Thing", "Condition": "Never"})}
    refused("ValidationError", cfn.create_stack, "Unrecognized resource types: [AWS::No::Thing]", 400, StackName="unknown", TemplateBody=json.dumps(unknown))
    sim.stack(account, "property", {"Resources": {"Topic": {"Type": TYPE_TOPIC, "Properties": {"Nothing": "x"}}}}, want="ROLLBACK_COMPLETE")
    assert any("Properties validation failed for resource Topic with message" in r and "Nothing" in r for r in reasons(cfn, "property")), reasons(cfn, "property")


@line("ENG-09")
def replacement(sim):
    account = sim.account()
    cfn = sim.client("cloudformation", account=account)
    sim.stack(account, "replaced", {"Resources": {"Gone": role("gone-1"), "Kept": role("kept-1", UpdateReplacePolicy="Retain")}})
    update(sim, cfn, "replaced", {"Resources": {"Gone": role("gone-2"), "Kept": role("kept-2", UpdateReplacePolicy="Retain")}})
    equal(roles(sim, account, "gone-1", "gone-2", "kept-1", "kept-2"), ["gone-2", "kept-1", "kept-2"], "roles")
    seen = events(cfn, "replaced")
    clean = seen.index(("replaced", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"))
    assert ("Gone", "UPDATE_COMPLETE") in seen[:clean] and ("Gone", "DELETE_COMPLETE") in seen[clean:], seen


@line("ENG-10", "STK-03")
def deletion_policies(sim):
    account = sim.account()
    cfn = sim.client("cloudformation", account=account)
    kept, but = {"DeletionPolicy": "Retain"}, {"DeletionPolicy": "RetainExceptOnCreate"}
    stack = sim.stack(account, "kept", {"Resources": {"Kept": role("kept", **kept), "But": role("but", **but), "Plain": role("plain")}})["StackId"]
    cfn.delete_stack(StackName="kept")
    sim.stack_ended(cfn, stack, "DELETE_COMPLETE")
    equal(roles(sim, account, "kept", "but", "plain"), ["kept", "but"], "after the stack's end")
    equal({(who, status) for who, status in events(cfn, stack) if status.startswith("DELETE_SKIPPED")}, {("Kept", "DELETE_SKIPPED"), ("But", "DELETE_SKIPPED")}, "events")
    # At the rollback of its creation the second goes.
    sim.stack(account, "rolled", {"Resources": {"Kept": role("kept-2", **kept), "But": role("but-2", **but), "Fails": fails_after("Kept", "But")}}, want="ROLLBACK_COMPLETE")
    equal(roles(sim, account, "kept-2", "but-2"), ["kept-2"], "after the rollback")
    # A resource that an update takes out is kept too.
    sim.stack(account, "taken", {"Resources": dict(HANDLE["Resources"], Kept=role("kept-3", **kept))})
    update(sim, cfn, "taken", HANDLE)
    equal(roles(sim, account, "kept-3"), ["kept-3"], "after the update")


@line("ENG-11", "STK-02")
def rollbacks(sim):
    account = sim.account()
    cfn, iam = sim.client("cloudformation", account=account), sim.client("iam", account=account)
    sim.stack(account, "created", {"Resources": {"A": role("a"), "B": dict(role("b"), DependsOn="A"), "Fails": fails_after("B")}}, want="ROLLBACK_COMPLETE")
    equal(roles(sim, account, "a", "b"), [], "after a creation that failed")
    assert any(r.startswith("The following resource(s) failed to create: [Fails]") for r in reasons(cfn, "created")), reasons(cfn, "created")
    gone = [who for who, status in events(cfn, "created") if status == "DELETE_COMPLETE" and who in "AB"]
    equal(gone, ["B", "A"], "the order of the rollback")
    sim.stack(account, "updated", {"Resources": {"A": role("a", Properties={"Description": "old", "MaxSessionDuration": 3600})}})
    update(sim, cfn, "updated", {"Resources": {"A": role("a", Properties={"Description": "new", "MaxSessionDuration": 7200}), "New": dict(role("new"), DependsOn="A"), "Fails": fails_after("New")}}, "UPDATE_ROLLBACK_COMPLETE")
    found = iam.get_role(RoleName="a")["Role"]
    equal((found["Description"], found["MaxSessionDuration"], roles(sim, account, "new")), ("old", 3600, []), "after an update that failed")
    assert any(r.startswith("The following resource(s) failed to create: [Fails]") for r in reasons(cfn, "updated")), reasons(cfn, "updated")


@line("ENG-12", "ENG-14")
def what_a_rollback_cannot_delete(sim):
    account = sim.account()
    deny = sim.org.create_policy(Name="keeps-roles", Description="", Type="SERVICE_CONTROL_POLICY", Content=document({"Effect": "Deny", "Action": "iam:DeleteRole", "Resource": "*"}))["Policy"]["PolicySummary"]["Id"]
    sim.org.attach_policy(PolicyId=deny, TargetId=account)
    template = {"Resources": {"A": role("stays"), "Fails": fails_after("A")}}
    sim.stack_set("failing", template)
    deploy = lambda: sim.ended("failing", sim.cfn.create_stack_instances(StackSetName="failing", DeploymentTargets=sim.just(account), Regions=["us-east-1"], OperationPreferences=EAGER)["OperationId"])
    deploy()
    cfn = sim.client("cloudformation", account=account)
    stack = cfn.describe_stacks()["Stacks"][0]
    equal((stack["StackStatus"], roles(sim, account, "stays")), ("ROLLBACK_FAILED", ["stays"]), "the stack")
    assert any("is not authorized to perform: iam:DeleteRole" in r and "with an explicit deny in a service control policy" in r for r in reasons(cfn, stack["StackId"])), reasons(cfn, stack["StackId"])
    sim.ended("failing", sim.cfn.update_stack_set(StackSetName="failing", TemplateBody=json.dumps(HANDLE), OperationPreferences=EAGER)["OperationId"])
    why = sim.cfn.describe_stack_instance(StackSetName="failing", StackInstanceAccount=account, StackInstanceRegion="us-east-1")["StackInstance"]["StatusReason"]
    assert why.startswith("Stack:") and "is in ROLLBACK_FAILED state and can not be updated" in why, why


@line("ENG-14")
def properties_ask_for_their_own_calls(sim):
    account = sim.account()
    cfn = sim.client("cloudformation", account=account)
    days = lambda n, **more: {"Resources": {"Kept": {"Type": "AWS::S3::Bucket", "Properties": dict({"LifecycleConfiguration": {"Rules": [{"Id": "x", "Status": "Enabled", "ExpirationInDays": n}]}}, **more)}}}
    sim.stack_set("lasting", days(9))
    where = dict(DeploymentTargets=sim.just(account), Regions=["us-east-1"], OperationPreferences=EAGER)
    sim.ended("lasting", sim.cfn.create_stack_instances(StackSetName="lasting", **where)["OperationId"])
    deny = sim.org.create_policy(Name="keeps-lifecycles", Description="", Type="SERVICE_CONTROL_POLICY", Content=document({"Effect": "Deny", "Action": "s3:PutLifecycleConfiguration", "Resource": "*"}))["Policy"]["PolicySummary"]["Id"]
    sim.org.attach_policy(PolicyId=deny, TargetId=account)
    for days_now, more, want in ((9, {"VersioningConfiguration": {"Status": "Enabled"}}, None), (30, {"VersioningConfiguration": {"Status": "Enabled"}}, "s3:PutLifecycleConfiguration")):
        sim.ended("lasting", sim.cfn.update_stack_set(StackSetName="lasting", TemplateBody=json.dumps(days(days_now, **more)), OperationPreferences=EAGER)["OperationId"])
        i = sim.cfn.describe_stack_instance(StackSetName="lasting", StackInstanceAccount=account, StackInstanceRegion="us-east-1")["StackInstance"]
        said = i.get("StatusReason", "")
        assert (want is None and i["Status"] == "CURRENT") or (want and f"is not authorized to perform: {want}" in said), (days_now, i["Status"], said)


@line("ENG-13")
def a_name_in_use(sim):
    account = sim.account()
    cfn = sim.client("cloudformation", account=account)
    first = sim.stack(account, "first", {"Resources": {"Topic": topic("news"), "Role": role("taken")}})["StackId"]
    for name, resource, said in (("second", topic("news"), first), ("third", role("taken"), "taken already exists")):
        sim.stack(account, name, {"Resources": {"X": resource}}, want="ROLLBACK_COMPLETE")
        assert any("already exists" in r and said in r for r in reasons(cfn, name)), reasons(cfn, name)


@line("ENG-22")
def systems_managers_parameters(sim):
    account = sim.account()
    cfn = sim.client("cloudformation", account=account)
    reading = json.dumps({"Parameters": {"One": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/one"}, "Many": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "/many"}},
                          "Resources": HANDLE["Resources"], "Outputs": {"One": {"Value": {"Ref": "One"}}, "Last": {"Value": {"Fn::Select": [1, {"Ref": "Many"}]}}}})
    refused("ValidationError", cfn.create_stack, "Unable to fetch parameters [/one,/many] from parameter store for this account.", 400, StackName="reading", TemplateBody=reading)
    stored = lambda value: {"Resources": {"One": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/one", "Type": "String", "Value": value}},
                                          "Many": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/many", "Type": "StringList", "Value": "x,y"}}}}
    sim.stack(account, "stored", stored("first"))
    stack = sim.stack(account, "reading", json.loads(reading))
    equal(outputs(stack), {"One": "first", "Last": "y"}, "outputs")
    equal({p["ParameterKey"]: (p["ParameterValue"], p["ResolvedValue"]) for p in stack["Parameters"]}, {"One": ("/one", "first"), "Many": ("/many", "x,y")}, "parameters")
    update(sim, cfn, "stored", stored("second"))
    equal(outputs(update(sim, cfn, "reading", json.loads(reading)))["One"], "second", "the output of an update")


@line("ENG-23")
def parameters_of_what_exists(sim):
    account = sim.account()
    cfn, ec2 = sim.client("cloudformation", account=account), sim.client("ec2", account=account)
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    groups = [g["GroupId"] for g in ec2.describe_security_groups()["SecurityGroups"]]
    of = lambda kind, value: dict(HANDLE, Parameters={"P": {"Type": kind, "Default": value}})
    for n, (kind, value, missing) in enumerate([("AWS::EC2::VPC::Id", vpc, ""), ("AWS::EC2::VPC::Id", "vpc-0", "vpc-0"), ("List<AWS::EC2::SecurityGroup::Id>", ",".join(groups + ["sg-0"]), "sg-0"),
                                                ("AWS::EC2::AvailabilityZone::Name", "us-east-1a", ""), ("AWS::EC2::KeyPair::KeyName", "mine", "mine")]):
        sim.stack(account, f"existing-{n}", of(kind, value), want="ROLLBACK_COMPLETE" if missing else "CREATE_COMPLETE")
        if missing:
            equal(reasons(cfn, f"existing-{n}")[0], f"Parameter validation failed: parameter value {missing} for parameter name P does not exist. Rollback requested by user.", kind)


@line("ENG-24")
def wrong_shapes(sim):
    cfn = sim.client("cloudformation", account=sim.account())
    one = {"Type": TYPE_TOPIC}
    for template, want in [
        ({}, "Template format error: At least one Resources member must be defined."),
        ({"Resources": {"A": {"Properties": {}}}}, "Template format error: [/Resources/A] Every Resources object must contain a Type member."),
        ({"Resources": {"A": dict(one, Invalid=10)}}, "Invalid template resource property 'Invalid'"),
        ({"Resources": {"A": []}}, "Template format error: Any Resources member must be an object."),
        ({"Resources": {"A": one}, "Outputs": {"MyOutput": {"Value": None}}}, "[/Outputs/MyOutput/Value] 'null' values are not allowed in templates"),
        ({"Resources": {"A": one}, "Outputs": {"MyOutput": {}}}, "Template format error: Every Outputs member must contain a Value object"),
        ({"Resources": {"A": one}, "Foo": 1}, "Invalid template property or properties [Foo]"),
        ({"Resources": {"A": dict(one, Properties={"DisplayName": {"Ref": []}})}}, "Template error: every Ref object must have a single String value."),
    ]:
        refused("ValidationError", cfn.create_stack, want, 400, StackName="shapes", TemplateBody=json.dumps(template))
    refused("ValidationError", cfn.validate_template, "Template format error: JSON not well-formed. (line 1, column 22)", 400, TemplateBody='{"Resources": {"A": {]}}')
