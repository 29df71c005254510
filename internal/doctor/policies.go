package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rollout/orgs"
	"rollout/templates"
)

// controlPolicies looks for policies of the organization that keep CloudFormation from
// what it does in the accounts for the templates. They bind StackSets' role in a member
// account unless they leave it out.
func (e *examiner) controlPolicies(ctx context.Context) []Finding {
	const check = "control-policies"
	policies, err := orgs.ReadPolicies(ctx, e.api)
	var out []Finding
	if err != nil {
		out = unread(check, "the "+policies.Unread(), "organizations:ListRoots, ListPolicies, DescribePolicy, ListTargetsForPolicy and ListPoliciesForTarget", err)
	}
	if policies == nil {
		return out
	}
	actions, regions := e.needed(), e.asked()
	for _, p := range policies.List {
		if len(p.Targets) == 0 {
			continue
		}
		if denied, said := denies(p, e.s.Partition, regions, actions); len(denied) > 0 {
			out = append(out, one(check, Warning, fmt.Sprintf("%s %s (%s), attached to %s, denies StackSets %s", p.Kind(), p.Name, p.ID, attachedTo(p.Targets), firstOf(denied)), said, e.exempt())...)
		}
	}
	for _, target := range policies.Restricted() {
		if lacks := lacking(policies, target.ID, e.s.Partition, regions, actions); len(lacks) > 0 {
			out = append(out, one(check, Warning, fmt.Sprintf("the service control policies of %s do not surely allow StackSets %s", target, firstOf(lacks)),
				"FullAWSAccess is not attached to it, and every level from the root to an account has to allow an action", "rollout plan says where that matters; or allow it there too")...)
		}
	}
	if len(out) == 0 {
		return one(check, OK, fmt.Sprintf("%d service control policies and resource control policies beside AWS's own, none of which keeps StackSets from what the templates need", len(policies.List)), "", "")
	}
	return out
}

func (e *examiner) exempt() string {
	return "rollout plan says where that matters; or leave arn:" + e.s.Partition + ":iam::*:role/stacksets-exec-* out of the policy"
}

func attachedTo(targets []orgs.Attachment) string {
	var where []string
	for _, t := range targets {
		where = append(where, t.String())
	}
	slices.Sort(where)
	return firstOf(where)
}

// asked are the Regions of the job, nil for any.
func (e *examiner) asked() []string {
	if len(e.o.Regions) == 0 {
		return nil
	}
	return append([]string{e.s.HomeRegion}, e.o.Regions...)
}

// needed are the actions behind the templates' resources.
func (e *examiner) needed() []string {
	p, _ := templates.ExecutionPolicy(templates.Together(e.o.Templates))
	var out []string
	for _, s := range p.Statement {
		out = append(out, s.Action...)
	}
	return out
}

// executionRole stands for StackSets' role in an account, which has other digits in each.
const executionRole = "stacksets-exec-0123456789abcdef0123456789abcdef"

// denies gives the actions that a policy's Deny statements keep from StackSets' role in
// one of the Regions (nil for any), and the statements in question, with their
// conditions. What a statement looks at and nobody knows here it takes to be so.
func denies(policy *orgs.ControlPolicy, partition string, regions, actions []string) (denied []string, said string) {
	if policy.Broken != "" {
		return []string{"what could not be read"}, "the policy is " + policy.Broken
	}
	found := map[string]bool{}
	everywhere(partition, regions, actions, func(ask orgs.Ask) {
		for _, text := range policy.Denying(ask) {
			found[text] = true
			denied = append(denied, ask.Action)
		}
	})
	slices.Sort(denied)
	return slices.Compact(denied), strings.Join(slices.Sorted(maps.Keys(found)), "; ")
}

// lacking gives the actions that no policy of a target surely allows StackSets' role in
// one of the Regions.
func lacking(policies *orgs.Policies, target, partition string, regions, actions []string) (lacks []string) {
	everywhere(partition, regions, actions, func(ask orgs.Ask) {
		if !policies.Allowed(target, ask) {
			lacks = append(lacks, ask.Action)
		}
	})
	slices.Sort(lacks)
	return slices.Compact(lacks)
}

func everywhere(partition string, regions, actions []string, each func(orgs.Ask)) {
	if regions == nil {
		regions = []string{""}
	}
	for _, action := range actions {
		for _, region := range regions {
			each(orgs.Ask{Action: action, Region: region, Partition: partition, Role: executionRole})
		}
	}
}
