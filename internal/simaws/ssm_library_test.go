package simaws

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const sleeper = `{"schemaVersion":"0.3","description":"sleeps","parameters":{"Wait":{"type":"String","default":"PT10M"}},"mainSteps":[{"name":"first","action":"aws:sleep","inputs":{"Duration":"{{ Wait }}"}},{"name":"second","action":"aws:sleep","inputs":{"Duration":"PT1S"}}]}`

// ssmClient makes raw calls of Systems Manager; its SDK module is not a dependency.
type ssmClient struct {
	t *testing.T
	s *Sim
	// key and token are of an assumed role, else the management account calls.
	key, token string
}

func (c ssmClient) call(op string, in map[string]any) (map[string]any, string) {
	c.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		c.t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AmazonSSM."+op)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+orElse(c.key, "AKIAOPERATOR")+"/20260101/us-east-1/ssm/aws4_request, SignedHeaders=host, Signature=0")
	if c.token != "" {
		r.Header.Set("X-Amz-Security-Token", c.token)
	}
	w := httptest.NewRecorder()
	c.s.ServeHTTP(w, r)
	var out map[string]any
	if json.Unmarshal(w.Body.Bytes(), &out) != nil {
		c.t.Fatalf("%s: %d %s", op, w.Code, w.Body)
	}
	if w.Code != 200 {
		return out, textOf(out["__type"]) + w.Header().Get("X-Amzn-Errortype")
	}
	return out, ""
}

func (c ssmClient) ok(op string, in map[string]any) map[string]any {
	c.t.Helper()
	out, failure := c.call(op, in)
	if failure != "" {
		c.t.Fatalf("%s %v: %s %v", op, in, failure, out)
	}
	return out
}

func (c ssmClient) fails(want, op string, in map[string]any) {
	c.t.Helper()
	if out, failure := c.call(op, in); !strings.Contains(failure, want) {
		c.t.Errorf("%s %v: %s %v, want %s", op, in, failure, out, want)
	}
}

type jsonObject = map[string]any

func TestDocumentLibrary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Accounts: 5, Empty: true})
		c := ssmClient{t: t, s: s}
		second, third := strings.Replace(sleeper, "sleeps", "naps", 1), strings.Replace(sleeper, "sleeps", "dozes", 1)
		for want, in := range map[string]jsonObject{
			"InvalidDocumentContent":       {"Name": "mine", "DocumentType": "Automation", "Content": "{"},
			"InvalidDocumentSchemaVersion": {"Name": "mine", "DocumentType": "Automation", "Content": `{"schemaVersion":"2.2"}`},
			"MaxDocumentSizeExceeded":      {"Name": "mine", "DocumentType": "Automation", "Content": strings.Repeat(" ", 64<<10) + sleeper},
			"ValidationException":          {"Name": "AWS-mine", "DocumentType": "Automation", "Content": sleeper},
		} {
			c.fails(want, "CreateDocument", in)
		}
		c.fails("InvalidDocumentContent", "CreateDocument", jsonObject{"Name": "mine", "DocumentType": "Automation", "Content": `{"schemaVersion":"0.3","mainSteps":[]}`})
		made := c.ok("CreateDocument", jsonObject{"Name": "mine", "DocumentType": "Automation", "Content": sleeper, "VersionName": "one", "Tags": []any{jsonObject{"Key": "k", "Value": "v"}}})["DocumentDescription"].(jsonObject)
		if made["Status"] != "Creating" || made["Owner"] != s.world.management || made["DocumentVersion"] != "1" || len(textOf(made["Hash"])) != 64 {
			t.Errorf("%v", made)
		}
		time.Sleep(3 * time.Second)
		c.fails("DocumentAlreadyExists", "CreateDocument", jsonObject{"Name": "mine", "DocumentType": "Automation", "Content": sleeper})
		c.fails("DuplicateDocumentContent", "UpdateDocument", jsonObject{"Name": "mine", "Content": sleeper})
		c.fails("InvalidDocumentVersion", "UpdateDocument", jsonObject{"Name": "mine", "Content": second, "DocumentVersion": "7"})
		c.fails("DuplicateDocumentVersionName", "UpdateDocument", jsonObject{"Name": "mine", "Content": second, "VersionName": "one"})
		c.fails("InvalidDocument", "UpdateDocument", jsonObject{"Name": "absent", "Content": second})
		c.ok("UpdateDocument", jsonObject{"Name": "mine", "Content": second, "DocumentVersion": "$LATEST"})
		c.ok("UpdateDocument", jsonObject{"Name": "mine", "Content": third, "VersionName": "three"})
		describe := func(in jsonObject) jsonObject {
			in["Name"] = "mine"
			return c.ok("DescribeDocument", in)["Document"].(jsonObject)
		}
		if d := describe(jsonObject{}); d["Description"] != "sleeps" || d["DocumentVersion"] != "1" || d["LatestVersion"] != "3" || d["DefaultVersion"] != "1" || d["Status"] != "Active" {
			t.Errorf("without a version: %v", d)
		}
		for want, in := range map[string]jsonObject{"naps": {"DocumentVersion": "2"}, "dozes": {"DocumentVersion": "$LATEST"}, "sleeps": {"VersionName": "one"}} {
			if d := describe(in); d["Description"] != want {
				t.Errorf("%v: %v", in, d)
			}
		}
		c.fails("InvalidDocumentVersion", "DescribeDocument", jsonObject{"Name": "mine", "DocumentVersion": "9"})
		c.fails("InvalidDocumentVersion", "UpdateDocumentDefaultVersion", jsonObject{"Name": "mine", "DocumentVersion": "9"})
		c.ok("UpdateDocumentDefaultVersion", jsonObject{"Name": "mine", "DocumentVersion": "2"})
		if got := c.ok("GetDocument", jsonObject{"Name": "mine"}); got["Content"] != second || got["DocumentVersion"] != "2" {
			t.Errorf("%v", got)
		}
		if got := c.ok("GetDocument", jsonObject{"Name": "mine", "DocumentFormat": "YAML"}); !strings.Contains(textOf(got["Content"]), "description: naps") {
			t.Errorf("%v", got)
		}
		versions := c.ok("ListDocumentVersions", jsonObject{"Name": "mine", "MaxResults": 2})
		if list := versions["DocumentVersions"].([]any); len(list) != 2 || list[0].(jsonObject)["DocumentVersion"] != "3" || list[1].(jsonObject)["IsDefaultVersion"] != true || versions["NextToken"] == nil {
			t.Errorf("%v", versions)
		}
		c.fails("InvalidNextToken", "ListDocumentVersions", jsonObject{"Name": "mine", "NextToken": "x"})
		for want, filter := range map[int]jsonObject{
			1: {"Key": "Owner", "Values": []any{"Self"}}, 0: {"Key": "Name", "Values": []any{"others"}}, 2: {"Key": "DocumentType", "Values": []any{"Automation"}},
		} {
			if list := c.ok("ListDocuments", jsonObject{"Filters": []any{filter}})["DocumentIdentifiers"].([]any); len(list) != want {
				t.Errorf("%v: %v", filter, list)
			}
		}
		if list := c.ok("ListDocuments", jsonObject{"Filters": []any{jsonObject{"Key": "tag:k", "Values": []any{"v"}}}})["DocumentIdentifiers"].([]any); len(list) != 1 {
			t.Errorf("by tag: %v", list)
		}
		c.fails("InvalidFilterKey", "ListDocuments", jsonObject{"Filters": []any{jsonObject{"Key": "Colour", "Values": []any{"red"}}}})

		// Another account sees the document when it is shared, by its ARN.
		var other string
		for _, a := range s.Accounts() {
			if !a.Management && a.State == "ACTIVE" {
				other = a.ID
			}
		}
		cfg := entered(t, s, other, "OrganizationAccountAccessRole", "")
		keys, err := cfg.Credentials.Retrieve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		theirs := ssmClient{t: t, s: s, key: keys.AccessKeyID, token: keys.SessionToken}
		arn := "arn:aws:ssm:us-east-1:" + s.world.management + ":document/mine"
		theirs.fails("InvalidDocument", "GetDocument", jsonObject{"Name": arn})
		theirs.fails("InvalidDocument", "GetDocument", jsonObject{"Name": "mine"})
		c.fails("DocumentPermissionLimit", "ModifyDocumentPermission", jsonObject{"Name": "mine", "PermissionType": "Share", "AccountIdsToAdd": []any{"all", other}})
		c.ok("ModifyDocumentPermission", jsonObject{"Name": "mine", "PermissionType": "Share", "AccountIdsToAdd": []any{other}})
		if got := theirs.ok("GetDocument", jsonObject{"Name": arn}); got["Content"] != second {
			t.Errorf("%v", got)
		}
		if got := c.ok("DescribeDocumentPermission", jsonObject{"Name": "mine", "PermissionType": "Share"}); len(got["AccountIds"].([]any)) != 1 {
			t.Errorf("%v", got)
		}
		c.fails("InvalidDocumentOperation", "DeleteDocument", jsonObject{"Name": "mine"})
		c.ok("ModifyDocumentPermission", jsonObject{"Name": "mine", "PermissionType": "Share", "AccountIdsToRemove": []any{other}})
		c.fails("InvalidDocumentOperation", "DeleteDocument", jsonObject{"Name": "mine", "DocumentVersion": "2"})
		c.ok("DeleteDocument", jsonObject{"Name": "mine", "DocumentVersion": "3"})
		if d := describe(jsonObject{"DocumentVersion": "$LATEST"}); d["DocumentVersion"] != "2" || d["DefaultVersion"] != "2" {
			t.Errorf("after the newest was deleted: %v", d)
		}
		c.ok("DeleteDocument", jsonObject{"Name": "mine"})
		c.fails("InvalidDocument", "DeleteDocument", jsonObject{"Name": "mine"})
	})
}

func TestStopAutomation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Accounts: 3, Empty: true})
		c := ssmClient{t: t, s: s}
		c.ok("CreateDocument", jsonObject{"Name": "sleeper", "DocumentType": "Automation", "Content": sleeper})
		c.fails("AutomationDefinitionNotFoundException", "StartAutomationExecution", jsonObject{"DocumentName": "absent"})
		c.fails("AutomationDefinitionVersionNotFoundException", "StartAutomationExecution", jsonObject{"DocumentName": "sleeper", "DocumentVersion": "4"})
		c.fails("InvalidAutomationExecutionParametersException", "StartAutomationExecution", jsonObject{"DocumentName": "sleeper", "Parameters": jsonObject{"Other": []any{"x"}}})
		token := "01234567-89ab-cdef-0123-456789abcdef"
		start := jsonObject{"DocumentName": "sleeper", "ClientToken": token}
		id := c.ok("StartAutomationExecution", start)["AutomationExecutionId"]
		if again := c.ok("StartAutomationExecution", start)["AutomationExecutionId"]; again != id {
			t.Errorf("%v and %v for one token", id, again)
		}
		c.fails("IdempotentParameterMismatch", "StartAutomationExecution", jsonObject{"DocumentName": "sleeper", "DocumentVersion": "1", "ClientToken": token})
		time.Sleep(time.Minute)
		count := func(filters ...any) int {
			return len(c.ok("DescribeAutomationExecutions", jsonObject{"Filters": filters})["AutomationExecutionMetadataList"].([]any))
		}
		for want, f := range map[int][]any{
			1: {jsonObject{"Key": "CurrentAction", "Values": []any{"aws:sleep"}}, jsonObject{"Key": "AutomationType", "Values": []any{"Local"}}},
			0: {jsonObject{"Key": "ExecutionStatus", "Values": []any{"Success"}}},
		} {
			if n := count(f...); n != want {
				t.Errorf("%v: %d", f, n)
			}
		}
		steps := func() []any {
			return c.ok("DescribeAutomationStepExecutions", jsonObject{"AutomationExecutionId": id})["StepExecutions"].([]any)
		}
		if got := steps(); len(got) != 1 || got[0].(jsonObject)["StepStatus"] != "InProgress" {
			t.Errorf("%v", got)
		}
		status := func() any {
			return c.ok("GetAutomationExecution", jsonObject{"AutomationExecutionId": id})["AutomationExecution"].(jsonObject)["AutomationExecutionStatus"]
		}
		c.ok("StopAutomationExecution", jsonObject{"AutomationExecutionId": id})
		if got := status(); got != "Cancelling" {
			t.Errorf("%v", got)
		}
		time.Sleep(5 * time.Second)
		if got := status(); got != "Cancelled" || steps()[0].(jsonObject)["StepStatus"] != "Cancelled" {
			t.Errorf("%v, %v", got, steps())
		}
		c.fails("InvalidAutomationStatusUpdateException", "StopAutomationExecution", jsonObject{"AutomationExecutionId": id})
		c.fails("AutomationExecutionNotFoundException", "StopAutomationExecution", jsonObject{"AutomationExecutionId": token})

		// Complete lets the step end that is running.
		id = c.ok("StartAutomationExecution", jsonObject{"DocumentName": "sleeper", "Parameters": jsonObject{"Wait": []any{"PT1M"}}})["AutomationExecutionId"]
		time.Sleep(5 * time.Second)
		c.ok("StopAutomationExecution", jsonObject{"AutomationExecutionId": id, "Type": "Complete"})
		time.Sleep(5 * time.Second)
		if got := status(); got != "Cancelling" {
			t.Errorf("%v", got)
		}
		time.Sleep(2 * time.Minute)
		if got := steps(); status() != "Cancelled" || len(got) != 1 || got[0].(jsonObject)["StepStatus"] != "Success" {
			t.Errorf("%v %v", status(), got)
		}
	})
}

// TestAutomationsWait: a hundred run, the rest is Pending, and goes when there is room.
func TestAutomationsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Accounts: 3, Empty: true})
		c := ssmClient{t: t, s: s}
		c.ok("CreateDocument", jsonObject{"Name": "sleeper", "DocumentType": "Automation", "Content": sleeper})
		var last, first any
		for i := range 103 {
			last = c.ok("StartAutomationExecution", jsonObject{"DocumentName": "sleeper"})["AutomationExecutionId"]
			if i == 0 {
				first = last
			}
		}
		count := func(status string) int {
			n, in := 0, jsonObject{"Filters": []any{jsonObject{"Key": "ExecutionStatus", "Values": []any{status}}}}
			for {
				out := c.ok("DescribeAutomationExecutions", in)
				n += len(out["AutomationExecutionMetadataList"].([]any))
				if out["NextToken"] == nil {
					return n
				}
				in["NextToken"] = out["NextToken"]
			}
		}
		if running, pending := count("InProgress"), count("Pending"); running != 100 || pending != 3 {
			t.Errorf("%d run, %d wait", running, pending)
		}
		c.ok("StopAutomationExecution", jsonObject{"AutomationExecutionId": last}) // one that waits
		c.ok("StopAutomationExecution", jsonObject{"AutomationExecutionId": first})
		time.Sleep(10 * time.Second)
		if running, pending, cancelled := count("InProgress"), count("Pending"), count("Cancelled"); running != 100 || pending != 1 || cancelled != 2 {
			t.Errorf("%d run, %d wait, %d cancelled", running, pending, cancelled)
		}
		time.Sleep(time.Hour)
		if n := count("Success"); n != 101 {
			t.Errorf("%d succeeded", n)
		}
		r := s.world.accounts[s.world.management].region("us-east-1")
		if r.automations != 0 || len(r.waiting) != 0 {
			t.Errorf("%d, %d left", r.automations, len(r.waiting))
		}
	})
}
