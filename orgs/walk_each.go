package orgs

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
)

// listAccountsByOU is the way without Paths: each OU is asked for its accounts.
func (w *walk) listAccountsByOU(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	parents := []string{aws.ToString(w.root.Id)}
	for _, ous := range w.listed {
		for _, ou := range ous {
			parents = append(parents, aws.ToString(ou.Id))
		}
	}
	slices.Sort(parents)
	type result struct {
		accounts []types.Account
		err      error
	}
	w.parents = map[string]string{}
	known := map[string]bool{}
	for _, a := range w.accounts {
		known[aws.ToString(a.Id)] = true
	}
	for parent, r := range fanout.Ordered(ctx, parents, concurrency, func(ctx context.Context, parent string) result {
		accounts, err := pages(w, "list the accounts of "+parent, func(token *string) ([]types.Account, *string, error) {
			out, err := w.api.ListAccountsForParent(ctx, &organizations.ListAccountsForParentInput{ParentId: aws.String(parent), NextToken: token, MaxResults: aws.Int32(pageSize)})
			if err != nil {
				return nil, nil, err
			}
			return out.Accounts, out.NextToken, nil
		}, func(int) { w.count(0, 0) })
		if awsapi.Code(err) == "ParentNotFoundException" && parent != aws.ToString(w.root.Id) {
			return result{}
		}
		return result{accounts, err}
	}) {
		if r.err != nil {
			return r.err
		}
		for _, a := range r.accounts {
			id := aws.ToString(a.Id)
			w.parents[id] = parent
			if !known[id] { // it joined since they were listed
				known[id] = true
				w.accounts = append(w.accounts, a)
			}
		}
	}
	return nil
}

// readTags reads the tags of the accounts that are asked for.
func (w *walk) readTags(ctx context.Context, tree *Tree) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	asked := tree.Accounts
	if w.below != nil {
		asked = slices.DeleteFunc(slices.Clone(asked), func(a *Account) bool { return !w.below.holds(a.OU) })
	}
	type result struct {
		tags []types.Tag
		err  error
	}
	done := 0
	for a, r := range fanout.Ordered(ctx, asked, concurrency, func(ctx context.Context, a *Account) result {
		tags, err := pages(w, "list the tags of account "+a.ID, func(token *string) ([]types.Tag, *string, error) {
			out, err := w.api.ListTagsForResource(ctx, &organizations.ListTagsForResourceInput{ResourceId: aws.String(a.ID), NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return out.Tags, out.NextToken, nil
		}, func(int) { w.count(0, 0) })
		if awsapi.Code(err) == "TargetNotFoundException" {
			return result{} // it left since the accounts were listed
		}
		return result{tags, err}
	}) {
		if r.err != nil {
			return r.err
		}
		a.Tags = map[string]string{}
		for _, t := range r.tags {
			a.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		done++
		w.tell(TagsRead{Done: done, Of: len(asked)})
	}
	return nil
}
