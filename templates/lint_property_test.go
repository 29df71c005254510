package templates

import (
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLintSizes(t *testing.T) {
	var many strings.Builder
	many.WriteString("Resources:\n")
	for i := range maxResources + 1 {
		fmt.Fprintf(&many, "  T%d: {Type: AWS::SNS::Topic}\n", i)
	}
	var wide strings.Builder
	wide.WriteString("Mappings:\n  M:\n    k:\n")
	for i := range maxMappingAttributes + 1 {
		fmt.Fprintf(&wide, "      a%d: b\n", i)
	}
	const one = "Resources: {A: {Type: AWS::SNS::Topic}}\n"
	for name, test := range map[string]struct {
		body string
		want []string
	}{
		"just fits":        {one + strings.Repeat("#", maxBody-len(one)), []string{"RL003"}},
		"a byte too large": {one + strings.Repeat("#", maxBody-len(one)+1), []string{"RL002"}},
		"not near":         {one + strings.Repeat("#", nearBody-len(one)), nil},
		"far too large":    {one + strings.Repeat("#", maxDocument), []string{"RL002"}},
		"many resources":   {many.String(), []string{"RL004"}},
		"wide mapping":     {wide.String() + one, []string{"RL013", "RL004"}},
		"long description": {"Description: " + strings.Repeat("x", maxDescription+1) + "\n" + one, []string{"RL004"}},
		"long enough":      {"Description: " + strings.Repeat("x", maxDescription) + "\n" + one, nil},
	} {
		var got []string
		for _, f := range Lint("", []byte(test.body)) {
			got = append(got, f.Code)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// A template may say that a check is wrong about it, and only about it.
func TestLintIgnores(t *testing.T) {
	const body = "Resources:\n  R:\n    Type: AWS::IAM::ServiceLinkedRole\n    DeletionPolicy: Retain\n    Properties: {AWSServiceName: x.amazonaws.com}\n"
	codes := func(body string) (all []string) {
		for _, f := range Lint("", []byte(body)) {
			all = append(all, f.Code)
		}
		return all
	}
	if got := codes(body); !slices.Equal(got, []string{"RL122", "RL110"}) {
		t.Errorf("without: %v", got)
	}
	if got := codes("Metadata: {rollout: {lint: {ignore: {RL122: it is new in every account}}}}\n" + body); !slices.Equal(got, []string{"RL110"}) {
		t.Errorf("with: %v", got)
	}
}

// What stands in a template decides what is found, not how it is laid out: comments
// and empty lines move findings down and change nothing else.
func TestLintFollowsLines(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	var files []string
	for _, pattern := range []string{"testdata/lint/*.yaml", "catalog/*.yaml"} {
		more, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, more...)
	}
	for _, file := range files {
		if strings.HasSuffix(file, ".about.yaml") || strings.HasSuffix(file, "syntax.yaml") { // no template; no lines of its own
			continue
		}
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		before := Lint("x", body)
		for range 20 {
			text, moved := padded(random, string(body))
			want := slices.Clone(before)
			for i := range want {
				want[i].Line = moved[want[i].Line]
				// The line of the first of two is in the message.
				if _, line, found := strings.Cut(want[i].Message, "already there, in line "); found {
					var n int
					if _, err := fmt.Sscan(line, &n); err != nil {
						t.Fatal(err)
					}
					want[i].Message = strings.Replace(want[i].Message, "in line "+line, fmt.Sprintf("in line %d", moved[n]), 1)
				}
			}
			got := Lint("x", []byte(text))
			got = slices.DeleteFunc(got, func(f Finding) bool { return f.Code == "RL003" })
			want = slices.DeleteFunc(want, func(f Finding) bool { return f.Code == "RL003" })
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s with\n%s\n(-want +got):\n%s", file, text, diff)
			}
		}
	}
}

// padded puts comments and empty lines where they mean nothing, which is outside of
// block scalars, and says where each line went.
func padded(random *rand.Rand, body string) (string, map[int]int) {
	var out []string
	moved := map[int]int{}
	block := -1 // the indentation of the line that began a block scalar
	for i, line := range strings.Split(body, "\n") {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		blank := strings.TrimSpace(line) == ""
		if block >= 0 && !blank && indent <= block {
			block = -1
		}
		if block < 0 && !blank {
			for range random.Intn(3) {
				out = append(out, []string{"", "# a comment: {with, [signs]}", strings.Repeat(" ", indent) + "# another"}[random.Intn(3)])
			}
		}
		out = append(out, line)
		moved[i+1] = len(out)
		trimmed := strings.TrimSpace(line)
		if block < 0 && (strings.HasSuffix(trimmed, "|") || strings.HasSuffix(trimmed, "|-") || strings.HasSuffix(trimmed, ">-") || strings.HasSuffix(trimmed, ">")) {
			block = indent
		}
	}
	return strings.Join(out, "\n"), moved
}

// No text makes it fall over, and what it says has a place in the text.
func FuzzLint(f *testing.F) {
	files, err := filepath.Glob("testdata/lint/*.[yj]*")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	for _, template := range All() {
		f.Add(template.Body())
	}
	for _, body := range []string{"", "a", "[]", "{}", "Resources: []", "Resources: {A: }", "Resources: {A: {Type: AWS::SSM::Document, Properties: {Content: '{'}}}",
		"Resources: {A: {Type: AWS::Config::ConfigRule, Properties: {Source: {Owner: AWS, SourceIdentifier: !If [a, b, c]}}}}"} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		lines := strings.Count(string(body), "\n") + strings.Count(string(body), "\r") + strings.Count(string(body), "\u0085") +
			strings.Count(string(body), "\u2028") + strings.Count(string(body), "\u2029") + 1
		found := Lint("x", body)
		broken := false
		for _, f := range found {
			if f.Line < 0 || f.Line > lines+1 || f.Column < 0 || f.Message == "" || strings.Contains(f.Message, "\n") {
				t.Errorf("%q: %+v", body, f)
			}
			broken = broken || f.Severity == SeverityError
		}
		if d, err := Parse(body); err == nil && len(body) <= maxBody && d.Transform != nil && !broken {
			t.Errorf("%q has a Transform, and nothing is said", body)
		} else if err != nil && !broken {
			t.Errorf("%q: %v, and nothing is said", body, err)
		}
	})
}
