package simaws

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// listDiscovered serves ListDiscoveredResources over the recorded items.
func listDiscovered(s *Sim, c *call) (any, error) {
	var in struct {
		ResourceType, ResourceName, NextToken string
		ResourceIDs                           []string
		Limit                                 *int
		IncludeDeletedResources               bool
	}
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	if in.ResourceType == "" {
		return nil, missing("resourceType")
	}
	limit, err := limitOf(in.Limit, 100, 100, "limit")
	if err != nil {
		return nil, err
	}
	s.ensureItems(r)
	list := []any{}
	for _, key := range sortedKeys(r.config.items) {
		history := r.config.items[key]
		item := history[len(history)-1]
		deleted := item.Status == "ResourceDeleted"
		if item.Type != in.ResourceType || deleted && !in.IncludeDeletedResources || !wants(in.ResourceIDs, item.ID) || in.ResourceName != "" && in.ResourceName != item.Name {
			continue
		}
		m := map[string]any{"resourceType": item.Type, "resourceId": item.ID}
		setText(m, "resourceName", item.Name)
		if deleted {
			setTime(m, "resourceDeletionTime", item.Captured)
		}
		list = append(list, m)
	}
	page, next, err := pageOf(list, limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"resourceIdentifiers": page}
	setText(out, "nextToken", next)
	return out, nil
}

// resourceHistory serves GetResourceConfigHistory: newest first unless asked
// for Forward.
func resourceHistory(s *Sim, c *call) (any, error) {
	var in struct {
		ResourceType, ResourceID, NextToken, ChronologicalOrder string
		LaterTime, EarlierTime                                  float64
		Limit                                                   *int
	}
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	limit, err := limitOf(in.Limit, 10, 100, "limit")
	if err != nil {
		return nil, err
	}
	if r.recorder == nil {
		return nil, fail(400, "NoAvailableConfigurationRecorderException", "Configuration recorder is not available to get resource config history.")
	}
	if from, to := fromEpoch(in.EarlierTime), fromEpoch(in.LaterTime); !from.IsZero() && !to.IsZero() && !from.Before(to) {
		return nil, fail(400, "InvalidTimeRangeException", "The specified time range is not valid. The earlier time is not chronologically before the later time.")
	}
	s.ensureItems(r)
	history := r.config.items[itemKey(in.ResourceType, in.ResourceID)]
	if len(history) == 0 {
		return nil, fail(400, "ResourceNotDiscoveredException", fmt.Sprintf("Resource %s of resourceType:%s is unknown or has not been discovered", in.ResourceID, in.ResourceType))
	}
	list := []any{}
	for i := range history {
		item := history[i]
		if in.ChronologicalOrder != "Forward" {
			item = history[len(history)-1-i]
		}
		if t := fromEpoch(in.LaterTime); !t.IsZero() && item.Captured.After(t) {
			continue
		}
		if t := fromEpoch(in.EarlierTime); !t.IsZero() && item.Captured.Before(t) {
			continue
		}
		m, err := r.itemShape(item)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	page, next, err := pageOf(list, limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"configurationItems": page}
	setText(out, "nextToken", next)
	return out, nil
}

// itemShape is a ConfigurationItem.
func (r *regionState) itemShape(item configItem) (map[string]any, error) {
	m, err := r.baseItemShape(item)
	if err != nil {
		return nil, err
	}
	m["relatedEvents"], m["relationships"], m["tags"] = []any{}, item.relationships(), copyTexts(item.Tags)
	return m, nil
}

// baseItemShape is a BaseConfigurationItem, which has no tags and relationships.
func (r *regionState) baseItemShape(item configItem) (map[string]any, error) {
	m := map[string]any{
		"version": "1.3", "accountId": r.account, "awsRegion": r.name, "availabilityZone": "Not Applicable",
		"resourceType": item.Type, "resourceId": item.ID, "arn": item.ARN,
		"configurationItemStatus": item.Status, "configurationStateId": strconv.FormatInt(item.StateID, 10),
		"configurationItemCaptureTime": epoch(item.Captured),
	}
	// Each is a text, on the wire.
	supplements := map[string]any{}
	for name, v := range item.Supplementary {
		text, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		supplements[name] = string(text)
	}
	m["supplementaryConfiguration"] = supplements
	setText(m, "resourceName", item.Name)
	if item.Configuration != nil {
		text, err := json.Marshal(item.Configuration)
		if err != nil {
			return nil, err
		}
		m["configuration"] = string(text)
	}
	return m, nil
}
