package simaws

import (
	"fmt"
	"sort"
	"time"
)

const (
	bootstrapRemediation = 30 * time.Second // automatic remediation put on a rule that has findings
	queueLow             = 5 * time.Second  // QUEUED → IN_PROGRESS
	queueHigh            = 15 * time.Second
)

// remediationRole is the service-linked role that Config remediates with [K].
const remediationRole = "AWSServiceRoleForConfigRemediation"

func (e *remediationExecution) active() bool {
	return e.State == "QUEUED" || e.State == "IN_PROGRESS"
}

// steps shows the automation's steps in Config's words.
func (e *remediationExecution) steps() []remediationStep {
	if e.run == nil {
		return e.Steps
	}
	var out []remediationStep
	for _, step := range e.run.Steps {
		state := map[string]string{"Pending": "PENDING", "InProgress": "IN_PROGRESS", "Success": "SUCCEEDED", "Failed": "FAILED", "TimedOut": "FAILED", "Cancelled": "EXITED"}[step.Status]
		out = append(out, remediationStep{Name: step.Name, State: orElse(state, "UNKNOWN"), Error: step.Failure, Start: step.Start, Stop: step.Stop})
	}
	return out
}

// evaluated is told of every verdict. NON_COMPLIANT starts an automatic
// remediation; any other verdict makes failed attempts forgotten.
func (s *Sim) evaluated(r *regionState, rule *configRule, id string) {
	rem := rule.remediation
	if rem == nil {
		return
	}
	if rule.results[id].Compliance == "NON_COMPLIANT" {
		s.autoRemediate(r, rule, id)
	} else if e := rem.executions[id]; e != nil {
		e.Attempts = 0
	}
}

// remediateExisting starts an automatic remediation on the findings that are
// there when it is put.
func (s *Sim) remediateExisting(r *regionState, rule *configRule) {
	rem := rule.remediation
	s.clock.after(bootstrapRemediation, func() {
		for _, id := range sortedKeys(rule.results) {
			if rule.remediation == rem && rule.results[id].Compliance == "NON_COMPLIANT" {
				s.autoRemediate(r, rule, id)
			}
		}
	})
}

func (s *Sim) autoRemediate(r *regionState, rule *configRule, id string) {
	rem := rule.remediation
	if rem == nil || !rem.Automatic || r.rules[rule.Name] != rule {
		return
	}
	if x, there := rem.exceptions[id]; there {
		if x.Expires.IsZero() || x.Expires.After(s.clock.Now()) {
			return
		}
		delete(rem.exceptions, id)
	}
	if e := rem.executions[id]; e != nil && e.active() {
		return
	}
	s.queueRemediation(r, rule, rule.results[id].ResourceType, id, false)
}

// queueRemediation queues an execution; it starts when the rate allows.
func (s *Sim) queueRemediation(r *regionState, rule *configRule, resourceType, id string, manual bool) {
	rem, now := rule.remediation, s.clock.Now()
	if !manual {
		rem.queued()
	}
	e := &remediationExecution{ResourceType: resourceType, ResourceID: id, State: "QUEUED", Invoked: now, Updated: now, manual: manual}
	if old := rem.executions[id]; old != nil && !manual {
		e.Attempts, e.FirstAttempt = old.Attempts, old.FirstAttempt
	}
	rem.executions[id] = e
	s.clock.after(spread(queueLow, queueHigh, r.account, r.name, id), func() { s.startQueued(r, rule, rem) })
}

// startQueued starts queued executions, oldest first, while fewer run than the
// percentage of the rule's findings allows, but at least one.
func (s *Sim) startQueued(r *regionState, rule *configRule, rem *remediation) {
	var queued []*remediationExecution
	running, findings := 0, 0
	for _, e := range rem.executions {
		switch e.State {
		case "IN_PROGRESS":
			running++
		case "QUEUED":
			queued = append(queued, e)
		}
	}
	for _, e := range rule.results {
		if e.Compliance == "NON_COMPLIANT" {
			findings++
		}
	}
	sort.Slice(queued, func(i, j int) bool {
		if !queued[i].Invoked.Equal(queued[j].Invoked) {
			return queued[i].Invoked.Before(queued[j].Invoked)
		}
		return queued[i].ResourceID < queued[j].ResourceID
	})
	for _, e := range queued {
		if running >= max(1, findings*rem.ConcurrentPercent/100) {
			return
		}
		running++
		s.remediate(r, rule, rem, e)
		if e.State != "IN_PROGRESS" {
			running--
		}
	}
}

// remediate starts the automation of one execution.
func (s *Sim) remediate(r *regionState, rule *configRule, rem *remediation, e *remediationExecution) {
	a := s.world.accounts[r.account]
	parameters := map[string][]string{}
	for name, values := range rem.Static {
		parameters[name] = values
	}
	for _, name := range rem.ResourceValues {
		parameters[name] = []string{e.ResourceID}
	}
	e.State, e.Updated = "IN_PROGRESS", s.clock.Now()
	var err error
	if s.world.config.needsRemediationRole && a.roles[remediationRole] == nil {
		err = fail(400, "InsufficientPermissionsException", "The service-linked role "+remediationRole+" does not exist.")
	} else {
		by := "arn:" + s.world.partition + ":sts::" + a.ID + ":assumed-role/" + remediationRole + "/AwsConfigRemediation"
		e.run, err = s.startAutomation(automationStart{
			account: a, region: r, document: rem.TargetID, version: rem.TargetVersion, parameters: parameters, by: by,
			done: func() { s.remediated(r, rule, rem, e) },
		})
	}
	if err != nil {
		now := s.clock.Now()
		// Where Config shows that StartAutomationExecution was refused is not
		// documented; a step of that name carries the text here.
		e.Steps = []remediationStep{{Name: "StartAutomationExecution", State: "FAILED", Error: err.Error(), Start: now, Stop: now}}
		s.endRemediation(r, rule, rem, e, "FAILED")
	}
}

// remediated is told that an automation has ended.
func (s *Sim) remediated(r *regionState, rule *configRule, rem *remediation, e *remediationExecution) {
	state := "FAILED"
	if e.run.Status == "Success" {
		state = "SUCCEEDED"
	}
	s.endRemediation(r, rule, rem, e, state)
	s.startQueued(r, rule, rem)
}

func (s *Sim) endRemediation(r *regionState, rule *configRule, rem *remediation, e *remediationExecution, state string) {
	e.State, e.Updated = state, s.clock.Now()
	switch {
	case e.manual:
	case state == "FAILED":
		s.attemptFailed(r, rule, rem, e)
		rem.stopWave(s.clock.Now())
	case s.world.config.successCountsAsFailure:
		s.clock.after(recordingHigh+2*evaluationDelay, func() {
			if result := rule.results[e.ResourceID]; result != nil && result.Compliance == "NON_COMPLIANT" && rem.executions[e.ResourceID] == e {
				s.attemptFailed(r, rule, rem, e)
			}
		})
	}
}

// queued counts an automatic execution.
func (rem *remediation) queued() {
	for _, e := range rem.executions {
		if e.active() && !e.manual {
			rem.wave++
			return
		}
	}
	rem.wave, rem.waveFailed = 1, 0
}

// stopWave counts a failure: "if you set the ErrorPercentage to 40% for 10
// non-compliant resources, then SSM stops running the automations when the fifth
// error is received" (SsmControls). What was queued does not run; how AWS shows it
// is not documented, here it has failed without an attempt.
func (rem *remediation) stopWave(now time.Time) {
	rem.waveFailed++
	if rem.waveFailed*100 <= rem.ErrorPercent*rem.wave {
		return
	}
	for _, e := range rem.executions {
		if e.State == "QUEUED" && !e.manual {
			e.State, e.Updated = "FAILED", now
			e.Steps = []remediationStep{{Name: "StartAutomationExecution", State: "FAILED", Error: "The automation was not started: the error threshold has been reached.", Start: now, Stop: now}}
		}
	}
}

// attemptFailed tries again, or, after MaximumAutomaticAttempts, puts Config's
// own exception on the resource. AWS counts the attempts within
// RetryAttemptSeconds; here they are spread over that time, so all of them count.
func (s *Sim) attemptFailed(r *regionState, rule *configRule, rem *remediation, e *remediationExecution) {
	if e.Attempts == 0 {
		e.FirstAttempt = s.clock.Now()
	}
	e.Attempts++
	if e.Attempts >= rem.Attempts {
		rem.exceptions[e.ResourceID] = remediationException{Message: fmt.Sprintf("Auto remediation failed %d time(s) for this resource.", e.Attempts)}
		return
	}
	pause := max(time.Second, time.Duration(rem.RetrySeconds)*time.Second/time.Duration(rem.Attempts))
	s.clock.after(pause, func() {
		result := rule.results[e.ResourceID]
		if rule.remediation == rem && rem.executions[e.ResourceID] == e && result != nil && result.Compliance == "NON_COMPLIANT" {
			s.autoRemediate(r, rule, e.ResourceID)
		}
	})
}
