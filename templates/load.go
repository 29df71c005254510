package templates

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// maxBody is how much of a template CloudFormation takes in a call, in bytes.
const maxBody = 51200

// Load is the template that a user means by --template: an embedded name, or the
// path of a file. A file's rules are those of its AWS::Config::ConfigRule resources
// whose ConfigRuleName is written out; its scope is regional and it needs nothing.
//
// A file of which Lint has errors to say is refused with a *Refused; its warnings and
// notes are the template's Findings.
func Load(nameOrPath string) (Template, error) {
	t, err := Lookup(nameOrPath)
	if err == nil {
		return t, nil
	}
	body, readErr := os.ReadFile(nameOrPath)
	switch {
	case errors.Is(readErr, fs.ErrNotExist) && !looksLikePath(nameOrPath):
		return Template{}, fmt.Errorf("%w; there is no file of that name either", err)
	case readErr != nil:
		return Template{}, fmt.Errorf("read template: %w", readErr)
	}
	t, err = fromFile(nameOrPath, body)
	var refused *Refused
	if errors.As(err, &refused) {
		return Template{}, err
	}
	if err != nil {
		return Template{}, fmt.Errorf("template %s: %w", nameOrPath, err)
	}
	return t, nil
}

func looksLikePath(s string) bool {
	switch strings.ToLower(filepath.Ext(s)) {
	case ".yaml", ".yml", ".json", ".template":
		return true
	}
	return strings.ContainsAny(s, `/\`)
}

// notName is what a StackSet's name cannot have.
var notName = regexp.MustCompile(`[^A-Za-z0-9]+`)

// LoadAll is what a user means by --template: one template as Load has it, several
// separated by commas, or "baseline" for those of the baseline. Each is there once,
// embedded ones first, in deploy order.
func LoadAll(text string) ([]Template, error) {
	if text == BaselineName {
		return Baseline(), nil
	}
	var asked []Template
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == BaselineName {
			asked = append(asked, Baseline()...)
			continue
		}
		t, err := Load(part)
		if err != nil {
			return nil, err
		}
		for _, other := range asked {
			if other.Name == t.Name && other.Path != t.Path {
				return nil, fmt.Errorf("%s and %s have the same name %s; give one file another name", other.Path, t.Path, t.Name)
			}
		}
		asked = append(asked, t)
	}
	return inDeployOrder(asked), nil
}

// LoadToRemove is what a user means by --template of something to take away: take are
// the templates that text names, and of "baseline" those that nothing else of the
// baseline needs; stay are the others of it. What needs stand on is taken only by
// name, since much more than the baseline may stand on it by then.
func LoadToRemove(text string) (take, stay []Template, err error) {
	all, err := LoadAll(text)
	if err != nil {
		return nil, nil, err
	}
	named := map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		named[strings.TrimSpace(part)] = true
	}
	baseline := Baseline()
	for _, t := range all {
		needed := slices.ContainsFunc(baseline, func(other Template) bool { return slices.Contains(other.Needs, t.Name) })
		if named[BaselineName] && needed && !named[t.Name] {
			stay = append(stay, t)
			continue
		}
		take = append(take, t)
	}
	return take, stay, nil
}

// NameOf is the name of a template that is read from a file: its StackSet is called
// rollout-NAME.
func NameOf(path string) string {
	base := filepath.Base(path)
	return strings.Trim(notName.ReplaceAllString(strings.TrimSuffix(base, filepath.Ext(base)), "-"), "-")
}

func fromFile(path string, body []byte) (Template, error) {
	base := filepath.Base(path)
	name := NameOf(path)
	if name == "" {
		return Template{}, fmt.Errorf("its file name has no letter or digit to name a StackSet by")
	}
	if slices.ContainsFunc(all, func(t Template) bool { return t.Name == name }) {
		return Template{}, fmt.Errorf("its name %s is an embedded template's; give the file another name", name)
	}
	t := Template{Name: name, Scope: ScopeRegional, Path: path}
	t.Findings = Lint(name, body)
	var errors []Finding
	for _, f := range t.Findings {
		if f.Severity == SeverityError {
			errors = append(errors, f)
		}
	}
	if len(errors) > 0 {
		return Template{}, &Refused{Path: path, Findings: errors}
	}
	if err := t.read(body); err != nil {
		return Template{}, err
	}
	t.Description = t.document.Description
	t.Title, _, _ = strings.Cut(strings.TrimSpace(t.Description), "\n")
	if t.Title == "" {
		t.Title = base
	}
	t.Rules, t.Unnamed = rulesOf(t.document)
	if t.Remediates {
		t.Grade = 3
	}
	return t, nil
}

// FromBody is a template of which nothing is known but its name and its body, as a
// StackSet has them that was made from a file or by another version of rollout.
func FromBody(name string, body []byte) (Template, error) {
	t := Template{Name: name, Scope: ScopeRegional}
	if err := t.read(body); err != nil {
		return Template{}, fmt.Errorf("template %s: %w", name, err)
	}
	t.Rules, t.Unnamed = rulesOf(t.document)
	return t, nil
}

func literals(v any) []string {
	var list []string
	items, _ := v.([]any)
	for _, item := range items {
		if s, ok := item.(string); ok {
			list = append(list, s)
		}
	}
	return list
}
