package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"rollout/internal/fanout"
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

// scp is a policy document as far as it is looked at here. A member is a text or a list.
type scp struct {
	Statement list[struct {
		Sid, Effect       string
		Action, NotAction list[string]
		Condition         map[string]map[string]list[string]
	}]
}

// list is one or several of a kind, as policies write them.
type list[T any] []T

// UnmarshalJSON takes one for a list of one.
func (l *list[T]) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, (*[]T)(l))
	}
	var single T
	if err := json.Unmarshal(b, &single); err != nil {
		return err
	}
	*l = list[T]{single}
	return nil
}

// denies gives the actions that a policy's Deny statements keep from StackSets' role in
// one of the Regions (nil for any), and the statements in question, with their conditions.
func denies(content, partition string, regions, actions []string) (denied []string, said string) {
	var doc scp
	if err := json.Unmarshal([]byte(content), &doc); err != nil {
		return []string{"what could not be read"}, "the policy is " + err.Error()
	}
	var statements []string
	for i, s := range doc.Statement {
		if s.Effect != "Deny" || leavesOut(s.Condition, "arn:"+partition+":iam::111122223333:role/stacksets-exec-0123456789abcdef0123456789abcdef", regions) {
			continue
		}
		n := len(denied)
		for _, action := range actions {
			if len(s.Action) > 0 && anyLike(s.Action, action) || len(s.NotAction) > 0 && !anyLike(s.NotAction, action) {
				denied = append(denied, action)
			}
		}
		if len(denied) == n {
			continue
		}
		text := fmt.Sprintf("statement %d", i+1)
		if s.Sid != "" {
			text = "statement " + s.Sid
		}
		if condition, err := json.Marshal(s.Condition); err == nil && len(s.Condition) > 0 {
			text += " when " + string(condition)
		}
		statements = append(statements, text)
	}
	slices.Sort(denied)
	return slices.Compact(denied), strings.Join(statements, "; ")
}

// leavesOut says whether a condition of a Deny never holds for a principal in any of the
// Regions. What it does not know it takes to hold.
func leavesOut(condition map[string]map[string]list[string], principal string, regions []string) bool {
	for operator, keys := range condition {
		operator, _ = strings.CutSuffix(operator, "IfExists")
		not := strings.Contains(operator, "Not")
		switch operator {
		case "ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals", "StringLike", "StringEquals", "StringNotLike", "StringNotEquals":
		default:
			continue
		}
		for key, values := range keys {
			holds := func(text string) bool { return anyLike(values, text) != not }
			switch {
			case strings.EqualFold(key, "aws:PrincipalArn") && !holds(principal):
				return true
			case strings.EqualFold(key, "aws:RequestedRegion") && regions != nil && !slices.ContainsFunc(regions, holds):
				return true
			}
		}
	}
	return false
}

// anyLike matches IAM's patterns: * any text, ? one character; the case of actions does
// not matter.
func anyLike(patterns []string, text string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return like(strings.ToLower(p), strings.ToLower(text)) })
}

// like goes back to the last star alone, so that no policy makes it slow.
func like(pattern, text string) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p, t = p+1, t+1
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
