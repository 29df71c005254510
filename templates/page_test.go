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

// docs/lint.md is the checks as a page; go test -update writes it.
func TestPageOfTheChecks(t *testing.T) {
	b := &strings.Builder{}
	b.WriteString("# What `rollout templates lint` looks at\n\nWritten by a test from the checks (`templates/lint_checks.go`): do not edit.\n\n" +
		"It reads a file, asks nobody, and says what it found as `file:line:column: severity code: what is wrong; what to do [where AWS says so]`.\n" +
		"`--template FILE` is held to the same checks before anything else happens.\n\n" +
		"- **error**: CloudFormation, a service-managed StackSet, AWS Config or Systems Manager refuses it, or it fails when it runs. Such a file is not rolled out.\n" +
		"- **warning**: it deploys, and does what its author hardly meant. The plan shows it.\n" +
		"- **note**: worth knowing before it is deployed.\n\n" +
		"A template that knows better says so, with why; what has a code RL00… cannot be ignored:\n\n" +
		"```yaml\nMetadata:\n  rollout:\n    lint:\n      ignore:\n        RL202: the account list is in the bucket's policy\n```\n\n" +
		"Managed rules with their parameters, services and their operations, and IAM actions are lists from AWS's documentation and\n" +
		"service models; `templates/facts/update.py` writes them.\n")
	titles := map[string]string{
		"RL00": "The text", "RL01": "Parameters, conditions, mappings", "RL02": "References", "RL10": "What StackSets refuse or want", "RL11": "What stays",
		"RL12": "Names", "RL13": "What is written out", "RL20": "IAM", "RL30": "AWS Config: rules", "RL31": "AWS Config: remediation", "RL40": "Systems Manager Automation",
	}
	last := ""
	for _, c := range Checks() {
		group := titles[c.Code[:4]]
		if group != "" && group != last {
			last = group
			fmt.Fprintf(b, "\n## %s\n\n| code | severity | what it finds | what to do | source |\n|---|---|---|---|---|\n", group)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", c.Code, c.Severity, c.Title, strings.ReplaceAll(c.Remedy, "|", `\|`), c.Source)
	}
	golden(t, "../../docs/lint.md", []byte(b.String()))
}
