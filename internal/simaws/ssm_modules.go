package simaws

import (
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"go.starlark.net/starlark"
)

type builtin = func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error)

func function(name string, f builtin) starlark.Value { return starlark.NewBuiltin(name, f) }

// predeclared is what a script finds: the modules that runbooks import and the
// functions that Python has and Starlark has not.
func (sr *scriptRun) predeclared() starlark.StringDict {
	client := function("client", sr.client)
	session := function("Session", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
		return &object{name: "Session", attrs: map[string]starlark.Value{"client": client}}, nil
	})
	nothing := function("Config", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
		return starlark.None, nil
	})
	now := function("now", sr.now)
	clock := &object{name: "datetime", attrs: map[string]starlark.Value{"now": now, "utcnow": now}}
	clock.attrs["datetime"] = clock
	clock.attrs["timezone"] = &object{name: "timezone", attrs: map[string]starlark.Value{"utc": starlark.None}}
	sleep := function("sleep", sr.sleep)
	return starlark.StringDict{
		"boto3":    &object{name: "boto3", attrs: map[string]starlark.Value{"client": client, "Session": session}},
		"json":     &object{name: "json", attrs: map[string]starlark.Value{"dumps": function("dumps", jsonDumps), "loads": function("loads", jsonLoads)}},
		"time":     &object{name: "time", attrs: map[string]starlark.Value{"sleep": sleep, "time": function("time", sr.unix)}},
		"sleep":    sleep,
		"datetime": clock, "timezone": clock.attrs["timezone"],
		"Config":     nothing,
		"_raise":     function("raise", raise),
		"isinstance": function("isinstance", isInstance),
		"sum":        function("sum", sum),
	}
}

func raise(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	e := &scriptError{class: "Exception"}
	for i, arg := range args {
		text, ok := starlark.AsString(arg)
		if !ok {
			text = arg.String()
		}
		switch {
		case i == 0:
			e.class = text
		case e.message == "":
			e.message = text
		default:
			e.message += ", " + text
		}
	}
	return nil, e
}

func isInstance(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	if len(args) != 2 {
		return nil, &scriptError{"TypeError", "isinstance expected 2 arguments"}
	}
	kinds := starlark.Tuple{args[1]}
	if t, ok := args[1].(starlark.Tuple); ok {
		kinds = t
	}
	have := map[string]string{"string": "str", "NoneType": "NoneType"}[args[0].Type()]
	have = orElse(have, args[0].Type())
	for _, kind := range kinds {
		if f, ok := kind.(*starlark.Builtin); ok && f.Name() == have {
			return starlark.True, nil
		}
	}
	return starlark.False, nil
}

func sum(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	if len(args) != 1 {
		return nil, &scriptError{"TypeError", "sum expected 1 argument"}
	}
	list, err := fromStarlark(args[0], 0)
	if err != nil {
		return nil, err
	}
	total := 0.0
	items, _ := list.([]any)
	for _, x := range items {
		n, ok := x.(float64)
		if b, isBool := x.(bool); isBool {
			ok = true
			if b {
				n = 1
			}
		}
		if !ok {
			return nil, &scriptError{"TypeError", "unsupported operand for sum"}
		}
		total += n
	}
	return toStarlark(total, 0)
}

func (sr *scriptRun) time() time.Time { return sr.run.s.clock.Now().Add(sr.slept) }

func (sr *scriptRun) unix(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
	return starlark.Float(float64(sr.time().UnixMilli()) / 1000), nil
}

// now gives a time with isoformat and strftime.
func (sr *scriptRun) now(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
	at := sr.time().UTC()
	iso := function("isoformat", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
		return starlark.String(at.Format("2006-01-02T15:04:05.000000+00:00")), nil
	})
	format := function("strftime", func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		text := ""
		if len(args) == 1 {
			text, _ = starlark.AsString(args[0])
		}
		return starlark.String(strings.NewReplacer("%Y", at.Format("2006"), "%m", at.Format("01"), "%d", at.Format("02"),
			"%H", at.Format("15"), "%M", at.Format("04"), "%S", at.Format("05"), "%f", at.Format("000000"), "%z", "+0000", "%Z", "UTC", "%%", "%").Replace(text)), nil
	})
	return &object{name: "datetime", attrs: map[string]starlark.Value{"isoformat": iso, "strftime": format}}, nil
}

func (sr *scriptRun) sleep(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	if len(args) == 1 {
		if n, ok := starlark.AsFloat(args[0]); ok && n >= 0 && n < 1e6 {
			sr.slept += time.Duration(n * float64(time.Second))
			return starlark.None, nil
		}
	}
	return nil, &scriptError{"ValueError", b.Name() + " length must be non-negative"}
}

// client serves boto3.client(name, region_name=…).
func (sr *scriptRun) client(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	service, region := "", sr.run.start.region
	if len(args) > 0 {
		service, _ = starlark.AsString(args[0])
	}
	name := ""
	if len(args) > 1 {
		name, _ = starlark.AsString(args[1])
	}
	for _, kv := range kwargs {
		switch key, _ := starlark.AsString(kv[0]); key {
		case "service_name":
			service, _ = starlark.AsString(kv[1])
		case "region_name":
			name, _ = starlark.AsString(kv[1])
		}
	}
	if service == "" {
		return nil, &scriptError{"TypeError", "client() missing 1 required positional argument: 'service_name'"}
	}
	if name != "" {
		if sr.run.s.world.regionStatus(sr.run.start.account, name) == "" {
			return nil, &scriptError{"EndpointConnectionError", "Could not connect to the endpoint URL: \"https://" + service + "." + name + ".amazonaws.com/\""}
		}
		region = sr.run.start.account.region(name)
	}
	meta := &object{name: "ClientMeta", attrs: map[string]starlark.Value{"region_name": starlark.String(region.name)}}
	return &object{name: service, attrs: map[string]starlark.Value{
		"meta":          meta,
		"get_paginator": function("get_paginator", sr.paginator(service, region)),
	}, find: func(method string) starlark.Value {
		if method == "" || strings.HasPrefix(method, "_") || method == "exceptions" || method == "get_waiter" {
			return nil
		}
		return function(method, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			if len(args) > 0 {
				return nil, &scriptError{"TypeError", method + "() only accepts keyword arguments."}
			}
			in, err := keywords(kwargs)
			if err != nil {
				return nil, err
			}
			out, err := sr.call(region, service, pascal(method), in)
			if err != nil {
				return nil, err
			}
			return toStarlark(out, 0)
		})
	}}, nil
}

// call makes an API call; its error is raised as botocore's ClientError.
func (sr *scriptRun) call(region *regionState, service, op string, in map[string]any) (map[string]any, error) {
	out, err := sr.run.call(region, service, op, in)
	if err != nil {
		return nil, &scriptError{"ClientError", botoError(op, err)}
	}
	return out, nil
}

func keywords(kwargs []starlark.Tuple) (map[string]any, error) {
	in := map[string]any{}
	for _, kv := range kwargs {
		key, _ := starlark.AsString(kv[0])
		value, err := fromStarlark(kv[1], 0)
		if err != nil {
			return nil, err
		}
		in[key] = value
	}
	return in, nil
}

// paginator serves client.get_paginator(op).paginate(…): the list of all pages.
func (sr *scriptRun) paginator(service string, region *regionState) builtin {
	return func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		if len(args) != 1 {
			return nil, &scriptError{"TypeError", "get_paginator() takes one argument"}
		}
		method, _ := starlark.AsString(args[0])
		paginate := func(_ *starlark.Thread, _ *starlark.Builtin, _ starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			in, err := keywords(kwargs)
			if err != nil {
				return nil, err
			}
			delete(in, "PaginationConfig")
			var pages []starlark.Value
			for len(pages) < 1000 {
				out, err := sr.call(region, service, pascal(method), in)
				if err != nil {
					return nil, err
				}
				page, err := toStarlark(out, 0)
				if err != nil {
					return nil, err
				}
				pages = append(pages, page)
				token, _ := out["NextToken"].(string)
				if token == "" {
					break
				}
				in["NextToken"] = token
			}
			return starlark.NewList(pages), nil
		}
		return &object{name: "Paginator", attrs: map[string]starlark.Value{"paginate": function("paginate", paginate)}}, nil
	}
}

func jsonLoads(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	if len(args) == 0 {
		return nil, &scriptError{"TypeError", "loads() missing 1 required positional argument: 's'"}
	}
	value, err := fromStarlark(args[0], 0)
	if err != nil {
		return nil, err
	}
	var out any
	if err := json.Unmarshal([]byte(textOf(value)), &out); err != nil {
		return nil, &scriptError{"JSONDecodeError", err.Error()}
	}
	return toStarlark(out, 0)
}

// jsonDumps writes JSON as Python does: ", " and ": ", or indented.
func jsonDumps(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) == 0 {
		return nil, &scriptError{"TypeError", "dumps() missing 1 required positional argument: 'obj'"}
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
		return &scriptError{"ValueError", "Circular reference detected"}
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
			return &scriptError{"TypeError", "Object of type " + v.Type() + " is not JSON serializable"}
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
