package simaws

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// single is what CloudFormation keeps of a stack that somebody works on by itself.
// Stacks that only a StackSet touches go without, for there are many.
type single struct {
	events       []stackEvent
	Disable      bool // DisableRollback, of the last operation
	OnFailure    string
	Protected    bool
	Capabilities []string
	RoleARN      string
	Timeout      time.Duration
	Notify       []string
	Policy       string
	ChangeSet    string // the id of the one that was executed last

	token  string            // ClientRequestToken of the operation
	tokens map[string]string // what each token was used for
	retain []string          // RetainResources of the deletion that runs
	run    int               // the operation that runs: what an earlier one has in the queue is void
	good   *stack            // what a rollback goes back to
	sets   []*changeSet      // those that wait, oldest first
}

// stackEvent is a line of a stack's history.
type stackEvent struct {
	id, logical, physical, kind, status, reason, token string
	at                                                 time.Time
}

const stackType = "AWS::CloudFormation::Stack"

// own gives a stack its history; one that a StackSet made begins it with where it stands.
func (st *stack) own(s *Sim) *single {
	if st.single == nil {
		st.single = &single{tokens: map[string]string{}}
		for _, id := range st.Order {
			if r := st.Resources[id]; r != nil {
				st.log(s, id, r.PhysicalID, r.Type, r.Status, r.Reason)
			}
		}
		if st.Status != "" {
			st.log(s, st.Name, st.ID, stackType, st.Status, st.Reason)
		}
	}
	return st.single
}

func (st *stack) log(s *Sim, logical, physical, kind, status, reason string) {
	if st.single == nil {
		return
	}
	n := st.single
	id := s.ids.uuid()
	if kind != stackType {
		id = logical + "-" + status + "-" + iso(s.clock.Now())
	}
	n.events = append(n.events, stackEvent{id, logical, physical, kind, status, reason, n.token, s.clock.Now()})
}

// to moves a stack to a status.
func (st *stack) to(s *Sim, status, reason string) {
	st.Status, st.Reason = status, reason
	st.log(s, st.Name, st.ID, stackType, status, reason)
}

// later goes on with the operation that runs, unless another has begun by then.
func (s *Sim) later(st *stack, d time.Duration, f func()) {
	n := st.own(s)
	n.run++
	run := n.run
	s.clock.after(d, func() {
		if n.run == run {
			f()
		}
	})
}

// keeps says whether a failure leaves what was made.
func (st *stack) keeps() bool {
	return st.single != nil && (st.single.Disable || st.single.OnFailure == "DO_NOTHING") && strings.HasSuffix(st.Status, "_FAILED")
}

// failed moves a stack on when one of its resources has failed.
func (st *stack) failed(s *Sim, id string, err error) {
	if st.single == nil {
		return
	}
	if _, ok := err.(*stackError); !ok { // a matter of the template, of no resource
		st.stopped(s, reasonOf(err))
		return
	}
	verb := "create"
	physical, reason := "", reasonOf(err)
	if e, ok := err.(*stackError); ok {
		reason = e.reason
	}
	if st.Status == "UPDATE_IN_PROGRESS" {
		if before := st.Resources[id]; before != nil && before.PhysicalID != "" {
			verb, physical = "update", before.PhysicalID
		}
	}
	if st.Status == "CREATE_IN_PROGRESS" || st.Status == "UPDATE_IN_PROGRESS" {
		st.log(s, id, physical, st.doc.Resources[id].Type, strings.ToUpper(verb)+"_FAILED", reason)
	}
	st.fall(s, fmt.Sprintf("The following resource(s) failed to %s: [%s]. ", verb, id))
}

// stopped moves a stack on that failed for no resource of its own.
func (st *stack) stopped(s *Sim, why string) {
	if st.single == nil {
		return
	}
	if st.Status == "CREATE_IN_PROGRESS" {
		why += ". "
	}
	st.fall(s, why)
}

// fall takes a failed operation to where it goes from here.
func (st *stack) fall(s *Sim, why string) {
	n := st.single
	switch {
	case st.Status == "CREATE_IN_PROGRESS" && (n.Disable || n.OnFailure == "DO_NOTHING"):
		st.to(s, "CREATE_FAILED", why)
	case st.Status == "CREATE_IN_PROGRESS" && n.OnFailure == "DELETE":
		st.to(s, "DELETE_IN_PROGRESS", why+"Delete requested by user.")
	case st.Status == "CREATE_IN_PROGRESS":
		st.to(s, "ROLLBACK_IN_PROGRESS", why+"Rollback requested by user.")
	case st.Status == "UPDATE_IN_PROGRESS" && n.Disable:
		st.to(s, "UPDATE_FAILED", why)
	case st.Status == "UPDATE_IN_PROGRESS":
		st.to(s, "UPDATE_ROLLBACK_IN_PROGRESS", why)
	}
}

// preserve keeps what an operation without rollback has made, and the failed resource.
func (st *stack) preserve(s *Sim, made map[string]*stackResource, failed, reason string) {
	if st.Resources == nil {
		st.Resources = map[string]*stackResource{}
	}
	kept := st.Resources[failed]
	if kept == nil {
		made[failed] = &stackResource{LogicalID: failed, Type: st.doc.Resources[failed].Type, Status: "CREATE_FAILED", Reason: reason, Changed: s.clock.Now()}
	} else {
		again := *kept
		again.Status, again.Reason, again.Changed = "UPDATE_FAILED", reason, s.clock.Now()
		if kept.PhysicalID == "" {
			again.Status = "CREATE_FAILED"
		}
		made[failed] = &again
	}
	all := map[string]*stackResource{}
	for id, r := range st.Resources {
		all[id] = r
	}
	order := slices.Clone(st.Order)
	for id, r := range made {
		all[id] = r
	}
	for _, id := range st.doc.ResourceOrder {
		if made[id] != nil && !slices.Contains(order, id) {
			order = append(order, id)
		}
	}
	st.Resources, st.Order = all, order
}

// cleaning begins the clean-up of an update.
func (st *stack) cleaning(s *Sim) {
	if st.single != nil && st.Status == "UPDATE_IN_PROGRESS" {
		st.to(s, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "")
	}
}

// lets says whether the deletion that runs leaves a resource.
func (st *stack) lets(id string) bool {
	return st.single != nil && slices.Contains(st.single.retain, id)
}

func (st *stack) notDeleted(s *Sim, res *stackResource, reason string) {
	if st.single == nil {
		st.Status = "DELETE_FAILED"
		return
	}
	res.Status, res.Reason, res.Changed = "DELETE_FAILED", reason, s.clock.Now()
	st.log(s, res.LogicalID, res.PhysicalID, res.Type, "DELETE_FAILED", reason)
	st.to(s, "DELETE_FAILED", "The following resource(s) failed to delete: ["+res.LogicalID+"]. ")
}

// deletedStacks is how long a deleted stack can be read, by its id (API reference,
// DescribeStacks and ListStacks).
const deletedStacks = 90 * 24 * time.Hour

// forget takes a stack out of its Region; it can be read by its id for 90 days.
func (s *Sim) forget(r *regionState, st *stack) {
	delete(r.stacks, st.Name)
	st.Deleted = s.clock.Now()
	st.to(s, "DELETE_COMPLETE", "")
	for len(r.gone) > 0 && r.gone[0].Deleted.Before(s.clock.ago(deletedStacks)) {
		r.gone = r.gone[1:]
	}
	r.gone = append(r.gone, st)
}
