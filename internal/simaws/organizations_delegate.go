package simaws

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxStackSetsAdministrators is StackSets' own figure (CloudFormation user guide,
// "Register a delegated administrator").
const maxStackSetsAdministrators = 5

const (
	stackSetsMember = "member.org.stacksets.cloudformation.amazonaws.com"
	stackSetsOrg    = "stacksets.cloudformation.amazonaws.com"
)

func unrecognizedPrincipal() error {
	return invalidInput("UNRECOGNIZED_SERVICE_PRINCIPAL", "You specified an unrecognized service principal.")
}

func registerDelegatedAdministrator(s *Sim, _ *call, in organizationInput) (any, error) {
	w, a := s.world, s.world.accounts[in.AccountId]
	if !strings.HasSuffix(in.ServicePrincipal, ".amazonaws.com") {
		return nil, unrecognizedPrincipal()
	}
	if a == nil {
		return nil, accountNotFound()
	}
	if a.ID == w.management {
		return nil, constraintViolation("CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR", "You cannot register master account/yourself as delegated administrator for your organization.")
	}
	if a.State != "ACTIVE" {
		return nil, constraintViolation("CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR", "You cannot register a suspended account as a delegated administrator.")
	}
	if _, on := w.trustedServices[in.ServicePrincipal]; !on {
		return nil, constraintViolation("SERVICE_ACCESS_NOT_ENABLED", "You attempted to register a delegated administrator before you enabled service access. Call the EnableAWSServiceAccess API first.")
	}
	if slices.Contains(w.delegated[a.ID], in.ServicePrincipal) {
		return nil, fail(http.StatusBadRequest, "AccountAlreadyRegisteredException", "The provided account is already a delegated administrator for your organization.")
	}
	if in.ServicePrincipal == stackSetsMember {
		n := 0
		for _, principals := range w.delegated {
			if slices.Contains(principals, stackSetsMember) {
				n++
			}
		}
		if n >= maxStackSetsAdministrators {
			return nil, constraintViolation("MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED", "You attempted to register more delegated administrators than allowed for the service principal.")
		}
	}
	w.delegated[a.ID] = append(w.delegated[a.ID], in.ServicePrincipal)
	w.delegatedAt[a.ID+" "+in.ServicePrincipal] = s.clock.Now()
	return nil, nil
}

func deregisterDelegatedAdministrator(s *Sim, _ *call, in organizationInput) (any, error) {
	w := s.world
	if w.accounts[in.AccountId] == nil {
		return nil, accountNotFound()
	}
	at := slices.Index(w.delegated[in.AccountId], in.ServicePrincipal)
	if at < 0 {
		return nil, accountNotRegistered()
	}
	if w.delegated[in.AccountId] = slices.Delete(w.delegated[in.AccountId], at, at+1); len(w.delegated[in.AccountId]) == 0 {
		delete(w.delegated, in.AccountId)
	}
	delete(w.delegatedAt, in.AccountId+" "+in.ServicePrincipal)
	return nil, nil
}

func accountNotRegistered() error {
	return fail(http.StatusBadRequest, "AccountNotRegisteredException", "The provided account is not a registered delegated administrator for your organization.")
}

// delegatedSince is when an account became the administrator of a service, or of
// any service ("").
func (w *world) delegatedSince(id, principal string) time.Time {
	var first time.Time
	for _, p := range w.delegated[id] {
		at, noted := w.delegatedAt[id+" "+p]
		if !noted {
			at = w.accounts[id].Joined
		}
		if (principal == "" || p == principal) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// disableServiceAccess turns trusted access off and, with it, the service's
// delegated administrators.
func disableServiceAccess(s *Sim, _ *call, in organizationInput) (any, error) {
	w := s.world
	if !strings.HasSuffix(in.ServicePrincipal, ".amazonaws.com") || in.ServicePrincipal == stackSetsOrg {
		return nil, unrecognizedPrincipal()
	}
	delete(w.trustedServices, in.ServicePrincipal)
	return nil, nil
}
