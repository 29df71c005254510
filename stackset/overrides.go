package stackset

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
	"rollout/orgs"
	"rollout/templates"
)

// GivenOverrides are the parameter overrides that a stack instance has.
type GivenOverrides struct {
	Values map[string]string
	// Unread says what AWS said where they could not be read.
	Unread string
}

// readOverrides reads the overrides of just those instances whose verdict hangs on them,
// one call each: no list has them (ListStackInstances). An update that gives an override
// takes back those that it leaves out, and what is made anew would lose them.
func readOverrides(ctx context.Context, s *awsapi.Session, callAs types.CallAs, d Desired, sets []Set, facts *Facts) (map[key]GivenOverrides, error) {
	var keys []key
	records := slices.ContainsFunc(sets, func(s Set) bool { return s.Template.Name == templates.Recording })
	for _, set := range sets {
		for _, a := range d.Accounts {
			for _, region := range d.RegionsOf(set.Template) {
				k := key{set.Name, Target{a.ID, region}}
				if i, there := set.Instances[k.Target]; there && (i.Status == "INOPERABLE" || set.hollow(k.Target) && set.switches(nil) != nil || len(lacks(d, sets, set, facts.Accounts[a.ID], records)) > 0) {
					keys = append(keys, k)
				}
			}
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	api := newClient(s, "", newPace())
	out := make(map[key]GivenOverrides, len(keys))
	for k, given := range fanout.Ordered(ctx, keys, accountReads, func(ctx context.Context, k key) GivenOverrides {
		values, err := describeOverrides(ctx, api, callAs, k)
		if err != nil {
			return GivenOverrides{Unread: sentence(awsapi.Text(err))}
		}
		return GivenOverrides{Values: values}
	}) {
		out[k] = given
	}
	return out, ctx.Err()
}

// lack is a switch of recording-base that makes a role which an account lacks.
type lack struct{ name, role string }

// lacks are the switches that an instance of recording-base wants: for the service-linked
// roles that the account has not and the run leans on. An account that automatic
// deployment added has no switch at all.
func lacks(d Desired, sets []Set, s Set, f *AccountFacts, records bool) []lack {
	if s.Template.Name != templates.RecordingBase || f == nil {
		return nil
	}
	var out []lack
	if f.ConfigRole == Absent && records {
		out = append(out, lack{templates.ParameterCreateConfigServiceLinkedRole, configRole})
	}
	if f.RemediationRole == Absent && enforces(d, sets) {
		out = append(out, lack{templates.ParameterCreateRemediationServiceLinkedRole, remediationRole})
	}
	return out
}

func describeOverrides(ctx context.Context, api *cloudformation.Client, callAs types.CallAs, k key) (map[string]string, error) {
	out, err := api.DescribeStackInstance(ctx, &cloudformation.DescribeStackInstanceInput{StackSetName: aws.String(k.set), StackInstanceAccount: aws.String(k.AccountID), StackInstanceRegion: aws.String(k.Region), CallAs: callAs})
	if err != nil {
		return nil, err
	}
	return valuesOf(cmp.Or(out.StackInstance, &types.StackInstance{}).ParameterOverrides), nil
}

// baseThere is a recording-base that is there: where it lacks a switch it is given it,
// beside the overrides that it has.
func (p *planner) baseThere(s Set, a *orgs.Account, f *AccountFacts, v verdict, records bool) verdict {
	t := Target{a.ID, p.d.HomeRegion}
	if !f.Gap.Is() {
		p.rolesUnread(a, f, records)
	}
	lacking := lacks(p.d, p.plan.Sets, s, f, records)
	if len(lacking) == 0 || v.action != None && v.action != Update {
		return v
	}
	if there, _ := s.At(t); there.DetailedStatus == "PENDING" || there.DetailedStatus == "RUNNING" {
		return v
	}
	given, overrides := p.facts.Overrides[key{s.Name, t}], map[string]string{}
	if one, single := s.Singles[t]; single {
		given = GivenOverrides{Values: one.Parameters} // the other switches keep their previous values
	} else {
		maps.Copy(overrides, given.Values)
	}
	var reasons []string
	for _, l := range lacking {
		gone := Finding{Code: "config-role-missing", StackSet: s.Name}
		if l.name == templates.ParameterCreateRemediationServiceLinkedRole {
			gone = Finding{Code: "remediation-role-missing", StackSet: s.Name}
		}
		switch {
		case given.Unread != "":
			p.find(Finding{Code: "overrides-unread", StackSet: s.Name, Text: "In {places} recording-base is there but not the role " + l.role + ", and the instance is not updated to make it, since its parameter overrides could not be read: " + given.Unread + ".",
				Remedy: kindOf(gone.Code).Remedy}, In(a, p.d.HomeRegion))
		case given.Values[l.name] == "true":
			gone.Text = "The role " + l.role + " of {places} is gone although recording-base made it: somebody deleted it."
			p.find(gone, In(a, ""))
		default:
			overrides[l.name] = "true"
			reasons = append(reasons, "makes "+l.role+", which the account lacks (override "+l.name+"=true)")
		}
	}
	if len(reasons) == 0 {
		return v
	}
	if v.reason != "" {
		reasons = append(reasons, v.reason)
	}
	return verdict{action: Update, reason: strings.Join(reasons, "; "), there: true, overrides: overrides}
}

// rolesUnread says that service-linked roles that matter could not be looked for.
func (p *planner) rolesUnread(a *orgs.Account, f *AccountFacts, records bool) {
	if f.ConfigRole == Unknown && records || f.RemediationRole == Unknown && p.enforces() {
		p.find(Finding{Code: "roles-unread", Text: "Whether the service-linked roles of Config are in {places} could not be seen: recording-base makes none there, and where one is missing, recording or remediation fails."}, In(a, ""))
	}
}

// anew gives what is made anew the overrides that it had, but for the switches that say
// what is there already: the stack that is left behind keeps its roles and its bucket,
// and none of them can be made twice.
func (p *planner) anew(s Set, a *orgs.Account, region string, f *AccountFacts, records bool, v verdict) verdict {
	if v.action != Recreate {
		return v
	}
	given := p.facts.Overrides[key{s.Name, Target{a.ID, region}}]
	if given.Unread != "" {
		p.find(Finding{Code: "overrides-unread", StackSet: s.Name, Text: "The parameter overrides of {sets} in {places} could not be read, so the instance is made anew without those that rollout does not give: " + given.Unread + "."}, In(a, region))
	}
	overrides := maps.Clone(given.Values)
	if overrides == nil {
		overrides = map[string]string{}
	}
	if s.Template.Name == templates.RecordingBase {
		for name, role := range map[string]Presence{templates.ParameterCreateConfigServiceLinkedRole: f.ConfigRole, templates.ParameterCreateRemediationServiceLinkedRole: f.RemediationRole} {
			if role != Absent {
				delete(overrides, name)
			}
		}
		if f.ConfigRole == Absent && (records || p.set(templates.Recording).Has(a.ID)) {
			overrides[templates.ParameterCreateConfigServiceLinkedRole] = "true"
		}
		if f.RemediationRole == Absent && p.enforces() {
			overrides[templates.ParameterCreateRemediationServiceLinkedRole] = "true"
		}
		keptSwitch(overrides, templates.ParameterCreateDeliveryBucket, f.Bucket)
	}
	if k := s.Template.Keeps; k != nil && s.Template.Name != templates.RecordingBase {
		keptSwitch(overrides, k.Switch, f.Kept[s.Template.Name].Presence)
	}
	if len(overrides) > 0 {
		v.overrides = overrides
	}
	return v
}

// keptSwitch turns off the creation of a bucket that is there, and of one that could not
// be looked for: the stack that is left behind had it.
func keptSwitch(overrides map[string]string, name string, bucket Presence) {
	delete(overrides, name)
	if bucket != Absent {
		overrides[name] = "false"
	}
}

// enforces says whether a run enforces anything.
func enforces(d Desired, sets []Set) bool {
	return slices.ContainsFunc(sets, func(s Set) bool { return s.Template.Enforces != "" && !notWanted(d, s) })
}

// defining takes out of the updates of a set the one that goes with UpdateStackSet. That
// call gives no overrides, so it is one without where there is any; else its instances
// are worked on twice.
func defining(updates []batch) (define batch, rest []batch) {
	if len(updates) == 0 {
		return batch{action: Update}, nil
	}
	plain := slices.IndexFunc(updates, func(b batch) bool { return len(b.overrides) == 0 })
	if plain >= 0 {
		return updates[plain], slices.Delete(slices.Clone(updates), plain, plain+1)
	}
	define = updates[0]
	define.overrides = nil
	return define, updates
}
