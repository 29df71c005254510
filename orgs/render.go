package orgs

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// The shape of `rollout tree --output json`; docs/schemas/tree.schema.json.
type (
	jsonTree struct {
		OrganizationID    string   `json:"organization_id"`
		ManagementAccount string   `json:"management_account_id"`
		Root              jsonRoot `json:"root"`
	}
	jsonRoot struct {
		ID       string        `json:"id"`
		Name     string        `json:"name"`
		OUs      []jsonOU      `json:"organizational_units"`
		Accounts []jsonAccount `json:"accounts"`
	}
	jsonOU struct {
		ID       string        `json:"id"`
		Name     string        `json:"name"`
		Path     string        `json:"path"`
		OUs      []jsonOU      `json:"organizational_units"`
		Accounts []jsonAccount `json:"accounts"`
	}
	jsonAccount struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		Email    string `json:"email"`
		State    string `json:"state"`
		OUPath   string `json:"ou_path"`
		Selected *bool  `json:"selected,omitempty"`
		Reason   string `json:"reason,omitempty"`
	}
)

// JSON is the tree in the shape that others rely on. With decisions, each account
// also says whether it is chosen and why.
func (t *Tree) JSON(decisions []Decision) any {
	by := byAccount(decisions)
	return jsonTree{t.OrganizationID, t.ManagementAccount, jsonRoot{t.Root.ID, t.Root.Name, jsonOUs(t.Root.Children, by), jsonAccounts(t.Root.Accounts, by)}}
}

func byAccount(decisions []Decision) map[*Account]Decision {
	if decisions == nil {
		return nil
	}
	by := map[*Account]Decision{}
	for _, d := range decisions {
		by[d.Account] = d
	}
	return by
}

func jsonOUs(ous []*OU, by map[*Account]Decision) []jsonOU {
	out := []jsonOU{}
	for _, ou := range ous {
		out = append(out, jsonOU{ou.ID, ou.Name, ou.Path, jsonOUs(ou.Children, by), jsonAccounts(ou.Accounts, by)})
	}
	return out
}

func jsonAccounts(accounts []*Account, by map[*Account]Decision) []jsonAccount {
	out := []jsonAccount{}
	for _, a := range accounts {
		j := jsonAccount{ID: a.ID, Name: a.Name, Email: a.Email, State: a.State, OUPath: a.OUPath()}
		if d, ok := by[a]; ok {
			j.Selected, j.Reason = &d.Selected, d.Reason
		}
		out = append(out, j)
	}
	return out
}

// WriteText draws the tree. With decisions, chosen accounts are marked + and the
// others - with the reason. paint colours words on a terminal; nil does not.
func (t *Tree) WriteText(w io.Writer, decisions []Decision, paint func(kind, text string) string) error {
	if paint == nil {
		paint = func(_, text string) string { return text }
	}
	d := &drawing{w: w, by: byAccount(decisions), paint: paint}
	d.line("%s  %s", paint("ou", t.OrganizationID), t.counts())
	d.line("%s %s%s", paint("ou", printable(t.Root.Name)), paint("dim", t.Root.ID), subtree(t.Root))
	d.below(t.Root, "")
	return d.err
}

type drawing struct {
	w     io.Writer
	by    map[*Account]Decision
	paint func(kind, text string) string
	err   error
}

func (d *drawing) line(format string, args ...any) {
	if d.err == nil {
		_, d.err = fmt.Fprintf(d.w, format+"\n", args...)
	}
}

func (d *drawing) below(ou *OU, indent string) {
	n := len(ou.Accounts) + len(ou.Children)
	branch := func(i int) (string, string) {
		if i == n-1 {
			return indent + "└── ", indent + "    "
		}
		return indent + "├── ", indent + "│   "
	}
	for i, a := range ou.Accounts {
		head, _ := branch(i)
		text := a.ID + "  " + printable(a.Name)
		if a.Management {
			text += "  (management)"
		}
		if !a.Active() {
			text += "  " + d.paint("warn", a.State)
		}
		if decision, ok := d.by[a]; ok {
			mark := "- "
			if decision.Selected {
				mark = "+ "
			}
			text = mark + text + "  " + d.paint("dim", decision.Reason)
		}
		d.line("%s%s", head, text)
	}
	for i, child := range ou.Children {
		head, next := branch(len(ou.Accounts) + i)
		d.line("%s%s %s%s", head, d.paint("ou", printable(child.Name)), d.paint("dim", child.ID), subtree(child))
		d.below(child, next)
	}
}

// subtree counts the accounts in and below an OU.
func subtree(ou *OU) string {
	n := count(ou)
	if n == 1 {
		return "  1 account"
	}
	return fmt.Sprintf("  %d accounts", n)
}

func count(ou *OU) int {
	n := len(ou.Accounts)
	for _, c := range ou.Children {
		n += count(c)
	}
	return n
}

func (t *Tree) counts() string {
	ous, inactive := -1, 0
	for range t.OUs() {
		ous++
	}
	for _, a := range t.Accounts {
		if !a.Active() {
			inactive++
		}
	}
	text := fmt.Sprintf("%d accounts, %d OUs", len(t.Accounts), ous)
	if inactive > 0 {
		text += fmt.Sprintf(", %d not active", inactive)
	}
	if t.Partial != nil {
		text += "; OUs listed below " + strings.Join(t.Partial, ", ") + " only"
	}
	return text
}

// printable takes out what could move a terminal's cursor.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return '?'
		}
		return r
	}, name)
}

// WriteMermaid writes the tree as a Mermaid flowchart.
func (t *Tree) WriteMermaid(w io.Writer) error {
	d := &drawing{w: w}
	d.line("flowchart TD")
	node := func(id, label string) { d.line("  %s[\"%s\"]", nodeID(id), label) }
	node(t.Root.ID, mermaidText(t.Root.Name)+"<br/>"+mermaidText(t.OrganizationID))
	var visit func(ou *OU)
	visit = func(ou *OU) {
		for _, a := range ou.Accounts {
			label := mermaidText(a.Name) + "<br/>" + a.ID
			if !a.Active() {
				label += "<br/>" + mermaidText(a.State)
			}
			d.line("  %s([\"%s\"])", nodeID(a.ID), label)
			d.line("  %s --> %s", nodeID(ou.ID), nodeID(a.ID))
		}
		for _, c := range ou.Children {
			node(c.ID, mermaidText(c.Name))
			d.line("  %s --> %s", nodeID(ou.ID), nodeID(c.ID))
			visit(c)
		}
	}
	visit(t.Root)
	return d.err
}

// nodeID makes a Mermaid id of an AWS one.
func nodeID(id string) string {
	return "n" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, id)
}

// mermaidText writes what Mermaid and the HTML in it would take for syntax as
// numeric entities (Mermaid documentation, "Entity codes to escape characters").
func mermaidText(text string) string {
	var b strings.Builder
	for _, r := range printable(text) {
		switch {
		case r == ' ' || r == '-' || r == '.' || r == '_' || r == '@' || unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}
