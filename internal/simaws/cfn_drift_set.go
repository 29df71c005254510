package simaws

import "slices"

// detectSetDrift checks the stack of every instance, as an operation of the set; one at
// a time (API reference, DetectStackSetDrift).
func detectSetDrift(s *Sim, c *call) (any, error) {
	set, err := s.set(c)
	if err != nil {
		return nil, err
	}
	for _, op := range set.ops {
		if op.Action == "DETECT_DRIFT" && op.active() {
			return nil, s.inProgress(set)
		}
	}
	ous, targets := map[string]string{}, []target{}
	for _, i := range set.sorted() {
		ous[i.account] = i.OU
		targets = append(targets, i.target)
	}
	op, err := s.newOperation(c, set, "DETECT_DRIFT", ous)
	if err != nil {
		return nil, err
	}
	s.queue(set, op, targets)
	return operationAnswer(op), nil
}

// detectInstance checks one instance's stack.
func (s *Sim) detectInstance(op *operation, i *stackInstance) error {
	a := s.world.everAccount(i.account)
	i.driftOperation = op.ID
	if s.world.regionStatus(a, i.region) == "DISABLED" || a.State != "ACTIVE" || i.StackName == "" || a.region(i.region).stacks[i.StackName] == nil {
		i.drift = nil
		return invalid("Failed to get stack status")
	}
	r := a.region(i.region)
	st := r.stacks[i.StackName]
	if err := s.denyExecution(a, i.region, "cloudformation:DetectStackDrift", st.ID); err != nil {
		return err
	}
	s.detect(a, r, st, nil, s.clock.Now())
	i.drift = st.drift
	return nil
}

// driftStatus is that of an instance: UNKNOWN for one that could not be checked.
func (i *stackInstance) driftStatus() string {
	switch {
	case i.drift != nil:
		return i.drift.Status
	case i.driftOperation != "":
		return "UNKNOWN"
	}
	return "NOT_CHECKED"
}

type setDriftShape struct {
	DriftStatus                                                                     string
	DriftDetectionStatus                                                            string `xml:",omitempty"`
	LastDriftCheckTimestamp                                                         string `xml:",omitempty"`
	TotalStackInstancesCount, DriftedStackInstancesCount, InSyncStackInstancesCount int
	InProgressStackInstancesCount, FailedStackInstancesCount                        int
}

// driftDetails are those of a drift detection, nil for any other operation.
func (op *operation) driftDetails(set *stackSet) *setDriftShape {
	if op == nil || op.Action != "DETECT_DRIFT" {
		return nil
	}
	d := &setDriftShape{DriftStatus: "IN_SYNC", LastDriftCheckTimestamp: iso(op.Created), TotalStackInstancesCount: len(op.items)}
	for _, item := range op.items {
		switch item.Status {
		case "SUCCEEDED":
			if item.drift == "DRIFTED" {
				d.DriftedStackInstancesCount++
			} else {
				d.InSyncStackInstancesCount++
			}
		case "PENDING", "RUNNING":
			d.InProgressStackInstancesCount++
		case "FAILED":
			d.FailedStackInstancesCount++
		}
	}
	if d.DriftedStackInstancesCount > 0 {
		d.DriftStatus = "DRIFTED"
	} else if d.InSyncStackInstancesCount == 0 && len(op.items) > 0 {
		d.DriftStatus = "NOT_CHECKED"
	}
	switch {
	case op.Status == "SUCCEEDED" && d.FailedStackInstancesCount > 0:
		d.DriftDetectionStatus = "PARTIAL_SUCCESS"
	case op.Status == "SUCCEEDED":
		d.DriftDetectionStatus = "COMPLETED"
	case op.Status == "FAILED", op.Status == "STOPPED":
		d.DriftDetectionStatus = op.Status
	default:
		d.DriftDetectionStatus = "IN_PROGRESS"
	}
	return d
}

// lastDrift is what DescribeStackSet shows: "Information about drift operations that
// are in progress isn't included" (API reference, DetectStackSetDrift).
func (set *stackSet) lastDrift() *setDriftShape {
	for _, op := range slices.Backward(set.ops) {
		if op.Action == "DETECT_DRIFT" && !op.active() {
			return op.driftDetails(set)
		}
	}
	return &setDriftShape{DriftStatus: "NOT_CHECKED", TotalStackInstancesCount: len(set.instances)}
}

func listInstanceDrifts(s *Sim, c *call) (any, error) {
	set, err := s.set(c)
	if err != nil {
		return nil, err
	}
	op, err := set.operation(c.Form.str("OperationId"))
	if err != nil {
		return nil, err
	}
	i := set.instances[target{c.Form.str("StackInstanceAccount"), c.Form.str("StackInstanceRegion")}]
	if i == nil {
		return nil, fail(404, "StackInstanceNotFoundException", "Stack instance not found")
	}
	wanted := c.Form.list("StackInstanceResourceDriftStatuses")
	list := []foundDrift{}
	if i.drift != nil && i.driftOperation == op.ID {
		for _, id := range sortedKeys(i.drift.resources) {
			if d := i.drift.resources[id]; len(wanted) == 0 || slices.Contains(wanted, d.Status) {
				row := d.shape(i.StackID, id)
				row.ExpectedProperties, row.ActualProperties = "", ""
				list = append(list, row)
			}
		}
	}
	page, next, err := cfnPage(c, list)
	return struct {
		Summaries []foundDrift `xml:"Summaries>member"`
		NextToken string       `xml:",omitempty"`
	}{page, next}, err
}
