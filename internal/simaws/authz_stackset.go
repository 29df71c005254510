package simaws

import (
	"slices"
	"strings"
)

// setWork are the actions that change a set's instances. Beside the set they are about
// each target and each type of the template, which a policy can name (service
// authorization reference, CloudFormation: stackset, stackset-target, type; user guide,
// "Allow stack set operations based on Region and resource types").
var setWork = []string{"CreateStackInstances", "UpdateStackInstances", "DeleteStackInstances", "UpdateStackSet"}

// setResources are the ARNs of a call that names a stack set. CreateStackSet knows no
// resource: a policy has to allow it on * (service authorization reference).
func (s *Sim) setResources(c *call) []string {
	if c.Action == "CreateStackSet" {
		return []string{"*"}
	}
	name := c.Form.str("StackSetName")
	prefix := "arn:" + s.world.partition + ":cloudformation:" + c.Region + ":" + s.world.management
	set := s.named(c.Region, name)
	if set == nil {
		return []string{prefix + ":stackset/" + name + ":*"}
	}
	out := []string{set.arn(s)}
	if !slices.Contains(setWork, c.Action) {
		return out
	}
	targets := c.Form.sub("DeploymentTargets")
	for _, target := range slices.Concat(targets.list("OrganizationalUnitIds"), targets.list("Accounts")) {
		out = append(out, prefix+":stackset-target/"+set.ID+"/"+target)
	}
	if set.doc == nil {
		return out
	}
	kinds := map[string]bool{}
	for _, r := range set.doc.Resources {
		kinds[r.Type] = true
	}
	for _, kind := range sortedKeys(kinds) {
		out = append(out, "arn:"+s.world.partition+":cloudformation:"+c.Region+"::type/resource/"+strings.ReplaceAll(kind, "::", "-"))
	}
	return out
}

// named finds an active set of a Region by name, id or ARN, whoever asks.
func (s *Sim) named(region, name string) *stackSet {
	for _, set := range s.world.stackSets {
		if set.Status == "ACTIVE" && set.Region == region && (set.Name == name || set.ID == name || set.arn(s) == name) {
			return set
		}
	}
	return nil
}
