package simaws

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"rollout/templates"
)

// stack is a CloudFormation stack in one account and Region.
type stack struct {
	Name, ID, Status, Reason string
	Description              string
	Body                     string
	doc                      *templates.Document
	Parameters               map[string]string
	Tags                     map[string]string
	Created, Updated         time.Time
	// Resources by logical id; Order is the order of creation.
	Resources map[string]*stackResource
	Order     []string
	// StackSet is the id of the set that owns it, "" once retained.
	StackSet string
}

type stackResource struct {
	LogicalID, Type, PhysicalID         string
	Properties                          map[string]any
	Attributes                          map[string]any
	DeletionPolicy, UpdateReplacePolicy string
	Status, Reason                      string
	Changed                             time.Time
}

// stackError is a resource that failed, in the words of a stack instance's status
// reason.
type stackError struct{ id, kind, reason string }

func (e *stackError) Error() string {
	return fmt.Sprintf("ResourceLogicalId:%s, ResourceType:%s, ResourceStatusReason:%s.", e.id, e.kind, strings.TrimSuffix(e.reason, "."))
}

// execution is the role under which StackSets works in an account. It is bound by
// service control policies as every role but a service-linked one is.
func (s *Sim) execution(a *account) string { return "stacksets-exec-" + hexOf(32, a.ID, "exec") }

// planned is a template resolved for one account and Region.
type planned struct {
	e     *evaluator
	order []string // active resources, in order
}

func (s *Sim) plan(a *account, region string, st *stack) (*planned, error) {
	params, err := parameterValues(st.doc, st.Parameters)
	if err != nil {
		return nil, err
	}
	e := &evaluator{doc: st.doc, params: params, conditions: map[string]bool{}, pending: map[string]bool{}, pseudo: map[string]string{
		"AWS::AccountId": a.ID, "AWS::Region": region, "AWS::Partition": s.world.partition, "AWS::StackName": st.Name, "AWS::StackId": st.ID,
		"AWS::URLSuffix": "amazonaws.com",
	}}
	all, err := order(st.doc)
	if err != nil {
		return nil, err
	}
	p := &planned{e: e}
	var unknown []string
	for _, id := range all {
		r := st.doc.Resources[id]
		// A type is checked whether or not its condition holds.
		if _, ok := resourceTypes[r.Type]; !ok && !slices.Contains(unknown, r.Type) {
			unknown = append(unknown, r.Type)
		}
		if r.Condition != "" {
			on, err := e.condition(r.Condition)
			if err != nil {
				return nil, err
			}
			if !on {
				continue
			}
		}
		p.order = append(p.order, id)
	}
	if unknown != nil {
		return nil, fail(400, "ValidationError", "Template format error: Unrecognized resource types: ["+strings.Join(unknown, ", ")+"]")
	}
	return p, nil
}

// takes is how long creating or updating the planned resources lasts.
func (p *planned) takes() time.Duration {
	var d time.Duration
	for _, id := range p.order {
		d += resourceTypes[p.e.doc.Resources[id].Type].takes
	}
	return d
}

// apply makes a stack be what its template says: creates, updates, replaces and
// deletes resources in order. When a resource fails, what was done is undone.
func (s *Sim) apply(a *account, r *regionState, st *stack) error {
	p, err := s.plan(a, r.name, st)
	if err != nil {
		return err
	}
	old := st.Resources
	if old == nil {
		old = map[string]*stackResource{}
	}
	now := map[string]*stackResource{}
	p.e.resource = func(id, attribute string) (any, error) {
		res := now[id]
		if res == nil {
			return nil, templateError("resource %s does not exist", id)
		}
		if attribute == "" {
			return res.PhysicalID, nil
		}
		if v, ok := res.Attributes[attribute]; ok {
			return v, nil
		}
		return nil, templateError("resource %s does not support attribute type %s in Fn::GetAtt", id, attribute)
	}
	var undo []func()
	back := func() {
		for _, f := range slices.Backward(undo) {
			f()
		}
	}
	var replaced []*stackResource
	for _, id := range p.order {
		template := st.doc.Resources[id]
		properties, err := p.e.value(map[string]any(template.Properties))
		if err != nil {
			back()
			return err
		}
		res := &stackResource{LogicalID: id, Type: template.Type, Properties: properties.(map[string]any), DeletionPolicy: template.DeletionPolicy,
			UpdateReplacePolicy: template.UpdateReplacePolicy, Status: "CREATE_COMPLETE", Changed: s.clock.Now()}
		h := resourceTypes[template.Type]
		c := resourceCall{Account: a, Region: r, Stack: st, LogicalID: id, Properties: res.Properties, Tags: st.Tags}
		before := old[id]
		switch {
		case before != nil && before.Type == res.Type && reflect.DeepEqual(before.Properties, res.Properties):
			*res = *before
			res.DeletionPolicy, res.UpdateReplacePolicy = template.DeletionPolicy, template.UpdateReplacePolicy
		case before != nil && before.Type == res.Type && h.update != nil && !changes(h.createOnly, before.Properties, res.Properties):
			c.PhysicalID, c.Old = before.PhysicalID, before.Properties
			out, err := s.handle(c, template.Type, h.update)
			if err != nil {
				back()
				return err
			}
			res.PhysicalID, res.Attributes, res.Status = out.PhysicalID, out.Attributes, "UPDATE_COMPLETE"
			again := c
			again.Properties, again.Old = before.Properties, res.Properties
			undo = append(undo, func() { h.update(s, again) }) //nolint:errcheck // a rollback does what it can
		default:
			out, err := s.handle(c, template.Type, h.create)
			if err != nil {
				back()
				return err
			}
			res.PhysicalID, res.Attributes = out.PhysicalID, out.Attributes
			gone := c
			gone.PhysicalID = out.PhysicalID
			// A create that is rolled back is deleted, also with
			// RetainExceptOnCreate; plain Retain leaves it behind.
			if template.DeletionPolicy != "Retain" {
				undo = append(undo, func() { h.delete(s, gone) }) //nolint:errcheck // a rollback does what it can
			}
			if before != nil {
				replaced = append(replaced, before)
			}
		}
		now[id] = res
	}
	// Clean up: what was replaced and what the template no longer has, last first.
	for _, id := range slices.Backward(st.Order) {
		if now[id] == nil {
			if res := old[id]; res.DeletionPolicy == "" || res.DeletionPolicy == "Delete" {
				replaced = append(replaced, res)
			}
		}
	}
	for _, res := range replaced {
		if now[res.LogicalID] != nil && strings.HasPrefix(res.UpdateReplacePolicy, "Retain") {
			continue
		}
		resourceTypes[res.Type].delete(s, resourceCall{Account: a, Region: r, Stack: st, LogicalID: res.LogicalID, PhysicalID: res.PhysicalID, Properties: res.Properties}) //nolint:errcheck // a clean-up that fails leaves the resource behind, as in AWS
	}
	st.Resources, st.Order = now, p.order
	return nil
}

func changes(names []string, before, after map[string]any) bool {
	for _, n := range names {
		if !reflect.DeepEqual(before[n], after[n]) {
			return true
		}
	}
	return false
}

// handle runs a handler unless a service control policy denies what it would call.
func (s *Sim) handle(c resourceCall, kind string, do func(*Sim, resourceCall) (resourceResult, error)) (resourceResult, error) {
	if action := resourceActions[kind]; action != "" {
		if err := s.denyExecution(c.Account, c.Region.name, action); err != nil {
			return resourceResult{}, &stackError{c.LogicalID, kind, err.Error()}
		}
	}
	out, err := do(s, c)
	if err != nil {
		return out, &stackError{c.LogicalID, kind, messageOf(err)}
	}
	return out, nil
}

// resourceActions are the calls that a policy has to allow for a type.
var resourceActions = map[string]string{
	"AWS::Config::ConfigurationRecorder": "config:PutConfigurationRecorder", "AWS::Config::DeliveryChannel": "config:PutDeliveryChannel",
	"AWS::Config::ConfigRule": "config:PutConfigRule", "AWS::Config::RemediationConfiguration": "config:PutRemediationConfigurations",
	"AWS::IAM::Role": "iam:CreateRole", "AWS::IAM::ServiceLinkedRole": "iam:CreateServiceLinkedRole", "AWS::S3::Bucket": "s3:CreateBucket",
	"AWS::S3::BucketPolicy": "s3:PutBucketPolicy", "AWS::SSM::Document": "ssm:CreateDocument",
}

type policyRefusal struct{ text string }

func (e policyRefusal) Error() string { return e.text }

func (s *Sim) denyExecution(a *account, region, action string) error {
	role := s.execution(a)
	if !s.policyDenies(a.ID, role, action, region) {
		return nil
	}
	return policyRefusal{fmt.Sprintf("User: arn:%s:sts::%s:assumed-role/%s/%s is not authorized to perform: %s with an explicit deny in a service control policy", s.world.partition, a.ID, role, hexOf(16, a.ID, "session"), action)}
}

// messageOf is an error as a resource's status reason has it.
func messageOf(err error) string {
	if e, ok := err.(*apiError); ok {
		return fmt.Sprintf("%s (Service: AWS; Status Code: %d; Error Code: %s; Request ID: 00000000-0000-4000-8000-000000000000; Proxy: null)", e.Message, e.Status, e.Code)
	}
	return err.Error()
}

// remove deletes a stack's resources, last first, but for those that are retained.
func (s *Sim) remove(a *account, r *regionState, st *stack) error {
	for _, id := range slices.Backward(st.Order) {
		res := st.Resources[id]
		if res == nil || strings.HasPrefix(res.DeletionPolicy, "Retain") {
			continue
		}
		c := resourceCall{Account: a, Region: r, Stack: st, LogicalID: id, PhysicalID: res.PhysicalID, Properties: res.Properties}
		if action := resourceActions[res.Type]; action != "" {
			service, rest, _ := strings.Cut(action, ":")
			for _, verb := range []string{"Put", "Create"} {
				rest = strings.TrimPrefix(rest, verb)
			}
			if err := s.denyExecution(a, r.name, service+":Delete"+rest); err != nil {
				st.Status = "DELETE_FAILED"
				return &stackError{id, res.Type, err.Error()}
			}
		}
		if err := resourceTypes[res.Type].delete(s, c); err != nil {
			st.Status = "DELETE_FAILED"
			return &stackError{id, res.Type, messageOf(err)}
		}
		delete(st.Resources, id)
	}
	delete(r.stacks, st.Name)
	return nil
}
