package simaws

import (
	"strings"
)

// may says whether a pass is allowed the calls behind a resource's create, update or
// delete.
func (p *pass) may(c resourceCall, kind, verb string) error {
	actions := propertyCalls(c, kind, verb)
	if first := handlerAction(kind, verb); first != "" {
		actions = append([]string{first}, actions...)
	}
	resource := "*"
	if c.By != nil {
		resource = handlerResource(p.s, c, kind)
	}
	for _, action := range actions {
		if err := p.s.handlerDenied(c, action, resource); err != nil {
			return err
		}
	}
	return nil
}

// handlerDenied says why a handler's call is refused: StackSets' role in the account is
// held to service control policies, a stack's role or the caller of an operation on a
// single stack to its own permissions too.
func (s *Sim) handlerDenied(c resourceCall, action, resource string) error {
	if c.By == nil {
		return s.denyExecution(c.Account, c.Region.name, action, resource)
	}
	if err := s.allowed(*c.By, access{Action: action, Resource: resource, Context: map[string]string{"aws:requestedregion": c.Region.name}}); err != nil {
		return policyRefusal{reasonOf(err)}
	}
	return nil
}

// isDenial tells a refusal of permission, in whatever words of a handler it comes.
func isDenial(err error) bool {
	return strings.Contains(err.Error(), " is not authorized to perform: ")
}

// handlerResources are the ARNs, behind partition, that the calls of a type's handler are
// about: {R} is the Region, {A} the account, {name} a property or else the physical id.
// A type that is not here asks for everything (*).
var handlerResources = map[string]string{
	"AWS::IAM::Role":          "iam::{A}:role{Path}{RoleName}",
	"AWS::IAM::ManagedPolicy": "iam::{A}:policy{Path}{ManagedPolicyName}",
	// The role's own name is the service's to choose.
	"AWS::IAM::ServiceLinkedRole": "iam::{A}:role/aws-service-role/{AWSServiceName}/AWSServiceRole",
	"AWS::S3::Bucket":             "s3:::{BucketName}",
	"AWS::S3::BucketPolicy":       "s3:::{Bucket}",
	"AWS::SSM::Document":          "ssm:{R}:{A}:document/{Name}",
	"AWS::SNS::Topic":             "sns:{R}:{A}:{TopicName}",
}

// handlerResource is the ARN of a resource. The name that CloudFormation makes up is not
// known before, but for its beginning.
func handlerResource(s *Sim, c resourceCall, kind string) string {
	if strings.HasPrefix(c.PhysicalID, "arn:") {
		return c.PhysicalID
	}
	form, known := handlerResources[kind]
	switch roles := texts(c.Properties["Roles"]); {
	case kind == "AWS::IAM::Policy" && len(roles) > 0: // it is the role's
		if role := c.Account.roles[roles[0]]; role != nil {
			return role.ARN
		}
		return "arn:" + s.world.partition + ":iam::" + c.Account.ID + ":role/" + roles[0]
	case !known:
		return "*"
	}
	out := strings.NewReplacer("{R}", c.Region.name, "{A}", c.Account.ID).Replace(form)
	for {
		before, rest, open := strings.Cut(out, "{")
		if !open {
			return "arn:" + s.world.partition + ":" + out
		}
		property, after, _ := strings.Cut(rest, "}")
		value := textOf(c.Properties[property])
		switch {
		case value == "" && property == "Path":
			value = "/"
		case value == "" && c.PhysicalID != "":
			value = c.PhysicalID
		case value == "" && kind == "AWS::S3::Bucket":
			value = strings.ToLower(c.Stack.Name + "-" + c.LogicalID + "-0")
		case value == "":
			value = c.Stack.Name + "-" + c.LogicalID + "-0"
		}
		out = before + value + after
	}
}

// serviceRole is the session in which CloudFormation works under a stack's role.
func (s *Sim) serviceRole(a *account, arn string) (*caller, error) {
	refused := invalid("Role %s is invalid or cannot be assumed", arn)
	prefix := "arn:" + s.world.partition + ":iam::" + a.ID + ":role/"
	if !strings.HasPrefix(arn, prefix) {
		return nil, refused
	}
	role := a.roles[arn[strings.LastIndexByte(arn, '/')+1:]]
	if role == nil || role.ARN != arn || !trustsService(role.Trust, "cloudformation.amazonaws.com") {
		return nil, refused
	}
	return &caller{Account: a.ID, Role: role, ARN: "arn:" + s.world.partition + ":sts::" + a.ID + ":assumed-role/" + role.Name + "/AWSCloudFormation", UserID: role.ID + ":AWSCloudFormation"}, nil
}

// trustsService says whether a role lets a service assume it. CloudFormation sends no
// condition keys along.
func trustsService(trust policyDocument, principal string) bool {
	allowed := false
	for _, st := range trust.Statement {
		named := false
		for _, p := range st.Principals["Service"] {
			named = named || p == principal
		}
		if !named || !matchesAny(st.Actions, "sts:AssumeRole") || !conditionsHold(st.Conditions, nil) {
			continue
		}
		if !st.Allow {
			return false
		}
		allowed = true
	}
	return allowed
}

// worker is who makes the calls of an operation on a single stack: the role of the call,
// else the one that the stack has, else the caller (API reference, UpdateStack, RoleARN).
// Only the role of a call has to be passed.
func (s *Sim) worker(c *call, st *stack, asked string) (*caller, error) {
	arn := asked
	if arn == "" && st != nil && st.single != nil {
		arn = st.single.RoleARN
	}
	if arn == "" {
		who := c.Caller
		return &who, nil
	}
	if asked != "" && c.Caller.Role != nil {
		if err := s.allowed(c.Caller, access{Action: "iam:PassRole", Resource: asked, Context: map[string]string{"iam:passedtoservice": "cloudformation.amazonaws.com"}}); err != nil {
			return nil, err
		}
	}
	return s.serviceRole(s.world.accounts[c.Caller.Account], arn)
}
