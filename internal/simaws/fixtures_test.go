package simaws

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rollout/internal/extras"
)

// fixtureModules are the Go SDK's modules that ship request_snapshot, a request
// with every member filled in for each operation, by SigV4 name. Account Management
// and CloudTrail ship none: a folder snapshot holds the order of a client's middleware.
var fixtureModules = map[string]string{
	"organizations": "organizations", "config": "configservice", "cloudformation": "cloudformation", "sts": "sts", "iam": "iam", "s3": "s3",
	"ec2": "ec2", "ecs": "ecs", "lambda": "lambda", "monitoring": "cloudwatch", "ssm": "ssm@v1.82.0", "servicequotas": "servicequotas",
}

// unread are the codes of an answer to a request that was not understood.
var unread = []string{"SerializationException", "UnknownOperationException", "InvalidAction", "InternalFailure"}

// Every request as the Go SDK itself has frozen it reaches its handler and is
// understood there: it succeeds, or fails for what it asks.
func TestReadsTheSDKsFixtures(t *testing.T) {
	lines, err := Fidelity()
	if err != nil {
		t.Fatal(err)
	}
	says := map[string]bool{}
	for _, l := range lines {
		says[l.ID] = slices.Contains(l.Checks(), "fixtures")
	}
	for _, service := range sortedKeys(services) {
		t.Run(service, func(t *testing.T) {
			dir := fixtures(t, service)
			for _, action := range sortedKeys(services[service].ops) {
				id := service + ":" + action
				if says[id] != (dir != "") {
					t.Errorf("FIDELITY.md, %s: fixtures named %v, covered %v", id, says[id], dir != "")
				}
				if dir == "" {
					continue
				}
				raw, err := os.ReadFile(filepath.Join(dir, "request_snapshot", action+".request.snap"))
				if err != nil {
					t.Errorf("%s: the SDK has no such operation: %v", id, err)
					continue
				}
				holdFixture(t, service, action, raw)
			}
		})
	}
}

// fixtures gives where a service's module is, "" where it ships no fixtures. A module
// with a version is no dependency and must not become one for its fixtures' sake: it
// is taken from the module cache, and fetched only where a test may fetch.
func fixtures(t *testing.T, service string) string {
	t.Helper()
	name := fixtureModules[service]
	if name == "" {
		return ""
	}
	name = "github.com/aws/aws-sdk-go-v2/service/" + name
	if !strings.Contains(name, "@") {
		out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", name).Output()
		if err != nil {
			t.Fatalf("where is %s: %v", name, err)
		}
		return strings.TrimSpace(string(out))
	}
	required := extras.Required()
	fetch := exec.Command("go", "mod", "download", "-json", name)
	fetch.Dir = t.TempDir() // outside this module, whose go.mod stays as it is
	fetch.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if !required {
		fetch.Env = append(fetch.Env, "GOPROXY=off")
	}
	out, err := fetch.Output()
	var module struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(out, &module); jsonErr != nil || module.Dir == "" {
		if required {
			t.Fatalf("%s is required here and cannot be had: %v %s", name, err, module.Error)
		}
		t.Skipf("%s is not in the module cache (go mod download %s, outside this module); its fixtures are skipped", name, name)
	}
	return module.Dir
}

func holdFixture(t *testing.T, service, action string, raw []byte) {
	t.Helper()
	r, err := fixtureRequest(raw)
	if err != nil {
		t.Fatal(service, action, err)
	}
	if service == "s3" && action != "ListBuckets" { // frozen in virtual-hosted style, with the bucket in the host's name
		r.URL.Path = "/bucket" + r.URL.Path
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAOPERATOR/20260101/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	s := New(Options{Accounts: 5})
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if n := s.Stats().Calls[service+":"+action]; n != 1 {
		t.Errorf("%s:%s reached its handler %d times: %d %s", service, action, n, w.Code, w.Body)
	}
	for _, code := range unread {
		if w.Code >= 500 || strings.Contains(w.Body.String(), code) || w.Header().Get("X-Amzn-Errortype") == code {
			t.Errorf("%s:%s: %d %s", service, action, w.Code, w.Body)
			return
		}
	}
}

// fixtureRequest reads "METHOD /path", headers, an empty line and the body, as
// smithy-go's protocol tests write them.
func fixtureRequest(raw []byte) (*http.Request, error) {
	in := bufio.NewReader(bytes.NewReader(raw))
	first, err := in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	method, path, _ := strings.Cut(strings.TrimSpace(first), " ")
	header := http.Header{}
	for started := false; ; {
		text, err := in.ReadString('\n')
		if text = strings.TrimSpace(text); text != "" {
			name, value, _ := strings.Cut(text, ": ")
			header.Set(name, value)
			started = true
		} else if started || err != nil {
			break
		}
	}
	body, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	r := httptest.NewRequest(method, path, bytes.NewReader(body))
	r.Header = header
	return r, nil
}

// A call that is not served gets AWS's answer for one, and so does what is no call
// at all; nothing of it is ever answered with 200.
func TestWhatIsNotServed(t *testing.T) {
	signed := func(service string) string {
		return "AWS4-HMAC-SHA256 Credential=AKIAOPERATOR/20260101/us-east-1/" + service + "/aws4_request, SignedHeaders=host, Signature=0"
	}
	for _, c := range []struct {
		name, service, path, target, body string
		status                            int
		want                              string
	}{
		{"Organizations", "organizations", "/", "AWSOrganizationsV20161128.Frobnicate", "{}", 400, "UnknownOperationException"},
		{"Config", "config", "/", "StarlingDoveService.Frobnicate", "{}", 400, "UnknownOperationException"},
		{"SSM", "ssm", "/", "AmazonSSM.Frobnicate", "{}", 400, "UnknownOperationException"},
		{"another service's target", "config", "/", "AmazonSSM.GetDocument", "{}", 400, "UnknownOperationException"},
		{"no target", "config", "/", "", "{}", 400, "UnknownOperationException"},
		{"CloudFormation", "cloudformation", "/", "", "Action=Frobnicate&Version=2010-05-15", 400, "InvalidAction"},
		{"STS", "sts", "/", "", "Action=Frobnicate&Version=2011-06-15", 400, "InvalidAction"},
		{"IAM", "iam", "/", "", "Action=Frobnicate&Version=2010-05-08", 400, "InvalidAction"},
		{"EC2", "ec2", "/", "", "Action=Frobnicate&Version=2016-11-15", 400, "InvalidAction"},
		{"Account Management", "account", "/frobnicate", "", "{}", 404, "UnknownOperationException"},
		{"no such service", "frobnicate", "/", "", "{}", 501, "UnknownService"},
		{"JSON that is none", "organizations", "/", "AWSOrganizationsV20161128.ListAccounts", "{", 400, "SerializationException"},
		{"a member of another type", "organizations", "/", "AWSOrganizationsV20161128.ListAccounts", `{"MaxResults":"many"}`, 400, "SerializationException"},
		{"unsigned", "", "/", "AWSOrganizationsV20161128.ListAccounts", "{}", 403, "MissingAuthenticationToken"},
	} {
		r := httptest.NewRequest(http.MethodPost, c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if strings.HasPrefix(c.body, "{") {
			r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		}
		if c.target != "" {
			r.Header.Set("X-Amz-Target", c.target)
		}
		if c.service != "" {
			r.Header.Set("Authorization", signed(c.service))
		}
		w := httptest.NewRecorder()
		New(Options{Accounts: 5}).ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String()+w.Header().Get("X-Amzn-Errortype"), c.want) {
			t.Errorf("%s: %d %s, want %d %s", c.name, w.Code, w.Body, c.status, c.want)
		}
	}
}
