package main

import (
	"slices"
	"strings"
	"testing"
)

func TestArrange(t *testing.T) {
	app := newApp(streams{})
	for _, test := range []struct{ in, want string }{
		{"rollout", "rollout"},
		{"rollout --ou A --region R", "rollout --ou A --region R"},
		{"rollout --sim tree", "rollout tree --sim"},
		{"rollout --ou A plan --region R", "rollout plan --ou A --region R"},
		{"rollout --ou=plan --yes", "rollout --ou=plan --yes"},
		{"rollout --ou plan --yes", "rollout --ou plan --yes"},
		{"rollout templates show x --output json", "rollout templates show --output json -- x"},
		{"rollout templates --output json show x", "rollout templates show --output json -- x"},
		{"rollout plan -- --odd", "rollout plan -- --odd"},
		{"rollout -y --ou A deploy", "rollout deploy -y --ou A"},
	} {
		got, err := arrange(app, strings.Fields(test.in))
		if err != nil || strings.Join(got, " ") != test.want {
			t.Errorf("%s: %q %v, want %q", test.in, strings.Join(got, " "), err, test.want)
		}
	}
	for in, want := range map[string]string{
		"rollout plann --sim": `did you mean "plan"`, "rollout --sim delpoy": `did you mean "deploy"`, "rollout templates lst": `did you mean "list"`, "rollout xyz": "there are:",
	} {
		if _, err := arrange(app, strings.Fields(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", in, err)
		}
	}
}

// No word of a command line is lost or made up.
func FuzzArrange(f *testing.F) {
	f.Add("rollout --ou A plan --region R")
	f.Add("rollout templates show -- --x")
	f.Add("rollout -- -- a")
	f.Fuzz(func(t *testing.T, line string) {
		in := append([]string{"rollout"}, strings.Fields(line)...)
		out, err := arrange(newApp(streams{}), in)
		if err != nil {
			return
		}
		keep := func(words []string) []string {
			words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "--" })
			slices.Sort(words)
			return words
		}
		if !slices.Equal(keep(in), keep(out)) {
			t.Errorf("%q became %q", in, out)
		}
	})
}

func FuzzOptionValues(f *testing.F) {
	f.Add("60x", "10%")
	f.Add("-1", "101%")
	f.Add("1e309", "0x1")
	f.Fuzz(func(t *testing.T, speed, share string) {
		if got, err := parseSpeed(speed); err == nil && !(got > 0 && got <= 1e6) {
			t.Errorf("--speed %q gives %v", speed, got)
		}
		if err := checkShare("max-concurrent", share, true); err == nil && (strings.HasPrefix(share, "-") || share == "0" || share == "0%") {
			t.Errorf("--max-concurrent %q is taken", share)
		}
	})
}
