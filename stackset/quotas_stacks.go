package stackset

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
)

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

// LimitsPolicy is the session policy with which it is asked what an account can have.
const LimitsPolicy = `{"Version":"2012-10-17","Statement":[{"Sid":"RolloutLimits","Effect":"Allow","Resource":"*","Action":["cloudformation:DescribeAccountLimits"]}]}`

// mostStacks is how many stacks an account can have in a Region by default (CloudFormation
// user guide, Quotas).
const mostStacks = 2000

// StackLimit is how many stacks an account can have in a Region: Value is 0 where that was
// not read, and Gap says why.
type StackLimit struct {
	Value int
	Gap   Gap
}

// readStackLimits asks accounts with more than half the stacks that AWS allows by default
// what they can have there: one call an account and Region, and a session an account. What
// is near to it is known from an aggregator alone; the caller's own account is not asked.
func readStackLimits(ctx context.Context, s *awsapi.Session, d Desired, sets int, stacks map[Target]int) map[Target]StackLimit {
	near := map[string][]string{}
	for _, a := range d.Accounts {
		for _, region := range d.readRegions() {
			if a.ID != s.Account && stacks[Target{a.ID, region}]+sets > mostStacks/2 {
				near[a.ID] = append(near[a.ID], region)
			}
		}
	}
	out := map[Target]StackLimit{}
	var mu sync.Mutex
	fanout.Each(ctx, slices.Sorted(maps.Keys(near)), accountsAtOnce, func(ctx context.Context, id string) {
		entry, err := s.Enter(ctx, id, LimitsPolicy)
		for _, region := range near[id] {
			limit := StackLimit{}
			if err != nil {
				limit.Gap = enterGap(err)
			} else {
				limit = stackLimit(ctx, cloudformation.NewFromConfig(entry.Config(region)))
			}
			mu.Lock()
			out[Target{id, region}] = limit
			mu.Unlock()
		}
	})
	return out
}

func stackLimit(ctx context.Context, client *cloudformation.Client) StackLimit {
	out, err := client.DescribeAccountLimits(ctx, &cloudformation.DescribeAccountLimitsInput{})
	if err != nil {
		return StackLimit{Gap: gapOf(err)}
	}
	for _, l := range out.AccountLimits {
		if aws.ToString(l.Name) == "StackLimit" && l.Value != nil {
			return StackLimit{Value: int(*l.Value)}
		}
	}
	return StackLimit{Gap: Gap{Text: "AWS CloudFormation named no StackLimit"}}
}

// full finds accounts that have no room for the stacks that a run adds, where an
// aggregator counted those that are there.
func (p *planner) full() {
	if p.facts.Aggregate == nil {
		return
	}
	adds := map[Target]int{}
	for _, c := range p.plan.Changes {
		switch c.Action {
		case Create, Recreate: // the stack of one made anew stays
			adds[c.Target]++
		case Delete:
			adds[c.Target]--
		}
	}
	for _, a := range p.d.Accounts {
		for _, region := range p.d.readRegions() {
			t := Target{a.ID, region}
			count, counted := p.facts.Aggregate.Stacks[t]
			limit := p.facts.StackLimits[t]
			most, whose, unread := limit.Value, "", ""
			if most == 0 {
				most, whose = mostStacks, "by default "
				if limit.Gap.Is() {
					unread = "; what it was raised to could not be read: " + limit.Gap.Text
				}
			}
			if adds[t] > 0 && counted && count+adds[t] > most {
				p.find(Finding{Code: "quota-stacks", Text: fmt.Sprintf("In {places} the account has %d stacks, as an aggregator of AWS Config counts them, and this run adds %d: %sit can have %d there (AWS CloudFormation's quota \"Stack count\", L-0485CB21)%s.", count, adds[t], whose, most, unread)}, In(a, region))
			}
		}
	}
}
