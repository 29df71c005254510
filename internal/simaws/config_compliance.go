package simaws

import (
	"sort"
)

// contributorCap is the largest ComplianceContributorCount that AWS shows.
const contributorCap = 25

func wants(types []string, word string) bool {
	for _, t := range types {
		if t == word {
			return true
		}
	}
	return len(types) == 0
}

// checkTypes refuses a ComplianceType that the call does not know.
func checkTypes(types []string, known ...string) error {
	for _, t := range types {
		ok := false
		for _, k := range known {
			ok = ok || t == k
		}
		if !ok {
			return invalidParameter("The ComplianceType " + t + " is invalid.")
		}
	}
	return nil
}

// compliance is a verdict with the number of resources behind it.
func compliance(word string, contributors int) map[string]any {
	m := map[string]any{"ComplianceType": word}
	if contributors > 0 {
		m["ComplianceContributorCount"] = map[string]any{"CappedCount": min(contributors, contributorCap), "CapExceeded": contributors > contributorCap}
	}
	return m
}

func complianceByRule(s *Sim, c *call) (any, error) {
	var in ruleNames
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	if err := checkTypes(in.ComplianceTypes, "COMPLIANT", "NON_COMPLIANT", "INSUFFICIENT_DATA"); err != nil {
		return nil, err
	}
	picked, err := pickRules(r, in.ConfigRuleNames)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, rule := range picked {
		word, contributors := s.ruleWord(r, rule), 0
		if !wants(in.ComplianceTypes, word) {
			continue
		}
		for _, e := range rule.results {
			if e.Compliance == "NON_COMPLIANT" {
				contributors++
			}
		}
		list = append(list, map[string]any{"ConfigRuleName": rule.Name, "Compliance": compliance(word, contributors)})
	}
	page, next, err := pageOf(list, 25, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"ComplianceByConfigRules": page}
	setText(out, "NextToken", next)
	return out, nil
}

// sortedResults gives a rule's results by resource type and id.
func (rule *configRule) sortedResults() []*evaluation {
	out := make([]*evaluation, 0, len(rule.results))
	for _, e := range rule.results {
		out = append(out, e)
	}
	sort.Slice(out, func(i, j int) bool {
		return out[i].ResourceType < out[j].ResourceType || out[i].ResourceType == out[j].ResourceType && out[i].ResourceID < out[j].ResourceID
	})
	return out
}

func resultJSON(rule *configRule, e *evaluation) map[string]any {
	m := map[string]any{
		"ComplianceType": e.Compliance,
		"EvaluationResultIdentifier": map[string]any{
			"EvaluationResultQualifier": map[string]any{
				"ConfigRuleName": rule.Name, "ResourceType": e.ResourceType, "ResourceId": e.ResourceID, "EvaluationMode": "DETECTIVE",
			},
			"OrderingTimestamp": epoch(e.Ordering),
		},
	}
	setTime(m, "ConfigRuleInvokedTime", e.Invoked)
	setTime(m, "ResultRecordedTime", e.Recorded)
	setText(m, "Annotation", e.Annotation)
	return m
}

func complianceDetailsByRule(s *Sim, c *call) (any, error) {
	var in struct {
		ConfigRuleName  string
		ComplianceTypes []string
		Limit           *int
		NextToken       string
	}
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	if err := checkTypes(in.ComplianceTypes, "COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE"); err != nil {
		return nil, err
	}
	limit, err := limitOf(in.Limit, 10, 100, "limit")
	if err != nil {
		return nil, err
	}
	rule := r.rules[in.ConfigRuleName]
	if rule == nil {
		return nil, noSuchRule(in.ConfigRuleName)
	}
	list := []any{}
	for _, e := range rule.sortedResults() {
		if wants(in.ComplianceTypes, e.Compliance) {
			list = append(list, resultJSON(rule, e))
		}
	}
	page, next, err := pageOf(list, limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"EvaluationResults": page}
	setText(out, "NextToken", next)
	return out, nil
}

func complianceByResource(s *Sim, c *call) (any, error) {
	var in struct {
		ResourceType, ResourceID, NextToken string
		ComplianceTypes                     []string
		Limit                               *int
	}
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	if err := checkTypes(in.ComplianceTypes, "COMPLIANT", "NON_COMPLIANT", "INSUFFICIENT_DATA"); err != nil {
		return nil, err
	}
	limit, err := limitOf(in.Limit, 10, 100, "limit")
	if err != nil {
		return nil, err
	}
	type verdict struct {
		word     string
		breaking int
	}
	verdicts := map[string]*verdict{}
	var evaluations []*evaluation
	for _, rule := range r.rules {
		for _, e := range rule.results {
			key := itemKey(e.ResourceType, e.ResourceID)
			if e.Compliance == "NOT_APPLICABLE" || in.ResourceType != "" && in.ResourceType != e.ResourceType || in.ResourceID != "" && in.ResourceID != e.ResourceID {
				continue
			}
			if verdicts[key] == nil {
				verdicts[key] = &verdict{word: "COMPLIANT"}
				evaluations = append(evaluations, e)
			}
			if e.Compliance == "NON_COMPLIANT" {
				verdicts[key].word = "NON_COMPLIANT"
				verdicts[key].breaking++
			}
		}
	}
	sort.Slice(evaluations, func(i, j int) bool {
		return itemKey(evaluations[i].ResourceType, evaluations[i].ResourceID) < itemKey(evaluations[j].ResourceType, evaluations[j].ResourceID)
	})
	list := []any{}
	for _, e := range evaluations {
		if v := verdicts[itemKey(e.ResourceType, e.ResourceID)]; wants(in.ComplianceTypes, v.word) {
			list = append(list, map[string]any{"ResourceType": e.ResourceType, "ResourceId": e.ResourceID, "Compliance": compliance(v.word, v.breaking)})
		}
	}
	page, next, err := pageOf(list, limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"ComplianceByResources": page}
	setText(out, "NextToken", next)
	return out, nil
}

func complianceDetailsByResource(s *Sim, c *call) (any, error) {
	var in struct {
		ResourceType, ResourceID, NextToken string
		ComplianceTypes                     []string
	}
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	if err := checkTypes(in.ComplianceTypes, "COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE"); err != nil {
		return nil, err
	}
	list := []any{}
	for _, name := range sortedKeys(r.rules) {
		e := r.rules[name].results[in.ResourceID]
		if e != nil && e.ResourceType == in.ResourceType && wants(in.ComplianceTypes, e.Compliance) {
			list = append(list, resultJSON(r.rules[name], e))
		}
	}
	page, next, err := pageOf(list, 100, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"EvaluationResults": page}
	setText(out, "NextToken", next)
	return out, nil
}
