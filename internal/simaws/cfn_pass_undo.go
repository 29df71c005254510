package simaws

import (
	"slices"
	"strings"
)

// rollBack gives each resource that an update changed what it had before, the last one
// first. It stops at one that cannot be, and tells its id; what is left to undo stays in
// the trail. Those to skip are taken to be as they were (API reference,
// ContinueUpdateRollback).
func (p *pass) rollBack(skip []string, then func(failed string)) {
	for len(p.trail) > 0 {
		last := len(p.trail) - 1
		m := p.trail[last]
		id := m.after.LogicalID
		switch {
		case m.before == nil:
			p.extra = append(p.extra, m.after)
		case m.quiet:
			p.st.Resources[id] = m.before
		case m.replaced() || m.before == m.after || slices.Contains(skip, id):
			if m.replaced() {
				p.extra = append(p.extra, m.after)
			}
			res := *m.before
			p.show(&res, "UPDATE_COMPLETE", "")
			p.log(&res, "UPDATE_COMPLETE", "")
		default:
			p.run(p.restoring(m), func(err error) {
				if err != nil {
					then(id)
					return
				}
				p.trail = p.trail[:last]
				p.rollBack(skip, then)
			})
			return
		}
		p.trail = p.trail[:last]
	}
	then("")
}

// restoring gives a resource its old properties.
func (p *pass) restoring(m madeChange) *task {
	h, res := resourceTypes[m.before.Type], *m.before
	return &task{id: res.LogicalID, takes: h.takes, failed: "UPDATE_FAILED",
		begin: func() {
			shown := *m.after
			p.show(&shown, "UPDATE_IN_PROGRESS", "")
			p.log(&shown, "UPDATE_IN_PROGRESS", "")
		},
		act: func() error {
			c := p.call(&res)
			c.Old = m.after.Properties
			out, err := p.handle(c, res.Type, "update", h.update)
			if err == nil {
				res.Attributes = out.Attributes
			}
			return err
		},
		end: func() {
			p.show(&res, "UPDATE_COMPLETE", "")
			p.log(&res, "UPDATE_COMPLETE", "")
		},
	}
}

// cleanUp ends an update: what was replaced goes, and what the template no longer has,
// last first. It tells what could not be deleted; that is left behind.
func (p *pass) cleanUp(then func(left []string)) {
	var old []*stackResource
	for _, m := range p.trail {
		if m.replaced() && m.after.PhysicalID != "" {
			old = append(old, m.before)
		}
	}
	for _, id := range slices.Backward(p.st.Order) {
		if res := p.st.Resources[id]; p.now[id] == nil && res != nil {
			p.changed = true
			old = append(old, res)
		}
	}
	p.st.Order = slices.Concat(p.plan.order, slices.DeleteFunc(slices.Clone(p.st.Order), func(id string) bool { return p.now[id] != nil }))
	p.trail = nil
	p.sweep(old, func(res *stackResource) bool {
		policy := res.DeletionPolicy
		if p.now[res.LogicalID] != nil {
			policy = res.UpdateReplacePolicy
		}
		return strings.HasPrefix(policy, "Retain")
	}, then)
}

// sweep deletes resources that the stack no longer has, one after the other, but for
// those to keep, and tells which could not be deleted.
func (p *pass) sweep(list []*stackResource, keep func(*stackResource) bool, then func(left []string)) {
	var left []string
	var next func(n int)
	next = func(n int) {
		if n == len(list) {
			then(left)
			return
		}
		p.delete(list[n], keep(list[n]), func(err error) {
			id := list[n].LogicalID
			if err != nil {
				left = append(left, id)
			}
			if p.st.Resources[id] == list[n] {
				delete(p.st.Resources, id)
				p.st.Order = slices.DeleteFunc(slices.Clone(p.st.Order), func(x string) bool { return x == id })
			}
			next(n + 1)
		})
	}
	next(0)
}

// delete deletes one resource, or skips it. Of one that was never there its creation is
// all that goes, which the history tells too.
func (p *pass) delete(res *stackResource, keep bool, then func(error)) {
	mark := func(status, reason string) {
		res.Status, res.Reason, res.Changed = status, reason, p.s.clock.Now()
		p.log(res, status, reason)
	}
	switch {
	case res.PhysicalID == "":
		mark("DELETE_COMPLETE", "")
	case keep:
		p.log(res, "DELETE_SKIPPED", "")
	default:
		if p.st.Resources[res.LogicalID] != res { // one that was replaced is not shown any more
			copied := *res
			res = &copied
		}
		mark("DELETE_IN_PROGRESS", "")
		p.wait(resourceTypes[res.Type].takes, func() {
			c := p.call(res)
			err := p.may(c, res.Type, "delete")
			if err == nil {
				err = resourceTypes[res.Type].delete(p.s, c)
			}
			if err != nil {
				mark("DELETE_FAILED", messageOf(err))
			} else {
				mark("DELETE_COMPLETE", "")
			}
			then(err)
		})
		return
	}
	then(nil)
}

// onCreate says what a creation that is rolled back leaves: RetainExceptOnCreate goes,
// and plain Retain where the call says so.
func (p *pass) onCreate(res *stackResource) bool {
	n := p.st.single
	return res.DeletionPolicy == "Retain" && (n == nil || !n.exceptOnCreate)
}

// onDelete says what the deletion of a stack leaves.
func (p *pass) onDelete(res *stackResource) bool {
	return strings.HasPrefix(res.DeletionPolicy, "Retain") || p.st.lets(res.LogicalID)
}

// unseen are resources that the stack does not show, left by updates that did not end:
// those that were replaced, and those that took the place of others.
func (p *pass) unseen() (list []*stackResource) {
	add := func(res *stackResource) {
		if shown := p.st.Resources[res.LogicalID]; res.PhysicalID != "" && (shown == nil || shown.PhysicalID != res.PhysicalID) {
			list = append(list, res)
		}
	}
	for _, m := range p.trail {
		if m.replaced() {
			add(m.before)
		}
	}
	for _, res := range p.extra {
		add(res)
	}
	p.trail, p.extra = nil, nil
	return list
}

// removeAll deletes what a stack has, last first, but for what is to be kept, and tells
// what could not be deleted.
func (p *pass) removeAll(keep func(*stackResource) bool, then func(failed []string)) {
	p.sweep(p.unseen(), keep, func([]string) { p.removeShown(keep, then) })
}

// removeShown does not try what one needs that could not be deleted.
func (p *pass) removeShown(keep func(*stackResource) bool, then func(failed []string)) {
	needs := map[string]map[string]bool{}
	if p.st.doc != nil {
		needs = resourceNeeds(p.st.doc)
	}
	needed := map[string]bool{}
	var failed []string
	var next func(n int)
	next = func(n int) {
		if n < 0 {
			then(failed)
			return
		}
		id := p.st.Order[n]
		res := p.st.Resources[id]
		if res == nil || res.Status == "DELETE_COMPLETE" || needed[id] {
			next(n - 1)
			return
		}
		p.delete(res, keep(res), func(err error) {
			switch {
			case err != nil:
				failed = append(failed, id)
				needing(needs, id, needed)
			case p.st.single == nil:
				delete(p.st.Resources, id)
			}
			next(n - 1)
		})
	}
	next(len(p.st.Order) - 1)
}

// needing marks what a resource needs, and what that needs.
func needing(needs map[string]map[string]bool, id string, found map[string]bool) {
	for other := range needs[id] {
		if !found[other] {
			found[other] = true
			needing(needs, other, found)
		}
	}
}

// leaves keeps what a create that is rolled back could not delete: the stack is
// ROLLBACK_FAILED then (user guide, "Understand CloudFormation stack creation events").
func (st *stack) leaves(failed []string) {
	kept := map[string]*stackResource{}
	for _, id := range failed {
		kept[id] = st.Resources[id]
	}
	st.Order = slices.DeleteFunc(slices.Clone(st.Order), func(id string) bool { return kept[id] == nil })
	if st.Resources = kept; len(kept) == 0 {
		st.Resources, st.Order = nil, nil
	}
}
