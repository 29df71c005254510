package simaws

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// authorizer says whether somebody may do a thing; the error is AWS's refusal.
type authorizer func(access) error

// allowed says whether a caller may do a thing: the organization's policies first,
// then the role's policies, narrowed by the session policy. The error is an
// *apiError AccessDenied with AWS's words; a protocol spells the code its own way.
func (s *Sim) allowed(who caller, a access) error {
	a.Context = globally(a.Action, who.context(a.Context))
	if c := s.bound(who.Account, who.Role, a); c.decision != decisionAllow {
		return refusal(who, a, c.why(a.Action))
	}
	if who.Role == nil {
		return nil // the management account's operator is an administrator
	}
	home := s.accountOf(who.Role.ARN)
	limits := []struct {
		kind, article string
		policies      []policyDocument
		there         bool
	}{
		{"identity-based policy", "an", s.documentsOf(home, who.Role), true},
		{"permissions boundary", "a", nil, who.Role.Boundary != ""},
		{"session policy", "a", nil, who.Session != nil},
	}
	if limits[1].there {
		limits[1].policies = []policyDocument{s.managedPolicy(home, who.Role.Boundary)}
	}
	if limits[2].there {
		limits[2].policies = []policyDocument{*who.Session}
	}
	// A deny in any of them comes before what none of them allows (IAM user guide,
	// "Access denied error messages").
	silent := ""
	for _, l := range limits {
		if !l.there {
			continue
		}
		switch evaluate(l.policies, a) {
		case decisionDeny:
			return refusal(who, a, fmt.Sprintf("with an explicit deny in %s %s", l.article, l.kind))
		case decisionNone:
			if silent == "" {
				silent = l.kind
			}
		}
	}
	if silent != "" {
		return refusal(who, a, fmt.Sprintf("because no %s allows the %s action", silent, a.Action))
	}
	return nil
}

// context adds what a session carries: its tags, which come before those of its role,
// and its source identity (IAM user guide, "Pass session tags in AWS STS").
func (c caller) context(of map[string]string) map[string]string {
	if c.Role == nil {
		return of
	}
	out := map[string]string{}
	for _, tags := range []map[string]string{c.Role.Tags, c.Tags} {
		for k, v := range tags {
			out["aws:principaltag/"+strings.ToLower(k)] = v
		}
	}
	if c.SourceIdentity != "" {
		out["aws:sourceidentity"] = c.SourceIdentity
	}
	for k, v := range of {
		out[k] = v
	}
	return out
}

// globally corrects the Region of a call to a service that is called in one Region
// only, whatever Region it is called for (IAM user guide, aws:RequestedRegion: "IAM calls
// are always made to the us-east-1 Region").
func globally(action string, context map[string]string) map[string]string {
	service, _, _ := strings.Cut(action, ":")
	if context["aws:requestedregion"] == "" || !slices.Contains([]string{"iam", "organizations", "account"}, service) {
		return context
	}
	context = maps.Clone(context)
	context["aws:requestedregion"] = "us-east-1"
	return context
}

func refusal(who caller, a access, why string) *apiError {
	return fail(http.StatusForbidden, "AccessDenied", fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s", who.ARN, a.Action, a.Resource, why))
}

// bound says what an organization's policies make of an access by a role, or by the
// account's own user when it is nil. They never bind service-linked roles.
func (s *Sim) bound(accountID string, role *iamRole, a access) ceiling {
	if role != nil && role.ServiceName != "" {
		return ceiling{decision: decisionAllow}
	}
	return s.boundAs(accountID, role.arn(), a)
}

// boundAs holds an access to the service control policies of who asks and to the
// resource control policies of whose the resource is. A denial by either comes before
// what a service control policy leaves out.
func (s *Sim) boundAs(accountID, roleARN string, a access) ceiling {
	if len(s.world.policies.attached)+len(s.world.policies.bare) == 0 {
		return ceiling{decision: decisionAllow}
	}
	owner := s.ownerOf(a.Resource, accountID)
	a.Context = s.organizationContext(accountID, owner, roleARN, a)
	out := ceiling{s.controlPolicies(accountID, a), "service control policy"}
	if out.decision != decisionDeny && s.resourcePolicies(owner, a) {
		return ceiling{decisionDeny, "resource control policy"}
	}
	return out
}

// policyDenies says whether a policy of the organization keeps a role of an account
// from an action in a Region, whatever the resource.
func (s *Sim) policyDenies(accountID, role, action, region string) bool {
	return s.ceilingOf(accountID, role, action, region).decision != decisionAllow
}

func (s *Sim) ceilingOf(accountID, role, action, region string) ceiling {
	arn := "arn:" + s.world.partition + ":iam::" + accountID + ":role/" + role
	if a := s.world.accounts[accountID]; a != nil && a.roles[role] != nil {
		arn = a.roles[role].ARN
	}
	return s.boundAs(accountID, arn, access{Action: action, Resource: "*", Context: map[string]string{"aws:requestedregion": region}})
}

// documentsOf gives a role's inline and managed policies.
func (s *Sim) documentsOf(a *account, r *iamRole) []policyDocument {
	documents := make([]policyDocument, 0, len(r.Policies)+len(r.Managed))
	for _, name := range sortedKeys(r.Policies) {
		documents = append(documents, r.Policies[name])
	}
	for _, arn := range r.Managed {
		documents = append(documents, s.managedPolicy(a, arn))
	}
	return documents
}

// managedPolicy is one of the account's own or of AWS's; of those that are not known
// here nothing is allowed.
func (s *Sim) managedPolicy(a *account, arn string) policyDocument {
	if a != nil {
		if doc, own := a.managed[arn]; own {
			return doc
		}
	}
	return managedPolicies[arn[strings.LastIndexByte(arn, '/')+1:]]
}

// accountOf gives the account of an ARN, nil when it is not simulated.
func (s *Sim) accountOf(arn string) *account {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return s.world.accounts[parts[4]]
	}
	return nil
}

// roleAllows evaluates the managed and inline policies of a role, within its boundary.
func (s *Sim) roleAllows(r *iamRole, a access) bool {
	home := s.accountOf(r.ARN)
	if evaluate(s.documentsOf(home, r), a) != decisionAllow {
		return false
	}
	return r.Boundary == "" || evaluate([]policyDocument{s.managedPolicy(home, r.Boundary)}, a) == decisionAllow
}

// managedPolicies are AWS's managed policies as far as calls served here go.
var managedPolicies = map[string]policyDocument{
	"AdministratorAccess": {Statement: []policyStatement{{Allow: true, Actions: []string{"*"}, Resources: []string{"*"}}}},
	"ReadOnlyAccess":      {Statement: []policyStatement{{Allow: true, Actions: readActions, Resources: []string{"*"}}}},
	"SecurityAudit":       {Statement: []policyStatement{{Allow: true, Actions: readActions, Resources: []string{"*"}}}},
}

var readActions = []string{
	"config:Describe*", "config:Get*", "config:List*", "config:BatchGet*", "config:Select*", "iam:Get*", "iam:List*", "ec2:Describe*", "ec2:GetEbs*", "ssm:Describe*", "ssm:List*", "ssm:GetDocument",
	"cloudformation:Describe*", "cloudformation:List*", "cloudformation:GetTemplate*", "organizations:Describe*", "organizations:List*",
	"account:List*", "account:Get*", "s3:ListBucket", "s3:GetBucket*", "lambda:List*", "lambda:Get*", "ecs:Describe*", "ecs:List*",
}

type decision int

const (
	decisionNone decision = iota
	decisionAllow
	decisionDeny
)

func evaluate(documents []policyDocument, a access) decision {
	out := decisionNone
	for _, d := range documents {
		for _, st := range d.Statement {
			if !statementApplies(st, a) {
				continue
			}
			if !st.Allow {
				return decisionDeny
			}
			out = decisionAllow
		}
	}
	return out
}

func statementApplies(st policyStatement, a access) bool {
	if len(st.Actions) > 0 && !matchesAny(st.Actions, a.Action) || len(st.NotActions) > 0 && matchesAny(st.NotActions, a.Action) {
		return false
	}
	if len(st.Resources) > 0 && !resourceMatches(st.Resources, a.Resource) || len(st.NotResource) > 0 && resourceMatches(st.NotResource, a.Resource) {
		return false
	}
	return conditionsHold(st.Conditions, a.Context)
}

// resourceMatches compares ARNs; an action that knows no resource ("*") matches
// only a statement for every resource.
func resourceMatches(patterns []string, resource string) bool {
	return anyLike(patterns, resource, false)
}

// matchesAny compares actions, whose case does not matter.
func matchesAny(patterns []string, action string) bool {
	return anyLike(patterns, action, true)
}

// arn is "" of no role.
func (r *iamRole) arn() string {
	if r == nil {
		return ""
	}
	return r.ARN
}

func roleName(r *iamRole) string {
	if r == nil {
		return ""
	}
	return r.Name
}
