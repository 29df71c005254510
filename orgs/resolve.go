package orgs

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// resolver turns the words of a selector into the OUs and accounts of a tree.
type resolver struct {
	tree   *Tree
	byID   map[string]*OU
	byPath map[string]*OU
	names  map[*OU][]string
	all    []*OU // without the root, parents first
	named  map[string][]*Account
	ids    map[string]*Account
}

func newResolver(t *Tree) *resolver {
	r := &resolver{tree: t, byID: map[string]*OU{}, byPath: map[string]*OU{}, names: map[*OU][]string{}, named: map[string][]*Account{}, ids: map[string]*Account{}}
	for ou := range t.OUs() {
		r.byID[ou.ID] = ou
		if ou.Parent != nil {
			r.byPath[ou.Path] = ou
			r.names[ou] = ou.names()
			r.all = append(r.all, ou)
		}
	}
	for _, a := range t.Accounts {
		r.ids[a.ID] = a
		r.named[a.Name] = append(r.named[a.Name], a)
	}
	return r
}

// ous finds the OUs that words mean, each with the word that means it.
func (r *resolver) ous(option string, words []string) (map[*OU]string, error) {
	found := map[*OU]string{}
	for _, word := range words {
		matches, err := r.ou(word)
		if err != nil {
			return nil, selectionError("%s %v", option, err)
		}
		for _, ou := range matches {
			if _, twice := found[ou]; !twice {
				found[ou] = word
			}
		}
	}
	return found, nil
}

func (r *resolver) ou(word string) ([]*OU, error) {
	if ou := r.byID[word]; ou != nil {
		return []*OU{ou}, nil
	}
	if ou := r.byPath[word]; ou != nil {
		return []*OU{ou}, nil
	}
	switch {
	case word == "":
		return nil, fmt.Errorf("is empty; name an OU by path or id, or the whole organization by its root's id %s", r.tree.Root.ID)
	case isID(word):
		return nil, fmt.Errorf("%s is not in organization %s, whose root is %s", word, r.tree.OrganizationID, r.tree.Root.ID)
	}
	p, err := parsePattern(word)
	if err != nil {
		return nil, err
	}
	var matches []*OU
	for _, ou := range r.all {
		if p.match(r.names[ou]) {
			matches = append(matches, ou)
		}
	}
	if len(matches) > 0 {
		return matches, nil
	}
	if len(p) == 1 && (strings.HasPrefix(word, "ou-") || strings.HasPrefix(word, "r-")) && !isGlob(word) {
		return nil, fmt.Errorf("%q is not well-formed: an OU's id is like ou-ab12-cd34ef56, a root's like r-ab12", word)
	}
	paths := make([]string, 0, len(r.all))
	for _, ou := range r.all {
		paths = append(paths, ou.Path)
	}
	if isGlob(word) {
		return nil, fmt.Errorf("%q matches none of the %d OUs of organization %s%s", word, len(r.all), r.tree.OrganizationID, didYouMean(word, paths))
	}
	return nil, fmt.Errorf("%s: no such OU in organization %s (paths start below the root and are case-sensitive)%s", word, r.tree.OrganizationID, didYouMean(word, paths))
}

// accounts finds the accounts that words mean, by id, each with its word.
func (r *resolver) accounts(option string, words []string) (map[string]string, error) {
	found := map[string]string{}
	for _, word := range words {
		matches, err := r.account(word)
		if err != nil {
			return nil, selectionError("%s %v", option, err)
		}
		for _, a := range matches {
			if _, twice := found[a.ID]; !twice {
				found[a.ID] = word
			}
		}
	}
	return found, nil
}

func (r *resolver) account(word string) ([]*Account, error) {
	if a := r.ids[word]; a != nil {
		return []*Account{a}, nil
	}
	switch same := r.named[word]; {
	case word == "":
		return nil, fmt.Errorf("is empty; name an account by id, name or name glob")
	case len(same) == 1:
		return same, nil
	case len(same) > 1:
		var ids []string
		for _, a := range same {
			ids = append(ids, a.ID)
		}
		slices.Sort(ids)
		return nil, fmt.Errorf("%q is the name of %d accounts (%s); name them by id", word, len(ids), strings.Join(ids, ", "))
	case accountID.MatchString(word):
		return nil, fmt.Errorf("%s is no account of organization %s", word, r.tree.OrganizationID)
	}
	if isGlob(word) {
		if !doublestar.ValidatePattern(inName(word)) {
			return nil, fmt.Errorf("%q is not a well-formed glob", word)
		}
		var matches []*Account
		for _, a := range r.tree.Accounts {
			if doublestar.MatchUnvalidated(inName(word), inName(a.Name)) {
				matches = append(matches, a)
			}
		}
		if len(matches) > 0 {
			return matches, nil
		}
		return nil, fmt.Errorf("%q matches the name of none of the %d accounts of organization %s", word, len(r.tree.Accounts), r.tree.OrganizationID)
	}
	if strings.Trim(word, "0123456789") == "" {
		return nil, fmt.Errorf("%q: an account's id has 12 digits, this has %d, and no account of organization %s has that name", word, len(word), r.tree.OrganizationID)
	}
	return nil, fmt.Errorf("%s: organization %s has no account of that name%s", word, r.tree.OrganizationID, didYouMean(word, slices.Sorted(maps.Keys(r.named))))
}

// tagFilter is the tags that an account must have, in the order given.
type tagFilter [][2]string

// parseTag cuts key=value at the first equals sign.
func parseTag(word string) (key, value string, err error) {
	key, value, ok := strings.Cut(word, "=")
	if !ok || key == "" {
		return "", "", selectionError("--account-tag %q is not key=value", word)
	}
	return key, value, nil
}

func (r *resolver) tags(words []string) (tagFilter, error) {
	var f tagFilter
	values := map[string]string{}
	for _, word := range words {
		key, value, err := parseTag(word)
		if err != nil {
			return f, err
		}
		if !slices.ContainsFunc(r.tree.Accounts, func(a *Account) bool { v, ok := a.Tags[key]; return ok && v == value }) {
			return f, selectionError("--account-tag %s: no account has that tag%s", word, r.otherValues(key))
		}
		if other, twice := values[key]; twice && other != value {
			return f, selectionError("--account-tag %s=%s and %s=%s exclude each other: a tag has one value, and all given must hold", key, other, key, value)
		} else if twice {
			continue
		}
		values[key] = value
		f = append(f, [2]string{key, value})
	}
	return f, nil
}

// otherValues names the values that a key does have.
func (r *resolver) otherValues(key string) string {
	seen := map[string]bool{}
	for _, a := range r.tree.Accounts {
		if v, ok := a.Tags[key]; ok {
			seen[v] = true
		}
	}
	if len(seen) == 0 {
		return ""
	}
	values := slices.Sorted(maps.Keys(seen))
	more := ""
	if len(values) > 5 {
		values, more = values[:5], ", …"
	}
	return fmt.Sprintf("; the values of %s are %s%s", key, strings.Join(values, ", "), more)
}

// of says by which tags an account is in, or which it lacks.
func (f tagFilter) of(a *Account) (text string, ok bool) {
	var in []string
	for _, tag := range f {
		in = append(in, tag[0]+"="+tag[1])
		if value, has := a.Tags[tag[0]]; !has || value != tag[1] {
			return in[len(in)-1], false
		}
	}
	return strings.Join(in, ", "), true
}
