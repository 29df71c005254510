package orgs

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"rollout/internal/fanout"
)

// PolicyAPI is what ReadPolicies calls; *organizations.Client satisfies it.
type PolicyAPI interface {
	organizations.ListRootsAPIClient
	organizations.ListPoliciesAPIClient
	organizations.ListTargetsForPolicyAPIClient
	organizations.ListPoliciesForTargetAPIClient
	DescribePolicy(context.Context, *organizations.DescribePolicyInput, ...func(*organizations.Options)) (*organizations.DescribePolicyOutput, error)
}

// ControlPolicy is a service control policy.
type ControlPolicy struct {
	ID, Name   string
	Statements []statement
	// Broken says why its content could not be read, "" when it was.
	Broken string
}

// Policies are the service control policies of an organization and where they are
// attached.
type Policies struct {
	// attached are the policies by the id of the root, OU or account, but for
	// FullAWSAccess; unguarded holds the targets that FullAWSAccess is not attached
	// to beside them.
	attached  map[string][]*ControlPolicy
	unguarded map[string]bool
}

// fullAccess is the policy that AWS attaches to every root, OU and account. Each has
// to have one policy at least (Organizations user guide, Attaching and detaching
// service control policies), so that a target without any other has this one.
const fullAccess = "p-FullAWSAccess"

// ReadPolicies reads the service control policies: one list, and of each policy its
// content and its targets. FullAWSAccess is attached to nearly everything, so where
// it is not is asked only of targets that have others. Where the policy type is
// off, there are none.
func ReadPolicies(ctx context.Context, api PolicyAPI) (*Policies, error) {
	out := &Policies{attached: map[string][]*ControlPolicy{}, unguarded: map[string]bool{}}
	on, err := controlPoliciesOn(ctx, api)
	if err != nil || !on {
		return out, err
	}
	var list []types.PolicySummary
	pages := organizations.NewListPoliciesPaginator(api, &organizations.ListPoliciesInput{Filter: types.PolicyTypeServiceControlPolicy})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the service control policies: %w", err)
		}
		list = append(list, page.Policies...)
	}
	list = slices.DeleteFunc(list, func(p types.PolicySummary) bool { return aws.ToString(p.Id) == fullAccess })
	type read struct {
		policy  *ControlPolicy
		targets []string
		err     error
	}
	for _, r := range fanout.Ordered(ctx, list, concurrency, func(ctx context.Context, p types.PolicySummary) read {
		policy, targets, err := readPolicy(ctx, api, p)
		return read{policy, targets, err}
	}) {
		if r.err != nil {
			return nil, r.err
		}
		for _, t := range r.targets {
			out.attached[t] = append(out.attached[t], r.policy)
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return out, out.readUnguarded(ctx, api)
}

func controlPoliciesOn(ctx context.Context, api PolicyAPI) (bool, error) {
	roots, err := api.ListRoots(ctx, &organizations.ListRootsInput{})
	if err != nil {
		return false, fmt.Errorf("list the roots: %w", err)
	}
	for _, r := range roots.Roots {
		for _, t := range r.PolicyTypes {
			if t.Type == types.PolicyTypeServiceControlPolicy && t.Status != types.PolicyTypeStatusPendingEnable {
				return true, nil
			}
		}
	}
	return false, nil
}

func readPolicy(ctx context.Context, api PolicyAPI, p types.PolicySummary) (*ControlPolicy, []string, error) {
	described, err := api.DescribePolicy(ctx, &organizations.DescribePolicyInput{PolicyId: p.Id})
	if err != nil {
		return nil, nil, fmt.Errorf("describe the service control policy %s: %w", aws.ToString(p.Id), err)
	}
	if described.Policy == nil {
		return nil, nil, fmt.Errorf("describe the service control policy %s: AWS describes nothing", aws.ToString(p.Id))
	}
	policy := ReadControlPolicy(aws.ToString(p.Id), aws.ToString(p.Name), aws.ToString(described.Policy.Content))
	var targets []string
	pages := organizations.NewListTargetsForPolicyPaginator(api, &organizations.ListTargetsForPolicyInput{PolicyId: p.Id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("list the targets of the service control policy %s: %w", policy.ID, err)
		}
		for _, t := range page.Targets {
			targets = append(targets, aws.ToString(t.TargetId))
		}
	}
	return policy, targets, nil
}

// ReadControlPolicy reads a policy's content; what cannot be read is in Broken.
func ReadControlPolicy(id, name, content string) *ControlPolicy {
	p := &ControlPolicy{ID: id, Name: name}
	var document struct{ Statement listOf[statement] }
	if err := json.Unmarshal([]byte(content), &document); err != nil {
		p.Broken = err.Error()
		return p
	}
	p.Statements = document.Statement
	return p
}

// readUnguarded asks targets whose own policies do not allow everything whether
// FullAWSAccess is attached beside them.
func (p *Policies) readUnguarded(ctx context.Context, api PolicyAPI) error {
	var ask []string
	for target, list := range p.attached {
		if !slices.ContainsFunc(list, (*ControlPolicy).allowsAll) {
			ask = append(ask, target)
		}
	}
	slices.Sort(ask)
	type answer struct {
		full bool
		err  error
	}
	for target, a := range fanout.Ordered(ctx, ask, concurrency, func(ctx context.Context, target string) answer {
		pages := organizations.NewListPoliciesForTargetPaginator(api, &organizations.ListPoliciesForTargetInput{TargetId: aws.String(target), Filter: types.PolicyTypeServiceControlPolicy})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return answer{err: fmt.Errorf("list the service control policies of %s: %w", target, err)}
			}
			if slices.ContainsFunc(page.Policies, func(s types.PolicySummary) bool { return aws.ToString(s.Id) == fullAccess }) {
				return answer{full: true}
			}
		}
		return answer{}
	}) {
		if a.err != nil {
			return a.err
		}
		if !a.full {
			p.unguarded[target] = true
		}
	}
	return ctx.Err()
}
