package templates

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// about is the manifest of an embedded template, catalog/<name>.about.yaml: what is
// known of it and stands nowhere in its body. It is the one source of the catalog's
// words: code, reports, commands and docs/templates.md read it.
type about struct {
	Title, Description string
	Scope              Scope
	Needs              []string
	Enforces           string
	Grade              int
	Baseline           bool
	// Role is the name of the IAM role that the template makes, where it has to have one.
	Role        string
	Keeps       *Keeps
	Remediation *Remediation
	Rules       map[string]aboutRule // by ConfigRuleName
	Controls    aboutControls
	Regions     string
	Cost        string
	Better      string
}

type aboutRule struct {
	Title, Checks string
	Controls      aboutControls
}

// aboutControls are ids by "STANDARD VERSION".
type aboutControls map[string][]string

func (c aboutControls) list() ([]Control, error) {
	var list []Control
	for _, of := range slices.Sorted(maps.Keys(c)) {
		standard, version, ok := strings.Cut(of, " ")
		if !ok {
			return nil, fmt.Errorf("controls of %q: write STANDARD VERSION", of)
		}
		for _, id := range c[of] {
			list = append(list, Control{standard, version, id})
		}
	}
	slices.SortFunc(list, compareControls)
	return list, nil
}

// readCatalog gives the embedded templates in the order in which they are deployed.
func readCatalog() ([]Template, error) {
	files, err := catalogFiles.ReadDir("catalog")
	if err != nil {
		return nil, err
	}
	byName := map[string]*Template{}
	for _, f := range files {
		name, isAbout := strings.CutSuffix(f.Name(), ".about.yaml")
		if !isAbout {
			continue
		}
		t, err := readTemplate(name)
		if err != nil {
			return nil, fmt.Errorf("template %s: %w", name, err)
		}
		byName[name] = &t
	}
	for _, t := range byName {
		for _, need := range t.Needs {
			if byName[need] == nil {
				return nil, fmt.Errorf("template %s needs %s, which is not there", t.Name, need)
			}
		}
		if t.Enforces == "" {
			continue
		}
		detect := byName[t.Enforces]
		if detect == nil || detect.EnforcedBy != "" || !slices.Contains(t.Needs, t.Enforces) {
			return nil, fmt.Errorf("template %s enforces %s: it has to be there, once, and be needed", t.Name, t.Enforces)
		}
		detect.EnforcedBy = t.Name
	}
	return deployOrder(byName), nil
}

func readTemplate(name string) (Template, error) {
	text, err := catalogFiles.ReadFile(path.Join("catalog", name+".about.yaml"))
	if err != nil {
		return Template{}, err
	}
	var a about
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&a); err != nil {
		return Template{}, err
	}
	t := Template{
		Name: name, Title: a.Title, Description: a.Description, Scope: a.Scope, Needs: a.Needs, Enforces: a.Enforces, Grade: a.Grade,
		Baseline: a.Baseline, Role: a.Role, Keeps: a.Keeps, About: About{Regions: a.Regions, Cost: a.Cost, Better: a.Better}, Enforcement: a.Remediation,
	}
	if t.controls, err = a.Controls.list(); err != nil {
		return Template{}, err
	}
	body, err := catalogFiles.ReadFile(path.Join("catalog", name+".yaml"))
	if err != nil {
		return Template{}, err
	}
	if err := t.read(body); err != nil {
		return Template{}, err
	}
	t.Rules, t.Unnamed = rulesOf(t.document)
	for i := range t.Rules {
		r := &t.Rules[i]
		known, ok := a.Rules[r.Name]
		if !ok {
			return Template{}, fmt.Errorf("its manifest lacks the rule %s", r.Name)
		}
		delete(a.Rules, r.Name)
		r.Title, r.Checks = known.Title, known.Checks
		if r.Controls, err = known.Controls.list(); err != nil {
			return Template{}, fmt.Errorf("rule %s: %w", r.Name, err)
		}
	}
	for extra := range a.Rules {
		return Template{}, fmt.Errorf("its manifest has a rule %s, which its body lacks", extra)
	}
	return t, nil
}

// deployOrder sorts by what is needed first, then by name, with what enforces a
// template right after it.
func deployOrder(byName map[string]*Template) []Template {
	depths := map[string]int{}
	var depth func(t *Template) int
	depth = func(t *Template) int {
		if d, known := depths[t.Name]; known {
			return d
		}
		depths[t.Name] = 0 // a circle ends here, and a test finds it
		d := 0
		for _, need := range t.Needs {
			d = max(d, depth(byName[need])+1)
		}
		depths[t.Name] = d
		return d
	}
	names := slices.SortedFunc(maps.Keys(byName), func(a, b string) int {
		if d := depth(byName[a]) - depth(byName[b]); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	var list []Template
	for _, name := range names {
		t := byName[name]
		if t.Enforces != "" {
			continue
		}
		list = append(list, *t)
		if t.EnforcedBy != "" {
			list = append(list, *byName[t.EnforcedBy])
		}
	}
	return list
}
