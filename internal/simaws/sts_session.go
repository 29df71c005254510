package simaws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// sessionAsked is what an AssumeRole asks of the session beside its length.
type sessionAsked struct {
	passed     map[string]string // the tags of this request
	tags       map[string]string // those that the caller's session hands on too
	transitive []string
	source     string
	policy     string
	policies   []string // ARNs
}

func stsInvalid(text string) *apiError { return fail(http.StatusBadRequest, "ValidationError", text) }

// readSession reads tags and source identity, with what a chain hands on (IAM user
// guide, "Chain roles with session tags": inherited keys cannot be passed again).
func readSession(c *call) (*sessionAsked, error) {
	asked := &sessionAsked{passed: map[string]string{}, tags: map[string]string{}, source: c.Form.str("SourceIdentity"), policy: c.Form.str("Policy")}
	folded := map[string]bool{}
	for _, t := range c.Form.structs("Tags") {
		key := t.str("Key")
		switch low := strings.ToLower(key); {
		case strings.HasPrefix(low, "aws:"):
			return nil, stsInvalid("Tag keys beginning with aws: are reserved for internal use: " + key)
		case folded[low]:
			return nil, fail(http.StatusBadRequest, "InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		default:
			folded[low] = true
		}
		asked.passed[key] = t.str("Value")
	}
	for _, key := range c.Caller.Transitive {
		if folded[strings.ToLower(key)] {
			return nil, fail(http.StatusBadRequest, "InvalidParameterValue", "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		}
		asked.tags[key] = c.Caller.Tags[key]
		asked.transitive = append(asked.transitive, key)
	}
	for key, value := range asked.passed {
		asked.tags[key] = value
	}
	for _, key := range c.Form.list("TransitiveTagKeys") {
		if _, passed := asked.passed[key]; !passed {
			return nil, fail(http.StatusBadRequest, "InvalidParameterValue", "The specified transitive tag key must be included in the requested tags.")
		}
		asked.transitive = append(asked.transitive, key)
	}
	switch had := c.Caller.SourceIdentity; {
	case strings.HasPrefix(strings.ToLower(asked.source), "aws:"):
		return nil, stsInvalid("A source identity must not begin with aws:")
	case had != "" && asked.source != "" && asked.source != had: // it cannot be changed once it is set
		return nil, notAssumed(c, "sts:SetSourceIdentity", c.Form.str("RoleArn"))
	case had != "":
		asked.source = had
	}
	for _, p := range c.Form.structs("PolicyArns") {
		asked.policies = append(asked.policies, p.str("arn"))
	}
	return asked, nil
}

// The API reference's limits: 2,048 characters, ten managed session policies.
const (
	sessionPolicyCharacters = 2048
	sessionPolicies         = 10
)

// sessionPolicy is what narrows the session: the inline policy and managed ones of the
// role's account together. Nil without any.
func (s *Sim) sessionPolicy(c *call, a *account, asked *sessionAsked) (*policyDocument, error) {
	if asked.policy == "" && len(asked.policies) == 0 {
		return nil, nil
	}
	out := policyDocument{}
	if len(asked.policies) > sessionPolicies {
		return nil, stsInvalid(fmt.Sprintf("1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to %d", sessionPolicies))
	}
	for _, arn := range asked.policies {
		_, own := a.managed[arn]
		if !own && !strings.HasPrefix(arn, "arn:"+s.world.partition+":iam::aws:policy/") {
			return nil, fail(http.StatusBadRequest, "MalformedPolicyDocument", "Policy "+arn+" does not exist or is not attachable.")
		}
		out.Statement = append(out.Statement, s.managedPolicy(a, arn).Statement...)
	}
	if asked.policy != "" {
		if len(asked.policy) > sessionPolicyCharacters {
			return nil, stsInvalid(fmt.Sprintf("1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to %d", sessionPolicyCharacters))
		}
		if !json.Valid([]byte(asked.policy)) {
			return nil, fail(http.StatusBadRequest, "MalformedPolicyDocument", "This policy contains invalid Json")
		}
		inline, err := parsePolicy(asked.policy)
		if err != nil {
			return nil, fail(http.StatusBadRequest, "MalformedPolicyDocument", err.Error())
		}
		out.Version, out.Statement = inline.Version, slices.Concat(out.Statement, inline.Statement)
	}
	return &out, nil
}

// tagCharacters is how many characters of keys and values fill what AWS allots to
// session tags. AWS does not publish its packing; nine tags of 252 characters are 498 %
// (aws-actions/configure-aws-credentials#1898).
const tagCharacters = 456

// packed is PackedPolicySize in percent. More tags than there is room for are refused;
// how policies are packed nobody has shown, so that they never are.
func (asked *sessionAsked) packed() (int, error) {
	characters := 0
	for key, value := range asked.tags {
		characters += len(key) + len(value)
	}
	percent := (100*characters + tagCharacters - 1) / tagCharacters
	if percent > 100 {
		return 0, fail(http.StatusBadRequest, "PackedPolicyTooLarge", fmt.Sprintf("Packed size of session tags consumes %d%% of allotted space.", percent))
	}
	var compact bytes.Buffer
	if asked.policy != "" && json.Compact(&compact, []byte(asked.policy)) == nil {
		percent += 1 + 100*compact.Len()/(sessionPolicyCharacters+1)
	}
	return min(percent+len(asked.policies), 100), nil
}
