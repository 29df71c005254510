package templates

import (
	"fmt"
	"strings"
	"testing"
)

// docs/templates.md is the catalog as a page; go test -update writes it.
func TestPageOfTheCatalog(t *testing.T) {
	b := &strings.Builder{}
	b.WriteString("# The embedded templates\n\nWritten by a test from the catalog (`templates/catalog/*.about.yaml` and the bodies): do not edit.\n" +
		"`rollout templates show NAME --about` prints the same, `rollout templates show NAME` the body.\n\n" +
		"| template | scope | rules | remediation | what it is |\n|---|---|---|---|---|\n")
	for _, template := range All() {
		var rules []string
		for _, r := range template.Rules {
			rules = append(rules, "`"+r.Identifier+"`")
		}
		fmt.Fprintf(b, "| [%s](#%s) | %s | %s | %s | %s |\n", template.Name, template.Name, template.Scope, strings.Join(rules, ", "), strings.Join(template.Remediation(), ", "), template.Title)
	}
	for _, template := range All() {
		fmt.Fprintf(b, "\n## %s\n\n%s\n\n", template.Name, template.Description)
		line := func(title, text string) {
			if text != "" {
				fmt.Fprintf(b, "- **%s**: %s\n", title, text)
			}
		}
		line("Needs", strings.Join(template.Needs, ", "))
		for _, r := range template.Rules {
			line("Rule `"+r.Name+"`", r.Title+". "+r.Checks)
			line("Its controls", controlWords(r.Controls))
		}
		if len(template.Rules) == 0 {
			line("Controls", controlWords(template.Controls()))
		}
		if e := template.Enforcement; e != nil {
			line("What it does", e.Does)
			line("What it leaves", e.Leaves)
			line("Blast radius", e.BlastRadius)
			line("Undo", e.Undo)
		}
		line("Regions", template.About.Regions)
		line("Cost", template.About.Cost)
		line("Better", template.About.Better)
		if actions := template.RoleActions(); len(actions) > 0 {
			line("Its role may", strings.Join(actions, ", "))
		}
	}
	golden(t, "../../docs/templates.md", []byte(b.String()))
}

func controlWords(list []Control) string {
	var words []string
	for _, c := range list {
		words = append(words, c.String())
	}
	return strings.Join(words, "; ")
}

// What a person reads before a rollout is there for every template.
func TestTheCatalogSaysEnough(t *testing.T) {
	for _, template := range All() {
		if template.About.Regions == "" || template.About.Cost == "" {
			t.Errorf("%s: regions or cost is missing", template.Name)
		}
		for _, r := range template.Rules {
			if r.Title == "" || r.Checks == "" || r.Identifier == "" {
				t.Errorf("%s, rule %s: title or what it checks is missing", template.Name, r.Name)
			}
		}
		if (template.Enforces != "") != (template.Enforcement != nil) {
			t.Errorf("%s: what enforcement does is missing, or there is none", template.Name)
		}
		if e := template.Enforcement; e != nil && (e.Does == "" || e.Leaves == "" || e.BlastRadius == "" || e.Undo == "" || len(e.Modes) == 0 || e.Modes[0] != "manual") {
			t.Errorf("%s: what enforcement does, leaves, can break and how it is undone: %+v", template.Name, e)
		}
		if _, unknown := template.DeployActions(); len(unknown) > 0 {
			t.Errorf("%s: which IAM actions make %v?", template.Name, unknown)
		}
	}
}
