package simaws

import (
	"net/http"
	"strings"
)

type orgTag struct{ Key, Value string }

// tagsOf gives the tags of a root, OU, account or policy, which can be written to.
func (w *world) tagsOf(id string) (map[string]string, bool) {
	var tags *map[string]string
	if a := w.accounts[id]; a != nil {
		tags = &a.Tags
	} else if ou := w.ous[id]; ou != nil {
		tags = &ou.Tags
	} else if p := w.policies.byID[id]; p != nil && !p.AWS {
		tags = &p.Tags
	} else if id == w.rootID {
		tags = &w.rootTags
	} else {
		return nil, false
	}
	if *tags == nil {
		*tags = map[string]string{}
	}
	return *tags, true
}

func targetNotFound() error {
	return fail(http.StatusBadRequest, "TargetNotFoundException", "You specified a target that doesn't exist.")
}

// mergeTags gives the tags that a request leaves, or why it is refused.
func mergeTags(old map[string]string, with []orgTag) (map[string]string, error) {
	out, given := map[string]string{}, map[string]bool{}
	for k, v := range old {
		out[k] = v
	}
	for _, t := range with {
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return nil, invalidInput("INVALID_SYSTEM_TAGS_PARAMETER", "You specified a tag key that is a system tag. You can't add, edit, or delete system tag keys because they're reserved for AWS use.")
		}
		if given[t.Key] {
			return nil, invalidInput("DUPLICATE_TAG_KEY", "Tag keys must be unique among the tags attached to the same entity.")
		}
		given[t.Key] = true
		out[t.Key] = t.Value
	}
	if len(out) > maxTags {
		return nil, constraintViolation("MAX_TAG_LIMIT_EXCEEDED", "You have exceeded the number of tags allowed on this resource.")
	}
	return out, nil
}

func tagOrganizationResource(s *Sim, _ *call, in organizationInput) (any, error) {
	tags, there := s.world.tagsOf(in.ResourceId)
	if !there {
		return nil, targetNotFound()
	}
	merged, err := mergeTags(tags, in.Tags)
	if err != nil {
		return nil, err
	}
	for k, v := range merged {
		tags[k] = v
	}
	return nil, nil
}

func untagOrganizationResource(s *Sim, _ *call, in organizationInput) (any, error) {
	tags, there := s.world.tagsOf(in.ResourceId)
	if !there {
		return nil, targetNotFound()
	}
	for _, k := range in.TagKeys {
		delete(tags, k)
	}
	return nil, nil
}

func listOrganizationTags(s *Sim, _ *call, in organizationInput) (any, error) {
	tags, there := s.world.tagsOf(in.ResourceId)
	if !there {
		return nil, targetNotFound()
	}
	list := []any{}
	for _, k := range sortedKeys(tags) {
		list = append(list, map[string]any{"Key": k, "Value": tags[k]})
	}
	page, token, err := orgPage(s, in, list)
	return map[string]any{"Tags": notNil(page), "NextToken": token}, err
}
