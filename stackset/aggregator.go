package stackset

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
)

// AggregatorPolicy is the session policy with which another account's aggregator is read.
const AggregatorPolicy = `{"Version":"2012-10-17","Statement":[{"Sid":"RolloutAggregator","Effect":"Allow","Resource":"*","Action":[` +
	`"config:DescribeConfigurationAggregatorSourcesStatus","config:DescribeConfigurationAggregators","config:SelectAggregateResourceConfig"]}]}`

const (
	// stalest is how long ago AWS Config must have verified a source for its data to be
	// believed. AWS gives no figure for how often it does; where it does so less often,
	// accounts are asked themselves.
	stalest = time.Hour
	// mostNamed is how many accounts a query names, which takes 4,096 characters at most;
	// with more chosen, it is about all.
	mostNamed = 200
	// queriesAtOnce bounds the queries under way: they are on one account's rate.
	queriesAtOnce = 4
	aggregatePage = 100

	typeRecorder = "AWS::Config::ConfigurationRecorder"
	typeStack    = "AWS::CloudFormation::Stack"
)

// Aggregate is what an organization aggregator of AWS Config said, and what of it was taken.
type Aggregate struct {
	// Name is the aggregator's, "" where none was found; Account has it.
	Name, Account string
	// Gap says why aggregators could not be read.
	Gap Gap
	// Places are the account-Regions of which the aggregator's word was taken; Oldest is
	// when AWS Config last verified the one of them that it verified first.
	Places int
	Oldest time.Time
	// Stacks counts the stacks of account-Regions whose recorder records them.
	Stacks map[Target]int

	recorders map[Target]Recorder
	verified  map[Target]time.Time
}

// aggregator reads aggregators.
type aggregator struct {
	client *configservice.Client
	name   string
}

// readAggregate looks for an aggregator, in the caller's account and then in those of AWS
// Config's delegated administrators, and reads of what a run chose what it says. It is nil
// where there is none.
func readAggregate(ctx context.Context, s *awsapi.Session, accounts, regions []string, now time.Time) *Aggregate {
	g, account, err := findAggregator(ctx, s, regions)
	switch {
	case err != nil:
		return &Aggregate{Gap: unreadGap(err)}
	case g == nil:
		return nil
	}
	out := &Aggregate{Name: g.name, Account: account}
	if out.recorders, err = g.recorders(ctx, accounts, regions); err == nil && len(out.recorders) > 0 {
		out.verified, err = g.sources(ctx, out.recorders, now)
	}
	if err == nil && len(out.verified) > 0 {
		out.Stacks, err = g.stacks(ctx, accounts, regions, out)
	}
	if err != nil { // half a word is none
		return &Aggregate{Name: g.name, Account: account, Gap: unreadGap(err)}
	}
	return out
}

func unreadGap(err error) Gap {
	if _, closed := err.(*awsapi.EnterError); closed {
		return enterGap(err)
	}
	return gapOf(err)
}

// findAggregator chooses the organization aggregator of the home Region that covers most
// of the Regions. One that belongs to another account is looked for where ours has none.
func findAggregator(ctx context.Context, s *awsapi.Session, regions []string) (*aggregator, string, error) {
	g, err := aggregatorOf(ctx, s.Own(""), regions)
	if g != nil {
		return g, s.Account, nil
	}
	own := err
	var others []string
	pages := organizations.NewListDelegatedAdministratorsPaginator(organizations.NewFromConfig(s.Own("")), &organizations.ListDelegatedAdministratorsInput{ServicePrincipal: aws.String("config.amazonaws.com")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, "", cmp.Or(own, err)
		}
		for _, a := range page.DelegatedAdministrators {
			if id := aws.ToString(a.Id); id != "" && id != s.Account {
				others = append(others, id)
			}
		}
	}
	slices.Sort(others)
	for _, id := range others {
		entry, err := s.Enter(ctx, id, AggregatorPolicy)
		if err == nil {
			g, err = aggregatorOf(ctx, entry.Config(s.HomeRegion), regions)
		}
		if g != nil {
			return g, id, nil
		}
		own = cmp.Or(own, err)
	}
	return nil, "", own
}

// aggregatorOf chooses among the aggregators of one account; nil is none.
func aggregatorOf(ctx context.Context, cfg aws.Config, regions []string) (*aggregator, error) {
	pace := awsapi.Pace{}
	for _, api := range []string{"SelectAggregateResourceConfig", "DescribeConfigurationAggregatorSourcesStatus"} {
		pace[api] = awsapi.Limit(5, 5) // AWS publishes none
	}
	g := &aggregator{client: configservice.NewFromConfig(cfg, func(o *configservice.Options) { o.APIOptions = append(o.APIOptions, pace.Apply) })}
	most := 0
	for pages := configservice.NewDescribeConfigurationAggregatorsPaginator(g.client, &configservice.DescribeConfigurationAggregatorsInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, a := range page.ConfigurationAggregators {
			o := a.OrganizationAggregationSource
			if o == nil {
				continue // it may lack any account
			}
			n := 0
			for _, r := range regions {
				if o.AllAwsRegions || slices.Contains(o.AwsRegions, r) {
					n++
				}
			}
			if name := aws.ToString(a.ConfigurationAggregatorName); n > most || n == most && n > 0 && name < g.name {
				most, g.name = n, name
			}
		}
	}
	if most == 0 {
		return nil, nil
	}
	return g, nil
}

// sources gives when AWS Config last verified those sources of recorders that are up to
// date. Two calls are saved in each, so there are no more pages than that: what comes after
// them is asked itself.
func (g *aggregator) sources(ctx context.Context, recorders map[Target]Recorder, now time.Time) (map[Target]time.Time, error) {
	out := map[Target]time.Time{}
	left := 2 * len(recorders)
	in := &configservice.DescribeConfigurationAggregatorSourcesStatusInput{ConfigurationAggregatorName: &g.name, Limit: aggregatePage}
	for pages := configservice.NewDescribeConfigurationAggregatorSourcesStatusPaginator(g.client, in); pages.HasMorePages() && left > 0; left-- {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the sources of aggregator %s: %w", g.name, err)
		}
		for _, s := range page.AggregatedSourceStatusList {
			t := Target{aws.ToString(s.SourceId), aws.ToString(s.AwsRegion)}
			at := aws.ToTime(s.LastUpdateTime)
			_, asked := recorders[t]
			switch fresh := s.LastUpdateStatus == types.AggregatedSourceStatusTypeSucceeded && now.Sub(at) <= stalest; {
			case s.SourceType == types.AggregatedSourceTypeOrganization && s.LastUpdateStatus == types.AggregatedSourceStatusTypeFailed:
				return nil, nil // it has lost sight of the organization
			case s.SourceType == types.AggregatedSourceTypeAccount && fresh && asked:
				out[t] = at
			}
		}
	}
	return out, nil
}

// recorders reads the recorders, Region by Region. A place with two that are a customer's
// is left out: one of the rows is not true any more.
func (g *aggregator) recorders(ctx context.Context, accounts, regions []string) (map[Target]Recorder, error) {
	out, twice := map[Target]Recorder{}, map[Target]bool{}
	var failure error
	for _, rows := range fanout.Ordered(ctx, regions, queriesAtOnce, func(ctx context.Context, region string) aggregateRows {
		return g.query(ctx, "SELECT accountId, awsRegion, resourceName, configuration WHERE resourceType = '"+typeRecorder+"' AND awsRegion = '"+region+"'"+amongst(accounts), aggregatePage)
	}) {
		if rows.err != nil {
			failure = cmp.Or(failure, rows.err)
			continue
		}
		for _, text := range rows.list {
			t, r, err := recorderRow(text)
			if err != nil {
				failure = cmp.Or(failure, fmt.Errorf("read what aggregator %s says of recorders: %w", g.name, err))
				continue
			}
			if r.Name == "" || strings.HasPrefix(r.Name, serviceLinkedRecorder) {
				continue
			}
			if _, there := out[t]; there {
				twice[t] = true
			}
			out[t] = r
		}
	}
	for t := range twice {
		delete(out, t)
	}
	return out, cmp.Or(failure, ctx.Err())
}

// amongst narrows a query to the accounts, where they are few enough to be named.
func amongst(accounts []string) string {
	if len(accounts) > mostNamed {
		return ""
	}
	return " AND accountId IN ('" + strings.Join(accounts, "', '") + "')"
}

type aggregateRows struct {
	list []string
	err  error
}

// query runs one query to its end.
func (g *aggregator) query(ctx context.Context, expression string, page int32) (rows aggregateRows) {
	in := &configservice.SelectAggregateResourceConfigInput{ConfigurationAggregatorName: &g.name, Expression: &expression, Limit: page}
	for pages := configservice.NewSelectAggregateResourceConfigPaginator(g.client, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return aggregateRows{err: fmt.Errorf("ask aggregator %s: %w", g.name, err)}
		}
		rows.list = append(rows.list, page.Results...)
	}
	return rows
}

// recorderRow reads one row about a recorder. Its configuration has the names of
// CloudFormation's properties, which begin with capitals (awslabs/aws-config-resource-schema);
// encoding/json takes either. Some clients have met configurations that are texts.
func recorderRow(text string) (t Target, r Recorder, err error) {
	var row struct {
		AccountID, AWSRegion, ResourceName string
		Configuration                      json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &row); err != nil {
		return t, r, err
	}
	var inner string
	if json.Unmarshal(row.Configuration, &inner) == nil {
		row.Configuration = json.RawMessage(inner)
	}
	var c struct {
		Name           string
		Recording      *bool
		RecordingGroup *struct {
			AllSupported, IncludeGlobalResourceTypes bool
			ResourceTypes                            []types.ResourceType
			ExclusionByResourceTypes                 *struct{ ResourceTypes []types.ResourceType }
			RecordingStrategy                        *struct{ UseOnly types.RecordingStrategyType }
		}
	}
	t = Target{row.AccountID, row.AWSRegion}
	if len(row.Configuration) == 0 {
		return t, r, nil // it says nothing
	}
	if err := json.Unmarshal(row.Configuration, &c); err != nil {
		return t, r, err
	}
	if c.Recording == nil || c.RecordingGroup == nil {
		return t, r, nil
	}
	g := &types.RecordingGroup{AllSupported: c.RecordingGroup.AllSupported, IncludeGlobalResourceTypes: c.RecordingGroup.IncludeGlobalResourceTypes, ResourceTypes: c.RecordingGroup.ResourceTypes}
	if e := c.RecordingGroup.ExclusionByResourceTypes; e != nil {
		g.ExclusionByResourceTypes = &types.ExclusionByResourceTypes{ResourceTypes: e.ResourceTypes}
	}
	if s := c.RecordingGroup.RecordingStrategy; s != nil {
		g.RecordingStrategy = &types.RecordingStrategy{UseOnly: s.UseOnly}
	}
	if c.Name == "" {
		c.Name = row.ResourceName
	}
	return t, Recorder{Name: c.Name, Recording: *c.Recording, Group: RecordingGroup{g}}, nil
}

// stacks counts the stacks of the places whose recorder, as far as is known, records them.
// A place without a row is not known to have none. Groups come 500 a page by themselves.
func (g *aggregator) stacks(ctx context.Context, accounts, regions []string, a *Aggregate) (map[Target]int, error) {
	counted := func(t Target) bool {
		r, ok := a.of(t)
		return ok && r.Group.records(typeStack)
	}
	if !slices.ContainsFunc(slices.Collect(maps.Keys(a.recorders)), counted) {
		return nil, nil
	}
	rows := g.query(ctx, "SELECT accountId, awsRegion, COUNT(*) WHERE resourceType = '"+typeStack+"' AND awsRegion IN ('"+strings.Join(regions, "', '")+"')"+
		amongst(accounts)+" GROUP BY accountId, awsRegion", 0)
	if rows.err != nil {
		return nil, rows.err
	}
	out := map[Target]int{}
	for _, text := range rows.list {
		var row struct {
			AccountID, AWSRegion string
			Count                int `json:"COUNT(*)"`
		}
		if err := json.Unmarshal([]byte(text), &row); err != nil {
			return nil, fmt.Errorf("read what aggregator %s says of stacks: %w", g.name, err)
		}
		if t := (Target{row.AccountID, row.AWSRegion}); counted(t) {
			out[t] = row.Count
		}
	}
	return out, nil
}

// of is what the aggregator says of the recorder of a place, ok where it may be believed:
// the source is up to date, and there is a recorder that records. No row is not proof of
// no recorder, and one that is stopped is worth a look.
func (a *Aggregate) of(t Target) (r Recorder, ok bool) {
	if a == nil {
		return r, false
	}
	r, ok = a.recorders[t]
	_, fresh := a.verified[t]
	return r, ok && fresh && r.Recording
}
