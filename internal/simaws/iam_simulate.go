package simaws

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// simulatePrincipalPolicy evaluates a role's policies without doing anything: its
// identity policies and what is passed beside them, its boundary, and the service
// control policies with their conditions (IAM API reference, 2026). One result an
// action; what each resource comes to stands in ResourceSpecificResults.
func simulatePrincipalPolicy(s *Sim, c *call) (any, error) {
	a, f := s.iamAccount(c), c.Form
	arn := f.str("PolicySourceArn")
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[2] != "iam" {
		return nil, fail(http.StatusBadRequest, "InvalidInput", "Invalid Entity Arn: "+arn+" does not clearly define entity type and name.")
	}
	kind, name, _ := strings.Cut(parts[5], "/")
	name = name[strings.LastIndexByte(name, '/')+1:]
	var role *iamRole
	switch {
	case kind == "role":
		if role = a.roles[name]; parts[4] != a.ID || role == nil || role.ARN != arn {
			return nil, noSuchRole(name)
		}
	case kind == "user" && arn == c.Caller.ARN && c.Caller.Role == nil: // the operator, an administrator
	case kind == "user":
		return nil, fail(http.StatusNotFound, "NoSuchEntity", "The user with name "+name+" cannot be found.")
	default:
		return nil, fail(http.StatusBadRequest, "InvalidInput", "Invalid Entity Arn: "+arn+" does not clearly define entity type and name.")
	}
	identity := []policyDocument{managedPolicies["AdministratorAccess"]}
	sources := []string{"AdministratorAccess"}
	var boundary []policyDocument
	if role != nil {
		identity, sources = s.documentsOf(a, role), policySources(role)
		if role.Boundary != "" {
			boundary = []policyDocument{s.managedPolicy(a, role.Boundary)}
		}
	}
	more, err := simulated(f, "PolicyInputList")
	if err != nil {
		return nil, err
	}
	identity = append(identity, more...)
	for i := range more {
		sources = append(sources, "PolicyInputList."+strconv.Itoa(i+1))
	}
	passed, err := simulated(f, "PermissionsBoundaryPolicyInputList")
	if err != nil {
		return nil, err
	}
	if len(passed) > 0 {
		boundary = passed
	}
	context := map[string]string{}
	for _, e := range f.structs("ContextEntries") {
		if values := e.list("ContextKeyValues"); len(values) > 0 {
			context[strings.ToLower(e.str("ContextKeyName"))] = values[0]
		}
	}
	resources := f.list("ResourceArns")
	var results []simulationResult
	for _, action := range f.list("ActionNames") {
		if !strings.Contains(action, ":") {
			return nil, fail(http.StatusBadRequest, "InvalidInput", "Invalid Action Name: "+action)
		}
		results = append(results, s.simulate(a, role, action, resources, context, identity, sources, boundary))
	}
	page, truncated, marker, err := iamPage(c, results)
	return struct {
		EvaluationResults []simulationResult `xml:"EvaluationResults>member"`
		IsTruncated       bool
		Marker            string `xml:",omitempty"`
	}{page, truncated, marker}, err
}

func simulated(f query, name string) (docs []policyDocument, err error) {
	for _, text := range f.list(name) {
		doc, err := readPermissions(text)
		if err != nil {
			return nil, fail(http.StatusBadRequest, "InvalidInput", reasonOf(err))
		}
		docs = append(docs, doc)
	}
	return docs, nil
}

type simulationResult struct {
	EvalActionName, EvalResourceName, EvalDecision string
	MatchedStatements                              []matchedStatement `xml:"MatchedStatements>member"`
	MissingContextValues                           []string           `xml:"MissingContextValues>member"`
	OrganizationsDecisionDetail                    *allowedByOrg      `xml:",omitempty"`
	PermissionsBoundaryDecisionDetail              *allowedByBounds   `xml:",omitempty"`
	ResourceSpecificResults                        []simulationPlace  `xml:"ResourceSpecificResults>member"`
}

type (
	allowedByOrg    struct{ AllowedByOrganizations bool }
	allowedByBounds struct{ AllowedByPermissionsBoundary bool }
)

type simulationPlace struct {
	EvalResourceName, EvalResourceDecision string
	MatchedStatements                      []matchedStatement `xml:"MatchedStatements>member"`
	MissingContextValues                   []string           `xml:"MissingContextValues>member"`
	PermissionsBoundaryDecisionDetail      *allowedByBounds   `xml:",omitempty"`
}

// matchedStatement names the policy of a statement that decided. AWS says IAM Policy for
// the type, which its model's enumeration lacks (soto-project/soto#230, and the
// acceptance test of the Terraform provider's aws_iam_principal_policy_simulation).
type matchedStatement struct{ SourcePolicyId, SourcePolicyType string }

// policySources names a role's policies as the simulation does, in documentsOf's order:
// an inline one after its role, a managed one by its name.
func policySources(role *iamRole) []string {
	var out []string
	for _, name := range sortedKeys(role.Policies) {
		out = append(out, "role_"+role.Name+"_"+name)
	}
	for _, arn := range role.Managed {
		out = append(out, arn[strings.LastIndexByte(arn, '/')+1:])
	}
	return out
}

// matched gives the statements that a decision rests on: those that allow or those that
// deny. An implicit denial has none.
func matched(x access, d decision, identity []policyDocument, sources []string) []matchedStatement {
	var out []matchedStatement
	for i, doc := range identity {
		for _, st := range doc.Statement {
			if d != decisionNone && st.Allow == (d == decisionAllow) && statementApplies(st, x) {
				out = append(out, matchedStatement{sources[i], "IAM Policy"})
			}
		}
	}
	return out
}

var decisionWords = map[decision]string{decisionAllow: "allowed", decisionDeny: "explicitDeny", decisionNone: "implicitDeny"}

func (s *Sim) simulate(a *account, role *iamRole, action string, resources []string, context map[string]string, identity []policyDocument, sources []string, boundary []policyDocument) simulationResult {
	out := simulationResult{EvalActionName: action, EvalResourceName: "*"}
	missing := map[string]bool{}
	for _, d := range append(slices.Clone(identity), boundary...) {
		for _, st := range d.Statement {
			if len(st.Actions) > 0 && !matchesAny(st.Actions, action) || len(st.NotActions) > 0 && matchesAny(st.NotActions, action) {
				continue
			}
			for _, keys := range st.Conditions {
				for key := range keys {
					if _, given := context[strings.ToLower(key)]; !given {
						missing[key] = true
					}
				}
			}
		}
	}
	organization, bounds := decisionAllow, decisionAllow
	one := func(resource string) decision {
		x := access{Action: action, Resource: resource, Context: maps.Clone(context)}
		mine := evaluate(identity, x)
		limit := decisionAllow
		if boundary != nil {
			limit = evaluate(boundary, x)
		}
		org := decisionAllow // by service control policies alone (AllowedByOrganizations)
		if arn := role.arn(); role == nil || role.ServiceName == "" {
			y := x
			y.Context = s.organizationContext(a.ID, a.ID, arn, x)
			org = s.controlPolicies(a.ID, y)
		}
		organization, bounds = worse(organization, org), worse(bounds, limit)
		return worse(worse(mine, limit), org)
	}
	statements := func(resource string, d decision) []matchedStatement {
		return matched(access{Action: action, Resource: resource, Context: context}, d, identity, sources)
	}
	if len(resources) == 0 {
		d := one("*")
		out.EvalDecision, out.MatchedStatements = decisionWords[d], statements("*", d)
		out.MissingContextValues = sortedKeys(missing)
	} else {
		all := decisionAllow
		for _, r := range resources {
			d := one(r)
			all = worse(all, d)
			place := simulationPlace{EvalResourceName: r, EvalResourceDecision: decisionWords[d], MissingContextValues: sortedKeys(missing), MatchedStatements: statements(r, d)}
			if boundary != nil {
				place.PermissionsBoundaryDecisionDetail = &allowedByBounds{evaluate(boundary, access{Action: action, Resource: r, Context: context}) == decisionAllow}
			}
			out.ResourceSpecificResults = append(out.ResourceSpecificResults, place)
		}
		out.EvalDecision, out.MissingContextValues = decisionWords[all], sortedKeys(missing)
		if len(resources) == 1 { // the result is about it
			out.EvalResourceName, out.MatchedStatements = resources[0], statements(resources[0], all)
		}
	}
	if !s.opts.NoOrganization {
		out.OrganizationsDecisionDetail = &allowedByOrg{organization == decisionAllow}
	}
	if boundary != nil {
		out.PermissionsBoundaryDecisionDetail = &allowedByBounds{bounds == decisionAllow}
	}
	return out
}

// worse gives the more restrictive of two decisions: an explicit deny, then none.
func worse(a, b decision) decision {
	switch {
	case a == decisionDeny || b == decisionDeny:
		return decisionDeny
	case a == decisionNone || b == decisionNone:
		return decisionNone
	}
	return decisionAllow
}
