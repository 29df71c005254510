package simaws

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"rollout/internal/extras"
)

// tryScripts are scripts with the try statements that are run; each is also run by
// python3, with a client that refuses the same calls.
var tryScripts = []struct{ name, script, want, failure string }{
	{"modelled error", `
    iam = boto3.client("iam")
    try:
        found = iam.get_account_password_policy()["PasswordPolicy"]
    except iam.exceptions.NoSuchEntityException:
        found = None
    return found is None`, "true", ""},
	{"code of an error", `
    s3 = boto3.client("s3")
    try:
        s3.head_bucket(
            Bucket="no-such",  # a comment (with a bracket
        )
    # A comment between.
    except botocore.exceptions.ClientError as e:
        if e.response["Error"]["Code"] not in ["NoSuchBucket", "404"]:
            raise
        return "gone"`, `"gone"`, ""},
	{"no error", `
    ec2 = boto3.client("ec2")
    try:
        return len(ec2.describe_security_groups()["SecurityGroups"])
    except Exception as e:
        return str(e)`, "1", ""},
	{"text of an error", `
    iam = boto3.client("iam")
    try:
        iam.get_account_password_policy()
    except Exception as e:
        return "it said: {}".format(e)`, `"it said: An error occurred (NoSuchEntity) when calling the GetAccountPasswordPolicy operation: The Password Policy with domain name 111111111111 cannot be found."`, ""},
	{"second clause", `
    iam = boto3.client("iam")
    try:
        iam.get_account_password_policy()
    except iam.exceptions.LimitExceededException:
        return "first"
    except iam.exceptions.NoSuchEntityException as e:
        return "second " + e.response["Error"]["Code"]`, `"second NoSuchEntity"`, ""},
	{"one inside another, in a loop", `
    iam = boto3.client("iam")
    seen = []
    for name in ["a", "b"]:
        try:
            iam.get_account_password_policy()
        except iam.exceptions.NoSuchEntityException:
            try:
                x = boto3.client("s3").head_bucket(Bucket=name)
            except botocore.exceptions.ClientError:
                seen.append(name)
                continue
            seen.append(x)
    return seen`, `["a","b"]`, ""},
	{"another error goes on", `
    iam = boto3.client("iam")
    try:
        x = iam.get_account_password_policy()
    except iam.exceptions.LimitExceededException:
        x = {}
    return x`, "", "NoSuchEntity"},
	{"raised again", `
    iam = boto3.client("iam")
    try:
        x = iam.get_account_password_policy()
    except Exception:
        raise
    return x`, "", "NoSuchEntity"},
	{"a name stays as it was", `
    iam = boto3.client("iam")
    x = "was"
    try:
        x = iam.get_account_password_policy()
    except Exception:
        pass
    return x`, `"was"`, ""},
	{"of a function that raises", `
    def f(n):
        raise Exception("bad {}".format(n))
    try:
        f(3)
    except botocore.exceptions.ClientError:
        return "an error of the API"
    except Exception as e:
        return str(e)`, `"bad 3"`, ""},
}

const tryHead = "import boto3\nimport botocore\n\n\ndef handler(event, context):"

func TestTryStatements(t *testing.T) {
	p := newPlace(t)
	for _, tt := range tryScripts {
		t.Run(tt.name, func(t *testing.T) {
			got, failure := runScript(p, tryHead+tt.script, nil)
			text, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			if tt.failure == "" && (failure != "" || string(text) != strings.ReplaceAll(tt.want, "111111111111", p.a.ID)) {
				t.Errorf("%s, %s; want %s", text, failure, tt.want)
			}
			if !strings.Contains(failure, tt.failure) {
				t.Errorf("failure %q, want %q", failure, tt.failure)
			}
		})
	}
}

// The same scripts do the same in Python.
func TestTryStatementsInPython(t *testing.T) {
	python := extras.Program(t, "python3")
	const stub = `
import json, sys, types
class ClientError(Exception):
    def __init__(self, code, op, said):
        Exception.__init__(self, "An error occurred ({}) when calling the {} operation: {}".format(code, op, said))
        self.response = {"Error": {"Code": code, "Message": said}}
class NoSuchEntity(ClientError): pass
class LimitExceeded(ClientError): pass
class Client:
    exceptions = types.SimpleNamespace(NoSuchEntityException=NoSuchEntity, LimitExceededException=LimitExceeded)
    def get_account_password_policy(self):
        raise NoSuchEntity("NoSuchEntity", "GetAccountPasswordPolicy", "The Password Policy with domain name 111111111111 cannot be found.")
    def head_bucket(self, Bucket):
        raise ClientError("404", "HeadBucket", "Not Found")
    def describe_security_groups(self):
        return {"SecurityGroups": [{}]}
boto3, botocore = types.ModuleType("boto3"), types.ModuleType("botocore")
boto3.client = lambda name: Client()
botocore.exceptions = types.SimpleNamespace(ClientError=ClientError)
sys.modules.update(boto3=boto3, botocore=botocore)
script = {}
exec(sys.stdin.read(), script)
try:
    print(json.dumps(script["handler"]({}, None)))
except Exception as e:
    print("failed: {}".format(e))
`
	for _, tt := range tryScripts {
		t.Run(tt.name, func(t *testing.T) {
			run := exec.Command(python, "-c", stub)
			run.Stdin = strings.NewReader(tryHead + tt.script)
			out, err := run.CombinedOutput()
			got := strings.ReplaceAll(strings.TrimSpace(string(out)), ", ", ",")
			if tt.failure == "" && got != strings.ReplaceAll(tt.want, ", ", ",") || !strings.Contains(got, tt.failure) {
				t.Errorf("%s (%v), want %s%s", out, err, tt.want, tt.failure)
			}
		})
	}
}

// Positions are those of the script, and what is not run is named with its line.
func TestTryStatementsThatFail(t *testing.T) {
	p := newPlace(t)
	for _, tt := range []struct{ name, script, want string }{
		{"position behind a try", "\n    iam = boto3.client(\"iam\")\n    try:\n        x = iam.list_roles()\n    except Exception:\n        x = 1\n    raise Exception(str(x))", "line 11, in handler\n    raise Exception(str(x))"},
		{"position in a try", "\n    iam = boto3.client(\"iam\")\n    try:\n        iam.get_account_password_policy()\n    except iam.exceptions.LimitExceededException:\n        pass", "line 8, in handler\n    iam.get_account_password_policy()"},
		{"two statements", "\n    try:\n        x = f()\n        y = f()\n    except Exception:\n        pass", "line 8: \"try\" statements are run by the simulator with a body of one call and except clauses that name one class: this is a second statement"},
		{"no call", "\n    try:\n        x = 1\n    except Exception:\n        pass", "line 7: \"try\" statements"},
		{"two calls", "\n    try:\n        x = f() + f()\n    except Exception:\n        pass", "this is not one call"},
		{"several classes", "\n    try:\n        f()\n    except (A, B):\n        pass", "line 8: \"try\" statements"},
		{"finally", "\n    try:\n        f()\n    except Exception:\n        pass\n    finally:\n        pass", "finally: is none of them"},
		{"else", "\n    try:\n        f()\n    except Exception:\n        pass\n    else:\n        pass", "else: is none of them"},
		{"no clause", "\n    try:\n        f()\n    x = 1", "it has no except clause"},
		{"class that the client lacks", "\n    s3 = boto3.client(\"s3\")\n    try:\n        s3.head_bucket(Bucket=\"none\")\n    except s3.exceptions.NoSuchTagSet:\n        pass", "has no attribute 'NoSuchTagSet'"},
		{"too long", "\n    def f():\n        while True:\n            pass\n    try:\n        f()\n    except Exception:\n        return 1", "too many steps"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, failure := runScript(p, tryHead+tt.script, nil); !strings.Contains(failure, tt.want) {
				t.Errorf("failure %q, want %q", failure, tt.want)
			}
		})
	}
}
