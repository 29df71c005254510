package orgs

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Ask is one call that a role of an account makes to what the account has, as far as it
// is known beforehand.
type Ask struct {
	Action    string // "config:PutConfigRule"
	Region    string
	Partition string
	Role      string // the name of the role that calls
	// Organization is the organization's id.
	Organization string
}

// Denial is a call that a policy of the organization denies.
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
	return "with an explicit deny in a " + d.Policy.Kind() + ": " + d.Where()
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
// between root and account, or a level of them whose service control policies have none
// that allows (Organizations user guide, SCP evaluation and RCP evaluation). A certain
// denial wins over one that is not. They do not bind the management account.
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
		bind := p.attached[target]
		if aboutResources(ask.Action) {
			bind = slices.Concat(bind, p.resource[target])
		}
		for _, policy := range bind {
			if policy.Broken != "" {
				note(Denial{Policy: policy, Target: target}, unsure)
			}
			for _, s := range policy.Statements {
				if s.Effect == "Deny" && note(Denial{Policy: policy, Sid: s.Sid, Target: target}, s.applies(a, ask)) {
					return *perhaps, true
				}
			}
		}
		if note(Denial{Target: target}, not(p.allowed(target, a, ask))) {
			return *perhaps, true
		}
	}
	if perhaps == nil {
		return Denial{}, false
	}
	return *perhaps, true
}

// allowed says whether the service control policies of one target allow a call.
func (p *Policies) allowed(target string, a *Account, ask Ask) truth {
	list := p.attached[target]
	if len(list) == 0 || !p.unguarded[target] {
		return yes // by FullAWSAccess, or by one of its own that allows all
	}
	out := no
	for _, policy := range list {
		if policy.Broken != "" {
			out = max(out, unsure)
		}
		for _, s := range policy.Statements {
			if s.Effect == "Allow" {
				out = max(out, s.applies(a, ask))
			}
		}
	}
	return out
}

// Restricted are the targets of service control policies that FullAWSAccess is not
// attached to and no other policy that allows everything, sorted by their names.
func (p *Policies) Restricted() []Attachment {
	var out []Attachment
	for target := range p.unguarded {
		list := p.attached[target]
		i := slices.IndexFunc(list[0].Targets, func(t Attachment) bool { return t.ID == target })
		out = append(out, list[0].Targets[i])
	}
	slices.SortFunc(out, func(a, b Attachment) int { return strings.Compare(a.String(), b.String()) })
	return out
}

// Allowed says whether the service control policies of a target surely allow a call,
// whichever account below it makes it. Ask.Region may be "", for any.
func (p *Policies) Allowed(target string, ask Ask) bool {
	return p.allowed(target, &Account{}, ask) == yes
}

// Denying are the statements of a policy that deny a call, or may, wherever the policy is
// attached: by Sid or number, with the condition. Ask.Region may be "", for any.
func (p *ControlPolicy) Denying(ask Ask) []string {
	var out []string
	if p.Resource && !aboutResources(ask.Action) {
		return nil
	}
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
	if len(p.attached[a.ID])+len(p.resource[a.ID]) > 0 {
		return a.ID
	}
	if len(p.personal) > 0 && slices.ContainsFunc(a.chain(), func(target string) bool { return p.personal[target] }) {
		return a.ID
	}
	return a.OU.ID
}

// Empty says whether there is no policy but AWS's own.
func (p *Policies) Empty() bool { return p == nil || len(p.attached)+len(p.resource) == 0 }

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
	t = min(t, s.resources(a, ask))
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
func (s statement) resources(a *Account, ask Ask) truth {
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
		case len(part) < 6 || like(part[2], service) && like(part[1], ask.Partition) && (part[3] == "" || ask.Region == "" || like(part[3], ask.Region)) &&
			(part[4] == "" || a.ID == "" || strings.Contains(part[4], "$") || like(part[4], a.ID)):
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
