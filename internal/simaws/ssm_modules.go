package simaws

import (
	"errors"
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
		"Config":    nothing,
		"_raise":    function("raise", raise),
		"_try":      function("try", tried),
		"Exception": anyException, "ClientError": clientError,
		"botocore":   &object{name: "botocore", attrs: map[string]starlark.Value{"exceptions": &object{name: "exceptions", attrs: map[string]starlark.Value{"ClientError": clientError}}}},
		"isinstance": function("isinstance", isInstance),
		"sum":        function("sum", sum),
		"str":        textFunction("str", pythonStr), "repr": textFunction("repr", pythonRepr),
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
		return nil, &scriptError{class: "TypeError", message: "isinstance expected 2 arguments"}
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
		return nil, &scriptError{class: "TypeError", message: "sum expected 1 argument"}
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
			return nil, &scriptError{class: "TypeError", message: "unsupported operand for sum"}
		}
		total += n
	}
	return toStarlark(total, 0)
}

func (sr *scriptRun) time() time.Time { return sr.run.s.clock.Now().Add(sr.slept) }

func (sr *scriptRun) unix(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
	return starlark.Float(float64(sr.time().UnixMilli()) / 1000), nil
}

func (sr *scriptRun) now(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
	return pythonTime(sr.time()), nil
}

// pythonTime is a datetime with isoformat, strftime and timestamp.
func pythonTime(at time.Time) starlark.Value {
	at = at.UTC()
	iso := function("isoformat", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
		if at.Nanosecond()/1000 == 0 {
			return starlark.String(at.Format("2006-01-02T15:04:05+00:00")), nil
		}
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
	stamp := function("timestamp", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
		return starlark.Float(float64(at.UnixMilli()) / 1000), nil
	})
	return &object{name: "datetime", attrs: map[string]starlark.Value{"isoformat": iso, "strftime": format, "timestamp": stamp}}
}

func (sr *scriptRun) sleep(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	if len(args) == 1 {
		if n, ok := starlark.AsFloat(args[0]); ok && n >= 0 && n < 1e6 {
			sr.slept += time.Duration(n * float64(time.Second))
			return starlark.None, nil
		}
	}
	return nil, &scriptError{class: "ValueError", message: b.Name() + " length must be non-negative"}
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
		return nil, &scriptError{class: "TypeError", message: "client() missing 1 required positional argument: 'service_name'"}
	}
	if name != "" {
		if sr.run.s.world.regionStatus(sr.run.start.account, name) == "" {
			return nil, &scriptError{class: "EndpointConnectionError", message: "Could not connect to the endpoint URL: \"https://" + service + "." + name + ".amazonaws.com/\""}
		}
		region = sr.run.start.account.region(name)
	}
	meta := &object{name: "ClientMeta", attrs: map[string]starlark.Value{"region_name": starlark.String(region.name)}}
	return &object{name: service, attrs: map[string]starlark.Value{
		"meta":          meta,
		"exceptions":    exceptionsOf(service),
		"get_paginator": function("get_paginator", sr.paginator(service, region)),
	}, find: func(method string) starlark.Value {
		if method == "" || strings.HasPrefix(method, "_") || method == "get_waiter" {
			return nil
		}
		return function(method, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			if len(args) > 0 {
				return nil, &scriptError{class: "TypeError", message: method + "() only accepts keyword arguments."}
			}
			in, err := keywords(kwargs)
			if err != nil {
				return nil, err
			}
			out, err := sr.call(region, service, pascal(method), in)
			if err != nil {
				return nil, err
			}
			return toStarlark(withTimes(out), 0)
		})
	}}, nil
}

// call makes an API call; its error is raised as botocore's ClientError.
func (sr *scriptRun) call(region *regionState, service, op string, in map[string]any) (map[string]any, error) {
	out, err := sr.run.call(region, service, op, in)
	if err != nil {
		raised := &scriptError{class: "ClientError", message: botoError(op, err)}
		var api *apiError
		if errors.As(err, &api) {
			raised.code, raised.said = api.Code, api.Message
		}
		return nil, raised
	}
	return out, nil
}

// timeMembers are the members of answers, of the calls that scripts make, that boto3
// gives as datetimes.
var timeMembers = map[string]bool{"CreateDate": true, "LastUsedDate": true, "PasswordLastUsed": true, "createdAt": true, "updatedAt": true}

// withTimes makes times of an answer's texts.
func withTimes(v any) any {
	switch t := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range t {
			out[k] = withTimes(x)
			if text, ok := x.(string); ok && timeMembers[k] {
				if at, err := time.Parse(time.RFC3339, text); err == nil {
					out[k] = at
				}
			}
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i := range t {
			out[i] = withTimes(t[i])
		}
		return out
	}
	return v
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

// pageTokens are the members of answers that say where the next page begins, with those
// of the next request (botocore's paginators).
var pageTokens = map[string]string{"NextToken": "NextToken", "nextToken": "nextToken", "NextMarker": "Marker"}

// paginator serves client.get_paginator(op).paginate(…): the list of all pages.
func (sr *scriptRun) paginator(service string, region *regionState) builtin {
	return func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		if len(args) != 1 {
			return nil, &scriptError{class: "TypeError", message: "get_paginator() takes one argument"}
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
				page, err := toStarlark(withTimes(out), 0)
				if err != nil {
					return nil, err
				}
				pages = append(pages, page)
				more := false
				for answered, asked := range pageTokens {
					if token, _ := out[answered].(string); token != "" {
						in[asked], more = token, true
					}
				}
				if !more {
					break
				}
			}
			return starlark.NewList(pages), nil
		}
		return &object{name: "Paginator", attrs: map[string]starlark.Value{"paginate": function("paginate", paginate)}}, nil
	}
}
