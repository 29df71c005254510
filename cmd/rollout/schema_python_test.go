package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"rollout/internal/extras"
	"rollout/internal/simaws"
)

// asked is a document for testdata/schemas.py.
type asked struct {
	Schema   string `json:"schema"`
	Document any    `json:"document,omitempty"`
	YAML     string `json:"yaml,omitempty"`
}

// validated asks jsonschema, which others wrote, what is wrong with documents.
func validated(t *testing.T, documents []asked) [][]string {
	t.Helper()
	python := extras.Python(t, "jsonschema", "PyYAML")
	input, err := json.Marshal(documents)
	if err != nil {
		t.Fatal(err)
	}
	validator := exec.Command(python, "testdata/schemas.py", "../../docs/schemas")
	validator.Stdin, validator.Stderr = bytes.NewReader(input), os.Stderr
	output, err := validator.Output()
	if err != nil {
		t.Fatal(err)
	}
	var found [][]string
	if err := json.Unmarshal(output, &found); err != nil {
		t.Fatal(err)
	}
	return found
}

// validByOthers holds outputs against their schemas once more, by jsonschema. Each is
// valid as it is, and not when something in it is otherwise: a schema that takes
// anything says nothing.
func validByOthers(t *testing.T, outputs map[string][]byte) {
	t.Helper()
	var documents []asked
	var names []string
	for _, schema := range slices.Sorted(maps.Keys(outputs)) {
		var document any
		if err := json.Unmarshal(outputs[schema], &document); err != nil {
			t.Fatal(err)
		}
		documents, names = append(documents, asked{Schema: schema, Document: document}), append(names, schema)
	}
	whole := len(documents)
	broken := func(schema string, change func(prove map[string]any)) {
		var document map[string]any
		if err := json.Unmarshal(outputs[schema], &document); err != nil {
			t.Fatal(err)
		}
		change(document)
		documents = append(documents, asked{Schema: schema, Document: document})
	}
	first := func(list any) map[string]any { return list.([]any)[0].(map[string]any) }
	for _, change := range []func(map[string]any){
		func(m map[string]any) { delete(m, "run") },
		func(m map[string]any) { m["started"] = "yesterday" },
		func(m map[string]any) { m["simulated"] = "yes" },
		func(m map[string]any) { m["call_as"] = "SOMEBODY" },
		func(m map[string]any) { m["accounts"] = []any{"12"} },
		func(m map[string]any) { first(m["lines"])["verdict"] = "perhaps" },
		func(m map[string]any) { delete(first(m["claims"]), "observed") },
	} {
		broken("prove", change)
	}
	broken("plan", func(m map[string]any) { first(m["changes"])["action"] = "think" })
	broken("tree", func(m map[string]any) { delete(m, "root") })
	for i, problems := range validated(t, documents) {
		switch {
		case i < whole && len(problems) > 0:
			t.Errorf("%s: jsonschema says %s", names[i], strings.Join(problems[:min(5, len(problems))], "; "))
		case i >= whole && len(problems) == 0:
			t.Errorf("%s, broken case %d: jsonschema finds it valid", documents[i].Schema, i-whole)
		}
	}
}

// A file that describes an organization is refused by its schema for whatever is wrong
// with its form, and what the reader takes the schema takes.
func TestOrganizationFilesAgainstTheirSchema(t *testing.T) {
	example, err := os.ReadFile("../../internal/simaws/testdata/organization.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const m = "management: {name: m}\n"
	type file struct {
		text           string
		reader, schema bool // do they take it?
	}
	files := []file{
		{string(example), true, true},
		{m, true, true},
		{m + "ous: [{name: A, ous: [{name: B, accounts: [{name: a, state: SUSPENDED}]}]}]", true, true},
		{m + "accounts: [{name: a, id: '222222222222', recorders: [{region: us-east-1, recording: false}], rules: [{region: us-east-1, name: r, identifier: IAM_PASSWORD_POLICY}]}]", true, true},
		{m + "trustedAccess: [config.amazonaws.com]\ndefaults: {defaultSecurityGroup: closed}", true, true},
		{"ous: []", false, false},
		{m + "ou: []", false, false},
		{"management: {name: m, id: '1'}", false, false},
		{"management: {name: m, id: 12345678901}", false, false},
		{m + "accounts: [{name: a, state: OPEN}]", false, false},
		{m + "accounts: [a]", false, false},
		{m + "accounts: [{id: '222222222222'}]", false, false},
		{m + "defaults: {email: a@b.c}", false, false},
		{"management: {name: m, optInRegions: [us-east-1]}", false, false},
		{"management: {name: m, rules: [{region: us-east-1}]}", false, false},
		{"management: {name: m, recorders: [{name: r}]}", false, false},
		{"management: {name: m, defaultSecurityGroup: ajar}", false, false},
		{"id: 7\n" + m, false, false},
		{m + "trustedAccess: config.amazonaws.com", false, false},
		// What no schema can say: it is given twice.
		{m + "ous: [{name: A}, {name: A}]", false, true},
		{"management: {name: m, id: '111111111111'}\naccounts: [{name: a, id: '111111111111'}]", false, true},
	}
	var documents []asked
	for _, f := range files {
		documents = append(documents, asked{Schema: "organization", YAML: f.text})
	}
	for i, problems := range validated(t, documents) {
		_, err := simaws.ParseOrganization("f", []byte(files[i].text))
		if (err == nil) != files[i].reader || (len(problems) == 0) != files[i].schema {
			t.Errorf("%s\nthe reader says %v, jsonschema %v; want them to take it: %v, %v", files[i].text, err, problems, files[i].reader, files[i].schema)
		}
	}
}
