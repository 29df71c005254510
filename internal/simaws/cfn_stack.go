package simaws

import (
	"fmt"
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
	// single is what only stacks have that were worked on by themselves, nil else.
	single *single
	drift  *stackDrift // what detection last found, nil before
}

type stackResource struct {
	LogicalID, Type, PhysicalID         string
	Properties                          map[string]any
	Attributes                          map[string]any
	DeletionPolicy, UpdateReplacePolicy string
	Status, Reason                      string
	Changed                             time.Time
}

// stackError is a resource that failed, in the words of a stack instance's status
// reason.
type stackError struct{ id, kind, reason string }

func (e *stackError) Error() string {
	return fmt.Sprintf("ResourceLogicalId:%s, ResourceType:%s, ResourceStatusReason:%s.", e.id, e.kind, strings.TrimSuffix(e.reason, "."))
}

// planned is a template resolved for one account and Region.
type planned struct {
	e     *evaluator
	order []string // active resources, in order
}

func (s *Sim) plan(a *account, region string, st *stack) (*planned, error) {
	params, err := parameterValues(st.doc, st.Parameters)
	if err != nil {
		return nil, err
	}
	e := &evaluator{doc: st.doc, params: params, conditions: map[string]bool{}, pending: map[string]bool{}, pseudo: map[string]string{
		"AWS::AccountId": a.ID, "AWS::Region": region, "AWS::Partition": s.world.partition, "AWS::StackName": st.Name, "AWS::StackId": st.ID,
		"AWS::URLSuffix": "amazonaws.com",
	}}
	e.exports = func(name string) (string, bool) { return a.region(region).exported(st.Name, name) }
	all, err := resourceOrder(st.doc)
	if err != nil {
		return nil, err
	}
	p := &planned{e: e}
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

// takes is how long creating or updating the planned resources lasts.
func (p *planned) takes() time.Duration {
	var d time.Duration
	for _, id := range p.order {
		d += resourceTypes[p.e.doc.Resources[id].Type].takes
	}
	return d
}

// apply makes a stack be what its template says: creates, updates, replaces and
// deletes resources in order. When a resource fails, what was done is undone.
// changed says whether there was anything to do.
func (s *Sim) apply(a *account, r *regionState, st *stack) (changed bool, err error) {
	p, err := s.plan(a, r.name, st)
	if err != nil {
		return false, err
	}
	old := st.Resources
	if old == nil {
		old = map[string]*stackResource{}
	}
	now := map[string]*stackResource{}
	p.e.resource = func(id, attribute string) (any, error) {
		res := now[id]
		if res == nil { // its condition does not hold
			return nil, invalid("Template format error: Unresolved resource dependencies [%s] in the Resources block of the template", id)
		}
		if attribute == "" {
			return res.PhysicalID, nil
		}
		if v, ok := res.Attributes[attribute]; ok {
			return v, nil
		}
		return nil, templateError("resource %s does not support attribute type %s in Fn::GetAtt", id, attribute)
	}
	var undo []func()
	left := map[string]*stackResource{} // made, and not to be deleted again
	back := func(id string, err error) {
		st.failed(s, id, err)
		if st.keeps() { // what was made stays, the resource that failed beside it
			st.preserve(s, now, id, reasonOf(err))
			return
		}
		for _, f := range slices.Backward(undo) {
			f()
		}
		if st.Resources == nil { // a create: what could not be deleted stays in the stack
			st.leaves(p.order, left)
		}
	}
	var replaced []*stackResource
	for _, id := range p.order {
		template := st.doc.Resources[id]
		properties, err := p.e.object(template.Properties)
		if err != nil {
			back(id, err)
			return false, err
		}
		res := &stackResource{LogicalID: id, Type: template.Type, Properties: properties, DeletionPolicy: template.DeletionPolicy,
			UpdateReplacePolicy: template.UpdateReplacePolicy, Status: "CREATE_COMPLETE", Changed: s.clock.Now()}
		h := resourceTypes[template.Type]
		c := resourceCall{Account: a, Region: r, Stack: st, LogicalID: id, Properties: res.Properties, Tags: st.Tags}
		before := old[id]
		if before != nil && before.PhysicalID == "" && before.Status == "CREATE_FAILED" {
			before = nil // left by a stack that does not roll back
		}
		switch {
		case before != nil && before.Type == res.Type && reflect.DeepEqual(before.Properties, res.Properties):
			*res = *before
			changed = changed || res.DeletionPolicy != template.DeletionPolicy || res.UpdateReplacePolicy != template.UpdateReplacePolicy
			res.DeletionPolicy, res.UpdateReplacePolicy = template.DeletionPolicy, template.UpdateReplacePolicy
		case before != nil && before.Type == res.Type && !replaces(h, before.Properties, res.Properties):
			changed = true
			c.PhysicalID, c.Old = before.PhysicalID, before.Properties
			st.log(s, id, before.PhysicalID, template.Type, "UPDATE_IN_PROGRESS", "")
			out, err := s.handle(c, template.Type, "update", h.update)
			if err != nil {
				back(id, err)
				return false, err
			}
			res.PhysicalID, res.Attributes, res.Status = out.PhysicalID, out.Attributes, "UPDATE_COMPLETE"
			st.log(s, id, out.PhysicalID, template.Type, "UPDATE_COMPLETE", "")
			again := c
			again.Properties, again.Old = before.Properties, res.Properties
			undo = append(undo, func() {
				h.update(s, again) //nolint:errcheck // a rollback does what it can
				st.log(s, id, before.PhysicalID, template.Type, "UPDATE_IN_PROGRESS", "")
				st.log(s, id, before.PhysicalID, template.Type, "UPDATE_COMPLETE", "")
			})
		default:
			changed = true
			doing := "CREATE"
			if before != nil {
				doing = "UPDATE"
				res.Status = "UPDATE_COMPLETE"
				st.log(s, id, before.PhysicalID, template.Type, "UPDATE_IN_PROGRESS", "Requested update requires the creation of a new physical resource; hence creating one.")
			} else {
				st.log(s, id, "", template.Type, "CREATE_IN_PROGRESS", "")
			}
			out, err := s.handle(c, template.Type, "create", h.create)
			if err != nil {
				back(id, err)
				return false, err
			}
			res.PhysicalID, res.Attributes = out.PhysicalID, out.Attributes
			st.log(s, id, out.PhysicalID, template.Type, doing+"_IN_PROGRESS", "Resource creation Initiated")
			st.log(s, id, out.PhysicalID, template.Type, doing+"_COMPLETE", "")
			gone := c
			gone.PhysicalID = out.PhysicalID
			// A create that is rolled back is deleted, also with
			// RetainExceptOnCreate; plain Retain leaves it behind.
			if template.DeletionPolicy != "Retain" {
				undo = append(undo, func() {
					st.log(s, id, out.PhysicalID, template.Type, "DELETE_IN_PROGRESS", "")
					if err := h.delete(s, gone); err != nil {
						res.Status, res.Reason, res.Changed = "DELETE_FAILED", messageOf(err), s.clock.Now()
						left[id] = res
						st.log(s, id, out.PhysicalID, template.Type, "DELETE_FAILED", res.Reason)
						return
					}
					st.log(s, id, out.PhysicalID, template.Type, "DELETE_COMPLETE", "")
				})
			}
			if before != nil {
				replaced = append(replaced, before)
			}
		}
		now[id] = res
	}
	next, exported := &stack{Outputs: map[string]string{}}, map[string]string{}
	for _, name := range sortedKeys(st.doc.Outputs) {
		p.output(next, name)
		if _, ok := next.Outputs[name]; ok {
			if export := p.exportName(name); export != "" {
				exported[name] = export
			}
		}
	}
	if why := r.exportsDiffer(st, next.Outputs, exported); why != "" {
		st.stopped(s, why)
		if st.keeps() {
			st.Resources, st.Order = now, p.order
			return false, invalid("%s", why)
		}
		for _, f := range slices.Backward(undo) {
			f()
		}
		return false, invalid("%s", why)
	}
	st.cleaning(s)
	// Clean up: what was replaced and what the template no longer has, last first.
	for _, id := range slices.Backward(st.Order) {
		if now[id] == nil {
			changed = true
			if res := old[id]; res != nil && res.PhysicalID != "" && (res.DeletionPolicy == "" || res.DeletionPolicy == "Delete") {
				replaced = append(replaced, res)
			}
		}
	}
	for _, res := range replaced {
		if now[res.LogicalID] != nil && strings.HasPrefix(res.UpdateReplacePolicy, "Retain") {
			st.log(s, res.LogicalID, res.PhysicalID, res.Type, "DELETE_SKIPPED", "")
			continue
		}
		st.log(s, res.LogicalID, res.PhysicalID, res.Type, "DELETE_IN_PROGRESS", "")
		resourceTypes[res.Type].delete(s, resourceCall{Account: a, Region: r, Stack: st, LogicalID: res.LogicalID, PhysicalID: res.PhysicalID, Properties: res.Properties}) //nolint:errcheck // a clean-up that fails leaves the resource behind, as in AWS
		st.log(s, res.LogicalID, res.PhysicalID, res.Type, "DELETE_COMPLETE", "")
	}
	st.Resources, st.Order = now, p.order
	st.Outputs, st.exported, st.imported = next.Outputs, exported, p.e.imported
	return changed, nil
}

// leaves keeps what a rolled-back create could not delete: the stack is ROLLBACK_FAILED
// then (user guide, "Understand CloudFormation stack creation events").
func (st *stack) leaves(order []string, left map[string]*stackResource) {
	if len(left) == 0 {
		return
	}
	st.Resources = left
	for _, id := range order {
		if left[id] != nil {
			st.Order = append(st.Order, id)
		}
	}
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

// handle runs a handler unless a service control policy denies what it would call.
func (s *Sim) handle(c resourceCall, kind, verb string, do func(*Sim, resourceCall) (resourceResult, error)) (resourceResult, error) {
	if err := s.denyExecution(c.Account, c.Region.name, handlerAction(kind, verb), "*"); err != nil {
		return resourceResult{}, &stackError{c.LogicalID, kind, err.Error()}
	}
	out, err := do(s, c)
	if err != nil {
		return out, &stackError{c.LogicalID, kind, messageOf(err)}
	}
	return out, nil
}

// messageOf is an error as a resource's status reason has it.
func messageOf(err error) string {
	if e, ok := err.(*apiError); ok {
		return fmt.Sprintf("%s (Service: AWS; Status Code: %d; Error Code: %s; Request ID: 00000000-0000-4000-8000-000000000000; Proxy: null)", e.Message, e.Status, e.Code)
	}
	return err.Error()
}

// remove deletes a stack's resources, last first, but for those that are retained.
func (s *Sim) remove(a *account, r *regionState, st *stack) error {
	for _, id := range slices.Backward(st.Order) {
		res := st.Resources[id]
		if res == nil || res.Status == "DELETE_COMPLETE" {
			continue
		}
		if strings.HasPrefix(res.DeletionPolicy, "Retain") || st.lets(id) {
			st.log(s, id, res.PhysicalID, res.Type, "DELETE_SKIPPED", "")
			continue
		}
		if res.PhysicalID == "" {
			delete(st.Resources, id)
			continue
		}
		st.log(s, id, res.PhysicalID, res.Type, "DELETE_IN_PROGRESS", "")
		c := resourceCall{Account: a, Region: r, Stack: st, LogicalID: id, PhysicalID: res.PhysicalID, Properties: res.Properties}
		if err := s.denyExecution(a, r.name, handlerAction(res.Type, "delete"), "*"); err != nil {
			st.notDeleted(s, res, err.Error())
			return &stackError{id, res.Type, err.Error()}
		}
		if err := resourceTypes[res.Type].delete(s, c); err != nil {
			st.notDeleted(s, res, messageOf(err))
			return &stackError{id, res.Type, messageOf(err)}
		}
		st.log(s, id, res.PhysicalID, res.Type, "DELETE_COMPLETE", "")
		res.Status, res.Reason, res.Changed = "DELETE_COMPLETE", "", s.clock.Now()
		if st.single == nil {
			delete(st.Resources, id)
		}
	}
	s.forget(r, st)
	return nil
}
