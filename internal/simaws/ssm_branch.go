package simaws

import (
	"fmt"
	"strings"
)

// comparisons of aws:branch, for texts, numbers and booleans.
var comparisons = map[string]func(have, want any) bool{
	"StringEquals":     func(have, want any) bool { return textOf(have) == textOf(want) },
	"EqualsIgnoreCase": func(have, want any) bool { return strings.EqualFold(textOf(have), textOf(want)) },
	"StartsWith":       func(have, want any) bool { return strings.HasPrefix(textOf(have), textOf(want)) },
	"EndsWith":         func(have, want any) bool { return strings.HasSuffix(textOf(have), textOf(want)) },
	"Contains":         func(have, want any) bool { return strings.Contains(textOf(have), textOf(want)) },
	"BooleanEquals":    func(have, want any) bool { return truth(have, false) == truth(want, false) },
	"NumericEquals":    numeric(func(a, b float64) bool { return a == b }),
	"NumericGreater":   numeric(func(a, b float64) bool { return a > b }),
	"NumericLesser":    numeric(func(a, b float64) bool { return a < b }),

	"NumericGreaterOrEquals": numeric(func(a, b float64) bool { return a >= b }),
	"NumericLesserOrEquals":  numeric(func(a, b float64) bool { return a <= b }),
}

func numeric(compare func(a, b float64) bool) func(have, want any) bool {
	return func(have, want any) bool {
		a, okA := number(have)
		b, okB := number(want)
		return okA && okB && compare(a, b)
	}
}

// branch runs aws:branch: the first choice that holds, else Default, else the
// run ends.
func (run *automationRun) branch(step runbookStep) outcome {
	out := outcome{takes: branchStep}
	choices, _ := step.inputs["Choices"].([]any)
	for _, raw := range choices {
		choice, _ := raw.(map[string]any)
		holds, err := run.holds(choice, 0)
		if err != nil {
			out.failure = executing(err.Error())
			return out
		}
		if holds {
			return run.chosen(out, textOf(choice["NextStep"]))
		}
	}
	if standard := textOf(step.inputs["Default"]); standard != "" {
		return run.chosen(out, standard)
	}
	out.ends = true
	return out
}

func (run *automationRun) chosen(out outcome, next string) outcome {
	resolved, err := interpolate(next, run.lookup)
	if err != nil || run.index(textOf(resolved)) < 0 {
		out.failure = executing("Step " + next + " does not exist")
		return out
	}
	out.next = textOf(resolved)
	return out
}

// holds evaluates a choice, or a condition under And, Or, Not.
func (run *automationRun) holds(condition map[string]any, depth int) (bool, error) {
	if depth > 20 {
		return false, fmt.Errorf("the choice is nested too deep")
	}
	for _, operator := range []string{"And", "Or"} {
		list, ok := condition[operator].([]any)
		if !ok {
			continue
		}
		for _, raw := range list {
			m, _ := raw.(map[string]any)
			holds, err := run.holds(m, depth+1)
			if err != nil {
				return false, err
			}
			if holds != (operator == "And") {
				return holds, nil
			}
		}
		return operator == "And", nil
	}
	if m, ok := condition["Not"].(map[string]any); ok {
		holds, err := run.holds(m, depth+1)
		return !holds, err
	}
	have, err := interpolate(condition["Variable"], run.lookup)
	if err != nil {
		return false, err
	}
	for _, name := range sortedKeys(condition) {
		compare, known := comparisons[name]
		if !known {
			continue
		}
		want, err := interpolate(condition[name], run.lookup)
		if err != nil {
			return false, err
		}
		return compare(have, want), nil
	}
	return false, fmt.Errorf("a choice has no operator that is known")
}
