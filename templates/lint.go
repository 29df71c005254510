package templates

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity is how bad a finding is.
type Severity string

const (
	SeverityError   Severity = "error"   // AWS, or a service-managed StackSet, will refuse it
	SeverityWarning Severity = "warning" // it deploys, and does what its author hardly meant
	SeverityNote    Severity = "note"    // worth knowing before it is deployed
)

// Finding is what a check has to say about a place of a template.
type Finding struct {
	Line     int      `json:"line"` // from 1; 0 where the whole text is meant
	Column   int      `json:"column"`
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`    // of a Check: "RL101"
	Message  string   `json:"message"` // a sentence without its full stop
	Remedy   string   `json:"remedy"`  // what to do
	// Source is the page, quota or issue behind it, "" where that is plain.
	Source string `json:"source"`
}

// String is "3:7: error RL101: what is wrong; what to do [where AWS says so]".
func (f Finding) String() string {
	s := fmt.Sprintf("%d:%d: %s %s: %s; %s", f.Line, f.Column, f.Severity, f.Code, f.Message, f.Remedy)
	if f.Source != "" {
		s += " [" + f.Source + "]"
	}
	return s
}

// Lint checks a template's text, YAML or JSON, against what CloudFormation,
// service-managed StackSets, AWS Config and Systems Manager Automation want, and
// what a careful engineer would. It asks nobody. The findings are in the order of
// their places. name is what the template would be called (NameOf), on which the
// names of its stacks depend; "" is a name of unknown length.
func Lint(name string, body []byte) []Finding {
	l := &linter{name: name, body: body}
	l.run()
	slices.SortStableFunc(l.found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(l.found)
}

// Lint are the findings about t.
func (t Template) Lint() []Finding { return Lint(t.Name, t.body) }

// Refused is the error of a template that has findings of severity error.
type Refused struct {
	Path     string
	Where    string    // " to more than one Region"; "" for anywhere
	Findings []Finding // those that refuse it
}

func (e *Refused) Error() string {
	lines := []string{fmt.Sprintf("template %s cannot be rolled out%s", e.Path, e.Where)}
	for _, f := range e.Findings {
		lines = append(lines, e.Path+":"+f.String())
	}
	return strings.Join(lines, "\n")
}

// Warnings are the findings about a template of a file that are worth a warning in a
// plan, as lint says them.
func (t Template) Warnings() []string {
	var list []string
	for _, f := range t.Findings {
		if f.Severity == SeverityWarning {
			list = append(list, t.Path+":"+f.String())
		}
	}
	return list
}

// Regions refuses a template with names that the second of several Regions would
// find taken.
func (t Template) Regions(several bool) error {
	var taken []Finding
	for _, f := range t.Findings {
		if f.Code == "RL120" || f.Code == "RL121" {
			taken = append(taken, f)
		}
	}
	if !several || len(taken) == 0 {
		return nil
	}
	return &Refused{Path: t.Path, Where: " to more than one Region", Findings: taken}
}

// linter is one run over one template.
type linter struct {
	name  string
	body  []byte
	root  *node
	doc   *Document
	found []Finding

	resources []lintResource // in the order of the text
	ignored   map[string]bool
	runbooks  []ssmDocument // nil until asked for
}

// lintResource is a resource with the places of its parts.
type lintResource struct {
	id, kind string // logical id and type
	at       *node  // its logical id
	body     *node
	props    *node // never nil
}

// say adds a finding of the check called code, at n.
func (l *linter) say(code string, n *node, format string, args ...any) {
	c := checkOf(code)
	if l.ignored[code] {
		return
	}
	f := Finding{Severity: c.Severity, Code: code, Message: fmt.Sprintf(format, args...), Remedy: c.Remedy, Source: c.Source}
	if n != nil {
		f.Line, f.Column = n.line, n.column
	}
	f.Message = strings.Join(strings.Fields(f.Message), " ")
	l.found = append(l.found, f)
}

func (l *linter) run() {
	l.checkSize()
	if !l.read() {
		return
	}
	for _, check := range []func(){
		l.checkQuotas, l.checkParameters, l.checkReferences, l.checkCycles,
		l.checkStackSet, l.checkKept, l.checkNames, l.checkNameLengths, l.checkLiterals, l.checkSecrets,
		l.checkPolicies, l.checkRules, l.checkRemediations, l.checkAutomations,
	} {
		check()
	}
}

// read makes the nodes and the document. What is doubled or unknown is said and
// left out, so that one mistake does not hide the next.
func (l *linter) read() bool {
	if len(l.body) > maxDocument {
		return false // said by checkSize
	}
	tree, err := readNode(l.body)
	if err != nil {
		l.syntax(err)
		return false
	}
	l.dropTwins(tree, 0)
	l.dropUnknownSections(tree)
	if l.doc, err = readDocument(tree); err != nil {
		l.syntax(err)
		return false
	}
	l.root = newNode(tree, 0)
	l.setMargins()
	for _, e := range l.root.get("Resources").entries {
		r := lintResource{id: e.key, at: e.at, body: e.value, kind: e.value.get("Type").text, props: e.value.get("Properties")}
		l.resources = append(l.resources, r)
	}
	l.readIgnored()
	return true
}

func (l *linter) syntax(err error) {
	at := &node{}
	message := err.Error()
	if e, ok := err.(*SyntaxError); ok {
		at.line, at.column, message = e.Line, e.Column, e.Message
	}
	l.say("RL001", at, "%s", message)
}

// readIgnored reads the checks that the template itself does without:
//
//	Metadata: {rollout: {lint: {ignore: {RL202: why it is right here}}}}
//
// Errors of syntax cannot be ignored, and a reason has to be given.
func (l *linter) readIgnored() {
	ignored := map[string]bool{}
	for _, e := range l.root.get("Metadata").get("rollout").get("lint").get("ignore").entries {
		c, known := findCheck(e.key)
		switch {
		case !known:
			l.say("RL008", e.at, "there is no check %s to ignore", e.key)
		case strings.HasPrefix(c.Code, "RL00"):
			l.say("RL008", e.at, "%s cannot be ignored", e.key)
		case strings.TrimSpace(e.value.text) == "":
			l.say("RL008", e.at, "%s is ignored without a reason", e.key)
		default:
			ignored[e.key] = true
		}
	}
	l.ignored = ignored
}

// of are the resources of a type.
func (l *linter) of(kind string) []lintResource {
	var list []lintResource
	for _, r := range l.resources {
		if r.kind == kind {
			list = append(list, r)
		}
	}
	return list
}

// resource is the resource of that logical id.
func (l *linter) resource(id string) (lintResource, bool) {
	for _, r := range l.resources {
		if r.id == id {
			return r, true
		}
	}
	return lintResource{}, false
}
