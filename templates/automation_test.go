package templates

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// world is what the stub AWS of testdata/boto3.star holds.
type world struct {
	Group   map[string]any     `json:"group"`
	Pages   map[string][][]any `json:"pages"`
	Stuck   bool               `json:"stuck"`
	Deny    string             `json:"deny"`
	Calls   []string           `json:"calls"`
	Objects []object           `json:"objects"`
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

func python(t *testing.T, j job) outcome {
	input, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	var out outcome
	command := exec.Command("python3", "testdata/run.py")
	command.Stdin, command.Stderr = bytes.NewReader(input), os.Stderr
	answer, err := command.Output()
	if err == nil {
		err = json.Unmarshal(answer, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
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

var changes = regexp.MustCompile(`^(put|revoke)_`)

func testRunbook(t *testing.T, run interpreter) {
	stub, err := os.ReadFile("testdata/boto3.star")
	if err != nil {
		t.Fatal(err)
	}
	r := runbooks(t, with(ParameterHomeRegion, "us-east-1"))[0]
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			a := &automation{t: t, run: run, stub: string(stub), world: s.world, known: map[string]string{
				"GroupId": group, "InUse": "Skip", "automation:EXECUTION_ID": "e-1",
			}}
			if s.inUse != "" {
				a.known["InUse"] = s.inUse
			}
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
			changed := slices.DeleteFunc(slices.Clone(a.world.Calls), func(c string) bool { return !changes.MatchString(c) })
			if got := strings.Join(changed, " "); got != s.revokes {
				t.Errorf("changed by %s, want %s", got, s.revokes)
			}
			checkBefore(t, a.world, s)
			if s.ends == StepVerify && s.err == "" {
				// Once more: there is nothing left to do, and that is no failure.
				a.start(r)
				if a.ended != StepAlreadyEmpty || a.err != "" {
					t.Errorf("a second run ended in %s with %q", a.ended, a.err)
				}
			}
		})
	}
}

func checkBefore(t *testing.T, w world, s scenario) {
	t.Helper()
	if !strings.HasPrefix(s.revokes, "put_object") || s.world.Deny == "put_object" {
		if len(w.Objects) > 0 {
			t.Errorf("kept %v", w.Objects)
		}
		return
	}
	o := w.Objects[0]
	if o.Key != BeforeKey("111122223333", "eu-west-1", group, "e-1") || o.Region != "us-east-1" ||
		o.Bucket != DeliveryBucketName("", "111122223333", "us-east-1") {
		t.Errorf("kept in %+v", o)
	}
	var before Before
	if err := json.Unmarshal([]byte(o.Body), &before); err != nil {
		t.Fatal(err)
	}
	if before.Version != 1 || before.GroupID != group || before.GroupName != "default" || before.VPCID != "vpc-1" ||
		before.ExecutionID != "e-1" || before.AccountID != "111122223333" || before.Region != "eu-west-1" {
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
	required(t, "python3")
	t.Parallel()
	testRunbook(t, python)
}
