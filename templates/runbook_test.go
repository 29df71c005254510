package templates

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// automationActions are the actions that Systems Manager Automation knows. Source:
// Automation actions reference.
var automationActions = strings.Fields(`aws:approve aws:assertAwsResourceProperty aws:branch
	aws:changeInstanceState aws:copyImage aws:createImage aws:createStack aws:createTags aws:deleteImage
	aws:deleteStack aws:executeAutomation aws:executeAwsApi aws:executeScript aws:executeStateMachine
	aws:invokeWebhook aws:invokeLambdaFunction aws:loop aws:pause aws:runCommand aws:runInstances aws:sleep
	aws:updateVariable aws:waitForAwsResourceProperty`)

// runbook is an SSM Automation document of the catalog, with the role it runs as.
type runbook struct {
	template   Template
	content    map[string]any
	steps      []map[string]any
	allowed    []string // the role's actions
	parameters map[string]any
}

// runbooks are all of the catalog's, evaluated with the parameters given.
func runbooks(t *testing.T, given map[string]string) []runbook {
	t.Helper()
	var list []runbook
	for _, template := range All() {
		made := evaluate(t, template.Document(), given).resources()
		var allowed []string
		for id, properties := range made {
			if template.Document().Resources[id].Type == "AWS::IAM::Role" {
				allowed = append(allowed, actionsOf(properties)...)
			}
		}
		for id, properties := range made {
			if template.Document().Resources[id].Type != "AWS::SSM::Document" {
				continue
			}
			r := runbook{template: template, content: properties["Content"].(map[string]any), allowed: allowed}
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

func actionsOf(role map[string]any) []string {
	var actions []string
	for _, p := range role["Policies"].([]any) {
		document := p.(map[string]any)["PolicyDocument"].(map[string]any)
		for _, s := range document["Statement"].([]any) {
			actions = append(actions, list(s.(map[string]any)["Action"])...)
		}
	}
	return actions
}

// list is one string, or several.
func list(v any) []string {
	if s, ok := v.(string); ok {
		return []string{s}
	}
	return literals(v)
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
			r.checkStep(t, names, i, step)
		}
		for _, end := range []string{StepLeaveInUse, StepLeaveExempt, StepAlreadyEmpty, StepVerify} {
			at := slices.Index(names, end)
			if at < 0 || r.steps[at]["isEnd"] != true {
				t.Errorf("%s: %s does not end it", r.template.Name, end)
			}
		}
		if names[len(names)-1] != StepVerify {
			t.Errorf("%s ends with %s", r.template.Name, names[len(names)-1])
		}
	}
}

var reference = regexp.MustCompile(`\{\{\s*([A-Za-z0-9_.:]+)\s*\}\}`)

func (r runbook) checkStep(t *testing.T, names []string, i int, step map[string]any) {
	t.Helper()
	what := r.template.Name + "." + names[i]
	if !slices.Contains(automationActions, fmt.Sprint(step["action"])) {
		t.Errorf("%s: no action %v", what, step["action"])
	}
	if slices.Index(names, names[i]) != i {
		t.Errorf("%s is there twice", what)
	}
	// A failure that is gone over ends in Success.
	if f := step["onFailure"]; f != nil && f != "Abort" {
		t.Errorf("%s: onFailure %v", what, f)
	}
	inputs := step["inputs"].(map[string]any)
	targets := []any{step["nextStep"], inputs["Default"]}
	choices, _ := inputs["Choices"].([]any)
	for _, c := range choices {
		targets = append(targets, c.(map[string]any)["NextStep"])
	}
	for _, target := range targets {
		if target != nil && slices.Index(names, target.(string)) <= i {
			t.Errorf("%s goes on to %v, which is not after it", what, target)
		}
	}
	if step["action"] == "aws:branch" && inputs["Default"] == nil {
		t.Errorf("%s has no default", what)
	}
	for _, match := range reference.FindAllStringSubmatch(fmt.Sprint(inputs), -1) {
		name := match[1]
		from, output, dotted := strings.Cut(name, ".")
		switch {
		case slices.Contains([]string{"automation:EXECUTION_ID", "global:ACCOUNT_ID", "global:REGION"}, name), r.parameters[name] != nil:
		case !dotted || slices.Index(names[:i], from) < 0:
			t.Errorf("%s refers to %s, which is nothing before it", what, name)
		case !r.hasOutput(from, output):
			t.Errorf("%s refers to %s, which that step does not put out", what, name)
		}
	}
	if script, ok := inputs["Script"].(string); ok && !strings.Contains(script, "def "+inputs["Handler"].(string)+"(") {
		t.Errorf("%s: no handler %v in its script", what, inputs["Handler"])
	}
}

func (r runbook) hasOutput(step, output string) bool {
	for _, s := range r.steps {
		outputs, _ := s["outputs"].([]any)
		for _, o := range outputs {
			if s["name"] == step && o.(map[string]any)["Name"] == output {
				return true
			}
		}
	}
	return false
}

var (
	clientOf = regexp.MustCompile(`(\w+) = boto3\.client\("([a-z0-9]+)"`)
	direct   = regexp.MustCompile(`boto3\.client\("([a-z0-9]+)"[^)]*\)\.([a-z_0-9]+)`)
)

// calls are the API calls of a script, as IAM actions.
func calls(script string) []string {
	var actions []string
	add := func(service, method string) {
		action := service + ":"
		for word := range strings.SplitSeq(method, "_") {
			action += strings.ToUpper(word[:1]) + word[1:]
		}
		if !slices.Contains(actions, action) {
			actions = append(actions, action)
		}
	}
	// A function may be handed a client under the name that its caller gave it.
	services := map[string]string{}
	for _, m := range clientOf.FindAllStringSubmatch(script, -1) {
		services[m[1]] = m[2]
	}
	for variable, service := range services {
		for _, m := range regexp.MustCompile(`\b`+variable+`\.([a-z_0-9]+)`).FindAllStringSubmatch(script, -1) {
			add(service, m[1])
		}
	}
	for _, m := range direct.FindAllStringSubmatch(script, -1) {
		add(m[1], m[2])
	}
	return actions
}

// Every call has its permission, and every permission its call.
func TestRunbookPermissions(t *testing.T) {
	for _, r := range runbooks(t, home) {
		used := map[string]bool{}
		for _, step := range r.steps {
			inputs := step["inputs"].(map[string]any)
			if api, ok := inputs["Api"].(string); ok {
				used[fmt.Sprintf("%v:%s", inputs["Service"], api)] = true
			}
			if script, ok := inputs["Script"].(string); ok {
				for _, action := range calls(script) {
					used[action] = true
				}
			}
		}
		for action := range used {
			if !slices.Contains(r.allowed, action) {
				t.Errorf("%s calls %s, which its role may not", r.template.Name, action)
			}
		}
		for _, action := range r.allowed {
			if !used[action] {
				t.Errorf("%s's role may %s, which it does not call", r.template.Name, action)
			}
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
