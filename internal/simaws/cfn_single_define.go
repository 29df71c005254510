package simaws

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"rollout/templates"
)

// definition is what a call wants a stack to be.
type definition struct {
	body         string
	doc          *templates.Document
	parameters   map[string]string
	tags         map[string]string
	capabilities []string
	role         string
	notify       []string
}

var (
	stackNames = regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]*$`)
	tokenShape = regexp.MustCompile(`^[a-zA-Z0-9][-a-zA-Z0-9]*$`)
)

// define reads a definition; before is the stack that it changes, nil for a new one.
func (s *Sim) define(c *call, before *stack) (definition, error) {
	f := c.Form
	d := definition{capabilities: f.list("Capabilities"), role: f.str("RoleARN"), notify: f.list("NotificationARNs")}
	var err error
	var old map[string]string
	if previous, _ := f.boolean("UsePreviousTemplate"); previous {
		switch {
		case before == nil || before.doc == nil:
			return d, validation("Previous template cannot be used for a stack that does not exist")
		case f.has("TemplateBody") || f.has("TemplateURL"):
			return d, validation("You cannot specify both usePreviousTemplate and Template Body/Template URL.")
		}
		d.body, d.doc = before.Body, before.doc
	} else if d.body, d.doc, err = s.singleBody(c); err != nil {
		return d, err
	}
	if before != nil {
		old = before.Parameters
	}
	if d.parameters, err = readParameters(f, "Parameters", old); err != nil {
		return d, err
	}
	if err = checkParameters(d.doc, d.parameters); err != nil {
		return d, err
	}
	if before != nil && !f.has("Tags") && !f.sub("Tags").any() {
		d.tags = before.Tags
	} else if d.tags, err = readTags(f); err != nil {
		return d, err
	}
	for n, v := range d.capabilities {
		if !slices.Contains([]string{"CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"}, v) {
			return d, invalid("1 validation error detected: Value '[%s]' at 'capabilities' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [CAPABILITY_IAM, CAPABILITY_NAMED_IAM, CAPABILITY_AUTO_EXPAND]]", strings.Join(d.capabilities[n:], ", "))
		}
	}
	if len(d.notify) > 5 {
		return d, invalid("1 validation error detected: Value '[%s]' at 'notificationARNs' failed to satisfy constraint: Member must have length less than or equal to 5", strings.Join(d.notify, ", "))
	}
	return d, checkCapabilities(d.doc, d.capabilities)
}

// singleBody is body for a stack: macros need a capability, and none is known here.
func (s *Sim) singleBody(c *call) (string, *templates.Document, error) {
	text, doc, err := s.body(c)
	if e, ok := err.(*apiError); ok && strings.Contains(e.Message, "use of transforms") {
		if !slices.Contains(c.Form.list("Capabilities"), "CAPABILITY_AUTO_EXPAND") {
			return "", nil, fail(http.StatusBadRequest, "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_AUTO_EXPAND]")
		}
		return "", nil, validation("The simulated CloudFormation runs no transforms")
	}
	return text, doc, err
}

// token reads ClientRequestToken; seen says that this call was made with it before.
func (st *stack) useToken(c *call) (seen bool, err error) {
	token := c.Form.str("ClientRequestToken")
	n := st.single
	if c.Form.has("ClientRequestToken") && (len(token) > 128 || !tokenShape.MatchString(token)) {
		return false, invalid("1 validation error detected: Value '%s' at 'clientRequestToken' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9][-a-zA-Z0-9]*", token)
	}
	if token == "" {
		n.token = ""
		return false, nil
	}
	switch n.tokens[token] {
	case "":
		n.tokens[token], n.token = c.Action, token
		return false, nil
	case c.Action:
		return true, nil
	}
	return false, fail(http.StatusBadRequest, "TokenAlreadyExistsException", "Token already exists: "+token)
}

func (st *stack) define(d definition) {
	st.Body, st.doc, st.Parameters, st.Tags, st.Description = d.body, d.doc, d.parameters, maps.Clone(d.tags), d.doc.Description
	n := st.single
	n.Capabilities, n.Notify = d.capabilities, d.notify
	if d.role != "" {
		n.RoleARN = d.role
	}
}

// live finds a stack that is there by name or id, nil without one.
func (s *Sim) live(c *call) *stack {
	name := c.Form.str("StackName")
	id := ""
	if strings.HasPrefix(name, "arn:") {
		id, name = name, stackNameOf(name)
	}
	st := s.regionOf(c).stacks[name]
	if st != nil && id != "" && st.ID != id {
		return nil
	}
	return st
}
