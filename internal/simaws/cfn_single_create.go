package simaws

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

func (s *Sim) newStack(c *call, name string) *stack {
	st := &stack{Name: name, Created: s.clock.Now(),
		ID: fmt.Sprintf("arn:%s:cloudformation:%s:%s:stack/%s/%s", s.world.partition, c.Region, c.Caller.Account, name, s.ids.uuid())}
	st.own(s)
	s.regionOf(c).stacks[name] = st
	return st
}

// roomForStack says whether an account may have one more stack in a Region. That a stack
// without resources counts (REVIEW_IN_PROGRESS) is inferred; deleted ones do not.
func (s *Sim) roomForStack(a *account, r *regionState) error {
	if len(r.stacks) >= s.quota(a.ID, r.name, QuotaStacks) {
		return fail(http.StatusBadRequest, "LimitExceededException", "Limit for stack has been exceeded")
	}
	return nil
}

func (s *Sim) regionOf(c *call) *regionState {
	return s.world.accounts[c.Caller.Account].region(c.Region)
}

type stackAnswer struct{ StackId string }

// failureAction reads OnFailure (or OnStackFailure of a change set) and DisableRollback.
func failureAction(f query, member string) (string, bool, error) {
	on := f.str(member)
	disable, given := f.boolean("DisableRollback")
	if on != "" && !slices.Contains([]string{"DO_NOTHING", "ROLLBACK", "DELETE"}, on) {
		return "", false, invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy enum value set: [DO_NOTHING, ROLLBACK, DELETE]", on, lowerFirst(member))
	}
	if on != "" && given {
		return "", false, validation("You can specify either DisableRollback or OnFailure, but not both.")
	}
	return on, disable, nil
}

func createStack(s *Sim, c *call) (any, error) {
	f := c.Form
	name := f.str("StackName")
	if err := checkStackName(f, "StackName"); err != nil {
		return nil, err
	}
	on, disable, err := failureAction(f, "OnFailure")
	if err != nil {
		return nil, err
	}
	minutes, timed := f.integer("TimeoutInMinutes")
	if timed && minutes < 1 {
		return nil, invalid("1 validation error detected: Value '%d' at 'timeoutInMinutes' failed to satisfy constraint: Member must have value greater than or equal to 1", minutes)
	}
	if there := s.regionOf(c).stacks[name]; there != nil {
		if token := f.str("ClientRequestToken"); token != "" && there.single != nil && there.single.tokens[token] == "CreateStack" {
			return stackAnswer{there.ID}, nil
		}
		return nil, fail(http.StatusBadRequest, "AlreadyExistsException", "Stack ["+name+"] already exists")
	}
	policy, err := s.readStackPolicy(c, "StackPolicy")
	if err != nil {
		return nil, err
	}
	d, err := s.define(c, nil)
	if err != nil {
		return nil, err
	}
	by, err := s.worker(c, nil, d.role)
	if err != nil {
		return nil, err
	}
	probe := &stack{Name: name, doc: d.doc, Parameters: d.parameters}
	if _, err := s.plan(s.world.accounts[c.Caller.Account], c.Region, probe); err != nil {
		return nil, err
	}
	if err := s.roomForStack(s.world.accounts[c.Caller.Account], s.regionOf(c)); err != nil {
		return nil, err
	}
	st := s.newStack(c, name)
	if _, err := st.useToken(c); err != nil {
		delete(s.regionOf(c).stacks, name)
		return nil, err
	}
	n := st.single
	n.OnFailure, n.Disable, n.Timeout = on, disable, time.Duration(minutes)*time.Minute
	n.Protected, _ = f.boolean("EnableTerminationProtection")
	n.exceptOnCreate, _ = f.boolean("RetainExceptOnCreate")
	n.Policy, n.by = policy, by
	st.define(d)
	s.startCreate(s.world.accounts[c.Caller.Account], s.regionOf(c), st)
	return stackAnswer{st.ID}, nil
}

func checkStackName(f query, member string) error {
	name := f.str(member)
	switch {
	case name == "":
		return invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", lowerFirst(member))
	case len(name) > 128:
		return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must have length less than or equal to 128", name, lowerFirst(member))
	case !stackNames.MatchString(name):
		return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*", name, lowerFirst(member))
	}
	return nil
}

// starting is what a stack takes until its first resource, removing what it takes from
// the beginning of a rollback or a deletion.
const (
	starting = 3 * time.Second
	removing = 5 * time.Second
)

// inTime prepares the pass of an operation on a single stack. What earlier ones left to
// be undone is this one's too.
func (s *Sim) inTime(a *account, r *regionState, st *stack) *pass {
	n := st.own(s)
	p := s.newPass(a, r, st)
	p.by, p.wait = n.by, func(d time.Duration, then func()) { s.later(st, d, then) }
	if n.work != nil {
		p.trail, p.extra = n.work.trail, n.work.extra
	}
	n.work = p
	return p
}

// startCreate makes a stack's resources, each in its time.
func (s *Sim) startCreate(a *account, r *regionState, st *stack) {
	n := st.own(s)
	st.to(s, "CREATE_IN_PROGRESS", "User Initiated")
	p := s.inTime(a, r, st)
	forever := p.wait
	if n.Timeout > 0 {
		p.wait = p.within(n.Timeout, func() {
			p.stop()
			st.fall(s, "Stack creation time exceeded the specified timeout. ")
			p.wait = forever
			s.afterFailedCreate(p)
		})
	}
	p.wait(starting, func() {
		p.forward(func(err error) {
			if err != nil {
				st.stopped(s, reasonOf(err)) // unless a resource has said it already
				p.wait = forever
				s.afterFailedCreate(p)
				return
			}
			n.work = nil
			st.to(s, "CREATE_COMPLETE", "")
		})
	})
}

// within is a pace that comes to an end.
func (p *pass) within(limit time.Duration, over func()) func(time.Duration, func()) {
	wait := p.wait
	return func(d time.Duration, then func()) {
		if limit < d {
			wait(limit, over)
			return
		}
		limit -= d
		wait(d, then)
	}
}

// afterFailedCreate deletes what a creation has made, unless that is to stay.
func (s *Sim) afterFailedCreate(p *pass) {
	st := p.st
	if st.Status != "ROLLBACK_IN_PROGRESS" && st.Status != "DELETE_IN_PROGRESS" {
		return
	}
	p.wait(removing, func() {
		p.removeAll(p.onCreate, func(failed []string) {
			st.Outputs, st.exported, st.imported = nil, nil, nil
			switch {
			case len(failed) > 0 && st.Status == "DELETE_IN_PROGRESS":
				st.to(s, "DELETE_FAILED", failedTo("delete", failed))
			case len(failed) > 0:
				st.to(s, "ROLLBACK_FAILED", failedTo("delete", failed))
			case st.Status == "DELETE_IN_PROGRESS":
				s.forget(p.r, st)
			default:
				st.single.work = nil
				st.to(s, "ROLLBACK_COMPLETE", "")
			}
		})
	})
}
