"""Runs runbook scripts with the stubs of boto3.star. A line of standard input is a JSON
object {"stub", "script", "handler", "payload", "world"}, one of standard output
{"payload", "error", "world"}."""
import datetime
import json
import sys
import types

stub, world = {}, {}  # of the script that runs


def dated(value):
    # {"$days": n} is a datetime of n days ago, as boto3 gives.
    if isinstance(value, dict):
        if "$days" in value:
            return datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=value["$days"])
        return {k: dated(v) for k, v in value.items()}
    if isinstance(value, list):
        return [dated(v) for v in value]
    return value


class ClientError(Exception):
    def __init__(self, text):
        Exception.__init__(self, text)
        self.response = {"Error": {"Code": text.split(":")[0], "Message": text}}


class NoSuchEntityException(ClientError):
    pass


class Client:
    exceptions = types.SimpleNamespace(NoSuchEntityException=NoSuchEntityException, ClientError=ClientError)

    def __init__(self, service, region_name=""):
        self.service, self.region = service, region_name

    def __getattr__(self, name):
        def call(**args):
            response = stub["answer"](world, self.service, self.region, name, args)
            if isinstance(response, str):
                raise (NoSuchEntityException if response.startswith("NoSuchEntity:") else ClientError)(response)
            return dated(json.loads(json.dumps(response)))

        return call


boto3 = types.ModuleType("boto3")
boto3.client = Client
botocore = types.ModuleType("botocore")
botocore.exceptions = types.ModuleType("botocore.exceptions")
botocore.exceptions.ClientError = ClientError
sys.modules.update({"boto3": boto3, "botocore": botocore, "botocore.exceptions": botocore.exceptions})

for line in sys.stdin:
    job = json.loads(line)
    stub, world = {}, job["world"]
    exec(job["stub"], stub)
    payload, error = None, ""
    try:
        script = {}
        exec(job["script"], script)
        payload = script[job["handler"]](job["payload"], None)
    except Exception as e:
        error = str(e) or type(e).__name__
    print(json.dumps({"payload": payload, "error": error, "world": world}), flush=True)
