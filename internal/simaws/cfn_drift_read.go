package simaws

import (
	"maps"
	"reflect"
	"strings"
)

// driftReaders give what a resource is now, in the shape of its properties; false
// when it is no more. A type without one cannot be checked: CloudFormation reads only
// types whose handlers can read (user guide, "Resource type support for imports and
// drift detection"). Members that the simulation does not keep are as expected.
var driftReaders = map[string]func(a *account, r *regionState, res *stackResource) (map[string]any, bool){
	"AWS::IAM::Role":              readRoleDrift,
	"AWS::IAM::ServiceLinkedRole": readLinkedRoleDrift,
	"AWS::IAM::ManagedPolicy":     readPolicyDrift,
	"AWS::SNS::Topic":             readTopicDrift,
	"AWS::S3::Bucket":             readBucketDrift,
	"AWS::S3::BucketPolicy":       readBucketPolicyDrift,
	"AWS::SSM::Document":          readDocumentDrift,
	"AWS::Config::ConfigRule":     readRuleDrift,
	"AWS::Config::ConfigurationAggregator": func(_ *account, r *regionState, res *stackResource) (map[string]any, bool) {
		_, there := r.config.aggregators[res.PhysicalID]
		return maps.Clone(res.Properties), there
	},
}

func readTopicDrift(_ *account, r *regionState, res *stackResource) (map[string]any, bool) {
	return maps.Clone(res.Properties), r.topics[res.PhysicalID]
}

// live sets what a property is now, when the template names it: "only resource
// properties explicitly defined in the stack template are checked" (DetectStackDrift).
func live(into map[string]any, name string, value any) {
	if _, named := into[name]; !named {
		return
	}
	if value == nil || reflect.ValueOf(value).IsZero() {
		delete(into, name)
		return
	}
	into[name] = value
}

// livePolicy is a policy as the template has it, unless it is another one by now.
func livePolicy(expected any, now policyDocument) any {
	if doc, err := parsePolicy(expected); err == nil && reflect.DeepEqual(doc, now) {
		return expected
	}
	return now.render()
}

func readRoleDrift(a *account, region *regionState, res *stackResource) (map[string]any, bool) {
	r := a.roles[res.PhysicalID]
	if r == nil {
		return nil, false
	}
	out := maps.Clone(res.Properties)
	live(out, "AssumeRolePolicyDocument", livePolicy(out["AssumeRolePolicyDocument"], r.Trust))
	live(out, "Description", r.Description)
	live(out, "Path", r.Path)
	live(out, "PermissionsBoundary", r.Boundary)
	if _, named := out["MaxSessionDuration"]; named && r.MaxSession > 0 {
		out["MaxSessionDuration"] = int(r.MaxSession.Seconds())
	}
	managed := []any{}
	for _, arn := range r.Managed {
		managed = append(managed, arn)
	}
	if _, named := out["ManagedPolicyArns"]; named {
		out["ManagedPolicyArns"] = managed
	}
	if expected, named := out["Policies"].([]any); named {
		var policies []any
		left := maps.Clone(r.Policies)
		for _, raw := range expected {
			m, _ := raw.(map[string]any)
			name := textOf(m["PolicyName"])
			if now, there := left[name]; there {
				policies = append(policies, map[string]any{"PolicyName": name, "PolicyDocument": livePolicy(m["PolicyDocument"], now)})
				delete(left, name)
			}
		}
		for _, name := range region.putBeside(res) {
			delete(left, name)
		}
		for _, name := range sortedKeys(left) {
			policies = append(policies, map[string]any{"PolicyName": name, "PolicyDocument": left[name].render()})
		}
		out["Policies"] = policies
	}
	return out, true
}

func readLinkedRoleDrift(a *account, _ *regionState, res *stackResource) (map[string]any, bool) {
	r := a.roles[res.PhysicalID]
	if r == nil {
		return nil, false
	}
	out := maps.Clone(res.Properties)
	live(out, "Description", r.Description)
	return out, true
}

func readPolicyDrift(a *account, _ *regionState, res *stackResource) (map[string]any, bool) {
	doc, there := a.managed[res.PhysicalID]
	out := maps.Clone(res.Properties)
	if there {
		live(out, "PolicyDocument", livePolicy(out["PolicyDocument"], doc))
	}
	return out, there
}

func readBucketDrift(a *account, _ *regionState, res *stackResource) (map[string]any, bool) {
	return maps.Clone(res.Properties), a.buckets[res.PhysicalID] != nil
}

func readBucketPolicyDrift(a *account, _ *regionState, res *stackResource) (map[string]any, bool) {
	b := a.buckets[textOf(res.Properties["Bucket"])]
	if b == nil || !b.HasPolicy {
		return nil, false
	}
	out := maps.Clone(res.Properties)
	live(out, "PolicyDocument", livePolicy(out["PolicyDocument"], b.Policy))
	return out, true
}

func readDocumentDrift(_ *account, r *regionState, res *stackResource) (map[string]any, bool) {
	d := r.documents[res.PhysicalID]
	if d == nil {
		return nil, false
	}
	out := maps.Clone(res.Properties)
	live(out, "DocumentType", d.Type)
	if expected := documentContent(out["Content"]); expected != nil && !reflect.DeepEqual(expected, d.Content) {
		out["Content"] = d.Content
		if d.Content == nil {
			out["Content"] = d.Text
		}
	}
	return out, true
}

func readRuleDrift(_ *account, r *regionState, res *stackResource) (map[string]any, bool) {
	rule := r.rules[res.PhysicalID]
	if rule == nil {
		return nil, false
	}
	out := maps.Clone(res.Properties)
	live(out, "Description", rule.Description)
	live(out, "MaximumExecutionFrequency", rule.Frequency)
	if source, named := out["Source"].(map[string]any); named {
		source = maps.Clone(source)
		live(source, "Owner", rule.Owner)
		live(source, "SourceIdentifier", rule.Identifier)
		out["Source"] = source
	}
	if scope, named := out["Scope"].(map[string]any); named {
		scope = maps.Clone(scope)
		types := []any{}
		for _, t := range rule.ScopeTypes {
			types = append(types, t)
		}
		if len(types) == 0 {
			types = nil
		}
		live(scope, "ComplianceResourceTypes", types)
		live(scope, "ComplianceResourceId", rule.ScopeID)
		live(scope, "TagKey", rule.ScopeKey)
		live(scope, "TagValue", rule.ScopeValue)
		out["Scope"] = scope
	}
	if _, named := out["InputParameters"]; named {
		now := map[string]any{}
		for k, v := range rule.InputParameters {
			now[k] = v
		}
		out["InputParameters"] = now
	}
	return out, true
}

// render is a policy as JSON values.
func (d policyDocument) render() map[string]any {
	one := func(list []string) any {
		if len(list) == 1 {
			return list[0]
		}
		out := []any{}
		for _, x := range list {
			out = append(out, x)
		}
		return out
	}
	statements := []any{}
	for _, st := range d.Statement {
		m := map[string]any{"Effect": "Deny"}
		if st.Allow {
			m["Effect"] = "Allow"
		}
		for name, list := range map[string][]string{"Action": st.Actions, "NotAction": st.NotActions, "Resource": st.Resources, "NotResource": st.NotResource} {
			if len(list) > 0 {
				m[name] = one(list)
			}
		}
		if st.Sid != "" {
			m["Sid"] = st.Sid
		}
		if st.Principals != nil {
			principals := map[string]any{}
			for kind, who := range st.Principals {
				principals[kind] = one(who)
			}
			m["Principal"] = principals
		}
		if st.Conditions != nil {
			conditions := map[string]any{}
			for operator, keys := range st.Conditions {
				byKey := map[string]any{}
				for key, values := range keys {
					byKey[key] = one(values)
				}
				conditions[operator] = byKey
			}
			m["Condition"] = conditions
		}
		statements = append(statements, m)
	}
	out := map[string]any{"Statement": statements}
	if d.Version != "" {
		out["Version"] = d.Version
	}
	return out
}

// propertyDifference is what differs at one place.
type propertyDifference struct{ PropertyPath, ExpectedValue, ActualValue, DifferenceType string }

// differences compares properties as CloudFormation does: NOT_EQUAL, for what is gone
// REMOVE, for what a list has more ADD (API reference, PropertyDifference).
func differences(path string, expected, actual any) (list []propertyDifference) {
	switch want := expected.(type) {
	case map[string]any:
		have, ok := actual.(map[string]any)
		if !ok {
			break
		}
		for _, k := range sortedKeys(want) {
			if now, there := have[k]; there {
				list = append(list, differences(path+"/"+k, want[k], now)...)
			} else {
				list = append(list, propertyDifference{path + "/" + k, driftText(want[k]), "null", "REMOVE"})
			}
		}
		for _, k := range sortedKeys(have) {
			if _, there := want[k]; !there {
				list = append(list, propertyDifference{path + "/" + k, "null", driftText(have[k]), "ADD"})
			}
		}
		return list
	case []any:
		have, ok := actual.([]any)
		if !ok {
			break
		}
		used := map[int]bool{}
		for i, x := range want {
			at := path + "/" + textOf(i)
			match := -1
			for j, y := range have {
				if !used[j] && sameElement(x, y) {
					match = j
					break
				}
			}
			if match < 0 {
				list = append(list, propertyDifference{at, driftText(x), "null", "REMOVE"})
				continue
			}
			used[match] = true
			list = append(list, differences(at, x, have[match])...)
		}
		for j, y := range have {
			if !used[j] {
				list = append(list, propertyDifference{path + "/" + textOf(j), "null", driftText(y), "ADD"})
			}
		}
		return list
	}
	if want, have := driftText(expected), driftText(actual); want != have {
		return []propertyDifference{{path, want, have, "NOT_EQUAL"}}
	}
	return nil
}

// sameElement pairs elements of two lists: by name, by key, or when they are equal.
func sameElement(a, b any) bool {
	x, xIsObject := a.(map[string]any)
	y, yIsObject := b.(map[string]any)
	if xIsObject && yIsObject {
		for _, key := range []string{"PolicyName", "Sid", "Key", "Id", "Name"} {
			if x[key] != nil || y[key] != nil {
				return reflect.DeepEqual(x[key], y[key])
			}
		}
	}
	return driftText(a) == driftText(b)
}

// driftText is a value as the calls show it: texts as they are, the rest as JSON.
func driftText(v any) string {
	switch v.(type) {
	case map[string]any, []any:
		return strings.TrimSpace(string(marshal(v)))
	case nil:
		return "null"
	}
	return textOf(v)
}
