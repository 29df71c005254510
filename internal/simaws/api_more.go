package simaws

import (
	"encoding/xml"
	"fmt"
	"slices"
)

// checker asks whether the caller may do a thing to a resource.
type checker func(action, resource string, extra map[string]string) error

// apiCall does a call in the shapes that boto3 uses.
type apiCall func(s *Sim, check checker, a *account, r *regionState, in map[string]any) (map[string]any, error)

// apiCalls are calls that scripts and the wire share, by "service:Operation".
var apiCalls = map[string]apiCall{}

func init() {
	for _, some := range []map[string]apiCall{passwordCalls, encryptionCalls, flowLogCalls, accountBlockCalls, userCalls, instanceCalls, snapshotCalls, bucketCalls, bucketWrites, subnetCalls, templateCalls, ecsCalls, lambdaCalls} {
		for name, do := range some {
			apiCalls[name] = do
		}
	}
}

// iamShared serves a call of IAM over its query protocol; dispatch has asked for
// permission.
func iamShared(s *Sim, c *call) (any, error) {
	a := s.iamAccount(c)
	out, err := apiCalls["iam:"+c.Action](s, func(string, string, map[string]string) error { return nil }, a, nil, c.Form.tree())
	if err != nil || out == nil {
		return nil, err
	}
	return xmlMembers(out), nil
}

// iamUserCall serves a call about users, which asks for permission itself: the user's
// tags count.
func iamUserCall(s *Sim, c *call) (any, error) {
	check := func(action, resource string, extra map[string]string) error {
		context := map[string]string{"aws:requestedregion": c.Region}
		for k, v := range extra {
			context[k] = v
		}
		if err := s.allowed(c.Caller, access{Action: action, Resource: resource, Context: context}); err != nil {
			return denial(services["iam"], err)
		}
		return nil
	}
	out, err := apiCalls["iam:"+c.Action](s, check, s.iamAccount(c), nil, c.Form.tree())
	if err != nil || out == nil {
		return nil, err
	}
	return xmlMembers(out), nil
}

// xmlMembers are written as the query protocol does: lists with <member> elements.
type xmlMembers map[string]any

func (m xmlMembers) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	return writeMembers(e, start, map[string]any(m))
}

func writeMembers(e *xml.Encoder, start xml.StartElement, v any) error {
	var inner []xml.StartElement
	var values []any
	switch t := v.(type) {
	case map[string]any:
		for _, name := range sortedKeys(t) {
			if t[name] != nil {
				inner, values = append(inner, xml.StartElement{Name: xml.Name{Local: name}}), append(values, t[name])
			}
		}
	case []any:
		inner, values = slices.Repeat([]xml.StartElement{{Name: xml.Name{Local: "member"}}}, len(t)), t
	default:
		return e.EncodeElement(fmt.Sprint(v), start)
	}
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	for i := range inner {
		if err := writeMembers(e, inner[i], values[i]); err != nil {
			return err
		}
	}
	return e.EncodeToken(start.End())
}
