"""Service control policies: their life, where they are attached, and the types."""
import json
import time


def until(done):
    for _ in range(300):
        if done():
            return
        time.sleep(0.02)
    raise AssertionError("the policy type is switched for ever")


def run(c):
    org = c.org
    root = org.list_roots()["Roots"][0]["Id"]
    scp = "SERVICE_CONTROL_POLICY"
    text = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "config:Delete*", "Resource": "*"}]})
    policy = org.create_policy(Name="keep", Description="keeps Config", Type=scp, Content=text, Tags=[{"Key": "k", "Value": "v"}])["Policy"]["PolicySummary"]["Id"]
    c.refused("DuplicatePolicyException", org.create_policy, Name="keep", Description="", Type=scp, Content=text)
    c.refused("MalformedPolicyDocumentException", org.create_policy, Name="bad", Description="", Type=scp, Content="{")
    org.list_tags_for_resource(ResourceId=policy)
    org.tag_resource(ResourceId=policy, Tags=[{"Key": "a", "Value": "b"}])
    org.describe_policy(PolicyId=policy)
    c.refused("PolicyNotFoundException", org.describe_policy, PolicyId="p-zzzzzzzz")
    org.update_policy(PolicyId=policy, Name="kept", Description="", Content=text)
    c.refused("InvalidInputException", org.update_policy, PolicyId="p-FullAWSAccess", Name="mine")
    org.list_policies(Filter=scp)
    c.refused("InvalidInputException", org.list_policies, Filter="NO_POLICY")
    org.attach_policy(PolicyId=policy, TargetId=root)
    c.refused("DuplicatePolicyAttachmentException", org.attach_policy, PolicyId=policy, TargetId=root)
    c.refused("TargetNotFoundException", org.attach_policy, PolicyId=policy, TargetId="000000000000")
    c.refused("PolicyInUseException", org.delete_policy, PolicyId=policy)
    org.list_policies_for_target(TargetId=root, Filter=scp)
    org.list_targets_for_policy(PolicyId=policy)
    org.list_targets_for_policy(PolicyId="p-FullAWSAccess")
    org.detach_policy(PolicyId=policy, TargetId=root)
    c.refused("PolicyNotAttachedException", org.detach_policy, PolicyId=policy, TargetId=root)
    c.refused("ConstraintViolationException", org.detach_policy, PolicyId="p-FullAWSAccess", TargetId=root)
    org.delete_policy(PolicyId=policy)
    def status(kind):
        return {t["Type"]: t["Status"] for t in org.list_roots()["Roots"][0]["PolicyTypes"]}.get(kind)

    org.enable_policy_type(RootId=root, PolicyType="TAG_POLICY")
    until(lambda: status("TAG_POLICY") == "ENABLED")
    c.refused("PolicyTypeAlreadyEnabledException", org.enable_policy_type, RootId=root, PolicyType="TAG_POLICY")
    c.refused("RootNotFoundException", org.enable_policy_type, RootId="r-zzzz", PolicyType="TAG_POLICY")
    org.disable_policy_type(RootId=root, PolicyType="TAG_POLICY")
    until(lambda: status("TAG_POLICY") is None)
    c.refused("PolicyTypeNotEnabledException", org.disable_policy_type, RootId=root, PolicyType="TAG_POLICY")
