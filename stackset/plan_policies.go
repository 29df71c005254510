package stackset

import (
	"fmt"
	"maps"
	"strings"

	"rollout/orgs"
	"rollout/templates"
)

// executionRole is like the role that StackSets works under in an account:
// stacksets-exec- and 32 hexadecimal digits, other ones in each.
var executionRole = "stacksets-exec-" + strings.Repeat("0", 32)

// denied says whether a policy of the organization keeps what a verdict does from coming
// true. What decides is the same for all accounts of an OU without a policy of their
// own, so it is asked once.
func (p *planner) denied(s Set, a *orgs.Account, region string, v verdict) (action string, d orgs.Denial, denied bool) {
	policies, at := p.facts.Policies, Target{a.ID, region}
	verb := p.verb(s, at, v)
	if policies.Empty() || verb == "" {
		return "", d, false
	}
	k := deniedKey{policies.Place(a), s.Name, region, verb, overridesKey(v.overrides), refusedAction(s.Instances[at].Reason)}
	if known, ok := p.denials[k]; ok {
		return known.action, known.Denial, known.denied
	}
	defer func() { p.denials[k] = denialOf{action, d, denied} }()
	for _, call := range p.needed(s, region, verb, v.overrides) {
		found, is := policies.Judge(a, p.ask(call, region))
		if is && (!denied || found.Certain) {
			action, d, denied = call, found, true
			if d.Certain {
				return action, d, denied
			}
		}
	}
	if verb != "catch up" {
		return action, d, denied
	}
	// What the stack of an OUTDATED instance has is not known: it may need any of these,
	// and needs the one that it failed for.
	for _, call := range templates.ChangeActions(templates.Version{Document: s.Template.Document(), Values: p.valuesIn(region, s.Want, v.overrides)}) {
		if found, is := policies.Judge(a, p.ask(call, region)); is && (!denied || call == k.refused) {
			found.Certain = found.Certain && call == k.refused
			action, d, denied = call, found, true
		}
	}
	return action, d, denied
}

// refusedAction is the action that a failure was refused, "" for any other failure.
func refusedAction(reason string) string {
	_, rest, _ := strings.Cut(reason, " is not authorized to perform: ")
	action, _, _ := strings.Cut(rest, " ")
	return action
}

// ask is a call of StackSets' role.
func (p *planner) ask(action, region string) orgs.Ask {
	return orgs.Ask{Action: action, Region: region, Partition: p.d.Partition, Role: executionRole, Organization: p.d.Organization}
}

type deniedKey struct{ place, set, region, verb, overrides, refused string }

type denialOf struct {
	action string
	orgs.Denial
	denied bool
}

// verb says what is done to the stack of a place: create, update or delete it; "" for
// nothing that is done in the account.
func (p *planner) verb(s Set, at Target, v verdict) string {
	i, there := s.Instances[at]
	switch {
	case v.action == Create, v.action == Recreate, v.action == Update && there && i.StackID == "":
		return "create"
	case v.action == Update && there && i.Status == "OUTDATED":
		return "catch up"
	case v.action == Update:
		return "update"
	case v.action == Delete && there && i.StackID != "" && i.Status != "INOPERABLE":
		return "delete"
	}
	return ""
}

// needed are the actions that StackSets' role in an account needs for that.
func (p *planner) needed(s Set, region, verb string, overrides map[string]string) []string {
	if verb == "create" {
		return s.Template.CreateActions(p.valuesIn(region, s.Want, overrides))
	}
	// The overrides that an instance has are not known here: they are of what is created
	// once.
	was := templates.Version{Document: p.deployedOf(s), Values: p.valuesIn(region, s.Parameters)}
	if verb == "delete" {
		return templates.DeleteActions(was)
	}
	return templates.UpdateActions(was, templates.Version{Document: s.Template.Document(), Values: p.valuesIn(region, s.Want, overrides)})
}

// valuesIn are parameter values with what a Region adds.
func (p *planner) valuesIn(region string, given ...map[string]string) map[string]string {
	values := map[string]string{"AWS::Region": region, "AWS::Partition": p.d.Partition}
	for _, g := range given {
		maps.Copy(values, g)
	}
	return values
}

// deployedOf is the template that a set's stacks were made from, as far as StackSets says.
func (p *planner) deployedOf(s Set) *templates.Document {
	d := p.deployed[s.Name]
	if d == nil {
		d = s.Template.Document()
		if parsed, err := templates.Parse([]byte(s.Deployed)); err == nil {
			d = parsed
		}
		p.deployed[s.Name] = d
	}
	return d
}

// permitted changes a verdict that a policy of the organization would not let come true.
func (p *planner) permitted(s Set, a *orgs.Account, region string, v verdict) verdict {
	action, d, denied := p.denied(s, a, region, v)
	switch {
	case denied && d.Certain:
		out := deniedBy(action, d)
		verb := p.verb(s, Target{a.ID, region}, v)
		out.there = verb != "create" // it stays as it is
		return out
	case denied:
		p.find(Finding{Code: "policy-may-deny", StackSet: s.Name, Text: fmt.Sprintf("%s may be denied in {places} %s; that hangs on what a plan cannot know.", action, d)}, In(a, region))
	}
	return v
}

// deniedBy leaves out what a policy denies.
func deniedBy(action string, d orgs.Denial) verdict {
	return skip("policy-denies", "%s is denied %s: exempt StackSets' role (stacksets-exec-*) in the policy, or leave the account or the Region out", action, d).
		saying("%s is denied %s", action, d)
}

// policiesUnread is what a plan says when the policies could not be read.
func policiesUnread(which, said string) Finding {
	return Finding{Code: "policies-unread", Text: fmt.Sprintf("The %s could not be read, so the plan does not foretell what they deny: %s.", which, said)}
}
