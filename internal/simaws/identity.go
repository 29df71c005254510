package simaws

import (
	"fmt"
	"time"
)

// issuedKey is a temporary access key that AssumeRole gave out.
type issuedKey struct {
	caller  caller
	expires time.Time
}

// identify sets who calls: the session of a key that was issued here, else the
// management account.
func (s *Sim) identify(c *call, svc *service, key string) *apiError {
	s.mu.Lock()
	defer s.mu.Unlock()
	// An injected wrong clock sets a client wrong by the answer's Date, so where these are
	// injected the true clock is not looked at.
	if now := s.opts.Now().UTC(); !s.opts.Faults.has(FaultClock) && !withinClock(svc, signedAt(c, now), now) {
		return wrongClock(svc, signedAt(c, now), now)
	}
	issued := s.creds[key]
	if issued == nil {
		m := s.world.management
		c.Caller = caller{Account: m, ARN: fmt.Sprintf("arn:%s:iam::%s:user/operator", s.world.partition, m), UserID: "AIDASIMULATEDOPERATOR"}
		return nil
	}
	c.Caller = issued.caller
	if s.opts.Now().After(issued.expires) {
		return expiredToken(svc)
	}
	return nil
}
