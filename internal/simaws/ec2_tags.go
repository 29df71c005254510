package simaws

import (
	"fmt"
	"strings"
)

// taggedByID finds the tags of an EC2 resource, and its ARN; nil where there is none.
func (s *Sim) taggedByID(a *account, r *regionState, id string) (tags *map[string]string, arn string) {
	of := func(kind string) string {
		return fmt.Sprintf("arn:%s:ec2:%s:%s:%s/%s", s.world.partition, r.name, a.ID, kind, id)
	}
	if g := r.groups[id]; g != nil {
		tags, arn = &g.Tags, of("security-group")
	}
	for _, v := range r.vpcs {
		if v.ID == id {
			tags, arn = &v.Tags, of("vpc")
		}
	}
	set := s.settings(a, r)
	if i := set.instances[id]; i != nil {
		tags, arn = &i.Tags, s.instanceARN(r, id)
	}
	if n := set.snapshots[id]; n != nil {
		tags, arn = &n.Tags, s.snapshotARN(r, id)
	}
	if tags != nil && *tags == nil {
		*tags = map[string]string{}
	}
	return tags, arn
}

// changeTags serves CreateTags and DeleteTags for security groups, VPCs, instances and
// snapshots: all or none, keys of 128 and values of 256 characters, 50 tags a resource (EC2
// user guide, Tag restrictions).
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
		have, arn := s.taggedByID(a, r, id)
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
		if err := who(access{Action: "ec2:" + op, Resource: arn, Context: one}); err != nil {
			return nil, err
		}
	}
	for _, id := range ids {
		have, _ := s.taggedByID(a, r, id)
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
		if s.settings(a, r).instances[id] != nil {
			s.changed(r, typeInstance, id)
		}
	}
	return map[string]any{"Return": true}, nil
}
