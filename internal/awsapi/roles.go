package awsapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Entry is a way into one account.
type Entry struct {
	Account string
	// Role is the name of the role that was assumed, "" for the caller's own
	// credentials.
	Role string
	cfg  aws.Config
}

// Config is the account's configuration in a Region.
func (e *Entry) Config(region string) aws.Config {
	cfg := e.cfg.Copy()
	if region != "" {
		cfg.Region = region
	}
	return cfg
}

// EnterError says that no role could be assumed in an account.
type EnterError struct {
	Account string
	Tried   []RoleError // in the order tried
}

// RoleError is what STS said about one role.
type RoleError struct {
	Role string
	Err  error
}

// Error names the roles and what STS said, without what differs from account to
// account when it is a plain refusal, so that the same trouble reads the same.
func (e *EnterError) Error() string {
	var names, said []string
	for _, t := range e.Tried {
		names = append(names, t.Role)
		text := Text(t.Err)
		if Classify(t.Err) == ClassDenied {
			text = Code(t.Err)
		}
		if len(said) == 0 || said[len(said)-1] != text {
			said = append(said, text)
		}
	}
	return "no role could be assumed (" + strings.Join(names, ", ") + ": " + strings.Join(said, "; ") + ")"
}

// Unwrap gives what STS said.
func (e *EnterError) Unwrap() []error {
	var errs []error
	for _, t := range e.Tried {
		errs = append(errs, t.Err)
	}
	return errs
}

// Denied says whether STS refused every role, rather than not answering.
func (e *EnterError) Denied() bool {
	for _, t := range e.Tried {
		switch Classify(t.Err) {
		case ClassDenied, ClassPolicyDenied, ClassRegionOff:
		default:
			return false
		}
	}
	return len(e.Tried) > 0
}

// roleChain tries roles in order and learns which one works, so that thousands
// of accounts do not each refuse the same ones.
type roleChain struct {
	client *sts.Client
	s      *Session

	mu     sync.Mutex
	worked map[string]int
	// learning holds a few places for those who enter before a role is known to
	// work: the others wait for what these learn.
	learning chan struct{}
}

// learners is how many accounts are entered at a time until a role is known.
const learners = 3

func newRoleChain(s *Session) *roleChain {
	// STS allows 600 requests a second and account (IAM and STS quotas); a
	// fraction of it leaves the account's other users theirs.
	pace := Pace{"AssumeRole": Limit(150, 50)}
	client := sts.NewFromConfig(s.config, func(o *sts.Options) { o.APIOptions = append(o.APIOptions, pace.Apply) })
	return &roleChain{client: client, s: s, worked: map[string]int{}, learning: make(chan struct{}, learners)}
}

// known gives the role that has worked most often, once it has worked in three
// accounts.
func (c *roleChain) known() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	best := ""
	for _, n := range c.s.opts.RoleNames {
		if c.worked[n] >= learners && c.worked[n] > c.worked[best] {
			best = n
		}
	}
	return best
}

// order gives the role names, the known one first.
func (c *roleChain) order() []string {
	names := slices.Clone(c.s.opts.RoleNames)
	best := c.known()
	if best != "" {
		names = append([]string{best}, slices.DeleteFunc(names, func(n string) bool { return n == best })...)
	}
	return names
}

// Sessions gives the number of role sessions opened so far by role name.
func (s *Session) Sessions() map[string]int {
	s.roles.mu.Lock()
	defer s.roles.mu.Unlock()
	out := map[string]int{}
	for k, v := range s.roles.worked {
		out[k] = v
	}
	return out
}

// Enter opens an account: the caller's own with its own credentials, another one
// through the first role that can be assumed. policy is a session policy that
// narrows the role to what the caller is about to do; it is never empty for reads.
// The error is an *EnterError, or the context's.
func (s *Session) Enter(ctx context.Context, account, policy string) (*Entry, error) {
	if account == s.Account {
		return &Entry{Account: account, cfg: s.config.Copy()}, nil
	}
	if len(s.opts.RoleNames) > 1 && s.roles.known() == "" {
		select {
		case s.roles.learning <- struct{}{}:
			defer func() { <-s.roles.learning }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	failure := &EnterError{Account: account}
	for _, name := range s.roles.order() {
		provider := stscreds.NewAssumeRoleProvider(s.roles.client,
			fmt.Sprintf("arn:%s:iam::%s:role/%s", s.Partition, account, name),
			func(o *stscreds.AssumeRoleOptions) {
				o.RoleSessionName = s.SessionName()
				o.Duration = time.Hour
				if policy != "" {
					o.Policy = aws.String(policy)
				}
				if s.opts.ExternalID != "" {
					o.ExternalID = aws.String(s.opts.ExternalID)
				}
			})
		cache := aws.NewCredentialsCache(provider, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = time.Minute })
		if _, err := cache.Retrieve(ctx); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			failure.Tried = append(failure.Tried, RoleError{name, errors.Unwrap(err)})
			if errors.Unwrap(err) == nil {
				failure.Tried[len(failure.Tried)-1].Err = err
			}
			continue
		}
		s.roles.mu.Lock()
		s.roles.worked[name]++
		s.roles.mu.Unlock()
		cfg := s.config.Copy()
		cfg.Credentials = cache
		return &Entry{Account: account, Role: name, cfg: cfg}, nil
	}
	return nil, failure
}
