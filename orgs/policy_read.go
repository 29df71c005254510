package orgs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

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

// ControlPolicy is a service control policy or a resource control policy.
type ControlPolicy struct {
	ID, Name string
	// Resource says that it is a resource control policy.
	Resource   bool
	Statements []statement
	// Broken says why its content could not be read, "" when it was.
	Broken string
	// Targets are the roots, OUs and accounts that it is attached to.
	Targets []Attachment
	// account says that it may come to another end in each account.
	account bool
}

// Attachment is a root, OU or account that a policy is attached to.
type Attachment struct{ ID, Name string }

func (a Attachment) String() string { return a.Name + " (" + a.ID + ")" }

// Kind is what AWS calls it in a refusal.
func (p *ControlPolicy) Kind() string {
	if p.Resource {
		return "resource control policy"
	}
	return "service control policy"
}

// Policies are the service control policies and the resource control policies of an
// organization and where they are attached.
type Policies struct {
	// List are all of them but AWS's own, by name.
	List []*ControlPolicy
	// attached are the service control policies by the id of the root, OU or account, but
	// for FullAWSAccess; unguarded holds the targets that FullAWSAccess is not attached to
	// beside them. resource are the resource control policies, but for AWS's own.
	attached, resource map[string][]*ControlPolicy
	unguarded          map[string]bool
	// unread are the types that could not be read, in words.
	unread []string
	// personal are targets of which a policy may come to another end in each account.
	personal map[string]bool
}

// fullAccess is the policy that AWS attaches to every root, OU and account. Each has
// to have one policy at least (Organizations user guide, Attaching and detaching
// service control policies), so that a target without any other has this one.
const fullAccess = "p-FullAWSAccess"

// controlKinds are the types of policies that deny, in the words for them.
var controlKinds = []struct {
	kind  types.PolicyType
	words string
}{
	{types.PolicyTypeServiceControlPolicy, "service control policies"},
	{types.PolicyTypeResourceControlPolicy, "resource control policies"},
}

// ReadPolicies reads the service control policies and the resource control policies: a
// list of each type that is on, and of each policy its content and its targets.
// FullAWSAccess is attached to nearly everything, so where it is not is asked only of
// targets that have others. What could be read is given beside the error of what could
// not: an organization's policy can let a delegated administrator read one type alone.
func ReadPolicies(ctx context.Context, api PolicyAPI) (*Policies, error) {
	out := &Policies{attached: map[string][]*ControlPolicy{}, resource: map[string][]*ControlPolicy{}, unguarded: map[string]bool{}, personal: map[string]bool{}}
	on, err := controlPoliciesOn(ctx, api)
	if err != nil {
		return nil, err
	}
	var unread []error
	for _, k := range controlKinds {
		if !on[k.kind] {
			continue
		}
		list, err := readKind(ctx, api, k.kind, k.words)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			unread, out.unread = append(unread, err), append(out.unread, k.words)
			continue
		}
		out.add(list)
	}
	slices.SortStableFunc(out.List, func(a, b *ControlPolicy) int { return strings.Compare(a.Name, b.Name) })
	if err := out.readUnguarded(ctx, api); err != nil {
		return nil, err
	}
	return out, errors.Join(unread...)
}

// Unread names the types of policies that could not be read, "" for none.
func (p *Policies) Unread() string {
	if p == nil {
		return controlKinds[0].words + " and " + controlKinds[1].words
	}
	return strings.Join(p.unread, " and ")
}

// add notes policies by their targets.
func (p *Policies) add(list []*ControlPolicy) {
	p.List = append(p.List, list...)
	for _, policy := range list {
		to := p.attached
		if policy.Resource {
			to = p.resource
		}
		for _, t := range policy.Targets {
			to[t.ID] = append(to[t.ID], policy)
			if policy.account {
				p.personal[t.ID] = true
			}
		}
	}
}

// readKind reads the policies of a type, but for AWS's own.
func readKind(ctx context.Context, api PolicyAPI, kind types.PolicyType, words string) ([]*ControlPolicy, error) {
	var list []types.PolicySummary
	pages := organizations.NewListPoliciesPaginator(api, &organizations.ListPoliciesInput{Filter: kind})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the %s: %w", words, err)
		}
		list = append(list, page.Policies...)
	}
	list = slices.DeleteFunc(list, func(p types.PolicySummary) bool {
		return aws.ToString(p.Id) == fullAccess || aws.ToString(p.Id) == fullResourceAccess
	})
	type read struct {
		policy *ControlPolicy
		err    error
	}
	var out []*ControlPolicy
	for _, r := range fanout.Ordered(ctx, list, concurrency, func(ctx context.Context, p types.PolicySummary) read {
		policy, err := readPolicy(ctx, api, p, kind == types.PolicyTypeResourceControlPolicy)
		return read{policy, err}
	}) {
		if r.err != nil {
			return nil, r.err
		}
		out = append(out, r.policy)
	}
	return out, ctx.Err()
}

// controlPoliciesOn says which types of policies are on.
func controlPoliciesOn(ctx context.Context, api PolicyAPI) (map[types.PolicyType]bool, error) {
	roots, err := api.ListRoots(ctx, &organizations.ListRootsInput{})
	if err != nil {
		return nil, fmt.Errorf("list the roots: %w", err)
	}
	on := map[types.PolicyType]bool{}
	for _, r := range roots.Roots {
		for _, t := range r.PolicyTypes {
			on[t.Type] = on[t.Type] || t.Status != types.PolicyTypeStatusPendingEnable
		}
	}
	return on, nil
}

func readPolicy(ctx context.Context, api PolicyAPI, p types.PolicySummary, resource bool) (*ControlPolicy, error) {
	policy := &ControlPolicy{ID: aws.ToString(p.Id), Name: aws.ToString(p.Name), Resource: resource}
	described, err := api.DescribePolicy(ctx, &organizations.DescribePolicyInput{PolicyId: p.Id})
	if err != nil {
		return nil, fmt.Errorf("describe the %s %s: %w", policy.Kind(), policy.ID, err)
	}
	if described.Policy == nil {
		return nil, fmt.Errorf("describe the %s %s: AWS describes nothing", policy.Kind(), policy.ID)
	}
	policy.read(aws.ToString(described.Policy.Content))
	pages := organizations.NewListTargetsForPolicyPaginator(api, &organizations.ListTargetsForPolicyInput{PolicyId: p.Id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the targets of the %s %s: %w", policy.Kind(), policy.ID, err)
		}
		for _, t := range page.Targets {
			policy.Targets = append(policy.Targets, Attachment{aws.ToString(t.TargetId), aws.ToString(t.Name)})
		}
	}
	return policy, nil
}

// ReadControlPolicy reads a service control policy's content; what cannot be read is in
// Broken.
func ReadControlPolicy(id, name, content string) *ControlPolicy {
	p := &ControlPolicy{ID: id, Name: name}
	p.read(content)
	return p
}

func (p *ControlPolicy) read(content string) {
	var document struct{ Statement listOf[statement] }
	if err := json.Unmarshal([]byte(content), &document); err != nil {
		p.Broken = err.Error()
		return
	}
	p.Statements, p.account = document.Statement, personal(content)
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
