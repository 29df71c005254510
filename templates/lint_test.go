package templates

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// accepted are the findings on embedded templates that are right as they are, by
// template and code, with why.
var accepted = map[string]string{}

// What the checks say to others they say to us.
func TestEmbeddedTemplatesAreClean(t *testing.T) {
	used := map[string]bool{}
	for _, template := range All() {
		for _, f := range template.Lint() {
			if f.Code == "RL120" && template.Scope != ScopeRegional {
				continue // there is no second Region
			}
			key := template.Name + " " + f.Code
			if _, ok := accepted[key]; ok {
				used[key] = true
				continue
			}
			if f.Severity != SeverityNote {
				t.Errorf("%s.yaml:%s", template.Name, f)
			} else {
				t.Logf("%s.yaml:%s", template.Name, f)
			}
		}
	}
	for key, why := range accepted {
		if !used[key] {
			t.Errorf("%s is accepted (%s) and not found", key, why)
		}
	}
}

func TestChecksHaveCodesOfTheirOwn(t *testing.T) {
	var codes []string
	for _, c := range Checks() {
		codes = append(codes, c.Code)
		if c.Title == "" || c.Remedy == "" || c.Severity == "" {
			t.Errorf("%s says too little", c.Code)
		}
	}
	if !slices.IsSorted(codes) || len(slices.Compact(slices.Clone(codes))) != len(codes) {
		t.Errorf("codes %v", codes)
	}
}

// What is found in the templates of testdata/lint stands beside each.
func TestLintGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/lint/*.[yj]*")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		base := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		var got strings.Builder
		for _, f := range Lint(base, body) {
			fmt.Fprintln(&got, f)
			found[f.Code] = true
		}
		golden := "testdata/lint/" + base + ".findings"
		if *update {
			if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
	// What needs a large text is in TestLintSizes.
	for _, c := range Checks() {
		if !found[c.Code] && !slices.Contains([]string{"RL002", "RL003", "RL004"}, c.Code) {
			t.Errorf("no template of testdata/lint has %s: %s", c.Code, c.Title)
		}
	}
}
