package simaws

import (
	"net/http"
	"slices"
)

// targets resolves DeploymentTargets × Regions of a call into accounts and
// Regions, sorted by Region in the order given, then account. ous says under which
// of the named ids each account was found.
func (s *Sim) targets(c *call, set *stackSet, action string) ([]target, map[string]string, error) {
	f := c.Form
	regions := f.list("Regions")
	dt := f.sub("DeploymentTargets")
	if action == "UPDATE" && len(regions) == 0 && !dt.any() && c.Action == "UpdateStackSet" {
		return nil, nil, nil
	}
	if len(f.list("Accounts")) > 0 {
		return nil, nil, validation("StackSets with SERVICE_MANAGED permission model can only have OrganizationalUnit as target")
	}
	if len(regions) == 0 {
		return nil, nil, validation("1 validation error detected: Value at 'regions' failed to satisfy constraint: Member must not be null")
	}
	for n, region := range regions {
		if slices.Contains(regions[:n], region) {
			return nil, nil, validation("Region " + region + " is named twice")
		}
		// A Region has to be on in the account that owns the set as well.
		if status := s.world.regionStatus(s.world.accounts[s.world.management], region); status == "" || status == "DISABLED" {
			return nil, nil, validation("Region " + region + " is not supported or is not enabled in the administrator account")
		}
	}
	ids, filter := dt.list("OrganizationalUnitIds"), dt.str("AccountFilterType")
	accounts, err := s.accountsOf(c, dt)
	if err != nil {
		return nil, nil, err
	}
	if len(ids) > 50 {
		return nil, nil, validation("1 validation error detected: Value at 'deploymentTargets.organizationalUnitIds' failed to satisfy constraint: Member must have length less than or equal to 50")
	}
	// A delete by account alone is refused (aws/aws-cli#8248); an update is not.
	if len(ids) == 0 && (action != "UPDATE" || len(accounts) == 0) {
		return nil, nil, validation("StackSets with SERVICE_MANAGED permission model can only have OrganizationalUnit as target")
	}
	switch filter {
	case "", "NONE", "INTERSECTION", "DIFFERENCE":
	case "UNION":
		if action == "CREATE" {
			return nil, nil, validation("AccountFilterType UNION is not supported for CreateStackInstances")
		}
	default:
		return nil, nil, validation("1 validation error detected: Value '" + filter + "' at 'deploymentTargets.accountFilterType' failed to satisfy constraint: Member must satisfy enum value set: [NONE, INTERSECTION, DIFFERENCE, UNION]")
	}
	if len(accounts) > 0 && len(ids) > 0 && filter == "" {
		if action == "CREATE" {
			return nil, nil, validation("AccountFilterType must be specified when both OrganizationalUnitIds and Accounts are specified")
		}
		filter = "UNION"
	}
	if len(accounts) == 0 && (filter == "INTERSECTION" || filter == "DIFFERENCE") {
		return nil, nil, validation("Accounts must be specified with AccountFilterType " + filter)
	}
	known := set.known(s, action)
	for _, id := range ids {
		if id != s.world.rootID && s.world.ous[id] == nil {
			return nil, nil, validation("OrganizationalUnit " + id + " does not exist in the organization")
		}
		if action != "CREATE" && !known[id] {
			return nil, nil, validation("Organizational unit " + id + " not found in StackSet")
		}
	}
	named := make(map[string]bool, len(accounts))
	for _, id := range accounts {
		if s.world.accounts[id] == nil {
			return nil, nil, validation("Account " + id + " does not belong to the organization")
		}
		named[id] = true
	}
	ous := map[string]string{}
	var chosen []string
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	for _, id := range s.world.order {
		a := s.world.accounts[id]
		if id == s.world.management {
			continue // service-managed sets never deploy there, without a word
		}
		under := ""
		for _, ou := range s.world.ancestors(a.ParentID) {
			if wanted[ou] { // of several, the one nearest to the root
				under = ou
				break
			}
		}
		in := under != ""
		switch filter {
		case "INTERSECTION":
			in = in && named[id]
		case "DIFFERENCE":
			in = in && !named[id]
		case "UNION":
			in = in || named[id]
		default:
			if len(ids) == 0 {
				in = named[id]
			}
		}
		if in {
			if under == "" {
				under = a.ParentID
			}
			ous[id] = under
			chosen = append(chosen, id)
		}
	}
	slices.Sort(chosen)
	var out []target
	for _, region := range regions {
		for _, id := range chosen {
			t := target{id, region}
			if action != "CREATE" && set.instances[t] == nil {
				// An account that is asked for by name has to have an instance; of
				// an OU's accounts those without one are passed over.
				if action == "UPDATE" && named[id] {
					return nil, nil, fail(http.StatusNotFound, "StackInstanceNotFoundException", "Stack instance not found for account "+id+" and region "+region)
				}
				continue
			}
			out = append(out, t)
		}
	}
	return out, ous, nil
}

// known are the roots and OUs that the set has instances under, or was deployed to.
func (set *stackSet) known(s *Sim, action string) map[string]bool {
	out := map[string]bool{}
	if action == "CREATE" {
		return out
	}
	for _, id := range set.OUs {
		out[id] = true
	}
	seen := map[string]bool{}
	for t, i := range set.instances {
		out[i.OU] = true
		if seen[t.account] {
			continue
		}
		seen[t.account] = true
		for _, id := range s.world.ancestors(s.world.everAccount(t.account).ParentID) {
			out[id] = true
		}
	}
	return out
}
