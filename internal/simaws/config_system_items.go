package simaws

import (
	"slices"
	"time"
)

// The recorder itself is "a system resource type of AWS Config and recording of this
// resource type is enabled by default in all supported Regions", whatever its recording
// group says; the item follows "if you have stopped or started the configuration
// recorder, or if you have deleted" it (developer guide, drift-detection).
const (
	typeRecorder = "AWS::Config::ConfigurationRecorder"
	typeStack    = "AWS::CloudFormation::Stack"
)

// pastRecorder is what a Region's recorder was until it was made, changed or deleted.
type pastRecorder struct {
	rec   *configRecorder // nil: there was none
	until time.Time
}

// heard is the time since which changes may not have reached every aggregator.
func (s *Sim) heard() time.Time {
	return s.clock.ago(max(aggregationHigh, s.opts.AggregatorLag) + time.Minute)
}

// lag is how far an aggregator is behind one source.
func (s *Sim) lag(source aggregateSource) time.Duration {
	if s.opts.AggregatorLag > 0 {
		return s.opts.AggregatorLag
	}
	return spread(aggregationLow, aggregationHigh, source.id, source.region)
}

// recorderChanges keeps the recorder as it is now for aggregators, which hear of a change
// later. It is called before the change.
func (s *Sim) recorderChanges(r *regionState) {
	heard := s.heard()
	c := &r.config
	c.pastRecorders = slices.DeleteFunc(c.pastRecorders, func(p pastRecorder) bool { return !p.until.After(heard) })
	var was *configRecorder
	if r.recorder != nil {
		copied := *r.recorder
		was = &copied
	}
	c.pastRecorders = append(c.pastRecorders, pastRecorder{was, s.clock.Now()})
}

// recorderAt is the recorder as it was, nil where there was none.
func (r *regionState) recorderAt(until time.Time) *configRecorder {
	for _, p := range r.config.pastRecorders {
		if p.until.After(until) {
			return p.rec
		}
	}
	return r.recorder
}

// systemItems are the items that are made when somebody asks: the recorder's, and those of
// stacks where their type is recorded.
func (s *Sim) systemItems(r *regionState, until time.Time) []configItem {
	rec := r.recorderAt(until)
	if rec == nil || rec.ServicePrincipal != "" {
		return nil
	}
	out := []configItem{s.recorderItem(r, rec)}
	if !rec.Recording || rec.LastStatus == "Pending" || !rec.records(typeStack) {
		return out
	}
	for _, name := range sortedKeys(r.stacks) {
		if k := r.stacks[name]; !k.Created.After(until) {
			out = append(out, s.stackItem(r, k))
		}
	}
	for _, k := range r.gone {
		if !k.Created.After(until) && k.Deleted.After(until) {
			out = append(out, s.stackItem(r, k))
		}
	}
	return out
}

// recorderItem has the properties of awslabs/aws-config-resource-schema,
// AWS::Config::ConfigurationRecorder, which begin with capitals.
func (s *Sim) recorderItem(r *regionState, rec *configRecorder) configItem {
	at := rec.made
	for _, t := range []time.Time{rec.changed, rec.LastStart, rec.LastStop} {
		if t.After(at) {
			at = t
		}
	}
	return configItem{
		Type: typeRecorder, ID: rec.Name, Name: rec.Name, ARN: s.recorderARN(r, rec), Status: "OK", Captured: at, StateID: at.UnixMilli(),
		Configuration: map[string]any{
			"Id": rec.Name, "Name": rec.Name, "RoleARN": rec.RoleARN, "Recording": rec.Recording,
			"RecordingGroup": map[string]any{
				"AllSupported": rec.AllSupported, "IncludeGlobalResourceTypes": rec.IncludeGlobal, "ResourceTypes": orEmpty(rec.ResourceTypes),
				"ExclusionByResourceTypes": map[string]any{"ResourceTypes": orEmpty(rec.Exclusions)}, "RecordingStrategy": map[string]any{"UseOnly": rec.strategy()},
			},
			"RecordingMode": map[string]any{"RecordingFrequency": orElse(rec.Frequency, "CONTINUOUS"), "RecordingModeOverrides": overrideItems(rec.Overrides)},
		},
	}
}

func overrideItems(list []recordingOverride) []any {
	out := []any{}
	for _, o := range list {
		out = append(out, map[string]any{"RecordingFrequency": o.RecordingFrequency, "ResourceTypes": orEmpty(o.ResourceTypes)})
	}
	return out
}

// stackItem has what AWS Config keeps of a stack, but for its resources.
func (s *Sim) stackItem(r *regionState, k *stack) configItem {
	at := k.Created
	if k.Updated.After(at) {
		at = k.Updated
	}
	return configItem{
		Type: typeStack, ID: k.ID, Name: k.Name, ARN: k.ID, Status: "OK", Captured: at, StateID: at.UnixMilli(), Tags: copyTexts(k.Tags),
		Configuration: map[string]any{
			"stackId": k.ID, "stackName": k.Name, "description": k.Description, "stackStatus": k.Status, "stackStatusReason": k.Reason, "creationTime": k.Created.UnixMilli(),
		},
	}
}
