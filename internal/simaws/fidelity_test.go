package simaws

import "testing"

// Every call that is served has a line in FIDELITY.md, and every line about a call
// is about one that is served.
func TestFidelityListsEveryCall(t *testing.T) {
	lines, err := Fidelity()
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, l := range lines {
		if listed[l.ID] {
			t.Errorf("%s is there twice", l.ID)
		}
		listed[l.ID] = true
	}
	served := map[string]bool{}
	for name, svc := range services {
		for action := range svc.ops {
			served[name+":"+action] = true
			if !listed[name+":"+action] {
				t.Errorf("%s:%s is served and FIDELITY.md has no line for it", name, action)
			}
		}
	}
	for _, l := range lines {
		if l.IsCall() && !served[l.ID] {
			t.Errorf("%s has a line and is not served", l.ID)
		}
	}
}
