package reports

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"rollout/internal/simaws"
	"rollout/orgs"
	"rollout/templates"
)

// What AWS Config looks at by the clock only is asked for once a minute at most, 25 rules
// a call, in a session that can do nothing else; and where that is denied nothing is
// waited for.
func TestEvaluationsAreAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulate(t, simaws.Options{Accounts: 20})
		all := s.under("Workloads")
		account := all[slices.IndexFunc(all, func(a *orgs.Account) bool {
			return s.HasRole(a.ID, "OrganizationAccountAccessRole") && !s.HasRole(a.ID, "AWSControlTowerExecution")
		})]
		s.PutRecorder(account.ID, "us-east-1", simaws.RecorderSpec{})
		var rules []string
		for i := range 26 {
			rules = append(rules, fmt.Sprintf("rule-%02d", i))
			s.PutRule(account.ID, "us-east-1", rules[i], "EC2_EBS_ENCRYPTION_BY_DEFAULT", "")
		}
		w := newWaiting(s.session, SettleInput{}, nil)
		p := &settlePlace{Place: Place{account, "us-east-1"}, due: rules}
		asked := func() int { return s.Stats().Calls["config:StartConfigRulesEvaluation"] }
		waits := polled{why: waitByClock}
		if got := w.evaluate(t.Context(), p, waits); got != waits || asked() != 1 || p.asked.IsZero() {
			t.Errorf("%+v, %d calls", got, asked())
		}
		time.Sleep(50 * time.Second)
		if got := w.evaluate(t.Context(), p, waits); got != waits || asked() != 1 {
			t.Errorf("within a minute: %+v, %d calls", got, asked())
		}
		// Somebody else has asked meanwhile: it is refused, once, and waited for.
		p.asked = time.Time{}
		if got := w.evaluate(t.Context(), p, waits); got != waits || asked() != 2 || time.Since(p.asked) > time.Second {
			t.Errorf("refused: %+v, %d calls", got, asked())
		}
		s.DenyAction(account.ID, "config:StartConfigRulesEvaluation")
		time.Sleep(evaluationPause)
		if got := w.evaluate(t.Context(), p, polled{why: waitRemediation}); got.why != waitRemediation {
			t.Errorf("denied, while something else is waited for: %+v", got)
		}
		got := w.evaluate(t.Context(), p, waits)
		if !strings.Contains(got.later, "by the clock only") || !strings.Contains(got.later, "rule-24, and") && !strings.Contains(got.later, "rule-24 by the clock") || strings.Contains(got.later, "rule-25") {
			t.Errorf("denied: %+v", got)
		}
		got.place = p
		w.take(got, false)
		w.result.Waited = time.Minute
		if notes := w.result.Notes(); len(w.result.Later) != 1 || len(notes) != 1 || !strings.HasPrefix(notes[0], "What was remediated still has its verdict from before in "+account.ID+" in us-east-1: AWS Config looks at rule-00, ") {
			t.Errorf("%q", notes)
		}
	})
}

func TestEvaluatePolicy(t *testing.T) {
	var policy struct{ Statement []struct{ Action []string } }
	if err := json.Unmarshal([]byte(EvaluatePolicy), &policy); err != nil || len(policy.Statement) != 1 || fmt.Sprint(policy.Statement[0].Action) != "[config:StartConfigRulesEvaluation]" {
		t.Error(policy, err)
	}
}

// Only findings of rules that run by the clock are asked for; of others AWS Config
// hears by itself.
func TestWhatIsDue(t *testing.T) {
	byClock := templates.Rule{Name: ourRule, Identifier: "EC2_EBS_ENCRYPTION_BY_DEFAULT"}
	for name, test := range map[string]struct {
		rule *templates.Rule
		want polled
		due  int
	}{
		"by the clock": {&byClock, polled{why: waitByClock}, 1},
		"on changes":   {&closed, polled{why: waitReevaluation}, 0},
	} {
		f := healthy()
		f.open(1).modes[ourRule] = true
		f.executions = append(f.executions, execution("sg-0000", types.RemediationExecutionStateSucceeded, types.RemediationExecutionStep{Name: aws.String("Verify"), State: types.RemediationExecutionStepStateSucceeded}))
		p := &settlePlace{Place: inTests, rules: []settleRule{{rule: test.rule, automatic: true}}}
		if got := (reader{api: f}).settled(t.Context(), p); got != test.want || len(p.due) != test.due {
			t.Errorf("%s: %+v, due %v", name, got, p.due)
		}
	}
}
