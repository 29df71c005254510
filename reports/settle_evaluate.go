package reports

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"

	"rollout/internal/awsapi"
)

// evaluationPause is how long AWS Config wants between two evaluations that are asked
// for, with a second on top (API reference, StartConfigRulesEvaluation: "you can only
// call once a minute").
const evaluationPause = time.Minute + time.Second

// evaluate asks AWS Config to look again at the rules that are due in a place: it looks
// at them by the clock only, as seldom as once a day, so their verdicts would come long
// after the report. A call takes 25 rules; while an evaluation is under way or within a
// minute of the last it is refused, and is made again later. Where the role may not ask,
// there is nothing to wait for.
func (w *waiting) evaluate(ctx context.Context, p *settlePlace, answer polled) polled {
	if !p.asked.IsZero() && time.Since(p.asked) < evaluationPause {
		return answer
	}
	rules := p.due[:min(len(p.due), batch)]
	entry, err := w.asking.enter(ctx, p.Account.ID)
	if err == nil {
		// The SDK takes LimitExceededException for a throttle and would slow down.
		once := func(o *configservice.Options) { o.Retryer = aws.NopRetryer{} }
		_, err = configservice.NewFromConfig(entry.Config(p.Region)).StartConfigRulesEvaluation(ctx, &configservice.StartConfigRulesEvaluationInput{ConfigRuleNames: rules}, once)
	}
	switch {
	case err == nil || awsapi.Code(err) == "LimitExceededException":
		p.asked = time.Now()
	case awsapi.Classify(err) == awsapi.ClassDenied, awsapi.Classify(err) == awsapi.ClassPolicyDenied:
		if answer.why == waitByClock {
			return polled{later: fmt.Sprintf("AWS Config looks at %s by the clock only, next within a day, and the role that reads may not have it look now (config:StartConfigRulesEvaluation is denied)", strings.Join(rules, ", "))}
		}
	}
	return answer // whatever else it was, the next poll asks again
}
