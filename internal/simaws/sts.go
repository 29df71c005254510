package simaws

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// stsOps are the calls served, by name.
var stsOps = map[string]handler{
	"GetCallerIdentity": getCallerIdentity,
	"AssumeRole":        assumeRole,
}

func getCallerIdentity(_ *Sim, c *call) (any, error) {
	return struct {
		Arn, UserId, Account string
	}{c.Caller.ARN, c.Caller.UserID, c.Caller.Account}, nil
}

var (
	roleARN     = regexp.MustCompile(`^arn:[a-z-]+:iam::(\d{12}):role/(.*/)?([\w+=,.@-]{1,64})$`)
	sessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
)

func assumeRole(s *Sim, c *call) (any, error) {
	arn, name := c.Form.str("RoleArn"), c.Form.str("RoleSessionName")
	parts := roleARN.FindStringSubmatch(arn)
	if parts == nil {
		return nil, fail(http.StatusBadRequest, "ValidationError", arn+" is invalid")
	}
	if !sessionName.MatchString(name) {
		return nil, fail(http.StatusBadRequest, "ValidationError", fmt.Sprintf("1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*", name))
	}
	a := s.world.accounts[parts[1]]
	// A role that does not exist and one that does not trust the caller read the same.
	if a == nil || a.State != "ACTIVE" || a.roles[parts[3]] == nil || a.roles[parts[3]].ARN != arn {
		return nil, notAssumed(c, "sts:AssumeRole", arn)
	}
	role := a.roles[parts[3]]
	asked, err := readSession(c)
	if err != nil {
		return nil, err
	}
	if err := s.mayAssume(c, role, asked); err != nil {
		return nil, err
	}
	seconds, given := c.Form.integer("DurationSeconds")
	if !given {
		seconds = 3600
	}
	// Role chaining: one hour, whatever the role has (API reference, AssumeRole).
	if c.Caller.Role != nil && seconds > 3600 {
		return nil, fail(http.StatusBadRequest, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	}
	longest := role.MaxSession
	if longest == 0 {
		longest = time.Hour
	}
	if time.Duration(seconds)*time.Second > longest {
		return nil, fail(http.StatusBadRequest, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	who := caller{Account: a.ID, Role: role,
		ARN:    fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/%s", s.world.partition, a.ID, role.Name, name),
		UserID: role.ID + ":" + name,
		Tags:   asked.tags, Transitive: asked.transitive, SourceIdentity: asked.source}
	if who.Session, err = s.sessionPolicy(c, a, asked); err != nil {
		return nil, err
	}
	packed, err := asked.packed()
	if err != nil {
		return nil, err
	}
	expires := s.opts.Now().Add(time.Duration(seconds) * time.Second).UTC().Truncate(time.Second)
	key := "ASIA" + s.ids.upper(16)
	s.creds[key] = &issuedKey{caller: who, expires: expires}
	return struct {
		Credentials struct {
			AccessKeyId, SecretAccessKey, SessionToken, Expiration string
		}
		AssumedRoleUser  struct{ AssumedRoleId, Arn string }
		PackedPolicySize int    `xml:",omitempty"`
		SourceIdentity   string `xml:",omitempty"`
	}{
		Credentials: struct{ AccessKeyId, SecretAccessKey, SessionToken, Expiration string }{
			key, s.ids.alnum(40), "simulated" + s.ids.alnum(60), expires.Format(time.RFC3339),
		},
		AssumedRoleUser:  struct{ AssumedRoleId, Arn string }{who.UserID, who.ARN},
		PackedPolicySize: packed, SourceIdentity: asked.source,
	}, nil
}

// mayAssume: the role trusts the caller, and a caller with a role of its own may call;
// both for session tags and a source identity too (IAM user guide, "Pass session tags"
// and "Monitor and control actions taken with assumed roles").
func (s *Sim) mayAssume(c *call, role *iamRole, asked *sessionAsked) error {
	principal := c.Caller.ARN
	if c.Caller.Role != nil { // of a session its role (IAM user guide, aws:PrincipalArn)
		principal = c.Caller.Role.ARN
	}
	context := map[string]string{"aws:principalarn": principal, "aws:principalaccount": c.Caller.Account, "sts:rolesessionname": c.Form.str("RoleSessionName")}
	if id := c.Form.str("ExternalId"); id != "" {
		context["sts:externalid"] = id
	}
	for key, value := range asked.passed {
		context["aws:requesttag/"+strings.ToLower(key)] = value
	}
	if asked.source != "" {
		context["sts:sourceidentity"] = asked.source
	}
	actions := []string{"sts:AssumeRole"}
	if len(asked.tags) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if asked.source != "" {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	for _, action := range actions {
		if !trusts(role.Trust, action, c.Caller, context) || s.allowed(c.Caller, access{Action: action, Resource: role.ARN, Context: context}) != nil {
			return notAssumed(c, action, role.ARN)
		}
	}
	return nil
}

func notAssumed(c *call, action, arn string) *apiError {
	return fail(http.StatusForbidden, "AccessDenied", fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s", c.Caller.ARN, action, arn))
}

// trusts says whether a role's trust policy lets a caller do what assuming it takes.
func trusts(trust policyDocument, action string, who caller, context map[string]string) bool {
	allowed := false
	for _, st := range trust.Statement {
		if !matchesAny(st.Actions, action) || !principalIs(st.Principals, who) || !conditionsHold(st.Conditions, context) {
			continue
		}
		if !st.Allow {
			return false
		}
		allowed = true
	}
	return allowed
}

func principalIs(principals map[string][]string, who caller) bool {
	for _, p := range append(principals["AWS"], principals["*"]...) {
		if p == "*" || p == who.Account || p == who.ARN || strings.HasSuffix(p, "::"+who.Account+":root") || who.Role != nil && p == who.Role.ARN {
			return true
		}
	}
	return false
}
