package templates

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// automationActions are the actions of Systems Manager Automation with the inputs
// that each wants; words joined by | are alternatives. Source: Systems Manager user
// guide, Automation actions reference.
var automationActions = map[string]string{
	"aws:approve": "Approvers", "aws:assertAwsResourceProperty": "Service Api PropertySelector DesiredValues",
	"aws:branch": "Choices", "aws:changeInstanceState": "InstanceIds DesiredState", "aws:copyImage": "SourceImageId SourceRegion ImageName",
	"aws:createImage": "InstanceId ImageName", "aws:createStack": "StackName TemplateBody|TemplateURL",
	"aws:createTags": "ResourceIds Tags", "aws:deleteImage": "ImageId", "aws:deleteStack": "StackName",
	"aws:executeAutomation": "DocumentName", "aws:executeAwsApi": "Service Api", "aws:executeScript": "Runtime Script|Attachment",
	"aws:executeStateMachine": "stateMachineArn", "aws:invokeLambdaFunction": "FunctionName", "aws:invokeWebhook": "IntegrationName",
	"aws:loop": "Steps Iterators|LoopCondition", "aws:pause": "", "aws:runCommand": "DocumentName", "aws:runInstances": "ImageId",
	"aws:sleep": "Duration|Timestamp", "aws:updateVariable": "Name Value",
	"aws:waitForAwsResourceProperty": "Service Api PropertySelector DesiredValues",
}

// ownOutputs are the actions that put out only what the step says, plus these.
// The others put out things of their own.
var ownOutputs = map[string][]string{
	"aws:executeScript": {"Payload", "OutputPayload"}, "aws:executeAwsApi": nil, "aws:assertAwsResourceProperty": nil,
	"aws:waitForAwsResourceProperty": nil, "aws:branch": nil, "aws:sleep": nil,
}

// systemVariables are there in every run. Source: Systems Manager user guide,
// Automation system variables.
var systemVariables = []string{
	"automation:EXECUTION_ID", "global:ACCOUNT_ID", "global:DATE", "global:DATE_TIME", "global:REGION",
}

// runtimes are those of aws:executeScript. Source: Systems Manager user guide,
// aws:executeScript.
var runtimes = []string{
	"python3.6", "python3.7", "python3.8", "python3.9", "python3.10", "python3.11", "python3.12", "PowerShell Core 6.0", "PowerShell 7.0",
	"PowerShell 7.4",
}

func (l *linter) checkStep(a ssmDocument, s ssmStep) {
	action, inputs := s.get("action"), s.get("inputs")
	wanted, known := automationActions[action.text]
	if !known {
		if action.scalar() || action.empty() {
			l.say("RL402", or(action, s.node), "the step %s of %s has the action %q, which Automation does not know%s", s.name, a.id, action.text,
				meant(action.text, slices.Collect(maps.Keys(automationActions))))
		}
		return
	}
	for _, want := range strings.Fields(wanted) {
		if !slices.ContainsFunc(strings.Split(want, "|"), inputs.has) {
			l.say("RL407", or(action, s.node), "the step %s of %s lacks the input %s of %s", s.name, a.id, strings.ReplaceAll(want, "|", " or "), action.text)
		}
	}
	l.checkTargets(a, s)
	l.checkFailure(a, s)
	l.checkCall(a, s)
	if action.text == "aws:executeScript" {
		l.checkScript(a, s)
	}
	for _, e := range s.entries {
		if e.key == "name" || e.key == "description" {
			continue
		}
		l.references(a, s.index, e.value)
	}
}

// checkTargets looks for the steps that s goes on to.
func (l *linter) checkTargets(a ssmDocument, s ssmStep) {
	inputs := s.get("inputs")
	targets := append(s.get("nextStep").options(), inputs.get("Default").options()...)
	if s.get("action").text != "aws:branch" {
		targets = s.get("nextStep").options()
	}
	for _, c := range inputs.get("Choices").each() {
		if c.get("NextStep").empty() {
			l.say("RL405", c, "a choice of %s goes on to no step", s.name)
		}
		targets = append(targets, c.get("NextStep").options()...)
	}
	for _, t := range targets {
		if !t.scalar() {
			continue
		}
		if _, there := a.step(t.text); !there {
			l.say("RL405", t, "%s goes on to %q, which is no step of %s%s", s.name, t.text, a.id, meant(t.text, a.stepNames()))
		}
	}
	if s.get("action").text == "aws:branch" && inputs.get("Default").empty() {
		l.say("RL415", s.get("name"), "the branch %s of %s has no Default", s.name, a.id)
	}
}

func (l *linter) checkFailure(a ssmDocument, s ssmStep) {
	for _, key := range []string{"onFailure", "onCancel"} {
		n := s.get(key)
		name, step := strings.CutPrefix(n.text, "step:")
		switch {
		case step:
			if _, there := a.step(name); !there {
				l.say("RL405", n, "%s goes on to %q, which is no step of %s%s", s.name, name, a.id, meant(name, a.stepNames()))
			}
		case key == "onFailure" && n.text == "Continue":
			l.say("RL410", n, "the step %s of %s goes on when it fails, and a run that failed reads as a success", s.name, a.id)
		case n.scalar() && n.text != "Abort" && n.text != "Continue":
			l.say("RL405", n, "%s of %s is %q, not Abort, Continue or step:NAME", key, s.name, n.text)
		}
	}
	if c := s.get("isCritical"); strings.EqualFold(c.text, "false") {
		l.say("RL410", c, "the step %s of %s is not critical, and a run in which it failed reads as a success", s.name, a.id)
	}
}

// checkCall looks for the API of a step that calls one.
func (l *linter) checkCall(a ssmDocument, s ssmStep) {
	name, api := s.get("inputs").get("Service"), s.get("inputs").get("Api")
	if !name.scalar() || !api.scalar() || strings.Contains(name.text+api.text, "{{") {
		return
	}
	found, known := services()[name.text]
	switch {
	case !known:
		l.say("RL408", name, "the step %s of %s calls the service %q, which boto3 does not know%s", s.name, a.id, name.text, meant(name.text, slices.Collect(maps.Keys(services()))))
	case found.actions != nil:
		if _, there := found.operation(strings.ToLower(api.text)); !there {
			l.say("RL408", api, "the service %s has no %s%s", name.text, api.text, meant(api.text, slices.Collect(maps.Keys(found.actions))))
		}
	}
}

func (l *linter) checkScript(a ssmDocument, s ssmStep) {
	inputs := s.get("inputs")
	runtime, handler, script := inputs.get("Runtime"), inputs.get("Handler"), inputs.get("Script")
	if runtime.scalar() && !slices.Contains(runtimes, runtime.text) {
		l.say("RL416", runtime, "the step %s of %s has the runtime %q, which Automation does not know%s", s.name, a.id, runtime.text, meant(runtime.text, runtimes))
	}
	if !strings.HasPrefix(runtime.text, "python") {
		return
	}
	if handler.empty() {
		l.say("RL407", or(s.get("action"), s.node), "the step %s of %s lacks the input Handler, which Python wants", s.name, a.id)
	}
	if script.scalar() && handler.scalar() && !regexp.MustCompile(`(?m)^(?:async )?def `+regexp.QuoteMeta(handler.text)+`\s*\(|^`+regexp.QuoteMeta(handler.text)+`\s*=`).MatchString(script.text) {
		l.say("RL409", handler, "the script of %s defines no %s", s.name, handler.text)
	}
	if script.scalar() {
		l.checkMethods(a, s, script)
	}
}

var braces = regexp.MustCompile(`\{\{\s*([A-Za-z0-9_.:/\[\]$-]+?)\s*\}\}`)

// references looks for what is in {{ }} below n; scripts are left, for Python has
// braces of its own.
func (l *linter) references(a ssmDocument, index int, n *node) {
	for _, e := range n.entries {
		if e.key != "Script" && e.key != "Steps" {
			l.references(a, index, e.value)
		}
	}
	for _, item := range n.items {
		l.references(a, index, item)
	}
	for i, line := range strings.Split(n.text, "\n") {
		for _, m := range braces.FindAllStringSubmatch(line, -1) {
			l.reference(a, index, m[1], n.lineOf(i))
		}
	}
}

// reference says what is wrong with a name that the step at index refers to.
func (l *linter) reference(a ssmDocument, index int, name string, at *node) {
	if m := braces.FindStringSubmatch(name); m != nil {
		name = m[1]
	}
	parameters := a.content.get("parameters")
	if variable, ok := strings.CutPrefix(name, "variable:"); ok {
		if !a.content.get("variables").has(strings.SplitN(variable, ".", 2)[0]) {
			l.say("RL404", at, "%s has no variable %q", a.id, variable)
		}
		return
	}
	if slices.Contains(systemVariables, name) || strings.HasPrefix(name, "ssm:") || parameters.has(name) {
		return
	}
	from, rest, dotted := strings.Cut(name, ".")
	output := strings.FieldsFunc(rest, func(r rune) bool { return r == '.' || r == '[' })
	s, there := a.step(from)
	switch {
	case strings.Contains(name, ":"):
		l.say("RL404", at, "Automation has no variable %q%s", name, meant(name, systemVariables))
	case parameters.has(from):
	case !dotted || !there:
		var known []string
		for _, p := range parameters.entries {
			known = append(known, p.key)
		}
		if dotted {
			known = a.stepNames()
		}
		l.say("RL404", at, "%s has no parameter and no step %q%s", a.id, from, meant(from, known))
	case s.index >= index && !a.goesBack():
		l.say("RL404", at, "the step %s has not run when %s.%s is wanted", from, from, rest)
	case len(output) > 0 && !s.puts(output[0]):
		l.say("RL404", at, "the step %s does not put out %s", from, output[0])
	}
}

// goesBack says whether some step goes on to an earlier one.
func (a ssmDocument) goesBack() bool {
	for _, s := range a.steps {
		targets := append(s.get("nextStep").options(), s.get("inputs").get("Default").options()...)
		for _, c := range s.get("inputs").get("Choices").each() {
			targets = append(targets, c.get("NextStep"))
		}
		for _, t := range targets {
			if to, there := a.step(t.text); there && to.index <= s.index {
				return true
			}
		}
	}
	return false
}

func (s ssmStep) puts(output string) bool {
	outputs, only := ownOutputs[s.get("action").text]
	if !only || slices.Contains(outputs, output) {
		return true
	}
	for _, o := range s.get("outputs").each() {
		if o.get("Name").text == output {
			return true
		}
	}
	return false
}
