package reports

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rollout/internal/awsapi"
	"rollout/orgs"
	"rollout/templates"
)

// DefaultSettle is how long a run waits for first evaluations unless it is told.
const DefaultSettle = 15 * time.Minute

// pollsAtOnce bounds the places asked at the same time. Config's limits are per
// account and Region, and a place is asked one call after another.
const pollsAtOnce = 128

// SettleInput says what to wait for.
type SettleInput struct {
	// Accounts, Regions and Rules are as in GatherInput.
	Accounts []*orgs.Account
	Regions  []string
	Rules    []RuleAt
	// Since gives the time before this run brought or changed a rule's stack
	// instance in a place (the start of its operation): an evaluation after it is
	// waited for. ok false means that the run changed nothing there and no
	// evaluation is waited for; a zero time with ok waits for any evaluation.
	Since func(account, region, rule string) (t time.Time, ok bool)
	// Automatic says where this run has a rule's findings remediated
	// automatically: then the remediations are waited for as well. nil means
	// nowhere.
	Automatic func(account, region, rule string) bool
	// Limit is the longest time to wait; zero does not wait at all.
	Limit    time.Duration
	Sessions *Sessions // shared with Gather; nil for its own
}

// SettleResult is how the waiting ended.
type SettleResult struct {
	// Settled counts the places in which all is evaluated.
	Settled int
	// LeftOut are the places that can never settle and were not waited for,
	// Unsettled those that had not when the time was up; both sorted.
	LeftOut, Unsettled []PlaceNote
	// Later are the places in which all is remediated and the verdict is still from
	// before, since AWS Config looks by the clock and could not be asked to look now.
	Later  []PlaceNote
	Waited time.Duration
	// Interrupted is set when the context ended first.
	Interrupted bool
}

// PlaceNote is a place and what is to be said about it.
type PlaceNote struct {
	Place
	Why string
}

// Notes are whole sentences for the report, one a reason; nil when all settled.
func (r SettleResult) Notes() []string {
	var out []string
	tell := func(list []PlaceNote, format string) {
		type group struct {
			why   string
			count int
			first Place
		}
		var groups []group
		for _, n := range list {
			i := slices.IndexFunc(groups, func(g group) bool { return g.why == n.Why })
			if i < 0 {
				groups = append(groups, group{why: n.Why, first: n.Place})
				i = len(groups) - 1
			}
			groups[i].count++
		}
		slices.SortStableFunc(groups, func(a, b group) int { return cmp.Or(b.count-a.count, compareText(a.why, b.why)) })
		for i, g := range groups {
			if i == noteLimit {
				out = append(out, fmt.Sprintf("There are %d more reasons of that kind; each place's cell has its own.", len(groups)-i))
				break
			}
			where := fmt.Sprintf("%s in %s", g.first.Account.ID, g.first.Region)
			if g.count > 1 {
				where = fmt.Sprintf("%d places, such as %s", g.count, where)
			}
			out = append(out, fmt.Sprintf(format, where, g.why))
		}
	}
	tell(r.LeftOut, "First evaluations were not waited for in %s: %s.")
	tell(r.Later, "What was remediated still has its verdict from before in %s: %s.")
	after := "When the waiting ended after " + r.Waited.Round(time.Second).String()
	if r.Interrupted {
		after = "When the waiting was interrupted after " + r.Waited.Round(time.Second).String()
	}
	tell(r.Unsettled, after+", not all was settled in %s: %s.")
	return out
}

// noteLimit is how many reasons of a kind Notes spells out.
const noteLimit = 10

// Settle waits until every rule that the run brought has been evaluated since
// and, where findings are remediated automatically, until each remediation has
// ended and what it changed was evaluated again. Places that can never settle
// are left out at once. When Limit is up it gives what is unsettled, which is no
// error; the error is the context's.
func Settle(ctx context.Context, s *awsapi.Session, in SettleInput, emit func(Event)) (SettleResult, error) {
	w := newWaiting(s, in, emit)
	if w.total == 0 {
		return w.result, nil
	}
	w.emit(SettleStarted{Places: w.total, Limit: in.Limit})
	w.run(ctx)
	if ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		w.result.Interrupted = true
	}
	if ctx.Err() != nil {
		return w.result, fmt.Errorf("wait for first evaluations: %w", ctx.Err())
	}
	return w.result, nil
}

// settlePlace is a place that is waited for.
type settlePlace struct {
	Place
	rules []settleRule
	tries int
	next  time.Time
	why   string // what is waited for there
	// recorderSeen and modes keep what is read once.
	recorderSeen bool
	modes        map[string]string
	// due are the rules that AWS Config looks at by the clock and whose findings were
	// remediated, asked is when it was last asked to look at rules of the place.
	due   []string
	asked time.Time
}

type settleRule struct {
	rule      *templates.Rule
	evaluate  bool // an evaluation after since is waited for
	since     time.Time
	automatic bool
}

// pause is how long to wait before the next poll of a place: 1, 2, 4, 8, then
// every 10 seconds.
func pause(tries int) time.Duration {
	if tries < 4 {
		return time.Second << tries
	}
	return 10 * time.Second
}

// placesToSettle gives the places in which there is something to wait for, in
// input order.
func placesToSettle(in SettleInput) []*settlePlace {
	var out []*settlePlace
	rules := slices.SortedFunc(slices.Values(in.Rules), func(a, b RuleAt) int { return compareText(a.Name, b.Name) })
	regions := regionsOf(in.Regions, rules)
	byRegion := map[string][]templates.Rule{}
	for _, region := range regions {
		byRegion[region] = rulesIn(rules, in.Regions, region)
	}
	for _, account := range in.Accounts {
		if !account.Active() {
			continue
		}
		for _, region := range regions {
			p := &settlePlace{Place: Place{account, region}}
			for i := range byRegion[region] {
				rule := &byRegion[region][i]
				r := settleRule{rule: rule}
				if in.Since != nil {
					r.since, r.evaluate = in.Since(account.ID, region, rule.Name)
				}
				r.automatic = in.Automatic != nil && in.Automatic(account.ID, region, rule.Name)
				if r.evaluate || r.automatic {
					p.rules = append(p.rules, r)
				}
			}
			if len(p.rules) > 0 {
				out = append(out, p)
			}
		}
	}
	return out
}
