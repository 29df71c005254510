package simaws

import (
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
	// exceptOnCreate is RetainExceptOnCreate of the operation: a rollback deletes also
	// what has DeletionPolicy Retain.
	exceptOnCreate bool
	by             *caller // who makes the operation's calls
	work           *pass   // the operation's, as long as there is something to undo
	unrestored     string  // the resource that could not be rolled back
	// during and next are stack policies: StackPolicyDuringUpdateBody, and the one that
	// holds after the update.
	during, next string
	run          int          // the operation that runs: what an earlier one has in the queue is void
	good         *stack       // what a rollback goes back to
	sets         []*changeSet // those that wait, oldest first
}

// stackEvent is a line of a stack's history.
type stackEvent struct {
	id, logical, physical, kind, status, reason, token, properties string
	at                                                             time.Time
}

const stackType = "AWS::CloudFormation::Stack"

// own gives a stack its history; one that a StackSet made begins it with where it stands.
func (st *stack) own(s *Sim) *single {
	if st.single == nil {
		st.single = &single{tokens: map[string]string{}}
		for _, id := range st.Order {
			if r := st.Resources[id]; r != nil {
				st.logResource(s, r, r.Status, r.Reason)
			}
		}
		if st.Status != "" {
			st.log(s, st.Status, st.Reason)
		}
	}
	return st.single
}

// log writes a line about the stack itself.
func (st *stack) log(s *Sim, status, reason string) {
	if n := st.single; n != nil {
		n.events = append(n.events, stackEvent{s.ids.uuid(), st.Name, st.ID, stackType, status, reason, n.token, "", s.clock.Now()})
	}
}

// logResource writes a line about a resource, with the properties that may be seen.
func (st *stack) logResource(s *Sim, r *stackResource, status, reason string) {
	if n := st.single; n != nil {
		n.events = append(n.events, stackEvent{r.LogicalID + "-" + status + "-" + iso(s.clock.Now()), r.LogicalID, r.PhysicalID, r.Type, status, reason, n.token, string(marshal(r.shown())), s.clock.Now()})
	}
}

// to moves a stack to a status.
func (st *stack) to(s *Sim, status, reason string) {
	st.Status, st.Reason = status, reason
	st.log(s, status, reason)
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

// stopped moves a stack on that failed for no resource of its own.
func (st *stack) stopped(s *Sim, why string) {
	if st.single == nil {
		return
	}
	if st.Status == "CREATE_IN_PROGRESS" {
		why = strings.TrimSuffix(why, ".") + ". "
	}
	st.fall(s, why)
}

// fall takes a failed operation to where it goes from here.
func (st *stack) fall(s *Sim, why string) {
	n := st.single
	if n == nil {
		return
	}
	switch {
	case st.Status == "CREATE_IN_PROGRESS" && (n.Disable || n.OnFailure == "DO_NOTHING"):
		st.to(s, "CREATE_FAILED", why)
	case st.Status == "CREATE_IN_PROGRESS" && n.OnFailure == "DELETE":
		st.ends(s, "DELETE_IN_PROGRESS", why+"Delete requested by user.")
	case st.Status == "CREATE_IN_PROGRESS":
		st.ends(s, "ROLLBACK_IN_PROGRESS", why+"Rollback requested by user.")
	case st.Status == "UPDATE_IN_PROGRESS" && n.Disable:
		st.to(s, "UPDATE_FAILED", why)
	case st.Status == "UPDATE_IN_PROGRESS":
		st.to(s, "UPDATE_ROLLBACK_IN_PROGRESS", why)
	}
}

// ends begins the deletion of what a stack has: its DeletionTime is that beginning, also
// where the stack itself stays (as DescribeStacks was seen to answer).
func (st *stack) ends(s *Sim, status, why string) {
	st.Deleted = s.clock.Now()
	st.to(s, status, why)
}

// lets says whether the deletion that runs leaves a resource.
func (st *stack) lets(id string) bool {
	return st.single != nil && slices.Contains(st.single.retain, id)
}

// deletedStacks is how long a deleted stack can be read, by its id (API reference,
// DescribeStacks and ListStacks).
const deletedStacks = 90 * 24 * time.Hour

// forget takes a stack out of its Region; it can be read by its id for 90 days.
func (s *Sim) forget(r *regionState, st *stack) {
	delete(r.stacks, st.Name)
	if st.single != nil {
		st.single.run++
		st.single.work = nil
	}
	st.Deleted = s.clock.Now()
	st.to(s, "DELETE_COMPLETE", "")
	for len(r.gone) > 0 && r.gone[0].Deleted.Before(s.clock.ago(deletedStacks)) {
		r.gone = r.gone[1:]
	}
	r.gone = append(r.gone, st)
}
