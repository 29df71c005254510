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
	s.recorderChanges(r)
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
		s.recorderChanges(r)
		r.recorder.Recording = false
		r.recorder.LastStop = s.clock.Now()
	}
}

// watched are the types of which changes are recorded; of the rest the first item is
// all that there is.
var watched = []string{typeSecurityGroup, typeInstance, typeSharingBlock, typeBucket}

// present gives the ids of the resources of a watched type that are there.
func (s *Sim) present(r *regionState, resourceType string) []string {
	switch resourceType {
	case typeSecurityGroup:
		return sortedKeys(r.groups)
	case typeInstance:
		return sortedKeys(s.settings(s.world.accounts[r.account], r).instances)
	case typeSharingBlock:
		return []string{r.account}
	case typeBucket:
		return s.bucketsOf(r)
	}
	return nil
}

// itemOf is the item of a resource as it is now; ok is false where it is not there.
func (s *Sim) itemOf(r *regionState, resourceType, id string) (item configItem, ok bool) {
	switch resourceType {
	case typeSecurityGroup:
		if g := r.groups[id]; g != nil {
			return s.groupItem(r, g), true
		}
	case typeInstance:
		if i := s.settings(s.world.accounts[r.account], r).instances[id]; i != nil {
			return s.instanceItem(r, i), true
		}
	case typeSharingBlock:
		return s.sharingBlockItem(s.world.accounts[r.account], r), true
	case typeBucket:
		if b := s.world.accounts[r.account].buckets[id]; b != nil && b.Region == r.name {
			return s.bucketItem(b), true
		}
	}
	return configItem{}, false
}

// recordAll writes an item of every resource that is recorded, and of every one
// that is gone, and lets the rules see it.
func (s *Sim) recordAll(r *regionState) {
	for _, t := range watched {
		if !r.recording(t) {
			continue
		}
		there := map[string]bool{}
		for _, id := range s.present(r, t) {
			there[id] = true
			s.record(r, t, id)
		}
		for _, item := range r.config.current(t) {
			if !there[item.ID] {
				s.record(r, t, item.ID)
			}
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
// deleted.
func (s *Sim) groupChanged(r *regionState, g *securityGroup) { s.changed(r, typeSecurityGroup, g.ID) }

// changed tells AWS Config that a resource was created, changed or deleted. Nothing
// happens where its type is not being recorded.
func (s *Sim) changed(r *regionState, resourceType, id string) {
	if !r.recording(resourceType) || r.recorder.LastStatus == "Pending" {
		return // the first recording will see it
	}
	s.ensureItems(r)
	key := itemKey(resourceType, id)
	if r.config.pending[key] {
		return // the item is written with what is true then
	}
	if r.config.pending == nil {
		r.config.pending = map[string]bool{}
	}
	r.config.pending[key] = true
	wait := spread(recordingLow, recordingHigh, r.account, r.name, id)
	if r.recorder.frequencyOf(resourceType) == "DAILY" {
		// One item a day, if there was a change: due when the recorder's day ends.
		wait = dailyRecording - s.clock.Now().Sub(r.recorder.LastStart)%dailyRecording
	}
	s.clock.after(wait, func() {
		delete(r.config.pending, key)
		s.record(r, resourceType, id)
	})
}

// record writes the item of one resource and has it evaluated.
func (s *Sim) record(r *regionState, resourceType, id string) {
	if !r.recording(resourceType) {
		return
	}
	item, there := s.itemOf(r, resourceType, id)
	before, known := r.config.last(resourceType, id)
	switch {
	case !there && !known:
		return
	case !there:
		before.Status, before.Configuration = "ResourceDeleted", nil
		before.Captured, before.StateID = s.clock.Now(), s.clock.Now().UnixMilli()
		r.config.write(before)
	default:
		if !known {
			item.Status = "ResourceDiscovered"
		}
		if g := r.groups[id]; resourceType == typeSecurityGroup {
			g.changed = item.Captured
		}
		r.config.write(item)
	}
	s.clock.after(evaluationDelay, func() {
		for _, name := range sortedKeys(r.rules) {
			// A new rule looks at everything anyway.
			if rule := r.rules[name]; (rule.firstEvaluated || rule.evaluations == 0) && rule.inScope(resourceType) {
				s.evaluateResource(r, rule, resourceType, id)
			}
		}
	})
}

// ruleCreated has a new or changed rule evaluated.
func (s *Sim) ruleCreated(r *regionState, rule *configRule) {
	s.evaluateLater(r, rule, spread(firstEvaluationLow, firstEvaluation, r.account, r.name, rule.Name))
	s.repeat(r, rule)
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
