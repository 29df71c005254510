package simaws

import (
	"strings"

	"go.starlark.net/starlark"
)

// textFunction is str or repr as Python has them: Starlark's write texts in double
// quotes.
func textFunction(name string, text func(starlark.Value) string) starlark.Value {
	return function(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		switch {
		case len(args) == 0 && name == "str":
			return starlark.String(""), nil
		case len(args) != 1:
			return nil, &scriptError{class: "TypeError", message: name + " expected 1 argument"}
		}
		return starlark.String(text(args[0])), nil
	})
}

func pythonStr(v starlark.Value) string {
	if text, ok := starlark.AsString(v); ok {
		return text
	}
	return pythonRepr(v)
}

func pythonRepr(v starlark.Value) string {
	switch t := v.(type) {
	case starlark.String:
		return quoted(string(t))
	case *starlark.List:
		return "[" + strings.Join(reprs(t), ", ") + "]"
	case starlark.Tuple:
		if len(t) == 1 {
			return "(" + pythonRepr(t[0]) + ",)"
		}
		return "(" + strings.Join(reprs(t), ", ") + ")"
	case *starlark.Dict:
		var pairs []string
		for _, item := range t.Items() {
			pairs = append(pairs, pythonRepr(item[0])+": "+pythonRepr(item[1]))
		}
		return "{" + strings.Join(pairs, ", ") + "}"
	}
	return v.String()
}

func reprs(list starlark.Indexable) []string {
	var out []string
	for i := range list.Len() {
		out = append(out, pythonRepr(list.Index(i)))
	}
	return out
}

// quoted is a text as Python's repr writes it: in single quotes, unless it has some
// and no double ones.
func quoted(text string) string {
	quote := "'"
	if strings.Contains(text, "'") && !strings.Contains(text, `"`) {
		quote = `"`
	}
	escaped := strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\t", `\t`, "\r", `\r`, quote, `\`+quote).Replace(text)
	return quote + escaped + quote
}
