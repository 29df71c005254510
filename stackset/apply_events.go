package stackset

// OperationStarted, OperationProgress and OperationEnded follow an operation.
type (
	OperationStarted  struct{ Operation }
	OperationProgress struct{ Operation }
	OperationEnded    struct{ Operation }
)

// InstanceFailed is an instance that failed, as soon as that is known.
type InstanceFailed struct{ Outcome }

// SetCreated and SetUpdated say that a StackSet itself was made or changed.
type (
	SetCreated struct{ Name string }
	SetUpdated struct{ Name string }
	// SetFollows says how a set's automatic deployment is now.
	SetFollows struct {
		Name string
		Auto AutoWish
	}
)

// Waiting says that something else holds a set.
type Waiting struct{ StackSet, Why string }

// OperationStopped is an operation of somebody's that was stopped, since it would undo
// what the run does.
type OperationStopped struct{ Operation }

// SetNote is something to know about a set that does not change how the run ends.
type SetNote struct{ StackSet, Text string }

// Note is something to know about a run that is about no set.
type Note struct{ Text string }

func (Note) stackSetEvent()              {}
func (OperationStarted) stackSetEvent()  {}
func (OperationStopped) stackSetEvent()  {}
func (SetNote) stackSetEvent()           {}
func (OperationProgress) stackSetEvent() {}
func (OperationEnded) stackSetEvent()    {}
func (InstanceFailed) stackSetEvent()    {}
func (SetCreated) stackSetEvent()        {}
func (SetUpdated) stackSetEvent()        {}
func (SetFollows) stackSetEvent()        {}
func (Waiting) stackSetEvent()           {}
