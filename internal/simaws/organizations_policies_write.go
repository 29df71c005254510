package simaws

import (
	"net/http"
	"slices"
	"strings"
)

// Quotas of the Organizations user guide, "Quotas for AWS Organizations": bytes of a
// document, policies of a type, policies attached to one target.
var policyQuotas = map[string]struct{ bytes, policies, attached int }{
	scpType:                     {5120, 10000, 5},
	rcpType:                     {5120, 1000, 5},
	"AISERVICES_OPT_OUT_POLICY": {2500, 1000, 5},
}

func policyQuota(kind string) (q struct{ bytes, policies, attached int }) {
	if q, ok := policyQuotas[kind]; ok {
		return q
	}
	q.bytes, q.policies, q.attached = 10000, 1000, 10
	return q
}

func lowerSnake(kind string) string { return strings.ToLower(kind) }

// readPolicyContent checks a document as far as its type is understood: JSON for
// all, and the elements that a service control policy may have.
func readPolicyContent(kind, content string) (policyDocument, error) {
	malformed := fail(http.StatusBadRequest, "MalformedPolicyDocumentException",
		"The provided policy document does not meet the requirements of the specified policy type.")
	if len(content) > policyQuota(kind).bytes {
		return policyDocument{}, constraintViolation("POLICY_CONTENT_LIMIT_EXCEEDED", "You have exceeded the maximum policy size.")
	}
	if kind != scpType && kind != rcpType {
		if !validJSONObject(content) {
			return policyDocument{}, malformed
		}
		return policyDocument{}, nil
	}
	doc, err := parsePolicy(content)
	if err != nil || len(doc.Statement) == 0 {
		return doc, malformed
	}
	for _, st := range doc.Statement {
		// An SCP has no principal and needs actions (user guide, "SCP syntax").
		if kind == scpType && st.Principals != nil || len(st.Actions)+len(st.NotActions) == 0 {
			return doc, malformed
		}
		if len(st.Resources)+len(st.NotResource) == 0 || kind == rcpType && !denialOfResources(doc, st) {
			return doc, malformed
		}
	}
	return doc, nil
}

// denialOfResources says whether a statement is one that a resource control policy may
// have: it denies, everybody, actions of named services (user guide, "RCP syntax").
func denialOfResources(doc policyDocument, st policyStatement) bool {
	everybody := len(st.Principals) == 1 && slices.Equal(st.Principals["*"], []string{"*"})
	return doc.Version == "2012-10-17" && !st.Allow && everybody && len(st.NotActions) == 0 &&
		!slices.ContainsFunc(st.Actions, func(action string) bool { return !strings.Contains(action, ":") || strings.HasPrefix(action, "*") })
}

func (b *policyBook) named(name, kind, except string) bool {
	for _, p := range b.byID {
		if p.Name == name && p.Type == kind && p.ID != except {
			return true
		}
	}
	return false
}

func duplicatePolicy() error {
	return fail(http.StatusBadRequest, "DuplicatePolicyException", "A policy with the same name already exists.")
}

func createPolicy(s *Sim, _ *call, in organizationInput) (any, error) {
	b := &s.world.policies
	if s.world.features != "ALL" {
		return nil, fail(http.StatusBadRequest, "PolicyTypeNotAvailableForOrganizationException", "You can't use the specified policy type with the feature set currently enabled for this organization.")
	}
	doc, err := readPolicyContent(in.Type, in.Content)
	if err != nil {
		return nil, err
	}
	tags, err := mergeTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	count := 0
	for _, p := range b.byID {
		if p.Type == in.Type {
			count++
		}
	}
	switch {
	case b.named(in.Name, in.Type, ""):
		return nil, duplicatePolicy()
	case count >= policyQuota(in.Type).policies:
		return nil, constraintViolation("POLICY_NUMBER_LIMIT_EXCEEDED", "You have exceeded the maximum number of policies for an organization.")
	}
	description := ""
	if in.Description != nil {
		description = *in.Description
	}
	p := &orgPolicy{ID: "p-" + s.ids.alnum(8), Name: in.Name, Description: description, Type: in.Type, Content: in.Content, Tags: tags, doc: doc}
	b.add(p)
	return s.policyAnswer(p), nil
}

// owned finds a policy that the organization itself made.
func (b *policyBook) owned(id string) (*orgPolicy, error) {
	p := b.byID[id]
	if p == nil {
		return nil, policyNotFound()
	}
	if p.AWS {
		return nil, invalidInput("IMMUTABLE_POLICY", "You can't modify or delete a policy that is managed by AWS.")
	}
	return p, nil
}

func updatePolicy(s *Sim, _ *call, in organizationInput) (any, error) {
	b := &s.world.policies
	p, err := b.owned(in.PolicyId)
	if err != nil {
		return nil, err
	}
	doc := p.doc
	if in.Content != "" {
		if doc, err = readPolicyContent(p.Type, in.Content); err != nil {
			return nil, err
		}
	}
	if in.Name != "" && b.named(in.Name, p.Type, p.ID) {
		return nil, duplicatePolicy()
	}
	if in.Name != "" {
		p.Name = in.Name
	}
	if in.Description != nil {
		p.Description = *in.Description
	}
	if in.Content != "" {
		p.Content, p.doc = in.Content, doc
	}
	return s.policyAnswer(p), nil
}

func deletePolicy(s *Sim, _ *call, in organizationInput) (any, error) {
	b := &s.world.policies
	p, err := b.owned(in.PolicyId)
	if err != nil {
		return nil, err
	}
	for _, ids := range b.attached {
		if slices.Contains(ids, p.ID) {
			return nil, fail(http.StatusBadRequest, "PolicyInUseException",
				"The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts before performing this operation.")
		}
	}
	delete(b.byID, p.ID)
	b.order = slices.DeleteFunc(b.order, func(id string) bool { return id == p.ID })
	return nil, nil
}

func (s *Sim) policyAndTarget(in organizationInput) (*orgPolicy, error) {
	p := s.world.policies.byID[in.PolicyId]
	if p == nil {
		return nil, policyNotFound()
	}
	if !s.world.isTarget(in.TargetId) {
		return nil, targetNotFound()
	}
	return p, nil
}

func attachPolicy(s *Sim, _ *call, in organizationInput) (any, error) {
	w := s.world
	p, err := s.policyAndTarget(in)
	if err != nil {
		return nil, err
	}
	if w.policyTypeStatus(p.Type) != "ENABLED" {
		return nil, policyTypeOff()
	}
	there := w.policiesOf(in.TargetId, p.Type)
	switch {
	case slices.Contains(there, p):
		return nil, fail(http.StatusBadRequest, "DuplicatePolicyAttachmentException", "The selected policy is already attached to the specified target.")
	case len(there) >= policyQuota(p.Type).attached:
		return nil, constraintViolation("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", "You have exceeded the number of policies attached to the specified target.")
	}
	if p.ID == fullAccess {
		delete(w.policies.bare, in.TargetId)
		return nil, nil
	}
	w.policies.attached[in.TargetId] = append(w.policies.attached[in.TargetId], p.ID)
	return nil, nil
}

func detachPolicy(s *Sim, _ *call, in organizationInput) (any, error) {
	w := s.world
	p, err := s.policyAndTarget(in)
	if err != nil {
		return nil, err
	}
	there := w.policiesOf(in.TargetId, p.Type)
	if !slices.Contains(there, p) {
		return nil, fail(http.StatusBadRequest, "PolicyNotAttachedException", "The policy isn't attached to the specified target in the specified root.")
	}
	// "You cannot detach this policy" (user guide, "RCP evaluation"); which error says so
	// is not documented.
	if p.ID == fullResourceAccess {
		return nil, constraintViolation("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", "You can't remove the last policy of this type from an entity.")
	}
	// "Every root, OU, and account must have at least one SCP attached" (DetachPolicy).
	if p.Type == scpType && len(there) == 1 {
		return nil, constraintViolation("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", "You can't remove the last policy of this type from an entity.")
	}
	if p.ID == fullAccess {
		w.policies.bare[in.TargetId] = true
		return nil, nil
	}
	left := slices.DeleteFunc(slices.Clone(w.policies.attached[in.TargetId]), func(id string) bool { return id == p.ID })
	if w.policies.attached[in.TargetId] = left; len(left) == 0 {
		delete(w.policies.attached, in.TargetId)
	}
	return nil, nil
}
