package simaws_test

import (
	"flag"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rollout/internal/extras"
	"rollout/internal/simaws"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// volatile is what differs from run to run.
var volatile = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`), "TIME"},
	{regexp.MustCompile(`"(\w*(Time|Timestamp|Date)\w*)": \d+(\.\d+)?`), `"$1": TIME`},
	// Ids are drawn for each request, and a session that waits makes more or fewer.
	{regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`), "UUID"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "HOST"},
}

// The sessions under testdata/sessions are what a person types and sees with the AWS
// CLI: a line that begins with "$ " is a command, what follows is its output. Ids are
// the simulator's own, which come out the same each time.
func TestSessionsWithTheAWSCLI(t *testing.T) {
	extras.Program(t, "aws")
	files, err := filepath.Glob("testdata/sessions/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no sessions: ", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(simaws.New(simaws.Options{Accounts: 12, Speed: 3600}))
			defer server.Close()
			got := session(t, server.URL, string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(want) {
				t.Errorf("%s is no longer what the AWS CLI shows; look at the difference and rewrite it with -update\n%s", file, firstDifference(string(want), got))
			}
		})
	}
}

// FIDELITY.md says for each call whether the AWS CLI was seen to call it, waiters by
// the call that they make, and for each behaviour whether a session says in its head
// that it asserts it.
func TestFidelityOfTheSessions(t *testing.T) {
	files, err := filepath.Glob("testdata/sessions/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	called := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`aws ([a-z0-9]+) (wait )?([a-z-]+)`).FindAllStringSubmatch(string(text), -1) {
			service := map[string]string{"configservice": "config"}[m[1]]
			if service == "" {
				service = m[1]
			}
			if m[2] == "" {
				called[service+":"+m[3]] = true
			}
		}
		if m := regexp.MustCompile(`(?m)^# Asserts (.*)\.$`).FindStringSubmatch(string(text)); m != nil {
			for _, id := range strings.Split(m[1], ", ") {
				called[id] = true
			}
		}
	}
	lines, err := simaws.Fidelity()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		name := l.ID
		if service, action, ok := strings.Cut(l.ID, ":"); ok {
			name = service + ":" + kebab(action)
		}
		if has, says := called[name], slices.Contains(l.Checks(), "aws"); has != says {
			t.Errorf("FIDELITY.md, %s: check %q, and a session of the AWS CLI has it: %v", l.ID, l.Check, has)
		}
	}
}

var wordEnd = regexp.MustCompile(`([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])`)

// kebab writes a call's name as the AWS CLI does: list-aws-service-access.
func kebab(action string) string {
	return strings.ToLower(wordEnd.ReplaceAllString(action, "$1$3-$2$4"))
}

// session runs the commands of a session in one shell, so that one can use what
// another has set, and gives the session as it went.
func session(t *testing.T, url, text string) string {
	t.Helper()
	var script strings.Builder
	var head []string
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch command, ok := strings.CutPrefix(line, "$ "); {
		case ok:
			script.WriteString("cat <<'COMMAND'\n" + line + "\nCOMMAND\n{ " + command + "\n} 2>&1\n")
		case strings.HasPrefix(line, "# ") && script.Len() == 0:
			head = append(head, line)
		}
	}
	script.WriteString("true\n")
	home := t.TempDir()
	shell := exec.Command("sh", "-c", script.String())
	shell.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
	shell.Env = append(shell.Env, "AWS_ENDPOINT_URL="+url, "AWS_DEFAULT_REGION=us-east-1", "AWS_ACCESS_KEY_ID=AKIAOPERATOR", "AWS_SECRET_ACCESS_KEY=x",
		"AWS_CONFIG_FILE="+filepath.Join(home, "config"), "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(home, "credentials"),
		"AWS_PAGER=", "AWS_MAX_ATTEMPTS=1", "TZ=UTC")
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("the shell: %v\n%s", err, out)
	}
	shown := string(out)
	for _, v := range volatile {
		shown = v.pattern.ReplaceAllString(shown, v.with)
	}
	if head != nil {
		shown = strings.Join(head, "\n") + "\n" + shown
	}
	return shown
}

func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range a {
		if i >= len(b) {
			return "it ends before: " + a[i]
		}
		if a[i] != b[i] {
			return "want " + a[i] + "\ngot  " + b[i]
		}
	}
	return "it goes on: " + b[len(a)]
}
