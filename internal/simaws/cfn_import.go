package simaws

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Imported in one call at most, by ids and by a list in S3 (user guide, Quotas).
const (
	maxImported      = 10
	maxImportedByURL = 200
)

// importable are the states in which a stack can be imported.
var importable = []string{"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"}

// importStacks takes stacks that are there into a set: an operation of the set that
// changes no stack. What a retained stack needs to come back.
func importStacks(s *Sim, c *call) (any, error) {
	set, err := s.set(c)
	if err != nil {
		return nil, err
	}
	ids, ous, most := c.Form.list("StackIds"), c.Form.list("OrganizationalUnitIds"), maxImported
	if at := c.Form.str("StackIdsUrl"); at != "" {
		if len(ids) > 0 {
			return nil, validation("Specify either StackIds or StackIdsUrl, not both")
		}
		if ids, err = s.listAt(c, "StackIdsUrl", at); err != nil {
			return nil, err
		}
		most = maxImportedByURL
	}
	switch {
	case len(ids) == 0:
		return nil, validation("StackIds or StackIdsUrl must be specified")
	case len(ids) > most:
		return nil, fail(http.StatusBadRequest, "LimitExceededException", fmt.Sprintf("A maximum of %d stacks can be imported in one operation", most))
	case len(ous) == 0:
		return nil, validation("OrganizationalUnitIds must be specified for StackSets with SERVICE_MANAGED permission model")
	}
	for _, ou := range ous {
		if ou != s.world.rootID && s.world.ous[ou] == nil {
			return nil, validation("OrganizationalUnit " + ou + " does not exist in the organization")
		}
	}
	found, imports, regions := map[string]string{}, map[target]string{}, []string{}
	var targets []target
	for _, id := range ids {
		parts := strings.SplitN(id, ":", 6)
		if len(parts) != 6 || parts[2] != "cloudformation" || !strings.HasPrefix(parts[5], "stack/") {
			return nil, validation("Stack id " + id + " is not an ARN of a stack")
		}
		t := target{parts[4], parts[3]}
		a := s.world.accounts[t.account]
		if a == nil || t.account == s.world.management {
			return nil, validation("Account " + t.account + " cannot have instances of this StackSet")
		}
		if st := a.region(t.region).stacks[stackNameOf(id)]; st == nil || st.ID != id {
			return nil, fail(http.StatusNotFound, "StackNotFoundException", "Stack "+id+" not found")
		}
		under := slices.IndexFunc(ous, func(ou string) bool { return s.world.under(a, ou) })
		if under < 0 {
			return nil, validation("Account " + t.account + " is in none of the OrganizationalUnitIds")
		}
		// "Once the issues causing the failure are fixed, the import operation can be
		// retried" (API reference, StackInstanceComprehensiveStatus).
		if in := set.instances[t]; in != nil && in.Detailed != "FAILED_IMPORT" || imports[t] != "" {
			return nil, validation("A stack instance already exists for account " + t.account + " and region " + t.region)
		}
		if !slices.Contains(regions, t.region) {
			regions = append(regions, t.region)
		}
		imports[t], found[t.account] = id, ous[under]
		targets = append(targets, t)
	}
	if err := s.roomFor(set, targets); err != nil {
		return nil, err
	}
	op, err := s.newOperation(c, set, "CREATE", found)
	if err != nil {
		return nil, err
	}
	op.imports, op.ouIDs, op.named = imports, ous, regions
	s.queue(set, op, targets)
	return operationAnswer(op), nil
}

// takeIn makes a stack an instance's. Values that differ from the set's become
// overrides; the template has to be the set's own.
func (s *Sim) takeIn(set *stackSet, op *operation, i *stackInstance) error {
	a := s.world.everAccount(i.account)
	r, id := a.region(i.region), op.imports[i.target]
	st := r.stacks[stackNameOf(id)]
	switch {
	case st == nil || st.ID != id:
		return statusReason("Stack " + id + " does not exist")
	case st.StackSet != "":
		return statusReason("Stack " + id + " belongs to a StackSet already")
	case !slices.Contains(importable, st.Status):
		return statusReason("Stack:" + id + " is in " + st.Status + " state and can not be imported.")
	case st.Body != set.Body:
		return statusReason("The template of stack " + id + " is not that of the StackSet")
	}
	mine := effective(set.doc, set.Parameters, nil)
	for _, name := range sortedKeys(set.doc.Parameters) {
		p := set.doc.Parameters[name]
		wanted, given := mine[name]
		if !given {
			wanted = p.Default
		}
		if have, given := st.Parameters[name]; given && have != wanted {
			if p.NoEcho {
				return statusReason("Stack " + id + " has a value for the NoEcho parameter " + name + " and cannot be imported")
			}
			if i.Overrides == nil {
				i.Overrides = map[string]string{}
			}
			i.Overrides[name] = have
		}
	}
	st.StackSet, i.StackName, i.StackID = set.ID, st.Name, st.ID
	return nil
}
