package orgs

// Event is what a walk tells of itself. Events come one at a time.
type Event interface{ event() }

// Walked counts what was seen so far and the calls made for it, pages and all.
type Walked struct{ Accounts, OUs, Calls int }

// PathsMissing says that Organizations did not give the accounts' paths (before
// 2026-03-31, and some other implementations), so the accounts are listed OU by OU.
type PathsMissing struct{}

// TagsRead counts the accounts whose tags were read.
type TagsRead struct{ Done, Of int }

func (Walked) event()       {}
func (PathsMissing) event() {}
func (TagsRead) event()     {}
