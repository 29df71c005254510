package templates

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// runbook is an SSM Automation document of the catalog, with the role it runs as.
type runbook struct {
	template   Template
	content    map[string]any
	steps      []map[string]any
	parameters map[string]any
}

// runbooks are all of the catalog's, evaluated with the parameters given.
func runbooks(t *testing.T, given map[string]string) []runbook {
	t.Helper()
	var list []runbook
	for _, template := range All() {
		made := evaluate(t, template.Document(), given).resources()
		for id, properties := range made {
			if template.Document().Resources[id].Type != "AWS::SSM::Document" {
				continue
			}
			r := runbook{template: template, content: properties["Content"].(map[string]any)}
			for _, step := range r.content["mainSteps"].([]any) {
				r.steps = append(r.steps, step.(map[string]any))
			}
			r.parameters = r.content["parameters"].(map[string]any)
			list = append(list, r)
		}
	}
	if len(list) == 0 {
		t.Fatal("no runbook")
	}
	return list
}

func TestRunbookShape(t *testing.T) {
	for _, r := range runbooks(t, home) {
		if r.content["schemaVersion"] != "0.3" || r.content["assumeRole"] != "{{ AutomationAssumeRole }}" {
			t.Errorf("%s: schema %v, assumeRole %v", r.template.Name, r.content["schemaVersion"], r.content["assumeRole"])
		}
		for name, p := range r.parameters {
			p := p.(map[string]any)
			if p["allowedPattern"] == nil && p["allowedValues"] == nil {
				t.Errorf("%s: parameter %s takes anything", r.template.Name, name)
			}
			if pattern, ok := p["allowedPattern"].(string); ok && (pattern[0] != '^' || pattern[len(pattern)-1] != '$') {
				t.Errorf("%s: the pattern of %s is not anchored", r.template.Name, name)
			}
		}
		var names []string
		for _, step := range r.steps {
			names = append(names, step["name"].(string))
		}
		for i, step := range r.steps {
			if f := step["onFailure"]; f != nil && f != "Abort" {
				t.Errorf("%s.%s: onFailure %v", r.template.Name, names[i], f)
			}
		}
		for i, step := range r.steps {
			leaves := strings.HasPrefix(names[i], "Leave") || strings.HasPrefix(names[i], "Already")
			if ends := step["isEnd"] == true; ends != (leaves || names[i] == StepVerify) {
				t.Errorf("%s: %s ends it: %v", r.template.Name, names[i], ends)
			}
			if strings.HasPrefix(names[i], "Leave") != Left(names[i]) {
				t.Errorf("%s: %s is not known to leave something", r.template.Name, names[i])
			}
		}
		if outputs, _ := r.content["outputs"].([]any); slices.Contains(names, StepLeaveInUse) && !slices.Contains(outputs, any("Examine.Resource")) {
			t.Errorf("%s: its outputs %v do not say what was left", r.template.Name, outputs)
		}
		if names[len(names)-1] != StepVerify {
			t.Errorf("%s ends with %s", r.template.Name, names[len(names)-1])
		}
	}
}

func TestRoleIsNarrow(t *testing.T) {
	enforce, err := Lookup(DefaultSecurityGroupEnforce)
	if err != nil {
		t.Fatal(err)
	}
	const key = "arn:aws-cn:kms:eu-west-1:111122223333:key/1"
	role := evaluate(t, enforce.Document(), map[string]string{
		ParameterHomeRegion: "eu-west-1", "DeliveryKmsKeyArn": key, ParameterPermissionsBoundary: "arn:aws-cn:iam::111122223333:policy/b",
		"AWS::Region": "eu-west-2", "AWS::Partition": "aws-cn",
	}).resources()["Role"]
	trust := fmt.Sprint(role["AssumeRolePolicyDocument"])
	for _, want := range []string{"aws:SourceAccount:111122223333", "aws:SourceArn:arn:aws-cn:ssm:eu-west-2:111122223333:automation-execution/*", "Service:ssm.amazonaws.com"} {
		if !strings.Contains(trust, want) {
			t.Errorf("trust lacks %s: %s", want, trust)
		}
	}
	if role["PermissionsBoundary"] != "arn:aws-cn:iam::111122223333:policy/b" {
		t.Errorf("boundary %v", role["PermissionsBoundary"])
	}
	resources := map[string]string{}
	statements := role["Policies"].([]any)[0].(map[string]any)["PolicyDocument"].(map[string]any)["Statement"].([]any)
	for _, s := range statements {
		s := s.(map[string]any)
		resources[s["Sid"].(string)] = fmt.Sprintf("%v %v", s["Resource"], s["Condition"])
	}
	for sid, want := range map[string]string{
		"Look":     "* <nil>",
		"Revoke":   "arn:aws-cn:ec2:eu-west-2:111122223333:security-group/* map[Null:map[aws:ResourceTag/" + ExemptTag + ":true]]",
		"Remember": "arn:aws-cn:s3:::rollout-config-111122223333-eu-west-1-an/" + BeforePrefix("111122223333", "eu-west-2") + "* <nil>",
		"Encrypt":  key + " map[StringEquals:map[kms:ViaService:s3.eu-west-1.amazonaws.com]]",
	} {
		if resources[sid] != want {
			t.Errorf("%s is for %s, want %s", sid, resources[sid], want)
		}
	}
	if len(resources) != 4 {
		t.Errorf("statements %v", resources)
	}
}
