package simaws

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// runbook is an automation document, schema 0.3, as far as it is run.
type runbook struct {
	assumeRole string
	parameters map[string]runbookParameter
	steps      []runbookStep
	outputs    []string
}

type runbookParameter struct {
	kind     string
	standard any
	hasValue bool // has a default
	allowed  []string
	pattern  string
}

type runbookStep struct {
	name, action, next, onFailure string
	isEnd, critical               bool
	attempts                      int
	timeout                       float64 // seconds, 0: the action's own
	inputs                        map[string]any
	outputs                       []runbookOutput
}

type runbookOutput struct{ name, selector, kind string }

// documentContent gives a document as decoded values; a template may give it as text.
func documentContent(v any) map[string]any {
	switch t := v.(type) {
	case map[string]any:
		return t
	case string:
		var m map[string]any
		if json.Unmarshal([]byte(t), &m) == nil {
			return m
		}
	}
	return nil
}

// parseRunbook reads a document. Its errors are texts for
// InvalidDocumentContent.
func parseRunbook(content map[string]any) (runbook, error) {
	var b runbook
	if content == nil {
		return b, fmt.Errorf("document content is empty or not readable")
	}
	if v := textOf(content["schemaVersion"]); v != "0.3" {
		return b, fmt.Errorf("schemaVersion %q is not supported for an Automation document", v)
	}
	b.assumeRole, _ = content["assumeRole"].(string)
	b.parameters = map[string]runbookParameter{}
	declared, _ := content["parameters"].(map[string]any)
	for name, raw := range declared {
		m, _ := raw.(map[string]any)
		p := runbookParameter{kind: textOf(m["type"]), pattern: textOf(m["allowedPattern"])}
		p.standard, p.hasValue = m["default"]
		if list, ok := m["allowedValues"].([]any); ok {
			for _, x := range list {
				p.allowed = append(p.allowed, textOf(x))
			}
		}
		b.parameters[name] = p
	}
	steps, _ := content["mainSteps"].([]any)
	if len(steps) == 0 {
		return b, fmt.Errorf("mainSteps must have at least one step")
	}
	names := map[string]bool{}
	for i, raw := range steps {
		m, ok := raw.(map[string]any)
		if !ok {
			return b, fmt.Errorf("mainSteps[%d] is not an object", i)
		}
		step := runbookStep{
			name: textOf(m["name"]), action: textOf(m["action"]), next: textOf(m["nextStep"]),
			onFailure: orElse(textOf(m["onFailure"]), "Abort"), isEnd: truth(m["isEnd"], false), attempts: 1,
		}
		if step.name == "" || step.action == "" || names[step.name] {
			return b, fmt.Errorf("mainSteps[%d] needs an action and a name of its own", i)
		}
		names[step.name] = true
		// "If the onFailure property is set to Continue in a step, the value is
		// false by default. Otherwise, the default value for this option is
		// true." (automation actions, isCritical)
		step.critical = truth(m["isCritical"], step.onFailure != "Continue")
		if n, ok := number(m["maxAttempts"]); ok && n >= 1 && n <= 100 {
			step.attempts = int(n)
		}
		if n, ok := number(m["timeoutSeconds"]); ok && n > 0 {
			step.timeout = n
		}
		step.inputs, _ = m["inputs"].(map[string]any)
		outputs, _ := m["outputs"].([]any)
		for _, rawOutput := range outputs {
			o, _ := rawOutput.(map[string]any)
			step.outputs = append(step.outputs, runbookOutput{textOf(o["Name"]), textOf(o["Selector"]), textOf(o["Type"])})
		}
		b.steps = append(b.steps, step)
	}
	for _, step := range b.steps {
		if step.next != "" && !names[step.next] {
			return b, fmt.Errorf("step %s: nextStep %s does not exist", step.name, step.next)
		}
		if to, ok := strings.CutPrefix(step.onFailure, "step:"); ok && !names[to] {
			return b, fmt.Errorf("step %s: onFailure names step %s, which does not exist", step.name, to)
		}
	}
	outputs, _ := content["outputs"].([]any)
	for _, o := range outputs {
		b.outputs = append(b.outputs, textOf(o))
	}
	return b, nil
}

func invalidParameters(why string) error {
	return fail(400, "InvalidAutomationExecutionParametersException", why)
}

// values gives every parameter its value, the default where none was passed,
// and checks them. The texts of its errors are not AWS's.
func (b runbook) values(passed map[string][]string) (map[string]any, error) {
	out := map[string]any{}
	for _, name := range sortedKeys(passed) {
		if _, ok := b.parameters[name]; !ok {
			return nil, invalidParameters(fmt.Sprintf("Parameter %q is not defined in the document.", name))
		}
	}
	for _, name := range sortedKeys(b.parameters) {
		p := b.parameters[name]
		given, ok := passed[name]
		if !ok {
			if !p.hasValue {
				return nil, invalidParameters(fmt.Sprintf("Parameter %q is required and has no value.", name))
			}
			out[name] = p.standard
			continue
		}
		for _, v := range given {
			if len(p.allowed) > 0 && !wants(p.allowed, v) {
				return nil, invalidParameters(fmt.Sprintf("Parameter %q has value %q, which is not one of the allowed values [%s].", name, v, strings.Join(p.allowed, ", ")))
			}
			if p.pattern != "" {
				// A pattern of Java's that Go cannot read is not checked.
				if re, err := regexp.Compile(p.pattern); err == nil && !re.MatchString(v) {
					return nil, invalidParameters(fmt.Sprintf("Parameter %q has value %q, which does not match the allowed pattern %s.", name, v, p.pattern))
				}
			}
		}
		out[name] = p.value(given)
	}
	return out, nil
}

// value gives the texts of a call the type that the document declares.
func (p runbookParameter) value(given []string) any {
	list := make([]any, len(given))
	for i, v := range given {
		list[i] = v
	}
	first := ""
	if len(given) > 0 {
		first = given[0]
	}
	switch p.kind {
	case "StringList":
		return list
	case "Boolean":
		return truth(first, false)
	case "Integer":
		if n, ok := number(first); ok {
			return n
		}
		return first
	case "MapList":
		for i, v := range given {
			var m any
			if json.Unmarshal([]byte(v), &m) == nil {
				list[i] = m
			}
		}
		return list
	case "StringMap":
		var m any
		if json.Unmarshal([]byte(first), &m) == nil {
			return m
		}
	}
	return first
}

// findDocument finds a document of the account, one that another account shares
// (by ARN), or one of AWS's that is simulated. It is the newest version.
func (s *Sim) findDocument(r *regionState, name string) *ssmDocument {
	if i := strings.LastIndex(name, ":document/"); i >= 0 {
		// arn:aws:ssm:<region>:<account>:document/<name>
		parts := strings.Split(name[:i], ":")
		name = name[i+len(":document/"):]
		if len(parts) == 5 && parts[4] != "" && parts[4] != r.account {
			owner := s.world.accounts[parts[4]]
			if owner == nil || parts[3] != r.name || owner.regions[r.name] == nil {
				return nil
			}
			if doc := owner.regions[r.name].documents[name]; doc != nil && doc.sharedWith(r.account) {
				return doc
			}
			return nil
		}
	}
	if doc := r.documents[name]; doc != nil {
		return doc
	}
	if name == closeDefaultGroup {
		return awsCloseDefaultGroup()
	}
	return nil
}

// publicDocument says whether a name is in AWS's own name space.
func publicDocument(name string) bool {
	for _, prefix := range []string{"AWS-", "AWSConfigRemediation-", "AWSSupport-", "AWSEC2-", "AWSDocs-"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

const closeDefaultGroup = "AWSConfigRemediation-RemoveVPCDefaultSecurityGroupRules"

// awsCloseDefaultGroup acts like AWS's runbook of that name (Automation Runbook
// Reference): the group must be the default one, then all its rules go.
func awsCloseDefaultGroup() *ssmDocument {
	script := `
import boto3
def handler(event, context):
    ec2 = boto3.client("ec2")
    group = ec2.describe_security_groups(GroupIds=[event["group"]])["SecurityGroups"][0]
    if group["IpPermissions"]:
        ec2.revoke_security_group_ingress(GroupId=event["group"], IpPermissions=group["IpPermissions"])
    if group["IpPermissionsEgress"]:
        ec2.revoke_security_group_egress(GroupId=event["group"], IpPermissions=group["IpPermissionsEgress"])
    return {"output": "Successfully removed all rules from the default security group."}
`
	text := func(pattern string) map[string]any {
		return map[string]any{"type": "String", "allowedPattern": pattern}
	}
	return &ssmDocument{Name: closeDefaultGroup, Type: "Automation", Format: "YAML", Version: "1", Content: map[string]any{
		"schemaVersion": "0.3", "assumeRole": "{{ AutomationAssumeRole }}",
		"parameters": map[string]any{"AutomationAssumeRole": text(""), "GroupId": text("^sg-[a-z0-9]+$")},
		"mainSteps": []any{
			map[string]any{"name": "CheckDefaultSecurityGroup", "action": "aws:assertAwsResourceProperty", "inputs": map[string]any{
				"Service": "ec2", "Api": "DescribeSecurityGroups", "GroupIds": []any{"{{ GroupId }}"},
				"PropertySelector": "$.SecurityGroups[0].GroupName", "DesiredValues": []any{"default"}}},
			map[string]any{"name": "RemoveRules", "action": "aws:executeScript", "isEnd": true, "inputs": map[string]any{
				"Runtime": "python3.11", "Handler": "handler", "InputPayload": map[string]any{"group": "{{ GroupId }}"}, "Script": script}},
		},
	}}
}
