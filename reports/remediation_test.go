package reports

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
)

// execution is one of a group's remediation that ended at noon.
func execution(id string, state types.RemediationExecutionState, steps ...types.RemediationExecutionStep) types.RemediationExecutionStatus {
	return types.RemediationExecutionStatus{
		ResourceKey:    &types.ResourceKey{ResourceId: aws.String(id), ResourceType: "AWS::EC2::SecurityGroup"},
		InvocationTime: aws.Time(noon.Add(-time.Minute)), LastUpdatedTime: aws.Time(noon), State: state, StepDetails: steps,
	}
}

func step(name string, state types.RemediationExecutionStepState, message string) types.RemediationExecutionStep {
	s := types.RemediationExecutionStep{Name: aws.String(name), State: state}
	if state != types.RemediationExecutionStepStatePending {
		s.StopTime = aws.Time(noon)
	}
	if message != "" {
		s.ErrorMessage = aws.String(message)
	}
	return s
}

func TestWhatBecameOfARemediation(t *testing.T) {
	const (
		done    = types.RemediationExecutionStepStateSucceeded
		pending = types.RemediationExecutionStepStatePending
		broken  = types.RemediationExecutionStepStateFailed
		well    = types.RemediationExecutionStateSucceeded
		failed  = types.RemediationExecutionStateFailed
	)
	x := func(state types.RemediationExecutionState, steps ...types.RemediationExecutionStep) *types.RemediationExecutionStatus {
		e := execution("sg-1", state, steps...)
		return &e
	}
	exception := func(message string) *types.RemediationException {
		e := &types.RemediationException{ResourceId: aws.String("sg-1")}
		if message != "" {
			e.Message = aws.String(message)
		}
		return e
	}
	const own = "Auto remediation failed 1 time(s) for this resource."
	tests := map[string]struct {
		execution *types.RemediationExecutionStatus
		exception *types.RemediationException
		looked    time.Duration // after the end
		want      outcome
	}{
		"none":                 {want: outcome{status: "NONE"}},
		"queued":               {execution: x(types.RemediationExecutionStateQueued), want: outcome{status: "QUEUED", detail: "queued at 2026-11-24T11:59:00Z"}},
		"runs":                 {execution: x(types.RemediationExecutionStateInProgress, step("Examine", done, "")), want: outcome{status: "IN_PROGRESS", detail: "runs since 2026-11-24T11:59:00Z"}},
		"failed":               {execution: x(failed, step("Examine", done, ""), step("Verify", broken, "sg-1 still has 2 rules")), want: outcome{status: "FAILED", detail: "step Verify: sg-1 still has 2 rules", over: true}},
		"failed without steps": {execution: x(failed), want: outcome{status: "FAILED", detail: "failed at 2026-11-24T12:00:00Z; AWS Config gives no reason: look at the automation executions in Systems Manager", over: true}},
		"emptied, not looked again": {execution: x(well, step("Empty", done, ""), step("Verify", done, "")), looked: -time.Minute,
			want: outcome{status: "FIXED", detail: "ended well at 2026-11-24T12:00:00Z; not evaluated again yet"}},
		"emptied, found open again": {execution: x(well, step("Verify", done, "")), looked: time.Minute,
			want: outcome{status: "SUCCEEDED", detail: "ended well at 2026-11-24T12:00:00Z, but AWS Config has looked again at 2026-11-24T12:01:00Z and still finds it non-compliant", over: true}},
		"in use": {execution: x(well, step("Examine", done, ""), step("LeaveInUse", done, ""), step("Verify", pending, "")), looked: time.Minute,
			want: outcome{status: "NONE", detail: "left as it is: in use", over: true}},
		"a step that was not reached says nothing": {execution: x(well, step("LeaveInUse", pending, ""), step("Verify", done, "")), looked: -time.Minute,
			want: outcome{status: "FIXED", detail: "ended well at 2026-11-24T12:00:00Z; not evaluated again yet"}},
		"exempt": {execution: x(well, step("LeaveExempt", done, "")), want: outcome{status: "EXCEPTED", detail: "left as it is: exempt (tag rollout-exempt)", over: true}},
		"already empty": {execution: x(well, step("AlreadyEmpty", done, "")), looked: -time.Minute,
			want: outcome{status: "FIXED", detail: "nothing was left to do at 2026-11-24T12:00:00Z; not evaluated again yet", over: true}},
		"unknown state": {execution: x(types.RemediationExecutionStateUnknown), want: outcome{status: "NONE", detail: "AWS Config gives the state of the remediation as UNKNOWN", over: true}},
		"a person's exception": {exception: exception("agreed with the network team"),
			want: outcome{status: "EXCEPTED", detail: "an exception keeps it from remediation", exception: "agreed with the network team", over: true}},
		"a person's exception after a failure": {execution: x(failed, step("Empty", broken, "no")), exception: exception("agreed with the network team"),
			want: outcome{status: "EXCEPTED", detail: "an exception keeps it from remediation", exception: "agreed with the network team", over: true}},
		"a person's exception without a word": {exception: exception(""), want: outcome{status: "EXCEPTED", detail: "an exception keeps it from remediation", exception: "no reason given", over: true}},
		"Config's own after a failure": {execution: x(failed, step("Empty", broken, "no")), exception: exception(own),
			want: outcome{status: "FAILED", detail: "step Empty: no; AWS Config tries no more: " + own, over: true}},
		"Config's own without a word": {execution: x(failed, step("Empty", broken, "no")), exception: exception(""),
			want: outcome{status: "FAILED", detail: "step Empty: no; AWS Config tries no more: no reason given", over: true}},
		"Config's own, its execution forgotten": {exception: exception(own), want: outcome{status: "FAILED", detail: "AWS Config tries no more: " + own, over: true}},
		"Config's own on a group in use": {execution: x(well, step("LeaveInUse", done, "")), exception: exception(own),
			want: outcome{status: "NONE", detail: "left as it is: in use", over: true}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := remediated(evaluated{looked: noon.Add(test.looked)}, test.execution, test.exception); got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func TestRemediationsReachTheFindings(t *testing.T) {
	f := healthy().open(150)
	f.modes[ourRule] = true
	f.executions = append(f.executions, execution("sg-0000", types.RemediationExecutionStateQueued), execution("sg-0149", types.RemediationExecutionStateFailed))
	f.exceptions = append(f.exceptions, types.RemediationException{ResourceId: aws.String("sg-0120"), ResourceType: aws.String("AWS::EC2::SecurityGroup"), Message: aws.String("ours")})
	_, findings, _ := read(f, false)
	got := map[string]string{}
	for _, x := range findings {
		if x.RemediationStatus != "NONE" {
			got[x.ResourceID] = x.RemediationStatus + x.Exception
		}
	}
	if len(got) != 3 || got["sg-0000"] != "QUEUED" || got["sg-0149"] != "FAILED" || got["sg-0120"] != "EXCEPTEDours" {
		t.Errorf("got %v", got)
	}
}
