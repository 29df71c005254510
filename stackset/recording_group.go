package stackset

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"rollout/templates"
)

// RecordingGroup says what a configuration recorder records. None is all supported
// types but the global ones (API reference, RecordingGroup).
type RecordingGroup struct{ *types.RecordingGroup }

// globalTypes are recorded by "all supported" only where global types are included
// (API reference, RecordingGroup).
var globalTypes = templates.IAMTypes

// LeavesOut are those of the resource types that are not recorded. A rule that looks
// at no recorded resource (a periodic one) misses nothing.
func (g RecordingGroup) LeavesOut(resourceTypes []string) []string {
	var out []string
	for _, t := range resourceTypes {
		if !g.records(t) {
			out = append(out, t)
		}
	}
	return out
}

func (g RecordingGroup) records(resourceType string) bool {
	if g.RecordingGroup == nil {
		return !slices.Contains(globalTypes, resourceType)
	}
	strategy := types.RecordingStrategyType("")
	if g.RecordingStrategy != nil {
		strategy = g.RecordingStrategy.UseOnly
	}
	switch {
	case strategy == types.RecordingStrategyTypeExclusionByResourceTypes,
		strategy == "" && g.ExclusionByResourceTypes != nil && len(g.ExclusionByResourceTypes.ResourceTypes) > 0:
		return g.ExclusionByResourceTypes == nil || !slices.Contains(g.ExclusionByResourceTypes.ResourceTypes, types.ResourceType(resourceType))
	case strategy == types.RecordingStrategyTypeAllSupportedResourceTypes, strategy == "" && g.AllSupported:
		return g.IncludeGlobalResourceTypes || !slices.Contains(globalTypes, resourceType)
	}
	return slices.Contains(g.ResourceTypes, types.ResourceType(resourceType))
}
