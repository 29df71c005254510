package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"rollout/internal/fanout"
	"rollout/orgs"
	"rollout/templates"
)

// mostPolicies is how many service control policies are read; an organization can have
// 10,000 (Organizations user guide, Quotas).
const mostPolicies = 100

// controlPolicies looks for service control policies that deny what CloudFormation does
// in the accounts for the templates. They bind StackSets' role in a member account
// unless they leave it out.
func (e *examiner) controlPolicies(ctx context.Context) []Finding {
	const check = "control-policies"
	roots, err := e.api.ListRoots(ctx, &organizations.ListRootsInput{})
	if err != nil {
		return unread(check, "the policy types of the root", "organizations:ListRoots", err)
	}
	on, root := false, ""
	for _, r := range roots.Roots {
		root = aws.ToString(r.Id)
		on = on || slices.ContainsFunc(r.PolicyTypes, func(t types.PolicyTypeSummary) bool {
			return t.Type == types.PolicyTypeServiceControlPolicy && t.Status == types.PolicyTypeStatusEnabled
		})
	}
	if !on {
		return one(check, OK, "service control policies are switched off", "", "")
	}
	var own []types.PolicySummary
	pages := organizations.NewListPoliciesPaginator(e.api, &organizations.ListPoliciesInput{Filter: types.PolicyTypeServiceControlPolicy})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return unread(check, "the service control policies", "organizations:ListPolicies", err)
		}
		for _, p := range page.Policies {
			if !p.AwsManaged {
				own = append(own, p)
			}
		}
	}
	slices.SortFunc(own, func(a, b types.PolicySummary) int { return strings.Compare(aws.ToString(a.Name), aws.ToString(b.Name)) })
	var out []Finding
	if len(own) > mostPolicies {
		out = append(out, one(check, Warning, fmt.Sprintf("%d of the %d service control policies were not read", len(own)-mostPolicies, len(own)), "", "look at the others by hand")...)
		own = own[:mostPolicies]
	}
	for _, found := range fanout.Ordered(ctx, own, 4, e.controlPolicy) {
		out = append(out, found...)
	}
	if len(out) == 0 {
		return one(check, OK, fmt.Sprintf("%d service control policies beside AWS's own, none of which denies StackSets what the templates need; the root is %s", len(own), root), "", "")
	}
	return out
}

// controlPolicy looks at one policy, unless it is attached nowhere.
func (e *examiner) controlPolicy(ctx context.Context, p types.PolicySummary) []Finding {
	const check = "control-policies"
	name := fmt.Sprintf("%s (%s)", aws.ToString(p.Name), aws.ToString(p.Id))
	content, err := e.api.DescribePolicy(ctx, &organizations.DescribePolicyInput{PolicyId: p.Id})
	if err != nil {
		return unread(check, "service control policy "+name, "organizations:DescribePolicy", err)
	}
	denied, said := denies(aws.ToString(content.Policy.Content), e.s.Partition, e.asked(), e.needed())
	if len(denied) == 0 {
		return nil
	}
	var where []string
	pages := organizations.NewListTargetsForPolicyPaginator(e.api, &organizations.ListTargetsForPolicyInput{PolicyId: p.Id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return unread(check, "where service control policy "+name+" is attached", "organizations:ListTargetsForPolicy", err)
		}
		for _, t := range page.Targets {
			where = append(where, fmt.Sprintf("%s (%s)", aws.ToString(t.Name), aws.ToString(t.TargetId)))
		}
	}
	if len(where) == 0 {
		return nil
	}
	slices.Sort(where)
	return one(check, Warning, fmt.Sprintf("service control policy %s, attached to %s, denies StackSets %s", name, firstOf(where), firstOf(denied)), said,
		"rollout plan says where that matters; or leave arn:"+e.s.Partition+":iam::*:role/stacksets-exec-* out of the policy")
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
func denies(content, partition string, regions, actions []string) (denied []string, said string) {
	policy := orgs.ReadControlPolicy("", "", content)
	if policy.Broken != "" {
		return []string{"what could not be read"}, "the policy is " + policy.Broken
	}
	if regions == nil {
		regions = []string{""}
	}
	found := map[string]bool{}
	for _, action := range actions {
		for _, region := range regions {
			for _, text := range policy.Denying(orgs.Ask{Action: action, Region: region, Partition: partition, Role: executionRole}) {
				found[text] = true
				denied = append(denied, action)
			}
		}
	}
	slices.Sort(denied)
	return slices.Compact(denied), strings.Join(slices.Sorted(maps.Keys(found)), "; ")
}
