package simaws

import (
	"strings"

	"rollout/templates"
)

// stackNameOf gives the name in a stack's ARN.
func stackNameOf(id string) string {
	_, name, _ := strings.Cut(id, ":stack/")
	name, _, _ = strings.Cut(name, "/")
	return name
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
		if doc = st.doc; doc == nil {
			return nil, invalid("GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.")
		}
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
