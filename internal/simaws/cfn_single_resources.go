package simaws

// resourceShape is a resource as the calls about one stack show it; the time has
// another name in each.
type resourceShape struct {
	LogicalResourceId    string
	PhysicalResourceId   string `xml:",omitempty"`
	ResourceType         string
	ResourceStatus       string
	ResourceStatusReason string `xml:",omitempty"`
	DriftInformation     resourceDriftShape
}

func (st *stack) resource(r *stackResource) resourceShape {
	out := resourceShape{LogicalResourceId: r.LogicalID, PhysicalResourceId: r.PhysicalID, ResourceType: r.Type, ResourceStatus: r.Status, ResourceStatusReason: r.Reason}
	out.DriftInformation = st.drift.of(r.LogicalID)
	return out
}

// describeStackResources takes a stack, or a resource's physical id; the first 100
// resources at most (API reference, DescribeStackResources).
func describeStackResources(s *Sim, c *call) (any, error) {
	type shape struct {
		StackName, StackId string
		resourceShape
		Timestamp string
	}
	list := []shape{}
	physical, logical := c.Form.str("PhysicalResourceId"), c.Form.str("LogicalResourceId")
	var st *stack
	switch {
	case physical != "" && c.Form.str("StackName") != "":
		return nil, validation("Both StackName and PhysicalResourceId cannot be specified.")
	case physical != "":
		stacks := s.regionOf(c).stacks
		for _, name := range sortedKeys(stacks) {
			for _, r := range stacks[name].Resources {
				if r.PhysicalID == physical && r.Status != "DELETE_COMPLETE" {
					st = stacks[name]
				}
			}
		}
		if st == nil {
			return nil, invalid("Stack for %s does not exist", physical)
		}
	default:
		var err error
		if st, err = s.stackOf(c); err != nil {
			return nil, err
		}
	}
	for _, id := range st.Order {
		if r := st.Resources[id]; r != nil && (logical == "" || logical == id) && len(list) < 100 {
			list = append(list, shape{st.Name, st.ID, st.resource(r), iso(r.Changed)})
		}
	}
	return struct {
		StackResources []shape `xml:"StackResources>member"`
	}{list}, nil
}

func describeStackResource(s *Sim, c *call) (any, error) {
	name, id := c.Form.str("StackName"), c.Form.str("LogicalResourceId")
	if name == "" || id == "" {
		return nil, validation("1 validation error detected: Value null at 'logicalResourceId' failed to satisfy constraint: Member must not be null")
	}
	st := s.stackNamed(c, name)
	if st == nil {
		return nil, invalid("Stack '%s' does not exist", name)
	}
	r := st.Resources[id]
	if r == nil {
		return nil, invalid("Resource %s does not exist for stack %s", id, st.Name)
	}
	type shape struct {
		StackName, StackId string
		resourceShape
		LastUpdatedTimestamp string
		Metadata             string
	}
	metadata := "{}"
	if st.doc != nil && st.doc.Resources[id].Metadata != nil {
		metadata = string(marshal(st.doc.Resources[id].Metadata))
	}
	return struct{ StackResourceDetail shape }{shape{st.Name, st.ID, st.resource(r), iso(r.Changed), metadata}}, nil
}

func listStackResources(s *Sim, c *call) (any, error) {
	st, err := s.stackOf(c)
	if err != nil {
		return nil, err
	}
	type shape struct {
		resourceShape
		LastUpdatedTimestamp string
	}
	list := []shape{}
	for _, id := range st.Order {
		if r := st.Resources[id]; r != nil {
			list = append(list, shape{st.resource(r), iso(r.Changed)})
		}
	}
	page, next, err := cfnPage(c, list)
	return struct {
		StackResourceSummaries []shape `xml:"StackResourceSummaries>member"`
		NextToken              string  `xml:",omitempty"`
	}{page, next}, err
}

// describeStackEvents tells a stack's history, newest first. Of a stack that only a
// StackSet touched it is where each resource and the stack stand.
func describeStackEvents(s *Sim, c *call) (any, error) {
	st, err := s.stackOf(c)
	if err != nil {
		if c.Form.str("StackName") != "" {
			err = invalid("Stack [%s] does not exist", c.Form.str("StackName"))
		}
		return nil, err
	}
	type shape struct {
		StackId, StackName, EventId, LogicalResourceId, PhysicalResourceId, ResourceType, Timestamp, ResourceStatus string
		ResourceStatusReason                                                                                        string `xml:",omitempty"`
		ResourceProperties                                                                                          string `xml:",omitempty"`
		ClientRequestToken                                                                                          string `xml:",omitempty"`
	}
	list := []shape{}
	if st.single != nil {
		for n := len(st.single.events) - 1; n >= 0; n-- {
			e := st.single.events[n]
			list = append(list, shape{st.ID, st.Name, e.id, e.logical, e.physical, e.kind, iso(e.at), e.status, e.reason, e.properties, e.token})
		}
	} else {
		changed := st.Updated
		if changed.IsZero() {
			changed = st.Created
		}
		list = append(list, shape{st.ID, st.Name, hexOf(32, st.ID, st.Name, st.Status), st.Name, st.ID, stackType, iso(changed), st.Status, st.Reason, "", ""})
		for n := len(st.Order) - 1; n >= 0; n-- {
			if r := st.Resources[st.Order[n]]; r != nil {
				list = append(list, shape{st.ID, st.Name, hexOf(32, st.ID, r.LogicalID, r.Status), r.LogicalID, r.PhysicalID, r.Type, iso(r.Changed), r.Status, r.Reason, string(marshal(r.shown())), ""})
			}
		}
	}
	page, next, err := cfnPage(c, list)
	return struct {
		StackEvents []shape `xml:"StackEvents>member"`
		NextToken   string  `xml:",omitempty"`
	}{page, next}, err
}
