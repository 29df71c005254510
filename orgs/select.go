package orgs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Selector says which accounts are chosen: (under any of OUs, or the whole
// organization when there are none) ∩ Accounts ∩ AccountTags − excludes. An OU
// chosen is that OU and everything below it.
type Selector struct {
	OUs, ExcludeOUs           []string // ids, paths, globs
	Accounts, ExcludeAccounts []string // ids, names, globs of names
	AccountTags               []string // key=value; all must hold
	// IncludeManagement takes the management account in where the rest chooses it.
	IncludeManagement bool
}

// Selection is what a selector came to.
type Selection struct {
	// Decisions has every account of the tree, in the tree's order.
	Decisions []Decision
	// OUs are the chosen OUs, none below another, or the root: they cover the
	// chosen accounts.
	OUs []*OU
}

// SelectionError is a selector that names something that is not there.
type SelectionError struct{ Message string }

func (e *SelectionError) Error() string { return e.Message }

// Empty says whether the selector chooses nothing in particular.
func (s Selector) Empty() bool {
	return len(s.OUs)+len(s.Accounts)+len(s.AccountTags) == 0
}

// NeedsTags says whether the accounts' tags have to be read.
func (s Selector) NeedsTags() bool { return len(s.AccountTags) > 0 }

// Below is what a walk for this selector has to list: nil is the whole tree.
func (s Selector) Below() []string {
	if len(s.OUs) == 0 {
		return nil
	}
	return append(slices.Clone(s.OUs), s.ExcludeOUs...)
}

// Select decides on every account of a tree. Everything that the selector names
// has to be there, excludes too: a misspelt exclude would deploy where nobody wants it.
func (s Selector) Select(t *Tree) (Selection, error) {
	var out Selection
	chosen, err := findOUs(t, "--ou", s.OUs)
	if err != nil {
		return out, err
	}
	excluded, err := findOUs(t, "--exclude-ou", s.ExcludeOUs)
	if err != nil {
		return out, err
	}
	accounts, err := findAccounts(t, "--account", s.Accounts)
	if err != nil {
		return out, err
	}
	excludedAccounts, err := findAccounts(t, "--exclude-account", s.ExcludeAccounts)
	if err != nil {
		return out, err
	}
	tags, err := s.tags(t)
	if err != nil {
		return out, err
	}
	for _, a := range t.Accounts {
		selected, reason := s.decide(a, chosen, excluded, accounts, excludedAccounts, tags)
		out.Decisions = append(out.Decisions, Decision{Account: a, Selected: selected, Reason: reason})
	}
	out.OUs = topmost(chosen)
	if len(s.OUs) == 0 {
		out.OUs = []*OU{t.Root}
	}
	return out, nil
}

// named is an OU or account with the word that named it.
type named[T any] struct {
	thing T
	word  string
}

func (s Selector) decide(a *Account, chosen, excluded []named[*OU], accounts, excludedAccounts []named[*Account], tags [][2]string) (bool, string) {
	reason := "in the organization"
	if len(s.OUs) > 0 {
		i := slices.IndexFunc(chosen, func(n named[*OU]) bool { return a.OU.Under(n.thing) })
		if i < 0 {
			return false, "not under --ou " + strings.Join(s.OUs, ", ")
		}
		reason = "under --ou " + chosen[i].word
	}
	if len(s.Accounts) > 0 {
		i := slices.IndexFunc(accounts, func(n named[*Account]) bool { return n.thing == a })
		if i < 0 {
			return false, "not named by --account"
		}
		reason += ", named by --account " + accounts[i].word
	}
	for _, tag := range tags {
		if v, ok := a.Tags[tag[0]]; !ok || v != tag[1] {
			return false, "has no tag " + tag[0] + "=" + tag[1]
		}
		reason += ", tagged " + tag[0] + "=" + tag[1]
	}
	if i := slices.IndexFunc(excluded, func(n named[*OU]) bool { return a.OU.Under(n.thing) }); i >= 0 {
		return false, "under --exclude-ou " + excluded[i].word
	}
	if i := slices.IndexFunc(excludedAccounts, func(n named[*Account]) bool { return n.thing == a }); i >= 0 {
		return false, "named by --exclude-account " + excludedAccounts[i].word
	}
	if a.Management {
		if !s.IncludeManagement {
			return false, "the management account, which is left out without --include-management"
		}
		reason += ", the management account (--include-management)"
	}
	return true, reason
}

func (s Selector) tags(t *Tree) ([][2]string, error) {
	var out [][2]string
	for _, pair := range s.AccountTags {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return nil, &SelectionError{fmt.Sprintf("--account-tag %q: write KEY=VALUE", pair)}
		}
		if !slices.ContainsFunc(t.Accounts, func(a *Account) bool { return a.Tags[key] == value }) {
			return nil, &SelectionError{fmt.Sprintf("--account-tag %s: no account of organization %s has this tag", pair, t.OrganizationID)}
		}
		out = append(out, [2]string{key, value})
	}
	return out, nil
}

// findOUs resolves ids, paths and globs.
func findOUs(t *Tree, option string, words []string) ([]named[*OU], error) {
	var out []named[*OU]
	for _, word := range words {
		before := len(out)
		for ou := range t.OUs() {
			if ou.ID == word || matchPath(word, ou.Path) {
				out = append(out, named[*OU]{ou, word})
			}
		}
		if len(out) > before {
			continue
		}
		switch {
		case isID(word):
			return nil, &SelectionError{fmt.Sprintf("%s %s: organization %s has no such OU", option, word, t.OrganizationID)}
		case isGlob(word):
			return nil, &SelectionError{fmt.Sprintf("%s %s: no OU path of organization %s matches%s", option, word, t.OrganizationID, topPaths(t))}
		}
		return nil, &SelectionError{fmt.Sprintf("%s %s: organization %s has no such OU%s; a path begins below the root and its case matters", option, word, t.OrganizationID, nearestPath(t, word))}
	}
	return out, nil
}

// findAccounts resolves ids, names and globs of names.
func findAccounts(t *Tree, option string, words []string) ([]named[*Account], error) {
	var out []named[*Account]
	for _, word := range words {
		var exact, glob []named[*Account]
		for _, a := range t.Accounts {
			switch {
			case a.ID == word || a.Name == word:
				exact = append(exact, named[*Account]{a, word})
			case isGlob(word) && doublestar.MatchUnvalidated(word, strings.ReplaceAll(a.Name, "/", "\x00")):
				glob = append(glob, named[*Account]{a, word})
			}
		}
		switch {
		case len(exact) > 1:
			ids := make([]string, len(exact))
			for i, n := range exact {
				ids[i] = n.thing.ID
			}
			return nil, &SelectionError{fmt.Sprintf("%s %s: %d accounts bear this name; name one by its id: %s", option, word, len(exact), strings.Join(ids, ", "))}
		case len(exact) == 1:
			out = append(out, exact[0])
		case len(glob) > 0:
			out = append(out, glob...)
		default:
			return nil, &SelectionError{fmt.Sprintf("%s %s: organization %s has no such account%s", option, word, t.OrganizationID, nearestAccount(t, word))}
		}
	}
	return out, nil
}

// topmost drops OUs that stand below another one of the list.
func topmost(chosen []named[*OU]) []*OU {
	var out []*OU
	for _, n := range chosen {
		below := slices.ContainsFunc(chosen, func(m named[*OU]) bool { return m.thing != n.thing && n.thing.Under(m.thing) })
		if !below && !slices.Contains(out, n.thing) {
			out = append(out, n.thing)
		}
	}
	slices.SortFunc(out, func(a, b *OU) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// OUs gives the root and every OU, each before its children.
func (t *Tree) OUs() func(yield func(*OU) bool) {
	return func(yield func(*OU) bool) {
		var visit func(*OU) bool
		visit = func(ou *OU) bool {
			if !yield(ou) {
				return false
			}
			for _, c := range ou.Children {
				if !visit(c) {
					return false
				}
			}
			return true
		}
		visit(t.Root)
	}
}
