package simaws

import "time"

// evaluateRule evaluates a rule: a periodic one against what is there, any other
// against every recorded resource in its scope. Where the recorder is stopped those
// are not evaluated and what was said stays.
func (s *Sim) evaluateRule(r *regionState, rule *configRule) {
	managed, known := managedRules[rule.Identifier]
	if managed.look == nil && (r.recorder == nil || !r.recorder.Recording) {
		return
	}
	s.ensureItems(r)
	if !s.invoked(rule) || !known {
		return
	}
	if managed.look != nil {
		s.lookAround(r, rule)
		return
	}
	for _, t := range rule.listening() {
		for _, item := range r.config.current(t) {
			s.evaluateResource(r, rule, item.Type, item.ID)
		}
	}
}

// invoked notes that a rule was invoked, and says whether it can be evaluated: with a
// parameter that cannot be read it fails, and what was said before stays.
func (s *Sim) invoked(rule *configRule) bool {
	now := s.clock.Now()
	rule.firstEvaluated, rule.lastInvoked = true, now
	if _, wrong := managedRules[rule.Identifier].values(rule.InputParameters); wrong != "" {
		rule.lastFailure, rule.errorCode = now, "InvalidParameterValueException"
		rule.errorMessage = "The value of the input parameter " + wrong + " is not valid."
		return false
	}
	rule.lastSuccess, rule.errorCode, rule.errorMessage = now, "", ""
	return true
}

// lookAround gives a periodic rule's verdicts; those on what is gone are dropped.
func (s *Sim) lookAround(r *regionState, rule *configRule) {
	managed, now := managedRules[rule.Identifier], s.clock.Now()
	if managed.holds > 0 && rule.looked.Add(managed.holds).After(now) {
		return
	}
	rule.looked = now
	parameters, _ := managed.values(rule.InputParameters)
	there := map[string]bool{}
	for _, f := range managed.look(s, s.world.accounts[r.account], r, parameters) {
		there[f.id] = true
		s.setResult(rule, &evaluation{
			ResourceType: f.resourceType, ResourceID: f.id, Compliance: f.compliance, Annotation: f.annotation,
			Ordering: now, Invoked: now, Recorded: now.Add(500 * time.Millisecond),
		})
		s.evaluated(r, rule, f.id)
	}
	for _, id := range sortedKeys(rule.results) {
		if !there[id] {
			s.dropResult(rule, id)
		}
	}
}

// evaluateResource gives a rule's verdict on one recorded resource.
func (s *Sim) evaluateResource(r *regionState, rule *configRule, resourceType, id string) {
	if r.rules[rule.Name] != rule || !r.recording(resourceType) || !s.invoked(rule) {
		return
	}
	item, ok := r.config.last(resourceType, id)
	if !ok || !rule.covers(item) {
		s.dropResult(rule, id)
		return
	}
	now := s.clock.Now()
	s.setResult(rule, verdictOn(rule, item, now, now.Add(500*time.Millisecond)))
	s.evaluated(r, rule, id)
}

func verdictOn(rule *configRule, item configItem, invoked, recorded time.Time) *evaluation {
	managed := managedRules[rule.Identifier]
	parameters, _ := managed.values(rule.InputParameters)
	verdict, annotation := managed.verdict(item, parameters)
	return &evaluation{
		ResourceType: item.Type, ResourceID: item.ID, Compliance: verdict, Annotation: annotation,
		Ordering: item.Captured, Invoked: invoked, Recorded: recorded,
	}
}

// seedRule gives a rule that was there before the simulation its evaluations at
// once, without remediation.
func (s *Sim) seedRule(r *regionState, rule *configRule) {
	managed := managedRules[rule.Identifier]
	rule.State = "ACTIVE"
	if r.recorder == nil {
		return
	}
	s.repeat(r, rule)
	s.ensureItems(r)
	now := s.clock.Now().Add(-sinceBefore)
	rule.firstEvaluated, rule.lastInvoked, rule.lastSuccess = true, now, now
	rule.results = map[string]*evaluation{}
	if managed.look != nil {
		s.lookAround(r, rule)
		for _, e := range rule.results {
			e.Ordering, e.Invoked, e.Recorded = now, now, now
		}
	}
	for _, t := range rule.listening() {
		if !r.recorder.records(t) {
			continue
		}
		if len(r.config.current(t)) == 0 {
			// The recorder was stopped after it had recorded.
			for _, id := range s.present(r, t) {
				if item, ok := s.itemOf(r, t, id); ok {
					item.Captured, item.StateID = now, now.UnixMilli()
					r.config.write(item)
				}
			}
		}
		for _, item := range r.config.current(t) {
			rule.results[item.ID] = verdictOn(rule, item, now, now)
		}
	}
}
