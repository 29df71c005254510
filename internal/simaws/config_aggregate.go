package simaws

import (
	"slices"
	"time"
)

// complianceFilters are the filters of the aggregated compliance calls.
type complianceFilters struct{ ConfigRuleName, ComplianceType, AccountId, AwsRegion string }

type aggregateInput struct {
	ConfigurationAggregatorName string
	Filters                     complianceFilters
	GroupByKey                  string
	// of GetAggregateComplianceDetailsByConfigRule
	ConfigRuleName, AccountId, AwsRegion, ComplianceType string

	Limit     *int
	NextToken string
}

// aggregateSeen calls f for every source whose data an aggregator has; a source
// without a recorder has none, once the aggregator has heard of it.
func (s *Sim) aggregateSeen(owner *regionState, agg *configAggregator, account, region string, f func(r *regionState, until time.Time)) {
	if agg.Filters != nil && agg.Filters.ServicePrincipal != nil && agg.Filters.ResourceType == nil {
		return // service-linked recorders record nothing here
	}
	if agg.Organization != nil {
		if code, _ := s.organizationError(owner, agg); code != "" {
			return
		}
	}
	for _, source := range s.sources(agg) {
		if account != "" && account != source.id || region != "" && region != source.region || source.account == nil {
			continue
		}
		if code, _ := s.sourceError(owner, agg, source); code != "" {
			continue
		}
		r := source.account.known(source.region)
		if r == nil {
			continue
		}
		if until, ready := s.arrived(owner, agg, source); ready && r.recorderAt(until) != nil {
			s.ensureItems(r)
			f(r, until)
		}
	}
}

// takes says whether the aggregator's own filter lets a type through.
func (agg *configAggregator) takes(resourceType string) bool {
	return agg.Filters == nil || agg.Filters.ResourceType == nil || slices.Contains(agg.Filters.ResourceType.Value, resourceType)
}

// aggregatedRule is a rule of one source that has a verdict.
type aggregatedRule struct {
	r                  *regionState
	name, word         string
	compliant, against int
}

// aggregatedRules lists the rules that have compliance results. NOT_APPLICABLE is
// none.
func (s *Sim) aggregatedRules(owner *regionState, agg *configAggregator, in complianceFilters) []aggregatedRule {
	var out []aggregatedRule
	s.aggregateSeen(owner, agg, in.AccountId, in.AwsRegion, func(r *regionState, until time.Time) {
		for _, at := range r.rulesAt(until) {
			row := aggregatedRule{r: r, name: at.rule.Name, word: "COMPLIANT"}
			for _, e := range at.results {
				switch {
				case !agg.takes(e.ResourceType):
				case e.Compliance == "COMPLIANT":
					row.compliant++
				case e.Compliance == "NON_COMPLIANT":
					row.against++
					row.word = e.Compliance
				}
			}
			if row.compliant+row.against > 0 && (in.ConfigRuleName == "" || in.ConfigRuleName == row.name) {
				out = append(out, row)
			}
		}
	})
	return out
}

// aggregateCall reads what the aggregated compliance calls share.
func aggregateCall(s *Sim, c *call, standard, most int) (in aggregateInput, r *regionState, agg *configAggregator, limit int, err error) {
	if err = decode(c, &in); err != nil {
		return
	}
	_, r = s.place(c)
	if limit, err = limitOf(in.Limit, standard, most, "limit"); err != nil {
		return
	}
	for _, t := range []string{in.Filters.ComplianceType, in.ComplianceType} {
		if t == "NOT_APPLICABLE" || t == "INSUFFICIENT_DATA" {
			err = fail(400, "ValidationException", "The ComplianceType "+t+" is not supported. Specify COMPLIANT or NON_COMPLIANT and try again.")
			return
		}
	}
	agg, err = r.aggregator(in.ConfigurationAggregatorName)
	return
}

// aggregateCompliance serves DescribeAggregateComplianceByConfigRules. A page is
// cut before the filter by verdict is applied: "the results can return an empty
// result page, but if you have a nextToken, the results are displayed on the
// next page".
func aggregateCompliance(s *Sim, c *call) (any, error) {
	in, r, agg, limit, err := aggregateCall(s, c, 1000, 1000)
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(s.aggregatedRules(r, agg, in.Filters), limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, row := range page {
		if in.Filters.ComplianceType != "" && in.Filters.ComplianceType != row.word {
			continue
		}
		// "the number of resources for compliant and noncompliant rules"
		contributors := row.against
		if row.word == "COMPLIANT" {
			contributors = row.compliant
		}
		list = append(list, map[string]any{
			"ConfigRuleName": row.name, "AccountId": row.r.account, "AwsRegion": row.r.name, "Compliance": compliance(row.word, contributors),
		})
	}
	out := map[string]any{"AggregateComplianceByConfigRules": list}
	setText(out, "NextToken", next)
	return out, nil
}

// cappedCount is a ComplianceContributorCount.
func cappedCount(n, most int) map[string]any {
	return map[string]any{"CappedCount": min(n, most), "CapExceeded": n > most}
}

// summary is a ComplianceSummary.
func (s *Sim) summary(compliant, against, most int) map[string]any {
	return map[string]any{
		"CompliantResourceCount": cappedCount(compliant, most), "NonCompliantResourceCount": cappedCount(against, most),
		"ComplianceSummaryTimestamp": epoch(s.clock.Now()),
	}
}

// aggregateSummary serves GetAggregateConfigRuleComplianceSummary: numbers of
// rules, by account, by Region, or all together.
func aggregateSummary(s *Sim, c *call) (any, error) {
	in, r, agg, limit, err := aggregateCall(s, c, 1000, 1000)
	if err != nil {
		return nil, err
	}
	counts := map[string]*[2]int{}
	for _, row := range s.aggregatedRules(r, agg, complianceFilters{AccountId: in.Filters.AccountId, AwsRegion: in.Filters.AwsRegion}) {
		group := map[string]string{"ACCOUNT_ID": row.r.account, "AWS_REGION": row.r.name}[in.GroupByKey]
		if counts[group] == nil {
			counts[group] = &[2]int{}
		}
		if row.word == "COMPLIANT" {
			counts[group][0]++
		} else {
			counts[group][1]++
		}
	}
	list := []any{}
	for _, group := range sortedKeys(counts) {
		m := map[string]any{"ComplianceSummary": s.summary(counts[group][0], counts[group][1], contributorCap)}
		setText(m, "GroupName", group)
		list = append(list, m)
	}
	page, next, err := pageOf(list, limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"AggregateComplianceCounts": page}
	setText(out, "GroupByKey", in.GroupByKey)
	setText(out, "NextToken", next)
	return out, nil
}

// aggregateDetails serves GetAggregateComplianceDetailsByConfigRule. A rule,
// account or Region of which nothing is known gives an empty list: the model has
// no error for it.
func aggregateDetails(s *Sim, c *call) (any, error) {
	in, r, agg, limit, err := aggregateCall(s, c, 50, 100)
	if err != nil {
		return nil, err
	}
	list := []any{}
	s.aggregateSeen(r, agg, in.AccountId, in.AwsRegion, func(r *regionState, until time.Time) {
		for _, at := range r.rulesAt(until) {
			for _, e := range at.results {
				if at.rule.Name != in.ConfigRuleName || e.Compliance == "NOT_APPLICABLE" || !agg.takes(e.ResourceType) || in.ComplianceType != "" && in.ComplianceType != e.Compliance {
					continue
				}
				result := resultJSON(at.rule, e)
				result["AccountId"], result["AwsRegion"] = r.account, r.name
				list = append(list, result)
			}
		}
	})
	return configPage("AggregateEvaluationResults", list, limit, in.NextToken)
}

// aggregateItem is a recorded resource of one source.
type aggregateItem struct {
	r *regionState
	configItem
}

func (s *Sim) aggregateItems(owner *regionState, agg *configAggregator, account, region string) []aggregateItem {
	var out []aggregateItem
	s.aggregateSeen(owner, agg, account, region, func(r *regionState, until time.Time) {
		for _, item := range append(r.config.itemsAt(until), s.systemItems(r, until)...) {
			if agg.takes(item.Type) {
				out = append(out, aggregateItem{r, item})
			}
		}
	})
	return out
}
