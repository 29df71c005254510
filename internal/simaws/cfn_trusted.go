package simaws

import (
	"net/http"
	"slices"
)

// trusted refuses what works on a service-managed set while trusted access is off.
func (s *Sim) trusted() error {
	if s.world.stackSetsAccess != "ENABLED" {
		return validation("You must enable organizations access to operate a service managed stack set")
	}
	return nil
}

func describeAccess(s *Sim, c *call) (any, error) {
	if err := s.administrator(c); err != nil {
		return nil, err
	}
	return struct{ Status string }{s.world.stackSetsAccess}, nil
}

func activateAccess(s *Sim, c *call) (any, error) {
	if c.Caller.Account != s.world.management {
		return nil, fail(http.StatusBadRequest, "InvalidOperationException", "Only the management account can activate organizations access")
	}
	s.world.stackSetsAccess = "ENABLED"
	s.world.trustedServices[stackSetsPrincipal] = s.clock.Now()
	return struct{}{}, nil
}

// deactivateAccess takes StackSets' permissions away. Sets and stacks stay and cannot
// be worked on; delegated administrators have to go first (user guide, "Activate
// trusted access").
func deactivateAccess(s *Sim, c *call) (any, error) {
	if c.Caller.Account != s.world.management {
		return nil, fail(http.StatusBadRequest, "InvalidOperationException", "Only the management account can deactivate organizations access")
	}
	for _, id := range sortedKeys(s.world.delegated) {
		if slices.Contains(s.world.delegated[id], stackSetsPrincipal) {
			return nil, fail(http.StatusBadRequest, "InvalidOperationException", "Deregister the delegated administrators of StackSets first; account "+id+" is one")
		}
	}
	s.world.stackSetsAccess = "DISABLED"
	// "Dependencies are removed when StackSets are deleted or Organizations are
	// deactivated" (user guide, automatic deployments).
	for _, set := range s.world.stackSets {
		set.Auto.DependsOn = nil
	}
	delete(s.world.trustedServices, stackSetsPrincipal)
	return struct{}{}, nil
}
