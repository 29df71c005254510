package orgs

// below is the asked part of a tree, nil for all of it.
type below struct {
	ids      map[string]bool // OU ids asked for, nil without any
	patterns []pattern
	onTheWay map[string]bool // OU ids above those
}

func parseBelow(asked []string) (*below, error) {
	if asked == nil {
		return nil, nil
	}
	b := &below{}
	for _, s := range asked {
		if rootID.MatchString(s) {
			return nil, nil
		}
		if ouID.MatchString(s) {
			if b.ids == nil {
				b.ids = map[string]bool{}
			}
			b.ids[s] = true
			continue
		}
		p, err := parsePattern(s)
		if err != nil {
			return nil, selectionError("OU %v", err)
		}
		b.patterns = append(b.patterns, p)
	}
	return b, nil
}

// means says whether an OU itself is asked for.
func (b *below) means(n node) bool {
	if b == nil || b.ids[n.id] {
		return true
	}
	for _, p := range b.patterns {
		if p.match(n.names) {
			return true
		}
	}
	return false
}

// leadsTo says whether an OU that is asked for can be below this one.
func (b *below) leadsTo(n node) bool {
	if b == nil || b.onTheWay[n.id] {
		return true
	}
	for _, p := range b.patterns {
		if p.leadsTo(n.names) {
			return true
		}
	}
	return false
}

// holds says whether an OU is asked for or below one that is.
func (b *below) holds(ou *OU) bool {
	for ; ou != nil; ou = ou.Parent {
		if b.means(node{id: ou.ID, names: ou.names()}) {
			return true
		}
	}
	return false
}
