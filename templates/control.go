package templates

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Control is what a framework asks for. In JSON it is its String.
type Control struct {
	Standard string // "CIS", "PCI-DSS", "FSBP" or "NIST-800-53"
	Version  string // as the standard counts: "1.2.0", "r5"
	ID       string // "4.3"
}

// String is "CIS 1.2.0 4.3".
func (c Control) String() string { return c.Standard + " " + c.Version + " " + c.ID }

// MarshalText is the control's String.
func (c Control) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (c *Control) UnmarshalText(text []byte) error {
	parts := strings.SplitN(string(text), " ", 3)
	if len(parts) != 3 {
		return fmt.Errorf("control %q is not STANDARD VERSION ID", text)
	}
	c.Standard, c.Version, c.ID = parts[0], parts[1], parts[2]
	return nil
}

// compareControls orders by standard, version and id, numbers in them by value:
// 1.3.4 before 1.10, SC-7(5) before SC-7(11).
func compareControls(a, b Control) int {
	return cmp.Or(
		strings.Compare(a.Standard, b.Standard),
		compareNumbered(a.Version, b.Version),
		compareNumbered(a.ID, b.ID),
	)
}

func compareNumbered(a, b string) int {
	for a != "" && b != "" {
		na, nb := digits(a), digits(b)
		if na > 0 && nb > 0 {
			x, _ := strconv.Atoi(a[:na])
			y, _ := strconv.Atoi(b[:nb])
			if x != y {
				return cmp.Compare(x, y)
			}
			a, b = a[na:], b[nb:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

// digits is how many digits s begins with.
func digits(s string) int {
	return len(s) - len(strings.TrimLeft(s, "0123456789"))
}
