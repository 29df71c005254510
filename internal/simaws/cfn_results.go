package simaws

import (
	"net/http"
	"slices"
	"time"
)

func (set *stackSet) operation(id string) (*operation, error) {
	for _, op := range set.ops {
		if op.ID == id {
			return op, nil
		}
	}
	return nil, fail(http.StatusNotFound, "OperationNotFoundException", "Operation "+id+" not found")
}

type targetsShape struct {
	OrganizationalUnitIds []string `xml:"OrganizationalUnitIds>member"`
	Accounts              []string `xml:"Accounts>member"`
	AccountsUrl           string   `xml:",omitempty"`
	AccountFilterType     string   `xml:",omitempty"`
}

type preferencesShape struct {
	RegionConcurrencyType      string
	RegionOrder                []string `xml:"RegionOrder>member"`
	FailureToleranceCount      string   `xml:",omitempty"`
	FailureTolerancePercentage string   `xml:",omitempty"`
	MaxConcurrentCount         string   `xml:",omitempty"`
	MaxConcurrentPercentage    string   `xml:",omitempty"`
	ConcurrencyMode            string
}

type operationShape struct {
	OperationId, Action, Status string
	StackSetId                  string `xml:",omitempty"` // not in a summary
	StatusReason                string `xml:",omitempty"`
	RetainStacks                *bool  `xml:",omitempty"`
	CreationTimestamp           string
	EndTimestamp                string            `xml:",omitempty"`
	DeploymentTargets           *targetsShape     `xml:",omitempty"`
	OperationPreferences        *preferencesShape `xml:",omitempty"`
	StatusDetails               statusDetailsShape
	// Of a drift detection, but not in a summary.
	StackSetDriftDetectionDetails *setDriftShape `xml:",omitempty"`
	RegionalStatusDetails         *regionalShape `xml:",omitempty"` // not in a summary
}

// shapeOfOperation is an operation as both calls show it, its progress as it stood at
// a time; a summary has no targets.
func shapeOfOperation(set *stackSet, op *operation, summary bool, seen time.Time) operationShape {
	shape := operationShape{OperationId: op.ID, Action: op.Action, Status: op.Status, StatusReason: op.Reason, CreationTimestamp: iso(op.Created), EndTimestamp: iso(op.Ended)}
	if op.Action == "DELETE" && !summary {
		shape.RetainStacks = &op.Retain
	}
	details, regional := op.statusDetails(seen)
	shape.StatusDetails = details
	if !summary {
		shape.RegionalStatusDetails = regional
		shape.StackSetId, shape.StackSetDriftDetectionDetails = set.ID, op.driftDetails(set)
		shape.DeploymentTargets = &targetsShape{op.ouIDs, op.accounts, op.accountsURL, op.filter}
	}
	p := &preferencesShape{"SEQUENTIAL", op.prefs.order, op.sent.str("FailureToleranceCount"), op.sent.str("FailureTolerancePercentage"),
		op.sent.str("MaxConcurrentCount"), op.sent.str("MaxConcurrentPercentage"), "STRICT_FAILURE_TOLERANCE"}
	if op.prefs.parallel {
		p.RegionConcurrencyType = "PARALLEL"
	}
	if op.prefs.soft {
		p.ConcurrencyMode = "SOFT_FAILURE_TOLERANCE"
	}
	shape.OperationPreferences = p
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
	return struct{ StackSetOperation operationShape }{shapeOfOperation(set, op, false, s.clock.Now())}, nil
}

func listOperations(s *Sim, c *call) (any, error) {
	set, err := s.set(c)
	if err != nil {
		return nil, err
	}
	var list []*operation
	seen := s.clock.ago(s.opts.ListLag)
	for _, op := range slices.Backward(set.ops) {
		if !op.Created.After(seen) {
			list = append(list, op)
		}
	}
	page, token, err := cfnPage(c, list)
	shapes := make([]operationShape, len(page))
	for n, op := range page {
		shapes[n] = shapeOfOperation(set, op, true, seen)
		if op.Ended.After(seen) { // the list has not heard of it yet
			shapes[n].Status, shapes[n].EndTimestamp, shapes[n].StatusReason = "RUNNING", "", ""
		}
	}
	return struct {
		Summaries []operationShape `xml:"Summaries>member"`
		NextToken string           `xml:",omitempty"`
	}{shapes, token}, err
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
	list, seen := op.items, s.clock.ago(s.opts.ListLag)
	for _, f := range c.Form.structs("Filters") {
		if f.str("Name") != "OPERATION_RESULT_STATUS" {
			return nil, invalid("1 validation error detected: Value '%s' at 'filters.1.member.name' failed to satisfy constraint: Member must satisfy enum value set: [OPERATION_RESULT_STATUS]", f.str("Name"))
		}
		list = nil
		for _, i := range op.items {
			if status, _ := i.at(seen); status == f.str("Values") {
				list = append(list, i)
			}
		}
	}
	if len(op.regions) == 0 || op.dispatched.After(seen) {
		list = nil // the work has not been dispatched yet
	}
	page, token, err := cfnPage(c, list)
	rows := make([]row, len(page))
	for n, i := range page {
		status, reason := i.at(seen)
		rows[n] = row{Account: i.account, Region: i.region, Status: status, StatusReason: reason, OrganizationalUnitId: op.ous[i.account]}
		if in := set.instances[i.target]; in != nil {
			rows[n].OrganizationalUnitId = in.OU
		}
		if status != "PENDING" && status != "CANCELLED" {
			rows[n].AccountGateResult = &gate{"SKIPPED", "Function not found: arn:" + s.world.partition + ":lambda:" + i.region + ":" + i.account + ":function:AWSCloudFormationStackSetAccountGate"}
		}
	}
	return struct {
		Summaries []row  `xml:"Summaries>member"`
		NextToken string `xml:",omitempty"`
	}{rows, token}, err
}

// at is how an item stood at a time not long ago.
func (i *opItem) at(seen time.Time) (status, reason string) {
	switch {
	case i.ended.After(seen) && !i.begun.IsZero() && !i.begun.After(seen):
		return "RUNNING", ""
	case i.ended.After(seen), i.begun.After(seen), i.settled.After(seen):
		return "PENDING", ""
	}
	return i.Status, i.Reason
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
		for _, item := range op.items {
			item.Status, item.Reason, item.settled = "CANCELLED", "User initiated operation", op.Ended
		}
		s.startWaiting(set) // what had to wait for it
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
	if set.Auto.Enabled {
		for _, id := range sortedKeys(set.deployed) {
			list = append(list, row{id, sortedKeys(set.deployed[id])})
		}
	}
	page, token, err := cfnPage(c, list)
	return struct {
		Summaries []row  `xml:"Summaries>member"`
		NextToken string `xml:",omitempty"`
	}{page, token}, err
}
