// Package orgs walks the tree of an AWS organization, selects accounts in it, and
// says why an account is in or out. It calls Organizations only, inside the
// published request rates.
package orgs

// Tree is an organization as one walk saw it. Slices are sorted: accounts and
// OUs by path, then name, then id.
type Tree struct {
	OrganizationID    string // o-…
	ManagementAccount string // 12 digits
	Root              *OU    // Path "", Name as Organizations says ("Root")
	// Accounts are all the accounts seen, sorted by OU path, then id.
	Accounts []*Account
	// Partial lists the OU ids below which OUs were listed; nil when the whole
	// tree was.
	Partial []string
}

// OU is the root or an organizational unit.
type OU struct {
	ID       string // r-… or ou-…
	Name     string
	Path     string // "Workloads/Prod", from below the root; "" for the root
	Parent   *OU    // nil for the root
	Children []*OU
	Accounts []*Account // directly in it
}

// Account is an account of the organization.
type Account struct {
	ID    string // 12 digits
	Name  string
	Email string
	// State is Organizations' State (ACTIVE, SUSPENDED, PENDING_CLOSURE, …),
	// never the retired Status unless State is absent.
	State      string
	OU         *OU
	Management bool
	Tags       map[string]string // only where tags were asked for
}

// OUPath is the path of the account's OU, "" for the root.
func (a *Account) OUPath() string {
	if a.OU == nil {
		return ""
	}
	return a.OU.Path
}

// Active says whether the account can be deployed to and read.
func (a *Account) Active() bool { return a.State == "ACTIVE" }

// Under says whether the OU is other or stands below it.
func (o *OU) Under(other *OU) bool {
	for ; o != nil; o = o.Parent {
		if o.ID == other.ID {
			return true
		}
	}
	return false
}

// Decision says whether an account is chosen, and why.
type Decision struct {
	Account  *Account
	Selected bool
	// Reason is never empty: `under OU Workloads`, `under --exclude-ou
	// Workloads/Dev`, `management account (--include-management)`, …
	Reason string
	// OnlyManagement says that the selection names the account, and that it is out only for being
	// the management account.
	OnlyManagement bool
}
