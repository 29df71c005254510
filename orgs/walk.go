package orgs

import (
	"cmp"
	"context"
	"fmt"
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

// pageSize is the largest that every list of Organizations takes.
const pageSize = 20

// maxDepth is how deep OUs nest under the root ("Quotas for AWS Organizations");
// an OU that deep has no children to list.
const maxDepth = 5

// WalkOptions says what a walk is for.
type WalkOptions struct {
	// Organization is what Describe said; nil asks.
	Organization *Organization
	// Below are the OUs asked for, as in Selector.OUs. OUs are listed only on the
	// way to them and below them. Empty lists the whole tree.
	Below []string
	// Tags reads every account's tags, one call each.
	Tags bool
}

// Walk walks an organization with the fewest calls: the accounts, with the OU ids
// above each, come from ListAccounts; OUs are listed for their names only, one
// call an OU, and only where they matter. Where an account comes without its path
// (an older API, another implementation), each OU's accounts are listed as well.
func Walk(ctx context.Context, api API, o WalkOptions, emit func(Event)) (*Tree, error) {
	w := &walker{api: api, o: o, emit: emit, ous: map[string]*OU{}}
	organization := o.Organization
	if organization == nil {
		found, err := Describe(ctx, api)
		if err != nil {
			return nil, err
		}
		organization = &found
	}
	w.tree = &Tree{OrganizationID: organization.ID, ManagementAccount: organization.ManagementAccount}
	if err := w.roots(ctx); err != nil {
		if awsapi.Classify(err) == awsapi.ClassDenied {
			return nil, &NotAdministratorError{organization.ManagementAccount, err}
		}
		return nil, fmt.Errorf("list the root of organization %s: %w", organization.ID, err)
	}
	// The accounts come page by page, each page with the last one's token, while
	// the OUs, which have the lower rate, are listed beside them.
	group, both := errgroup.WithContext(ctx)
	var accounts []types.Account
	group.Go(func() (err error) {
		accounts, err = w.accounts(both)
		return err
	})
	early := len(o.Below) == 0 || !slices.ContainsFunc(o.Below, isID)
	if early {
		group.Go(func() error { return w.units(both, nil) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	paths := len(accounts) == 0 || slices.ContainsFunc(accounts, func(a types.Account) bool { return len(a.Paths) > 0 })
	if !early {
		if err := w.units(ctx, chains(accounts)); err != nil {
			return nil, err
		}
	}
	if !paths {
		// Without paths the place of an account is known only from its parent.
		w.o.Below = nil
		if len(o.Below) > 0 {
			if err := w.units(ctx, nil); err != nil {
				return nil, err
			}
		}
		if err := w.parents(ctx); err != nil {
			return nil, err
		}
	}
	for _, a := range accounts {
		w.place(a)
	}
	if o.Tags {
		if err := w.tags(ctx); err != nil {
			return nil, err
		}
	}
	w.finish()
	return w.tree, nil
}

type walker struct {
	api     API
	o       WalkOptions
	emit    func(Event)
	tree    *Tree
	mu      sync.Mutex
	seen    Walked
	ous     map[string]*OU
	parent  map[string]*OU // account id → OU, in the fallback
	listed  map[string]bool
	partial bool
}

func (w *walker) count(accounts, ous int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen.Accounts += accounts
	w.seen.OUs += ous
	if w.emit != nil {
		w.emit(w.seen)
	}
}

func isID(s string) bool { return strings.HasPrefix(s, "ou-") || strings.HasPrefix(s, "r-") }

func (w *walker) roots(ctx context.Context) error {
	for pages := organizations.NewListRootsPaginator(w.api, &organizations.ListRootsInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, r := range page.Roots {
			w.tree.Root = &OU{ID: aws.ToString(r.Id), Name: aws.ToString(r.Name)}
			w.ous[w.tree.Root.ID] = w.tree.Root
		}
	}
	if w.tree.Root == nil {
		return fmt.Errorf("it has none")
	}
	return nil
}

func (w *walker) accounts(ctx context.Context) ([]types.Account, error) {
	var out []types.Account
	for pages := organizations.NewListAccountsPaginator(w.api, &organizations.ListAccountsInput{MaxResults: aws.Int32(pageSize)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the accounts of organization %s (%d so far): %w", w.tree.OrganizationID, len(out), err)
		}
		out = append(out, page.Accounts...)
		w.count(len(page.Accounts), 0)
	}
	return out, nil
}

// chains gives, for each OU id that has an account below it, the ids above it.
func chains(accounts []types.Account) map[string][]string {
	out := map[string][]string{}
	for _, a := range accounts {
		for _, path := range a.Paths {
			ids := ouIDs(path)
			for i, id := range ids {
				out[id] = ids[:i+1]
			}
		}
	}
	return out
}

// ouIDs reads the root and OU ids out of "o-…/r-…/ou-…/123456789012/".
func ouIDs(path string) []string {
	var out []string
	for part := range strings.SplitSeq(path, "/") {
		if isID(part) {
			out = append(out, part)
		}
	}
	return out
}

// units lists OUs level by level. ways are the ids above an OU asked for by id; an
// id without a way can be anywhere, so everything is listed then.
func (w *walker) units(ctx context.Context, ways map[string][]string) error {
	if w.listed == nil {
		w.listed = map[string]bool{}
	}
	patterns, onWay := w.o.Below, map[string]bool{}
	for _, p := range patterns {
		if !isID(p) {
			continue
		}
		way, known := ways[p]
		if !known && p != w.tree.Root.ID {
			patterns = nil
			break
		}
		for _, id := range way {
			onWay[id] = true
		}
	}
	type found struct {
		children []*OU
		err      error
	}
	for level, depth := []*OU{w.tree.Root}, 0; len(level) > 0 && depth < maxDepth; depth++ {
		var list, next []*OU
		for _, ou := range level {
			switch {
			case w.listed[ou.ID]:
				next = append(next, ou.Children...)
			case len(patterns) == 0 || leads(ou, patterns, onWay):
				list = append(list, ou)
				w.listed[ou.ID] = true
			default:
				w.partial = true
			}
		}
		var failure error
		for ou, f := range fanout.Ordered(ctx, list, 8, func(ctx context.Context, ou *OU) found {
			children, err := w.children(ctx, ou)
			return found{children, err}
		}) {
			if f.err != nil {
				if failure == nil {
					failure = f.err
				}
				continue
			}
			ou.Children = f.children
			for _, c := range f.children {
				w.ous[c.ID] = c
			}
			next = append(next, f.children...)
			w.count(0, len(f.children))
		}
		if failure != nil {
			return failure
		}
		level = next
	}
	return nil
}

// leads says whether an OU has to be listed: it is chosen or below a chosen one,
// or a chosen one may be below it.
func leads(ou *OU, patterns []string, onWay map[string]bool) bool {
	for _, p := range patterns {
		if isID(p) {
			if onWay[ou.ID] {
				return true
			}
			for up := ou; up != nil; up = up.Parent {
				if up.ID == p {
					return true
				}
			}
			continue
		}
		if mayHold(p, ou.Path) {
			return true
		}
		for up := ou; up != nil && up.Parent != nil; up = up.Parent {
			if matchPath(p, up.Path) {
				return true
			}
		}
	}
	return false
}

func (w *walker) children(ctx context.Context, parent *OU) ([]*OU, error) {
	var out []*OU
	in := &organizations.ListOrganizationalUnitsForParentInput{ParentId: aws.String(parent.ID), MaxResults: aws.Int32(pageSize)}
	for pages := organizations.NewListOrganizationalUnitsForParentPaginator(w.api, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the OUs below %s (%s): %w", parent.ID, orRoot(parent.Path), err)
		}
		for _, u := range page.OrganizationalUnits {
			ou := &OU{ID: aws.ToString(u.Id), Name: aws.ToString(u.Name), Parent: parent}
			ou.Path = join(parent.Path, ou.Name)
			out = append(out, ou)
		}
	}
	return out, nil
}

func orRoot(path string) string {
	if path == "" {
		return "the root"
	}
	return path
}

// parents lists the accounts of every OU.
func (w *walker) parents(ctx context.Context) error {
	all := make([]*OU, 0, len(w.ous))
	for _, ou := range w.ous {
		all = append(all, ou)
	}
	slices.SortFunc(all, func(a, b *OU) int { return cmp.Compare(a.ID, b.ID) })
	type found struct {
		ids []string
		err error
	}
	w.parent = map[string]*OU{}
	var failure error
	for ou, f := range fanout.Ordered(ctx, all, 8, func(ctx context.Context, ou *OU) found {
		var f found
		in := &organizations.ListAccountsForParentInput{ParentId: aws.String(ou.ID), MaxResults: aws.Int32(pageSize)}
		for pages := organizations.NewListAccountsForParentPaginator(w.api, in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				f.err = fmt.Errorf("list the accounts in %s (%s): %w", ou.ID, orRoot(ou.Path), err)
				return f
			}
			for _, a := range page.Accounts {
				f.ids = append(f.ids, aws.ToString(a.Id))
			}
		}
		return f
	}) {
		if failure == nil {
			failure = f.err
		}
		for _, id := range f.ids {
			w.parent[id] = ou
		}
	}
	return failure
}

// place puts an account into its OU. An OU that was not listed is known by its id
// only; it bears the id as its name.
func (w *walker) place(a types.Account) {
	account := &Account{ID: aws.ToString(a.Id), Name: aws.ToString(a.Name), Email: aws.ToString(a.Email), State: string(a.State)}
	if account.State == "" {
		account.State = string(a.Status) //nolint:staticcheck // the retired member is read only where State is absent
	}
	account.Management = account.ID == w.tree.ManagementAccount
	account.OU = w.parent[account.ID]
	if len(a.Paths) > 0 {
		at := w.tree.Root
		for _, id := range ouIDs(a.Paths[0]) {
			if id == w.tree.Root.ID {
				continue
			}
			ou := w.ous[id]
			if ou == nil {
				ou = &OU{ID: id, Name: id, Path: join(at.Path, id), Parent: at}
				w.ous[id] = ou
				at.Children = append(at.Children, ou)
			}
			at = ou
		}
		account.OU = at
	}
	if account.OU == nil {
		account.OU = w.tree.Root // joined between the two lists
	}
	account.OU.Accounts = append(account.OU.Accounts, account)
	w.tree.Accounts = append(w.tree.Accounts, account)
}

func (w *walker) tags(ctx context.Context) error {
	var failure error
	for a, err := range fanout.Ordered(ctx, w.tree.Accounts, 8, func(ctx context.Context, a *Account) error {
		a.Tags = map[string]string{}
		for pages := organizations.NewListTagsForResourcePaginator(w.api, &organizations.ListTagsForResourceInput{ResourceId: aws.String(a.ID)}); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, t := range page.Tags {
				a.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
		}
		return nil
	}) {
		if err != nil && failure == nil {
			failure = fmt.Errorf("read the tags of account %s: %w", a.ID, err)
		}
	}
	return failure
}

// finish sorts everything, so that the same organization gives the same tree.
func (w *walker) finish() {
	byID := func(a, b *Account) int { return cmp.Compare(a.ID, b.ID) }
	for _, ou := range w.ous {
		slices.SortFunc(ou.Accounts, byID)
		slices.SortFunc(ou.Children, func(a, b *OU) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.ID, b.ID)) })
	}
	slices.SortFunc(w.tree.Accounts, func(a, b *Account) int { return cmp.Or(cmp.Compare(a.OUPath(), b.OUPath()), byID(a, b)) })
	if w.partial {
		w.tree.Partial = slices.Clone(w.o.Below)
	}
}
