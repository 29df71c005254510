package simaws

import (
	"slices"
	"strings"
	"time"

	"rollout/templates"
)

// stackNameOf gives the name in a stack's ARN.
func stackNameOf(id string) string {
	_, name, _ := strings.Cut(id, ":stack/")
	name, _, _ = strings.Cut(name, "/")
	return name
}

// stackOf finds a stack by name or id in the caller's account and Region.
func (s *Sim) stackOf(c *call) (*stack, error) {
	name := c.Form.str("StackName")
	if strings.HasPrefix(name, "arn:") {
		name = stackNameOf(name)
	}
	if st := s.world.accounts[c.Caller.Account].region(c.Region).stacks[name]; st != nil {
		return st, nil
	}
	return nil, validation("Stack with id " + c.Form.str("StackName") + " does not exist")
}

type outputShape struct{ OutputKey, OutputValue string }

// stackSummary is what ListStacks shows; stackShape is DescribeStacks' fuller one.
type stackSummary struct {
	StackName, StackId, StackStatus string
	StackStatusReason               string `xml:",omitempty"`
	CreationTime                    string
	LastUpdatedTime                 string `xml:",omitempty"`
}

type stackShape struct {
	stackSummary
	Parameters  []parameterShape `xml:"Parameters>member"`
	Outputs     []outputShape    `xml:"Outputs>member"`
	Tags        []tagShape       `xml:"Tags>member"`
	Description string           `xml:",omitempty"`
}

func (st *stack) summary() stackSummary {
	return stackSummary{StackName: st.Name, StackId: st.ID, StackStatus: st.Status, StackStatusReason: st.Reason, CreationTime: iso(st.Created), LastUpdatedTime: iso(st.Updated)}
}

func (st *stack) shape() stackShape {
	out := stackShape{stackSummary: st.summary(), Description: st.Description}
	for _, k := range sortedKeys(st.Parameters) {
		out.Parameters = append(out.Parameters, parameterShape{k, st.Parameters[k]})
	}
	for _, k := range sortedKeys(st.Tags) {
		out.Tags = append(out.Tags, tagShape{k, st.Tags[k]})
	}
	for _, k := range sortedKeys(st.Outputs) {
		out.Outputs = append(out.Outputs, outputShape{k, st.Outputs[k]})
	}
	return out
}

func describeStacks(s *Sim, c *call) (any, error) {
	var out struct {
		Stacks    []stackShape `xml:"Stacks>member"`
		NextToken string       `xml:",omitempty"`
	}
	if c.Form.str("StackName") != "" {
		st, err := s.stackOf(c)
		if err != nil {
			return nil, err
		}
		out.Stacks = []stackShape{st.shape()}
		return out, nil
	}
	stacks := s.world.accounts[c.Caller.Account].region(c.Region).stacks
	list := []stackShape{}
	for _, name := range sortedKeys(stacks) {
		list = append(list, stacks[name].shape())
	}
	var err error
	out.Stacks, out.NextToken, err = cfnPage(c, list)
	return out, err
}

func listStacks(s *Sim, c *call) (any, error) {
	stacks := s.world.accounts[c.Caller.Account].region(c.Region).stacks
	list := []stackSummary{}
	wanted := map[string]bool{}
	for _, status := range c.Form.list("StackStatusFilter") {
		wanted[status] = true
	}
	for _, name := range sortedKeys(stacks) {
		if st := stacks[name]; len(wanted) == 0 || wanted[st.Status] {
			list = append(list, st.summary())
		}
	}
	page, next, err := cfnPage(c, list)
	return struct {
		StackSummaries []stackSummary `xml:"StackSummaries>member"`
		NextToken      string         `xml:",omitempty"`
	}{page, next}, err
}

func describeStackResources(s *Sim, c *call) (any, error) {
	st, err := s.stackOf(c)
	if err != nil {
		return nil, err
	}
	type shape struct {
		StackName, StackId, LogicalResourceId, PhysicalResourceId, ResourceType, Timestamp, ResourceStatus string
		ResourceStatusReason                                                                               string `xml:",omitempty"`
	}
	list := []shape{}
	for _, id := range st.Order {
		if r := st.Resources[id]; r != nil {
			list = append(list, shape{st.Name, st.ID, id, r.PhysicalID, r.Type, iso(r.Changed), r.Status, r.Reason})
		}
	}
	return struct {
		StackResources []shape `xml:"StackResources>member"`
	}{list}, nil
}

// describeStackEvents tells where each resource stands and where the stack does,
// newest first: what was before is not kept.
func describeStackEvents(s *Sim, c *call) (any, error) {
	st, err := s.stackOf(c)
	if err != nil {
		return nil, err
	}
	type shape struct {
		StackId, StackName, EventId, LogicalResourceId, PhysicalResourceId, ResourceType, Timestamp, ResourceStatus string
		ResourceStatusReason                                                                                        string `xml:",omitempty"`
	}
	event := func(logical, physical, kind, status, reason string, at time.Time) shape {
		return shape{st.ID, st.Name, hexOf(32, st.ID, logical, status), logical, physical, kind, iso(at), status, reason}
	}
	changed := st.Updated
	if changed.IsZero() {
		changed = st.Created
	}
	list := []shape{event(st.Name, st.ID, "AWS::CloudFormation::Stack", st.Status, st.Reason, changed)}
	for _, id := range slices.Backward(st.Order) {
		if r := st.Resources[id]; r != nil {
			list = append(list, event(id, r.PhysicalID, r.Type, r.Status, r.Reason, r.Changed))
		}
	}
	page, next, err := cfnPage(c, list)
	return struct {
		StackEvents []shape `xml:"StackEvents>member"`
		NextToken   string  `xml:",omitempty"`
	}{page, next}, err
}

func getTemplate(s *Sim, c *call) (any, error) {
	st, err := s.stackOf(c)
	if err != nil {
		return nil, err
	}
	return struct {
		TemplateBody    string
		StagesAvailable []string `xml:"StagesAvailable>member"`
	}{st.Body, []string{"Original", "Processed"}}, nil
}

type declaredParameter struct {
	ParameterKey  string
	DefaultValue  string `xml:",omitempty"`
	ParameterType string `xml:",omitempty"`
	NoEcho        bool
	Description   string `xml:",omitempty"`
}

// templateShape is what ValidateTemplate says of a template.
type templateShape struct {
	Description        string              `xml:",omitempty"`
	Parameters         []declaredParameter `xml:"Parameters>member"`
	Capabilities       []string            `xml:"Capabilities>member"`
	CapabilitiesReason string              `xml:",omitempty"`
}

// summaryShape is what GetTemplateSummary says of it.
type summaryShape struct {
	templateShape
	ResourceTypes []string `xml:"ResourceTypes>member"`
	Version       string   `xml:",omitempty"`
}

func shapeOfTemplate(doc *templates.Document) templateShape {
	out := templateShape{Description: doc.Description}
	for _, name := range doc.ParameterOrder {
		p := doc.Parameters[name]
		out.Parameters = append(out.Parameters, declaredParameter{name, p.Default, p.Type, p.NoEcho, p.Description})
	}
	if capability, types := neededCapability(doc); capability != "" {
		out.Capabilities = []string{capability}
		out.CapabilitiesReason = "The following resource(s) require capabilities: [" + strings.Join(types, ", ") + "]"
	}
	return out
}

func validateTemplate(s *Sim, c *call) (any, error) {
	_, doc, err := s.body(c)
	if err != nil {
		return nil, err
	}
	out := shapeOfTemplate(doc)
	for i := range out.Parameters {
		out.Parameters[i].ParameterType = "" // ValidateTemplate does not say it
	}
	return out, nil
}

func templateSummary(s *Sim, c *call) (any, error) {
	var doc *templates.Document
	switch {
	case c.Form.str("StackSetName") != "":
		set, err := s.set(c)
		if err != nil {
			return nil, err
		}
		doc = set.doc
	case c.Form.str("StackName") != "":
		st, err := s.stackOf(c)
		if err != nil {
			return nil, err
		}
		doc = st.doc
	default:
		var err error
		if _, doc, err = s.body(c); err != nil {
			return nil, err
		}
	}
	out := summaryShape{templateShape: shapeOfTemplate(doc)}
	seen := map[string]bool{}
	for _, r := range doc.Resources {
		seen[r.Type] = true
	}
	out.ResourceTypes, out.Version = sortedKeys(seen), doc.FormatVersion
	return out, nil
}

// describeType says that a type exists, which is what people ask it for.
func describeType(_ *Sim, c *call) (any, error) {
	name := c.Form.str("TypeName")
	if _, ok := resourceTypes[name]; !ok {
		return nil, fail(404, "TypeNotFoundException", "The type '"+name+"' cannot be found.")
	}
	return struct{ TypeName, Type, Visibility, ProvisioningType, DeprecatedStatus string }{name, "RESOURCE", "PUBLIC", "FULLY_MUTABLE", "LIVE"}, nil
}
