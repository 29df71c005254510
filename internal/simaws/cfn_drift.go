package simaws

import (
	"slices"
	"strings"
	"time"
)

// stackDrift is what detection last found of a stack.
type stackDrift struct {
	Status    string // DRIFTED, IN_SYNC, UNKNOWN
	At        time.Time
	resources map[string]*resourceDrift
}

// resourceDrift is what it found of a resource.
type resourceDrift struct {
	physical, kind   string
	Status           string // IN_SYNC, MODIFIED, DELETED
	expected, actual string // JSON
	differences      []propertyDifference
	At               time.Time
}

// detection is one DetectStackDrift.
type detection struct {
	id, stack, status, drift, reason string
	started                          time.Time
	drifted                          int
	ended                            bool
}

// driftable are the states in which a stack can be checked (user guide, "Detect drift
// on an entire CloudFormation stack").
var driftable = []string{"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"}

// inspect compares a resource with the world; nil for one that cannot be checked.
func (s *Sim) inspect(a *account, r *regionState, res *stackResource, at time.Time) *resourceDrift {
	read := driftReaders[res.Type]
	if read == nil || res.PhysicalID == "" {
		return nil
	}
	out := &resourceDrift{physical: res.PhysicalID, kind: res.Type, Status: "IN_SYNC", At: at, expected: string(marshal(res.shown()))}
	now, there := read(a, r, res)
	if !there {
		out.Status = "DELETED"
		return out
	}
	for name, expected := range res.Properties {
		// Keys can be named in several ways, so CloudFormation never compares them (user
		// guide, considerations when detecting drift).
		if strings.EqualFold(name, "KmsKeyId") {
			now[name] = expected
		}
	}
	out.actual = string(marshal(now))
	if out.differences = differences("", map[string]any(res.Properties), now); len(out.differences) > 0 {
		out.Status = "MODIFIED"
	}
	return out
}

// detect checks a stack, or some of its resources, and keeps what it finds.
func (s *Sim) detect(a *account, r *regionState, st *stack, only []string, at time.Time) {
	d := st.drift
	if d == nil || only == nil {
		d = &stackDrift{resources: map[string]*resourceDrift{}}
	}
	d.At = at
	for _, id := range st.Order {
		res := st.Resources[id]
		if res == nil || only != nil && !slices.Contains(only, id) {
			continue
		}
		if found := s.inspect(a, r, res, at); found != nil {
			d.resources[id] = found
		}
	}
	d.Status = "IN_SYNC"
	if d.drifted() > 0 {
		d.Status = "DRIFTED"
	}
	st.drift = d
}

func (d *stackDrift) drifted() (n int) {
	for _, found := range d.resources {
		if found.Status != "IN_SYNC" {
			n++
		}
	}
	return n
}

// shape is the DriftInformation of a stack.
func (d *stackDrift) shape() driftShape {
	if d == nil {
		return driftShape{StackDriftStatus: "NOT_CHECKED"}
	}
	return driftShape{d.Status, iso(d.At)}
}

// of is the DriftInformation of a resource.
func (d *stackDrift) of(id string) resourceDriftShape {
	if d == nil || d.resources[id] == nil {
		return resourceDriftShape{StackResourceDriftStatus: "NOT_CHECKED"}
	}
	return resourceDriftShape{d.resources[id].Status, iso(d.resources[id].At)}
}

type resourceDriftShape struct {
	StackResourceDriftStatus string
	LastCheckTimestamp       string `xml:",omitempty"`
}

func (st *stack) canDrift() error {
	if !slices.Contains(driftable, st.Status) {
		return invalid("Drift detection cannot be performed on stack [%s] while it is in %s state", st.ID, st.Status)
	}
	return nil
}

func detectStackDrift(s *Sim, c *call) (any, error) {
	st, err := s.stackOf(c)
	if err != nil {
		return nil, err
	}
	// The permissions that a user must have (user guide, considerations when detecting
	// drift), but for those to read the resources.
	if err := s.alsoMay(c, st.ID, "DetectStackResourceDrift"); err != nil {
		return nil, err
	}
	if err := s.alsoMay(c, "*", "BatchDescribeTypeConfigurations"); err != nil {
		return nil, err
	}
	if err := st.canDrift(); err != nil {
		return nil, err
	}
	r := s.regionOf(c)
	for _, d := range r.detections {
		if d.stack == st.ID && !d.ended {
			return nil, invalid("Drift detection is already in progress for stack [%s]", st.ID)
		}
	}
	only := c.Form.list("LogicalResourceIds")
	for _, id := range only {
		if st.Resources[id] == nil {
			return nil, invalid("Resource %s does not exist for stack %s", id, st.Name)
		}
	}
	d := &detection{id: s.ids.uuid(), stack: st.ID, status: "DETECTION_IN_PROGRESS", drift: "NOT_CHECKED", started: s.clock.Now()}
	r.detections = append(r.detections, d)
	a := s.world.accounts[c.Caller.Account]
	s.clock.after(s.detecting(st), func() {
		s.detect(a, r, st, only, d.started)
		d.status, d.drift, d.drifted, d.ended = "DETECTION_COMPLETE", st.drift.Status, st.drift.drifted(), true
	})
	return struct{ StackDriftDetectionId string }{d.id}, nil
}

// detecting is how long a stack takes: some seconds and a second a resource.
func (s *Sim) detecting(st *stack) time.Duration {
	return spread(4*time.Second, 12*time.Second, st.ID, "drift") + time.Duration(len(st.Order))*time.Second
}

func describeDetection(s *Sim, c *call) (any, error) {
	id := c.Form.str("StackDriftDetectionId")
	for _, d := range s.regionOf(c).detections {
		if d.id != id {
			continue
		}
		drifted := ""
		if d.ended {
			drifted = textOf(d.drifted)
		}
		return struct {
			StackId, StackDriftDetectionId, StackDriftStatus, DetectionStatus string
			DetectionStatusReason                                             string `xml:",omitempty"`
			DriftedStackResourceCount                                         string `xml:",omitempty"`
			Timestamp                                                         string
		}{d.stack, d.id, d.drift, d.status, d.reason, drifted, iso(d.started)}, nil
	}
	return nil, invalid("Drift detection %s does not exist", id)
}

type foundDrift struct {
	StackId, LogicalResourceId, PhysicalResourceId, ResourceType string
	ExpectedProperties                                           string           `xml:",omitempty"`
	ActualProperties                                             string           `xml:",omitempty"`
	PropertyDifferences                                          *differencesList `xml:",omitempty"`
	StackResourceDriftStatus, Timestamp                          string
}

type differencesList struct {
	Member []propertyDifference `xml:"member"`
}

func (d *resourceDrift) shape(st, id string) foundDrift {
	out := foundDrift{StackId: st, LogicalResourceId: id, PhysicalResourceId: d.physical, ResourceType: d.kind, ExpectedProperties: d.expected,
		ActualProperties: d.actual, StackResourceDriftStatus: d.Status, Timestamp: iso(d.At)}
	if d.Status == "MODIFIED" {
		out.PropertyDifferences = &differencesList{d.differences}
	}
	return out
}

func describeResourceDrifts(s *Sim, c *call) (any, error) {
	st, err := s.stackOf(c)
	if err != nil {
		return nil, err
	}
	wanted := c.Form.list("StackResourceDriftStatusFilters")
	list := []foundDrift{}
	for _, id := range st.Order {
		if st.drift == nil || st.drift.resources[id] == nil {
			continue
		}
		if d := st.drift.resources[id]; len(wanted) == 0 || slices.Contains(wanted, d.Status) {
			list = append(list, d.shape(st.ID, id))
		}
	}
	page, next, err := cfnPage(c, list)
	return struct {
		StackResourceDrifts []foundDrift `xml:"StackResourceDrifts>member"`
		NextToken           string       `xml:",omitempty"`
	}{page, next}, err
}

// detectResourceDrift checks one resource while the caller waits.
func detectResourceDrift(s *Sim, c *call) (any, error) {
	st, err := s.stackOf(c)
	if err != nil {
		return nil, err
	}
	if err := st.canDrift(); err != nil {
		return nil, err
	}
	id := c.Form.str("LogicalResourceId")
	res := st.Resources[id]
	if res == nil {
		return nil, invalid("Resource %s does not exist for stack %s", id, st.Name)
	}
	if driftReaders[res.Type] == nil {
		return nil, invalid("Drift detection is not supported for resource type %s", res.Type)
	}
	s.detect(s.world.accounts[c.Caller.Account], s.regionOf(c), st, []string{id}, s.clock.Now())
	return struct{ StackResourceDrift foundDrift }{st.drift.resources[id].shape(st.ID, id)}, nil
}
