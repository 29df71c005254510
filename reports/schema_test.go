package reports

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// schema is the part of JSON Schema 2020-12 that report.schema.json uses.
type schema struct {
	Ref                  string             `json:"$ref"`
	Defs                 map[string]*schema `json:"$defs"`
	Type                 string             `json:"type"`
	Properties           map[string]*schema `json:"properties"`
	AdditionalProperties any                `json:"additionalProperties"`
	Required             []string           `json:"required"`
	Items                *schema            `json:"items"`
	Enum                 []any              `json:"enum"`
	Const                any                `json:"const"`
	Pattern              string             `json:"pattern"`
}

func TestReportJSONMatchesItsSchema(t *testing.T) {
	text, err := os.ReadFile("../docs/schemas/report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var root schema
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*Report{"empty": {}, "nasty": nasty(), "estate": estate(60, []string{"eu-west-1", "us-east-1"})} {
		var b bytes.Buffer
		if err := writeJSON(&b, r); err != nil {
			t.Fatal(err)
		}
		var value any
		if err := json.Unmarshal(b.Bytes(), &value); err != nil {
			t.Fatal(err)
		}
		check(t, &root, &root, value, name)
	}
}

func check(t *testing.T, root, s *schema, value any, at string) {
	t.Helper()
	if s.Ref != "" {
		s = root.Defs[strings.TrimPrefix(s.Ref, "#/$defs/")]
	}
	if s == nil {
		t.Fatalf("%s: the schema names a definition that it does not have", at)
	}
	if s.Const != nil && value != s.Const {
		t.Errorf("%s: %v, want %v", at, value, s.Const)
	}
	if s.Enum != nil {
		found := false
		for _, e := range s.Enum {
			found = found || e == value
		}
		if !found {
			t.Errorf("%s: %v is not in the schema", at, value)
		}
	}
	switch v := value.(type) {
	case map[string]any:
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				t.Errorf("%s: no %s", at, name)
			}
		}
		for name, member := range v {
			if p := s.Properties[name]; p != nil {
				check(t, root, p, member, at+"."+name)
			} else if s.AdditionalProperties == false {
				t.Errorf("%s: %s is not in the schema", at, name)
			}
		}
	case []any:
		if s.Type != "array" {
			t.Fatalf("%s: a list, want %s", at, s.Type)
		}
		for _, item := range v {
			check(t, root, s.Items, item, at+"[]")
		}
	case string:
		if s.Type != "" && s.Type != "string" {
			t.Errorf("%s: %q, want %s", at, v, s.Type)
		}
		if s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(v) {
			t.Errorf("%s: %q does not match %s", at, v, s.Pattern)
		}
	case float64:
		if s.Const == nil && s.Type != "integer" {
			t.Errorf("%s: %v, want %s", at, v, s.Type)
		}
	case nil:
		t.Errorf("%s: null", at)
	}
}
