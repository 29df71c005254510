package stackset

import "fmt"

// mostStacks is how many stacks an account can have in a Region (CloudFormation user guide,
// Quotas); it can be raised.
const mostStacks = 2000

// stacksQuota says where an aggregator counts so many stacks that those of the run find no
// room. Nothing is said of places whose stacks nobody counted.
func (p *planner) stacksQuota() {
	if p.facts.Aggregate == nil {
		return
	}
	more := map[Target]int{}
	for _, c := range p.plan.Changes {
		if c.Action == Create || c.Action == Recreate { // the stack of one made anew stays
			more[c.Target]++
		}
	}
	for _, a := range p.d.Accounts {
		for _, region := range p.d.readRegions() {
			t := Target{a.ID, region}
			have, counted := p.facts.Aggregate.Stacks[t]
			if counted && more[t] > 0 && have+more[t] > mostStacks {
				p.find(Finding{Code: "quota-stacks", Text: fmt.Sprintf("In {places} AWS Config counts %d stacks and this run adds %d, and an account can have %d in a Region unless AWS raised that.", have, more[t], mostStacks)}, In(a, region))
			}
		}
	}
}
