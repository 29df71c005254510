package main

import (
	"encoding/json"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"rollout/internal/simaws"
)

// Ctrl-C leaves a detection to AWS; the next run follows it, and what it writes is what
// docs/schemas says.
func TestDriftGoesOnInAWS(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(simaws.New(simaws.Options{Speed: 60}))
	defer server.Close()
	environment := map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": "us-east-1", "AWS_CONFIG_FILE": filepath.Join(t.TempDir(), "none")}
	if status, _, stderr := runWith(t, environment, "deploy", "--account", "staging-1,management", "--include-management", "--region", "us-east-1", "--yes"); status != exitDone {
		t.Fatalf("deploy: exit status %d\n%s", status, stderr)
	}
	for _, account := range []string{"staging-1", "management"} {
		if err := dropRule(server.URL, account, "us-east-1", "rollout-vpc-default-security-group-closed"); err != nil {
			t.Fatal(err)
		}
	}

	status, stdout, stderr := runUntil(t, environment, "started drift detection", "drift", "--template", "default-security-group", "--output", "json")
	if status != exitInterrupted || !strings.Contains(stderr, "the detection goes on in AWS by itself: operation rollout-") || !strings.Contains(stderr, "rollout drift --last") {
		t.Errorf("exit status %d\n%s", status, stderr)
	}
	matches(t, "drift", []byte(stdout))

	status, whole, told := runWith(t, environment, "drift", "--include-management", "--output", "json")
	if status != exitDone {
		t.Fatalf("exit status %d\n%s", status, told)
	}
	matches(t, "drift", []byte(whole))
	var shape driftJSON
	var document any
	if err := json.Unmarshal([]byte(whole), &shape); err != nil || json.Unmarshal([]byte(whole), &document) != nil {
		t.Fatal(err)
	}
	if s := shape.Summary; s.Instances != 6 || s.Drifted != 2 || s.InSync != 4 {
		t.Errorf("%+v", s)
	}
	if problems := validated(t, []asked{{Schema: "drift", Document: document}}); len(problems) != 1 || len(problems[0]) > 0 {
		t.Errorf("jsonschema finds %v", problems)
	}
}

// Drift that is the same in several places is shown once.
func TestDriftThatIsAlike(t *testing.T) {
	same := driftResourceJSON{LogicalID: "Rule", Type: "AWS::Config::ConfigRule", Status: "MODIFIED", Differences: []driftPropertyJSON{{"/Description", "NOT_EQUAL", "a", "b"}}}
	other := same
	other.Differences = []driftPropertyJSON{{"/Description", "NOT_EQUAL", "a", "c"}}
	place := func(account string, r ...driftResourceJSON) driftPlaceJSON {
		return driftPlaceJSON{StackSet: "acme-enforce-automatic", Template: "default-security-group-enforce", AccountID: account, Region: "us-east-1", Resources: r}
	}
	groups := alike([]driftPlaceJSON{place("1", same), place("2", other, same), place("3")})
	if len(groups) != 2 || len(groups[0].places) != 2 || len(groups[1].places) != 1 {
		t.Errorf("%+v", groups)
	}
	if got, want := removal(groups[0].first), "rollout remove --template default-security-group --account 1 --region us-east-1 --stack-set acme"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for value, want := range map[string]string{"": "nothing", "null": "nothing", "a\n b": "a b", strings.Repeat("é", 200): strings.Repeat("é", 160) + "…"} {
		if got := brief(value); got != want {
			t.Errorf("brief(%q) = %q", value, got)
		}
	}
}
