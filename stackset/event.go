package stackset

// SetsLooked says that the sets of the run were looked for.
type SetsLooked struct {
	Regions int // Regions looked into
	Sets    []Set
}

// PreflightStarted says how much is going to be read.
type PreflightStarted struct{ Accounts, Regions int }

// AccountChecked says that one account was read in all its Regions.
type AccountChecked struct {
	AccountID   string
	Role        string // the role that read it, "" for the caller's own credentials
	Gap         Gap    // zero when the account could be entered
	Done, Total int
}

// Planned says that the plan is worked out.
type Planned struct{ Plan *Plan }

func (SetsLooked) stackSetEvent()       {}
func (PreflightStarted) stackSetEvent() {}
func (AccountChecked) stackSetEvent()   {}
func (Planned) stackSetEvent()          {}
