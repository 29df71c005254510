package reports

import (
	"time"

	"rollout/orgs"
)

// Event is a step of a gather or of the waiting before it, told as it happens.
// Events come from many goroutines; whoever renders them does so under one lock.
// Emitting never fails the work.
type Event interface{ reportsEvent() }

// GatherStarted comes once, before anything is read.
type GatherStarted struct{ Accounts, Places, Rules int }

// PlaceRead says that a place has all its cells. Done counts the places so far.
type PlaceRead struct {
	Place
	Statuses    []Status // one a rule, in rule order
	Done, Total int
}

// AccountRead says that an account is done. Done counts the accounts so far.
type AccountRead struct {
	Account *orgs.Account
	// Role is the role that read it, "" for the caller's own credentials or
	// when it was not entered.
	Role string
	// Problem says why the account could not be entered, "" when it was.
	Problem     string
	Done, Total int
}

// SettleStarted comes once, when there is something to wait for.
type SettleStarted struct {
	Places int
	Limit  time.Duration
}

// SettleProgress says how far the waiting is, at most once a second.
type SettleProgress struct {
	Settled, LeftOut, Total int
	// Waiting says what is waited for, such as "12 not evaluated yet".
	Waiting string
	Elapsed time.Duration
	Limit   time.Duration
}

// PlaceLeftOut says that a place can never settle and is not waited for.
type PlaceLeftOut struct {
	Place
	Why string
}

func (GatherStarted) reportsEvent()  {}
func (PlaceRead) reportsEvent()      {}
func (AccountRead) reportsEvent()    {}
func (SettleStarted) reportsEvent()  {}
func (SettleProgress) reportsEvent() {}
func (PlaceLeftOut) reportsEvent()   {}
