package simaws

import (
	"slices"
	"strings"
	"time"
)

// configPrincipal is AWS Config in Organizations and in trust policies.
const configPrincipal = "config.amazonaws.com"

// AWS Config's quotas of aggregators (developer guide, configlimits).
const (
	mostAggregators      = 50
	mostAggregateSources = 10000
	mostAccountChanges   = 1000 // added or removed in a week, by all aggregators
)

// accountChanges is a number of accounts that were added or removed at a time.
type accountChanges struct {
	at time.Time
	n  int
}

// changeAccounts counts the accounts that an aggregator gets and loses.
func (s *Sim) changeAccounts(r *regionState, before, after []string) error {
	n := 0
	for _, pair := range [][2][]string{{before, after}, {after, before}} {
		has := map[string]bool{}
		for _, id := range pair[1] {
			has[id] = true
		}
		for _, id := range pair[0] {
			if !has[id] {
				n++
			}
		}
	}
	week, sum := s.clock.ago(7*24*time.Hour), n
	r.config.accountChanges = slices.DeleteFunc(r.config.accountChanges, func(c accountChanges) bool { return !c.at.After(week) })
	for _, c := range r.config.accountChanges {
		sum += c.n
	}
	if n > 0 && sum > mostAccountChanges {
		return fail(400, "LimitExceededException", "You have reached the limit of the number of accounts that can be added to or deleted from configuration aggregators in a week: 1000.")
	}
	if n > 0 {
		r.config.accountChanges = append(r.config.accountChanges, accountChanges{s.clock.Now(), n})
	}
	return nil
}

// configAggregator is a configuration aggregator: it belongs to one account and
// Region and reads others.
type configAggregator struct {
	Name, ARN        string
	Accounts         *accountSource
	Organization     *organizationSource
	Filters          *aggregatorFilters
	Created, Updated time.Time
	// since says from when "account region" has been a source, of what was added later.
	since map[string]time.Time
}

type accountSource struct {
	AccountIds    []string
	AllAwsRegions bool
	AwsRegions    []string
}

type organizationSource struct {
	RoleArn       string
	AllAwsRegions bool
	AwsRegions    []string
}

type aggregatorFilters struct {
	ResourceType, ServicePrincipal *struct {
		Type  string
		Value []string
	}
}

type aggregatorInput struct {
	ConfigurationAggregatorName   string
	AccountAggregationSources     []accountSource
	OrganizationAggregationSource *organizationSource
	AggregatorFilters             *aggregatorFilters
	Tags                          []configTag
}

type configTag struct{ Key, Value string }

func noSuchAggregator(asked int) error {
	if asked > 1 {
		return fail(400, "NoSuchConfigurationAggregatorException", "At least one of the configuration aggregators does not exist. Check the configuration aggregator names and try again.")
	}
	return fail(400, "NoSuchConfigurationAggregatorException", "The configuration aggregator does not exist. Check the configuration aggregator name and try again.")
}

// checkRegions: a source names Regions or takes all of them, not both.
func (s *Sim) checkRegions(all bool, regions []string) error {
	switch {
	case all && len(regions) > 0:
		return invalidParameter("Your configuration aggregator contains a list of regions and also specifies the use of all regions. You must choose one of these options.")
	case !all && len(regions) == 0:
		return invalidParameter("Your request does not specify any regions. Select AWS Config-supported regions and try again.")
	}
	for _, name := range regions {
		if !slices.Contains(s.world.enabledRegions, name) && !slices.Contains(s.world.optInRegions, name) {
			return invalidParameter("Your request contains a region that is not valid or not supported by AWS Config: " + name + ".")
		}
	}
	return nil
}

func putAggregatorCall(s *Sim, c *call) (any, error) {
	var in aggregatorInput
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	if in.OrganizationAggregationSource != nil && r.account == s.world.management {
		if err := s.allowed(c.Caller, access{Action: "organizations:EnableAWSServiceAccess", Resource: "*", Context: map[string]string{}}); err != nil {
			return nil, fail(400, "OrganizationAccessDeniedException", "You do not have permission to call the EnableAWSServiceAccess API.")
		}
	}
	agg, err := s.putAggregator(r, in)
	if err != nil {
		return nil, err
	}
	return map[string]any{"ConfigurationAggregator": agg.shape()}, nil
}

// putAggregator creates an aggregator or, under the same name, gives it other
// sources. Texts: moto's, which were taken from AWS.
func (s *Sim) putAggregator(r *regionState, in aggregatorInput) (*configAggregator, error) {
	agg := r.config.aggregators[in.ConfigurationAggregatorName]
	switch {
	case len(in.AccountAggregationSources) > 0 && in.OrganizationAggregationSource != nil:
		return nil, invalidParameter("The configuration aggregator cannot be created because your request contains both the AccountAggregationSource and the OrganizationAggregationSource. " +
			"Include only one aggregation source and try again.")
	case len(in.AccountAggregationSources) == 0 && in.OrganizationAggregationSource == nil:
		return nil, invalidParameter("The configuration aggregator cannot be created because your request is missing either the AccountAggregationSource or the OrganizationAggregationSource. " +
			"Include the appropriate aggregation source and try again.")
	case agg == nil && len(r.config.aggregators) >= mostAggregators:
		return nil, fail(400, "LimitExceededException", "You have reached the limit of the number of configuration aggregators: 50.")
	}
	var accounts *accountSource
	if len(in.AccountAggregationSources) > 0 {
		accounts = &in.AccountAggregationSources[0]
		if len(accounts.AccountIds) > mostAggregateSources {
			return nil, fail(400, "LimitExceededException", "You have reached the limit of the number of accounts in a configuration aggregator: 10000.")
		}
		if err := s.checkRegions(accounts.AllAwsRegions, accounts.AwsRegions); err != nil {
			return nil, err
		}
	}
	if o := in.OrganizationAggregationSource; o != nil {
		if err := s.checkRegions(o.AllAwsRegions, o.AwsRegions); err != nil {
			return nil, err
		}
		if !strings.HasPrefix(o.RoleArn, "arn:"+s.world.partition+":iam::"+r.account+":role/") {
			return nil, fail(400, "InvalidRoleException", "The role ARN "+o.RoleArn+" is not valid. Provide the ARN of an IAM role of this account and try again.")
		}
		if err := s.mayAggregate(r.account); err != nil {
			return nil, err
		}
	}
	var had, gets []string
	if agg != nil && agg.Accounts != nil {
		had = agg.Accounts.AccountIds
	}
	if accounts != nil {
		gets = accounts.AccountIds
	}
	if err := s.changeAccounts(r, had, gets); err != nil {
		return nil, err
	}
	now := s.clock.Now()
	if agg == nil {
		id := s.ids.alnum(8)
		agg = &configAggregator{
			Name: in.ConfigurationAggregatorName, Created: now, since: map[string]time.Time{},
			ARN: "arn:" + s.world.partition + ":config:" + r.name + ":" + r.account + ":config-aggregator/config-aggregator-" + id,
		}
		if r.config.aggregators == nil {
			r.config.aggregators = map[string]*configAggregator{}
		}
		r.config.aggregators[agg.Name] = agg
		r.config.tag(agg.ARN, in.Tags) // those of a later call are ignored
	}
	before := map[string]bool{}
	for _, source := range s.sources(agg) {
		before[source.key()] = true
	}
	existed := !agg.Updated.IsZero()
	agg.Accounts, agg.Organization, agg.Filters, agg.Updated = accounts, in.OrganizationAggregationSource, in.AggregatorFilters, now
	since := map[string]time.Time{}
	for _, source := range s.sources(agg) {
		if key := source.key(); existed && !before[key] {
			since[key] = now
		} else if t, there := agg.since[key]; there {
			since[key] = t
		}
	}
	agg.since = since
	return agg, nil
}

// mayAggregate: an organization's aggregator is made by the management account,
// which switches trusted access on by it, or by a delegated administrator for
// Config (PutConfigurationAggregator).
func (s *Sim) mayAggregate(id string) error {
	switch {
	case s.opts.NoOrganization:
		return fail(400, "NoAvailableOrganizationException", "Organization is no longer available.")
	case s.world.features != "ALL":
		return fail(400, "OrganizationAllFeaturesNotEnabledException", "AWS Config resource cannot be created because your organization does not have all features enabled.")
	case id == s.world.management:
		if _, on := s.world.trustedServices[configPrincipal]; !on {
			s.world.trustedServices[configPrincipal] = s.clock.Now()
		}
		return nil
	}
	if _, on := s.world.trustedServices[configPrincipal]; !on || !slices.Contains(s.world.delegated[id], configPrincipal) {
		return fail(400, "OrganizationAccessDeniedException",
			"This action can be only performed if you are a registered delegated administrator for AWS Config with permissions to call ListDelegatedAdministrators API.")
	}
	return nil
}

func (agg *configAggregator) shape() map[string]any {
	m := map[string]any{
		"ConfigurationAggregatorName": agg.Name, "ConfigurationAggregatorArn": agg.ARN,
		"CreationTime": epoch(agg.Created), "LastUpdatedTime": epoch(agg.Updated),
	}
	regions := func(m map[string]any, names []string) map[string]any {
		if len(names) > 0 {
			m["AwsRegions"] = names
		}
		return m
	}
	if a := agg.Accounts; a != nil {
		m["AccountAggregationSources"] = []any{regions(map[string]any{"AccountIds": a.AccountIds, "AllAwsRegions": a.AllAwsRegions}, a.AwsRegions)}
	}
	if o := agg.Organization; o != nil {
		m["OrganizationAggregationSource"] = regions(map[string]any{"RoleArn": o.RoleArn, "AllAwsRegions": o.AllAwsRegions}, o.AwsRegions)
	}
	if f := agg.Filters; f != nil {
		filters := map[string]any{}
		if f.ResourceType != nil {
			filters["ResourceType"] = map[string]any{"Type": f.ResourceType.Type, "Value": orEmpty(f.ResourceType.Value)}
		}
		if f.ServicePrincipal != nil {
			filters["ServicePrincipal"] = map[string]any{"Type": f.ServicePrincipal.Type, "Value": orEmpty(f.ServicePrincipal.Value)}
		}
		m["AggregatorFilters"] = filters
	}
	return m
}

func describeAggregators(s *Sim, c *call) (any, error) {
	var in struct {
		ConfigurationAggregatorNames []string
		NextToken                    string
		Limit                        *int
	}
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	limit, err := limitOf(in.Limit, 100, 100, "limit")
	if err != nil {
		return nil, err
	}
	names := in.ConfigurationAggregatorNames
	if len(names) == 0 {
		names = sortedKeys(r.config.aggregators)
	}
	list := []any{}
	for _, name := range names {
		agg := r.config.aggregators[name]
		if agg == nil {
			return nil, noSuchAggregator(len(names))
		}
		list = append(list, agg.shape())
	}
	return configPage("ConfigurationAggregators", list, limit, in.NextToken)
}

// configPage answers with one page of a list.
func configPage(member string, list []any, limit int, token string) (any, error) {
	page, next, err := pageOf(list, limit, token)
	if err != nil {
		return nil, err
	}
	out := map[string]any{member: page}
	setText(out, "NextToken", next)
	return out, nil
}

func deleteAggregator(s *Sim, c *call) (any, error) {
	var in struct{ ConfigurationAggregatorName string }
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	agg, err := r.aggregator(in.ConfigurationAggregatorName)
	if err != nil {
		return nil, err
	}
	r.config.dropAggregator(agg)
	return map[string]any{}, nil
}

func (c *configState) dropAggregator(agg *configAggregator) {
	delete(c.aggregators, agg.Name)
	delete(c.tags, agg.ARN)
}

// aggregator finds an aggregator by the name of a request.
func (r *regionState) aggregator(name string) (*configAggregator, error) {
	agg := r.config.aggregators[name]
	if agg == nil {
		return nil, noSuchAggregator(1)
	}
	return agg, nil
}

// tag puts tags on a thing of AWS Config.
func (c *configState) tag(arn string, tags []configTag) {
	if len(tags) == 0 {
		return
	}
	if c.tags == nil {
		c.tags = map[string]map[string]string{}
	}
	if c.tags[arn] == nil {
		c.tags[arn] = map[string]string{}
	}
	for _, t := range tags {
		c.tags[arn][t.Key] = t.Value
	}
}
