package templates

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Replacement says whether a change makes a new resource and deletes the old one.
type Replacement string

const (
	ReplacementNever  Replacement = "never"
	ReplacementMay    Replacement = "may" // AWS decides, or the type is not known here
	ReplacementAlways Replacement = "always"
)

// ResourceChange is what becomes of one resource when a stack is updated.
type ResourceChange struct {
	LogicalID, Type string
	Action          string // add, remove, modify
	// Properties are the paths of those that change, like Content or
	// RecordingGroup/AllSupported; of a modify only.
	Properties  []string
	Replacement Replacement
	// Retained says that what is removed, or replaced, stays in the account.
	Retained bool
	// Note says what a list of properties cannot.
	Note string
}

// Version is a template with the parameters that it is, or is to be, deployed with.
// Values may have pseudo parameters too (AWS::Region).
type Version struct {
	Document *Document
	Values   map[string]string
}

// Diff compares two versions of a stack, resource by resource, in the order of the
// new template and then of the old. Conditions and values are worked out as far as
// parameters, mappings and the Region decide them; what only a deployment knows is
// compared as it is written. What refers to a resource that is replaced changes too,
// as the user guide says of dynamic changes ("Update behaviors of stack resources").
func Diff(old, new Version) []ResourceChange {
	before, after := resolve(old), resolve(new)
	changes := map[string]*ResourceChange{}
	for id, r := range after {
		was, there := before[id]
		switch {
		case !there:
			changes[id] = &ResourceChange{LogicalID: id, Type: r.Type, Action: "add", Replacement: ReplacementNever}
		case was.Type != r.Type:
			changes[id] = &ResourceChange{LogicalID: id, Type: r.Type, Action: "modify", Replacement: ReplacementNever,
				Note: "CloudFormation refuses to change a resource's type, here from " + was.Type + ": give it another logical id"}
		default:
			if paths := differ("", was.Properties, r.Properties); paths != nil {
				changes[id] = modified(id, r, paths)
			}
		}
	}
	for id, r := range before {
		if _, stays := after[id]; !stays {
			changes[id] = &ResourceChange{LogicalID: id, Type: r.Type, Action: "remove", Replacement: ReplacementNever, Retained: strings.HasPrefix(r.DeletionPolicy, "Retain")}
		}
	}
	follow(before, after, changes)
	var out []ResourceChange
	seen := map[string]bool{}
	for _, id := range append(slices.Clone(new.Document.ResourceOrder), old.Document.ResourceOrder...) {
		if c := changes[id]; c != nil && !seen[id] {
			seen[id] = true
			if c.Action == "modify" && c.Replacement != ReplacementNever {
				c.Retained = after[id].UpdateReplacePolicy == "Retain"
			}
			out = append(out, *c)
		}
	}
	return out
}

func modified(id string, r Resource, paths []string) *ResourceChange {
	return &ResourceChange{LogicalID: id, Type: r.Type, Action: "modify", Properties: paths, Replacement: replacement(r, paths)}
}

// follow goes on from what is replaced to what refers to it, until nothing is new.
func follow(before, after map[string]Resource, changes map[string]*ResourceChange) {
	for again := true; again; {
		again = false
		for id, r := range after {
			c := changes[id]
			if _, stays := before[id]; !stays || c != nil && c.Replacement == ReplacementAlways {
				continue
			}
			for name, value := range r.Properties {
				if !refersTo(value, func(other string) bool {
					o := changes[other]
					return o != nil && o.Action == "modify" && o.Replacement != ReplacementNever
				}) || c != nil && slices.Contains(c.Properties, name) {
					continue
				}
				var paths []string
				if c != nil {
					paths = c.Properties
				}
				next := modified(id, r, slices.Sorted(slices.Values(append(slices.Clone(paths), name))))
				if next.Replacement == ReplacementAlways && (c == nil || c.Replacement != ReplacementAlways) {
					next.Replacement = ReplacementMay // what it refers to may keep its value
				}
				c, changes[id], again = next, next, true
			}
		}
	}
}

// resolve gives the resources that a version has, their values worked out.
func resolve(v Version) map[string]Resource {
	out := map[string]Resource{}
	if v.Document == nil {
		return out
	}
	e := newEvaluation(v.Document, v.Values)
	for id, r := range v.Document.Resources {
		if holds, known := e.condition(r.Condition); r.Condition != "" && known && !holds {
			continue
		}
		r.Properties, _ = e.partly(r.Properties).(map[string]any)
		out[id] = r
	}
	return out
}

// partly works a value out as far as can be: what stays unknown is left as it is
// written, with what is known put in.
func (e *evaluation) partly(v any) any {
	whole := e.value(v)
	if !holdsUnknown(whole) {
		return whole
	}
	switch v := v.(type) {
	case []any:
		out := []any{}
		for _, item := range v {
			if item = e.partly(item); item != any(noValue{}) {
				out = append(out, item)
			}
		}
		return out
	case map[string]any:
		if list, ok := v["Fn::If"].([]any); ok && len(v) == 1 && len(list) == 3 {
			name, _ := list[0].(string)
			return e.branch(name, list)
		}
		out := make(map[string]any, len(v))
		for k, inner := range v {
			if k == "Fn::Sub" {
				inner = e.subKnown(inner)
			}
			if inner = e.partly(inner); inner != any(noValue{}) {
				out[k] = inner
			}
		}
		return out
	}
	return v
}

// branch is an Fn::If: the branch taken, or both beside what decides between them.
func (e *evaluation) branch(name string, list []any) any {
	if holds, known := e.condition(name); known && holds {
		return e.partly(list[1])
	} else if known {
		return e.partly(list[2])
	}
	var decides any = name
	if c, there := e.d.Conditions[name]; there && !e.open[name] {
		e.open[name] = true
		decides = e.partly(c)
		delete(e.open, name)
	}
	return map[string]any{"Fn::If": []any{decides, e.partly(list[1]), e.partly(list[2])}}
}

// subKnown puts into a Fn::Sub what is known of it.
func (e *evaluation) subKnown(argument any) any {
	put := func(text string, own map[string]any) string {
		return substituted.ReplaceAllStringFunc(text, func(s string) string {
			if _, given := own[s[2:len(s)-1]]; given || s[2] == '!' {
				return s
			}
			if text, known := plainText(e.ref(s[2 : len(s)-1])); known {
				return text
			}
			return s
		})
	}
	if text, ok := argument.(string); ok {
		return put(text, nil)
	}
	if list, ok := argument.([]any); ok && len(list) == 2 {
		own, _ := list[1].(map[string]any)
		if text, ok := list[0].(string); ok {
			return []any{put(text, own), list[1]}
		}
	}
	return argument
}

// differ gives the paths in which two values differ; lists and functions count as
// a whole.
func differ(at string, a, b any) []string {
	x, okX := a.(map[string]any)
	y, okY := b.(map[string]any)
	if !okX || !okY || at != "" && (function(x) || function(y)) {
		if sameValue(a, b) {
			return nil
		}
		return []string{at}
	}
	var out []string
	names := maps.Clone(x)
	maps.Copy(names, y)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		path := strings.TrimPrefix(at+"/"+name, "/")
		_, inX := x[name]
		_, inY := y[name]
		if inX != inY {
			out = append(out, path)
			continue
		}
		out = append(out, differ(path, x[name], y[name])...)
	}
	return out
}

func function(m map[string]any) bool {
	for name := range m {
		return len(m) == 1 && (name == "Ref" || strings.HasPrefix(name, "Fn::"))
	}
	return false
}

// sameValue compares as CloudFormation does: true and "true" are one value.
func sameValue(a, b any) bool {
	if x, ok := plainText(a); ok {
		y, ok := plainText(b)
		return ok && x == y
	}
	x, okX := a.([]any)
	y, okY := b.([]any)
	if okX && okY {
		return slices.EqualFunc(x, y, sameValue)
	}
	m, okX := a.(map[string]any)
	n, okY := b.(map[string]any)
	if okX && okY {
		return maps.EqualFunc(m, n, sameValue)
	}
	return reflect.DeepEqual(a, b)
}

// replacement says what a change of some properties does to a resource.
func replacement(r Resource, paths []string) Replacement {
	if r.Type == "AWS::SSM::Document" {
		// Its registry schema leaves it open; UpdateMethod decides (template
		// reference, AWS::SSM::Document, UpdateMethod: Replace by default).
		if slices.Equal(paths, []string{"Tags"}) || slices.Equal(paths, []string{"UpdateMethod"}) {
			return ReplacementNever
		}
		if method, known := r.Properties["UpdateMethod"].(string); known && method == "NewVersion" && !slices.Contains(paths, "Name") && !slices.Contains(paths, "DocumentType") {
			return ReplacementNever
		}
		return ReplacementAlways
	}
	fixed, known := createOnly()[r.Type]
	if !known {
		return ReplacementMay
	}
	out := ReplacementNever
	for _, path := range paths {
		switch {
		case slices.ContainsFunc(fixed.always, func(p string) bool { return overlap(p, path) }):
			return ReplacementAlways
		case slices.ContainsFunc(fixed.perhaps, func(p string) bool { return overlap(p, path) }):
			out = ReplacementMay
		}
	}
	return out
}

// overlap says whether one path is the other or lies under it.
func overlap(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/")
}

// refersTo says whether a value refers to a resource that is asked for.
func refersTo(v any, is func(id string) bool) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, func(inner any) bool { return refersTo(inner, is) })
	case map[string]any:
		for name, inner := range v {
			switch name {
			case "Ref":
				if id, ok := inner.(string); ok && is(id) {
					return true
				}
			case "Fn::GetAtt":
				if list, ok := inner.([]any); ok && len(list) > 0 {
					if id, ok := list[0].(string); ok && is(id) {
						return true
					}
				}
			case "Fn::Sub":
				if subRefersTo(inner, is) {
					return true
				}
			}
			if refersTo(inner, is) {
				return true
			}
		}
	}
	return false
}

func subRefersTo(argument any, is func(id string) bool) bool {
	text, _ := argument.(string)
	if list, ok := argument.([]any); ok && len(list) > 0 {
		text, _ = list[0].(string)
	}
	for _, m := range substituted.FindAllStringSubmatch(text, -1) {
		if id, _, _ := strings.Cut(m[1], "."); is(id) {
			return true
		}
	}
	return false
}
