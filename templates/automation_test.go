package templates

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rollout/internal/extras"

	"github.com/google/go-cmp/cmp"
)

// world is what the stub AWS of testdata/boto3.star holds.
type world struct {
	Group     map[string]any     `json:"group"`
	Pages     map[string][][]any `json:"pages"`
	Rules     []any              `json:"rules"`
	VPC       map[string]any     `json:"vpc"`
	Services  map[string]any     `json:"services"`
	Failures  map[string]string  `json:"failures"`
	On        bool               `json:"on"`
	Policy    map[string]any     `json:"policy"`
	Users     []any              `json:"users"`
	Bucket    map[string]any     `json:"bucket"`
	Instance  map[string]any     `json:"instance"`
	Untokened [][]float64        `json:"untokened"`
	Refused   string             `json:"refused"`
	Stuck     bool               `json:"stuck"`
	Deny      string             `json:"deny"`
	Calls     []string           `json:"calls"`
	Objects   []object           `json:"objects"`
}

type object struct {
	Bucket string `json:"bucket"`
	Region string `json:"region"`
	Key    string `json:"key"`
	Body   string `json:"body"`
}

// job is one script to run, in the shape of testdata/run.py.
type job struct {
	Stub    string         `json:"stub"`
	Script  string         `json:"script"`
	Handler string         `json:"handler"`
	Payload map[string]any `json:"payload"`
	World   world          `json:"world"`
}

type outcome struct {
	Payload any    `json:"payload"`
	Error   string `json:"error"`
	World   world  `json:"world"`
}

type interpreter func(*testing.T, job) outcome

// python starts an interpreter that runs scripts one after the other, until the test
// ends.
func python(t *testing.T) interpreter {
	command := exec.Command(extras.Program(t, "python3"), "testdata/run.py")
	command.Stderr = os.Stderr
	jobs, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		jobs.Close()
		if err := command.Wait(); err != nil {
			t.Error(err)
		}
	})
	asks, reads := json.NewEncoder(jobs), json.NewDecoder(answers)
	return func(t *testing.T, j job) outcome {
		var out outcome
		if err := asks.Encode(j); err != nil {
			t.Fatal(err)
		}
		if err := reads.Decode(&out); err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// automation runs a runbook as Systems Manager would: it walks the steps, fills in
// {{ references }}, and stops at the first failure.
type automation struct {
	t     *testing.T
	run   interpreter
	stub  string
	world world
	known map[string]string // parameters and outputs
	ended string            // the last step that ran
	err   string
}

func (a *automation) start(r runbook) {
	for i := 0; i < len(r.steps); {
		step := r.steps[i]
		a.ended = step["name"].(string)
		next := a.step(step)
		if a.err != "" || step["isEnd"] == true {
			return
		}
		i++
		if next != "" {
			i = slices.IndexFunc(r.steps, func(s map[string]any) bool { return s["name"] == next })
		}
	}
}

func (a *automation) step(step map[string]any) (next string) {
	inputs := a.fill(step["inputs"]).(map[string]any)
	switch step["action"] {
	case "aws:assertAwsResourceProperty":
		if a.world.Group["GroupName"] != inputs["DesiredValues"].([]any)[0] {
			a.err = "property value is not in the desired values"
		}
	case "aws:branch":
		for _, c := range inputs["Choices"].([]any) {
			if c := c.(map[string]any); c["Variable"] == c["StringEquals"] {
				return c["NextStep"].(string)
			}
		}
		return inputs["Default"].(string)
	case "aws:executeScript":
		out := a.run(a.t, job{a.stub, inputs["Script"].(string), inputs["Handler"].(string), inputs["InputPayload"].(map[string]any), a.world})
		a.world, a.err = out.World, out.Error
		payload, _ := out.Payload.(map[string]any)
		outputs, _ := step["outputs"].([]any)
		for _, o := range outputs {
			o := o.(map[string]any)
			value := payload[strings.TrimPrefix(o["Selector"].(string), "$.Payload.")]
			a.known[fmt.Sprintf("%s.%s", step["name"], o["Name"])] = fmt.Sprint(value)
		}
	default:
		a.t.Fatalf("the test does not know %v", step["action"])
	}
	next, _ = step["nextStep"].(string)
	return next
}

func (a *automation) fill(v any) any {
	switch v := v.(type) {
	case string:
		return braces.ReplaceAllStringFunc(v, func(s string) string {
			value, ok := a.known[strings.Trim(s, "{ }")]
			if !ok {
				a.t.Fatalf("nothing is known as %s", s)
			}
			return value
		})
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = a.fill(v[i])
		}
		return list
	case map[string]any:
		m := map[string]any{}
		for k := range v {
			if m[k] = v[k]; k != "Script" {
				m[k] = a.fill(v[k])
			}
		}
		return m
	}
	return v
}

var changes = regexp.MustCompile(`^(put|revoke|create|enable|update|modify)_`)

// testRunbook tries every runbook; tries says whether try statements can be run.
func testRunbook(t *testing.T, run interpreter, tries bool) {
	stub, err := os.ReadFile("testdata/boto3.star")
	if err != nil {
		t.Fatal(err)
	}
	tried := map[string]bool{}
	for _, tests := range suites() {
		r := runbookOf(t, tests.template)
		tried[tests.template] = true
		if !tries && r.tries() {
			continue
		}
		ended := map[string]bool{}
		for _, s := range tests.scenarios {
			ended[s.ends] = true
			t.Run(tests.template+"/"+s.name, func(t *testing.T) { tests.try(t, r, s, run, string(stub)) })
		}
		for _, step := range r.steps {
			if step["isEnd"] == true && !ended[step["name"].(string)] {
				t.Errorf("%s: no scenario ends in %s", tests.template, step["name"])
			}
		}
	}
	for _, r := range runbooks(t, home) {
		if !tried[r.template.Name] {
			t.Errorf("the runbook of %s is not tried", r.template.Name)
		}
	}
}

// tries says whether a script of the runbook has a try statement. Starlark has none;
// the simulated organization rewrites it, and its tests run these runbooks there.
func (r runbook) tries() bool {
	return slices.ContainsFunc(r.steps, func(step map[string]any) bool {
		script, _ := step["inputs"].(map[string]any)["Script"].(string)
		return strings.Contains(script, " try:\n")
	})
}

func runbookOf(t *testing.T, template string) runbook {
	t.Helper()
	for _, r := range runbooks(t, with(ParameterHomeRegion, "us-east-1")) {
		if r.template.Name == template {
			return r
		}
	}
	t.Fatalf("%s has no runbook", template)
	return runbook{}
}

func (tests suite) try(t *testing.T, r runbook, s scenario, run interpreter, stub string) {
	a := &automation{t: t, run: run, stub: stub, world: s.world, known: map[string]string{"automation:EXECUTION_ID": "e-1"}}
	for name, p := range r.parameters {
		if standard, ok := p.(map[string]any)["default"].(string); ok {
			a.known[name] = standard
		}
	}
	maps.Copy(a.known, tests.given)
	maps.Copy(a.known, s.given)
	if a.world.Pages == nil {
		a.world.Pages = map[string][][]any{}
	}
	a.world.Calls, a.world.Objects = []string{}, []object{}
	a.start(r)
	if a.ended != s.ends || s.err == "" != (a.err == "") || !strings.Contains(a.err, s.err) {
		t.Fatalf("ended in %s with error %q; want %s, %q", a.ended, a.err, s.ends, s.err)
	}
	if reasons := a.known["Examine.Reasons"]; !strings.Contains(reasons, s.reasons) {
		t.Errorf("reasons %q, want %q", reasons, s.reasons)
	}
	// The report finds the reasons by the resource.
	if got := a.known["Examine.Resource"]; s.ends == StepLeaveInUse && (got == "" || !slices.Contains(slices.Collect(maps.Values(tests.given)), got)) {
		t.Errorf("the outputs are about %q", got)
	}
	if got := a.known["Verify.Left"]; got != s.left && s.err == "" {
		t.Errorf("left %q, want %q", got, s.left)
	}
	if got := strings.Join(changed(a.world), " "); got != s.changes {
		t.Errorf("changed by %s, want %s", got, s.changes)
	}
	if !strings.HasPrefix(s.changes, "put_object") || s.world.Deny == "put_object" {
		if len(a.world.Objects) > 0 {
			t.Errorf("kept %v", a.world.Objects)
		}
	} else {
		tests.kept(t, a.world, s)
	}
	if s.ends == StepVerify && s.err == "" {
		// Once more: there is nothing left to do, and that is no failure.
		calls := len(changed(a.world))
		a.start(r)
		again := tests.again
		if s.left != "" {
			again = StepLeaveWide
		}
		if s.again != "" {
			again = s.again
		}
		if a.ended != again || a.err != "" || len(changed(a.world)) != calls {
			t.Errorf("a second run ended in %s with %q and made %v", a.ended, a.err, a.world.Calls)
		}
	}
}

// changed are the calls that changed something.
func changed(w world) []string {
	return slices.DeleteFunc(slices.Clone(w.Calls), func(c string) bool { return !changes.MatchString(c) })
}

// before reads an object, which has to be where and what all of them are.
func before(t *testing.T, o object, kind, resource string) Before {
	t.Helper()
	if o.Key != BeforeKey("111122223333", "eu-west-1", resource, "e-1") || o.Region != "us-east-1" || o.Bucket != DeliveryBucketName("", "111122223333", "us-east-1") {
		t.Errorf("kept in %+v", o)
	}
	var b Before
	decoder := json.NewDecoder(strings.NewReader(o.Body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&b); err != nil {
		t.Fatal(err)
	}
	if b.Version != 1 || b.KindOf() != kind || b.Kind != kind || b.ExecutionID != "e-1" || b.AccountID != "111122223333" || b.Region != "eu-west-1" {
		t.Errorf("kept %+v", b)
	}
	return b
}

// keptGroup holds the before-image of a group to what it was.
func keptGroup(t *testing.T, w world, s scenario) {
	t.Helper()
	before := before(t, w.Objects[0], BeforeSecurityGroup, group)
	if before.GroupID != group || before.GroupName != "default" || before.VPCID != "vpc-1" {
		t.Errorf("kept %+v", before)
	}
	was := scenarioGroup(s)
	for direction, kept := range map[string][]json.RawMessage{"IpPermissions": before.IPPermissions, "IpPermissionsEgress": before.IPPermissionsEgress} {
		var got []any
		for _, raw := range kept {
			var v any
			if err := json.Unmarshal(raw, &v); err != nil {
				t.Fatal(err)
			}
			got = append(got, v)
		}
		want, _ := was[direction].([]any)
		if diff := cmp.Diff(want, got, cmp.Transformer("empty", func(l []any) []any { return append([]any{}, l...) })); diff != "" && len(want)+len(got) > 0 {
			t.Errorf("%s kept (-want +got):\n%s", direction, diff)
		}
	}
}

// scenarioGroup is the group as it was before anything ran.
func scenarioGroup(s scenario) map[string]any {
	for _, again := range scenarios() {
		if again.name == s.name {
			return again.world.Group
		}
	}
	return nil
}

func TestRunbookInPython(t *testing.T) {
	t.Parallel()
	testRunbook(t, python(t), true)
}
