package stackset

import "testing"

func FuzzRuleParameters(f *testing.F) {
	for _, s := range []string{"", "{}", `{"a":"b"}`, `{"a":1,"b":[1,{"c":null}]}`, "nul", `{"a":1e999}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		out, err := ruleParameters(text)
		if err == nil && out == nil {
			t.Error("neither parameters nor an error")
		}
		for name, value := range out {
			if value == "" && text != "" {
				t.Errorf("%q: parameter %q is empty", text, name)
			}
		}
	})
}
