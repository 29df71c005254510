package orgs

import (
	"fmt"

	"rollout/internal/awsapi"
)

// SelectionError is a word of a Selector that is malformed or matches nothing, in
// one sentence.
type SelectionError struct{ Message string }

func (e *SelectionError) Error() string { return e.Message }

func selectionError(format string, args ...any) error {
	return &SelectionError{fmt.Sprintf(format, args...)}
}

// ErrNotInOrganization means that the caller's account belongs to no organization
// (AWSOrganizationsNotInUseException).
type ErrNotInOrganization struct{ Err error }

func (e *ErrNotInOrganization) Error() string {
	text := "the caller's account belongs to no AWS organization"
	if e.Err != nil {
		text += ": " + awsapi.Text(e.Err)
	}
	return text
}

func (e *ErrNotInOrganization) Unwrap() error { return e.Err }

// Remedy says what to do about it.
func (e *ErrNotInOrganization) Remedy() string {
	return "use credentials of the organization's management account, or of a delegated administrator"
}

// ErrNotManagement means that the caller may not read the organization: it is a
// member account that administers no service.
type ErrNotManagement struct {
	// Caller is the caller's account, "" where the walk was not told.
	Caller       string
	Organization Organization
	Tried        string // "list the roots"
	Err          error
}

func (e *ErrNotManagement) Error() string {
	who := "the caller's account"
	if e.Caller != "" {
		who = "account " + e.Caller
	}
	return fmt.Sprintf("%s in organization %s as %s, which is not its management account %s: %s", e.Tried, e.Organization.ID, who, e.Organization.ManagementAccount, awsapi.Text(e.Err))
}

func (e *ErrNotManagement) Unwrap() error { return e.Err }

// Remedy says what to do about it.
func (e *ErrNotManagement) Remedy() string {
	return "use credentials of management account " + e.Organization.ManagementAccount +
		", or register this account there as delegated administrator (member.org.stacksets.cloudformation.amazonaws.com)"
}

// explain gives the typed error of a failed call, or err with what was tried.
func explain(err error, tried, caller string, o Organization) error {
	if awsapi.Code(err) == "AWSOrganizationsNotInUseException" {
		return &ErrNotInOrganization{Err: err}
	}
	// The management account itself is refused only by its own policies; that
	// is another problem with another remedy.
	if awsapi.Classify(err) == awsapi.ClassDenied && o.ID != "" && caller != o.ManagementAccount {
		return &ErrNotManagement{Caller: caller, Organization: o, Tried: tried, Err: err}
	}
	if o.ID != "" {
		tried += " in organization " + o.ID
	}
	return fmt.Errorf("%s: %w", tried, err)
}
