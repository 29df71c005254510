package simaws

import (
	"encoding/json"
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
	refused := fail(http.StatusForbidden, "AccessDenied", fmt.Sprintf("User: %s is not authorized to perform: sts:AssumeRole on resource: %s", c.Caller.ARN, arn))
	a := s.world.accounts[parts[1]]
	// A role that does not exist and one that does not trust the caller read the same.
	if a == nil || a.State != "ACTIVE" || a.roles[parts[3]] == nil || a.roles[parts[3]].ARN != arn {
		return nil, refused
	}
	role := a.roles[parts[3]]
	context := map[string]string{"aws:principalarn": c.Caller.ARN, "aws:principalaccount": c.Caller.Account}
	if id := c.Form.str("ExternalId"); id != "" {
		context["sts:externalid"] = id
	}
	if !trusts(role.Trust, c.Caller, context) {
		return nil, refused
	}
	// A caller with a role of its own needs sts:AssumeRole as well.
	if c.Caller.Role != nil {
		if err := s.allowed(c.Caller, access{Action: "sts:AssumeRole", Resource: arn}); err != nil {
			return nil, refused
		}
	}
	seconds, given := c.Form.integer("DurationSeconds")
	if !given {
		seconds = 3600
	}
	longest := role.MaxSession
	if longest == 0 {
		longest = time.Hour
	}
	if seconds < 900 || seconds > 43200 {
		return nil, fail(http.StatusBadRequest, "ValidationError", "1 validation error detected: Value at 'durationSeconds' failed to satisfy constraint: Member must have value between 900 and 43200")
	}
	if time.Duration(seconds)*time.Second > longest {
		return nil, fail(http.StatusBadRequest, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	who := caller{Account: a.ID, Role: role,
		ARN:    fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/%s", s.world.partition, a.ID, role.Name, name),
		UserID: role.ID + ":" + name}
	if text := c.Form.str("Policy"); text != "" {
		if len(text) > 2048 {
			return nil, fail(http.StatusBadRequest, "ValidationError", "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to 2048")
		}
		if !json.Valid([]byte(text)) {
			return nil, fail(http.StatusBadRequest, "MalformedPolicyDocument", "This policy contains invalid Json")
		}
		policy, err := parsePolicy(text)
		if err != nil {
			return nil, fail(http.StatusBadRequest, "MalformedPolicyDocument", err.Error())
		}
		who.Session = &policy
	}
	expires := s.opts.Now().Add(time.Duration(seconds) * time.Second).UTC().Truncate(time.Second)
	key := "ASIA" + s.ids.upper(16)
	s.creds[key] = &issuedKey{caller: who, expires: expires}
	return struct {
		Credentials struct {
			AccessKeyId, SecretAccessKey, SessionToken, Expiration string
		}
		AssumedRoleUser struct{ AssumedRoleId, Arn string }
	}{
		Credentials: struct{ AccessKeyId, SecretAccessKey, SessionToken, Expiration string }{
			key, s.ids.alnum(40), "simulated" + s.ids.alnum(60), expires.Format(time.RFC3339),
		},
		AssumedRoleUser: struct{ AssumedRoleId, Arn string }{who.UserID, who.ARN},
	}, nil
}

// trusts says whether a role's trust policy lets a caller assume it.
func trusts(trust policyDocument, who caller, context map[string]string) bool {
	allowed := false
	for _, st := range trust.Statement {
		if !matchesAny(st.Actions, "sts:AssumeRole") || !principalIs(st.Principals, who) || !conditionsHold(st.Conditions, context) {
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
