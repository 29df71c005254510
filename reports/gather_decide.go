package reports

import (
	"fmt"
	"strings"
	"time"

	"rollout/stackset"
	"rollout/templates"
)

// noInstance is the instance_status of a place without a stack instance.
const noInstance = "NONE"

// decide turns what was read in a place into a rule's cell and its findings. The
// first gap that applies wins, in the order of the Status constants.
func decide(place Place, rule templates.Rule, f facts, instance stackset.Instance, deployed bool) (Cell, []Finding) {
	cell := Cell{Place: place, Rule: rule, InstanceStatus: noInstance}
	if deployed {
		cell.InstanceStatus = orText(instance.DetailedStatus, orText(instance.Status, noInstance))
		cell.InstanceReason = instance.Reason
	}
	rf := f.rules[rule.Name]
	if f.blocked != (obstacle{}) {
		cell.Status, cell.Detail = f.blocked.status, f.blocked.detail
		return cell, nil
	}
	if rf == nil {
		// A rule that nobody asked about is unread, never fine.
		cell.Status, cell.Detail = Unreachable, "not read"
		return cell, nil
	}
	cell.Remediation = rf.remediation.mode
	if rf.source == nil {
		cell.Remediation = "off" // nothing hangs on a rule that is not there
	}
	if rf.blocked != (obstacle{}) {
		cell.Status, cell.Detail = rf.blocked.status, rf.blocked.detail
		return cell, nil
	}
	switch off, left := f.recorder.off(), f.recorder.leftOut(rule.ResourceTypes); {
	case rf.source == nil:
		cell.Status, cell.Detail = NotDeployed, notDeployed(cell, deployed)
	case off != "":
		cell.Status, cell.Detail = RecorderOff, off+"; nothing is evaluated until it records"
	case len(left) > 0:
		cell.Status, cell.Detail = NotRecorded, fmt.Sprintf("the configuration recorder %s leaves out %s", f.recorder.name, strings.Join(left, ", "))
	default:
		return verdictOf(cell, f, rf)
	}
	return cell, nil
}

// verdictOf fills in AWS Config's own word.
func verdictOf(cell Cell, f facts, rf *ruleFacts) (Cell, []Finding) {
	cell.Status, cell.SourceRule, cell.LastEvaluated = rf.word, rf.source.name, rf.evaluation.success
	var notes []string
	switch rf.word {
	case Compliant, NotApplicable:
	case NonCompliant:
		if len(rf.findings) == 0 {
			notes = append(notes, "AWS Config lists no resource for it")
		}
	case InsufficientData, "":
		cell.Status = InsufficientData
		notes = append(notes, insufficient(rf.evaluation))
	default:
		cell.Status, cell.SourceRule, cell.LastEvaluated = Unreachable, "", time.Time{}
		cell.Detail = fmt.Sprintf("AWS Config gave a word that this version does not know: %s", rf.word)
		return cell, nil
	}
	if cell.Status == InsufficientData && f.recorder.recordedDaily(cell.Rule.ResourceTypes) {
		notes = append(notes, "resources are recorded once a day")
	}
	if f.recorder.lastStatus == "Failure" {
		notes = append(notes, "the configuration recorder reports a failure: "+orText(clip(f.recorder.lastError), "no reason given"))
	}
	if rf.remediation.err != nil {
		notes = append(notes, "remediation could not be read: "+clip(rf.remediation.err.Error()))
	}
	cell.Detail = strings.Join(notes, "; ")
	if cell.Status != NonCompliant {
		return cell, nil
	}
	cell.NonCompliantResources = len(rf.findings)
	findings := make([]Finding, len(rf.findings))
	for i, e := range rf.findings {
		findings[i] = Finding{
			Place: cell.Place, Rule: cell.Rule, ResourceType: e.resourceType, ResourceID: e.resourceID,
			Status: NonCompliant, Annotation: e.annotation, LastEvaluated: e.recorded,
			RemediationStatus: orText(e.remediation.status, remediationNone), RemediationDetail: e.remediation.detail, Exception: e.remediation.exception,
		}
	}
	return cell, findings
}

// nothingInScope explains INSUFFICIENT_DATA of a rule that has been evaluated.
const nothingInScope = "nothing in scope"

// insufficient explains INSUFFICIENT_DATA.
func insufficient(e evaluationFacts) string {
	switch {
	case e.problem != "":
		return "rule error: " + clip(e.problem)
	case !e.newerThan(time.Time{}):
		return "not evaluated yet"
	}
	return nothingInScope
}

// notDeployed says why there is no rule, as far as the stack instance tells.
func notDeployed(cell Cell, deployed bool) string {
	switch {
	case !deployed:
		return "no stack instance brings the rule here, and no equal rule is here"
	case cell.InstanceStatus == "SUCCEEDED":
		return "the stack instance is SUCCEEDED, yet the rule is not here: it was taken away outside of StackSets"
	case cell.InstanceReason != "":
		return clip(fmt.Sprintf("the stack instance is %s: %s", cell.InstanceStatus, cell.InstanceReason))
	}
	return "the stack instance is " + cell.InstanceStatus
}
