package stackset

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rollout/orgs"
)

// docs/users-cases.md says of each failure that users of other tools report which test
// holds that it does not happen here: every one that it names has to be there.
func TestPageOfUsersCases(t *testing.T) {
	page, err := os.ReadFile("../docs/users-cases.md")
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	for _, pattern := range []string{"*_test.go", "../cmd/rollout/*_test.go", "../reports/*_test.go", "../orgs/*_test.go", "../templates/*_test.go", "../internal/*/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			tests.Write(text)
		}
	}
	named := regexp.MustCompile("`(Test[A-Za-z0-9]+|[a-z_]+\\.txtar)`").FindAllStringSubmatch(string(page), -1)
	if len(named) < 30 {
		t.Errorf("the page names %d tests", len(named))
	}
	for _, n := range named {
		if script, is := strings.CutSuffix(n[1], ".txtar"); is {
			if _, err := os.Stat("../cmd/rollout/testdata/script/" + script + ".txtar"); err != nil {
				t.Errorf("there is no script %s", n[1])
			}
		} else if !strings.Contains(tests.String(), "func "+n[1]+"(t *testing.T)") {
			t.Errorf("there is no %s", n[1])
		}
	}
}

// planned is the plan of a run, with preflight.
func (s *site) planned(accounts []*orgs.Account, ous ...string) *Plan {
	s.t.Helper()
	s.d.Accounts, s.d.OUs = accounts, ous
	p, err := Prepare(s.t.Context(), s.session, PrepareInput{Desired: s.d}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// What users of other tools met, by the number in the page.
func TestUsersCases(t *testing.T) {
	const rules = "rollout-default-security-group"
	root := func(s *site) string { return s.tree.Root.ID }
	for name, hold := range map[string]func(t *testing.T, s *site){
		"6: an OU is added to a set that is there": func(t *testing.T, s *site) {
			all := s.d.Accounts
			first, second := all[0], all[1]
			s.apply(t.Context(), s.planned([]*orgs.Account{first}, first.OU.ID))
			before := s.instances(rules)
			p := s.planned([]*orgs.Account{first, second}, first.OU.ID, second.OU.ID)
			wantTally(t, s.apply(t.Context(), p), map[string]int{"recording-base create SUCCEEDED": 1, "recording create SUCCEEDED": 2, "default-security-group create SUCCEEDED": 2})
			for place, was := range before {
				if now := s.instances(rules)[place]; now.StackID != was.StackID {
					t.Errorf("%v was made anew", place)
				}
			}
		},
		"8: two selections of one set leave each other alone": func(t *testing.T, s *site) {
			all := s.d.Accounts
			s.apply(t.Context(), s.planned(all[:1], root(s)))
			s.apply(t.Context(), s.planned(all[1:], root(s)))
			for _, selection := range [][]*orgs.Account{all[:1], all[1:]} {
				if p := s.planned(selection, root(s)); p.Pending() {
					t.Errorf("a plan again has changes: %+v", p.Changes)
				}
			}
		},
		"10: an OU without accounts": func(t *testing.T, s *site) {
			p := s.planned(nil, root(s))
			if p.Pending() || len(p.Steps(ApplyOptions{})) > 0 {
				t.Errorf("changes %+v", p.Changes)
			}
		},
		"13: an account that is added later": func(t *testing.T, s *site) {
			all := s.d.Accounts
			s.apply(t.Context(), s.planned(all[:2], root(s)))
			s.apply(t.Context(), s.planned(all, root(s)))
			if n := len(s.instances(rules)); n != 2*len(all) {
				t.Errorf("%d instances", n)
			}
		},
		"14: a set that is as it should be": func(t *testing.T, s *site) {
			all := s.d.Accounts
			s.apply(t.Context(), s.planned(all, root(s)))
			before := s.writes()
			result := s.apply(t.Context(), s.planned(all, root(s)))
			if len(result.Operations) > 0 || len(result.Outcomes) > 0 {
				t.Errorf("operations %+v", result.Operations)
			}
			for call, n := range s.writes() {
				if n != before[call] {
					t.Errorf("%d calls of %s", n-before[call], call)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) { inSim(t, 3, hold) })
	}
}
