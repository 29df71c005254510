package simaws

import (
	"slices"
	"sort"
)

// TruthLine is what a report should say of one account, Region and rule.
type TruthLine struct {
	AccountID string `json:"account_id"`
	Region    string `json:"region"`
	Rule      string `json:"rule"` // the rule's name in AWS Config
	Status    string `json:"status"`
}

// readerRoles are the roles that a caller of the management account would try.
var readerRoles = []string{"rollout-reader", "OrganizationAccountAccessRole", "AWSControlTowerExecution"}

// Truth says what the caller of the management account would rightly report: a
// line for every account × Region × rule name that exists anywhere in the
// organization, gaps included, sorted. regions narrows it; nil is every Region.
func (s *Sim) Truth(regions []string) []TruthLine {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.advance()
	all := append(slices.Clone(s.world.enabledRegions), s.world.optInRegions...)
	if len(regions) == 0 {
		regions = all
	}
	names := map[string]bool{}
	for _, a := range s.world.accounts {
		for _, r := range a.regions {
			for name := range r.rules {
				names[name] = true
			}
		}
	}
	rules := sortedKeys(names)
	var out []TruthLine
	ids := slices.Clone(s.world.order)
	sort.Strings(ids)
	regions = slices.Clone(regions)
	sort.Strings(regions)
	for _, id := range ids {
		a := s.world.accounts[id]
		for _, region := range slices.Compact(regions) {
			if !slices.Contains(all, region) {
				continue
			}
			for _, rule := range rules {
				out = append(out, TruthLine{id, region, rule, s.rightStatus(a, region, rule)})
			}
		}
	}
	return out
}

// rightStatus goes through the statuses in order; the first that applies wins.
func (s *Sim) rightStatus(a *account, region, name string) string {
	if a.State != "ACTIVE" {
		return "ACCOUNT_INACTIVE"
	}
	if s.world.regionStatus(a, region) == "DISABLED" {
		return "REGION_DISABLED"
	}
	if a.ID != s.world.management {
		role := s.readerRole(a)
		if role == nil {
			return "ACCESS_DENIED"
		}
		if a.deniedRegions[region] {
			return "REGION_DENIED"
		}
		for _, action := range []string{"config:DescribeConfigRules", "config:DescribeComplianceByConfigRule"} {
			if s.policyDenies(a.ID, role.Name, action, region) || !s.roleAllows(role, access{Action: action, Resource: "*"}) {
				return "ACCESS_DENIED"
			}
		}
	}
	r := a.region(region)
	rule := r.rules[name]
	if rule == nil {
		return "NOT_DEPLOYED"
	}
	if r.recorder == nil || !r.recorder.Recording {
		return "RECORDER_OFF"
	}
	for _, t := range rule.ScopeTypes {
		if !r.recorder.records(t) {
			return "NOT_RECORDED"
		}
	}
	return s.ruleWord(r, rule)
}

// readerRole is the first role that the management account may assume.
func (s *Sim) readerRole(a *account) *iamRole {
	who := caller{Account: s.world.management, ARN: "arn:" + s.world.partition + ":iam::" + s.world.management + ":user/operator"}
	for _, name := range readerRoles {
		if r := a.roles[name]; r != nil && trusts(r.Trust, who, nil) {
			return r
		}
	}
	return nil
}
