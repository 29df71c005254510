package simaws

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// pass is one go of CloudFormation over a stack's resources, one after the other. An
// operation on a single stack gives each its time, and what a reader sees in between is
// what was done so far; a StackSet's operation does them all at once when the time of
// the instance is over.
type pass struct {
	s  *Sim
	a  *account
	r  *regionState
	st *stack
	// by is whose permissions the calls need; nil for StackSets' role in the account.
	by *caller
	// wait goes on once some time has passed.
	wait func(d time.Duration, then func())

	plan    *planned
	was     map[string]*stackResource // before this pass
	now     map[string]*stackResource // what references see
	trail   []madeChange              // what was done, oldest first
	extra   []*stackResource          // what a rollback has to delete at its end
	changed bool
	current *task
	// denials holds resources to the stack's policy; nil without one.
	denials *stackPolicy
}

// madeChange is what was done to one resource: before is nil of a new one; after has no
// physical id when the creation failed, and is before where nothing was done yet. quiet is
// a change of the template alone.
type madeChange struct {
	before, after *stackResource
	quiet         bool
}

func (m madeChange) replaced() bool {
	return m.before != nil && m.before.PhysicalID != m.after.PhysicalID
}

// task is the work on one resource: begin says so in the history, act makes the call,
// end says that it is done. failed is its status where it cannot be.
type task struct {
	id     string
	takes  time.Duration
	failed string
	begin  func()
	act    func() error
	end    func()
}

// initiated is when a resource has its physical id, counted from the beginning of its
// time.
const initiated = time.Second

// settling is what a stack takes between its last resource and its end.
const settling = 2 * time.Second

// atOnce is the pace of StackSets' operations.
func atOnce(_ time.Duration, then func()) { then() }

func (s *Sim) newPass(a *account, r *regionState, st *stack) *pass {
	return &pass{s: s, a: a, r: r, st: st, wait: atOnce, was: st.Resources, now: map[string]*stackResource{}}
}

// apply makes a stack be what its template says, at once: creates, updates, replaces and
// deletes resources in order. When a resource fails, what was done is undone, with the
// tags that the stack had. changed says whether there was anything to do.
func (s *Sim) apply(a *account, r *regionState, st *stack, tags map[string]string) (changed bool, err error) {
	p := s.newPass(a, r, st)
	fresh, order := st.Resources == nil, slices.Clone(st.Order)
	p.forward(func(e error) { err = e })
	if err == nil {
		p.cleanUp(func([]string) {})
		return p.changed, nil
	}
	if p.plan == nil {
		return false, err
	}
	if fresh {
		p.removeAll(p.onCreate, st.leaves)
		return false, err
	}
	st.Tags = tags
	p.rollBack(nil, func(failed string) {
		if failed != "" {
			n := st.own(s) // for ContinueUpdateRollback
			n.work, n.unrestored = p, failed
			return
		}
		p.sweep(p.extra, p.onCreate, func([]string) {})
		st.Resources, st.Order = p.was, order
	})
	return false, err
}

// remove deletes a stack and its resources at once, last first, but for those that are
// retained.
func (s *Sim) remove(a *account, r *regionState, st *stack) (err error) {
	p := s.newPass(a, r, st)
	p.removeAll(p.onDelete, func(failed []string) {
		if len(failed) > 0 {
			res := st.Resources[failed[0]]
			err = &stackError{res.LogicalID, res.Type, res.Reason}
			st.to(s, "DELETE_FAILED", failedTo("delete", failed))
			return
		}
		s.forget(r, st)
	})
	return err
}

func failedTo(verb string, ids []string) string {
	return "The following resource(s) failed to " + verb + ": [" + strings.Join(ids, ", ") + "]. "
}

// forward creates and changes what the template says, in order, and tells how it went.
// Outputs are evaluated and exports are held against those of other stacks.
func (p *pass) forward(then func(error)) {
	plan, err := p.s.plan(p.a, p.r.name, p.st)
	if err == nil {
		err = p.s.parametersExist(p.a, p.r, p.st.doc, plan.e.params)
	}
	if err != nil {
		then(err)
		return
	}
	p.plan = plan
	plan.e.resource = p.reference
	p.st.Resources = maps.Clone(p.was)
	if p.st.Resources == nil {
		p.st.Resources = map[string]*stackResource{}
	}
	if id, why := p.removalDenied(); why != "" {
		p.fails(&task{id: id, failed: "UPDATE_FAILED"}, statusReason(why))
		then(&stackError{id, p.was[id].Type, why})
		return
	}
	p.from(0, then)
}

// reference answers Ref (attribute "") and GetAtt of a resource.
func (p *pass) reference(id, attribute string) (any, error) {
	res := p.now[id]
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

// from works on the n-th resource and those after it.
func (p *pass) from(n int, then func(error)) {
	for ; n < len(p.plan.order); n++ {
		id := p.plan.order[n]
		t, err := p.task(id)
		if err != nil {
			p.st.stopped(p.s, reasonOf(err))
			then(err)
			return
		}
		if t == nil {
			continue
		}
		p.run(t, func(err error) {
			if err != nil {
				then(&stackError{id, p.st.doc.Resources[id].Type, messageOf(err)})
				return
			}
			p.from(n+1, then)
		})
		return
	}
	p.wait(settling, func() { then(p.conclude()) })
}

// run does a task in its time.
func (p *pass) run(t *task, then func(error)) {
	p.changed, p.current = true, t
	soon := min(initiated, t.takes)
	t.begin()
	p.wait(soon, func() {
		if err := t.act(); err != nil {
			p.current = nil
			p.fails(t, err)
			then(err)
			return
		}
		p.wait(t.takes-soon, func() {
			p.current = nil
			t.end()
			then(nil)
		})
	})
}

// fails shows a resource that failed, and takes the stack where it goes from there.
func (p *pass) fails(t *task, err error) {
	p.failed(t, messageOf(err))
	verb := "create"
	if t.failed == "UPDATE_FAILED" {
		verb = "update"
	}
	p.st.fall(p.s, failedTo(verb, []string{t.id}))
}

func (p *pass) typeOf(id string) string {
	if res := p.st.Resources[id]; res != nil {
		return res.Type
	}
	return p.st.doc.Resources[id].Type
}

// stop leaves the resource that is under way as it is.
func (p *pass) stop() {
	t := p.current
	if t == nil {
		return
	}
	p.current = nil
	reason := "Resource update cancelled"
	if t.failed == "CREATE_FAILED" {
		reason = "Resource creation cancelled"
	}
	p.failed(t, reason)
}

// failed shows a resource that failed, and that of a new one there is something to undo.
func (p *pass) failed(t *task, reason string) {
	res := &stackResource{LogicalID: t.id, Type: p.typeOf(t.id)}
	if now := p.st.Resources[t.id]; now != nil {
		*res = *now
	}
	if t.failed == "CREATE_FAILED" && res.PhysicalID == "" {
		p.trail = append(p.trail, madeChange{after: res})
	}
	p.show(res, t.failed, reason)
	p.log(res, t.failed, reason)
}

// show makes a resource of the stack what a reader sees.
func (p *pass) show(res *stackResource, status, reason string) {
	res.Status, res.Reason, res.Changed = status, reason, p.s.clock.Now()
	if p.st.Resources[res.LogicalID] == nil && !slices.Contains(p.st.Order, res.LogicalID) {
		p.st.Order = append(p.st.Order, res.LogicalID)
	}
	p.st.Resources[res.LogicalID] = res
}

func (p *pass) log(res *stackResource, status, reason string) {
	p.st.logResource(p.s, res, status, reason)
}

// task is what has to be done to a resource, nil for nothing.
func (p *pass) task(id string) (*task, error) {
	template := p.st.doc.Resources[id]
	properties, err := p.plan.e.object(template.Properties)
	if err != nil {
		return nil, err
	}
	res := &stackResource{LogicalID: id, Type: template.Type, Properties: properties, DeletionPolicy: template.DeletionPolicy, UpdateReplacePolicy: template.UpdateReplacePolicy}
	res.Masked = p.plan.masked(template.Properties)
	h := resourceTypes[template.Type]
	before := p.was[id]
	if before != nil && (before.PhysicalID == "" || before.Status == "DELETE_COMPLETE") { // left by a stack that does not roll back
		before = nil
	}
	same := before != nil && before.Type == res.Type
	p.now[id] = res
	switch {
	case same && reflect.DeepEqual(before.Properties, res.Properties) && before.Status != "UPDATE_FAILED":
		*res = *before
		p.st.Resources[id] = res
		if res.DeletionPolicy != template.DeletionPolicy || res.UpdateReplacePolicy != template.UpdateReplacePolicy {
			p.changed = true
			res.DeletionPolicy, res.UpdateReplacePolicy = template.DeletionPolicy, template.UpdateReplacePolicy
			p.trail = append(p.trail, madeChange{before: before, after: res, quiet: true})
		}
		return nil, nil
	case same && !replaces(h, before.Properties, res.Properties):
		return p.updating(before, res, h), nil
	}
	return p.creating(before, res, h), nil
}

func (p *pass) call(res *stackResource) resourceCall {
	return resourceCall{Account: p.a, Region: p.r, Stack: p.st, LogicalID: res.LogicalID, PhysicalID: res.PhysicalID, Properties: res.Properties, Tags: p.st.Tags, By: p.by}
}

func (p *pass) updating(before, res *stackResource, h resourceHandler) *task {
	t := &task{id: res.LogicalID, takes: h.takes, failed: "UPDATE_FAILED"}
	if why := p.denials.denies("Update:Modify", res); why != "" {
		return p.denied(t, before, why)
	}
	t.begin = func() {
		shown := *before
		p.show(&shown, "UPDATE_IN_PROGRESS", "")
		p.log(&shown, "UPDATE_IN_PROGRESS", "")
	}
	t.act = func() error {
		c := p.call(res)
		c.PhysicalID, c.Old = before.PhysicalID, before.Properties
		res.PhysicalID = before.PhysicalID
		out, err := p.handle(c, res.Type, "update", h.update)
		made := madeChange{before: before, after: res} // what fails half-way is taken back too
		if err != nil && isDenial(err) {
			made.after = before // nothing was done
		}
		p.trail = append(p.trail, made)
		if err != nil {
			return err
		}
		res.PhysicalID, res.Attributes = out.PhysicalID, out.Attributes
		p.show(res, "UPDATE_IN_PROGRESS", "")
		return nil
	}
	t.end = func() {
		p.show(res, "UPDATE_COMPLETE", "")
		p.log(res, "UPDATE_COMPLETE", "")
	}
	return t
}

// creating makes a new resource, or one that takes the place of before.
func (p *pass) creating(before, res *stackResource, h resourceHandler) *task {
	doing := "CREATE"
	if before != nil {
		doing = "UPDATE"
	}
	t := &task{id: res.LogicalID, takes: h.takes, failed: doing + "_FAILED"}
	if before != nil {
		if why := p.denials.denies("Update:Replace", res); why != "" {
			return p.denied(t, before, why)
		}
	}
	t.begin = func() {
		shown, reason := *res, ""
		if before != nil {
			shown = *before
			reason = "Requested update requires the creation of a new physical resource; hence creating one."
		}
		p.show(&shown, doing+"_IN_PROGRESS", reason)
		p.log(&shown, doing+"_IN_PROGRESS", reason)
	}
	t.act = func() error {
		c := p.call(res)
		out, err := p.handle(c, res.Type, "create", h.create)
		if err != nil {
			if before != nil {
				p.trail = append(p.trail, madeChange{before: before, after: before})
			}
			return err
		}
		res.PhysicalID, res.Attributes = out.PhysicalID, out.Attributes
		p.trail = append(p.trail, madeChange{before: before, after: res})
		p.show(res, doing+"_IN_PROGRESS", "Resource creation Initiated")
		p.log(res, doing+"_IN_PROGRESS", "Resource creation Initiated")
		return nil
	}
	t.end = func() {
		p.show(res, doing+"_COMPLETE", "")
		p.log(res, doing+"_COMPLETE", "")
	}
	return t
}

// denied is a task that the stack's policy forbids: it fails before it begins.
func (p *pass) denied(t *task, before *stackResource, why string) *task {
	t.takes, t.begin = 0, func() {}
	t.act = func() error {
		p.trail = append(p.trail, madeChange{before: before, after: before})
		return statusReason(why)
	}
	return t
}

// handle runs a handler with the permissions that it needs.
func (p *pass) handle(c resourceCall, kind, verb string, do func(*Sim, resourceCall) (resourceResult, error)) (resourceResult, error) {
	if err := p.may(c, kind, verb); err != nil {
		return resourceResult{}, err
	}
	return do(p.s, c)
}

// conclude takes over the outputs and exports of a stack whose resources are there, or
// says why they cannot be.
func (p *pass) conclude() error {
	next, exported := &stack{Outputs: map[string]string{}}, map[string]string{}
	for _, name := range sortedKeys(p.st.doc.Outputs) {
		p.plan.output(next, name)
		if _, ok := next.Outputs[name]; ok {
			if export := p.plan.exportName(name); export != "" {
				exported[name] = export
			}
		}
	}
	if why := p.r.exportsDiffer(p.st, next.Outputs, exported); why != "" {
		p.st.stopped(p.s, why)
		return invalid("%s", why)
	}
	p.st.Outputs, p.st.exported, p.st.imported = next.Outputs, exported, p.plan.e.imported
	return nil
}
