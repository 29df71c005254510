package stackset

import (
	"fmt"
	"maps"
	"slices"

	"rollout/templates"
)

// OverrideReason says why an instance has an override, as far as rollout gave it.
func OverrideReason(t templates.Template, key, value string) string {
	switch {
	case key == templates.ParameterCreateConfigServiceLinkedRole && value == "true":
		return "the role AWSServiceRoleForConfig was not in the account"
	case key == templates.ParameterCreateRemediationServiceLinkedRole && value == "true":
		return "the role AWSServiceRoleForConfigRemediation was not in the account"
	case key == templates.ParameterCreateDeliveryBucket && value == "false",
		t.Keeps != nil && key == t.Keeps.Switch && value == "false":
		return "the bucket was there, kept from an earlier deployment"
	}
	return "not one that rollout gives: somebody else set it"
}

// Coming says in a sentence what automatic deployment does with an account that stands
// below these OUs (ids, the root first).
func (a AutoDeployment) Coming(above []string) string {
	if !a.Enabled {
		return "off: an account that joins gets nothing by itself, and one that moves keeps what it has"
	}
	leaves := "its stacks are deleted when it leaves"
	if a.Retain {
		leaves = "its stacks stay when it leaves"
	}
	var below, regions []string
	for _, id := range above {
		if in, watched := a.Targets[id]; watched {
			below, regions = append(below, id), append(regions, in...)
		}
	}
	if len(below) > 0 {
		slices.Sort(regions)
		return fmt.Sprintf("on: the account stands below %s, where an account that joins gets instances in %s, without overrides and whatever account filters say; %s", list(below), list(slices.Compact(regions)), leaves)
	}
	if len(a.Targets) == 0 {
		return "on, but the set was deployed to no OU yet: nothing happens by itself"
	}
	return fmt.Sprintf("on for %s, where this account is not: it gets instances when it is moved there", list(slices.Sorted(maps.Keys(a.Targets))))
}

// ReasonDefault is the ParameterReason of what nobody chose.
const ReasonDefault = "the template's default"

// ParameterReason says where a set's parameter value comes from. d is a run that gives
// no parameters.
func ParameterReason(d Desired, t templates.Template, automatic bool, key, value string) string {
	if own, set := want(d, t, automatic)[key]; set && own == value {
		if p := t.Document().Parameters[key]; p.HasDefault && p.Default == value {
			return ReasonDefault
		}
		return "what rollout gives it"
	}
	return "given to an earlier run, or by another version"
}
