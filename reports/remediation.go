package reports

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
)

// The words of a finding's remediation_status.
const (
	remediationNone       = "NONE"        // none was tried, or it left the resource as it is
	remediationQueued     = "QUEUED"      //
	remediationInProgress = "IN_PROGRESS" //
	remediationFailed     = "FAILED"      // detail says at which step and why
	remediationSucceeded  = "SUCCEEDED"   // it ended well, yet Config looked again and still finds fault
	remediationFixed      = "FIXED"       // it ended well and Config has not looked again
	remediationExcepted   = "EXCEPTED"    // somebody excepted the resource, or its tag does
)

// outcome is what became of the remediation of one finding.
type outcome struct {
	status, detail string
	exception      string // the text of the exception on the resource
	// over says that nothing more happens by itself: neither the remediation
	// nor an evaluation that it would bring about is awaited.
	over bool
}

// The last steps of rollout's runbooks say how one ended: SSM and Config know
// success and failure only.
const (
	stepLeaveInUse   = "LeaveInUse"
	stepLeaveExempt  = "LeaveExempt"
	stepAlreadyEmpty = "AlreadyEmpty"
)

// leftAsItIs begins the detail of what a remediation left for a reason of its own,
// nothingToDo that of what was as it should be when the remediation looked.
const (
	leftAsItIs  = "left as it is: "
	nothingToDo = "nothing was left to do"
)

// remediated says what became of the remediation of a finding, from its last
// execution (nil for none) and its exception (nil for none).
func remediated(e evaluated, execution *types.RemediationExecutionStatus, exception *types.RemediationException) outcome {
	out := executed(e, execution)
	if exception == nil {
		return out
	}
	message := strings.Join(strings.Fields(aws.ToString(exception.Message)), " ")
	text := clip(orText(message, "no reason given"))
	if exception.ExpirationTime != nil {
		text += " (until " + moment(*exception.ExpirationTime) + ")"
	}
	out.over = true
	if !configsOwn(message, execution) {
		return outcome{status: remediationExcepted, detail: "an exception keeps it from remediation", exception: text, over: true}
	}
	// Config's own exception is a failure, never an exemption: the resource
	// stays broken and nothing tries again.
	out.exception = ""
	switch {
	case out.status == remediationNone && out.detail != "", out.status == remediationExcepted:
		// It was left as it is, and stays so.
	case out.status == remediationFailed:
		out.detail += "; AWS Config tries no more: " + text
	default:
		out.status, out.detail = remediationFailed, "AWS Config tries no more: "+text
	}
	return out
}

// configsOwn says whether AWS Config put the exception there by itself, after
// its last attempt. No member of the exception tells, and AWS does not document
// the text: one that speaks of remediation that failed or of attempts is taken
// for Config's, as is one without a text after a failed execution.
func configsOwn(message string, execution *types.RemediationExecutionStatus) bool {
	if message == "" {
		return execution != nil && execution.State == types.RemediationExecutionStateFailed
	}
	text := strings.ToLower(message)
	return strings.Contains(text, "remediation") && (strings.Contains(text, "fail") || strings.Contains(text, "attempt"))
}

// executed says what became of the last execution.
func executed(e evaluated, x *types.RemediationExecutionStatus) outcome {
	if x == nil {
		return outcome{status: remediationNone}
	}
	ended := executionEnd(x)
	switch x.State {
	case types.RemediationExecutionStateQueued:
		return outcome{status: remediationQueued, detail: "queued" + at(aws.ToTime(x.InvocationTime))}
	case types.RemediationExecutionStateInProgress:
		return outcome{status: remediationInProgress, detail: "runs" + since(aws.ToTime(x.InvocationTime))}
	case types.RemediationExecutionStateFailed:
		return outcome{status: remediationFailed, detail: failure(x), over: true}
	case types.RemediationExecutionStateSucceeded:
	default:
		return outcome{status: remediationNone, detail: "AWS Config gives the state of the remediation as " + orText(string(x.State), "nothing"), over: true}
	}
	again := !ended.IsZero() && e.looked.After(ended)
	switch {
	case ran(x, stepLeaveInUse):
		return outcome{status: remediationNone, detail: leftAsItIs + "in use", over: true}
	case ran(x, stepLeaveExempt):
		return outcome{status: remediationExcepted, detail: leftAsItIs + "exempt (tag rollout-exempt)", over: true}
	case again:
		return outcome{status: remediationSucceeded, detail: "ended well" + at(ended) + ", but AWS Config has looked again" + at(e.looked) + " and still finds it non-compliant", over: true}
	case ran(x, stepAlreadyEmpty):
		return outcome{status: remediationFixed, detail: nothingToDo + at(ended) + "; not evaluated again yet", over: true}
	}
	return outcome{status: remediationFixed, detail: "ended well" + at(ended) + "; not evaluated again yet"}
}

// ran says whether a step was carried out.
func ran(x *types.RemediationExecutionStatus, name string) bool {
	return slices.ContainsFunc(x.StepDetails, func(s types.RemediationExecutionStep) bool {
		return aws.ToString(s.Name) == name && (s.State == types.RemediationExecutionStepStateSucceeded || s.State == types.RemediationExecutionStepStateExited)
	})
}

// failure names the step that failed and what it said.
func failure(x *types.RemediationExecutionStatus) string {
	for _, s := range x.StepDetails {
		if s.State == types.RemediationExecutionStepStateFailed {
			return clip("step " + orText(aws.ToString(s.Name), "without a name") + ": " + orText(aws.ToString(s.ErrorMessage), "failed without a message"))
		}
	}
	// A step that was interrupted carries a message as well.
	for _, s := range x.StepDetails {
		if message := aws.ToString(s.ErrorMessage); message != "" {
			return clip("step " + orText(aws.ToString(s.Name), "without a name") + ": " + message)
		}
	}
	return "failed" + at(executionEnd(x)) + "; AWS Config gives no reason: look at the automation executions in Systems Manager"
}

// executionEnd is when an execution ended: its last step's end, else its last update.
func executionEnd(x *types.RemediationExecutionStatus) time.Time {
	var end time.Time
	for _, s := range x.StepDetails {
		end = latest(end, aws.ToTime(s.StopTime))
	}
	if end.IsZero() {
		end = aws.ToTime(x.LastUpdatedTime)
	}
	return end
}

func at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " at " + moment(t)
}

func since(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " since " + moment(t)
}
