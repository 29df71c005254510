package simaws

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// stackPolicy says which resources an update may change (user guide, "Prevent updates to
// stack resources"). With one, all that it does not allow is forbidden.
type stackPolicy struct{ statements []stackStatement }

type stackStatement struct {
	policyStatement
	actions, resources []string // as written
}

var stackActions = []string{"Update:Modify", "Update:Replace", "Update:Delete", "Update:*"}

// maxPolicy is how long a stack policy may be (API reference).
const maxPolicy = 16384

// parseStackPolicy reads a policy; nil for an empty one.
func parseStackPolicy(body string) (*stackPolicy, error) {
	refused := validation("Error validating stack policy: Invalid stack policy")
	var written map[string]any
	if err := json.Unmarshal([]byte(body), &written); err != nil || written == nil {
		return nil, refused
	}
	if len(written) == 0 {
		return nil, nil
	}
	doc, err := parsePolicy(written)
	if err != nil {
		return nil, refused
	}
	out := &stackPolicy{}
	for _, st := range doc.Statement {
		x := stackStatement{policyStatement: st, actions: slices.Concat(st.Actions, st.NotActions), resources: slices.Concat(st.Resources, st.NotResource)}
		// The principal is everyone, and a condition is about the type only.
		ok := len(st.Principals) > 0 && len(x.actions) > 0 && len(x.resources) > 0
		for _, who := range st.Principals {
			ok = ok && slices.Equal(who, []string{"*"})
		}
		for _, action := range x.actions {
			ok = ok && slices.Contains(stackActions, action)
		}
		for _, resource := range x.resources {
			ok = ok && (resource == "*" || strings.HasPrefix(resource, "LogicalResourceId/"))
		}
		for operator, keys := range st.Conditions {
			ok = ok && (operator == "StringEquals" || operator == "StringLike")
			for key := range keys {
				ok = ok && key == "ResourceType"
			}
		}
		if !ok {
			return nil, refused
		}
		out.statements = append(out.statements, x)
	}
	return out, nil
}

// readStackPolicy reads a policy that a call gives as …Body or …URL; "" without one.
func (s *Sim) readStackPolicy(c *call, member string) (string, error) {
	f := c.Form
	body, at := f.str(member+"Body"), f.str(member+"URL")
	if body != "" && at != "" {
		return "", invalid("You cannot specify both %sURL and %sBody", member, member)
	}
	if at != "" {
		var err error
		if body, err = s.objectAt(c, member+"URL", at); err != nil {
			return "", err
		}
	}
	if len(body) > maxPolicy {
		return "", invalid("1 validation error detected: Value '%s' at '%sBody' failed to satisfy constraint: Member must have length less than or equal to %d", body, lowerFirst(member), maxPolicy)
	}
	if body == "" {
		return "", nil
	}
	_, err := parseStackPolicy(body)
	return body, err
}

// policy is what holds for the update that begins: the temporary one, else the stack's.
func (n *single) policy() *stackPolicy {
	body := n.Policy
	if n.during != "" {
		body = n.during
	}
	p, err := parseStackPolicy(body)
	if err != nil { // "" is none
		return nil
	}
	return p
}

// denies says why an action on a resource is forbidden, "" when it is not. A Deny comes
// before every Allow. The statement is quoted as it was seen in events, number, actions
// and resources.
func (p *stackPolicy) denies(action string, res *stackResource) string {
	if p == nil {
		return ""
	}
	a := access{Action: action, Resource: "LogicalResourceId/" + res.LogicalID, Context: map[string]string{"resourcetype": res.Type}}
	allowed := false
	for n, st := range p.statements {
		if !statementApplies(st.policyStatement, a) {
			continue
		}
		if !st.Allow {
			return "Action denied by stack policy: Statement [#" + strconv.Itoa(n+1) + "] does not allow [" + strings.Join(st.actions, ", ") + "] for resource [" + strings.Join(st.resources, ", ") + "];"
		}
		allowed = true
	}
	if allowed {
		return ""
	}
	return "Action not allowed by stack policy"
}

// removalDenied finds a resource that the template no longer has and the policy does not
// let go.
func (p *pass) removalDenied() (id, why string) {
	for _, id := range p.st.Order {
		if res := p.was[id]; res != nil && res.PhysicalID != "" && !slices.Contains(p.plan.order, id) {
			if why := p.denials.denies("Update:Delete", res); why != "" {
				p.trail = append(p.trail, madeChange{before: res, after: res})
				return id, why
			}
		}
	}
	return "", ""
}

func setStackPolicy(s *Sim, c *call) (any, error) {
	st, err := s.stackOf(c)
	if err != nil {
		return nil, err
	}
	body, err := s.readStackPolicy(c, "StackPolicy")
	if err != nil {
		return nil, err
	}
	if body == "" {
		return nil, validation("Error validating stack policy: Invalid stack policy")
	}
	st.own(s).Policy = body
	return nil, nil
}

// getStackPolicy answers the temporary policy while the update that brought it runs.
func getStackPolicy(s *Sim, c *call) (any, error) {
	st, err := s.stackOf(c)
	if err != nil {
		return nil, err
	}
	policy := ""
	if n := st.single; n != nil {
		if policy = n.Policy; n.during != "" {
			policy = n.during
		}
	}
	return struct {
		StackPolicyBody string `xml:",omitempty"`
	}{policy}, nil
}
