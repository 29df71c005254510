package simaws

import (
	"net/http"
	"slices"
	"time"
)

// policyTypeSwitch is how long a policy type is being switched on or off. "This is an
// asynchronous request that AWS performs in the background" (API reference,
// EnablePolicyType); no figure is named.
const policyTypeSwitch = 5 * time.Second

// policyTypeStatus is ENABLED, PENDING_ENABLE, PENDING_DISABLE or, for a type that is
// off, "".
func (w *world) policyTypeStatus(kind string) string {
	switch pending := w.pendingTypes[kind]; {
	case pending != "":
		return pending
	case slices.Contains(w.policyTypes, kind):
		return "ENABLED"
	}
	return ""
}

// policyTypeShapes are the policy types of the root that are not off.
func (w *world) policyTypeShapes() []any {
	kinds, out := slices.Clone(w.policyTypes), []any{}
	for _, kind := range sortedKeys(w.pendingTypes) {
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	for _, kind := range kinds {
		out = append(out, map[string]any{"Type": kind, "Status": w.policyTypeStatus(kind)})
	}
	return out
}

func policyTypeOff() error {
	return fail(http.StatusBadRequest, "PolicyTypeNotEnabledException", "The specified policy type isn't currently enabled in this root. You can't attach policies of the specified type to entities in a root until you enable that type in the root.")
}

// checkPolicyType looks at the root and at whether the type is being switched. Which
// of their errors the calls answer meanwhile is not documented.
func (s *Sim) checkPolicyType(in organizationInput) error {
	if in.RootId != s.world.rootID {
		return fail(http.StatusBadRequest, "RootNotFoundException", "We can't find a root with the RootId that you specified.")
	}
	if s.world.pendingTypes[in.PolicyType] != "" {
		return fail(http.StatusBadRequest, "PolicyChangesInProgressException", "Changes to the effective policy are in progress, and its contents can't be returned. Try the operation again later.")
	}
	return nil
}

// enablePolicyType switches a type on. Policies can be attached when it is ENABLED
// (API reference, PolicyTypeSummary).
func enablePolicyType(s *Sim, _ *call, in organizationInput) (any, error) {
	w := s.world
	if err := s.checkPolicyType(in); err != nil {
		return nil, err
	}
	if slices.Contains(w.policyTypes, in.PolicyType) {
		return nil, fail(http.StatusBadRequest, "PolicyTypeAlreadyEnabledException", "The specified policy type is already enabled in the specified root.")
	}
	s.switchPolicyType(in.PolicyType, "PENDING_ENABLE", func() { w.policyTypes = append(w.policyTypes, in.PolicyType) })
	return map[string]any{"Root": s.rootShape()}, nil
}

// disablePolicyType switches a type off and detaches its policies from everything;
// switched on again, only FullAWSAccess is attached (user guide, Disabling a policy type).
func disablePolicyType(s *Sim, _ *call, in organizationInput) (any, error) {
	w := s.world
	if err := s.checkPolicyType(in); err != nil {
		return nil, err
	}
	if !slices.Contains(w.policyTypes, in.PolicyType) {
		return nil, policyTypeOff()
	}
	s.switchPolicyType(in.PolicyType, "PENDING_DISABLE", func() { w.dropPolicyType(in.PolicyType) })
	return map[string]any{"Root": s.rootShape()}, nil
}

func (s *Sim) switchPolicyType(kind, status string, end func()) {
	w := s.world
	if w.pendingTypes == nil {
		w.pendingTypes = map[string]string{}
	}
	w.pendingTypes[kind] = status
	s.clock.after(policyTypeSwitch, func() {
		delete(w.pendingTypes, kind)
		end()
	})
}

func (w *world) dropPolicyType(kind string) {
	w.policyTypes = slices.DeleteFunc(w.policyTypes, func(t string) bool { return t == kind })
	for target, ids := range w.policies.attached {
		ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return w.policies.byID[id].Type == kind })
		if w.policies.attached[target] = ids; len(ids) == 0 {
			delete(w.policies.attached, target)
		}
	}
	if kind == scpType {
		clear(w.policies.bare)
	}
}
