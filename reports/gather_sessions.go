package reports

import (
	"context"
	"sync"

	"rollout/internal/awsapi"
)

// ReadPolicy is the session policy of every role session that gathers or
// settles: exactly the reads that are made, whatever the role may do besides.
const ReadPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[` +
	`"account:ListRegions",` +
	`"config:DescribeComplianceByConfigRule",` +
	`"config:DescribeConfigRuleEvaluationStatus",` +
	`"config:DescribeConfigRules",` +
	`"config:DescribeConfigurationRecorderStatus",` +
	`"config:DescribeConfigurationRecorders",` +
	`"config:DescribeRemediationConfigurations",` +
	`"config:DescribeRemediationExceptions",` +
	`"config:DescribeRemediationExecutionStatus",` +
	`"config:GetComplianceDetailsByConfigRule",` +
	`"ssm:DescribeAutomationExecutions"` +
	`],"Resource":"*"}]}`

// EvaluatePolicy is the session policy of the sessions in which settling starts an
// evaluation; nothing else is done in them.
const EvaluatePolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["config:StartConfigRulesEvaluation"],"Resource":"*"}]}`

// Sessions are the ways into accounts, kept so that waiting and gathering enter
// each account once. They are safe for concurrent use. A refusal is not kept.
type Sessions struct {
	s      *awsapi.Session
	keep   bool
	policy string

	mu   sync.Mutex
	open map[string]*openAccount
}

// openAccount holds the way into one account. turn is a lock that a context can
// end the waiting for.
type openAccount struct {
	turn  chan struct{}
	entry *awsapi.Entry
}

// NewSessions makes an empty set of ways into accounts.
func NewSessions(s *awsapi.Session) *Sessions { return newSessions(s, true, ReadPolicy) }

func newSessions(s *awsapi.Session, keep bool, policy string) *Sessions {
	return &Sessions{s: s, keep: keep, policy: policy, open: map[string]*openAccount{}}
}

// enter opens an account with the sessions' policy, or gives the way in that is open.
func (x *Sessions) enter(ctx context.Context, account string) (*awsapi.Entry, error) {
	if !x.keep {
		return x.s.Enter(ctx, account, x.policy)
	}
	x.mu.Lock()
	slot := x.open[account]
	if slot == nil {
		slot = &openAccount{turn: make(chan struct{}, 1)}
		x.open[account] = slot
	}
	x.mu.Unlock()
	select {
	case slot.turn <- struct{}{}:
		defer func() { <-slot.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if slot.entry != nil {
		return slot.entry, nil
	}
	entry, err := x.s.Enter(ctx, account, x.policy)
	if err == nil {
		slot.entry = entry
	}
	return entry, err
}
