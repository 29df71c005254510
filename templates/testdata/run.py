"""Runs one runbook script with the stubs of boto3.star. On standard input a JSON
object {"stub", "script", "handler", "payload", "world"}; on standard output
{"payload", "error", "world"}."""
import json
import sys
import types

job = json.load(sys.stdin)
stub = {}
exec(job["stub"], stub)
world = job["world"]


class Client:
    def __init__(self, service, region_name=""):
        self.service, self.region = service, region_name

    def __getattr__(self, name):
        def call(**args):
            response = stub["answer"](world, self.service, self.region, name, args)
            if isinstance(response, str):
                raise RuntimeError(response)
            return json.loads(json.dumps(response))

        return call


boto3 = types.ModuleType("boto3")
boto3.client = Client
sys.modules["boto3"] = boto3

payload, error = None, ""
try:
    script = {}
    exec(job["script"], script)
    payload = script[job["handler"]](job["payload"], None)
except Exception as e:
    error = str(e) or type(e).__name__
json.dump({"payload": payload, "error": error, "world": world}, sys.stdout)
