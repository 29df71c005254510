package simaws

import (
	"net/http"
	"slices"
	"strconv"
)

// accountOps are the calls served, by name.
var accountOps = map[string]handler{
	"ListRegions":        listRegions,
	"GetRegionOptStatus": getRegionOptStatus,
}

type accountInput struct {
	AccountId               string
	RegionName              string
	MaxResults              *int
	NextToken               string
	RegionOptStatusContains []string
}

// target gives the account asked about. Another one than the caller's can be
// asked for by the management account or a delegated administrator.
func (s *Sim) target(c *call) (*account, accountInput, error) {
	var in accountInput
	if err := unmarshal(c, &in); err != nil {
		return nil, in, err
	}
	id := c.Caller.Account
	if in.AccountId != "" && in.AccountId != id {
		if id != s.world.management && !slices.Contains(s.world.delegated[id], "account.amazonaws.com") {
			return nil, in, fail(http.StatusForbidden, "AccessDeniedException", "User: "+c.Caller.ARN+" is not authorized to perform: account:"+c.Action)
		}
		id = in.AccountId
	}
	a := s.world.accounts[id]
	if a == nil {
		return nil, in, fail(http.StatusForbidden, "AccessDeniedException", "User: "+c.Caller.ARN+" is not authorized to perform: account:"+c.Action)
	}
	return a, in, nil
}

func listRegions(s *Sim, c *call) (any, error) {
	a, in, err := s.target(c)
	if err != nil {
		return nil, err
	}
	size, from := 50, 0
	if in.MaxResults != nil {
		size = *in.MaxResults
	}
	if size < 1 || size > 50 {
		return nil, fail(http.StatusBadRequest, "ValidationException", "MaxResults is from 1 to 50")
	}
	if in.NextToken != "" {
		if from, err = strconv.Atoi(in.NextToken); err != nil || from < 0 {
			return nil, fail(http.StatusBadRequest, "ValidationException", "Invalid NextToken")
		}
	}
	all := append(slices.Clone(s.world.enabledRegions), s.world.optInRegions...)
	slices.Sort(all)
	list := []any{}
	for _, name := range all {
		status := s.world.regionStatus(a, name)
		if len(in.RegionOptStatusContains) == 0 || slices.Contains(in.RegionOptStatusContains, status) {
			list = append(list, map[string]any{"RegionName": name, "RegionOptStatus": status})
		}
	}
	from = min(from, len(list))
	to := min(from+size, len(list))
	out := map[string]any{"Regions": list[from:to]}
	if to < len(list) {
		out["NextToken"] = strconv.Itoa(to)
	}
	return out, nil
}

func getRegionOptStatus(s *Sim, c *call) (any, error) {
	a, in, err := s.target(c)
	if err != nil {
		return nil, err
	}
	status := s.world.regionStatus(a, in.RegionName)
	if status == "" {
		return nil, fail(http.StatusBadRequest, "ValidationException", "Invalid Region "+in.RegionName)
	}
	return map[string]any{"RegionName": in.RegionName, "RegionOptStatus": status}, nil
}
