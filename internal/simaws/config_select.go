package simaws

import (
	"slices"
	"sort"
	"time"
)

type selectInput struct {
	Expression, ConfigurationAggregatorName string

	Limit, MaxResults *int
	NextToken         string
}

// answer runs a query. Its pages are of 25, or 500 groups, unless Limit says.
func (in selectInput) answer(rows func(sqlQuery) []map[string]any) (any, error) {
	q, err := parseSQL(in.Expression)
	if err != nil {
		return nil, err
	}
	if in.Limit == nil {
		in.Limit = in.MaxResults
	}
	standard := 25
	if q.aggregated() {
		standard = 500
	}
	limit, err := limitOf(in.Limit, standard, 100, "limit")
	if err != nil {
		return nil, err
	}
	results, fields, err := q.run(rows(q))
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(results, limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(q.order, func(o sqlOrder) bool { return o.function != "" }) {
		next = "" // "pagination is supported for all aggregate queries except when ORDER BY clause has an aggregate function"
	}
	out := map[string]any{"Results": notNil(page), "QueryInfo": map[string]any{"SelectFields": fields}}
	setText(out, "NextToken", next)
	return out, nil
}

func selectResources(s *Sim, c *call) (any, error) {
	var in selectInput
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	return in.answer(func(sqlQuery) []map[string]any {
		s.ensureItems(r)
		return s.sqlRows(r, s.clock.Now().Add(time.Minute), func(string) bool { return true })
	})
}

func selectAggregate(s *Sim, c *call) (any, error) {
	var in selectInput
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	agg, err := r.aggregator(in.ConfigurationAggregatorName)
	if err != nil {
		return nil, err
	}
	return in.answer(func(q sqlQuery) []map[string]any {
		// What the query cannot want is not made into rows: 3,000 accounts have many.
		account, region, kind := q.where.only("accountId"), q.where.only("awsRegion"), q.where.only("resourceType")
		takes := func(t string) bool { return agg.takes(t) && (kind == "" || t == kind) }
		var rows []map[string]any
		s.aggregateSeen(r, agg, account, region, func(source *regionState, until time.Time) {
			rows = append(rows, s.sqlRows(source, until, takes)...)
		})
		return rows
	})
}

// batchResources serves BatchGetResourceConfig: no deleted resources, no tags.
func batchResources(s *Sim, c *call) (any, error) {
	var in struct {
		ResourceKeys []struct{ ResourceType, ResourceID string }
	}
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	if r.recorder == nil {
		return nil, fail(400, "NoAvailableConfigurationRecorderException", "Configuration recorder is not available to batch get resource config.")
	}
	s.ensureItems(r)
	items, missed := []any{}, []any{}
	for _, key := range in.ResourceKeys {
		item, ok := r.config.last(key.ResourceType, key.ResourceID)
		if !ok {
			missed = append(missed, map[string]any{"resourceType": key.ResourceType, "resourceId": key.ResourceID})
			continue
		}
		shape, err := r.baseItemShape(item)
		if err != nil {
			return nil, err
		}
		items = append(items, shape)
	}
	return map[string]any{"baseConfigurationItems": items, "unprocessedResourceKeys": missed}, nil
}

// discoveredCounts serves GetDiscoveredResourceCounts, "in descending order by
// the number of resources".
func discoveredCounts(s *Sim, c *call) (any, error) {
	var in struct {
		ResourceTypes []string
		Limit         *int
		NextToken     string
	}
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	limit, err := limitOf(in.Limit, 100, 100, "limit")
	if err != nil {
		return nil, err
	}
	s.ensureItems(r)
	counts, total := map[string]int{}, 0
	for _, item := range r.config.current("") {
		if wants(in.ResourceTypes, item.Type) {
			counts[item.Type]++
			total++
		}
	}
	types := sortedKeys(counts)
	sort.SliceStable(types, func(i, j int) bool { return counts[types[i]] > counts[types[j]] })
	list := []any{}
	for _, t := range types {
		list = append(list, map[string]any{"resourceType": t, "count": counts[t]})
	}
	page, next, err := pageOf(list, limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"totalDiscoveredResources": total, "resourceCounts": page}
	setText(out, "nextToken", next)
	return out, nil
}

// summaryByRule counts rules by their word; those without results count nowhere.
func summaryByRule(s *Sim, c *call) (any, error) {
	_, r := s.place(c)
	n := map[string]int{}
	for _, rule := range r.rules {
		n[s.ruleWord(r, rule)]++
	}
	return map[string]any{"ComplianceSummary": s.summary(n["COMPLIANT"], n["NON_COMPLIANT"], contributorCap)}, nil
}

// resourceCap is the largest number of resources in a summary.
const resourceCap = 100

// summaryByType counts resources by whether they comply with all rules, together
// or, when types are named, type by type.
func summaryByType(s *Sim, c *call) (any, error) {
	var in struct{ ResourceTypes []string }
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	breaks := map[string]bool{}
	kind := map[string]string{}
	for _, rule := range r.rules {
		for _, e := range rule.results {
			if e.Compliance != "NOT_APPLICABLE" {
				key := itemKey(e.ResourceType, e.ResourceID)
				kind[key] = e.ResourceType
				breaks[key] = breaks[key] || e.Compliance == "NON_COMPLIANT"
			}
		}
	}
	count := func(resourceType string) map[string]any {
		compliant, against := 0, 0
		for key, breaking := range breaks {
			switch {
			case resourceType != "" && kind[key] != resourceType:
			case breaking:
				against++
			default:
				compliant++
			}
		}
		m := map[string]any{"ComplianceSummary": s.summary(compliant, against, resourceCap)}
		setText(m, "ResourceType", resourceType)
		return m
	}
	list := []any{}
	for _, t := range in.ResourceTypes {
		list = append(list, count(t))
	}
	if len(in.ResourceTypes) == 0 {
		list = append(list, count(""))
	}
	return map[string]any{"ComplianceSummariesByResourceType": list}, nil
}
