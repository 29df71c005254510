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
	for _, region := range regions {
		// A Region has to be on in the account that owns the set as well.
		if status := s.world.regionStatus(s.world.accounts[s.world.management], region); status == "" || status == "DISABLED" {
			return nil, nil, validation("Region " + region + " is not supported or is not enabled in the administrator account")
		}
	}
	ids, accounts, filter := dt.list("OrganizationalUnitIds"), dt.list("Accounts"), dt.str("AccountFilterType")
	if len(ids) > 50 {
		return nil, nil, validation("1 validation error detected: Value at 'deploymentTargets.organizationalUnitIds' failed to satisfy constraint: Member must have length less than or equal to 50")
	}
	if len(ids) == 0 && (action == "CREATE" || len(accounts) == 0) {
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
	for _, id := range ids {
		if id != s.world.rootID && s.world.ous[id] == nil {
			return nil, nil, validation("OrganizationalUnit " + id + " does not exist in the organization")
		}
		if action != "CREATE" && !set.knows(s, id) {
			return nil, nil, validation("Organizational unit " + id + " not found in StackSet")
		}
	}
	for _, id := range accounts {
		if s.world.accounts[id] == nil {
			return nil, nil, validation("Account " + id + " does not belong to the organization")
		}
	}
	ous := map[string]string{}
	var chosen []string
	for _, id := range s.world.order {
		a := s.world.accounts[id]
		if id == s.world.management {
			continue // service-managed sets never deploy there, without a word
		}
		under := ""
		for _, ou := range ids {
			if s.world.under(a, ou) {
				under = ou
				break
			}
		}
		named := slices.Contains(accounts, id)
		in := under != ""
		switch filter {
		case "INTERSECTION":
			in = in && named
		case "DIFFERENCE":
			in = in && !named
		case "UNION":
			in = in || named
		default:
			if len(ids) == 0 {
				in = named
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
				if c.Action == "UpdateStackInstances" && len(accounts) > 0 {
					return nil, nil, fail(http.StatusNotFound, "StackInstanceNotFoundException", "Stack instance not found for account "+id+" and region "+region)
				}
				continue
			}
			out = append(out, t)
		}
	}
	return out, ous, nil
}

// knows says whether an OU (or one above or below it) was ever a target of the set.
func (set *stackSet) knows(s *Sim, id string) bool {
	for _, i := range set.instances {
		if i.OU == id || s.world.accounts[i.account] != nil && s.world.under(s.world.accounts[i.account], id) {
			return true
		}
	}
	return slices.Contains(set.OUs, id)
}
