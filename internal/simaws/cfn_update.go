package simaws

import (
	"cmp"
	"maps"
	"net/http"
)

// updateStackSet changes the definition, marks every instance OUTDATED when template
// or parameters changed (not for tags: "changes to the template … or the Parameters",
// DeploymentTargets), and updates the targeted ones, or all when
// none is named (API reference, UpdateStackSet).
func updateStackSet(s *Sim, c *call) (any, error) {
	set, err := s.set(c)
	if err != nil {
		return nil, err
	}
	f := c.Form
	if err := serviceManaged(f); err != nil {
		return nil, err
	}
	if model := f.str("PermissionModel"); model != "" && model != "SERVICE_MANAGED" {
		if len(set.instances) > 0 {
			return nil, validation("PermissionModel cannot be modified while there are stack instances associated with the stack set")
		}
		return nil, errSelfManaged
	}
	text, doc := set.Body, set.doc
	if previous, _ := f.boolean("UsePreviousTemplate"); !previous {
		if text, doc, err = s.body(c); err != nil {
			return nil, err
		}
	} else if f.has("TemplateBody") || f.has("TemplateURL") {
		return nil, validation("You must specify only one of the following parameters: TemplateBody, TemplateURL, or set the UsePreviousTemplate to true.")
	}
	parameters, err := readParameters(f, "Parameters", set.Parameters)
	if err != nil {
		return nil, err
	}
	if err := checkParameters(doc, parameters); err != nil {
		return nil, err
	}
	capabilities := f.list("Capabilities")
	if err := checkCapabilities(doc, capabilities); err != nil {
		return nil, err
	}
	tags := set.Tags
	if f.has("Tags") || f.sub("Tags").any() { // no Tags leaves them, a list replaces all
		if tags, err = readTags(f); err != nil {
			return nil, err
		}
		fresh, gone := false, false
		for k, v := range tags {
			old, there := set.Tags[k]
			fresh = fresh || !there || old != v
		}
		for k := range set.Tags {
			_, stays := tags[k]
			gone = gone || !stays
		}
		if err := cmp.Or(s.mayTag(c, "TagResource", fresh), s.mayTag(c, "UntagResource", gone)); err != nil {
			return nil, err
		}
	}
	auto := f.sub("AutoDeployment")
	targeted := f.sub("DeploymentTargets").any() || len(f.list("Regions")) > 0
	if auto.any() && targeted {
		return nil, validation("If you specify AutoDeployment, do not specify DeploymentTargets or Regions.")
	}
	following := set.Auto
	if auto.any() {
		if following, err = s.readAutoDeployment(f, set); err != nil {
			return nil, err
		}
	}
	targets, ous, err := s.targets(c, set, "UPDATE")
	if err != nil {
		return nil, err
	}
	op, err := s.newOperation(c, set, "UPDATE", ous)
	if err != nil {
		return nil, err
	}
	if managed := f.sub("ManagedExecution"); managed.any() {
		active, _ := managed.boolean("Active")
		if active != set.Managed && set.busy() != nil {
			return nil, fail(http.StatusBadRequest, "InvalidOperationException", "The execution configuration cannot be changed while operations are running or queued")
		}
		set.Managed = active
	}
	changed := text != set.Body || !maps.Equal(parameters, set.Parameters)
	retagged := !maps.Equal(tags, set.Tags)
	if changed {
		for _, i := range set.instances {
			if i.Status == "CURRENT" {
				i.Status = "OUTDATED"
			}
		}
	}
	set.Body, set.doc, set.Parameters, set.Tags, set.Capabilities = text, doc, parameters, tags, capabilities
	set.Auto = following
	if f.has("Description") {
		set.Description = f.str("Description")
	}
	if !targeted {
		for _, i := range set.sorted() {
			targets = append(targets, i.target)
		}
	}
	op.wholeSet = changed || retagged
	s.queue(set, op, targets)
	return operationAnswer(op), nil
}
