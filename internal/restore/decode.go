package restore

import (
	"encoding/json"
	"fmt"
)

// peer is one peer of a permission in JSON, whichever of its members is given. The
// names differ by first letters' case only, which encoding/json does not mind.
type peer struct {
	CidrIP, CidrIPv6, PrefixListID, GroupID, UserID, Description string
}

func (p peer) of(base Rule) (Rule, bool) {
	base.Description = p.Description
	switch {
	case p.CidrIP != "":
		base.Kind, base.Peer = IPv4, p.CidrIP
	case p.CidrIPv6 != "":
		base.Kind, base.Peer = IPv6, p.CidrIPv6
	case p.PrefixListID != "":
		base.Kind, base.Peer = PrefixList, p.PrefixListID
	case p.GroupID != "":
		base.Kind, base.Peer, base.Owner = Group, p.GroupID, p.UserID
	default:
		return base, false
	}
	return base, true
}

// peers reads a list of peers: plainly, as EC2 and Config have it; as {"items": […]}, as
// CloudTrail has it; or a list of texts, which is Config's second account of ipRanges
// and is left out for the first.
type peers []peer

func (l *peers) UnmarshalJSON(text []byte) error {
	var items struct{ Items []peer }
	var texts []string
	if json.Unmarshal(text, &texts) == nil {
		return nil
	}
	if err := json.Unmarshal(text, (*[]peer)(l)); err == nil {
		return nil
	}
	if err := json.Unmarshal(text, &items); err != nil {
		return err
	}
	*l = items.Items
	return nil
}

// permissionJSON is a permission in the shape of EC2's API (before-images), of Config's
// items, or of CloudTrail's events.
type permissionJSON struct {
	IPProtocol                                                                string
	FromPort, ToPort                                                          *int32
	IPRanges, IPv4Ranges, IPv6Ranges, PrefixListIDs, UserIDGroupPairs, Groups peers
}

func decodeRules(list []json.RawMessage, egress bool) ([]Rule, error) {
	var out []Rule
	for _, raw := range list {
		var p permissionJSON
		if err := json.Unmarshal(raw, &p); err != nil {
			return nil, fmt.Errorf("a permission cannot be read: %w", err)
		}
		if p.IPProtocol == "" {
			return nil, fmt.Errorf("a permission has no protocol: %.100s", raw)
		}
		base := Rule{Egress: egress, Protocol: p.IPProtocol, From: p.FromPort, To: p.ToPort}
		found := 0
		for _, group := range []peers{p.IPRanges, p.IPv4Ranges, p.IPv6Ranges, p.PrefixListIDs, p.UserIDGroupPairs, p.Groups} {
			for _, x := range group {
				if r, ok := x.of(base); ok {
					out = append(out, r)
					found++
				}
			}
		}
		if found == 0 {
			return nil, fmt.Errorf("a permission names nobody: %.100s", raw)
		}
	}
	return out, nil
}
