package stackset

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"rollout/orgs"
)

// Every kind is used by the code, is in order and says what to do; every code that the
// code names is a kind.
func TestKindsOfFindings(t *testing.T) {
	form := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	if !slices.IsSortedFunc(kinds, func(a, b Kind) int { return strings.Compare(a.Code, b.Code) }) {
		t.Error("not sorted by code")
	}
	known := map[string]bool{}
	for _, k := range kinds {
		if known[k.Code] || !form.MatchString(k.Code) || !slices.Contains(severities, k.Severity) || !strings.HasSuffix(k.Meaning, ".") || !strings.HasSuffix(k.Remedy, ".") || strings.ContainsAny(k.Meaning+k.Remedy, "|\n") {
			t.Errorf("%+v", k)
		}
		known[k.Code] = true
	}
	named := regexp.MustCompile(`(?:Code: |code: |skip\(|return )"([a-z-]+)"`)
	used := map[string]bool{}
	for _, pattern := range []string{"*.go", "../cmd/rollout/*.go", "../internal/*/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range named.FindAllStringSubmatch(string(text), -1) {
				used[m[1]] = true
				if !known[m[1]] && strings.Contains(m[0], "Finding{Code") || !known[m[1]] && strings.HasPrefix(m[0], "skip(") && !strings.HasPrefix(file, "..") {
					t.Errorf("%s: finding %s is not listed", file, m[1])
				}
			}
		}
	}
	for code := range known {
		if !used[code] {
			t.Errorf("nothing finds %s", code)
		}
	}
}

// The same thing in many places is one finding, whose text names the first few.
func TestFindingsAreGrouped(t *testing.T) {
	place := func(n int, region string) Place {
		return In(&orgs.Account{ID: fmt.Sprintf("%012d", n), Name: fmt.Sprint("a", n)}, region)
	}
	stopped := func(at Place) Finding {
		return Finding{Code: "recorder-stopped", StackSet: "s", Text: "The recorder of {places} is stopped: role " + at.AccountID + ".", Remedy: "Ask " + at.AccountID + " in " + at.Region + "."}
	}
	for _, test := range []struct {
		name         string
		places       []Place
		text, remedy string
		account      string
		region       string
	}{
		{"one", []Place{place(1, home)}, "The recorder of account 000000000001 (a1) in us-east-1 is stopped: role 000000000001.", "Ask 000000000001 in us-east-1.", "000000000001", home},
		{"one account", []Place{place(1, other), place(1, home), place(1, home)}, "The recorder of account 000000000001 (a1) in eu-west-1, us-east-1 is stopped: role 000000000001.", "Ask 000000000001 in (Region).", "000000000001", ""},
		{"one Region", []Place{place(4, home), place(2, home), place(3, home), place(1, home)},
			"The recorder of 4 accounts (000000000001 (a1); 000000000002 (a2); 000000000003 (a3); and 1 more) in us-east-1 is stopped: role (account).", "Ask (account) in us-east-1.", "", home},
		{"here and there", []Place{place(1, home), place(2, other)}, "The recorder of 2 accounts (000000000001 (a1) in us-east-1; 000000000002 (a2) in eu-west-1) is stopped: role (account).", "Ask (account) in (Region).", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var plan Plan
			for _, at := range test.places {
				plan.Find(stopped(at), at) // adds to what is said already
			}
			if len(plan.Findings) != 1 {
				t.Fatalf("%+v", plan.Findings)
			}
			got := plan.Findings[0]
			want := Finding{Severity: SeverityWarning, Code: "recorder-stopped", StackSet: "s", AccountID: test.account, Region: test.region, Text: test.text, Remedy: test.remedy}
			got.StackSets, got.Places, got.form, got.remedyForm = nil, nil, "", ""
			if diff := gocmp.Diff(want, got, gocmp.AllowUnexported(Finding{})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			n := 0
			for _, p := range plan.Findings[0].json().Places {
				n += len(p.Regions)
			}
			if distinct := len(slices.Compact(slices.SortedFunc(slices.Values(test.places), func(a, b Place) int { return a.Target.Compare(b.Target) }))); n != distinct {
				t.Errorf("%d places in JSON, want %d", n, distinct)
			}
		})
	}
}

// explained holds for every plan: what is skipped is in an error finding of its place,
// and each finding says what to do.
func explained(t *testing.T, p *Plan) {
	t.Helper()
	found := map[key]bool{}
	for _, f := range p.Findings {
		if f.Remedy == "" || f.Severity == "" || slices.ContainsFunc([]string{inPlaces, ofSets, theirs, theRegion}, func(word string) bool { return strings.Contains(f.Text+f.Remedy, word) }) {
			t.Errorf("finding %+v", f)
		}
		if f.Severity != SeverityError && f.Code != "account-unreached" && f.Code != "instance-stays" {
			continue
		}
		for _, s := range f.StackSets {
			for _, at := range f.Places {
				found[key{s, at.Target}] = true
			}
		}
	}
	for _, c := range p.Changes {
		if c.Action == Skip && !found[key{c.StackSet, c.Target}] {
			t.Errorf("nothing found of the skip %s %s %s: %s", c.StackSet, c.AccountID, c.Region, c.Reason)
		}
	}
}
