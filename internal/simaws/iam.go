package simaws

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// iamOps are the calls served, by name.
var iamOps = map[string]handler{
	"GetRole":                            getRole,
	"ListRoles":                          listRoles,
	"CreateServiceLinkedRole":            createServiceLinkedRole,
	"DeleteServiceLinkedRole":            deleteServiceLinkedRole,
	"GetServiceLinkedRoleDeletionStatus": serviceLinkedRoleDeletion,
	"SimulatePrincipalPolicy":            simulatePrincipalPolicy,
	"CreateRole":                         createIAMRole,
	"DeleteRole":                         deleteIAMRole,
	"UpdateAssumeRolePolicy":             updateTrust,
	"PutRolePolicy":                      putRolePolicy,
	"GetRolePolicy":                      getRolePolicy,
	"DeleteRolePolicy":                   deleteRolePolicy,
	"ListRolePolicies":                   listRolePolicies,
	"AttachRolePolicy":                   attachRolePolicy,
	"DetachRolePolicy":                   detachRolePolicy,
	"ListAttachedRolePolicies":           listAttachedRolePolicies,
	"PutRolePermissionsBoundary":         putBoundary,
	"DeleteRolePermissionsBoundary":      deleteBoundary,
	"TagRole":                            tagRole,
	"UntagRole":                          untagRole,
	"ListRoleTags":                       listRoleTags,
	"GetAccountPasswordPolicy":           iamShared,
	"UpdateAccountPasswordPolicy":        iamShared,
	"DeleteAccountPasswordPolicy":        iamShared,
	"ListUsers":                          iamUserCall,
	"GetUser":                            iamUserCall,
	"ListUserTags":                       iamUserCall,
	"TagUser":                            iamUserCall,
	"UntagUser":                          iamUserCall,
	"ListAccessKeys":                     iamUserCall,
	"UpdateAccessKey":                    iamUserCall,
	"GetAccessKeyLastUsed":               iamUserCall,
}

type roleShape struct {
	Path, RoleName, RoleId, Arn, CreateDate, AssumeRolePolicyDocument string
	Description                                                       string `xml:",omitempty"`
	MaxSessionDuration                                                int
	PermissionsBoundary                                               *boundaryShape `xml:",omitempty"`
	Tags                                                              *roleTagList   `xml:",omitempty"`
	// An answer of GetRole has it, empty for a role that was never used.
	RoleLastUsed *struct{} `xml:",omitempty"`
}

type roleTagList struct {
	Member []tagShape `xml:"member"`
}

type boundaryShape struct{ PermissionsBoundaryType, PermissionsBoundaryArn string }

func shapeOfRole(r *iamRole) roleShape {
	longest := r.MaxSession
	if longest == 0 {
		longest = time.Hour
	}
	// IAM sends the policy percent-encoded (RFC 3986; IAM API reference, Role).
	return roleShape{r.Path, r.Name, r.ID, r.ARN, r.Created.UTC().Format(time.RFC3339), url.PathEscape(policyText(r.Trust)), r.Description, int(longest / time.Second), nil, nil, nil}
}

// policyText writes a policy as JSON again.
func policyText(p policyDocument) string {
	out := p.render()
	if out["Version"] == nil {
		out["Version"] = "2012-10-17"
	}
	return string(marshal(out))
}

// iamPage cuts a page of at most 1,000, 100 by default, by Marker.
func iamPage[T any](c *call, list []T) (page []T, truncated bool, marker string, err error) {
	size, from := 100, 0
	if n, ok := c.Form.integer("MaxItems"); ok {
		size = n
	}
	if m := c.Form.str("Marker"); m != "" {
		text, err := base64.RawURLEncoding.DecodeString(m)
		if err == nil {
			from, err = strconv.Atoi(string(text))
		}
		if err != nil || from < 0 || from > len(list) {
			return nil, false, "", fail(http.StatusBadRequest, "ValidationError", "Invalid Marker.")
		}
	}
	to := min(from+size, len(list))
	if to < len(list) {
		marker = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to)))
	}
	return list[from:to], to < len(list), marker, nil
}

func (s *Sim) iamAccount(c *call) *account { return s.world.accounts[c.Caller.Account] }

func noSuchRole(name string) *apiError {
	return fail(http.StatusNotFound, "NoSuchEntity", fmt.Sprintf("The role with name %s cannot be found.", name))
}

func getRole(s *Sim, c *call) (any, error) {
	name := c.Form.str("RoleName")
	r := s.iamAccount(c).roles[name]
	if r == nil {
		return nil, noSuchRole(name)
	}
	shape := shapeOfRole(r)
	if len(r.Tags) > 0 {
		shape.Tags = &roleTagList{tagShapes(r.Tags)}
	}
	shape.RoleLastUsed = &struct{}{}
	if r.Boundary != "" {
		shape.PermissionsBoundary = &boundaryShape{"Policy", r.Boundary}
	}
	return struct{ Role roleShape }{shape}, nil
}

// listRoles leaves out tags and boundaries, as IAM does ("does not return the following
// attributes", ListRoles).
func listRoles(s *Sim, c *call) (any, error) {
	prefix := c.Form.str("PathPrefix")
	var list []roleShape
	for _, name := range sortedKeys(s.iamAccount(c).roles) {
		if r := s.iamAccount(c).roles[name]; strings.HasPrefix(r.Path, prefix) {
			list = append(list, shapeOfRole(r))
		}
	}
	page, truncated, marker, err := iamPage(c, list)
	return struct {
		XMLName     xml.Name    `xml:"ListRolesResult"`
		Roles       []roleShape `xml:"Roles>member"`
		IsTruncated bool
		Marker      string `xml:",omitempty"`
	}{Roles: page, IsTruncated: truncated, Marker: marker}, err
}

// serviceLinkedRoles are the services whose role is known here.
var serviceLinkedRoles = map[string]string{
	"config.amazonaws.com":                              "AWSServiceRoleForConfig",
	"remediation.config.amazonaws.com":                  "AWSServiceRoleForConfigRemediation",
	"access-analyzer.amazonaws.com":                     "AWSServiceRoleForAccessAnalyzer",
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
