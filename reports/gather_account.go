package reports

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
	"rollout/orgs"
	"rollout/stackset"
)

// account reads all places of an account, in the order of g.regions.
func (g *gather) account(ctx context.Context, account *orgs.Account) []Result {
	event := AccountRead{Account: account, Total: len(g.in.Accounts)}
	defer func() {
		event.Done = int(g.accountsDone.Add(1))
		g.emit(event)
	}()
	whole := func(why obstacle) []Result {
		event.Problem = why.detail
		out := make([]Result, len(g.regions))
		for i, region := range g.regions {
			out[i] = g.result(Place{account, region}, facts{blocked: why})
		}
		return out
	}
	if !account.Active() {
		return whole(obstacle{AccountInactive, fmt.Sprintf("the account's state is %s; only ACTIVE accounts can be read", orText(account.State, "not known"))})
	}
	if ctx.Err() != nil {
		return whole(interrupted)
	}
	entry, err := g.sessions.enter(ctx, account.ID)
	if err != nil {
		why := enterObstacle(ctx, err)
		event.Problem = why.detail
		if why == interrupted {
			return whole(why)
		}
		return g.closed(ctx, account, why)
	}
	event.Role = entry.Role
	// Without an answer each Region's own calls will tell.
	on, _ := g.regionsOn(ctx, entry.Config(""), "")
	out := make([]Result, 0, len(g.regions))
	for _, r := range fanout.Ordered(ctx, g.regions, regionsAtOnce, func(ctx context.Context, region string) Result {
		if off, known := on.off(region); known && off {
			return g.result(Place{account, region}, facts{blocked: regionOff(region)})
		}
		client := configservice.NewFromConfig(entry.Config(region))
		_, known := on.off(region)
		reads := reader{api: client, automations: ssm.NewFromConfig(entry.Config(region)), regionOn: known}
		return g.result(Place{account, region}, reads.place(ctx, rulesIn(g.rules, g.in.Regions, region)))
	}) {
		r.Role, r.Read = entry.Role, true
		out = append(out, r)
	}
	return out
}

// closed gives the results of an account that cannot be entered: which of its
// Regions are off, the management account can ask without entering it.
func (g *gather) closed(ctx context.Context, account *orgs.Account, why obstacle) []Result {
	var on regionStates
	if g.hasOptIn() && !g.askedInVain.Load() {
		cfg := g.s.Own("")
		cfg.APIOptions = append(slices.Clip(cfg.APIOptions), g.regionPace.Apply)
		var err error
		if on, err = g.regionsOn(ctx, cfg, account.ID); awsapi.Classify(err) == awsapi.ClassDenied {
			// No trusted access for Account Management, or a caller that may not
			// ask: it would not be told about any other account either.
			g.askedInVain.Store(true)
		}
	}
	out := make([]Result, len(g.regions))
	for i, region := range g.regions {
		blocked := why
		if off, known := on.off(region); known && off {
			blocked = regionOff(region)
		}
		out[i] = g.result(Place{account, region}, facts{blocked: blocked})
	}
	return out
}

// result turns the facts of a place into its cells and findings.
func (g *gather) result(place Place, f facts) Result {
	out := Result{Interrupted: f.blocked == interrupted || f.interrupted}
	event := PlaceRead{Place: place, Total: g.places}
	for _, rule := range rulesIn(g.rules, g.in.Regions, place.Region) {
		instance, found := stackset.Instance{}, false
		if g.in.Instances != nil {
			instance, found = g.in.Instances(place.Account.ID, place.Region, rule.Name)
		}
		cell, findings := decide(place, rule, f, instance, found)
		out.Cells = append(out.Cells, cell)
		out.Findings = append(out.Findings, findings...)
		event.Statuses = append(event.Statuses, cell.Status)
	}
	event.Done = int(g.placesDone.Add(1))
	g.emit(event)
	return out
}

// regionStates says of Regions whether they are on; a Region that is not in it
// is not known.
type regionStates map[string]bool

func (m regionStates) off(region string) (off, known bool) {
	on, known := m[region]
	return !on, known
}

// regionsOn asks Account Management which opt-in Regions are on, where any is
// asked for; the others always are. After an error only the others are known.
func (g *gather) regionsOn(ctx context.Context, cfg aws.Config, accountID string) (regionStates, error) {
	out := regionStates{}
	for _, r := range g.regions {
		if optIn, known := g.in.OptIn[r]; known && !optIn {
			out[r] = true
		}
	}
	if !g.hasOptIn() {
		return out, nil
	}
	list, err := awsapi.ListRegions(ctx, cfg, accountID)
	if err != nil {
		return out, err
	}
	for _, r := range list {
		out[r.Name] = r.On
	}
	return out, nil
}

func (g *gather) hasOptIn() bool {
	return slices.ContainsFunc(g.regions, func(r string) bool { return g.in.OptIn[r] })
}

// enterObstacle says why an account could not be entered.
func enterObstacle(ctx context.Context, err error) obstacle {
	if ctx.Err() != nil {
		return interrupted
	}
	var enter *awsapi.EnterError
	if errors.As(err, &enter) && enter.Denied() {
		return obstacle{AccessDenied, clip(fmt.Sprintf("sts:AssumeRole: %s", err)) + "; name a role that can be assumed there with --role-name"}
	}
	return obstacle{Unreachable, clip(fmt.Sprintf("sts:AssumeRole: %s", err)) + "; gather again"}
}

func regionOff(region string) obstacle {
	return obstacle{RegionDisabled, fmt.Sprintf("account:ListRegions says that %s is off in the account; switch it on there or leave the Region out", region)}
}
