package orgs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"golang.org/x/sync/errgroup"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
)

// pageSize is the largest that Organizations allows for any list.
const pageSize = 20

// concurrency is how many calls of one kind are under way at once; the limiters
// of NewClient hold the rate.
const concurrency = 8

// WalkOptions says what of an organization is asked for. The zero value is all
// of it, without tags.
type WalkOptions struct {
	// Below are OU ids, paths or globs. OUs are listed only on the way to them
	// and below them, which is what takes long in a large organization. Nil is
	// the whole tree, and so is an OU id with no account anywhere below it, for
	// then nothing tells where it is. See Selector.Below.
	Below []string
	// Tags asks for the tags of the accounts below Below: one call each.
	Tags bool
	// Organization is what Describe said; nil asks.
	Organization *Organization
	// Caller is the caller's account, for what an error says.
	Caller string
}

// Walk reads the organization with the fewest calls: DescribeOrganization,
// ListRoots, ListAccounts (20 a page) and ListOrganizationalUnitsForParent once
// for each OU asked for that can have children. Where an account stands is read
// from its Paths; where Organizations does not give those, the whole tree is
// walked and ListAccountsForParent called once for each OU.
//
// Every account is in the tree. One whose OU was not listed has an OU that is
// named by its id, below the ancestors that were.
//
// emit may be nil. Errors are *ErrNotInOrganization, *ErrNotManagement or say
// which call failed.
func Walk(ctx context.Context, api API, o WalkOptions, emit func(Event)) (*Tree, error) {
	w := &walk{api: api, options: o, emit: emit, listed: map[string][]types.OrganizationalUnit{}}
	var err error
	if w.below, err = parseBelow(o.Below); err != nil {
		return nil, err
	}
	if o.Organization != nil {
		w.organization = *o.Organization
	} else {
		if w.organization, err = Describe(ctx, api); err != nil {
			return nil, err
		}
		w.count(0, 0)
	}
	group, both := errgroup.WithContext(ctx)
	accounts := make(chan struct{})
	group.Go(func() error { defer close(accounts); return w.listAccounts(both) })
	group.Go(func() error {
		if err := w.findRoot(both); err != nil {
			return err
		}
		if w.below != nil && w.below.ids != nil {
			// Where an OU id stands is told by the paths of its accounts.
			select {
			case <-accounts:
			case <-both.Done():
				return both.Err()
			}
			w.locate()
		}
		return w.listOUs(both)
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if w.pathless() {
		w.tell(PathsMissing{})
		w.below = nil
		if err := w.listOUs(ctx); err != nil {
			return nil, err
		}
		if err := w.listAccountsByOU(ctx); err != nil {
			return nil, err
		}
	}
	tree := w.build()
	if o.Tags {
		if err := w.readTags(ctx, tree); err != nil {
			return nil, err
		}
	}
	return tree, nil
}

// walk is one walk under way.
type walk struct {
	api          API
	options      WalkOptions
	organization Organization
	below        *below // nil: the whole tree
	emit         func(Event)

	mu     sync.Mutex // guards the counts and emit
	counts Walked

	root     types.Root
	accounts []types.Account
	parents  map[string]string // account id → parent id, where paths are missing
	listed   map[string][]types.OrganizationalUnit
}

func (w *walk) tell(e Event) {
	if w.emit == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.emit(e)
}

// count counts one call and what it brought.
func (w *walk) count(accounts, ous int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts.Calls++
	w.counts.Accounts += accounts
	w.counts.OUs += ous
	if w.emit != nil {
		w.emit(w.counts)
	}
}

func (w *walk) fail(err error, tried string) error {
	return explain(err, tried, w.options.Caller, w.organization)
}

// pages reads a list to its end. A page may be empty and not the last
// (Organizations API reference); a token that comes twice would never end.
func pages[T any](w *walk, tried string, fetch func(token *string) ([]T, *string, error), counted func(n int)) ([]T, error) {
	var all []T
	seen := map[string]bool{}
	for token := (*string)(nil); ; {
		page, next, err := fetch(token)
		if err != nil {
			return nil, w.fail(err, tried)
		}
		all = append(all, page...)
		counted(len(page))
		if aws.ToString(next) == "" {
			return all, nil
		}
		if seen[*next] {
			return nil, fmt.Errorf("%s in organization %s: AWS gave the same page token twice after %d entries", tried, w.organization.ID, len(all))
		}
		seen[*next] = true
		token = next
	}
}

func (w *walk) findRoot(ctx context.Context) error {
	roots, err := pages(w, "list the roots", func(token *string) ([]types.Root, *string, error) {
		out, err := w.api.ListRoots(ctx, &organizations.ListRootsInput{NextToken: token, MaxResults: aws.Int32(pageSize)})
		if err != nil {
			return nil, nil, err
		}
		return out.Roots, out.NextToken, nil
	}, func(int) { w.count(0, 0) })
	if err != nil {
		return err
	}
	if len(roots) == 0 {
		return fmt.Errorf("list the roots in organization %s: AWS listed none", w.organization.ID)
	}
	w.root = roots[0]
	return nil
}

func (w *walk) listAccounts(ctx context.Context) (err error) {
	w.accounts, err = pages(w, "list the accounts", func(token *string) ([]types.Account, *string, error) {
		out, err := w.api.ListAccounts(ctx, &organizations.ListAccountsInput{NextToken: token, MaxResults: aws.Int32(pageSize)})
		if err != nil {
			return nil, nil, err
		}
		return out.Accounts, out.NextToken, nil
	}, func(n int) { w.count(n, 0) })
	return err
}

// pathless says whether an account came without its path.
func (w *walk) pathless() bool {
	return slices.ContainsFunc(w.accounts, func(a types.Account) bool { return ouChain(a) == nil })
}

// ouChain cuts "o-…/r-…/ou-…/ou-…/<account>/" into the ids from the root to the
// account's own OU, nil without a path.
func ouChain(a types.Account) []string {
	if len(a.Paths) == 0 {
		return nil
	}
	parts := strings.Split(strings.Trim(a.Paths[0], "/"), "/")
	if len(parts) < 3 || !rootID.MatchString(parts[1]) || parts[len(parts)-1] != aws.ToString(a.Id) {
		return nil
	}
	for _, id := range parts[2 : len(parts)-1] {
		if !ouID.MatchString(id) {
			return nil
		}
	}
	return parts[1 : len(parts)-1]
}

// locate learns from the accounts' paths where the OU ids asked for stand. One
// that no path names may be anywhere: the whole tree is listed.
func (w *walk) locate() {
	if w.below == nil {
		return
	}
	w.below.onTheWay = map[string]bool{}
	found := map[string]bool{}
	for _, a := range w.accounts {
		chain := ouChain(a)
		for i, id := range chain {
			if w.below.ids[id] {
				found[id] = true
				for _, above := range chain[:i] {
					w.below.onTheWay[above] = true
				}
			}
		}
	}
	if len(found) < len(w.below.ids) {
		w.below = nil
	}
}

// node is an OU to list the children of.
type node struct {
	id     string
	names  []string // from below the root
	inside bool     // asked for itself, or below one that is
}

// listOUs lists level by level; what was listed before is not listed again. OUs
// at the deepest level cannot have children.
func (w *walk) listOUs(ctx context.Context) error {
	root := aws.ToString(w.root.Id)
	level := []node{{id: root, inside: w.below == nil || w.below.ids[root]}}
	for depth := 0; len(level) > 0 && depth < maxDepth; depth++ {
		ctx, stop := context.WithCancel(ctx)
		var next []node
		var failed error
		found := map[string][]types.OrganizationalUnit{} // listed is read meanwhile
		for n, r := range fanout.Ordered(ctx, level, concurrency, w.children) {
			if r.err != nil {
				failed = r.err
				break
			}
			found[n.id] = r.ous
			for _, ou := range r.ous {
				child := node{id: aws.ToString(ou.Id), names: append(slices.Clone(n.names), aws.ToString(ou.Name)), inside: n.inside}
				if !child.inside {
					child.inside = w.below.means(child)
				}
				if child.inside || w.below.leadsTo(child) {
					next = append(next, child)
				}
			}
		}
		stop()
		maps.Copy(w.listed, found)
		if failed != nil {
			return failed
		}
		level = next
	}
	return nil
}

type children struct {
	ous []types.OrganizationalUnit
	err error
}

func (w *walk) children(ctx context.Context, n node) children {
	if ous, done := w.listed[n.id]; done {
		return children{ous: ous}
	}
	ous, err := pages(w, "list the OUs of "+n.id, func(token *string) ([]types.OrganizationalUnit, *string, error) {
		out, err := w.api.ListOrganizationalUnitsForParent(ctx, &organizations.ListOrganizationalUnitsForParentInput{ParentId: aws.String(n.id), NextToken: token, MaxResults: aws.Int32(pageSize)})
		if err != nil {
			return nil, nil, err
		}
		return out.OrganizationalUnits, out.NextToken, nil
	}, func(c int) { w.count(0, c) })
	if len(n.names) > 0 && awsapi.Code(err) == "ParentNotFoundException" {
		return children{} // deleted since its parent was listed
	}
	return children{ous: ous, err: err}
}
