package stackset

import (
	"fmt"
	"strings"

	"rollout/orgs"
)

// executionRole is like the role that StackSets works under in an account:
// stacksets-exec- and 32 hexadecimal digits, other ones in each.
var executionRole = "stacksets-exec-" + strings.Repeat("0", 32)

// denied says whether a service control policy keeps a stack from being created in a
// place. What decides is the same for all accounts of an OU without a policy of their
// own, so it is asked once.
func (p *planner) denied(s Set, a *orgs.Account, region string, overrides map[string]string) (action string, d orgs.Denial, denied bool) {
	policies := p.facts.Policies
	if policies.Empty() {
		return "", d, false
	}
	k := deniedKey{policies.Place(a), s.Name, region, overridesKey(overrides)}
	if known, ok := p.denials[k]; ok {
		return known.action, known.Denial, known.denied
	}
	defer func() { p.denials[k] = denialOf{action, d, denied} }()
	values := map[string]string{"AWS::Region": region, "AWS::Partition": p.d.Partition}
	for _, given := range []map[string]string{s.Want, overrides} {
		for name, v := range given {
			values[name] = v
		}
	}
	for _, call := range s.Template.CreateActions(values) {
		found, is := policies.Judge(a, orgs.Ask{Action: call, Region: region, Partition: p.d.Partition, Role: executionRole, Organization: p.d.Organization})
		if is && (!denied || found.Certain) {
			action, d, denied = call, found, true
			if d.Certain {
				return action, d, denied
			}
		}
	}
	return action, d, denied
}

type deniedKey struct{ place, set, region, overrides string }

type denialOf struct {
	action string
	orgs.Denial
	denied bool
}

// permitted changes a verdict that a service control policy would not let come true.
func (p *planner) permitted(s Set, a *orgs.Account, region string, v verdict) verdict {
	if v.action != Create && v.action != Recreate {
		return v
	}
	action, d, denied := p.denied(s, a, region, v.overrides)
	switch {
	case denied && d.Certain:
		return skip("policy-denies", "%s is denied %s: exempt StackSets' role (stacksets-exec-*) in the policy, or leave the account out", action, d).
			saying("%s is denied %s", action, d)
	case denied:
		p.find(Finding{Code: "policy-may-deny", StackSet: s.Name, Text: fmt.Sprintf("%s may be denied in {places} %s; it looks at what a plan cannot know.", action, d)}, In(a, region))
	}
	return v
}

// policiesUnread is what a plan says when the policies could not be read.
func policiesUnread(said string) Finding {
	return Finding{Code: "policies-unread", Text: fmt.Sprintf("The service control policies could not be read, so the plan does not foretell what they deny: %s.", said)}
}
