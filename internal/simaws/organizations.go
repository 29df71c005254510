package simaws

import (
	"encoding/base64"
	"net/http"
	"sort"
	"strconv"
	"strings"
)

// organizationsOps are the calls served, by name. Page size is 20 at most for all
// lists (Organizations API reference).
var organizationsOps = map[string]handler{
	"DescribeOrganization":                organization(anyMember, describeOrganization),
	"ListRoots":                           organization(reader, listRoots),
	"ListOrganizationalUnitsForParent":    organization(reader, listOUsForParent),
	"ListAccounts":                        organization(reader, listAccounts),
	"ListAccountsForParent":               organization(reader, listAccountsForParent),
	"ListChildren":                        organization(reader, listChildren),
	"ListParents":                         organization(reader, listParents),
	"DescribeAccount":                     organization(reader, describeAccount),
	"DescribeOrganizationalUnit":          organization(reader, describeOU),
	"ListTagsForResource":                 organization(reader, listOrganizationTags),
	"ListDelegatedAdministrators":         organization(reader, listDelegatedAdministrators),
	"ListDelegatedServicesForAccount":     organization(reader, listDelegatedServices),
	"ListAWSServiceAccessForOrganization": organization(reader, listServiceAccess),
	"EnableAWSServiceAccess":              organization(reader, enableServiceAccess),
	"DisableAWSServiceAccess":             managed(disableServiceAccess),
	"CreateOrganization":                  createOrganization,
	"CreateOrganizationalUnit":            managed(createOU),
	"UpdateOrganizationalUnit":            managed(updateOU),
	"DeleteOrganizationalUnit":            managed(deleteOU),
	"MoveAccount":                         managed(moveAccount),
	"CreateAccount":                       managed(createAccount),
	"DescribeCreateAccountStatus":         organization(reader, describeCreateAccountStatus),
	"ListCreateAccountStatus":             organization(reader, listCreateAccountStatus),
	"CloseAccount":                        managed(closeAccount),
	"RemoveAccountFromOrganization":       managed(removeAccount),
	"TagResource":                         managed(tagOrganizationResource),
	"UntagResource":                       managed(untagOrganizationResource),
	"RegisterDelegatedAdministrator":      managed(registerDelegatedAdministrator),
	"DeregisterDelegatedAdministrator":    managed(deregisterDelegatedAdministrator),
	"DescribePolicy":                      organization(reader, describePolicy),
	"ListPolicies":                        organization(reader, listPolicies),
	"ListPoliciesForTarget":               organization(reader, listPoliciesForTarget),
	"ListTargetsForPolicy":                organization(reader, listTargetsForPolicy),
	"CreatePolicy":                        managed(createPolicy),
	"UpdatePolicy":                        managed(updatePolicy),
	"DeletePolicy":                        managed(deletePolicy),
	"AttachPolicy":                        managed(attachPolicy),
	"DetachPolicy":                        managed(detachPolicy),
	"EnablePolicyType":                    managed(enablePolicyType),
	"DisablePolicyType":                   managed(disablePolicyType),
}

type organizationInput struct {
	MaxResults           *int
	NextToken            string
	ParentId             string
	ChildId              string
	ChildType            string
	AccountId            string
	ResourceId           string
	ServicePrincipal     string
	OrganizationalUnitId string

	Name, AccountName, Email, RoleName  string
	SourceParentId, DestinationParentId string
	FeatureSet, CreateAccountRequestId  string
	States, TagKeys                     []string
	Tags                                []orgTag

	PolicyId, TargetId, RootId, PolicyType, Filter, Type, Content string
	Description                                                   *string
}

type membership bool

const (
	anyMember membership = true  // every account of the organization may call
	reader    membership = false // the management account or a delegated administrator
)

// organization checks what every Organizations call checks.
func organization(who membership, do func(s *Sim, c *call, in organizationInput) (any, error)) handler {
	return func(s *Sim, c *call) (any, error) {
		var in organizationInput
		if err := unmarshal(c, &in); err != nil {
			return nil, err
		}
		if s.opts.NoOrganization {
			return nil, fail(http.StatusBadRequest, "AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
		}
		if who == reader && c.Caller.Account != s.world.management && len(s.world.delegated[c.Caller.Account]) == 0 {
			return nil, fail(http.StatusBadRequest, "AccessDeniedException", "You don't have permissions to access this resource.")
		}
		if in.MaxResults != nil && *in.MaxResults < 1 {
			return nil, invalidInput("MIN_VALUE_EXCEEDED", "You provided a value that is less than the minimum allowed: MaxResults is from 1 to 20.")
		}
		if in.MaxResults != nil && *in.MaxResults > 20 {
			return nil, invalidInput("MAX_VALUE_EXCEEDED", "You provided a value that exceeds the maximum allowed: MaxResults is from 1 to 20.")
		}
		return do(s, c, in)
	}
}

func invalidInput(reason, message string) *apiError {
	e := fail(http.StatusBadRequest, "InvalidInputException", message)
	e.Extra = map[string]any{"Reason": reason}
	return e
}

// orgPage cuts one page out of a list; the token says where the next begins.
func orgPage[T any](s *Sim, in organizationInput, list []T) (page []T, token any, err error) {
	size, from := 20, 0
	if in.MaxResults != nil {
		size = *in.MaxResults
	}
	if in.NextToken != "" {
		text, err := base64.RawURLEncoding.DecodeString(in.NextToken)
		if err == nil {
			from, err = strconv.Atoi(strings.TrimPrefix(string(text), "from:"))
		}
		if err != nil || from < 0 || from > len(list) {
			return nil, nil, invalidInput("INVALID_NEXT_TOKEN", "You provided an invalid NextToken.")
		}
	}
	if s.opts.EmptyPages && in.NextToken == "" {
		size = 0 // legal: only a missing token ends a list
	}
	to := min(from+size, len(list))
	if to < len(list) {
		token = base64.RawURLEncoding.EncodeToString([]byte("from:" + strconv.Itoa(to)))
	}
	return list[from:to], token, nil
}

func (w *world) organizationARN(kind, id string) string {
	arn := "arn:" + w.partition + ":organizations::" + w.management + ":" + kind + "/" + w.orgID
	if id != "" {
		arn += "/" + id
	}
	return arn
}

func describeOrganization(s *Sim, _ *call, _ organizationInput) (any, error) {
	w := s.world
	m := w.accounts[w.management]
	return map[string]any{"Organization": map[string]any{
		"Id": w.orgID, "Arn": w.organizationARN("organization", ""), "FeatureSet": w.features,
		"MasterAccountId": m.ID, "MasterAccountArn": w.organizationARN("account", m.ID), "MasterAccountEmail": m.Email,
		"AvailablePolicyTypes": []any{map[string]any{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}},
	}}, nil
}

func listRoots(s *Sim, _ *call, _ organizationInput) (any, error) {
	return map[string]any{"Roots": []any{s.rootShape()}}, nil
}

func (s *Sim) rootShape() map[string]any {
	w := s.world
	return map[string]any{"Id": w.rootID, "Arn": w.organizationARN("root", w.rootID), "Name": "Root", "PolicyTypes": w.policyTypeShapes()}
}

// checkParent answers an id that is no root or OU of the organization.
func (w *world) checkParent(id string) error {
	if id == w.rootID || w.ous[id] != nil {
		return nil
	}
	if !strings.HasPrefix(id, "r-") && !strings.HasPrefix(id, "ou-") {
		return invalidInput("INVALID_PATTERN", "You provided a value that does not match the required pattern.")
	}
	return fail(http.StatusBadRequest, "ParentNotFoundException", "You specified a parent that doesn't exist.")
}

// path is "o-…/r-…/ou-…/…/", ending in the id when it is not the parent itself.
func (w *world) path(parent, id string) string {
	parts := append([]string{w.orgID}, w.ancestors(parent)...)
	if id != "" {
		parts = append(parts, id)
	}
	return strings.Join(parts, "/") + "/"
}

func (s *Sim) ouShape(ou *orgUnit) map[string]any {
	shape := map[string]any{"Id": ou.ID, "Arn": s.world.organizationARN("ou", ou.ID), "Name": ou.Name}
	if !s.opts.NoPaths {
		shape["Path"] = s.world.path(ou.ID, "")
	}
	return shape
}

func (s *Sim) accountShape(a *account) map[string]any {
	shape := map[string]any{
		"Id": a.ID, "Arn": s.world.organizationARN("account", a.ID), "Name": a.Name, "Email": a.Email,
		"JoinedMethod": a.JoinedMethod, "JoinedTimestamp": epoch(a.Joined),
	}
	if s.opts.NoState {
		// Before State there was Status, which shows a closed account as SUSPENDED.
		shape["Status"] = a.State
		if a.State == "CLOSED" {
			shape["Status"] = "SUSPENDED"
		}
	} else {
		shape["State"] = a.State
	}
	if !s.opts.NoPaths {
		shape["Paths"] = []string{s.world.path(a.ParentID, a.ID)}
	}
	return shape
}

func listOUsForParent(s *Sim, _ *call, in organizationInput) (any, error) {
	if err := s.world.checkParent(in.ParentId); err != nil {
		return nil, err
	}
	var list []any
	for _, id := range s.world.ouOrder {
		if ou := s.world.ous[id]; ou.ParentID == in.ParentId {
			list = append(list, s.ouShape(ou))
		}
	}
	page, token, err := orgPage(s, in, list)
	return map[string]any{"OrganizationalUnits": notNil(page), "NextToken": token}, err
}

func listAccounts(s *Sim, _ *call, in organizationInput) (any, error) {
	page, token, err := orgPage(s, in, s.world.order)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, id := range page {
		list = append(list, s.accountShape(s.world.accounts[id]))
	}
	return map[string]any{"Accounts": list, "NextToken": token}, nil
}

func listAccountsForParent(s *Sim, _ *call, in organizationInput) (any, error) {
	if err := s.world.checkParent(in.ParentId); err != nil {
		return nil, err
	}
	var list []any
	for _, id := range s.world.order {
		if a := s.world.accounts[id]; a.ParentID == in.ParentId {
			list = append(list, s.accountShape(a))
		}
	}
	page, token, err := orgPage(s, in, list)
	return map[string]any{"Accounts": notNil(page), "NextToken": token}, err
}

func listChildren(s *Sim, _ *call, in organizationInput) (any, error) {
	if err := s.world.checkParent(in.ParentId); err != nil {
		return nil, err
	}
	var list []any
	switch in.ChildType {
	case "ACCOUNT":
		for _, id := range s.world.order {
			if s.world.accounts[id].ParentID == in.ParentId {
				list = append(list, map[string]any{"Id": id, "Type": "ACCOUNT"})
			}
		}
	case "ORGANIZATIONAL_UNIT":
		for _, id := range s.world.ouOrder {
			if s.world.ous[id].ParentID == in.ParentId {
				list = append(list, map[string]any{"Id": id, "Type": "ORGANIZATIONAL_UNIT"})
			}
		}
	default:
		return nil, invalidInput("INVALID_ENUM", "You specified an invalid value: ChildType is ACCOUNT or ORGANIZATIONAL_UNIT.")
	}
	page, token, err := orgPage(s, in, list)
	return map[string]any{"Children": notNil(page), "NextToken": token}, err
}

func listParents(s *Sim, _ *call, in organizationInput) (any, error) {
	parent := ""
	if a := s.world.accounts[in.ChildId]; a != nil {
		parent = a.ParentID
	} else if ou := s.world.ous[in.ChildId]; ou != nil {
		parent = ou.ParentID
	} else {
		return nil, fail(http.StatusBadRequest, "ChildNotFoundException", "You specified a child that doesn't exist.")
	}
	kind := "ORGANIZATIONAL_UNIT"
	if parent == s.world.rootID {
		kind = "ROOT"
	}
	return map[string]any{"Parents": []any{map[string]any{"Id": parent, "Type": kind}}}, nil
}

func describeAccount(s *Sim, _ *call, in organizationInput) (any, error) {
	a := s.world.accounts[in.AccountId]
	if a == nil {
		return nil, accountNotFound()
	}
	return map[string]any{"Account": s.accountShape(a)}, nil
}

func describeOU(s *Sim, _ *call, in organizationInput) (any, error) {
	ou := s.world.ous[in.OrganizationalUnitId]
	if ou == nil {
		return nil, ouNotFound()
	}
	return map[string]any{"OrganizationalUnit": s.ouShape(ou)}, nil
}

func listDelegatedAdministrators(s *Sim, _ *call, in organizationInput) (any, error) {
	list := []any{}
	for _, id := range sortedKeys(s.world.delegated) {
		for _, p := range s.world.delegated[id] {
			if in.ServicePrincipal == "" || in.ServicePrincipal == p {
				shape := s.accountShape(s.world.accounts[id])
				delete(shape, "Paths")
				shape["DelegationEnabledDate"] = epoch(s.world.delegatedSince(id, in.ServicePrincipal))
				list = append(list, shape)
				break
			}
		}
	}
	page, token, err := orgPage(s, in, list)
	return map[string]any{"DelegatedAdministrators": notNil(page), "NextToken": token}, err
}

func listDelegatedServices(s *Sim, _ *call, in organizationInput) (any, error) {
	if s.world.accounts[in.AccountId] == nil {
		return nil, accountNotFound()
	}
	if len(s.world.delegated[in.AccountId]) == 0 {
		return nil, accountNotRegistered()
	}
	list := []any{}
	for _, p := range s.world.delegated[in.AccountId] {
		list = append(list, map[string]any{"ServicePrincipal": p, "DelegationEnabledDate": epoch(s.world.delegatedSince(in.AccountId, p))})
	}
	return map[string]any{"DelegatedServices": list}, nil
}

func listServiceAccess(s *Sim, _ *call, in organizationInput) (any, error) {
	list := []any{}
	names := make([]string, 0, len(s.world.trustedServices))
	for p := range s.world.trustedServices {
		names = append(names, p)
	}
	sort.Strings(names)
	for _, p := range names {
		list = append(list, map[string]any{"ServicePrincipal": p, "DateEnabled": epoch(s.world.trustedServices[p])})
	}
	page, token, err := orgPage(s, in, list)
	return map[string]any{"EnabledServicePrincipals": notNil(page), "NextToken": token}, err
}

// enableServiceAccess turns trusted access on. StackSets has a switch of its own
// (CloudFormation's ActivateOrganizationsAccess) and its principal is refused here
// (pepperize/cdk-organizations#1718).
func enableServiceAccess(s *Sim, c *call, in organizationInput) (any, error) {
	if c.Caller.Account != s.world.management {
		return nil, fail(http.StatusBadRequest, "AccessDeniedException", "You don't have permissions to access this resource.")
	}
	if !strings.HasSuffix(in.ServicePrincipal, ".amazonaws.com") || in.ServicePrincipal == stackSetsOrg {
		return nil, unrecognizedPrincipal()
	}
	if _, on := s.world.trustedServices[in.ServicePrincipal]; !on {
		s.world.trustedServices[in.ServicePrincipal] = s.clock.Now()
	}
	return nil, nil
}

// notNil gives an empty list for nil, which JSON would show as null.
func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
