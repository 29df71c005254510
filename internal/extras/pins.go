package extras

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// pin is a line of .ci/requirements.txt: moto[server]==5.2.5.
type pin struct{ text, distribution, version string }

// pinned finds what CI installs of a package.
func pinned(t testing.TB, distribution string) pin {
	t.Helper()
	for _, p := range pins(t) {
		if p.distribution == distribution {
			return p
		}
	}
	t.Fatalf(".ci/requirements.txt pins no version of %s", distribution)
	return pin{}
}

// pins reads .ci/requirements.txt, which is beside the go.mod above a test's folder.
func pins(t testing.TB) []pin {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above this test's folder")
		}
		dir = filepath.Dir(dir)
	}
	text, err := os.ReadFile(filepath.Join(dir, ".ci", "requirements.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return readPins(string(text))
}

func readPins(text string) []pin {
	var list []pin
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		name, version, ok := strings.Cut(line, "==")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		name, _, _ = strings.Cut(name, "[")
		list = append(list, pin{line, name, version})
	}
	return list
}

// fits says whether a version can stand in for the one wanted: an older one lacks
// what is tested, another major one is another program (AWS CLI 1 and 2).
func fits(want, have string) bool {
	w, h := strings.Split(want, "."), strings.Split(have, ".")
	if w[0] != h[0] {
		return false
	}
	for i := range w {
		a, _ := strconv.Atoi(w[i])
		b := 0
		if i < len(h) {
			b, _ = strconv.Atoi(h[i])
		}
		if a != b {
			return b > a
		}
	}
	return true
}
