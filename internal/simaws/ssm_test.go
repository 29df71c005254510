package simaws

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestInterpolateAndSelect(t *testing.T) {
	values := map[string]any{"Text": "a", "List": []any{"x", 1.0}, "Step.Out": map[string]any{"k": "v"}}
	lookup := func(name string) (any, error) { return values[name], nil }
	for in, want := range map[string]any{
		"{{ Text }}":               "a",
		"{{List}}":                 []any{"x", 1.0},
		"n-{{ Text }}-{{ List }}":  `n-a-["x",1]`,
		"{{ Step.Out }}":           map[string]any{"k": "v"},
		"{{ not a reference }} {x": "{{ not a reference }} {x",
	} {
		if got, err := interpolate(in, lookup); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, %v; want %v", in, got, err, want)
		}
	}
	var v any
	if err := json.Unmarshal([]byte(`{"a":{"b":[{"c":1},{"c":2}]},"d e":3}`), &v); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]any{"$": v, "$.a.b[0].c": 1.0, "$.a.b[-1].c": 2.0, "$['d e']": 3.0, "$.a.b[*].c": []any{1.0, 2.0}} {
		if got, ok := selectPath(v, path); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v; want %v", path, got, ok, want)
		}
	}
	for _, path := range []string{"", "a", "$.x", "$.a.b[7]", "$.a.b[", "$..c", "$.a.b.c"} {
		if got, ok := selectPath(v, path); ok {
			t.Errorf("%q leads to %v", path, got)
		}
	}
}

// runScript runs a script in a place and gives its payload or failure.
func runScript(p *place, script string, payload map[string]any) (any, string) {
	run := &automationRun{s: p.s, start: automationStart{account: p.a, region: p.r}, exec: &automationExecution{ID: "e"}, as: func(access) error { return nil }}
	out, _, failure := run.script(map[string]any{"Runtime": "python3.11", "Handler": "handler", "Script": script, "InputPayload": payload})
	if m, ok := out.(map[string]any); ok {
		return m["Payload"], failure
	}
	return out, failure
}

func TestScripts(t *testing.T) {
	p := newPlace(t)
	for n := range 60 {
		addService(p.a, p.r, "vpc-1", fmt.Sprint("s-", n), nil)
		addFunction(p.a, p.r, "vpc-1", fmt.Sprint("f-", n), testGroup)
	}
	for _, tt := range []struct{ name, script, want, failure string }{
		{"generator and membership", "def handler(event, context):\n    return any(t == 'b' for t in ['a', 'b'])", "true", ""},
		{"nested generator", "def handler(e, c):\n    return sorted(str(x) for x in (y + 1 for y in [1, 0]))", `["1","2"]`, ""},
		{"is and is not", "def handler(e, c):\n    return [e.get('x') is None, e is not None, 'this is None']", `[true,true,"this is None"]`, ""},
		{"f-strings", "def handler(e, c):\n    n = {'a': 1}\n    return f\"{n['a']} {{}} {'x'!r} {n}\"", `"1 {} 'x' {'a': 1}"`, ""},
		{"adjacent texts", "def handler(e, c):\n    return ('a '\n        \"b\")", `"a b"`, ""},
		{"imports", "import json, os\nfrom x import (\n  a,\n  b)\nimport boto3\ndef handler(e, c):\n    return json.dumps({'b': [1, True, None], 'a': 'é<'}, sort_keys=True)", `"{\"a\": \"é<\", \"b\": [1, true, null]}"`, ""},
		{"json with indent", "import json\ndef handler(e, c):\n    return json.loads(json.dumps({'a': [1]}, indent=2, default=str))", `{"a":[1]}`, ""},
		{"isinstance and sum", "def handler(e, c):\n    return [isinstance('a', str), isinstance(1, (str, dict)), sum(x for x in [1, 2])]", "[true,false,3]", ""},
		{"client", "import boto3\ndef handler(e, c):\n    return boto3.client('ec2', region_name='eu-west-1').describe_security_groups(GroupIds=[e['g']])['SecurityGroups'][0]['GroupName']", `"default"`, ""},
		{"paginator", "import boto3\ndef handler(e, c):\n    return [g['GroupId'] for page in boto3.client('ec2').get_paginator('describe_security_groups').paginate() for g in page['SecurityGroups']]", `["` + testGroup + `"]`, ""},
		{"paginator of ECS", "import boto3\ndef handler(e, c):\n    return [len(p['serviceArns']) for p in boto3.client('ecs').get_paginator('list_services').paginate(cluster='apps', maxResults=25)]", "[25,25,10]", ""},
		{"paginator of Lambda", "import boto3\ndef handler(e, c):\n    return [len(p['Functions']) for p in boto3.client('lambda').get_paginator('list_functions').paginate()]", "[50,10]", ""},
		{"time of ECS", "import boto3\ndef handler(e, c):\n    return boto3.client('ecs').describe_services(cluster='apps', services=['s-1'])['services'][0]['createdAt'].isoformat()", `"0001-01-03T12:00:00+00:00"`, ""},
		{"error of ECS", "import boto3\ndef handler(e, c):\n    ecs = boto3.client('ecs')\n    try:\n        return ecs.list_services(cluster='none')\n    except ecs.exceptions.ClusterNotFoundException:\n        return 'no cluster'", `"no cluster"`, ""},
		{"raise", "def handler(e, c):\n    raise ValueError('bad {}'.format(\n        'thing'))", "", "File \"/tmp/e/customer_script.py\", line 2, in handler\n    raise ValueError('bad {}'.format(\n\nValueError - bad thing. Please refer to"},
		{"raise bare class", "def handler(e, c):\n    if e: raise Exception", "", "Exception - ."},
		{"API error", "import boto3\ndef handler(e, c):\n    boto3.client('ec2').describe_security_groups(GroupIds=['sg-1'])", "", "ClientError - An error occurred (InvalidGroup.NotFound) when calling the DescribeSecurityGroups operation: The security group 'sg-1' does not exist."},
		{"no end", "def handler(e, c):\n    while True:\n        pass", "", "too many steps"},
		{"recursion", "def f(x):\n    return f(x)\ndef handler(e, c):\n    return f(1)", "", "Step fails"},
		{"try", "def handler(e, c):\n    try:\n        pass\n    except Exception:\n        pass", "", `"try" statements are run by the simulator with a body of one call`},
		{"no handler", "def other(e, c):\n    pass", "", "AttributeError - module 'customer_script' has no attribute 'handler'"},
		{"not JSON", "def handler(e, c):\n    return handler", "", "TypeError - Object of type function is not JSON serializable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, failure := runScript(p, tt.script, map[string]any{"g": testGroup})
			text, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			if tt.failure == "" && (failure != "" || strings.ReplaceAll(string(text), `\u003c`, "<") != strings.ReplaceAll(tt.want, `\u003c`, "<")) {
				t.Errorf("%s, %s; want %s", text, failure, tt.want)
			}
			if tt.failure != "" && !strings.Contains(failure, tt.failure) {
				t.Errorf("failure %q, want %q", failure, tt.failure)
			}
		})
	}
}

// TestRuns drives documents through branches, failures and waits.
func TestRuns(t *testing.T) {
	step := func(name, action string, more map[string]any) map[string]any {
		m := map[string]any{"name": name, "action": action}
		for k, v := range more {
			m[k] = v
		}
		return m
	}
	type object = map[string]any
	sleep := object{"inputs": object{"Duration": "PT10S"}}
	broken := object{"inputs": object{"Service": "ec2", "Api": "NoSuchThing"}}
	with := func(m object, k string, v any) object {
		out := object{k: v}
		for a, b := range m {
			out[a] = b
		}
		return out
	}
	branch := func(choices ...any) object { return object{"inputs": object{"Choices": choices, "Default": "Last"}} }
	for _, tt := range []struct {
		name   string
		steps  []any
		status string
		ran    string // steps that were run, in the order of the document
	}{
		{"in order", []any{step("A", "aws:sleep", sleep), step("B", "aws:sleep", sleep)}, "Success", "A B"},
		{"isEnd", []any{step("A", "aws:sleep", with(sleep, "isEnd", true)), step("B", "aws:sleep", sleep)}, "Success", "A"},
		{"nextStep", []any{step("A", "aws:sleep", with(sleep, "nextStep", "C")), step("B", "aws:sleep", sleep), step("C", "aws:sleep", sleep)}, "Success", "A C"},
		{"abort", []any{step("A", "aws:executeAwsApi", broken), step("B", "aws:sleep", sleep)}, "Failed", "A"},
		{"continue", []any{step("A", "aws:executeAwsApi", with(broken, "onFailure", "Continue")), step("B", "aws:sleep", sleep)}, "Success", "A B"},
		{"continue, critical", []any{step("A", "aws:executeAwsApi", with(with(broken, "onFailure", "Continue"), "isCritical", true)), step("B", "aws:sleep", sleep)}, "Failed", "A B"},
		{"jump on failure", []any{step("A", "aws:executeAwsApi", with(broken, "onFailure", "step:C")), step("B", "aws:sleep", sleep), step("C", "aws:sleep", sleep)}, "Failed", "A C"},
		{"branch", []any{step("A", "aws:branch", branch(object{"And": []any{
			object{"Variable": "{{ Word }}", "StringEquals": "yes"}, object{"Not": object{"Variable": "{{ global:REGION }}", "StartsWith": "us-"}}}, "NextStep": "C"})),
			step("B", "aws:sleep", sleep), step("C", "aws:sleep", sleep), step("Last", "aws:sleep", sleep)}, "Success", "A C Last"},
		{"branch default", []any{step("A", "aws:branch", branch(object{"Or": []any{object{"Variable": "{{ Word }}", "NumericGreater": 3.0}}, "NextStep": "B"})),
			step("B", "aws:sleep", sleep), step("Last", "aws:sleep", sleep)}, "Success", "A Last"},
		{"wait that times out", []any{step("A", "aws:waitForAwsResourceProperty", object{"timeoutSeconds": 30.0, "inputs": object{
			"Service": "ec2", "Api": "DescribeSecurityGroups", "PropertySelector": "$.SecurityGroups[0].GroupName", "DesiredValues": []any{"other"}}})}, "Failed", "A"},
		{"assertion", []any{step("A", "aws:assertAwsResourceProperty", object{"inputs": object{
			"Service": "ec2", "Api": "DescribeSecurityGroups", "PropertySelector": "$.SecurityGroups[0].GroupName", "DesiredValues": []any{"default"}}})}, "Success", "A"},
		{"loop", []any{step("A", "aws:branch", object{"inputs": object{"Choices": []any{}, "Default": "A"}})}, "Failed", "A"},
		{"unknown action", []any{step("A", "aws:noSuchAction", nil)}, "Failed", "A"},
		{"unknown reference", []any{step("A", "aws:sleep", object{"inputs": object{"Duration": "{{ Nothing }}"}})}, "Failed", "A"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				p.r.documents["doc"] = &ssmDocument{Name: "doc", Version: "1", Content: object{"schemaVersion": "0.3",
					"parameters": object{"Word": object{"type": "String", "default": "yes"}}, "mainSteps": tt.steps}}
				ended := 0
				e, err := p.s.startAutomation(automationStart{account: p.a, region: p.r, document: "doc", as: func(access) error { return nil }, done: func() { ended++ }})
				if err != nil {
					t.Fatal(err)
				}
				p.pass(2 * time.Hour)
				var ran []string
				for _, s := range e.Steps {
					if s.Status != "Pending" {
						ran = append(ran, s.Name)
					}
				}
				if e.Status != tt.status || strings.Join(ran, " ") != tt.ran || ended != 1 {
					t.Errorf("%s after %v, ended %d times: %s; want %s after %s", e.Status, ran, ended, e.Failure, tt.status, tt.ran)
				}
			})
		})
	}
}

func TestStartChecks(t *testing.T) {
	p := newPlace(t)
	content := func(more map[string]any) map[string]any {
		m := map[string]any{"schemaVersion": "0.3", "parameters": map[string]any{
			"Word": map[string]any{"type": "String", "allowedValues": []any{"a"}}, "Id": map[string]any{"type": "String", "default": "sg-1", "allowedPattern": "^sg-"}},
			"mainSteps": []any{map[string]any{"name": "A", "action": "aws:sleep"}}}
		for k, v := range more {
			m[k] = v
		}
		return m
	}
	for _, tt := range []struct {
		name, document, version string
		content                 map[string]any
		parameters              map[string][]string
		want                    string
	}{
		{"missing document", "other", "", content(nil), nil, "AutomationDefinitionNotFoundException"},
		{"missing version", "doc", "2", content(nil), nil, "AutomationDefinitionVersionNotFoundException"},
		{"missing parameter", "doc", "1", content(nil), nil, `"Word" is required`},
		{"unknown parameter", "doc", "", content(nil), map[string][]string{"Word": {"a"}, "X": {"1"}}, `"X" is not defined`},
		{"value not allowed", "doc", "", content(nil), map[string][]string{"Word": {"b"}}, "not one of the allowed values"},
		{"value against the pattern", "doc", "", content(nil), map[string][]string{"Word": {"a"}, "Id": {"x"}}, "allowed pattern"},
		{"role of nobody", "doc", "", content(map[string]any{"assumeRole": "arn:aws:iam::111122223333:role/absent"}), map[string][]string{"Word": {"a"}}, "The defined assume role is unable to be assumed."},
		{"schema of a command", "doc", "", content(map[string]any{"schemaVersion": "2.2"}), nil, "InvalidDocumentContent"},
		{"fine", "doc", "$DEFAULT", content(nil), map[string][]string{"Word": {"a"}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p.r.documents["doc"] = &ssmDocument{Name: "doc", Version: "1", Content: tt.content}
			_, err := p.s.startAutomation(automationStart{account: p.a, region: p.r, document: tt.document, version: tt.version, parameters: tt.parameters})
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

func TestDocumentCalls(t *testing.T) {
	p := newPlace(t)
	p.r.documents["doc"] = &ssmDocument{Name: "doc", Version: "1", Content: map[string]any{"schemaVersion": "0.3", "mainSteps": []any{map[string]any{"name": "A", "action": "aws:sleep"}}}}
	for _, tt := range []struct{ op, body, want string }{
		{"GetDocument", `{"Name":"doc"}`, ""}, {"DescribeDocument", `{"Name":"doc","DocumentVersion":"$LATEST"}`, ""}, {"ListDocuments", `{}`, ""},
		{"DescribeDocument", `{"Name":"` + closeDefaultGroup + `"}`, ""},
		{"GetDocument", `{"Name":"absent"}`, "InvalidDocument"}, {"GetAutomationExecution", `{"AutomationExecutionId":"x"}`, "AutomationExecutionNotFoundException"},
		{"StartAutomationExecution", `{"DocumentName":"doc"}`, ""}, {"StartAutomationExecution", `{"DocumentName":1}`, "SerializationException"},
	} {
		if _, err := p.ask("AmazonSSM."+tt.op, tt.body); tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s %s: %v, want %q", tt.op, tt.body, err, tt.want)
		}
	}
	out, err := p.ask("AmazonSSM.GetAutomationExecution", `{"AutomationExecutionId":"`+p.r.executions[0].ID+`"}`)
	if err != nil || out["AutomationExecution"].(map[string]any)["AutomationExecutionStatus"] != "InProgress" {
		t.Errorf("%v, %v", out, err)
	}
}

func FuzzInterpolate(f *testing.F) {
	for _, seed := range []string{"{{ A }}", "x {{A}} {{ B.c }}", "{{{{ A }}", "{{ global:REGION }}"} {
		f.Add(seed, "$.a[0].b")
	}
	f.Fuzz(func(t *testing.T, text, path string) {
		v, err := interpolate(map[string]any{"k": []any{text}}, func(name string) (any, error) { return map[string]any{name: text}, nil })
		if err != nil {
			t.Fatal(err)
		}
		selectPath(v, path)
		isoDuration(text)
		pascal(text)
		conditionsHold(map[string]map[string][]string{text: {path: {text}}}, map[string]string{path: text})
		if !like("*", text) {
			t.Errorf("* does not match %q", text)
		}
	})
}

func FuzzScript(f *testing.F) {
	p := newPlace(&testing.T{})
	for _, seed := range []string{"def handler(e, c):\n    return any(x for x in [1])", "raise X(", "f\"{a!r}\"", "x = '''", "(for", "import x\\", "def handler(e,c):\n  return e is not None", "f'{'", "a 'b' \"c\"", "]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, script string) {
		if strings.Contains(script, "*") {
			return // memory, not the rewriter, is what a long text times a number tries
		}
		runScript(p, script, map[string]any{"g": testGroup})
	})
}

func FuzzDocument(f *testing.F) {
	f.Add(`{"schemaVersion":"0.3","mainSteps":[{"name":"A","action":"aws:branch","inputs":{"Choices":[{"Not":{"Variable":"{{ A.b }}","StringEquals":1},"NextStep":"A"}]}}]}`)
	f.Add(`{"schemaVersion":"0.3","parameters":{"a":{"type":"StringMap","allowedPattern":"("}},"mainSteps":[{"name":"A","action":"aws:sleep","inputs":{"Duration":"P1DT"}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		content := documentContent(text)
		if _, err := parseRunbook(content); err != nil {
			return
		}
		at := time.Unix(0, 0)
		p := newPlace(&testing.T{})
		p.s.clock.now = func() time.Time { return at }
		p.r.documents["doc"] = &ssmDocument{Name: "doc", Content: content}
		if _, err := p.s.startAutomation(automationStart{account: p.a, region: p.r, document: "doc", as: func(access) error { return nil }}); err != nil {
			return
		}
		at = at.Add(1000 * time.Hour)
		p.s.clock.advance()
	})
}
