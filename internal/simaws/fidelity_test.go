package simaws

import (
	"strings"
	"testing"
)

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

// The checks that the page may name; fixtures are the Go SDK's own.
var fidelityChecks = map[string]bool{"fixtures": true, "botocore": true, "boto3": true, "aws": true, "moto": true, "example": true, "none": true}

func TestFidelityNamesItsChecksAndSources(t *testing.T) {
	lines, err := Fidelity()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		for _, check := range l.Checks() {
			if !fidelityChecks[check] {
				t.Errorf("%s: there is no check %q", l.ID, check)
			}
			if check == "none" && !l.IsCall() && !strings.HasPrefix(l.Check, "none: ") {
				t.Errorf("%s: nothing outside checks it, and the page does not say why; write none: why", l.ID)
			}
		}
		if l.Source == "none" {
			t.Errorf("%s: no source", l.ID)
		}
	}
}

func TestFidelityRefusesACarelessPage(t *testing.T) {
	for page, want := range map[string]string{
		"| ORG-01 | a | b | strong | none |":         "5 cells",
		"| ORG-01 | a | b | strong | none |  |":      "cell 6 is empty",
		"| ORG-01 | a | b | sure | none | none |":    "neither strong nor weak",
		"| ORG-01 | a | b | c | strong | d | none |": "7 cells",
	} {
		if _, err := parseFidelity(page); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", page, err, want)
		}
	}
}

func FuzzFidelity(f *testing.F) {
	f.Add(fidelityPage)
	f.Add("## A\n| X-1 | a | b | weak | none | none |")
	f.Fuzz(func(t *testing.T, page string) {
		lines, err := parseFidelity(page)
		if err != nil {
			return
		}
		for _, l := range lines {
			if l.ID == "" || l.Modelled == "" || l.Source == "" || l.Check == "" || l.Difference == "" {
				t.Errorf("%+v: an empty cell was let through", l)
			}
		}
	})
}
