package simaws

import (
	"slices"
	"time"
)

// How long a change takes to reach an aggregator. AWS gives no figure ("subject
// to delays"); minutes are what people see.
const (
	aggregationLow  = 1 * time.Minute
	aggregationHigh = 3 * time.Minute
)

// aggregateSource is one account and Region that an aggregator reads.
type aggregateSource struct {
	account *account // nil: no account of this organization
	id      string
	region  string
}

func (a aggregateSource) key() string { return a.id + " " + a.region }

// known gives an account's state in a Region without making it: nil is one where
// nothing has happened yet and no recorder was there before.
func (a *account) known(name string) *regionState {
	if a.regions[name] == nil && !slices.Contains(a.quirk.regions, name) {
		return nil
	}
	return a.region(name)
}

// authorization gives a source's authorization of an aggregator's account and Region.
func (a aggregateSource) authorization(owner *regionState) *aggregationAuthorization {
	if a.account == nil || a.account.known(a.region) == nil {
		return nil
	}
	return a.account.known(a.region).config.authorizations[owner.account+" "+owner.name]
}

// sources lists what an aggregator reads, in the order of its accounts. An
// organization's sources are its active accounts, the management account among
// them; Regions that an account has switched off hold nothing to read.
func (s *Sim) sources(agg *configAggregator) []aggregateSource {
	var ids, regions []string
	switch {
	case agg.Organization != nil:
		ids, regions = s.world.order, agg.Organization.AwsRegions
	case agg.Accounts != nil:
		ids, regions = agg.Accounts.AccountIds, agg.Accounts.AwsRegions
	}
	if len(regions) == 0 {
		regions = append(slices.Clone(s.world.enabledRegions), s.world.optInRegions...)
	}
	var out []aggregateSource
	seen := map[string]bool{}
	for _, id := range ids {
		a := s.world.accounts[id]
		if seen[id] || a != nil && (a.State != "ACTIVE" && agg.Organization != nil) {
			continue
		}
		seen[id] = true
		for _, name := range regions {
			if a == nil || s.world.regionStatus(a, name) != "DISABLED" {
				out = append(out, aggregateSource{a, id, name})
			}
		}
	}
	return out
}

// sourceError says why an aggregator gets nothing from a source, "" when it does: another
// account is read only with its authorization. An organization is read by the aggregator's
// role, or not at all (organizationError).
func (s *Sim) sourceError(owner *regionState, agg *configAggregator, source aggregateSource) (code, message string) {
	if agg.Organization != nil || source.id == owner.account {
		return "", ""
	}
	if source.authorization(owner) == nil {
		return "AccessDenied", "The source account " + source.id + " has not authorized the aggregator account " + owner.account + " in " + owner.name + " to collect its data."
	}
	return "", ""
}

// organizationError looks at the aggregator's role and at the organization.
func (s *Sim) organizationError(owner *regionState, agg *configAggregator) (code, message string) {
	if _, on := s.world.trustedServices[configPrincipal]; !on {
		return "OrganizationAccessDenied", "Trusted access for AWS Config is not enabled in the organization."
	}
	if owner.account != s.world.management && !slices.Contains(s.world.delegated[owner.account], configPrincipal) {
		return "OrganizationAccessDenied", "The account " + owner.account + " is no longer a delegated administrator for AWS Config."
	}
	var role *iamRole
	for _, r := range s.world.accounts[owner.account].roles {
		if r.ARN == agg.Organization.RoleArn {
			role = r
		}
	}
	if role != nil && role.ServiceName == configPrincipal {
		return "", ""
	}
	if role == nil || !allowsService(role.Trust, configPrincipal, "sts:AssumeRole", "", map[string]string{"aws:sourceaccount": owner.account}) {
		return "InvalidRole", "AWS Config cannot assume the role " + agg.Organization.RoleArn + "."
	}
	if slices.Contains(role.Managed, "arn:"+s.world.partition+":iam::aws:policy/service-role/AWSConfigRoleForOrganizations") {
		return "", ""
	}
	for _, action := range []string{"organizations:ListAccounts", "organizations:DescribeOrganization", "organizations:ListAWSServiceAccessForOrganization"} {
		if !s.roleAllows(role, access{Action: action, Resource: "*", Context: map[string]string{}}) {
			return "AccessDenied", "The role " + agg.Organization.RoleArn + " does not allow " + action + "."
		}
	}
	return "", ""
}

// arrived gives the time up to which a source's changes have arrived in an
// aggregator; ok is false before its first data.
func (s *Sim) arrived(owner *regionState, agg *configAggregator, source aggregateSource) (until time.Time, ok bool) {
	since := agg.Created
	later := func(t time.Time) {
		if t.After(since) {
			since = t
		}
	}
	later(agg.since[source.key()])
	if agg.Accounts != nil {
		if auth := source.authorization(owner); auth != nil {
			later(auth.Created)
		}
	}
	until = s.clock.ago(s.lag(source))
	return until, !until.Before(since)
}

// describeSources serves DescribeConfigurationAggregatorSourcesStatus: a line for
// the organization and one for every account and Region.
func describeSources(s *Sim, c *call) (any, error) {
	var in struct {
		ConfigurationAggregatorName string
		UpdateStatus                []string
		NextToken                   string
		Limit                       *int
	}
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	agg, err := r.aggregator(in.ConfigurationAggregatorName)
	if err != nil {
		return nil, err
	}
	limit, err := limitOf(in.Limit, 100, 100, "limit")
	if err != nil {
		return nil, err
	}
	var list []sourceStatus
	add := func(id, kind, region, code, message string, ready bool, at time.Time) {
		status := "SUCCEEDED"
		switch {
		case code != "":
			status = "FAILED"
		case !ready:
			status = "OUTDATED"
		}
		if wants(in.UpdateStatus, status) {
			list = append(list, sourceStatus{id, kind, region, status, code, message, at})
		}
	}
	if agg.Organization != nil {
		code, message := s.organizationError(r, agg)
		add("Organization", "ORGANIZATION", r.name, code, message, true, agg.Updated)
		if code != "" {
			return sourcesPage(list, limit, in.NextToken)
		}
	}
	for _, source := range s.sources(agg) {
		code, message := s.sourceError(r, agg, source)
		until, ready := s.arrived(r, agg, source)
		if !ready || code != "" {
			until = agg.Updated
		}
		add(source.id, "ACCOUNT", source.region, code, message, ready, until)
	}
	return sourcesPage(list, limit, in.NextToken)
}

// sourceStatus is one line of DescribeConfigurationAggregatorSourcesStatus.
type sourceStatus struct {
	id, kind, region, status, code, message string
	at                                      time.Time
}

func sourcesPage(list []sourceStatus, limit int, token string) (any, error) {
	page, next, err := pageOf(list, limit, token)
	if err != nil {
		return nil, err
	}
	shapes := []any{}
	for _, l := range page {
		m := map[string]any{"SourceId": l.id, "SourceType": l.kind, "LastUpdateStatus": l.status}
		setText(m, "AwsRegion", l.region)
		setText(m, "LastErrorCode", l.code)
		setText(m, "LastErrorMessage", l.message)
		setTime(m, "LastUpdateTime", l.at)
		shapes = append(shapes, m)
	}
	out := map[string]any{"AggregatedSourceStatusList": shapes}
	setText(out, "NextToken", next)
	return out, nil
}
