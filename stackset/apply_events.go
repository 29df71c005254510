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
)

// Waiting says that something else holds a set.
type Waiting struct{ StackSet, Why string }

func (OperationStarted) stackSetEvent()  {}
func (OperationProgress) stackSetEvent() {}
func (OperationEnded) stackSetEvent()    {}
func (InstanceFailed) stackSetEvent()    {}
func (SetCreated) stackSetEvent()        {}
func (SetUpdated) stackSetEvent()        {}
func (Waiting) stackSetEvent()           {}
