package simaws

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// scriptSteps bounds the work of a script, so that a loop without an end fails.
const scriptSteps = 1_000_000

var scriptDialect = &syntax.FileOptions{Set: true, While: true, TopLevelControl: true, GlobalReassign: true, Recursion: true}

// scriptError is an exception: raised by the script, or an API's, which has a code and
// what the service said.
type scriptError struct{ class, message, code, said string }

func (e *scriptError) Error() string { return e.message }

// scriptRun is the world of one script.
type scriptRun struct {
	run   *automationRun
	slept time.Duration
	// lines are the script's for those of what is run; nil where they are the same.
	lines []int
}

// script runs aws:executeScript: the result of the handler is outputs' Payload.
// slept is how long time.sleep took.
func (run *automationRun) script(in map[string]any) (value any, slept time.Duration, failure string) {
	runtime := textOf(in["Runtime"])
	if !strings.HasPrefix(runtime, "python") {
		return nil, 0, executing("The runtime " + runtime + " is not simulated")
	}
	sr := &scriptRun{run: run}
	payload, ok := in["InputPayload"].(map[string]any)
	if !ok {
		payload = map[string]any{}
	}
	result, err := sr.execute(textOf(in["Script"]), textOf(in["Handler"]), payload)
	if err != nil {
		return nil, sr.slept, sr.traceback(textOf(in["Script"]), err)
	}
	return map[string]any{"Payload": result}, sr.slept, ""
}

func (sr *scriptRun) execute(source, handlerName string, payload map[string]any) (result any, err error) {
	defer func() {
		// A script is input: nothing in it may stop the simulator.
		if r := recover(); r != nil {
			err = fmt.Errorf("the script could not be run: %v", r)
		}
	}()
	code, lines, err := triesOf(source)
	if err == nil {
		sr.lines = lines
		code, err = starlarkOf(code)
	}
	if err != nil {
		return nil, err
	}
	thread := &starlark.Thread{Name: "customer_script.py", Print: func(*starlark.Thread, string) {}}
	thread.SetMaxExecutionSteps(scriptSteps)
	globals, err := starlark.ExecFileOptions(scriptDialect, thread, "customer_script.py", code, sr.predeclared())
	if err != nil {
		return nil, err
	}
	function, ok := globals[handlerName].(starlark.Callable)
	if !ok {
		return nil, &scriptError{class: "AttributeError", message: "module 'customer_script' has no attribute '" + handlerName + "'"}
	}
	events, err := toStarlark(payload, 0)
	if err != nil {
		return nil, err
	}
	out, err := starlark.Call(thread, function, starlark.Tuple{events, starlark.NewDict(0)}, nil)
	if err != nil {
		return nil, err
	}
	return fromStarlark(out, 0)
}

// traceback words an error as SSM shows a script's
// (aws-solutions/automated-security-response-on-aws, FailureMessage).
func (sr *scriptRun) traceback(source string, err error) string {
	class, message := "Exception", err.Error()
	var raised *scriptError
	if errors.As(err, &raised) {
		class, message = raised.class, raised.message
	}
	var b strings.Builder
	b.WriteString("Step fails when it is Poll action status for completion. Traceback (most recent call last):\n")
	var eval *starlark.EvalError
	if errors.As(err, &eval) {
		lines := strings.Split(source, "\n")
		for _, frame := range eval.CallStack {
			if frame.Pos.Filename() != "customer_script.py" {
				continue
			}
			n := int(frame.Pos.Line)
			if n >= 1 && n <= len(sr.lines) {
				n = sr.lines[n-1]
				if frame.Name == "lambda" {
					continue // of a rewritten try; its caller stands on the same line
				}
			}
			fmt.Fprintf(&b, "  File \"/tmp/%s/customer_script.py\", line %d, in %s\n", sr.run.exec.ID, n, frame.Name)
			if n >= 1 && n <= len(lines) {
				b.WriteString("    " + strings.TrimSpace(lines[n-1]) + "\n")
			}
		}
	}
	b.WriteString("\n" + class + " - " + strings.TrimSuffix(message, ".") + "." + diagnosis)
	return b.String()
}

// toStarlark turns decoded JSON into a script's values.
func toStarlark(v any, depth int) (starlark.Value, error) {
	if depth > 100 {
		return nil, fmt.Errorf("the value is nested too deep")
	}
	switch t := v.(type) {
	case nil:
		return starlark.None, nil
	case bool:
		return starlark.Bool(t), nil
	case string:
		return starlark.String(t), nil
	case int:
		return starlark.MakeInt(t), nil
	case float64:
		if t == float64(int64(t)) {
			return starlark.MakeInt64(int64(t)), nil
		}
		return starlark.Float(t), nil
	case time.Time:
		return pythonTime(t), nil
	case []any:
		list := make([]starlark.Value, 0, len(t))
		for _, x := range t {
			y, err := toStarlark(x, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, y)
		}
		return starlark.NewList(list), nil
	case map[string]any:
		dict := starlark.NewDict(len(t))
		for _, k := range sortedKeys(t) {
			y, err := toStarlark(t[k], depth+1)
			if err != nil {
				return nil, err
			}
			if err := dict.SetKey(starlark.String(k), y); err != nil {
				return nil, err
			}
		}
		return dict, nil
	}
	return toStarlark(plainJSON(v), depth+1)
}

// fromStarlark turns a script's value into decoded JSON.
func fromStarlark(v starlark.Value, depth int) (any, error) {
	if depth > 100 {
		return nil, fmt.Errorf("the value is nested too deep")
	}
	switch t := v.(type) {
	case starlark.NoneType:
		return nil, nil
	case starlark.Bool:
		return bool(t), nil
	case starlark.String:
		return string(t), nil
	case starlark.Bytes:
		return string(t), nil
	case starlark.Int:
		if n, ok := t.Int64(); ok {
			return float64(n), nil
		}
		return float64(t.Float()), nil
	case starlark.Float:
		return float64(t), nil
	case *starlark.Dict:
		out := map[string]any{}
		for _, item := range t.Items() {
			key, ok := starlark.AsString(item[0])
			if !ok {
				key = item[0].String()
			}
			x, err := fromStarlark(item[1], depth+1)
			if err != nil {
				return nil, err
			}
			out[key] = x
		}
		return out, nil
	case starlark.Iterable: // list, tuple, set
		out := []any{}
		iter := t.Iterate()
		defer iter.Done()
		var x starlark.Value
		for iter.Next(&x) {
			y, err := fromStarlark(x, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, y)
		}
		return out, nil
	}
	return nil, &scriptError{class: "TypeError", message: "Object of type " + v.Type() + " is not JSON serializable"}
}

// object is a value with attributes: a module or a client.
type object struct {
	name  string
	attrs map[string]starlark.Value
	// find gives attributes that are not listed.
	find func(name string) starlark.Value
}

func (o *object) String() string        { return "<" + o.name + ">" }
func (o *object) Type() string          { return o.name }
func (o *object) Freeze()               {}
func (o *object) Truth() starlark.Bool  { return true }
func (o *object) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: %s", o.name) }

func (o *object) Attr(name string) (starlark.Value, error) {
	if v, ok := o.attrs[name]; ok {
		return v, nil
	}
	if o.find != nil {
		if v := o.find(name); v != nil {
			return v, nil
		}
	}
	return nil, &scriptError{class: "AttributeError", message: "'" + o.name + "' object has no attribute '" + name + "'"}
}

func (o *object) AttrNames() []string {
	names := sortedKeys(o.attrs)
	sort.Strings(names)
	return names
}
