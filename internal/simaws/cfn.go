package simaws

import (
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// cloudformationOps are the calls served, by name.
var cloudformationOps = map[string]handler{
	"CreateStackSet":                    createStackSet,
	"UpdateStackSet":                    updateStackSet,
	"DeleteStackSet":                    deleteStackSet,
	"DescribeStackSet":                  describeStackSet,
	"ListStackSets":                     listStackSets,
	"CreateStackInstances":              createStackInstances,
	"UpdateStackInstances":              updateStackInstances,
	"DeleteStackInstances":              deleteStackInstances,
	"ListStackInstances":                listStackInstances,
	"DescribeStackInstance":             describeStackInstance,
	"DescribeStackSetOperation":         describeOperation,
	"ListStackSetOperations":            listOperations,
	"ListStackSetOperationResults":      listResults,
	"StopStackSetOperation":             stopOperation,
	"ListStackSetAutoDeploymentTargets": listAutoDeployment,
	"DescribeOrganizationsAccess":       describeAccess,
	"ActivateOrganizationsAccess":       activateAccess,
	"ValidateTemplate":                  validateTemplate,
	"DescribeStacks":                    describeStacks,
	"ListStacks":                        listStacks,
	"DescribeStackResources":            describeStackResources,
	"GetTemplate":                       getTemplate,
}

func createStackInstances(s *Sim, c *call) (any, error) { return instancesCall(s, c, "CREATE") }
func updateStackInstances(s *Sim, c *call) (any, error) { return instancesCall(s, c, "UPDATE") }
func deleteStackInstances(s *Sim, c *call) (any, error) { return instancesCall(s, c, "DELETE") }

func instancesCall(s *Sim, c *call, action string) (any, error) {
	set, err := s.set(c)
	if err != nil {
		return nil, err
	}
	retain, given := c.Form.boolean("RetainStacks")
	if action == "DELETE" && !given {
		return nil, validation("1 validation error detected: Value at 'retainStacks' failed to satisfy constraint: Member must not be null")
	}
	targets, ous, err := s.targets(c, set, action)
	if err != nil {
		return nil, err
	}
	overrides := pairs(c.Form.structs("ParameterOverrides"), "ParameterKey", "ParameterValue")
	for _, name := range sortedKeys(overrides) {
		if _, ok := set.doc.Parameters[name]; !ok {
			return nil, validation("Parameters: [" + name + "] do not exist in the template")
		}
	}
	op, _, err := s.newOperation(c, set, action, ous)
	if err != nil {
		return nil, err
	}
	op.Retain, op.overrides = retain, overrides
	// Overrides that are not named stay; an empty list takes them away.
	op.hasOverrides = action != "DELETE" && (len(overrides) > 0 || c.Form.has("ParameterOverrides"))
	s.queue(set, op, targets)
	return operationAnswer(op), nil
}

// cfnPage cuts a page of at most 100 by NextToken.
func cfnPage[T any](c *call, list []T) ([]T, string, error) {
	size, from := 100, 0
	if n, ok := c.Form.integer("MaxResults"); ok {
		if n < 1 || n > 100 {
			return nil, "", validation("1 validation error detected: Value '" + c.Form.str("MaxResults") + "' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100")
		}
		size = n
	}
	if t := c.Form.str("NextToken"); t != "" {
		text, err := base64.RawURLEncoding.DecodeString(t)
		if err == nil {
			from, err = strconv.Atoi(string(text))
		}
		if err != nil || from < 0 {
			return nil, "", validation("Invalid NextToken")
		}
	}
	from = min(from, len(list))
	to := min(from+size, len(list))
	token := ""
	if to < len(list) {
		token = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to)))
	}
	return list[from:to], token, nil
}

type parameterShape struct{ ParameterKey, ParameterValue string }

type tagShape struct{ Key, Value string }

type autoDeploymentShape struct{ Enabled, RetainStacksOnAccountRemoval bool }

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
}

func describeStackSet(s *Sim, c *call) (any, error) {
	set, err := s.set(c)
	if err != nil {
		return nil, err
	}
	shape := setShape{StackSetName: set.Name, StackSetId: set.ID, StackSetARN: set.arn(s), Status: set.Status, PermissionModel: "SERVICE_MANAGED",
		Description: set.Description, TemplateBody: set.Body, Capabilities: set.Capabilities, AutoDeployment: autoDeploymentShape{set.AutoDeploy, set.RetainOnRemoval}}
	shape.ManagedExecution.Active = set.Managed
	for _, k := range sortedKeys(set.Parameters) {
		shape.Parameters = append(shape.Parameters, parameterShape{k, set.Parameters[k]})
	}
	for _, k := range sortedKeys(set.Tags) {
		shape.Tags = append(shape.Tags, tagShape{k, set.Tags[k]})
	}
	for _, i := range set.sorted() {
		if !slices.Contains(shape.OrganizationalUnitIds, i.OU) {
			shape.OrganizationalUnitIds = append(shape.OrganizationalUnitIds, i.OU)
		}
		if !slices.Contains(shape.Regions, i.region) {
			shape.Regions = append(shape.Regions, i.region)
		}
	}
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
	}
	var list []summary
	if s.owns(c) {
		for _, id := range sortedKeys(s.world.stackSets) {
			set := s.world.stackSets[id]
			if status := c.Form.str("Status"); set.Region == c.Region && (status == "" || status == set.Status) {
				m := summary{set.Name, set.ID, set.Status, "SERVICE_MANAGED", set.Description, autoDeploymentShape{set.AutoDeploy, set.RetainOnRemoval}, struct{ Active bool }{set.Managed}}
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

type detailedStatus struct{ DetailedStatus string }

type instanceShape struct {
	StackSetId, Region, Account, Status string
	StackId                             string `xml:",omitempty"`
	StatusReason                        string `xml:",omitempty"`
	StackInstanceStatus                 detailedStatus
	OrganizationalUnitId                string
	DriftStatus                         string
	LastOperationId                     string           `xml:",omitempty"`
	ParameterOverrides                  []parameterShape `xml:"ParameterOverrides>member,omitempty"`
}

func shapeOfInstance(set *stackSet, i *stackInstance) instanceShape {
	return instanceShape{StackSetId: set.ID, Region: i.region, Account: i.account, Status: i.Status, StackId: i.StackID, StatusReason: i.Reason,
		StackInstanceStatus: detailedStatus{i.Detailed}, OrganizationalUnitId: i.OU, DriftStatus: "NOT_CHECKED", LastOperationId: i.LastOperation}
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
	var list []instanceShape
	for _, i := range set.sorted() {
		ok := true
		for _, f := range filters {
			value := f.str("Values")
			switch f.str("Name") {
			case "DETAILED_STATUS":
				ok = ok && i.Detailed == value
			case "LAST_OPERATION_ID":
				ok = ok && i.LastOperation == value
			case "DRIFT_STATUS":
				ok = ok && value == "NOT_CHECKED"
			default:
				return nil, validation("1 validation error detected: Value '" + f.str("Name") + "' at 'filters.1.member.name' failed to satisfy constraint: Member must satisfy enum value set: [DETAILED_STATUS, DRIFT_STATUS, LAST_OPERATION_ID]")
			}
		}
		if a := c.Form.str("StackInstanceAccount"); a != "" && a != i.account {
			ok = false
		}
		if r := c.Form.str("StackInstanceRegion"); r != "" && r != i.region {
			ok = false
		}
		if ok {
			list = append(list, shapeOfInstance(set, i)) // a summary carries no overrides
		}
	}
	page, token, err := cfnPage(c, list)
	return struct {
		Summaries []instanceShape `xml:"Summaries>member"`
		NextToken string          `xml:",omitempty"`
	}{page, token}, err
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
	shape := shapeOfInstance(set, i)
	for _, k := range sortedKeys(i.Overrides) {
		shape.ParameterOverrides = append(shape.ParameterOverrides, parameterShape{k, i.Overrides[k]})
	}
	return struct{ StackInstance instanceShape }{shape}, nil
}

func (set *stackSet) operation(id string) (*operation, error) {
	for _, op := range set.ops {
		if op.ID == id {
			return op, nil
		}
	}
	return nil, fail(http.StatusNotFound, "OperationNotFoundException", "Operation "+id+" not found")
}

type operationShape struct {
	OperationId, StackSetId, Action, Status string
	StatusReason                            string `xml:",omitempty"`
	RetainStacks                            *bool  `xml:",omitempty"`
	CreationTimestamp                       string
	EndTimestamp                            string `xml:",omitempty"`
	DeploymentTargets                       *struct {
		OrganizationalUnitIds []string `xml:"OrganizationalUnitIds>member"`
		Accounts              []string `xml:"Accounts>member"`
		AccountFilterType     string   `xml:",omitempty"`
	} `xml:",omitempty"`
	OperationPreferences *struct {
		RegionConcurrencyType, ConcurrencyMode string
	} `xml:",omitempty"`
	StatusDetails struct{ FailedStackInstancesCount int }
}

func shapeOfOperation(set *stackSet, op *operation) operationShape {
	shape := operationShape{OperationId: op.ID, StackSetId: set.ID, Action: op.Action, Status: op.Status, StatusReason: op.Reason, CreationTimestamp: iso(op.Created), EndTimestamp: iso(op.Ended)}
	if op.Action == "DELETE" {
		shape.RetainStacks = &op.Retain
	}
	shape.StatusDetails.FailedStackInstancesCount = op.failed()
	return shape
}

func describeOperation(s *Sim, c *call) (any, error) {
	set, err := s.set(c)
	if err != nil {
		return nil, err
	}
	op, err := set.operation(c.Form.str("OperationId"))
	if err != nil {
		return nil, err
	}
	shape := shapeOfOperation(set, op)
	shape.DeploymentTargets = &struct {
		OrganizationalUnitIds []string `xml:"OrganizationalUnitIds>member"`
		Accounts              []string `xml:"Accounts>member"`
		AccountFilterType     string   `xml:",omitempty"`
	}{op.ouIDs, op.accounts, op.filter}
	mode, regions := "STRICT_FAILURE_TOLERANCE", "SEQUENTIAL"
	if op.prefs.soft {
		mode = "SOFT_FAILURE_TOLERANCE"
	}
	if op.prefs.parallel {
		regions = "PARALLEL"
	}
	shape.OperationPreferences = &struct{ RegionConcurrencyType, ConcurrencyMode string }{regions, mode}
	return struct{ StackSetOperation operationShape }{shape}, nil
}

func listOperations(s *Sim, c *call) (any, error) {
	set, err := s.set(c)
	if err != nil {
		return nil, err
	}
	var list []operationShape
	for _, op := range slices.Backward(set.ops) {
		list = append(list, shapeOfOperation(set, op))
	}
	page, token, err := cfnPage(c, list)
	return struct {
		Summaries []operationShape `xml:"Summaries>member"`
		NextToken string           `xml:",omitempty"`
	}{page, token}, err
}

func listResults(s *Sim, c *call) (any, error) {
	set, err := s.set(c)
	if err != nil {
		return nil, err
	}
	op, err := set.operation(c.Form.str("OperationId"))
	if err != nil {
		return nil, err
	}
	type gate struct{ Status, StatusReason string }
	type row struct {
		Account, Region, Status string
		StatusReason            string `xml:",omitempty"`
		AccountGateResult       *gate  `xml:",omitempty"`
		OrganizationalUnitId    string
	}
	want := ""
	for _, f := range c.Form.structs("Filters") {
		if f.str("Name") == "OPERATION_RESULT_STATUS" {
			want = f.str("Values")
		}
	}
	var list []row
	for _, i := range op.items {
		if want != "" && want != i.Status {
			continue
		}
		r := row{Account: i.account, Region: i.region, Status: i.Status, StatusReason: i.Reason, OrganizationalUnitId: op.ous[i.account]}
		if i.Status != "PENDING" {
			r.AccountGateResult = &gate{"SKIPPED", "Function not found: arn:aws:lambda:" + i.region + ":" + i.account + ":function:AWSCloudFormationStackSetAccountGate"}
		}
		list = append(list, r)
	}
	page, token, err := cfnPage(c, list)
	return struct {
		Summaries []row  `xml:"Summaries>member"`
		NextToken string `xml:",omitempty"`
	}{page, token}, err
}

func stopOperation(s *Sim, c *call) (any, error) {
	set, err := s.set(c)
	if err != nil {
		return nil, err
	}
	op, err := set.operation(c.Form.str("OperationId"))
	if err != nil {
		return nil, err
	}
	switch op.Status {
	case "QUEUED":
		op.Status, op.Ended, op.Reason = "STOPPED", s.clock.Now(), "User Initiated"
	case "RUNNING":
		op.Status, op.stopping, op.Reason = "STOPPING", true, "User Initiated"
		if len(op.regions) > 0 {
			s.push(set, op)
		}
	default:
		return nil, fail(http.StatusBadRequest, "InvalidOperationException", "Operation "+op.ID+" is not in progress")
	}
	return struct{}{}, nil
}

func listAutoDeployment(s *Sim, c *call) (any, error) {
	set, err := s.set(c)
	if err != nil {
		return nil, err
	}
	type row struct {
		OrganizationalUnitId string
		Regions              []string `xml:"Regions>member"`
	}
	var list []row
	if set.AutoDeploy {
		for _, id := range set.OUs {
			list = append(list, row{id, set.Regions})
		}
	}
	return struct {
		Summaries []row `xml:"Summaries>member"`
	}{list}, nil
}

func describeAccess(s *Sim, c *call) (any, error) {
	if err := s.administrator(c); err != nil {
		return nil, err
	}
	return struct{ Status string }{s.world.stackSetsAccess}, nil
}

func activateAccess(s *Sim, c *call) (any, error) {
	if c.Caller.Account != s.world.management {
		return nil, fail(http.StatusBadRequest, "InvalidOperationException", "Only the management account can activate organizations access")
	}
	s.world.stackSetsAccess = "ENABLED"
	s.world.trustedServices[stackSetsPrincipal] = s.clock.Now()
	return struct{}{}, nil
}

func validateTemplate(s *Sim, c *call) (any, error) {
	_, doc, err := s.body(c)
	if err != nil {
		return nil, err
	}
	type parameter struct {
		ParameterKey, DefaultValue, Description string
		NoEcho                                  bool
	}
	out := struct {
		Description string      `xml:",omitempty"`
		Parameters  []parameter `xml:"Parameters>member"`
	}{Description: doc.Description}
	for _, name := range doc.ParameterOrder {
		p := doc.Parameters[name]
		out.Parameters = append(out.Parameters, parameter{name, p.Default, p.Description, p.NoEcho})
	}
	return out, nil
}

type stackShape struct {
	XMLName                         xml.Name `xml:"member"`
	StackName, StackId, StackStatus string
	Description                     string `xml:",omitempty"`
	CreationTime                    string
	Parameters                      []parameterShape `xml:"Parameters>member"`
	Tags                            []tagShape       `xml:"Tags>member"`
}

// stacksOf gives the stacks of the caller's account and Region, by name.
func (s *Sim) stacksOf(c *call) []*stack {
	r := s.world.accounts[c.Caller.Account].region(c.Region)
	want := c.Form.str("StackName")
	var out []*stack
	for _, name := range sortedKeys(r.stacks) {
		if st := r.stacks[name]; want == "" || want == name || want == st.ID {
			out = append(out, st)
		}
	}
	return out
}

func missingStack(c *call) error {
	return validation("Stack with id " + c.Form.str("StackName") + " does not exist")
}

func describeStacks(s *Sim, c *call) (any, error) {
	out := struct{ Stacks struct{ List []stackShape } }{}
	for _, st := range s.stacksOf(c) {
		shape := stackShape{StackName: st.Name, StackId: st.ID, StackStatus: st.Status, Description: st.Description, CreationTime: iso(st.Created)}
		for _, k := range sortedKeys(st.Parameters) {
			shape.Parameters = append(shape.Parameters, parameterShape{k, st.Parameters[k]})
		}
		for _, k := range sortedKeys(st.Tags) {
			shape.Tags = append(shape.Tags, tagShape{k, st.Tags[k]})
		}
		out.Stacks.List = append(out.Stacks.List, shape)
	}
	if c.Form.str("StackName") != "" && out.Stacks.List == nil {
		return nil, missingStack(c)
	}
	return out, nil
}

func listStacks(s *Sim, c *call) (any, error) {
	type summary struct{ StackName, StackId, StackStatus, CreationTime string }
	var list []summary
	for _, st := range s.stacksOf(c) {
		list = append(list, summary{st.Name, st.ID, st.Status, iso(st.Created)})
	}
	return struct {
		StackSummaries []summary `xml:"StackSummaries>member"`
	}{list}, nil
}

func describeStackResources(s *Sim, c *call) (any, error) {
	type row struct{ StackName, StackId, LogicalResourceId, PhysicalResourceId, ResourceType, ResourceStatus, Timestamp string }
	var list []row
	for _, st := range s.stacksOf(c) {
		for _, id := range st.Order {
			if r := st.Resources[id]; r != nil {
				list = append(list, row{st.Name, st.ID, id, r.PhysicalID, r.Type, r.Status, iso(r.Changed)})
			}
		}
	}
	if list == nil {
		return nil, missingStack(c)
	}
	return struct {
		StackResources []row `xml:"StackResources>member"`
	}{list}, nil
}

func getTemplate(s *Sim, c *call) (any, error) {
	if name := c.Form.str("StackSetName"); name != "" {
		set, err := s.set(c)
		if err != nil {
			return nil, err
		}
		return struct{ TemplateBody string }{set.Body}, nil
	}
	found := s.stacksOf(c)
	if len(found) != 1 || strings.TrimSpace(c.Form.str("StackName")) == "" {
		return nil, missingStack(c)
	}
	return struct{ TemplateBody string }{found[0].Body}, nil
}
