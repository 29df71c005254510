package simaws

import (
	"time"
)

// How long AWS Config takes. AWS names no figures; these are of the order that
// people see: a change is recorded within a minute or two, a new rule is
// evaluated within a few minutes.
const (
	firstRecording     = 60 * time.Second // a started recorder → items of what exists
	recordingLow       = 30 * time.Second // a change → its item
	recordingHigh      = 60 * time.Second
	dailyRecording     = 24 * time.Hour // RecordingMode DAILY
	firstEvaluationLow = 60 * time.Second
	firstEvaluation    = 90 * time.Second
	evaluationDelay    = 15 * time.Second // a new item → its evaluation
	askedEvaluation    = 20 * time.Second // StartConfigRulesEvaluation
	ruleDeletion       = 15 * time.Second
	// sinceBefore is how long ago was recorded and evaluated what was there before
	// the simulation.
	sinceBefore = time.Hour
)

// recording says whether a type is being recorded there now.
func (r *regionState) recording(resourceType string) bool {
	return r.recorder != nil && r.recorder.Recording && r.recorder.records(resourceType)
}

// startRecorder switches recording on; what exists is recorded a minute later.
func (s *Sim) startRecorder(r *regionState) {
	rec, now := r.recorder, s.clock.Now()
	if rec.Recording {
		return
	}
	rec.Recording, rec.LastStatus, rec.LastStart, rec.LastStatusChanged = true, "Pending", now, now
	s.clock.after(firstRecording, func() {
		if r.recorder != rec || !rec.Recording || !rec.LastStart.Equal(now) {
			return
		}
		rec.LastStatus, rec.LastStatusChanged = "Success", s.clock.Now()
		s.recordAll(r)
	})
}

func (s *Sim) stopRecorder(r *regionState) {
	if r.recorder.Recording {
		r.recorder.Recording = false
		r.recorder.LastStop = s.clock.Now()
	}
}

// recordAll writes an item of every resource that is recorded, and of every one
// that is gone, and lets the rules see it.
func (s *Sim) recordAll(r *regionState) {
	for _, id := range sortedKeys(r.groups) {
		s.recordGroup(r, id)
	}
	for _, item := range r.config.current(typeSecurityGroup) {
		if r.groups[item.ID] == nil {
			s.recordGroup(r, item.ID)
		}
	}
	for _, item := range s.otherItems(r) {
		if _, known := r.config.last(item.Type, item.ID); !known && r.recording(item.Type) {
			r.config.write(item)
		}
	}
}

// ensureItems gives a recorder that has been recording since before the
// simulation began the items that it would have.
func (s *Sim) ensureItems(r *regionState) {
	if r.recorder != nil && r.recorder.Recording && r.recorder.LastStatus != "Pending" && len(r.config.items) == 0 {
		s.recordAll(r)
		for _, history := range r.config.items {
			for i := range history {
				history[i].Captured = history[i].Captured.Add(-sinceBefore)
				history[i].StateID = history[i].Captured.UnixMilli()
			}
		}
	}
}

// groupChanged tells AWS Config that a security group was created, changed or
// deleted. Nothing happens where its type is not being recorded.
func (s *Sim) groupChanged(r *regionState, g *securityGroup) {
	if !r.recording(typeSecurityGroup) || r.recorder.LastStatus == "Pending" {
		return // the first recording will see it
	}
	s.ensureItems(r)
	key := itemKey(typeSecurityGroup, g.ID)
	if r.config.pending[key] {
		return // the item is written with what is true then
	}
	if r.config.pending == nil {
		r.config.pending = map[string]bool{}
	}
	r.config.pending[key] = true
	wait := spread(recordingLow, recordingHigh, r.account, r.name, g.ID)
	if r.recorder.frequencyOf(typeSecurityGroup) == "DAILY" {
		// One item a day, if there was a change: due when the recorder's day ends.
		wait = dailyRecording - s.clock.Now().Sub(r.recorder.LastStart)%dailyRecording
	}
	s.clock.after(wait, func() {
		delete(r.config.pending, key)
		s.recordGroup(r, g.ID)
	})
}

// recordGroup writes the item of one group and has it evaluated.
func (s *Sim) recordGroup(r *regionState, id string) {
	if !r.recording(typeSecurityGroup) {
		return
	}
	g := r.groups[id]
	before, known := r.config.last(typeSecurityGroup, id)
	switch {
	case g == nil && !known:
		return
	case g == nil:
		before.Status, before.Configuration = "ResourceDeleted", nil
		before.Captured, before.StateID = s.clock.Now(), s.clock.Now().UnixMilli()
		r.config.write(before)
	default:
		item := s.groupItem(r, g)
		if !known {
			item.Status = "ResourceDiscovered"
		}
		g.changed = item.Captured
		r.config.write(item)
	}
	s.clock.after(evaluationDelay, func() {
		for _, name := range sortedKeys(r.rules) {
			// A new rule looks at everything anyway.
			if rule := r.rules[name]; (rule.firstEvaluated || rule.evaluations == 0) && rule.inScope(typeSecurityGroup) {
				s.evaluateResource(r, rule, typeSecurityGroup, id)
			}
		}
	})
}

// inScope says whether changes of a type make the rule look.
func (rule *configRule) inScope(resourceType string) bool {
	managed, known := managedRules[rule.Identifier]
	if !known || managed.resourceType != resourceType {
		return false
	}
	for _, t := range rule.ScopeTypes {
		if t == resourceType {
			return true
		}
	}
	return len(rule.ScopeTypes) == 0
}

// ruleCreated has a new or changed rule evaluated.
func (s *Sim) ruleCreated(r *regionState, rule *configRule) {
	s.evaluateLater(r, rule, spread(firstEvaluationLow, firstEvaluation, r.account, r.name, rule.Name))
}

// evaluateLater evaluates the whole rule after a while; until then its state is
// EVALUATING.
func (s *Sim) evaluateLater(r *regionState, rule *configRule, wait time.Duration) {
	rule.evaluations++
	rule.State = "EVALUATING"
	s.clock.after(wait, func() {
		rule.evaluations--
		if r.rules[rule.Name] != rule {
			return // deleted meanwhile
		}
		if rule.evaluations == 0 && rule.State == "EVALUATING" {
			rule.State = "ACTIVE"
		}
		s.evaluateRule(r, rule)
	})
}

// evaluateRule evaluates a rule against every recorded resource in its scope.
// Where the recorder is stopped nothing is evaluated and what was said stays.
func (s *Sim) evaluateRule(r *regionState, rule *configRule) {
	if r.recorder == nil || !r.recorder.Recording {
		return
	}
	s.ensureItems(r)
	now := s.clock.Now()
	rule.firstEvaluated, rule.lastInvoked, rule.lastSuccess = true, now, now
	managed, known := managedRules[rule.Identifier]
	if !known || !rule.inScope(managed.resourceType) {
		return
	}
	for _, item := range r.config.current(managed.resourceType) {
		s.evaluateResource(r, rule, item.Type, item.ID)
	}
}

// evaluateResource gives a rule's verdict on one resource.
func (s *Sim) evaluateResource(r *regionState, rule *configRule, resourceType, id string) {
	if r.rules[rule.Name] != rule || !r.recording(resourceType) {
		return
	}
	now := s.clock.Now()
	rule.firstEvaluated, rule.lastInvoked, rule.lastSuccess = true, now, now
	item, ok := r.config.last(resourceType, id)
	if !ok || !rule.covers(item) {
		s.dropResult(rule, id)
		return
	}
	verdict, annotation := managedRules[rule.Identifier].verdict(item, rule.InputParameters)
	s.setResult(rule, &evaluation{
		ResourceType: resourceType, ResourceID: id,
		Compliance: verdict, Annotation: annotation,
		Ordering: item.Captured, Invoked: now, Recorded: now.Add(500 * time.Millisecond),
	})
	s.evaluated(r, rule, id)
}

// ruleWord is Config's word on a whole rule: COMPLIANT, NON_COMPLIANT or
// INSUFFICIENT_DATA. Resources that are NOT_APPLICABLE do not count.
func (s *Sim) ruleWord(r *regionState, rule *configRule) string {
	word := "INSUFFICIENT_DATA"
	for _, e := range rule.results {
		switch e.Compliance {
		case "NON_COMPLIANT":
			return e.Compliance
		case "COMPLIANT":
			word = e.Compliance
		}
	}
	return word
}

// seedRule gives a rule that was there before the simulation its evaluations at
// once, without remediation.
func (s *Sim) seedRule(r *regionState, rule *configRule) {
	managed, known := managedRules[rule.Identifier]
	rule.State = "ACTIVE"
	if r.recorder == nil {
		return
	}
	s.ensureItems(r)
	now := s.clock.Now().Add(-sinceBefore)
	rule.firstEvaluated, rule.lastInvoked, rule.lastSuccess = true, now, now
	if !known || !r.recorder.records(managed.resourceType) || !rule.inScope(managed.resourceType) {
		return
	}
	items := r.config.current(managed.resourceType)
	if len(items) == 0 && managed.resourceType == typeSecurityGroup {
		// The recorder was stopped after it had recorded.
		for _, id := range sortedKeys(r.groups) {
			item := s.groupItem(r, r.groups[id])
			item.Captured, item.StateID = now, now.UnixMilli()
			r.config.write(item)
		}
		items = r.config.current(managed.resourceType)
	}
	rule.results = map[string]*evaluation{}
	for _, item := range items {
		verdict, annotation := managed.verdict(item, rule.InputParameters)
		rule.results[item.ID] = &evaluation{
			ResourceType: item.Type, ResourceID: item.ID, Compliance: verdict, Annotation: annotation,
			Ordering: item.Captured, Invoked: now, Recorded: now,
		}
	}
}
