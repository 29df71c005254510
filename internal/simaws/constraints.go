package simaws

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What the service models ask of the members of requests: required ones, lengths,
// ranges, patterns and enumerations, as testdata/constraints.py wrote them down
// from botocore's models. A test holds the files to botocore.

//go:embed constraints_config.txt
var constraintsConfig string

//go:embed constraints_ssm.txt
var constraintsSSM string

//go:embed constraints_organizations.txt
var constraintsOrganizations string

//go:embed constraints_cloudformation.txt
var constraintsCloudFormation string

//go:embed constraints_iam.txt
var constraintsIAM string

//go:embed constraints_sts.txt
var constraintsSTS string

// constraintTexts are those files by service.
var constraintTexts = map[string]string{
	"config": constraintsConfig, "ssm": constraintsSSM, "organizations": constraintsOrganizations,
	"cloudformation": constraintsCloudFormation, "iam": constraintsIAM, "sts": constraintsSTS,
}

// memberRule is what one member must be.
type memberRule struct {
	path      []string // names; "[]" an element of a list, "{}" a value of a map
	kind      byte     // s text, i number, l list, m map, o structure, b boolean, t time
	required  bool
	low, high int // -1: none
	pattern   *regexp.Regexp
	written   string // the pattern as the model has it
	enum      []string
}

// constraints by service and operation.
var constraints = map[string]map[string][]memberRule{}

func init() {
	for service, text := range constraintTexts {
		constraints[service] = readConstraints(text)
	}
}

// readConstraints reads a file of constraints: "@Operation", then a line a member.
// A pattern that Go cannot compile is left out.
func readConstraints(text string) map[string][]memberRule {
	out, shared, operation := map[string][]memberRule{}, map[string][]string{}, ""
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimRight(line, "\n"), "\t")
		switch {
		case cells[0] == "" || cells[0][0] == '#':
			continue
		case cells[0][0] == '=':
			shared[cells[0][1:]] = strings.Split(cells[1], "|")
			continue
		case cells[0][0] == '@':
			operation = cells[0][1:]
			out[operation] = nil
			continue
		}
		k := memberRule{path: strings.Split(cells[0], "."), kind: cells[1][0], low: -1, high: -1}
		for _, cell := range cells[2:] {
			name, value, _ := strings.Cut(cell, "=")
			switch name {
			case "*":
				k.required = true
			case "n":
				k.low, _ = strconv.Atoi(value)
			case "x":
				k.high, _ = strconv.Atoi(value)
			case "p":
				if re, err := regexp.Compile(`^(?:` + goPattern(value) + `)$`); err == nil {
					k.pattern, k.written = re, value
				}
			case "e":
				if k.enum = strings.Split(value, "|"); strings.HasPrefix(value, "@") {
					k.enum = shared[value[1:]]
				}
			}
		}
		out[operation] = append(out[operation], k)
	}
	return out
}

var unicodeEscape = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`)

// goPattern writes a model's pattern as Go's regexp has it.
func goPattern(p string) string { return unicodeEscape.ReplaceAllString(p, `\x{$1}`) }

// constrained holds a request to its model. AWS names all that is wrong in one
// ValidationException, which the query protocol calls ValidationError.
func constrained(c *call) error {
	list := constraints[c.Service][c.Action]
	if len(list) == 0 {
		return nil
	}
	var body any = map[string]any{}
	if c.Form.values != nil {
		body = c.Form.tree()
	} else if len(bytes.TrimSpace(c.Body)) > 0 && json.Unmarshal(c.Body, &body) != nil {
		return nil // the handler says so in its words
	}
	var problems []string
	for _, k := range list {
		k.hold(body, k.path, "", &problems)
	}
	if c.Service == "organizations" {
		return organizationsConstraint(problems)
	}
	code := "ValidationException"
	if c.Form.values != nil {
		code = "ValidationError"
	}
	switch len(problems) {
	case 0:
		return nil
	case 1:
		return fail(400, code, "1 validation error detected: "+problems[0])
	}
	return fail(400, code, fmt.Sprintf("%d validation errors detected: %s", len(problems), strings.Join(problems, "; ")))
}

// hold follows the path to each member that it stands for.
func (k memberRule) hold(v any, path []string, at string, problems *[]string) {
	if len(path) == 0 {
		if must := k.broken(v); len(must) > 0 {
			for _, m := range must {
				*problems = append(*problems, fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: %s", shown(v), at, m))
			}
		}
		return
	}
	switch path[0] {
	case "[]":
		list, _ := v.([]any)
		if len(path) == 1 && k.kind == 's' { // texts are held together
			for _, x := range list {
				if must := k.broken(x); len(must) > 0 {
					*problems = append(*problems, fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: Member must satisfy constraint: [%s]", shown(v), at, strings.Join(must, ", ")))
					return
				}
			}
			return
		}
		for i, x := range list {
			k.hold(x, path[1:], fmt.Sprintf("%s.%d.member", at, i+1), problems)
		}
	case "{}":
		m, _ := v.(map[string]any)
		for _, name := range sortedKeys(m) {
			k.hold(m[name], path[1:], at+"."+name+".member", problems)
		}
	default:
		m, isObject := v.(map[string]any)
		if !isObject {
			return
		}
		if at != "" {
			at += "."
		}
		at += lowerFirst(path[0])
		x := m[path[0]]
		if x != nil {
			k.hold(x, path[1:], at, problems)
		} else if k.required && len(path) == 1 {
			*problems = append(*problems, fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", at))
		}
	}
}

func shown(v any) string {
	switch x := v.(type) {
	case []any:
		var words []string
		for _, e := range x {
			if _, isObject := e.(map[string]any); isObject {
				words = append(words, "…")
			} else {
				words = append(words, shown(e))
			}
		}
		return "[" + strings.Join(words, ", ") + "]"
	case map[string]any:
		return "{" + strings.Join(sortedKeys(x), ", ") + "}"
	}
	return textOf(v)
}

// broken says which constraints a value does not satisfy.
func (k memberRule) broken(v any) (must []string) {
	size, word := -1, "length"
	switch x := v.(type) {
	case string:
		if n, err := strconv.Atoi(x); k.kind == 'i' && err == nil { // of a form
			size, word = n, "value"
			break
		}
		if k.kind != 's' {
			return nil // a matter of the type, not of its value
		}
		size = utf8.RuneCountInString(x)
	case []any:
		size = len(x)
	case map[string]any:
		size = len(x)
	case float64:
		size, word = int(x), "value"
	default:
		return nil
	}
	if k.low >= 0 && size < k.low {
		must = append(must, fmt.Sprintf("Member must have %s greater than or equal to %d", word, k.low))
	}
	if k.high >= 0 && size > k.high {
		must = append(must, fmt.Sprintf("Member must have %s less than or equal to %d", word, k.high))
	}
	text, isText := v.(string)
	if !isText || k.kind != 's' {
		return must
	}
	if k.pattern != nil && !k.pattern.MatchString(text) {
		must = append(must, "Member must satisfy regular expression pattern: "+k.written)
	}
	// The model has no type for the account, and Config's own results name it: people
	// remediate by hand what was found on it (CFG-27).
	account := text == typeAccount && strings.EqualFold(strings.Join(k.path, "."), "resourceKeys.[].resourceType")
	if len(k.enum) > 0 && !wants(k.enum, text) && !account {
		must = append(must, "Member must satisfy enum value set: ["+strings.Join(k.enum, ", ")+"]")
	}
	return must
}
