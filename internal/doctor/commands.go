package doctor

import (
	"encoding/json"
	"slices"
	"strings"

	"rollout/internal/blast"
	"rollout/internal/restore"
	"rollout/reports"
	"rollout/stackset"
)

// Command is a command of rollout and what its identity needs in its own account. What
// is done in other accounts is done by roles that this identity assumes.
type Command struct {
	Name  string
	needs []need
}

// need is an action, and the kind of resource that a policy can narrow it to.
type need struct {
	action string
	on     kind
	// own says that it is about the identity's own account, which is read with its own
	// credentials where it is chosen: the management account with --include-management,
	// a delegated administrator's always.
	own bool
	// delegated says that a delegated administrator needs it, and nobody else.
	delegated bool
	// plain says that it is about what only the management account has: plain stacks, and
	// Control Tower.
	plain bool
}

// kind is what a policy can narrow an action to. Source: the service authorization
// reference pages of CloudFormation, Organizations, STS, IAM and Account Management.
type kind int

const (
	everything kind = iota
	sets            // stack sets, by name
	setWork         // and with them the targets and the types of what they make
	stacks          // the plain stacks of the management account, by name
	roles           // the roles that rollout assumes to read
	restorers       // the roles that it assumes to restore
	identities      // the account's own roles and users
)

func on(k kind, actions string) []need {
	var out []need
	for _, a := range strings.Fields(actions) {
		out = append(out, need{action: a, on: k})
	}
	return out
}

// inside are the actions of a session policy: what the identity itself does where its
// own account is read.
func inside(session string) []need {
	var p struct{ Statement []struct{ Action []string } }
	if err := json.Unmarshal([]byte(session), &p); err != nil {
		panic("a session policy of this program is no JSON: " + err.Error())
	}
	var out []need
	for _, s := range p.Statement {
		for _, a := range s.Action {
			out = append(out, need{action: a, own: true})
		}
	}
	return out
}

// plainly are actions on plain stacks.
func plainly(actions string) []need { return personal(on(stacks, actions)) }

// personal are needs that are about the management account's plain stacks.
func personal(list []need) []need {
	for i := range list {
		list[i].own, list[i].plain = true, true
	}
	return list
}

// alone are actions that only the management account may take.
func alone(actions string) []need {
	out := on(everything, actions)
	for i := range out {
		out[i].plain = true
	}
	return out
}

var (
	// ListAccountsForParent is for organizations whose accounts come without their Paths.
	walk = on(everything, `organizations:DescribeOrganization organizations:ListAccounts organizations:ListAccountsForParent
		organizations:ListOrganizationalUnitsForParent organizations:ListRoots`)
	tags    = on(everything, "organizations:ListTagsForResource") // for --account-tag
	regions = on(everything, "account:ListRegions")
	access  = on(everything, "cloudformation:DescribeOrganizationsAccess")
	look    = slices.Concat(on(everything, "cloudformation:ListStackSets"), on(sets, "cloudformation:DescribeStackSet cloudformation:ListStackInstances"), administrator)
	// Ours are known by their tags, which only a set's description shows: any set may be
	// one that was given another name.
	every    = slices.Concat(on(everything, "cloudformation:ListStackSets cloudformation:DescribeStackSet"), on(sets, "cloudformation:ListStackInstances"), administrator)
	find     = slices.Concat(every, underWay)
	underWay = on(sets, "cloudformation:ListStackSetOperations")
	// for those that an update is to keep
	overrides = on(sets, "cloudformation:DescribeStackInstance")
	enter     = on(roles, "sts:AssumeRole")
	// of the account that the sets live in
	quotas  = alone("servicequotas:GetServiceQuota")
	control = on(everything, "organizations:DescribePolicy organizations:ListPolicies organizations:ListPoliciesForTarget organizations:ListTargetsForPolicy")
	watch   = on(sets, "cloudformation:DescribeStackSetOperation cloudformation:ListStackSetOperationResults")
	define  = slices.Concat(on(everything, "cloudformation:CreateStackSet"), on(sets, "cloudformation:TagResource cloudformation:UntagResource"), on(setWork, "cloudformation:UpdateStackSet"))
	joins   = on(sets, "cloudformation:ListStackSetAutoDeploymentTargets") // what an account gets that joins
	create  = on(setWork, "cloudformation:CreateStackInstances cloudformation:UpdateStackInstances")
	deletes = on(setWork, "cloudformation:DeleteStackInstances")
	tower   = slices.Concat(on(everything, "organizations:ListAWSServiceAccessForOrganization"), alone("controltower:ListBaselines controltower:ListEnabledBaselines controltower:ListLandingZones"))
	// An aggregator of AWS Config in this account, or whose else it may be.
	aggregator = on(everything, `config:DescribeConfigurationAggregatorSourcesStatus config:DescribeConfigurationAggregators config:SelectAggregateResourceConfig
		organizations:ListDelegatedAdministrators`)
	seen = plainly("cloudformation:DescribeStacks")
	body = plainly("cloudformation:GetTemplate") // of a plain stack that another version made, to say what its update adds
	put  = plainly("cloudformation:CreateChangeSet cloudformation:DeleteChangeSet cloudformation:DescribeChangeSet cloudformation:DescribeStackEvents cloudformation:ExecuteChangeSet cloudformation:TagResource cloudformation:UntagResource")
	drop = plainly("cloudformation:DeleteStack")
	// StackSets asks Organizations as the caller whether its account is one
	// (hashicorp/terraform-provider-aws#37069).
	administrator = []need{{action: "organizations:ListDelegatedAdministrators", delegated: true}}
)

// listed are the plain stacks of any name: they are found by their tags, which only the
// list of all shows, and the template of one that another version made is read from it.
var listed = personal(on(everything, listsPlain))

const listsPlain = "cloudformation:DescribeStacks cloudformation:GetTemplate cloudformation:ListStacks"

// always are needs about plain stacks that hold whether the management account is chosen
// or not: a kill switch looks there too.
func always(list []need) []need {
	for i := range list {
		list[i].plain = true
	}
	return list
}

// Commands are the commands that call AWS, in the order of the help. The first is the
// main job; activate is doctor --activate.
func Commands() []Command {
	plan := slices.Concat(walk, tags, regions, access, control, tower, aggregator, look, quotas, joins, underWay, overrides, enter, seen, body, inside(stackset.PreflightPolicy), inside(blast.FullPolicy()))
	report := slices.Concat(walk, tags, regions, look, enter, seen, inside(reports.ReadPolicy))
	deploy := slices.Concat(plan, define, create, deletes, watch, put, drop)
	take := slices.Concat(walk, tags, regions, look, deletes, watch)
	doctor := slices.Concat(walk, tags, regions, access, enter, quotas, on(identities, "iam:GetRole iam:SimulatePrincipalPolicy"), on(everything, `cloudformation:ListStackSets organizations:DescribePolicy
		organizations:ListAWSServiceAccessForOrganization organizations:ListDelegatedAdministrators organizations:ListPolicies organizations:ListPoliciesForTarget organizations:ListTargetsForPolicy`))
	return []Command{
		{"rollout", slices.Concat(deploy, report, inside(reports.EvaluatePolicy))},
		{"tree", slices.Concat(walk, tags)},
		{"plan", plan},
		{"deploy", deploy},
		{"status", slices.Concat(walk, regions, find, seen, listed)},
		{"report", report},
		{"drift", slices.Concat(walk, tags, regions, find, watch, seen, listed, on(sets, "cloudformation:DetectStackSetDrift cloudformation:ListStackInstanceResourceDrifts"),
			plainly("cloudformation:DescribeStackResourceDrifts cloudformation:DetectStackDrift cloudformation:DetectStackResourceDrift"),
			personal(on(everything, "cloudformation:BatchDescribeTypeConfigurations cloudformation:DescribeStackDriftDetectionStatus")))},
		{"disarm", slices.Concat(walk, tags, regions, find, deletes, watch, on(sets, "cloudformation:StopStackSetOperation"), always(on(everything, listsPlain)), seen, drop, plainly("cloudformation:DescribeStackEvents"))},
		{"doctor", doctor},
		{"activate", slices.Concat(doctor, on(everything, "cloudformation:ActivateOrganizationsAccess"))},
		{"explain", slices.Concat(walk, tags, regions, access, every, enter, control, tower, seen, inside(stackset.PreflightPolicy), inside(reports.ReadPolicy), on(everything, "organizations:DescribeAccount organizations:DescribeOrganizationalUnit"),
			on(sets, "cloudformation:DescribeStackInstance cloudformation:DescribeStackSetOperation cloudformation:ListStackSetAutoDeploymentTargets"))},
		{"restore", slices.Concat(walk, on(restorers, "sts:AssumeRole"), inside(restore.Policy(true)))},
		{"prove", slices.Concat(walk, look, enter, on(everything, "cloudformation:CreateStackSet"), on(sets, "cloudformation:TagResource"), on(setWork, "cloudformation:UpdateStackSet"), create, deletes, watch, on(everything, "cloudformation:DescribeStacks cloudformation:ValidateTemplate"),
			on(sets, "cloudformation:DeleteStackSet cloudformation:DescribeStackInstance cloudformation:StopStackSetOperation"))},
		{"remove", slices.Concat(take, joins, seen, drop, plainly("cloudformation:DescribeStackEvents"), on(sets, "cloudformation:DeleteStackSet"))},
		{"release", slices.Concat(take, control, enter, inside(stackset.PreflightPolicy), alone("organizations:TagResource organizations:UntagResource"))},
	}
}
