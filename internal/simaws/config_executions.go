package simaws

import (
	"strconv"
)

// resourceKeys are the keys of remediation calls: camelCase in executions,
// PascalCase in exceptions; decoding takes both.
type resourceKeys struct {
	ConfigRuleName string
	ResourceKeys   []struct{ ResourceType, ResourceID string }
	Message        string
	ExpirationTime float64
	Limit          *int
	NextToken      string
}

// remediationOf decodes a call about one rule's remediation.
func remediationOf(s *Sim, c *call, standard, most int) (in resourceKeys, r *regionState, rule *configRule, limit int, err error) {
	if err = decode(c, &in); err != nil {
		return
	}
	_, r = s.place(c)
	if err = tooMany("resourceKeys", len(in.ResourceKeys), most); err != nil {
		return
	}
	if limit, err = limitOf(in.Limit, standard, 100, "limit"); err != nil {
		return
	}
	rule = r.rules[in.ConfigRuleName]
	if rule == nil || rule.remediation == nil {
		err = noSuchRemediation(in.ConfigRuleName)
	}
	return
}

// chosen says whether a resource is among the keys, or none was given.
func (k resourceKeys) chosen(resourceType, id string) bool {
	for _, key := range k.ResourceKeys {
		if key.ResourceType == resourceType && key.ResourceID == id {
			return true
		}
	}
	return len(k.ResourceKeys) == 0
}

func describeRemediationStatus(s *Sim, c *call) (any, error) {
	in, _, rule, limit, err := remediationOf(s, c, 25, 100)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, id := range sortedKeys(rule.remediation.executions) {
		e := rule.remediation.executions[id]
		if !in.chosen(e.ResourceType, id) {
			continue
		}
		steps := []any{}
		for _, step := range e.steps() {
			m := map[string]any{"Name": step.Name, "State": step.State}
			setText(m, "ErrorMessage", step.Error)
			setTime(m, "StartTime", step.Start)
			setTime(m, "StopTime", step.Stop)
			steps = append(steps, m)
		}
		m := map[string]any{"ResourceKey": map[string]any{"resourceType": e.ResourceType, "resourceId": id}, "State": e.State, "StepDetails": steps}
		setTime(m, "InvocationTime", e.Invoked)
		setTime(m, "LastUpdatedTime", e.Updated)
		list = append(list, m)
	}
	page, next, err := pageOf(list, limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"RemediationExecutionStatuses": page}
	setText(out, "NextToken", next)
	return out, nil
}

func startRemediationCall(s *Sim, c *call) (any, error) {
	in, r, rule, _, err := remediationOf(s, c, 25, 100)
	if err != nil {
		return nil, err
	}
	if len(in.ResourceKeys) == 0 {
		return nil, missing("resourceKeys")
	}
	failed, why := []any{}, ""
	for _, key := range in.ResourceKeys {
		e := rule.results[key.ResourceID]
		old := rule.remediation.executions[key.ResourceID]
		switch {
		case e == nil || e.ResourceType != key.ResourceType || e.Compliance != "NON_COMPLIANT":
			why = "Resources are not NON_COMPLIANT for the rule."
		case old != nil && old.active():
			why = "Remediation is already in progress for the resources."
		default:
			s.queueRemediation(r, rule, key.ResourceType, key.ResourceID, true)
			continue
		}
		failed = append(failed, map[string]any{"resourceType": key.ResourceType, "resourceId": key.ResourceID})
	}
	out := map[string]any{"FailedItems": failed}
	setText(out, "FailureMessage", why)
	return out, nil
}

func describeExceptions(s *Sim, c *call) (any, error) {
	in, _, rule, limit, err := remediationOf(s, c, 25, 100)
	if limit > 0 && (rule == nil || rule.remediation == nil) {
		// The model has no error for a rule without remediation.
		return map[string]any{"RemediationExceptions": []any{}}, nil
	}
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, id := range sortedKeys(rule.remediation.exceptions) {
		x := rule.remediation.exceptions[id]
		resourceType := orElse(rule.remediation.ResourceType, typeSecurityGroup)
		if e := rule.results[id]; e != nil {
			resourceType = e.ResourceType
		}
		if !in.chosen(resourceType, id) {
			continue
		}
		m := map[string]any{"ConfigRuleName": rule.Name, "ResourceType": resourceType, "ResourceId": id}
		setText(m, "Message", x.Message)
		setTime(m, "ExpirationTime", x.Expires)
		list = append(list, m)
	}
	page, next, err := pageOf(list, limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"RemediationExceptions": page}
	setText(out, "NextToken", next)
	return out, nil
}

// putExceptions puts exceptions on resources that are NON_COMPLIANT; for others
// none is generated (PutRemediationExceptions).
func putExceptions(s *Sim, c *call) (any, error) {
	in, _, rule, _, err := remediationOf(s, c, 25, 100)
	if err != nil {
		return nil, err
	}
	failed := []any{}
	for _, key := range in.ResourceKeys {
		if e := rule.results[key.ResourceID]; e == nil || e.Compliance != "NON_COMPLIANT" || e.ResourceType != key.ResourceType {
			failed = append(failed, map[string]any{"ConfigRuleName": rule.Name, "ResourceType": key.ResourceType, "ResourceId": key.ResourceID})
			continue
		}
		rule.remediation.exceptions[key.ResourceID] = remediationException{Message: in.Message, Expires: fromEpoch(in.ExpirationTime)}
	}
	return failedBatches(failed, "Remediation exceptions can only be added for resources that are NON_COMPLIANT."), nil
}

func deleteExceptions(s *Sim, c *call) (any, error) {
	in, _, rule, _, err := remediationOf(s, c, 25, 100)
	if err != nil {
		return nil, err
	}
	failed := []any{}
	for _, key := range in.ResourceKeys {
		if _, there := rule.remediation.exceptions[key.ResourceID]; !there {
			failed = append(failed, map[string]any{"ResourceType": key.ResourceType, "ResourceId": key.ResourceID})
			continue
		}
		delete(rule.remediation.exceptions, key.ResourceID)
	}
	if len(failed) > 0 && len(failed) == len(in.ResourceKeys) {
		return nil, fail(400, "NoSuchRemediationExceptionException", "No RemediationException for rule "+strconv.Quote(rule.Name)+" and the resources exists.")
	}
	return failedBatches(failed, "No remediation exception exists for the resources."), nil
}

func failedBatches(failed []any, why string) map[string]any {
	if len(failed) == 0 {
		return map[string]any{"FailedBatches": []any{}}
	}
	return map[string]any{"FailedBatches": []any{map[string]any{"FailureMessage": why, "FailedItems": failed}}}
}
