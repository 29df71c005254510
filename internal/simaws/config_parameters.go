package simaws

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// ruleParameter is a parameter of a managed rule, as the rule's page in the
// developer guide has it.
type ruleParameter struct {
	name, kind string // kind: int, boolean, ports, list, text
	standard   string // what it is when it is not given
	required   bool
	oneOf      []string // of texts, whatever the case
}

// ruleValues are the parameters of a rule by name, defaults filled in.
type ruleValues map[string]string

func (v ruleValues) flag(name string) bool { return strings.EqualFold(v[name], "true") }

// number gives an integer; ok is false for a parameter without a value.
func (v ruleValues) number(name string) (n int, ok bool) {
	n, err := strconv.Atoi(v[name])
	return n, err == nil
}

func (v ruleValues) list(name string) []string {
	var out []string
	for _, item := range strings.Split(v[name], ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}

// ports reads "443,1020-1025".
func (v ruleValues) ports(name string) []portRange {
	var out []portRange
	for _, item := range v.list(name) {
		if p, ok := parsePorts(item); ok {
			out = append(out, p)
		}
	}
	return out
}

type portRange struct{ from, to int }

func parsePorts(text string) (portRange, bool) {
	from, to, ranged := strings.Cut(text, "-")
	low, err := strconv.Atoi(strings.TrimSpace(from))
	high := low
	if ranged && err == nil {
		high, err = strconv.Atoi(strings.TrimSpace(to))
	}
	return portRange{low, high}, err == nil && 0 <= low && low <= high && high <= 65535
}

// checkParameters is what PutConfigRule holds against a managed rule's parameters:
// their names, and that none is blank. A wrong value is taken, and found when the rule is
// evaluated (moto's PutConfigRule notes that AWS does not check types; the developer
// guide's Components of a rule has ERROR for a parameter that "is not valid, not of the
// correct type, or is formatted incorrectly").
func (managed managedRule) checkParameters(given map[string]string) error {
	known := func(name string) bool {
		return slices.ContainsFunc(managed.parameters, func(p ruleParameter) bool { return p.name == name })
	}
	names := sortedKeys(given)
	if !slices.ContainsFunc(names, func(name string) bool { return !known(name) }) {
		names = nil
	}
	if len(names) > 0 {
		text, err := json.Marshal(given)
		if err != nil {
			return err
		}
		return invalidParameter("Unknown parameters provided in the inputParameters: " + string(text) + ".")
	}
	var absent []string
	for _, p := range managed.parameters {
		if _, there := given[p.name]; p.required && !there {
			absent = append(absent, p.name)
		}
	}
	if len(absent) > 0 {
		return invalidParameter("The required parameter [" + strings.Join(absent, ", ") + "] is not present in the inputParameters.")
	}
	return nil
}

// values fills defaults in; wrong says which parameter cannot be read, "" when all can.
func (managed managedRule) values(given map[string]string) (out ruleValues, wrong string) {
	out = ruleValues{}
	for _, p := range managed.parameters {
		value, there := given[p.name]
		if !there {
			if p.standard != "" {
				out[p.name] = p.standard
			}
			continue
		}
		if !p.takes(value) {
			return nil, p.name
		}
		out[p.name] = value
	}
	return out, ""
}

func (p ruleParameter) takes(value string) bool {
	switch p.kind {
	case "int":
		_, err := strconv.Atoi(value)
		return err == nil
	case "boolean":
		return strings.EqualFold(value, "true") || strings.EqualFold(value, "false")
	case "ports":
		items := ruleValues{"": value}.list("")
		return len(items) > 0 && !slices.ContainsFunc(items, func(item string) bool { _, ok := parsePorts(item); return !ok })
	}
	return len(p.oneOf) == 0 || slices.ContainsFunc(p.oneOf, func(word string) bool { return strings.EqualFold(word, value) })
}
