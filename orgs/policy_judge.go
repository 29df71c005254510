package orgs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Ask is one call that a role of an account makes, as far as it is known beforehand.
type Ask struct {
	Action    string // "config:PutConfigRule"
	Region    string
	Partition string
	Role      string // the name of the role that calls
	// Organization is the organization's id.
	Organization string
}

// Denial is a call that a service control policy denies.
type Denial struct {
	// Policy and Sid name the statement that denies; nil where no policy of Target
	// allows the action.
	Policy *ControlPolicy
	Sid    string
	Target string // the root, OU or account that it is attached to
	// Certain is false where the policy looks at what is not known beforehand: the
	// resource, a tag, another condition.
	Certain bool
}

// String goes on from "… is denied", in the words of AWS's refusals, and says which
// policy it is and where it is attached.
func (d Denial) String() string {
	if d.Policy == nil {
		return "because " + d.Where()
	}
	return "with an explicit deny in a service control policy: " + d.Where()
}

// Where names the policy and what it is attached to.
func (d Denial) Where() string {
	if d.Policy == nil {
		return "no service control policy allows it at " + d.Target
	}
	text := fmt.Sprintf("%s (%s) of %s", d.Policy.Name, d.Policy.ID, d.Target)
	if d.Sid != "" {
		text += ", statement " + d.Sid
	}
	return text
}

// Judge says what denies a call in an account: a statement that denies anywhere
// between root and account, or a level of them without one that allows (Organizations
// user guide, SCP evaluation). A certain denial wins over one that is not. They do
// not bind the management account.
func (p *Policies) Judge(a *Account, ask Ask) (Denial, bool) {
	if p == nil || a.Management {
		return Denial{}, false
	}
	var perhaps *Denial
	note := func(d Denial, t truth) bool {
		switch {
		case t == yes:
			perhaps = &d
			perhaps.Certain = true
			return true
		case t == unsure && perhaps == nil:
			perhaps = &d
		}
		return false
	}
	for _, target := range a.chain() {
		list := p.attached[target]
		allowed := no
		if len(list) == 0 || !p.unguarded[target] {
			allowed = yes // by FullAWSAccess, or by one of its own that allows all
		}
		for _, policy := range list {
			if policy.Broken != "" {
				if note(Denial{Policy: policy, Target: target}, unsure) {
					return *perhaps, true
				}
			}
			for _, s := range policy.Statements {
				t := s.applies(a, ask)
				if s.Effect == "Allow" {
					allowed = max(allowed, t)
				} else if note(Denial{Policy: policy, Sid: s.Sid, Target: target}, t) {
					return *perhaps, true
				}
			}
		}
		if note(Denial{Target: target}, not(allowed)) {
			return *perhaps, true
		}
	}
	if perhaps == nil {
		return Denial{}, false
	}
	return *perhaps, true
}

// Denying are the statements of a policy that deny a call, or may, wherever the policy is
// attached: by Sid or number, with the condition. Ask.Region may be "", for any.
func (p *ControlPolicy) Denying(ask Ask) []string {
	var out []string
	for i, s := range p.Statements {
		if s.Effect != "Deny" || s.applies(&Account{}, ask) == no {
			continue
		}
		text := fmt.Sprintf("statement %d", i+1)
		if s.Sid != "" {
			text = "statement " + s.Sid
		}
		if condition, err := json.Marshal(s.Condition); err == nil && len(s.Condition) > 0 {
			text += " when " + string(condition)
		}
		out = append(out, text)
	}
	return out
}

// chain are the ids of the root, the OUs and the account.
func (a *Account) chain() []string {
	ids := []string{a.ID}
	for ou := a.OU; ou != nil; ou = ou.Parent {
		ids = append(ids, ou.ID)
	}
	slices.Reverse(ids)
	return ids
}

// Place names what decides about an account alike for many: its OU, and itself where
// a policy is attached to it.
func (p *Policies) Place(a *Account) string {
	if p == nil || a.OU == nil {
		return ""
	}
	if len(p.attached[a.ID]) > 0 {
		return a.ID
	}
	return a.OU.ID
}

// Empty says whether there is no policy but FullAWSAccess.
func (p *Policies) Empty() bool { return p == nil || len(p.attached) == 0 }

func (p *ControlPolicy) allowsAll() bool {
	return slices.ContainsFunc(p.Statements, func(s statement) bool {
		return s.Effect == "Allow" && slices.Contains(s.Action, "*") && slices.Contains(s.Resource, "*") && len(s.Condition) == 0
	})
}

// truth is what is known of a question.
type truth int

const (
	no truth = iota
	unsure
	yes
)

func not(t truth) truth { return yes - t }

func known(b bool) truth {
	if b {
		return yes
	}
	return no
}

// applies says whether a statement applies to a call.
func (s statement) applies(a *Account, ask Ask) truth {
	t := s.actions(ask.Action)
	if t == no {
		return no
	}
	t = min(t, s.resources(ask))
	for operator, keys := range s.Condition {
		for key, values := range keys {
			t = min(t, holds(operator, key, values, a, ask))
		}
	}
	return t
}

func (s statement) actions(action string) truth {
	matches := func(pattern string) bool { return like(strings.ToLower(pattern), strings.ToLower(action)) }
	if s.NotAction != nil {
		return known(!slices.ContainsFunc(s.NotAction, matches))
	}
	return known(slices.ContainsFunc(s.Action, matches))
}

// resources says whether the call's resource is one of the statement's. What it is
// called is not known; that it is one of another service is.
func (s statement) resources(ask Ask) truth {
	service, _, _ := strings.Cut(ask.Action, ":")
	if s.NotResource != nil {
		if slices.Contains(s.NotResource, "*") {
			return no
		}
		return unsure
	}
	t := no
	for _, r := range s.Resource {
		part := strings.SplitN(r, ":", 6)
		switch {
		case r == "*":
			return yes
		case len(part) == 6 && strings.Contains(strings.ToLower(part[5]), "controltower"):
			// Control Tower's controls protect what it made, by its names; nothing of ours
			// has one.
		case len(part) < 6 || like(part[2], service) && like(part[1], ask.Partition) && (part[3] == "" || ask.Region == "" || like(part[3], ask.Region)):
			t = unsure
		}
	}
	return t
}

// global are the services that are called in one Region of a partition, whatever
// Region a template is deployed to (IAM user guide, aws:RequestedRegion).
var global = map[string]map[string]string{
	"aws":        {"iam": "us-east-1", "organizations": "us-east-1"},
	"aws-cn":     {"iam": "cn-north-1", "organizations": "cn-northwest-1"},
	"aws-us-gov": {"iam": "us-gov-west-1", "organizations": "us-gov-west-1"},
}

// anyAccount stands in an ARN for an account that is not known.
const anyAccount = "111122223333"

// value is a condition key's value in a call; ok is false where it is not known.
func value(key string, a *Account, ask Ask) (v string, ok bool) {
	switch strings.ToLower(key) {
	case "aws:requestedregion":
		service, _, _ := strings.Cut(ask.Action, ":")
		if region := global[ask.Partition][service]; region != "" {
			return region, true
		}
		return ask.Region, ask.Region != ""
	case "aws:principalarn":
		return fmt.Sprintf("arn:%s:iam::%s:role/%s", ask.Partition, cmp.Or(a.ID, anyAccount), ask.Role), true
	case "aws:principalaccount":
		return a.ID, a.ID != ""
	case "aws:principalorgid":
		return ask.Organization, ask.Organization != ""
	case "aws:principaltype":
		return "AssumedRole", true
	case "aws:principalisawsservice":
		return "false", true
	case "aws:securetransport":
		return "true", true
	case "aws:resourcetag/aws-control-tower":
		return "", true // Control Tower tags what it made, and nothing of ours is that
	}
	return "", false
}

// holds says whether a condition holds. With one value a key, ForAllValues and
// ForAnyValue are the same.
func holds(operator, key string, values []string, a *Account, ask Ask) truth {
	operator = strings.TrimPrefix(strings.TrimPrefix(operator, "ForAllValues:"), "ForAnyValue:")
	operator = strings.TrimSuffix(operator, "IfExists")
	v, ok := value(key, a, ask)
	if !ok {
		return unsure
	}
	anyOf := func(same func(pattern string) bool) truth { return known(slices.ContainsFunc(values, same)) }
	exact := func(pattern string) bool { return pattern == v }
	folded := func(pattern string) bool { return strings.EqualFold(pattern, v) }
	glob := func(pattern string) bool { return like(pattern, v) }
	switch operator {
	case "StringEquals":
		return anyOf(exact)
	case "StringNotEquals":
		return not(anyOf(exact))
	case "StringEqualsIgnoreCase", "Bool":
		return anyOf(folded)
	case "StringNotEqualsIgnoreCase":
		return not(anyOf(folded))
	case "StringLike", "ArnLike", "ArnEquals":
		return anyOf(glob)
	case "StringNotLike", "ArnNotLike", "ArnNotEquals":
		return not(anyOf(glob))
	case "Null":
		return anyOf(func(pattern string) bool { return pattern == "false" })
	}
	return unsure
}

// like matches * and ? as policies do.
func like(pattern, text string) bool {
	star, back := -1, 0
	i, j := 0, 0
	for j < len(text) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, back = i, j
			i++
		case i < len(pattern) && (pattern[i] == '?' || pattern[i] == text[j]):
			i++
			j++
		case star >= 0:
			back++
			i, j = star+1, back
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}
