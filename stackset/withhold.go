package stackset

import "rollout/templates"

// Withhold takes automatic enforcement out of a plan wherever there is a reason against
// it. Manual enforcement that it would take the place of stays.
func (p *Plan) Withhold(reason func(t templates.Template, at Target) string) {
	sets := map[string]*Set{}
	for i := range p.Sets {
		sets[p.Sets[i].Name] = &p.Sets[i]
	}
	var found findings
	for _, have := range p.Findings {
		found.add(have, have.Places...)
	}
	stays := map[key]string{} // by template
	for i := range p.Changes {
		c := &p.Changes[i]
		s := sets[c.StackSet]
		if !s.Automatic || !brings(c.Action) {
			continue
		}
		why := reason(s.Template, c.Target)
		if why == "" {
			continue
		}
		stays[key{s.Template.Name, c.Target}] = why
		c.Action, c.Reason, c.Overrides = Skip, "not enforced automatically: "+why, nil
		found.add(Finding{Code: "automatic-withheld", StackSet: s.Name, Text: "{sets} does not enforce automatically in {places}: " + why + "."}, In(c.Account, c.Region))
	}
	for i := range p.Changes {
		c := &p.Changes[i]
		s := sets[c.StackSet]
		if why := stays[key{s.Template.Name, c.Target}]; why != "" && !s.Automatic && c.Action == Delete && !c.Orphan {
			c.Action, c.Reason = None, "stays manual, since automatic enforcement cannot be there: "+why
		}
	}
	p.Findings = found.sorted()
	p.dropIdleUpdates()
	p.Hash = p.hash(p.Steps(ApplyOptions{}))
}
