package simaws

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// accountOps are the calls served, by name.
var accountOps = map[string]handler{
	"ListRegions":        listRegions,
	"GetRegionOptStatus": getRegionOptStatus,
	"EnableRegion":       func(s *Sim, c *call) (any, error) { return switchRegion(s, c, true) },
	"DisableRegion":      func(s *Sim, c *call) (any, error) { return switchRegion(s, c, false) },
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
		status := s.optStatus(a, name)
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
	status := s.optStatus(a, in.RegionName)
	if status == "" {
		return nil, fail(http.StatusBadRequest, "ValidationException", "Invalid Region "+in.RegionName)
	}
	return map[string]any{"RegionName": in.RegionName, "RegionOptStatus": status}, nil
}

// optStatus is a Region's RegionOptStatus: while it is switched, ENABLING or DISABLING.
func (s *Sim) optStatus(a *account, region string) string {
	if now := a.switching[region]; now != "" {
		return now
	}
	return s.world.regionStatus(a, region)
}

// switchRegion begins to switch an opt-in Region, which takes from minutes to hours
// (Account Management reference guide, "Enable or disable AWS Regions"). A Region that is being switched off cannot be used any more.
func switchRegion(s *Sim, c *call, on bool) (any, error) {
	a, in, err := s.target(c)
	if err != nil {
		return nil, err
	}
	status := s.optStatus(a, in.RegionName)
	switch status {
	case "":
		return nil, fail(http.StatusBadRequest, "ValidationException", "Invalid Region "+in.RegionName)
	case "ENABLED_BY_DEFAULT":
		return nil, fail(http.StatusBadRequest, "ValidationException", "Region "+in.RegionName+" is enabled by default and cannot be enabled or disabled")
	case "ENABLING", "DISABLING":
		return nil, fail(http.StatusConflict, "ConflictException", "Region "+in.RegionName+" is being enabled or disabled")
	}
	if on == (status == "ENABLED") {
		return map[string]any{}, nil
	}
	if a.switching == nil {
		a.switching = map[string]string{}
	}
	a.switching[in.RegionName] = "DISABLING"
	if on {
		a.switching[in.RegionName] = "ENABLING"
	} else {
		delete(a.optedIn, in.RegionName)
	}
	s.clock.after(spread(3*time.Minute, 10*time.Minute, a.ID, in.RegionName, a.switching[in.RegionName]), func() {
		delete(a.switching, in.RegionName)
		if on {
			a.optedIn[in.RegionName] = true
		}
	})
	return map[string]any{}, nil
}
