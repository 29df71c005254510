package simaws

import (
	"bufio"
	"encoding/json"
	"io"
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

// truthPieceLines is the number of lines that are made at one moment. A smaller
// organization is told whole, at one moment; a larger one in pieces, so that
// neither memory nor the time for which calls wait grows with it.
const truthPieceLines = 50_000

// Truth says what the caller of the management account would rightly report: a
// line for every account × Region × rule name that exists anywhere in the
// organization, gaps included, sorted. regions narrows it; nil is every Region.
func (s *Sim) Truth(regions []string) []TruthLine {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.advance()
	t := s.truth(regions)
	var out []TruthLine
	for t.more() {
		out = t.account(out)
	}
	return out
}

// WriteTruth writes Truth as JSON lines, in bounded memory.
func (s *Sim) WriteTruth(w io.Writer, regions []string) error {
	var t *truthTeller
	var lines []TruthLine
	buffered := bufio.NewWriterSize(w, 64<<10)
	encoder := json.NewEncoder(buffered)
	for t == nil || t.more() {
		lines = s.truthPiece(&t, regions, lines[:0])
		for _, line := range lines {
			if err := encoder.Encode(line); err != nil {
				return err
			}
		}
	}
	return buffered.Flush()
}

func (s *Sim) truthPiece(t **truthTeller, regions []string, lines []TruthLine) []TruthLine {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.advance()
	if *t == nil {
		*t = s.truth(regions)
	}
	for (*t).more() && len(lines) < truthPieceLines {
		lines = (*t).account(lines)
	}
	return lines
}

// truthTeller goes through the accounts.
type truthTeller struct {
	s                   *Sim
	ids, regions, rules []string
}

func (s *Sim) truth(regions []string) *truthTeller {
	all := append(slices.Clone(s.world.enabledRegions), s.world.optInRegions...)
	if len(regions) == 0 {
		regions = all
	}
	regions = slices.Clone(regions)
	sort.Strings(regions)
	t := &truthTeller{s: s, ids: slices.Clone(s.world.order)}
	sort.Strings(t.ids)
	for _, region := range slices.Compact(regions) {
		if slices.Contains(all, region) {
			t.regions = append(t.regions, region)
		}
	}
	names := map[string]bool{}
	for _, a := range s.world.accounts {
		for _, r := range a.regions {
			for name := range r.rules {
				names[name] = true
			}
		}
	}
	t.rules = sortedKeys(names)
	return t
}

func (t *truthTeller) more() bool { return len(t.ids) > 0 && len(t.regions) > 0 && len(t.rules) > 0 }

// account adds the lines of the next account, if it is still there.
func (t *truthTeller) account(out []TruthLine) []TruthLine {
	a := t.s.world.accounts[t.ids[0]]
	t.ids = t.ids[1:]
	if a == nil {
		return out
	}
	for _, region := range t.regions {
		barrier := t.s.barrier(a, region)
		for _, rule := range t.rules {
			status := barrier
			if status == "" {
				status = t.s.rightStatus(a, region, rule)
			}
			out = append(out, TruthLine{a.ID, region, rule, status})
		}
	}
	return out
}

// barrier is the status of an account and Region into which nobody can look, ""
// otherwise. As in rightStatus, the first status that applies wins.
func (s *Sim) barrier(a *account, region string) string {
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
		// A Region that is denied is denied for every service that has Regions.
		if s.policyDenies(a.ID, role.Name, "config:DescribeConfigRules", region) && s.policyDenies(a.ID, role.Name, "ec2:DescribeVpcs", region) {
			return "REGION_DENIED"
		}
		for _, action := range []string{"config:DescribeConfigRules", "config:DescribeComplianceByConfigRule"} {
			if s.policyDenies(a.ID, role.Name, action, region) || !s.roleAllows(role, access{Action: action, Resource: "*"}) {
				return "ACCESS_DENIED"
			}
		}
	}
	return ""
}

// rightStatus is the status of a rule where it can be looked at.
func (s *Sim) rightStatus(a *account, region, name string) string {
	// The generator makes rules and recorders at once, the rest of a Region when
	// it is looked at: what nobody looked at yet has no rule, and stays unmade.
	r := a.regions[region]
	if r == nil {
		return "NOT_DEPLOYED"
	}
	rule := r.rules[name]
	if rule == nil {
		return "NOT_DEPLOYED"
	}
	if r.recorder == nil || !r.recorder.Recording {
		return "RECORDER_OFF"
	}
	for _, t := range rule.needs() {
		if !r.recorder.records(t) {
			return "NOT_RECORDED"
		}
	}
	return s.ruleWord(r, rule)
}

// needs are the types without whose recording a rule has no verdict. A rule that is
// periodic only needs none.
func (rule *configRule) needs() []string {
	switch managed, known := managedRules[rule.Identifier]; {
	case known && !managed.changes:
		return nil
	case known && len(rule.ScopeTypes) == 0:
		return managed.types
	}
	return rule.ScopeTypes
}

// readerRole is the first role that the management account may assume.
func (s *Sim) readerRole(a *account) *iamRole {
	who := caller{Account: s.world.management, ARN: "arn:" + s.world.partition + ":iam::" + s.world.management + ":user/operator"}
	for _, name := range readerRoles {
		if r := a.roles[name]; r != nil && trusts(r.Trust, "sts:AssumeRole", who, nil) {
			return r
		}
	}
	return nil
}
