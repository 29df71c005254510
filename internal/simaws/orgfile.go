package simaws

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Organization describes an organization to simulate; ParseOrganization reads one.
type Organization struct {
	id         string
	management fileAccount
	trusted    []string
	accounts   []fileAccount // parents before children, as ListAccounts has them
	units      []fileUnit    // parents before children
	landing    *fileLanding  // nil without one
	aggregator *fileAggregator
}

// Size is the number of its accounts.
func (o *Organization) Size() int { return 1 + len(o.accounts) }

type fileUnit struct {
	id, name string
	parent   int // index of the OU above, -1 for the root
	// baseline is Control Tower's that is enabled on it, "" for none.
	baseline   string
	baselineAt *yaml.Node
}

type fileAccount struct {
	id, name, email, state string
	unit                   int // index of its OU, -1 for the root
	tags                   map[string]string
	roles, optIn           []string
	denyRegions            []string
	denyActions            []string
	delegated              []string
	recorders              []fileRecorder
	rules                  []fileRule
	quotas                 []fileQuota
	closed, inUse          bool // the default security groups
	users                  []fileUser
	notEnrolled            bool // Control Tower has not enrolled it, though its OU is registered
}

type fileRecorder struct {
	region string
	spec   RecorderSpec
}

// fileUser is something that leans on the default security group of a Region, by its
// word in leaners.
type fileUser struct{ region, kind, name string }

type fileRule struct{ region, name, identifier, by string }

// fromFile makes the organization of Options.Organization.
func (g *generator) fromFile(o *Organization) {
	w := g.w
	if o.id != "" {
		w.orgID = o.id
	}
	for _, a := range append([]fileAccount{o.management}, o.accounts...) {
		g.used[a.id] = true
	}
	// A new organization trusts no service (Organizations user guide, "Using AWS
	// Organizations with other AWS services").
	const stackSets = "member.org.stacksets.cloudformation.amazonaws.com"
	clear(w.trustedServices)
	w.stackSetsAccess = "DISABLED"
	for _, name := range o.trusted {
		w.trustedServices[name] = g.born
		if name == stackSets {
			w.stackSetsAccess = "ENABLED"
		}
	}
	ids := make([]string, len(o.units))
	above := func(i int) string {
		if i < 0 {
			return w.rootID
		}
		return ids[i]
	}
	for i, u := range o.units {
		ids[i] = g.ou(above(u.parent), u.name)
		if u.id != "" {
			unit := w.ous[ids[i]]
			delete(w.ous, ids[i])
			unit.ID, ids[i] = u.id, u.id
			w.ous[u.id], w.ouOrder[len(w.ouOrder)-1] = unit, u.id
		}
	}
	w.management = g.fileAccount(o.management, w.rootID)
	w.accounts[w.management].JoinedMethod = "INVITED"
	specs := map[string]fileAccount{w.management: o.management}
	for _, spec := range o.accounts {
		id := g.fileAccount(spec, above(spec.unit))
		specs[id] = spec
		for _, name := range spec.roles {
			g.role(w.accounts[id], name)
		}
	}
	for _, id := range w.order {
		spec := specs[id]
		for _, r := range spec.recorders {
			g.s.PutRecorder(id, r.region, r.spec)
		}
		for _, r := range spec.rules {
			g.s.PutRule(id, r.region, r.name, r.identifier, r.by)
		}
	}
	g.landFromFile(o, ids, specs)
	g.aggregatorFromFile(o)
}

// fileAccount makes an account and gives its id.
func (g *generator) fileAccount(spec fileAccount, parent string) string {
	w := g.w
	a := g.account(parent, spec.name)
	if spec.id != "" {
		delete(w.accounts, a.ID)
		a.ID = spec.id
		w.accounts[a.ID], w.order[len(w.order)-1] = a, a.ID
	}
	if spec.email != "" {
		a.Email = spec.email
	}
	a.State = spec.state
	maps.Copy(a.Tags, spec.tags)
	for _, region := range spec.optIn {
		a.optedIn[region] = true
	}
	for _, q := range spec.quotas {
		a.setQuota(q.region, q.code, q.value)
	}
	g.s.guard(a.ID, spec.denyActions, spec.denyRegions)
	if len(spec.delegated) > 0 {
		w.delegated[a.ID] = slices.Clone(spec.delegated)
		sort.Strings(w.delegated[a.ID])
	}
	a.populate = func(r *regionState) { g.s.populateAs(a, r, spec) }
	return a.ID
}

// populateAs makes a Region as AWS makes it, one default VPC whose default group is
// open, but for what the file says of the groups.
func (s *Sim) populateAs(a *account, r *regionState, spec fileAccount) {
	if status := s.world.regionStatus(a, r.name); status == "DISABLED" || status == "" {
		return
	}
	s.addVPC(a, r, true)
	r.enis, r.leaning = nil, nil
	for _, id := range sortedKeys(r.groups) {
		g := r.groups[id]
		g.Tags = map[string]string{}
		if g.Name != "default" {
			delete(r.groups, id) // AWS makes none but the default group
			continue
		}
		g.Ingress, g.Egress = nil, nil
		if !spec.closed {
			g.Ingress, g.Egress = openRules(g.ID, a.ID)
		}
		if spec.inUse {
			addInterface(r, "eni-"+hexOf(17, g.ID), g.ID, "instance")
		}
	}
	for _, u := range spec.users {
		if u.region == r.name {
			s.leanOn(a, r, u.kind, u.name)
		}
	}
}

// allRegions are the Regions that a file may name.
func allRegions() []string { return append(slices.Clone(defaultRegions), switchedRegions...) }

// OrganizationError is what is wrong with a file, and where.
type OrganizationError struct {
	File         string
	Line, Column int
	Problem      string
}

func (e *OrganizationError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Problem)
}

func listed(words []string) string { return strings.Join(words, ", ") }
