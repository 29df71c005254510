package orgs

import (
	"fmt"
	"slices"
	"strings"
)

// Selector says which accounts are chosen. The zero value chooses all but the
// management account.
//
// Chosen is what stands under any of OUs (the whole organization without OUs),
// and is one of Accounts, and has the AccountTags, and is not excluded. Whatever
// a Selector names must match something, also what it excludes: an exclusion
// that silently matches nothing would let through what it should hold back.
type Selector struct {
	// OUs and ExcludeOUs are ids (ou-…, r-…), paths from below the root
	// (Workloads/Prod, case-sensitive) or globs: A/* is A's child OUs, A/** every
	// OU below A. An OU is always it and everything below. A slash in a name is
	// written \/, a glob character \*; a path that is an OU's own wins over the
	// glob it may look like.
	OUs, ExcludeOUs []string
	// Accounts and ExcludeAccounts are ids, names or name globs. A name that
	// several accounts bear is an error; a glob takes them all.
	Accounts, ExcludeAccounts []string
	// AccountTags are key=value; all must hold.
	AccountTags []string
	// IncludeManagement lets the management account be chosen.
	IncludeManagement bool
}

// Selection is what a Selector chose.
type Selection struct {
	// Decisions has every account of the tree, in the tree's order.
	Decisions []Decision
	// OUs are the fewest OUs (or the root) that hold the choice, sorted by path:
	// those asked for without the ones below others or wholly excluded; the root
	// when no OU was asked for.
	OUs []*OU
	// Excluded are the OUs below those that are left out, sorted by path.
	Excluded []*OU
}

// Empty says whether nothing is asked for by name: excludes choose nothing.
func (s Selector) Empty() bool {
	return len(s.OUs) == 0 && len(s.Accounts) == 0 && len(s.AccountTags) == 0
}

// NeedsTags says whether the tree must have the accounts' tags.
func (s Selector) NeedsTags() bool { return len(s.AccountTags) > 0 }

// Below is what of the tree must be listed (WalkOptions.Below), nil for all of
// it. Without OUs it is all: an account named by itself may be anywhere, and its
// path is shown.
func (s Selector) Below() []string {
	if len(s.OUs) == 0 {
		return nil
	}
	return slices.Concat(s.OUs, s.ExcludeOUs)
}

// Select decides every account. Errors are *SelectionError and say in a sentence
// which word of the selector is wrong.
func (s Selector) Select(t *Tree) (Selection, error) {
	r := newResolver(t)
	ous, err := r.ous("--ou", s.OUs)
	if err != nil {
		return Selection{}, err
	}
	excludedOUs, err := r.ous("--exclude-ou", s.ExcludeOUs)
	if err != nil {
		return Selection{}, err
	}
	accounts, err := r.accounts("--account", s.Accounts)
	if err != nil {
		return Selection{}, err
	}
	excludedAccounts, err := r.accounts("--exclude-account", s.ExcludeAccounts)
	if err != nil {
		return Selection{}, err
	}
	tags, err := r.tags(s.AccountTags)
	if err != nil {
		return Selection{}, err
	}
	var out Selection
	out.Decisions = make([]Decision, 0, len(t.Accounts))
	for _, a := range t.Accounts {
		d := Decision{Account: a}
		place, under := a.OU.within(ous)
		word, named := accounts[a.ID]
		tagged, hasTags := tags.of(a)
		excludedBy, excluded := a.OU.within(excludedOUs)
		excludeWord, excludedByName := excludedAccounts[a.ID]
		switch {
		case len(s.OUs) > 0 && !under:
			d.Reason = "not under --ou " + strings.Join(s.OUs, ", ")
		case len(s.Accounts) > 0 && !named:
			d.Reason = "not named by --account " + strings.Join(s.Accounts, ", ")
		case len(s.AccountTags) > 0 && !hasTags:
			d.Reason = "without the tag " + tagged + " of --account-tag"
		case excluded:
			d.Reason = "under --exclude-ou " + excludedBy
		case excludedByName:
			d.Reason = "named by --exclude-account " + excludeWord
		case a.Management && !s.IncludeManagement:
			d.Reason, d.OnlyManagement = "management account (--include-management takes it in)", true
		default:
			d.Selected = true
			var reasons []string
			if under {
				reasons = append(reasons, describePlace(a.OU, ous, place))
			}
			if named {
				reasons = append(reasons, "named by --account "+word)
			}
			if hasTags && tagged != "" {
				reasons = append(reasons, "tagged "+tagged)
			}
			if a.Management {
				reasons = append(reasons, "management account (--include-management)")
			}
			if len(reasons) == 0 {
				reasons = append(reasons, "in the organization")
			}
			d.Reason = strings.Join(reasons, ", ")
		}
		out.Decisions = append(out.Decisions, d)
	}
	out.OUs = covering(t, ous, excludedOUs)
	for ou := range excludedOUs {
		if slices.ContainsFunc(out.OUs, ou.Under) {
			out.Excluded = append(out.Excluded, ou)
		}
	}
	slices.SortFunc(out.Excluded, byPath)
	return out, nil
}

// within finds the nearest OU of a set that holds o, and the word that put it there.
func (o *OU) within(set map[*OU]string) (word string, ok bool) {
	for ; o != nil && len(set) > 0; o = o.Parent {
		if word, ok := set[o]; ok {
			return word, true
		}
	}
	return "", false
}

// describePlace says under which chosen OU an account stands, and by which word
// when that is not the OU's path.
func describePlace(o *OU, ous map[*OU]string, word string) string {
	for ; o != nil; o = o.Parent {
		if _, ok := ous[o]; !ok {
			continue
		}
		if o.Parent == nil {
			return "under the root"
		}
		if word == o.Path {
			return "under OU " + o.Path
		}
		return fmt.Sprintf("under OU %s (--ou %s)", o.Path, word)
	}
	return ""
}

// covering gives the fewest OUs that hold the choice.
func covering(t *Tree, ous, excluded map[*OU]string) []*OU {
	if len(ous) == 0 {
		return []*OU{t.Root}
	}
	var out []*OU
	for ou := range ous {
		_, above := ou.Parent.within(ous)
		_, gone := ou.within(excluded)
		if !above && !gone {
			out = append(out, ou)
		}
	}
	slices.SortFunc(out, byPath)
	return out
}
