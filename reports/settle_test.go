package reports

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
)

func TestWhenAPlaceIsSettled(t *testing.T) {
	const well = types.RemediationExecutionStateSucceeded
	evaluate := settleRule{rule: &closed, evaluate: true, since: noon.Add(-time.Hour)}
	remediate := settleRule{rule: &closed, automatic: true}
	tests := map[string]struct {
		rule   settleRule
		change func(*fakeConfig)
		want   polled
	}{
		"evaluated":                     {evaluate, func(*fakeConfig) {}, polled{settled: true}},
		"evaluated before the instance": {settleRule{rule: &closed, evaluate: true, since: noon.Add(time.Hour)}, func(*fakeConfig) {}, polled{why: waitEvaluation}},
		"any evaluation will do":        {settleRule{rule: &closed, evaluate: true}, func(*fakeConfig) {}, polled{settled: true}},
		"never evaluated":               {settleRule{rule: &closed, evaluate: true}, func(f *fakeConfig) { f.evaluations = nil }, polled{why: waitEvaluation}},
		"being evaluated":               {evaluate, func(f *fakeConfig) { f.rules[0].ConfigRuleState = types.ConfigRuleStateEvaluating }, polled{why: waitAgain}},
		"no rule":                       {evaluate, func(f *fakeConfig) { f.rules = nil }, polled{leftOut: "the rule " + ourRule + " is not there"}},
		"recorder off":                  {evaluate, func(f *fakeConfig) { f.evaluations, f.recorders = nil, nil }, polled{leftOut: "there is no configuration recorder"}},
		"type not recorded": {evaluate, func(f *fakeConfig) {
			f.evaluations = nil
			f.recorders[0].RecordingGroup = &types.RecordingGroup{}
		}, polled{leftOut: "the configuration recorder leaves out AWS::EC2::SecurityGroup"}},
		"rule error": {evaluate, func(f *fakeConfig) {
			f.evaluations[ourRule] = types.ConfigRuleEvaluationStatus{LastFailedEvaluationTime: aws.Time(noon), LastErrorCode: aws.String("E")}
		}, polled{leftOut: "rule error: E"}},
		"an error from before the instance": {evaluate, func(f *fakeConfig) {
			f.evaluations[ourRule] = types.ConfigRuleEvaluationStatus{LastFailedEvaluationTime: aws.Time(noon.Add(-2 * time.Hour)), LastErrorCode: aws.String("E")}
		}, polled{why: waitEvaluation}},
		"throttled": {evaluate, func(f *fakeConfig) {
			f.errors["DescribeConfigRuleEvaluationStatus"] = apiErr("ThrottlingException", "")
		}, polled{why: "not reached"}},
		"compliant":                {remediate, func(f *fakeConfig) { f.modes[ourRule] = true }, polled{settled: true}},
		"enforcement did not come": {remediate, func(f *fakeConfig) { f.open(2) }, polled{settled: true}},
		"enforcement is manual":    {remediate, func(f *fakeConfig) { f.open(2); f.modes[ourRule] = false }, polled{settled: true}},
		"not started":              {remediate, func(f *fakeConfig) { f.open(2); f.modes[ourRule] = true }, polled{why: waitStart}},
		"one runs": {remediate, func(f *fakeConfig) {
			f.open(2).modes[ourRule] = true
			f.executions = append(f.executions, execution("sg-0001", types.RemediationExecutionStateInProgress))
		}, polled{why: waitRemediation}},
		"one not started": {remediate, func(f *fakeConfig) {
			f.open(2).modes[ourRule] = true
			f.executions = append(f.executions, execution("sg-0001", types.RemediationExecutionStateFailed))
		}, polled{why: waitStart}},
		"one failed, one excepted": {remediate, func(f *fakeConfig) {
			f.open(2).modes[ourRule] = true
			f.executions = append(f.executions, execution("sg-0001", types.RemediationExecutionStateFailed))
			f.exceptions = append(f.exceptions, types.RemediationException{ResourceId: aws.String("sg-0000"), ResourceType: aws.String("AWS::EC2::SecurityGroup")})
		}, polled{settled: true}},
		"changed, not looked at again": {remediate, func(f *fakeConfig) {
			f.open(1).modes[ourRule] = true
			f.executions = append(f.executions, execution("sg-0000", well, step("Verify", types.RemediationExecutionStepStateSucceeded, "")))
		}, polled{why: waitReevaluation}},
		"left in use": {remediate, func(f *fakeConfig) {
			f.open(1).modes[ourRule] = true
			f.executions = append(f.executions, execution("sg-0000", well, step("LeaveInUse", types.RemediationExecutionStepStateSucceeded, "")))
		}, polled{settled: true}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := healthy()
			test.change(f)
			if got := (reader{api: f}).settled(context.Background(), &settlePlace{Place: inTests, rules: []settleRule{test.rule}}); got != test.want {
				t.Errorf("got %+v, want %+v (%v)", got, test.want, f.calls)
			}
		})
	}
}

func TestPollsOfAPlaceAreFew(t *testing.T) {
	f := healthy()
	f.evaluations = nil
	p := &settlePlace{Place: inTests, rules: []settleRule{{rule: &closed, evaluate: true}}}
	for range 3 {
		reader{api: f}.settled(context.Background(), p)
	}
	if len(f.calls) != 5 { // the recorder is looked at once
		t.Errorf("%d calls: %v", len(f.calls), f.calls)
	}
}

func TestNotesOfAWaiting(t *testing.T) {
	other := Place{Account: inTests.Account, Region: "us-east-1"}
	r := SettleResult{Settled: 3, Waited: 15 * time.Minute, LeftOut: []PlaceNote{{inTests, "there is no configuration recorder"}}, Unsettled: []PlaceNote{{inTests, waitEvaluation}, {other, waitEvaluation}, {other, "x"}}}
	want := `First evaluations were not waited for in 111111111111 in eu-west-1: there is no configuration recorder.
When the waiting ended after 15m0s, not all was settled in 2 places, such as 111111111111 in eu-west-1: not evaluated yet.
When the waiting ended after 15m0s, not all was settled in 111111111111 in us-east-1: x.`
	if got := strings.Join(r.Notes(), "\n"); got != want {
		t.Errorf("got\n%s", got)
	}
	if notes := (SettleResult{Settled: 3}).Notes(); notes != nil {
		t.Errorf("got %q", notes)
	}
}
