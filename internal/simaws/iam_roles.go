package simaws

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Quotas of IAM and STS (IAM user guide): managed policies of a role, bytes of its
// inline policies together, bytes of a trust policy, roles, tags.
const (
	maxManagedOfRole = 10
	maxInlineBytes   = 10240
	maxTrustBytes    = 2048
	maxRoles         = 1000
)

// role finds a role that may be changed: not one that a service has linked.
func (s *Sim) changeable(c *call) (*iamRole, error) {
	name := c.Form.str("RoleName")
	r := s.iamAccount(c).roles[name]
	if r == nil {
		return nil, noSuchRole(name)
	}
	if r.ServiceName != "" {
		return nil, fail(http.StatusBadRequest, "UnmodifiableEntity", "Cannot perform the operation on the protected role '"+name+"' - this role is only modifiable by AWS")
	}
	return r, nil
}

func malformedPolicy(why string) error {
	return fail(http.StatusBadRequest, "MalformedPolicyDocument", why)
}

// readTrust reads a trust policy: it has principals and no resources.
func readTrust(text string) (policyDocument, error) {
	doc, err := parsePolicy(text)
	if err != nil {
		return doc, malformedPolicy(err.Error())
	}
	if len(strings.Join(strings.Fields(text), "")) > maxTrustBytes {
		return doc, fail(http.StatusConflict, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048")
	}
	for _, st := range doc.Statement {
		if st.Principals == nil {
			return doc, malformedPolicy("Missing required field Principal")
		}
		if st.Resources != nil || st.NotResource != nil {
			return doc, malformedPolicy("Has prohibited field Resource")
		}
	}
	return doc, nil
}

// readPermissions reads a permissions policy: it has resources and no principals.
func readPermissions(text string) (policyDocument, error) {
	doc, err := parsePolicy(text)
	if err != nil {
		return doc, malformedPolicy(err.Error())
	}
	for _, st := range doc.Statement {
		switch {
		case st.Principals != nil:
			return doc, malformedPolicy("Policy document should not specify a principal.")
		case len(st.Actions)+len(st.NotActions) == 0:
			return doc, malformedPolicy("Policy statement must contain actions.")
		case len(st.Resources)+len(st.NotResource) == 0:
			return doc, malformedPolicy("Policy statement must contain resources.")
		}
	}
	return doc, nil
}

var iamPath = regexp.MustCompile(`^/([!-~]+/)?$`)

func createIAMRole(s *Sim, c *call) (any, error) {
	a, f := s.iamAccount(c), c.Form
	name, path := f.str("RoleName"), f.str("Path")
	if path == "" {
		path = "/"
	}
	if !iamPath.MatchString(path) {
		return nil, fail(http.StatusBadRequest, "ValidationError", "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	trust, err := readTrust(f.str("AssumeRolePolicyDocument"))
	if err != nil {
		return nil, err
	}
	if a.roles[name] != nil {
		return nil, fail(http.StatusConflict, "EntityAlreadyExists", "Role with name "+name+" already exists.")
	}
	if len(a.roles) >= maxRoles {
		return nil, fail(http.StatusConflict, "LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000")
	}
	tags, err := roleTags(nil, f)
	if err != nil {
		return nil, err
	}
	r := &iamRole{Name: name, Path: path, ID: "AROA" + s.ids.upper(17), ARN: "arn:" + s.world.partition + ":iam::" + a.ID + ":role" + path + name,
		Created: s.clock.Now(), Trust: trust, Description: f.str("Description"), Policies: map[string]policyDocument{}, Tags: tags}
	if n, ok := f.integer("MaxSessionDuration"); ok {
		r.MaxSession = time.Duration(n) * time.Second
	}
	if arn := f.str("PermissionsBoundary"); arn != "" {
		if err := s.attachable(a, arn); err != nil {
			return nil, err
		}
		r.Boundary = arn
	}
	a.roles[name] = r
	return struct{ Role roleShape }{shapeOfRole(r)}, nil
}

func deleteIAMRole(s *Sim, c *call) (any, error) {
	r, err := s.changeable(c)
	switch {
	case err != nil:
		return nil, err
	case len(r.Policies) > 0:
		return nil, fail(http.StatusConflict, "DeleteConflict", "Cannot delete entity, must delete policies first.")
	case len(r.Managed) > 0:
		return nil, fail(http.StatusConflict, "DeleteConflict", "Cannot delete entity, must detach all policies first.")
	}
	delete(s.iamAccount(c).roles, r.Name)
	return struct{}{}, nil
}

func updateTrust(s *Sim, c *call) (any, error) {
	r, err := s.changeable(c)
	if err != nil {
		return nil, err
	}
	trust, err := readTrust(c.Form.str("PolicyDocument"))
	if err != nil {
		return nil, err
	}
	r.Trust = trust
	return struct{}{}, nil
}

func putRolePolicy(s *Sim, c *call) (any, error) {
	r, err := s.changeable(c)
	if err != nil {
		return nil, err
	}
	doc, err := readPermissions(c.Form.str("PolicyDocument"))
	if err != nil {
		return nil, err
	}
	name, size := c.Form.str("PolicyName"), len(policyText(doc))
	for other, d := range r.Policies {
		if other != name {
			size += len(policyText(d))
		}
	}
	if size > maxInlineBytes {
		return nil, fail(http.StatusConflict, "LimitExceeded", fmt.Sprintf("Maximum policy size of %d bytes exceeded for role %s", maxInlineBytes, r.Name))
	}
	if r.Policies == nil {
		r.Policies = map[string]policyDocument{}
	}
	r.Policies[name] = doc
	return struct{}{}, nil
}

func noSuchRolePolicy(name string) error {
	return fail(http.StatusNotFound, "NoSuchEntity", "The role policy with name "+name+" cannot be found.")
}

func getRolePolicy(s *Sim, c *call) (any, error) {
	role, name := c.Form.str("RoleName"), c.Form.str("PolicyName")
	r := s.iamAccount(c).roles[role]
	if r == nil {
		return nil, noSuchRole(role)
	}
	doc, there := r.Policies[name]
	if !there {
		return nil, noSuchRolePolicy(name)
	}
	return struct{ RoleName, PolicyName, PolicyDocument string }{role, name, url.PathEscape(policyText(doc))}, nil
}

func deleteRolePolicy(s *Sim, c *call) (any, error) {
	r, err := s.changeable(c)
	if err != nil {
		return nil, err
	}
	name := c.Form.str("PolicyName")
	if _, there := r.Policies[name]; !there {
		return nil, noSuchRolePolicy(name)
	}
	delete(r.Policies, name)
	return struct{}{}, nil
}

func listRolePolicies(s *Sim, c *call) (any, error) {
	r := s.iamAccount(c).roles[c.Form.str("RoleName")]
	if r == nil {
		return nil, noSuchRole(c.Form.str("RoleName"))
	}
	page, truncated, marker, err := iamPage(c, sortedKeys(r.Policies))
	return struct {
		PolicyNames []string `xml:"PolicyNames>member"`
		IsTruncated bool
		Marker      string `xml:",omitempty"`
	}{page, truncated, marker}, err
}

// attachable says whether a managed policy is there: AWS's own are not all known here.
func (s *Sim) attachable(a *account, arn string) error {
	if _, own := a.managed[arn]; own || strings.HasPrefix(arn, "arn:"+s.world.partition+":iam::aws:policy/") {
		return nil
	}
	return fail(http.StatusNotFound, "NoSuchEntity", "Policy "+arn+" does not exist or is not attachable.")
}

func attachRolePolicy(s *Sim, c *call) (any, error) {
	r, err := s.changeable(c)
	if err != nil {
		return nil, err
	}
	arn := c.Form.str("PolicyArn")
	if err := s.attachable(s.iamAccount(c), arn); err != nil {
		return nil, err
	}
	if slices.Contains(r.Managed, arn) {
		return struct{}{}, nil
	}
	if len(r.Managed) >= maxManagedOfRole {
		return nil, fail(http.StatusConflict, "LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10")
	}
	r.Managed = append(slices.Clone(r.Managed), arn)
	return struct{}{}, nil
}

func detachRolePolicy(s *Sim, c *call) (any, error) {
	r, err := s.changeable(c)
	if err != nil {
		return nil, err
	}
	arn := c.Form.str("PolicyArn")
	if !slices.Contains(r.Managed, arn) {
		return nil, fail(http.StatusNotFound, "NoSuchEntity", "Policy "+arn+" was not found.")
	}
	r.Managed = slices.DeleteFunc(slices.Clone(r.Managed), func(m string) bool { return m == arn })
	return struct{}{}, nil
}

func listAttachedRolePolicies(s *Sim, c *call) (any, error) {
	r := s.iamAccount(c).roles[c.Form.str("RoleName")]
	if r == nil {
		return nil, noSuchRole(c.Form.str("RoleName"))
	}
	type attached struct{ PolicyName, PolicyArn string }
	var list []attached
	for _, arn := range r.Managed {
		list = append(list, attached{arn[strings.LastIndexByte(arn, '/')+1:], arn})
	}
	page, truncated, marker, err := iamPage(c, list)
	return struct {
		AttachedPolicies []attached `xml:"AttachedPolicies>member"`
		IsTruncated      bool
		Marker           string `xml:",omitempty"`
	}{page, truncated, marker}, err
}

func putBoundary(s *Sim, c *call) (any, error) {
	r, err := s.changeable(c)
	if err != nil {
		return nil, err
	}
	if err := s.attachable(s.iamAccount(c), c.Form.str("PermissionsBoundary")); err != nil {
		return nil, err
	}
	r.Boundary = c.Form.str("PermissionsBoundary")
	return struct{}{}, nil
}

func deleteBoundary(s *Sim, c *call) (any, error) {
	r, err := s.changeable(c)
	if err != nil {
		return nil, err
	}
	if r.Boundary == "" {
		return nil, fail(http.StatusNotFound, "NoSuchEntity", "The role with name "+r.Name+" has no permissions boundary.")
	}
	r.Boundary = ""
	return struct{}{}, nil
}

func roleTags(old map[string]string, f query) (map[string]string, error) {
	out := map[string]string{}
	for k, v := range old {
		out[k] = v
	}
	for _, t := range f.structs("Tags") {
		if strings.HasPrefix(strings.ToLower(t.str("Key")), "aws:") {
			return nil, fail(http.StatusBadRequest, "InvalidInput", "Tag keys that begin with aws: are reserved for AWS.")
		}
		out[t.str("Key")] = t.str("Value")
	}
	if len(out) > maxTags {
		return nil, fail(http.StatusConflict, "LimitExceeded", "The number of tags has reached the maximum limit.")
	}
	return out, nil
}

func tagRole(s *Sim, c *call) (any, error) {
	r := s.iamAccount(c).roles[c.Form.str("RoleName")]
	if r == nil {
		return nil, noSuchRole(c.Form.str("RoleName"))
	}
	tags, err := roleTags(r.Tags, c.Form)
	if err != nil {
		return nil, err
	}
	r.Tags = tags
	return struct{}{}, nil
}

func untagRole(s *Sim, c *call) (any, error) {
	r := s.iamAccount(c).roles[c.Form.str("RoleName")]
	if r == nil {
		return nil, noSuchRole(c.Form.str("RoleName"))
	}
	for _, key := range c.Form.list("TagKeys") {
		delete(r.Tags, key)
	}
	return struct{}{}, nil
}

func listRoleTags(s *Sim, c *call) (any, error) {
	r := s.iamAccount(c).roles[c.Form.str("RoleName")]
	if r == nil {
		return nil, noSuchRole(c.Form.str("RoleName"))
	}
	page, truncated, marker, err := iamPage(c, tagShapes(r.Tags))
	return struct {
		Tags        []tagShape `xml:"Tags>member"`
		IsTruncated bool
		Marker      string `xml:",omitempty"`
	}{page, truncated, marker}, err
}
