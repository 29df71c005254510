package simaws

import (
	"fmt"
)

type aggregateItemsInput struct {
	ConfigurationAggregatorName, ResourceType string

	Filters             struct{ AccountId, ResourceId, ResourceName, Region, ResourceType string }
	GroupByKey          string
	ResourceIdentifier  *aggregateIdentifier
	ResourceIdentifiers []aggregateIdentifier
	Limit               *int
	NextToken           string
}

type aggregateIdentifier struct{ SourceAccountId, SourceRegion, ResourceId, ResourceType, ResourceName string }

func (i aggregateIdentifier) shape() map[string]any {
	m := map[string]any{"SourceAccountId": i.SourceAccountId, "SourceRegion": i.SourceRegion, "ResourceId": i.ResourceId, "ResourceType": i.ResourceType}
	setText(m, "ResourceName", i.ResourceName)
	return m
}

// aggregateItemsCall reads what the calls about aggregated resources share; need
// .
func aggregateItemsCall(s *Sim, c *call, standard, most int) (in aggregateItemsInput, r *regionState, agg *configAggregator, limit int, err error) {
	if err = decode(c, &in); err != nil {
		return
	}
	_, r = s.place(c)
	if limit, err = limitOf(in.Limit, standard, most, "limit"); err != nil {
		return
	}
	agg, err = r.aggregator(in.ConfigurationAggregatorName)
	return
}

func aggregateResources(s *Sim, c *call) (any, error) {
	in, r, agg, limit, err := aggregateItemsCall(s, c, 100, 100)
	if err != nil {
		return nil, err
	}
	list, f := []any{}, in.Filters
	for _, item := range s.aggregateItems(r, agg, f.AccountId, f.Region) {
		if item.Type == in.ResourceType && (f.ResourceId == "" || f.ResourceId == item.ID) && (f.ResourceName == "" || f.ResourceName == item.Name) {
			list = append(list, aggregateIdentifier{item.r.account, item.r.name, item.ID, item.Type, item.Name}.shape())
		}
	}
	return configPage("ResourceIdentifiers", list, limit, in.NextToken)
}

func aggregateCounts(s *Sim, c *call) (any, error) {
	in, r, agg, limit, err := aggregateItemsCall(s, c, 1000, 1000)
	if err != nil {
		return nil, err
	}
	counts, total := map[string]int{}, 0
	for _, item := range s.aggregateItems(r, agg, in.Filters.AccountId, in.Filters.Region) {
		if in.Filters.ResourceType == "" || in.Filters.ResourceType == item.Type {
			total++
			counts[map[string]string{"RESOURCE_TYPE": item.Type, "ACCOUNT_ID": item.r.account, "AWS_REGION": item.r.name}[in.GroupByKey]]++
		}
	}
	list := []any{}
	if in.GroupByKey != "" {
		for _, group := range sortedKeys(counts) {
			list = append(list, map[string]any{"GroupName": group, "ResourceCount": counts[group]})
		}
	}
	page, next, err := pageOf(list, limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"TotalDiscoveredResources": total, "GroupedResourceCounts": page}
	setText(out, "GroupByKey", in.GroupByKey)
	setText(out, "NextToken", next)
	return out, nil
}

// find gives the item that an identifier is about.
func (s *Sim) find(owner *regionState, agg *configAggregator, i aggregateIdentifier) *aggregateItem {
	for _, item := range s.aggregateItems(owner, agg, i.SourceAccountId, i.SourceRegion) {
		if item.Type == i.ResourceType && item.ID == i.ResourceId && (i.ResourceName == "" || i.ResourceName == item.Name) {
			return &item
		}
	}
	return nil
}

func aggregateBatch(s *Sim, c *call) (any, error) {
	in, r, agg, _, err := aggregateItemsCall(s, c, 100, 100)
	if err != nil {
		return nil, err
	}
	items, missed := []any{}, []any{}
	for _, i := range in.ResourceIdentifiers {
		item := s.find(r, agg, i)
		if item == nil {
			missed = append(missed, i.shape())
			continue
		}
		shape, err := item.r.baseItemShape(item.configItem)
		if err != nil {
			return nil, err
		}
		items = append(items, shape)
	}
	return map[string]any{"BaseConfigurationItems": items, "UnprocessedResourceIdentifiers": missed}, nil
}

func aggregateConfig(s *Sim, c *call) (any, error) {
	in, r, agg, _, err := aggregateItemsCall(s, c, 100, 100)
	if err != nil {
		return nil, err
	}
	item := s.find(r, agg, *in.ResourceIdentifier)
	if item == nil {
		return nil, fail(400, "ResourceNotDiscoveredException", fmt.Sprintf("Resource %s of resourceType:%s is unknown or has not been discovered", in.ResourceIdentifier.ResourceId, in.ResourceIdentifier.ResourceType))
	}
	shape, err := item.r.itemShape(item.configItem)
	if err != nil {
		return nil, err
	}
	return map[string]any{"ConfigurationItem": shape}, nil
}
