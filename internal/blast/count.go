package blast

import "slices"

// Count sums a radius up.
type Count struct {
	// Places are the accounts' Regions, Evaluated those where AWS Config has evaluated the
	// rules, Unread those where the resources could not be listed.
	Places    int `json:"places"`
	Evaluated int `json:"evaluated"`
	Unread    int `json:"unread"`
	// WouldChange are the resources that would be changed: NotSafe, Unknown and Safe ones.
	WouldChange int `json:"would_change"`
	NotSafe     int `json:"not_safe"`
	Unknown     int `json:"unknown"`
	Safe        int `json:"safe"`
	// Left are those that are not as the rule wants them and would stay so.
	Left int `json:"left"`
}

// Count sums up what is of a template, "" for all.
func (r *Radius) Count(template string) Count {
	var c Count
	of := func(name string) bool { return template == "" || name == template }
	for _, p := range r.Places {
		if of(p.Template) {
			c.Places++
			if p.Evaluated {
				c.Evaluated++
			}
		}
	}
	for _, u := range r.Unread {
		if of(u.Template) {
			c.Unread++
		}
	}
	for _, one := range r.Resources {
		switch {
		case !of(one.Template):
			continue
		case !one.WouldChange:
			c.Left++
			continue
		case one.Verdict == NotSafe:
			c.NotSafe++
		case one.Verdict == Safe:
			c.Safe++
		default:
			c.Unknown++
		}
		c.WouldChange++
	}
	return c
}

// Templates are the names of the templates that enforce, in the order of the plan.
func (r *Radius) Templates() []string {
	var out []string
	for _, p := range r.Places {
		if !slices.Contains(out, p.Template) {
			out = append(out, p.Template)
		}
	}
	return out
}
