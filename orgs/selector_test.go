package orgs

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// plant makes a tree of account paths: "Workloads/Prod/name" or "name" in the
// root; a segment written as in paths, so `A\/B` is one name. Ids count up.
func plant(paths ...string) *Tree {
	t := &Tree{OrganizationID: "o-test000000", ManagementAccount: "000000000001", Root: &OU{ID: "r-test", Name: "Root"}}
	unescape := strings.NewReplacer(`\/`, "/", `\\`, `\`)
	ous := map[string]*OU{"": t.Root}
	for i, path := range paths {
		segments, err := parsePattern(path)
		if err != nil {
			panic(err)
		}
		at := t.Root
		for _, seg := range segments[:len(segments)-1] {
			next := joinPath(at.Path, unescape.Replace(seg))
			if ous[next] == nil {
				ous[next] = at.add(fmt.Sprintf("ou-test-%08d", len(ous)), unescape.Replace(seg))
			}
			at = ous[next]
		}
		id := fmt.Sprintf("%012d", i+1)
		a := &Account{ID: id, Name: segments[len(segments)-1], Email: id + "@example.com", State: "ACTIVE", OU: at, Management: id == t.ManagementAccount}
		at.Accounts = append(at.Accounts, a)
		t.Accounts = append(t.Accounts, a)
	}
	t.sort()
	return t
}

func garden() *Tree {
	t := plant("management", "Workloads/direct", "Workloads/Prod/shop", "Workloads/Prod/EU/shop-eu", "Workloads/Dev/play", "Security/audit", "Sandbox/play",
		`R\/D/lab`, "Odd*/star", "Oddly/plain", "r-team/crew")
	for _, a := range t.Accounts {
		a.Tags = map[string]string{"env": "dev", "team": "one"}
		if strings.HasPrefix(a.OUPath(), "Workloads/Prod") {
			a.Tags = map[string]string{"env": "prod", "note": "a=b"}
		}
	}
	return t
}

func TestSelect(t *testing.T) {
	for _, c := range []struct {
		name string
		s    Selector
		want string // names of the chosen accounts
		ous  string // paths of the covering OUs
	}{
		{"everything", Selector{}, "direct shop shop-eu play audit play lab star plain crew", "/"},
		{"with management", Selector{IncludeManagement: true}, "management direct shop shop-eu play audit play lab star plain crew", "/"},
		{"root id", Selector{OUs: []string{"r-test"}}, "direct shop shop-eu play audit play lab star plain crew", "/"},
		{"an OU and all below", Selector{OUs: []string{"Workloads"}}, "direct shop shop-eu play", "Workloads"},
		{"child OUs", Selector{OUs: []string{"Workloads/*"}}, "shop shop-eu play", "Workloads/Dev Workloads/Prod"},
		{"every OU below", Selector{OUs: []string{"Workloads/**"}}, "shop shop-eu play", "Workloads/Dev Workloads/Prod"},
		{"stars in the middle", Selector{OUs: []string{"**/EU"}}, "shop-eu", "Workloads/Prod/EU"},
		{"stars that are no level", Selector{OUs: []string{"Workloads/**/Prod"}}, "shop shop-eu", "Workloads/Prod"},
		{"braces", Selector{OUs: []string{"{Security,Sandbox}"}}, "audit play", "Sandbox Security"},
		{"one in another", Selector{OUs: []string{"Workloads/Prod/EU", "Workloads"}}, "direct shop shop-eu play", "Workloads"},
		{"exclude an OU", Selector{OUs: []string{"Workloads"}, ExcludeOUs: []string{"Workloads/Prod"}}, "direct play", "Workloads"},
		{"exclude one of the chosen", Selector{OUs: []string{"Workloads/*"}, ExcludeOUs: []string{"Workloads/Prod"}}, "play", "Workloads/Dev"},
		{"account by name", Selector{Accounts: []string{"audit"}}, "audit", "/"},
		{"account by id", Selector{Accounts: []string{"000000000006"}}, "audit", "/"},
		{"accounts by glob", Selector{Accounts: []string{"shop*"}}, "shop shop-eu", "/"},
		{"same names by glob", Selector{Accounts: []string{"pla[y]"}}, "play play", "/"},
		{"accounts within OUs", Selector{OUs: []string{"Workloads"}, Accounts: []string{"shop", "audit"}}, "shop", "Workloads"},
		{"exclude accounts", Selector{OUs: []string{"Workloads"}, ExcludeAccounts: []string{"shop*"}}, "direct play", "Workloads"},
		{"tag", Selector{AccountTags: []string{"env=prod"}}, "shop shop-eu", "/"},
		{"tags all hold", Selector{AccountTags: []string{"env=dev", "team=one"}, OUs: []string{"Security"}}, "audit", "Security"},
		{"tag value with an equals sign", Selector{AccountTags: []string{"note=a=b"}}, "shop shop-eu", "/"},
		{"slash in a name", Selector{OUs: []string{`R\/D`}}, "lab", `R\/D`},
		{"star in a name is that name", Selector{OUs: []string{"Odd*"}}, "star", "Odd*"},
		{"escaped star", Selector{OUs: []string{`Odd\*`}}, "star", "Odd*"},
		{"a name like an id", Selector{OUs: []string{"r-team"}}, "crew", "r-team"},
		{"management is only in when let in", Selector{Accounts: []string{"management"}}, "", "/"},
		{"nothing is left", Selector{OUs: []string{"Security"}, ExcludeOUs: []string{"r-test"}}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := garden()
			got, err := c.s.Select(tree)
			if err != nil {
				t.Fatal(err)
			}
			var names, paths []string
			for i, d := range got.Decisions {
				if d.Reason == "" {
					t.Errorf("no reason for %s", d.Account.Name)
				}
				if d.Account != tree.Accounts[i] {
					t.Errorf("decision %d is not about account %d of the tree", i, i)
				}
				if d.Selected {
					names = append(names, d.Account.Name)
				}
			}
			want := strings.Fields(c.want)
			slices.Sort(names)
			slices.Sort(want)
			if !slices.Equal(names, want) {
				t.Errorf("chosen %v, want %v", names, want)
			}
			for _, ou := range got.OUs {
				paths = append(paths, cmpOr(ou.Path, "/"))
			}
			if strings.Join(paths, " ") != c.ous {
				t.Errorf("OUs %v, want %s", paths, c.ous)
			}
			for _, d := range got.Decisions { // what is chosen is covered
				if d.Selected && !slices.ContainsFunc(got.OUs, d.Account.OU.Under) {
					t.Errorf("%s is chosen and in none of %v", d.Account.Name, paths)
				}
			}
		})
	}
}

func cmpOr(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func TestReasons(t *testing.T) {
	s := Selector{OUs: []string{"Workloads/*", "Security"}, ExcludeOUs: []string{"Workloads/Prod/EU"}, ExcludeAccounts: []string{"pl*"}}
	got, err := s.Select(garden())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"management": "not under --ou Workloads/*, Security",
		"direct":     "not under --ou Workloads/*, Security",
		"shop":       "under OU Workloads/Prod (--ou Workloads/*)",
		"shop-eu":    "under --exclude-ou Workloads/Prod/EU",
		"audit":      "under OU Security",
	}
	for _, d := range got.Decisions {
		if w, ok := want[d.Account.Name]; ok && d.Reason != w {
			t.Errorf("%s: %q, want %q", d.Account.Name, d.Reason, w)
		}
	}
	got, err = Selector{IncludeManagement: true, Accounts: []string{"m*"}, AccountTags: []string{"team=one"}}.Select(garden())
	if err != nil {
		t.Fatal(err)
	}
	if d := got.Decisions[0]; d.Reason != "named by --account m*, tagged team=one, management account (--include-management)" {
		t.Errorf("%q", d.Reason)
	}
	if d := got.Decisions[1]; d.Selected || !strings.HasPrefix(d.Reason, "not named by --account") {
		t.Errorf("%+v", d)
	}
}

func TestSelectErrors(t *testing.T) {
	for _, c := range []struct {
		s    Selector
		want string
	}{
		{Selector{OUs: []string{"workloads"}}, "--ou workloads: no such OU in organization o-test000000 (paths start below the root and are case-sensitive); did you mean Workloads?"},
		{Selector{OUs: []string{"Prod"}}, "did you mean Workloads/Prod?"},
		{Selector{OUs: []string{"Nope/*"}}, `--ou "Nope/*" matches none of the`},
		{Selector{OUs: []string{""}}, "--ou is empty"},
		{Selector{OUs: []string{"/Workloads"}}, "has an empty name in it"},
		{Selector{OUs: []string{"Work[loads"}}, "not a well-formed glob"},
		{Selector{OUs: []string{"ou-TEST"}}, "is not well-formed: an OU's id is like"},
		{Selector{OUs: []string{"ou-none-00000000"}}, "ou-none-00000000 is not in organization o-test000000"},
		{Selector{OUs: []string{"r-none"}}, "whose root is r-test"},
		{Selector{ExcludeOUs: []string{"Sanbox"}}, "--exclude-ou Sanbox: no such OU"},
		{Selector{Accounts: []string{"play"}}, `--account "play" is the name of 2 accounts (000000000005, 000000000007); name them by id`},
		{Selector{ExcludeAccounts: []string{"play"}}, `--exclude-account "play" is the name of 2 accounts`},
		{Selector{Accounts: []string{"adit"}}, "did you mean audit?"},
		{Selector{Accounts: []string{"999999999999"}}, "--account 999999999999 is no account of organization"},
		{Selector{Accounts: []string{"12345"}}, "has 12 digits, this has 5"},
		{Selector{Accounts: []string{"zz*"}}, "matches the name of none of the 11 accounts"},
		{Selector{Accounts: []string{"[zz"}}, "not a well-formed glob"},
		{Selector{Accounts: []string{""}}, "--account is empty"},
		{Selector{ExcludeAccounts: []string{"nobody*"}}, "--exclude-account"},
		{Selector{AccountTags: []string{"env"}}, `--account-tag "env" is not key=value`},
		{Selector{AccountTags: []string{"=x"}}, "is not key=value"},
		{Selector{AccountTags: []string{"env=test"}}, "no account has that tag; the values of env are dev, prod"},
		{Selector{AccountTags: []string{"env=dev", "env=prod"}}, "exclude each other"},
	} {
		_, err := c.s.Select(garden())
		var typed *SelectionError
		if !errors.As(err, &typed) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: %v, want %q", c.s, err, c.want)
		}
	}
}

func TestBelow(t *testing.T) {
	if got := (Selector{Accounts: []string{"a"}, ExcludeOUs: []string{"B"}}).Below(); got != nil {
		t.Errorf("without OUs: %v", got)
	}
	if got := (Selector{OUs: []string{"A"}, ExcludeOUs: []string{"B"}}).Below(); !slices.Equal(got, []string{"A", "B"}) {
		t.Errorf("with OUs: %v", got)
	}
	if !(Selector{ExcludeOUs: []string{"A"}}).Empty() || (Selector{AccountTags: []string{"a=b"}}).Empty() {
		t.Error("Empty")
	}
}

func FuzzPattern(f *testing.F) {
	for _, s := range []string{"Workloads/Prod", "A/*", "A/**", `R\/D`, "{a,b}/[c-d]", "**", `\`, "a//b", "[", "**/**/**/x"} {
		f.Add(s, "Workloads", "Prod")
	}
	f.Fuzz(func(t *testing.T, s, first, second string) {
		if len(s) > 64 || len(first)+len(second) > 64 {
			return
		}
		p, err := parsePattern(s)
		if err == nil {
			if p.match([]string{first, second}) && !p.leadsTo([]string{first}) {
				t.Errorf("%q means %q/%q and is not looked for below %q", s, first, second, first)
			}
		}
		// The path of any OU names it.
		if first != "" && second != "" {
			tree := &Tree{Root: &OU{ID: "r-fuzz"}}
			ou := tree.Root.add("ou-fuzz-00000000", first).add("ou-fuzz-00000001", second)
			if got, err := newResolver(tree).ou(ou.Path); err != nil || len(got) != 1 || got[0] != ou {
				t.Errorf("path %q: %v, %v", ou.Path, got, err)
			}
		}
	})
}

func FuzzTag(f *testing.F) {
	f.Add("key=value")
	f.Add("=")
	f.Fuzz(func(t *testing.T, s string) {
		if key, value, err := parseTag(s); err == nil && (key == "" || key+"="+value != s) {
			t.Errorf("%q is %q and %q", s, key, value)
		}
	})
}

func FuzzAccountWord(f *testing.F) {
	for _, s := range []string{"shop*", "[", "000000000001", "", "{a,b", `\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if found, err := newResolver(garden()).account(s); err == nil && len(found) == 0 {
			t.Errorf("%q matches nothing and is no error", s)
		}
	})
}

func BenchmarkSelect10000(b *testing.B) {
	var paths []string
	for i := range 10_000 {
		paths = append(paths, fmt.Sprintf("Workloads/Unit%03d/Team%d/account-%05d", i%200, i%5, i))
	}
	tree := plant(paths...)
	s := Selector{OUs: []string{"Workloads/Unit0*"}, ExcludeOUs: []string{"Workloads/*/Team3"}, ExcludeAccounts: []string{"account-*7"}}
	for b.Loop() {
		if _, err := s.Select(tree); err != nil {
			b.Fatal(err)
		}
	}
}
