package simaws

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// How long steps last. AWS names no figures.
const (
	startDelay     = time.Second
	apiStep        = 3 * time.Second
	scriptStep     = 6 * time.Second
	branchStep     = time.Second
	pollInterval   = 5 * time.Second
	standardScript = 600.0  // seconds, executeScript's timeout
	standardWait   = 3600.0 // seconds, waitForAwsResourceProperty's timeout
	mostSteps      = 500    // steps that a run may take before it is taken to loop
)

// "Each account can run a maximum of 100 automations at a time": more are Pending,
// "each account can queue up to 5,000" (user guide, running-automations). This
// many runs are kept to be looked up.
const (
	mostAutomations = 100
	mostWaiting     = 5000
	keptAutomations = 1000
)

// automationStart is what StartAutomationExecution and AWS Config ask for.
type automationStart struct {
	account           *account
	region            *regionState
	document, version string
	parameters        map[string][]string
	by                string     // ARN of who starts it
	as                authorizer // for a document without assumeRole; nil: nothing is allowed
	done              func()     // called when the run has ended
}

// automationRun is a run under way.
type automationRun struct {
	s       *Sim
	start   automationStart
	book    runbook
	exec    *automationExecution
	values  map[string]any            // parameters
	outputs map[string]map[string]any // by step, then output
	as      authorizer
	assumed string // ARN of the role's session, "" without assumeRole
	visits  int
	attempt int
	failed  string // the first critical failure
	begun   bool
}

// startAutomation starts a run. Errors are AWS's to StartAutomationExecution.
func (s *Sim) startAutomation(start automationStart) (*automationExecution, error) {
	a, r := start.account, start.region
	doc := s.findDocument(r, start.document)
	if doc == nil {
		return nil, fail(400, "AutomationDefinitionNotFoundException", "Automation definition not found: "+start.document+".")
	}
	doc = doc.version(start.version, "")
	if doc == nil {
		return nil, fail(400, "AutomationDefinitionVersionNotFoundException", "Automation definition version not found: "+start.document+" version "+start.version+".")
	}
	version := doc.number()
	book, err := parseRunbook(doc.Content)
	if err != nil {
		return nil, fail(400, "InvalidDocumentContent", err.Error())
	}
	values, err := book.values(start.parameters)
	if err != nil {
		return nil, err
	}
	run := &automationRun{s: s, start: start, book: book, values: values, outputs: map[string]map[string]any{}, as: start.as}
	run.exec = &automationExecution{
		ID: s.ids.uuid(), Document: doc.Name, Version: version, Status: "InProgress", ExecutedBy: start.by,
		Parameters: start.parameters, Outputs: map[string][]string{}, Started: s.clock.Now(),
	}
	if book.assumeRole != "" {
		role, err := interpolate(book.assumeRole, run.lookup)
		if err != nil {
			return nil, invalidParameters("The format of the supplied assume role ARN is invalid.")
		}
		if arn := textOf(role); arn != "" {
			if run.as, err = s.automationRole(a, r, run.exec.ID, arn); err != nil {
				return nil, err
			}
			run.assumed = "arn:" + s.world.partition + ":sts::" + a.ID + ":assumed-role/" + arn[strings.LastIndexByte(arn, '/')+1:] + "/Automation-" + run.exec.ID
		}
	}
	for _, step := range book.steps {
		run.exec.Steps = append(run.exec.Steps, automationStep{ID: s.ids.uuid(), Name: step.name, Action: step.action, Status: "Pending"})
	}
	if r.automations >= mostAutomations && len(r.waiting) >= mostWaiting {
		return nil, fail(400, "AutomationExecutionLimitExceededException", "The number of simultaneously running Automation executions exceeded the allowable limit.")
	}
	run.exec.cancel = run.cancelled
	r.executions = append(r.executions, run.exec)
	for i := 0; len(r.executions) > keptAutomations && i < len(r.executions); i++ {
		if !r.executions[i].Ended.IsZero() {
			r.executions = slices.Delete(r.executions, i, i+1)
		}
	}
	if r.automations >= mostAutomations {
		run.exec.Status = "Pending"
		r.waiting = append(r.waiting, run)
		return run.exec, nil
	}
	run.begin()
	return run.exec, nil
}

// begin lets a run go.
func (run *automationRun) begin() {
	run.begun, run.exec.Status = true, "InProgress"
	run.start.region.automations++
	run.s.clock.after(startDelay, func() { run.step(0) })
}

// left is told that a run has ended, and lets the next one go.
func (run *automationRun) left() {
	r := run.start.region
	if run.begun {
		r.automations--
	} else {
		r.waiting = slices.DeleteFunc(r.waiting, func(x *automationRun) bool { return x == run })
	}
	for len(r.waiting) > 0 && r.automations < mostAutomations {
		next := r.waiting[0]
		r.waiting = r.waiting[1:]
		next.begin()
	}
	if run.start.done != nil {
		run.start.done()
	}
}

// lookup gives what a reference stands for.
func (run *automationRun) lookup(name string) (any, error) {
	now := run.exec.Started
	if run.s.clock != nil {
		now = run.s.clock.Now()
	}
	switch name {
	case "global:ACCOUNT_ID":
		return run.start.account.ID, nil
	case "global:REGION":
		return run.start.region.name, nil
	case "global:DATE":
		return now.Format("2006-01-02"), nil
	case "global:DATE_TIME":
		return now.Format("2006-01-02_15.04.05"), nil
	case "global:AWS_PARTITION":
		return run.s.world.partition, nil
	case "automation:EXECUTION_ID":
		return run.exec.ID, nil
	case "automation:DOCUMENT_NAME":
		return run.exec.Document, nil
	case "automation:DOCUMENT_VERSION":
		return run.exec.Version, nil
	}
	if v, ok := run.values[name]; ok {
		return v, nil
	}
	if step, output, ok := strings.Cut(name, "."); ok {
		if v, ok := run.outputs[step][output]; ok {
			return v, nil
		}
		// The words are SSM's for an output that is not there.
		return "No output available yet because the step is not successfully executed", nil
	}
	return nil, fmt.Errorf("%s is not defined in the Automation Document", name)
}

// index finds a step; -1 is none.
func (run *automationRun) index(name string) int {
	for i, step := range run.book.steps {
		if step.name == name {
			return i
		}
	}
	return -1
}

// outcome is what an action came to.
type outcome struct {
	value   any           // what output selectors read
	next    string        // branch: where to
	ends    bool          // branch: nothing chosen, the run ends
	takes   time.Duration // simulated
	again   bool          // wait: ask again after takes
	failure string        // "" for success
}

// cancelled ends a run that was asked to stop.
func (run *automationRun) cancelled() {
	e := run.exec
	if !e.Ended.IsZero() {
		return
	}
	for i := range e.Steps {
		if step := &e.Steps[i]; step.Status == "InProgress" || step.Status == "Pending" {
			if step.Status == "InProgress" {
				step.Stop = run.s.clock.Now()
			}
			step.Status = "Cancelled"
		}
	}
	e.Status, e.Ended = "Cancelled", run.s.clock.Now()
	run.left()
}

// step runs one step; the next follows when it has taken its time.
func (run *automationRun) step(i int) {
	if run.exec.stop != "" || !run.exec.Ended.IsZero() {
		run.cancelled()
		return
	}
	s, step := run.s, run.book.steps[i]
	shown := &run.exec.Steps[i]
	run.visits++
	if shown.Status != "InProgress" {
		shown.Start, shown.Stop, shown.Failure, shown.Status = s.clock.Now(), time.Time{}, "", "InProgress"
	}
	var out outcome
	raw := step.inputs
	if step.action == "aws:branch" {
		raw = nil // its choices are resolved one by one
	}
	inputs, err := interpolate(raw, run.lookup)
	switch {
	case run.visits > mostSteps:
		out.failure = "the automation took more than " + fmt.Sprint(mostSteps) + " steps"
	case err != nil:
		out.failure = "Step fails when it is validating and resolving the step inputs. " + err.Error() + ". Please refer to Automation Service Troubleshooting Guide for more diagnosis details."
	default:
		m, _ := inputs.(map[string]any)
		shown.Inputs = map[string]string{}
		for k, v := range m {
			shown.Inputs[k] = textOf(v)
		}
		out = run.act(step, m, s.clock.Now().Sub(shown.Start))
	}
	if out.again {
		s.clock.after(out.takes, func() { run.step(i) })
		return
	}
	s.clock.after(out.takes, func() { run.finish(i, out) })
}

// finish ends a step and goes on.
func (run *automationRun) finish(i int, out outcome) {
	if !run.exec.Ended.IsZero() {
		return // cancelled meanwhile
	}
	step, shown := run.book.steps[i], &run.exec.Steps[i]
	shown.Stop = run.s.clock.Now()
	if out.failure != "" {
		shown.Failure = out.failure
		run.attempt++
		if run.attempt < step.attempts && run.visits <= mostSteps {
			shown.Status = "Pending"
			run.step(i)
			return
		}
	}
	run.attempt = 0
	if out.failure != "" {
		shown.Status = "Failed"
		if strings.Contains(out.failure, "timed out") {
			shown.Status = "TimedOut"
		}
		if step.critical && run.failed == "" {
			run.failed = out.failure
		}
		switch to, jumps := strings.CutPrefix(step.onFailure, "step:"); {
		case jumps:
			run.goTo(run.index(to))
		case step.onFailure == "Continue" && !step.isEnd:
			run.goOn(i, step)
		default:
			if step.onFailure != "Continue" && run.failed == "" {
				run.failed = out.failure // an aborted run has failed, critical or not
			}
			run.end()
		}
		return
	}
	shown.Status = "Success"
	run.keepOutputs(step, shown, out.value)
	switch {
	case out.next != "":
		run.goTo(run.index(out.next))
	case out.ends || step.isEnd:
		run.end()
	default:
		run.goOn(i, step)
	}
}

func (run *automationRun) goOn(i int, step runbookStep) {
	if step.next != "" {
		run.goTo(run.index(step.next))
		return
	}
	run.goTo(i + 1)
}

func (run *automationRun) goTo(i int) {
	if i < 0 || i >= len(run.book.steps) {
		run.end()
		return
	}
	run.step(i)
}

// keepOutputs keeps the outputs that a step declares and, of a script, all its
// result as Payload.
func (run *automationRun) keepOutputs(step runbookStep, shown *automationStep, value any) {
	kept := map[string]any{}
	if step.action == "aws:executeScript" {
		if m, ok := value.(map[string]any); ok {
			kept["Payload"] = m["Payload"]
		}
	}
	for _, o := range step.outputs {
		v, found := selectPath(value, o.selector)
		if !found {
			continue
		}
		if o.kind == "" || o.kind == "String" {
			v = textOf(v)
		}
		kept[o.name] = v
	}
	run.outputs[step.name] = kept
	shown.Outputs = map[string][]string{}
	for name, v := range kept {
		shown.Outputs[name] = textsOf(v)
	}
}

// end closes the run.
func (run *automationRun) end() {
	run.exec.Ended = run.s.clock.Now()
	run.exec.Status, run.exec.Failure = "Success", run.failed
	if run.failed != "" {
		run.exec.Status = "Failed"
	}
	for _, name := range run.book.outputs {
		if v, err := run.lookup(strings.Trim(name, "{} ")); err == nil {
			run.exec.Outputs[strings.Trim(name, "{} ")] = textsOf(v)
		}
	}
	run.left()
}
