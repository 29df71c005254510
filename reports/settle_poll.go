package reports

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"rollout/internal/awsapi"
)

// What a place is waited for, told as "12 not evaluated yet".
const (
	waitEvaluation   = "not evaluated yet"
	waitAgain        = "being evaluated again"
	waitStart        = "remediation not started yet"
	waitRemediation  = "remediation under way"
	waitReevaluation = "remediated, not evaluated again yet"
	waitByClock      = "remediated, and asked to be evaluated again"
)

// poll asks whether a place has settled.
func (w *waiting) poll(ctx context.Context, p *settlePlace) polled {
	entry, err := w.sessions.enter(ctx, p.Account.ID)
	if err != nil {
		return polled{place: p, leftOut: enterObstacle(ctx, err).detail}
	}
	answer := reader{api: configservice.NewFromConfig(entry.Config(p.Region))}.settled(ctx, p)
	if len(p.due) > 0 {
		answer = w.evaluate(ctx, p, answer)
	}
	answer.place = p
	return answer
}

// settled asks about one place: one call while the rule has not been evaluated,
// two once it has, a few more while remediations run.
func (r reader) settled(ctx context.Context, p *settlePlace) polled {
	fail := func(err error) polled {
		why := r.obstacle(ctx, err, false)
		if awsapi.Classify(err) == awsapi.ClassThrottled || why.status == Unreachable && awsapi.Classify(err) == awsapi.ClassUnreachable {
			return polled{why: "not reached"}
		}
		return polled{leftOut: why.detail}
	}
	var wanted []string
	for _, rule := range p.rules {
		wanted = append(wanted, rule.rule.Name)
	}
	evaluations, gone, err := r.evaluations(ctx, wanted)
	if err != nil {
		return fail(err)
	}
	if len(gone) > 0 {
		return polled{leftOut: fmt.Sprintf("the rule %s is not there", gone[0])}
	}
	for _, rule := range p.rules {
		e := evaluations[rule.rule.Name]
		if rule.evaluate && e.problem != "" && e.failure.After(rule.since) {
			return polled{leftOut: "rule error: " + clip(e.problem)}
		}
	}
	waits := slices.ContainsFunc(p.rules, func(rule settleRule) bool {
		return rule.evaluate && !evaluations[rule.rule.Name].newerThan(rule.since)
	})
	if waits {
		if why, err := r.neverRecorded(ctx, p); err != nil {
			return fail(err)
		} else if why != "" {
			return polled{leftOut: why}
		}
		return polled{why: waitEvaluation}
	}
	if again, err := r.evaluating(ctx, p); err != nil {
		return fail(err)
	} else if again {
		return polled{why: waitAgain}
	}
	why, err := r.remediating(ctx, p)
	if err != nil {
		return fail(err)
	}
	if why == "" && len(p.due) > 0 {
		return polled{why: waitByClock}
	}
	return polled{settled: why == "", why: why}
}

// neverRecorded says why nothing will be evaluated in a place, once.
func (r reader) neverRecorded(ctx context.Context, p *settlePlace) (string, error) {
	if p.recorderSeen {
		return "", nil
	}
	recorder, err := r.recorder(ctx)
	if err != nil {
		return "", err
	}
	if off := recorder.off(); off != "" {
		return off, nil
	}
	for _, rule := range p.rules {
		if left := recorder.leftOut(rule.rule.ResourceTypes); len(left) > 0 {
			return "the configuration recorder leaves out " + left[0], nil
		}
	}
	p.recorderSeen = true
	return "", nil
}

// evaluating says whether a rule is being evaluated right now, as one is after
// it was created or changed.
func (r reader) evaluating(ctx context.Context, p *settlePlace) (bool, error) {
	var wanted []string
	for _, rule := range p.rules {
		if rule.evaluate {
			wanted = append(wanted, rule.rule.Name)
		}
	}
	for part := range slices.Chunk(wanted, batch) {
		out, err := r.api.DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{ConfigRuleNames: part})
		if err != nil {
			return false, failed("DescribeConfigRules", err)
		}
		if slices.ContainsFunc(out.ConfigRules, func(c types.ConfigRule) bool { return c.ConfigRuleState == types.ConfigRuleStateEvaluating }) {
			return true, nil
		}
	}
	return false, nil
}

// remediating says what of the automatic remediations is waited for, "" for nothing.
// Rules for which no more than another look is missing, and which AWS Config looks at
// by the clock only, are put into p.due instead.
func (r reader) remediating(ctx context.Context, p *settlePlace) (why string, err error) {
	p.due = nil
	for _, rule := range p.rules {
		if !rule.automatic {
			continue
		}
		name := rule.rule.Name
		if _, known := p.modes[name]; !known {
			found, err := r.remediationConfigurations(ctx, []string{name})
			if err != nil {
				return "", err
			}
			if p.modes == nil {
				p.modes = map[string]string{}
			}
			p.modes[name] = orText(found[name].mode, "off")
		}
		if p.modes[name] != "automatic" {
			continue // its enforcement did not come true: nothing will happen
		}
		list, err := r.details(ctx, name)
		if err != nil {
			return "", err
		}
		waits, err := r.unfinished(ctx, name, list)
		switch {
		case err != nil:
			return "", err
		case waits == waitReevaluation && rule.rule.ByClockOnly():
			p.due = append(p.due, name)
		default:
			why = orText(why, waits)
		}
	}
	return why, nil
}

// unfinished says what of the remediation of findings is waited for.
func (r reader) unfinished(ctx context.Context, rule string, list []evaluated) (string, error) {
	if len(list) == 0 {
		return "", nil
	}
	keys := make([]resourceKey, len(list))
	for i, e := range list {
		keys[i] = e.key()
	}
	executions, err := r.executions(ctx, rule, keys)
	if err != nil {
		return "", err
	}
	why := ""
	var untried []resourceKey
	for _, e := range list {
		x := executions[e.key()]
		if x == nil {
			untried = append(untried, e.key())
			continue
		}
		if out := executed(e, x); !out.over {
			switch out.status {
			case remediationFixed:
				why = orText(why, waitReevaluation)
			default:
				why = waitRemediation
			}
		}
	}
	if why != "" || len(untried) == 0 {
		return why, nil
	}
	// An excepted resource is never tried.
	exceptions, err := r.exceptions(ctx, rule, untried)
	if err != nil {
		return "", err
	}
	for _, k := range untried {
		if x := exceptions[k]; x == nil || aws.ToString(x.ResourceId) == "" {
			return waitStart, nil
		}
	}
	return "", nil
}
