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
// A file that a service-managed StackSet cannot deploy is refused: more than 51,200
// bytes, transforms or macros, nested stacks.
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

func fromFile(path string, body []byte) (Template, error) {
	if len(body) > maxBody {
		return Template{}, fmt.Errorf("%d bytes are more than the %d that CloudFormation takes", len(body), maxBody)
	}
	base := filepath.Base(path)
	name := strings.Trim(notName.ReplaceAllString(strings.TrimSuffix(base, filepath.Ext(base)), "-"), "-")
	if name == "" {
		return Template{}, fmt.Errorf("its file name has no letter or digit to name a StackSet by")
	}
	if slices.ContainsFunc(all, func(t Template) bool { return t.Name == name }) {
		return Template{}, fmt.Errorf("its name %s is an embedded template's; give the file another name", name)
	}
	t := Template{Name: name, Scope: ScopeRegional, Path: path}
	if err := t.read(body); err != nil {
		return Template{}, err
	}
	if err := deployable(t.document); err != nil {
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

// deployable says what keeps a service-managed StackSet from deploying d.
func deployable(d *Document) error {
	if d.Transform != nil {
		return fmt.Errorf("it has a Transform, which service-managed StackSets refuse")
	}
	for _, id := range d.ResourceOrder {
		r := d.Resources[id]
		switch {
		case r.Type == "AWS::CloudFormation::Stack":
			return fmt.Errorf("line %d: %s is a nested stack, which service-managed StackSets refuse", r.Line, id)
		case has(r.Properties, "Fn::Transform"):
			return fmt.Errorf("line %d: %s uses Fn::Transform, which service-managed StackSets refuse", r.Line, id)
		}
	}
	for _, part := range []any{d.Mappings, d.Conditions, d.Outputs, d.Metadata} {
		if has(part, "Fn::Transform") {
			return fmt.Errorf("it uses Fn::Transform, which service-managed StackSets refuse")
		}
	}
	return nil
}

// has says whether key is in v, at any depth.
func has(v any, key string) bool {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			if k == key || has(inner, key) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, func(inner any) bool { return has(inner, key) })
	}
	return false
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
