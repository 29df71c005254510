package orgs

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// drawn is a tree with what is hard to draw in it.
func drawn() *Tree {
	t := garden()
	for _, a := range t.Accounts {
		if a.Name == "play" && a.OUPath() == "Sandbox" {
			a.State = "SUSPENDED"
		}
		if a.Name == "lab" {
			a.Name = `"]; click n1 <script> #35; 研究室` + "\x1b[31m\u202e"
		}
	}
	t.Root.add("ou-test-99999999", "Empty")
	t.sort()
	return t
}

func TestRender(t *testing.T) {
	tree := drawn()
	selection, err := Selector{OUs: []string{"Workloads", "Sandbox"}, ExcludeOUs: []string{"Workloads/Dev"}}.Select(tree)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file      string
		decisions []Decision
	}{{"tree", nil}, {"chosen", selection.Decisions}} {
		data, err := json.MarshalIndent(tree.JSON(c.decisions), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, c.file+".json", append(data, '\n'))
		var text bytes.Buffer
		if err := tree.WriteText(&text, c.decisions, nil); err != nil {
			t.Fatal(err)
		}
		golden(t, c.file+".txt", text.Bytes())
	}
	var mermaid bytes.Buffer
	if err := tree.WriteMermaid(&mermaid); err != nil {
		t.Fatal(err)
	}
	golden(t, "tree.mmd", mermaid.Bytes())
}

// Without accounts and OUs there are empty arrays, never null.
func TestJSONHasNoNull(t *testing.T) {
	data, err := json.Marshal((&Tree{OrganizationID: "o-test000000", ManagementAccount: "000000000001", Root: &OU{ID: "r-test", Name: "Root"}}).JSON(nil))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"organization_id":"o-test000000","management_account_id":"000000000001","root":{"id":"r-test","name":"Root","organizational_units":[],"accounts":[]}}`
	if string(data) != want {
		t.Errorf("%s, want %s", data, want)
	}
}

func TestTextIsColoredOnlyByPaint(t *testing.T) {
	var plain, painted bytes.Buffer
	if err := drawn().WriteText(&plain, nil, nil); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(plain.String(), "\x1b\u202e") {
		t.Errorf("a name moves the terminal:\n%q", plain.String())
	}
	if err := drawn().WriteText(&painted, nil, func(kind, text string) string { return "<" + kind + ">" + text + "</>" }); err != nil {
		t.Fatal(err)
	}
	if got := regexp.MustCompile(`<(ou|dim|warn)>|</>`).ReplaceAllString(painted.String(), ""); got != plain.String() {
		t.Errorf("painted text reads otherwise:\n%s", got)
	}
}

// Every line of a flowchart is a node or an edge between plain ids, and labels
// hold nothing that Mermaid or HTML would read as syntax.
func TestMermaidIsSafe(t *testing.T) {
	var out bytes.Buffer
	if err := drawn().WriteMermaid(&out); err != nil {
		t.Fatal(err)
	}
	label := `"(?:[\pL\pN ._@-]|#\d+;|<br/>)*"`
	line := regexp.MustCompile(`^  \w+(?: --> \w+|\[` + label + `\]|\(\[` + label + `\]\))$`)
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if lines[0] != "flowchart TD" {
		t.Errorf("begins with %q", lines[0])
	}
	for _, l := range lines[1:] {
		if !line.MatchString(l) {
			t.Errorf("%q", l)
		}
	}
}

type full struct{}

var errFull = errors.New("disk full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestRenderSaysWriteErrors(t *testing.T) {
	if err := drawn().WriteText(full{}, nil, nil); !errors.Is(err, errFull) {
		t.Errorf("text: %v", err)
	}
	if err := drawn().WriteMermaid(full{}); !errors.Is(err, errFull) {
		t.Errorf("mermaid: %v", err)
	}
}
