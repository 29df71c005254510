package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollout/templates"
)

// permissions asks IAM what the identity may do of what each command needs. IAM
// evaluates its policies without doing anything; a session policy that narrows the
// caller is not in it (API reference, SimulatePrincipalPolicy).
func (e *examiner) permissions(ctx context.Context) []Finding {
	const check = "permissions"
	who, err := arn.Parse(e.s.ARN)
	if err != nil {
		return one(check, Warning, "what this identity may do could not be asked: its ARN is "+e.s.ARN, err.Error(), "")
	}
	api := iam.NewFromConfig(e.s.Own(""))
	source := e.s.ARN
	kind, name, _ := strings.Cut(who.Resource, "/")
	switch kind {
	case "root":
		return one(check, Warning, "the account's root user may do everything: use a role of its own for rollout", "", "rollout doctor --policy prints what it needs")
	case "user":
	case "assumed-role":
		name, _, _ = strings.Cut(name, "/")
		// The session's ARN lacks the role's path.
		out, err := api.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
		if err != nil {
			return unread(check, "the role "+name+" behind this identity", "iam:GetRole", err)
		}
		source = aws.ToString(out.Role.Arn)
	default:
		return one(check, Warning, "what this identity may do cannot be asked: IAM simulates users and roles, and this is "+e.s.ARN, "", "try the commands; each names what it is refused")
	}
	allowed, err := e.simulate(ctx, api, source)
	if err != nil {
		return unread(check, "what this identity may do", "iam:SimulatePrincipalPolicy", err)
	}
	in := e.policyInput()
	var short []string
	for _, c := range Commands() {
		p := Permissions{Command: c.Name}
		for _, n := range c.needs {
			if in.takes(n) && !allowed[grant{n.on, n.action}] && !slices.Contains(p.Missing, n.action) {
				p.Missing = append(p.Missing, n.action)
			}
		}
		slices.Sort(p.Missing)
		if len(p.Missing) > 0 {
			short = append(short, c.Name)
		}
		e.report.Permissions = append(e.report.Permissions, p)
	}
	if len(short) > 0 {
		return one(check, Warning, fmt.Sprintf("this identity may not do all of what %s need", strings.Join(short, ", ")), "", "attach what rollout doctor --policy COMMAND prints")
	}
	return one(check, OK, "this identity may do what every command needs", "", "")
}

// policyInput is what this identity's policies are about.
func (e *examiner) policyInput() PolicyInput {
	delegated := e.report.CallAs == cfntypes.CallAsDelegatedAdmin
	return PolicyInput{Partition: e.s.Partition, StackSets: e.o.StackSets, Roles: e.o.RoleNames, Restorers: e.o.Restorers, Delegated: delegated, Own: delegated}
}

// grant is an action on a kind of resource.
type grant struct {
	on     kind
	action string
}

// simulate asks for all actions of all commands, once for each kind of resource.
func (e *examiner) simulate(ctx context.Context, api *iam.Client, source string) (map[grant]bool, error) {
	in := e.policyInput()
	byKind := map[kind][]string{}
	for _, c := range Commands() {
		for _, n := range c.needs {
			if in.takes(n) && !slices.Contains(byKind[n.on], n.action) {
				byKind[n.on] = append(byKind[n.on], n.action)
			}
		}
	}
	prefix := fmt.Sprintf("arn:%s:cloudformation:%s:", e.s.Partition, e.s.HomeRegion)
	owner := e.report.Organization.ManagementAccount
	if owner == "" {
		owner = e.s.Account
	}
	set := "rollout-" + templates.DefaultSecurityGroup
	if len(e.o.StackSets) > 0 && !strings.ContainsAny(e.o.StackSets[0], "*?") {
		set = e.o.StackSets[0]
	}
	const id = ":00000000-0000-0000-0000-000000000000"
	set = prefix + owner + ":stackset/" + set + id
	resources := map[kind][]string{
		sets:       {set},
		setWork:    {set, strings.Replace(set, ":stackset/", ":stackset-target/", 1) + "/" + owner, prefix + ":type/resource/AWS-Config-ConfigRule"},
		stacks:     {strings.Replace(strings.TrimSuffix(set, id), ":stackset/", ":stack/", 1) + "/" + id[1:]},
		identities: {source},
	}
	for k, names := range map[kind][]string{roles: in.Roles, restorers: in.Restorers} {
		for _, role := range names {
			resources[k] = append(resources[k], fmt.Sprintf("arn:%s:iam::%s:role/%s", e.s.Partition, owner, role))
		}
	}
	allowed := map[grant]bool{}
	for k := everything; k <= identities; k++ {
		if len(byKind[k]) == 0 {
			continue
		}
		pages := iam.NewSimulatePrincipalPolicyPaginator(api, &iam.SimulatePrincipalPolicyInput{
			PolicySourceArn: aws.String(source), ActionNames: byKind[k], ResourceArns: resources[k],
			ContextEntries: []types.ContextEntry{{ContextKeyName: aws.String("aws:RequestedRegion"), ContextKeyType: types.ContextKeyTypeEnumString, ContextKeyValues: []string{e.s.HomeRegion}}},
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, r := range page.EvaluationResults {
				ok := r.EvalDecision == types.PolicyEvaluationDecisionTypeAllowed
				if k == roles || k == restorers { // one of the roles is enough
					ok = ok || slices.ContainsFunc(r.ResourceSpecificResults, func(x types.ResourceSpecificResult) bool {
						return x.EvalResourceDecision == types.PolicyEvaluationDecisionTypeAllowed
					})
				}
				allowed[grant{k, aws.ToString(r.EvalActionName)}] = ok
			}
		}
	}
	return allowed, nil
}
