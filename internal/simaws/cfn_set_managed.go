package simaws

import (
	"slices"
	"strings"

	"rollout/templates"
)

// errSelfManaged is a limit of this simulation, not an answer of AWS's.
var errSelfManaged = validation("the simulated CloudFormation serves SERVICE_MANAGED stack sets only")

// serviceManaged refuses what a service-managed set cannot have: AdministrationRoleARN
// is "valid only if the permissions model is SELF_MANAGED", and ExecutionRoleName is
// that of a custom execution role (API reference, CreateStackSet), which is not
// simulated.
func serviceManaged(f query) error {
	if f.str("AdministrationRoleARN") != "" {
		return validation("AdministrationRoleARN can only be specified for StackSets with SELF_MANAGED permission model")
	}
	if name := f.str("ExecutionRoleName"); name != "" && !strings.HasPrefix(name, "stacksets-exec-custom-") {
		return validation("ExecutionRoleName of StackSets with SERVICE_MANAGED permission model must begin with stacksets-exec-custom-")
	}
	for _, member := range []string{"ExecutionRoleName", "ExecutionRoleTemplateBody", "ExecutionRoleTemplateUrl", "StackSetOutputBucket"} {
		if f.has(member) {
			return validation("the simulated CloudFormation has no custom execution roles: leave " + member + " out")
		}
	}
	return nil
}

// mayTag checks the permission to tag a set or to take its tags away: "If you don't,
// the entire CreateStackSet action fails with an access denied error" (API reference).
func (s *Sim) mayTag(c *call, action string, asked bool) error {
	if !asked {
		return nil
	}
	resource := "arn:" + s.world.partition + ":cloudformation:" + c.Region + ":" + s.world.management + ":stackset/" + c.Form.str("StackSetName") + ":*"
	if set := s.named(c.Region, c.Form.str("StackSetName")); set != nil {
		resource = set.arn(s)
	}
	return s.alsoMay(c, resource, action)
}

// alsoMay checks permissions that a call of CloudFormation asks for beside its own.
func (s *Sim) alsoMay(c *call, resource string, actions ...string) error {
	for _, action := range actions {
		if err := s.allowed(c.Caller, access{Action: "cloudformation:" + action, Resource: resource, Context: map[string]string{"aws:requestedregion": c.Region}}); err != nil {
			return denial(services["cloudformation"], err)
		}
	}
	return nil
}

// bodyOrStack reads the template of a new set, which a stack of the caller's
// organization may lend ("The stack ID you are importing into a new StackSet").
func (s *Sim) bodyOrStack(c *call) (string, *templates.Document, error) {
	id := c.Form.str("StackId")
	if id == "" {
		return s.body(c)
	}
	if c.Form.has("TemplateBody") || c.Form.has("TemplateURL") {
		return "", nil, validation("Specify either StackId or a template, not both")
	}
	if parts := strings.SplitN(id, ":", 6); len(parts) == 6 {
		if a := s.world.accounts[parts[4]]; a != nil {
			if st := a.region(parts[3]).stacks[stackNameOf(id)]; st != nil && st.ID == id && st.doc != nil {
				return st.Body, st.doc, nil
			}
		}
	}
	return "", nil, validation("Stack " + id + " does not exist")
}

// independent takes a set out of every DependsOn: "Dependencies are removed when
// StackSets are deleted" (user guide, automatic deployments).
func (s *Sim) independent(gone *stackSet) {
	arn := gone.arn(s)
	for _, set := range s.world.stackSets {
		set.Auto.DependsOn = slices.DeleteFunc(slices.Clone(set.Auto.DependsOn), func(on string) bool { return on == arn })
	}
}
