package simaws

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"time"
)

// iamOps are the calls served, by name.
var iamOps = map[string]handler{
	"GetRole":                 getRole,
	"ListRoles":               listRoles,
	"CreateServiceLinkedRole": createServiceLinkedRole,
}

type roleShape struct {
	Path, RoleName, RoleId, Arn, CreateDate, AssumeRolePolicyDocument string
	Description                                                       string `xml:",omitempty"`
	MaxSessionDuration                                                int
}

func shapeOfRole(r *iamRole) roleShape {
	longest := r.MaxSession
	if longest == 0 {
		longest = time.Hour
	}
	// IAM sends the policy percent-encoded (RFC 3986; IAM API reference, Role).
	return roleShape{r.Path, r.Name, r.ID, r.ARN, r.Created.UTC().Format(time.RFC3339), url.PathEscape(policyText(r.Trust)), r.Description, int(longest / time.Second)}
}

// policyText writes a policy as JSON again.
func policyText(p policyDocument) string {
	statements := []any{}
	for _, st := range p.Statement {
		m := map[string]any{"Effect": "Deny", "Action": st.Actions}
		if st.Allow {
			m["Effect"] = "Allow"
		}
		if len(st.Principals) > 0 {
			m["Principal"] = st.Principals
		}
		if len(st.Resources) > 0 {
			m["Resource"] = st.Resources
		}
		if len(st.Conditions) > 0 {
			m["Condition"] = st.Conditions
		}
		statements = append(statements, m)
	}
	text, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	return string(text)
}

func getRole(s *Sim, c *call) (any, error) {
	name := c.Form.str("RoleName")
	r := s.world.accounts[c.Caller.Account].roles[name]
	if r == nil {
		return nil, fail(http.StatusNotFound, "NoSuchEntity", fmt.Sprintf("The role with name %s cannot be found.", name))
	}
	return struct{ Role roleShape }{shapeOfRole(r)}, nil
}

func listRoles(s *Sim, c *call) (any, error) {
	var out struct {
		XMLName     xml.Name    `xml:"ListRolesResult"`
		Roles       []roleShape `xml:"Roles>member"`
		IsTruncated bool
	}
	for _, r := range s.world.accounts[c.Caller.Account].roles {
		out.Roles = append(out.Roles, shapeOfRole(r))
	}
	sort.Slice(out.Roles, func(i, j int) bool { return out.Roles[i].RoleName < out.Roles[j].RoleName })
	return out, nil
}

// serviceLinkedRoles are the services whose role is known here.
var serviceLinkedRoles = map[string]string{
	"config.amazonaws.com":                              "AWSServiceRoleForConfig",
	"remediation.config.amazonaws.com":                  "AWSServiceRoleForConfigRemediation",
	"member.org.stacksets.cloudformation.amazonaws.com": "AWSServiceRoleForCloudFormationStackSetsOrgMember",
	"stacksets.cloudformation.amazonaws.com":            "AWSServiceRoleForCloudFormationStackSetsOrgAdmin",
}

func createServiceLinkedRole(s *Sim, c *call) (any, error) {
	r, err := s.addServiceLinkedRole(s.world.accounts[c.Caller.Account], c.Form.str("AWSServiceName"), c.Form.str("Description"))
	if err != nil {
		return nil, err
	}
	return struct{ Role roleShape }{shapeOfRole(r)}, nil
}

func (s *Sim) addServiceLinkedRole(a *account, service, description string) (*iamRole, error) {
	name := serviceLinkedRoles[service]
	if name == "" {
		return nil, fail(http.StatusBadRequest, "InvalidInput", "Service name "+service+" is not supported for service-linked roles")
	}
	if a.roles[name] != nil {
		return nil, fail(http.StatusBadRequest, "InvalidInput", "Service role name "+name+" has been taken in this account, please try a different suffix.")
	}
	trust, _ := parsePolicy(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"Service": service}, "Action": "sts:AssumeRole",
	}}})
	r := &iamRole{
		Name: name, Path: "/aws-service-role/" + service + "/", ID: "AROA" + s.ids.upper(17), Created: s.clock.Now(),
		ARN:   fmt.Sprintf("arn:%s:iam::%s:role/aws-service-role/%s/%s", s.world.partition, a.ID, service, name),
		Trust: trust, ServiceName: service, Description: description,
	}
	a.roles[name] = r
	return r, nil
}
