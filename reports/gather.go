package reports

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"sync/atomic"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
	"rollout/orgs"
	"rollout/stackset"
	"rollout/templates"
)

const (
	// accountsAtOnce and regionsAtOnce bound the calls under way: Config's
	// limits are per account and Region, so the gather goes wide across
	// accounts, a little across Regions, and one call at a time inside a place.
	accountsAtOnce = 32
	regionsAtOnce  = 4
)

// RuleAt is a rule of the run and the Region where it lives; "" means every Region
// asked for. A rule of a name may be there once for each Region, with other
// parameters.
type RuleAt struct {
	templates.Rule
	Region string
}

// GatherInput says what to read. Every account × Region × rule has a cell, also
// where nothing can be read, in the Regions where the rule lives.
type GatherInput struct {
	// Accounts are the chosen ones, the inactive too. Results come in their order.
	Accounts []*orgs.Account
	Regions  []string
	Rules    []RuleAt
	// OptIn says of a Region whether accounts have to switch it on. A Region that
	// is not in it may be either.
	OptIn map[string]bool
	// Instances finds the stack instance that brings a rule to a place; nil or
	// ok false means none.
	Instances func(account, region, rule string) (stackset.Instance, bool)
	// Sessions are shared with Settle, so that each account is entered once;
	// nil enters each account and forgets it again.
	Sessions *Sessions
}

// Gathered is what Collect read.
type Gathered struct {
	Cells    []Cell    // sorted by OU path, account, Region, rule
	Findings []Finding // likewise, then resource type and id
	// Roles counts the accounts read through each role; "" is the caller's own
	// credentials.
	Roles map[string]int
	// Interrupted is set when the context ended before all was read: the cells
	// left over are UNREACHABLE, with the detail "interrupted".
	Interrupted bool
}

// Gather reads every place and yields it with its result, accounts in input
// order, Regions sorted, cells by rule name. What cannot be read is a cell with
// the gap that keeps it from us; nothing stops the rest. After the context ends
// the places left over are yielded as interrupted.
func Gather(ctx context.Context, s *awsapi.Session, in GatherInput, emit func(Event)) iter.Seq2[Place, Result] {
	return func(yield func(Place, Result) bool) {
		g := newGather(s, in, emit)
		g.emit(GatherStarted{Accounts: len(in.Accounts), Places: g.places, Rules: len(g.rules)})
		for account, results := range fanout.Ordered(ctx, in.Accounts, accountsAtOnce, g.account) {
			for i, region := range g.regions {
				if !yield(Place{account, region}, results[i]) {
					return
				}
			}
		}
	}
}

// Collect is Gather with everything in memory, sorted.
func Collect(ctx context.Context, s *awsapi.Session, in GatherInput, emit func(Event)) Gathered {
	out := Gathered{Roles: map[string]int{}}
	last := ""
	for place, result := range Gather(ctx, s, in, emit) {
		out.Cells = append(out.Cells, result.Cells...)
		out.Findings = append(out.Findings, result.Findings...)
		out.Interrupted = out.Interrupted || result.Interrupted
		if result.Read && place.Account.ID != last {
			out.Roles[result.Role]++
			last = place.Account.ID
		}
	}
	slices.SortFunc(out.Cells, Cell.Compare)
	slices.SortFunc(out.Findings, Finding.Compare)
	return out
}

// gather is one run of Gather.
type gather struct {
	s        *awsapi.Session
	in       GatherInput
	sessions *Sessions
	regions  []string // sorted
	rules    []RuleAt // sorted by name
	places   int
	emitter  func(Event)

	placesDone, accountsDone atomic.Int64
	// regionPace holds the questions about other accounts' Regions to Account
	// Management's 5 a second; askedInVain is set once it refused one.
	regionPace  awsapi.Pace
	askedInVain atomic.Bool
}

func newGather(s *awsapi.Session, in GatherInput, emit func(Event)) *gather {
	g := &gather{s: s, in: in, sessions: in.Sessions, emitter: emit, regionPace: awsapi.Pace{"ListRegions": awsapi.Limit(5, 5)}}
	if g.sessions == nil {
		g.sessions = newSessions(s, false, ReadPolicy)
	}
	g.rules = slices.SortedFunc(slices.Values(in.Rules), func(a, b RuleAt) int { return cmp.Or(compareText(a.Name, b.Name), compareText(a.Region, b.Region)) })
	g.rules = slices.CompactFunc(g.rules, func(a, b RuleAt) bool { return a.Name == b.Name && a.Region == b.Region })
	g.regions = regionsOf(in.Regions, g.rules)
	g.places = len(in.Accounts) * len(g.regions)
	return g
}

// regionsOf gives the Regions that have a cell, sorted.
func regionsOf(regions []string, rules []RuleAt) []string {
	set := map[string]bool{}
	for _, rule := range rules {
		if rule.Region != "" {
			set[rule.Region] = true
			continue
		}
		for _, r := range regions {
			set[r] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// rulesIn gives the rules that live in a Region, in order.
func rulesIn(rules []RuleAt, regions []string, region string) []templates.Rule {
	var out []templates.Rule
	for _, r := range rules {
		if r.Region == region || r.Region == "" && slices.Contains(regions, region) {
			out = append(out, r.Rule)
		}
	}
	return out
}

func (g *gather) emit(e Event) {
	if g.emitter != nil {
		g.emitter(e)
	}
}
