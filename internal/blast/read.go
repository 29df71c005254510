package blast

import (
	"context"
	"slices"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
	"rollout/orgs"
	"rollout/stackset"
)

const (
	accountsAtOnce = 32
	regionsAtOnce  = 4 // of one account
)

// Read lists what the remediations of a plan would change. Accounts are read side by side,
// a few Regions of each at once, and the calls of an account's Region one after another.
// Of a plan without enforcement it is what manual enforcement would change. A failure in an
// account is an Unread; the only error is that of the plan or of a cancelled context.
func Read(ctx context.Context, s *awsapi.Session, plan *stackset.Plan, emit func(Event)) (*Radius, error) {
	if emit == nil {
		emit = func(Event) {}
	}
	enforced, err := plan.Enforcement()
	if err != nil {
		return nil, err
	}
	accounts, templates := byAccount(plan, enforced)
	emit(Started{Accounts: len(accounts), Places: len(enforced)})
	r := &reader{s: s, policy: Policy(templates)}
	out := &Radius{}
	done := 0
	for a, got := range fanout.Ordered(ctx, accounts, accountsAtOnce, r.account) {
		out.Resources = append(out.Resources, got.Resources...)
		out.Unread = append(out.Unread, got.Unread...)
		out.Places = append(out.Places, got.Places...)
		done++
		emit(AccountRead{AccountID: a.account.ID, Done: done, Total: len(accounts)})
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out.worst()
	return out, nil
}

type reader struct {
	s      *awsapi.Session
	policy string
}

// inAccount is what is to be read in an account.
type inAccount struct {
	account *orgs.Account
	regions []inRegion
}

// inRegion is what is to be read in a Region of an account.
type inRegion struct {
	region   string
	facts    *stackset.RegionFacts
	remedies []remedy
}

// byAccount arranges places by account and Region, in the order of the plan, and gives
// the names of the templates that are met.
func byAccount(plan *stackset.Plan, enforced []stackset.Enforced) (out []inAccount, names []string) {
	accounts := map[string]int{}
	kinds := map[kind][]ruled{}
	for _, e := range enforced {
		n, known := accounts[e.Account.ID]
		if !known {
			n = len(out)
			accounts[e.Account.ID] = n
			out = append(out, inAccount{account: e.Account})
		}
		k := kind{e.Set.Name, e.Region}
		rules, known := kinds[k]
		if !known {
			rules = rulesOf(plan, e.Set, e.Region)
			kinds[k] = rules
		}
		a := &out[n]
		at := slices.IndexFunc(a.regions, func(r inRegion) bool { return r.region == e.Region })
		if at < 0 {
			at = len(a.regions)
			a.regions = append(a.regions, inRegion{region: e.Region, facts: factsOf(plan, e.Account.ID, e.Region)})
		}
		a.regions[at].remedies = append(a.regions[at].remedies, remedy{e.Set, rules})
		if !slices.Contains(names, e.Set.Template.Name) {
			names = append(names, e.Set.Template.Name)
		}
	}
	return out, names
}

// kind is a set's remediations in a Region, the same in every account.
type kind struct{ set, region string }

// factsOf are what preflight read in a place, nil where it did not look.
func factsOf(plan *stackset.Plan, account, region string) *stackset.RegionFacts {
	if plan.Facts != nil {
		if a := plan.Facts.Accounts[account]; a != nil && a.Regions[region] != nil {
			return a.Regions[region]
		}
	}
	return nil
}

// account reads one account.
func (r *reader) account(ctx context.Context, in inAccount) Radius {
	entry, err := r.s.Enter(ctx, in.account.ID, r.policy)
	var out Radius
	if err != nil {
		for _, region := range in.regions {
			at := site{account: in.account, region: region.region}
			for _, m := range region.remedies {
				out.Unread = append(out.Unread, at.unread(m, err))
				out.Places = append(out.Places, at.place(m, "the account could not be entered: "+said(err)))
			}
		}
		return out
	}
	for _, got := range fanout.Ordered(ctx, in.regions, regionsAtOnce, func(ctx context.Context, region inRegion) Radius {
		return r.region(ctx, entry, in.account, region)
	}) {
		out.Resources = append(out.Resources, got.Resources...)
		out.Unread = append(out.Unread, got.Unread...)
		out.Places = append(out.Places, got.Places...)
	}
	return out
}

// region reads one Region of an account: AWS Config first, then what each template needs.
// Its clients are gone when it is done.
func (r *reader) region(ctx context.Context, entry *awsapi.Entry, account *orgs.Account, in inRegion) Radius {
	at := &site{account: account, region: in.region, cfg: entry.Config(in.region), pathStyle: r.s.Endpoint != ""}
	var out Radius
	remedies := at.verdicts(ctx, in)
	for _, m := range remedies {
		out.Places = append(out.Places, at.evaluated(m))
		resources, err := at.look(ctx, m)
		if err != nil {
			out.Unread = append(out.Unread, at.unread(m, err))
			resources = at.unlooked(m, err)
		}
		out.Resources = append(out.Resources, resources...)
	}
	return out
}
