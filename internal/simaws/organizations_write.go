package simaws

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// What the management account changes: OUs, where accounts stand, tags. Texts and
// reasons are those of the service model (Organizations API reference, 2026-11).

// Quotas of the Organizations user guide, "Quotas for AWS Organizations".
const (
	maxOUs      = 2000
	maxOUDepth  = 5 // levels below the root
	maxAccounts = 50000
	maxTags     = 50
)

// managed wraps a call that only the management account may make.
func managed(do func(s *Sim, c *call, in organizationInput) (any, error)) handler {
	return organization(anyMember, func(s *Sim, c *call, in organizationInput) (any, error) {
		if c.Caller.Account != s.world.management {
			return nil, fail(http.StatusBadRequest, "AccessDeniedException", "You don't have permissions to access this resource.")
		}
		return do(s, c, in)
	})
}

func constraintViolation(reason, message string) *apiError {
	e := fail(http.StatusBadRequest, "ConstraintViolationException", message)
	e.Extra = map[string]any{"Reason": reason}
	return e
}

// organizationsConstraint is what Organizations says of a request that breaks its
// model: an exception of its own, with the reason of the first fault.
func organizationsConstraint(problems []string) error {
	if len(problems) == 0 {
		return nil
	}
	_, must, _ := strings.Cut(problems[0], "failed to satisfy constraint: ")
	switch {
	case strings.Contains(must, "not be null"):
		return invalidInput("INPUT_REQUIRED", "You must include a value for all required parameters.")
	case strings.Contains(must, "enum value set"):
		return invalidInput("INVALID_ENUM", "You specified an invalid value.")
	case strings.Contains(must, "less than or equal"):
		return invalidInput("MAX_LENGTH_EXCEEDED", "You provided a string parameter that is longer than allowed.")
	case strings.Contains(must, "greater than or equal"):
		return invalidInput("MIN_LENGTH_EXCEEDED", "You provided a string parameter that is shorter than allowed.")
	}
	return invalidInput("INVALID_PATTERN", "You provided a value that does not match the required pattern.")
}

// createOrganization makes an organization of the caller's account alone. The
// simulator has none only when it was told so (Options.NoOrganization).
func createOrganization(s *Sim, c *call) (any, error) {
	var in organizationInput
	if err := unmarshal(c, &in); err != nil {
		return nil, err
	}
	if !s.opts.NoOrganization {
		return nil, fail(http.StatusBadRequest, "AlreadyInOrganizationException", "The provided account is already a member of an organization.")
	}
	w := s.world
	s.opts.NoOrganization = false
	m := w.accounts[w.management]
	m.ParentID, m.JoinedMethod, m.Joined = w.rootID, "INVITED", s.clock.Now()
	w.accounts, w.order = map[string]*account{m.ID: m}, []string{m.ID}
	w.ous, w.ouOrder = map[string]*orgUnit{}, nil
	w.delegated, w.trustedServices, w.stackSetsAccess = map[string][]string{}, map[string]time.Time{}, "DISABLED"
	w.features, w.policyTypes, w.pendingTypes, w.policies = "ALL", nil, nil, newPolicyBook() // no policy type is on until EnablePolicyType
	if in.FeatureSet != "" {
		w.features = in.FeatureSet
	}
	return describeOrganization(s, c, in)
}

func (w *world) siblingNamed(parent, name, except string) bool {
	for _, ou := range w.ous {
		if ou.ParentID == parent && ou.Name == name && ou.ID != except {
			return true
		}
	}
	return false
}

func duplicateOU() error {
	return fail(http.StatusBadRequest, "DuplicateOrganizationalUnitException", "An OU with the same name already exists.")
}

func createOU(s *Sim, _ *call, in organizationInput) (any, error) {
	w := s.world
	if err := w.checkParent(in.ParentId); err != nil {
		return nil, err
	}
	tags, err := mergeTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	switch {
	case w.siblingNamed(in.ParentId, in.Name, ""):
		return nil, duplicateOU()
	case len(w.ancestors(in.ParentId)) > maxOUDepth:
		return nil, constraintViolation("OU_DEPTH_LIMIT_EXCEEDED", "You have exceeded the maximum OU depth for an organization.")
	case len(w.ous) >= maxOUs:
		return nil, constraintViolation("OU_NUMBER_LIMIT_EXCEEDED", "You have exceeded the maximum number of OUs for an organization.")
	}
	ou := &orgUnit{ID: "ou-" + strings.TrimPrefix(w.rootID, "r-") + "-" + s.ids.alnum(8), Name: in.Name, ParentID: in.ParentId, Tags: tags}
	w.ous[ou.ID] = ou
	w.ouOrder = append(w.ouOrder, ou.ID)
	return map[string]any{"OrganizationalUnit": s.ouShape(ou)}, nil
}

func ouNotFound() error {
	return fail(http.StatusBadRequest, "OrganizationalUnitNotFoundException", "You specified an organizational unit that doesn't exist.")
}

func updateOU(s *Sim, _ *call, in organizationInput) (any, error) {
	ou := s.world.ous[in.OrganizationalUnitId]
	if ou == nil {
		return nil, ouNotFound()
	}
	if in.Name != "" {
		if s.world.siblingNamed(ou.ParentID, in.Name, ou.ID) {
			return nil, duplicateOU()
		}
		ou.Name = in.Name
	}
	return map[string]any{"OrganizationalUnit": s.ouShape(ou)}, nil
}

func deleteOU(s *Sim, _ *call, in organizationInput) (any, error) {
	w := s.world
	ou := w.ous[in.OrganizationalUnitId]
	if ou == nil {
		return nil, ouNotFound()
	}
	full := false
	for _, child := range w.ous {
		full = full || child.ParentID == ou.ID
	}
	for _, a := range w.accounts {
		full = full || a.ParentID == ou.ID
	}
	if full {
		return nil, fail(http.StatusBadRequest, "OrganizationalUnitNotEmptyException",
			"The specified OU is not empty. Move all accounts to another root or to other OUs, remove all child OUs, and try the operation again.")
	}
	delete(w.ous, ou.ID)
	w.policies.forget(ou.ID)
	w.ouOrder = slices.DeleteFunc(w.ouOrder, func(id string) bool { return id == ou.ID })
	return nil, nil
}

func moveAccount(s *Sim, _ *call, in organizationInput) (any, error) {
	w := s.world
	a := w.accounts[in.AccountId]
	there := func(id string) bool { return id == w.rootID || w.ous[id] != nil }
	switch {
	case a == nil:
		return nil, accountNotFound()
	case !there(in.SourceParentId):
		return nil, fail(http.StatusBadRequest, "SourceParentNotFoundException", "We can't find a source root or OU with the ParentId that you specified.")
	case !there(in.DestinationParentId):
		return nil, fail(http.StatusBadRequest, "DestinationParentNotFoundException", "We can't find the destination container (a root or OU) with the ParentId that you specified.")
	case a.ParentID == in.DestinationParentId:
		return nil, fail(http.StatusBadRequest, "DuplicateAccountException", "That account is already present in the specified destination.")
	case a.ParentID != in.SourceParentId:
		return nil, accountNotFound()
	}
	from := a.ParentID
	a.ParentID = in.DestinationParentId
	s.moved(a, from, a.ParentID)
	return nil, nil
}

func accountNotFound() error {
	return fail(http.StatusBadRequest, "AccountNotFoundException", "You specified an account that doesn't exist.")
}
