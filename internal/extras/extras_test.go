package extras

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// heard is a test that tells how it was ended.
type heard struct {
	testing.TB
	how string
}

func (h *heard) Skipf(format string, a ...any)  { h.end("skipped: ", format, a) }
func (h *heard) Fatalf(format string, a ...any) { h.end("failed: ", format, a) }

func (h *heard) end(how, format string, a []any) {
	h.how = how + fmt.Sprintf(format, a...)
	panic(h)
}

func ending(t *testing.T, test func(testing.TB)) (how string) {
	h := &heard{TB: t}
	defer func() {
		if r := recover(); r != nil && r != any(h) {
			panic(r)
		}
		how = h.how
	}()
	test(h)
	return h.how
}

// A machine is a folder of programs that say what version they are.
func TestWhatIsThere(t *testing.T) {
	programs := t.TempDir()
	put := func(name, script string) {
		if err := os.WriteFile(filepath.Join(programs, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	python := func(version string) string { return "#!/bin/sh\necho " + version + "\n" }
	want := pinned(t, "botocore").version
	t.Setenv("PATH", programs)
	for _, tt := range []struct {
		name     string
		programs map[string]string
		test     func(testing.TB)
		says     string // "" where the test runs
	}{
		{"no python", nil, func(t testing.TB) { Python(t, "botocore") }, "python3 is not installed"},
		{"no botocore", map[string]string{"python3": python("")}, func(t testing.TB) { Python(t, "botocore") }, "botocore " + want + " is wanted and none is there"},
		{"an old botocore", map[string]string{"python3": python("1.1.1")}, func(t testing.TB) { Python(t, "botocore") }, "botocore " + want + " or a newer one like it is wanted and 1.1.1 is there"},
		{"the pinned botocore", map[string]string{"python3": python(want)}, func(t testing.TB) { Python(t, "botocore") }, ""},
		{"a newer botocore", map[string]string{"python3": python("1.999.0")}, func(t testing.TB) { Python(t, "botocore") }, ""},
		{"a newer one where exactly one is meant", map[string]string{"python3": python("1.999.0")}, func(t testing.TB) { Exactly(t, "python3", "botocore") }, "botocore " + want + " is wanted and 1.999.0 is there"},
		{"no AWS CLI", nil, func(t testing.TB) { Program(t, "aws") }, "aws is not installed"},
		{"the other AWS CLI", map[string]string{"aws": "#!/bin/sh\necho aws-cli/2.34.1 Python/3.13.2\n"}, func(t testing.TB) { Program(t, "aws") }, "is wanted and 2.34.1 is there"},
		{"moto says no version, the Python of its script does", map[string]string{"moto_server": "#!" + programs + "/python3\n", "python3": python("4.0.0")}, func(t testing.TB) { Program(t, "moto_server") }, "is wanted and 4.0.0 is there"},
		{"Chromium by another name", map[string]string{"google-chrome": "#!/bin/sh\n"}, func(t testing.TB) { Program(t, "chromium") }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name, script := range tt.programs {
				put(name, script)
				defer os.Remove(filepath.Join(programs, name))
			}
			for required, word := range map[string]string{"": "skipped: ", "1": "failed: "} {
				t.Setenv("ROLLOUT_REQUIRE_EXTRAS", required)
				how := ending(t, tt.test)
				if tt.says == "" && how != "" || tt.says != "" && (!strings.HasPrefix(how, word) || !strings.Contains(how, tt.says)) {
					t.Errorf("with ROLLOUT_REQUIRE_EXTRAS=%s the test ended %q, want %q", required, how, word+tt.says)
				}
			}
		})
	}
}

func TestFits(t *testing.T) {
	for _, tt := range []struct {
		want, have string
		fits       bool
	}{
		{"1.44.8", "1.44.8", true}, {"1.44.8", "1.44.10", true}, {"1.44.8", "1.45", true}, {"1.44.8", "1.44.8.post1", true},
		{"1.44.8", "1.44.7", false}, {"1.44.8", "1.44", false}, {"1.44.8", "1.9.99", false}, {"1.44.8", "2.0.0", false}, {"1.44.8", "", false},
	} {
		if got := fits(tt.want, tt.have); got != tt.fits {
			t.Errorf("%s stands in for %s: %v", tt.have, tt.want, got)
		}
	}
}

func FuzzPins(f *testing.F) {
	f.Add("# why\nmoto[server]==5.2.5\nboto3==1.44.8\n", "1.2.3")
	f.Fuzz(func(t *testing.T, text, have string) {
		for _, p := range readPins(text) {
			if !strings.Contains(text, p.text) || !strings.HasPrefix(p.text, p.distribution) {
				t.Errorf("%+v is not in %q", p, text)
			}
			fits(p.version, have)
		}
	})
}
