package simaws

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// inlinePolicy is AWS::IAM::Policy: a policy put into roles. Its handler only puts and
// takes away, so one that is there under its name is overwritten.
var inlinePolicy = resourceHandler{create: putInline, update: putInline, delete: deleteInline, takes: 8 * time.Second}

func putInline(s *Sim, c resourceCall) (resourceResult, error) {
	if err := properties(c, "PolicyDocument PolicyName | Groups Roles Users", &struct{}{}); err != nil {
		return resourceResult{}, err
	}
	name, roles := textOf(c.Properties["PolicyName"]), texts(c.Properties["Roles"])
	doc, err := parsePolicy(c.Properties["PolicyDocument"])
	if err != nil {
		return resourceResult{}, handlerError(s, "Iam", http.StatusBadRequest, "InvalidRequest", err.Error())
	}
	if err := inlineTargets(s, c); err != nil {
		return resourceResult{}, err
	}
	for _, role := range roles {
		if err := takesInline(s, c.Account.roles[role], role, name, doc); err != nil {
			return resourceResult{}, err
		}
	}
	if c.PhysicalID != "" { // what it leaves: other roles, its former name
		for _, role := range texts(c.Old["Roles"]) {
			if was := textOf(c.Old["PolicyName"]); c.Account.roles[role] != nil && (was != name || !slices.Contains(roles, role)) {
				delete(c.Account.roles[role].Policies, was)
			}
		}
	}
	for _, role := range roles {
		r := c.Account.roles[role]
		if r.Policies == nil {
			r.Policies = map[string]policyDocument{}
		}
		r.Policies[name] = doc
	}
	id := c.PhysicalID
	if id == "" {
		id = stackName(s, c, 128)
	}
	return resourceResult{PhysicalID: id, Attributes: map[string]any{"Id": id}}, nil
}

// inlineTargets: users must be there, and accounts here have no groups.
func inlineTargets(s *Sim, c resourceCall) error {
	users, groups := texts(c.Properties["Users"]), texts(c.Properties["Groups"])
	for _, user := range users {
		if s.users(c.Account)[user] == nil {
			return notFound(s, "Iam", "The user with name "+user+" cannot be found.")
		}
	}
	if len(groups) > 0 {
		return notFound(s, "Iam", "The group with name "+groups[0]+" cannot be found.")
	}
	if len(users)+len(texts(c.Properties["Roles"])) == 0 {
		return statusReason("At least one of [Groups,Roles,Users] must be non-empty.")
	}
	return nil
}

// takesInline says whether a role can take the policy.
func takesInline(s *Sim, r *iamRole, role, name string, doc policyDocument) error {
	switch {
	case r == nil:
		return notFound(s, "Iam", "The role with name "+role+" cannot be found.")
	case r.ServiceName != "":
		return handlerError(s, "Iam", http.StatusBadRequest, "InvalidRequest", "Cannot perform the operation on the protected role '"+role+"' - this role is only modifiable by AWS")
	}
	size := len(policyText(doc))
	for other, d := range r.Policies {
		if other != name {
			size += len(policyText(d))
		}
	}
	if size > maxInlineBytes {
		return handlerError(s, "Iam", http.StatusConflict, "ServiceLimitExceeded", fmt.Sprintf("Maximum policy size of %d bytes exceeded for role %s", maxInlineBytes, role))
	}
	return nil
}

func deleteInline(_ *Sim, c resourceCall) error {
	for _, role := range texts(c.Properties["Roles"]) {
		if r := c.Account.roles[role]; r != nil {
			delete(r.Policies, textOf(c.Properties["PolicyName"]))
		}
	}
	return nil
}

// putBeside are the policies that AWS::IAM::Policy of the same stack put into a role:
// they are no drift of the role (user guide, considerations when detecting drift).
func (r *regionState) putBeside(role *stackResource) (names []string) {
	for _, st := range r.stacks {
		if st.Resources[role.LogicalID] != role {
			continue
		}
		for _, res := range st.Resources {
			if res.Type == "AWS::IAM::Policy" && slices.Contains(texts(res.Properties["Roles"]), role.PhysicalID) {
				names = append(names, textOf(res.Properties["PolicyName"]))
			}
		}
	}
	return names
}
