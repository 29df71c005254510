package simaws

import (
	"encoding/json"
	"strings"
	"time"
)

// ssmOps are the calls of Systems Manager served, by name.
var ssmOps = map[string]handler{
	"DescribeAutomationExecutions": describeAutomations,
	"GetAutomationExecution":       getAutomation,
	"StartAutomationExecution":     startAutomationCall,
	"DescribeDocument":             describeDocument,
	"GetDocument":                  getDocument,
	"ListDocuments":                listDocuments,
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

// automationFilters are the filter keys that are understood.
var automationFilters = map[string]bool{"ExecutionId": true, "ExecutionStatus": true, "DocumentNamePrefix": true, "StartTimeAfter": true, "StartTimeBefore": true}

func describeAutomations(s *Sim, c *call) (any, error) {
	var in struct {
		Filters []struct {
			Key    string
			Values []string
		}
		MaxResults *int
		NextToken  string
	}
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	limit, err := limitOf(in.MaxResults, 50, 50, "maxResults")
	if err != nil {
		return nil, err
	}
	for _, f := range in.Filters {
		if !automationFilters[f.Key] {
			return nil, fail(400, "InvalidFilterKey", "The filter key is not valid: "+f.Key)
		}
	}
	list := []any{}
	for i := len(r.executions) - 1; i >= 0; i-- { // newest first
		e, matches := r.executions[i], true
		for _, f := range in.Filters {
			switch f.Key {
			case "ExecutionId":
				matches = matches && wants(f.Values, e.ID)
			case "ExecutionStatus":
				matches = matches && wants(f.Values, e.Status)
			case "DocumentNamePrefix":
				some := false
				for _, v := range f.Values {
					some = some || strings.HasPrefix(e.Document, v)
				}
				matches = matches && some
			case "StartTimeAfter", "StartTimeBefore":
				for _, v := range f.Values {
					at, err := time.Parse(time.RFC3339, v)
					if err != nil {
						return nil, fail(400, "InvalidFilterValue", "The filter value is not valid: "+v)
					}
					if f.Key == "StartTimeAfter" {
						matches = matches && e.Started.After(at)
					} else {
						matches = matches && e.Started.Before(at)
					}
				}
			}
		}
		if matches {
			m := automationJSON(e)
			m["AutomationType"] = "Local"
			list = append(list, m)
		}
	}
	page, next, err := pageOf(list, limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"AutomationExecutionMetadataList": page}
	setText(out, "NextToken", next)
	return out, nil
}

func getAutomation(s *Sim, c *call) (any, error) {
	var in struct{ AutomationExecutionID string }
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	for _, e := range r.executions {
		if e.ID != in.AutomationExecutionID {
			continue
		}
		m := automationJSON(e)
		m["Parameters"] = e.Parameters
		steps := []any{}
		for _, step := range e.Steps {
			one := map[string]any{"StepName": step.Name, "Action": step.Action, "StepStatus": step.Status}
			if step.Inputs != nil {
				one["Inputs"] = step.Inputs
			}
			if step.Outputs != nil {
				one["Outputs"] = step.Outputs
			}
			setText(one, "FailureMessage", step.Failure)
			setTime(one, "ExecutionStartTime", step.Start)
			setTime(one, "ExecutionEndTime", step.Stop)
			steps = append(steps, one)
		}
		m["StepExecutions"], m["StepExecutionsTruncated"] = steps, false
		return map[string]any{"AutomationExecution": m}, nil
	}
	return nil, fail(400, "AutomationExecutionNotFoundException", "Automation execution not found: "+in.AutomationExecutionID)
}

// startAutomationCall starts a run as the caller. A document without assumeRole
// runs with the caller's own permissions.
func startAutomationCall(s *Sim, c *call) (any, error) {
	var in struct {
		DocumentName, DocumentVersion string
		Parameters                    map[string][]string
	}
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	a, r := s.place(c)
	who := c.Caller
	e, err := s.startAutomation(automationStart{
		account: a, region: r, document: in.DocumentName, version: in.DocumentVersion, parameters: in.Parameters,
		by: who.ARN, as: func(x access) error { return s.allowed(who, x) },
	})
	if err != nil {
		return nil, err
	}
	return map[string]any{"AutomationExecutionId": e.ID}, nil
}

// documentOf finds the document that a call names.
func documentOf(s *Sim, c *call) (*ssmDocument, error) {
	var in struct{ Name, DocumentVersion string }
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	doc := s.findDocument(r, in.Name)
	if doc == nil {
		return nil, fail(400, "InvalidDocument", "Document with name "+in.Name+" does not exist.")
	}
	if v := in.DocumentVersion; v != "" && !strings.HasPrefix(v, "$") && v != orElse(doc.Version, "1") {
		return nil, fail(400, "InvalidDocumentVersion", "The document version is not valid or does not exist.")
	}
	return doc, nil
}

func documentJSON(s *Sim, c *call, doc *ssmDocument) map[string]any {
	owner := c.Caller.Account
	if publicDocument(doc.Name) {
		owner = "Amazon"
	}
	return map[string]any{
		"Name": doc.Name, "DocumentType": orElse(doc.Type, "Automation"), "DocumentFormat": orElse(doc.Format, "JSON"),
		"DocumentVersion": orElse(doc.Version, "1"), "Owner": owner, "SchemaVersion": textOf(doc.Content["schemaVersion"]),
	}
}

func describeDocument(s *Sim, c *call) (any, error) {
	doc, err := documentOf(s, c)
	if err != nil {
		return nil, err
	}
	m := documentJSON(s, c, doc)
	m["Status"], m["LatestVersion"], m["DefaultVersion"] = "Active", m["DocumentVersion"], m["DocumentVersion"]
	setText(m, "Description", textOf(doc.Content["description"]))
	parameters := []any{}
	declared, _ := doc.Content["parameters"].(map[string]any)
	for _, name := range sortedKeys(declared) {
		p, _ := declared[name].(map[string]any)
		one := map[string]any{"Name": name, "Type": textOf(p["type"])}
		setText(one, "Description", textOf(p["description"]))
		setText(one, "DefaultValue", textOf(p["default"]))
		parameters = append(parameters, one)
	}
	m["Parameters"] = parameters
	return map[string]any{"Document": m}, nil
}

func getDocument(s *Sim, c *call) (any, error) {
	doc, err := documentOf(s, c)
	if err != nil {
		return nil, err
	}
	content, err := json.MarshalIndent(doc.Content, "", "  ")
	if err != nil {
		return nil, err
	}
	m := documentJSON(s, c, doc)
	// JSON is YAML too, so that the text is right whatever the format says.
	m["Status"], m["Content"] = "Active", string(content)
	return m, nil
}

func listDocuments(s *Sim, c *call) (any, error) {
	var in struct {
		MaxResults *int
		NextToken  string
	}
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	limit, err := limitOf(in.MaxResults, 50, 50, "maxResults")
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, name := range sortedKeys(r.documents) {
		list = append(list, documentJSON(s, c, r.documents[name]))
	}
	page, next, err := pageOf(list, limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"DocumentIdentifiers": page}
	setText(out, "NextToken", next)
	return out, nil
}
