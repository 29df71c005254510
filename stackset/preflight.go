package stackset

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
	"rollout/orgs"
	"rollout/templates"
)

// PreflightPolicy is the session policy of preflight: exactly the reads it makes.
const PreflightPolicy = `{"Version":"2012-10-17","Statement":[{"Sid":"RolloutPreflight","Effect":"Allow","Resource":"*","Action":[` +
	`"account:ListRegions","config:DescribeConfigRules","config:DescribeConfigurationRecorderStatus","config:DescribeConfigurationRecorders",` +
	`"config:DescribeDeliveryChannels","iam:GetRole","s3:ListBucket","ssm:DescribeDocument"]}]}`

const (
	accountsAtOnce = 32
	regionsAtOnce  = 4 // of one account
)

// PreflightInput says what preflight reads.
type PreflightInput struct {
	Accounts []*orgs.Account
	// Regions are the Regions in scope, HomeRegion among them where the run has
	// something there.
	Regions    []string
	HomeRegion string
	// Known are the Regions as the caller's account sees them; only whether they
	// are opt-in ones is used. Nil means the ones this version knows.
	Known []awsapi.Region
	// Pruned are the Regions out of which instances of an account are to be deleted: whether
	// they are on there matters, and nothing else does.
	Pruned map[string][]string
	// Rules are looked for by name and by what they check, Region by Region.
	Rules map[string][]templates.Rule
	// Channels says that delivery channels matter also where there is a recorder.
	Channels bool
	// Names are the names that have to be free in an account; nil for none.
	Names func(account string) []NameKey
	// Base says that the service-linked roles and the delivery bucket, called by
	// BucketPrefix, matter.
	Base         bool
	BucketPrefix string
	// Believe says of which recorder, by its name, an aggregator's word is good enough; nil:
	// each account and Region is asked itself.
	Believe func(t Target, recorder string) bool
	// Keeps are beginnings of names of other buckets that matter, by template name.
	Keeps map[string]string
}

// Preflight reads what the accounts have: accounts side by side, a few Regions of
// an account at once, the calls within an account and Region one after another,
// since Config's request rates are per account and Region. Accounts that are not
// ACTIVE are left out, and the management account where it is not the caller. A failure in an account is a Gap
// in the facts; the only error is that of a cancelled context.
func Preflight(ctx context.Context, s *awsapi.Session, in PreflightInput, emit func(Event)) (*Facts, error) {
	if emit == nil {
		emit = func(Event) {}
	}
	if in.Known == nil {
		in.Known = awsapi.KnownRegions(s.Partition)
	}
	p := &preflight{s: s, in: in, optIn: in.optIn()}
	var targets []*orgs.Account
	for _, a := range in.Accounts {
		if a.Active() && (!a.Management || a.ID == s.Account) {
			targets = append(targets, a)
		}
	}
	emit(PreflightStarted{Accounts: len(targets), Regions: len(in.Regions)})
	p.ask(ctx, targets)
	facts := &Facts{Accounts: make(map[string]*AccountFacts, len(targets)), Aggregate: p.aggregate}
	for a, f := range fanout.Ordered(ctx, targets, accountsAtOnce, p.account) {
		facts.Accounts[a.ID] = f
		emit(AccountChecked{AccountID: a.ID, Role: f.Role, Gap: f.Gap, Done: len(facts.Accounts), Total: len(targets)})
	}
	facts.Off = p.pruned(ctx)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return facts, nil
}

// pruned reads which Regions are off in accounts out of whose opt-in Regions instances are
// to be deleted; an account that cannot be asked is left out.
func (p *preflight) pruned(ctx context.Context) map[string]map[string]bool {
	optIn := map[string]bool{}
	for _, r := range p.in.Known {
		optIn[r.Name] = r.OptIn
	}
	var accounts []string
	for _, id := range slices.Sorted(maps.Keys(p.in.Pruned)) {
		if slices.ContainsFunc(p.in.Pruned[id], func(region string) bool { return optIn[region] }) {
			accounts = append(accounts, id)
		}
	}
	out := map[string]map[string]bool{}
	for id, regions := range fanout.Ordered(ctx, accounts, accountsAtOnce, func(ctx context.Context, id string) []awsapi.Region {
		entry, err := p.s.Enter(ctx, id, PreflightPolicy)
		if err != nil {
			return nil
		}
		regions, _ := awsapi.ListRegions(ctx, entry.Config(p.in.HomeRegion), "") //nolint:errcheck // then the delete tells
		return regions
	}) {
		out[id] = map[string]bool{}
		for _, r := range regions {
			out[id][r.Name] = !r.On
		}
	}
	return out
}

// optIn says whether a Region in scope is one that an account has to switch on.
func (in PreflightInput) optIn() bool {
	return slices.ContainsFunc(in.Known, func(r awsapi.Region) bool { return r.OptIn && slices.Contains(in.Regions, r.Name) })
}

type preflight struct {
	s     *awsapi.Session
	in    PreflightInput
	optIn bool
	// aggregate is what an aggregator said, nil without one; mu guards it.
	aggregate *Aggregate
	mu        sync.Mutex
}

// account reads one account.
func (p *preflight) account(ctx context.Context, a *orgs.Account) *AccountFacts {
	f := &AccountFacts{AccountID: a.ID, Regions: map[string]*RegionFacts{}}
	for _, r := range p.in.Regions {
		f.Regions[r] = &RegionFacts{}
	}
	entry, err := p.s.Enter(ctx, a.ID, PreflightPolicy)
	if err != nil {
		f.Gap = enterGap(err)
		if p.optIn {
			if regions, err := awsapi.ListRegions(ctx, p.s.Own(""), a.ID); err == nil {
				f.markOff(regions)
			}
		}
		for _, r := range f.Regions {
			r.Gap = f.Gap
		}
		return f
	}
	f.Role = entry.Role
	if p.optIn {
		// Without it, Regions that are off show in their first call's error.
		if regions, err := awsapi.ListRegions(ctx, entry.Config(p.in.HomeRegion), ""); err == nil {
			f.markOff(regions)
		}
	}
	if p.in.Base {
		p.base(ctx, entry, f)
	}
	for _, name := range slices.Sorted(maps.Keys(p.in.Keeps)) {
		if f.Kept == nil {
			f.Kept = map[string]KeptBucket{}
		}
		f.Kept[name] = p.bucket(ctx, entry, a.ID, p.in.Keeps[name])
	}
	var inRegion []NameKey
	if p.in.Names != nil {
		f.Names = map[NameKey]NameFact{}
		for _, k := range p.in.Names(a.ID) {
			if k.Region != "" {
				inRegion = append(inRegion, k)
				continue
			}
			f.Names[k] = p.name(ctx, entry, a.ID, k)
		}
	}
	var mu sync.Mutex // of the names: a few Regions are read at once
	fanout.Each(ctx, p.in.Regions, regionsAtOnce, func(ctx context.Context, region string) {
		r := f.Regions[region]
		if r.Off {
			return
		}
		p.region(ctx, entry, region, r)
		for _, k := range inRegion {
			if k.Region != region || r.Gap.Is() {
				continue
			}
			fact := p.name(ctx, entry, a.ID, k)
			mu.Lock()
			f.Names[k] = fact
			mu.Unlock()
		}
	})
	return f
}

// enterGap says why an account could not be entered. Refusals by every role are
// one denial.
func enterGap(err error) Gap {
	gap := Gap{Class: awsapi.Classify(err), Text: sentence(err.Error())}
	if e, ok := err.(*awsapi.EnterError); ok && e.Denied() {
		gap.Class = awsapi.ClassDenied
	}
	return gap
}

// markOff notes the Regions that are off in the account.
func (f *AccountFacts) markOff(regions []awsapi.Region) {
	for _, r := range regions {
		if facts := f.Regions[r.Name]; facts != nil && !r.On {
			facts.Off = true
		}
	}
}

// region reads one Region of an account. The first refusal ends it. The state of the
// recorder matters where there is one, the delivery channel where there is none.
func (p *preflight) region(ctx context.Context, entry *awsapi.Entry, region string, f *RegionFacts) {
	client := configservice.NewFromConfig(entry.Config(region))
	if p.told(ctx, client, Target{entry.Account, region}, f) {
		return
	}
	recorders, err := client.DescribeConfigurationRecorders(ctx, &configservice.DescribeConfigurationRecordersInput{})
	if f.refused(err) {
		return
	}
	f.Recorder, f.Services = recordersOf(recorders.ConfigurationRecorders)
	if f.Recorder != nil {
		status, err := client.DescribeConfigurationRecorderStatus(ctx, &configservice.DescribeConfigurationRecorderStatusInput{})
		if f.refused(err) {
			return
		}
		f.Recorder.Recording = recording(f.Recorder.Name, status.ConfigurationRecordersStatus)
	}
	if f.Recorder == nil || p.in.Channels {
		channels, err := client.DescribeDeliveryChannels(ctx, &configservice.DescribeDeliveryChannelsInput{})
		if f.refused(err) {
			return
		}
		for _, c := range channels.DeliveryChannels {
			if c.Name != nil {
				f.Channel = *c.Name
			}
		}
	}
	p.rules(ctx, client, region, f)
}

// rules reads the rules of one Region of an account, where any is looked for.
func (p *preflight) rules(ctx context.Context, client *configservice.Client, region string, f *RegionFacts) {
	ours := p.in.Rules[region]
	if len(ours) == 0 {
		return
	}
	var rules []types.ConfigRule
	for pages := configservice.NewDescribeConfigRulesPaginator(client, &configservice.DescribeConfigRulesInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if f.refused(err) {
			return
		}
		rules = append(rules, page.ConfigRules...)
	}
	f.Rules, f.RuleCount = ruleFacts(ours, rules), len(rules)
}

// refused notes an error and says whether there was one.
func (f *RegionFacts) refused(err error) bool {
	if err == nil {
		return false
	}
	f.Gap = gapOf(err)
	f.Off = f.Gap.Class == awsapi.ClassRegionOff
	return true
}

func recording(name string, list []types.ConfigurationRecorderStatus) bool {
	for _, s := range list {
		if s.Name != nil && *s.Name == name {
			return s.Recording
		}
	}
	return false
}
