package simaws

import (
	"fmt"
	"strings"
)

// taggable finds the tags of a resource by its id, and its kind in an ARN; nil where
// there is none.
func (r *regionState) taggable(id string) (tags *map[string]string, kind string) {
	if g := r.groups[id]; g != nil {
		tags, kind = &g.Tags, "security-group"
	}
	for _, v := range r.vpcs {
		if v.ID == id {
			tags, kind = &v.Tags, "vpc"
		}
	}
	if tags != nil && *tags == nil {
		*tags = map[string]string{}
	}
	return tags, kind
}

// changeTags serves CreateTags and DeleteTags for security groups and VPCs: all or none, keys of
// 128 and values of 256 characters, 50 tags a resource (EC2 user guide, Tag restrictions).
func (s *Sim) changeTags(who authorizer, a *account, r *regionState, op string, in map[string]any) (map[string]any, error) {
	ids := texts(in["Resources"])
	tags, _ := in["Tags"].([]any)
	if len(ids) == 0 {
		return nil, fail(400, "MissingParameter", "The request must contain the parameter resourceIdSet")
	}
	if op == "CreateTags" && len(tags) == 0 {
		return nil, fail(400, "MissingParameter", "The request must contain the parameter tagSet")
	}
	context := map[string]string{"aws:requestedregion": r.name, "aws:resourceaccount": a.ID}
	for _, raw := range tags {
		t, _ := raw.(map[string]any)
		key := scalarOr(t["Key"])
		switch {
		case key == "" || len(key) > 128 || len(scalarOr(t["Value"])) > 256:
			return nil, fail(400, "InvalidParameterValue", fmt.Sprintf("Tag key or value exceeds its length: %q", key))
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return nil, fail(400, "InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
		}
		context["aws:tagkeys"] = key
		if op == "CreateTags" {
			context["aws:requesttag/"+strings.ToLower(key)] = scalarOr(t["Value"])
		}
	}
	for _, id := range ids {
		have, kind := r.taggable(id)
		if have == nil {
			return nil, fail(400, "InvalidID", "The ID '"+id+"' is not valid")
		}
		one := map[string]string{}
		for k, v := range context {
			one[k] = v
		}
		for k, v := range *have {
			one["aws:resourcetag/"+strings.ToLower(k)], one["ec2:resourcetag/"+strings.ToLower(k)] = v, v
		}
		if err := who(access{Action: "ec2:" + op, Resource: fmt.Sprintf("arn:%s:ec2:%s:%s:%s/%s", s.world.partition, r.name, a.ID, kind, id), Context: one}); err != nil {
			return nil, err
		}
	}
	for _, id := range ids {
		have, _ := r.taggable(id)
		if op == "DeleteTags" && len(tags) == 0 {
			clear(*have)
		}
		for _, raw := range tags {
			t, _ := raw.(map[string]any)
			key := scalarOr(t["Key"])
			if op == "CreateTags" {
				if _, there := (*have)[key]; !there && len(*have) >= 50 {
					return nil, fail(400, "TagLimitExceeded", "The maximum number of tags for resource "+id+" has been reached.")
				}
				(*have)[key] = scalarOr(t["Value"])
			} else if v, given := t["Value"]; !given || scalarOr(v) == (*have)[key] {
				delete(*have, key)
			}
		}
		if g := r.groups[id]; g != nil {
			s.groupChanged(r, g)
		}
	}
	return map[string]any{"Return": true}, nil
}
