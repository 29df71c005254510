package simaws

import (
	"bytes"
	"slices"
	"strings"
	"time"
)

// ssmOps are the calls of Systems Manager served, by name.
var ssmOps = map[string]handler{
	"DescribeAutomationExecutions":     describeAutomations,
	"GetAutomationExecution":           getAutomation,
	"StartAutomationExecution":         startAutomationCall,
	"DescribeDocument":                 describeDocument,
	"GetDocument":                      getDocument,
	"ListDocuments":                    listDocuments,
	"StopAutomationExecution":          stopAutomation,
	"DescribeAutomationStepExecutions": describeSteps,
	"CreateDocument":                   createDocumentCall,
	"UpdateDocument":                   updateDocumentCall,
	"UpdateDocumentDefaultVersion":     updateDefaultVersion,
	"DeleteDocument":                   deleteDocumentCall,
	"ListDocumentVersions":             listVersions,
	"ModifyDocumentPermission":         modifyPermission,
	"DescribeDocumentPermission":       describePermission,
}

// automationJSON is what GetAutomationExecution and, as far as it goes,
// DescribeAutomationExecutions show of a run.
func automationJSON(e *automationExecution) map[string]any {
	m := map[string]any{
		"AutomationExecutionId": e.ID, "DocumentName": e.Document, "DocumentVersion": e.Version,
		"AutomationExecutionStatus": e.Status, "ExecutedBy": e.ExecutedBy, "Mode": "Auto", "Outputs": e.Outputs,
	}
	setTime(m, "ExecutionStartTime", e.Started)
	setTime(m, "ExecutionEndTime", e.Ended)
	setText(m, "FailureMessage", e.Failure)
	for _, step := range e.Steps {
		if step.Status == "InProgress" {
			m["CurrentStepName"], m["CurrentAction"] = step.Name, step.Action
		}
	}
	return m
}

// filteredTime says whether a time lies on the right side of a filter's values.
func filteredTime(key string, values []string, t time.Time) (bool, error) {
	for _, v := range values {
		at, err := time.Parse(time.RFC3339, v)
		if err != nil {
			return false, fail(400, "InvalidFilterValue", "The filter value is not valid: "+v)
		}
		if key == "StartTimeAfter" && !t.After(at) || key == "StartTimeBefore" && !t.Before(at) {
			return false, nil
		}
	}
	return true, nil
}

type ssmFilters struct {
	AutomationExecutionID string
	Filters               []struct {
		Key    string
		Values []string
	}
	MaxResults   *int
	NextToken    string
	ReverseOrder bool
}

// executionMatches holds a run to one filter. Runs have no parents, and neither
// change requests nor OpsItems are simulated.
func executionMatches(e *automationExecution, key string, values []string) (bool, error) {
	switch key {
	case "ExecutionId":
		return wants(values, e.ID), nil
	case "ExecutionStatus":
		return wants(values, e.Status), nil
	case "DocumentNamePrefix":
		return slices.ContainsFunc(values, func(v string) bool { return strings.HasPrefix(e.Document, v) }), nil
	case "CurrentAction":
		return slices.ContainsFunc(e.Steps, func(x automationStep) bool { return x.Status == "InProgress" && wants(values, x.Action) }), nil
	case "AutomationType":
		return wants(values, "Local"), nil
	case "TagKey":
		return slices.ContainsFunc(values, func(v string) bool { _, there := e.Tags[v]; return there }), nil
	case "StartTimeAfter", "StartTimeBefore":
		return filteredTime(key, values, e.Started)
	}
	return false, nil
}

func describeAutomations(s *Sim, c *call) (any, error) {
	var in ssmFilters
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	list := []any{}
	for i := len(r.executions) - 1; i >= 0; i-- { // newest first
		e, matches := r.executions[i], true
		for _, f := range in.Filters {
			ok, err := executionMatches(e, f.Key, f.Values)
			if err != nil {
				return nil, err
			}
			matches = matches && ok
		}
		if matches {
			m := automationJSON(e)
			m["AutomationType"] = "Local"
			list = append(list, m)
		}
	}
	return ssmPage("AutomationExecutionMetadataList", list, in.MaxResults, 50, in.NextToken)
}

func noSuchExecution(id string) error {
	return fail(400, "AutomationExecutionNotFoundException", "Automation execution not found: "+id)
}

func (r *regionState) execution(id string) (*automationExecution, error) {
	for _, e := range r.executions {
		if e.ID == id {
			return e, nil
		}
	}
	return nil, noSuchExecution(id)
}

func stepJSON(step automationStep) map[string]any {
	one := map[string]any{"StepName": step.Name, "Action": step.Action, "StepStatus": step.Status}
	if step.Inputs != nil {
		one["Inputs"] = step.Inputs
	}
	if step.Outputs != nil {
		one["Outputs"] = step.Outputs
	}
	setText(one, "StepExecutionId", step.ID)
	setText(one, "FailureMessage", step.Failure)
	setTime(one, "ExecutionStartTime", step.Start)
	setTime(one, "ExecutionEndTime", step.Stop)
	return one
}

func getAutomation(s *Sim, c *call) (any, error) {
	var in ssmFilters
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	e, err := r.execution(in.AutomationExecutionID)
	if err != nil {
		return nil, err
	}
	m := automationJSON(e)
	m["Parameters"] = e.Parameters
	steps := []any{}
	for _, step := range e.Steps {
		steps = append(steps, stepJSON(step))
	}
	m["StepExecutions"], m["StepExecutionsTruncated"] = steps, false
	return map[string]any{"AutomationExecution": m}, nil
}

// describeSteps serves DescribeAutomationStepExecutions: the steps that have
// begun, newest last unless asked for the reverse.
func describeSteps(s *Sim, c *call) (any, error) {
	var in ssmFilters
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	e, err := r.execution(in.AutomationExecutionID)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, step := range e.Steps {
		matches := !step.Start.IsZero()
		for _, f := range in.Filters {
			ok := false
			switch f.Key {
			case "StepExecutionStatus":
				ok = wants(f.Values, step.Status)
			case "StepExecutionId":
				ok = wants(f.Values, step.ID)
			case "StepName":
				ok = wants(f.Values, step.Name)
			case "Action":
				ok = wants(f.Values, step.Action)
			case "StartTimeAfter", "StartTimeBefore":
				if ok, err = filteredTime(f.Key, f.Values, step.Start); err != nil {
					return nil, err
				}
			}
			matches = matches && ok
		}
		if matches {
			list = append(list, stepJSON(step))
		}
	}
	if in.ReverseOrder {
		slices.Reverse(list)
	}
	return ssmPage("StepExecutions", list, in.MaxResults, 50, in.NextToken)
}

// stopAutomation stops a run: Cancel, the default, at once, Complete after the
// step that is running.
func stopAutomation(s *Sim, c *call) (any, error) {
	var in struct{ AutomationExecutionID, Type string }
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	e, err := r.execution(in.AutomationExecutionID)
	if err != nil {
		return nil, err
	}
	if !e.Ended.IsZero() || e.stop != "" {
		return nil, fail(400, "InvalidAutomationStatusUpdateException", "The automation execution "+e.ID+" cannot be stopped: its status is "+e.Status+".")
	}
	waits := e.Status == "Pending"
	e.stop, e.Status = orElse(in.Type, "Cancel"), "Cancelling"
	if (e.stop == "Cancel" || waits) && e.cancel != nil {
		s.clock.after(startDelay, e.cancel)
	}
	return map[string]any{}, nil
}

// startAutomationCall starts a run as the caller. A document without assumeRole
// runs with the caller's own permissions. The same ClientToken gives the same run.
func startAutomationCall(s *Sim, c *call) (any, error) {
	var in struct {
		DocumentName, DocumentVersion, ClientToken, Mode, TargetParameterName, TargetLocationsURL string

		Parameters                           map[string][]string
		Tags                                 []configTag
		Targets, TargetMaps, TargetLocations []any
		AlarmConfiguration                   any
	}
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	if in.Mode == "Interactive" || in.TargetParameterName != "" || in.TargetLocationsURL != "" || len(in.Targets)+len(in.TargetMaps)+len(in.TargetLocations) > 0 || in.AlarmConfiguration != nil {
		return nil, fail(400, "ValidationException", "The simulated organization serves no interactive automations, targets or alarms.")
	}
	a, r := s.place(c)
	asked := string(bytes.TrimSpace(c.Body))
	if in.ClientToken != "" {
		for _, e := range r.executions {
			if e.token != in.ClientToken {
				continue
			}
			if e.asked != asked {
				return nil, fail(400, "IdempotentParameterMismatch", "Error returned when an idempotent operation is retried and the parameters don't match the original call to the API with the same idempotency token.")
			}
			return map[string]any{"AutomationExecutionId": e.ID}, nil
		}
	}
	who := c.Caller
	e, err := s.startAutomation(automationStart{
		account: a, region: r, document: in.DocumentName, version: in.DocumentVersion, parameters: in.Parameters,
		by: who.ARN, as: func(x access) error { return s.allowed(who, x) },
	})
	if err != nil {
		return nil, err
	}
	e.token, e.asked, e.Tags = in.ClientToken, asked, map[string]string{}
	for _, t := range in.Tags {
		e.Tags[t.Key] = t.Value
	}
	return map[string]any{"AutomationExecutionId": e.ID}, nil
}
