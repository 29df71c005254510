package stackset

import (
	"fmt"
	"slices"
)

// mostRules is how many rules of AWS Config an account can have in a Region. It cannot be
// increased, and Service Quotas does not know it (AWS Config developer guide, Service
// limits).
const mostRules = 1000

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
	q := p.facts.quotas()
	for _, s := range p.plan.Sets {
		if n := len(s.Instances) + adds[s.Name]; adds[s.Name] > 0 && n > q.Instances.Value {
			p.find(Finding{Code: "quota-instances", StackSet: s.Name, Text: fmt.Sprintf("Stack set %s would have %d instances, and a set can have %v.", s.Name, n, q.Instances), Remedy: q.Instances.remedy("quota-instances")})
		}
	}
	for _, s := range steps {
		if s.Instances > q.AtOnce.Value {
			p.find(Finding{Code: "quota-at-once", StackSet: s.StackSet, Text: fmt.Sprintf("%s works on %d instances of stack set %s, and the number that StackSets works on at a time is %v.", s.Call, s.Instances, s.StackSet, q.AtOnce), Remedy: q.AtOnce.remedy("quota-at-once")})
		}
	}
	for _, a := range p.d.Accounts {
		f := p.facts.Accounts[a.ID]
		if f == nil {
			continue
		}
		for region, r := range f.Regions {
			if more := creates[Target{a.ID, region}]; more > 0 && r.RuleCount+more > mostRules {
				p.find(Finding{Code: "quota-rules", Text: fmt.Sprintf("In {places} there are %d Config rules and this run adds %d, and no account can have more than %d in a Region.", r.RuleCount, more, mostRules)}, In(a, region))
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
	if q := p.Facts.quotas().Sets; more > 0 && active+more > q.Value {
		p.Find(Finding{Code: "quota-sets", Text: fmt.Sprintf("There are %d stack sets in %s and this run makes %d, and the account can have %v.", active, p.Desired.HomeRegion, more, q), Remedy: q.remedy("quota-sets")})
	}
}
