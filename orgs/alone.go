package orgs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"rollout/internal/awsapi"
)

// AloneAPI is what of Organizations Alone calls; *organizations.Client satisfies it.
type AloneAPI interface {
	DescribeAccount(context.Context, *organizations.DescribeAccountInput, ...func(*organizations.Options)) (*organizations.DescribeAccountOutput, error)
	DescribeOrganizationalUnit(context.Context, *organizations.DescribeOrganizationalUnitInput, ...func(*organizations.Options)) (*organizations.DescribeOrganizationalUnitOutput, error)
}

// Alone gives the tree of one account, known by its id: the OUs above it and nothing
// else, with a call for the account and one for each of the OUs, at most six. It is nil
// where Organizations does not say where the account stands; then a Walk does.
func Alone(ctx context.Context, api AloneAPI, o Organization, caller, id string) (*Tree, error) {
	out, err := api.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: &id})
	if awsapi.Code(err) == "AccountNotFoundException" {
		return nil, selectionError("%s is no account of organization %s", id, o.ID)
	}
	if err != nil {
		return nil, explain(err, "describe account "+id, caller, o)
	}
	if out.Account == nil {
		return nil, nil
	}
	chain := ouChain(*out.Account)
	if chain == nil {
		return nil, nil
	}
	w := &walk{organization: o, accounts: []types.Account{*out.Account}, listed: map[string][]types.OrganizationalUnit{}, root: types.Root{Id: aws.String(chain[0]), Name: aws.String("Root")}}
	for i, ou := range chain[1:] {
		described, err := api.DescribeOrganizationalUnit(ctx, &organizations.DescribeOrganizationalUnitInput{OrganizationalUnitId: &ou})
		if err != nil {
			return nil, explain(err, "describe OU "+ou, caller, o)
		}
		if described.OrganizationalUnit != nil {
			w.listed[chain[i]] = []types.OrganizationalUnit{*described.OrganizationalUnit}
		}
	}
	return w.build(), nil
}

// Find gives the one account that a word means, an id or a name. The error is a
// *SelectionError that names what is near.
func (t *Tree) Find(word string) (*Account, error) {
	found, err := newResolver(t).account(word)
	if err != nil {
		return nil, selectionError("%v", err)
	}
	if len(found) > 1 {
		return nil, selectionError("%q means %d accounts (%s, %s, …); name one", word, len(found), found[0].Name, found[1].Name)
	}
	return found[0], nil
}
