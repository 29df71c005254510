package simaws

import "net/http"

type parameterShape struct{ ParameterKey, ParameterValue string }

type tagShape struct{ Key, Value string }

// memberList is a list that is left out when it is nil.
type memberList struct {
	Member []string `xml:"member"`
}

type autoDeploymentShape struct {
	DependsOn                             *memberList
	Enabled, RetainStacksOnAccountRemoval bool
}

type setShape struct {
	StackSetName, StackSetId, StackSetARN, Status, PermissionModel string
	Description                                                    string           `xml:",omitempty"`
	TemplateBody                                                   string           `xml:",omitempty"`
	Parameters                                                     []parameterShape `xml:"Parameters>member"`
	Capabilities                                                   []string         `xml:"Capabilities>member"`
	Tags                                                           []tagShape       `xml:"Tags>member"`
	AutoDeployment                                                 autoDeploymentShape
	OrganizationalUnitIds                                          []string `xml:"OrganizationalUnitIds>member"`
	Regions                                                        []string `xml:"Regions>member"`
	ManagedExecution                                               struct{ Active bool }
	StackSetDriftDetectionDetails                                  *setDriftShape `xml:",omitempty"`
}

func describeStackSet(s *Sim, c *call) (any, error) {
	set, err := s.set(c)
	if err != nil {
		return nil, err
	}
	shape := setShape{StackSetName: set.Name, StackSetId: set.ID, StackSetARN: set.arn(s), Status: set.Status, PermissionModel: "SERVICE_MANAGED",
		Description: set.Description, TemplateBody: set.Body, Capabilities: set.Capabilities, AutoDeployment: set.Auto.shape()}
	shape.ManagedExecution.Active, shape.StackSetDriftDetectionDetails = set.Managed, set.lastDrift()
	for _, k := range sortedKeys(set.Parameters) {
		shape.Parameters = append(shape.Parameters, shownParameter(set, k, set.Parameters[k]))
	}
	for _, k := range sortedKeys(set.Tags) {
		shape.Tags = append(shape.Tags, tagShape{k, set.Tags[k]})
	}
	ous, regions := map[string]bool{}, map[string]bool{}
	for t, i := range set.instances {
		ous[i.OU], regions[t.region] = true, true
	}
	shape.OrganizationalUnitIds, shape.Regions = sortedKeys(ous), sortedKeys(regions)
	return struct{ StackSet setShape }{shape}, nil
}

func listStackSets(s *Sim, c *call) (any, error) {
	if err := s.administrator(c); err != nil {
		return nil, err
	}
	type summary struct {
		StackSetName, StackSetId, Status, PermissionModel string
		Description                                       string `xml:",omitempty"`
		AutoDeployment                                    autoDeploymentShape
		ManagedExecution                                  struct{ Active bool }
		DriftStatus                                       string
		LastDriftCheckTimestamp                           string `xml:",omitempty"`
	}
	var list []summary
	if s.owns(c) {
		for _, id := range sortedKeys(s.world.stackSets) {
			set := s.world.stackSets[id]
			if status := c.Form.str("Status"); set.Region == c.Region && (status == "" || status == set.Status) {
				m := summary{set.Name, set.ID, set.Status, "SERVICE_MANAGED", set.Description, set.Auto.shape(), struct{ Active bool }{set.Managed}, "", ""}
				if d := set.lastDrift(); d != nil {
					m.DriftStatus, m.LastDriftCheckTimestamp = d.DriftStatus, d.LastDriftCheckTimestamp
				}
				list = append(list, m)
			}
		}
	}
	page, token, err := cfnPage(c, list)
	return struct {
		Summaries []summary `xml:"Summaries>member"`
		NextToken string    `xml:",omitempty"`
	}{page, token}, err
}

// shownParameter hides what is NoEcho: Terraform has every such parameter of a StackSet
// ignored for that (provider documentation, aws_cloudformation_stack_set).
func shownParameter(set *stackSet, name, value string) parameterShape {
	if set.doc.Parameters[name].NoEcho {
		value = hidden
	}
	return parameterShape{name, value}
}

type detailedStatus struct{ DetailedStatus string }

// instanceSummary is what ListStackInstances shows: no overrides.
type instanceSummary struct {
	StackSetId, Region, Account, Status string
	StackId                             string `xml:",omitempty"`
	StatusReason                        string `xml:",omitempty"`
	StackInstanceStatus                 detailedStatus
	OrganizationalUnitId                string
	DriftStatus                         string
	LastDriftCheckTimestamp             string `xml:",omitempty"`
	LastOperationId                     string `xml:",omitempty"`
}

type instanceShape struct {
	instanceSummary
	ParameterOverrides []parameterShape `xml:"ParameterOverrides>member"`
}

func summaryOfInstance(set *stackSet, i *stackInstance) instanceSummary {
	checked := ""
	if i.drift != nil {
		checked = iso(i.drift.At)
	}
	return instanceSummary{StackSetId: set.ID, Region: i.region, Account: i.account, Status: i.Status, StackId: i.StackID, StatusReason: i.Reason,
		StackInstanceStatus: detailedStatus{i.Detailed}, OrganizationalUnitId: i.OU, DriftStatus: i.driftStatus(), LastDriftCheckTimestamp: checked, LastOperationId: i.LastOperation}
}

func listStackInstances(s *Sim, c *call) (any, error) {
	set, err := s.set(c)
	if err != nil {
		return nil, err
	}
	filters := c.Form.structs("Filters")
	if len(filters) > 3 {
		return nil, validation("1 validation error detected: Value at 'filters' failed to satisfy constraint: Member must have length less than or equal to 3")
	}
	want := map[string]string{}
	for n, f := range filters {
		switch name := f.str("Name"); name {
		case "DETAILED_STATUS", "LAST_OPERATION_ID", "DRIFT_STATUS":
			want[name] = f.str("Values")
		default:
			return nil, invalid("1 validation error detected: Value '%s' at 'filters.%d.member.name' failed to satisfy constraint: Member must satisfy enum value set: [DETAILED_STATUS, DRIFT_STATUS, LAST_OPERATION_ID]", name, n+1)
		}
	}
	account, region := c.Form.str("StackInstanceAccount"), c.Form.str("StackInstanceRegion")
	list := set.sorted()
	if len(want) > 0 || account != "" || region != "" {
		is := func(filter, value string) bool {
			v, asked := want[filter]
			return !asked || v == value
		}
		list = nil
		for _, i := range set.sorted() {
			if (account == "" || account == i.account) && (region == "" || region == i.region) &&
				is("DETAILED_STATUS", i.Detailed) && is("LAST_OPERATION_ID", i.LastOperation) && is("DRIFT_STATUS", i.driftStatus()) {
				list = append(list, i)
			}
		}
	}
	page, token, err := cfnPage(c, list)
	shapes := make([]instanceSummary, len(page))
	for n, i := range page {
		shapes[n] = summaryOfInstance(set, i)
	}
	return struct {
		Summaries []instanceSummary `xml:"Summaries>member"`
		NextToken string            `xml:",omitempty"`
	}{shapes, token}, err
}

func describeStackInstance(s *Sim, c *call) (any, error) {
	set, err := s.set(c)
	if err != nil {
		return nil, err
	}
	i := set.instances[target{c.Form.str("StackInstanceAccount"), c.Form.str("StackInstanceRegion")}]
	if i == nil {
		return nil, fail(http.StatusNotFound, "StackInstanceNotFoundException", "Stack instance not found")
	}
	shape := instanceShape{instanceSummary: summaryOfInstance(set, i)}
	for _, k := range sortedKeys(i.Overrides) {
		shape.ParameterOverrides = append(shape.ParameterOverrides, shownParameter(set, k, i.Overrides[k]))
	}
	return struct{ StackInstance instanceShape }{shape}, nil
}
