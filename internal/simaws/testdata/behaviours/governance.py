"""Control Tower."""
from behaviours import equal, line, refused, until

HOME, OTHER, UNGOVERNED = "us-east-1", "eu-west-1", "us-west-2"


def enabled(sim, children=False):
    tower = sim.client("controltower")
    names = {b["arn"]: b["name"] for b in tower.list_baselines()["baselines"]}
    rows = [r for p in tower.get_paginator("list_enabled_baselines").paginate(includeChildren=children) for r in p["enabledBaselines"]]
    return [(names[r["baselineIdentifier"]], r["targetIdentifier"].split("/")[-1], r["statusSummary"]["status"], bool(r.get("parentIdentifier"))) for r in rows]


def recorders(sim, account, region):
    config = sim.client("config", region, keys=sim.assume(account, "AWSControlTowerExecution"))
    return [r["name"] for r in config.describe_configuration_recorders()["ConfigurationRecorders"]], [c["name"] for c in config.describe_delivery_channels()["DeliveryChannels"]]


OURS = (["aws-controltower-BaselineConfigRecorder"], ["aws-controltower-BaselineConfigDeliveryChannel"])


@line("CTW-01", on="tower")
def elsewhere(sim):
    zones = sim.client("controltower").list_landing_zones()["landingZones"]
    equal([z["arn"].split(":")[3] for z in zones], [HOME], "the Region of the landing zone")
    away = sim.client("controltower", OTHER)
    equal((away.list_landing_zones()["landingZones"], away.list_enabled_baselines()["enabledBaselines"]), ([], []), "another Region")
    equal({b["arn"].split(":")[3] for b in away.list_baselines()["baselines"]}, {OTHER}, "Regions of baselines")
    member = next(a["Id"] for a in sim.accounts() if a["Name"] == "audit")
    refused("AccessDeniedException", sim.client("controltower", keys=sim.assume(member, "AWSControlTowerExecution")).list_landing_zones)


@line("CTW-02", "CTW-03", on="tower")
def enrolled(sim):
    units = {target for name, target, _, child in enabled(sim) if name == "AWSControlTowerBaseline" and not child}
    children = {target: status for name, target, status, child in enabled(sim, True) if child}
    equal(sorted(set(children.values())), ["FAILED", "SUCCEEDED"], "how enrolments ended")
    for account, status in children.items():
        parent = sim.org.list_parents(ChildId=account)["Parents"][0]["Id"]
        assert parent in units, f"{account} is a child, and its OU has no baseline"
    good = next(a for a, status in children.items() if status == "SUCCEEDED")
    for region in (HOME, OTHER):
        equal(recorders(sim, good, region), OURS, f"recorder and channel in {region}")
    equal(recorders(sim, good, UNGOVERNED), ([], []), "where Control Tower does not govern")
    iam = sim.client("iam", keys=sim.assume(good, "AWSControlTowerExecution"))
    names = {r["RoleName"] for r in iam.list_roles()["Roles"]}
    assert {"AWSControlTowerExecution", "aws-controltower-ReadOnlyExecutionRole", "AWSServiceRoleForConfig"} <= names, names
    # One that records by itself keeps its recorder.
    bad = next(a for a, status in children.items() if status == "FAILED")
    had = [sim.client("config", region, account=bad).describe_configuration_recorders()["ConfigurationRecorders"] for region in (HOME, OTHER)]
    assert any(had) and all(r["name"] != OURS[0][0] for one in had for r in one), had

    parent = sim.org.list_parents(ChildId=good)["Parents"][0]["Id"]
    policies = [p for p in sim.org.list_policies_for_target(TargetId=parent, Filter="SERVICE_CONTROL_POLICY")["Policies"] if p["Name"].startswith("aws-guardrails-")]
    equal(len(policies), 1, "policies of the OU")
    content = sim.org.describe_policy(PolicyId=policies[0]["Id"])["Policy"]["Content"]
    for sid in ("GRCONFIGENABLED", "GRCONFIGRULEPOLICY", "GRIAMROLEPOLICY"):
        assert sid in content, sid
    keys = sim.assume(good, "OrganizationAccountAccessRole")
    mine = sim.client("config", UNGOVERNED, keys=keys)
    refused("AccessDeniedException", mine.put_configuration_recorder, ConfigurationRecorder={"name": "mine", "roleARN": f"arn:aws:iam::{good}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"})
    refused("AccessDeniedException", sim.client("config", HOME, keys=keys).stop_configuration_recorder, ConfigurationRecorderName=OURS[0][0])


@line("CTW-04", on="tower")
def moved(sim):
    units = {target for name, target, _, _ in enabled(sim) if name == "AWSControlTowerBaseline"}
    account = next(a["Id"] for a in sim.accounts() if a["Name"].startswith("sandbox-05"))
    before = sim.org.list_parents(ChildId=account)["Parents"][0]["Id"]
    sim.move(account, sorted(units)[0])
    until(f"{account} is enrolled", lambda: (account, "SUCCEEDED") in {(t, s) for _, t, s, child in enabled(sim, True) if child})
    equal(recorders(sim, account, OTHER), OURS, "recorder and channel")
    sim.move(account, before)
    until(f"{account} is let go", lambda: account not in {t for _, t, _, child in enabled(sim, True) if child})
    equal(recorders(sim, account, OTHER), ([], []), "recorder and channel")
    names = {r["RoleName"] for r in sim.client("iam", keys=sim.assume(account, "AWSControlTowerExecution")).list_roles()["Roles"]}
    assert "AWSServiceRoleForConfig" in names and not [n for n in names if n.startswith("aws-controltower-")], names


@line("CTW-05", on="tower-without-config")
def without_config(sim):
    rows = enabled(sim, True)
    equal([r for r in rows if r[0] == "CentralConfigBaseline"], [], "where AWS Config is central")
    account = next(target for _, target, status, child in rows if child and status == "SUCCEEDED")
    equal(recorders(sim, account, HOME), ([], []), "recorder and channel")
