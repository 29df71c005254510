package simaws

import (
	"encoding/json"
	"net/http"
	"slices"
)

// Policies of Organizations: documents, where they are attached, and what service
// control policies forbid. Texts are those of the service model.

const scpType = "SERVICE_CONTROL_POLICY"

// fullAccess is AWS's own policy, attached to everything when service control
// policies are switched on, until somebody takes it away (Organizations user guide,
// "Service control policies").
const fullAccess = "p-FullAWSAccess"

// orgPolicy is a policy of any type. Service control policies and resource control
// policies are evaluated.
type orgPolicy struct {
	ID, Name, Description, Type, Content string
	AWS                                  bool // AwsManaged
	Tags                                 map[string]string
	doc                                  policyDocument
}

// policyBook has the policies of an organization. Every target has fullAccess but
// those in bare: 10,000 accounts need no entry each.
type policyBook struct {
	byID     map[string]*orgPolicy
	order    []string
	attached map[string][]string // target → ids, in the order of attaching
	bare     map[string]bool
}

func newPolicyBook() policyBook {
	b := policyBook{byID: map[string]*orgPolicy{}, attached: map[string][]string{}, bare: map[string]bool{}}
	content := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	doc, _ := parsePolicy(content)
	b.add(&orgPolicy{ID: fullAccess, Name: "FullAWSAccess", Description: "Allows access to every operation", Type: scpType, Content: content, AWS: true, doc: doc})
	content = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`
	doc, _ = parsePolicy(content)
	b.add(&orgPolicy{ID: fullResourceAccess, Name: "RCPFullAWSAccess", Description: "Allows access to every resource", Type: rcpType, Content: content, AWS: true, doc: doc})
	return b
}

func (b *policyBook) add(p *orgPolicy) {
	b.byID[p.ID] = p
	b.order = append(b.order, p.ID)
}

// of gives the policies of a type that are attached to a target itself.
func (w *world) policiesOf(target, kind string) []*orgPolicy {
	if !slices.Contains(w.policyTypes, kind) {
		return nil
	}
	var out []*orgPolicy
	switch {
	case kind == scpType && !w.policies.bare[target]:
		out = append(out, w.policies.byID[fullAccess])
	case kind == rcpType:
		out = append(out, w.policies.byID[fullResourceAccess])
	}
	for _, id := range w.policies.attached[target] {
		if p := w.policies.byID[id]; p.Type == kind {
			out = append(out, p)
		}
	}
	return out
}

// forget drops what was attached to an OU or account that is no more.
func (b *policyBook) forget(target string) {
	delete(b.attached, target)
	delete(b.bare, target)
}

// guard makes a policy that keeps everybody but Control Tower's execution role from
// actions, or everybody from Regions, as Control Tower's own controls are written
// (GRCONFIGENABLED, "Region deny control"), and attaches it to an account.
func (s *Sim) guard(account string, actions, regions []string) {
	var statements []any
	if len(actions) > 0 {
		statements = append(statements, map[string]any{"Sid": "KeepActions", "Effect": "Deny", "Action": actions, "Resource": "*",
			"Condition": map[string]any{"ArnNotLike": map[string]any{"aws:PrincipalARN": "arn:*:iam::*:role/AWSControlTowerExecution"}}})
	}
	if len(regions) > 0 {
		statements = append(statements, map[string]any{"Sid": "DenyRegions", "Effect": "Deny", "NotAction": []string{"iam:*", "sts:*", "organizations:*", "account:*"}, "Resource": "*",
			"Condition": map[string]any{"StringEquals": map[string]any{"aws:RequestedRegion": regions}}})
	}
	if len(statements) == 0 {
		return
	}
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		return
	}
	content, b := string(text), &s.world.policies
	for _, id := range b.order { // the same guard for many is one policy
		if b.byID[id].Content == content {
			b.attached[account] = append(b.attached[account], id)
			return
		}
	}
	doc, _ := parsePolicy(content)
	id := "p-" + hexOf(8, "policy", content)
	b.add(&orgPolicy{ID: id, Name: "guard-" + id[2:], Description: "Keeps accounts from what the organization forbids", Type: scpType, Content: content, doc: doc})
	b.attached[account] = append(b.attached[account], id)
}

// controlPolicies says what the service control policies of an account make of an
// access: each level from the root to the account has to allow it, and none may deny
// it (user guide, "SCP evaluation"). They never bind the management account.
func (s *Sim) controlPolicies(accountID string, a access) decision {
	return s.byLevel(accountID, scpType, a)
}

// byLevel evaluates the policies of a type from the root down to an account.
func (s *Sim) byLevel(accountID, kind string, a access) decision {
	w := s.world
	acc := w.accounts[accountID]
	if accountID == w.management || acc == nil || !slices.Contains(w.policyTypes, kind) {
		return decisionAllow
	}
	out := decisionAllow
	level := func(target string) {
		if len(w.policies.attached[target]) == 0 && !w.policies.bare[target] {
			return // AWS's own alone
		}
		var documents []policyDocument
		for _, p := range w.policiesOf(target, kind) {
			documents = append(documents, p.doc)
		}
		switch evaluate(documents, a) {
		case decisionDeny:
			out = decisionDeny
		case decisionNone:
			if out == decisionAllow {
				out = decisionNone
			}
		}
	}
	for _, ou := range w.ancestors(acc.ParentID) {
		level(ou)
	}
	level(accountID)
	return out
}

func policyNotFound() error {
	return fail(http.StatusBadRequest, "PolicyNotFoundException", "We can't find a policy with the PolicyId that you specified.")
}

func (s *Sim) policySummary(p *orgPolicy) map[string]any {
	owner := s.world.management + ":policy/" + s.world.orgID
	if p.AWS {
		owner = "aws:policy"
	}
	kind := map[string]string{scpType: "service_control_policy", rcpType: "resource_control_policy", "TAG_POLICY": "tag_policy", "BACKUP_POLICY": "backup_policy", "AISERVICES_OPT_OUT_POLICY": "aiservices_opt_out_policy"}[p.Type]
	if kind == "" {
		kind = lowerSnake(p.Type)
	}
	return map[string]any{"Id": p.ID, "Arn": "arn:" + s.world.partition + ":organizations::" + owner + "/" + kind + "/" + p.ID,
		"Name": p.Name, "Description": p.Description, "Type": p.Type, "AwsManaged": p.AWS}
}

func (s *Sim) policyAnswer(p *orgPolicy) map[string]any {
	return map[string]any{"Policy": map[string]any{"PolicySummary": s.policySummary(p), "Content": p.Content}}
}

func describePolicy(s *Sim, _ *call, in organizationInput) (any, error) {
	p := s.world.policies.byID[in.PolicyId]
	if p == nil {
		return nil, policyNotFound()
	}
	return s.policyAnswer(p), nil
}

func listPolicies(s *Sim, _ *call, in organizationInput) (any, error) {
	list := []any{}
	for _, id := range s.world.policies.order {
		if p := s.world.policies.byID[id]; p.Type == in.Filter {
			list = append(list, s.policySummary(p))
		}
	}
	page, token, err := orgPage(s, in, list)
	return map[string]any{"Policies": notNil(page), "NextToken": token}, err
}

func listPoliciesForTarget(s *Sim, _ *call, in organizationInput) (any, error) {
	if !s.world.isTarget(in.TargetId) {
		return nil, targetNotFound()
	}
	list := []any{}
	for _, p := range s.world.policiesOf(in.TargetId, in.Filter) {
		list = append(list, s.policySummary(p))
	}
	page, token, err := orgPage(s, in, list)
	return map[string]any{"Policies": notNil(page), "NextToken": token}, err
}

// isTarget says whether policies can be attached to an id.
func (w *world) isTarget(id string) bool {
	return id == w.rootID || w.ous[id] != nil || w.accounts[id] != nil
}

func listTargetsForPolicy(s *Sim, _ *call, in organizationInput) (any, error) {
	w := s.world
	p := w.policies.byID[in.PolicyId]
	if p == nil {
		return nil, policyNotFound()
	}
	list := []any{}
	add := func(id, arn, name, kind string) {
		if slices.Contains(w.policiesOf(id, p.Type), p) {
			list = append(list, map[string]any{"TargetId": id, "Arn": arn, "Name": name, "Type": kind})
		}
	}
	add(w.rootID, w.organizationARN("root", w.rootID), "Root", "ROOT")
	for _, id := range w.ouOrder {
		add(id, w.organizationARN("ou", id), w.ous[id].Name, "ORGANIZATIONAL_UNIT")
	}
	for _, id := range w.order {
		add(id, w.organizationARN("account", id), w.accounts[id].Name, "ACCOUNT")
	}
	page, token, err := orgPage(s, in, list)
	return map[string]any{"Targets": notNil(page), "NextToken": token}, err
}

func validJSONObject(text string) bool {
	var object map[string]any
	return json.Unmarshal([]byte(text), &object) == nil
}
