package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rollout/internal/simaws"
)

// What --output json prints is what docs/schemas says, for every member that a
// schema names, and with no member that it does not know; jsonschema finds so too.
func TestOutputsMatchTheirSchemas(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(simaws.New(simaws.Options{Speed: 600}))
	defer server.Close()
	environment := map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": "us-east-1", "AWS_CONFIG_FILE": filepath.Join(t.TempDir(), "none")}
	outputs := map[string][]byte{}
	for schema, args := range map[string][]string{
		"tree":      {"tree", "--ou", "Workloads", "--output", "json"},
		"plan":      {"plan", "--ou", "Workloads,Sandbox", "--region", "us-east-1,ap-northeast-1", "--remediation", "manual", "--blast-radius", "--auto-deploy", "--output", "json"},
		"templates": {"templates", "list", "--output", "json"},
		"lint":      {"templates", "lint", "../../templates/testdata/lint/names.yaml", "--output", "json"},
		"doctor":    {"doctor", "--region", "us-east-1", "--output", "json"},
		"explain":   {"explain", "payments-prod", "--output", "json"},
		"prove":     {"prove", "--ou", "Sandbox", "--yes", "--output", "json"},
	} {
		status, stdout, stderr := runWith(t, environment, args...)
		if status != exitDone {
			t.Fatalf("%v: exit status %d\n%s", args, status, stderr)
		}
		matches(t, schema, []byte(stdout))
		outputs[schema] = []byte(stdout)
	}
	kept := filepath.Join(t.TempDir(), "plan.json")
	if status, _, stderr := runWith(t, environment, "plan", "--ou", "Workloads", "--region", "us-east-1", "--tag", "owner=audit", "--auto-deploy=recording-base", "--save", kept); status != exitDone {
		t.Fatalf("plan --save: exit status %d\n%s", status, stderr)
	}
	text, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	matches(t, "plan-file", text)
	outputs["plan-file"] = text
	validByOthers(t, outputs)
}

// matches holds a document against a schema.
func matches(t *testing.T, schema string, document []byte) {
	t.Helper()
	var value any
	if err := json.Unmarshal(document, &value); err != nil {
		t.Fatalf("%s: %v", schema, err)
	}
	var c checker
	c.root = c.read(schema + ".schema.json")
	c.check("$", c.root, value)
	for i, p := range c.problems {
		if i == 10 {
			t.Errorf("%s: and %d more", schema, len(c.problems)-i)
			break
		}
		t.Errorf("%s: %s", schema, p)
	}
	if c.seen < 20 {
		t.Errorf("%s: only %d values were compared", schema, c.seen)
	}
}

// checker knows as much of JSON Schema as these schemas use.
type checker struct {
	root     map[string]any
	problems []string
	seen     int
}

// read gives a schema of docs/schemas.
func (c *checker) read(name string) (schema map[string]any) {
	text, err := os.ReadFile("../../docs/schemas/" + name)
	if err == nil {
		err = json.Unmarshal(text, &schema)
	}
	if err != nil {
		c.say("%s: %v", name, err)
	}
	return schema
}

func (c *checker) say(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

func (c *checker) check(at string, schema map[string]any, value any) {
	c.seen++
	if ref, ok := schema["$ref"].(string); ok && !strings.HasPrefix(ref, "#") {
		other := checker{root: c.read(ref)}
		other.check(at, other.root, value)
		c.problems, c.seen = append(c.problems, other.problems...), c.seen+other.seen
		return
	} else if ok {
		schema = c.root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	if allowed, ok := schema["enum"].([]any); ok && !slices.Contains(allowed, value) {
		c.say("%s is %v", at, value)
	}
	switch schema["type"] {
	case "object":
		members, ok := value.(map[string]any)
		if !ok {
			c.say("%s is no object", at)
			return
		}
		required, _ := schema["required"].([]any)
		for _, name := range required {
			if _, ok := members[name.(string)]; !ok {
				c.say("%s lacks %s", at, name)
			}
		}
		properties, _ := schema["properties"].(map[string]any)
		for name, v := range members {
			if p, ok := properties[name].(map[string]any); ok {
				c.check(at+"."+name, p, v)
			} else if more, ok := schema["additionalProperties"].(map[string]any); ok {
				c.check(at+"."+name, more, v)
			} else {
				c.say("%s has %s, which the schema does not know", at, name)
			}
		}
	case "array":
		list, ok := value.([]any)
		if !ok {
			c.say("%s is no array", at)
			return
		}
		for i, v := range list {
			c.check(fmt.Sprintf("%s[%d]", at, i), schema["items"].(map[string]any), v)
		}
	case "string":
		text, ok := value.(string)
		if !ok {
			c.say("%s is no string", at)
			return
		}
		if pattern, ok := schema["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(text) {
			c.say("%s is %q, not %s", at, text, pattern)
		}
	case "integer":
		if n, ok := value.(float64); !ok || n != math.Trunc(n) {
			c.say("%s is no whole number", at)
		}
	case "boolean":
		if _, ok := value.(bool); !ok {
			c.say("%s is no boolean", at)
		}
	}
}
