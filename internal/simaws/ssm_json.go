package simaws

import (
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"go.starlark.net/starlark"
)

func jsonLoads(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	if len(args) == 0 {
		return nil, &scriptError{class: "TypeError", message: "loads() missing 1 required positional argument: 's'"}
	}
	value, err := fromStarlark(args[0], 0)
	if err != nil {
		return nil, err
	}
	var out any
	if err := json.Unmarshal([]byte(textOf(value)), &out); err != nil {
		return nil, &scriptError{class: "JSONDecodeError", message: err.Error()}
	}
	return toStarlark(out, 0)
}

// jsonDumps writes JSON as Python does: ", " and ": ", or indented.
func jsonDumps(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) == 0 {
		return nil, &scriptError{class: "TypeError", message: "dumps() missing 1 required positional argument: 'obj'"}
	}
	w := jsonWriter{indent: -1, item: ", ", key: ": "}
	for _, kv := range kwargs {
		switch name, _ := starlark.AsString(kv[0]); name {
		case "indent":
			if n, err := starlark.AsInt32(kv[1]); err == nil && n >= 0 && n < 20 {
				w.indent, w.item = n, ","
			}
		case "sort_keys":
			w.sorted = bool(kv[1].Truth())
		case "default":
			w.lenient = true
		case "separators":
			if t, ok := kv[1].(starlark.Tuple); ok && len(t) == 2 {
				w.item, _ = starlark.AsString(t[0])
				w.key, _ = starlark.AsString(t[1])
			}
		}
	}
	if err := w.value(args[0], 0); err != nil {
		return nil, err
	}
	return starlark.String(w.out.String()), nil
}

type jsonWriter struct {
	out             strings.Builder
	indent          int
	item, key       string
	sorted, lenient bool
}

func (w *jsonWriter) line(depth int) {
	if w.indent >= 0 {
		w.out.WriteString("\n" + strings.Repeat(" ", w.indent*depth))
	}
}

func (w *jsonWriter) value(v starlark.Value, depth int) error {
	if depth > 100 {
		return &scriptError{class: "ValueError", message: "Circular reference detected"}
	}
	switch t := v.(type) {
	case starlark.NoneType:
		w.out.WriteString("null")
	case starlark.Bool:
		w.out.WriteString(strconv.FormatBool(bool(t)))
	case starlark.String:
		b, err := json.Marshal(string(t))
		if err != nil {
			return err
		}
		w.out.WriteString(strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(b)))
	case starlark.Int, starlark.Float:
		w.out.WriteString(v.String())
	case *starlark.Dict:
		return w.dict(t, depth)
	case *starlark.List, starlark.Tuple:
		list := v.(starlark.Indexable)
		if list.Len() == 0 {
			w.out.WriteString("[]")
			return nil
		}
		w.out.WriteString("[")
		for i := range list.Len() {
			if i > 0 {
				w.out.WriteString(w.item)
			}
			w.line(depth + 1)
			if err := w.value(list.Index(i), depth+1); err != nil {
				return err
			}
		}
		w.line(depth)
		w.out.WriteString("]")
	default:
		if !w.lenient {
			return &scriptError{class: "TypeError", message: "Object of type " + v.Type() + " is not JSON serializable"}
		}
		w.out.WriteString(strconv.Quote(v.String()))
	}
	return nil
}

func (w *jsonWriter) dict(d *starlark.Dict, depth int) error {
	items := d.Items()
	if len(items) == 0 {
		w.out.WriteString("{}")
		return nil
	}
	text := func(v starlark.Value) string {
		if s, ok := starlark.AsString(v); ok {
			return s
		}
		return v.String()
	}
	if w.sorted {
		sort.SliceStable(items, func(i, j int) bool { return text(items[i][0]) < text(items[j][0]) })
	}
	w.out.WriteString("{")
	for i, item := range items {
		if i > 0 {
			w.out.WriteString(w.item)
		}
		w.line(depth + 1)
		if err := w.value(starlark.String(text(item[0])), depth); err != nil {
			return fmt.Errorf("key: %w", err)
		}
		w.out.WriteString(w.key)
		if err := w.value(item[1], depth+1); err != nil {
			return err
		}
	}
	w.line(depth)
	w.out.WriteString("}")
	return nil
}
