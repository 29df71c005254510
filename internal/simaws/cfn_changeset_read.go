package simaws

type changeTarget struct {
	Attribute           string
	Name                string `xml:",omitempty"`
	RequiresRecreation  string `xml:",omitempty"`
	Path                string `xml:",omitempty"`
	BeforeValue         string `xml:",omitempty"`
	AfterValue          string `xml:",omitempty"`
	AttributeChangeType string `xml:",omitempty"`
}

type changeDetailShape struct {
	Target        changeTarget
	Evaluation    string
	ChangeSource  string
	CausingEntity string `xml:",omitempty"`
}

type resourceChangeShape struct {
	PolicyAction       string `xml:",omitempty"`
	Action             string
	LogicalResourceId  string
	PhysicalResourceId string `xml:",omitempty"`
	ResourceType       string
	Replacement        string              `xml:",omitempty"`
	Scope              []string            `xml:"Scope>member"`
	Details            []changeDetailShape `xml:"Details>member"`
	BeforeContext      string              `xml:",omitempty"`
	AfterContext       string              `xml:",omitempty"`
}

type changeShape struct {
	Type           string
	ResourceChange resourceChangeShape
}

// shape is a change as DescribeChangeSet shows it; values only when asked for.
func (x resourceChange) shape(values bool) changeShape {
	out := resourceChangeShape{PolicyAction: x.Policy, Action: x.Action, LogicalResourceId: x.ID, PhysicalResourceId: x.Physical, ResourceType: x.Type, Replacement: x.Replacement, Scope: x.Scope}
	for _, d := range x.Details {
		t := changeTarget{Attribute: d.Attribute, Name: d.Name, RequiresRecreation: d.Recreation}
		if d.Attribute != "Properties" {
			t.RequiresRecreation = "Never"
		}
		if values {
			t.Path = "/" + d.Attribute
			if d.Name != "" {
				t.Path += "/" + d.Name
			}
			t.BeforeValue, t.AfterValue, t.AttributeChangeType = valueText(d.Before), valueText(d.After), d.Kind
		}
		out.Details = append(out.Details, changeDetailShape{t, d.Evaluation, d.Source, d.Cause})
	}
	context := func(properties map[string]any) string {
		if properties == nil {
			return ""
		}
		return string(marshal(map[string]any{"Properties": properties}))
	}
	if values {
		out.BeforeContext, out.AfterContext = context(x.shownBefore), context(x.shownAfter)
	}
	return changeShape{"Resource", out}
}

func valueText(v any) string {
	if v == nil {
		return ""
	}
	if text, ok := v.(string); ok {
		return text
	}
	return string(marshal(v))
}

func describeChangeSet(s *Sim, c *call) (any, error) {
	st, set, err := s.changeSetOf(c)
	if err != nil {
		return nil, err
	}
	values, _ := c.Form.boolean("IncludePropertyValues")
	list := []changeShape{}
	if set.Status == "CREATE_COMPLETE" {
		for _, x := range set.changes {
			list = append(list, x.shape(values))
		}
	}
	page, next, err := cfnPage(c, list)
	shown := &stack{doc: set.want.doc, Parameters: set.want.parameters, resolved: set.resolved}
	return struct {
		ChangeSetName, ChangeSetId, StackId, StackName string
		Description                                    string           `xml:",omitempty"`
		Parameters                                     []stackParameter `xml:"Parameters>member"`
		CreationTime, ExecutionStatus, Status          string
		StatusReason                                   string   `xml:",omitempty"`
		NotificationARNs                               []string `xml:"NotificationARNs>member"`
		RollbackConfiguration                          struct{}
		Capabilities                                   []string      `xml:"Capabilities>member"`
		Tags                                           []tagShape    `xml:"Tags>member"`
		Changes                                        []changeShape `xml:"Changes>member"`
		NextToken                                      string        `xml:",omitempty"`
		IncludeNestedStacks                            bool
		OnStackFailure                                 string `xml:",omitempty"`
	}{set.Name, set.ID, st.ID, st.Name, set.Description, shown.shownParameters(), iso(set.Created), set.Execution, set.Status, set.Reason,
		set.want.notify, struct{}{}, set.want.capabilities, tagShapes(set.want.tags), page, next, false, set.onFailure}, err
}
