// Package extras finds what others wrote and this module's tests are held against:
// Python and its packages, the AWS CLI, moto, cfn-lint, Chromium. Only tests import it.
package extras

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// Required says whether a test that lacks an extra has to fail, as in CI, rather than
// to skip, as on a user's machine.
func Required() bool { return os.Getenv("ROLLOUT_REQUIRE_EXTRAS") == "1" }

// Absent ends a test that lacks something; how says what to do for it to run.
func Absent(t testing.TB, what, how string) {
	t.Helper()
	if Required() {
		t.Fatalf("%s; it is required here (%s)", what, how)
	}
	t.Skipf("%s (%s); this check against a third party is skipped", what, how)
}

// browsers are the names that Chromium goes by.
var browsers = []string{"chromium", "chromium-browser", "google-chrome"}

// packages are the PyPI packages that programs come in.
var packages = map[string]string{"aws": "awscli", "cfn-lint": "cfn-lint", "moto_server": "moto"}

// Program finds a program, in a version that fits the one pinned where one is.
func Program(t testing.TB, name string) string {
	t.Helper()
	names := []string{name}
	if name == browsers[0] {
		names = browsers
	}
	for _, n := range names {
		if path, err := exec.LookPath(n); err == nil {
			if distribution := packages[name]; distribution != "" {
				held(t, distribution, versionOf(path, distribution))
			}
			return path
		}
	}
	how := "it is not on the PATH"
	if distribution := packages[name]; distribution != "" {
		how = install(pinned(t, distribution))
	}
	Absent(t, name+" is not installed", how)
	return ""
}

// Python finds python3 with packages, each in a version that fits the one pinned.
func Python(t testing.TB, distributions ...string) string {
	t.Helper()
	python := Program(t, "python3")
	for i, version := range installed(python, distributions) {
		held(t, distributions[i], version)
	}
	return python
}

// Exactly ends a test whose expectations were written with the pinned version of a
// Python package where another one is there.
func Exactly(t testing.TB, python, distribution string) {
	t.Helper()
	if want, have := pinned(t, distribution), installed(python, []string{distribution})[0]; have != want.version {
		Absent(t, fmt.Sprintf("%s %s is wanted and %s is there", want.distribution, want.version, or(have)), install(want))
	}
}

// held ends a test where a package is not there or of a version that does not fit.
func held(t testing.TB, distribution, have string) {
	t.Helper()
	switch want := pinned(t, distribution); {
	case have == "":
		Absent(t, want.distribution+" "+want.version+" is wanted and none is there", install(want))
	case !fits(want.version, have):
		Absent(t, fmt.Sprintf("%s %s or a newer one like it is wanted and %s is there", want.distribution, want.version, have), install(want))
	}
}

func or(version string) string {
	if version == "" {
		return "none"
	}
	return version
}

func install(p pin) string { return "pip install '" + p.text + "'" }

// versionOf is a program's version, "" where it does not tell: by the Python that its
// first line names, else by what it says of itself.
func versionOf(path, distribution string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(text[:min(len(text), 512)]), "\n")
	if words := strings.Fields(strings.TrimPrefix(first, "#!")); strings.HasPrefix(first, "#!") && strings.Contains(first, "python") {
		return installed(words[len(words)-1], []string{distribution})[0]
	}
	out, err := exec.Command(path, "--version").CombinedOutput()
	if err != nil {
		return ""
	}
	return number.FindString(string(out))
}

var number = regexp.MustCompile(`\d+(\.\d+)+`)

// versions says which of the packages named it has, a line each.
const versions = `
import importlib.metadata, sys
for name in sys.argv[1:]:
    try:
        print(importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        print()
`

// installed are the versions of Python packages, "" for one that is not there.
func installed(python string, distributions []string) []string {
	out, _ := exec.Command(python, append([]string{"-c", versions}, distributions...)...).Output()
	lines := strings.Split(string(out), "\n")
	return append(lines, make([]string, len(distributions))...)[:len(distributions)]
}
