package orgs

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

// build makes the tree of what was listed.
func (w *walk) build() *Tree {
	organization := w.organization
	t := &Tree{
		OrganizationID: organization.ID, ManagementAccount: organization.ManagementAccount,
		Root: &OU{ID: aws.ToString(w.root.Id), Name: aws.ToString(w.root.Name)},
	}
	byID := map[string]*OU{t.Root.ID: t.Root}
	for level := []*OU{t.Root}; len(level) > 0; {
		var next []*OU
		for _, parent := range level {
			for _, ou := range w.listed[parent.ID] {
				if id := aws.ToString(ou.Id); byID[id] == nil { // moved under the walk: seen twice
					byID[id] = parent.add(id, aws.ToString(ou.Name))
					next = append(next, byID[id])
				}
			}
		}
		level = next
	}
	for i := range w.accounts {
		a := &w.accounts[i]
		account := &Account{
			ID: aws.ToString(a.Id), Name: aws.ToString(a.Name), Email: aws.ToString(a.Email), State: state(a),
			Management: aws.ToString(a.Id) == organization.ManagementAccount,
		}
		ou := t.Root
		if w.parents != nil {
			// Listed under no OU: it is on the move; the root is above any place.
			if at := byID[w.parents[account.ID]]; at != nil {
				ou = at
			}
		} else {
			for _, id := range ouChain(*a)[1:] {
				if byID[id] == nil {
					byID[id] = ou.add(id, id)
				}
				ou = byID[id]
			}
		}
		account.OU = ou
		ou.Accounts = append(ou.Accounts, account)
		t.Accounts = append(t.Accounts, account)
	}
	t.sort()
	if w.below != nil {
		t.Partial = []string{}
		for ou := range t.OUs() {
			if w.below.holds(ou) && !w.below.holds(ou.Parent) {
				t.Partial = append(t.Partial, ou.ID)
			}
		}
		slices.Sort(t.Partial)
	}
	return t
}

// state is an account's State. Status, retired on 2026-09-09, says it where
// State is absent.
func state(a *types.Account) string { return cmp.Or(string(a.State), string(a.Status)) }

func (o *OU) add(id, name string) *OU {
	child := &OU{ID: id, Name: name, Path: joinPath(o.Path, name), Parent: o}
	o.Children = append(o.Children, child)
	return child
}

func (t *Tree) sort() {
	byPlace := func(a, b *Account) int {
		return cmp.Or(strings.Compare(a.OUPath(), b.OUPath()), strings.Compare(a.ID, b.ID))
	}
	slices.SortFunc(t.Accounts, byPlace)
	for ou := range t.OUs() {
		slices.SortFunc(ou.Children, byPath)
		slices.SortFunc(ou.Accounts, byPlace)
	}
}

// OUs gives the root and every OU, each before its children.
func (t *Tree) OUs() iter.Seq[*OU] { return func(yield func(*OU) bool) { t.Root.visit(yield) } }

func (o *OU) visit(yield func(*OU) bool) bool {
	if !yield(o) {
		return false
	}
	for _, c := range o.Children {
		if !c.visit(yield) {
			return false
		}
	}
	return true
}

func byPath(a, b *OU) int {
	return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
}
