package simaws

import "time"

// Progress of an operation by stages (DescribeStackSetOperation and
// ListStackSetOperations, StatusDetails.Stages): newer than the Go SDK and the AWS CLI
// pinned here, so boto3 is what reads it.

type stagesShape struct {
	RoleProvisioning         roleStage
	StackInstancesDeployment instancesStage
}

type roleStage struct{ Status string }

type instancesStage struct {
	Status                       string
	SucceededStackInstancesCount int
	FailedStackInstancesCount    int
	CompletedStackInstancesCount int
	PendingStackInstancesCount   int
	CancelledStackInstancesCount int
	SkippedStackInstancesCount   int
	PercentageCompleted          float64
}

type statusDetailsShape struct {
	Stages                    stagesShape
	TotalAccountsCount        *int `xml:",omitempty"`
	TotalStackInstancesCount  *int `xml:",omitempty"`
	FailedStackInstancesCount int
}

type regionalStage struct {
	instancesStage
	TotalStackInstancesCount int
}

type regionalShape struct {
	Entry []regionalEntry `xml:"entry"`
}

type regionalEntry struct {
	Key   string        `xml:"key"`
	Value regionalStage `xml:"value>Stages>RegionalStackInstancesDeployment"`
}

// add counts an item as it stood at a time.
func (st *instancesStage) add(item *opItem, seen time.Time) {
	status, reason := item.at(seen)
	switch {
	case status == "SUCCEEDED":
		st.SucceededStackInstancesCount++
	case status == "FAILED":
		st.FailedStackInstancesCount++
	case status == "CANCELLED" && reason == suspended:
		st.SkippedStackInstancesCount++
	case status == "CANCELLED":
		st.CancelledStackInstancesCount++
	case status == "RUNNING":
		st.Status = "IN_PROGRESS"
		st.PendingStackInstancesCount++
	default:
		st.PendingStackInstancesCount++
	}
}

// close says what the counts mean (StackInstancesDeployment, Status). What is skipped
// makes neither a success nor a failure.
func (st *instancesStage) close(op *operation) {
	ok, bad := st.SucceededStackInstancesCount, st.FailedStackInstancesCount+st.CancelledStackInstancesCount
	st.CompletedStackInstancesCount = ok + bad + st.SkippedStackInstancesCount
	switch {
	case op.Action == "DETECT_DRIFT":
		st.Status = "NOT_APPLICABLE"
	case op.dispatched.IsZero():
		st.Status = "NOT_STARTED"
	case st.PendingStackInstancesCount > 0:
		if st.Status == "" && ok+bad == 0 {
			st.Status = "NOT_STARTED"
		} else {
			st.Status = "IN_PROGRESS"
		}
	case bad == 0:
		st.Status = "SUCCEEDED"
	case ok == 0:
		st.Status = "FAILED"
	default:
		st.Status = "PARTIAL_SUCCESS"
	}
	if total := st.CompletedStackInstancesCount + st.PendingStackInstancesCount; total > 0 {
		st.PercentageCompleted = 100 * float64(st.CompletedStackInstancesCount) / float64(total)
	} else if op.Status != "RUNNING" && op.Status != "QUEUED" {
		st.PercentageCompleted = 100
	}
}

// statusDetails counts an operation's instances as they stood at a time, all together
// and by Region. Totals are there once the targets are resolved.
func (op *operation) statusDetails(seen time.Time) (statusDetailsShape, *regionalShape) {
	var all instancesStage
	regions, accounts := map[string]*instancesStage{}, map[string]bool{}
	for _, item := range op.items {
		by := regions[item.region]
		if by == nil {
			by = &instancesStage{}
			regions[item.region] = by
		}
		all.add(item, seen)
		by.add(item, seen)
		accounts[item.account] = true
	}
	all.close(op)
	// The execution role is there with trusted access: no operation makes it.
	out := statusDetailsShape{Stages: stagesShape{roleStage{"NOT_APPLICABLE"}, all}, FailedStackInstancesCount: all.FailedStackInstancesCount}
	if op.dispatched.IsZero() || op.dispatched.After(seen) {
		return out, nil
	}
	instances, holders := len(op.items), len(accounts)
	out.TotalAccountsCount, out.TotalStackInstancesCount = &holders, &instances
	list := &regionalShape{}
	for _, name := range sortedKeys(regions) {
		by := regions[name]
		by.close(op)
		list.Entry = append(list.Entry, regionalEntry{name, regionalStage{*by, by.CompletedStackInstancesCount + by.PendingStackInstancesCount}})
	}
	return out, list
}
