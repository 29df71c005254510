package stackset

import "strings"

// stacksFull is what CloudFormation says where an account has as many stacks in a Region
// as it can have (aws-amplify/amplify-cli#5221); an instance keeps it as its reason.
const stacksFull = "Limit for stack has been exceeded"

// fullBefore finds accounts in which the last operation found no room for a stack that
// the run tries to make again.
func (p *planner) fullBefore() {
	sets := map[string]Set{}
	for _, s := range p.plan.Sets {
		sets[s.Name] = s
	}
	for _, c := range p.plan.Changes {
		if c.Single || !pending(c.Action) || c.Action == Delete {
			continue
		}
		if i := sets[c.StackSet].Instances[c.Target]; strings.Contains(i.Reason, stacksFull) {
			p.find(Finding{Code: "quota-stacks", StackSet: c.StackSet, Text: "The last operation of {sets} failed in {places}: the account had as many stacks there as it can have, 2000 by default. Where nobody made room since, it fails again."}, In(c.Account, c.Region))
		}
	}
}
