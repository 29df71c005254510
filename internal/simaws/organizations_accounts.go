package simaws

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"
)

// accountRequest is a CreateAccount request, which AWS keeps.
type accountRequest struct {
	ID, Name, State, AccountID, Failure string // State: IN_PROGRESS, SUCCEEDED, FAILED
	Requested, Completed                time.Time
}

func (r *accountRequest) shape() map[string]any {
	out := map[string]any{"Id": r.ID, "AccountName": r.Name, "State": r.State, "RequestedTimestamp": epoch(r.Requested)}
	if !r.Completed.IsZero() {
		out["CompletedTimestamp"] = epoch(r.Completed)
	}
	if r.AccountID != "" {
		out["AccountId"] = r.AccountID
	}
	if r.Failure != "" {
		out["FailureReason"] = r.Failure
	}
	return out
}

// createAccount begins to make an account; what can be told only later is in the
// status (Organizations API reference, CreateAccount and CreateAccountStatus).
func createAccount(s *Sim, _ *call, in organizationInput) (any, error) {
	w := s.world
	tags, err := mergeTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(in.RoleName, "AWSServiceRoleFor") {
		return nil, invalidInput("INVALID_ROLE_NAME", "You provided a role name that isn't valid. A role name can't begin with the reserved prefix AWSServiceRoleFor.")
	}
	running := 0
	for _, r := range w.accountRequests {
		if r.State == "IN_PROGRESS" {
			running++
		}
	}
	if running >= 5 {
		return nil, constraintViolation("ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED", "You have exceeded the maximum number of accounts that can be in progress at a time.")
	}
	if len(w.order)+running >= maxAccounts {
		return nil, constraintViolation("ACCOUNT_NUMBER_LIMIT_EXCEEDED", "You have exceeded the allowed number of AWS accounts.")
	}
	r := &accountRequest{ID: "car-" + s.ids.hex(32), Name: in.AccountName, State: "IN_PROGRESS", Requested: s.clock.Now()}
	w.accountRequests = append(w.accountRequests, r)
	role := in.RoleName
	if role == "" {
		role = "OrganizationAccountAccessRole"
	}
	// "It can take a few minutes before you can access the account."
	s.clock.after(spread(30*time.Second, 90*time.Second, r.ID), func() {
		r.Completed = s.clock.Now()
		for _, a := range w.accounts {
			if strings.EqualFold(a.Email, in.Email) {
				r.State, r.Failure = "FAILED", "EMAIL_ALREADY_EXISTS"
				return
			}
		}
		a := s.newAccount(in.AccountName, in.Email, role, tags)
		r.State, r.AccountID = "SUCCEEDED", a.ID
		s.moved(a, "", a.ParentID)
	})
	return map[string]any{"CreateAccountStatus": r.shape()}, nil
}

// newAccount makes an account in the root, as CreateAccount does: a role that the
// management account may assume, no opt-in Region, a default VPC in each Region.
func (s *Sim) newAccount(name, email, role string, tags map[string]string) *account {
	w := s.world
	g := &generator{s: s, w: w, r: rand.New(rand.NewPCG(s.opts.Seed, uint64(len(w.accountRequests)))), born: s.clock.Now(), used: map[string]bool{}}
	for id := range w.accounts {
		g.used[id] = true
	}
	for id := range w.departed {
		g.used[id] = true
	}
	a := g.account(w.rootID, name)
	a.Email, a.Joined, a.Tags = email, s.clock.Now(), tags
	g.role(a, role)
	return a
}

func describeCreateAccountStatus(s *Sim, _ *call, in organizationInput) (any, error) {
	for _, r := range s.world.accountRequests {
		if r.ID == in.CreateAccountRequestId {
			return map[string]any{"CreateAccountStatus": r.shape()}, nil
		}
	}
	return nil, fail(http.StatusBadRequest, "CreateAccountStatusNotFoundException", "We can't find an create account request with the CreateAccountRequestId that you specified.")
}

func listCreateAccountStatus(s *Sim, _ *call, in organizationInput) (any, error) {
	list := []any{}
	for _, r := range s.world.accountRequests {
		if len(in.States) == 0 || slices.Contains(in.States, r.State) {
			list = append(list, r.shape())
		}
	}
	page, token, err := orgPage(s, in, list)
	return map[string]any{"CreateAccountStatuses": notNil(page), "NextToken": token}, err
}

// closeAccount begins to close a member account: PENDING_CLOSURE, then SUSPENDED,
// as the console shows a closed account for 90 days (user guide, "Closing a member
// account"). At once at most three, and in 30 days a tenth of the members, from 10
// to 1,000 (user guide, "Quotas").
func closeAccount(s *Sim, _ *call, in organizationInput) (any, error) {
	w := s.world
	a := w.accounts[in.AccountId]
	if a == nil {
		return nil, accountNotFound()
	}
	if a.ID == w.management {
		return nil, constraintViolation("CANNOT_CLOSE_MANAGEMENT_ACCOUNT", "You attempted to close the management account. To close the management account for the organization, you must first either remove or close all member accounts in the organization.")
	}
	switch a.State {
	case "PENDING_CLOSURE":
		return nil, fail(http.StatusBadRequest, "ConflictException", "The request failed because it conflicts with the current state of the specified resource.")
	case "SUSPENDED", "CLOSED":
		return nil, fail(http.StatusBadRequest, "AccountAlreadyClosedException", "You attempted to close an account that is already closed.")
	}
	pending, recent := 0, 0
	for _, at := range w.closures {
		if s.clock.Now().Sub(at) < 30*24*time.Hour {
			recent++
		}
	}
	for _, other := range w.accounts {
		if other.State == "PENDING_CLOSURE" {
			pending++
		}
	}
	if pending >= 3 {
		return nil, constraintViolation("CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED", "You attempted to exceed the number of accounts that you can close at a time.")
	}
	if recent >= max(10, min(1000, (len(w.order)-1)/10)) {
		return nil, constraintViolation("CLOSE_ACCOUNT_QUOTA_EXCEEDED", "You have exceeded close account quota for the past 30 days.")
	}
	a.State = "PENDING_CLOSURE"
	w.closures = append(w.closures, s.clock.Now())
	s.clock.after(spread(30*time.Second, 90*time.Second, "close", a.ID), func() {
		if a.State == "PENDING_CLOSURE" {
			a.State = "SUSPENDED"
		}
	})
	return nil, nil
}

// removeAccount takes a member out of the organization. An account that was created
// in it can leave four days later at the earliest, and no delegated administrator
// can (user guide, "Removing a member account").
func removeAccount(s *Sim, _ *call, in organizationInput) (any, error) {
	w := s.world
	a := w.accounts[in.AccountId]
	switch {
	case a == nil:
		return nil, accountNotFound()
	case a.ID == w.management:
		return nil, fail(http.StatusBadRequest, "MasterCannotLeaveOrganizationException",
			"You can't remove a management account from an organization. If you want the management account to become a member account in another organization, you must first delete the current organization of the management account.")
	case len(w.delegated[a.ID]) > 0:
		return nil, constraintViolation("CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG", "You attempted to remove an account that is registered as a delegated administrator for a service integrated with your organization.")
	case a.JoinedMethod == "CREATED" && s.clock.Now().Sub(a.Joined) < 4*24*time.Hour:
		return nil, constraintViolation("WAIT_PERIOD_ACTIVE", fmt.Sprintf("After you create an account, you must wait until at least four days after the account was created to remove account %s.", a.ID))
	}
	from := a.ParentID
	delete(w.accounts, a.ID)
	w.policies.forget(a.ID)
	w.order = slices.DeleteFunc(w.order, func(id string) bool { return id == a.ID })
	w.departed[a.ID] = a
	a.ParentID = ""
	s.moved(a, from, "")
	return nil, nil
}

// everAccount gives an account of the organization, or one that has left it.
func (w *world) everAccount(id string) *account {
	if a := w.accounts[id]; a != nil {
		return a
	}
	return w.departed[id]
}
