package blast

import "time"

// JSONRadius is the blast radius in the output of a plan.
type JSONRadius struct {
	Resources []JSONResource `json:"resources"`
	Unread    []JSONUnread   `json:"unread"`
	Places    []JSONPlace    `json:"places"`
	Counts    JSONCounts     `json:"counts"`
}

// JSONResource is one resource that is not as its rule wants it.
type JSONResource struct {
	StackSet     string   `json:"stack_set"`
	Template     string   `json:"template"`
	Rule         string   `json:"rule"`
	AccountID    string   `json:"account_id"`
	AccountName  string   `json:"account_name"`
	OUPath       string   `json:"ou_path"`
	Region       string   `json:"region"`
	ResourceType string   `json:"resource_type"`
	ResourceID   string   `json:"resource_id"`
	Verdict      Verdict  `json:"verdict"`
	Reason       string   `json:"reason"`
	LeansOn      []string `json:"leans_on"`
	WouldChange  bool     `json:"would_change"`
	Source       string   `json:"source"`
	// Evaluated is when AWS Config wrote its verdict down, "" where it has none.
	Evaluated string `json:"evaluated"`
}

// JSONUnread is what could not be read of a template in a place.
type JSONUnread struct {
	Template  string `json:"template"`
	AccountID string `json:"account_id"`
	Region    string `json:"region"`
	Said      string `json:"said"`
}

// JSONPlace says whether a template's rules are evaluated in a place.
type JSONPlace struct {
	Template      string `json:"template"`
	AccountID     string `json:"account_id"`
	Region        string `json:"region"`
	Evaluated     bool   `json:"evaluated"`
	LastEvaluated string `json:"last_evaluated"`
	Why           string `json:"why"`
}

// JSONCounts are of all templates, and of each.
type JSONCounts struct {
	Count
	Templates map[string]Count `json:"templates"`
}

// JSON is the radius in the shape that others rely on.
func (r *Radius) JSON() *JSONRadius {
	out := &JSONRadius{Resources: []JSONResource{}, Unread: []JSONUnread{}, Places: []JSONPlace{}, Counts: JSONCounts{Count: r.Count(""), Templates: map[string]Count{}}}
	for _, one := range r.Resources {
		j := JSONResource{
			StackSet: one.StackSet, Template: one.Template, Rule: one.Rule, AccountID: one.AccountID, Region: one.Region, ResourceType: one.Type, ResourceID: one.ID, Verdict: one.Verdict,
			Reason: one.Reason, LeansOn: append([]string{}, one.Leans...), WouldChange: one.WouldChange, Source: one.Source, Evaluated: moment(one.Evaluated),
		}
		if one.Account != nil {
			j.AccountName, j.OUPath = one.Account.Name, one.Account.OUPath()
		}
		out.Resources = append(out.Resources, j)
	}
	for _, u := range r.Unread {
		out.Unread = append(out.Unread, JSONUnread{u.Template, u.AccountID, u.Region, u.Said})
	}
	for _, p := range r.Places {
		out.Places = append(out.Places, JSONPlace{p.Template, p.AccountID, p.Region, p.Evaluated, moment(p.When), p.Why})
	}
	for _, name := range r.Templates() {
		out.Counts.Templates[name] = r.Count(name)
	}
	return out
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
