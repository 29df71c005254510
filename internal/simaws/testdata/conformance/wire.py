"""What no service's model has: unknown actions, and the rates that AWS publishes."""
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import ClientError

LINES = ("WIRE-03", "WIRE-04", "WIRE-05")


def run(c):
    unknown(c)
    rates(c)


def unknown(c):
    """WIRE-03: an action that does not exist, in each protocol. boto3 has no such calls, so one is renamed on its way out."""
    def renamed(params, **_):
        if "X-Amz-Target" in params["headers"]:
            params["headers"]["X-Amz-Target"] = params["headers"]["X-Amz-Target"].rpartition(".")[0] + ".FrobnicateAll"
        else:
            params["body"]["Action"] = "FrobnicateAll"

    for service, operation, call, want in (
            ("organizations", "ListRoots", "list_roots", "UnknownOperationException"), ("config", "DescribeConfigRules", "describe_config_rules", "UnknownOperationException"),
            ("ssm", "ListDocuments", "list_documents", "UnknownOperationException"), ("cloudformation", "ListStacks", "list_stacks", "InvalidAction"),
            ("iam", "ListRoles", "list_roles", "InvalidAction"), ("sts", "GetCallerIdentity", "get_caller_identity", "InvalidAction"), ("ec2", "DescribeVpcs", "describe_vpcs", "InvalidAction")):
        api = c.client(service)
        api.meta.events.register(f"before-call.{service}.{operation}", renamed)
        try:
            getattr(api, call)()
            c.defects.add(f"WIRE-03: {service} answers an unknown action")
        except ClientError as e:
            if e.response["Error"]["Code"] != want or e.response["ResponseMetadata"]["HTTPStatusCode"] not in (400, 404):
                c.defects.add(f"WIRE-03: {service}: {e.response}")


def rates(c):
    """WIRE-04, WIRE-05: the burst is let through, and what follows at once is refused in the service's words."""
    at = lambda service: c.client(service, url=c.THROTTLED)
    for service, burst, status, code, call, members in (
            ("organizations", 2, 400, "TooManyRequestsException", "list_roots", {}),
            ("organizations", 2, 400, "TooManyRequestsException", "describe_organization", {}),
            ("account", 5, 429, "TooManyRequestsException", "list_regions", {}),
            ("cloudtrail", 2, 400, "ThrottlingException", "lookup_events", {})):
        do = getattr(at(service), call)
        for _ in range(burst):
            do(**members)
        refused = None
        # Side by side, so that a slow machine asks faster than the rate too.
        def once(_):
            try:
                do(**members)
            except ClientError as e:
                return (e.response["ResponseMetadata"]["HTTPStatusCode"], e.response["Error"]["Code"])

        with ThreadPoolExecutor(16) as pool:
            refused = next(filter(None, pool.map(once, range(60))), None)
        if refused != (status, code):
            c.defects.add(f"WIRE-04, WIRE-05: {service} {call}: {refused}, want {(status, code)}")
