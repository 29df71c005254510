"""Behaviours of FIDELITY.md as boto3 sees them: under behaviours/ a function for each
line asserts what the line says. Prints "HELD line" where it all came true and "BROKEN
line why" where not; ONLY=CFG-05,SET-17 in the environment tries some.
Usage: behaviours.py NAME=URL... NAME.WHAT=ACCOUNT..., the simulations that
behaviours_test.go serves and the accounts with what no call makes."""
import glob
import json
import os
import sys
import time
import traceback
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "behaviours"))
tries = []
NO_CHECKS = Config(retries={"max_attempts": 0}, parameter_validation=False, read_timeout=30)
OPERATOR = {"AccessKeyId": "AKIAOPERATOR", "SecretAccessKey": "x", "SessionToken": None}


MODELS = boto3.session.Session()._session.get_component("data_loader")


def line(*ids, on="main"):
    """Marks the function that asserts lines on a simulation."""
    def mark(f):
        tries.append((ids, on, f))
        return f
    return mark


class Simulation:
    """One simulated organization, with short words for what sessions do again and again."""

    def __init__(self, url):
        self.session = boto3.session.Session(region_name="us-east-1")
        self.session._session.register_component("data_loader", MODELS)  # each would read them anew
        self.url, self.clients, self.keys, self.fresh, self.known, self.furnished = url, {}, {}, None, {}, {}

    def client(self, service, region="us-east-1", account=None, keys=None):
        """A client of the management account, of an account's role or of given keys; boto3 checks nothing, so that the simulation has to."""
        keys = keys or (self.enter(account) if account else OPERATOR)
        at = (service, region, keys["AccessKeyId"])
        if at not in self.clients:
            self.clients[at] = self.session.client(service, region_name=region, endpoint_url=self.url, aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
                                                   aws_session_token=keys["SessionToken"], config=NO_CHECKS)
        return self.clients[at]

    def assume(self, account, role="OrganizationAccountAccessRole", **more):
        return self.client("sts").assume_role(RoleArn=f"arn:aws:iam::{account}:role/{role}", RoleSessionName="behaviours", **more)["Credentials"]

    def enter(self, account):
        if account not in self.keys:
            self.keys[account] = self.assume(account)
        return self.keys[account]

    @property
    def org(self):
        return self.client("organizations")

    @property
    def cfn(self):
        return self.client("cloudformation")

    @property
    def root(self):
        if "root" not in self.known:
            self.known["root"] = self.org.list_roots()["Roots"][0]["Id"]
        return self.known["root"]

    @property
    def management(self):
        if "management" not in self.known:
            self.known["management"] = self.org.describe_organization()["Organization"]["MasterAccountId"]
        return self.known["management"]

    def accounts(self):
        return [a for page in self.org.get_paginator("list_accounts").paginate() for a in page["Accounts"]]

    def account(self):
        """An active member account that no other line has touched."""
        if self.fresh is None:
            used = [self.management, *self.furnished.values()]
            self.fresh = [a["Id"] for a in self.accounts() if a["State"] == "ACTIVE" and a["Id"] not in used]
        return self.fresh.pop()

    def ou(self, name, *accounts):
        """A new OU under the root, with accounts moved into it."""
        made = self.org.create_organizational_unit(ParentId=self.root, Name=name)["OrganizationalUnit"]["Id"]
        for account in accounts:
            self.move(account, made)
        return made

    def move(self, account, to):
        self.org.move_account(AccountId=account, SourceParentId=self.org.list_parents(ChildId=account)["Parents"][0]["Id"], DestinationParentId=to)

    def control(self, verb):
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/_sim/{verb}", method="POST")).read()

    def paused(self):
        """with sim.paused(): simulated time stands still."""
        return Paused(self)

    def at(self, what, read):
        """Lets time go on by little bits until read gives something, and stops it there: with sim.at(...): what is true at that moment."""
        self.control("pause")
        end = time.monotonic() + 60
        while not read():
            if time.monotonic() > end:
                self.control("resume")
                raise AssertionError(f"{what} does not come")
            self.control("step?by=2s")
        return self.paused()

    def stack(self, account, name, template, region="us-east-1", want="CREATE_COMPLETE", **more):
        """A stack, when it is done."""
        cfn = self.client("cloudformation", region, account)
        made = cfn.create_stack(StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"], **more)["StackId"]
        return self.stack_ended(cfn, made, want)

    def stack_ended(self, cfn, name, want):
        status = until(f"the end of {name}", lambda: [s["StackStatus"] for s in cfn.describe_stacks(StackName=name)["Stacks"] if not s["StackStatus"].endswith("IN_PROGRESS")])[0]
        if status != want:
            why = [e.get("ResourceStatusReason") for e in cfn.describe_stack_events(StackName=name)["StackEvents"]]
            raise AssertionError(f"the stack {name} is {status}, want {want}: {[w for w in why if w]}")
        return cfn.describe_stacks(StackName=name)["Stacks"][0]

    def ended(self, name, operation, want="SUCCEEDED", **more):
        """The operation of a StackSet, when it is done."""
        def over():
            op = self.cfn.describe_stack_set_operation(StackSetName=name, OperationId=operation, **more)["StackSetOperation"]
            return op if op["Status"] not in ("RUNNING", "QUEUED", "STOPPING") else None
        op = until(f"the end of operation {operation}", over)
        equal(op["Status"], want, f"operation {operation}")
        return op

    def stack_set(self, name, template, cfn=None, **more):
        more.setdefault("AutoDeployment", {"Enabled": False})
        return (cfn or self.cfn).create_stack_set(StackSetName=name, TemplateBody=json.dumps(template), PermissionModel="SERVICE_MANAGED", Capabilities=["CAPABILITY_NAMED_IAM"], **more)["StackSetId"]

    def just(self, *accounts):
        """Deployment targets of these accounts only."""
        return {"OrganizationalUnitIds": [self.root], "Accounts": list(accounts), "AccountFilterType": "INTERSECTION"}


class Paused:
    def __init__(self, sim):
        self.sim = sim

    def __enter__(self):
        self.sim.control("pause")

    def __exit__(self, *_):
        self.sim.control("resume")


EAGER = {"MaxConcurrentPercentage": 100, "FailureTolerancePercentage": 100}
HANDLE = {"Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}


def until(what, read, seconds=30):
    """What read gives, once it gives something."""
    end = time.monotonic() + seconds
    while True:
        found = read()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what} does not come")
        time.sleep(0.005)


def equal(got, want, what=""):
    if got != want:
        raise AssertionError(f"{what}: {got!r}, want {want!r}")


def refused(code, call, text="", status=None, **members):
    """A call that answers an error of this code, with this text in its message."""
    try:
        call(**members)
    except ClientError as e:
        error, http = e.response["Error"], e.response["ResponseMetadata"]["HTTPStatusCode"]
        if error["Code"] != code or text not in error["Message"] or status not in (None, http):
            raise AssertionError(f"{call.__name__}: {http} {error['Code']}: {error['Message']}; want {status or ''} {code}: {text}") from None
        return error["Message"]
    raise AssertionError(f"{call.__name__} answered, want {code}: {text}")


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions, resource="*"):
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def trust(**principal):
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


def held(sim, mine, broken):
    """Tries what is to be tried on one simulation."""
    for ids, f in mine:
        begun = time.monotonic()
        try:
            f(sim)
        except Exception as e:  # any: the next line is tried all the same
            at = traceback.extract_tb(e.__traceback__)
            here = next((x for x in reversed(at) if os.sep + "behaviours" + os.sep in x.filename), at[-1])
            for i in ids:
                broken.setdefault(i, []).append(f"{os.path.basename(here.filename)}:{here.lineno}: {type(e).__name__}: {e}".replace("\n", " "))
            sim.control("resume")
        if os.environ.get("TIMES"):
            print(f"TIME {time.monotonic() - begun:.2f} {f.__name__}")


def main():
    given = [a.partition("=")[::2] for a in sys.argv[1:]]
    sims = {name: Simulation(url) for name, url in given if "." not in name}
    for sim in sims.values():
        sim.others = sims
    for at, account in given:
        name, _, what = at.partition(".")
        if what:
            sims[name].furnished[what] = account
    only = set(filter(None, os.environ.get("ONLY", "").split(",")))
    for path in sorted(glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "behaviours", "*.py"))):
        __import__(os.path.basename(path)[:-3])
    chosen = [(ids, on, f) for ids, on, f in tries if not only or only & set(ids)]
    broken = {}
    # Side by side, for simulations know nothing of each other and some have to be waited for.
    with ThreadPoolExecutor(len(sims)) as pool:
        list(pool.map(lambda name: held(sims[name], [(ids, f) for ids, on, f in chosen if on == name], broken), sims))
    for i in sorted({i for ids, _, _ in chosen for i in ids}):
        print("BROKEN", i, " / ".join(broken[i])) if i in broken else print("HELD", i)


if __name__ == "__main__":
    sys.modules["behaviours"] = sys.modules["__main__"]
    main()
