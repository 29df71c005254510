package doctor

import (
	"fmt"
	"slices"

	"rollout/templates"
)

// PolicyInput says for which names a policy is made.
type PolicyInput struct {
	Partition string
	// StackSets are patterns of names of the stack sets.
	StackSets []string
	// Roles are the roles that are assumed in other accounts to read them, Restorers
	// those that are assumed to restore.
	Roles, Restorers []string
	// Delegated is for a delegated administrator, else for the management account.
	Delegated bool
	// Own takes in reading the identity's own account.
	Own bool
}

// Actions are what a command needs, sorted.
func (c Command) Actions(in PolicyInput) []string {
	var out []string
	for _, n := range c.needs {
		if in.takes(n) {
			out = append(out, n.action)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (in PolicyInput) takes(n need) bool {
	return (in.Delegated || !n.delegated) && (in.Own || !n.own) && !(in.Delegated && n.plain)
}

// Policy is the least that lets an identity run the commands: no action that none of
// them calls, each on no more than a policy can narrow it to.
func Policy(list []Command, in PolicyInput) templates.Policy {
	actions := map[kind][]string{}
	for _, c := range list {
		for _, n := range c.needs {
			if in.takes(n) {
				actions[n.on] = append(actions[n.on], n.action)
			}
		}
	}
	p := templates.Policy{Version: "2012-10-17"}
	for _, s := range []struct {
		on        kind
		sid       string
		resources []string
	}{
		{everything, "WithoutResource", []string{"*"}},
		{sets, "TheseStackSets", in.sets("stackset")},
		{setWork, "TheirInstances", slices.Concat(in.sets("stackset"), in.sets("stackset-target"), []string{"arn:" + in.Partition + ":cloudformation:*::type/resource/*"})},
		{stacks, "PlainStacks", in.stacks()},
		{roles, "EnterAccounts", in.roles(in.Roles)},
		{restorers, "EnterToRestore", in.roles(in.Restorers)},
		{identities, "SimulateItself", []string{"arn:" + in.Partition + ":iam::*:role/*", "arn:" + in.Partition + ":iam::*:user/*"}},
	} {
		if list := actions[s.on]; len(list) > 0 {
			slices.Sort(list)
			p.Statement = append(p.Statement, templates.Statement{Sid: s.sid, Effect: "Allow", Action: slices.Compact(list), Resource: s.resources})
		}
	}
	return p
}

func (in PolicyInput) sets(resource string) []string {
	var out []string
	for _, name := range in.StackSets {
		out = append(out, fmt.Sprintf("arn:%s:cloudformation:*:*:%s/%s:*", in.Partition, resource, name))
	}
	return out
}

func (in PolicyInput) stacks() []string {
	var out []string
	for _, name := range in.StackSets {
		out = append(out, fmt.Sprintf("arn:%s:cloudformation:*:*:stack/%s/*", in.Partition, name))
	}
	return out
}

func (in PolicyInput) roles(names []string) []string {
	var out []string
	for _, name := range names {
		out = append(out, fmt.Sprintf("arn:%s:iam::*:role/%s", in.Partition, name))
	}
	return out
}
