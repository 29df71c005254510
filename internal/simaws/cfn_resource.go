package simaws

import (
	"time"
)

// resourceCall is one step on one resource of a stack.
type resourceCall struct {
	Account   *account
	Region    *regionState
	Stack     *stack
	LogicalID string
	// PhysicalID is set for update and delete.
	PhysicalID string
	// Properties with every intrinsic function resolved; Old are the previous
	// ones on an update. AWS::NoValue properties are absent.
	Properties, Old map[string]any
	Tags            map[string]string // the stack's tags
	// By is whose permissions the calls need; nil for StackSets' role in the account.
	By *caller
}

// resourceResult is what a created or updated resource answers to Ref and GetAtt.
type resourceResult struct {
	PhysicalID string
	Attributes map[string]any
}

// resourceHandler is what CloudFormation's handler of one resource type does. An
// error's text becomes the resource's status reason, in AWS's words; a created
// resource that fails leaves nothing.
type resourceHandler struct {
	create func(s *Sim, c resourceCall) (resourceResult, error)
	update func(s *Sim, c resourceCall) (resourceResult, error) // nil: every change replaces
	delete func(s *Sim, c resourceCall) error
	// createOnly are the properties whose change replaces the resource.
	createOnly []string
	// replaces says for one change that it replaces the resource, beyond createOnly.
	replaces func(before, after map[string]any) bool
	// takes is how long a create or delete lasts.
	takes time.Duration
}

// resourceTypes are the types that the simulated CloudFormation knows; others
// answer "Unrecognized resource types: […]". The Config types are in
// config_resources.go, others in cfn_plain.go and cfn_kept_types.go.
var resourceTypes = map[string]resourceHandler{}

func init() {
	for _, group := range []map[string]resourceHandler{plainResources, configResources} {
		for name, h := range group {
			resourceTypes[name] = h
		}
	}
}
