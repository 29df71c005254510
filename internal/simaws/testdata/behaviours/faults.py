"""Faults, as rollout simulate --faults gives them, and request rates."""
import datetime

import botocore.auth
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError, IncompleteReadError, ReadTimeoutError

from behaviours import NO_CHECKS, OPERATOR, Simulation, equal, line

# A call of each service, in whose protocol and words a fault is answered.
CALLS = {"organizations": ("list_roots", {}), "config": ("describe_config_rules", {}), "ssm": ("list_documents", {}), "cloudtrail": ("lookup_events", {}), "account": ("list_regions", {}),
         "cloudformation": ("list_stacks", {}), "iam": ("list_roles", {}), "sts": ("get_caller_identity", {}), "ec2": ("describe_vpcs", {}), "s3": ("list_objects_v2", {"Bucket": "any-bucket"})}
JSON, QUERY = ("organizations", "config", "ssm", "cloudtrail"), ("cloudformation", "iam", "sts")


def answers(sim, want, client=None):
    """What each service answers: (HTTP status, code)."""
    found = {}
    for service, (call, members) in CALLS.items():
        try:
            getattr((client or sim.client)(service), call)(**members)
            found[service] = "answered"
        except ClientError as e:
            found[service] = (e.response["ResponseMetadata"]["HTTPStatusCode"], e.response["Error"]["Code"])
    equal(found, want, "answers")


def by(services, answer):
    return dict.fromkeys(services, answer)


@line("WIRE-06", on="throttle")
def too_many_requests(sim):
    answers(sim, {**by(("config", "ssm", "cloudtrail"), (400, "ThrottlingException")), **by(QUERY, (400, "Throttling")), "organizations": (400, "TooManyRequestsException"), "account": (429, "TooManyRequestsException"),
                  "ec2": (503, "RequestLimitExceeded"), "s3": (503, "SlowDown")})


@line("WIRE-08", on="error")
def internal_errors(sim):
    answers(sim, {**by(("config", "cloudtrail", "cloudformation", "sts"), (500, "InternalFailure")), "organizations": (500, "ServiceException"), "ssm": (500, "InternalServerError"),
                  "account": (500, "InternalServerException"), "iam": (500, "ServiceFailure"), **by(("ec2", "s3"), (500, "InternalError"))})


@line("WIRE-08", on="broken")
def broken_connections(sim):
    """reset befalls CreateOrganizationalUnit, cut CreatePolicy."""
    org, root = sim.org, sim.root
    try:
        org.create_organizational_unit(ParentId=root, Name="Reset")
        raise AssertionError("a reset call is answered")
    except HTTPClientError as e:
        assert isinstance(e, ConnectionClosedError), repr(e)
    assert "Reset" not in [o["Name"] for o in org.list_organizational_units_for_parent(ParentId=root)["OrganizationalUnits"]], "a reset call was run"
    # Of half an answer botocore makes an error or, when it may not try again, an answer without members.
    try:
        answer = org.create_policy(Name="cut", Description="", Type="SERVICE_CONTROL_POLICY", Content='{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}')
        assert "Policy" not in answer, "a cut call is answered"
    except (HTTPClientError, IncompleteReadError):
        pass
    assert "cut" in [p["Name"] for p in org.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]], "a cut call was not run"


@line("WIRE-09", on="expired")
def expired_credentials(sim):
    answers(sim, {**by(JSON, (400, "ExpiredTokenException")), **by(QUERY, (403, "ExpiredToken")), "account": (403, "ExpiredTokenException"), "ec2": (400, "RequestExpired"), "s3": (400, "ExpiredToken")})


WRONG_CLOCK = {**by(JSON, (400, "InvalidSignatureException")), **by(QUERY, (403, "SignatureDoesNotMatch")), "account": (403, "InvalidSignatureException"), "ec2": (400, "RequestExpired"), "s3": (403, "RequestTimeTooSkewed")}


def skewed(minutes):
    """A signature version whose clock is wrong by so much."""
    class Skewed(botocore.auth.SigV4Auth):
        def _modify_request_before_signing(self, request):
            at = datetime.datetime.strptime(request.context["timestamp"], "%Y%m%dT%H%M%SZ") + datetime.timedelta(minutes=minutes)
            request.context["timestamp"] = at.strftime("%Y%m%dT%H%M%SZ")
            super()._modify_request_before_signing(request)

    class SkewedS3(Skewed, botocore.auth.S3SigV4Auth):
        pass

    botocore.auth.AUTH_TYPE_MAPS.update({f"skewed{minutes}": Skewed, f"skewed-s3{minutes}": SkewedS3})
    return lambda sim: lambda service: sim.session.client(service, endpoint_url=sim.url, aws_access_key_id="AKIAOPERATOR", aws_secret_access_key="x",
                                                          config=NO_CHECKS.merge(Config(signature_version=f"skewed-s3{minutes}" if service == "s3" else f"skewed{minutes}")))


@line("WIRE-10", on="pages")
def clocks_that_are_wrong(sim):
    for minutes in (-20, 20):
        answers(sim, WRONG_CLOCK, skewed(minutes)(sim))
    # Five minutes are allowed, fifteen by EC2 and S3.
    answers(sim, {**WRONG_CLOCK, "ec2": "answered", "s3": (404, "NoSuchBucket")}, skewed(-10)(sim))
    answers(sim, {**by(CALLS, "answered"), "s3": (404, "NoSuchBucket")}, skewed(-3)(sim))


@line("WIRE-10", on="clock")
def clocks_that_are_made_wrong(sim):
    """The fault: the service is twenty minutes ahead, and says so in Date."""
    answers(sim, WRONG_CLOCK)
    try:
        sim.org.list_roots()
    except ClientError as e:
        said = datetime.datetime.strptime(e.response["ResponseMetadata"]["HTTPHeaders"]["date"], "%a, %d %b %Y %H:%M:%S GMT")
        ahead = said - datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        assert datetime.timedelta(minutes=15) < ahead < datetime.timedelta(minutes=25), f"Date is ahead by {ahead}"
        assert "Signature expired: " in str(e), e


@line("WIRE-08", on="late")
def late_answers(sim):
    """slow: ListRoots is late by more than a client waits for, and other calls are not."""
    hurried = Simulation(sim.url).session.client("organizations", region_name="us-east-1", endpoint_url=sim.url, aws_access_key_id=OPERATOR["AccessKeyId"], aws_secret_access_key="x",
                                                 config=NO_CHECKS.merge(Config(read_timeout=0.3)))
    try:
        hurried.list_roots()
        raise AssertionError("the answer is not late")
    except ReadTimeoutError:
        pass
    assert sim.org.list_roots()["Roots"], "a client that waits"


@line("WIRE-07", on="seeded")
def the_same_calls(sim):
    """A third of the calls fail: the same ones in whatever order, others with another seed."""
    def failing(other, order):
        org, found = other.org, set()
        for name in order:
            try:
                org.describe_organizational_unit(OrganizationalUnitId=f"ou-{name:04d}-00000000")
            except ClientError as e:
                if e.response["Error"]["Code"] == "ServiceException":
                    found.add(name)
                else:
                    equal(e.response["Error"]["Code"], "OrganizationalUnitNotFoundException", "another failure")
        return found

    names = list(range(60))
    first = failing(sim, names)
    equal(failing(sim.others["seeded-too"], names[::-1]), first, "the other way round")
    assert failing(sim.others["seeded-otherwise"], names) != first and 5 < len(first) < 40, sorted(first)
