package templates

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	starjson "go.starlark.net/lib/json"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"go.starlark.net/syntax"
)

// The scripts keep to what Python and Starlark share, so that the simulated
// organization can run them too.
func TestRunbookInStarlark(t *testing.T) { testRunbook(t, runStarlark, false) }

var (
	importLine = regexp.MustCompile(`(?m)^import \w+$`)
	raiseLine  = regexp.MustCompile(`(?m)^(\s*)raise Exception\((.*)\)$`)
	dialect    = &syntax.FileOptions{Set: true, While: true, TopLevelControl: true, GlobalReassign: true, Recursion: true}
)

func runStarlark(t *testing.T, j job) outcome {
	thread := &starlark.Thread{Name: t.Name()}
	stub, err := starlark.ExecFileOptions(dialect, thread, "boto3.star", j.Stub, nil)
	if err != nil {
		t.Fatal(err)
	}
	world := fromGo(t, thread, j.World)
	client := func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var service, region starlark.String
		err := starlark.UnpackArgs("client", args, kwargs, "service", &service, "region_name?", &region)
		return stubClient{stub["answer"], world, service, region}, err
	}
	globals := starlark.StringDict{
		"boto3": starlarkstruct.FromStringDict(starlarkstruct.Default, starlark.StringDict{"client": starlark.NewBuiltin("client", client)}),
		"time": starlarkstruct.FromStringDict(starlarkstruct.Default, starlark.StringDict{
			"time": starlark.NewBuiltin("time", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
				return starlark.Float(today), nil
			}),
		}),
		"json": starlarkstruct.FromStringDict(starlarkstruct.Default, starlark.StringDict{
			"dumps": starjson.Module.Members["encode"], "loads": starjson.Module.Members["decode"],
		}),
	}
	script := raiseLine.ReplaceAllString(importLine.ReplaceAllString(j.Script, ""), "${1}fail(${2})")
	var out outcome
	module, err := starlark.ExecFileOptions(dialect, thread, "script", script, globals)
	if err == nil {
		var result starlark.Value
		result, err = starlark.Call(thread, module[j.Handler], starlark.Tuple{fromGo(t, thread, j.Payload), starlark.None}, nil)
		if err == nil {
			toGo(t, thread, result, &out.Payload)
		}
	}
	if err != nil {
		out.Error = err.Error()
	}
	toGo(t, thread, world, &out.World)
	return out
}

func fromGo(t *testing.T, thread *starlark.Thread, v any) starlark.Value {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	value, err := starlark.Call(thread, starjson.Module.Members["decode"], starlark.Tuple{starlark.String(text)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func toGo(t *testing.T, thread *starlark.Thread, v starlark.Value, into any) {
	t.Helper()
	text, err := starlark.Call(thread, starjson.Module.Members["encode"], starlark.Tuple{v}, nil)
	if err == nil {
		err = json.Unmarshal([]byte(text.(starlark.String)), into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// stubClient is a boto3 client whose every method is the stub's answer.
type stubClient struct {
	answer          starlark.Value
	world           starlark.Value
	service, region starlark.String
}

func (c stubClient) String() string        { return "client " + string(c.service) }
func (c stubClient) Type() string          { return "client" }
func (c stubClient) Freeze()               {}
func (c stubClient) Truth() starlark.Bool  { return true }
func (c stubClient) Hash() (uint32, error) { return 0, nil }
func (c stubClient) AttrNames() []string   { return nil }

func (c stubClient) Attr(name string) (starlark.Value, error) {
	return starlark.NewBuiltin(name, func(thread *starlark.Thread, _ *starlark.Builtin, _ starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		args := starlark.NewDict(len(kwargs))
		for _, kv := range kwargs {
			if err := args.SetKey(kv[0], kv[1]); err != nil {
				return nil, err
			}
		}
		response, err := starlark.Call(thread, c.answer, starlark.Tuple{c.world, c.service, c.region, starlark.String(name), args}, nil)
		if refusal, ok := response.(starlark.String); ok {
			return nil, &SyntaxError{Message: strings.TrimSpace(string(refusal))}
		}
		return dated(response), err
	}), nil
}

// today is when the scripts run.
const today = 1e9

// dated makes of {"$days": n} what boto3 gives, a datetime of n days ago.
func dated(v starlark.Value) starlark.Value {
	switch v := v.(type) {
	case *starlark.List:
		var items []starlark.Value
		for i := range v.Len() {
			items = append(items, dated(v.Index(i)))
		}
		return starlark.NewList(items)
	case *starlark.Dict:
		if days, found, _ := v.Get(starlark.String("$days")); found {
			n, _ := starlark.AsFloat(days)
			give := func(name string, value starlark.Value) *starlark.Builtin {
				return starlark.NewBuiltin(name, func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
					return value, nil
				})
			}
			return starlarkstruct.FromStringDict(starlarkstruct.Default, starlark.StringDict{
				"timestamp": give("timestamp", starlark.Float(today-n*86400)), "isoformat": give("isoformat", starlark.String("a time")),
			})
		}
		out := starlark.NewDict(v.Len())
		for _, item := range v.Items() {
			_ = out.SetKey(item[0], dated(item[1]))
		}
		return out
	}
	return v
}
