package simaws_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"rollout/internal/extras"
	"rollout/internal/simaws"
)

// difference is one member that the two simulations answer differently.
type difference struct {
	step, call, member string
	ours, motos        string
}

// judgement is a line of testdata/differential.tsv: which steps and members (globs),
// who is right, and who says so.
type judgement struct {
	step, member, right, source string
	used                        bool
}

const differentialPage = "../../docs/differential.md"

// One script of calls through boto3 runs against this simulation and against moto,
// which others wrote. Where answers differ, testdata/differential.tsv says who is
// right by which source; docs/differential.md shows it all.
func TestDifferential(t *testing.T) {
	python := extras.Python(t, "boto3", "botocore")
	extras.Exactly(t, python, "moto")
	server := httptest.NewServer(simaws.New(simaws.Options{Accounts: 3, Empty: true, NoOrganization: true, Speed: 3600}))
	defer server.Close()
	moto := startMoto(t)
	ours, order := differentialRun(t, python, server.URL)
	theirs, _ := differentialRun(t, python, moto)
	if len(ours) != len(theirs) {
		t.Fatalf("%d steps here, %d against moto", len(ours), len(theirs))
	}
	judgements := readJudgements(t)
	var found []difference
	agree := 0
	for _, step := range order {
		differences := compare(ours[step], theirs[step])
		if len(differences) == 0 {
			agree++
		}
		for _, d := range differences {
			// The same member of another element is no other difference.
			if !slices.ContainsFunc(found, func(o difference) bool { return o.step == d.step && o.member == d.member }) {
				found = append(found, d)
			}
		}
	}
	rows := ""
	for _, d := range found {
		by := slices.IndexFunc(judgements, func(j *judgement) bool { return glob(j.step, d.step) && glob(j.member, d.member) })
		if by < 0 {
			t.Errorf("%q, %s: %q here, %q by moto, and testdata/differential.tsv does not say who is right", d.step, d.member, d.ours, d.motos)
			continue
		}
		j := judgements[by]
		j.used = true
		rows += fmt.Sprintf("| %s | %s | `%s` | %s | %s | %s | %s |\n", d.step, d.call, d.member, cell(d.ours), cell(d.motos), j.right, j.source)
	}
	for _, j := range judgements {
		if !j.used {
			t.Errorf("testdata/differential.tsv: %q %q describes no difference any more", j.step, j.member)
		}
	}
	called := map[string]bool{}
	for _, step := range order {
		called[ours[step].Call] = true
	}
	lines, err := simaws.Fidelity()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		if says := slices.Contains(l.Checks(), "moto"); l.IsCall() && says != called[l.ID] {
			t.Errorf("FIDELITY.md, %s: check %q, and the differential script calls it: %v", l.ID, l.Check, called[l.ID])
		}
	}
	page := fmt.Sprintf(differentialHead, len(order), agree, len(found)) + rows
	if *update {
		if err := os.WriteFile(differentialPage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if had, err := os.ReadFile(differentialPage); err != nil || string(had) != page {
		t.Errorf("docs/differential.md is out of date; write it with -update (%v)\n%s", err, firstDifference(string(had), page))
	}
}

const differentialHead = `# The simulation beside moto

Written by a test: do not edit. One script of calls (` + "`internal/simaws/testdata/differential.py`" + `: an organization built by API, the life
of a StackSet, a stack, AWS Config, errors) runs through boto3 against the simulated organization and against
[moto](https://github.com/getmoto/moto), in the version of ` + "`.ci/requirements.txt`" + `. Of %d steps %d agree in every member, error code, HTTP status
and text. The %d differences are below, with the AWS source that says who is right; *either* is a matter of how each was set up
or of what AWS leaves open. Ids and times are replaced by words.

| step | call | member | here | moto | right | source |
|---|---|---|---|---|---|---|
`

type differentialStep struct {
	Step, Call string
	Answer     any
	Error      map[string]any
}

// differentialRun runs the script against an endpoint.
func differentialRun(t *testing.T, python, url string) (map[string]*differentialStep, []string) {
	t.Helper()
	run := exec.Command(python, "testdata/differential.py", url)
	run.Stderr = os.Stderr
	out, err := run.Output()
	if err != nil {
		t.Fatalf("the script ended early against %s: %v", url, err)
	}
	steps, order := map[string]*differentialStep{}, []string{}
	for line := range strings.Lines(string(out)) {
		s := &differentialStep{}
		if err := json.Unmarshal([]byte(line), s); err != nil {
			t.Fatal(err)
		}
		steps[s.Step] = s
		order = append(order, s.Step)
	}
	return steps, order
}

// compare gives the members in which two answers differ; an error against an answer
// is one difference.
func compare(a, b *differentialStep) []difference {
	var out []difference
	differ := func(member, x, y string) { out = append(out, difference{a.Step, a.Call, member, x, y}) }
	outcome := func(s *differentialStep) string {
		if s.Error != nil {
			return fmt.Sprint(s.Error["Code"])
		}
		return "answered"
	}
	if (a.Error == nil) != (b.Error == nil) {
		differ("outcome", outcome(a), outcome(b))
		return out
	}
	if a.Error != nil {
		for _, member := range []string{"Code", "Status", "Message"} {
			if x, y := fmt.Sprint(a.Error[member]), fmt.Sprint(b.Error[member]); x != y {
				differ("error "+member, x, y)
			}
		}
		return out
	}
	var walk func(member string, x, y any)
	walk = func(member string, x, y any) {
		switch x := x.(type) {
		case map[string]any:
			if y, ok := y.(map[string]any); ok {
				for _, k := range keysOf(x, y) {
					walk(strings.TrimPrefix(member+"."+k, "."), x[k], y[k])
				}
				return
			}
		case []any:
			if y, ok := y.([]any); ok {
				if len(x) != len(y) {
					differ(member, fmt.Sprintf("%d elements", len(x)), fmt.Sprintf("%d elements", len(y)))
					return
				}
				for n := range x {
					walk(member+"[]", x[n], y[n])
				}
				return
			}
		}
		if p, q := written(x), written(y); p != q {
			differ(member, p, q)
		}
	}
	walk("", a.Answer, b.Answer)
	return out
}

func written(v any) string {
	if v == nil {
		return "(absent)"
	}
	if s, ok := v.(string); ok {
		return s
	}
	text, _ := json.Marshal(v)
	return string(text)
}

func keysOf(a, b map[string]any) []string {
	var keys []string
	for k := range a {
		keys = append(keys, k)
	}
	for k := range b {
		if _, both := a[k]; !both {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

func cell(s string) string {
	s = strings.NewReplacer("|", "/", "\n", " ").Replace(s)
	if runes := []rune(s); len(runes) > 90 {
		s = string(runes[:89]) + "…"
	}
	if s == "" {
		return "(nothing)"
	}
	return s
}

// glob matches with * for any text.
func glob(pattern, text string) bool {
	escaped := strings.NewReplacer("[", `\[`, "]", `\]`, "?", `\?`).Replace(pattern)
	ok, _ := path.Match(strings.ReplaceAll(escaped, "/", "⁄"), strings.ReplaceAll(text, "/", "⁄"))
	return ok
}

func readJudgements(t *testing.T) []*judgement {
	t.Helper()
	text, err := os.ReadFile("testdata/differential.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var out []*judgement
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(line, "\t")
		if len(cells) != 4 || cells[2] != "here" && cells[2] != "either" || cells[3] == "" {
			t.Fatalf("testdata/differential.tsv: %q is not step, member, here or either, source", line)
		}
		out = append(out, &judgement{step: cells[0], member: cells[1], right: cells[2], source: cells[3]})
	}
	return out
}

// startMoto serves moto for the length of a test and gives its address.
func startMoto(t *testing.T) string {
	t.Helper()
	program := extras.Program(t, "moto_server")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)
	listener.Close()
	moto := exec.Command(program, "-H", "127.0.0.1", "-p", port)
	if err := moto.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { moto.Process.Kill(); moto.Wait() }) //nolint:errcheck // it is killed
	url := "http://127.0.0.1:" + port
	for n := 0; ; n++ {
		response, err := http.Get(url + "/moto-api/")
		if err == nil {
			response.Body.Close()
			return url
		}
		if n == 300 {
			t.Fatal("moto does not answer: ", err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
