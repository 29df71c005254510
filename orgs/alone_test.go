package orgs

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"rollout/internal/simaws"
)

// One account by its id stands where a walk of the whole organization has it, after a
// call for it and one for each OU above it.
func TestAloneAgreesWithTheWalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simaws.New(simaws.Options{Accounts: 300})
		api := NewClient(session(t, s).Own(""))
		o, err := Describe(t.Context(), api)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := Walk(t.Context(), api, WalkOptions{Organization: &o}, nil)
		if err != nil {
			t.Fatal(err)
		}
		depths := map[int]bool{}
		for _, a := range whole.Accounts {
			depth := strings.Count(a.OUPath(), "/")
			if a.OU.Parent == nil {
				depth = -1
			}
			if depths[depth] {
				continue
			}
			depths[depth] = true
			before := s.Stats().Calls
			tree, err := Alone(t.Context(), api, o, o.ManagementAccount, a.ID)
			if err != nil || len(tree.Accounts) != 1 {
				t.Fatalf("%s: %v %v", a.ID, tree, err)
			}
			got := tree.Accounts[0]
			if got.Name != a.Name || got.Email != a.Email || got.State != a.State || got.OUPath() != a.OUPath() || got.OU.ID != a.OU.ID || got.Management != a.Management || tree.Root.ID != whole.Root.ID {
				t.Errorf("%+v\nwant %+v", got, a)
			}
			after := s.Stats().Calls
			if n := after["organizations:DescribeOrganizationalUnit"] - before["organizations:DescribeOrganizationalUnit"]; n != depth+1 || after["organizations:DescribeAccount"]-before["organizations:DescribeAccount"] != 1 {
				t.Errorf("%s: %d OUs described for %q", a.ID, n, a.OUPath())
			}
		}
		if len(depths) < 3 {
			t.Errorf("accounts of %d depths only", len(depths))
		}
		var selection *SelectionError
		if _, err := Alone(t.Context(), api, o, o.ManagementAccount, "000000000000"); !errors.As(err, &selection) || !strings.Contains(err.Error(), "is no account of organization "+o.ID) {
			t.Errorf("an unknown id: %v", err)
		}
	})
}

// Where Organizations gives no paths, a walk has to.
func TestAloneKnowsNothingWithoutPaths(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simaws.New(simaws.Options{NoPaths: true})
		api := NewClient(session(t, s).Own(""))
		o, err := Describe(t.Context(), api)
		if err != nil {
			t.Fatal(err)
		}
		if tree, err := Alone(t.Context(), api, o, "", s.Accounts()[3].ID); tree != nil || err != nil {
			t.Errorf("%v %v", tree, err)
		}
	})
}

func TestFind(t *testing.T) {
	tree, _, _ := walked(t, simaws.Options{}, WalkOptions{})
	a := tree.Accounts[5]
	for _, word := range []string{a.ID, a.Name} {
		if got, err := tree.Find(word); got != a || err != nil {
			t.Errorf("%s: %v %v", word, got, err)
		}
	}
	for word, want := range map[string]string{
		"":             "is empty",
		"*":            "name one",
		a.Name + "x":   "did you mean " + a.Name,
		"12345":        "12 digits",
		"000000000000": "is no account of organization",
		"nothing-*":    "matches the name of none",
	} {
		var selection *SelectionError
		if _, err := tree.Find(word); !errors.As(err, &selection) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", word, err, want)
		}
	}
}
