package stackset

import (
	"fmt"
	"slices"
)

// Quotas as AWS publishes them (CloudFormation user guide, CloudFormation quotas; AWS
// Config API reference, MaxNumberOfConfigRulesExceededException). All can be raised,
// which no call that a plan makes tells.
const (
	mostSets      = 1000
	mostInstances = 100000
	mostRules     = 1000
)

// quotas says where a deploy would pass what AWS allows.
func (p *planner) quotas(steps []Step) {
	adds, creates, sets := map[string]int{}, map[Target]int{}, map[string]Set{}
	for _, s := range p.plan.Sets {
		sets[s.Name] = s
	}
	for _, c := range p.plan.Changes {
		switch {
		case c.Single:
		case c.Action == Create:
			adds[c.StackSet]++
		case c.Action == Delete:
			adds[c.StackSet]--
		}
		if c.Action == Create {
			creates[c.Target] += len(p.rulesIn(sets[c.StackSet], c.Region))
		}
	}
	for _, s := range p.plan.Sets {
		if n := len(s.Instances) + adds[s.Name]; adds[s.Name] > 0 && n > mostInstances {
			p.find(Finding{Code: "quota-instances", StackSet: s.Name, Text: fmt.Sprintf("Stack set %s would have %d instances, and a set can have %d unless AWS raised that.", s.Name, n, mostInstances)})
		}
	}
	for _, s := range steps {
		if s.Instances > room {
			p.find(Finding{Code: "quota-at-once", StackSet: s.StackSet, Text: fmt.Sprintf("%s works on %d instances of stack set %s, and StackSets works on %d at a time unless AWS raised that.", s.Call, s.Instances, s.StackSet, room)})
		}
	}
	for _, a := range p.d.Accounts {
		f := p.facts.Accounts[a.ID]
		if f == nil {
			continue
		}
		for region, r := range f.Regions {
			if more := creates[Target{a.ID, region}]; more > 0 && r.RuleCount+more > mostRules {
				p.find(Finding{Code: "quota-rules", Text: fmt.Sprintf("In {places} there are %d Config rules and this run adds %d, and an account can have %d in a Region unless AWS raised that.", r.RuleCount, more, mostRules)}, In(a, region))
			}
		}
	}
}

// setsQuota says whether the sets that a plan makes find room beside those that are there.
func (p *Plan) setsQuota(active int) {
	more := 0
	for _, s := range p.Sets {
		if !s.Exists && slices.ContainsFunc(p.Changes, func(c Change) bool { return c.StackSet == s.Name && c.Action == Create && !c.Single }) {
			more++
		}
	}
	if more > 0 && active+more > mostSets {
		p.Find(Finding{Code: "quota-sets", Text: fmt.Sprintf("There are %d stack sets in %s and this run makes %d, and an account can have %d in a Region unless AWS raised that.", active, p.Desired.HomeRegion, more, mostSets)})
	}
}
