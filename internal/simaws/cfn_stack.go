package simaws

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"rollout/templates"
)

// stack is a CloudFormation stack in one account and Region.
type stack struct {
	Name, ID, Status, Reason  string
	Description               string
	Body                      string
	doc                       *templates.Document
	Parameters                map[string]string
	Tags                      map[string]string
	Created, Updated, Deleted time.Time
	// Resources by logical id; Order is the order of creation.
	Resources map[string]*stackResource
	Order     []string
	// StackSet is the id of the set that owns it, "" once retained.
	StackSet string
	Outputs  map[string]string
	// exported are the names of the outputs that are exported, imported the exports used.
	exported map[string]string
	imported []string
	// resolved are the values of the Systems Manager parameters that Parameters name.
	resolved map[string]string
	// single is what only stacks have that were worked on by themselves, nil else.
	single *single
	drift  *stackDrift // what detection last found, nil before
}

type stackResource struct {
	LogicalID, Type, PhysicalID         string
	Properties                          map[string]any
	Masked                              map[string]any // with **** for NoEcho parameters, nil where there are none
	Attributes                          map[string]any
	DeletionPolicy, UpdateReplacePolicy string
	Status, Reason                      string
	Changed                             time.Time
}

// shown are the properties that a reader may see.
func (r *stackResource) shown() map[string]any {
	if r.Masked != nil {
		return r.Masked
	}
	return r.Properties
}

// stackError is a resource that failed, in the words of a stack instance's status
// reason.
type stackError struct{ id, kind, reason string }

func (e *stackError) Error() string {
	return fmt.Sprintf("ResourceLogicalId:%s, ResourceType:%s, ResourceStatusReason:%s.", e.id, e.kind, strings.TrimSuffix(e.reason, "."))
}

// planned is a template resolved for one account and Region.
type planned struct {
	e      *evaluator
	order  []string // active resources, in order
	secret bool     // there are NoEcho parameters
}

func (s *Sim) plan(a *account, region string, st *stack) (*planned, error) {
	params, err := parameterValues(st.doc, st.Parameters, func(name string) (string, bool) { return a.region(region).ssmParameter(name) })
	if err != nil {
		return nil, err
	}
	e := &evaluator{doc: st.doc, params: params, conditions: map[string]bool{}, pending: map[string]bool{}, pseudo: map[string]string{
		"AWS::AccountId": a.ID, "AWS::Region": region, "AWS::Partition": s.world.partition, "AWS::StackName": st.Name, "AWS::StackId": st.ID,
		"AWS::URLSuffix": "amazonaws.com",
	}}
	if err := s.assert(a, region, e); err != nil {
		return nil, err
	}
	e.exports = func(name string) (string, bool) { return a.region(region).exported(st.Name, name) }
	all, err := resourceOrder(st.doc)
	if err != nil {
		return nil, err
	}
	p := &planned{e: e}
	st.resolved = resolvedValues(st.doc, params)
	for _, parameter := range st.doc.Parameters {
		p.secret = p.secret || parameter.NoEcho
	}
	var unknown []string
	for _, id := range all {
		r := st.doc.Resources[id]
		// A type is checked whether or not its condition holds.
		if _, ok := resourceTypes[r.Type]; !ok && !slices.Contains(unknown, r.Type) {
			unknown = append(unknown, r.Type)
		}
		if r.Condition != "" {
			on, err := e.condition(r.Condition)
			if err != nil {
				return nil, err
			}
			if !on {
				continue
			}
		}
		p.order = append(p.order, id)
	}
	if unknown != nil {
		return nil, fail(400, "ValidationError", "Template format error: Unrecognized resource types: ["+strings.Join(unknown, ", ")+"]")
	}
	return p, nil
}

// hidden is what a reader sees of a NoEcho parameter.
const hidden = "****"

// masked evaluates properties as a reader may see them; nil where that is no matter.
func (p *planned) masked(properties map[string]any) map[string]any {
	if !p.secret {
		return nil
	}
	e := *p.e // the conditions have been evaluated with the real values by now
	e.params = maps.Clone(p.e.params)
	for name, parameter := range e.doc.Parameters {
		if parameter.NoEcho {
			e.params[name] = hidden
		}
	}
	out := map[string]any{}
	for name, written := range properties {
		v, err := e.value(written)
		if err != nil { // it cannot be told apart: an element of a hidden list, say
			v = hidden
		}
		if _, gone := v.(absent); !gone {
			out[name] = v
		}
	}
	return out
}

// takes is how long creating or updating the planned resources lasts.
func (p *planned) takes() time.Duration {
	var d time.Duration
	for _, id := range p.order {
		d += resourceTypes[p.e.doc.Resources[id].Type].takes
	}
	return d
}

// replaces says whether a change makes a new resource.
func replaces(h resourceHandler, before, after map[string]any) bool {
	if h.update == nil || h.replaces != nil && h.replaces(before, after) {
		return true
	}
	for _, n := range h.createOnly {
		if !reflect.DeepEqual(before[n], after[n]) {
			return true
		}
	}
	return false
}

// output evaluates one of a stack's outputs; what cannot be told is left out.
func (p *planned) output(st *stack, name string) {
	m, _ := p.e.doc.Outputs[name].(map[string]any)
	if condition, ok := m["Condition"].(string); ok {
		if on, err := p.e.condition(condition); err != nil || !on {
			return
		}
	}
	if v, err := p.e.value(m["Value"]); err == nil {
		st.Outputs[name] = substituted(v)
	}
}

// messageOf is an error as a resource's status reason has it.
func messageOf(err error) string {
	if e, ok := err.(*apiError); ok {
		return fmt.Sprintf("%s (Service: AWS; Status Code: %d; Error Code: %s; Request ID: 00000000-0000-4000-8000-000000000000; Proxy: null)", e.Message, e.Status, e.Code)
	}
	return err.Error()
}
